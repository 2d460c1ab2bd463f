"""Judges training on leads that it has not seen: some of each, and the newest by the older."""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from chalicelib.lead.predict.card import Card
from chalicelib.lead.predict.evaluate import predict
from chalicelib.lead.predict.measure import Measured, measure
from chalicelib.lead.predict.report import Learnt, Report
from chalicelib.lead.predict.values import Value
from chalicelib.training.fit import train

Rows = Sequence[Mapping[str, Value]]
Trained = Callable[[Rows, Sequence[int]], Card]

OLDEST = 0.7
FOLDS = 5
CURVE = (10, 20, 40, 80, 160, 320)
"""So many leads that were won are learnt from, for the learning curve."""

DRAWS = 3
LEAST_TESTED = 20
"""With fewer leads of either outcome nothing is measured."""


def judge(
    rows: Rows,
    outcomes: Sequence[int],
    *,
    is_ordered: bool,
    keep: Collection[str] = (),
    leave_out: Mapping[str, str] | None = None,
    tell: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> Report:
    """Train on all, and measure what training comes to on leads held back.

    Args:
        rows: of leads; in order of time, if they are ordered.
        outcomes: 1 or 0 of each.
        is_ordered: whether the newest can be foretold from the older.
        keep: see fit.train.
        leave_out: see fit.train.
        tell: is told what is being done, and how far it is.
    """

    def trained(some: Rows, came: Sequence[int]) -> Card:
        return train(some, came, keep=keep, leave_out=leave_out)

    few = min(sum(outcomes), len(outcomes) - sum(outcomes))
    steps = FOLDS + 2 + len(CURVE)
    tell("Training on all", 0, steps)
    card = trained(rows, outcomes)
    leaks = {one.field: one.reason for one in card.refused if one.is_leak}

    def without(some: Rows, came: Sequence[int]) -> Card:
        """Train without what all leads together show to be a leak; few may not show it."""
        return train(some, came, keep=keep, leave_out={**(leave_out or {}), **leaks})

    if few < LEAST_TESTED:
        return Report(card=card)
    chances = [0.0] * len(rows)
    fold = folds(outcomes, FOLDS)
    for k in range(FOLDS):
        tell(f"Holding back part {k + 1} of {FOLDS}", 1 + k, steps)
        inside = [i for i, part in enumerate(fold) if part != k]
        out = [i for i, part in enumerate(fold) if part == k]
        made = trained([rows[i] for i in inside], [outcomes[i] for i in inside])
        for i in out:
            chances[i] = predict(made, rows[i]).chance
    newest = None
    if is_ordered:
        tell("Holding back the newest", FOLDS + 1, steps)
        newest = newest_by_older(rows, outcomes, trained)
    curve = []
    for n, count in enumerate(CURVE):
        tell(f"Learning from {count} that were won", FOLDS + 2 + n, steps)
        if count <= few * 0.7:
            curve.append(learnt_from(rows, outcomes, count, without))
    tell("Done", steps, steps)
    return Report(
        card=card, across=measure(chances, outcomes), newest=newest, learning=tuple(curve)
    )


def newest_by_older(rows: Rows, outcomes: Sequence[int], trained: Trained) -> Measured | None:
    """Train on the oldest part and measure on the rest; None where too little is known of it."""
    cut = round(len(rows) * OLDEST)
    came = outcomes[cut:]
    if min(sum(came), len(came) - sum(came)) < LEAST_TESTED:
        return None
    card = trained(rows[:cut], outcomes[:cut])
    return measure([predict(card, row).chance for row in rows[cut:]], came)


def learnt_from(rows: Rows, outcomes: Sequence[int], count: int, trained: Trained) -> Learnt:
    """Learn from few, drawn several times, and measure on others."""
    came = np.array(outcomes)
    areas, losses = [], []
    for draw in range(DRAWS):
        rng = np.random.default_rng([count, draw])
        order = rng.permutation(len(rows))
        ups = np.cumsum(came[order])
        until = int(np.searchsorted(ups, count)) + 1
        inside = np.sort(order[:until])
        out = order[until:][:4000]
        card = trained([rows[i] for i in inside], [outcomes[i] for i in inside])
        found = measure([predict(card, rows[i]).chance for i in out], [outcomes[i] for i in out])
        areas.append(found.auc)
        losses.append(found.error)
    return Learnt(
        won=count,
        auc=float(np.mean(areas)),
        least=float(min(areas)),
        most=float(max(areas)),
        error=float(np.mean(losses)),
    )


def folds(outcomes: Sequence[int], count: int, seed: int = 0) -> list[int]:
    """Deal leads into so many parts, as many that were won in each."""
    came = np.array(outcomes)
    fold = np.empty(len(came), dtype=np.int64)
    rng = np.random.default_rng(seed)
    for outcome in (0, 1):
        places = np.flatnonzero(came == outcome)
        rng.shuffle(places)
        fold[places] = np.arange(len(places)) % count
    return [int(part) for part in fold]
