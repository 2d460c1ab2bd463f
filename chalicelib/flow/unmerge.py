"""A merge is taken apart again, at any later time; lead/merging.py has the rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.errors import Conflict
from chalicelib.flow.blocks import block_writes, moved
from chalicelib.flow.details import find_lead
from chalicelib.flow.joining import key_writes, lead_put, programs_told, settle_turns, telling
from chalicelib.flow.leads import StoredTouch, route_message, stored_leads
from chalicelib.flow.match import LATER, decide, learn
from chalicelib.flow.route import SENT_ON_AFTER, send_effects
from chalicelib.hub import Current, Hub
from chalicelib.lead.edits import edits_said_of
from chalicelib.lead.folding import fold
from chalicelib.lead.matching.record import record_of
from chalicelib.lead.merging import Known, Parted, Pick, closer, family_of, settled, take_out
from chalicelib.lead.model import (
    STAGES,
    Decision,
    Edit,
    Join,
    Lead,
    Stage,
    Standing,
    Touch,
)
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
    event_of,
    lead_key,
    lead_of,
    touch_item,
    touch_key,
)
from chalicelib.storage import ATTEMPTS, MOST_WRITES, Absent, Delete, Holds, Put, Write

MOVED_AT_ONCE = 28
"""Touches that one transaction gives to another lead, each with its claim."""

FEW_MOVED = 8
"""More touches than this are moved ahead of the transaction that parts the leads."""

REPLAYED = 50
"""Of the touches that came later, at most so many of each side are gone through one by one."""

REPLAYED_AMONG = 1500
"""So many touches may be folded for that on each side; a long story is gone through in less."""

FOLDED = (
    "profile",
    "custom",
    "consents",
    "first_touch",
    "last_touch",
    "credits",
    "flags",
    "is_partial",
)
"""What of a lead says whether its touches and edits are those of a known state."""

CHANGED_HANDS = "the lead has changed hands since"
"""Why a notification was cancelled whose assignment a merge took away; see notify."""


@dataclass(frozen=True)
class Family:
    """A lead with all that were merged into it, and whose each touch is once one is taken out.

    Attributes:
        live: the lead as it is.
        leads: it and its members, by id.
        member_id: of the one that is taken out.
        fixed: touches from before the merge, of the member and of the rest.
        later: touches that came since, of the member and of the rest, in the order they came.
        moved: which of them lie under another lead than the one they are of.
    """

    live: Lead
    leads: Mapping[str, Lead]
    member_id: str
    fixed: tuple[list[StoredTouch], list[StoredTouch]]
    later: tuple[list[StoredTouch], list[StoredTouch]]
    moved: list[StoredTouch]

    @property
    def member(self) -> Lead:
        """Give the lead that is taken out, as it is stored."""
        return self.leads[self.member_id]


@dataclass(frozen=True)
class Half:
    """One of two leads that were one, as it will be."""

    lead: Lead
    decisions: tuple[Decision, ...]


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
            family = _read(hub, live, member_id)
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


# --- whose is what --------------------------------------------------------------------------------


def _read(hub: Hub, live: Lead, member_id: str) -> Family:
    """Read a lead with all that is part of it, and sort out whose is what.

    Raises:
        Conflict: somebody wrote in between.
    """
    stored = next(iter(stored_leads(hub, [live.lead_id])), None)
    items = hub.table.get_many([lead_key(one) for one in live.members])
    leads = {lead.lead_id: lead for lead in map(lead_of, items.values())} | {live.lead_id: live}
    if stored is None or stored.lead != live or not _is_whole(live, leads):
        raise Conflict(f"lead {live.lead_id} changed while it was read")
    member = leads[member_id]
    ours = family_of([member])
    since = _since(leads, member)
    fixed: tuple[list[StoredTouch], list[StoredTouch]] = ([], [])
    later: tuple[list[StoredTouch], list[StoredTouch]] = ([], [])
    unclear: list[StoredTouch] = []
    for old in stored.touches:
        if old.lead_id in ours:
            # Those that an earlier try has moved here are later ones too.
            is_later = old.lead_id == member_id and old.record.lead_version > member.version
            (later if is_later else fixed)[0].append(old)
        elif old.lead_id in since and old.record.lead_version > since[old.lead_id]:
            unclear.append(old)
        else:
            fixed[1].append(old)
    of_member = _sort_out(member, live, fixed, later, unclear)
    for side in later:
        side.sort(key=_arrival)
    return Family(live, leads, member_id, fixed, later, of_member)


def _is_whole(live: Lead, leads: Mapping[str, Lead]) -> bool:
    """Say whether leads that were read one after the other fit together."""
    return all(
        one in leads
        and (parent := leads.get(leads[one].merged_into))
        and any(one in join.taken for join in parent.joins)
        for one in live.members
    )


def _since(leads: Mapping[str, Lead], member: Lead) -> dict[str, int]:
    """Give, for each lead that a member became part of, its version before that."""
    found = {}
    while member.merged_into:
        parent = leads[member.merged_into]
        joins = (join for join in parent.joins if member.lead_id in join.taken)
        found[parent.lead_id] = next(joins).version
        member = parent
    return found


def _sort_out(
    member: Lead,
    live: Lead,
    fixed: tuple[list[StoredTouch], list[StoredTouch]],
    later: tuple[list[StoredTouch], list[StoredTouch]],
    unclear: Sequence[StoredTouch],
) -> list[StoredTouch]:
    """Add touches that came to both as one to the side they belong to; gives the member's."""
    known = Known(), Known()
    for place in (0, 1):
        for old in (*fixed[place], *later[place]):
            known[place].learn(old.record.touch)
    ours = family_of([member])
    for edit in live.edits:
        known[0 if edit.lead_id in ours else 1].keys |= set(edit.identity_keys)
    of_member = []
    for old in sorted(unclear, key=_arrival):
        place = 0 if closer(old.record.touch, *known) == "member" else 1
        known[place].learn(old.record.touch)
        later[place].append(old)
        if place == 0:
            of_member.append(old)
    return of_member


def _arrival(old: StoredTouch) -> tuple[int, datetime, str]:
    touch = old.record.touch
    return old.record.lead_version, touch.received_at, touch.touch_id


# --- what becomes of both -------------------------------------------------------------------------


def _take_out(hub: Hub, family: Family, actor: str, reason: str, writer: str) -> tuple[Lead, Lead]:
    """Write what becomes of both.

    Raises:
        Conflict: somebody else wrote first.
    """
    if len(family.moved) > FEW_MOVED:
        family = _move_ahead(hub, family, writer)
    current = hub.configurations.current()
    now = max([hub.clock(), *(one.updated_at + LATER for one in family.leads.values())])
    picks, picked = _picks(hub, current, family)
    parted = take_out(family.leads, family.member_id, _raised(current, family), picks)
    rest = _rest(hub, current, family, parted.rest, picks, now)
    rest = replace(rest, decisions=(*picked, *rest.decisions))
    member = _member(hub, current, family, parted.member, now)
    before = [family.live]
    turns = settle_turns(hub, before, [rest.lead, member.lead])
    reopened = _reopened(hub, family, (rest.lead, member.lead), now)
    event = _event(current, family, (rest, member), turns.turns, actor, reason, writer)
    writes: list[Write] = [
        lead_put("rest of lead", rest.lead, family.live.version, writer),
        lead_put("lead taken out", member.lead, family.member.version, writer),
        *_between(parted, writer),
        *_events(event, family, member, writer),
        *turns.writes(writer),
        *telling(event, [rest.lead, member.lead], current.hash, writer),
        *_reopen(reopened, writer),
        *_moves(hub, family.moved, member.lead.lead_id, member.lead.version, writer),
    ]
    halves = (rest.lead, member.lead)
    found = [*_keys(hub, family, halves, writer), *_blocks(hub, family, writer)]
    room = MOST_WRITES - len(writes)
    # What points at the member leads to the whole as long as it is part of it.
    for start in range(room, len(found), MOST_WRITES):
        hub.table.write(found[start : start + MOST_WRITES])
    hub.table.write([*writes, *found[:room]])
    messages = [route_message(lead) for lead in halves if lead.awaits]
    if messages:
        hub.routing.send(messages)
    send_effects(hub, [after for _, after in reopened])
    return halves


def _picks(hub: Hub, current: Current, family: Family) -> tuple[list[Pick], tuple[Decision, ...]]:
    """Decide anew on the rest's later touches, each with what would have been there at the time.

    Returns:
        What the rules say, in the order the touches came, and the last touch's decisions.
    """
    ours = family_of([family.member])
    rest = [*family.fixed[1], *family.later[1]]
    picks: list[Pick] = []
    decisions: tuple[Decision, ...] = ()
    stages: dict[str, Stage] = {}
    for old in family.later[1][-_replayed(len(rest)) :]:
        touch, holder = old.record.touch, family.leads[old.lead_id]
        if touch.only_if_known:
            continue
        group = _group(family.leads, holder, old.record.lead_version) - ours
        there = [
            one.record.touch
            for one in rest
            if one.lead_id in group
            and (one.lead_id != old.lead_id or _arrival(one) < _arrival(old))
        ]
        before = next(join for join in reversed(holder.joins) if _is_before(join, old)).before
        update = {name: getattr(before, name) for name in Standing.model_fields}
        update |= {"stage": stages.get(old.lead_id, before.stage)}
        update |= {"edits": _said_until(edits_said_of(family.live.edits, group), old)}
        lead, decisions = decide(
            hub,
            current,
            holder.model_copy(update=update),
            [*there, touch.model_copy(update={"void": ""})],
            touch.received_at,
        )
        stages[old.lead_id] = lead.stage
        version = old.record.lead_version
        picks.append(Pick(old.lead_id, version, lead.rule_id, lead.pool_id, lead.stage))
    return picks, decisions


def _replayed(touches: int) -> int:
    """Say how many of so many touches, the last ones, are gone through one by one."""
    return max(1, min(REPLAYED, REPLAYED_AMONG // max(touches, 1)))


def _group(leads: Mapping[str, Lead], holder: Lead, version: int) -> set[str]:
    """Give a lead and the leads that had been merged into it when it had a version."""
    joined = (join for join in holder.joins if join.version < version)
    return {holder.lead_id, *family_of(leads[one] for join in joined for one in join.taken)}


def _is_before(join: Join, old: StoredTouch) -> bool:
    return join.version < old.record.lead_version


def _said_until(edits: Iterable[Edit], old: StoredTouch) -> tuple[Edit, ...]:
    """Give what had been said by hand when a touch came."""
    until = max((one.decided_at for one in old.record.decisions), default=None)
    return tuple(edit for edit in edits if until is None or edit.at <= until)


def _rest(
    hub: Hub, current: Current, family: Family, lead: Lead, picks: Sequence[Pick], now: datetime
) -> Half:
    """Say how the rest stands, which is the lead that work went on with."""
    touches = [old.record.touch for old in (*family.fixed[1], *family.later[1])]
    then, is_known = _as_before(current, lead, _states_before(hub, lead.lead_id), touches)
    lead = _with_edits(current, then, lead.edits, touches)
    decisions: tuple[Decision, ...] = ()
    if lead != then or not is_known:
        at = family.later[1][-1].record.touch.received_at if family.later[1] else now
        lead, decisions = learn(hub, current, lead, touches, at)
    live = family.live
    if family.later[1]:
        if _assignment_id(lead) == _assignment_id(live):
            # It was routed with these touches already, or is about to be.
            waits = {"awaits": live.awaits, "is_unowned": live.is_unowned}
            is_raised = _is_raised_unseen(family, picks, lead)
            lead = lead.model_copy(update={**waits, "is_raised": is_raised or live.is_raised})
            if is_raised:
                lead = lead.model_copy(update={"awaits": "owner"})
        elif any(not old.record.touch.only_if_known for old in family.later[1]):
            lead = lead.model_copy(update={"awaits": "owner", "is_unowned": False})
    return _finished(Half(lead, decisions), family, 1, live.version, now)


def _is_raised_unseen(family: Family, picks: Sequence[Pick], lead: Lead) -> bool:
    """Say whether a later touch raised the rest's stage while the whole had that stage already.

    Then its owner is still the one from before, and nobody has asked whether that is right.
    """
    if not picks or not lead.assignment:
        return False
    first = next(
        join for join in family.leads[picks[0].lead_id].joins if join.version < picks[0].version
    )
    arrived = max(
        old.record.touch.received_at
        for old in family.later[1]
        if not old.record.touch.only_if_known
    )
    return (
        STAGES.index(picks[-1].stage) > STAGES.index(first.before.stage)
        and lead.assignment.assigned_at <= arrived
    )


def _member(hub: Hub, current: Current, family: Family, lead: Lead, now: datetime) -> Half:
    """Say how the lead that is taken out stands, as if its later touches had come to it."""
    stored = family.member
    half = _half(hub, current, lead, [stored], (family.fixed[0], family.later[0]), now)
    return _finished(half, family, 0, stored.version, now)


def _finished(half: Half, family: Family, place: int, version: int, now: datetime) -> Half:
    touches = [old.record.touch for old in (*family.fixed[place], *family.later[place])]
    lead = settled(half.lead, touches)
    return replace(half, lead=lead.model_copy(update={"version": version + 1, "updated_at": now}))


def _half(
    hub: Hub,
    current: Current,
    lead: Lead,
    before: Iterable[Lead],
    touches: tuple[Sequence[StoredTouch], Sequence[StoredTouch]],
    now: datetime,
) -> Half:
    """Fold one of both; where touches came since, decide on each anew as if it came to it alone.

    Args:
        hub: who decides.
        current: configuration in force.
        lead: with its own standing and edits.
        before: states from before the merge that may have been its own; a score is kept if what it
            follows from is as it was.
        touches: from before the merge, and later ones.
        now: time of the un-merge.
    """
    done = [old.record.touch for old in touches[0]]
    edits = lead.edits
    lead, is_known = _as_before(current, lead, before, done)
    decisions: tuple[Decision, ...] = ()
    many = max(len(touches[1]) - _replayed(len(touches[0]) + len(touches[1])), 0)
    lots = [touches[1][:many], *([old] for old in touches[1][many:])]
    for lot in filter(None, lots):
        *earlier, newest = (old.record.touch for old in lot)
        at = max(newest.received_at, lead.updated_at)
        said = _said_until(edits, lot[-1])
        settle = learn if newest.only_if_known else decide
        done += earlier
        counted = newest.model_copy(update={"void": ""})
        lead, decisions = settle(
            hub, current, lead.model_copy(update={"edits": said}), [*done, counted], at
        )
        done.append(newest)
    done_later = bool(touches[1])
    final = _with_edits(current, lead, edits, done)
    if final != lead or not (is_known or done_later):
        lead, learnt = learn(hub, current, final, done, now)
        decisions = (*decisions, *learnt)
    return Half(lead, decisions)


def _with_edits(
    current: Current, lead: Lead, edits: tuple[Edit, ...], touches: Sequence[Touch]
) -> Lead:
    """Fold a lead with all that was said of it by hand."""
    said = lead.model_copy(update={"edits": edits})
    return fold(said, touches, lead.updated_at, current.config.merging)


def _as_before(
    current: Current, lead: Lead, before: Iterable[Lead], touches: Sequence[Touch]
) -> tuple[Lead, bool]:
    """Fold a lead as it was before the merge; says whether its score is known from then."""
    count = sum(not (touch.void or touch.only_if_known) for touch in touches)
    for known in before:
        if known.touch_count != count:
            continue
        then = lead.model_copy(update={"edits": known.edits, "score": known.score})
        folded = fold(then, touches, known.updated_at, current.config.merging)
        if all(getattr(folded, name) == getattr(known, name) for name in FOLDED):
            return folded.model_copy(update={"config_hash": current.hash}), True
    folded = fold(lead, touches, lead.created_at, current.config.merging)
    return folded.model_copy(update={"config_hash": current.hash}), False


def _states_before(hub: Hub, lead_id: str) -> list[Lead]:
    """Read how a lead was before each of its merges, the last one first."""
    items = hub.table.query(lead_key(lead_id)[0], "EVENT#")
    events = [event for event in map(event_of, reversed(items)) if event.kind == "merged"]
    return [
        Lead.model_validate(event.before[lead_id], extra="ignore")
        for event in events
        if lead_id in event.before
    ]


def _raised(current: Current, family: Family) -> set[Stage]:
    """Give the stages that rules gave to the whole for touches that came since."""
    picked = {
        decision.result
        for side in family.later
        for old in side
        for decision in old.record.decisions
        if decision.kind == "rule"
    }
    return {rule.stage for rule in current.config.routing if rule.id in picked and rule.stage}


def _assignment_id(lead: Lead) -> str:
    return lead.assignment.assignment_id if lead.assignment else ""


# --- what is written ------------------------------------------------------------------------------


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
    new = [record_of(touch, family.member_id) for touch in touches]
    return block_writes(moved(hub.table, gone, new), writer) if touches else []


def _between(parted: Parted, writer: str) -> list[Write]:
    writes: list[Write] = []
    for number, lead in enumerate(parted.between):
        after = lead.model_copy(update={"version": lead.version + 1})
        writes.append(lead_put(f"lead between {number}", after, lead.version, writer))
    return writes


def _event(
    current: Current,
    family: Family,
    halves: tuple[Half, Half],
    turns: tuple[Turn, ...],
    actor: str,
    reason: str,
    writer: str,
) -> Event:
    rest, member = halves
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


def _reopened(
    hub: Hub, family: Family, halves: tuple[Lead, Lead], now: datetime
) -> list[tuple[Effect, Effect]]:
    """Find notifications that a merge cancelled, or is about to, for it took their assignment away.

    One that waits is written too, so that whoever has it in hand and saw the merge looks again.
    """
    ids = {_assignment_id(lead) for lead in halves} - {_assignment_id(family.live), ""}
    if not ids:
        return []
    stored = [
        effect_of(item)
        for lead_id in family.leads
        for item in hub.table.query(lead_key(lead_id)[0], "EFFECT#")
    ]
    return [
        (effect, _opened(effect, now))
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
