"""The sentences in each language: all there, with the same places to fill."""

import string

import pytest

from chalicelib.destinations.words import LANGUAGES, TEMPLATES, Words, words
from chalicelib.lead.model import CONTACT_FIELDS


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_file_is_a_language_that_is_used() -> None:
    assert {path.stem for path in TEMPLATES.glob("*.json")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_places(language: str) -> None:
    english, other = words("en"), words(language)
    assert other.tag == language
    assert other.fields.keys() == english.fields.keys()
    for name in Words.model_fields:
        if name not in ("tag", "fields"):
            assert _places(getattr(other, name)) == _places(getattr(english, name)), name
            assert getattr(other, name).strip()


def test_every_contact_field_has_a_name() -> None:
    assert set(CONTACT_FIELDS) - {"message"} <= words("en").fields.keys()


@pytest.mark.parametrize(
    ("language", "tag"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("pt_BR", "en"),
        ("FR", "fr"),
        ("es-419", "es"),
        ("", "en"),
        ("../../etc/passwd", "en"),
        ("mail", "en"),
    ],
)
def test_a_language_we_lack_is_answered_in_english(language: str, tag: str) -> None:
    assert words(language).tag == tag
