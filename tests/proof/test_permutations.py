"""Order and repetition do not matter: every order of up to five messages, poison at every place."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from chalicelib.errors import Unavailable
from chalicelib.lead.model import Lead
from chalicelib.records import delivery_of, touch_record_of
from chalicelib.storage import Put, Received, Write
from tests.faults import untouched
from tests.invariants import problems
from tests.proof.stories import PHONE, deliveries
from tests.proof.weakened import Weakened
from tests.world import World, form, linkedin, linkedin_pages

Body = tuple[str, bytes]


def people(*emails_and_phones: tuple[str, str]) -> list[Body]:
    """Make enquiries, each a minute after the one before."""
    return [
        ("forms", form(n, email, phone, f"2026-11-23T08:0{n}:00Z", seats=str(50 * n)))
        for n, (email, phone) in enumerate(emails_and_phones, start=1)
    ]


HISTORIES: dict[str, list[Body]] = {
    "five touches of one person": people(
        ("zoe@example.com", ""),
        ("zoe@example.com", PHONE),
        ("", PHONE),
        ("zoe@example.com", ""),
        ("zoe@example.com", "+447700900124"),
    ),
    "two people whom the last ones join": people(
        ("a@example.com", ""),
        ("b@example.com", ""),
        ("", PHONE),
        ("a@example.com", PHONE),
        ("b@example.com", PHONE),
    ),
    "crossing keys": people(
        ("a@example.com", "+447700900101"),
        ("b@example.com", "+447700900102"),
        ("a@example.com", "+447700900102"),
        ("b@example.com", "+447700900101"),
    ),
    "submissions, one of them twice": [
        *people(("a@example.com", ""), ("b@example.com", ""), ("a@example.com", PHONE)),
        *people(("a@example.com", "")),
    ],
    "a registration, taken back, made again": [
        ("linkedin", linkedin(1, "CREATED", 1_795_420_800_000)),
        ("linkedin", linkedin(1, "DELETED", 1_795_420_900_000)),
        ("linkedin", linkedin(1, "CREATED", 1_795_421_000_000)),
        ("forms", form(1, "lin@example.com")),
    ],
}


def outcome(world: World) -> list[dict[str, Any]]:
    """Give what the leads are, without what may depend on the order: ids, owners, times of ours."""
    return sorted((plain(world, lead) for lead in world.leads()), key=str)


def plain(world: World, lead: Lead) -> dict[str, Any]:
    """Give a lead by what people see of it; touches are named by their submissions."""
    names = {
        record.touch.touch_id: (record.touch.external_id, record.touch.submitted_at.isoformat())
        for item in world.table.scan()
        if item.get("kind") == "touch"
        for record in [touch_record_of(item)]
    }
    return {
        "profile": {k: (v.value, names[v.touch_id]) for k, v in sorted(lead.profile.items())},
        "custom": {k: (v.value, names[v.touch_id]) for k, v in sorted(lead.custom.items())},
        "keys": lead.identity_keys,
        "touches": lead.touch_count,
        "first": names[lead.first_touch.touch_id] if lead.first_touch else None,
        "last": names[lead.last_touch.touch_id] if lead.last_touch else None,
        "score": (lead.score.fit, lead.score.engagement),
        "owned": bool(lead.assignment),
        "consents": sorted(lead.consents),
    }


def play(history: Sequence[Body], order: Sequence[int]) -> World:
    """Take all requests, then handle their messages in an order, each by itself."""
    world = World()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    for source_id, body in history:
        world.send(source_id, body)
    kept = [delivery.delivery_id for delivery in deliveries(world)]
    messages = {m.body["delivery"]: m for m in world.inbox.receive(10)}
    for place in order:
        message = messages[kept[place]]
        failed = world.step(world.inbox)(world.hub, [message])
        world.inbox.delete({message.message_id} - set(failed))
    world.inbox.give_back([message.message_id for message in messages.values()])
    world.settle()
    return world


@pytest.mark.parametrize("name", HISTORIES)
def test_every_order_gives_the_same_leads(name: str) -> None:
    history = HISTORIES[name]
    expected = outcome(play(history, range(len(history))))
    for order in permutations(range(len(history))):
        world = play(history, order)
        assert problems(world) == [], order
        assert outcome(world) == expected, order


@pytest.mark.parametrize("name", HISTORIES)
def test_messages_that_come_several_times_change_nothing(name: str) -> None:
    history = HISTORIES[name]
    count = len(history)
    once = outcome(play(history, range(count)))
    for times in (2, 3, 5):
        order = [place for place in range(count) for _ in range(times)]
        assert outcome(play(history, order)) == once
        assert outcome(play(history, list(range(count)) * times)) == once


# --- poison ---------------------------------------------------------------------------------------


def batch(world: World) -> list[Received]:
    """Give ten messages of ten good submissions."""
    for number in range(10):
        world.send("forms", form(number, f"p{number}@example.com"))
    return world.inbox.receive(10)


def settle_others(world: World, failed: Sequence[str]) -> None:
    world.inbox.give_back(failed)
    world.settle()


POISON: dict[str, tuple[str, bytes]] = {
    "is not JSON": ("forms", b'{"id": 1,'),
    "names nobody": ("forms", form(99)),
    "is nested too deep": ("forms", b"[" * 100_000),
    "is about a lead that the provider lost": ("linkedin", linkedin(9)),
    "is of another shape": ("meta", b'{"object": "page", "entry": [{"id": 1, "changes": 7}]}'),
}


@pytest.mark.parametrize("name", POISON)
@pytest.mark.parametrize("place", range(10))
def test_a_bad_request_is_set_aside_and_the_rest_of_its_batch_is_not(name: str, place: int) -> None:
    world = World()
    for number in range(10):
        source_id, body = ("forms", form(number, f"p{number}@example.com"))
        if number == place:
            source_id, body = POISON[name]
        assert world.send(source_id, body) == 200
    messages = world.inbox.receive(10)
    failed = world.step(world.inbox)(world.hub, messages)
    assert failed == []
    world.inbox.delete([message.message_id for message in messages])
    world.settle()
    assert problems(world) == []
    assert len(world.leads()) == 9
    outcomes = [delivery.outcome for delivery in deliveries(world)]
    assert [n for n, found in enumerate(outcomes) if found == "quarantined"] == [place]
    assert deliveries(world)[place].reason


@dataclass
class Refusing(Weakened):
    """A table that refuses whatever one writer writes."""

    writer: str = ""

    def write(self, writes: Sequence[Write]) -> None:
        """Write, or be down."""
        if any(isinstance(w, Put) and self.writer in w.item["writer"] for w in writes):
            raise Unavailable("DynamoDB: injected")
        self.table.write(writes)


@pytest.mark.parametrize("place", range(10))
def test_only_the_message_that_met_a_fault_comes_back(place: int) -> None:
    """The table refuses whatever belongs to one delivery of the batch."""
    world = World()
    messages = batch(world)
    bad = messages[place].body["delivery"]

    world.weaken = partial(Refusing, writer=bad)
    failed = world.step(world.inbox)(world.worker(untouched), messages)
    assert failed == [messages[place].message_id]
    done = {
        delivery.delivery_id: delivery.outcome
        for delivery in map(delivery_of, [i for i in world.table.scan() if i.get("raw")])
    }
    assert done.pop(bad) == "pending"
    assert set(done.values()) == {"accepted"}
    world.inbox.delete({message.message_id for message in messages} - set(failed))
    settle_others(world, failed)
    assert problems(world) == []
    assert len(world.leads()) == 10


@pytest.mark.parametrize("place", range(10))
def test_a_failure_in_an_ordered_batch_takes_all_later_ones_back(place: int) -> None:
    """In the FIFO queue the order of a pool must hold, so what comes after waits too."""
    world = World()
    batch(world)
    world.inbox.give_back([kept.message_id for kept in world.inbox._waiting])
    world.work(world.inbox, world.hub)
    messages = world.routing.receive(10)
    world.table.is_down = True
    assert world.step(world.routing)(world.hub, messages[place:]) == [
        message.message_id for message in messages[place:]
    ]
    world.table.is_down = False
    world.routing.give_back([message.message_id for message in messages])
    world.settle()
    assert problems(world) == []
