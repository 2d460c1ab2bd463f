"""Turns curves into few steps, and drops those that say least, until a person can read them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from chalicelib.training.columns import Column, Floats, Ints
from chalicelib.training.curves import Curves, loss, sigmoid
from chalicelib.training.pairs import Pair

MOST_STEPS = 9
"""Of one column, to begin with."""

MOST_LEAVES = 6
"""Of one pair, to begin with."""

RIDGE = 0.3
"""Draws each step to nothing; as a term of one standard deviation of 1.8 would be."""

LEAST_WORTH, WORTH = 0.5, 4.0
"""A term must save so much deviance: little where there are few leads, for there all say little."""

MANY = 400
"""From so many leads of the rarer outcome on, a term must be worth its place in full."""


def worth_of(few: int) -> float:
    """Say how much deviance a term must save, by how many leads have the rarer outcome."""
    return min(max(WORTH * few / MANY, LEAST_WORTH), WORTH)


@dataclass
class Steps:
    """One summand in few steps.

    Attributes:
        at: column, or pair after all columns.
        place: step of each bin, or of each cell.
        count: how many steps.
        dropped: steps without points.
    """

    at: int
    place: Ints
    count: int
    is_pair: bool = False
    dropped: set[int] = field(default_factory=set)


@dataclass
class Sparse:
    """Few steps and what each adds to the log odds."""

    base: float
    steps: list[Steps]
    values: list[Floats]

    def scores(self, codes: Sequence[Ints]) -> Floats:
        """Add up for each row; codes are those of all columns, then of all pairs."""
        total = np.full(len(codes[0]), self.base)
        for steps, values in zip(self.steps, self.values, strict=True):
            total += values[steps.place[codes[steps.at]]]
        return total

    @property
    def terms(self) -> int:
        """Count what has points of its own."""
        return sum(len(np.unique(v[v != 0])) if s.is_pair else len(np.unique(v)) - 1
                   for s, v in zip(self.steps, self.values, strict=True))  # fmt: skip


def stepped(
    columns: Sequence[Column], pairs: Sequence[Pair], curves: Curves, worth: float
) -> list[Steps]:
    """Cut every curve into steps that follow it closely."""
    made = []
    for at, column in enumerate(columns):
        values, weights = curves.values[at], curves.weights[at]
        if curves.freedom[at] < 0.05 or float((weights * values**2).sum()) < 1.0:
            continue
        order = np.arange(column.size) if column.is_ordered else np.argsort(values, kind="stable")
        if not column.is_ordered or _missing_apart(values, weights):
            order = order[weights[order] > 0] if not column.is_ordered else order
        cuts = _cut(values[order], weights[order], MOST_STEPS, worth)
        place = np.zeros(column.size, dtype=np.int64)
        for n, b in enumerate(order):
            place[b] = sum(n >= cut for cut in cuts)
        _settle_empty(column, place, weights, values)
        made.append(_renumbered(at, place))
    for n, pair in enumerate(pairs):
        at = len(columns) + n
        if curves.freedom[at] < 0.3:
            continue
        place = _leaves(pair, curves.values[at], curves.weights[at], worth)
        made.append(_renumbered(at, place, is_pair=True))
    return [one for one in made if one.count > 1]


def _missing_apart(values: Floats, weights: Floats) -> bool:
    return bool(weights[0] > 0 and len(values) > 1)


def _settle_empty(column: Column, place: Ints, weights: Floats, values: Floats) -> None:
    """Put bins that nobody was in where they belong: with those nearest to nothing special."""
    empty = [b for b in range(column.size) if weights[b] <= 0]
    if not empty:
        return
    filled = [b for b in range(column.size) if weights[b] > 0]
    middle = min(filled, key=lambda b: (abs(values[b]), b))
    for b in empty:
        if column.is_ordered and b:
            near = min((f for f in filled if f), key=lambda f: abs(f - b), default=middle)
            place[b] = place[near]
        else:
            place[b] = place[middle]


def _renumbered(at: int, place: Ints, *, is_pair: bool = False) -> Steps:
    found, again = np.unique(place, return_inverse=True)
    return Steps(at, again.astype(np.int64), len(found), is_pair)


def _cut(values: Floats, weights: Floats, most: int, worth: float) -> list[int]:
    """Cut a row of values so that they differ least inside the parts, in at most so many parts."""
    n = len(values)
    w = np.concatenate([[0], np.cumsum(weights)])
    s = np.concatenate([[0], np.cumsum(weights * values)])
    q = np.concatenate([[0], np.cumsum(weights * values**2)])

    def inside(a: Ints, b: int) -> Floats:
        return np.asarray(q[b] - q[a] - (s[b] - s[a]) ** 2 / np.maximum(w[b] - w[a], 1e-12))

    least = np.full((most + 1, n + 1), np.inf)
    came = np.zeros((most + 1, n + 1), dtype=np.int64)
    least[0, 0] = 0
    for k in range(1, most + 1):
        for b in range(1, n + 1):
            a = np.arange(b)
            costs = least[k - 1, :b] + inside(a, b)
            came[k, b] = int(np.argmin(costs))
            least[k, b] = costs[came[k, b]]
    parts = min(range(1, min(most, n) + 1), key=lambda k: least[k, n] + worth / 8 * k)
    cuts, b = [], n
    for k in range(parts, 0, -1):
        b = int(came[k, b])
        if b:
            cuts.append(b)
    return sorted(cuts)


def _leaves(pair: Pair, values: Floats, weights: Floats, worth: float) -> Ints:
    """Cut a table by straight lines into few rectangles."""
    wide = pair.part.wide
    v, w = values.reshape(-1, wide), weights.reshape(-1, wide)
    place = np.zeros(v.shape, dtype=np.int64)
    orders = [
        np.arange(n) if order else np.argsort((v * w).sum(axis) / np.maximum(w.sum(axis), 1e-12))
        for n, order, axis in zip(v.shape, pair.part.orders, (1, 0), strict=True)
    ]
    leaves = [(orders[0], orders[1])]
    while len(leaves) < MOST_LEAVES:
        best = max(
            (
                (_saved_after(v, w, leaf, side, cut), n, side, cut)
                for n, leaf in enumerate(leaves)
                for side in (0, 1)
                for cut in range(1, len(leaf[side]))
            ),
            default=(0.0, 0, 0, 0),
        )
        if best[0] < worth / 4:
            break
        _, n, side, cut = best
        leaf = leaves.pop(n)
        for half in (leaf[side][:cut], leaf[side][cut:]):
            leaves.append((half, leaf[1]) if side == 0 else (leaf[0], half))
    for n, (rows, across) in enumerate(leaves):
        place[np.ix_(rows, across)] = n
    return place.reshape(-1)


def _saved_after(v: Floats, w: Floats, leaf: tuple[Ints, Ints], side: int, cut: int) -> float:
    """Give what a cut saves, with the best cut of either half after it.

    Where two fields say something only together, the first cut alone saves nothing.
    """
    saved = _saved(v, w, leaf, side, cut)
    for half in (leaf[side][:cut], leaf[side][cut:]):
        after = (half, leaf[1]) if side == 0 else (leaf[0], half)
        saved += 0.5 * max(
            (_saved(v, w, after, s, c) for s in (0, 1) for c in range(1, len(after[s]))),
            default=0.0,
        )
    return saved


def _saved(v: Floats, w: Floats, leaf: tuple[Ints, Ints], side: int, cut: int) -> float:
    V, W = v[np.ix_(*leaf)], w[np.ix_(*leaf)]  # noqa: N806
    if side:
        V, W = V.T, W.T  # noqa: N806
    a, b = W[:cut].sum(), W[cut:].sum()
    if a <= 0 or b <= 0:
        return 0.0
    mean_a = (V[:cut] * W[:cut]).sum() / a
    mean_b = (V[cut:] * W[cut:]).sum() / b
    return float((mean_a - mean_b) ** 2 * a * b / (a + b))


def thinned(
    columns: Sequence[Column],
    all_steps: list[Steps],
    codes: Sequence[Ints],
    won: Floats,
    most: int,
    worth: float,
) -> Sparse:
    """Join steps or drop them, the one that says least first, until few enough are left.

    Args:
        columns: those of the steps.
        all_steps: as cut.
        codes: of all columns, then of all pairs.
        won: outcomes.
        most: terms.
        worth: see worth_of.
    """
    steps = [Steps(s.at, s.place.copy(), s.count, s.is_pair) for s in all_steps]
    for _ in range(3):
        sparse, covariance = refit(steps, codes, won)
        count = sparse.terms
        last = _join(columns, steps, sparse, covariance, most, worth, max((count - most) // 2, 8))
        if last:
            break
    steps = [s for s in steps if s.count > 1 or s.is_pair]
    while True:
        sparse, covariance = refit(steps, codes, won)
        if _join(columns, steps, sparse, covariance, most, worth, 6):
            return refit(steps, codes, won)[0]


def refit(steps: Sequence[Steps], codes: Sequence[Ints], won: Floats) -> tuple[Sparse, Floats]:
    """Fit the values of all steps, drawn a little to nothing.

    Returns:
        What was found and how sure it is: the covariance of base and all steps, in order.
    """
    sizes = [s.count for s in steps]
    starts = np.cumsum([1, *sizes])
    size = int(starts[-1])
    cells = [s.place[codes[s.at]] for s in steps]
    dropped = [int(starts[n]) + d for n, s in enumerate(steps) for d in s.dropped]
    share = (won.sum() + 0.5) / (len(won) + 1)
    found = np.zeros(size)
    found[0] = np.log(share / (1 - share))
    drawn = np.full(size, RIDGE)
    drawn[0] = 1e-9
    drawn[dropped] = 1e9
    inverse: Floats = np.eye(size)

    def scored(at: Floats) -> Floats:
        total: Floats = np.full(len(won), at[0])
        for n, cell in enumerate(cells):
            total = total + at[starts[n] : starts[n + 1]][cell]
        return total

    scores = scored(found)
    cost = loss(won, scores) * len(won) + float((drawn * found**2).sum()) / 2
    for _ in range(12):
        chance = sigmoid(scores)
        weight = np.maximum(chance * (1 - chance), 1e-7)
        hessian = _hessian(cells, sizes, starts, weight)
        slope = np.concatenate(
            [[(won - chance).sum()]]
            + [
                np.bincount(cell, weights=won - chance, minlength=n)
                for cell, n in zip(cells, sizes, strict=True)
            ]
        )
        inverse = np.asarray(np.linalg.inv(hessian + np.diag(drawn)), dtype=np.float64)
        move = inverse @ (slope - drawn * found)
        before, part = cost, 1.0
        for _ in range(8):
            trial = found + part * move
            scores = scored(trial)
            cost = loss(won, scores) * len(won) + float((drawn * trial**2).sum()) / 2
            if cost <= before + 1e-9:
                break
            part /= 2
        found = trial
        if before - cost < 1e-3:
            break
    values = []
    for n, s in enumerate(steps):
        each = found[starts[n] : starts[n + 1]].copy()
        each[list(s.dropped)] = 0.0
        values.append(each)
    return Sparse(float(found[0]), list(steps), values), np.asarray(inverse)


def _hessian(cells: Sequence[Ints], sizes: Sequence[int], starts: Ints, weight: Floats) -> Floats:
    size = int(starts[-1])
    hessian = np.zeros((size, size))
    hessian[0, 0] = weight.sum()
    for i, one in enumerate(cells):
        a = slice(int(starts[i]), int(starts[i + 1]))
        alone = np.bincount(one, weights=weight, minlength=sizes[i])
        hessian[0, a] = hessian[a, 0] = alone
        hessian[a, a] = np.diag(alone)
        for j in range(i):
            b = slice(int(starts[j]), int(starts[j + 1]))
            both = np.bincount(
                one * sizes[j] + cells[j], weights=weight, minlength=sizes[i] * sizes[j]
            ).reshape(sizes[i], sizes[j])
            hessian[a, b], hessian[b, a] = both, both.T
    return hessian


def _join(
    columns: Sequence[Column],
    steps: list[Steps],
    sparse: Sparse,
    covariance: Floats,
    most: int,
    worth: float,
    at_once: int,
) -> bool:
    """Join or drop up to so many steps, going by what is known now.

    Returns:
        Whether what is left is few enough and each worth its place.
    """
    starts = np.cumsum([1, *(s.count for s in steps)])
    found = np.concatenate([[sparse.base], *sparse.values]) if steps else np.array([sparse.base])
    left = sparse.terms
    groups = [[{k} for k in range(s.count)] for s in steps]
    for _ in range(at_once):
        best: tuple[float, int, int, int] | None = None
        for n, s in enumerate(steps):
            for a, b in _neighbours(columns, s, groups[n], found, int(starts[n])):
                i = int(starts[n]) + min(groups[n][a])
                if b < 0:
                    moved, sure = found[i], covariance[i, i]
                else:
                    j = int(starts[n]) + min(groups[n][b])
                    moved = found[i] - found[j]
                    sure = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
                said = moved**2 / max(sure, 1e-12)
                if best is None or said < best[0]:
                    best = (said, n, a, b)
        if best is None or (left <= most and best[0] > worth):
            _apply(steps, groups)
            return True
        _, n, a, b = best
        along = np.zeros(len(found))
        along[int(starts[n]) + min(groups[n][a])] = 1
        if b >= 0:
            along[int(starts[n]) + min(groups[n][b])] = -1
        turned = covariance @ along
        scale = float(along @ turned)
        if scale > 1e-12:
            found = found - turned * (float(along @ found) / scale)
            covariance = covariance - np.outer(turned, turned) / scale
        if b < 0:
            steps[n].dropped |= groups[n][a]
            groups[n][a] = groups[n][a] | {-1}
        else:
            groups[n][min(a, b)] |= groups[n][max(a, b)]
            groups[n].pop(max(a, b))
        left -= 1
    _apply(steps, groups)
    return False


def _neighbours(
    columns: Sequence[Column], s: Steps, groups: list[set[int]], found: Floats, start: int
) -> list[tuple[int, int]]:
    """Name the groups of steps that may be joined; -1 is nothing, for a pair's leaf."""
    if s.is_pair:
        return [(g, -1) for g, group in enumerate(groups)
                if -1 not in group and not group & s.dropped]  # fmt: skip
    if columns[s.at].is_ordered:
        lowest = [_lowest(s, group) for group in groups]
        order = sorted(range(len(groups)), key=lambda g: lowest[g])
        alone = order.pop(0) if lowest[order[0]] == 0 else None
        chain = list(pairwise(order))
        # Where nothing is known may be like any of the others.
        return chain if alone is None else [*chain, *((alone, g) for g in order)]
    order = sorted(range(len(groups)), key=lambda g: found[start + min(groups[g])])
    return list(pairwise(order))


def _lowest(s: Steps, group: set[int]) -> int:
    """Give the lowest bin of steps that stands for a number; 0 if there is none."""
    bins = np.flatnonzero(np.isin(s.place, list(group)))
    return int(bins[bins > 0].min()) if np.any(bins > 0) else 0


def _apply(steps: list[Steps], groups: list[list[set[int]]]) -> None:
    """Number the steps anew after some were joined."""
    for s, each in zip(steps, groups, strict=True):
        if s.is_pair:
            continue
        again = np.zeros(s.count, dtype=np.int64)
        for n, group in enumerate(each):
            again[list(group)] = n
        s.place = again[s.place]
        s.count = len(each)
