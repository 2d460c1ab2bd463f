"""People who are alike, and worlds in which matching asks, learns and looks again."""

import random
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from chalicelib.config.model import Matching
from chalicelib.connector import Submission
from chalicelib.flow.duplicates import Duplicate, every_duplicate
from chalicelib.flow.glance import Glance
from chalicelib.flow.match import match, save
from chalicelib.flow.proposals import Proposal, proposal_of
from chalicelib.flow.publish import publish
from chalicelib.lead.normalise import normalise
from chalicelib.records import Claim
from chalicelib.storage import Item
from tests.faults import Call, Fault, Point, every_point
from tests.world import World, form, with_config

ALWAYS_ASK = {"match": 0.9999999, "merge": 0.9999999, "ask": 0.000001}
"""Nobody is the same person without a shared key; whoever is a little alike is asked about."""

ZOE = {"email": "zoe.miller@example.com", "full_name": "Zoe Miller", "city": "Leeds"}
ZOE_TOO = {"email": "zmiller@example.org", "full_name": "Zoe Miller", "city": "Leeds"}
TOM = {"email": "tom.hale@example.net", "full_name": "Tom Hale", "city": "York"}


def asking(world: World | None = None, **matching: Any) -> World:
    """Give a world in which a person is asked about whoever is a little alike."""
    world = world or World()
    wanted = Matching.model_validate({**ALWAYS_ASK, **matching})
    world.config = with_config(world, matching=wanted)
    publish(world.hub, world.config, "test")
    return world


def write(world: World, number: int, person: Mapping[str, str]) -> None:
    """Let somebody write, and let it be processed."""
    world.send("forms", form(number, **person))
    world.settle()
    world.clock.advance(minutes=1)


def alike(world: World | None = None) -> World:
    """Give a world with two leads that may be one person, and one that is somebody else."""
    world = asking(world)
    for number, person in enumerate((ZOE, TOM, ZOE_TOO), start=1):
        write(world, number, person)
    return world


def unasked(world: World | None = None) -> World:
    """Give a world with two leads that are alike and that nobody was asked about."""
    world = asking(world, ask=0.999999)
    for number, person in enumerate((ZOE, TOM, ZOE_TOO), start=1):
        write(world, number, person)
    return asking(world)


def duplicate(world: World) -> Duplicate:
    """Give the only pair that is to be decided."""
    (found,) = every_duplicate(world.hub)
    return found


def proposals(world: World) -> list[Proposal]:
    """Give every proposal once, whatever its state."""
    items = [item for item in world.table.scan() if item.get("kind") == "proposal"]
    return [proposal_of(item) for item in items if "list_pk" in item]


SYLLABLES = ("ba", "dor", "fel", "gu", "han", "ki", "lom", "mar", "ner", "po", "ras", "tul", "vi")
CITIES = ("Leeds", "York", "Bath", "Ely", "Truro")
CHATTY = 12
MANY = 280
"""People enough to learn from, even if some are taken for one."""


def crowd(world: World, count: int, seed: int = 1, times: int = 2) -> None:
    """Make so many leads past the door; every fifth of them wrote several times."""
    chance = random.Random(seed)
    for number in range(count):
        name, last = ("".join(chance.choices(SYLLABLES, k=3)).title() for _ in range(2))
        person = {
            "full_name": f"{name} {last}",
            "email": f"{name}{number}@example.com".lower(),
            "phone": f"+4479{chance.randrange(10**8):08}",
            "city": chance.choice(CITIES),
        }
        for time in range(times if number % 5 == 0 else 1):
            _take(world, f"{seed}-{number}-{time}", person)


@cache
def _crowded() -> tuple[Item, ...]:
    world = World()
    crowd(world, MANY)
    return tuple(world.table.scan())


@cache
def _chatty() -> World:
    world = World()
    for seed in range(CHATTY):
        crowd(world, 1, seed, times=20)
    return world


def chatty(world: World) -> None:
    """Let a few people have written so often that there is enough to learn from."""
    for item in _chatty().table.scan():
        world.table.plant(item)
    known = [puts for puts in _chatty().table.commits if puts[0].key[0] != "CONFIG"]
    world.table.commits += known
    world.settle()


def in_turn(calls: list[Call]) -> Iterator[Point]:
    """Name every call, each with one fault in turn."""
    faults = list(Fault)
    for point in every_point(calls):
        if point.fault is faults[point.at % len(faults)]:
            yield point


def crowded() -> World:
    """Give a world with MANY leads."""
    world = World()
    for item in _crowded():
        world.table.plant(item)
    return world


def _take(world: World, name: str, person: Mapping[str, str]) -> None:
    hub, current = world.hub, world.hub.configurations.current()
    submission = Submission(external_id=name, submitted_at=world.clock(), answers=dict(person))
    touch = normalise(
        submission,
        source_id="forms",
        source=current.config.sources["forms"],
        connector="generic_json",
        connector_fields={key: key for key in person},
        config=current.config,
        delivery_id=f"delivery-{name}",
        received_at=world.clock(),
    )
    found = match(hub, current, Glance(hub.table), touch)
    claim = Claim(
        source_id="forms",
        external_id=name,
        version=1,
        delivery_id=touch.delivery_id,
        acted_at=world.clock(),
        lead_id=found.lead.lead_id,
        touch_id=touch.touch_id,
    )
    save(hub, found, claim, f"crowd:{name}")
