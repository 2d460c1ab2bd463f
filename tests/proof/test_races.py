"""Real threads on the local cloud: what the interleaver plays call by call, here at full speed."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from chalicelib.flow.process import process
from chalicelib.flow.route import route
from chalicelib.flow.tick import tick
from chalicelib.hub import Hub
from tests.aws.aws_world import AwsWorld
from tests.aws.engines import on_cloud
from tests.faults import untouched
from tests.invariants import problems
from tests.world import form

WORKERS = 8


@pytest.fixture
def world(local_cloud: str) -> AwsWorld:
    return AwsWorld(on_cloud(local_cloud))


def at_once(world: AwsWorld, *acts: Callable[[Hub], Any]) -> list[Any]:
    """Let each act begin at the same moment, each in a process of its own, so to speak."""
    barrier = Barrier(len(acts))

    def begin(act: Callable[[Hub], Any]) -> Any:
        hub = world.worker(untouched)
        barrier.wait(30)
        return act(hub)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(begin, acts))


def handle(world: AwsWorld, queue: Any, step: Callable[..., list[str]], copies: int = 1) -> None:
    """Hand every waiting message to so many workers at once, one message each."""
    messages = [message for _ in range(4) for message in queue.receive(10)]
    acts = [lambda hub, m=message: step(hub, [m]) for message in messages for _ in range(copies)]
    failed: set[str] = set()
    for start in range(0, len(acts), WORKERS):
        for result in at_once(world, *acts[start : start + WORKERS]):
            failed |= set(result)
    queue.delete({message.message_id for message in messages} - failed)
    queue.give_back(failed)


def send(world: AwsWorld, people: Sequence[tuple[str, str]]) -> None:
    for number, (email, phone) in enumerate(people):
        assert world.send("forms", form(number, email, phone, seats="200")) == 200


@pytest.mark.cloud
def test_the_same_person_eight_times_at_once_is_one_lead(world: AwsWorld) -> None:
    send(world, [("zoe@example.com", f"+4477009001{n:02}") for n in range(8)])
    handle(world, world.inbox, process)
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 1
    assert world.lead().touch_count == 8


@pytest.mark.cloud
def test_crossing_keys_at_once_are_one_lead(world: AwsWorld) -> None:
    people = [(f"p{n % 3}@example.com", f"+44770090010{n % 2}") for n in range(8)]
    send(world, people)
    handle(world, world.inbox, process)
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 1


@pytest.mark.cloud
def test_every_message_handed_to_two_workers_at_once_has_one_effect(world: AwsWorld) -> None:
    send(world, [(f"p{n}@example.com", "") for n in range(4)])
    handle(world, world.inbox, process, copies=2)
    handle(world, world.routing, route, copies=2)
    at_once(world, *[tick] * 4)
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 4
