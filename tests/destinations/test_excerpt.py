"""Lead text made fit to be shown, and how people are called."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.destinations.excerpt import lines, one_line
from chalicelib.destinations.naming import first_name, full_name, short_name

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n\t\u2028\u202e\u0301\x00 "))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Maren", "Maren"),
        ("  Maren \t Okafor ", "Maren Okafor"),
        ("Maren\r\nBcc: x", "Maren Bcc: x"),
        ("a\u2028b\u2029c\x85d\x0be", "a b c d e"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("\u202eabc\u2066\u200f", "abc"),
        ("1234567890123", "12345678901…"),
        ("123456789 123", "123456789 1…"),
        ("1234567890 23", "1234567890…"),
        ("123456789012", "123456789012"),
        ("e" + "\u0301" * 9, "e" + "\u0301" * 4),
        ("🏳\ufe0f\u200d🌈", "🏳\ufe0f\u200d🌈"),
        ("می‌خواهم", "می‌خواهم"),
        ("สวัสดี", "สวัสดี"),
        ("", ""),
        (" \r\n ", ""),
    ],
)
def test_text_becomes_one_line_of_at_most_twelve_characters(given: str, expected: str) -> None:
    assert one_line(given, 12) == expected


def test_text_hidden_behind_blanks_is_still_said_to_be_cut() -> None:
    assert one_line(" " * 500 + "secret", 10) == "…"


@given(TEXTS, st.integers(1, 40))
def test_one_line_is_one_short_line_without_controls(text: str, most: int) -> None:
    line = one_line(text, most)
    assert len(line) <= most
    assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in line)
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(TEXTS, st.integers(1, 40))
def test_making_one_line_twice_equals_once(text: str, most: int) -> None:
    assert one_line(one_line(text, most), most) == one_line(text, most)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ()),
        ("\n \r\n\t\n", ()),
        ("a", ("a",)),
        ("a\r\nb\rc\nd", ("a", "b", "c", "d")),
        ("\n\na\n\n\n\nb\n\n", ("a", "", "b")),
        ("  indented", ("  indented",)),
        ("a\nb\nc\nd\ne", ("a", "b", "c", "d…")),
        ("x" * 30, ("x" * 19 + "…",)),
    ],
)
def test_text_keeps_its_lines_up_to_four_and_twenty_characters(
    given: str, expected: tuple[str, ...]
) -> None:
    assert lines(given, 20, 4) == expected


@given(TEXTS, st.integers(2, 40), st.integers(1, 5))
def test_lines_are_few_and_short_and_hold_no_line_end(text: str, most: int, rows: int) -> None:
    found = lines(text, most, rows)
    assert len(found) <= rows
    assert len("\n".join(found)) <= most
    assert all(line.splitlines() in ([], [line]) for line in found)


@pytest.mark.parametrize(
    ("profile", "full", "first", "short"),
    [
        ({"first_name": "Maren", "last_name": "Okafor"}, "Maren Okafor", "Maren", "Maren O."),
        ({"full_name": "Maren de la Cruz"}, "Maren de la Cruz", "Maren", "Maren C."),
        (
            {"full_name": "Dr. M. Okafor", "first_name": "Maren"},
            "Dr. M. Okafor",
            "Maren",
            "Maren O.",
        ),
        ({"full_name": "山田太郎"}, "山田太郎", "山田太郎", "山田太郎"),
        ({"first_name": "Maren"}, "Maren", "Maren", "Maren"),
        ({"last_name": "Okafor"}, "Okafor", "Okafor", "Okafor"),
        ({"email": "maren@example.com"}, "", "", ""),
        ({}, "", "", ""),
    ],
)
def test_people_are_called_by_what_is_known(
    profile: dict[str, str], full: str, first: str, short: str
) -> None:
    assert (full_name(profile), first_name(profile, 40), short_name(profile, 40)) == (
        full,
        first,
        short,
    )
