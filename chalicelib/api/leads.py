"""/v1/leads: list, one, timeline, why, accept, decline."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Answer, Call
from chalicelib.api.duplicates import Proposed, proposed_for
from chalicelib.api.pages import NEXT, Id, Line, PageQuery
from chalicelib.errors import Conflict, NotFound
from chalicelib.flow import answer
from chalicelib.flow.details import TimelineEntry, timeline
from chalicelib.flow.edit import edit, state_of
from chalicelib.flow.lists import LeadFilter, list_leads
from chalicelib.flow.move import move
from chalicelib.flow.why import Why, why
from chalicelib.lead.changes import Given
from chalicelib.lead.model import Lead, Model, Stage, Status


class LeadsQuery(PageQuery):
    """Which leads."""

    owner: Id = Field(default="", description="an owner's id, or `-unowned`")
    status: Literal["", Status] = ""
    source: Id = Field(default="", description="by which the lead came last")
    stage: Annotated[str, Field(max_length=63)] = ""
    q: Line = Field(
        default="",
        max_length=200,
        description="a whole e-mail address or phone number, else text in name, company or e-mail",
    )


class LeadSummary(Model):
    """A lead as it stands in lists."""

    lead_id: str
    name: str
    email: str
    phone: str = ""
    company: str
    score: int
    grade: str = ""
    status: Status
    reason: str = Field(default="", description="why it was disqualified")
    stage: Stage
    triage: str = ""
    source: str
    owner: str
    state: Literal["owned", "routing", "unowned"]
    created_at: AwareDatetime
    updated_at: AwareDatetime


class LeadList(Model):
    """A page of leads, newest first."""

    leads: tuple[LeadSummary, ...]
    next: str = Field(description=NEXT)


class LeadDetails(Lead):
    """A lead as it stands, and which others may be the same person."""

    duplicates: tuple[Proposed, ...] = Field(
        default=(), description="proposals that nobody has decided; see /v1/duplicates"
    )


class Timeline(Model):
    """What happened with a lead, oldest first."""

    entries: tuple[TimelineEntry, ...]


class AcceptBody(Model):
    """Which assignment is accepted."""

    assignment_id: Id = Field(
        default="", description="the current one if left out; name it to make a repeat harmless"
    )


class DeclineBody(AcceptBody):
    """Which assignment is declined, and why."""

    reason: Line = Field(default="", max_length=200)


class EditBody(Model):
    """What a person says of a lead."""

    fields: Mapping[str, Given] = Field(
        default_factory=dict,
        description="by contact field or id of a field of your own; null leaves it empty",
    )
    release: tuple[str, ...] = Field(
        default=(), description="fields in which what came by forms is to count again"
    )
    note: Line = Field(default="", max_length=200, description="why; stands on the timeline")


class MoveBody(Model):
    """Where our work on a lead stands, and where the person stands with us."""

    status: Status | None = Field(default=None, description="left out: as it is")
    stage: Annotated[str, Field(min_length=1, max_length=63)] | None = Field(
        default=None, description="left out: as it is"
    )
    reason: Line = Field(
        default="", max_length=200, description="for the timeline; needed to disqualify"
    )


def list_them(call: Call, query: LeadsQuery) -> LeadList:
    """List leads; a rep's own."""
    owner = query.owner
    if call.only_owner:
        if owner not in ("", call.only_owner):
            raise NotFound(f"owner {owner}")
        owner = call.only_owner
    wanted = LeadFilter(owner, query.status, query.source, query.stage, query.q)
    found = list_leads(call.hub, wanted, query.limit, call.after(query, query.cursor))
    return LeadList.model_validate(
        {"leads": found.entries, "next": call.cursor(query, found.after)}
    )


def show_lead(call: Call) -> Answer[LeadDetails]:
    """Give a lead; the id of one that was merged gives the lead it became part of."""
    lead = call.lead()
    known = {name: getattr(lead, name) for name in type(lead).model_fields}
    details = LeadDetails(**known, duplicates=proposed_for(call, lead))
    return Answer(details, headers=_with_tag(lead).headers)


def edit_lead(call: Call, body: EditBody) -> Answer[Lead]:
    """Set fields by hand, or give them back to the touches; If-Match says on what it was made."""
    call.lead()  # who may not know of it is told that there is none
    seen = call.made_on("lead")
    lead_id = call.path["lead_id"]
    return _with_tag(
        edit(call.hub, lead_id, body.fields, body.release, call.actor, body.note, seen)
    )


def move_lead(call: Call, body: MoveBody) -> Answer[Lead]:
    """Move a lead to a status, a stage or both; If-Match says on what it was decided."""
    call.lead()  # who may not know of it is told that there is none
    seen = call.made_on("lead")
    return _with_tag(
        move(
            call.hub,
            call.path["lead_id"],
            call.actor,
            status=body.status,
            stage=body.stage,
            reason=body.reason,
            seen=seen,
        )
    )


def show_timeline(call: Call) -> Timeline:
    """Give what happened with a lead."""
    return Timeline(entries=tuple(timeline(call.hub, call.lead())))


def show_why(call: Call) -> Why:
    """Explain a lead's match, score, rule and owner, in words and in data."""
    return why(call.hub, call.lead())


def accept_lead(call: Call, body: AcceptBody) -> Lead:
    """Take a lead on; again changes nothing."""
    lead = call.lead()
    assignment_id = body.assignment_id or _current(lead)
    return answer.accept(call.hub, lead.lead_id, assignment_id, call.actor)


def decline_lead(call: Call, body: DeclineBody) -> Lead:
    """Give a lead back, so that it goes to somebody else."""
    lead = call.lead()
    assignment_id = body.assignment_id or _current(lead)
    return answer.decline(call.hub, lead.lead_id, assignment_id, call.actor, body.reason)


def _with_tag(lead: Lead) -> Answer[Lead]:
    return Answer(lead, headers={"ETag": f'"{state_of(lead)}"'})


def _current(lead: Lead) -> str:
    if lead.assignment is None:
        raise Conflict("nobody owns this lead now")
    return lead.assignment.assignment_id
