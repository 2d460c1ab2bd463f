import pytest

from chalicelib.errors import Malformed
from chalicelib.tables.layout import Layout, Wanted, letters, look, read_rows
from chalicelib.tables.rows import Memory, Row


def looked(text: str | bytes, **wanted: object) -> tuple[Layout, list[Row]]:
    data = text.encode() if isinstance(text, str) else text
    return look(Memory(data), Wanted.model_validate(wanted))


def test_a_title_above_the_header_is_no_header() -> None:
    layout, rows = looked("Fair 2026;;\n;;\nName;Mail;Phone\nZoë;zoe@example.com;1\n")
    assert (layout.header_row, layout.columns) == (3, ("Name", "Mail", "Phone"))
    assert [row.number for row in rows] == [4]


def test_a_file_without_a_header_names_its_columns_by_letters() -> None:
    layout, rows = looked("zoe@example.com,Zoë\nann@example.com,Ann\n")
    assert (layout.header_row, layout.columns) == (0, ("Column A", "Column B"))
    assert [row.number for row in rows] == [1, 2]


def test_columns_of_one_name_or_none_are_told_apart() -> None:
    layout, _ = looked("Notes,,Notes,Notes (2),\n1,2,3,4,5\n")
    assert layout.columns == ("Notes", "Column B", "Notes (2)", "Notes (2) (2)", "Column E")


def test_columns_in_which_nothing_stands_are_none() -> None:
    layout, _ = looked("Name,Mail,,,\nZoë,zoe@example.com,,,\n")
    assert layout.columns == ("Name", "Mail")


def test_a_header_is_cut_and_cleaned() -> None:
    layout, _ = looked('Na\u00a0me ,"Two\nlines",' + "x" * 500 + "\n1,2,3\n")
    assert layout.columns == ("Na me", "Two lines", "x" * 200)


def test_rows_may_be_shorter_and_blank_ones_are_left_out() -> None:
    file = Memory(b"a,b,c\n1\n\n,,\n1,2,3,,,\n1,2,3,4\n")
    layout, _ = look(file)
    rows = list(read_rows(file, layout, layout.start, layout.header_row))
    assert [(row.number, bool(row.problem)) for row in rows] == [(2, False), (5, False), (6, True)]


def test_a_person_knows_better() -> None:
    text = "Title\nx\nName|Mail\nZoë|zoe@example.com\n"
    layout, rows = looked(text, header_row=3, delimiter="|")
    assert layout.columns == ("Name", "Mail")
    assert rows[0].cells == ("Zoë", "zoe@example.com")
    assert looked("a;b\nä;c\n".encode("cp437"), encoding="cp437")[1][0].cells == ("ä", "c")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\n\n   \n,,\n", "no row"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "save it as"),
        (b"%PDF-1.7\n", "export it"),
        (b"\x1f\x8b\x08\x00", "unpack"),
        (b"PK\x03\x04" + b"x" * 100, "no workbook"),
        (bytes(500), "NUL"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(data: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        looked(data)


@pytest.mark.parametrize("encoding", ["utf-7", "idna", "rot13", "hex", "x" * 30, "iso2022_jp"])
def test_no_encoding_is_taken_that_is_none_for_tables(encoding: str) -> None:
    with pytest.raises(Malformed):
        looked("a,b\n1,2\n", encoding=encoding)


def test_columns_are_lettered_as_spreadsheets_do() -> None:
    assert [letters(at) for at in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
