"""Last days and lengths of time, in six languages."""

from datetime import date

import pytest

from chalicelib.lead.intent.dates import days_named
from chalicelib.lead.intent.language import Language
from chalicelib.lead.intent.lexicon import lexicon_of
from chalicelib.lead.intent.tokens import read_text

MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "language", "days"),
    [
        ("we need it by Friday", "en", 4),
        ("by 15 March please", "en", 13),
        ("before March 15", "en", 13),
        ("within 48 hours", "en", 2),
        ("in two weeks", "en", 14),
        ("bis Freitag", "de", 4),
        ("spätestens am 15. März", "de", 13),
        ("bis 15.03. bitte", "de", 13),
        ("innerhalb von 3 Tagen", "de", 3),
        ("pour jeudi", "fr", 3),
        ("avant le 15 mars", "fr", 13),
        ("sous 48 heures", "fr", 2),
        ("para el miércoles", "es", 2),
        ("antes del 15 de marzo", "es", 13),
        ("en 48 horas", "es", 2),
        ("до п'ятниці", "uk", 4),
        ("до 15 березня", "uk", 13),
        ("протягом трьох днів", "uk", 3),
        ("do piątku", "pl", 4),
        ("do 15 marca", "pl", 13),
        ("w ciągu 48 godzin", "pl", 2),
    ],
)
def test_a_last_day_is_understood(text: str, language: Language, days: int) -> None:
    found = days_named(read_text(text).tokens, lexicon_of(language), MONDAY)
    assert (days, True) in {(due.days, due.is_last) for due in found}


@pytest.mark.parametrize("text", ["last Friday", "by 31 February", "in 2000 cases", "by the 99"])
def test_what_is_over_or_no_day_is_not(text: str) -> None:
    assert days_named(read_text(text).tokens, lexicon_of("en"), MONDAY) == []


def test_a_day_of_a_month_that_is_over_is_next_years() -> None:
    found = days_named(read_text("by 1 January").tokens, lexicon_of("en"), MONDAY)
    assert [due.days for due in found] == [305]
