"""Text that strangers sent, made visible and bounded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lead.text import clean_line, clean_message, fold, storable

ODD = "a\u0301\u0323\u200d\ud800\n\r \u2028\x1c\x85\u202e\u3000\uac00\u1100\u1161\x00\U0001f600"


@pytest.mark.parametrize(
    ("raw", "clean", "notes"),
    [
        ("plain", "plain", ()),
        (" a \t b\r\nc ", "a b c", ()),
        ("a\u3000b\u00a0c\u2028d", "a b c d", ()),
        ("a\x00b\x07c\x7fd\x9fe", "abcde", ()),
        ("a\ufffeb\uffffc\ufdd0d", "abcd", ()),
        ("a\u200bb\ufeffc\u00add\u2060e", "abcde", ()),
        ("a\ud800b", "a\ufffdb", ()),
        ("a\u202eb\u2066c", "abc", ("bidi",)),
        ("e\u0301", "é", ()),
        ("علی\u200cرضا", "علی\u200cرضا", ()),
        ("👩\u200d💻", "👩\u200d💻", ()),
        ("hidden\U000e0041\U000e0042", "hidden", ()),
        ("x" + "\u0301" * 1000, "x" + "\u0301" * 8, ()),
        ("=1+1", "=1+1", ()),
        ("<b>{{7*7}}</b>", "<b>{{7*7}}</b>", ()),
        ("x" * 20 + " " * 5 + "y", "x" * 20, ("cut",)),
        ("ab" * 9 + "c👩\u200d💻", "ab" * 9 + "c", ("cut",)),
    ],
)
def test_a_line_is_visible_text_of_bounded_length(
    raw: str, clean: str, notes: tuple[str, ...]
) -> None:
    assert clean_line(raw, 20) == (clean, notes)


def test_a_message_keeps_its_lines_but_only_one_blank_one() -> None:
    assert clean_message(" a  b \r\n\r\n\r\n\r\n c\rd\x00 ") == ("a b\n\nc\nd", ())


def test_only_lone_surrogates_keep_text_from_being_stored_as_given() -> None:
    assert storable("a\x00\ud800\u202e") == "a\x00\ufffd\u202e"


def test_folding_forgets_case_accents_and_dots() -> None:
    assert fold(" Côte-d’Ivoire. ") == fold("COTE D'IVOIRE") == "cote d ivoire"


@given(st.text(st.sampled_from(ODD), max_size=40) | st.text(max_size=40), st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_cleaning_twice_equals_once_and_never_exceeds_the_length(raw: str, longest: int) -> None:
    for clean in (clean_line, clean_message):
        text = clean(raw, longest)[0]
        assert clean(text, longest) == (text, ())
        assert len(text) <= longest
        assert storable(text) == text
