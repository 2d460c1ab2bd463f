import io
import struct
import tracemalloc
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest

from chalicelib.errors import Malformed
from chalicelib.tables import workbook
from chalicelib.tables.rows import MOST_COLUMNS, Memory
from chalicelib.tables.workbook import open_workbook

NAMES = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

PARTS: Mapping[str, str] = {
    "xl/workbook.xml": f'<workbook xmlns="{NAMES}" xmlns:r="{RELATIONS}"><sheets>'
    '<sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{NAMES}"><sheetData>'
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Mail</t></is></c></row>'
    '<row r="2"><c r="A2" t="str"><v>zoe@example.com</v></c></row></sheetData></worksheet>',
}


def saved(rows: list[list[Any]], **more: Any) -> Memory:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for name, value in more.items():
        setattr(book, name, value)
    stream = io.BytesIO()
    book.save(stream)
    return Memory(stream.getvalue())


def made(**parts: str | bytes) -> Memory:
    """Make a workbook by hand; a part is named without folders, an underscore for the dot."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        whole: dict[str, str | bytes] = dict(PARTS)
        for name, content in parts.items():
            folder = "xl/worksheets/" if name.startswith("sheet") else "xl/"
            whole[f"{folder}{name}.xml"] = content
        for path, content in whole.items():
            archive.writestr(path, content)
    return Memory(stream.getvalue())


def rows_of(file: Memory, after: int = 0) -> list[tuple[str, ...]]:
    book = open_workbook(file)
    return [row.cells for row in book.rows(next(iter(book.sheets)), after)]


def test_values_come_as_they_would_be_typed() -> None:
    rows: list[list[Any]] = [
        ["text", "  Zoë \n Quill "],
        ["whole", 447700900123],
        ["rounded", 0.1 + 0.2],
        ["negative", -7.5],
        ["yes", True],
        ["day", date(2025, 10, 9)],
        ["moment", datetime(2025, 10, 9, 9, 53)],  # noqa: DTZ001
        ["time", time(9, 53)],
        ["nothing", None],
        ["formula", "=1+1"],
    ]
    assert {row[0]: (*row, "")[1] for row in rows_of(saved(rows))} == {
        "text": "Zoë \n Quill",
        "whole": "447700900123",
        "rounded": "0.3",
        "negative": "-7.5",
        "yes": "TRUE",
        "day": "2025-10-09",
        "moment": "2025-10-09T09:53:00",
        "time": "09:53:00",
        "nothing": "",
        "formula": "",
    }


def test_a_mac_counts_days_from_another_one() -> None:
    rows: list[list[Any]] = [["when"], [datetime(2025, 10, 9, 9, 53)]]  # noqa: DTZ001
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    assert rows_of(saved(rows, epoch=CALENDAR_MAC_1904))[1] == ("2025-10-09T09:53:00",)


def cell(inside: str, said: str = "") -> str:
    return f'<row r="2"><c r="A2" {said}>{inside}</c></row>'


def sheet(rows: str) -> str:
    return f'<worksheet xmlns="{NAMES}"><sheetData>{rows}</sheetData></worksheet>'


@pytest.mark.parametrize(
    ("inside", "said", "text"),
    [
        ("<v>12345678901234567890</v>", "", "12345678901234567890"),
        ("<v>4.47700900123E+11</v>", "", "447700900123"),
        ("<v>1.0E-5</v>", "", "0.00001"),
        ("<v>0123</v>", 't="str"', "0123"),
        ("<v>#N/A</v>", 't="e"', ""),
        ("<v>1E9999</v>", "", "1E9999"),
        ("<v>NaN</v>", "", "NaN"),
        ("<v>7</v>", 't="s"', ""),
        ("<v>-1</v>", 't="s"', ""),
        ("<f>HYPERLINK(1)</f><v>shown</v>", 't="str"', "shown"),
        ("<is><r><t>Zo</t></r><r><t>ë</t></r><rPh><t>x</t></rPh></is>", 't="inlineStr"', "Zoëx"),
    ],
)
def test_cells_of_every_kind(inside: str, said: str, text: str) -> None:
    file = made(sheet1=sheet(cell(inside, said)))
    assert (*rows_of(file)[1], "")[0] == text


def test_the_first_sheet_that_can_be_seen_is_taken() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.sheet_state = "hidden"
    for name in ("Gäste", "Other"):
        book.create_sheet(name).append([name])
    stream = io.BytesIO()
    book.save(stream)
    opened = open_workbook(Memory(stream.getvalue()))
    assert list(opened.sheets) == ["Gäste", "Other"]
    assert [row.cells for row in opened.rows("Other", 0)] == [("Other",)]


def test_reading_goes_on_behind_any_row_and_counts_those_that_are_not_there() -> None:
    rows = sheet('<row r="2"><c r="C2"><v>1</v></c></row><row r="5"><c><v>2</v></c></row>')
    book = open_workbook(made(sheet1=rows))
    found = list(book.rows("People", 0))
    assert [(row.number, row.cells) for row in found] == [
        (1, ()),
        (2, ("", "", "1")),
        (3, ()),
        (4, ()),
        (5, ("2",)),
    ]
    for row in found:
        assert list(book.rows("People", row.after)) == found[row.number :]


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)).replace("&a0;", "&a;")
    + "]>"
)


@pytest.mark.parametrize(
    "parts",
    [
        {"sheet1": LAUGHS + sheet(cell("<v>&a9;</v>", 't="str"'))},
        {"sharedStrings": LAUGHS + f'<sst xmlns="{NAMES}"><si><t>&a9;</t></si></sst>'},
        {"workbook": '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + PARTS["xl/workbook.xml"]},
        {"sheet1": sheet('<row r="5"/><row r="4"/>')},
        {"sheet1": sheet('<row r="1"><c r="A1"><v>1</v></c>')[:-40]},
        {"sheet1": b"\xff\xfe\x00"},
        {"sheet1": "not xml"},
        {"workbook": f'<workbook xmlns="{NAMES}"/>'},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_hostile_workbooks_are_malformed(parts: dict[str, str | bytes]) -> None:
    with pytest.raises(Malformed):
        rows_of(made(**parts))


def test_no_row_is_a_million_blank_ones() -> None:
    book = open_workbook(made(sheet1=sheet('<row r="1048577"><c><v>1</v></c></row>')))
    with pytest.raises(Malformed):
        list(book.rows("People", 0))


def test_a_part_that_unpacks_to_more_than_is_taken_is_refused() -> None:
    big = f'<sst xmlns="{NAMES}">' + " " * (workbook.MOST_TEXTS + 1) + "</sst>"
    file = made(sharedStrings=big)
    assert file.size < 100_000
    with pytest.raises(Malformed, match="unpacks to more"):
        rows_of(file)


def test_a_part_that_lies_about_its_size_is_damaged() -> None:
    data = bytearray(made(sheet1=sheet(" " * 1_000_000 + cell("<v>1</v>"))).data)
    at = data.find(b"PK\x01\x02", data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 1) + 1)
    struct.pack_into("<L", data, at + 24, 1_000)
    with pytest.raises(Malformed):
        rows_of(Memory(bytes(data)))


def test_an_archive_that_lists_too_many_parts_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number:050}", b"")
    with pytest.raises(Malformed, match="too many"):
        open_workbook(Memory(stream.getvalue()))


@pytest.mark.parametrize("cut", [4, 100, 1_000, -1, -20])
def test_an_archive_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(Malformed):
        rows_of(Memory(saved([["a"], ["b"]]).data[:cut]))


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("list.csv", "a,b")
    with pytest.raises(Malformed, match="unpack it"):
        open_workbook(Memory(stream.getvalue()))


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1">' + "<c><v>1</v></c>" * 200_000 + "</row>",
        f'<row r="1"><c r="XFD1"><v>1</v></c>{"<c><v>1</v></c>" * 20}</row>',
        '<row r="1"><c t="str"><v>' + "x" * 20_000_000 + "</v></c></row>",
        '<row r="1">' + f'<c t="str"><v>{"x" * 10_000}</v></c>' * 40 + "</row>",
    ],
    ids=["very many cells", "the last column", "a long cell", "many long cells"],
)
def test_a_row_beyond_measure_is_told_in_bounded_memory(row: str) -> None:
    file = made(sheet1=sheet(row + '<row r="2"><c><v>2</v></c></row>'))
    tracemalloc.start()
    book = open_workbook(file)
    rows = list(book.rows("People", 0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows[0].problem
    assert rows[1].cells == ("2",)
    assert peak < 8_000_000


def test_columns_are_as_many_as_are_taken() -> None:
    cells = "<c><v>1</v></c>" * MOST_COLUMNS
    assert len(rows_of(made(sheet1=sheet(f'<row r="1">{cells}</row>')))[0]) == MOST_COLUMNS
