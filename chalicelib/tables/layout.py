"""How a file of rows is laid out: found by looking at its start, changed by a person."""

import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal

from pydantic import Field

from chalicelib.errors import Malformed
from chalicelib.lead.model import Model
from chalicelib.tables.rows import MOST_COLUMNS, Bytes, Row
from chalicelib.tables.text import delimiter_of, encoding_of, read_text
from chalicelib.tables.values import shape_of
from chalicelib.tables.workbook import is_workbook, open_workbook

LOOKED_AT_ROWS = 200
"""Rows at the start that a layout and a mapping are told from."""

HEADER_WITHIN = 30
LONGEST_NAME = 200

_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls); save it as .xlsx or CSV",
    b"%PDF": "a PDF; export it as CSV or XLSX",
    b"\x1f\x8b": "packed with gzip; unpack it first",
}


class Layout(Model):
    """Where the rows of a file are, and what its columns are called."""

    kind: Literal["text", "workbook"]
    encoding: str = Field(default="", description="of a text, as Python names it")
    delimiter: str = Field(default="", description="of a text")
    sheet: str = Field(default="", description="of a workbook")
    sheets: tuple[str, ...] = Field(default=(), description="of a workbook: all that can be seen")
    header_row: int = Field(default=1, description="row that names the columns; 0: none does")
    columns: tuple[str, ...] = Field(default=(), description="each by a name of its own")
    start: int = Field(default=0, description="where the first row after the header is")


class Wanted(Model):
    """What a person says of a file's layout; what is left out is found out."""

    encoding: str = Field(default="", max_length=40)
    delimiter: str = Field(default="", max_length=1)
    sheet: str = Field(default="", max_length=200)
    header_row: int | None = Field(default=None, ge=0, le=1000)


def look(file: Bytes, wanted: Wanted | None = None) -> tuple[Layout, list[Row]]:
    """Find out how a file is laid out; gives its first rows after the header too.

    Raises:
        Malformed: it is no table, or has no column; says what to do.
    """
    wanted = wanted or Wanted()
    layout = _bare(file, wanted)
    rows = list(islice(_rows(file, layout, layout.start, 0), LOOKED_AT_ROWS + HEADER_WITHIN))
    header = _header_row(rows) if wanted.header_row is None else wanted.header_row
    said = next((row for row in rows if row.number == header), None)
    if header and said is None:
        raise Malformed(f"row {header}, which is to name the columns, is not there")
    body = [row for row in rows if row.number > header and not row.is_blank]
    columns = columns_of(said.cells if said else (), body)
    if not columns or not (body or (said and any(said.cells))):
        raise Malformed("the file has no row with anything in it")
    start = said.after if said else layout.start
    found = layout.model_copy(update={"header_row": header, "columns": columns, "start": start})
    return found, body[:LOOKED_AT_ROWS]


def read_rows(file: Bytes, layout: Layout, after: int, number: int) -> Iterator[Row]:
    """Read what stands below the header, from a place on; blank rows are left out.

    A row with more cells than there are columns has a problem: a delimiter in one of its values
    is not quoted, and everything behind it stands in a wrong column.

    Args:
        file: read by range.
        layout: of it.
        after: `after` of the row before; `layout.start` for the first.
        number: of the row before; `layout.header_row` for the first.

    Raises:
        Malformed: from here on the file is damaged.
    """
    width = len(layout.columns)
    for row in _rows(file, layout, after, number):
        if row.is_blank:
            continue
        if any(row.cells[width:]):
            extra = f"it has {len(row.cells)} cells for {width} columns"
            problem = f"{extra}; is a delimiter in a value not quoted?"
            yield Row(row.number, row.cells, row.after, problem)
        else:
            yield row


def columns_of(header: Sequence[str], rows: Sequence[Row]) -> tuple[str, ...]:
    """Name every column: by the header, by its letter where that says nothing, and never twice."""
    width = max((len(row.cells) for row in rows), default=0) if not header else len(header)
    names: list[str] = []
    for at in range(min(width, MOST_COLUMNS)):
        said = " ".join(header[at].split())[:LONGEST_NAME] if at < len(header) else ""
        name = said or f"Column {letters(at)}"
        times = 1
        while name in names:
            times += 1
            name = f"{said or f'Column {letters(at)}'} ({times})"
        names.append(name)
    while header and names and not header[len(names) - 1]:
        # Spreadsheets write columns in which nothing ever stood.
        if any(len(row.cells) >= len(names) and row.cells[len(names) - 1] for row in rows):
            break
        names.pop()
    return tuple(names)


def letters(at: int) -> str:
    """Name a column as spreadsheets do: A, B ... Z, AA."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(65 + rest) + name
    return name


def _bare(file: Bytes, wanted: Wanted) -> Layout:
    """Tell the kind of a file and how to read its rows."""
    if not file.size:
        raise Malformed("the file is empty")
    if is_workbook(file):
        sheets = tuple(open_workbook(file).sheets)
        sheet = wanted.sheet or sheets[0]
        if sheet not in sheets:
            raise Malformed(f"there is no such sheet; there are {len(sheets)}")
        return Layout(kind="workbook", sheet=sheet, sheets=sheets)
    magic = file.read(0, 4)
    if magic in _OTHERS or magic[:2] in _OTHERS:
        raise Malformed(f"the file is {_OTHERS.get(magic) or _OTHERS[magic[:2]]}")
    encoding, start = encoding_of(file)
    if wanted.encoding:
        encoding = _codec(wanted.encoding) or encoding
    delimiter, skipped = delimiter_of(file, encoding, start)
    for row in islice(read_text(file, encoding, delimiter, start, 0), skipped):
        start = row.after
    delimiter = wanted.delimiter or delimiter
    return Layout(kind="text", encoding=encoding, delimiter=delimiter, start=start)


def _rows(file: Bytes, layout: Layout, after: int, number: int) -> Iterator[Row]:
    if layout.kind == "text":
        yield from read_text(file, layout.encoding, layout.delimiter, after, number)
        return
    try:
        yield from open_workbook(file).rows(layout.sheet, after)
    except zipfile.BadZipFile as error:
        raise Malformed("the workbook is damaged") from error


def _header_row(rows: Sequence[Row]) -> int:
    """Find the row that names the columns: the first about as wide as any, and of no values.

    Titles and notes above it are narrower; where its place holds somebody's address, there is none.
    """
    filled = {row.number: sum(1 for cell in row.cells if cell) for row in rows if not row.is_blank}
    widest = max(filled.values(), default=0)
    for row in rows[:HEADER_WITHIN]:
        if widest and filled.get(row.number, 0) >= 0.6 * widest:
            shapes = {shape_of(cell) for cell in row.cells if cell}
            return 0 if shapes & {"email", "phone", "url", "moment"} else row.number
    return 1


def _codec(name: str) -> str:
    """Give an encoding the name that Python knows it by.

    Raises:
        Malformed: it knows none, or one that is not for tables.
    """
    import codecs

    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise Malformed("no encoding has that name; try utf-8 or cp1252") from error
    if found in ("utf-16", "utf_16"):
        return ""
    if found.startswith(("utf-7", "iso2022", "hz", "idna", "punycode", "utf-32")):
        raise Malformed("that encoding is not for tables; try utf-8 or cp1252")
    try:
        "a\n".encode(found)
    except (LookupError, UnicodeError) as error:
        raise Malformed("no encoding has that name; try utf-8 or cp1252") from error
    return found
