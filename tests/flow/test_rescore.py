"""Scores that time alone changes: open leads are scored anew once a day, and only if it matters."""

from typing import Any

from chalicelib.config.qualifying import Qualifying
from chalicelib.config.scoring import Scoring
from chalicelib.errors import Conflict
from chalicelib.flow.move import move
from chalicelib.flow.publish import publish
from chalicelib.flow.rescore import RESCORING_KEY, rescore, rescoring_of
from chalicelib.flow.verify import verify
from chalicelib.records import Event
from tests.flow.scenes import events, failing_at
from tests.flow.test_retention import days_pass
from tests.invariants import problems
from tests.world import World, form, with_config

ASKED = {"id": "asked", "when": {"field": "source", "op": "exists"}, "points": 16}
FADING = {"engagement": {"half_life_days": 10, "rules": [ASKED]}}
SILENT = {
    "id": "silent",
    "points": 10,
    "touches": {"at_most": 0, "within_days": 30},
}


def a_world(scoring: dict[str, Any], stages: Any = ()) -> World:
    world = World()
    world.config = with_config(
        world,
        scoring=Scoring.model_validate(scoring),
        qualifying=Qualifying.model_validate({"stages": stages}),
    )
    publish(world.hub, world.config, "test")
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    return world


def rescored(world: World) -> list[Event]:
    return events(world, "rescored")


def is_sound(world: World) -> bool:
    found = problems(world)
    for lead in world.leads():
        found += [finding.problem for finding in verify(world.hub, lead.lead_id) if finding.problem]
    assert found == []
    return True


def test_points_fade_by_themselves_and_the_decision_is_kept() -> None:
    world = a_world(FADING)
    before = world.lead()
    assert before.score.total == 16
    days_pass(world, 10)
    after = world.lead()
    assert 8 <= after.score.total < 16
    assert (after.updated_at, after.assignment) == (before.updated_at, before.assignment)
    last = rescored(world)[-1]
    assert last.text.startswith("as time goes by: score ")
    assert last.decisions[0].result == str(after.score.total)
    assert is_sound(world)


def test_what_is_the_same_is_not_written() -> None:
    world = a_world({"engagement": {"half_life_days": 3000, "rules": [ASKED]}})
    version = world.lead().version
    days_pass(world, 5)
    assert world.lead().version == version
    assert rescored(world) == []
    item = world.table.get(RESCORING_KEY)
    assert item and rescoring_of(item).finished_at


def test_nothing_runs_where_time_changes_nothing() -> None:
    world = a_world({"fit": {"rules": [{"id": "any", "points": 10}]}})
    days_pass(world, 3)
    assert world.table.get(RESCORING_KEY) is None


def test_it_sleeps_once_the_configuration_has_nothing_to_do_with_time_any_more() -> None:
    world = a_world(FADING)
    days_pass(world, 2)
    publish(world.hub, with_config(world, scoring=Scoring()), "test")
    days_pass(world, 2)
    item = world.table.get(RESCORING_KEY)
    assert item and "due_at" not in item
    publish(world.hub, world.config, "test")
    days_pass(world, 2)
    woken = world.table.get(RESCORING_KEY)
    assert woken and "due_at" in woken


def test_a_silence_is_noticed_when_it_is_long_enough() -> None:
    world = a_world({"fit": {"rules": [SILENT]}})
    days_pass(world, 28)
    assert (world.lead().score.total, rescored(world)) == (0, [])
    days_pass(world, 5)
    assert world.lead().score.total == 10
    assert len(rescored(world)) == 1
    assert is_sound(world)


def test_time_alone_lets_a_lead_enter_a_stage_and_leaves_its_owner() -> None:
    quiet = {"field": "days_since_touch", "op": "at_least", "value": 20}
    names = ["lead", "asleep", "MQL", "SQL", "opportunity", "customer"]
    stages: list[dict[str, Any]] = [{"id": name} for name in names]
    stages[1] |= {"enter": {"when": quiet}}
    world = a_world({}, stages)
    owner = world.lead().assignment
    days_pass(world, 22)
    lead = world.lead()
    assert (lead.stage, lead.assignment, lead.is_raised, lead.awaits) == (
        "asleep",
        owner,
        False,
        "",
    )
    (told,) = rescored(world)
    assert told.text == "as time goes by: stage lead to asleep"
    assert is_sound(world)


def test_whoever_is_disqualified_is_left_alone() -> None:
    world = a_world(FADING)
    lead = move(world.hub, world.lead().lead_id, "Ann", status="disqualified", reason="no budget")
    days_pass(world, 10)
    assert world.lead() == lead


def test_a_lead_that_waits_for_an_owner_still_does() -> None:
    world = World()
    world.config = with_config(world, scoring=Scoring.model_validate(FADING))
    publish(world.hub, world.config, "test")
    world.send("forms", form(1, "zoe@example.com", topic="night"))
    world.drain()
    assert world.lead().is_unowned
    days_pass(world, 8)
    assert world.lead().is_unowned
    assert rescored(world)
    assert any("due_at" in item for item in world.table.scan() if item["kind"] == "lead")
    assert is_sound(world)


def test_a_page_that_is_done_twice_is_done_once() -> None:
    world = a_world(FADING)
    days_pass(world, 1)
    world.clock.advance(days=5)
    item = world.table.get(RESCORING_KEY)
    assert item
    rescore(world.hub, item)
    before = len(rescored(world))
    again = world.table.get(RESCORING_KEY)
    assert again
    rescore(world.hub, again)
    assert len(rescored(world)) == before
    assert is_sound(world)


def test_who_writes_to_a_lead_meanwhile_comes_first() -> None:
    world = a_world(FADING)
    days_pass(world, 1)
    world.clock.advance(days=5)
    before = world.lead()
    slow = world.worker(failing_at("table.write", 1, Conflict("somebody else wrote first")))
    item = world.table.get(RESCORING_KEY)
    assert item
    rescore(slow, item)
    assert world.lead() == before
    assert is_sound(world)


def test_many_leads_are_gone_through_a_page_at_a_time() -> None:
    world = a_world(FADING)
    for number in range(2, 130):
        world.send("forms", form(number, f"zoe{number}@example.com"))
        world.drain()
    world.settle()
    days_pass(world, 5)
    assert all(lead.score.total < 16 for lead in world.leads())
    item = world.table.get(RESCORING_KEY)
    assert item
    assert rescoring_of(item).changed <= 129
