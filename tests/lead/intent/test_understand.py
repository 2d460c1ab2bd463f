"""What a message asks for, how pressing it is, and by which of its words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.intent_data import SENT, Part, cases
from chalicelib.config.model import Intent, IntentHint, IntentWords
from chalicelib.lead.intent.understand import (
    MOST_POINTS,
    NOTHING,
    Understanding,
    totals_of,
    understand,
)
from chalicelib.lead.model import INTENTS


def read(
    text: str, settings: Intent | None = None, form: str = "", source: str = ""
) -> Understanding:
    return understand(text, sent=SENT, settings=settings, form=form, source=source)


@pytest.mark.parametrize(
    ("text", "intent", "urgency"),
    [
        ("We need a quote for 20 chairs", "need", ""),
        ("We need a plumber as soon as possible", "urgent_need", "urgent"),
        ("How much does it cost? No rush, just comparing prices", "price_research", "later"),
        ("Ich kann mich nicht einloggen, Passwort vergessen", "support", ""),
        ("Je vous envoie mon CV, cherchez-vous du personnel ?", "job_seeker", ""),
        ("Proponujemy pozycjonowanie strony, nasza agencja ma wielu klientów", "vendor", ""),
        ("Click here to claim your prize http://bit.ly/x", "spam", ""),
        ("¿A qué hora abren y dónde están?", "information", ""),
        ("Терміново потрібен електрик, сьогодні", "urgent_need", "urgent"),
    ],
)
def test_intent_and_urgency_are_told(text: str, intent: str, urgency: str) -> None:
    found = read(text)
    assert (found.intent, found.urgency) == (intent, urgency)
    assert found.sure >= 50


@pytest.mark.parametrize("text", ["", "   ", "...", "test", "12345", "hello", "ok thanks"])
def test_of_what_says_nothing_it_says_that_it_does_not_know(text: str) -> None:
    assert read(text).intent == "unknown"
    assert read(text).urgency == ""


def test_what_says_two_things_alike_is_unknown_and_names_a_guess() -> None:
    found = read("It is about the internship and a refund")
    assert found.intent == "unknown"
    assert found.guess in ("job_seeker", "support")
    assert found.sure < 50


def test_points_of_an_intent_are_those_of_its_signs() -> None:
    found = read("We need a quote, please call me as soon as possible")
    need = [sign.points for sign in found.signs if sign.label == "need"]
    assert totals_of(found.signs)["need"] == min(sum(need), MOST_POINTS)
    assert all(sign.because for sign in found.signs)


def test_a_word_counts_once_however_often_it_stands_there() -> None:
    once, often = read("urgent"), read("urgent " * 50)
    assert totals_of(once.signs)["urgent"] == totals_of(often.signs)["urgent"]


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("We need it by Wednesday", "urgent"),
        ("We need it by 25 March", "soon"),
        ("We need it by 25 September", "later"),
        ("It is not urgent", "later"),
        ("We ordered last Wednesday", ""),
    ],
)
def test_urgency_is_by_how_far_off_a_day_is(text: str, urgency: str) -> None:
    assert read(text).urgency == urgency


def test_the_same_words_on_a_later_day_are_more_pressing() -> None:
    text = "please by 25 March"
    assert understand(text, sent=date(2026, 3, 24)).urgency == "urgent"


def test_words_of_the_admins_count() -> None:
    own = Intent(words=(IntentWords(intent="need", words=("abseil*",), points=8),))
    assert read("abseiling").intent == "unknown"
    assert read("abseiling", own).intent == "need"


def test_words_of_the_admins_may_speak_against() -> None:
    text = "please send your price list"
    own = Intent(words=(IntentWords(intent="price_research", words=("price list",), points=-10),))
    assert read(text).intent == "price_research"
    assert read(text, own).intent != "price_research"


def test_points_of_a_phrase_can_be_set_and_switched_off() -> None:
    text = "Nous sommes le casino de la ville et vous écrivons."
    assert read(text).intent == "spam"
    assert read(text, Intent(points={"spam:casino": 0})).intent == "unknown"


def test_a_form_and_a_source_say_something_by_themselves() -> None:
    text = "My name is Ann, I live nearby."
    hint = IntentHint(intent="job_seeker", source="careers", points=6)
    assert read(text).intent == "unknown"
    assert read(text, Intent(hints=(hint,)), source="careers").intent == "job_seeker"
    assert read(text, Intent(hints=(hint,)), source="website").intent == "unknown"
    form = Intent(hints=(IntentHint(intent="support", form="HELP", points=6),))
    assert read(text, form, form="Help desk").intent == "support"


def test_the_title_of_a_form_counts_half() -> None:
    found = read("Ann, 20 people", form="Request a quote")
    assert [sign.points for sign in found.signs if "titled" in sign.because] == [2]


@given(st.text(max_size=400))
def test_any_text_is_understood_the_same_way_twice(text: str) -> None:
    found = read(text)
    assert found == read(text)
    assert found.intent in INTENTS
    assert 0 <= found.sure <= 100


def test_nothing_is_nothing() -> None:
    assert read("\u200b") == NOTHING


@pytest.mark.parametrize(
    ("part", "right", "right_if_told"), [("known", 0.9, 0.95), ("held_out", 0.6, 0.8)]
)
def test_cases_come_out_as_people_take_them(part: Part, right: float, right_if_told: float) -> None:
    found = [(one, read(one.text)) for one in cases(part)]
    told = [(one, it) for one, it in found if it.intent != "unknown"]
    assert sum(one.intent == it.intent for one, it in found) >= right * len(found)
    assert sum(one.intent == it.intent for one, it in told) >= right_if_told * len(told)
    assert sum(one.urgency == it.urgency for one, it in found) >= 0.85 * len(found)
