"""Replay: what a delivery did is not done twice, what failed gets a new chance."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.errors import Conflict, NotFound, TryLater
from chalicelib.flow.outcome import TRIES
from chalicelib.flow.replay import replay
from tests.faults import Call
from tests.flow.scenes import (
    a_world,
    ask,
    changed,
    deliveries,
    delivery,
    effects,
    reconfigure,
    touches,
    value,
)
from tests.world import form, linkedin, linkedin_pages, meta, meta_page

PAGE = {"content-type": "application/x-www-form-urlencoded"}


def test_a_replay_of_what_made_a_lead_does_nothing_twice() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com", seats="250"))
    world.settle()
    before = world.lead()
    for _ in range(2):
        world.replay(delivery(world).delivery_id)
        world.settle()
    assert world.lead() == before
    assert (delivery(world).outcome, delivery(world).replays) == ("accepted", 2)
    assert len(touches(world)) == 1
    assert len(world.mailbox.mails) == len(effects(world, "mail")) == 1


def test_malformed_is_quarantined_and_its_replay_after_a_fix_works_once() -> None:
    world = a_world()
    ask(world, "forms", form(1, contact="zoe@example.com"))
    world.settle()
    assert delivery(world).outcome == "quarantined"
    fields = {"contact": "email"}
    reconfigure(world, changed(world.config, "sources", "forms", fields=fields))
    for _ in range(2):
        world.replay(delivery(world).delivery_id)
        world.settle()
    assert delivery(world).outcome == "accepted"
    assert value(world.lead(), "email") == "zoe@example.com"
    assert world.lead().touch_count == 1


def test_a_delivery_of_a_connector_mended_since_is_read_by_todays_code() -> None:
    world = a_world()
    ask(world, "events", b'{"people": [{"id": "1", "email": "zoe@example.com"}]}')
    world.settle()
    assert delivery(world).outcome == "quarantined"
    options = {"list_path": "people"}
    reconfigure(world, changed(world.config, "sources", "events", options=options))
    world.replay(delivery(world).delivery_id)
    world.settle()
    assert delivery(world).outcome == "accepted"


def test_a_replay_of_a_duplicate_is_a_duplicate_again() -> None:
    world = a_world()
    for _ in range(2):
        ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    first, second = deliveries(world)
    world.replay(second.delivery_id)
    world.settle()
    assert deliveries(world)[1].outcome == "duplicate"
    assert deliveries(world)[1].results["0"].of == first.delivery_id


def test_a_replay_of_many_leads_takes_only_those_that_failed() -> None:
    world = a_world()
    for number in range(12):
        world.web.pages |= meta_page(number, f"met{number}@example.com")
    broken = world.web.pages.pop("/770005")
    ask(world, "meta", meta(*range(12)))
    world.settle()
    assert (delivery(world).outcome, len(world.leads())) == ("quarantined", 11)
    world.web.pages["/770005"] = broken
    world.web.asked.clear()
    world.replay(delivery(world).delivery_id)
    world.settle()
    assert (delivery(world).outcome, len(world.leads())) == ("accepted", 12)
    # The lead, and the name of its form.
    assert len(world.web.asked) == 2


def test_a_replay_of_what_was_withdrawn_brings_nobody_back() -> None:
    world = a_world()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    ask(world, "linkedin", linkedin(1))
    world.settle()
    ask(world, "linkedin", linkedin(1, "DELETED", 1_795_420_900_000))
    world.settle()
    world.replay(deliveries(world)[0].delivery_id)
    world.settle()
    assert world.lead().status_reason == "withdrawn"
    assert world.lead().touch_count == 0


def test_a_replay_starts_the_count_of_tries_anew() -> None:
    world = a_world()
    world.web.pages[""] = TryLater("answered 500")
    ask(world, "linkedin", linkedin(1))
    world.settle()
    assert delivery(world).tries == TRIES
    assert replay(world.hub, delivery(world).delivery_id).tries == 0


def test_a_replay_with_the_queue_down_is_found_by_tick() -> None:
    world = a_world()
    ask(world, "forms", form(1, note="nobody"))
    world.settle()
    fields = {"note": "email"}
    reconfigure(world, changed(world.config, "sources", "forms", fields=fields))
    world.inbox.is_down = True
    with pytest.raises(Exception, match="down"):
        world.replay(delivery(world).delivery_id)
    world.inbox.is_down = False
    world.tick()
    world.drain()
    assert delivery(world).outcome == "quarantined"
    assert delivery(world).replays == 1


def test_a_delivery_that_is_not_there_cannot_be_replayed() -> None:
    with pytest.raises(NotFound, match="delivery nowhere"):
        replay(a_world().hub, "nowhere")


def test_two_people_who_replay_at_once_are_not_both_told_that_it_worked() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    delivery_id = delivery(world).delivery_id
    others = [delivery_id]

    def let_the_other_go_first(call: Call, go: Callable[[], Any]) -> Any:
        if call.what == "replayed delivery" and others:
            replay(world.hub, others.pop())
        return go()

    with pytest.raises(Conflict):
        replay(world.worker(let_the_other_go_first), delivery_id)
    world.settle()
    assert delivery(world).replays == 1


def test_what_was_suspected_to_be_spam_goes_through_when_a_person_says_it_is_none() -> None:
    world = a_world()
    ask(world, "page", b"email=zoe%40example.com&nickname=buy", headers=PAGE)
    world.settle()
    first = delivery(world)
    assert first.outcome == "quarantined"
    world.replay(first.delivery_id)
    world.settle()
    assert delivery(world).outcome == "quarantined"
    replay(world.hub, first.delivery_id, not_spam=True)
    world.settle()
    assert delivery(world).outcome == "accepted"
    assert world.lead().touch_count == 1
