"""Signs of spam, and the model that was trained beforehand."""

import pytest

from bench.intent_data import SENT, sms
from chalicelib.lead.intent.lexicon import lexicon_of
from chalicelib.lead.intent.spam import features, model_bits, signs_of_spam
from chalicelib.lead.intent.tokens import read_text
from chalicelib.lead.intent.understand import understand


def because(text: str) -> str:
    return "; ".join(
        sign.because for sign in signs_of_spam(read_text(text), [lexicon_of("en").index])
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("v1agra for you", "viagra, spelt so as not to be seen"),
        ("C A S I N O", "casino, spelt so as not to be seen"),
        ("c\u0430sin\u043e is here", "two alphabets in one word"),
        ("a\u200bb\u200bc", "2 signs that nobody sees"),
        ("\U0001d405\U0001d42b\U0001d41e\U0001d41e", "4 letters drawn by other signs"),
        ("see http://bit.ly/x", "a shortened link: bit.ly"),
        ("see https://a.example.top/x", "a link to a.example.top"),
        ("see http://192.0.2.7/x", "a link to a bare number"),
        ("join https://t.me/x", "a link to a chat: t.me"),
        ("[url=http://example.com]x[/url]", "links written as code"),
        ("http://a.example http://b.example http://c.example", "3 links"),
        ("EVERYTHING HERE IS IN CAPITALS NOW", "mostly capitals"),
        ("now!!!", "signs piled up"),
    ],
)
def test_a_trick_is_a_sign_and_says_what_it_is(text: str, told: str) -> None:
    assert told in because(text)


@pytest.mark.parametrize(
    "text",
    [
        "Please look at https://www.example.com/products and send a quote.",
        "Скiльки коштує цiна",
        "Our model X1 and part b2b, 2x4m",
        "Réf. n° 12-45 àéîõü",
    ],
)
def test_an_honest_message_has_none(text: str) -> None:
    assert because(text) == ""


def scored(is_spam: list[tuple[bool, bool]]) -> float:
    both = sum(truth and said for truth, said in is_spam)
    return 2 * both / (sum(truth for truth, _ in is_spam) + sum(said for _, said in is_spam))


def test_the_model_finds_spam_that_it_was_not_trained_with() -> None:
    _, held = sms()
    assert len(held) > 1000
    assert scored([(one.label == "spam", model_bits(one.text) > 0) for one in held]) >= 0.95


def test_so_do_all_signs_together() -> None:
    _, held = sms()
    told = [understand(one.text, sent=SENT).intent == "spam" for one in held]
    truth = [one.label == "spam" for one in held]
    assert scored(list(zip(truth, told, strict=True))) >= 0.94


def test_the_model_looks_at_words_pairs_and_shape() -> None:
    assert features("Win 100 now") == sorted(
        ["win", "000", "now", "win 000", "000 now", "#length0", "#capitals1", "#digits2"]
    )
