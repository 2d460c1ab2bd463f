"""What visitors and scripts on pages get from a web form, and what counts as the same click."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.connector import Reply, Request, Submission, read
from chalicelib.registry import load

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ORIGIN = "https://www.example.com"
THANKS = "https://www.example.com/thanks"
connector = load("html_form")


def form(body: str, at: datetime = NOW, method: str = "POST", **headers: str) -> Request:
    named = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    named["content-type"] = ("application/x-www-form-urlencoded",)
    return Request(method, "/hooks/website", {}, named, body.encode(), at)


def act(request: Request, **options: Any) -> Submission:
    (submission,) = read(connector, request, options)
    assert isinstance(submission, Submission)
    return submission


def reply(request: Request, **options: Any) -> Reply:
    assert connector.reply
    return connector.reply(request, {**connector.options, **options})


def cors(request: Request, **options: Any) -> dict[str, str]:
    assert connector.cors
    return dict(connector.cors(request, {**connector.options, **options}))


def test_a_double_click_is_one_submission_and_the_order_of_inputs_does_not_matter() -> None:
    first = act(form("email=a%40example.com&x=1"))
    assert act(form("x=1&email=a%40example.com", NOW + timedelta(seconds=599))) == first.model_copy(
        update={"submitted_at": NOW + timedelta(seconds=599)}
    )
    later = act(form("email=a%40example.com&x=1", NOW + timedelta(seconds=600)))
    assert later.external_id != first.external_id
    assert act(form("email=a%40example.com&x=2")).external_id != first.external_id


def test_sending_again_with_another_answer_is_a_revision_of_the_same_submission() -> None:
    first = act(form("submission_id=u1&email=typo%40example.com"))
    again = act(form("submission_id=u1&email=fixed%40example.com"))
    assert first.external_id == again.external_id == "u1"
    assert first.revision != again.revision


def test_cors_names_the_origin_that_is_configured_and_no_other() -> None:
    allowed = {"origins": (ORIGIN,)}
    assert cors(form("", origin=ORIGIN), **allowed) == {
        "Access-Control-Allow-Origin": ORIGIN,
        "Vary": "Origin",
    }
    preflight = cors(form("", method="OPTIONS", origin=ORIGIN), **allowed)
    assert preflight["Access-Control-Allow-Methods"] == "POST"
    assert "Access-Control-Allow-Credentials" not in preflight


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "*",
        "",
        "https://evil.example",
        "https://www.example.com.evil.example",
        "https://evilwww.example.com",
        "http://www.example.com",
        "https://www.example.com:8443",
        "https://www.example.com/",
        "HTTPS://WWW.EXAMPLE.COM",
        "https://example.com",
    ],
)
def test_cors_is_an_exact_match(origin: str) -> None:
    sent = form("email=a%40example.com", origin=origin)
    assert cors(sent, origins=(ORIGIN, "null", "*")) == {}
    assert cors(sent) == {}
    assert act(sent, origins=(ORIGIN,)).is_spam == bool(origin)


def test_two_origins_in_one_request_are_none() -> None:
    sent = replace(form(""), headers={"origin": (ORIGIN, "https://evil.example")})
    assert cors(sent, origins=(ORIGIN,)) == {}


def test_a_browser_is_sent_on_and_a_script_gets_json() -> None:
    sent = reply(form("a=1", accept="text/html,*/*"), redirect=THANKS)
    assert (sent.status, sent.headers["Location"]) == (303, THANKS)
    for accept in ("*/*", "application/json"):
        script = reply(form("a=1", accept=accept), redirect=THANKS)
        assert (script.status, json.loads(script.body)) == (200, {"status": "received"})
    page = reply(form("a=1", accept="text/html"), thanks="<b>Merci</b>")
    assert page.status == 200
    assert page.content_type.startswith("text/html")
    assert "&lt;b&gt;Merci&lt;/b&gt;" in page.body
    assert "<b>" not in page.body
    assert page.headers["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/",
        "//evil.example",
        "https://www.example.com/thanks.evil.example",
        "javascript:alert(1)",
        THANKS + "\r\nSet-Cookie: a=b",
        "",
    ],
)
def test_a_form_cannot_choose_where_the_visitor_goes(asked: str) -> None:
    from urllib.parse import quote

    sent = form(f"a=1&_redirect={quote(asked)}&next={quote(asked)}", accept="text/html")
    for options in ({"redirect": THANKS}, {"redirect": THANKS, "redirects": (THANKS + "/b",)}):
        assert reply(sent, **options).headers["Location"] == THANKS


def test_a_form_may_choose_among_the_configured_addresses() -> None:
    sent = form(f"a=1&_redirect={THANKS}/b", accept="text/html")
    assert (
        reply(sent, redirect=THANKS, redirects=(f"{THANKS}/b",)).headers["Location"]
        == f"{THANKS}/b"
    )


@pytest.mark.parametrize(
    "address", ["http://www.example.com", "javascript:alert(1)", "https://a b"]
)
def test_a_configured_address_that_is_not_https_is_not_used(address: str) -> None:
    assert reply(form("a=1", accept="text/html"), redirect=address).status == 200


@pytest.mark.parametrize("status", [401, 404, 413, 500, 503])
def test_a_visitor_whose_form_was_not_taken_sees_none_of_our_internals(status: int) -> None:
    assert connector.apologise
    for accept in ("text/html", "*/*"):
        said = connector.apologise(form("a=1", accept=accept), connector.options, status)
        assert said.status == status
        for word in ("secret", "token", "Unverified", "website", "Traceback", str(status)):
            assert word not in said.body


def test_a_body_that_cannot_be_read_still_gets_the_usual_answer() -> None:
    broken = replace(form("x", accept="text/html"), body=b"&" * 5_000)
    assert reply(broken, redirect=THANKS, redirects=(THANKS + "/b",)).status == 303


@pytest.mark.parametrize(
    ("body", "given", "wording"),
    [
        ("consent=on&consent_text=v3", True, "v3"),
        ("consent_text=v3", False, "v3"),
        ("consent=no&consent_text=v3", False, "v3"),
        ("consent=I+agree", True, "I agree"),
    ],
)
def test_consent_is_read_with_its_wording(body: str, given: bool, wording: str) -> None:
    (consent,) = act(form(f"email=a%40example.com&{body}")).consents
    assert (consent.given, consent.wording, consent.purpose) == (given, wording, "contact")


def test_a_form_without_a_box_is_no_consent_either_way() -> None:
    assert act(form("email=a%40example.com")).consents == ()


def test_an_origin_that_is_a_part_of_ours_is_not_ours() -> None:
    request = form("email=a%40example.com", origin="https://www.example.co")
    # A text in place of a list is refused when a form is read; until then it lets nobody in.
    assert cors(request, origins=ORIGIN) == {}
