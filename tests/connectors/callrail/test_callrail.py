"""Calls told in pieces and in any order, and what the lists give for the webhooks."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from chalicelib.cli.cases import Case, load_case
from chalicelib.config.source import Source
from chalicelib.connector import Page, Window, read
from connectors.callrail import authorise, connector
from tests.flow.scenes import a_world, ask, case_body, touches
from tests.listing import pages_of

SOURCE = Source.model_validate({"connector": "callrail", "secret": "forms"})
WINDOW = Window(datetime(2026, 1, 5, 6, 0, tzinfo=UTC), datetime(2026, 1, 5, 12, 0, tzinfo=UTC))
DAYS = "start_date=2026-01-04&end_date=2026-01-06&per_page=250"
CALLS = (
    f"calls.json?{DAYS}&relative_pagination=true&fields=source,medium,campaign,keywords,"
    "landing_page_url,referrer_domain,tracker_id,agent_email,lead_status,note,tags"
)
FORMS = f"form_submissions.json?{DAYS}&page={{}}"


def body(case: str, **changed: Any) -> dict[str, Any]:
    """Give what a case's webhook carries."""
    return {**load_case("callrail", case).body, **changed}


def pages(fetched: dict[str, Any], **options: Any) -> list[Page]:
    get = Case("callrail", "list", "", fetched=fetched).get
    return pages_of(connector, get, WINDOW, options, most=9)


def calls(*items: Any, following: str = "") -> dict[str, Any]:
    return {"calls": list(items), "has_next_page": bool(following), "next_page": following or None}


def forms(*items: Any, page: int = 1, of: int = 1) -> dict[str, Any]:
    return {"form_submissions": list(items), "page": page, "total_pages": of}


@pytest.mark.parametrize("order", list(permutations(["begins", "answered", "modified"])))
def test_the_pieces_of_a_call_are_one_touch_whichever_comes_first(order: tuple[str, ...]) -> None:
    world = a_world(sources={"calls": SOURCE})
    for name in order:
        world.clock.advance(minutes=1)
        assert ask(world, "calls", case_body("callrail", f"call_{name}")).status == 200
        world.settle()
    (touch,) = (one.touch for one in touches(world) if not one.touch.void)
    assert touch.answers["note"] == "Wants an offer"
    assert not world.lead().is_partial


@pytest.mark.parametrize(
    "order", [("answered", "marked_as_no_lead"), ("marked_as_no_lead", "answered")]
)
def test_a_call_that_is_no_lead_counts_no_more(order: tuple[str, ...]) -> None:
    world = a_world(sources={"calls": SOURCE})
    for name in order:
        world.clock.advance(minutes=1)
        ask(world, "calls", case_body("callrail", f"call_{name}"))
        world.settle()
    assert [one.touch for one in touches(world) if not one.touch.void] == []
    assert [lead.status for lead in world.leads() if lead.status != "disqualified"] == []


@pytest.mark.parametrize("case", ["call_answered", "call_missed", "call_to_voicemail"])
def test_a_call_of_the_list_reads_as_its_webhook(case: str) -> None:
    assert connector.backfill
    item = body(case)
    del item["timestamp"]
    (webhook,) = read(connector, load_case("callrail", case).request(), {})
    assert connector.backfill.parse(item, connector.options) == webhook


def test_a_form_of_the_list_reads_as_its_webhook() -> None:
    assert connector.backfill
    told = load_case("callrail", "form_submitted")
    options = connector.options_with(told.options)
    (webhook,) = read(connector, told.request(), told.options)
    item = body("form_submitted")
    del item["timestamp"]
    assert connector.backfill.parse(item, options) == webhook


def test_calls_and_then_forms_are_read_page_by_page() -> None:
    following = "https://api.callrail.com/v3/a/111/calls.json?offset=abc&relative_pagination=true"
    fetched = {
        CALLS: calls(body("call_answered"), following=following),
        "calls.json?offset=abc&relative_pagination=true": calls(body("call_missed")),
        FORMS.format(1): forms(body("form_submitted"), of=2),
        FORMS.format(2): forms(body("form_submitted", id="FRM2"), page=2, of=2),
    }
    found = pages(fetched)
    assert [item["id"][:4] for page in found for item in page.items] == [
        "CAL0",
        "CAL2",
        "FRM1",
        "FRM2",
    ]
    assert found[-2].next == "form_submissions.json?2"


@pytest.mark.parametrize(
    "changed",
    [
        {"start_time": "2026-01-04T22:50:00-07:00"},
        {"start_time": "2026-01-05T04:57:00-07:00"},
        {"direction": "outbound"},
        {"customer_phone_number": None},
        {"customer_phone_number": "Restricted"},
        {"duration": None},
    ],
)
def test_calls_of_another_time_or_that_are_no_leads_are_not_given(changed: dict[str, Any]) -> None:
    fetched = {
        CALLS: calls(body("call_answered"), body("call_answered", id="x", **changed)),
        FORMS.format(1): forms(body("form_submitted", submitted_at="2026-01-05T12:00:01Z")),
    }
    assert [len(page.items) for page in pages(fetched)] == [1, 0]


def test_one_company_of_an_account_may_be_asked_for() -> None:
    company = "per_page=250&company_id=COM1"
    fetched = {
        CALLS.replace("per_page=250", company): calls(),
        FORMS.format(1).replace("per_page=250", company): forms(),
    }
    assert len(pages(fetched, company_id="COM1")) == 2


def test_the_key_is_sent_in_callrails_own_way() -> None:
    assert authorise("k", "")[0] == {"Authorization": 'Token token="k"'}
