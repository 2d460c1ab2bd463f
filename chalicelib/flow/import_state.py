"""Imports: what is known of each file that a person uploaded, and how far it is."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from chalicelib.errors import NotFound
from chalicelib.hub import Hub
from chalicelib.lead.model import Model, utc_text
from chalicelib.records import long_item, unpacked
from chalicelib.storage import Item, Key, Put, at_version
from chalicelib.tables.layout import Layout
from chalicelib.tables.mapping import DateOrder
from chalicelib.tables.rows import Bytes

State = Literal["new", "proposed", "running", "done", "failed"]

IMPORTS = "IMPORTS"
"""The list of all imports."""


class Import(Model):
    """One file of rows on its way in."""

    import_id: str
    source_id: str
    file: str = Field(description="its name, as the person has it")
    created_at: AwareDatetime
    created_by: str
    state: State = "new"
    size: int = Field(default=0, description="bytes of the file")
    mark: str = Field(default="", description="of its bytes; other bytes are another file")
    layout: Layout | None = None
    mapping: Mapping[str, str] = Field(default_factory=dict, description="field of each column")
    dates: DateOrder = "dmy"
    zone: str = "UTC"
    started_at: AwareDatetime | None = None
    after: int = Field(default=0, description="where in the file the next row starts")
    number: int = Field(default=0, description="of the last row that was kept")
    rows: int = Field(default=0, description="how many were kept")
    is_read: bool = Field(default=False, description="all rows there are were kept")
    settled: int = Field(default=0, description="how many rows have an outcome that is counted")
    counts: Mapping[str, int] = Field(default_factory=dict, description="settled rows by outcome")
    reason: str = Field(default="", description="why the rest of the file could not be read")
    finished_at: AwareDatetime | None = None
    outcomes: str = Field(default="", description="the blob that tells of every row, when done")

    @property
    def blob(self) -> str:
        """Name the blob that the file is in."""
        return f"imports/{self.import_id}/file"


def import_key(import_id: str) -> Key:
    """Key of an import."""
    return Key(f"IMPORT#{import_id}", "IMPORT")


def import_item(one: Import, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of an import; one that runs is due as long work."""
    shown = {
        "import_id": one.import_id,
        "source_id": one.source_id,
        "file": one.file,
        "state": one.state,
        "rows": one.rows,
        "settled": one.settled,
        "created_at": utc_text(one.created_at),
        "created_by": one.created_by,
    }
    return {
        **long_item(import_key(one.import_id), "import", one, version, due_at, writer),
        "list_pk": IMPORTS,
        "list_sk": f"{utc_text(one.created_at)}#{one.import_id}",
        "summary": json.dumps(shown, ensure_ascii=False, separators=(",", ":")),
    }


def import_of(item: Item) -> Import:
    """Read an import back."""
    return unpacked(Import, item["data"])


def import_put(one: Import, version: int, due_at: datetime | None, writer: str) -> Put:
    """Give the write that brings an import from a version to its next; 0 makes it."""
    return Put("import", import_item(one, version + 1, due_at, writer), at_version(version))


def find_import(hub: Hub, import_id: str) -> tuple[Import, int]:
    """Give an import and its version.

    Raises:
        NotFound: no such import.
    """
    is_id = import_id.isascii() and import_id.isalnum() and len(import_id) <= 64
    item = hub.table.get(import_key(import_id)) if is_id else None
    if item is None:
        raise NotFound(f"import {import_id[:64] if is_id else ''}")
    return import_of(item), int(item["version"])


class Uploaded:
    """The file of an import, as it lies in the bucket."""

    def __init__(self, hub: Hub, one: Import) -> None:
        """Read by range."""
        self._blobs = hub.blobs
        self._name = one.blob
        self._mark = one.mark
        self.size = one.size

    def read(self, start: int, length: int) -> bytes:
        """Give bytes from a place on; see Bytes.

        Raises:
            NotFound: the file was changed or is gone.
            Unavailable: the bucket is down.
        """
        length = min(length, self.size - start)
        return self._blobs.read(self._name, self._mark, start, length) if length > 0 else b""


def file_of(hub: Hub, one: Import) -> Bytes:
    """Open the file of an import."""
    return Uploaded(hub, one)
