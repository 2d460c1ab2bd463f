import random
import tracemalloc
from itertools import islice

import pytest

from chalicelib.errors import Malformed
from chalicelib.tables.rows import BLOCK, MOST_CELL, MOST_COLUMNS, Memory, Row
from chalicelib.tables.text import delimiter_of, encoding_of, read_text


def rows_of(data: bytes) -> list[Row]:
    file = Memory(data)
    encoding, start = encoding_of(file)
    delimiter, _ = delimiter_of(file, encoding, start)
    return list(read_text(file, encoding, delimiter, start, 0))


def cells_of(data: bytes) -> list[tuple[str, ...]]:
    return [row.cells for row in rows_of(data) if not row.problem]


TABLE = "Name;Firma\r\nZoë Quill;Käse & Söhne\r\nJürgen;Über\r\n"
CELLS = [("Name", "Firma"), ("Zoë Quill", "Käse & Söhne"), ("Jürgen", "Über")]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "iso8859-15"],
)
def test_a_text_reads_the_same_in_any_usual_encoding(encoding: str) -> None:
    assert cells_of(TABLE.encode(encoding)) == CELLS


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("mac_roman", "Name;Firma\nFrançois Lefèvre;Hôtel de Ville\nZoë;Käse & Söhne\n"),
        ("cp1250", "Imię;Firma\nŁukasz Żółkiewski;Źródło\nStanisław;Książki\n"),
        ("cp1251", "Имя;Компания\nИван Петров;Ромашка\nАнна Смирнова;Северный ветер\n"),
        ("cp1253", "Όνομα;Εταιρεία\nΝίκος Παπαδόπουλος;Ελληνικά Προϊόντα\n"),
        ("gb18030", "姓名;公司\n王小明;北京示例科技有限公司\n李丽;上海测试贸易公司\n"),
    ],
)
def test_other_scripts_are_told_by_their_letters(encoding: str, text: str) -> None:
    expected = [tuple(line.split(";")) for line in text.splitlines()]
    assert cells_of(text.encode(encoding)) == expected


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_parts_rows_alike(delimiter: str) -> None:
    text = '"Name, first";Price/Tag\n'.replace(";", delimiter)
    text += f'"Quill, Zoë"{delimiter}"1,5"\n"Ashby, Ann"{delimiter}"2;7"\n'
    assert [len(cells) for cells in cells_of(text.encode())] == [2, 2, 2]


def test_a_first_line_may_say_the_delimiter() -> None:
    file = Memory(b"sep=|\na,b|c,d\ne,f|g,h\n")
    assert delimiter_of(file, "utf-8", 0) == ("|", 1)


def test_quoted_cells_hold_line_ends_delimiters_and_quotes() -> None:
    data = b'a;b\r\n1;"x;\r\n""y"""\r\n2;z\r\n'
    assert cells_of(data) == [("a", "b"), ("1", 'x;\r\n"y"'), ("2", "z")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_ends_a_row(end: str) -> None:
    assert cells_of(end.join(["a;b", "1;2", "3;4"]).encode()) == [
        ("a", "b"),
        ("1", "2"),
        ("3", "4"),
    ]


def test_a_quotation_mark_that_is_not_closed_costs_one_row() -> None:
    lines = ["a;b", *(f"{n};x" for n in range(3000))]
    lines[5] = '4;"never closed'
    rows = rows_of("\n".join(lines).encode())
    assert [row.number for row in rows if row.problem] == [6]
    assert len(rows) == 3001
    assert rows[6].cells == ("5", "x")


def test_a_quotation_mark_that_is_not_closed_near_the_end_costs_one_row() -> None:
    rows = rows_of(b'a;b\n1;x\n2;"y\n3;z\n4;z')
    assert [(row.number, bool(row.problem)) for row in rows] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
        (5, False),
    ]


def test_a_quotation_mark_within_a_cell_is_a_letter() -> None:
    assert cells_of(b'a;b\n5" disk;x\n6" disk;y\n') == [
        ("a", "b"),
        ('5" disk', "x"),
        ('6" disk', "y"),
    ]


def test_nul_bytes_are_left_out() -> None:
    assert cells_of(b"a;b\n1\x00;\x002\n3;4\n" + b"5;6\n" * 30)[1] == ("1", "2")


def test_a_line_in_another_encoding_is_still_read() -> None:
    data = "a;b\nZoë;x\n".encode() + "Jürgen;y\n".encode("cp1252") + "Åsa;z\n".encode()
    data = b"a;b\n" + b"n;n\n" * 70_000 + data
    assert cells_of(data)[-3:] == [("Zoë", "x"), ("Jürgen", "y"), ("Åsa", "z")]


def test_a_line_that_does_not_end_is_skipped_in_bounded_memory() -> None:
    data = b"a;b\n1;2\n" + b"x" * 30_000_000 + b"\n3;4\n"
    tracemalloc.start()
    rows = rows_of(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row.number, bool(row.problem)) for row in rows] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
    ]
    assert rows[3].cells == ("3", "4")
    assert peak < 12_000_000


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("," * 1_000_000, "characters"),
        (",x" * (MOST_COLUMNS + 1), "cells"),
        ("x" * (MOST_CELL + 1), "characters"),
        ('"' + "x\n" * 2_000 + '"', "closed"),
        (",".join(["x" * 15_000] * 30), "characters"),
    ],
)
def test_a_row_beyond_measure_is_told_and_the_next_is_read(line: str, why: str) -> None:
    rows = list(read_text(Memory(f"a,b\n{line}\nc,d\n".encode()), "utf-8", ",", 0, 0))
    assert why in rows[1].problem
    assert rows[-1].cells == ("c", "d")


def test_reading_goes_on_from_behind_any_row() -> None:
    chance = random.Random(7)
    pieces = ["a", "é", '"', ";", "\n", "\r\n", "\r", "", '""', "x" * 300, "\0", "語"]
    for seed in range(60):
        chance.seed(seed)
        text = "".join(chance.choice(pieces) for _ in range(300))
        for encoding in ("utf-8", "utf-16-le", "cp1252"):
            file = Memory(text.encode(encoding, "replace"))
            rows = list(read_text(file, encoding, ";", 0, 0))
            for row in rows[:: max(1, len(rows) // 5)]:
                rest = list(read_text(file, encoding, ";", row.after, row.number))
                assert rest == rows[row.number :], (seed, encoding, row)


def test_blocks_may_end_anywhere() -> None:
    for shift in range(6):
        text = "é" * shift + "x" * (BLOCK - 9) + ';y\r\n"a\r\nb";語\r\n'
        for encoding in ("utf-8", "utf-16-le"):
            rows = list(read_text(Memory((text * 3).encode(encoding)), encoding, ";", 0, 0))
            assert [row.cells for row in rows if not row.problem] == [("a\r\nb", "語")] * 3


def test_a_long_file_is_read_in_bounded_memory() -> None:
    data = b"id,name,mail\n" + b"1,Zoe Quill,zoe@example.com\n" * 40_000
    file = Memory(data)
    tracemalloc.start()
    for _ in read_text(file, "utf-8", ",", 0, 0):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_what_is_no_text_is_said_to_be_none() -> None:
    with pytest.raises(Malformed, match="NUL"):
        encoding_of(Memory(bytes(1000)))


def test_nothing_gives_no_row() -> None:
    assert list(islice(read_text(Memory(b""), "utf-8", ",", 0, 0), 1)) == []
