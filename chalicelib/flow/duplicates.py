"""Leads that may be one person, as a person sees and decides them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.details import find_lead
from chalicelib.flow.leads import live_leads_by_id
from chalicelib.flow.merge import keep_apart, merge
from chalicelib.flow.proposals import (
    Proposal,
    State,
    find_proposal,
    pair_of,
    proposal_items,
    proposal_of,
    proposal_writes,
    proposals_list,
    proposals_of,
)
from chalicelib.hub import Hub
from chalicelib.lead.merging import may_merge
from chalicelib.lead.model import Lead
from chalicelib.storage import ATTEMPTS, Holds, Key, Put

AT_ONCE = 50


@dataclass(frozen=True)
class Duplicate:
    """An open proposal, and both leads as they stand."""

    proposal: Proposal
    one: Lead
    other: Lead

    def other_than(self, lead: Lead) -> Lead:
        """Give the one that is not this lead."""
        return self.other if self.one.lead_id == lead.lead_id else self.one


@dataclass(frozen=True)
class DuplicatePage:
    """A page of what is to be decided.

    Attributes:
        after: where the next page starts; empty at the end. A page may be short, or empty, and
            still not be the last.
    """

    found: tuple[Duplicate, ...]
    after: str = ""


def list_duplicates(hub: Hub, limit: int = AT_ONCE, after: str = "") -> DuplicatePage:
    """List what is to be decided, newest first, with the leads as they stand.

    A proposal whose leads have become one, were kept apart or erased is settled on the way; one
    whose lead was merged into another goes on between those that there are now.
    """
    page = hub.table.query_index(
        "list",
        proposals_list("open"),
        up_to=after or None,
        newest_first=True,
        limit=limit + 1,
    )
    items = [item for item in page.items if item["list_sk"] != after][:limit]
    has_more = len(page.items) > limit or page.next is not None
    keys = [Key(item["pk"], item["sk"]) for item in items]
    stored = hub.table.get_many(keys) if keys else {}
    # The list may be late, so each is asked itself.
    proposals = [proposal_of(stored[key]) for key in keys if key in stored]
    found = tuple(_live(hub, [one for one in proposals if one.state == "open"]))
    return DuplicatePage(found, str(items[-1]["list_sk"]) if items and has_more else "")


def every_duplicate(hub: Hub) -> Iterator[Duplicate]:
    """Give all that is to be decided, newest first."""
    after = ""
    while True:
        page = list_duplicates(hub, AT_ONCE, after)
        yield from page.found
        after = page.after
        if not after:
            return


def duplicates_of(hub: Hub, lead: Lead) -> list[Duplicate]:
    """Give what is to be decided about a lead, oldest first; changes nothing."""
    proposals = [one for one in proposals_of(hub, lead) if one.state == "open"]
    leads = _leads(hub, proposals)
    found: dict[tuple[str, str], Duplicate] = {}
    for proposal in proposals:
        one, other = (leads.get(lead_id) for lead_id in proposal.lead_ids)
        if one and other and one.lead_id != other.lead_id and may_merge(one, other):
            pair = pair_of(one.lead_id, other.lead_id)
            found.setdefault(pair, Duplicate(proposal, one, other))
    return list(found.values())


def decide(
    hub: Hub,
    one_id: str,
    other_id: str,
    verdict: Literal["merged", "apart"],
    actor: str,
    reason: str = "",
) -> Lead:
    """Say of two leads that were proposed that they are one person, or never are.

    The same again is no error. What is decided stands on the leads before it stands on the
    proposal; whoever ends in between is caught up with when the list is read.

    Returns:
        The lead that both are now; the first of them if they are kept apart.

    Raises:
        NotFound: there is no such lead, or nobody proposed these two.
        Conflict: the opposite was decided before, or others kept writing to them.
    """
    one, other = find_lead(hub, one_id), find_lead(hub, other_id)
    proposals = _proposed(hub, one, other, (one_id, other_id))
    if not proposals:
        raise NotFound(f"a proposal that {one_id} and {other_id} are one person")
    if verdict == "merged":
        # Two that are one already stay so.
        is_one = one.lead_id == other.lead_id
        lead = one if is_one else merge(hub, [one.lead_id, other.lead_id], actor, reason)
    else:
        keep_apart(hub, one.lead_id, other.lead_id, actor, reason)
        lead = find_lead(hub, one.lead_id)
    for proposal in proposals:
        if proposal.state == "open":
            _settle(hub, proposal, verdict, actor)
    return lead


def decided(hub: Hub, verdict: Literal["merged", "apart"]) -> Iterator[Proposal]:
    """Give the proposals that a person decided so, newest first."""
    start: Mapping[str, str] | None = None
    while True:
        page = hub.table.query_index(
            "list", proposals_list(verdict), newest_first=True, limit=AT_ONCE, start=start
        )
        keys = [Key(item["pk"], item["sk"]) for item in page.items]
        stored = hub.table.get_many(keys) if keys else {}
        for key in keys:
            proposal = proposal_of(stored[key]) if key in stored else None
            if proposal and proposal.state == verdict and proposal.decided_by:
                yield proposal
        start = page.next
        if start is None:
            return


def _proposed(hub: Hub, one: Lead, other: Lead, named: tuple[str, str]) -> list[Proposal]:
    """Find the proposals of two leads, under the ids that they had when they were proposed."""
    ours, theirs = {one.lead_id, *one.members}, {other.lead_id, *other.members}
    found = [
        proposal
        for proposal in proposals_of(hub, one)
        if len({*proposal.lead_ids} & ours) and len({*proposal.lead_ids} & theirs)
    ]
    if one.lead_id != other.lead_id:
        return found
    # They are one: only the very two that were named say what was proposed.
    exact = find_proposal(hub, *named)
    return [exact] if exact else []


def _live(hub: Hub, proposals: Sequence[Proposal]) -> Iterator[Duplicate]:
    leads = _leads(hub, proposals)
    for proposal in proposals:
        one, other = (leads.get(lead_id) for lead_id in proposal.lead_ids)
        if one is None or other is None:
            # Somebody is being erased, and this goes with them.
            continue
        if one.lead_id == other.lead_id:
            _settle(hub, proposal, "merged")
        elif not may_merge(one, other):
            _settle(hub, proposal, "apart")
        elif pair_of(one.lead_id, other.lead_id) == proposal.lead_ids:
            yield Duplicate(proposal, one, other)
        elif moved := _follow(hub, proposal, pair_of(one.lead_id, other.lead_id)):
            one, other = sorted((one, other), key=lambda lead: lead.lead_id)
            yield Duplicate(moved, one, other)


def _leads(hub: Hub, proposals: Sequence[Proposal]) -> dict[str, Lead]:
    named = [lead_id for proposal in proposals for lead_id in proposal.lead_ids]
    return live_leads_by_id(hub.table, named)


def _follow(hub: Hub, proposal: Proposal, pair: tuple[str, str]) -> Proposal | None:
    """Go on with a proposal between the leads that there are now; None if one is there already."""
    known = find_proposal(hub, *pair)
    if known and known.state == "open":
        _settle(hub, proposal, "closed")
        return None
    version = known.version + 1 if known else 1
    update = {"lead_ids": pair, "version": version, "compared": {}}
    moved = proposal.model_copy(update=update)
    closed = proposal.model_copy(update={"compared": {}}).settled("closed", hub.clock())
    try:
        hub.table.write(proposal_writes([closed, moved], f"follow:{hub.new_id()}"))
    except Conflict:
        # Somebody else did the same, or decided.
        return None
    return moved


def _settle(hub: Hub, proposal: Proposal, state: State, by: str = "") -> None:
    """Take a proposal from the open ones; whoever was first has said what became of it."""
    writer = f"settle:{hub.new_id()}"
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        settled = proposal.settled(state, hub.clock(), by)
        writes = [
            Put(f"closed proposal {number}", item, Holds("version", proposal.version))
            for number, item in enumerate(proposal_items(settled, writer))
        ]
        try:
            hub.table.write(writes)
        except Conflict:
            stored = find_proposal(hub, *proposal.lead_ids)
            if stored is None or stored.state != "open":
                return
            proposal = stored
            continue
        return
