"""The sets with known outcomes that the predictive score is measured on."""

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"

Rows = list[dict[str, str | None]]


@dataclass(frozen=True)
class OutcomeSet:
    """Leads of whom it is known how they ended.

    Attributes:
        is_ordered: rows stand in order of time.
    """

    name: str
    rows: Rows
    outcomes: list[int]
    is_ordered: bool


def load(name: str) -> OutcomeSet:
    """Read a set by its name."""
    return SETS[name]()


def _bank(name: str, *left_out: str) -> OutcomeSet:
    rows, outcomes = _read("outcomes-bank-additional.csv.gz", "y", "1", left_out)
    return OutcomeSet(name, rows, outcomes, is_ordered=True)


def _shoppers(name: str, *left_out: str) -> OutcomeSet:
    rows, outcomes = _read("outcomes-online-shoppers.csv.gz", "Revenue", "TRUE", left_out)
    return OutcomeSet(name, rows, outcomes, is_ordered=False)


def _read(file: str, outcome: str, won: str, left_out: tuple[str, ...]) -> tuple[Rows, list[int]]:
    with gzip.open(DATA / file, "rt", encoding="utf-8", newline="") as lines:
        rows: Rows = [dict(row) for row in csv.DictReader(lines)]
    outcomes = [int(row.pop(outcome) == won) for row in rows]
    return [{k: v for k, v in row.items() if k not in left_out} for row in rows], outcomes


SETS: dict[str, Callable[[], OutcomeSet]] = {
    "bank": lambda: _bank("bank", "duration"),
    "bank with its leak": lambda: _bank("bank with its leak"),
    "shoppers": lambda: _shoppers("shoppers"),
    "shoppers without PageValues": lambda: _shoppers("shoppers without PageValues", "PageValues"),
}
