"""HubSpot's three signatures, and its list of contacts."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, Window, complete, read
from chalicelib.errors import Misconfigured, Unverified
from chalicelib.request import Request
from connectors.hubspot import SEARCHED, connector
from connectors.hubspot.signature import V1, V2, NewestVersion
from tests.listing import items_of, pages_of

VECTORS = Path(__file__).parents[1] / "vectors"
NOW = datetime(2025, 10, 10, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(days=2), NOW)


def vector(name: str) -> tuple[Request, str]:
    told = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    at = datetime.fromtimestamp(told.get("timestamp", 1760000000000) / 1000, UTC)
    headers = {name.lower(): (value,) for name, value in told["headers"].items()}
    body = told["body"].encode()
    return Request("POST", "/hooks/h", {}, headers, body, at, url=told["url"]), told["secret"]


@pytest.mark.parametrize("name", ["hubspot", "hubspot_v2"])
def test_a_vector_is_accepted_and_spoiled_it_is_refused(name: str) -> None:
    sent, secret = vector(name)
    NewestVersion().verify(sent, (secret,), sent.received_at)
    spoiled = [replace(sent, body=sent.body + b" "), replace(sent, url=sent.url + "/x")]
    for request in (*spoiled, replace(sent, method="PUT")):
        with pytest.raises(Unverified):
            NewestVersion().verify(request, (secret,), sent.received_at)
    with pytest.raises(Unverified):
        NewestVersion().verify(sent, ("another",), sent.received_at)


def test_a_wrong_newest_version_is_not_made_good_by_an_older_one() -> None:
    sent, secret = vector("hubspot")
    V1.verify(sent, (secret,), sent.received_at)
    forged = replace(sent, headers={**sent.headers, "x-hubspot-signature-v3": ("AAAA",)})
    with pytest.raises(Unverified):
        NewestVersion().verify(forged, (secret,), sent.received_at)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_request_of_another_time_is_refused(hours: int) -> None:
    sent, secret = vector("hubspot")
    with pytest.raises(Unverified):
        NewestVersion().verify(sent, (secret,), sent.received_at + timedelta(hours=hours))


def test_an_escaped_address_is_signed_unescaped() -> None:
    sent, secret = vector("hubspot_v2")
    plain = replace(sent, url="https://hooks.example.com/a:b@c")
    signed = V2.sign(plain, secret)
    V2.verify(replace(signed, url="https://hooks.example.com/a%3Ab%40c"), (secret,), NOW)


def contact(number: int, source: str = "FORM") -> dict[str, Any]:
    made_at = (NOW - timedelta(hours=30) + timedelta(seconds=number)).isoformat()
    told = {"email": f"person-{number}@example.com", "hs_object_source": source}
    return {"id": str(number), "properties": told, "createdAt": made_at}


class HubSpot:
    """A search that shows a hundred contacts a page and no more than ten thousand."""

    def __init__(self, contacts: list[dict[str, Any]]) -> None:
        self.contacts = contacts
        self.asked: list[Any] = []

    def __call__(self, path: str, params: Any = None, *, query: Any = None, **_: Any) -> Any:
        assert path == "crm/v3/objects/contacts/search"
        self.asked.append(query)
        (bounds,) = query["filterGroups"][0]["filters"]
        fits = [
            one
            for one in self.contacts
            if int(bounds["value"])
            <= datetime.fromisoformat(one["createdAt"]).timestamp() * 1000
            <= int(bounds["highValue"])
        ]
        start = int(query.get("after", 0))
        assert start + 100 <= 10_000, "HubSpot refuses to search on"
        shown = fits[start : start + 100]
        more = {"paging": {"next": {"after": str(start + 100)}}} if fits[start + 100 :] else {}
        return {"results": shown, **more}


def listed(hubspot: HubSpot) -> list[Any]:
    return items_of(pages_of(connector, hubspot, WINDOW, {"portal_id": 7012345}, most=500))


def test_more_contacts_than_a_search_shows_are_all_read() -> None:
    people = [contact(number) for number in range(SEARCHED + 1234)]
    items = listed(HubSpot(people))
    assert {item["id"] for item in items} == {one["id"] for one in people}


def test_contacts_of_imports_and_of_other_times_are_left_out() -> None:
    early = {**contact(1), "id": "early", "createdAt": "2025-10-01T00:00:00Z"}
    items = listed(HubSpot([early, contact(2), contact(3, "IMPORT")]))
    assert [item["id"] for item in items] == ["2"]


def test_a_listed_contact_is_the_submission_of_its_webhook() -> None:
    assert connector.backfill
    case = load_case("hubspot", "contact_by_a_form")
    (thin,) = read(connector, case.request(), case.options)
    assert isinstance(thin, Submission)
    told = complete(connector, thin, case.get)
    (answer,) = case.fetched.values()
    options = connector.options_with({"portal_id": "7012345"})
    assert connector.backfill.parse(answer, options) == told
    with pytest.raises(Misconfigured, match="portal_id"):
        connector.backfill.parse(answer, connector.options_with({}))
