"""What files of rows are made of: bytes that are read by range, rows, and their limits."""

import io
from dataclasses import dataclass
from typing import NamedTuple, Protocol

MOST_COLUMNS = 500
MOST_CELL = 16_000
"""Most characters of a cell: as UTF-8 at most what a kept request holds as one text."""

MOST_ROW = 256 * 1024
"""Most characters of a row."""

BLOCK = 256 * 1024
"""Bytes that are read at once."""


class Bytes(Protocol):
    """A file that lies somewhere and is read by range; it does not change."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, start: int, length: int) -> bytes:
        """Give bytes from a place on; fewer at the end."""


class Row(NamedTuple):
    """One row of a file.

    Attributes:
        number: as a spreadsheet counts, from 1.
        after: where the next row starts: a byte in a text, a row in a workbook.
        problem: why it cannot be read, in words that quote nothing.
    """

    number: int
    cells: tuple[str, ...]
    after: int
    problem: str = ""

    @property
    def is_blank(self) -> bool:
        """Say whether nothing stands in it."""
        return not self.problem and not any(self.cells)


@dataclass(frozen=True)
class Memory:
    """A file in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    def read(self, start: int, length: int) -> bytes:
        """Give bytes from a place on."""
        return self.data[start : start + length]


class Seekable(io.RawIOBase):
    """A file that is read by range, as Python's readers want it."""

    def __init__(self, file: Bytes) -> None:
        """Read a file from its start."""
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Give the place."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        if start + offset < 0:
            raise OSError("a place before the start")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        """Read on."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        found = self._file.read(self._at, len(view)) if self._at < self._file.size else b""
        view[: len(found)] = found
        self._at += len(found)
        return len(found)
