"""Erasures: what is known of each while it is under way, and the certificate that it leaves."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from chalicelib.errors import NotFound
from chalicelib.hub import Hub
from chalicelib.lead.model import Model, utc_text
from chalicelib.records import EffectKind, long_item, summary_of, unpacked
from chalicelib.storage import Item, Key, Put, at_version

State = Literal["erasing", "searching", "waiting", "checking", "done"]

ERASURES = "ERASURES"
"""The list of all erasures."""


class Told(Model):
    """One notification that named the person; what it holds is out of the hub's reach."""

    effect_id: str
    destination_id: str
    kind: EffectKind | str
    state: str
    at: AwareDatetime | None = Field(default=None, description="when it was last tried")


class Checked(Model):
    """One store, read again at the end."""

    store: str
    looked_at: int = Field(description="how many things were read")
    found: int = Field(description="how many of them still held something of the person")


class Person(Model):
    """Whom an erasure is about; personal data, so it is gone when the erasure is done."""

    keys: tuple[str, ...] = Field(default=(), description="identity keys")
    shared: tuple[str, ...] = Field(
        default=(), description="those that others hold too, and that say nothing of who it is"
    )
    claims: tuple[str, ...] = Field(default=(), description="digests of their submissions")
    kin: tuple[str, ...] = Field(
        default=(), description="leads that they were one with for a while, by mistake"
    )


class Place(Model):
    """How far the search has come."""

    number: int = Field(default=1, description="of the pass")
    began_at: AwareDatetime
    done: tuple[str, ...] = Field(default=(), description="lists that were gone through")
    after: str = Field(default="", description="where the list under way goes on")
    looked_at: int = Field(default=0, description="deliveries, in this pass")
    found: int = Field(default=0, description="deliveries of theirs that this pass came upon")


class Erasure(Model):
    """The erasure of one person: at its end the certificate, without any personal data."""

    erasure_id: str
    asked_at: AwareDatetime
    asked_by: str
    reason: str = ""
    until: AwareDatetime = Field(
        description="what came later is new: it stays, unless it only repeats what is erased"
    )
    state: State = "erasing"
    lead_ids: tuple[str, ...] = Field(default=(), description="the lead and those merged into it")
    person: Person | None = None
    place: Place | None = None
    looked_at: int = Field(default=0, description="deliveries that the search has looked at")
    removed: Mapping[str, int] = Field(default_factory=dict, description="how much, by store")
    told: tuple[Told, ...] = ()
    shared: int = Field(
        default=0,
        description="requests that held others' submissions too; theirs stay, the request is gone",
    )
    waits_for: tuple[str, ...] = Field(
        default=(),
        description="deliveries that others' submissions in them still need, so that their "
        "requests are not gone yet",
    )
    emptied: tuple[str, ...] = Field(
        default=(), description="deliveries whose requests were taken away"
    )
    imports: tuple[str, ...] = Field(
        default=(), description="imports that their rows came by, whose files are still there"
    )
    checks: tuple[Checked, ...] = ()
    notes: tuple[str, ...] = Field(default=(), description="what the hub cannot reach, in words")
    finished_at: AwareDatetime | None = None

    def counting(self, **amounts: int) -> "Erasure":
        """Give the erasure with more removed."""
        removed = dict(self.removed)
        for store, amount in amounts.items():
            if amount:
                removed[store] = removed.get(store, 0) + amount
        return self.model_copy(update={"removed": removed})


def erasure_key(erasure_id: str) -> Key:
    """Key of an erasure."""
    return Key(f"ERASURE#{erasure_id}", "ERASURE")


def erasure_item(one: Erasure, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of an erasure; one that is under way is due as long work."""
    shown = {
        "erasure_id": one.erasure_id,
        "asked_at": utc_text(one.asked_at),
        "asked_by": one.asked_by,
        "state": one.state,
        "leads": list(one.lead_ids[:10]),
    }
    return {
        **long_item(erasure_key(one.erasure_id), "erasure", one, version, due_at, writer),
        "list_pk": ERASURES,
        "list_sk": f"{utc_text(one.asked_at)}#{one.erasure_id}",
        "summary": json.dumps(shown, ensure_ascii=False, separators=(",", ":")),
    }


def erasure_of(item: Item) -> Erasure:
    """Read an erasure back."""
    return unpacked(Erasure, item["data"])


def erasure_put(one: Erasure, version: int, due_at: datetime | None, writer: str) -> Put:
    """Give the write that brings an erasure from a version to its next; 0 makes it."""
    return Put("erasure", erasure_item(one, version + 1, due_at, writer), at_version(version))


def find_erasure(hub: Hub, erasure_id: str) -> tuple[Erasure, int]:
    """Give an erasure and its version.

    Raises:
        NotFound: no such erasure.
    """
    is_id = erasure_id.isascii() and erasure_id.isalnum() and len(erasure_id) <= 64
    item = hub.table.get(erasure_key(erasure_id)) if is_id else None
    if item is None:
        raise NotFound(f"erasure {erasure_id[:64] if is_id else ''}")
    return erasure_of(item), int(item["version"])


def public(one: Erasure) -> Erasure:
    """Give an erasure as it may be shown: without whom it is about."""
    return one.model_copy(update={"person": None, "place": None})


def list_erasures(hub: Hub, limit: int) -> list[Mapping[str, object]]:
    """List erasures, newest first."""
    page = hub.table.query_index("list", ERASURES, newest_first=True, limit=limit)
    return [summary_of(item) for item in page.items]
