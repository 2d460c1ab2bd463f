"""Says by a card how likely a lead is to be won, and why."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import exp, log
from typing import NamedTuple

from chalicelib.lead.predict.card import STEP, Card, Split, Term, Test, Tree
from chalicelib.lead.predict.values import (
    Part,
    Values,
    level_of,
    number_of,
    part_of,
    words_of,
)

LEAST, MOST = 0.001, 0.999
"""Nothing is ever held to be impossible or certain."""

LEAST_KNOWN = 0.2
"""With a smaller part of its fields known a lead is one that nothing can be said of."""


class Prediction(NamedTuple):
    """What a card says of a lead.

    Attributes:
        chance: of being won, 0 to 1.
        points: all that add up; the base is among them.
        terms: those that are true of the lead, largest first.
        beside: what trees add, in points, by the field whose question made the difference.
        knows: False where the card abstains; the chance is then the rules' or everybody's.
    """

    chance: float
    points: int
    terms: tuple[Term, ...]
    beside: Mapping[str, float]
    knows: bool


class Reader:
    """Reads the fields of one lead, each once."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._numbers: dict[str, float | None] = {}
        self._levels: dict[tuple[str, Part], str | None] = {}

    def meets(self, tests: Sequence[Test]) -> bool:
        """Say whether all tests are true."""
        return all(self.is_true(test) for test in tests)

    def is_true(self, test: Test) -> bool:
        """Answer a test for what stands in its field."""
        at_least, below = test.at_least, test.below
        if at_least is not None or below is not None:
            number = self._number(test.field)
            if number is None:
                return test.missing
            return (at_least is None or number >= at_least) and (below is None or number < below)
        if test.part == "word":
            return not words_of(self._values.get(test.field)).isdisjoint(test.any_of)
        level = self._level(test.field, test.part)
        if level is None:
            return test.missing
        if test.known:
            return True
        return level not in test.none_of if test.none_of else level in test.any_of

    def _number(self, field: str) -> float | None:
        if field not in self._numbers:
            self._numbers[field] = number_of(self._values.get(field))
        return self._numbers[field]

    def _level(self, field: str, part: Part) -> str | None:
        if (field, part) not in self._levels:
            self._levels[field, part] = part_of(self._values.get(field), part)
        return self._levels[field, part]


def predict(card: Card, values: Values, prior: float | None = None) -> Prediction:
    """Add up the points of a lead and say what they come to.

    Args:
        card: by which.
        values: field -> what is known.
        prior: the chance that the admin's rules give it; what the card is not trusted for is
            theirs. None: everybody's chance.
    """
    used = card
    if card.elsewhere is not None and is_outside(card.ranges, values):
        used = card.elsewhere
    reader = Reader(values)
    met = [term for term in used.terms if reader.meets(term.tests)]
    points = used.base + sum(term.points for term in met)
    beside: dict[str, float] = {}
    for tree in used.trees:
        follow(tree, reader, beside)
    chance = chance_of(used, points + sum(beside.values()))
    knows = card.trust > 0 and knows_enough(card.fields, values)
    if not knows:
        chance = (card.won + 0.5) / (card.leads + 1) if prior is None else prior
    elif prior is not None:
        chance = sigmoid(card.trust * logit(chance) + (1 - card.trust) * logit(prior))
    met.sort(key=lambda term: -abs(term.points))
    return Prediction(chance, points, tuple(met), beside, knows)


def follow(tree: Tree, reader: Reader, beside: dict[str, float]) -> None:
    """Go down a tree and put down, in points, what each answer changed, by its field."""
    node = tree
    beside[""] = beside.get("", 0.0) + node.value / STEP
    while isinstance(node, Split):
        field = node.test.field
        after = node.yes if reader.is_true(node.test) else node.no
        beside[field] = beside.get(field, 0.0) + (after.value - node.value) / STEP
        node = after


def is_outside(ranges: Mapping[str, tuple[float, float]], values: Values) -> bool:
    """Say whether a field that tells the time says one that was never learnt from."""
    for field, (low, high) in ranges.items():
        number = number_of(values.get(field))
        if number is not None and not low <= number <= high:
            return True
    return False


def knows_enough(fields: Sequence[str], values: Values) -> bool:
    """Say whether so much is known of a lead that a card may speak."""
    known = sum(level_of(values.get(field)) is not None for field in fields)
    return known > 0 and known >= LEAST_KNOWN * len(fields)


def chance_of(card: Card, points: float) -> float:
    """Give the chance that so many points come to."""
    curve = card.curve
    if not curve:
        return _within(sigmoid(points * STEP))
    place = bisect_right(curve, (points, 2.0))
    if place == 0 or place == len(curve):
        # Beyond what was seen the odds go on as points do, from the last chance known.
        at, chance = curve[0] if place == 0 else curve[-1]
        return _within(sigmoid(logit(chance) + (points - at) * STEP))
    (x0, p0), (x1, p1) = curve[place - 1], curve[place]
    share = (points - x0) / (x1 - x0)
    return _within(sigmoid(logit(p0) + share * (logit(p1) - logit(p0))))


def sigmoid(x: float) -> float:
    """Give the chance of log odds."""
    if x >= 0:
        return 1 / (1 + exp(-x))
    grown = exp(x)
    return grown / (1 + grown)


def logit(chance: float) -> float:
    """Give the log odds of a chance."""
    held = min(max(chance, 1e-6), 1 - 1e-6)
    return log(held / (1 - held))


def _within(chance: float) -> float:
    return min(max(chance, LEAST), MOST)
