"""What goes with every merge and un-merge: turns in ledgers, and word to the programs outside."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from chalicelib.config.model import Config
from chalicelib.errors import Conflict
from chalicelib.flow.leads import AWAITS_FOR
from chalicelib.hub import Hub
from chalicelib.lead.model import Assignment, Decision, Lead, utc_text
from chalicelib.lead.routing import Ledger, give_back, take_again
from chalicelib.records import (
    Effect,
    Event,
    Turn,
    digest,
    effect_item,
    event_item,
    holders_of,
    identity_key,
    key_item,
    lead_item,
    ledger_item,
    ledger_key,
    ledger_of,
)
from chalicelib.storage import Absent, Delete, Holds, Put, Write, at_version

PROGRAMS = ("webhook",)
"""Kinds of destination that keep what they are told, and so are told of merges and of their end."""


@dataclass(frozen=True)
class Turns:
    """Turns that change hands without a choice, and the ledgers after it, by pool."""

    turns: tuple[Turn, ...] = ()
    ledgers: tuple[Ledger, ...] = ()

    def writes(self, writer: str) -> list[Write]:
        """Give the writes of the ledgers; each is one version on."""
        return [
            Put(
                f"settled ledger {ledger.pool_id}",
                ledger_item(ledger, writer),
                Holds("version", ledger.version - 1),
            )
            for ledger in self.ledgers
        ]


def settle_turns(hub: Hub, before: Iterable[Lead], after: Iterable[Lead]) -> Turns:
    """Work out whose turns are given back and taken again when leads become others; reads ledgers.

    Who owned one of the leads and owns none of them afterwards gets the turn back; who had lost
    one and has it again takes the turn again. Everybody's balance stays what it was.

    Raises:
        Conflict: a ledger is newer than the leads that were read; read them again.
    """
    held, holds = _assignments(before), _assignments(after)
    changes: list[tuple[Assignment, Literal["returned", "taken"]]] = [
        (held[one], "returned") for one in sorted(set(held) - set(holds))
    ]
    changes += [(holds[one], "taken") for one in sorted(set(holds) - set(held))]
    ledgers: dict[str, Ledger] = {}
    versions: dict[str, int] = {}
    for assignment, does in changes:
        pool_id = assignment.pool_id
        if pool_id not in ledgers:
            item = hub.table.get(ledger_key(pool_id))
            ledgers[pool_id] = ledger_of(item) if item else Ledger(pool_id=pool_id)
            versions[pool_id] = ledgers[pool_id].version
        move = give_back if does == "returned" else take_again
        try:
            ledgers[pool_id] = move(ledgers[pool_id], assignment.owner_id)
        except ValueError as error:
            raise Conflict(f"pool {pool_id}: its ledger has moved on") from error
    return Turns(
        tuple(Turn(pool_id=a.pool_id, owner_id=a.owner_id, does=does) for a, does in changes),
        tuple(
            ledger.model_copy(update={"version": versions[pool_id] + 1})
            for pool_id, ledger in sorted(ledgers.items())
        ),
    )


@dataclass(frozen=True)
class Joining:
    """What goes with a merge.

    Attributes:
        before: the leads as they were, the survivor first.
        reason: a sentence for people.
        told: destinations that are told.
        decisions: that the merge itself called for.
    """

    before: tuple[Lead, ...]
    turns: Turns
    told: tuple[str, ...]
    actor: str
    reason: str
    decisions: tuple[Decision, ...] = ()


def prepare_joining(
    hub: Hub,
    config: Config,
    before: Sequence[Lead],
    merged: Lead,
    actor: str = "hub",
    reason: str = "",
) -> Joining:
    """Work out what goes with a merge; reads ledgers if two of the leads have owners.

    Args:
        hub: read from.
        config: in force.
        before: the leads as they were, the survivor first.
        merged: the survivor as it will be.
        actor: hub, import, or a person.
        reason: why, in words; empty for what the hub found by itself.

    Raises:
        Conflict: see settle_turns.
    """
    return Joining(
        before=tuple(before),
        turns=settle_turns(hub, before, [merged]),
        told=programs_told(config, before),
        actor=actor,
        reason=reason,
    )


def joining_writes(joining: Joining, lead: Lead, writer: str) -> list[Write]:
    """Give the writes that go with a merge, beside the leads, touches and keys themselves."""
    first, *others = joining.before
    names = ", ".join(other.lead_id for other in others)
    why = f": {joining.reason}" if joining.reason else ""
    found = "turned out to be the same person" if joining.actor == "hub" else "are the same person"
    merged = Event(
        event_id=digest(writer, "merged"),
        kind="merged",
        at=lead.updated_at,
        actor=joining.actor,
        text=f"{names} {found} and became part of this lead{why}",
        before={old.lead_id: old.model_dump(mode="json") for old in joining.before},
        decisions=joining.decisions,
        turns=joining.turns.turns,
        told=joining.told,
    )
    writes: list[Write] = [Put("merge event", event_item(lead.lead_id, merged, writer), Absent())]
    for number, old in enumerate(others):
        absorbed = Event(
            event_id=digest(writer, "absorbed", old.lead_id),
            kind="absorbed",
            at=lead.updated_at,
            actor=joining.actor,
            text=f"became part of {first.lead_id}{why}",
        )
        item = event_item(old.lead_id, absorbed, writer)
        writes.append(Put(f"absorb event {number}", item, Absent()))
    about = [lead, *(old.model_copy(update={"merged_into": lead.lead_id}) for old in others)]
    return [
        *writes,
        *joining.turns.writes(writer),
        *telling(merged, about, lead.config_hash, writer),
    ]


def lead_put(name: str, lead: Lead, version: int, writer: str) -> Put:
    """Give the write of a lead's new state in place of the version that was read."""
    waits = lead.awaits or lead.is_unowned
    due_at = lead.updated_at + AWAITS_FOR if waits else None
    return Put(name, lead_item(lead, writer, due_at), Holds("version", version))


def key_writes(
    hub: Hub, keys: Iterable[str], family: Collection[str], leads: Sequence[Lead], writer: str
) -> list[Write]:
    """Give the writes after which identity keys are held by the leads whose they are; reads them.

    Args:
        hub: read from.
        keys: that may have to change.
        family: ids of all leads that held them; whoever else holds one goes on doing so.
        leads: as they will be.
        writer: of the transaction.
    """
    wanted = {identity_key(key): key for key in sorted(set(keys))}
    found = hub.table.get_many(list(wanted))
    writes: list[Write] = []
    for number, (place, key) in enumerate(wanted.items()):
        item = found.get(place)
        held, version = (set(holders_of(item)), int(item["version"])) if item else (set(), 0)
        holders = held - set(family)
        holders |= {lead.lead_id for lead in leads if key in lead.identity_keys}
        name = f"identity key {number}"
        if holders and holders != held:
            after = key_item(key, holders, version + 1, writer)
            writes.append(Put(name, after, at_version(version)))
        elif held and not holders:
            writes.append(Delete(name, place, at_version(version)))
    return writes


def telling(event: Event, leads: Sequence[Lead], config_hash: str, writer: str) -> list[Write]:
    """Give the writes that tell programs of a merge or of its end; tick sends them at once.

    Args:
        event: `merged` or `unmerged`; says who is told.
        leads: as they stand afterwards, the one on whose timeline the event is first.
        config_hash: of the configuration in force.
        writer: of the transaction.
    """
    if event.kind not in ("merged", "unmerged"):
        raise ValueError(f"nobody outside is told of {event.kind}")
    effects = [
        Effect(
            effect_id=digest(event.event_id, destination_id),
            lead_id=leads[0].lead_id,
            destination_id=destination_id,
            kind=event.kind,
            created_at=event.at,
            because=event.text,
            config_hash=config_hash,
            due_at=event.at,
            about=tuple(_in_short(lead) for lead in leads),
        )
        for destination_id in event.told
    ]
    return [
        Put(f"effect {one.lead_id} {one.destination_id}", effect_item(one, writer), Absent())
        for one in effects
    ]


def programs_told(config: Config, leads: Iterable[Lead]) -> tuple[str, ...]:
    """Name the programs that the rules of these leads tell of them."""
    rules = {
        rule_id
        for lead in leads
        for rule_id in (lead.rule_id, lead.assignment.rule_id if lead.assignment else "")
    }
    named = {one for rule in config.routing if rule.id in rules for one in rule.notify}
    return tuple(one for one in sorted(named) if _is_told(config, one))


def _is_told(config: Config, destination_id: str) -> bool:
    destination = config.destinations.get(destination_id)
    return destination is not None and destination.enabled and destination.kind in PROGRAMS


def _assignments(leads: Iterable[Lead]) -> dict[str, Assignment]:
    return {lead.assignment.assignment_id: lead.assignment for lead in leads if lead.assignment}


def _in_short(lead: Lead) -> dict[str, Any]:
    """Say how a lead stands, with nothing of the person."""
    return {
        "lead_id": lead.lead_id,
        "merged_into": lead.merged_into or None,
        "version": lead.version,
        "status": lead.status,
        "stage": lead.stage,
        "owner_id": lead.assignment.owner_id if lead.assignment else None,
        "first_seen_at": utc_text(lead.created_at),
    }
