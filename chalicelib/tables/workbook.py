"""Rows of an XLSX workbook, read as a stream: numbers exact, and nothing that grows unbounded.

Our own reader, for a general one turns ids into floats, and holds whatever a stranger packs into
a row or a list of texts. The format is ECMA-376 part 1, section 18.
"""

import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from io import BufferedReader
from typing import Any
from xml.parsers import expat

from chalicelib.errors import Malformed
from chalicelib.tables.rows import BLOCK, MOST_CELL, MOST_COLUMNS, MOST_ROW, Bytes, Row, Seekable
from chalicelib.tables.text import made_row

MOST_DIRECTORY = 1024 * 1024
"""Bytes of the list of parts in the archive; a real workbook has a few KB."""

MOST_SHEET = 1024**3
"""Bytes that a sheet may unpack to; they are never held at once."""

MOST_PART = 8 * 1024 * 1024
"""Bytes that any other part may unpack to, but for the texts."""

MOST_TEXTS = 48 * 1024 * 1024
"""Bytes that the list of texts may unpack to; they are held."""

LAST_ROW = 1_048_576
"""The last row that a sheet can have."""

_STEP = 64 * 1024
_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Number formats of dates and times that every reader knows (ECMA-376 18.8.30)."""

_UNSAID = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|General|Standard', re.I)
_PLACE = re.compile(r"([A-Z]{1,3})[0-9]*")


def is_workbook(file: Bytes) -> bool:
    """Say whether a file is an archive, as workbooks are."""
    return file.read(0, 4) == b"PK\x03\x04"


@dataclass(frozen=True)
class Workbook:
    """A workbook that was found to be sound enough to be read."""

    archive: zipfile.ZipFile

    @cached_property
    def sheets(self) -> Mapping[str, str]:
        """Name the sheets that can be seen, in order, each with the name of its part."""
        targets: dict[str, str] = {}
        found: dict[str, str] = {}

        def relation(tag: str, said: Mapping[str, str]) -> None:
            if tag == "Relationship" and "Id" in said:
                target = said.get("Target", "")
                targets[said["Id"]] = target[1:] if target.startswith("/") else f"xl/{target}"

        def sheet(tag: str, said: Mapping[str, str]) -> None:
            if tag == "sheet" and said.get("state", "visible") == "visible":
                key = next((said[name] for name in said if name.endswith(":id")), "")
                if targets.get(key, "").rpartition("/")[0].endswith("worksheets"):
                    found.setdefault(said.get("name", ""), targets[key])

        self._each("xl/_rels/workbook.xml.rels", relation)
        self._each("xl/workbook.xml", sheet)
        return found

    @cached_property
    def starts_1904(self) -> bool:
        """Say whether days are counted from 1904, as on old Macs."""
        said: list[bool] = []

        def note(tag: str, values: Mapping[str, str]) -> None:
            if tag == "workbookPr":
                said.append(values.get("date1904", "0") in ("1", "true"))

        self._each("xl/workbook.xml", note)
        return any(said)

    @cached_property
    def dates(self) -> frozenset[int]:
        """Give the cell styles that show a date or time."""
        own: dict[int, bool] = {}
        styles: list[int] = []
        inside: list[str] = []

        def note(tag: str, said: Mapping[str, str]) -> None:
            if tag in ("cellXfs", "cellStyleXfs"):
                inside[:] = [tag]
            if tag == "numFmt":
                own[_number(said.get("numFmtId", ""))] = _is_date(said.get("formatCode", ""))
            elif tag == "xf" and inside == ["cellXfs"]:
                styles.append(_number(said.get("numFmtId", "")))

        if "xl/styles.xml" in self.archive.namelist():
            self._each("xl/styles.xml", note)
        return frozenset(place for place, one in enumerate(styles) if own.get(one, one in _DATES))

    @cached_property
    def texts(self) -> list[str]:
        """Give the texts that cells point at."""
        name = "xl/sharedStrings.xml"
        if name not in self.archive.namelist():
            return []
        reader = _Texts()
        for _ in _parsed(self.archive, name, MOST_TEXTS, reader):
            pass
        return reader.found

    def rows(self, sheet: str, after: int) -> Iterator[Row]:
        """Read the rows of a sheet that come after one; rows that are not there come as blank.

        Raises:
            Malformed: from here on the sheet cannot be read.
        """
        if sheet not in self.sheets:
            raise Malformed("the workbook has no such sheet")
        reader = _Rows(self.texts, self.dates, self.starts_1904, after)
        for _ in _parsed(self.archive, self.sheets[sheet], MOST_SHEET, reader):
            yield from reader.take()

    def _each(self, name: str, note: Callable[[str, Mapping[str, str]], None]) -> None:
        for _ in _parsed(self.archive, name, MOST_PART, _Noting(note)):
            pass


def open_workbook(file: Bytes) -> Workbook:
    """Open a workbook.

    Raises:
        Malformed: it is none, or one that would unpack to more than we take.
    """
    _check_directory(file)
    try:
        archive = zipfile.ZipFile(BufferedReader(Seekable(file), BLOCK))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Malformed("the file is no workbook: its archive cannot be read") from error
    if "xl/workbook.xml" not in archive.namelist():
        raise Malformed("the file is an archive and no workbook; unpack it and send what is in it")
    book = Workbook(archive)
    if not book.sheets:
        raise Malformed("the workbook has no sheet that can be seen")
    return book


def _check_directory(file: Bytes) -> None:
    """Refuse an archive whose list of parts alone is a bomb, before it is read."""
    tail = file.read(max(0, file.size - 65_557), 65_557)
    at = len(tail) - 22
    if tail[at : at + 4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise Malformed("the file is no workbook: its archive is cut off")
    (size,) = struct.unpack_from("<L", tail, at + 12)
    if size > MOST_DIRECTORY or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise Malformed("the file is no workbook: its archive lists too many parts")


def _parsed(archive: zipfile.ZipFile, name: str, most: int, handler: Any) -> Iterator[None]:
    """Feed a part to a handler, block by block; gives control back after each.

    A declared size holds: zipfile unpacks no more than that. Documents with a DTD are refused, and
    with them everything that entities can do.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, said: handler.start(tag.rpartition(":")[2], said)
    parser.EndElementHandler = lambda tag: handler.end(tag.rpartition(":")[2])
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse_dtd
    try:
        if archive.getinfo(name).file_size > most:
            raise Malformed(f"the workbook's {name} unpacks to more than {most} bytes")
        with archive.open(name) as part:
            while block := part.read(_STEP):
                parser.Parse(block, False)
                yield
            parser.Parse(b"", True)
            yield
    except KeyError as error:
        raise Malformed(f"the workbook has no {name}") from error
    except (expat.ExpatError, zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise Malformed(f"the workbook's {name} is damaged") from error
    except (RuntimeError, NotImplementedError) as error:
        raise Malformed("the workbook is encrypted or packed in a way that is not read") from error


def _refuse_dtd(*_: object) -> None:
    raise Malformed("the workbook has a DTD, which no workbook has")


@dataclass
class _Noting:
    """Hears elements as they start."""

    note: Callable[[str, Mapping[str, str]], None]

    def start(self, tag: str, said: Mapping[str, str]) -> None:
        self.note(tag, said)

    def end(self, tag: str) -> None:
        pass

    def text(self, text: str) -> None:
        pass


@dataclass
class _Texts:
    """Gathers the texts of a workbook; how Japanese ones are spoken is left out."""

    found: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    length: int = 0
    is_text: bool = False
    is_spoken: bool = False

    def start(self, tag: str, said: Mapping[str, str]) -> None:
        if tag == "si":
            self.parts, self.length = [], 0
        elif tag == "rPh":
            self.is_spoken = True
        elif tag == "t":
            self.is_text = not self.is_spoken

    def end(self, tag: str) -> None:
        if tag == "si":
            self.found.append("".join(self.parts))
        elif tag == "rPh":
            self.is_spoken = False
        elif tag == "t":
            self.is_text = False

    def text(self, text: str) -> None:
        # One character more than a cell may have, so that its row is told to be too long.
        if self.is_text and self.length <= MOST_CELL:
            self.parts.append(text[: MOST_CELL + 1])
            self.length += len(text)


class _Rows:
    """Makes rows of a sheet's elements."""

    def __init__(
        self, texts: list[str], dates: frozenset[int], starts_1904: bool, after: int
    ) -> None:
        self._texts = texts
        self._dates = dates
        self._epoch = datetime(1904, 1, 1) if starts_1904 else datetime(1899, 12, 30)  # noqa: DTZ001
        self._after = after
        self._number = 0
        self._is_wanted = False
        self._cells: list[str] = []
        self._problem = ""
        self._at = 0
        self._length = 0
        self._kind = ""
        self._style = 0
        self._is_value = False
        self._value: list[str] = []
        self._value_length = 0
        self._done: list[tuple[int, list[str], str]] = []
        self._given = after

    def take(self) -> Iterator[Row]:
        """Give rows that are whole; those that the sheet left out come as blank ones."""
        done, self._done = self._done, []
        for number, cells, problem in done:
            while self._given + 1 < number:
                self._given += 1
                yield Row(self._given, (), self._given)
            self._given = number
            yield Row(number, (), number, problem) if problem else made_row(number, cells, number)

    def start(self, tag: str, said: Mapping[str, str]) -> None:
        if tag == "c":
            if self._is_wanted:
                self._begin_cell(said)
        elif tag in ("v", "t"):
            self._is_value = self._is_wanted and (tag == "v") == (self._kind != "inlineStr")
        elif tag == "row":
            number = _number(said.get("r", "")) or self._number + 1
            if not self._number < number <= LAST_ROW:
                raise Malformed("the workbook's rows are not in order")
            self._number = number
            self._is_wanted = number > self._after
            self._cells, self._problem, self._length, self._at = [], "", 0, -1

    def end(self, tag: str) -> None:
        if tag in ("v", "t"):
            self._is_value = False
        elif tag == "c":
            if self._is_wanted and not self._problem:
                self._end_cell()
        elif tag == "row" and self._is_wanted:
            self._done.append((self._number, self._cells, self._problem))
            self._is_wanted = False

    def text(self, text: str) -> None:
        if self._is_value and self._value_length <= MOST_CELL:
            self._value.append(text[: MOST_CELL + 1])
            self._value_length += len(text)

    def _begin_cell(self, said: Mapping[str, str]) -> None:
        place = _PLACE.match(said.get("r", ""))
        self._at = _column(place[1]) if place else self._at + 1
        self._kind = said.get("t", "n")
        self._style = _number(said.get("s", ""))
        self._value, self._value_length = [], 0

    def _end_cell(self) -> None:
        text = self._said("".join(self._value))
        if not text:
            return
        if self._at >= MOST_COLUMNS:
            self._problem = f"it has more than {MOST_COLUMNS} cells"
            return
        self._length += len(text)
        if self._length > MOST_ROW:
            self._problem = f"it has more than {MOST_ROW} characters"
            return
        self._cells += [""] * (self._at + 1 - len(self._cells))
        self._cells[self._at] = text

    def _said(self, value: str) -> str:
        """Give a cell's value as it would be typed: whole numbers exact, days as ISO dates."""
        match self._kind:
            case "s":
                at = _number(value)
                return self._texts[at] if value and at < len(self._texts) else ""
            case "b":
                return {"1": "TRUE", "0": "FALSE"}.get(value, value)
            case "e":
                return ""
            case "n":
                if self._style in self._dates:
                    return _moment(value, self._epoch) or _plain(value)
                return _plain(value)
        return value


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _plain(value: str) -> str:
    """Write a number without an exponent; Excel shows 15 digits of the 17 that it stores."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite() or abs(number.adjusted()) > 40:
        return value
    if number == number.to_integral_value():
        return str(int(number))
    return format(Decimal(format(float(number), ".15g")), "f")


def _moment(value: str, epoch: datetime) -> str:
    """Write a count of days as date, as time or as both; empty where it is neither."""
    try:
        days = float(value)
        moment = epoch + timedelta(seconds=round(days * 86_400))
    except (ValueError, OverflowError):
        return ""
    if 0 <= days < 1:
        return moment.time().isoformat()
    if not 1 <= days < 2_958_466:
        return ""
    is_day = days == int(days)
    return moment.date().isoformat() if is_day else moment.isoformat(timespec="seconds")


def _is_date(code: str) -> bool:
    return any(letter in "dmyhs" for letter in _UNSAID.sub("", code).lower())
