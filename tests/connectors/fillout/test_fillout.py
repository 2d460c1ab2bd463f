"""Fillout: the API's list gives what the webhook gave, page by page, within a window."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import sample_case
from chalicelib.connector import Window, read
from connectors.fillout import PAGE_SIZE, connector, page
from tests.listing import items_of, pages_of

TOLD = sample_case("fillout")
ONE = TOLD.body["submission"]
WINDOW = Window(datetime(2025, 10, 9, tzinfo=UTC), datetime(2025, 10, 10, tzinfo=UTC))
OPTIONS = connector.options_with({"forms": ["tLk83QwErTyu"]})


class Fillout:
    """Plays the API: the forms' submissions, oldest first."""

    def __init__(self, **forms: list[Any]) -> None:
        self.forms = forms
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, path: str, params: Any = None, **more: Any) -> Any:
        form, _, what = path.removeprefix("forms/").partition("/")
        if not what:
            return {"id": form, "name": "Talk to sales"}
        assert params
        self.asked.append(params)
        start = int(params["offset"])
        told = self.forms[form][start : start + int(params["limit"])]
        return {"responses": told, "totalResponses": len(self.forms[form]), "pageCount": 1}


def test_a_submission_of_the_list_is_what_its_webhook_gave() -> None:
    assert connector.backfill
    (item,) = page(Fillout(tLk83QwErTyu=[ONE]), WINDOW, "", OPTIONS).items
    assert [connector.backfill.parse(item, OPTIONS)] == read(connector, TOLD.request(), OPTIONS)


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE])
def test_all_pages_of_all_forms_are_read_once(count: int) -> None:
    ids = [f"s{number}" for number in range(count)]
    get = Fillout(one=[{**ONE, "submissionId": one} for one in ids], two=[ONE])
    pages = pages_of(connector, get, WINDOW, {"forms": ["one", "two"]}, most=10)
    found = [item["submission"]["submissionId"] for item in items_of(pages)]
    assert found == [*ids, ONE["submissionId"]]


def test_what_lies_outside_of_the_window_is_left_out() -> None:
    times = ["2025-10-08T23:59:59.999Z", "2025-10-09T00:00:00.000Z", "2025-10-10T00:00:00.001Z"]
    get = Fillout(tLk83QwErTyu=[{**ONE, "submissionTime": time} for time in times])
    found = page(get, WINDOW, "", OPTIONS).items
    assert [item["submission"]["submissionTime"] for item in found] == [times[1]]
    assert get.asked[0]["afterDate"] == "2025-10-08T23:59:59.000Z"
    assert get.asked[0]["beforeDate"] == "2025-10-10T00:00:01.000Z"
