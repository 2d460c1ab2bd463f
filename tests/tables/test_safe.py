import csv
import io

import pytest

from chalicelib.tables.safe import neutral, original

DANGEROUS = [
    "=cmd|'/c calc'!A1",
    "+cmd|'/c calc'!A1",
    "-2+3+cmd|' /C calc'!D2",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "  =1+1",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "\ufeff=1",
    "＝1+1",
    '=HYPERLINK("http://example.com")',
    "|calc",
    "%0A=1",
    "-x",
    "+x",
]
HARMLESS = [
    "",
    "Zoë",
    "+44 7700 900123",
    "-7",
    "-1.5",
    "1=1",
    "a@example.com",
    "+49 (0) 30/1234-56",
]


@pytest.mark.parametrize("cell", DANGEROUS)
def test_what_a_spreadsheet_could_run_is_quoted(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", HARMLESS)
def test_numbers_phones_and_words_stay_as_they_are(cell: str) -> None:
    assert neutral(cell) == cell


@pytest.mark.parametrize("cell", [*DANGEROUS, *HARMLESS, "'", "'x", "''=x", "'=x", "'tis"])
def test_what_was_quoted_comes_back_as_it_was(cell: str) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerow([neutral(cell)])
    (row,) = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert original(row[0]) == cell


@pytest.mark.parametrize("cell", ["'007", "'tis", "x'=", "'"])
def test_what_nobody_quoted_is_left_alone(cell: str) -> None:
    assert original(cell) == cell
