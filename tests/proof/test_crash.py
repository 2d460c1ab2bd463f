"""A fault at every call of every flow, then delivery again: what was promised still holds."""

import logging
from collections import Counter
from collections.abc import Iterator

import pytest

from chalicelib.errors import Conflict
from tests.faults import Call, Counting, Fault, Hook, Point, every_point, explore, untouched
from tests.invariants import check, dumped, problems
from tests.proof.stories import LONG_STORIES, STORIES, Story
from tests.world import Weaken, World, strong


def play(story: Story, hook: Hook, weaken: Weaken = strong) -> list[str]:
    """Play a story in a fresh world under a hook until all is quiet; give what is wrong."""
    world = World(weaken=weaken)
    story.prepare(world)
    hub = world.worker(hook)
    story.act(world, hub)
    world.settle(hub)
    found = problems(world)
    if story.leads is not None and (count := len(world.leads())) != story.leads:
        found.append(f"{count} leads, expected {story.leads}")
    return found


MOST_POINTS = 100
"""Most calls of a story that a fault is tried at; of more, one in several."""


def a_few(calls: list[Call]) -> Iterator[Point]:
    """Choose calls, each with one fault in turn."""
    faults = list(Fault)
    apart = 1 + len(calls) // MOST_POINTS
    for point in every_point(calls):
        nth, rest = divmod(point.at, apart)
        if not rest and point.fault is faults[nth % len(faults)]:
            yield point


MOST_CALLS = 30
"""Stories with more calls get one fault at each, in turn; shorter ones every fault at each."""


def some(calls: list[Call]) -> Iterator[Point]:
    """Choose every fault at every call of a short story, and one at each call of a longer one."""
    yield from every_point(calls) if len(calls) <= MOST_CALLS else a_few(calls)


@pytest.mark.parametrize("name", STORIES)
def test_a_fault_at_any_call_does_no_harm(name: str) -> None:
    fired, wrong = explore(lambda hook: play(STORIES[name], hook), some)
    assert wrong == {}
    assert fired >= 10


def test_no_log_line_tells_of_a_person_or_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for story in STORIES.values():
        for at, fault in ((1, None), (7, Fault.DOWN), (12, Fault.LOST), (17, Fault.KILLED_AFTER)):
            assert play(story, Counting(at, fault)) == []
    lines = [f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records]
    assert lines
    assert check(dumped(World(), lines)) == []
    assert check(dumped(World(), [*lines, "zoe@example.com"])) != []


def repeat_writes(story: Story, is_forgetful: bool) -> dict[str, Counter[str]]:
    """Let the SDK make each write of a story twice; give how its effects ended where otherwise."""

    def ended(hook: Hook) -> Counter[str]:
        world = World()
        story.prepare(world)
        world.table.is_forgetful = is_forgetful
        hub = world.worker(hook)
        story.act(world, hub)
        world.settle(hub)
        return Counter(
            f"{effect.destination_id} {effect.state}" for effect in dumped(world).effects.values()
        )

    seen = Counting()
    expected = ended(seen)
    return {
        str(point): found
        for point in every_point(seen.calls)
        if point.fault is Fault.REPEATED and point.call.does == "write"
        if (found := ended(Counting(point.at, point.fault))) != expected
    }


def test_a_write_that_meets_itself_costs_nobody_their_notification() -> None:
    assert {name: repeat_writes(story, False) for name, story in STORIES.items()} == {
        name: {} for name in STORIES
    }


def test_it_would_cost_much_if_our_own_writes_were_not_known_again() -> None:
    with pytest.raises(Conflict):
        repeat_writes(next(iter(STORIES.values())), True)


def test_every_part_of_the_hub_is_called_in_some_story() -> None:
    seen: set[tuple[str, str]] = set()

    def note(call: Call, go: object) -> object:
        seen.add((call.on, call.does))
        return go()  # type: ignore[operator]

    for story in STORIES.values():
        play(story, note)
    assert {on for on, _ in seen} == {
        "table",
        "inbox",
        "routing",
        "outbox",
        "blobs",
        "secrets",
        "mail",
        "web",
    }


def test_stories_are_healthy_without_faults() -> None:
    stories = STORIES | LONG_STORIES
    assert {name: play(story, untouched) for name, story in stories.items()} == {
        name: [] for name in stories
    }
