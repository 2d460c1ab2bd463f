"""Looks for two fields that say together what neither says alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from chalicelib.training.columns import Column, Floats, Ints
from chalicelib.training.curves import Curves, Part, sigmoid

MOST_CELLS = 6
"""Bins of either side of a pair."""

MOST_PAIRS = 8
LEAST_GAIN = 12.0
"""A pair must save so much deviance beyond what chance does."""


@dataclass(frozen=True)
class Pair:
    """Two columns, each in few bins.

    Attributes:
        groups: of each side, the bins of the column that make up each bin of the pair.
    """

    first: int
    second: int
    part: Part
    groups: tuple[tuple[frozenset[int], ...], tuple[frozenset[int], ...]]

    def coded(self, columns: Sequence[Column]) -> Ints:
        """Give the cell of each row of other leads."""
        one, other = (
            _places(columns[at].size, groups)[columns[at].codes]
            for at, groups in zip((self.first, self.second), self.groups, strict=True)
        )
        return np.asarray(one * len(self.groups[1]) + other)


def find_pairs(
    columns: Sequence[Column], parts: Sequence[Part], curves: Curves, won: Floats
) -> list[Pair]:
    """Find the pairs whose tables say most about what the curves leave over."""
    scores = curves.scores(parts)
    chance = sigmoid(scores)
    left, weight = won - chance, chance * (1 - chance)
    groups = [grouped(*one) for one in zip(columns, curves.values, curves.weights, strict=True)]
    small = [_places(c.size, g)[c.codes] for c, g in zip(columns, groups, strict=True)]
    found: list[tuple[float, int, int]] = []
    for i, j in combinations(range(len(columns)), 2):
        a, b = len(groups[i]), len(groups[j])
        if a < 2 or b < 2 or columns[i].field == columns[j].field:
            continue
        codes = small[i] * b + small[j]
        g = _table(codes, left, (a, b))
        h = _table(codes, weight, (a, b))
        gain = _alone(g, h) - (a - 1) * (b - 1)
        if gain > LEAST_GAIN:
            found.append((gain, i, j))
    found.sort(key=lambda one: (-one[0], one[1:]))
    made = []
    for _, i, j in found[:MOST_PAIRS]:
        wide = len(groups[j])
        orders = (columns[i].is_ordered, columns[j].is_ordered)
        part = Part(small[i] * wide + small[j], len(groups[i]) * wide, orders, wide)
        made.append(Pair(i, j, part, (groups[i], groups[j])))
    return made


def _table(codes: Ints, weights: Floats, shape: tuple[int, int]) -> Floats:
    flat = np.bincount(codes, weights=weights, minlength=shape[0] * shape[1])
    return np.asarray(flat.reshape(shape), dtype=np.float64)


def _alone(g: Floats, h: Floats) -> float:
    """Give what a table says beyond its margins: deviance saved after the margins are taken out."""
    left = g.copy()
    for _ in range(3):
        left = left - h * (left.sum(1) / np.maximum(h.sum(1), 1e-9))[:, None]
        left = left - h * (left.sum(0) / np.maximum(h.sum(0), 1e-9))[None, :]
    return float((left**2 / (h + 1.0)).sum())


def grouped(column: Column, values: Floats, weights: Floats) -> tuple[frozenset[int], ...]:
    """Put the bins of a column into few groups of neighbours, about as many leads in each."""
    bins = np.arange(column.size)
    if not column.is_ordered:
        bins = np.argsort(values, kind="stable")
    missing_apart = column.is_ordered and weights[0] > 0.02 * weights.sum()
    rest = [int(b) for b in bins if not (missing_apart and b == 0)]
    groups: list[set[int]] = [set()]
    whole, held = float(weights[rest].sum()), 0.0
    room = MOST_CELLS - missing_apart
    for b in rest:
        is_full = held + weights[b] / 2 >= whole / room * len(groups)
        if groups[-1] and is_full and len(groups) < room:
            groups.append(set())
        groups[-1].add(b)
        held += float(weights[b])
    if missing_apart:
        groups.insert(0, {0})
    return tuple(frozenset(group) for group in groups if group)


def _places(size: int, groups: Sequence[frozenset[int]]) -> Ints:
    places = np.zeros(size, dtype=np.int64)
    for place, group in enumerate(groups):
        places[list(group)] = place
    return places
