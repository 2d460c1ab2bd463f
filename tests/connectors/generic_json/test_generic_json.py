"""What home-made senders may leave out, and how they write times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.connector import Request, Submission, read
from chalicelib.errors import Malformed, Misconfigured, Unverified
from chalicelib.played import content_bytes
from chalicelib.registry import load

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
connector = load("generic_json")


def acts(body: Any, at: datetime = NOW, **options: Any) -> list[Submission]:
    request = Request("POST", "/hooks/zapier", {}, {}, content_bytes(body), at)
    return [act for act in read(connector, request, options) if isinstance(act, Submission)]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-04T10:00:00Z", datetime(2026, 1, 4, 10, tzinfo=UTC)),
        ("2026-01-04T10:00:00+02:00", datetime(2026, 1, 4, 8, tzinfo=UTC)),
        ("2026-01-04 10:00", datetime(2026, 1, 4, 10, tzinfo=UTC)),
        ("2026-01-04", datetime(2026, 1, 4, tzinfo=UTC)),
        ("1767520800", datetime(2026, 1, 4, 10, tzinfo=UTC)),
        (1767520800000, datetime(2026, 1, 4, 10, tzinfo=UTC)),
        ("04/01/2026", NOW),
        ("yesterday", NOW),
        ("2126-01-04", NOW),
        ("0001-01-01T00:00:00+14:00", NOW),
        ("0001-01-01T00:00:00Z", NOW),
        ("1970-01-01T00:00:00Z", NOW),
        ("9" * 400, NOW),
        ("1" * 400, NOW),
        ("", NOW),
        (None, NOW),
    ],
)
def test_a_time_is_read_or_is_the_time_of_arrival(text: Any, moment: datetime) -> None:
    (act,) = acts({"email": "a@example.com", "submitted_at": text})
    assert act.submitted_at == moment


def test_without_an_id_the_same_content_on_the_same_day_is_the_same_submission() -> None:
    body = {"email": "a@example.com", "x": "1"}
    (first,), (again,) = (
        acts(body),
        acts({"x": "1", "email": "a@example.com"}, NOW + timedelta(hours=9)),
    )
    (next_day,), (other,) = acts(body, NOW + timedelta(days=1)), acts({**body, "x": "2"})
    assert first.external_id == again.external_id
    assert len({first.external_id, next_day.external_id, other.external_id}) == 3


@pytest.mark.parametrize(
    ("consent", "given", "wording"),
    [
        (True, True, ""),
        ("TRUE", True, ""),
        ("no", False, ""),
        ({"given": "yes", "text": "v3"}, True, "v3"),
        ("pending approval", False, "pending approval"),
    ],
)
def test_consent_is_yes_only_where_it_says_yes(consent: Any, given: bool, wording: str) -> None:
    ((read_consent,),) = (
        act.consents for act in acts({"email": "a@example.com", "consent": consent})
    )
    assert (read_consent.given, read_consent.wording) == (given, wording)


@pytest.mark.parametrize("body", [{}, None, "x", {"email": ""}])
def test_what_is_about_nobody_is_malformed(body: Any) -> None:
    with pytest.raises(Malformed):
        acts("null" if body is None else body)


@pytest.mark.parametrize("item", [1, "a", [{}], None, {"id": "1"}])
def test_of_a_list_only_what_is_about_nobody_cannot_be_read(item: Any) -> None:
    good = {"email": "a@example.com"}
    request = Request("POST", "/hooks/zapier", {}, {}, content_bytes([good, item, good]), NOW)
    kinds = [type(act).__name__ for act in read(connector, request, {})]
    assert kinds == ["Submission", "Unreadable", "Submission"]


def test_an_empty_list_is_nothing_for_us() -> None:
    assert acts([]) == []


def test_the_admin_chooses_the_scheme_and_the_other_one_is_refused() -> None:
    request = Request("POST", "/hooks/zapier", {}, {}, b"{}", NOW)
    key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
    token, signed = connector.schemes["token"], connector.schemes["standard_webhooks"]
    with pytest.raises(Unverified):
        connector.signature_for({"scheme": "standard_webhooks"}).verify(
            token.sign(request, key), (key,), NOW
        )
    with pytest.raises(Unverified):
        connector.signature_for({"scheme": "token"}).verify(signed.sign(request, key), (key,), NOW)
    with pytest.raises(Misconfigured):
        connector.signature_for({"scheme": "none"})
