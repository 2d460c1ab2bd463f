"""The checker names a clock that is not woken, is missing, or strikes twice."""

from typing import Any

import pytest

from chalicelib.records import event_item, event_of, lead_item, lead_of
from tests.flow.sla_scenes import a_clocked_world, pass_minutes
from tests.invariants import check, dumped
from tests.world import World


def a_world_with_clocks() -> World:
    world = a_clocked_world()
    pass_minutes(world, 61)
    return world


def found_in(world: World) -> set[str]:
    return {violation.invariant for violation in check(dumped(world))}


def plant(world: World, lead: Any, **item: Any) -> None:
    """Put a lead there otherwise, unseen by those who look at versions."""
    known = {**lead_item(lead, "test"), **item}
    world.table.plant({name: value for name, value in known.items() if value is not None})


def test_a_world_with_clocks_is_healthy() -> None:
    assert found_in(a_world_with_clocks()) == set()


def test_a_clock_that_nothing_wakes_is_named() -> None:
    world = a_world_with_clocks()
    plant(world, world.lead(), due_at=None, due_shard=None)
    assert "I22" in found_in(world)


def test_a_clock_that_is_woken_late_is_named() -> None:
    world = a_world_with_clocks()
    plant(world, world.lead(), due_at="2027-11-23T00:00:00.000Z")
    assert "I22" in found_in(world)


def test_an_open_lead_without_a_clock_is_named() -> None:
    world = a_world_with_clocks()
    lead = world.lead()
    assert lead.assignment
    bare = lead.assignment.model_copy(update={"clock": ()})
    plant(world, lead.model_copy(update={"assignment": bare}))
    assert "I22" in found_in(world)


def test_a_lead_that_is_due_for_nothing_is_named() -> None:
    world = a_world_with_clocks()
    closed = world.lead().model_copy(update={"status": "disqualified"})
    plant(world, closed, due_shard="DUE#0", due_at="2026-11-24T00:00:00.000Z")
    assert "I22" in found_in(world)


@pytest.mark.parametrize("change", [{"event_id": "again"}, {"decisions": "other"}])
def test_a_step_that_was_taken_twice_or_otherwise_is_named(change: dict[str, Any]) -> None:
    world = a_world_with_clocks()
    item = next(
        item
        for item in world.table.scan()
        if item["kind"] == "event" and event_of(item).kind == "escalated"
    )
    event = event_of(item)
    if "decisions" in change:
        (decision,) = event.decisions
        change = {"decisions": (decision.model_copy(update={"result": "nothing"}),)}
    lead_id = str(item["pk"]).removeprefix("LEAD#")
    world.table.plant(event_item(lead_id, event.model_copy(update=change), "test"))
    assert "I22" in found_in(world)


def test_what_is_stored_reads_back() -> None:
    world = a_world_with_clocks()
    lead = world.lead()
    assert lead_of(lead_item(lead, "test")) == lead
