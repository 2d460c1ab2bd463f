"""/v1/leads/{id}/merge, unmerge, keep-apart."""

from pydantic import Field

from chalicelib.api.calls import Call
from chalicelib.api.pages import Id, Line
from chalicelib.errors import NotFound
from chalicelib.flow.details import find_lead
from chalicelib.flow.merge import keep_apart, lift, merge
from chalicelib.flow.unmerge import unmerge
from chalicelib.lead.model import Lead, Model


class MergeBody(Model):
    """Which leads are the same person as this one."""

    lead_ids: tuple[Id, ...] = Field(min_length=1, max_length=100)
    reason: Line = Field(default="", max_length=500, description="for the timeline")
    anyway: bool = Field(
        default=False, description="merge also what was said never to be merged; lifts that"
    )


class UnmergeBody(Model):
    """Which lead is to be taken out again."""

    lead_id: Id = Field(description="one of `members`")
    reason: Line = Field(default="", max_length=500)


class ApartBody(Model):
    """Which lead is never to be merged with this one."""

    lead_id: Id
    lift: bool = Field(default=False, description="take it back: they may be merged again")
    reason: Line = Field(default="", max_length=500)


class Parted(Model):
    """Two leads that were one."""

    rest: Lead = Field(description="the lead that the other one was part of")
    member: Lead = Field(description="the lead that was taken out")


def merge_leads(call: Call, body: MergeBody) -> Lead:
    """Make leads one; the oldest stays, and the ids of the others lead to it."""
    lead = call.lead()
    for lead_id in body.lead_ids:
        _may_know(call, lead_id)
    ids = [lead.lead_id, *body.lead_ids]
    return merge(call.hub, ids, call.actor, body.reason, anyway=body.anyway)


def unmerge_lead(call: Call, body: UnmergeBody) -> Parted:
    """Take a lead out of this one again; what came since goes where it belongs."""
    lead = call.lead()
    if body.lead_id not in lead.members:
        # It may be one that was taken out before, and has gone to somebody else.
        _may_know(call, body.lead_id)
    rest, member = unmerge(call.hub, lead.lead_id, body.lead_id, call.actor, body.reason)
    return Parted(rest=rest, member=member)


def keep_leads_apart(call: Call, body: ApartBody) -> Lead:
    """Say that two leads are never to be merged, or take that back."""
    lead = call.lead()
    _may_know(call, body.lead_id)
    mark = lift if body.lift else keep_apart
    mark(call.hub, lead.lead_id, body.lead_id, call.actor, body.reason)
    return find_lead(call.hub, lead.lead_id)


def _may_know(call: Call, lead_id: str) -> None:
    """Refuse a lead that the caller may not know of.

    Raises:
        NotFound: there is none, or it is somebody else's; which is not said.
    """
    lead = find_lead(call.hub, lead_id)
    owner_id = lead.assignment.owner_id if lead.assignment else ""
    if call.only_owner and owner_id != call.only_owner:
        raise NotFound(f"lead {lead_id}")
