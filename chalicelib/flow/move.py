"""A person says where our work on a lead stands, or which stage the person has reached."""

from datetime import datetime
from typing import Any

from chalicelib.errors import Conflict, Invalid, NotFound, Stale
from chalicelib.flow.edit import state_of
from chalicelib.flow.leads import AWAITS_FOR, live_lead, route_message
from chalicelib.flow.match import LATER
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Lead, Stage, Status
from chalicelib.lead.qualifying import why_not, why_not_status
from chalicelib.records import Event, digest, event_item, lead_item
from chalicelib.storage import ATTEMPTS, Absent, Holds, Put


def move(
    hub: Hub,
    lead_id: str,
    actor: str,
    *,
    status: Status | None = None,
    stage: Stage | None = None,
    reason: str = "",
    seen: str = "",
) -> Lead:
    """Move a lead to a status, a stage or both; what is so already is not done again.

    One that is disqualified stays with its owner and asks nobody for anything; one that is taken
    up again goes to its owner, or to another if that one is gone.

    Args:
        hub: read and written.
        lead_id: of a lead, or of one that was merged.
        actor: who says it.
        status: None leaves it.
        stage: None leaves it.
        reason: for the timeline; needed to disqualify.
        seen: the state that it is said of, as edit.state_of gives it; empty for whatever it is.

    Returns:
        The lead as it is afterwards.

    Raises:
        NotFound: no such lead.
        Invalid: it may not move there, or a reason is missing.
        Stale: the lead is not as it was seen any more.
        Conflict: others kept writing to it.
    """
    writer = f"move:{hub.new_id()}"
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        lead = live_lead(hub.table, lead_id)
        if lead is None:
            raise NotFound(f"lead {lead_id}")
        if seen and seen != state_of(lead):
            raise Stale("the lead has changed since; fetch it and look again")
        wanted_status = lead.status if status is None else status
        wanted_stage = lead.stage if stage is None else stage
        if (wanted_status, wanted_stage) == (lead.status, lead.stage):
            return lead
        _refuse_what_may_not_be(
            hub.configurations.current(), lead, wanted_status, wanted_stage, reason
        )
        now = max(hub.clock(), lead.updated_at + LATER)
        after = _moved(lead, wanted_status, wanted_stage, reason[:200], now)
        if _save(hub, lead, after, _event(lead, after, lead_id, actor, reason, writer), writer):
            if after.awaits:
                hub.routing.send([route_message(after)])
            return after
    raise Conflict(f"lead {lead_id} is changing; try again")


def _refuse_what_may_not_be(
    current: Current, lead: Lead, status: Status, stage: Stage, reason: str
) -> None:
    problems = []
    if stage != lead.stage:
        problems.append(why_not(current.config.qualifying, lead.stage, stage, "person"))
    if status != lead.status:
        problems.append(why_not_status(lead, status))
        if status == "disqualified" and not reason.strip():
            problems.append("reason: expected why it is disqualified")
    if any(problems):
        raise Invalid("the lead was not moved", tuple(filter(None, problems)))


def _moved(lead: Lead, status: Status, stage: Stage, reason: str, now: datetime) -> Lead:
    update: dict[str, Any] = {"status": status, "stage": stage, "updated_at": now}
    update["version"] = lead.version + 1
    if status == "disqualified" and lead.status != status:
        update |= {"status_reason": reason, "awaits": "", "is_unowned": False, "is_raised": False}
    if lead.status == "disqualified" and lead.status != status:
        update |= {"status_reason": "", "awaits": "owner"}
    return lead.model_copy(update=update)


def _event(lead: Lead, after: Lead, said_of: str, actor: str, reason: str, writer: str) -> Event:
    pairs = [("status", lead.status, after.status), ("stage", lead.stage, after.stage)]
    said = ", ".join(f"{name} {old} to {new}" for name, old, new in pairs if old != new)
    return Event(
        event_id=digest(writer, said_of),
        kind="moved",
        at=after.updated_at,
        actor=actor,
        text=f"{said}: {reason[:200]}" if reason else said,
        before={
            "lead": lead.lead_id,
            "version": lead.version,
            "status": lead.status,
            "stage": lead.stage,
        },
    )


def _save(hub: Hub, lead: Lead, after: Lead, event: Event, writer: str) -> bool:
    """Write a lead's new state with its event; False when somebody else wrote first."""
    waits = after.awaits or after.is_unowned
    item = lead_item(after, writer, after.updated_at + AWAITS_FOR if waits else None)
    try:
        hub.table.write(
            [
                Put("moved lead", item, Holds("version", lead.version)),
                Put("move event", event_item(lead.lead_id, event, writer), Absent()),
            ]
        )
    except Conflict:
        return False
    return True
