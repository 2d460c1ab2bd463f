"""A fault at many calls of stories that are too long for every fault at every call."""

import pytest

from tests.faults import explore
from tests.proof.stories import LONG_STORIES
from tests.proof.test_crash import a_few, play


@pytest.mark.parametrize("name", LONG_STORIES)
def test_a_fault_at_any_call_of_a_long_story_does_no_harm(name: str) -> None:
    fired, wrong = explore(lambda hook: play(LONG_STORIES[name], hook), a_few)
    assert wrong == {}
    assert fired > 20
