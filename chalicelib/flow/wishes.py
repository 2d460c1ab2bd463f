"""What providers told of people who may not be known yet: that they are to be gone, or left alone.

It is kept under a hash of each identity key that was named, for what the person sent before may
come later: by a slow webhook, a replay or a back-fill. It is then judged by it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from pydantic import AwareDatetime, Field

from chalicelib.errors import TryLater
from chalicelib.flow.glance import Glance
from chalicelib.flow.replay import again
from chalicelib.hub import Hub
from chalicelib.lead.model import Model, Touch
from chalicelib.records import (
    delivery_item,
    delivery_key,
    delivery_of,
    digest,
    packed,
    unpacked,
)
from chalicelib.storage import Holds, Item, Key, Put, Table, Write, at_version

MOST_HEARD = 5
"""How many deliveries that told of somebody unknown are remembered, the latest."""

LOOK_AGAIN = timedelta(minutes=6)
"""Longer than a submission can be worked on by somebody who did not see the wish."""


class Wish(Model):
    """What was told of whoever has one identity key; no personal data."""

    erased: Mapping[str, AwareDatetime] = Field(
        default_factory=dict, description="source -> until when what it told of them is to be gone"
    )
    heard: tuple[str, ...] = Field(
        default=(), description="deliveries that say what they refuse, when nobody knew them"
    )


def wish_key(key: str) -> Key:
    """Key of what was told of whoever has an identity key; hashed, for that is a person's."""
    return Key(f"WISH#{digest(key)}", "WISH")


def wish_item(key: str, wish: Wish, version: int, writer: str) -> Item:
    """Make the item of a wish."""
    place = wish_key(key)
    return {
        "pk": place[0],
        "sk": place[1],
        "kind": "wish",
        "writer": writer,
        "version": version,
        "data": packed(wish),
    }


def wish_of(item: Item) -> Wish:
    """Read a wish back."""
    return unpacked(Wish, item["data"])


def keys_judged(touch: Touch) -> list[str]:
    """Give the keys by which a touch is judged: a phone only where there is no address.

    Who shares a phone with somebody who is to be gone is not to be gone too.
    """
    sure = [key for key in touch.identity_keys if not key.startswith("phone:")]
    has_address = any(key.startswith("email:") for key in sure)
    return sure if has_address else list(touch.identity_keys)


def asked_of(touch: Touch) -> list[Key]:
    """Name the items that say what was told of a touch's person; for reading ahead."""
    return [wish_key(key) for key in keys_judged(touch)]


def wishes_of(glance: Glance, touch: Touch) -> list[Wish]:
    """Read what was told of a touch's person."""
    return [wish_of(item) for item in glance.get_many(asked_of(touch)).values()]


def is_to_be_gone(wishes: Iterable[Wish], touch: Touch) -> bool:
    """Say whether its source told since that what it has told of the person is to be gone."""
    return any(
        touch.submitted_at <= wish.erased[touch.source_id]
        for wish in wishes
        if touch.source_id in wish.erased
    )


def is_refusal(touch: Touch) -> bool:
    """Say whether a touch tells that its person does not want something."""
    return any(not consent.given for consent in touch.consents)


def heard_again(hub: Hub, wishes: Iterable[Wish], writer: str) -> list[Write]:
    """Give the writes that put through again what was told of somebody when nobody knew them."""
    ids = dict.fromkeys(heard for wish in wishes for heard in wish.heard)
    found = hub.table.get_many([delivery_key(delivery_id) for delivery_id in ids]) if ids else {}
    writes: list[Write] = []
    for delivery in map(delivery_of, found.values()):
        if delivery.outcome != "ignored" or delivery.emptied_at:
            continue
        name, condition = f"replayed delivery {len(writes)}", Holds("version", delivery.version)
        item = delivery_item(again(delivery, hub.clock()), writer)
        writes.append(Put(name, item, condition))
    return writes


def erasure_wishes(
    table: Table, keys: Sequence[str], source_id: str, erased_at: datetime, writer: str
) -> list[Write]:
    """Give the writes that remember an erasure; none where it is remembered already."""

    def later(wish: Wish) -> Wish:
        until = max(erased_at, wish.erased.get(source_id, erased_at))
        return wish.model_copy(update={"erased": {**wish.erased, source_id: until}})

    return [*_changes(table, keys, later, writer)]


def look_again() -> NoReturn:
    """Have what was told of nobody looked at once more, when they might be known after all.

    Raises:
        TryLater: always.
    """
    seconds = int(LOOK_AGAIN.total_seconds())
    raise TryLater("nobody is known yet whom this is about", seconds)


def refusal_wishes(table: Table, touch: Touch, writer: str) -> list[Write]:
    """Give the writes that remember which delivery told what a person refuses."""

    def heard(wish: Wish) -> Wish:
        ids = tuple(one for one in wish.heard if one != touch.delivery_id)
        return wish.model_copy(update={"heard": (*ids, touch.delivery_id)[-MOST_HEARD:]})

    return [*_changes(table, keys_judged(touch), heard, writer)]


def _changes(
    table: Table, keys: Sequence[str], change: Callable[[Wish], Wish], writer: str
) -> Iterator[Write]:
    found = table.get_many([wish_key(key) for key in keys])
    for number, key in enumerate(keys):
        item = found.get(wish_key(key))
        before, version = (wish_of(item), int(item["version"])) if item else (Wish(), 0)
        after = change(before)
        if after != before:
            put = wish_item(key, after, version + 1, writer)
            yield Put(f"wish {number}", put, at_version(version))
