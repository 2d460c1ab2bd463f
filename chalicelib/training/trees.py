"""Small trees beside the card, for what its terms leave over; kept only where they are better."""

from collections.abc import Sequence

import numpy as np

from chalicelib.lead.predict.card import Leaf, Split, Tree
from chalicelib.training.columns import Bools, Column, Floats, Ints
from chalicelib.training.curves import loss, sigmoid

MOST_TREES = 150
DEPTH = 4
RATE = 0.06
CALM = 10.0
PATIENCE = 20

Grown = tuple[int, Bools, "Grown", "Grown", float] | float
"""Column, bins that go the first way, both ways, and what all of them have; or a value."""


def grow_trees(
    columns: Sequence[Column], won: Floats, start: Floats, held: Bools | None, count: int
) -> tuple[list[Grown], float, float]:
    """Grow trees on what a start leaves over.

    Args:
        columns: what they may ask.
        won: outcomes.
        start: log odds of each lead to begin with.
        held: leads that tell when to stop; None: all trees asked for are grown.
        count: how many at most.

    Returns:
        The trees, and the loss of those held back before and after.
    """
    inside = np.flatnonzero(~held) if held is not None else np.arange(len(won))
    offsets = np.cumsum([0, *(c.size for c in columns)])
    flat = np.stack([c.codes[inside] + o for c, o in zip(columns, offsets, strict=False)])
    y, scores = won[inside], start[inside].copy()
    out = start[held].copy() if held is not None else np.zeros(0)
    codes_out = [c.codes[held] for c in columns] if held is not None else []
    trees: list[Grown] = []
    at_first = at_best = loss(won[held], out) if held is not None else 0.0
    best = 0
    for _ in range(count):
        chance = sigmoid(scores)
        moved = np.zeros(len(y))
        tree = _grow(
            columns, offsets, flat, y - chance, chance * (1 - chance), np.arange(len(y)),
            DEPTH, moved,
        )  # fmt: skip
        scores += moved
        trees.append(tree)
        if held is not None:
            out += _run(tree, codes_out, np.arange(len(out)))
            now = loss(won[held], out)
            if now < at_best - 1e-6:
                at_best, best = now, len(trees)
            elif len(trees) - best >= PATIENCE:
                break
    return (trees[:best] if held is not None else trees), at_first, at_best


def tree_scores(trees: Sequence[Grown], codes: Sequence[Ints]) -> Floats:
    """Add up what all trees say of each row."""
    total = np.zeros(len(codes[0]))
    for tree in trees:
        total += _run(tree, codes, np.arange(len(total)))
    return total


def _grow(
    columns: Sequence[Column],
    offsets: Ints,
    flat: Ints,
    g: Floats,
    h: Floats,
    rows: Ints,
    depth: int,
    moved: Floats,
) -> Grown:
    total_g, total_h = float(g[rows].sum()), float(h[rows].sum())
    value = round(RATE * total_g / (total_h + CALM), 4)
    if depth == 0 or total_h < 2 * CALM:
        moved[rows] = value
        return value
    here = flat[:, rows]
    size = int(offsets[-1])
    bins_g = np.bincount(here.ravel(), weights=np.tile(g[rows], len(columns)), minlength=size)
    bins_h = np.bincount(here.ravel(), weights=np.tile(h[rows], len(columns)), minlength=size)
    best, most, found = -1, total_g**2 / (total_h + CALM) + 2.0, np.zeros(0, dtype=bool)
    for n, column in enumerate(columns):
        a, b = bins_g[offsets[n] : offsets[n + 1]], bins_h[offsets[n] : offsets[n + 1]]
        order = np.arange(column.size)
        if not column.is_ordered:
            order = np.argsort(a / (b + CALM), kind="stable")
        left_g, left_h = np.cumsum(a[order])[:-1], np.cumsum(b[order])[:-1]
        right_g, right_h = total_g - left_g, total_h - left_h
        gain = left_g**2 / (left_h + CALM) + right_g**2 / (right_h + CALM)
        gain[(left_h < CALM / 2) | (right_h < CALM / 2)] = 0
        at = int(np.argmax(gain)) if len(gain) else 0
        if len(gain) and gain[at] > most:
            most, best = float(gain[at]), n
            found = np.zeros(column.size, dtype=bool)
            found[order[: at + 1]] = True
    if best < 0:
        moved[rows] = value
        return value
    goes = found[here[best] - offsets[best]]
    halves = (rows[goes], rows[~goes])
    yes, no = (_grow(columns, offsets, flat, g, h, half, depth - 1, moved) for half in halves)
    return best, found, yes, no, value


def _run(tree: Grown, codes: Sequence[Ints], rows: Ints) -> Floats:
    if isinstance(tree, float):
        return np.full(len(rows), tree)
    at, found, yes, no, _ = tree
    goes = found[codes[at][rows]]
    result = np.empty(len(rows))
    result[goes] = _run(yes, codes, rows[goes])
    result[~goes] = _run(no, codes, rows[~goes])
    return result


def told(columns: Sequence[Column], tree: Grown) -> Tree:
    """Put a tree into the questions that a card asks."""
    if isinstance(tree, float):
        return Leaf(value=tree)
    at, found, yes, no, value = tree
    column = columns[at]
    bins = frozenset(int(b) for b in np.flatnonzero(found))
    test = column.test(bins)
    if test is None:
        return told(columns, yes)
    return Split(test=test, yes=told(columns, yes), no=told(columns, no), value=value)
