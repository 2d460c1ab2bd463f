"""What is stored: the key of each kind of item, and items to models and back."""

import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from pydantic import AwareDatetime, Field

from chalicelib.compact import grow, shrink
from chalicelib.lead.model import Assignment, Decision, Edit, Lead, Model, Touch, utc_text
from chalicelib.storage import Item, Key

if TYPE_CHECKING:
    from chalicelib.lead.rotation import Ledger

M = TypeVar("M", bound=Model)

SHARDS = 4
"""Partitions that the index of due items and the list of leads are spread over."""

Outcome = Literal[
    "accepted",
    "duplicate",
    "withdrawn",
    "test",
    "ignored",
    "quarantined",
    "waiting",
    "erased",
    "pending",
]

OUTCOMES: tuple[Outcome, ...] = tuple(one for one in get_args(Outcome) if one != "pending")
"""Outcomes that deliveries are listed by; a pending one has none yet."""


class ActResult(Model):
    """What became of one submission or withdrawal of a delivery."""

    outcome: Outcome
    external_id: str = ""
    lead_id: str = ""
    touch_id: str = ""
    reason: str = Field(default="", description="in words; no personal data")
    of: str = Field(default="", description="duplicate: the delivery that came first")
    decisions: tuple[Decision, ...] = Field(default=(), description="test: what would be decided")


class Delivery(Model):
    """One HTTP request as it came, and what became of it."""

    delivery_id: str
    source_id: str
    connector: str
    received_at: AwareDatetime
    raw: bytes = Field(default=b"", description="see request.pack; empty when blob is set")
    blob: str = ""
    version: int = 1
    outcome: Outcome = "pending"
    reason: str = ""
    results: Mapping[str, ActResult] = Field(default_factory=dict, description="by position")
    acts: int = Field(default=0, description="how many submissions and withdrawals it holds")
    tries: int = Field(default=0, description="how often a provider made us wait")
    due_at: AwareDatetime | None = Field(default=None, description="when tick sends it on")
    replays: int = 0
    is_released: bool = Field(default=False, description="a person said that it is no spam")
    held: str = Field(
        default="", description="why it is kept and not taken, until a person replays it"
    )
    is_listed: bool = Field(
        default=False, description="kept from a provider's list; it was not sent to us"
    )
    emptied_at: AwareDatetime | None = Field(
        default=None, description="when its request was taken away, for somebody in it was erased"
    )


class Claim(Model):
    """That a submission has been taken, for good; of an erased person it says nothing else."""

    source_id: str
    external_id: str
    version: int
    delivery_id: str
    position: int = 0
    revision: str = ""
    acted_at: AwareDatetime
    lead_id: str = ""
    touch_id: str = ""
    is_partial: bool = False
    withdrawn_at: AwareDatetime | None = None
    erased_at: AwareDatetime | None = None


class TouchRecord(Model):
    """A touch and the decisions that were made on it."""

    touch: Touch
    decisions: tuple[Decision, ...] = ()
    lead_version: int = Field(default=0, description="of its lead, as it was saved with it")


EventKind = Literal[
    "merged",
    "absorbed",
    "unmerged",
    "kept_apart",
    "let_together",
    "withdrawn",
    "read_again",
    "edited",
    "moved",
    "rescored",
    "assigned",
    "returned",
    "unowned",
    "accepted",
    "declined",
    "exported",
    "escalated",
    "taken_back",
    "touched",
    "planned",
]


class Turn(Model):
    """A turn in a pool that a merge gave back, or that taking it apart took again."""

    pool_id: str
    owner_id: str
    does: Literal["returned", "taken"]


class Event(Model):
    """Something that happened to a lead: who did it, and the decision behind it."""

    event_id: str
    kind: EventKind
    at: AwareDatetime
    actor: str = Field(description="hub, or who did it: an owner's or token's name")
    text: str
    decisions: tuple[Decision, ...] = ()
    before: Mapping[str, Any] = Field(default_factory=dict, description="what undoing needs")
    turns: tuple[Turn, ...] = Field(default=(), description="merged, unmerged: in ledgers")
    told: tuple[str, ...] = Field(
        default=(), description="merged, unmerged: destinations that are programs and are told"
    )
    edits: tuple[Edit, ...] = Field(default=(), description="edited: what was said by hand")


class Attempt(Model):
    """One try of an effect."""

    at: AwareDatetime
    outcome: str


EffectKind = Literal["assigned", "returned", "unowned"]
"""What a routing decision comes to."""

ClockKind = Literal["reminder", "overdue", "taken_back"]
"""What the clock tells of: something is due soon, is overdue, or was taken from its owner."""


class Effect(Model):
    """One intended notification, its attempts and its proof."""

    effect_id: str
    lead_id: str
    destination_id: str
    kind: EffectKind | ClockKind | Literal["merged", "unmerged", "erased"]
    state: Literal["pending", "sending", "done", "quarantined", "cancelled"] = "pending"
    version: int = 1
    created_at: AwareDatetime
    assignment: Assignment | None = None
    reader: str = Field(default="", description="owner whom it is for; empty: of the assignment")
    because: str = ""
    config_hash: str = ""
    due_at: AwareDatetime | None = None
    attempts: tuple[Attempt, ...] = ()
    proof: str = ""
    reason: str = ""
    about: tuple[Mapping[str, Any], ...] = Field(
        default=(), description="merged, unmerged: each lead's id and how it then stands"
    )


class Active(Model):
    """Which configuration is in force, and who has switched themselves off."""

    number: int
    hash: str
    version: int
    off: Mapping[str, str] = Field(
        default_factory=dict, description="owner id -> until when (ISO time), or empty for open end"
    )
    notes: Mapping[str, str] = Field(
        default_factory=dict, description="owner id -> why they are off, if it is known"
    )
    weights: int = Field(default=0, description="the learnt weights in use; 0: as the hub comes")
    model: int = Field(default=0, description="the card of the predictive score in use; 0: none")
    retired: Mapping[str, str] = Field(
        default_factory=dict,
        description="source that was taken out of the configuration -> its connector, oldest first",
    )


class Version(Model):
    """One published configuration; never changed."""

    number: int
    hash: str
    published_at: AwareDatetime
    published_by: str
    note: str = ""
    document: str = Field(description="canonical JSON of the document")


class Day(Model):
    """How many new leads an owner got on one local day, or in one hour."""

    owner_id: str
    day: str = Field(description="2026-11-22 on the owner's calendar, or 2026-11-22T14 in UTC")
    taken: int
    version: int


class Missed(Model):
    """How many leads in a row an owner let go unaccepted."""

    owner_id: str
    count: int
    version: int


def missed_key(owner_id: str) -> Key:
    """Key of what an owner missed."""
    return Key(f"OWNER#{owner_id}", "MISSED")


def missed_item(missed: Missed, writer: str) -> Item:
    """Make the item of what an owner missed."""
    return _simple(missed_key(missed.owner_id), "missed", missed, writer)


def missed_of(item: Item) -> Missed:
    """Read what an owner missed."""
    return _read(Missed, item)


def delivery_key(delivery_id: str) -> Key:
    """Key of a delivery."""
    return Key(f"DELIVERY#{delivery_id}", "DELIVERY")


def claim_key(source_id: str, external_id: str) -> Key:
    """Key of a submission's claim; hashed, for some providers make their ids of a person's data."""
    return Key(f"SUBMISSION#{digest(source_id, external_id)}", "CLAIM")


def lead_key(lead_id: str) -> Key:
    """Key of a lead."""
    return Key(f"LEAD#{lead_id}", "LEAD")


def identity_key(value: str) -> Key:
    """Key of an identity key item, which points at its lead."""
    return Key(f"KEY#{value}", "KEY")


def touch_key(lead_id: str, touch: Touch) -> Key:
    """Key of a touch, below the lead it was made for."""
    return Key(f"LEAD#{lead_id}", touch_sort_key(touch.submitted_at, touch.touch_id))


def touch_sort_key(submitted_at: datetime, touch_id: str) -> str:
    """Sort key of a touch: touches of a lead are stored in the order of their times."""
    return f"TOUCH#{utc_text(submitted_at)}#{touch_id}"


def effect_key(lead_id: str, effect_id: str) -> Key:
    """Key of an effect."""
    return Key(f"LEAD#{lead_id}", f"EFFECT#{effect_id}")


def ledger_key(pool_id: str) -> Key:
    """Key of a pool's ledger."""
    return Key(f"POOL#{pool_id}", "LEDGER")


def day_key(owner_id: str, day: str) -> Key:
    """Key of an owner's count for one day."""
    return Key(f"OWNER#{owner_id}", f"DAY#{day}")


def hour_of(now: datetime) -> str:
    """Name an hour in which an owner's new leads are counted, beside the owner's days."""
    return utc_text(now)[:13]


def version_key(number: int) -> Key:
    """Key of a published configuration."""
    return Key("CONFIG", f"VERSION#{number:08d}")


def weights_key(number: int) -> Key:
    """Key of weights that were learnt; never changed."""
    return Key("CONFIG", f"WEIGHTS#{number:08d}")


def model_key(number: int) -> Key:
    """Key of a card of the predictive score; never changed."""
    return Key("CONFIG", f"MODEL#{number:08d}")


ACTIVE_KEY = Key("CONFIG", "ACTIVE")

UNOWNED = "-unowned"
"""Stands for the owner's id where the unowned queue is meant."""

QUARANTINED_EFFECTS = "EFFECTS#quarantined"
"""The list of notifications that were set aside."""


def shard(value: str) -> int:
    """Spread an id over SHARDS, always the same way."""
    return zlib.crc32(value.encode()) % SHARDS


LONG_WORK = "DUE#long"
"""The partition of the index of due items for work that goes on for minutes, slice by slice."""


def due_shard(number: int) -> str:
    """Name a partition of the index of due items."""
    return f"DUE#{number}"


def long_item(
    key: Key, kind: str, model: Model, version: int, due_at: datetime | None, writer: str
) -> Item:
    """Make the item of work that goes on slice by slice; without a time it sleeps or is done."""
    item = {
        **_keys(key),
        "kind": kind,
        "writer": writer,
        "version": version,
        "data": packed(model),
    }
    if due_at is not None:
        item |= {"due_shard": LONG_WORK, "due_at": utc_text(due_at)}
    return item


def digest(*parts: str) -> str:
    """Make a short id of parts, the same for the same parts."""
    return sha256("\x1f".join(parts).encode()).hexdigest()[:26]


def packed(model: Model) -> bytes:
    """Write a model as compressed JSON without defaults."""
    return shrink(model.model_dump_json(exclude_defaults=True, by_alias=True).encode())


def unpacked(kind: type[M], data: bytes) -> M:
    """Read a model back."""
    # While a deployment is under way, old code reads what newer code wrote.
    return kind.model_validate_json(grow(data), extra="ignore")


def packed_json(value: Any) -> bytes:
    """Write plain lists, maps and texts as compressed JSON."""
    return shrink(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def unpacked_json(data: bytes) -> Any:
    """Read plain values back."""
    return json.loads(grow(data))


def delivery_item(delivery: Delivery, writer: str) -> Item:
    """Make the item of a delivery; one that is not finished is also in the index of due items."""
    bare = delivery.model_copy(update={"raw": b""})
    item: dict[str, Any] = {
        **_keys(delivery_key(delivery.delivery_id)),
        "kind": "delivery",
        "writer": writer,
        "version": delivery.version,
        "raw": delivery.raw,
        "data": packed(bare),
        **_due(delivery.delivery_id, delivery.due_at),
    }
    if delivery.outcome != "pending":
        leads = sorted({r.lead_id for r in delivery.results.values() if r.lead_id})
        item |= {
            "list_pk": deliveries_list(delivery.source_id, delivery.outcome),
            "list_sk": f"{utc_text(delivery.received_at)}#{delivery.delivery_id}",
            "summary": _text(
                {
                    "reason": delivery.reason[:200],
                    "leads": leads[:10],
                    **({"listed": True} if delivery.is_listed else {}),
                    **({"emptied": True} if delivery.emptied_at else {}),
                    **({"mixed": True} if _is_mixed(delivery) else {}),
                }
            ),
        }
    return item


def _is_mixed(delivery: Delivery) -> bool:
    """Say whether a delivery that led to leads holds acts that led to none."""
    led = [bool(result.lead_id) for result in delivery.results.values()]
    return any(led) and not all(led)


def deliveries_list(source_id: str, outcome: Outcome) -> str:
    """Name the list of a source's deliveries with one outcome."""
    return f"DELIVERIES#{source_id}#{outcome}"


def delivery_of(item: Item) -> Delivery:
    """Read a delivery back."""
    return unpacked(Delivery, item["data"]).model_copy(update={"raw": item["raw"]})


def claim_item(claim: Claim, writer: str) -> Item:
    """Make the item of a claim."""
    return _simple(claim_key(claim.source_id, claim.external_id), "claim", claim, writer)


def erased_claim_item(key: Key, claim: Claim, writer: str) -> Item:
    """Make the item of a claim whose own key it cannot tell any more."""
    return _simple(key, "claim", claim, writer)


def claim_of(item: Item) -> Claim:
    """Read a claim back."""
    return _read(Claim, item)


def lead_item(lead: Lead, writer: str, due_at: datetime | None = None) -> Item:
    """Make the item of a lead; live ones are listed, awaiting ones are due.

    Lists of leads name them only: each change of what they would show costs a write. A lead whose
    clock runs is due at the next instant of it, whoever writes the lead.
    """
    times = [at for at in (due_at, lead.clock_at) if at]
    item: dict[str, Any] = {
        **_simple(lead_key(lead.lead_id), "lead", lead, writer),
        **_due(lead.lead_id, min(times, default=None)),
    }
    if lead.merged_into or lead.erased_at:
        return item
    owner = lead.assignment.owner_id if lead.assignment else ""
    item |= {
        "list_pk": leads_list(shard(lead.lead_id)),
        "list_sk": f"{utc_text(lead.created_at)}#{lead.lead_id}",
    }
    if owner or lead.is_unowned:
        item["owner_pk"] = owner_list(owner)
    return item


def summary_of(item: Item) -> dict[str, Any]:
    """Read what a list shows of an item, from the item or from its entry in an index."""
    summary: dict[str, Any] = json.loads(item["summary"])
    kind, *parts = str(item.get("list_pk", "")).split("#")
    at, _, listed_id = str(item["list_sk"]).partition("#")
    match kind:
        case "DELIVERIES":
            named = {"delivery_id": listed_id, "source_id": parts[0], "outcome": parts[1]}
            return {**named, "received_at": at, **summary}
        case "EFFECTS":
            return {**summary, "created_at": at}
    return summary


def leads_list(number: int) -> str:
    """Name a part of the list of all live leads; there are SHARDS of them."""
    return f"LEADS#{number}"


def owner_list(owner_id: str) -> str:
    """Name the list of an owner's leads; an empty id, or UNOWNED, is the unowned queue."""
    return f"OWNED#{owner_id or UNOWNED}"


def lead_of(item: Item) -> Lead:
    """Read a lead back."""
    return _read(Lead, item)


def key_item(value: str, lead_ids: Iterable[str], version: int, writer: str) -> Item:
    """Make the item of an identity key; several leads hold it when they share what it says."""
    return {
        **_keys(identity_key(value)),
        "kind": "key",
        "writer": writer,
        "version": version,
        "lead_ids": sorted(lead_ids),
    }


def holders_of(item: Item) -> tuple[str, ...]:
    """Read which live leads hold an identity key."""
    return tuple(item["lead_ids"])


def touch_item(lead_id: str, record: TouchRecord, version: int, writer: str) -> Item:
    """Make the item of a touch, with the decisions that were made on it."""
    touch = record.touch
    return {
        **_keys(touch_key(lead_id, touch)),
        "kind": "touch",
        "writer": writer,
        "version": version,
        "data": packed(record),
    }


def touch_record_of(item: Item) -> TouchRecord:
    """Read a touch and its decisions back."""
    return unpacked(TouchRecord, item["data"])


def event_item(lead_id: str, event: Event, writer: str) -> Item:
    """Make the item of a timeline event."""
    key = Key(f"LEAD#{lead_id}", f"EVENT#{utc_text(event.at)}#{event.event_id}")
    return {
        **_keys(key),
        "kind": "event",
        "writer": writer,
        "version": 1,
        "data": packed(event),
    }


def event_of(item: Item) -> Event:
    """Read a timeline event back."""
    return unpacked(Event, item["data"])


def effect_item(effect: Effect, writer: str) -> Item:
    """Make the item of an effect; one that is not finished is due, one set aside is listed."""
    item: dict[str, Any] = {
        **_simple(effect_key(effect.lead_id, effect.effect_id), "effect", effect, writer),
        **_due(effect.effect_id, effect.due_at),
    }
    if effect.state == "quarantined":
        item |= {
            "list_pk": QUARANTINED_EFFECTS,
            "list_sk": f"{utc_text(effect.created_at)}#{effect.effect_id}",
            "summary": _text(
                {
                    "effect_id": effect.effect_id,
                    "lead_id": effect.lead_id,
                    "destination_id": effect.destination_id,
                    "reason": effect.reason[:200],
                }
            ),
        }
    return item


def effect_of(item: Item) -> Effect:
    """Read an effect back."""
    return _read(Effect, item)


def ledger_item(ledger: "Ledger", writer: str) -> Item:
    """Make the item of a pool's ledger."""
    return _simple(ledger_key(ledger.pool_id), "ledger", ledger, writer)


def ledger_of(item: Item) -> "Ledger":
    """Read a ledger back."""
    from chalicelib.lead.rotation import Ledger  # the door does without

    return _read(Ledger, item)


def day_item(day: Day, writer: str) -> Item:
    """Make the item of an owner's count for one day."""
    return _simple(day_key(day.owner_id, day.day), "day", day, writer)


def day_of(item: Item) -> Day:
    """Read an owner's count back."""
    return _read(Day, item)


def active_item(active: Active, writer: str) -> Item:
    """Make the item that names the configuration in force."""
    return _simple(ACTIVE_KEY, "active", active, writer)


def active_of(item: Item) -> Active:
    """Read which configuration is in force."""
    return _read(Active, item)


def version_item(version: Version, writer: str) -> Item:
    """Make the item of a published configuration."""
    return {
        **_keys(version_key(version.number)),
        "kind": "version",
        "writer": writer,
        "version": version.number,
        "data": packed(version),
    }


def version_of(item: Item) -> Version:
    """Read a published configuration back."""
    return unpacked(Version, item["data"])


def document_of(version: Version) -> dict[str, Any]:
    """Read the configuration document of a published version."""
    document: dict[str, Any] = json.loads(version.document)
    return document


def _text(summary: Mapping[str, Any]) -> str:
    return json.dumps(summary, ensure_ascii=False, separators=(",", ":"))


def _simple(key: Key, kind: str, model: Any, writer: str) -> dict[str, Any]:
    return {
        **_keys(key),
        "kind": kind,
        "writer": writer,
        "version": model.version,
        "data": packed(model),
    }


def _read(kind: type[M], item: Item) -> M:
    return unpacked(kind, item["data"])


def _keys(key: Key) -> dict[str, str]:
    return {"pk": key[0], "sk": key[1]}


def _due(spread_by: str, due_at: datetime | None) -> dict[str, str]:
    if due_at is None:
        return {}
    return {"due_shard": due_shard(shard(spread_by)), "due_at": utc_text(due_at)}
