"""Typeform: the Responses API gives what the webhook gave, page by page, within a window."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Misconfigured, Window, read
from connectors.typeform import PAGE_SIZE, connector, page, subscription
from tests.listing import items_of, pages_of

WINDOW = Window(
    datetime(2026, 2, 1, 10, tzinfo=UTC), datetime(2026, 2, 1, 12, 0, 0, 900_000, tzinfo=UTC)
)
CASE = load_case("typeform", "every_kind_of_answer")
RESPONSE = CASE.body["form_response"]
FORM = {
    "id": RESPONSE["form_id"],
    "title": RESPONSE["definition"]["title"],
    "theme": {"href": "https://api.typeform.com/themes/x"},
    "fields": RESPONSE["definition"]["fields"],
}
ITEM = {k: v for k, v in RESPONSE.items() if k not in {"form_id", "definition"}}


class Typeform:
    """Plays the Responses API, newest first."""

    def __init__(self, **tokens: list[str]) -> None:
        self.tokens = tokens
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, path: str, params: Any = None, **more: Any) -> Any:
        form, _, what = path.removeprefix("forms/").partition("/")
        if what != "responses":
            return {**FORM, "id": form}
        assert params
        self.asked.append(params)
        tokens = self.tokens[form]
        start = tokens.index(params["before"]) + 1 if "before" in params else 0
        told = tokens[start : start + int(params["page_size"])]
        return {"items": [{**ITEM, "token": token} for token in told], "total_items": len(tokens)}


def walk(get: Any, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    pages = pages_of(connector, get, WINDOW, options)
    return [(item["form_id"], item["token"]) for item in items_of(pages)]


def test_a_response_of_the_list_is_what_its_webhook_gave() -> None:
    assert connector.backfill
    get = Typeform(hQ2mZ7=[RESPONSE["token"]])
    (item,) = page(get, WINDOW, "", {"forms": ["hQ2mZ7"]}).items
    options = connector.options_with(CASE.options)
    assert [connector.backfill.parse(item, options)] == read(connector, CASE.request(), options)
    assert "theme" not in item["definition"]


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE])
def test_all_pages_of_all_forms_are_read_once(count: int) -> None:
    tokens = [f"t{number}" for number in range(count)]
    get = Typeform(one=tokens, none=[], two=["x"])
    found = walk(get, {"forms": ["one", "none", "two"]})
    assert found == [*(("one", token) for token in tokens), ("two", "x")]


def test_the_window_is_asked_for_to_the_second_and_none_of_the_last_is_left_out() -> None:
    get = Typeform(one=["a"])
    page(get, WINDOW, "", {"forms": ["one"]})
    (asked,) = get.asked
    assert asked["since"] == "2026-02-01T10:00:00Z"
    assert asked["until"] == "2026-02-01T12:00:01Z"


def test_a_form_that_was_taken_out_meanwhile_starts_the_walk_anew() -> None:
    told = page(Typeform(two=["x"]), WINDOW, "one t9", {"forms": ["two"]})
    assert [item["token"] for item in told.items] == ["x"]


def test_without_forms_nothing_can_be_read() -> None:
    with pytest.raises(Misconfigured, match="forms"):
        page(Typeform(), WINDOW, "", {"forms": []})


OURS = "https://hub.example.com/hooks/demo"


@pytest.mark.parametrize(
    ("hooks", "is_active", "detail"),
    [
        ([{"url": OURS, "enabled": True}], True, "webhooks of 1 forms are switched on"),
        ([{"url": OURS, "enabled": False}], False, "the webhook of form a is switched off"),
        ([{"url": f"{OURS}-2", "enabled": True}], False, "form a has no webhook to this source"),
        ([], False, "form a has no webhook to this source"),
        ([{"url": OURS, "enabled": False}, {"url": f"{OURS}?x=1", "enabled": True}], True, ""),
    ],
)
def test_a_webhook_that_is_gone_or_off_is_noticed(
    hooks: list[Any], is_active: bool, detail: str
) -> None:
    found = subscription(lambda path, params=None, **_: {"items": hooks}, {"forms": ["a"]}, OURS)
    assert found.is_active is is_active
    assert detail in found.detail
