"""A merge is taken apart again, at any later time; lead/merging.py has the rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.errors import Conflict
from chalicelib.flow.blocks import block_writes, moved
from chalicelib.flow.details import find_lead
from chalicelib.flow.family import Family, read_family
from chalicelib.flow.halves import Half, Parts, part
from chalicelib.flow.joining import key_writes, lead_put, programs_told, settle_turns, telling
from chalicelib.flow.leads import StoredTouch, route_message
from chalicelib.flow.proposals import (
    Proposal,
    find_proposal,
    pair_of,
    proposal_writes,
    proposals_of,
)
from chalicelib.flow.route import SENT_ON_AFTER, send_effects
from chalicelib.hub import Current, Hub
from chalicelib.lead.matching.record import record_of
from chalicelib.lead.merging import family_of
from chalicelib.lead.model import Lead
from chalicelib.records import (
    Effect,
    Event,
    Turn,
    claim_item,
    claim_key,
    claim_of,
    digest,
    effect_item,
    effect_of,
    event_item,
    lead_key,
    touch_item,
    touch_key,
)
from chalicelib.storage import ATTEMPTS, MOST_WRITES, Absent, Delete, Holds, Put, Write

MOVED_AT_ONCE = 28
"""Touches that one transaction gives to another lead, each with its claim."""

FEW_MOVED = 8
"""More touches than this are moved ahead of the transaction that parts the leads."""

CHANGED_HANDS = "the lead has changed hands since"
"""Why a notification was cancelled whose assignment a merge took away; see notify."""


def unmerge(
    hub: Hub, lead_id: str, member_id: str, actor: str, reason: str = ""
) -> tuple[Lead, Lead]:
    """Take a lead out of the one it was merged into; they are kept apart from then on.

    What is more than one transaction holds is done before in steps that change nothing anybody
    sees; after a crash, ask again.

    Returns:
        The rest, and the lead that was taken out.

    Raises:
        NotFound: one of them is not there.
        Conflict: the one is no part of the other, or others kept writing to them.
    """
    writer = f"unmerge:{hub.new_id()}"
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        live = find_lead(hub, lead_id)
        if member_id not in live.members:
            return live, _taken_out_before(hub, live, member_id)
        try:
            family = read_family(hub, live, member_id)
            found = _take_out(hub, family, actor, reason[:500], writer)
        except Conflict:
            continue
        return found
    raise Conflict(f"lead {live.lead_id} is changing; try again")


def _taken_out_before(hub: Hub, live: Lead, member_id: str) -> Lead:
    """Give the lead that is none of another any more, for whoever asks again."""
    other = find_lead(hub, member_id)
    if other.lead_id != member_id or live.lead_id not in other.apart:
        raise Conflict(f"{member_id} is no part of lead {live.lead_id}")
    return other


def _take_out(hub: Hub, family: Family, actor: str, reason: str, writer: str) -> tuple[Lead, Lead]:
    """Write what becomes of both.

    Raises:
        Conflict: somebody else wrote first.
    """
    if len(family.moved) > FEW_MOVED:
        family = _move_ahead(hub, family, writer)
    current = hub.configurations.current()
    parts = part(hub, current, family)
    rest, member = parts.live
    turns = settle_turns(hub, [family.live], parts.live)
    reopened = _reopened(hub, family, parts.live)
    event = _event(current, family, parts, turns.turns, actor, reason, writer)
    writes: list[Write] = [
        lead_put("rest of lead", rest, family.live.version, writer),
        lead_put("lead taken out", member, family.member.version, writer),
        *_between(parts, writer),
        *_events(event, family, parts.member, writer),
        *turns.writes(writer),
        *telling(event, parts.live, current.hash, writer),
        *_moves(hub, family.moved, member.lead_id, member.version, writer),
    ]
    more = [
        *proposal_writes(_proposals(hub, family, member.updated_at), writer),
        *_reopen(reopened, writer),
        *_keys(hub, family, parts.live, writer),
        *_blocks(hub, family, writer),
    ]
    room = MOST_WRITES - len(writes)
    # What points at the member leads to the whole as long as it is part of it.
    for start in range(room, len(more), MOST_WRITES):
        hub.table.write(more[start : start + MOST_WRITES])
    hub.table.write([*writes, *more[:room]])
    messages = [route_message(lead) for lead in parts.live if lead.awaits]
    if messages:
        hub.routing.send(messages)
    send_effects(hub, [after for _, after in reopened])
    return parts.live


def _between(parts: Parts, writer: str) -> list[Write]:
    return [
        lead_put(f"lead between {number}", lead, lead.version - 1, writer)
        for number, lead in enumerate(parts.between)
    ]


def _move_ahead(hub: Hub, family: Family, writer: str) -> Family:
    """Give the member its later touches while it is still part of the whole, which sees no change.

    Each step counts the whole up, so that nobody goes on with touches read before it.

    Raises:
        Conflict: somebody else wrote first.
    """
    live, version = family.live, family.member.version + 1
    for start in range(0, len(family.moved), MOVED_AT_ONCE):
        part = family.moved[start : start + MOVED_AT_ONCE]
        step = f"{writer}:{start}"
        after = live.model_copy(update={"version": live.version + 1})
        writes: list[Write] = [lead_put("whole lead", after, live.version, step)]
        writes += _moves(hub, part, family.member_id, version, step)
        hub.table.write(writes)
        live = after
    later = [replace(old, lead_id=family.member_id) for old in family.later[0]]
    leads = {**family.leads, live.lead_id: live}
    return replace(family, live=live, leads=leads, later=(later, family.later[1]), moved=[])


def _moves(
    hub: Hub, found: Sequence[StoredTouch], lead_id: str, version: int, writer: str
) -> list[Write]:
    """Give the writes after which touches lie under another lead, and their claims say so."""
    writes: list[Write] = []
    for number, old in enumerate(found):
        touch = old.record.touch
        record = old.record.model_copy(update={"lead_version": version})
        item = touch_item(lead_id, record, old.version, writer)
        gone = touch_key(old.lead_id, touch)
        writes.append(Put(f"moved touch {number}", item, Absent()))
        writes.append(Delete(f"touch moved away {number}", gone, Holds("version", old.version)))
    touches = {old.record.touch.touch_id: old.record.touch for old in found}
    places = [claim_key(one.source_id, one.external_id) for one in touches.values()]
    for number, item in enumerate(hub.table.get_many(list(dict.fromkeys(places))).values()):
        claim = claim_of(item)
        if claim.touch_id in touches:
            follows = claim.model_copy(update={"lead_id": lead_id, "version": claim.version + 1})
            put = claim_item(follows, writer)
            writes.append(Put(f"moved claim {number}", put, Holds("version", claim.version)))
    return writes


def _proposals(hub: Hub, family: Family, at: datetime) -> list[Proposal]:
    """Let what a person is asked about the member be asked of it again, and of the rest no more."""
    ours, whole = family_of([family.member]), family_of([family.live])
    theirs = (*family.fixed[0], *family.later[0])
    touches = {old.record.touch.touch_id for old in theirs}
    asked = [one for one in proposals_of(hub, family.live) if not whole >= {*one.lead_ids}]
    # Closed when it went on with the lead that this one became part of.
    closed = [one for one in asked if one.state == "closed" and ours & {*one.lead_ids}]
    again = {one.lead_ids: one for one in closed}
    went_on = {(one.touch_id, *({*one.lead_ids} - whole)) for one in closed}
    found: list[Proposal] = []
    update: dict[str, Any]
    for one in asked:
        (other,) = {*one.lead_ids} - whole
        is_theirs = one.touch_id in touches or (one.touch_id, other) in went_on
        if one.state != "open" or ours & {*one.lead_ids} or not is_theirs:
            continue
        found.append(one.model_copy(update={"compared": {}}).settled("closed", at))
        pair = pair_of(family.member_id, other)
        known = again.get(pair) or find_proposal(hub, *pair)
        if known is None or known.state == "closed":
            version = known.version if known else 0
            again[pair] = one.model_copy(update={"lead_ids": pair, "version": version})
    for one in again.values():
        version = one.version + 1
        update = {"state": "open", "compared": {}, "decided_at": None, "version": version}
        found.append(one.model_copy(update=update))
    return found


def _keys(hub: Hub, family: Family, halves: tuple[Lead, Lead], writer: str) -> list[Write]:
    """Give the writes after which identity keys are held by whom they are of."""
    rest, member = halves
    concerned = {*family.live.identity_keys} - {*rest.identity_keys}
    concerned |= {*member.identity_keys}
    return key_writes(hub, concerned, family_of([family.live]), halves, writer)


def _blocks(hub: Hub, family: Family, writer: str) -> list[Write]:
    """Give the writes after which blocks say of the member's later touches that they are its."""
    touches = [old.record.touch for old in family.later[0]]
    gone = [record_of(touch, family.live.lead_id) for touch in touches]
    new = [replace(one, lead_id=family.member_id) for one in gone]
    return block_writes(moved(hub.table, gone, new), writer) if touches else []


def _event(
    current: Current,
    family: Family,
    parts: Parts,
    turns: tuple[Turn, ...],
    actor: str,
    reason: str,
    writer: str,
) -> Event:
    rest, member = parts.rest, parts.member
    why = f": {reason}" if reason else ""
    return Event(
        event_id=digest(writer, "unmerged"),
        kind="unmerged",
        at=rest.lead.updated_at,
        actor=actor,
        text=f"{member.lead.lead_id} is somebody else and was taken out again{why}",
        decisions=rest.decisions,
        before={one.lead_id: one.model_dump(mode="json") for one in (family.live, family.member)},
        turns=turns,
        told=programs_told(current.config, [rest.lead, member.lead, family.live]),
    )


def _events(event: Event, family: Family, member: Half, writer: str) -> list[Write]:
    """Tell of it on both timelines; all that is to be known stands on that of the rest."""
    rest_id, member_id = family.live.lead_id, member.lead.lead_id
    told = Event(
        event_id=digest(writer, "unmerged", member_id),
        kind="unmerged",
        at=event.at,
        actor=event.actor,
        text=f"is somebody else than {rest_id} and was taken out of it again",
        decisions=member.decisions,
        before={rest_id: {}},
    )
    return [
        Put("unmerge event", event_item(rest_id, event, writer), Absent()),
        Put("part event", event_item(member_id, told, writer), Absent()),
    ]


def _reopened(hub: Hub, family: Family, halves: tuple[Lead, Lead]) -> list[tuple[Effect, Effect]]:
    """Find notifications that a merge cancelled, or is about to, for it took their assignment away.

    One that waits is written too, so that whoever has it in hand and saw the merge looks again.
    """
    ids = {lead.assignment.assignment_id for lead in halves if lead.assignment}
    ids -= {family.live.assignment.assignment_id} if family.live.assignment else set()
    if not ids:
        return []
    stored = [
        effect_of(item)
        for lead_id in family.leads
        for item in hub.table.query(lead_key(lead_id)[0], "EFFECT#")
    ]
    return [
        (effect, _opened(effect, halves[0].updated_at))
        for effect in stored
        if (effect.state == "pending" or effect.reason == CHANGED_HANDS)
        and effect.assignment
        and effect.assignment.assignment_id in ids
    ]


def _opened(effect: Effect, now: datetime) -> Effect:
    return effect.model_copy(
        update={
            "state": "pending",
            "reason": "",
            "version": effect.version + 1,
            "due_at": now + SENT_ON_AFTER,
        }
    )


def _reopen(effects: Sequence[tuple[Effect, Effect]], writer: str) -> list[Write]:
    return [
        Put(f"reopened effect {number}", effect_item(after, writer), Holds("version", old.version))
        for number, (old, after) in enumerate(effects)
    ]
