"""A person, or an import, says that leads are one person, or that they never are."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.errors import Conflict, Invalid
from chalicelib.flow.details import find_lead
from chalicelib.flow.joining import joining_writes, key_writes, lead_put, prepare_joining
from chalicelib.flow.leads import Stored, route_message, stored_leads
from chalicelib.flow.match import LATER, learn
from chalicelib.hub import Hub
from chalicelib.lead.merging import (
    absorb,
    family_of,
    kept_apart,
    let_together,
    survivor,
)
from chalicelib.lead.model import Lead
from chalicelib.records import Event, EventKind, digest, event_item
from chalicelib.storage import ATTEMPTS, MOST_WRITES, Absent, Put, Write

AT_ONCE = 15
"""How many leads one transaction makes one; more are merged one lot after the other."""


def merge(
    hub: Hub, lead_ids: Sequence[str], actor: str, reason: str = "", *, anyway: bool = False
) -> Lead:
    """Make leads one; gives the survivor. Leads that are one already stay so, and that is no error.

    Args:
        hub: read and written.
        lead_ids: two or more; an id that was merged away stands for its survivor.
        actor: who says so: a person, or `import`.
        reason: for the timeline.
        anyway: lift marks that keep some of them apart.

    Raises:
        NotFound: one of them is not there.
        Conflict: some are kept apart, or others kept writing to them.
    """
    if len(set(lead_ids)) < 2:
        raise Invalid("expected two leads or more")
    kept, *others = dict.fromkeys(lead_ids)
    for start in range(0, len(others), AT_ONCE - 1):
        lot = others[start : start + AT_ONCE - 1]
        kept = _merge_lot(hub, [kept, *lot], actor, reason[:500], anyway=anyway).lead_id
    return find_lead(hub, kept)


def keep_apart(hub: Hub, one_id: str, other_id: str, actor: str, reason: str = "") -> None:
    """Say that two leads are never to be merged; again is no error.

    Raises:
        NotFound: one of them is not there.
        Conflict: they are one lead, or others kept writing to them.
    """
    _mark(hub, one_id, other_id, actor, reason, "kept_apart")


def lift(hub: Hub, one_id: str, other_id: str, actor: str, reason: str = "") -> None:
    """Take back that two leads are never to be merged; again is no error.

    Raises:
        NotFound: one of them is not there.
        Conflict: others kept writing to them.
    """
    _mark(hub, one_id, other_id, actor, reason, "let_together")


def _merge_lot(hub: Hub, lead_ids: Sequence[str], actor: str, reason: str, *, anyway: bool) -> Lead:
    writer = f"merge:{hub.new_id()}"
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        found = {lead_id: find_lead(hub, lead_id).lead_id for lead_id in lead_ids}
        stored = stored_leads(hub, set(found.values()))
        if len(stored) == 1:
            _finish_keys(hub, stored[0].lead, writer)
            return stored[0].lead
        apart = kept_apart([one.lead for one in stored])
        if apart and not anyway:
            pairs = ", ".join(f"{one} and {other}" for one, other in apart)
            raise Conflict(f"kept apart, never to be merged: {pairs}; lift that first")
        try:
            merged, is_whole = _merge_once(hub, stored, actor, reason, writer)
        except Conflict:
            continue
        if not is_whole:
            _finish_keys(hub, merged, writer)
        if merged.awaits:
            hub.routing.send([route_message(merged)])
        return merged
    raise Conflict(f"leads {', '.join(lead_ids)} are changing; try again")


def _merge_once(
    hub: Hub, stored: Sequence[Stored], actor: str, reason: str, writer: str
) -> tuple[Lead, bool]:
    """Write a merge in one transaction; says whether all identity keys went into it.

    Raises:
        Conflict: somebody else wrote first.
    """
    current = hub.configurations.current()
    leads = let_together([one.lead for one in stored])
    first = survivor(leads)
    others = [lead for lead in leads if lead.lead_id != first.lead_id]
    now = max([hub.clock(), *(lead.updated_at + LATER for lead in leads)])
    joint, losers = absorb(first, others, current.config.qualifying.order)
    touches = [old.record.touch for one in stored for old in one.touches]
    lead, decisions = learn(hub, current, joint, touches, now)
    lead = lead.model_copy(update={"version": first.version + 1})
    joining = replace(
        prepare_joining(hub, current.config, [first, *others], lead, actor, reason),
        decisions=decisions,
    )
    writes: list[Write] = [lead_put("surviving lead", lead, first.version, writer)]
    for number, (old, new) in enumerate(zip(others, losers, strict=True)):
        gone = new.model_copy(update={"version": old.version + 1, "updated_at": now})
        writes.append(lead_put(f"merged lead {number}", gone, old.version, writer))
    writes += joining_writes(joining, lead, writer)
    keys = [key for old in others for key in old.identity_keys]
    moves = key_writes(hub, keys, family_of(leads), [lead], writer)
    room = MOST_WRITES - len(writes)
    hub.table.write([*writes, *moves[:room]])
    return lead, len(moves) <= room


def _finish_keys(hub: Hub, lead: Lead, writer: str) -> None:
    """Let a lead hold itself what its members still hold; whoever finds those is led to it."""
    if not lead.members:
        return
    for start in range(0, len(lead.identity_keys), MOST_WRITES):
        keys = lead.identity_keys[start : start + MOST_WRITES]
        writes = key_writes(hub, keys, family_of([lead]), [lead], f"{writer}:{start}")
        if writes:
            hub.table.write(writes)


def _mark(hub: Hub, one_id: str, other_id: str, actor: str, reason: str, kind: EventKind) -> None:
    writer = f"apart:{hub.new_id()}"
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        one, other = find_lead(hub, one_id), find_lead(hub, other_id)
        if one.lead_id == other.lead_id:
            raise Conflict(f"{one_id} and {other_id} are one lead; take it apart: hub unmerge")
        if kind == "kept_apart":
            after = [_marked(one, other_id), _marked(other, one_id)]
        else:
            after = let_together([one, other])
        if after == [one, other]:
            return
        try:
            hub.table.write(_mark_writes(hub, [one, other], after, actor, reason, kind, writer))
        except Conflict:
            continue
        return
    raise Conflict(f"leads {one_id} and {other_id} are changing; try again")


def _mark_writes(
    hub: Hub,
    before: Sequence[Lead],
    after: Sequence[Lead],
    actor: str,
    reason: str,
    kind: EventKind,
    writer: str,
) -> list[Write]:
    now = max([hub.clock(), *(lead.updated_at + LATER for lead in before)])
    is_apart = kind == "kept_apart"
    text = "is never to be merged with {}" if is_apart else "may be merged with {} again"
    writes: list[Write] = []
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        lead = new.model_copy(update={"version": old.version + 1, "updated_at": now})
        said = text.format(before[1 - number].lead_id) + (f": {reason[:500]}" if reason else "")
        event = Event(
            event_id=digest(writer, kind, old.lead_id), kind=kind, at=now, actor=actor, text=said
        )
        writes.append(lead_put(f"marked lead {number}", lead, old.version, writer))
        item = event_item(old.lead_id, event, writer)
        writes.append(Put(f"mark event {number}", item, Absent()))
    return writes


def _marked(lead: Lead, other_id: str) -> Lead:
    """Mark a lead; by the very id that was named, so that the mark stays right if they part."""
    return lead.model_copy(update={"apart": tuple(sorted({*lead.apart, other_id}))})
