"""One thing as it stands, with its story: a lead and its timeline, a delivery, a pool."""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import AwareDatetime, Field

from chalicelib.errors import Conflict, Erased, NotFound
from chalicelib.flow.keep import request_of
from chalicelib.flow.leads import live_lead
from chalicelib.hub import Hub
from chalicelib.lead.model import Lead, Model, Touch
from chalicelib.lead.routing import Ledger, StatementLine, statement
from chalicelib.records import (
    Delivery,
    Effect,
    Event,
    TouchRecord,
    delivery_key,
    delivery_of,
    effect_item,
    effect_key,
    effect_of,
    event_of,
    lead_key,
    lead_of,
    ledger_key,
    ledger_of,
    touch_record_of,
)
from chalicelib.storage import Holds, Item, Message, Put

MOST_ON_TIMELINE = 500
"""How many entries of a timeline are given, the newest."""

MOST_SHOWN = 64 * 1024
"""How much of a body is shown."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class TimelineEntry(Model):
    """One thing on a lead's timeline."""

    at: AwareDatetime
    kind: str = Field(description="touch, stage, notification, or the kind of an event")
    text: str
    actor: str = Field(default="", description="hub, or who did it")
    source_id: str = ""
    touch: Touch | None = None
    effect: Effect | None = None
    event_id: str = ""


class PoolStatement(Model):
    """Who received how many leads of a pool, and how many they were entitled to."""

    pool_id: str
    decided: int = Field(description="how many leads were given out")
    lines: tuple[StatementLine, ...]


def find_lead(hub: Hub, lead_id: str) -> Lead:
    """Give a lead; the id of one that was merged gives the lead that it became part of.

    Raises:
        NotFound: no such lead.
        Erased: the person was erased.
    """
    lead = live_lead(hub.table, _checked("lead", lead_id))
    if lead is not None:
        return lead
    item = hub.table.get(lead_key(lead_id))
    if item and (erasure_id := lead_of(item).erasure_id):
        raise Erased(f"lead {lead_id} was erased; erasure {erasure_id} tells when and by whom")
    raise NotFound(f"lead {lead_id}")


def timeline(hub: Hub, lead: Lead) -> list[TimelineEntry]:
    """Give what happened with a lead and those merged into it, oldest first."""
    entries = [
        entry
        for lead_id in (lead.lead_id, *lead.members)
        for item in hub.table.query(lead_key(lead_id)[0])
        for entry in _entry(item)
    ]
    # What is told of a thing stands after the thing, also when both have the same time.
    order = {"touch": 0, "notification": 2}
    entries.sort(key=lambda entry: (entry.at, order.get(entry.kind, 1)))
    return entries[-MOST_ON_TIMELINE:]


def find_delivery(hub: Hub, delivery_id: str) -> Delivery:
    """Give a delivery.

    Raises:
        NotFound: no such delivery.
    """
    item = hub.table.get(delivery_key(_checked("delivery", delivery_id)))
    if item is None:
        raise NotFound(f"delivery {delivery_id}")
    return delivery_of(item)


class KeptRequest(Model):
    """A request as it was kept: without secrets and without what proxies added."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, tuple[str, ...]]
    body: str = Field(description="as text; its beginning where it is large")
    body_encoding: Literal["utf-8", "base64"] = "utf-8"
    body_bytes: int


def kept_request(hub: Hub, delivery: Delivery) -> KeptRequest | None:
    """Give the request of a delivery as it was kept, its body as text or in base64.

    None when it was taken away, for somebody in it was erased.
    """
    if delivery.emptied_at:
        return None
    request = request_of(hub, delivery)
    encoding: Literal["utf-8", "base64"] = "utf-8"
    try:
        body = request.body.decode()[:MOST_SHOWN]
    except UnicodeDecodeError:
        encoding = "base64"
        body = base64.b64encode(request.body[:MOST_SHOWN]).decode()
    return KeptRequest(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        body=body,
        body_encoding=encoding,
        body_bytes=len(request.body),
    )


def retry_effect(hub: Hub, lead_id: str, effect_id: str) -> Effect:
    """Give a notification that was set aside another chance; one that is under way is left so.

    Raises:
        NotFound: no such effect.
        Conflict: it is done or cancelled, or somebody else did this at the same moment.
    """
    key = effect_key(_checked("lead", lead_id), _checked("effect", effect_id))
    item = hub.table.get(key)
    if item is None:
        raise NotFound(f"effect {effect_id}")
    effect = effect_of(item)
    if effect.state in ("pending", "sending"):
        return effect
    if effect.state != "quarantined":
        raise Conflict(f"effect {effect_id} is {effect.state}; only one set aside is tried again")
    again = effect.model_copy(
        update={
            "state": "pending",
            "version": effect.version + 1,
            "reason": "",
            "due_at": hub.clock(),
        }
    )
    put = Put(
        "retried effect",
        effect_item(again, f"retry:{effect_id}:{again.version}"),
        Holds("version", effect.version),
    )
    hub.table.write([put])
    hub.outbox.send([Message({"lead": lead_id, "effect": effect_id})])
    return again


def pool_statement(hub: Hub, pool_id: str) -> PoolStatement:
    """Lay out a pool's ledger.

    Raises:
        NotFound: no such pool.
    """
    item = hub.table.get(ledger_key(_checked("pool", pool_id)))
    if item is None and pool_id not in hub.configurations.current().config.pools:
        raise NotFound(f"pool {pool_id}")
    ledger = ledger_of(item) if item else Ledger(pool_id=pool_id)
    return PoolStatement(pool_id=pool_id, decided=ledger.decided, lines=statement(ledger))


def _checked(what: str, given: str) -> str:
    """Refuse what cannot be an id before it becomes part of a key."""
    if not _ID.fullmatch(given):
        raise NotFound(f"no such {what}")
    return given


def _entry(item: Item) -> Iterator[TimelineEntry]:
    match item["kind"]:
        case "touch":
            record = touch_record_of(item)
            touch = record.touch
            yield from _stage_entries(record)
            yield TimelineEntry(
                # A provider whose clock is ahead does not put it into the future.
                at=min(touch.submitted_at, touch.received_at),
                kind="touch",
                text=_touch_text(touch),
                source_id=touch.source_id,
                touch=touch,
            )
        case "event":
            yield _event_entry(event_of(item))
        case "effect":
            effect = effect_of(item)
            yield TimelineEntry(
                at=effect.created_at,
                kind="notification",
                text=_effect_text(effect),
                actor="hub",
                effect=effect,
            )


def _stage_entries(record: TouchRecord) -> Iterator[TimelineEntry]:
    """Tell of a stage that a lead entered by a rule when a touch came."""
    for decision in record.decisions:
        if decision.kind == "stage" and decision.result != decision.inputs["stage"]:
            text = f"Stage {decision.result}: {decision.because}"
            yield TimelineEntry(at=decision.decided_at, kind="stage", text=text, actor="hub")


def _event_entry(event: Event) -> TimelineEntry:
    return TimelineEntry(
        at=event.at, kind=event.kind, text=event.text, actor=event.actor, event_id=event.event_id
    )


def _touch_text(touch: Touch) -> str:
    form = touch.form_title or touch.form
    text = f"came by {touch.source_id}" + (f", form {form}" if form else "")
    if touch.is_partial:
        text += ", not finished"
    return text + (f" ({touch.void})" if touch.void else "")


def _effect_text(effect: Effect) -> str:
    states: Mapping[str, str] = {
        "pending": "is to be told",
        "sending": "is being told",
        "done": "was told",
        "quarantined": "could not be told",
        "cancelled": "need not be told any more",
    }
    reason = f": {effect.reason}" if effect.reason else ""
    return f"{effect.destination_id} {states[effect.state]} ({effect.kind}){reason}"
