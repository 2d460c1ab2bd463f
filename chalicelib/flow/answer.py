"""What an owner answers to an assignment: accept it, or decline it so that it goes on."""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.leads import AWAITS_FOR, live_lead, route_message
from chalicelib.hub import Hub
from chalicelib.lead.model import Assignment, Lead
from chalicelib.lead.routing import give_back
from chalicelib.records import (
    Event,
    EventKind,
    digest,
    event_item,
    lead_item,
    ledger_item,
    ledger_key,
    ledger_of,
    missed_item,
    missed_key,
    missed_of,
)
from chalicelib.storage import ATTEMPTS, Absent, Holds, Put, Write


def accept(hub: Hub, lead_id: str, assignment_id: str, actor: str) -> Lead:
    """Note that the owner takes the lead on; again is no error.

    Raises:
        NotFound: no such lead.
        Conflict: the lead has gone to somebody else since.
    """
    writer = f"answer:{hub.new_id()}"
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        lead, assignment = find_assigned(hub, lead_id, assignment_id)
        if assignment.accepted_at:
            return lead
        now = max(hub.clock(), lead.updated_at)
        after = _accepted(lead, assignment, now).model_copy(
            update={"version": lead.version + 1, "updated_at": now}
        )
        event = answer_event(after, "accepted", actor, f"{actor} accepted it")
        heard = sign_of_life(hub, assignment, writer)
        if save_answer(hub, lead, after, event, lead_id, writer, heard):
            return after
    raise Conflict(f"lead {lead_id} is changing; try again")


def decline(hub: Hub, lead_id: str, assignment_id: str, actor: str, reason: str = "") -> Lead:
    """Give a lead back: the turn is returned and the lead goes to somebody else.

    Raises:
        NotFound: no such lead.
        Conflict: the lead has gone to somebody else since.
    """
    writer = f"answer:{hub.new_id()}"
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        lead, assignment = find_assigned(hub, lead_id, assignment_id)
        after = without_owner(lead, assignment, max(hub.clock(), lead.updated_at))
        text = f"{actor} gave it back" + (f": {reason[:200]}" if reason else "")
        event = answer_event(after, "declined", actor, text)
        try:
            turn = returned_turn(hub, assignment, writer)
        except ValueError:
            # The ledger is newer than the lead that we read: somebody else gave it back.
            continue
        more = [*turn, *sign_of_life(hub, assignment, writer)]
        if save_answer(hub, lead, after, event, lead_id, writer, more):
            hub.routing.send([route_message(after)])
            return after
    raise Conflict(f"lead {lead_id} is changing; try again")


def find_assigned(hub: Hub, lead_id: str, assignment_id: str) -> tuple[Lead, Assignment]:
    """Read a lead that still has an assignment.

    Raises:
        NotFound: no such lead.
        Conflict: the lead has gone to somebody else since.
    """
    lead = live_lead(hub.table, lead_id)
    if lead is None:
        raise NotFound(f"lead {lead_id}")
    if lead.assignment is None or lead.assignment.assignment_id != assignment_id:
        raise Conflict("this lead has gone to somebody else since")
    return lead, lead.assignment


def without_owner(lead: Lead, assignment: Assignment, now: datetime) -> Lead:
    """Give a lead that its owner has no more; it does not come back to them."""
    return lead.model_copy(
        update={
            "assignment": None,
            "declined_by": (*lead.declined_by, assignment.owner_id),
            "status": "new",
            "awaits": "owner",
            "version": lead.version + 1,
            "updated_at": now,
        }
    )


def returned_turn(hub: Hub, assignment: Assignment, writer: str) -> Sequence[Write]:
    """Give the write by which an owner gets the turn back; none if they had none.

    Raises:
        ValueError: the ledger has it already; the lead that was read is out of date.
    """
    item = hub.table.get(ledger_key(assignment.pool_id))
    if item is None:
        return ()
    ledger = ledger_of(item)
    account = ledger.accounts.get(assignment.owner_id)
    if account is None or not account.received:
        return ()
    after = give_back(ledger, assignment.owner_id)
    return (Put("returned turn", ledger_item(after, writer), Holds("version", ledger.version)),)


def sign_of_life(hub: Hub, assignment: Assignment, writer: str) -> Sequence[Write]:
    """Give the write by which an owner who answers counts as silent no more; mostly none."""
    if not assignment.clock:
        return ()
    item = hub.table.get(missed_key(assignment.owner_id))
    if item is None or not missed_of(item).count:
        return ()
    missed = missed_of(item)
    after = missed.model_copy(update={"count": 0, "version": missed.version + 1})
    return (Put("missed leads", missed_item(after, writer), Holds("version", missed.version)),)


def save_answer(
    hub: Hub,
    lead: Lead,
    after: Lead,
    event: Event,
    said_of: str,
    writer: str,
    more: Sequence[Write] = (),
) -> bool:
    """Write a lead's new state with its event; False when somebody else wrote first.

    What is said of a lead that was merged goes with it should they part.
    """
    due_at = after.updated_at + AWAITS_FOR if after.awaits else None
    try:
        hub.table.write(
            [
                Put(
                    "answered lead",
                    lead_item(after, writer, due_at),
                    Holds("version", lead.version),
                ),
                Put("answer event", event_item(said_of, event, writer), Absent()),
                *more,
            ]
        )
    except Conflict:
        return False
    return True


def answer_event(lead: Lead, kind: EventKind, actor: str, text: str) -> Event:
    """Make the event of an answer that leads to a lead's new state."""
    return Event(
        event_id=digest(lead.lead_id, str(lead.version), kind),
        kind=kind,
        at=lead.updated_at,
        actor=actor,
        text=text,
    )


def _accepted(lead: Lead, assignment: Assignment, now: datetime) -> Lead:
    if assignment.clock:
        from chalicelib.lead.sla import accepted  # only where a clock runs

        return accepted(lead, now)
    taken = assignment.model_copy(update={"accepted_at": now})
    return lead.model_copy(update={"assignment": taken})
