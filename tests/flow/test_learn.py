"""Learning from what is stored, every night, and going back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.config.model import Matching
from chalicelib.errors import Conflict, HubError, NotFound
from chalicelib.flow.catch_up import ensure, work_on
from chalicelib.flow.learn import (
    AT_ONCE,
    LEARNING_KEY,
    LEAST,
    Learning,
    begun,
    counted,
    gather,
    learn_now,
    learning_item,
    learning_of,
    learnt,
    list_weights,
    put_to_use,
    use_weights,
    weights_of,
)
from chalicelib.flow.publish import publish, set_availability
from chalicelib.hub import Hub
from chalicelib.lead.matching.weights import AS_IT_COMES, Weights
from chalicelib.records import weights_key
from chalicelib.storage import Item
from tests.faults import Call, Fault, Hook, Kill, Point, every_point, explore
from tests.flow.match_scenes import crowded
from tests.world import World, replaced, with_config


def learning(world: World) -> Item:
    item = world.table.get(LEARNING_KEY)
    assert item is not None
    return item


def in_use(world: World, hub: Hub | None = None) -> int:
    return (hub or world.hub).configurations.current().active.weights


def one_night(world: World, hub: Hub | None = None) -> None:
    """Do the slices of one night."""
    for _ in range(6):
        item = world.table.get(LEARNING_KEY)
        if item and learning_of(item).finished_at:
            return
        world.clock.advance(minutes=7)
        if item:
            work_on(hub or world.hub, item)


def test_a_hub_learns_by_itself_every_night() -> None:
    world = crowded()
    ensure(world.hub)
    one_night(world)
    state = learning_of(learning(world))
    assert (state.leads, state.number, state.sample) == (len(world.leads()), 1, ())
    assert in_use(world) == 1
    due_at = learning(world)["due_at"]
    assert due_at[:10] == f"{world.clock() + timedelta(days=1):%Y-%m-%d}"
    weights = world.hub.configurations.weights(world.hub.configurations.current())
    assert weights.leads == state.leads
    assert weights.counts["city"]["leeds"] > 20


def test_what_was_learnt_is_weighed_with_from_then_on() -> None:
    world = crowded()
    before = world.hub.configurations.weights(world.hub.configurations.current())
    learn_now(world.hub)
    after = world.hub.configurations.weights(world.hub.configurations.current())
    assert before.shared("city", "leeds") > after.shared("city", "leeds")


def test_a_small_hub_learns_nothing() -> None:
    world = World()
    done = learn_now(world.hub)
    assert done.leads < LEAST
    assert in_use(world) == 0
    assert list_weights(world.hub) == []


def test_learning_the_same_again_makes_no_new_weights() -> None:
    world = crowded()
    assert learn_now(world.hub).number == 1
    assert learn_now(world.hub).number == 1
    assert [one.number for one in list_weights(world.hub)] == [1]


def test_the_sample_is_the_same_whatever_the_pages() -> None:
    world = crowded()
    everybody = sorted(lead.lead_id for lead in world.leads())
    assert list(gather(world.hub).sample) == everybody
    state = counted(world.hub, begun(world.hub, Learning()))
    assert len(state.sample) < AT_ONCE
    assert state.walk.part == 1


def test_it_can_be_switched_off_and_on() -> None:
    world = crowded()
    ensure(world.hub)
    off = with_config(world, matching=Matching(learn=False))
    publish(world.hub, off, "test")
    world.clock.advance(minutes=7)
    work_on(world.hub, learning(world))
    assert "due_at" not in learning(world)
    assert in_use(world) == 0
    publish(world.hub, world.config, "test")
    world.clock.advance(days=1)
    ensure(world.hub)
    one_night(world)
    assert in_use(world) == 1


def test_weights_outlive_a_new_configuration() -> None:
    world = crowded()
    learn_now(world.hub)
    publish(world.hub, replaced(world.config, "owners", "ann", daily_cap=3), "test")
    assert in_use(world) == 1


def test_one_can_go_back_and_no_further_than_there_is() -> None:
    world = crowded()
    learn_now(world.hub)
    assert use_weights(world.hub, 0).weights == 0
    assert in_use(world) == 0
    assert use_weights(world.hub, 1).weights == 1
    for number in (2, -1):
        with pytest.raises(NotFound):
            use_weights(world.hub, number)
    assert [one.is_used for one in list_weights(world.hub)] == [True]


def test_numbers_go_on_after_going_back() -> None:
    world = crowded()
    learn_now(world.hub)
    use_weights(world.hub, 0)
    first = world.table.get(weights_key(1))
    assert learn_now(world.hub).number == 2
    assert in_use(world) == 2
    assert world.table.get(weights_key(1)) == first


def test_a_configuration_that_is_published_meanwhile_is_not_lost() -> None:
    world = crowded()
    config = replaced(world.config, "owners", "ann", daily_cap=3)

    def meddle(call: Call, go: Callable[[], Any]) -> Any:
        if call.what.startswith("weights") and not done:
            done.append(publish(world.hub, config, "somebody"))
        return go()

    done: list[object] = []
    learn_now(world.worker(meddle))
    assert done
    assert world.hub.configurations.current().config.owners["ann"].daily_cap == 3
    assert in_use(world) == 1


def test_who_lost_the_lease_puts_nothing_to_use() -> None:
    world = crowded()
    state = gather(world.hub)
    weights = learnt(world.hub, state)
    learn_now(world.hub)
    with pytest.raises(Conflict):
        put_to_use(world.hub, state, 0, weights, None)
    assert [one.number for one in list_weights(world.hub)] == [1]


def test_two_who_learn_at_once_make_one_set_of_weights() -> None:
    world = crowded()

    def meddle(call: Call, go: Callable[[], Any]) -> Any:
        if call.what.startswith("weights") and not done:
            done.append(learn_now(world.hub))
        return go()

    done: list[object] = []
    assert learn_now(world.worker(meddle)).number == 1
    assert done
    assert [one.number for one in list_weights(world.hub)] == [1]


def test_a_fault_at_any_call_of_a_night_does_no_harm() -> None:
    def night(hook: Hook) -> list[str]:
        world = crowded()
        world.table.plant(learning_item(Learning(), 1, world.clock(), "test"))
        hub = world.worker(hook)
        for _ in range(3):
            try:
                one_night(world, hub)
            except (Kill, HubError):
                continue
        one_night(world)
        number = in_use(world)
        kept = [one.number for one in list_weights(world.hub)]
        return [] if (number, kept) == (1, [1]) else [f"{number} of {kept}"]

    def few(calls: list[Call]) -> Iterator[Point]:
        for point in every_point(calls):
            is_write = point.call.does == "write"
            is_hard = point.fault in (Fault.LOST, Fault.KILLED_AFTER)
            if is_write and is_hard:
                yield point

    fired, wrong = explore(night, few)
    assert wrong == {}
    assert fired > 3


def test_nobody_can_be_named_by_what_was_learnt() -> None:
    world = crowded()
    learn_now(world.hub)
    item = world.table.get(weights_key(1))
    assert item is not None
    weights = weights_of(item)
    assert not weights.counts.get("email")
    assert not weights.counts.get("phone")
    assert "@example" not in repr(learning_of(learning(world)))


def test_weights_of_older_numbers_can_still_be_read() -> None:
    world = crowded()
    learn_now(world.hub)
    set_availability(world.hub, "ann", off=True)
    item = world.table.get(weights_key(1))
    assert item is not None
    assert isinstance(weights_of(item), Weights)
    assert weights_of(item) != AS_IT_COMES
