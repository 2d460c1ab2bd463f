"""Rows of an import as ordinary deliveries: a few rows each, under ids that come out the same."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.errors import Conflict
from chalicelib.flow.import_state import Import
from chalicelib.flow.keep import keep
from chalicelib.flow.process import ACTS_AT_ONCE
from chalicelib.hub import Hub
from chalicelib.records import Delivery, digest
from chalicelib.request import Request, pack
from chalicelib.tables.rows import Row

ROWS = ACTS_AT_ONCE
"""Rows of one delivery: as many as one message handles, so that none has to be spread."""

IMPORTED = "IMPORT"
"""Method of a kept request that holds rows of an import."""

SENT_ON_AFTER = timedelta(minutes=30)
"""When tick takes a delivery for one whose message was lost; a long queue is no reason."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of an import, by the place that they have among its deliveries."""

    place: int
    rows: tuple[Row, ...]


def chunk_id(import_id: str, place: int) -> str:
    """Give the id of the delivery of a chunk."""
    return digest("import", import_id, str(place))


def chunks(rows: Sequence[Row], before: int) -> list[Chunk]:
    """Part rows into chunks; all before are whole chunks."""
    first = before // ROWS
    return [
        Chunk(first + at // ROWS, tuple(rows[at : at + ROWS])) for at in range(0, len(rows), ROWS)
    ]


def request_for(one: Import, columns: Sequence[str], rows: Sequence[Row]) -> Request:
    """Make the request that connector file_import reads."""
    taken = {column: field for column, field in one.mapping.items() if column in columns}
    body = {
        "file": one.file,
        "columns": list(columns),
        "mapping": taken,
        "dates": one.dates,
        "zone": one.zone,
        "rows": [_written(row) for row in rows],
    }
    return Request(
        method=IMPORTED,
        path=f"/imports/{one.import_id}",
        query={},
        headers={"content-type": ("application/json",)},
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"),
        received_at=one.started_at or one.created_at,
        source_id=one.source_id,
    )


def keep_chunk(hub: Hub, one: Import, chunk: Chunk) -> list[str]:
    """Keep rows as a delivery, unless that was done before; gives the delivery's id.

    Raises:
        Unavailable: table or bucket is down.
    """
    layout = one.layout
    request = request_for(one, layout.columns if layout else (), chunk.rows)
    delivery = Delivery(
        delivery_id=chunk_id(one.import_id, chunk.place),
        source_id=one.source_id,
        connector="file_import",
        received_at=request.received_at,
        due_at=hub.clock() + SENT_ON_AFTER,
    )
    # A conflict: whoever ran before us kept the same rows and got no further.
    with suppress(Conflict):
        keep(hub, delivery, pack(request))
    return [delivery.delivery_id]


def rows_in(request: Request) -> tuple[list[str], list[Mapping[str, Any]]]:
    """Read columns and rows out of a kept request."""
    body = json.loads(request.body)
    return body["columns"], body["rows"]


def _written(row: Row) -> dict[str, Any]:
    cells = list(row.cells)
    while cells and not cells[-1]:
        cells.pop()
    problem = {"problem": row.problem} if row.problem else {}
    return {"row": row.number, "cells": cells, **problem}
