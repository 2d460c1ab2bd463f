"""The data sets that matching is measured on: records, and apart from them who is who."""

import gzip
import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.made_up import made_up_companies, made_up_people

DATA = Path(__file__).parent / "data"
SAMPLE_RECORDS = 3000

Lead = dict[str, Any]


@dataclass(frozen=True)
class MatchSet:
    """Records and the truth about them, both in the order of arrival.

    Attributes:
        leads: what a matcher may see.
        truth: the entity of each, never shown to a matcher.
    """

    name: str
    leads: Sequence[Lead]
    truth: Sequence[str]

    def shuffled(self, seed: int) -> "MatchSet":
        """Let the records arrive in another order."""
        order = list(range(len(self.leads)))
        random.Random(seed).shuffle(order)
        return MatchSet(self.name, [self.leads[i] for i in order], [self.truth[i] for i in order])


def load(name: str) -> MatchSet:
    """Read or make one set; its name must be one of SETS."""
    records = SETS[name]()
    return MatchSet(
        name,
        [{k: v for k, v in r.items() if k not in {"rid", "cluster"}} for r in records],
        [r["cluster"] for r in records],
    )


def _file(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _sample(name: str) -> list[dict[str, Any]]:
    """Take whole entities, the same ones each time, until there are SAMPLE_RECORDS records."""
    records = _file(name)
    sizes: dict[str, int] = {}
    for record in records:
        sizes[record["cluster"]] = sizes.get(record["cluster"], 0) + 1
    taken, so_far = set(), 0
    for cluster in sorted(sizes, key=lambda one: hashlib.sha256(one.encode()).digest()):
        if so_far >= SAMPLE_RECORDS:
            break
        taken.add(cluster)
        so_far += sizes[cluster]
    return [record for record in records if record["cluster"] in taken]


SETS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "persons-fake1000": lambda: _file("persons-fake1000"),
    "persons-historical-3000": lambda: _sample("persons-historical"),
    "persons-historical": lambda: _file("persons-historical"),
    "orgs-early-childhood": lambda: _file("orgs-early-childhood"),
    "orgs-restaurants": lambda: _file("orgs-restaurants"),
    "truthset-senzing": lambda: _file("truthset-senzing"),
    "made-up-people": lambda: made_up_people(seed=20261122),
    "made-up-companies": lambda: made_up_companies(seed=20261122),
}
QUICK = tuple(name for name in SETS if name != "persons-historical")
"""What is measured unless sets are named: all but the one that takes minutes."""
