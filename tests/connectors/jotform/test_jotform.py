"""Jotform: the API's list gives what the webhook gave; what is read back nobody can make up."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, Window, complete, read
from chalicelib.errors import Gone, Malformed
from connectors.jotform import PAGE_SIZE, connector, page, subscription
from tests.listing import items_of, pages_of

WINDOW = Window(datetime(2026, 1, 5, 8, tzinfo=UTC), datetime(2026, 1, 5, 10, tzinfo=UTC))
OPTIONS = connector.options_with({"forms": ["251870000012345"]})
LISTED = load_case("jotform", "read_back").fetched["submission/6345200000712345678"]["content"]


class Jotform:
    """Plays the API: the forms' submissions, newest first."""

    def __init__(self, **forms: list[Any]) -> None:
        self.forms = forms
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, path: str, params: Any = None, **more: Any) -> Any:
        _, form, *what = path.split("/")
        if not what:
            return {"content": {"id": form, "title": "Request a quote"}}
        assert params
        self.asked.append(params)
        start = int(params["offset"])
        return {"content": self.forms[form][start : start + int(params["limit"])]}


def test_a_submission_of_the_list_is_what_its_webhook_gave() -> None:
    assert connector.backfill
    (told,) = read(connector, load_case("jotform", "quote_request").request(), {})
    # The sample does not ask for consent.
    answers = {number: q for number, q in LISTED["answers"].items() if number != "8"}
    get = Jotform(**{"251870000012345": [{**LISTED, "answers": answers}]})
    (item,) = page(get, WINDOW, "", OPTIONS).items
    listed = connector.backfill.parse(item, OPTIONS)
    assert isinstance(told, Submission)
    assert isinstance(listed, Submission)
    assert listed.submitted_at == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert listed.model_copy(update={"labels": {}}) == told
    assert listed.labels["q5_emailAddress"] == "Email"


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE])
def test_all_pages_of_all_forms_are_read_once(count: int) -> None:
    ids = [str(6345200000712345678 + number) for number in range(count)]
    get = Jotform(one=[{"id": one, "status": "ACTIVE"} for one in ids], two=[{"id": "7"}])
    pages = pages_of(connector, get, WINDOW, {**OPTIONS, "forms": ["one", "two"]}, most=10)
    found = [item["id"] for item in items_of(pages)]
    assert found == [*ids, "7"]


def test_the_window_is_asked_for_in_the_zone_of_the_account() -> None:
    get = Jotform(**{"251870000012345": []})
    page(get, WINDOW, "", OPTIONS)
    page(get, WINDOW, "", {**OPTIONS, "time_zone": "Europe/Berlin"})
    american, european = (json.loads(asked["filter"]) for asked in get.asked)
    assert american == {
        "created_at:gt": "2026-01-05 02:59:59",
        "created_at:lt": "2026-01-05 05:00:01",
    }
    assert european["created_at:gt"] == "2026-01-05 08:59:59"


def test_what_was_deleted_is_not_listed() -> None:
    get = Jotform(**{"251870000012345": [{**LISTED, "status": "DELETED"}]})
    assert page(get, WINDOW, "", OPTIONS).items == ()


def test_an_edit_is_another_revision_and_a_repetition_is_not() -> None:
    first, again, edited = (
        read(connector, load_case("jotform", name).request(), {})[0]
        for name in ("quote_request", "quote_request", "edited_afterwards")
    )
    assert isinstance(first, Submission)
    assert isinstance(edited, Submission)
    assert first == again
    assert first.external_id == edited.external_id
    assert first.revision != edited.revision


def test_a_made_up_submission_is_not_believed_when_it_is_read_back() -> None:
    case = load_case("jotform", "read_back")
    (act,) = read(connector, case.request(), case.options)
    assert isinstance(act, Submission)
    assert act.answers == {}
    with pytest.raises(Gone):
        complete(connector, act, replace(case, fetched={}).get)


@pytest.mark.parametrize("given", ["../user", "1/2", "", "x"])
def test_only_a_number_is_read_back(given: str) -> None:
    case = load_case("jotform", "read_back")
    body = case.body.replace("6345200000712345678", given)
    with pytest.raises(Malformed):
        read(connector, case.request(body=body), case.options)


OURS = "https://hub.example.com/hooks/quotes"


@pytest.mark.parametrize(
    ("content", "is_active"),
    [
        ({"0": f"{OURS}/secret-part"}, True),
        ({"0": "https://www.example.org/other"}, False),
        ([], False),
        ({}, False),
    ],
)
def test_a_webhook_that_is_gone_is_noticed(content: Any, is_active: bool) -> None:
    found = subscription(lambda path, params=None, **_: {"content": content}, OPTIONS, OURS)
    assert found.is_active is is_active
