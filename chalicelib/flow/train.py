"""The predictive score on the hub's own leads: what it learns from, and which card is in use.

A lead is looked at as it stood when it was some minutes old, never later, so that nothing which
came with the outcome tells the outcome. Training itself is no part of this: it needs more than
Lambda has. A card that is in use is shown beside the rules and decides nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from math import log
from typing import NamedTuple

from pydantic import AwareDatetime

from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.leads import Stored, stored_leads
from chalicelib.flow.walk import Walk, go_on, lead_id_of
from chalicelib.hub import Hub
from chalicelib.lead.model import Lead, Model, Touch, utc_text
from chalicelib.lead.predict.card import Card
from chalicelib.lead.predict.evaluate import Prediction, logit, predict, sigmoid
from chalicelib.lead.predict.values import Value
from chalicelib.records import (
    ACTIVE_KEY,
    Active,
    active_item,
    active_of,
    model_key,
    packed,
    unpacked,
)
from chalicelib.storage import ATTEMPTS, Absent, Holds, Item, Put

AT_ONCE = 500
READ_AT_ONCE = 20

PLAIN = ("job_title", "company_domain", "city", "region", "country", "language", "time_zone")
"""Contact fields whose levels many share; of the others only whether they are known is used."""

KNOWN = ("phone", "company", "full_name", "street", "postal_code", "date_of_birth", "website")

WON = frozenset({"opportunity", "customer"})
"""Stages that only a lead which came to something reaches."""

RULES_WORTH = log(4)
"""What the best score by rules adds to the log odds of all, and the worst takes, without a card."""


class Example(NamedTuple):
    """A lead whose outcome is known."""

    created_at: datetime
    lead_id: str
    fields: Mapping[str, Value]
    is_won: bool


class Kept(Model):
    """A card that was kept, in short."""

    number: int
    kept_at: AwareDatetime
    leads: int
    won: int
    terms: int
    is_used: bool


class Foretold(NamedTuple):
    """What a card says of a lead; beside it what it was told."""

    prediction: Prediction
    fields: Mapping[str, Value]
    number: int


def gather(
    hub: Hub,
    after: timedelta,
    maturity: timedelta,
    tell: Callable[[int], None] = lambda seen: None,
) -> list[Example]:
    """Read all leads that are old enough for their outcome to be known, the oldest first.

    Args:
        hub: read from.
        after: how old a lead was when it is looked at.
        maturity: younger leads are left out, also those whose outcome is known: of these more
            would be won or lost quickly than of all.
        tell: is told how many leads were seen.
    """
    now, walk = hub.clock(), Walk()
    found: list[Example] = []
    while not walk.is_over:
        items, walk = go_on(hub, walk, AT_ONCE)
        ids = [lead_id_of(item) for item in items]
        for start in range(0, len(ids), READ_AT_ONCE):
            for stored in stored_leads(hub, ids[start : start + READ_AT_ONCE]):
                if now - stored.lead.created_at >= maturity and stored.touches:
                    found.append(_example(stored, after))
        tell(walk.seen)
    each = {one.lead_id: one for one in found}
    return sorted(each.values(), key=lambda one: (one.created_at, one.lead_id))


def _example(stored: Stored, after: timedelta) -> Example:
    lead = stored.lead
    return Example(lead.created_at, lead.lead_id, fields_of(stored, after), is_won(lead))


def is_won(lead: Lead) -> bool:
    """Say whether a lead came to something; one that is still open after so long did not."""
    return lead.status == "qualified" or lead.stage in WON


def fields_of(stored: Stored, after: timedelta) -> dict[str, Value]:
    """Say what was known of a lead when it was so old; nothing that came later counts."""
    touches = sorted(
        (old.record.touch for old in stored.touches if not old.record.touch.only_if_known),
        key=lambda touch: (touch.received_at, touch.touch_id),
    ) or [old.record.touch for old in stored.touches]
    first = touches[0]
    then = [touch for touch in touches if touch.received_at <= first.received_at + after]
    fields: dict[str, Value] = {
        "source": first.source_id,
        "connector": first.connector,
        "form": first.form or None,
        "weekday": f"{first.submitted_at:%A}",
        "hour": first.submitted_at.hour,
        "touches": len(then),
        "sources": len({touch.source_id for touch in then}),
        "message length": len(str(_latest(then, "message") or "")),
        "is referred": bool(first.referrer),
    }
    fields |= {f"campaign {name}": value for name, value in first.campaign.items()}
    fields |= {name: _text(_latest(then, name)) for name in PLAIN}
    fields |= {f"{name} is given": _latest(then, name) is not None for name in KNOWN}
    fields["mail domain"] = str(_latest(then, "email") or "").rpartition("@")[2] or None
    for touch in then:
        fields |= {f"own {name}": _text(value) for name, value in touch.custom.items()}
    return fields


def _latest(touches: Iterable[Touch], name: str) -> object:
    found: object = None
    for touch in touches:
        if name in touch.contact:
            found = touch.contact[name].value
    return found


def _text(value: object) -> Value:
    if value is None or isinstance(value, (int, float, bool, str)):
        return value
    return "; ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def model_item(number: int, card: Card, kept_at: datetime, writer: str) -> Item:
    """Make the item of a card; it is never changed."""
    key = model_key(number)
    return {
        "pk": key[0],
        "sk": key[1],
        "kind": "model",
        "writer": writer,
        "version": 1,
        "kept_at": utc_text(kept_at),
        "data": packed(card),
    }


def model_of(item: Item) -> Card:
    """Read a card back."""
    return unpacked(Card, item["data"])


def publish_card(hub: Hub, card: Card) -> int:
    """Keep a card under the next number and put it into use.

    Dying in between leaves a card that nobody uses; the next one gets the next number.

    Raises:
        Conflict: others keep cards, or publish, again and again at this moment.
    """
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        number = max((_number(item) for item in _items(hub)), default=0) + 1
        item = model_item(number, card, hub.clock(), f"train:{hub.new_id()}")
        try:
            hub.table.write([Put("model", item, Absent())])
        except Conflict:
            continue
        use_card(hub, number)
        return number
    raise Conflict("others train at this moment; try again")


def use_card(hub: Hub, number: int) -> Active:
    """Use a card that was kept earlier; 0 is none.

    Raises:
        NotFound: there is no such card.
        Conflict: the configuration keeps changing; try again.
    """
    if number < 0 or (number and hub.table.get(model_key(number)) is None):
        raise NotFound(f"model {number}")
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        hub.configurations.current()
        item = hub.table.get(ACTIVE_KEY)
        if item is None:
            raise NotFound("a configuration in force")
        active = active_of(item)
        if active.model == number:
            return active
        after = active.model_copy(update={"model": number, "version": active.version + 1})
        put = Put(
            "active",
            active_item(after, f"model:{hub.new_id()}"),
            Holds("version", active.version),
        )
        try:
            hub.table.write([put])
        except Conflict:
            continue
        return after
    raise Conflict("the configuration is changing; try again")


def list_cards(hub: Hub) -> list[Kept]:
    """List the cards that were kept, newest first."""
    used = hub.configurations.current().active.model
    return [
        Kept(
            number=_number(item),
            kept_at=item["kept_at"],
            leads=card.leads,
            won=card.won,
            terms=len(card.terms) + (len(card.elsewhere.terms) if card.elsewhere else 0),
            is_used=_number(item) == used,
        )
        for item in reversed(_items(hub))
        for card in (model_of(item),)
    ]


def read_card(hub: Hub, number: int | None = None) -> tuple[Card, int]:
    """Read a card, or the one in use, and its number.

    Raises:
        NotFound: there is no such card, or none is in use.
    """
    wanted = hub.configurations.current().active.model if number is None else number
    item = hub.table.get(model_key(wanted)) if wanted > 0 else None
    if item is None:
        raise NotFound(f"model {wanted}" if wanted else "a model in use")
    return model_of(item), wanted


def foretell(hub: Hub, lead_id: str) -> Foretold:
    """Say by the card in use how likely a lead is to be won; nothing is decided by it.

    Raises:
        NotFound: there is no such lead, or no card is in use.
    """
    card, number = read_card(hub)
    found = stored_leads(hub, [lead_id])
    if not found or not found[0].touches:
        raise NotFound(f"lead {lead_id}")
    fields = fields_of(found[0], timedelta(minutes=card.after_minutes))
    prior = prior_of(card, found[0].lead.score.total)
    return Foretold(predict(card, fields, prior), fields, number)


def prior_of(card: Card, total: int) -> float:
    """Give the chance that a score by rules stands for: more than everybody's above half of it."""
    everybody = (card.won + 0.5) / (card.leads + 1)
    return sigmoid(logit(everybody) + RULES_WORTH * (total - 50) / 50)


def _items(hub: Hub) -> list[Item]:
    return list(hub.table.query(ACTIVE_KEY[0], "MODEL#"))


def _number(item: Item) -> int:
    return int(item["sk"].partition("#")[2])
