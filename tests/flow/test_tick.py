"""Every minute: send on whatever is overdue; late, early or twice does no harm."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chalicelib.errors import TryLater, Unavailable
from chalicelib.flow.process import process
from chalicelib.flow.tick import tick
from chalicelib.storage import Item, Key
from tests.faults import Call
from tests.flow.scenes import (
    a_world,
    ask,
    delivery,
    effects,
    events,
    failing_at,
    outcomes,
    owner_of,
    received,
)
from tests.world import World, form, linkedin, linkedin_pages


def stuck() -> World:
    """Give a world with a delivery, a lead and an effect whose messages were all lost."""
    world = a_world()
    ask(world, "forms", form(1, "one@example.com"))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)
    ask(world, "forms", form(2, "two@example.com"))
    world.work(world.inbox, world.hub)
    ask(world, "forms", form(3, "three@example.com"))
    for queue in world.queues:
        queue.delete({kept.message_id for kept in queue._waiting})
        assert queue.is_empty()
    world.clock.advance(minutes=6)
    return world


def test_with_nothing_overdue_nothing_is_sent() -> None:
    world = a_world()
    assert tick(world.hub) == 0
    ask(world, "forms", form(1, "zoe@example.com"))
    world.clock.advance(seconds=119)
    assert tick(world.hub) == 0


def test_a_delivery_a_lead_and_an_effect_whose_messages_were_lost_are_all_found() -> None:
    world = stuck()
    assert tick(world.hub) == 3
    assert [len(queue.waiting) for queue in world.queues] == [1, 1, 1]
    world.drain()
    assert outcomes(world) == ["accepted"] * 3
    assert all(owner_of(lead) for lead in world.leads())
    assert {one.state for one in effects(world)} == {"done"}
    assert len(world.mailbox.mails) == 3


def test_a_lost_message_is_found_within_two_minutes_of_arrival() -> None:
    world = a_world()
    world.inbox.is_down = True
    ask(world, "forms", form(1, "zoe@example.com"))
    world.inbox.is_down = False
    world.clock.advance(minutes=2)
    assert tick(world.hub) == 1


def test_twice_in_a_minute_sends_once() -> None:
    world = stuck()
    assert [tick(world.hub), tick(world.hub)] == [3, 0]
    world.clock.advance(minutes=1)
    assert tick(world.hub) == 0


def test_two_at_once_do_no_harm() -> None:
    world = stuck()
    others = [1]

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "send" and others:
            others.pop()
            tick(world.hub)
        return go()

    tick(world.worker(hook))
    world.settle()
    assert outcomes(world) == ["accepted"] * 3
    assert len(world.mailbox.mails) == 3
    assert sum(received(world, "small").values()) == 3


def test_hours_late_everything_is_sent_once() -> None:
    world = stuck()
    world.clock.advance(hours=5)
    assert tick(world.hub) == 3
    world.settle()
    assert len(world.mailbox.mails) == 3


def test_what_was_sent_on_and_lost_again_is_sent_on_again() -> None:
    world = stuck()
    tick(world.hub)
    for queue in world.queues:
        queue.delete({kept.message_id for kept in queue._waiting})
    world.clock.advance(minutes=9)
    assert tick(world.hub) == 0
    world.clock.advance(minutes=1)
    assert tick(world.hub) == 3


def test_a_provider_that_asked_to_wait_is_asked_again_when_due() -> None:
    world = a_world()
    world.web.pages["leadFormResponses/00000001-1"] = TryLater("answered 429", 3600)
    ask(world, "linkedin", linkedin(1))
    world.drain()
    world.web.pages = linkedin_pages(1, "lin@example.com")
    world.clock.advance(minutes=59)
    assert tick(world.hub) == 0
    world.clock.advance(minutes=1)
    assert tick(world.hub) == 1
    world.drain()
    assert delivery(world).outcome == "accepted"


def test_what_was_finished_meanwhile_is_not_brought_back() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.clock.advance(minutes=3)

    def finish_first(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write":
            process(world.hub, world.inbox.receive(1))
        return go()

    tick(world.worker(finish_first))
    found = delivery(world)
    assert (found.outcome, found.due_at) == ("accepted", None)


def kinds(found: Mapping[Key, Item]) -> set[str]:
    return {item["kind"] for item in found.values()}


def test_what_changed_meanwhile_is_not_written_over() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.work(world.inbox, world.hub)
    # The second one arrived at the same moment, so the lead is due at the same time as before.
    ask(world, "forms", form(2, "zoe@example.com"))
    (second,) = world.inbox.receive()
    world.clock.advance(minutes=6)
    others = [second]

    def take_it_first(call: Call, go: Callable[[], Any]) -> Any:
        answer = go()
        if call.does == "get_many" and others and "lead" in kinds(answer):
            assert process(world.hub, [others.pop()]) == []
        return answer

    tick(world.worker(take_it_first))
    assert (world.lead().version, world.lead().touch_count) == (2, 2)


@pytest.mark.parametrize("queue", ["inbox", "routing", "outbox"])
def test_a_queue_that_is_down_is_tried_again_the_next_minute(queue: str) -> None:
    world = stuck()
    getattr(world, queue).is_down = True
    with pytest.raises(Unavailable):
        for _ in range(4):
            tick(world.hub)
    getattr(world, queue).is_down = False
    world.clock.advance(minutes=1)
    world.settle()
    assert outcomes(world) == ["accepted"] * 3
    assert len(world.mailbox.mails) == 3


def test_a_tick_that_dies_after_sending_sends_again_and_nothing_happens_twice() -> None:
    world = stuck()
    with pytest.raises(Unavailable):
        tick(world.worker(failing_at("table.write", 1, Unavailable("DynamoDB: down"))))
    world.settle()
    assert len(events(world, "assigned")) == 3
    assert len(world.mailbox.mails) == 3


def test_more_than_a_page_is_sent_on_in_one_go() -> None:
    world = a_world()
    world.inbox.is_down = True
    for number in range(450):
        ask(world, "forms", form(number, f"p{number}@example.com"))
    world.inbox.is_down = False
    world.clock.advance(minutes=3)
    assert tick(world.hub) == 450


def test_an_index_that_lags_costs_a_minute_and_nothing_else() -> None:
    world = a_world()
    world.table.index_lag = 3
    world.inbox.is_down = True
    ask(world, "forms", form(1, "zoe@example.com"))
    world.inbox.is_down = False
    world.clock.advance(minutes=3)
    assert tick(world.hub) == 0
    world.table.index_lag = 0
    assert tick(world.hub) == 1
