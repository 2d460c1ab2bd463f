"""Google Forms by notice: the list is read by page and form, and a token proves the notice."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.connector import Submission, Window
from chalicelib.errors import Misconfigured, Unverified
from chalicelib.public_key import GOOGLE_KEYS_URL, GoogleToken
from chalicelib.request import Request
from connectors.google_forms import SCRIPT, connector
from tests.listing import items_of, pages_of

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/google_forms.json").read_text("utf-8"))
NOW = datetime(2025, 10, 10, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(days=2), NOW)
AUDIENCE = "a-long-random-audience"

FORM = {
    "formId": "f1",
    "info": {"title": "Webinar"},
    "items": [
        {"title": "Email", "questionItem": {"question": {"questionId": "q1"}}},
        {"title": "utm_source", "questionItem": {"question": {"questionId": "q2"}}},
        {
            "title": "Rooms",
            "questionGroupItem": {
                "questions": [{"questionId": "q3", "rowQuestion": {"title": "Tuesday"}}]
            },
        },
    ],
}


def response(name: str, at: str = "2025-10-09T08:00:00.123456Z") -> dict[str, Any]:
    texts = {"q1": f"{name}@example.com", "q2": "news", "q3": "Big"}
    return {
        "responseId": name,
        "createTime": at,
        "lastSubmittedTime": at,
        "answers": {
            key: {"questionId": key, "textAnswers": {"answers": [{"value": text}]}}
            for key, text in texts.items()
        },
    }


class Google:
    """Two forms, one of them with two pages of responses."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def __call__(self, path: str, params: Any = None, **_: Any) -> Any:
        self.asked.append((path, params or {}))
        if path.endswith("/responses"):
            if path == "forms/f2/responses":
                return {}
            if "pageToken" in params:
                return {"responses": [response("c", "2025-10-01T00:00:00Z")]}
            return {"responses": [response("a"), response("b")], "nextPageToken": "two"}
        return FORM


def listed() -> tuple[list[Any], Google]:
    google = Google()
    pages = pages_of(connector, google, WINDOW, {"forms": ("f1", "f2")}, most=9)
    return items_of(pages), google


def test_every_form_is_read_to_its_end_and_only_within_the_window() -> None:
    items, google = listed()
    assert [item["response"]["responseId"] for item in items] == ["a", "b"]
    asked = [params for path, params in google.asked if path == "forms/f1/responses"]
    assert [params.get("pageToken") for params in asked] == [None, "two"]
    assert {params["filter"] for params in asked} == {"timestamp >= 2025-10-08T00:00:00Z"}
    assert any(path == "forms/f2/responses" for path, _ in google.asked)


def test_a_listed_response_has_its_questions_by_name() -> None:
    assert connector.backfill
    read = connector.backfill.parse(listed()[0][0], connector.options_with({}))
    assert isinstance(read, Submission)
    assert read.external_id == "a"
    assert read.revision == "2025-10-09T08:00:00.123456Z"
    assert read.answers == {"q1": "a@example.com", "q3": "Big"}
    assert read.labels == {"q1": "Email", "q3": "Rooms: Tuesday"}
    assert read.hints == {"q1": "email"}
    assert read.campaign == {"utm_source": "news"}
    assert read.form_title == "Webinar"


def test_what_the_script_signs_is_accepted() -> None:
    headers = {name.lower(): (value,) for name, value in VECTOR["headers"].items()}
    at = datetime.fromtimestamp(VECTOR["timestamp"], UTC)
    sent = Request("POST", "/hooks/f", {}, headers, VECTOR["body"].encode(), at)
    SCRIPT.verify(sent, (VECTOR["secret"],), at)
    for body in (sent.body + b" ", sent.body.replace(b"Zo", b"zo")):
        with pytest.raises(Unverified):
            SCRIPT.verify(replace(sent, body=body), (VECTOR["secret"],), at)
    with pytest.raises(Unverified):
        SCRIPT.verify(sent, (VECTOR["secret"],), at + timedelta(hours=1))


def a_notice() -> Request:
    return Request("POST", "/hooks/f", {}, {}, b"{}", NOW)


def spoiled(**claims: Any) -> Request:
    """Give a notice whose token says something else, signed by the same key."""
    import jwt

    from chalicelib import public_key

    signed = GoogleToken().sign(a_notice(), AUDIENCE)
    token = signed.header("authorization").removeprefix("Bearer ")
    told = {**jwt.decode(token, options={"verify_signature": False}), **claims}
    key, _ = public_key._made_up()
    again = jwt.encode(told, key, algorithm="RS256", headers={"kid": "made-up"})
    return replace(signed, headers={"authorization": (f"Bearer {again}",)})


def test_a_token_of_google_for_our_audience_is_accepted_and_not_kept() -> None:
    signed = GoogleToken().sign(a_notice(), AUDIENCE)
    kept = GoogleToken().verify(signed, (AUDIENCE,), NOW + timedelta(minutes=5))
    assert kept.header("authorization") == ""
    assert GoogleToken().key_url(signed, (AUDIENCE,)) == GOOGLE_KEYS_URL


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://accounts.example.com"},
        {"aud": "another"},
        {"email_verified": False},
        {"exp": int(NOW.timestamp()) - 3600},
        {"exp": "soon"},
    ],
    ids=lambda claims: "-".join(map(str, claims)),
)
def test_a_token_for_others_or_of_yesterday_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Unverified):
        GoogleToken().verify(spoiled(**claims), (AUDIENCE,), NOW)


def test_a_token_without_a_signature_or_of_another_key_is_refused() -> None:
    import jwt

    signed = GoogleToken().sign(a_notice(), AUDIENCE)
    token = signed.header("authorization").removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": "made-up"})
    by_secret = jwt.encode(claims, "x" * 40, algorithm="HS256", headers={"kid": "made-up"})
    cut = token.rpartition(".")[0] + "."
    for forged in (unsigned, by_secret, cut, "", "a.b.c"):
        with pytest.raises(Unverified):
            GoogleToken().verify(
                replace(signed, headers={"authorization": (f"Bearer {forged}",)}), (AUDIENCE,), NOW
            )
    for keys in ("", "{}", '{"keys": []}', "[]", "null"):
        with pytest.raises(Unverified):
            GoogleToken().verify(replace(signed, public_key=keys), (AUDIENCE,), NOW)
    with pytest.raises(Misconfigured):
        GoogleToken().verify(signed, ("",), NOW)
