"""Leads told before they have an address, deletions by what they mean, and the list of leads."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.config.source import Source
from chalicelib.connector import Misconfigured, Page, Window, read
from connectors.intercom import connector
from tests.flow.scenes import a_world, ask, case_body, touches
from tests.listing import pages_of

SOURCE = Source.model_validate({"connector": "intercom", "secret": "forms"})
WINDOW = Window(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC))


def contact(**changed: Any) -> dict[str, Any]:
    return {**load_case("intercom", "lead_created").body["data"]["item"], **changed}


def pages(*answers: dict[str, Any], **options: Any) -> tuple[list[Page], list[Any]]:
    """Read the list to its end; gives also what was asked."""
    asked: list[Any] = []

    def get(path: str, params: Any = None, *, query: Any = None, headers: Any = None) -> Any:
        assert (path, params) == ("contacts/search", None)
        asked.append(query)
        return answers[len(asked) - 1]

    return pages_of(connector, get, WINDOW, options, most=9), asked


def listed(*items: Any, following: str = "") -> dict[str, Any]:
    after = {"next": {"page": 2, "starting_after": following}} if following else {}
    return {"type": "list", "data": list(items), "pages": {"type": "pages", **after}}


def test_a_save_of_the_address_is_answered_to_head() -> None:
    answer = ask(a_world(sources={"chat": SOURCE}), "chat", method="HEAD")
    assert answer.status == 200


def test_a_visitor_is_a_lead_once_there_is_an_address() -> None:
    world = a_world(sources={"chat": SOURCE})
    for case in ("lead_without_an_address", "conversation_of_one_without_an_address"):
        ask(world, "chat", case_body("intercom", case))
        world.settle()
        assert world.leads() == []
    world.clock.advance(minutes=1)
    ask(world, "chat", case_body("intercom", "email_given_later"))
    world.settle()
    assert world.lead().profile["email"].value == "lena.hoff@example.com"


@pytest.mark.parametrize(
    "order", [("lead_created", "email_given_later"), ("email_given_later", "lead_created")]
)
def test_the_latest_state_of_a_contact_counts_whichever_comes_first(order: tuple[str, str]) -> None:
    world = a_world(sources={"chat": SOURCE})
    for case in order:
        world.clock.advance(minutes=1)
        ask(world, "chat", case_body("intercom", case))
        world.settle()
    (touch,) = (one.touch for one in touches(world) if not one.touch.void)
    assert touch.revision == "1767604100"
    assert world.lead()


def test_unsubscribing_changes_the_lead_and_makes_none() -> None:
    world = a_world(sources={"chat": SOURCE})
    ask(world, "chat", case_body("intercom", "unsubscribed"))
    world.settle()
    assert world.leads() == []
    world.clock.advance(minutes=1)
    ask(world, "chat", case_body("intercom", "lead_created"))
    later = case_body("intercom", "unsubscribed").replace(b"1767603501", b"1767603502")
    ask(world, "chat", later)
    world.settle()
    assert world.lead().consents["marketing"].given is False


def test_what_a_deletion_means_is_one_of_three() -> None:
    request = load_case("intercom", "deleted_and_kept").request()
    with pytest.raises(Misconfigured):
        read(connector, request, {"deleted": "maybe"})


def test_a_lead_of_the_list_reads_as_the_notification_of_its_making() -> None:
    assert connector.backfill
    (webhook,) = read(connector, load_case("intercom", "lead_created").request(), {})
    assert connector.backfill.parse(contact(), connector.options) == webhook


def test_leads_are_searched_page_by_page() -> None:
    found, asked = pages(listed(contact(id="1"), following="n2"), listed(contact(id="2")))
    assert [item["id"] for page in found for item in page.items] == ["1", "2"]
    assert asked[0]["query"]["value"][0] == {"field": "role", "operator": "=", "value": "lead"}
    assert [query["pagination"] for query in asked] == [
        {"per_page": 150},
        {"per_page": 150, "starting_after": "n2"},
    ]


def test_only_leads_of_the_window_that_have_an_address_are_given() -> None:
    since, until = (int(moment.timestamp()) for moment in (WINDOW.since, WINDOW.until))
    answer = listed(
        contact(id="first", created_at=since),
        contact(id="last", created_at=until),
        contact(id="before", created_at=since - 1),
        contact(id="after", created_at=until + 1),
        contact(id="nobody", email=None, phone=None),
        contact(id="phone only", email=None),
    )
    found, asked = pages(answer)
    assert [item["id"] for item in found[0].items] == ["first", "last", "phone only"]
    bounds = [(one["operator"], one["value"]) for one in asked[0]["query"]["value"][1:]]
    # A day more on either side, for Intercom may compare whole days.
    assert bounds == [(">", since - 86_400), ("<", until + 86_400)]
