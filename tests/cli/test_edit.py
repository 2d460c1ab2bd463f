"""hub edit, and where hub lead says each value is from."""

import pytest

from tests.cli.desk import Desk
from tests.world import form


def a_desk() -> tuple[Desk, str]:
    desk = Desk()
    desk.world.send("forms", form(1, "zoe@example.com", name="Zoe Quill", company="Acme"))
    desk.world.settle()
    return desk, desk.world.lead().lead_id


def test_fields_are_set_and_shown_before_and_now() -> None:
    desk, lead_id = a_desk()
    done = desk.run(
        "edit", lead_id, "company=Beta = Co", "seats=250", "--by", "Ann", "--note", "hm"
    )
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["company", "Acme", "Beta", "=", "Co"] in rows
    assert ["seats", "250"] in rows
    assert ["score", "10", "60"] in rows
    shown = desk.run("lead", lead_id).stdout
    assert "by hand, Ann, 2026-11-23 09:00:00" in shown
    assert "forms, 2026-11-23 08:00:00" in shown
    assert 'company is "Beta = Co"; seats is "250" (hm)' in shown
    assert "Set by hand by Ann on 2026-11-23: company, seats." in desk.run("why", lead_id).stdout


def test_a_field_is_emptied_and_given_back() -> None:
    desk, lead_id = a_desk()
    desk.run("edit", lead_id, "company=")
    assert "emptied by hand, hub command, 2026-11-23" in desk.run("lead", lead_id).stdout
    lead = desk.json("edit", lead_id, "--release", "company")
    assert lead["profile"]["company"]["value"] == "Acme"


def test_several_values_make_a_list() -> None:
    desk, lead_id = a_desk()
    lead = desk.json("edit", lead_id, "topic=a", "topic=b")
    assert lead["custom"]["topic"]["value"] == ["a", "b"]


def test_the_same_again_changes_nothing_and_says_so() -> None:
    desk, lead_id = a_desk()
    desk.run("edit", lead_id, "company=Beta")
    version = desk.world.lead().version
    done = desk.run("edit", lead_id, "company=Beta")
    assert done.exit_code == 0
    assert "it is so already" in done.output
    assert desk.world.lead().version == version


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "expected FIELD=VALUE, or --release FIELD"),
        (["company"], "company: expected FIELD=VALUE"),
        (["=x"], "expected a contact field"),
        (["emial=zoe@example.org"], "did you mean email?"),
        (["phone=12"], "phone: expected a phone number with its country code"),
        (["company=B", "--release", "company"], "expected a value or its release, not both"),
    ],
)
def test_a_mistake_is_one_clear_line(arguments: list[str], told: str) -> None:
    desk, lead_id = a_desk()
    done = desk.run("edit", lead_id, *arguments)
    assert done.exit_code == 1
    assert told in done.output
    assert desk.world.lead().edits == ()


def test_nobody_of_that_id_is_said_so() -> None:
    desk, _ = a_desk()
    done = desk.run("edit", "nobody", "company=B")
    assert done.exit_code == 1
    assert "Not found: lead nobody" in done.output
