"""Custom fields: answers read as the type that the configuration says."""

import pytest

from chalicelib.config.model import CustomField
from chalicelib.lead.custom import clean_custom
from chalicelib.lead.model import Answer

NUMBERS = [
    ("12", 12, ()),
    ("007", 7, ()),
    ("-3", -3, ()),
    ("1,000", 1000, ()),
    ("1.000", 1000, ()),
    ("1 000", 1000, ()),
    ("1'000'000", 1_000_000, ()),
    ("1\u00a0000", 1000, ()),
    ("1.0", 1, ()),
    ("1.5", "1.5", ()),
    ("1,5", "1.5", ()),
    ("10k", 10_000, ()),
    ("٥٠", 50, ()),
    ("５０", 50, ()),
    ("250 employees", 250, ()),
    ("51-200", 51, ("range",)),
    ("51 – 200 employees", 51, ("range",)),
    ("51-200 Mitarbeiter", 51, ("range",)),
    ("5,001-10,000", 5001, ("range",)),
    ("10k-50k", 10_000, ("range",)),
    ("5 to 10", 5, ("range",)),
    ("5 bis 10", 5, ("range",)),
    ("500+", 500, ("range",)),
    ("10,001+ employees", 10_001, ("range",)),
    ("> 500", 500, ("range",)),
    ("many", None, ("unreadable",)),
    ("NaN", None, ("unreadable",)),
    ("Infinity", None, ("unreadable",)),
    ("1e400", None, ("unreadable",)),
    ("9" * 400, None, ("unreadable",)),
    ("1" * 19, None, ("unreadable",)),
    ("1_000", None, ("unreadable",)),
    (" ", None, ()),
]

BOOLEANS = [
    *[(text, True) for text in ("yes", "Yes!", "TRUE", "on", "1", "x", "Ja", "oui", "Sí", "tak")],
    *[(text, True) for text in ("да", "はい", "是", "نعم", "☑", "Kyllä", "Yes, please")],
    *[(text, False) for text in ("no", "FALSE", "off", "0", "Nein", "non", "não", "нет", "いいえ")],
    *[(text, False) for text in ("No thanks", "opt-out")],
    *[(text, None) for text in ("maybe", "2", "ask me later")],
]


@pytest.mark.parametrize(("raw", "value", "notes"), NUMBERS)
def test_a_number_is_read_exactly_or_not_at_all(
    raw: str, value: int | str | None, notes: tuple[str, ...]
) -> None:
    read = clean_custom(raw, CustomField(id="size", type="number"))
    assert (read.value, type(read.value), read.notes) == (value, type(value), notes)


@pytest.mark.parametrize(("raw", "value"), BOOLEANS)
def test_yes_and_no_are_known_in_several_languages(raw: str, value: bool | None) -> None:
    read = clean_custom(raw, CustomField(id="agreed", type="boolean"))
    assert read.value is value
    assert read.notes == (() if value is not None else ("unreadable",))


@pytest.mark.parametrize(
    ("raw", "value", "notes"),
    [
        ("Crème", "Crème", ()),
        ("CREME ", "Crème", ()),
        ("Other", "Other", ("unknown_choice",)),
        (("creme", "Noir"), ("Crème", "Noir"), ()),
    ],
)
def test_a_choice_takes_the_spelling_of_the_configuration(
    raw: Answer, value: str | tuple[str, ...], notes: tuple[str, ...]
) -> None:
    field = CustomField(id="colour", type="choice", choices=("Crème", "Noir"))
    assert clean_custom(raw, field) == (value, notes)


@pytest.mark.parametrize(
    ("raw", "value"),
    [("a", ("a",)), (("a", "b"), ("a", "b")), (("a, b", " "), ("a, b",)), (("", ""), None)],
)
def test_a_list_stays_a_list(raw: Answer, value: tuple[str, ...] | None) -> None:
    assert clean_custom(raw, CustomField(id="topics", type="list")).value == value


def test_several_texts_stay_several() -> None:
    field = CustomField(id="note")
    assert clean_custom(("a", "b"), field).value == ("a", "b")
    assert clean_custom((" a ",), field).value == "a"
