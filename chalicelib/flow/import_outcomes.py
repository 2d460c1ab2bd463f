"""What became of each row of an import, as it stands: in pages, and as a CSV file."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from chalicelib.flow.import_rows import ROWS, chunk_id, rows_in
from chalicelib.flow.import_state import Import
from chalicelib.flow.keep import request_of
from chalicelib.hub import Hub
from chalicelib.lead.model import Model
from chalicelib.records import Delivery, delivery_key, delivery_of
from chalicelib.tables.headers import OUTCOME_COLUMNS
from chalicelib.tables.safe import line_of

AT_ONCE = 100
"""Deliveries that are read at once."""


class RowOutcome(Model):
    """What became of one row."""

    row: int = Field(description="in the file; 0 where somebody beside it was erased since")
    outcome: str
    reason: str = ""
    lead_id: str = ""
    of: str = ""


def row_outcomes(hub: Hub, one: Import, first: int = 0) -> Iterator[tuple[RowOutcome, list[str]]]:
    """Give the outcome of each row that was kept, with the row's cells.

    Args:
        hub: read from.
        one: the import.
        first: how many rows to leave out.
    """
    last = -(-one.rows // ROWS)
    for start in range(first // ROWS, last, AT_ONCE):
        places = range(start, min(start + AT_ONCE, last))
        keys = [delivery_key(chunk_id(one.import_id, place)) for place in places]
        found = hub.table.get_many(keys)
        for place, key in zip(places, keys, strict=True):
            if key in found:
                told = _told(hub, delivery_of(found[key]))
                yield from list(told)[max(0, first - place * ROWS) :]


def outcome_lines(hub: Hub, one: Import) -> Iterator[str]:
    """Write the outcomes as lines of CSV: row, outcome, reason, lead, and the row itself.

    No cell can be taken for a formula; see tables.safe. Put right what is wrong and import the
    file again: its own columns are left out then, and rows that are in are known.
    """
    columns = one.layout.columns if one.layout else ()
    yield line_of([*OUTCOME_COLUMNS, *columns])
    for told, cells in row_outcomes(hub, one):
        yield line_of([str(told.row), told.outcome, told.reason, told.lead_id, *cells])


def write_outcomes(hub: Hub, one: Import) -> str:
    """Write the outcomes to the bucket; gives the blob's name."""
    name = f"imports/{one.import_id}/outcomes.csv"
    hub.blobs.put(name, io.BufferedReader(_Lines(outcome_lines(hub, one)), 1024 * 1024))
    return name


class _Lines(io.RawIOBase):
    """Lines as a stream of bytes; Excel needs the mark at its start to know UTF-8."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._left = b"\xef\xbb\xbf"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        while len(self._left) < len(view):
            line = next(self._lines, None)
            if line is None:
                break
            self._left += line.encode("utf-8", "replace")
        given = self._left[: len(view)]
        view[: len(given)] = given
        self._left = self._left[len(given) :]
        return len(given)


def _told(hub: Hub, delivery: Delivery) -> Iterator[tuple[RowOutcome, list[str]]]:
    if delivery.emptied_at:
        # Which lines of the file these were went with the request.
        for at in range(delivery.acts):
            yield _outcome(delivery, at, {"row": 0}), []
        return
    _, rows = rows_in(request_of(hub, delivery))
    for at, row in enumerate(rows):
        yield _outcome(delivery, at, row), list(row.get("cells", ()))


def _outcome(delivery: Delivery, at: int, row: Mapping[str, Any]) -> RowOutcome:
    result = delivery.results.get(str(at))
    number = int(row["row"])
    if result is None:
        return RowOutcome(row=number, outcome=delivery.outcome, reason=delivery.reason)
    return RowOutcome(
        row=number,
        outcome=result.outcome,
        reason=result.reason,
        lead_id=result.lead_id,
        of=result.of,
    )
