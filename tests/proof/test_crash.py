"""A fault at every call of every flow, then delivery again: what was promised still holds."""

from collections.abc import Iterator

import pytest

from tests.faults import Call, Fault, Hook, Point, every_point, explore, untouched
from tests.invariants import problems
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


@pytest.mark.parametrize("name", STORIES)
def test_a_fault_at_any_call_does_no_harm(name: str) -> None:
    fired, wrong = explore(lambda hook: play(STORIES[name], hook))
    assert wrong == {}
    assert fired >= 10


def a_few(calls: list[Call]) -> Iterator[Point]:
    """Every call, each with one fault in turn."""
    faults = list(Fault)
    for point in every_point(calls):
        if point.fault is faults[point.at % len(faults)]:
            yield point


@pytest.mark.parametrize("name", LONG_STORIES)
def test_a_fault_at_any_call_of_a_long_story_does_no_harm(name: str) -> None:
    fired, wrong = explore(lambda hook: play(LONG_STORIES[name], hook), a_few)
    assert wrong == {}
    assert fired > 20


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
