"""What only Webflow does: a list of submissions, and webhooks that it deactivates."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, Window, read
from chalicelib.errors import Misconfigured
from connectors.webflow import PER_PAGE, connector

TOLD = load_case("webflow", "contact_form")
OPTIONS = connector.options_with({"site_id": "s"})
DAY = Window(datetime(2025, 10, 9, tzinfo=UTC), datetime(2025, 10, 10, tzinfo=UTC))
SENT = TOLD.body["payload"]
ITEM = {
    "id": SENT["id"],
    "displayName": SENT["name"],
    "siteId": SENT["siteId"],
    "workspaceId": "580e63e98c9a982ac9b8b741",
    "dateSubmitted": SENT["submittedAt"],
    "formResponse": SENT["data"],
}


def api(answers: dict[str, Any]) -> Any:
    return replace(TOLD, fetched=answers).get


def listing(items: list[Any], total: int, offset: int = 0) -> dict[str, Any]:
    pagination = {"limit": PER_PAGE, "offset": offset, "total": total}
    path = f"sites/s/form_submissions?offset={offset}&limit={PER_PAGE}"
    return {path: {"formSubmissions": items, "pagination": pagination}}


def test_back_fill_gives_what_the_webhook_gave() -> None:
    assert connector.backfill
    page = connector.backfill.page(api(listing([ITEM], 1)), DAY, "", OPTIONS)
    assert page.next == ""
    (listed,) = [connector.backfill.parse(item, OPTIONS) for item in page.items]
    (sent,) = read(connector, TOLD.request(), OPTIONS)
    assert isinstance(listed, Submission)
    assert isinstance(sent, Submission)
    # The list does not say which form it was, only what it is called.
    assert listed == sent.model_copy(update={"form": ""})


def test_back_fill_pages_to_the_end_of_the_list() -> None:
    assert connector.backfill
    get = api({**listing([ITEM], 2), **listing([ITEM], 2, 1), **listing([], 2, 2)})
    first = connector.backfill.page(get, DAY, "", OPTIONS)
    assert first.next == "1"
    assert connector.backfill.page(get, DAY, first.next, OPTIONS).next == ""
    assert connector.backfill.page(get, DAY, "2", OPTIONS).items == ()


def test_back_fill_without_a_site_is_misconfigured() -> None:
    assert connector.backfill
    with pytest.raises(Misconfigured):
        connector.backfill.page(api({}), DAY, "", connector.options)


HOOK = {"triggerType": "form_submission", "url": "https://hub.example.com/hooks/w"}


@pytest.mark.parametrize(
    ("hooks", "is_active"),
    [
        ([{**HOOK, "lastTriggered": "2026-01-05T08:59:00.000Z"}], True),
        ([{**HOOK, "lastTriggered": None}], True),
        ([], False),
        ([{**HOOK, "triggerType": "site_publish"}], False),
        ([{**HOOK, "url": "https://hub.example.com/hooks/w2"}, {}], False),
    ],
)
def test_a_webhook_that_is_gone_is_noticed(hooks: list[Any], is_active: bool) -> None:
    assert connector.subscription
    get = api({"sites/s/webhooks": {"webhooks": hooks}})
    found = connector.subscription(get, OPTIONS, "https://hub.example.com/hooks/w")
    assert found.is_active is is_active
    assert found.detail


def test_a_webhook_of_the_dashboard_is_not_asked_for() -> None:
    assert connector.subscription
    options = {**OPTIONS, "scheme": "address"}
    assert connector.subscription(api({}), options, "https://hub.example.com/hooks/w").is_active


def test_nothing_but_200_is_answered_where_a_failure_would_end_the_webhook() -> None:
    statuses = connector.statuses
    assert {statuses.accepted, statuses.switched_off, statuses.too_large} == {200}
