"""Why a lead is what it is and where: its decisions, read back in words."""

from collections.abc import Iterator, Sequence

from pydantic import AwareDatetime, Field

from chalicelib.config.model import Config
from chalicelib.errors import Misconfigured
from chalicelib.hub import Hub
from chalicelib.lead.edits import edits_in_force
from chalicelib.lead.model import Decision, Edit, Lead, Model, Score, Verdict
from chalicelib.lead.rotation import LEAD
from chalicelib.records import Event, TouchRecord, event_of, lead_key, touch_record_of

JOINING = ("merged", "unmerged", "kept_apart", "let_together")
"""Events that say which leads are one person."""


class WhyMatch(Model):
    """Why a touch belongs to this lead."""

    at: AwareDatetime
    source_id: str
    touch_id: str
    because: str
    candidates: tuple[Verdict, ...] = Field(default=(), description="leads that came into question")


class WhyRule(Model):
    """Which routing rule fitted, and which did not."""

    rule_id: str
    title: str = ""
    decided_at: AwareDatetime
    because: str
    verdicts: tuple[Verdict, ...] = Field(description="every rule that was looked at, in order")


class WhyOwner(Model):
    """One decision on the owner: everybody who was looked at, and whose turn it was."""

    decided_at: AwareDatetime
    kind: str = Field(description="assigned, returned or unowned")
    owner_id: str
    owner_name: str
    pool_id: str
    because: str
    candidates: tuple[Verdict, ...] = Field(description="with each one's verdict and balance")
    config_hash: str
    code: str


class WhyMerge(Model):
    """That leads were made one, taken apart, or kept apart, and who says why."""

    at: AwareDatetime
    kind: str = Field(description="one of JOINING")
    actor: str
    because: str


class Why(Model):
    """The whole explanation of a lead."""

    lead_id: str
    summary: str
    matches: tuple[WhyMatch, ...]
    score: Score
    rule: WhyRule | None
    owners: tuple[WhyOwner, ...] = Field(description="newest first")
    edits: tuple[Edit, ...] = Field(default=(), description="what is set by hand, by field")
    merges: tuple[WhyMerge, ...] = Field(
        default=(), description="with whom it was made one, taken apart or kept apart; oldest first"
    )
    lines: tuple[str, ...] = Field(description="all of it in words, for people")


def why(hub: Hub, lead: Lead) -> Why:
    """Explain a lead from the decisions that were stored when they were made."""
    records: list[TouchRecord] = []
    events: list[Event] = []
    for lead_id in (lead.lead_id, *lead.members):
        for item in hub.table.query(lead_key(lead_id)[0]):
            if item["kind"] == "touch":
                records.append(touch_record_of(item))
            elif item["kind"] == "event":
                events.append(event_of(item))
    try:
        config = hub.configurations.current().config
    except Misconfigured:
        config = Config()
    return explain(lead, records, events, config)


def explain(
    lead: Lead, records: Sequence[TouchRecord], events: Sequence[Event], config: Config
) -> Why:
    """Put stored decisions into words.

    Args:
        lead: as it stands.
        records: its touches with the decisions made on them.
        events: of its timeline.
        config: for the names of owners and rules only.
    """
    ordered = sorted(records, key=lambda record: (record.touch.received_at, record.touch.touch_id))
    matches = tuple(_match(record, d) for record in ordered for d in _of_kind(record, "match"))
    rules = [d for record in ordered for d in _of_kind(record, "rule")]
    # When leads are taken apart, rules are picked anew for what came in between.
    rules += [d for event in events for d in event.decisions if d.kind == "rule"]
    rule = _rule(max(rules, key=lambda d: d.decided_at), config) if rules else None
    newest_first = sorted(events, key=lambda event: event.at, reverse=True)
    owners = tuple(
        _owner(event, decision, config)
        for event in newest_first
        for decision in event.decisions
        if decision.kind == "route"
    )
    summary = _summary(lead, config)
    by_hand = edits_in_force(lead.edits)
    edits = tuple(by_hand[name] for name in sorted(by_hand))
    merges = tuple(_merge(event) for event in reversed(newest_first) if event.kind in JOINING)
    lines = [summary, *_lines(lead, matches, rule, owners, config), *_edit_lines(edits, events)]
    lines += [f"{one.at:%Y-%m-%d}, {one.actor}: {one.because}." for one in merges]
    return Why(
        lead_id=lead.lead_id,
        summary=summary,
        matches=matches,
        score=lead.score,
        rule=rule,
        owners=owners,
        edits=edits,
        merges=merges,
        lines=tuple(lines),
    )


def _of_kind(record: TouchRecord, kind: str) -> list[Decision]:
    return [decision for decision in record.decisions if decision.kind == kind]


def _match(record: TouchRecord, decision: Decision) -> WhyMatch:
    return WhyMatch(
        at=decision.decided_at,
        source_id=record.touch.source_id,
        touch_id=record.touch.touch_id,
        because=decision.because,
        candidates=decision.candidates,
    )


def _rule(decision: Decision, config: Config) -> WhyRule:
    titles = {rule.id: rule.title for rule in config.routing}
    return WhyRule(
        rule_id=decision.result,
        title=titles.get(decision.result, ""),
        decided_at=decision.decided_at,
        because=decision.because,
        verdicts=decision.candidates,
    )


def _merge(event: Event) -> WhyMerge:
    return WhyMerge(at=event.at, kind=event.kind, actor=event.actor, because=event.text)


def _owner(event: Event, decision: Decision, config: Config) -> WhyOwner:
    return WhyOwner(
        decided_at=decision.decided_at,
        kind=event.kind,
        owner_id=decision.result,
        owner_name=_name(decision.result, config),
        pool_id=str(decision.inputs.get("pool", "")),
        because=decision.because,
        candidates=decision.candidates,
        config_hash=decision.config_hash,
        code=decision.code,
    )


def _name(owner_id: str, config: Config) -> str:
    return config.owners[owner_id].name if owner_id in config.owners else owner_id


def _summary(lead: Lead, config: Config) -> str:
    score = f"scores {lead.score.total}"
    if lead.assignment:
        owner = _name(lead.assignment.owner_id, config)
        taken = ", who accepted it" if lead.assignment.accepted_at else ""
        return f"This lead {score} and belongs to {owner}{taken}."
    if lead.is_unowned:
        return f"This lead {score} and waits for an owner: nobody could take it."
    if lead.awaits:
        return f"This lead {score} and is being given an owner."
    reason = f" ({lead.status_reason})" if lead.status_reason else ""
    return f"This lead {score}, has no owner and is {lead.status}{reason}."


def _lines(
    lead: Lead,
    matches: Sequence[WhyMatch],
    rule: WhyRule | None,
    owners: Sequence[WhyOwner],
    config: Config,
) -> Iterator[str]:
    for match in matches:
        yield f"What came by {match.source_id} is here because {match.because}."
    score = lead.score
    yield f"Score {score.total} = fit {score.fit} + engagement {score.engagement}:"
    for term in score.terms:
        yield f"  {term.points:+d} {term.part}, {term.rule_id}: {term.because}"
    if not score.terms:
        yield "  no scoring rule fits"
    if rule:
        yield f"Routing rule: {rule.because}."
        for verdict in rule.verdicts:
            sign = "fits" if verdict.is_eligible else "does not fit"
            yield f"  {verdict.candidate} {sign}: {verdict.because}"
    for owner in owners:
        yield f"{_owner_line(owner)}: {owner.because}."
        # Who is in the pool and in its fallback was looked at twice.
        yield from dict.fromkeys(
            f"  {_name(verdict.candidate, config)}: {verdict.because}{_owed(verdict)}"
            for verdict in owner.candidates
        )


def _edit_lines(edits: Sequence[Edit], events: Sequence[Event]) -> Iterator[str]:
    """Name the fields that are by hand, for nothing that comes changes those."""
    names: dict[str, list[str]] = {}
    for edit in edits:
        names.setdefault(edit.event_id, []).append(edit.field)
    for event in sorted(events, key=lambda event: event.at):
        if event.event_id in names:
            fields = ", ".join(names[event.event_id])
            yield f"Set by hand by {event.actor} on {event.at:%Y-%m-%d}: {fields}."


def _owner_line(owner: WhyOwner) -> str:
    pool = f" of pool {owner.pool_id}" if owner.pool_id else ""
    match owner.kind:
        case "unowned":
            return f"No owner{pool}"
        case "returned":
            return f"Stays with {owner.owner_name}"
    return f"Given to {owner.owner_name}{pool}"


def _owed(verdict: Verdict) -> str:
    """Add the balance where the verdict does not tell it already."""
    if not verdict.balance or "lead" in verdict.because:
        return ""
    side = "owed" if verdict.balance > 0 else "ahead by"
    return f" ({side} {abs(verdict.balance) / LEAD:.2f} leads)"
