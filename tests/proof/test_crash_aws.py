"""A fault at every attempt of every AWS client, under the real storage classes, over moto."""

from collections.abc import Callable, Iterator

import pytest

from tests.aws.aws_world import AwsWorld, Twice
from tests.aws.engines import on_moto
from tests.faults import Fault
from tests.invariants import problems
from tests.proof.stories import PHONE
from tests.world import World, form, linkedin, linkedin_pages

Act = Callable[[World], None]


def new_lead(world: World) -> None:
    world.send("forms", form(1, "zoe@example.com", PHONE, seats="250"))


def fetched_lead(world: World) -> None:
    world.web.pages.update(linkedin_pages(1, "lin@example.com"))
    world.send("linkedin", linkedin(1))


STORIES: dict[str, Act] = {"a new lead": new_lead, "a fetched lead": fetched_lead}

KINDS = (
    (Fault.DOWN, 1),
    (Fault.DOWN, 2),
    (Fault.LOST, 1),
    (Fault.LOST, 2),
    (Fault.KILLED_BEFORE, 1),
    (Fault.KILLED_AFTER, 1),
)
"""A fault, and how many attempts in a row it befalls: the SDK makes two."""


@pytest.fixture(autouse=True)
def moto_running() -> Iterator[None]:
    from moto import mock_aws

    with mock_aws():
        yield


def play(act: Act, hook: Twice) -> list[str]:
    """Play a story in a fresh world until all is quiet; give what is wrong."""
    world = AwsWorld(on_moto())
    world.under(hook)
    act(world)
    world.settle()
    with world.cloud.unhooked():
        found = problems(world)
    if len(world.leads()) != 1:
        found.append(f"{len(world.leads())} leads")
    return found


@pytest.mark.parametrize("name", STORIES)
def test_a_fault_at_any_attempt_does_no_harm(name: str) -> None:
    """Each attempt suffers one of the faults; which one goes on from attempt to attempt."""
    seen = Twice()
    assert play(STORIES[name], seen) == []
    wrong = {}
    for at, call in enumerate(seen.calls, start=1):
        fault, times = KINDS[at % len(KINDS)]
        if found := play(STORIES[name], Twice(at, fault, times)):
            wrong[f"attempt {at}, {call}, {times} x {fault.value}"] = found
    assert wrong == {}


@pytest.mark.parametrize(("fault", "times"), KINDS)
def test_every_fault_at_every_write_does_no_harm(fault: Fault, times: int) -> None:
    seen = Twice()
    play(new_lead, seen)
    writes = [
        at
        for at, call in enumerate(seen.calls, start=1)
        if call.does in ("PutItem", "TransactWriteItems", "SendEmail")
    ]
    assert len(writes) > 4
    wrong = {at: found for at in writes if (found := play(new_lead, Twice(at, fault, times)))}
    assert wrong == {}
