"""A fault at many calls of stories that are too long for every fault at every call."""

from collections.abc import Iterator

import pytest

from tests.faults import Call, Fault, Point, every_point, explore
from tests.proof.stories import LONG_STORIES
from tests.proof.test_crash import play

MOST_POINTS = 150
"""Most calls of a story that a fault is tried at; of more, one in several."""


def a_few(calls: list[Call]) -> Iterator[Point]:
    """Choose calls, each with one fault in turn."""
    faults = list(Fault)
    apart = 1 + len(calls) // MOST_POINTS
    for point in every_point(calls):
        nth, rest = divmod(point.at, apart)
        if not rest and point.fault is faults[nth % len(faults)]:
            yield point


@pytest.mark.parametrize("name", LONG_STORIES)
def test_a_fault_at_any_call_of_a_long_story_does_no_harm(name: str) -> None:
    fired, wrong = explore(lambda hook: play(LONG_STORIES[name], hook), a_few)
    assert wrong == {}
    assert fired > 20
