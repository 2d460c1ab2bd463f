"""How good clusters are: pairs that are rightly together, and the worst that are not."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.match_sets import Lead

MOST_PAIRS_READ = 200_000
"""As many pairs are looked at to say in which fields wrong pairs agree."""


@dataclass(frozen=True)
class Score:
    """Pairs of records over final clusters.

    Attributes:
        together: pairs that are together in truth and were put together.
        found: pairs that were put together.
        true: pairs that are together in truth.
    """

    together: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        """How many of the pairs put together are right; 1 where there are none."""
        return self.together / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """How many of the true pairs were put together; 1 where there are none."""
        return self.together / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.together / ((self.found + self.true) or 1)


def pairs_of(count: int) -> int:
    """Count the pairs among so many records."""
    return count * (count - 1) // 2


def score(truth: Sequence[Hashable], found: Sequence[Hashable]) -> Score:
    """Compare clusters, given as one label for each record, with the truth."""
    return Score(
        together=_pairs(Counter(zip(truth, found, strict=True))),
        found=_pairs(Counter(found)),
        true=_pairs(Counter(truth)),
    )


def _pairs(sizes: Mapping[Any, int]) -> int:
    return sum(map(pairs_of, sizes.values()))


def true_pairs(truth: Sequence[Hashable]) -> list[tuple[int, int]]:
    """List the pairs of positions that are together in truth."""
    return [pair for group in _groups(truth).values() for pair in itertools.combinations(group, 2)]


def blocking_recall(
    leads: Sequence[Lead],
    truth: Sequence[Hashable],
    keys_of: Callable[[Lead], Collection[str]],
) -> float:
    """Tell which part of the true pairs share a block key, so that they can be compared at all."""
    keys = [frozenset(keys_of(lead)) for lead in leads]
    wanted = true_pairs(truth)
    return sum(not keys[a].isdisjoint(keys[b]) for a, b in wanted) / (len(wanted) or 1)


@dataclass(frozen=True)
class Wrong:
    """A group of records that is wrongly together or wrongly apart.

    Attributes:
        pairs: how many pairs of it are wrong.
        records: (part, record): for a false cluster the part is the true entity, for a split
            entity the cluster it was put into.
    """

    pairs: int
    records: Sequence[tuple[str, Mapping[str, Any]]]


def worst(
    leads: Sequence[Mapping[str, Any]],
    whole: Sequence[Hashable],
    parts: Sequence[Hashable],
    most: int,
) -> list[Wrong]:
    """Find the wholes that fall into parts with the most pairs between them.

    Wholes as found and parts in truth are the worst false clusters; the other way round, the
    entities that were split worst.
    """
    wrong = []
    for positions in _groups(whole).values():
        sizes = Counter(parts[i] for i in positions)
        between = pairs_of(len(positions)) - _pairs(sizes)
        if between:
            wrong.append((between, positions))
    wrong.sort(key=lambda one: -one[0])
    return [
        Wrong(between, sorted(((str(parts[i]), leads[i]) for i in positions), key=lambda r: r[0]))
        for between, positions in wrong[:most]
    ]


def agreeing(
    leads: Sequence[Mapping[str, Any]], whole: Sequence[Hashable], parts: Sequence[Hashable]
) -> Counter[str]:
    """Count wrong pairs by the fields in which they agree to the letter ("" is none)."""
    counts: Counter[str] = Counter()
    wrong = (
        (leads[a], leads[b])
        for a, b in itertools.chain.from_iterable(
            itertools.combinations(group, 2) for group in _groups(whole).values()
        )
        if parts[a] != parts[b]
    )
    for a, b in itertools.islice(wrong, MOST_PAIRS_READ):
        counts[" ".join(sorted(name for name in a.keys() & b.keys() if a[name] == b[name]))] += 1
    return counts


def _groups(labels: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for position, label in enumerate(labels):
        groups[label].append(position)
    return groups
