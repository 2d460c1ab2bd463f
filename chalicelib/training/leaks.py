"""Finds the fields that are known only after the outcome, by what they say about it.

No field that is known before tells the outcome almost surely, and none rules it out for a good part
of all leads; one that comes after often does: how long the talk was, why it was lost.
"""

import re
from collections.abc import Sequence

import numpy as np

from chalicelib.lead.predict.card import Refused
from chalicelib.training.columns import Bools, Column, Floats, Ints

TOO_GOOD = 0.96
"""A field that alone puts leads in order this well (area under the curve) knows the outcome."""

STRONG, FAIR = 0.77, 0.65
"""A field that rules leads out must besides order them so well; less if its name says so too."""

LEAST_SHARE, LEAST_SHARE_OF_NUMBERS = 0.04, 0.08
"""A good number rules a few out at its very end; only one that comes after does so for many."""

LEAST_EXPECTED, LEAST_EXPECTED_NAMED = 8.0, 4.0
RULED_OUT = 0.04
"""Among leads that a field rules out, at most this part of those is won that should be."""

NAMES = re.compile(
    r"duration|outcome|result|reason|closed?|won|lost|status|stage|tags?\b|disposition|quality|"
    r"revenue|deal|contract|convert|signed|paid|invoice|last[ _]notable",
    re.IGNORECASE,
)
"""What fields that come after are often called; never enough alone."""


def find_leaks(columns: Sequence[Column], won: Ints, seed: int) -> list[Refused]:
    """Name the fields that know the outcome, and what gives them away."""
    found: dict[str, Refused] = {}
    if min(won.sum(), len(won) - won.sum()) < 20:
        return []
    for column in columns:
        reason = leak_of(column, won, seed)
        if reason and column.field not in found:
            found[column.field] = Refused(field=column.field, reason=reason, is_leak=True)
    return list(found.values())


def leak_of(column: Column, won: Ints, seed: int) -> str:
    """Say why a column must come after the outcome; empty if it need not."""
    alone = alone_of(column, won, seed)
    if alone >= TOO_GOOD:
        return (
            f"it alone tells the outcome of {alone:.0%} of pairs; "
            "nothing known before does, so it must come after"
        )
    named = bool(NAMES.search(column.field))
    if alone < (FAIR if named else STRONG):
        return ""
    n = np.bincount(column.codes, minlength=column.size).astype(float)
    w = np.bincount(column.codes, weights=won, minlength=column.size).astype(float)
    share = float(won.mean())
    most = RULED_OUT * (2 if named else 1)
    least = LEAST_EXPECTED_NAMED if named else LEAST_EXPECTED
    part = LEAST_SHARE_OF_NUMBERS if column.is_ordered and not named else LEAST_SHARE
    for which, good, rate in (("won", w, share), ("lost", n - w, 1 - share)):
        low = ruled_out(column, n * rate, good, most)
        leads, expected = float(n[low].sum()), float((n * rate)[low].sum())
        if leads >= part * len(won) and expected >= least:
            return (
                f"for {leads / len(won):.0%} of leads it all but rules out that they are {which}: "
                f"{good[low].sum():.0f} instead of {expected:.0f}; it must come after the outcome"
            )
    return ""


def ruled_out(column: Column, expected: Floats, good: Floats, most: float) -> Bools:
    """Choose the bins that rule an outcome out: levels each by itself, numbers from either end."""
    if not column.is_ordered:
        return np.asarray((expected >= 3) & (good <= expected * most))
    best = np.zeros(column.size, dtype=bool)
    best[0] = bool(expected[0] >= 3 and good[0] <= expected[0] * most)
    for order in (np.arange(1, column.size), np.arange(column.size - 1, 0, -1)):
        sums, came = np.cumsum(expected[order]), np.cumsum(good[order])
        fit = np.flatnonzero(came <= sums * most)
        if len(fit):
            end = order[: fit[-1] + 1]
            if expected[end].sum() > expected[best].sum():
                best = np.isin(np.arange(column.size), end)
    return best


def alone_of(column: Column, won: Ints, seed: int) -> float:
    """Give how well a column alone orders leads that it was not learnt from."""
    fold = np.random.default_rng(seed).integers(0, 3, len(won))
    scores = np.zeros(len(won))
    share = float(won.mean())
    for k in range(3):
        inside, out = fold != k, fold == k
        n = np.bincount(column.codes[inside], minlength=column.size)
        w = np.bincount(column.codes[inside], weights=won[inside], minlength=column.size)
        scores[out] = ((w + share * 4) / (n + 4))[column.codes[out]]
    return area(won, scores)


def area(won: Ints, scores: Floats) -> float:
    """Give how often one that was won stands before one that was lost."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[place]
    good = float(won.sum())
    bad = len(won) - good
    if not good or not bad:
        return 0.5
    return float((ranks[won == 1].sum() - good * (good + 1) / 2) / (good * bad))
