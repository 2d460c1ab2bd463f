"""Why not me: what kept an owner from a lead, or whose turn it was instead."""

from collections.abc import Sequence

from pydantic import AwareDatetime, Field

from chalicelib.config.model import Config
from chalicelib.errors import NotFound
from chalicelib.hub import Hub
from chalicelib.lead.model import Decision, Lead, Model
from chalicelib.records import Event, event_of, lead_key


class NotThen(Model):
    """One decision on the owner of a lead, as it looks from somebody who was not chosen."""

    decided_at: AwareDatetime
    went_to: str = Field(description="owner id; empty when nobody got it")
    pool_id: str = ""
    gate: str = Field(
        description="what decided: chosen, turn, strategy, eligibility, pool, company, returned"
    )
    because: str


class WhyNot(Model):
    """Why an owner has not got a lead."""

    lead_id: str
    owner_id: str
    has_it: bool
    decisions: tuple[NotThen, ...] = Field(description="newest first")
    lines: tuple[str, ...] = Field(description="all of it in words")


def why_not(hub: Hub, lead: Lead, owner_id: str) -> WhyNot:
    """Explain to an owner why a lead is not theirs, from the decisions as they were stored.

    Raises:
        NotFound: no such owner, neither now nor in any of the decisions.
    """
    events = [
        event_of(item)
        for lead_id in (lead.lead_id, *lead.members)
        for item in hub.table.query(lead_key(lead_id)[0], "EVENT#")
    ]
    return explain(lead, events, hub.configurations.current().config, owner_id)


def explain(lead: Lead, events: Sequence[Event], config: Config, owner_id: str) -> WhyNot:
    """Put the decisions on a lead's owner into words for one owner.

    Raises:
        NotFound: see why_not.
    """
    decisions = sorted(
        ((event, d) for event in events for d in event.decisions if d.kind == "route"),
        key=lambda one: one[1].decided_at,
        reverse=True,
    )
    known = {verdict.candidate for _, d in decisions for verdict in d.candidates}
    if owner_id not in config.owners and owner_id not in known:
        raise NotFound(f"owner {owner_id}")
    told = tuple(_not_then(event, decision, owner_id, config) for event, decision in decisions)
    has_it = lead.assignment is not None and lead.assignment.owner_id == owner_id
    return WhyNot(
        lead_id=lead.lead_id,
        owner_id=owner_id,
        has_it=has_it,
        decisions=told,
        lines=tuple(_lines(told, config, owner_id, has_it=has_it)),
    )


def _not_then(event: Event, decision: Decision, owner_id: str, config: Config) -> NotThen:
    gate, because = _gate(event, decision, owner_id, config)
    return NotThen(
        decided_at=decision.decided_at,
        went_to=decision.result,
        pool_id=str(decision.inputs.get("pool", "")),
        gate=gate,
        because=because,
    )


def _gate(event: Event, decision: Decision, owner_id: str, config: Config) -> tuple[str, str]:
    """Name what decided about an owner, and say it."""
    if decision.result == owner_id:
        return "chosen", decision.because
    if event.kind == "returned":
        return "returned", decision.because
    if decision.inputs.get("beside"):
        return "company", decision.because
    # Who is in the pool and in its fallback was looked at twice; the last look counts.
    verdicts = {verdict.candidate: verdict for verdict in decision.candidates}
    verdict = verdicts.get(owner_id)
    if verdict is None:
        pool = str(decision.inputs.get("pool", ""))
        asked = f"pool {pool}" if pool else "any pool that was asked"
        return "pool", f"{_name(owner_id, config)} was not in {asked}"
    if verdict.is_eligible:
        return "turn", f"{verdict.because}; {decision.because}"
    if owner_id in decision.inputs.get("able", ()):
        return "strategy", verdict.because
    return "eligibility", verdict.because


def _lines(told: Sequence[NotThen], config: Config, owner_id: str, *, has_it: bool) -> list[str]:
    name = _name(owner_id, config)
    if has_it:
        lines = [f"{name} has this lead."]
    elif told:
        lines = [f"{name} has not this lead."]
    else:
        lines = ["Nobody has been chosen for this lead yet."]
    for one in told:
        went = f"went to {_name(one.went_to, config)}" if one.went_to else "found no owner"
        lines.append(f"{one.decided_at:%Y-%m-%d %H:%M} UTC it {went}. {_said(one, name)}")
    return lines


def _said(one: NotThen, name: str) -> str:
    match one.gate:
        case "chosen":
            return f"That is {name}: {one.because}."
        case "turn":
            return f"{name} could take it, and it was another's turn: {one.because}."
        case "strategy":
            return f"{name} could take it, and the pool chose among others: {one.because}."
        case "eligibility":
            return f"{name} could not take it: {one.because}."
        case "company":
            return f"It was given out of turn: {one.because}."
        case "pool":
            return f"{one.because}."
    return f"Nobody was asked: {one.because}."


def _name(owner_id: str, config: Config) -> str:
    return config.owners[owner_id].name if owner_id in config.owners else owner_id
