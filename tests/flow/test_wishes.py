"""What a provider told of somebody whom nobody knew is judged by what of theirs comes later."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.config.source import Source
from chalicelib.connector import Erasure
from chalicelib.errors import TryLater
from chalicelib.flow.wishes import wish_key, wish_of
from chalicelib.flow.withdraw import erase
from chalicelib.storage import Item
from tests.flow.scenes import a_world, ask, deliveries, outcomes, reconfigure, touches
from tests.invariants import problems
from tests.world import World, form, tracked

BEFORE, TOLD, AFTER = (f"2026-11-23T08:{minute}:00Z" for minute in (10, 20, 30))


def told_gone(world: World, at: str = TOLD, source_id: str = "forms", **who: str) -> None:
    """Let a source say that somebody is to be erased."""
    ask(world, source_id, b'{"id": "first", "email": "xia@example.com"}')
    world.settle()
    carrier = next(one for one in deliveries(world) if one.source_id == source_id)
    act = Erasure(external_id="gone", erased_at=datetime.fromisoformat(at), **who)
    current = world.hub.configurations.current()
    with suppress(TryLater):
        erase(world.hub, current, carrier, "process:erasure:0", act)


def addresses(world: World) -> set[Any]:
    return {lead.profile["email"].value for lead in world.leads() if "email" in lead.profile}


def test_what_was_submitted_before_an_erasure_and_comes_after_it_stays_out() -> None:
    world = a_world()
    told_gone(world, email="zoe@example.com")
    ask(world, "forms", form(1, "Zoe@Example.com", at=BEFORE, city="Canaryton"))
    world.settle()
    assert addresses(world) == {"xia@example.com"}
    (gone,) = [one for one in deliveries(world) if one.outcome == "erased"]
    assert gone.raw == b""
    assert problems(world) == []


def test_a_new_enquiry_after_an_erasure_is_a_new_lead() -> None:
    world = a_world()
    told_gone(world, email="zoe@example.com")
    ask(world, "forms", form(1, "zoe@example.com", at=AFTER))
    world.settle()
    assert addresses(world) == {"xia@example.com", "zoe@example.com"}
    assert problems(world) == []


def test_an_erasure_is_of_its_source_alone() -> None:
    world = a_world()
    told_gone(world, email="zoe@example.com")
    ask(world, "events", form(1, "zoe@example.com", at=BEFORE))
    world.settle()
    assert "zoe@example.com" in addresses(world)


def test_whoever_shares_a_phone_with_somebody_erased_stays() -> None:
    world = a_world()
    told_gone(world, email="zoe@example.com", phone="+447700900123")
    ask(world, "forms", form(1, "abe@example.com", "+447700900123", at=BEFORE))
    ask(world, "forms", form(2, phone="+447700900123", at=BEFORE))
    world.settle()
    assert addresses(world) == {"xia@example.com", "abe@example.com"}
    assert sorted(outcomes(world)) == ["accepted", "accepted", "erased"]


def test_an_erasure_by_the_providers_own_id_is_judged_too() -> None:
    world = a_world()
    ask(world, "product", tracked("delete", 9))
    world.settle()
    ask(world, "product", tracked("track", 1, "zoe@example.com"))
    ask(world, "product", tracked("track", 10, "zoe@example.com"))
    world.settle()
    (record,) = touches(world)
    assert record.touch.external_id == "call-10"
    assert problems(world) == []


def test_an_older_erasure_does_not_take_the_place_of_a_newer_one() -> None:
    world = a_world()
    told_gone(world, email="zoe@example.com")
    told_gone(world, BEFORE, email="zoe@example.com")
    ask(world, "forms", form(1, "zoe@example.com", at="2026-11-23T08:15:00Z"))
    world.settle()
    assert addresses(world) == {"xia@example.com"}


def test_a_submission_of_a_known_person_from_before_an_erasure_stays_out_too() -> None:
    world = a_world()
    ask(world, "events", form(1, "zoe@example.com", at=BEFORE))
    world.settle()
    told_gone(world, email="zoe@example.com")
    ask(world, "forms", form(2, "zoe@example.com", at=BEFORE, city="Canaryton"))
    world.settle()
    zoe = next(one for one in world.leads() if one.profile["email"].value == "zoe@example.com")
    assert zoe.touch_count == 1
    assert "city" not in zoe.profile


def a_newsletter() -> World:
    """Give a world with a newsletter at Mailchimp."""
    world = a_world()
    newsletter = Source(connector="mailchimp", secret="forms", options={"scheme": "signed"})
    sources = {**world.config.sources, "newsletter": newsletter}
    world.config = world.config.model_copy(update={"sources": sources})
    reconfigure(world, world.config)
    return world


def mailchimp(world: World, kind: str, minute: int) -> None:
    """Let Mailchimp say that Zoe joined its list, or left it."""
    told = {"type": kind, "fired_at": f"2026-11-23 08:{minute}:00"}
    data = {"id": "8a25ff1d98", "email": "zoe@example.com", "list_id": "a6b5da1054"}
    body = urlencode({**told, **{f"data[{name}]": value for name, value in data.items()}})
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert ask(world, "newsletter", body.encode(), headers=headers).status == 200
    world.settle()


@pytest.mark.parametrize(("minute", "given"), [(10, False), (30, True)])
def test_a_refusal_of_somebody_unknown_is_heeded_when_they_come(minute: int, given: bool) -> None:
    world = a_newsletter()
    mailchimp(world, "unsubscribe", 20)
    assert outcomes(world) == ["ignored"]
    mailchimp(world, "subscribe", minute)
    assert world.lead().consents["marketing"].given == given
    assert outcomes(world) == ["accepted", "accepted"]
    assert problems(world) == []


def test_a_refusal_is_heard_once() -> None:
    world = a_newsletter()
    mailchimp(world, "unsubscribe", 20)
    for number in (1, 2):
        ask(world, "forms", form(number, "zoe@example.com", at=BEFORE))
        world.settle()
    refused = next(one for one in deliveries(world) if one.source_id == "newsletter")
    assert refused.replays == 1
    assert not world.lead().consents["marketing"].given
    assert problems(world) == []


def test_no_address_stands_in_what_is_remembered() -> None:
    world = a_newsletter()
    mailchimp(world, "unsubscribe", 20)
    told_gone(world, email="zoe@example.com")
    items = [item for item in world.table.scan() if item["kind"] == "wish"]
    assert {item["pk"] for item in items} >= {wish_key("email:zoe@example.com")[0]}
    assert left_of_wishes(items) == []


def left_of_wishes(items: list[Item]) -> list[str]:
    """Give what names Zoe in some items, opened."""
    opened = [f"{item['pk']} {wish_of(item).model_dump_json()}" for item in items]
    return [text for text in opened if "zoe" in text or "8a25ff1d98" in text]
