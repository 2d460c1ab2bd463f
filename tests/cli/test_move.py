"""hub status, hub stage: moved, refused in one clear line, and shown."""

import pytest

from tests.cli.desk import Desk
from tests.world import form


def a_desk() -> tuple[Desk, str]:
    desk = Desk()
    desk.world.send("forms", form(1, "zoe@example.com", name="Zoe Quill"))
    desk.world.settle()
    return desk, desk.world.lead().lead_id


def test_a_lead_is_moved_and_shown_before_and_now() -> None:
    desk, lead_id = a_desk()
    done = desk.run("status", lead_id, "contacted", "--by", "Ann")
    assert done.exit_code == 0, done.output
    assert ["status", "assigned", "contacted"] in [
        line.split() for line in done.output.splitlines()
    ]
    done = desk.run("stage", lead_id, "MQL", "--reason", "wants a demo")
    assert ["stage", "lead", "MQL"] in [line.split() for line in done.output.splitlines()]
    assert (desk.world.lead().status, desk.world.lead().stage) == ("contacted", "MQL")
    assert "Moved by Ann on 2026-11-23: status assigned to contacted." in (
        desk.run("why", lead_id).stdout
    )
    assert "stage lead to MQL: wants a demo" in desk.run("lead", lead_id).stdout


def test_the_same_again_changes_nothing_and_says_so() -> None:
    desk, lead_id = a_desk()
    done = desk.run("stage", lead_id, "lead")
    assert done.exit_code == 0
    assert "it is so already" in done.output


def test_json_is_the_lead_as_it_is_then() -> None:
    desk, lead_id = a_desk()
    lead = desk.json("status", lead_id, "disqualified", "--reason", "no budget")
    assert (lead["status"], lead["status_reason"]) == ("disqualified", "no budget")
    shown = desk.run("leads", "--status", "disqualified").output
    assert "disqualified" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["status", "disqualified"], "reason: expected why it is disqualified"),
        (["status", "lost"], "expected one of new, assigned, contacted"),
        (["stage", "won"], "there is no stage won; expected one of lead, MQL"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments: list[str], told: str) -> None:
    desk, lead_id = a_desk()
    done = desk.run(arguments[0], lead_id, *arguments[1:])
    assert done.exit_code == 1
    assert told in " ".join(done.output.split())
    assert (desk.world.lead().status, desk.world.lead().stage) == ("assigned", "lead")
