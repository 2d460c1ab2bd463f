"""/v1/duplicates: leads that may be one person; list, merge, apart."""

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Call
from chalicelib.api.pages import NEXT, Line, PageQuery
from chalicelib.errors import NotFound
from chalicelib.flow.details import find_lead
from chalicelib.flow.duplicates import Duplicate, decide, duplicates_of, list_duplicates
from chalicelib.lead.matching.weights import probability_of
from chalicelib.lead.model import Lead, Model


class Proposed(Model):
    """Another lead that may be the same person."""

    lead_id: str
    probability: float = Field(description="0 to 1")
    because: str
    proposed_at: AwareDatetime


class Pair(Model):
    """Two leads that may be one person, as they stand."""

    leads: tuple[Lead, Lead]
    probability: float = Field(description="0 to 1")
    because: str
    proposed_at: AwareDatetime


class PairList(Model):
    """A page of what is to be decided, newest first."""

    duplicates: tuple[Pair, ...]
    next: str = Field(description=NEXT)


class DecideBody(Model):
    """Why it is so."""

    reason: Line = Field(default="", max_length=500, description="for the timeline")


def list_them(call: Call, query: PageQuery) -> PairList:
    """List pairs of leads that may be one person; for a rep, those that are both theirs."""
    page = list_duplicates(call.hub, query.limit, call.after(query, query.cursor))
    pairs = [
        Pair(
            leads=(one.one, one.other),
            probability=probability_of(one.proposal.bits),
            because=one.proposal.because,
            proposed_at=one.proposal.proposed_at,
        )
        for one in page.found
        if _is_theirs(call, one.one) and _is_theirs(call, one.other)
    ]
    return PairList(duplicates=tuple(pairs), next=call.cursor(query, page.after))


def merge_them(call: Call, body: DecideBody) -> Lead:
    """Say that two leads that were proposed are one person; again changes nothing."""
    one, other = _both(call)
    return decide(call.hub, one, other, "merged", call.actor, body.reason)


def keep_apart(call: Call, body: DecideBody) -> Lead:
    """Say that two leads that were proposed are two people for good; again changes nothing."""
    one, other = _both(call)
    return decide(call.hub, one, other, "apart", call.actor, body.reason)


def proposed_for(call: Call, lead: Lead) -> tuple[Proposed, ...]:
    """Give the open proposals of a lead, as far as the caller may know of the others."""
    return tuple(
        _proposed(one, one.other_than(lead))
        for one in duplicates_of(call.hub, lead)
        if _is_theirs(call, one.other_than(lead))
    )


def _proposed(one: Duplicate, other: Lead) -> Proposed:
    return Proposed(
        lead_id=other.lead_id,
        probability=probability_of(one.proposal.bits),
        because=one.proposal.because,
        proposed_at=one.proposal.proposed_at,
    )


def _both(call: Call) -> tuple[str, str]:
    """Give the two ids of the path.

    Raises:
        NotFound: one is not there, or is somebody else's; which is not said.
    """
    call.lead()
    other_id = call.path["other_id"]
    if not _is_theirs(call, find_lead(call.hub, other_id)):
        raise NotFound(f"lead {other_id}")
    return call.path["lead_id"], other_id


def _is_theirs(call: Call, lead: Lead) -> bool:
    owner_id = lead.assignment.owner_id if lead.assignment else ""
    return call.only_owner in ("", owner_id)
