"""Messages with known labels: two public sets, and enquiries that we made up."""

import csv
import gzip
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[1]
DATA = ROOT / "bench/data"
CASES = ROOT / "tests/lead/intent/cases"
SENT = date(2026, 3, 2)
"""The Monday on which all cases were sent."""
Part = Literal["known", "held_out"]
SPLIT_SEED = 7
TEST_PART = 5
"""One in so many messages is for testing."""


@dataclass(frozen=True)
class Labelled:
    """A text and what it is."""

    text: str
    label: str


@dataclass(frozen=True)
class Case:
    """A made-up enquiry and what a person takes it for."""

    language: str
    intent: str
    urgency: str
    text: str


def sms(fold: int = 0) -> tuple[list[Labelled], list[Labelled]]:
    """Give the SMS spam collection in a part to learn from and one to test by.

    Args:
        fold: 0 to 4: which fifth is for testing; what is shipped learnt without that of 0.
    """
    lines = _text("text-sms-spam.tsv.gz").splitlines()[1:]
    found = [Labelled(text, label) for label, _, text in (line.partition("\t") for line in lines)]
    return parted(found, fold)


def parted(found: Sequence[Labelled], fold: int) -> tuple[list[Labelled], list[Labelled]]:
    """Split examples by chance of a fixed seed; the same text is never on both sides."""
    texts = sorted({one.text for one in found})
    random.Random(SPLIT_SEED).shuffle(texts)
    testing = set(texts[fold::TEST_PART])
    return [o for o in found if o.text not in testing], [o for o in found if o.text in testing]


def banking(part: Literal["train", "test"]) -> list[Labelled]:
    """Give a part of BANKING77, as its makers split it."""
    rows = csv.DictReader(io.StringIO(_text(f"text-banking77-{part}.csv.gz")))
    return [Labelled(row["text"], row["category"]) for row in rows]


def cases(part: Part) -> list[Case]:
    """Give our own enquiries: those that the word lists were written with, or those held out.

    Those held out were written when the lists were done, and nothing was changed after that for
    their sake. A line is `INTENT URGENCY | text`; `-` stands for no word on urgency.
    """
    found = []
    for path in sorted((CASES / part).glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line and line[0] != "#":
                labels, _, text = line.partition(" | ")
                intent, urgency = labels.split()
                found.append(Case(path.stem, intent, urgency.replace("-", ""), text))
    return found


def _text(name: str) -> str:
    return gzip.decompress((DATA / name).read_bytes()).decode("utf-8")
