"""Finds out what each field holds and cuts it into bins that a person could name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from chalicelib.lead.predict.card import Refused, Test
from chalicelib.lead.predict.values import (
    Part,
    Value,
    domain_of,
    level_of,
    number_of,
    part_of,
    time_of,
    words_of,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MOST_BINS = 40
MOST_LEVELS = 40
MOST_WORDS = 12
MOST_CODES = 12
"""So many different whole numbers may as well be codes, such as those of browsers."""

LOOK = 2000
"""So many values tell what a field holds."""


@dataclass(frozen=True)
class Column:
    """A field, or one side of it, in bins.

    Attributes:
        codes: bin of each row; 0 is missing.
        edges: numbers at which bins begin, from the second on; empty for levels.
        levels: of bins from 1 on; the last bin after them holds all others.
    """

    field: str
    part: Part
    codes: Ints
    size: int
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    is_ordered: bool = False
    low: float = 0.0
    high: float = 0.0
    others: int = 0

    @property
    def name(self) -> str:
        """Name it as people would."""
        return self.field if self.part == "value" else f"{self.part} of {self.field}"

    def test(self, bins: frozenset[int]) -> Test | None:
        """Give the question that is true of these bins alone; None for one that all answer yes."""
        if len(bins) == self.size:
            return None
        missing = 0 in bins
        if self.part == "word":
            return Test(field=self.field, part="word", any_of=self.levels)
        if self.is_ordered:
            first, last = min(bins - {0}, default=0), max(bins)
            if last == 0:
                return Test(field=self.field, missing=True)
            at_least = None if first == 1 else self.edges[first - 2]
            below = None if last == self.size - 1 else self.edges[last - 1]
            if at_least is None and below is None:
                return Test(field=self.field, known=True)
            return Test(field=self.field, at_least=at_least, below=below, missing=missing)
        if len(self.levels) + 1 in bins:
            out = set(range(1, self.size - 1)) - bins
            left = tuple(sorted(self.levels[b - 1] for b in out))
            if not left:
                return Test(field=self.field, part=self.part, known=True)
            return Test(field=self.field, part=self.part, none_of=left, missing=missing)
        any_of = tuple(sorted(self.levels[b - 1] for b in bins if b))
        return Test(field=self.field, part=self.part, any_of=any_of, missing=missing)


@dataclass
class Table:
    """All columns, and the fields that could not be used."""

    columns: list[Column] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)


def read_table(rows: Sequence[Mapping[str, Value]], won: Ints) -> Table:
    """Read every field that occurs; what says nothing is refused with its reason.

    Args:
        rows: field -> value of each lead.
        won: 1 for those that were won.
    """
    table = Table()
    least = least_of(len(rows), int(won.sum()))
    names = dict.fromkeys(name for row in rows for name in row)
    seen: dict[bytes, str] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        found = read_field(name, values, won, least)
        if isinstance(found, Refused):
            table.refused.append(found)
            continue
        key = b"".join(column.codes.tobytes() for column in found)
        if key in seen:
            reason = f"it says what {seen[key]} says"
            table.refused.append(Refused(field=name, reason=reason))
            continue
        seen[key] = name
        table.fields.append(name)
        table.columns += found
    return table


def least_of(rows: int, won: int) -> int:
    """Say how many leads a bin must hold to be looked at."""
    few = min(won, rows - won)
    return int(min(max(4, rows * 4 / max(few, 1) / 4, rows * 0.005), max(rows / 10, 4), 80))


def read_field(name: str, values: list[Value], won: Ints, least: int) -> list[Column] | Refused:
    """Find out what a field holds and put it into bins."""
    levels = [level_of(value) for value in values]
    known = [level for level in levels if level is not None]
    if not known:
        return Refused(field=name, reason="nothing is known in it")
    counts = Counter(known)
    if len(counts) == 1 and len(known) == len(values):
        return Refused(field=name, reason="it is the same for all")
    numbers = numbers_of(values, levels)
    if numbers is not None:
        if _is_counter(numbers, len(counts)):
            return Refused(field=name, reason="it numbers the leads")
        return _numeric(name, numbers, levels, counts, least, won)
    if _are_dates(values, levels):
        return _dated(name, values, least) or Refused(field=name, reason="its dates say too little")
    found = [_levelled(name, "value", levels, counts, least)]
    if sum("@" in level for level in known) > 0.6 * len(known):
        domains = [domain_of(value) for value in values]
        found = [_levelled(name, "domain", domains, Counter(filter(None, domains)), least)]
    elif len(counts) > MOST_LEVELS and sum(" " in level for level in known) > 0.2 * len(known):
        found += _worded(name, values, won, least)
    useful = [column for column in found if column is not None]
    if not useful:
        what = "it is an id" if len(counts) > 0.9 * len(known) else "its levels are all too rare"
        return Refused(field=name, reason=what)
    return useful


def numbers_of(values: list[Value], levels: list[str | None]) -> Floats | None:
    """Give values as numbers, nan where there is none; None if the field holds none."""
    known = [v for v, level in zip(values, levels, strict=True) if level is not None]
    some = known[:: max(1, len(known) // LOOK)]
    if sum(number_of(value) is not None for value in some) < 0.95 * len(some):
        return None
    read = (
        None if level is None else number_of(v) for v, level in zip(values, levels, strict=True)
    )
    return np.array([np.nan if number is None else number for number in read])


def _is_counter(numbers: Floats, distinct: int) -> bool:
    """Say whether whole numbers are all different and leave few gaps, or are very large: an id."""
    known = numbers[~np.isnan(numbers)]
    if len(known) < 20 or distinct < len(known) or np.any(known != np.floor(known)):
        return False
    span = float(known.max() - known.min())
    return span < 3 * len(known) or float(known.min()) >= 10_000 or span > 1e6


def _numeric(
    name: str,
    numbers: Floats,
    levels: list[str | None],
    counts: Counter[str],
    least: int,
    won: Ints,
) -> list[Column] | Refused:
    known = numbers[~np.isnan(numbers)]
    distinct, times = np.unique(known, return_counts=True)
    ordered = _cut(name, numbers, distinct, times, least)
    if ordered is None:
        return Refused(field=name, reason="it hardly differs")
    is_code = 3 < len(distinct) <= MOST_CODES + 18 and bool(np.all(distinct == np.floor(distinct)))
    if is_code and len(distinct) == distinct[-1] - distinct[0] + 1 and distinct[0] in (0, 1):
        # Whole numbers without gaps may be codes; they are if their order says much less.
        coded = _levelled(name, "value", levels, counts, least)
        if coded is not None and _says(coded, won) > 1.25 * _says(_halved(ordered, won), won) + 12:
            return [coded]
    return [ordered]


def _cut(name: str, numbers: Floats, distinct: Floats, times: Ints, least: int) -> Column | None:
    """Cut numbers into bins of about as many leads; a frequent number has a bin of its own."""
    alone_from = max(least, int(times.sum()) / MOST_BINS)
    wanted = max(least, int(times[times < alone_from].sum()) / MOST_BINS)
    edges: list[float] = []
    held = 0.0
    for place in range(len(distinct)):
        alone = times[place] >= alone_from
        if place and (held >= wanted or (alone and held >= least)):
            edges.append(_between(distinct[place - 1], distinct[place]))
            held = 0
        held += times[place]
    if edges and held < least:
        edges.pop()
    missing = np.isnan(numbers)
    if not edges and (missing.sum() < least or (~missing).sum() < least):
        return None
    codes = np.where(missing, 0, np.searchsorted(edges, numbers, side="right") + 1)
    return Column(
        field=name, part="value", codes=codes.astype(np.int64), size=len(edges) + 2,
        edges=tuple(edges), is_ordered=True, low=float(distinct[0]), high=float(distinct[-1]),
    )  # fmt: skip


def _between(low: float, high: float) -> float:
    """Give the shortest number that parts two; it is more than the first and at most the second."""
    for digits in range(1, 17):
        middle = float(f"{(low + high) / 2:.{digits}g}")
        if low < middle <= high:
            return middle
    return float(high)


def _levelled(
    name: str, part: Part, levels: Sequence[str | None], counts: Counter[str], least: int
) -> Column | None:
    kept = [level for level, count in counts.most_common(MOST_LEVELS) if count >= least]
    place = {level: n for n, level in enumerate(kept, start=1)}
    other = len(kept) + 1
    codes = np.fromiter(
        (0 if level is None else place.get(level, other) for level in levels),
        dtype=np.int64,
        count=len(levels),
    )
    filled = np.bincount(codes, minlength=other + 1)
    if int((filled >= least).sum()) < 2:
        return None
    return Column(
        field=name, part=part, codes=codes, size=other + 1, levels=tuple(kept),
        others=int(filled[other]),
    )  # fmt: skip


def _are_dates(values: list[Value], levels: list[str | None]) -> bool:
    known = [v for v, level in zip(values, levels, strict=True) if level is not None]
    some = known[:: max(1, len(known) // 200)]
    return sum(time_of(value) is not None for value in some) > 0.9 * len(some)


def _dated(name: str, values: list[Value], least: int) -> list[Column]:
    parts: tuple[Part, ...] = ("month", "weekday", "hour")
    found = []
    for part in parts:
        levels = [part_of(value, part) for value in values]
        counts = Counter(filter(None, levels))
        if len(counts) > 1 and (column := _levelled(name, part, levels, counts, least)):
            found.append(column)
    return found


def _worded(name: str, values: list[Value], won: Ints, least: int) -> list[Column]:
    """Find the words whose leads are won clearly more or less often than others."""
    words = [words_of(value) for value in values]
    all_of, won_of = Counter[str](), Counter[str]()
    for each, is_won in zip(words, won, strict=True):
        all_of.update(each)
        if is_won:
            won_of.update(each)
    share = float(won.mean())
    told = {
        word: (won_of[word] - share * n) ** 2 / (n * share * (1 - share) + 1e-9)
        for word, n in all_of.items()
        if least <= n <= len(values) - least
    }
    best = sorted((word for word in told if told[word] > 12), key=lambda w: (-told[w], w))
    columns = []
    for word in best[:MOST_WORDS]:
        codes = np.fromiter((word in each for each in words), dtype=np.int64, count=len(words))
        columns.append(Column(field=name, part="word", codes=codes, size=2, levels=(word,)))
    return columns


def _says(column: Column, won: Ints) -> float:
    """Give how much a column alone says: deviance saved, smoothed."""
    n = np.bincount(column.codes, minlength=column.size).astype(float)
    w = np.bincount(column.codes, weights=won, minlength=column.size)
    share = float(won.mean())
    p = (w + share * 5) / (n + 5)
    saved = w * np.log(p / share) + (n - w) * np.log((1 - p) / (1 - share))
    return float(2 * saved.sum())


def _halved(column: Column, won: Ints) -> Column:
    """Give the column cut where it says most, in at most four parts."""
    best = column
    cuts: list[int] = []
    for _ in range(3):
        options = [c for c in range(2, column.size) if c not in cuts]
        if not options:
            break
        made = {c: _at_cuts(column, [*cuts, c]) for c in options}
        cut = max(options, key=lambda c: _says(made[c], won))
        cuts.append(cut)
        best = made[cut]
    return best


def _at_cuts(column: Column, cuts: list[int]) -> Column:
    codes = np.searchsorted(np.array(sorted(cuts)), column.codes, side="right") + 1
    codes = np.where(column.codes == 0, 0, codes)
    return Column(column.field, column.part, codes.astype(np.int64), len(cuts) + 2)


def describe(column: Column) -> dict[str, Any]:
    """Say in short what was found."""
    kind = "number" if column.is_ordered else "words" if column.part == "word" else "levels"
    return {"field": column.field, "part": column.part, "kind": kind, "bins": column.size - 1}
