"""What was refused at the door: counted per source and reason, the last few kept."""

from typing import Any

import pytest

from chalicelib.flow.receive import MOST_BYTES
from tests.flow.scenes import a_world, ask, changed, everything_kept, of_kind, reconfigure
from tests.world import World, form

TODAY = "REFUSALS#2026-11-23"


def counted(world: World, source_id: str, day: str = TODAY) -> dict[str, Any]:
    """Give the counters of one day."""
    found = {
        (item["pk"], item["sk"]): item for item in world.table.scan() if "REFUSALS" in item["sk"]
    }
    item = dict(found[(f"SOURCE#{source_id}", day)])
    return {name: item[name] for name in item if name not in {"pk", "sk", "expires_at"}}


def test_refusals_are_counted_per_source_and_reason() -> None:
    world = a_world()
    for _ in range(2):
        ask(world, "forms", b"{}", secret="another")
    ask(world, "forms", b"x" * (MOST_BYTES + 1))
    ask(world, "linkedin", b"{}", secret="")
    ask(world, "meta", method="GET")
    assert counted(world, "forms") == {"unverified": 2, "toolarge": 1}
    assert counted(world, "linkedin") == {"unverified": 1}
    assert counted(world, "meta") == {"malformed": 1}


def test_each_day_has_its_own_counters() -> None:
    world = a_world()
    ask(world, "forms", b"{}", secret="")
    world.clock.advance(days=1)
    ask(world, "forms", b"{}", secret="")
    assert counted(world, "forms") == {"unverified": 1}
    assert counted(world, "forms", "REFUSALS#2026-11-24") == {"unverified": 1}


def test_what_a_switched_off_source_refuses_is_counted_as_its_own() -> None:
    world = a_world()
    reconfigure(world, changed(world.config, "sources", "forms", enabled=False))
    ask(world, "forms", b"{}")
    assert counted(world, "forms") == {"switchedoff": 1}


def test_strangers_cannot_make_a_counter_for_every_name_they_think_of() -> None:
    world = a_world()
    for name in ("admin", "wp-login", "x" * 900):
        ask(world, name, b"{}")
    assert counted(world, "-unknown") == {"unknownsource": 3}
    assert len(of_kind(world, "refusal")) == 3
    assert max(len(item["source_id"]) for item in of_kind(world, "refusal")) == 64


def test_the_last_three_of_a_kind_are_kept_with_time_and_reason() -> None:
    world = a_world()
    for _ in range(5):
        ask(world, "forms", b"{}", secret="")
        world.clock.advance(minutes=1)
    kept = sorted(of_kind(world, "refusal"), key=lambda item: str(item["at"]))
    assert [item["at"][11:16] for item in kept] == ["09:02", "09:03", "09:04"]
    assert {item["reason"] for item in kept} == {"unverified"}
    assert {item["detail"] for item in kept} == {"header X-Lead-Token is missing"}


def test_refusals_are_forgotten_after_thirty_days() -> None:
    world = a_world()
    ask(world, "forms", b"{}", secret="")
    ends = {item["expires_at"] for item in world.table.scan() if "expires_at" in item}
    assert ends == {int(world.clock().timestamp()) + 30 * 86400}


def test_nothing_of_what_was_sent_is_kept() -> None:
    world = a_world()
    ask(world, "forms", form(1, "canary@example.com"), secret="canary-secret")
    ask(world, "ads", b'{"google_key": "canary-key", "lead_id": "canary"}', secret="")
    ask(world, "meta", method="GET", query={"hub.mode": "canary", "hub.challenge": "canary"})
    assert b"canary" not in everything_kept(world)


@pytest.mark.parametrize("source_id", ["forms", "nobody"])
def test_being_refused_does_not_depend_on_counting_it(source_id: str) -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.table.is_down = True
    assert ask(world, source_id, b"{}", secret="").status in {401, 404}
