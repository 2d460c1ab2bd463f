"""Trains a card on leads whose outcome is known."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from chalicelib.lead.predict.card import MOST_TERMS, STEP, Card, Refused, Term, Test
from chalicelib.lead.predict.values import Value
from chalicelib.training.columns import Bools, Column, Floats, Ints, read_table
from chalicelib.training.curves import Part, fit_curves, loss, sigmoid
from chalicelib.training.leaks import find_leaks
from chalicelib.training.pairs import Pair, find_pairs
from chalicelib.training.sparse import Sparse, Steps, stepped, thinned, worth_of
from chalicelib.training.trees import MOST_TREES, Grown, grow_trees, told, tree_scores

LEAST_OUTCOMES = 5
"""With fewer leads of either outcome nothing is learnt."""

THIN = 20
"""With so many leads of the rarer outcome a card is trusted as much as the rules."""

PAIRS_FROM = 150
TREES_FROM = 800
"""So many leads of the rarer outcome are needed to look for pairs, or to grow trees."""

MOST_ELSEWHERE = 16
"""Terms of the card for times that were never learnt from; those of both are counted."""

FEW, MANY = 4000, 15000
"""With fewer leads each is held back once, a fifth or a quarter at a time, else one quarter is."""

PARTS = (0.0, 0.3, 0.5, 0.75)
"""Which part of the log odds trees may have; the card has the rest."""

SURELY = 2.0
"""By so many standard errors they must be better, where they are tried."""

BETTER = 0.015
"""So much smaller the loss must be with trees, as a part of what the card saves."""

FIRM, CAUTION = 25.0, 4.0
"""Leads that hold the slope at 1, and outcomes that hold it at nothing."""

CURVE = 12
ANCHOR = 60
"""Leads that the card's own chance counts for, where it is held against what came."""


@dataclass(frozen=True)
class Fitted:
    """Few steps over columns and pairs, and trees beside them."""

    columns: tuple[Column, ...]
    pairs: tuple[Pair, ...]
    sparse: Sparse
    trees: tuple[Grown, ...] = ()
    part: float = 0.0
    start: float = 0.0

    def scores(self, columns: Sequence[Column]) -> Floats:
        """Give the log odds of other leads, read into the same columns."""
        codes = coded(columns, self.pairs)
        found = self.sparse.scores(codes)
        if not self.trees:
            return found
        return _mixed(found, self.start + tree_scores(self.trees, codes), self.part)


def train(
    rows: Sequence[Mapping[str, Value]],
    outcomes: Sequence[int],
    *,
    keep: Collection[str] = (),
    leave_out: Mapping[str, str] | None = None,
    seed: int = 0,
    trained_at: datetime | None = None,
    tell: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> Card:
    """Train a card.

    Args:
        rows: field -> what was known of each lead before its outcome, in order of time if known.
        outcomes: 1 for each that was won, else 0.
        keep: fields to look at even if they seem to leak.
        leave_out: fields not to look at -> why.
        seed: of what is held back.
        trained_at: written on the card.
        tell: is told what is being done, and how far it is.
    """
    won = np.array(outcomes, dtype=np.int64)
    few = int(min(won.sum(), len(won) - won.sum())) if len(won) else 0
    known = {"leads": len(won), "won": int(won.sum()), "trained_at": trained_at}
    if few < LEAST_OUTCOMES:
        return Card(terms=(), base=0, trust=0, **known)
    tell("Reading fields", 0, 5)
    left_out = dict(leave_out or {})
    table = read_table(
        [{k: v for k, v in row.items() if k not in left_out} for row in rows] if left_out else rows,
        won,
    )
    refused = [*table.refused, *(Refused(field=f, reason=r) for f, r in left_out.items())]
    tell("Looking for leaks", 1, 5)
    leaks = [one for one in find_leaks(table.columns, won, seed) if one.field not in keep]
    refused += leaks
    out = {one.field for one in leaks}
    columns = [column for column in table.columns if column.field not in out]
    fields = tuple(field for field in table.fields if field not in out)
    clocks = clocks_of(columns)
    tell("Fitting", 2, 5)
    most = MOST_TERMS - MOST_ELSEWHERE if clocks else MOST_TERMS
    shown = {"fields": fields, "refused": tuple(refused), "trust": few / (few + THIN), **known}
    card = _card(columns, won, most, seed, with_trees=True, tell=tell).model_copy(update=shown)
    if not clocks:
        return card
    tell("Fitting for other times", 4, 5)
    timeless = [column for column in columns if column.field not in {c.field for c in clocks}]
    elsewhere = _card(timeless, won, MOST_ELSEWHERE, seed, with_trees=False)
    left = tuple(f for f in fields if f not in {c.field for c in clocks})
    return card.model_copy(
        update={
            "ranges": {c.field: (c.low, c.high) for c in clocks},
            "elsewhere": elsewhere.model_copy(update={**shown, "fields": left, "refused": ()}),
        }
    )


def clocks_of(columns: Sequence[Column]) -> list[Column]:
    """Find the numbers that tell the time: many leads in a row have the same, and it moves on.

    Rows in no order of time have none, for there neighbours differ.
    """
    found = []
    for column in columns:
        n = len(column.codes)
        if not column.is_ordered or n < 400 or column.size < 4:
            continue
        share = np.bincount(column.codes, minlength=column.size) / n
        expected = (1 - float((share**2).sum())) * (n - 1)
        changes = int((np.diff(column.codes) != 0).sum())
        if changes < 0.12 * expected:
            found.append(column)
    return found


def coded(columns: Sequence[Column], pairs: Sequence[Pair]) -> list[Ints]:
    """Give the bins of columns, of which there is one at least, and the cells of pairs."""
    return [*(c.codes for c in columns), *(p.coded(columns) for p in pairs)]


def fit(columns: Sequence[Column], won: Ints, most: int) -> Fitted:
    """Fit steps to leads, with pairs of columns where there are leads enough to tell."""
    y = won.astype(float)
    parts = [Part(c.codes, c.size, (c.is_ordered,)) for c in columns]
    curves = fit_curves(parts, y)
    pairs: list[Pair] = []
    few = int(min(won.sum(), len(won) - won.sum()))
    if few >= PAIRS_FROM:
        pairs = find_pairs(columns, parts, curves, y)
        if pairs:
            curves = fit_curves([*parts, *(pair.part for pair in pairs)], y)
    codes = coded(columns, pairs)
    worth = worth_of(few)
    steps = stepped(columns, pairs, curves, worth)
    return Fitted(tuple(columns), tuple(pairs), thinned(columns, steps, codes, y, most, worth))


def _card(
    columns: Sequence[Column],
    won: Ints,
    most: int,
    seed: int,
    *,
    with_trees: bool,
    tell: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> Card:
    """Fit, see on leads held back how sure it may be, and write the card.

    Args:
        columns: what may be looked at.
        won: outcomes.
        most: terms.
        seed: of what is held back.
        with_trees: where they are clearly better.
        tell: see train.
    """
    y = won.astype(float)
    if not columns:
        share = float(y.mean())
        return Card(terms=(), base=round(_null(y) / STEP), curve=((_null(y) / STEP, share),))
    few = min(won.sum(), len(won) - won.sum())
    splits = _splits(won, seed)
    places = np.concatenate([np.flatnonzero(held) for held in splits])
    came = y[places]
    found, beside, counts = [], [], []
    for held in splits:
        inside = [_some(c, ~held) for c in columns]
        outside = [_some(c, held) for c in columns]
        found.append(fit(inside, won[~held], most).scores(outside))
        if with_trees and few >= TREES_FROM:
            start = np.full(len(won), _null(y[~held]))
            grown, _, _ = grow_trees(columns, y, start, held, MOST_TREES)
            codes = [c.codes for c in outside]
            beside.append(start[held] + (tree_scores(grown, codes) if grown else 0.0))
            counts.append(len(grown))
    scores = np.concatenate(found)
    part = 0.0
    if beside:
        other = np.concatenate(beside)
        part = _part(scores, other, came)
        scores = _mixed(scores, other, part)
    tell("Fitting to all", 3, 5)
    base, slope = _sure(scores, came)
    whole = fit(columns, won, most)
    if part:
        null = _null(y)
        count = round(sum(counts) / len(counts))
        grown, _, _ = grow_trees(columns, y, np.full(len(y), null), None, count)
        whole = replace(whole, trees=tuple(grown), part=part, start=null)
    return _written(whole, won, base, slope, scores, came)


def _splits(won: Ints, seed: int) -> list[Bools]:
    """Choose the leads to hold back: each once where there are few, else a quarter."""
    count = 5 if len(won) < FEW else 4
    all_of_them = len(won) < MANY
    fold = np.empty(len(won), dtype=np.int64)
    rng = np.random.default_rng(seed)
    for outcome in (0, 1):
        rows = np.flatnonzero(won == outcome)
        rng.shuffle(rows)
        fold[rows] = np.arange(len(rows)) % count
    return [fold == k for k in range(count if all_of_them else 1)]


def _some(column: Column, rows: Bools) -> Column:
    return replace(column, codes=column.codes[rows])


def _part(scores: Floats, other: Floats, won: Floats) -> float:
    """Say which part trees have; none if the card is as good on leads held back."""
    part = min(PARTS, key=lambda p: loss(won, _mixed(scores, other, p)))
    after = _mixed(scores, other, part)
    nothing = loss(won, np.full(len(won), _null(won)))
    each = np.logaddexp(0, scores) - won * scores - np.logaddexp(0, after) + won * after
    gain, unsure = float(each.mean()), float(each.std() / np.sqrt(len(each)))
    return part if gain > BETTER * (nothing - loss(won, scores)) and gain > SURELY * unsure else 0.0


def _null(won: Floats) -> float:
    share = (won.sum() + 0.5) / (len(won) + 1)
    return float(np.log(share / (1 - share)))


def _mixed(scores: Floats, other: Floats, part: float) -> Floats:
    return (1 - part) * scores + part * other


def _sure(scores: Floats, came: Floats) -> tuple[float, float]:
    """Find how sure the card may be: a base and a slope that fit those held back.

    The slope is drawn to 1, and then a little to nothing, for few leads flatter whoever fits them.
    """
    slope = 1.0
    for _ in range(25):
        base = _base(slope * scores, came)
        chance = sigmoid(base + slope * scores)
        w = chance * (1 - chance)
        middle = float((w * scores).sum() / w.sum())
        bent = float((w * (scores - middle) ** 2).sum()) + FIRM
        move = (float(((came - chance) * (scores - middle)).sum()) - FIRM * (slope - 1)) / bent
        slope = min(max(slope + move, 0.2), 1.3)
        if abs(move) < 1e-6:
            break
    few = float(min(came.sum(), len(came) - came.sum()))
    slope *= few / (few + CAUTION)
    return _base(slope * scores, came), slope


def _base(scores: Floats, came: Floats) -> float:
    """Find what must be added for as many to be won as were."""
    base = 0.0
    for _ in range(30):
        chance = sigmoid(base + scores)
        move = float((came - chance).sum() / ((chance * (1 - chance)).sum() + 1e-3))
        base += min(max(move, -2.0), 2.0)
        if abs(move) < 1e-7:
            break
    return base


def _written(
    fitted: Fitted, won: Ints, base: float, slope: float, scores: Floats, came: Floats
) -> Card:
    """Write the card: whole points, and the curve that those held back tell."""
    sparse = fitted.sparse
    codes = coded(fitted.columns, fitted.pairs)
    scale = slope * (1 - fitted.part) / STEP
    terms: list[Term] = []
    first = sparse.base * scale + (base + slope * fitted.part * fitted.start) / STEP
    added = np.zeros(len(won))
    for steps, values in zip(sparse.steps, sparse.values, strict=True):
        place = steps.place[codes[steps.at]]
        counts = np.bincount(place, minlength=steps.count)
        won_of = np.bincount(place, weights=won, minlength=steps.count)
        zero = 0.0 if steps.is_pair else float(values[_usual(fitted, steps, counts)])
        first += zero * scale
        points = np.round((values - zero) * scale).astype(np.int64)
        added += points[place]
        for k in np.flatnonzero((points != 0) & (counts > 0)):
            tests = _tests(fitted, steps.at, steps.place == k)
            if tests:
                terms.append(Term(tests=tests, points=int(points[k]),
                                  leads=int(counts[k]), won=int(won_of[k])))  # fmt: skip
    terms.sort(key=lambda t: (len(t.tests), t.tests[0].field, t.tests[0].part, -abs(t.points)))
    trees = tuple(told(fitted.columns, _times(tree, slope * fitted.part)) for tree in fitted.trees)
    start = round(first)
    exact = base + slope * fitted.scores(fitted.columns)
    whole = start + added
    if fitted.trees:
        whole = whole + slope * fitted.part * tree_scores(fitted.trees, codes) / STEP
    # Whole points are not quite what was fitted; the curve takes up the difference.
    shift = float(np.mean(whole - exact / STEP))
    curve = tuple((round(x + shift, 2), p) for x, p in _curve(base + slope * scores, came))
    return Card(terms=tuple(terms), base=start, trees=trees, curve=curve)


def _usual(fitted: Fitted, steps: Steps, counts: Ints) -> int:
    """Choose the step that has no points: where levels never seen belong, else the most usual."""
    column = fitted.columns[steps.at]
    if not column.is_ordered and column.part != "word":
        return int(steps.place[column.size - 1])
    return int(np.argmax(counts))


def _tests(fitted: Fitted, at: int, cells: Bools) -> tuple[Test, ...]:
    """Give the questions that are true of a step, or of a rectangle of a pair."""
    if at < len(fitted.columns):
        asked = [fitted.columns[at].test(frozenset(int(b) for b in np.flatnonzero(cells)))]
    else:
        pair = fitted.pairs[at - len(fitted.columns)]
        table = cells.reshape(-1, pair.part.wide)
        asked = [
            fitted.columns[which].test(
                frozenset[int]().union(*(groups[g] for g in np.flatnonzero(table.any(axis))))
            )
            for which, groups, axis in zip(
                (pair.first, pair.second), pair.groups, (1, 0), strict=True
            )
        ]
    return tuple(test for test in asked if test)


def _times(tree: Grown, slope: float) -> Grown:
    if isinstance(tree, float):
        return round(tree * slope, 4)
    at, found, yes, no, value = tree
    return at, found, _times(yes, slope), _times(no, slope), round(value * slope, 4)


def _curve(scores: Floats, came: Floats) -> list[tuple[float, float]]:
    """Hold chances against what came, in parts of as many leads, rising all the way."""
    if not len(scores):
        return []
    order = np.argsort(scores, kind="stable")
    parts = int(min(CURVE, max(1, came.sum() // 40, 1), max(1, (1 - came).sum() // 40)))
    points: list[list[float]] = []
    for rows in np.array_split(order, parts):
        if not len(rows):
            continue
        chance = sigmoid(scores[rows])
        said = float(chance.mean())
        seen = (float(came[rows].sum()) + said * ANCHOR) / (len(rows) + ANCHOR)
        points.append([float(np.log(said / (1 - said))), seen, float(len(rows))])
    joined: list[list[float]] = []
    for one in points:
        joined.append(one)
        while len(joined) > 1 and joined[-2][1] >= joined[-1][1]:
            b, a = joined.pop(), joined.pop()
            n = a[2] + b[2]
            joined.append([(a[i] * a[2] + b[i] * b[2]) / n for i in (0, 1)] + [n])
    return [(round(x / STEP, 2), round(min(max(p, 1e-4), 1 - 1e-4), 5)) for x, p, _ in joined]
