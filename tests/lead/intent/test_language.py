"""Which language a message is in, or that it cannot be told."""

import pytest

from bench.intent_data import SENT, cases
from chalicelib.lead.intent.language import LANGUAGES, tell_language
from chalicelib.lead.intent.understand import understand


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, we need a quote", "en"),
        ("Bonjour, il nous faut un devis", "fr"),
        ("Wir brauchen dringend ein Angebot fuer 20 Stuehle", "de"),
        ("hola buenas, cuanto cuesta", "es"),
        ("Добрий день, скільки коштує", "uk"),
        ("Dzien dobry, prosze o wycene", "pl"),
    ],
)
def test_six_languages_are_told_apart_with_and_without_accents(text: str, language: str) -> None:
    assert tell_language(text).language == language


@pytest.mark.parametrize(
    "text",
    [
        "Buongiorno, vorrei un preventivo per favore",
        "Hoi, kunnen jullie een offerte sturen?",
        "Olá, gostaria de um orçamento para a minha empresa",
        "Здравствуйте, сколько стоит доставка",
        "Dobrý den, chtěl bych cenu",
        "asdf qwer zxcv",
        "12345",
        "ok",
        "",
    ],
)
def test_of_another_language_or_of_nothing_it_says_that_it_does_not_know(text: str) -> None:
    assert tell_language(text).language == ""


def test_a_message_in_two_languages_names_both() -> None:
    told = tell_language(
        "Hallo, wir haben eine neue Webseite und brauchen Hilfe. "
        "Could you please send us the prices for your services, thanks."
    )
    assert {told.language, *told.also} >= {"de", "en"}


def test_what_was_never_seen_is_told_in_nine_of_ten() -> None:
    for language in LANGUAGES:
        of_it = [one for one in cases("held_out") if one.language == language]
        told = [understand(one.text, sent=SENT).language == language for one in of_it]
        assert sum(told) >= 0.9 * len(told), language
