"""What only Pinterest does: sealed pushes of unknown layout, opened with a key from its API."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chalicelib.cli.cases import load_case
from chalicelib.connector import Get, Submission, complete, read
from chalicelib.errors import Gone, Malformed, Misconfigured
from connectors.pinterest import connector

CASE = load_case("pinterest", "sealed_member")
OPTIONS = {"ad_account_id": "549755885176"}
SUBSCRIPTIONS = "ad_accounts/549755885176/leads/subscriptions"
KEY = b"0123456789abcdef0123456789abcdef"
OTHER_KEY = b"fedcba9876543210fedcba9876543210"
NONCE = b"nonce-12byte"
LONG_NONCE = b"nonce-of-16bytes"
LEAD = {
    "lead_id": "77",
    "lead_form_id": "65300871001",
    "answers": ["Ana Muestra", "ana@example.org", "11-50"],
}
FORM = {
    "name": "Spring",
    "questions": [
        {"question_type": "FULL_NAME"},
        {"question_type": "EMAIL"},
        {"question_type": "CUSTOM", "custom_question_label": "How many seats?"},
    ],
}


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sealed(lead: Any, nonce: bytes = NONCE, key: bytes = KEY) -> bytes:
    return AESGCM(key).encrypt(nonce, json.dumps(lead).encode(), None)


def giving(*keys: bytes, form: Any = FORM) -> Get:
    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        if path == SUBSCRIPTIONS:
            return {"items": [{"cryptographic_key": text(key)} for key in keys]}
        if path == "ad_accounts/549755885176/lead_forms/65300871001" and form:
            return form
        raise Gone(path)

    return get


def fetched(body: Any, get: Get, **options: Any) -> Submission:
    (thin,) = read(connector, CASE.request(body=body), {**OPTIONS, **options})
    assert isinstance(thin, Submission)
    whole = complete(connector, thin, get)
    assert isinstance(whole, Submission)
    assert whole.external_id == thin.external_id
    return whole


WHOLE = sealed(LEAD)
LAYOUTS: dict[str, Any] = {
    "a text, nonce first": json.dumps(text(NONCE + WHOLE)),
    "a bare text": text(NONCE + WHOLE),
    "a member": [
        {"lead_form_id": "65300871001", "ad_id": "222254831001", "data": text(NONCE + WHOLE)}
    ],
    "nonce apart": {"iv": text(NONCE), "ciphertext": text(WHOLE)},
    "nonce and tag apart": {"iv": text(NONCE), "d": text(WHOLE[:-16]), "tag": text(WHOLE[-16:])},
    "tag apart": {"d": text(NONCE + WHOLE[:-16]), "tag": text(WHOLE[-16:])},
    "tag first": {"nonce": text(NONCE), "d": text(WHOLE[-16:] + WHOLE[:-16])},
    "nonce of 16": {"iv": text(LONG_NONCE), "d": text(sealed(LEAD, LONG_NONCE))},
    "for addresses": {"d": base64.urlsafe_b64encode(NONCE + WHOLE).decode().rstrip("=")},
    "hex": {"iv": NONCE.hex(), "d": WHOLE.hex()},
    "further down": {"payload": {"envelope": [{"iv": text(NONCE), "d": text(WHOLE)}]}},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_lead_is_opened_however_its_envelope_is_laid_out(layout: str) -> None:
    found = fetched(LAYOUTS[layout], giving(OTHER_KEY, KEY))
    assert found.answers == {
        "FULL_NAME": "Ana Muestra",
        "EMAIL": "ana@example.org",
        "How many seats?": "11-50",
    }
    assert (found.form, found.form_title) == ("65300871001", "Spring")


@pytest.mark.parametrize(
    "answers",
    [
        [
            {"question_type": "FULL_NAME", "answer": "Ana Muestra"},
            {"question_type": "EMAIL", "value": "ana@example.org"},
            {"question_type": "CUSTOM", "custom_question_label": "Topics", "answers": ["A", "B"]},
        ],
        {"FULL_NAME": "Ana Muestra", "EMAIL": "ana@example.org", "Topics": ["A", "B"]},
    ],
)
def test_answers_that_name_their_question_need_no_form(answers: Any) -> None:
    body = {"d": text(NONCE + sealed({**LEAD, "answers": answers}))}
    found = fetched(body, giving(KEY, form=None))
    expected = {"FULL_NAME": "Ana Muestra", "EMAIL": "ana@example.org", "Topics": ("A", "B")}
    assert found.answers == expected


def test_a_flat_lead_is_read_without_what_is_no_answer() -> None:
    flat = {"lead_id": "77", "ad_id": "1", "email": "ana@example.org"}
    found = fetched({"d": text(NONCE + sealed(flat))}, giving(KEY))
    assert found.answers == {"email": "ana@example.org"}


def test_the_same_push_twice_is_the_same_lead_and_an_open_id_goes_before() -> None:
    body = {"d": text(NONCE + WHOLE)}
    again, other = (
        fetched(b, giving(KEY)) for b in (body, {"d": text(LONG_NONCE + sealed(LEAD, LONG_NONCE))})
    )
    assert fetched(body, giving(KEY)).external_id == again.external_id != other.external_id
    assert fetched({**body, "lead_id": 78}, giving(KEY)).external_id == "78"


@pytest.mark.parametrize(
    "body",
    [
        {"d": text(NONCE + sealed(LEAD, key=OTHER_KEY))},
        {"d": text(NONCE + WHOLE[:-1] + b"x")},
        {"d": text(NONCE + WHOLE)[:40]},
        {"d": "no base64 at all"},
        {"answers": ["Ana Muestra", "ana@example.org"]},
        LEAD,
    ],
)
def test_what_our_key_does_not_open_is_no_lead(body: Any) -> None:
    with pytest.raises(Malformed, match="key"):
        fetched(body, giving(KEY))


@pytest.mark.parametrize("lead", [[], 7, "x", {}, {"lead_id": "1"}, {"answers": []}, [LEAD, LEAD]])
def test_what_is_sealed_and_no_lead_is_malformed(lead: Any) -> None:
    with pytest.raises(Malformed):
        fetched({"d": text(NONCE + sealed(lead))}, giving(KEY))


def test_a_key_of_another_length_or_none_is_the_admins_to_mend() -> None:
    for keys in ((), (b"short",)):
        with pytest.raises(Misconfigured):
            fetched({"d": text(NONCE + WHOLE)}, giving(*keys))
    with pytest.raises(Misconfigured):
        fetched({"d": text(NONCE + WHOLE)}, giving(KEY), ad_account_id="")


def test_an_envelope_of_many_parts_is_given_up() -> None:
    body = {f"k{n}": text(bytes([n]) * 16) for n in range(200)}
    with pytest.raises(Malformed):
        fetched(body, giving(KEY))


def test_a_subscription_elsewhere_is_none() -> None:
    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        assert path == SUBSCRIPTIONS
        return {"items": [{"webhook_url": "https://hub.example.com/hooks/p", "lead_form_id": "5"}]}

    assert connector.subscription
    options = connector.options_with(OPTIONS)
    assert connector.subscription(get, options, "https://hub.example.com/hooks/p").is_active
    assert not connector.subscription(get, options, "https://hub.example.com/hooks/x").is_active
