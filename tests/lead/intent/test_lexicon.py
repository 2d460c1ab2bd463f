"""The word lists: their form, and how phrases are found in a message."""

import pytest

from chalicelib.lead.intent.language import LANGUAGES, Language
from chalicelib.lead.intent.lexicon import find, index_of, lexicon_of, mended, term_of
from chalicelib.lead.intent.tokens import read_text
from chalicelib.lead.model import INTENTS, URGENCIES


def found(text: str, language: Language) -> dict[str, bool]:
    """Give the phrases of a message, and whether each is negated."""
    tokens = mended(read_text(text).tokens, language)
    return {hit.term.name: hit.is_negated for hit in find(tokens, lexicon_of(language))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_list_has_every_label_and_sane_points(language: Language) -> None:
    index = lexicon_of(language).index
    terms = [
        term for group in (index.by_word, index.by_stem) for one in group.values() for term in one
    ]
    assert {term.label for term in terms} == {*INTENTS, *URGENCIES} - {"unknown", "urgent_need"}
    assert all(-10 <= term.points <= 10 and term.points for term in terms)
    assert len(lexicon_of(language).lists["weekdays"]) >= 7


@pytest.mark.parametrize(
    ("text", "language", "phrase"),
    [
        ("wir brauchen eine Schulung", "de", "wir brauchen"),
        ("wir benoetigen Stuehle", "de", "wir benötigen"),
        ("das ist sehr dringned", "de", "dringend*"),
        ("poprosimy o cennik, potrzebujemy", "pl", "potrzebujemy"),
        ("skilky koshtuye", "uk", "скільки коштує"),
        ("what does the big one cost", "en", "what does ... cost"),
        ("can you deliver tomorrow", "en", "can you deliver"),
    ],
)
def test_a_phrase_is_found_as_people_write_it(text: str, language: Language, phrase: str) -> None:
    assert phrase in found(text, language)


@pytest.mark.parametrize(
    ("text", "language", "phrase", "is_negated"),
    [
        ("this is urgent", "en", "urgent", False),
        ("this is not that urgent", "en", "urgent", True),
        ("not today, but it is urgent", "en", "urgent", False),
        ("ce n'est pas urgent", "fr", "urgent", True),
        ("dringend ist es nicht", "de", "dringend*", True),
        ("nicht billig, dringend", "de", "dringend*", False),
    ],
)
def test_what_is_denied_is_marked(
    text: str, language: Language, phrase: str, is_negated: bool
) -> None:
    assert found(text, language)[phrase] is is_negated


def test_a_phrase_does_not_go_on_in_the_next_sentence() -> None:
    assert "price list" not in found("what a price. list it", "en")


def test_an_index_knows_stems_gaps_and_any_word() -> None:
    terms = [term_of(one, "need", 3) for one in ("abseil*", "rope ... access", "yearly _ check")]
    lexicon = lexicon_of("en").__class__(index=index_of(terms))
    for text, name in (
        ("we do abseiling", "abseil*"),
        ("rope for the access", "rope ... access"),
        ("yearly roof check", "yearly _ check"),
    ):
        assert [hit.term.name for hit in find(read_text(text).tokens, lexicon)] == [name]
    assert not find(read_text("rope a b c d e access").tokens, lexicon)
