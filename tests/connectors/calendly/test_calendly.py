"""Reschedules in either order, what the list gives for the webhooks, and lost subscriptions."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from chalicelib.cli.cases import Case, load_case
from chalicelib.config.source import Source
from chalicelib.connector import Page, Submission, Window, read
from connectors.calendly import connector
from tests.flow.scenes import a_world, ask, case_body, outcomes, touches
from tests.listing import pages_of

WINDOW = Window(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, 12, tzinfo=UTC))
ORGANIZATION = "https://api.calendly.com/organizations/ORG1"
ME = {"users/me": {"resource": {"uri": "https://x/users/1", "current_organization": ORGANIZATION}}}
SOURCE = Source.model_validate({"connector": "calendly", "secret": "forms"})
LISTED = (
    f"scheduled_events?organization={ORGANIZATION}"
    "&min_start_time=2025-12-29T00:00:00.000000Z&max_start_time=2026-07-05T12:00:00.000000Z"
    "&count=10&sort=start_time:asc"
)
BOOKINGS = (
    "booked",
    "canceled",
    "rescheduled_old_booking",
    "rescheduled_new_booking",
    "no_show",
    "outbound_call_and_odd_questions",
)


def resource(case: str) -> dict[str, Any]:
    """Give the invitee that a case's webhook carries, meeting and all."""
    payload: dict[str, Any] = load_case("calendly", case).body["payload"]
    return payload


def invitee(case: str, **changed: Any) -> dict[str, Any]:
    """Give the invitee as the API lists it: without its meeting."""
    listed = {**resource(case), **changed}
    del listed["scheduled_event"]
    return listed


def webhook(case: str) -> Submission:
    told = load_case("calendly", case)
    (act,) = read(connector, told.request(), told.options)
    assert isinstance(act, Submission)
    return act


def pages(fetched: dict[str, Any], **options: Any) -> list[Page]:
    """Read a list to its end."""
    get = Case("calendly", "list", "", fetched={**ME, **fetched}).get
    return pages_of(connector, get, WINDOW, options, most=9)


def collection(*items: Any, token: str = "") -> dict[str, Any]:
    pagination = {"count": len(items), "next_page_token": token or None}
    return {"collection": list(items), "pagination": pagination}


@pytest.mark.parametrize(
    "order", list(permutations(["booked", "rescheduled_old", "rescheduled_new"]))
)
def test_a_moved_meeting_is_one_lead_whose_timeline_tells_it(order: tuple[str, ...]) -> None:
    world = a_world(sources={"meetings": SOURCE})
    for name in order:
        world.clock.advance(minutes=1)
        body = case_body("calendly", name if name == "booked" else f"{name}_booking")
        if name == "rescheduled_new":
            # Whoever moves a meeting may well give another address.
            body = body.replace(b"priya.raman@example.com", b"priya@example.net")
            body = body.replace(b"+1 202-555-0161", b"+44 7700 900123")
        assert ask(world, "meetings", body).status == 200
        world.settle()
    lead = world.lead()
    counted = [one.touch for one in touches(world) if not one.touch.void]
    assert sorted(str(touch.answers["status"]) for touch in counted) == ["active", "rescheduled"]
    old, new = sorted(counted, key=lambda touch: str(touch.answers["start_time"]))
    assert old.answers["new_invitee"] == new.external_id
    assert new.answers["old_invitee"] == old.external_id
    assert {"email:priya.raman@example.com", "email:priya@example.net"} <= set(lead.identity_keys)


def test_a_canceled_meeting_keeps_the_person() -> None:
    world = a_world(sources={"meetings": SOURCE})
    for name in ("booked", "canceled", "booked"):
        world.clock.advance(minutes=1)
        ask(world, "meetings", case_body("calendly", name))
        world.settle()
    lead = world.lead()
    (counted,) = (one.touch for one in touches(world) if not one.touch.void)
    assert (counted.answers["status"], counted.answers["reason"]) == (
        "canceled",
        "We chose another tool",
    )
    assert lead.status != "disqualified"
    assert outcomes(world) == ["accepted", "accepted", "duplicate"]


@pytest.mark.parametrize("case", BOOKINGS)
def test_an_invitee_of_the_list_reads_as_its_webhook(case: str) -> None:
    assert connector.backfill
    options = connector.options_with(load_case("calendly", case).options)
    assert connector.backfill.parse(resource(case), options) == webhook(case)


def test_a_routing_form_of_the_list_reads_as_its_webhook() -> None:
    assert connector.backfill
    item = resource("routing_form")
    assert connector.backfill.parse(item, connector.options_with({})) == webhook("routing_form")


def test_meetings_are_read_page_by_page_with_all_their_invitees() -> None:
    first, second = resource("booked"), resource("rescheduled_new_booking")
    fetched = {
        LISTED: collection(first["scheduled_event"], token="p2"),
        f"{LISTED}&page_token=p2": collection(second["scheduled_event"]),
        "scheduled_events/0f1e2d3c-aaaa-4bbb-8ccc-000000000001/invitees?count=100": collection(
            invitee("booked"), token="i2"
        ),
        "scheduled_events/0f1e2d3c-aaaa-4bbb-8ccc-000000000001/invitees"
        "?count=100&page_token=i2": collection(invitee("booked", uri="https://x/invitees/2")),
        "scheduled_events/0f1e2d3c-aaaa-4bbb-8ccc-000000000002/invitees?count=100": collection(
            invitee("rescheduled_new_booking")
        ),
    }
    found = pages(fetched)
    assert [len(page.items) for page in found] == [2, 1]
    assert found[0].items[0] == first
    assert found[1].items[0] == second


def test_only_what_happened_within_the_window_is_given() -> None:
    meeting = resource("booked")["scheduled_event"]
    later = {**meeting, "uri": "https://x/scheduled_events/9", "created_at": "2026-02-01T00:00:00Z"}
    path = "scheduled_events/0f1e2d3c-aaaa-4bbb-8ccc-000000000001/invitees?count=100"
    old = {"created_at": "2025-12-01T00:00:00Z"}
    fetched = {
        LISTED: collection(meeting, later),
        path: collection(
            invitee("booked", uri="in"),
            invitee("booked", uri="before", **old),
            invitee("booked", uri="after", created_at="2026-01-06T12:00:01Z"),
            invitee("canceled", uri="booked before, canceled within", **old),
            invitee("no_show", uri="booked within, missed after"),
            invitee("no_show", uri="booked before, missed after", **old),
        ),
    }
    (page,) = pages(fetched)
    assert [item["uri"] for item in page.items] == [
        "in",
        "booked before, canceled within",
        "booked within, missed after",
    ]


def test_meetings_of_other_event_types_are_not_read() -> None:
    fetched = {LISTED: collection(resource("booked")["scheduled_event"])}
    assert pages(fetched, event_types=["ETSALES"]) == [Page(())]


def test_routing_forms_follow_the_meetings() -> None:
    form = resource("routing_form")
    asked = (
        "routing_form_submissions?form=https://api.calendly.com/routing_forms/{}"
        "&count=100&sort=created_at:desc"
    )
    older = {**form, "uri": "older", "created_at": "2026-01-04T23:59:59Z"}
    fetched = {
        LISTED: collection(),
        asked.format("RF1"): collection(form, token="p2"),
        asked.format("RF1") + "&page_token=p2": collection(form, older, token="p3"),
        asked.format("RF2"): collection(form),
    }
    found = pages(fetched, routing_forms=["RF1", "https://api.calendly.com/routing_forms/RF2"])
    assert [page.next for page in found] == ["forms:0:", "forms:0:p2", "forms:1:", ""]
    assert [len(page.items) for page in found] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("changed", "is_active", "words"),
    [
        ({}, True, "active"),
        ({"state": "disabled"}, False, "create it again"),
        ({"callback_url": "https://other.example.com/"}, False, "no webhook with this address"),
        ({"retry_started_at": "2026-01-05T00:00:00Z"}, True, "failing since 2026-01-05"),
        ({"events": ["invitee.created"]}, True, "does not send invitee.canceled"),
    ],
)
def test_a_lost_webhook_is_noticed(changed: dict[str, Any], is_active: bool, words: str) -> None:
    assert connector.subscription
    ours = {
        "callback_url": "https://hub.example.com/hooks/c",
        "state": "active",
        "events": ["invitee.created", "invitee.canceled"],
        "retry_started_at": None,
        **changed,
    }
    asked = f"webhook_subscriptions?organization={ORGANIZATION}&scope=organization&count=100"
    fetched = {
        **ME,
        asked: collection({**ours, "callback_url": "https://x.example.com"}, token="p2"),
        f"{asked}&page_token=p2": collection(ours),
    }
    get = Case("calendly", "webhooks", "", fetched=fetched).get
    told = connector.subscription(get, connector.options, "https://hub.example.com/hooks/c")
    assert told.is_active is is_active
    assert words in told.detail
