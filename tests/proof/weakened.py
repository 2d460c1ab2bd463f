"""The table with one guard taken out: a condition dropped, or a transaction taken apart."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.storage import Check, Delete, Item, Key, Page, Put, Table, Write

PLAIN_NAMES = (
    "given up key",
    "identity key",
    "taken back claim",
    "voided touch",
    "merged lead",
    "absorb event",
    "settled ledger",
    "marked lead",
    "mark event",
    "lead between",
    "moved touch",
    "touch moved away",
    "moved claim",
    "reopened effect",
    "block",
    "proposal",
    "closed proposal",
    "compared lead",
    "routed lead",
    "routing event",
    "effect",
    "erased block",
    "erased claim",
    "erased effect",
    "erased event",
    "erased lead",
    "erased proposal",
    "erased refusal",
    "erased touch",
    "released key",
    "replayed delivery",
    "wish",
    "word of erasure",
    "ledger",
    "day of",
    "load of",
    "account of",
    "outcome",
)
"""Writes whose names go on with what tells several of a transaction apart."""


def plain(name: str) -> str:
    """Name a write as it is named in the code, without what tells several of one kind apart."""
    return next((known for known in PLAIN_NAMES if re.match(rf"{known}\b", name)), name)


Guard = tuple[str, str]
"""The name of a write, and what its condition is on: absent, the attribute, or check."""


def guards(writes: Sequence[Write]) -> set[Guard]:
    """Name the guards of some writes."""
    found = set()
    for write in writes:
        if isinstance(write, Check):
            found.add((plain(write.name), "check"))
        elif write.condition is not None:
            found.add((plain(write.name), getattr(write.condition, "attribute", "absent")))
    return found


Shape = frozenset[str]
"""The names of the writes of one transaction."""


def shape(writes: Sequence[Write]) -> Shape:
    """Name the writes of a transaction."""
    return frozenset(plain(write.name) for write in writes)


@dataclass
class Weakened:
    """A table that passes everything on but one guard.

    Attributes:
        without: the guard that is left out, if any.
        apart: the name of a write that is made by itself, after the rest of its transaction.
    """

    table: Table
    without: Guard | None = None
    apart: str = ""

    def get(self, key: Key) -> Item | None:
        """Pass it on."""
        return self.table.get(key)

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        """Pass it on."""
        return self.table.get_many(keys, may_lag=may_lag)

    def query(self, pk: str, prefix: str = "") -> list[Item]:
        """Pass it on."""
        return self.table.query(pk, prefix)

    def query_index(self, index: str, pk: str, **more: Any) -> Page:
        """Pass it on."""
        return self.table.query_index(index, pk, **more)

    def add(self, key: Key, amounts: Mapping[str, int], expires_at: int | None = None) -> Item:
        """Pass it on."""
        return self.table.add(key, amounts, expires_at)

    def write(self, writes: Sequence[Write]) -> None:
        """Write without the guard."""
        kept = [weak for write in writes if (weak := self._weak(write)) is not None]
        alone = [write for write in kept if self.apart and plain(write.name) == self.apart]
        rest = [write for write in kept if write not in alone]
        for part in (rest, alone):
            if part:
                self.table.write(part)

    def _weak(self, write: Write) -> Write | None:
        if self.without is None or guards([write]) != {self.without}:
            return write
        return replace(write, condition=None) if isinstance(write, Put | Delete) else None
