"""Tally: the API's list gives what the webhook gave, page by page, within a window."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import sample_case
from chalicelib.connector import Window, read
from connectors.tally import connector, page, subscription
from tests.listing import items_of, pages_of

TOLD = sample_case("tally")
WINDOW = Window(datetime(2025, 10, 9, tzinfo=UTC), datetime(2025, 10, 10, tzinfo=UTC))
OPTIONS = connector.options_with({"forms": ["Fm3Tb9"]})
PAGE_SIZE = 50

# As developers.tally.so shows it, with the person of the sample.
QUESTIONS = [
    {"id": "aA1bB2", "type": "INPUT_TEXT", "title": "Prénom"},
    {"id": "cC3dD4", "type": "INPUT_EMAIL", "title": "Work email"},
    {"id": "eE5fF6", "type": "INPUT_PHONE_NUMBER", "title": "Phone"},
    {"id": "gG7hH8", "type": "MULTIPLE_CHOICE", "title": "Team size"},
    {"id": "iI9jJ0", "type": "INPUT_TEXT", "title": "Company"},
    {"id": "kK1lL2", "type": "HIDDEN_FIELDS", "title": None},
]
ANSWERS = {
    "aA1bB2": "Zoë",
    "cC3dD4": "zoe.quillfeather@example.com",
    "eE5fF6": "+447700900123",
    "gG7hH8": ["11-50"],
    "kK1lL2": {"utm_source": "newsletter"},
}
ONE = {
    "id": "Qz7Lk2",
    "formId": "Fm3Tb9",
    "respondentId": "Rp4Nv8",
    "isCompleted": True,
    "submittedAt": "2025-10-09T08:53:18.000Z",
    "responses": [{"id": k, "questionId": k, "answer": v} for k, v in ANSWERS.items()],
}


class Tally:
    """Plays the API: the forms' submissions, 50 on a page."""

    def __init__(self, **forms: list[Any]) -> None:
        self.forms = forms
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, path: str, params: Any = None, **more: Any) -> Any:
        form, _, what = path.removeprefix("forms/").partition("/")
        if not what:
            return {"id": form, "name": "Contact sales"}
        assert params
        self.asked.append(params)
        start = (int(params["page"]) - 1) * PAGE_SIZE
        told = self.forms[form][start : start + PAGE_SIZE]
        is_more = start + PAGE_SIZE < len(self.forms[form])
        return {"hasMore": is_more, "questions": QUESTIONS, "submissions": told}


def test_a_submission_of_the_list_is_what_its_webhook_gave() -> None:
    assert connector.backfill
    (item,) = page(Tally(Fm3Tb9=[ONE]), WINDOW, "", OPTIONS).items
    assert [connector.backfill.parse(item, OPTIONS)] == read(connector, TOLD.request(), OPTIONS)


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE])
def test_all_pages_of_all_forms_are_read_once(count: int) -> None:
    ids = [f"s{number}" for number in range(count)]
    get = Tally(one=[{**ONE, "id": one} for one in ids], two=[ONE])
    pages = pages_of(connector, get, WINDOW, {"forms": ["one", "two"]}, most=10)
    found = [item["id"] for item in items_of(pages)]
    assert found == [*ids, "Qz7Lk2"]


def test_the_window_is_asked_for() -> None:
    get = Tally(Fm3Tb9=[ONE])
    page(get, WINDOW, "", OPTIONS)
    (asked,) = get.asked
    assert asked["filter"] == "completed"
    assert (asked["startDate"], asked["endDate"]) == (
        "2025-10-09T00:00:00.000Z",
        "2025-10-10T00:00:00.000Z",
    )


OURS = "https://hub.example.com/hooks/sales"


@pytest.mark.parametrize(
    ("hooks", "is_active"),
    [
        ([{"formId": "Fm3Tb9", "url": OURS, "isEnabled": True}], True),
        ([{"formId": "Fm3Tb9", "url": OURS, "isEnabled": False}], False),
        ([{"formId": "other", "url": OURS, "isEnabled": True}], False),
        ([], False),
    ],
)
def test_a_webhook_that_is_gone_or_off_is_noticed(hooks: list[Any], is_active: bool) -> None:
    def get(path: str, params: Any = None, **more: Any) -> Any:
        assert params
        is_last = params["page"] == "2"
        return {"webhooks": hooks if is_last else [], "hasMore": not is_last}

    assert subscription(get, OPTIONS, OURS).is_active is is_active
