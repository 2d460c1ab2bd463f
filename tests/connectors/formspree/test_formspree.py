"""What only Formspree does: no id, and a list that writes times in another way."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Request, Submission, Window, read
from chalicelib.errors import Malformed, Misconfigured
from connectors.formspree import PER_PAGE, authorise, connector

TOLD = load_case("formspree", "contact_form")
OPTIONS = connector.options_with({"forms": ("xdoqeknr",)})
DAY = Window(datetime(2025, 10, 9, tzinfo=UTC), datetime(2025, 10, 10, tzinfo=UTC))
SENT = TOLD.body["submission"]
ITEM = {**SENT, "_date": "2025-10-09T08:53:19.512345", "_status": {"me@example.com": {"sent": 1}}}


def api(*pages: list[Any]) -> Any:
    answers: dict[str, Any] = {}
    offset = 0
    for items in pages:
        asked = f"since=2025-10-09T00:00:00&order=asc&limit={PER_PAGE}&offset={offset}"
        answers[f"forms/xdoqeknr/submissions?{asked}"] = {"fields": [], "submissions": items}
        offset += len(items)
    return replace(TOLD, fetched=answers).get


def test_back_fill_gives_what_the_webhook_gave() -> None:
    assert connector.backfill
    page = connector.backfill.page(api([ITEM]), DAY, "", OPTIONS)
    listed = [connector.backfill.parse(item, OPTIONS) for item in page.items]
    assert listed == read(connector, TOLD.request(), OPTIONS)


def test_back_fill_goes_on_to_an_empty_page_and_leaves_out_what_is_later() -> None:
    assert connector.backfill
    get = api([ITEM], [{**ITEM, "_date": "2025-10-11T00:00:00.1"}], [])
    first = connector.backfill.page(get, DAY, "", OPTIONS)
    second = connector.backfill.page(get, DAY, first.next, OPTIONS)
    third = connector.backfill.page(get, DAY, second.next, OPTIONS)
    assert [len(page.items) for page in (first, second, third)] == [1, 0, 0]
    assert [page.next for page in (first, second, third)] == ["xdoqeknr 1", "xdoqeknr 2", ""]


def test_back_fill_without_a_form_is_misconfigured() -> None:
    assert connector.backfill
    with pytest.raises(Misconfigured):
        connector.backfill.page(api(), DAY, "", connector.options)


def test_an_empty_body_says_which_kind_of_webhook_to_choose() -> None:
    request = Request("POST", "/hooks/f", {}, {}, b"", TOLD.received_at)
    with pytest.raises(Malformed, match="Simple"):
        read(connector, request, {})


def one(submission: dict[str, Any]) -> Submission:
    request = replace(TOLD, body={"form": "x", "submission": submission}).request()
    (act,) = read(connector, request, {})
    assert isinstance(act, Submission)
    return act


def test_without_a_fraction_of_the_second_the_answers_tell_two_people_apart() -> None:
    at = "2025-10-09T08:53:19+00:00"
    first, other = one({"_date": at, "email": "a@example.com"}), one({"_date": at, "email": "b"})
    assert first.external_id != other.external_id
    assert first == one({"_date": "2025-10-09T10:53:19+02:00", "email": "a@example.com"})


def test_to_the_microsecond_the_moment_is_the_id_however_the_answers_are_written() -> None:
    at = "2025-10-09T08:53:19.5+00:00"
    first, again = one({"_date": at, "n": "1"}), one({"_date": at, "n": "1.0"})
    assert first.external_id == again.external_id
    assert first.external_id != one({"_date": at.replace(".5", ".6"), "n": "1"}).external_id


def test_the_key_is_a_password_without_a_user() -> None:
    assert authorise("key", "") == ({"Authorization": "Basic OmtleQ=="}, {})
