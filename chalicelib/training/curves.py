"""Fits a sum of curves, one for each column, each as smooth as the leads themselves call for.

A curve is a random effect: its bins are drawn towards their neighbours, or levels towards none, by
a strength that is found together with the curves (S. Wood and M. Fasiolo, A generalized
Fellner-Schall method for smoothing parameter optimization, Biometrics 73, 2017). A column that says
nothing is drawn to nothing, and few leads move little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from chalicelib.training.columns import Floats, Ints

ROUNDS = 30
ENOUGH = 2e-3
"""Rounds end when the log odds of leads change by less on average."""

FLAT = 0.02
"""How much each bin is drawn to nothing beside being drawn to its neighbours."""

LEAST, MOST = 0.02, 1e5
"""Between which the strength stays."""


@dataclass(frozen=True)
class Part:
    """One summand: a column, or two columns as one.

    Attributes:
        codes: cell of each row.
        size: how many cells.
        wide: how many bins the second column has, if there are two; else 0.
        orders: whether the bins have an order, of one or of both.
    """

    codes: Ints
    size: int
    orders: tuple[bool, ...] = (True,)
    wide: int = 0

    def penalty(self) -> Floats:
        """Give what draws bins together; bin 0, where nothing is known, has no neighbour."""
        if self.wide:
            first, second = (_chain(n, order) for n, order in zip(
                (self.size // self.wide, self.wide), self.orders, strict=True))  # fmt: skip
            mixed = np.kron(first, np.eye(self.wide)) + np.kron(np.eye(len(first)), second)
            return np.asarray(mixed / 2)
        return _chain(self.size, self.orders[0])


def _chain(size: int, is_ordered: bool) -> Floats:
    if not is_ordered or size < 4:
        return np.eye(size)
    d = np.diff(np.eye(size - 1), axis=0)
    drawn = np.zeros((size, size))
    drawn[1:, 1:] = d.T @ d
    return np.asarray(drawn + np.eye(size) * FLAT)


def sigmoid(x: Floats) -> Floats:
    """Give chances of log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))))


def loss(won: Floats, scores: Floats) -> float:
    """Give the mean logarithmic loss."""
    return float(np.mean(np.logaddexp(0, scores) - won * scores))


@dataclass(frozen=True)
class Curves:
    """What was found: a base, and the value of every cell of every part.

    Attributes:
        freedom: how much of each part was used; near 0 for one that says nothing.
        weights: of each cell, what a change of it weighs.
    """

    base: float
    values: tuple[Floats, ...]
    freedom: tuple[float, ...]
    weights: tuple[Floats, ...]

    def scores(self, parts: Sequence[Part]) -> Floats:
        """Add up for each row."""
        total = np.full(len(parts[0].codes) if parts else 0, self.base)
        for part, values in zip(parts, self.values, strict=True):
            total += values[part.codes]
        return total


def fit_curves(parts: Sequence[Part], won: Floats, rounds: int = ROUNDS) -> Curves:
    """Fit all parts and their strengths together."""
    starts = np.cumsum([1, *(part.size for part in parts)])
    size = int(starts[-1])
    places = [slice(int(a), int(b)) for a, b in pairwise(starts)]
    penalties = [part.penalty() for part in parts]
    strengths = [30.0] * len(parts)
    share = (won.sum() + 0.5) / (len(won) + 1)
    found = np.zeros(size)
    found[0] = np.log(share / (1 - share))
    scores = np.full(len(won), found[0])
    freedom = [0.0] * len(parts)
    hessian = np.zeros((size, size))
    for turn in range(rounds):
        chance = sigmoid(scores)
        weight = np.maximum(chance * (1 - chance), 1e-6)
        hessian = _crossed(parts, places, weight, size)
        target = weight * scores + (won - chance)
        right = np.concatenate(
            [[target.sum()]]
            + [np.bincount(part.codes, weights=target, minlength=part.size) for part in parts]
        )
        drawn = hessian.copy()
        for place, penalty, strength in zip(places, penalties, strengths, strict=True):
            drawn[place, place] += penalty * strength
        drawn[np.diag_indices(size)] += 1e-8
        inverse = np.linalg.inv(drawn)
        before = scores
        found, scores = _held(parts, places, penalties, strengths, won, found, inverse @ right)
        for j, (place, penalty) in enumerate(zip(places, penalties, strict=True)):
            used = strengths[j] * float((inverse[place, place] * penalty).sum())
            freedom[j] = max(len(penalty) - used, 1e-6)
            bent = float(found[place] @ penalty @ found[place])
            strengths[j] = min(max(freedom[j] / max(bent, 1e-12), LEAST), MOST)
        if turn > 3 and float(np.mean(np.abs(scores - before))) < ENOUGH:
            break
    weights = tuple(hessian[place, place].diagonal().copy() for place in places)
    values = []
    base = float(found[0])
    for place, weighed in zip(places, weights, strict=True):
        middle = float((found[place] * weighed).sum() / max(weighed.sum(), 1e-12))
        values.append(found[place] - middle)
        base += middle
    return Curves(base, tuple(values), tuple(freedom), weights)


def _held(
    parts: Sequence[Part],
    places: Sequence[slice],
    penalties: Sequence[Floats],
    strengths: Sequence[float],
    won: Floats,
    before: Floats,
    after: Floats,
) -> tuple[Floats, Floats]:
    """Take a step, or a part of it where the whole would make things worse."""

    def cost(found: Floats, scores: Floats) -> float:
        bent = sum(
            strength * float(found[place] @ penalty @ found[place])
            for place, penalty, strength in zip(places, penalties, strengths, strict=True)
        )
        return loss(won, scores) * len(won) + bent / 2

    old, new = _scores(parts, places, before), _scores(parts, places, after)
    worst = cost(before, old)
    share = 1.0
    for _ in range(6):
        found, scores = before + share * (after - before), old + share * (new - old)
        if cost(found, scores) <= worst:
            break
        share /= 2
    return found, scores


def _crossed(parts: Sequence[Part], places: Sequence[slice], weight: Floats, size: int) -> Floats:
    """Weigh how often each two cells come together."""
    crossed = np.zeros((size, size))
    crossed[0, 0] = weight.sum()
    for i, one in enumerate(parts):
        alone = np.bincount(one.codes, weights=weight, minlength=one.size)
        crossed[0, places[i]] = crossed[places[i], 0] = alone
        crossed[places[i], places[i]] = np.diag(alone)
        for j in range(i):
            both = np.bincount(
                one.codes * parts[j].size + parts[j].codes,
                weights=weight,
                minlength=one.size * parts[j].size,
            ).reshape(one.size, parts[j].size)
            crossed[places[i], places[j]] = both
            crossed[places[j], places[i]] = both.T
    return crossed


def _scores(parts: Sequence[Part], places: Sequence[slice], found: Floats) -> Floats:
    scores = np.full(len(parts[0].codes) if parts else 0, found[0])
    for part, place in zip(parts, places, strict=True):
        scores += found[place][part.codes]
    return scores
