"""Why a lead is what it is and where: its decisions, read back in words."""

from collections.abc import Iterator, Sequence

from pydantic import AwareDatetime, Field

from chalicelib.config.model import Config
from chalicelib.errors import Misconfigured
from chalicelib.flow.why_stage import (
    WhyStage,
    WhyTriage,
    explain_stages,
    explain_triage,
    stage_lines,
    triage_lines,
)
from chalicelib.hub import Hub
from chalicelib.lead.edits import edits_in_force
from chalicelib.lead.model import Decision, Edit, Lead, Model, Reading, Score, Touch, Verdict
from chalicelib.lead.rotation import LEAD
from chalicelib.lead.scoring import sum_in_words
from chalicelib.records import Event, TouchRecord, event_of, lead_key, touch_record_of

JOINING = ("merged", "unmerged", "kept_apart", "let_together")
"""Events that say which leads are one person."""


CLOCK = ("escalated", "taken_back", "touched", "planned")
"""Events of the clock: steps that it took, and what owners said they did."""

AWAITED = {
    "accept": "that the owner accepts it",
    "touch": "that the owner contacts the person",
    "step": "the next step",
}


class WhyMatch(Model):
    """Why a touch belongs to this lead."""

    at: AwareDatetime
    source_id: str
    touch_id: str
    because: str
    candidates: tuple[Verdict, ...] = Field(default=(), description="leads that came into question")


class WhyMessage(Model):
    """How the message of a touch was understood, and by which of its words."""

    at: AwareDatetime
    source_id: str
    touch_id: str
    reading: Reading
    lines: tuple[str, ...] = Field(description="in words, with the points of what told it")


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
    messages: tuple[WhyMessage, ...] = Field(default=(), description="as they were understood")
    score: Score
    triage: WhyTriage | None = Field(default=None, description="of the latest enquiry")
    stages: tuple[WhyStage, ...] = Field(default=(), description="its moves, oldest first")
    rule: WhyRule | None
    owners: tuple[WhyOwner, ...] = Field(description="newest first")
    edits: tuple[Edit, ...] = Field(default=(), description="what is set by hand, by field")
    merges: tuple[WhyMerge, ...] = Field(
        default=(), description="with whom it was made one, taken apart or kept apart; oldest first"
    )
    steps: tuple[WhyMerge, ...] = Field(
        default=(), description="what the clock did, and what owners said they did; oldest first"
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
        config: for the names of owners and rules, and the words by which messages are read.
    """
    ordered = sorted(records, key=lambda record: (record.touch.received_at, record.touch.touch_id))
    matches = tuple(_match(record, d) for record in ordered for d in _of_kind(record, "match"))
    messages = tuple(filter(None, (_message(record.touch, config) for record in ordered)))
    rules = [d for record in ordered for d in _of_kind(record, "rule")]
    # When leads are taken apart, rules are picked anew for what came in between.
    rules += [d for event in events for d in event.decisions if d.kind == "rule"]
    rule = _rule(max(rules, key=lambda d: d.decided_at), config) if rules else None
    decided = [d for record in ordered for d in record.decisions]
    decided += [d for event in events for d in event.decisions]
    triage, stages = explain_triage(lead, decided, config), explain_stages(decided, events)
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
    lines = [summary, *_lines(lead, matches, messages, rule, owners, config)]
    lines += [*triage_lines(triage, lead), *stage_lines(stages)]
    lines += _edit_lines(edits, events)
    lines += [f"{one.at:%Y-%m-%d}, {one.actor}: {one.because}." for one in merges]
    steps = tuple(_merge(event) for event in reversed(newest_first) if event.kind in CLOCK)
    lines += [f"{one.at:%Y-%m-%d %H:%M} UTC, {one.actor}: {one.because}." for one in steps]
    lines += _awaited(lead)
    return Why(
        lead_id=lead.lead_id,
        summary=summary,
        matches=matches,
        messages=messages,
        score=lead.score,
        triage=triage,
        stages=tuple(stages),
        rule=rule,
        owners=owners,
        edits=edits,
        merges=merges,
        steps=steps,
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


def _message(touch: Touch, config: Config) -> WhyMessage | None:
    if touch.reading is None or "message" not in touch.contact:
        return None
    from chalicelib.lead.intent.reading import explain_reading  # not needed without a message

    return WhyMessage(
        at=touch.submitted_at,
        source_id=touch.source_id,
        touch_id=touch.touch_id,
        reading=touch.reading,
        lines=tuple(explain_reading(touch, config.intent)),
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


def _awaited(lead: Lead) -> Iterator[str]:
    """Say what the owner is awaited to do."""
    if lead.assignment is None or not lead.is_open:
        return
    for promise in lead.assignment.clock:
        if not promise.kept_at:
            yield f"Awaited: {AWAITED[promise.kind]} by {promise.due_at:%Y-%m-%d %H:%M} UTC."


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
    messages: Sequence[WhyMessage],
    rule: WhyRule | None,
    owners: Sequence[WhyOwner],
    config: Config,
) -> Iterator[str]:
    for match in matches:
        yield f"What came by {match.source_id} is here because {match.because}."
        for message in messages:
            if message.touch_id == match.touch_id:
                yield from message.lines
    score = lead.score
    grade = f", grade {score.grade}" if score.grade else ""
    yield f"Score {score.total} = {sum_in_words(score)}{grade}:"
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
