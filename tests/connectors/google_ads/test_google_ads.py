"""What only Google does: leads by day through its query language, laid out as the webhook's."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Get, Request, Submission, Window, read
from chalicelib.errors import Malformed, Misconfigured
from connectors.google_ads import connector
from tests.listing import items_of, pages_of

AT = datetime(2027, 1, 1, tzinfo=UTC)
WINDOW = Window(AT - timedelta(hours=1), AT + timedelta(hours=1))
ACCOUNT = {"customer_id": "123-456-7890", "developer_token": "dev"}
OUR_ADDRESS = "https://hub.example.com/hooks/g"


def row(number: int, at: str = "2027-01-01 01:00:00+01:00") -> dict[str, Any]:
    return {"id": str(number), "submissionDateTime": at}


def giving(rows: Mapping[str, list[Any]], asked: list[Any]) -> Get:
    """Play the Ads API: rows by day, one on each page."""

    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        assert path == "customers/1234567890/googleAds:search"
        asked.append(query)
        day = next((day for day in rows if f"'{day} 00:00:00'" in query["query"]), "")
        found = rows.get(day, [])
        at = int(query.get("pageToken") or 0)
        more = {"nextPageToken": str(at + 1)} if at + 1 < len(found) else {}
        # What is empty is left out of the answer.
        given = [{"leadFormSubmissionData": item} for item in found[at : at + 1]]
        return {**({"results": given} if given else {}), **more}

    return get


def read_all(get: Get, **options: Any) -> list[Any]:
    return items_of(pages_of(connector, get, WINDOW, options))


def listed(item: Any) -> Request:
    body = json.dumps(item).encode()
    return Request("LIST", "/hooks/g", {}, {"content-type": ("application/json",)}, body, AT)


def test_every_page_of_every_day_that_the_window_may_touch_is_read() -> None:
    asked: list[Any] = []
    rows = {"2027-01-01": [row(1), row(2), row(3)], "2026-12-31": [row(4)]}
    items = read_all(giving(rows, asked), **ACCOUNT)
    assert sorted(item["id"] for item in items) == ["1", "2", "3", "4"]
    days = [query["query"].partition(">= '")[2][:10] for query in asked]
    assert list(dict.fromkeys(days)) == ["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]


def test_what_lies_outside_of_the_window_is_left_out() -> None:
    late = row(2, "2027-01-01 02:00:01+01:00")
    early = row(3, "2026-12-31 17:59:59-05:00")
    items = read_all(giving({"2027-01-01": [row(1), late, early]}, []), **ACCOUNT)
    assert [item["id"] for item in items] == ["1"]


@pytest.mark.parametrize(
    "options", [{}, {**ACCOUNT, "customer_id": "1/../2"}, {**ACCOUNT, "developer_token": ""}]
)
def test_without_an_account_there_is_no_back_fill(options: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        read_all(giving({}, []), **options)


def test_a_listed_lead_is_what_its_webhook_gives() -> None:
    case = load_case("google_ads", "search_ad")
    own = {"column_id": "which_days", "column_name": "Which days?", "string_value": "Mon"}
    columns = [*case.body["user_column_data"], own]
    lead = {
        **case.body,
        "lead_submit_time": "2027-01-01T00:00:00Z",
        "user_column_data": columns,
    }
    (by_webhook,) = read(connector, case.request(AT, body=lead), {})
    item = {
        "id": lead["lead_id"],
        "asset": f"customers/1/assets/{lead['form_id']}",
        "campaign": f"customers/1/campaigns/{lead['campaign_id']}",
        "adGroup": f"customers/1/adGroups/{lead['adgroup_id']}",
        "adGroupAd": f"customers/1/adGroupAds/{lead['adgroup_id']}~{lead['creative_id']}",
        "gclid": lead["gcl_id"],
        "submissionDateTime": "2027-01-01 01:00:00+01:00",
        "leadFormSubmissionFields": [
            {"fieldType": column["column_id"], "fieldValue": column["string_value"]}
            for column in columns[:-1]
        ],
        "customLeadFormSubmissionFields": [{"questionText": "Which days?", "fieldValue": "Mon"}],
    }
    (found,) = read(connector, listed(item), {})
    assert isinstance(found, Submission)
    assert found.labels == {"Which days?": "Which days?"}
    # The webhook alone says how Google's own questions read.
    assert found.model_dump(exclude={"labels"}) == by_webhook.model_dump(exclude={"labels"})


@pytest.mark.parametrize(
    "item",
    [
        *(7, [], {}, {"id": "1"}),
        {**row(1), "submissionDateTime": "soon"},
        {**row(1), "leadFormSubmissionFields": [{}]},
        {**row(1), "campaign": ["x"]},
    ],
)
def test_a_listed_lead_of_another_shape_is_malformed(item: Any) -> None:
    with pytest.raises(Malformed):
        read(connector, listed(item), {})


def test_a_lead_form_that_sends_elsewhere_is_told() -> None:
    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        hook = {"webhook": {"advertiserWebhookUrl": OUR_ADDRESS}}
        ours = {"id": "1", "leadFormAsset": {"deliveryMethods": [hook]}}
        return {"results": [{"asset": ours}, {"asset": {"id": "2", "leadFormAsset": {}}}]}

    assert connector.subscription
    options = connector.options_with(ACCOUNT)
    found = connector.subscription(get, options, OUR_ADDRESS)
    assert found.is_active
    assert found.detail.endswith("not: 2")
    assert not connector.subscription(get, options, "https://hub.example.com/hooks/x").is_active
