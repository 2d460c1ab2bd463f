"""Every pair of a small, deliberately hard set of records with known truth, and why in words.

`bench/data/truthset-senzing.jsonl.gz` has 159 records, so 12,561 pairs. Each must come out right or
be left to a person; the few that do not are in truthset_hard.jsonl, each with what makes it so.
"""

import gzip
import json
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

from bench.adapters.matching import FIELDS
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.connector import Submission
from chalicelib.lead.matching.decide import weigh
from chalicelib.lead.matching.record import Record, record_of
from chalicelib.lead.matching.weights import Weights
from chalicelib.lead.matching.words import because
from chalicelib.lead.normalise import normalise

DATA = Path("bench/data/truthset-senzing.jsonl.gz")
HARD = Path(__file__).parent / "truthset_hard.jsonl"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def lines(text: str) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def record(row: dict[str, Any]) -> Record:
    """Make a record as a submission of these answers makes one."""
    answers = {key: str(value) for key, value in row.items() if key in FIELDS and value}
    touch = normalise(
        Submission(external_id=str(row["rid"]), submitted_at=NOW, answers=answers),
        source_id="set",
        source=Source(connector="file_import", fields=FIELDS),
        connector="file_import",
        connector_fields={},
        config=Config(),
        delivery_id="d",
        received_at=NOW,
    )
    return record_of(touch, f"lead {row['rid']}")


def test_every_pair_is_right_or_left_to_a_person_and_says_why() -> None:
    rows = lines(gzip.decompress(DATA.read_bytes()).decode())
    records = [record(row) for row in rows]
    wrong: dict[tuple[int, int], str] = {}
    right = 0
    for one, other in combinations(range(len(rows)), 2):
        (found,) = weigh(records[one], [records[other]], {}, Weights())
        assert found.outcome == "new" or because(found), (rows[one], rows[other])
        is_one = rows[one]["cluster"] == rows[other]["cluster"]
        if found.outcome == ("new" if is_one else "match"):
            wrong[one, other] = found.outcome
        right += found.outcome == ("match" if is_one else "new")
    assert right >= 12_460
    known = {(pair["one"], pair["other"]): pair["outcome"] for pair in lines(HARD.read_text())}
    assert wrong == known


def test_whatever_comes_out_wrong_is_accounted_for_in_words() -> None:
    pairs = lines(HARD.read_text())
    assert len(pairs) < 40
    assert all(pair["why"] for pair in pairs)
