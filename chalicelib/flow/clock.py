"""The clock at work: steps of its ladder when their time has come, and what owners say they did.

A lead whose clock runs is due at its next instant; `tick` finds it then. Each step is one
transaction on condition that the lead is as it was read: its new state, an event with the
decision, the notifications, and where the lead is taken back also the turn. So a tick that runs
twice, dies, or meets an owner who accepts at that very moment, changes nothing twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.errors import Conflict, HubError, Invalid, NotFound, Unavailable
from chalicelib.flow.answer import (
    answer_event,
    returned_turn,
    save_answer,
    sign_of_life,
    without_owner,
)
from chalicelib.flow.leads import AWAITS_FOR, live_lead, route_message
from chalicelib.flow.route import SENT_ON_AFTER, send_effects
from chalicelib.hub import Current, Hub
from chalicelib.lead import sla
from chalicelib.lead.model import Assignment, Decision, Lead, utc_text
from chalicelib.lead.sla import Firing
from chalicelib.records import (
    ACTIVE_KEY,
    ClockKind,
    Effect,
    Event,
    Missed,
    Turn,
    active_item,
    active_of,
    digest,
    effect_item,
    event_item,
    lead_item,
    lead_key,
    lead_of,
    missed_item,
    missed_key,
    missed_of,
)
from chalicelib.storage import ATTEMPTS, Absent, Holds, Put, Write, at_version

LANES = 8
"""So many leads are worked on side by side."""

MOST_STEPS = 40
"""Most steps of one lead in one go; the next tick goes on."""

LATER = timedelta(milliseconds=1)
"""By so much steps that are taken at once stand apart, so that they are told in their order."""

AGAIN_AFTER = timedelta(minutes=10)
"""How long a lead is left alone on which our own code fails."""


def keep_time(hub: Hub, leads: Sequence[Lead]) -> int:
    """Take the steps that are due of these leads; gives how many leads were changed.

    Args:
        hub: read and written.
        leads: as they were just read; whoever wrote one since goes first.

    Raises:
        Misconfigured: nothing is published.
        Unavailable: the configuration cannot be read.
    """
    if not leads:
        return 0
    current = hub.configurations.current()
    lanes = [leads[lane::LANES] for lane in range(LANES)]
    work = [partial(_keep_time, hub, current, lane) for lane in lanes if lane]
    return sum(len(done) for done in hub.side_by_side(work))


def touched(
    hub: Hub, lead_id: str, actor: str, next_at: datetime | None = None, note: str = ""
) -> Lead:
    """Note that the owner has contacted the person; that is also to accept the lead.

    Args:
        lead_id: of a lead with an owner.
        actor: who says it: a person or a program.
        next_at: when the next step is to be taken; None for what the policy says.
        note: what it was, for the timeline.

    Raises:
        NotFound: no such lead.
        Conflict: nobody owns it, or it is changing.
        Invalid: the next step would be in the past.
    """
    told = f"{actor} has contacted the person"
    return _say(hub, lead_id, "touched", actor, told, next_at, note)


def plan_step(hub: Hub, lead_id: str, next_at: datetime, actor: str, note: str = "") -> Lead:
    """Set the date of a lead's next step; see touched."""
    return _say(hub, lead_id, "planned", actor, "", next_at, note)


def _say(
    hub: Hub,
    lead_id: str,
    kind: Any,
    actor: str,
    told: str,
    next_at: datetime | None,
    note: str,
) -> Lead:
    writer = f"answer:{hub.new_id()}"
    config = hub.configurations.current().config
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        lead = live_lead(hub.table, lead_id)
        if lead is None:
            raise NotFound(f"lead {lead_id}")
        if lead.assignment is None:
            raise Conflict("nobody owns this lead now")
        now = max(hub.clock(), lead.updated_at)
        if next_at is not None and next_at <= now:
            raise Invalid("nothing was noted", ("the next step: expected a time to come",))
        if kind == "touched":
            after = sla.touched(lead, config, now, next_at)
        else:
            after = sla.planned(lead, config, now, next_at)
        after = after.model_copy(update={"version": lead.version + 1, "updated_at": now})
        words = [told, f"next step by {next_at:%Y-%m-%d %H:%M} UTC" if next_at else ""]
        text = "; ".join(filter(None, words)) + (f": {note[:200]}" if note else "")
        event = answer_event(after, kind, actor, text)
        heard = sign_of_life(hub, lead.assignment, writer)
        if save_answer(hub, lead, after, event, lead_id, writer, heard):
            return after
    raise Conflict(f"lead {lead_id} is changing; try again")


def _keep_time(hub: Hub, current: Current, leads: Sequence[Lead]) -> list[str]:
    """Work on leads one after the other; gives the ids of those that were changed."""
    done: list[str] = []
    for lead in leads:
        try:
            if _take_steps(hub, current, lead):
                done.append(lead.lead_id)
        except Unavailable as error:
            hub.trouble(error)
            break
        except HubError as error:
            hub.trouble(error)
        except Exception as error:  # noqa: BLE001, one lead must not stop everybody's clock
            hub.alarm("clock_failed", {"lead": lead.lead_id, "error": type(error).__name__})
            _leave_alone(hub, lead)
    return done


def _take_steps(hub: Hub, current: Current, lead: Lead) -> bool:
    """Take one step after the other until none is due; False when there was none."""
    writer = f"clock:{hub.new_id()}"
    attempt, steps = 0, 0
    known: Lead | None = lead
    while known is not None and steps < MOST_STEPS:
        now = max(hub.clock(), known.updated_at + LATER)
        firing = sla.fire(known, current.config, now)
        if firing is None:
            break
        try:
            known = _take(hub, current, known, firing, now, f"{writer}:{steps}")
            steps += 1
        except Conflict:
            attempt += 1
            if attempt >= ATTEMPTS:
                raise
            hub.pause(attempt)
            item = hub.table.get(lead_key(lead.lead_id))
            known = lead_of(item) if item else None
    return steps > 0


def _take(
    hub: Hub, current: Current, lead: Lead, firing: Firing, now: datetime, writer: str
) -> Lead:
    """Write what a firing comes to, all of it or nothing.

    Raises:
        Conflict: somebody else wrote first.
    """
    assignment = _assignment(lead)
    if firing.does == "reassign":
        after = without_owner(lead, assignment, now)
    else:
        kept = assignment.model_copy(update={"clock": firing.clock})
        update = {"assignment": kept, "version": lead.version + 1, "updated_at": now}
        after = lead.model_copy(update=update)
    due_at = now + AWAITS_FOR if after.awaits or after.is_unowned else None
    put = Put("clocked lead", lead_item(after, writer, due_at), Holds("version", lead.version))
    if firing.does == "moved":
        hub.table.write([put])
        return after
    more: list[Write] = []
    if firing.does == "reassign":
        try:
            more += returned_turn(hub, assignment, writer)
        except ValueError as error:
            raise Conflict("the ledger is newer than the lead") from error
    has_turn = bool(more)
    off = _silence(hub, current, assignment, firing, writer, more)
    event = _event(current, hub.code, lead, after, firing, off=off, has_turn=has_turn)
    effects = _effects(current, event, lead, firing)
    item = event_item(lead.lead_id, event, writer)
    writes: list[Write] = [put, Put("clock event", item, Absent())]
    for effect in effects:
        name = f"effect {lead.lead_id} {effect.destination_id}"
        writes.append(Put(name, effect_item(effect, writer), Absent()))
    hub.table.write([*writes, *more])
    if firing.does == "alarm":
        hub.alarm("overdue", {"lead": lead.lead_id})
    if off:
        hub.alarm("owner_silent", {"owner": assignment.owner_id})
    _send(hub, effects, after)
    return after


def _send(hub: Hub, effects: Sequence[Effect], after: Lead) -> None:
    """Send on what was written; what is lost here is sent by tick a few minutes later."""
    try:
        send_effects(hub, effects)
        if after.awaits:
            hub.routing.send([route_message(after)])
    except Unavailable as error:
        hub.trouble(error)


def _silence(
    hub: Hub,
    current: Current,
    assignment: Assignment,
    firing: Firing,
    writer: str,
    writes: list[Write],
) -> bool:
    """Count a lead that its owner let go unaccepted; True when the owner is switched off for it."""
    most = current.config.sla.silent_after
    owner_id = assignment.owner_id
    if most is None or not firing.is_missed:
        return False
    item = hub.table.get(missed_key(owner_id))
    missed = missed_of(item) if item else Missed(owner_id=owner_id, count=0, version=0)
    count = missed.count + 1
    is_silent = count >= most
    after = missed.model_copy(
        update={"count": 0 if is_silent else count, "version": missed.version + 1}
    )
    writes.append(Put("missed leads", missed_item(after, writer), at_version(missed.version)))
    if not is_silent:
        return False
    stored = hub.table.get(ACTIVE_KEY)
    active = active_of(stored) if stored else current.active
    if owner_id in active.off:
        return False
    note = f"let {count} leads in a row go unaccepted"
    switched = active.model_copy(
        update={
            "version": active.version + 1,
            "off": {**active.off, owner_id: ""},
            "notes": {**active.notes, owner_id: note},
        }
    )
    writes.append(Put("active", active_item(switched, writer), Holds("version", active.version)))
    return True


def _event(
    current: Current,
    code: str,
    lead: Lead,
    after: Lead,
    firing: Firing,
    *,
    off: bool,
    has_turn: bool,
) -> Event:
    assignment = _assignment(lead)
    asked = sla.asked(firing, current.config)
    facts = firing.facts or {}
    decision = Decision(
        kind="escalation",
        decided_at=after.updated_at,
        config_hash=current.hash,
        code=code,
        inputs={
            "lead_id": lead.lead_id,
            "version": lead.version,
            "promise": firing.promise.kind,
            "since": utc_text(firing.promise.since),
            "step": firing.step,
            "status": lead.status,
            "stage": lead.stage,
            "declined_by": list(lead.declined_by),
            "assignment": assignment.model_dump(mode="json", exclude_defaults=True),
            "facts": {name: _plain(facts[name]) for name in asked if name in facts},
        },
        result=firing.result,
        because=firing.because,
    )
    is_taken = firing.does == "reassign"
    turn = Turn(pool_id=assignment.pool_id, owner_id=assignment.owner_id, does="returned")
    kind = "taken_back" if is_taken else "escalated"
    name = _name(current, assignment.owner_id)
    return Event(
        event_id=digest(lead.lead_id, str(after.version), kind),
        kind="taken_back" if is_taken else "escalated",
        at=after.updated_at,
        actor="hub",
        text=_text(current, firing) + (f"; {name} is switched off" if off else ""),
        decisions=(decision,),
        turns=(turn,) if is_taken and has_turn else (),
        told=firing.told,
    )


def _text(current: Current, firing: Firing) -> str:
    """Say on the timeline what was done, and why."""
    reader = _name(current, firing.reader) if firing.reader else "the alarms"
    by = f" ({', '.join(firing.told)})" if firing.told else ""
    match firing.does:
        case "reassign":
            done = f"taken back, for somebody else; {reader} is told{by}" if by else "taken back"
        case "alarm":
            done = f"alarm{by}"
        case "passed":
            done = "left as it is"
        case _:
            word = "reminded" if not firing.is_late else "told"
            done = f"{reader} is {word}{by}" if by else "noted"
    return f"{done}: {firing.because}"


def _effects(current: Current, event: Event, lead: Lead, firing: Firing) -> list[Effect]:
    kind: ClockKind = "overdue" if firing.is_late else "reminder"
    is_taken = firing.does == "reassign"
    return [
        Effect(
            effect_id=digest(event.event_id, destination_id),
            lead_id=lead.lead_id,
            destination_id=destination_id,
            kind="taken_back" if is_taken else kind,
            created_at=event.at,
            # Who is told that a lead was taken back is told so whoever has it by then.
            assignment=None if is_taken else _assignment(lead).model_copy(update={"clock": ()}),
            reader=firing.reader,
            because=firing.because,
            config_hash=current.hash,
            due_at=event.at + SENT_ON_AFTER,
        )
        for destination_id in firing.told
    ]


def _leave_alone(hub: Hub, lead: Lead) -> None:
    """Look at a lead later, so that it does not stand in the way of others."""
    item = {
        **lead_item(lead, f"clock:{hub.new_id()}"),
        "due_at": utc_text(hub.clock() + AGAIN_AFTER),
    }
    try:
        hub.table.write([Put("sent on", item, Holds("version", lead.version))])
    except HubError as error:
        hub.trouble(error)


def _assignment(lead: Lead) -> Assignment:
    if lead.assignment is None:
        raise ValueError(f"lead {lead.lead_id} has no owner")
    return lead.assignment


def _name(current: Current, owner_id: str) -> str:
    owners = current.config.owners
    return owners[owner_id].name if owner_id in owners else owner_id


def _plain(value: Any) -> Any:
    """Write a fact as it comes back from JSON."""
    return list(value) if isinstance(value, tuple) else value
