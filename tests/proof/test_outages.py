"""Longer trouble: parts down for a while, indexes that lag, messages that died or vanished."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.records import delivery_of
from chalicelib.storage import Message
from tests.faults import Call, Fault, apply, untouched
from tests.invariants import problems
from tests.proof.stories import STORIES, deliveries, large
from tests.world import World, form


@pytest.mark.parametrize("name", STORIES)
def test_an_index_that_lags_delays_and_harms_nothing(name: str) -> None:
    world = World()
    STORIES[name].prepare(world)
    world.table.index_lag = 7
    STORIES[name].act(world, world.worker(untouched))
    world.drain()
    world.table.index_lag = 0
    world.settle()
    assert problems(world) == []


def test_the_table_is_down_at_the_door_and_the_queue_takes_all() -> None:
    world = World()
    world.send("forms", form(0, "warm@example.com"))
    world.settle()
    world.table.is_down = True
    assert world.send("forms", form(1, "zoe@example.com")) == 200
    for _ in range(3):
        world.work(world.inbox, world.hub)
    world.table.is_down = False
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 2


def test_the_queue_is_down_at_the_door_and_tick_sends_it_on_within_two_minutes() -> None:
    world = World()
    world.inbox.is_down = True
    assert world.send("forms", form(1, "zoe@example.com")) == 200
    world.inbox.is_down = False
    arrived_at = world.clock()
    world.settle()
    assert problems(world) == []
    (one,) = deliveries(world)
    assert one.outcome == "accepted"
    assert world.lead().updated_at - arrived_at < timedelta(minutes=3)


def test_both_are_down_and_the_sender_is_told_to_come_again() -> None:
    world = World()
    world.send("forms", form(0, "warm@example.com"))
    world.settle()
    world.table.is_down = world.inbox.is_down = True
    assert world.request("forms", form(1, "zoe@example.com")) == 503
    world.table.is_down = world.inbox.is_down = False
    assert len(deliveries(world)) == 1
    assert world.inbox.waiting == []
    assert world.send("forms", form(1, "zoe@example.com")) == 200
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 2


def test_a_large_body_goes_through_while_the_bucket_is_down() -> None:
    world = World()
    world.blobs.is_down = True
    assert world.send("forms", form(1, "zoe@example.com", **large())) == 200
    for _ in range(2):
        world.work(world.inbox, world.hub)
    world.blobs.is_down = False
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 1


def test_without_secrets_nothing_is_taken_unsigned() -> None:
    world = World()
    world.secrets.is_down = True
    assert world.request("forms", form(1, "zoe@example.com")) == 503
    world.secrets.is_down = False
    world.secrets.values["forms"] = ("",)
    assert world.request("forms", form(1, "zoe@example.com"), secret="x") == 503
    assert deliveries(world) == []


def test_everything_is_down_for_an_hour_and_is_caught_up_with() -> None:
    world = World()
    for number in range(6):
        world.send("forms", form(number, f"p{number}@example.com", seats="200"))
    world.table.is_down = True
    for _ in range(4):
        for queue in world.queues:
            world.work(queue, world.hub)
        world.clock.advance(minutes=15)
        world.tick()
    world.table.is_down = False
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 6


def died(world: World) -> None:
    """Let every message be tried until it dies."""
    world.table.is_down = True
    for queue in world.queues:
        while queue.waiting:
            world.work(queue, world.hub)
    world.table.is_down = False


def test_dead_messages_are_brought_back_twice_while_new_work_runs() -> None:
    world = World()
    for number in range(4):
        world.send("forms", form(number, f"p{number}@example.com"))
    died(world)
    assert len(world.inbox.dead) == 4
    again = [kept.message for kept in world.inbox.dead]
    world.inbox.redrive()
    world.inbox.send(again)
    world.send("forms", form(9, "p1@example.com"))
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 4


def test_dead_messages_that_nobody_brings_back_are_found_by_tick() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com", seats="200"))
    for queue in world.queues:
        died(world)
        world.clock.advance(minutes=11)
        world.tick()
        world.work(queue, world.hub)
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 1


def test_every_message_vanishes_at_every_step_and_tick_finds_the_work() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com", seats="200"))
    for queue in world.queues:
        queue._waiting.clear()
        world.clock.advance(minutes=11)
        world.tick()
        world.work(queue, world.hub)
    world.settle()
    assert problems(world) == []
    assert [delivery.outcome for delivery in deliveries(world)] == ["accepted"]


def test_a_routing_message_comes_again_after_its_window() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com", seats="200"))
    world.settle()
    lead = world.lead()
    for _ in range(3):
        world.clock.advance(minutes=6)
        world.routing.send([Message({"lead": lead.lead_id}, "large", f"{lead.lead_id}-1")])
        world.settle()
    assert world.lead() == lead
    assert problems(world) == []


def test_ticks_that_stop_for_hours_and_then_come_all_at_once() -> None:
    world = World()
    world.inbox.is_down = True
    for number in range(5):
        world.send("forms", form(number, f"p{number}@example.com"))
    world.inbox.is_down = False
    world.clock.advance(hours=2)
    for _ in range(5):
        world.tick()
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 5


@pytest.mark.parametrize("seed", range(12))
def test_a_part_of_all_calls_fails_for_a_while(seed: int) -> None:
    """Three of ten calls are refused, then it ends, and what died meanwhile is brought back.

    A delivery that only its message carries is known nowhere else while it is dead.
    """
    chance = random.Random(seed)
    world = World(seed=seed)

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        return apply(Fault.DOWN if chance.random() < 0.3 else None, call, go)

    hub = world.worker(hook)
    for number in range(5):
        world.send("forms", form(number, f"p{number % 3}@example.com", seats="200"), hub)
    for _ in range(20):
        for queue in world.queues:
            world.work(queue, hub)
    for queue in world.queues:
        queue.redrive()
    world.settle()
    assert problems(world) == []
    stored = [delivery_of(item) for item in world.table.scan() if item.get("kind") == "delivery"]
    assert {one.outcome for one in stored} <= {"accepted", "duplicate"}
