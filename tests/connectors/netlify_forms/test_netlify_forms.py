"""What only Netlify does: a JWS that names the body's digest, and hooks that get disabled."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Request, Window, read
from chalicelib.errors import Misconfigured, Unverified
from connectors.netlify_forms import PER_PAGE, connector

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TOLD = load_case("netlify_forms", "contact_form")
DIGEST = hashlib.sha256(TOLD.request().body).hexdigest()
CLAIMS = {"iss": "netlify", "sha256": DIGEST}


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_token(head: Any, claims: Any, secret: str = "key") -> Request:
    signed = f"{packed(head)}.{packed(claims)}"
    mac = base64.urlsafe_b64encode(hmac.digest(secret.encode(), signed.encode(), "sha256"))
    token = f"{signed}.{mac.rstrip(b'=').decode()}"
    return replace(TOLD.request(), headers={"x-webhook-signature": (token,)})


def test_a_token_of_netlify_for_this_body_is_accepted() -> None:
    request = with_token({"alg": "HS256", "typ": "JWT"}, {**CLAIMS, "iat": 1})
    assert connector.signature.verify(request, ("other", "key"), NOW) == request


@pytest.mark.parametrize(
    ("head", "claims", "secret"),
    [
        ({"alg": "none"}, CLAIMS, "key"),
        ({"alg": "RS256"}, CLAIMS, "key"),
        ({}, CLAIMS, "key"),
        ([], CLAIMS, "key"),
        ({"alg": "HS256"}, {**CLAIMS, "iss": "mallory"}, "key"),
        ({"alg": "HS256"}, {"iss": "netlify"}, "key"),
        ({"alg": "HS256"}, {**CLAIMS, "sha256": "0" * 64}, "key"),
        ({"alg": "HS256"}, {**CLAIMS, "sha256": DIGEST.upper()}, "key"),
        ({"alg": "HS256"}, {**CLAIMS, "sha256": None}, "key"),
        ({"alg": "HS256"}, CLAIMS, "another"),
        ({"alg": "HS256"}, CLAIMS, ""),
    ],
)
def test_any_other_token_is_refused(head: Any, claims: Any, secret: str) -> None:
    with pytest.raises(Unverified):
        connector.signature.verify(with_token(head, claims, secret), ("key", ""), NOW)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "é.é.é"])
def test_what_is_no_token_is_refused(token: str) -> None:
    request = replace(TOLD.request(), headers={"x-webhook-signature": (token,)})
    with pytest.raises(Unverified):
        connector.signature.verify(request, ("key",), NOW)


def test_an_empty_secret_signs_nothing() -> None:
    with pytest.raises(Misconfigured):
        connector.signature.verify(with_token({"alg": "HS256"}, CLAIMS, ""), ("",), NOW)


def api(answers: dict[str, Any]) -> Any:
    return replace(TOLD, fetched=answers).get


def test_back_fill_gives_what_the_notification_gave() -> None:
    assert connector.backfill
    options = connector.options_with({"site_id": "s"})
    window = Window(datetime(2025, 10, 9, tzinfo=UTC), datetime(2025, 10, 10, tzinfo=UTC))
    answers = {f"sites/s/submissions?page=1&per_page={PER_PAGE}": [TOLD.body]}
    page = connector.backfill.page(api(answers), window, "", options)
    assert page.next == ""
    listed = [connector.backfill.parse(item, options) for item in page.items]
    assert listed == read(connector, TOLD.request(), options)


def test_back_fill_pages_until_the_window_is_past() -> None:
    assert connector.backfill
    options = connector.options_with({"forms": ("f",)})
    path = f"forms/f/submissions?page={{}}&per_page={PER_PAGE}"
    new = [{"created_at": "2026-01-05T08:00:00Z"}] * PER_PAGE
    old = [{"created_at": "2026-01-03T08:00:00Z"}] * PER_PAGE
    get = api({path.format(1): new, path.format(2): old})
    window = Window(NOW - timedelta(days=1), NOW)
    first = connector.backfill.page(get, window, "", options)
    assert (len(first.items), first.next) == (PER_PAGE, "f 2")
    second = connector.backfill.page(get, window, first.next, options)
    assert (second.items, second.next) == ((), "")


def test_back_fill_without_a_site_is_misconfigured() -> None:
    assert connector.backfill
    with pytest.raises(Misconfigured):
        connector.backfill.page(api({}), Window(NOW, NOW), "", connector.options)


HOOK = {"event": "submission_created", "data": {"url": "https://hub.example.com/hooks/n"}}


@pytest.mark.parametrize(
    ("hooks", "is_active"),
    [
        ([{**HOOK, "disabled": False}], True),
        ([{**HOOK, "disabled": True}, {**HOOK, "disabled": False}], True),
        ([{**HOOK, "disabled": True}], False),
        ([], False),
        ([{**HOOK, "event": "deploy_created"}], False),
        ([{**HOOK, "data": {"url": "https://example.org/"}}, {**HOOK, "data": None}], False),
    ],
)
def test_a_notification_that_is_gone_or_disabled_is_noticed(
    hooks: list[Any], is_active: bool
) -> None:
    assert connector.subscription
    options = connector.options_with({"site_id": "s"})
    found = connector.subscription(
        api({"hooks?site_id=s": hooks}), options, "https://hub.example.com/hooks/n"
    )
    assert found.is_active is is_active
    assert found.detail


def test_neither_switched_off_nor_too_large_makes_netlify_disable_the_hook() -> None:
    assert (connector.statuses.switched_off, connector.statuses.too_large) == (200, 200)
