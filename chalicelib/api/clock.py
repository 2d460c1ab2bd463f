"""/v1/leads/{id}/touched and next-step, /v1/overdue: what owners did, and what they did not."""

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Call
from chalicelib.api.pages import Id, Line
from chalicelib.errors import NotFound
from chalicelib.flow.clock import plan_step, touched
from chalicelib.flow.overdue import Overdue, list_overdue
from chalicelib.lead.model import Lead, Model


class TouchedBody(Model):
    """That the owner has contacted the person."""

    next_at: AwareDatetime | None = Field(
        default=None, description="when the next step is to be; left out, as the policy says"
    )
    note: Line = Field(default="", max_length=200, description="stands on the timeline")


class NextStepBody(Model):
    """When the next step is to be taken."""

    at: AwareDatetime
    note: Line = Field(default="", max_length=200)


class OverdueQuery(Model):
    """Whose."""

    owner: Id = Field(default="", description="an owner's id; left out, everybody")


class OverdueList(Model):
    """What should have been done by now, what has waited longest first."""

    overdue: tuple[Overdue, ...]


def note_touch(call: Call, body: TouchedBody) -> Lead:
    """Note that the owner has contacted the person; that is to accept the lead too."""
    lead = call.lead()
    return touched(call.hub, lead.lead_id, call.actor, body.next_at, body.note)


def set_next_step(call: Call, body: NextStepBody) -> Lead:
    """Set the date of a lead's next step."""
    lead = call.lead()
    return plan_step(call.hub, lead.lead_id, body.at, call.actor, body.note)


def list_them(call: Call, query: OverdueQuery) -> OverdueList:
    """List what is overdue and who was told of it; a rep's own."""
    owner = query.owner
    if call.only_owner:
        if owner not in ("", call.only_owner):
            raise NotFound(f"owner {owner}")
        owner = call.only_owner
    return OverdueList(overdue=tuple(list_overdue(call.hub, [owner] if owner else [])))
