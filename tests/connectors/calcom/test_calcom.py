"""Reschedules in either order, what the list gives for the webhooks, and lost webhooks."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import Case, load_case
from chalicelib.config.source import Source
from chalicelib.connector import Page, Request, Submission, Unverified, Window, read
from connectors.calcom import connector
from tests.flow.scenes import a_world, ask, case_body, outcomes, touches
from tests.listing import pages_of

WINDOW = Window(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC))
SPAN = "after{0}At=2026-01-05T00:00:00.000Z&before{0}At=2026-01-06T00:00:00.000Z&sort{1}=asc"
CREATED = f"bookings?{SPAN.format('Created', 'Created')}&take=100"
UPDATED = f"bookings?{SPAN.format('Updated', 'UpdatedAt')}&take=100"
SOURCE = Source.model_validate({"connector": "calcom", "secret": "forms"})
ADDRESS = "https://hub.example.com/hooks/meetings"


def listed(case: str, **changed: Any) -> dict[str, Any]:
    """Write a case's booking as version 2024-08-13 of the API lists it."""
    booking = load_case("calcom", case).body["payload"]
    answers = {**booking["userFieldsResponses"], **booking["responses"]}
    status = booking["status"].lower()
    return {
        "id": booking["bookingId"],
        "uid": booking["uid"],
        "title": booking["title"],
        "hosts": [{"id": 7, "name": "Ana Sala", "email": booking["organizer"]["email"]}],
        "status": status,
        "start": booking["startTime"].replace("Z", ".000Z"),
        "end": booking["endTime"].replace("Z", ".000Z"),
        "duration": 30,
        "eventTypeId": booking["eventTypeId"],
        "eventType": {"id": booking["eventTypeId"], "slug": "discovery-call"},
        "createdAt": "2026-01-05T08:59:57.000Z",
        "updatedAt": "2026-01-05T08:59:57.500Z",
        "attendees": booking["attendees"],
        "bookingFieldsResponses": {
            key: one["value"] for key, one in answers.items() if "value" in one
        },
        "metadata": booking["metadata"],
        **({"cancellationReason": "We chose another tool"} if status == "cancelled" else {}),
        **({"rescheduledFromUid": booking["rescheduleUid"]} if case == "rescheduled" else {}),
        **changed,
    }


def parsed(item: dict[str, Any], **options: Any) -> Submission:
    assert connector.backfill
    act = connector.backfill.parse(item, connector.options_with(options))
    assert isinstance(act, Submission)
    return act


def webhook(case: str) -> Submission:
    told = load_case("calcom", case)
    (act,) = read(connector, told.request(), told.options)
    assert isinstance(act, Submission)
    return act


@pytest.mark.parametrize(
    "case",
    ["booked", "canceled", "rescheduled", "requested", "name_in_two_parts_and_odd_answers"],
)
def test_a_booking_of_the_list_reads_as_its_webhook(case: str) -> None:
    # The list has neither the questions' texts nor the moment at which the webhook was made.
    apart = {"labels", "form_title", "submitted_at"}
    found = parsed(listed(case), **load_case("calcom", case).options)
    assert found.model_dump(exclude=apart) == webhook(case).model_dump(exclude=apart)


def test_the_list_tells_of_a_booking_that_it_was_moved_away() -> None:
    item = listed("canceled", rescheduledToUid="bk2Discovery0002")
    assert parsed(item).answers["status"] == "rescheduled"
    assert parsed(item).answers["rescheduled_to"] == "bk2Discovery0002"


@pytest.mark.parametrize("order", [("booked", "rescheduled"), ("rescheduled", "booked")])
def test_a_moved_meeting_is_one_lead_whose_timeline_tells_it(order: tuple[str, ...]) -> None:
    world = a_world(sources={"meetings": SOURCE})
    for name in order:
        world.clock.advance(minutes=1)
        body = case_body("calcom", name)
        if name == "rescheduled":
            # Whoever moves a meeting may well give another address.
            body = body.replace(b"priya.raman@example.com", b"priya@example.net")
            body = body.replace(b"+12025550161", b"+447700900123")
        assert ask(world, "meetings", body).status == 200
        world.settle()
    assert {"email:priya.raman@example.com", "email:priya@example.net"} <= set(
        world.lead().identity_keys
    )
    old, new = sorted(
        (one.touch for one in touches(world)), key=lambda touch: str(touch.answers["start_time"])
    )
    assert new.answers["rescheduled_from"] == old.external_id


@pytest.mark.parametrize("order", [("booked", "canceled"), ("canceled", "booked")])
def test_a_canceled_meeting_keeps_the_person_whichever_comes_first(order: tuple[str, ...]) -> None:
    world = a_world(sources={"meetings": SOURCE})
    for name in order:
        world.clock.advance(minutes=1)
        ask(world, "meetings", case_body("calcom", name))
        world.settle()
    (counted,) = (one.touch for one in touches(world) if not one.touch.void)
    assert counted.answers["status"] == "canceled"
    assert world.lead().status != "disqualified"


def test_a_no_show_is_told_of_the_lead_and_makes_none() -> None:
    world = a_world(sources={"meetings": SOURCE})
    ask(world, "meetings", case_body("calcom", "no_show_of_one_and_a_bad_one"))
    world.settle()
    assert world.leads() == []
    world.clock.advance(minutes=1)
    ask(world, "meetings", case_body("calcom", "booked"))
    body = case_body("calcom", "no_show_of_one_and_a_bad_one")
    ask(world, "meetings", body.replace(b"08:59:58.000Z", b"08:59:59.000Z"))
    world.settle()
    told = [one.touch.answers["status"] for one in touches(world)]
    assert sorted(map(str, told)) == ["accepted", "no_show"]
    assert outcomes(world)[1] == "accepted"


def pages(fetched: dict[str, Any], **options: Any) -> list[Page]:
    get = Case("calcom", "list", "", fetched=fetched).get
    return pages_of(connector, get, WINDOW, options, most=9)


def data(*items: Any, more: bool = False) -> dict[str, Any]:
    return {"status": "success", "data": list(items), "pagination": {"hasNextPage": more}}


def test_what_was_made_and_what_was_changed_is_read_page_by_page() -> None:
    first, second, third = (listed("booked", uid=uid) for uid in "abc")
    fetched = {
        f"{CREATED}&skip=0": data(first, more=True),
        f"{CREATED}&skip=90": data(second),
        f"{UPDATED}&skip=0": data(third, more=True),
        f"{UPDATED}&skip=90": data(),
    }
    found = pages(fetched)
    assert [item["uid"] for page in found for item in page.items] == ["a", "b", "c"]
    assert [page.next for page in found] == ["0:90", "1:0", "1:90", ""]


def test_only_event_types_that_bring_leads_are_asked_for() -> None:
    asked = "&eventTypeIds=55,100"
    fetched = {f"{CREATED}&skip=0{asked}": data(), f"{UPDATED}&skip=0{asked}": data()}
    assert len(pages(fetched, event_types=["55", "100"])) == 2


@pytest.mark.parametrize(
    ("changed", "is_active", "words"),
    [
        ({}, True, "active"),
        ({"active": False}, False, "switched off"),
        ({"subscriberUrl": "https://other.example.com"}, False, "no webhook with this address"),
        ({"triggers": ["BOOKING_CREATED"]}, True, "BOOKING_RESCHEDULED, BOOKING_CANCELLED"),
        ({"payloadTemplate": "{}"}, False, "template"),
    ],
)
def test_a_lost_webhook_is_noticed(changed: dict[str, Any], is_active: bool, words: str) -> None:
    assert connector.subscription
    ours = {
        "subscriberUrl": ADDRESS,
        "active": True,
        "triggers": ["BOOKING_CREATED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED"],
        "payloadTemplate": None,
        **changed,
    }
    get = Case("calcom", "webhooks", "", fetched={"webhooks": data(ours)}).get
    told = connector.subscription(get, connector.options, ADDRESS)
    assert told.is_active is is_active
    assert words in told.detail


def test_the_header_of_a_webhook_without_a_secret_is_refused() -> None:
    headers = {"x-cal-signature-256": ("no-secret-provided",)}
    request = Request("POST", "/hooks/c", {}, headers, b"{}", WINDOW.since)
    with pytest.raises(Unverified):
        connector.signature.verify(request, ("key",), WINDOW.since)
