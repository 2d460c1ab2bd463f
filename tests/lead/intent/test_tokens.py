"""A text as words, and the tricks that are undone on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.lead.intent.tokens import LONGEST_TEXT, MOST_TOKENS, read_text


def words(text: str) -> list[str]:
    return [token for token in read_text(text).tokens if token.isalnum()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Café, Straße; łódź", ["cafe", "strasse", "lodz"]),
        ("I don't know", ["i", "dont", "know"]),
        ("J'ai besoin d'un devis", ["j", "ai", "besoin", "d", "un", "devis"]),
        ("Зв'язок і комп'ютер", ["звязок", "і", "компютер"]),
        ("write to a.b@example.com or https://example.com/x", ["write", "to", "or"]),
        ("ca\u200bsi\u00adno", ["casino"]),
        ("c\u0430sino", ["casino"]),
        ("\u0446iна", ["ціна"]),
        ("\U0001d41f\U0001d42b\U0001d41e\U0001d41e", ["free"]),
    ],
)
def test_words_are_plain(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_tricks_are_counted() -> None:
    text = read_text("c\u0430sin\u043e v1agra w i n n e r ca\u200bs\u200bh http://a.example/x")
    assert text.mixed == ("c\u0430sin\u043e",)
    assert set(text.unmasked) >= {"viagra", "winner"}
    assert text.hidden == 2
    assert text.links == ("http://a.example/x",)


def test_a_latin_i_in_a_ukrainian_word_is_no_trick() -> None:
    assert read_text("Скiльки коштує цiна").mixed == ()


def test_of_a_long_message_beginning_and_end_are_read() -> None:
    text = read_text("begin " + "x " * 50_000 + " finish")
    assert "begin" in text.tokens
    assert len(text.shown) <= LONGEST_TEXT + 1
    assert "finish" in read_text("begin " + "x" * 50_000 + " finish").tokens


@given(st.text(max_size=300))
def test_any_text_is_read_within_bounds(text: str) -> None:
    read = read_text(text * 50)
    assert len(read.tokens) <= MOST_TOKENS
    assert len(read.unmasked) <= 30
