"""Sets the points of phrases by what became of leads: a pure function, bounded and shrunk."""

from collections import Counter
from collections.abc import Iterable
from math import log2
from typing import NamedTuple

from chalicelib.config.model import Intent
from chalicelib.lead.intent.language import LANGUAGES
from chalicelib.lead.intent.lexicon import find, lexicon_of
from chalicelib.lead.intent.tokens import read_text
from chalicelib.lead.intent.understand import POINT_BITS
from chalicelib.lead.model import INTENTS

UNWANTED = frozenset({"spam", "vendor", "job_seeker"})
"""What a lead that came to nothing is likelier to be; the other intents are wanted."""
FEWEST_EACH = 20
"""With fewer good or bad outcomes than this nothing is learnt."""
FEWEST_MESSAGES = 5
"""A phrase that stood in fewer messages keeps its points."""
AS_GOOD_AS = 30
"""The shipped points count as much as so many messages."""
MOST_CHANGE = 3
LEAST_POINTS, MOST_POINTS = 1, 10


class Outcome(NamedTuple):
    """A message and whether its lead was worth the work."""

    message: str
    is_good: bool


def learn_points(outcomes: Iterable[Outcome], settings: Intent | None = None) -> dict[str, int]:
    """Give points for the phrases that the outcomes speak about, as the configuration takes them.

    A phrase of a wanted intent says more the more often it stood in messages of good leads, one of
    an unwanted intent the more often in those of bad ones. The shipped points stay where little is
    seen, never change by more than MOST_CHANGE, and never turn round.

    Args:
        outcomes: in any order; the same give the same points.
        settings: the admin's own; what they set by hand is not learnt over.

    Returns:
        By `intent:phrase`, only those that differ from the shipped ones.
    """
    fixed = settings.points if settings else {}
    seen = {True: Counter[str](), False: Counter[str]()}
    whole = {True: 0, False: 0}
    shipped: dict[str, int] = {}
    for outcome in outcomes:
        whole[outcome.is_good] += 1
        for name, points in _phrases(outcome.message).items():
            seen[outcome.is_good][name] += 1
            shipped[name] = points
    if min(whole.values()) < FEWEST_EACH:
        return {}
    learnt = {}
    for name in sorted(shipped.keys() - fixed.keys()):
        good, bad = seen[True][name], seen[False][name]
        if good + bad < FEWEST_MESSAGES or shipped[name] < LEAST_POINTS:
            continue
        bits = log2((good + 0.5) / (whole[True] + 1)) - log2((bad + 0.5) / (whole[False] + 1))
        said = (-bits if name.partition(":")[0] in UNWANTED else bits) / POINT_BITS
        points = _shrunk(shipped[name], said, good + bad)
        if points != shipped[name]:
            learnt[name] = points
    return learnt


def _shrunk(shipped: int, said: float, messages: int) -> int:
    """Mix shipped points with those that the outcomes say, by how much was seen of each."""
    mixed = (AS_GOOD_AS * shipped + messages * said) / (AS_GOOD_AS + messages)
    near = min(max(round(mixed), shipped - MOST_CHANGE), shipped + MOST_CHANGE)
    return min(max(near, LEAST_POINTS), MOST_POINTS)


def _phrases(message: str) -> dict[str, int]:
    """Give the phrases of intents that a message holds and means, with their shipped points."""
    tokens = read_text(message).tokens
    return {
        f"{hit.term.label}:{hit.term.name}": hit.term.points
        for language in LANGUAGES
        for hit in find(tokens, lexicon_of(language))
        if hit.term.label in INTENTS and not hit.is_negated
    }
