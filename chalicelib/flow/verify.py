"""Make stored decisions again from what is stored, and name those that come out differently."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.config.model import Config
from chalicelib.errors import NotFound
from chalicelib.flow.leads import Stored, stored_leads
from chalicelib.hub import Hub
from chalicelib.lead.choosing.turn import route_problem
from chalicelib.lead.edits import join_edits
from chalicelib.lead.folding import fold
from chalicelib.lead.matching.decide import weigh
from chalicelib.lead.matching.record import Record, record_of
from chalicelib.lead.merging import family_of
from chalicelib.lead.model import Decision, Edit, Lead, Reading, Score, Touch
from chalicelib.lead.qualifying import asked_then, find_stage, made_then, triage
from chalicelib.lead.routing import repick_rule
from chalicelib.lead.scoring import score
from chalicelib.records import (
    Event,
    event_of,
    lead_key,
    touch_record_of,
    version_key,
    version_of,
)

CHECKED = ("match", "score", "triage", "stage", "rule", "route", "escalation")
"""Kinds of decision that are made again."""


@dataclass(frozen=True)
class Finding:
    """One decision, made again.

    Attributes:
        problem: in words; empty when it came out the same.
    """

    lead_id: str
    kind: str
    decided_at: str
    problem: str


def verify(hub: Hub, lead_id: str) -> list[Finding]:
    """Make every match, score, rule and routing decision about a lead again, oldest first.

    Raises:
        NotFound: no such lead.
    """
    found = stored_leads(hub, [lead_id])
    if not found:
        raise NotFound(f"lead {lead_id}")
    (stored,) = found
    configs, events = published(hub), _events(hub, stored.lead)
    were_one = _were_one(hub, stored.lead, events)
    known = replace(stored, touches=(*stored.touches, *(o for w in were_one for o in w.touches)))
    told = [*events, *(event for one in were_one for event in _events(hub, one.lead))]
    return [
        Finding(
            stored.lead.lead_id,
            decision.kind,
            decision.decided_at.isoformat(timespec="milliseconds"),
            _match_problem(hub, known, decision, told)
            if decision.kind == "match"
            else _problem(known, decision, configs, told),
        )
        for decision in sorted(_decisions(stored, events), key=lambda one: one.decided_at)
        if decision.kind in CHECKED
    ] + [
        finding
        for old in stored.touches
        for finding in _readings(stored.lead.lead_id, old.record.touch, configs)
    ]


def _readings(lead_id: str, touch: Touch, configs: Mapping[str, Config]) -> Iterator[Finding]:
    """Read a message again, if that was by words that the hub still has and not by a model."""
    reading = touch.reading
    if reading is None or reading.by:
        return
    from chalicelib.lead.intent.reading import read_touch, stamp_of  # most leads have no message

    settings = (config.intent for config in configs.values())
    known = next((one for one in settings if stamp_of(one) == reading.data), None)
    if known is None:
        return
    again = read_touch(touch, known)
    problem = "" if again == reading else f"{_told(reading)} then, {_told(again)} now"
    at = touch.received_at.isoformat(timespec="milliseconds")
    yield Finding(lead_id, "intent", at, problem)


def _told(reading: Reading | None) -> str:
    return f"{reading.intent} {reading.urgency}".strip() if reading else "nothing"


def _were_one(hub: Hub, lead: Lead, events: Sequence[Event]) -> list[Stored]:
    """Read the leads that were one with this for a while; what was decided then counted both."""
    others = {
        other for event in events if event.kind == "unmerged" for other in event.before
    } - family_of([lead])
    return [one for one in stored_leads(hub, others) if one.lead.lead_id != lead.lead_id]


def published(hub: Hub) -> dict[str, Config]:
    """Give every published configuration by its hash."""
    active = hub.configurations.current().active
    items = hub.table.get_many([version_key(number) for number in range(1, active.number + 1)])
    versions = [version_of(item) for item in items.values()]
    return {v.hash: Config.model_validate_json(v.document) for v in versions}


def _events(hub: Hub, lead: Lead) -> list[Event]:
    return [
        event_of(item)
        for lead_id in (lead.lead_id, *lead.members)
        for item in hub.table.query(lead_key(lead_id)[0], "EVENT#")
    ]


def _decisions(stored: Stored, events: Sequence[Event]) -> Iterator[Decision]:
    for touch in stored.touches:
        yield from touch.record.decisions
    for event in events:
        yield from event.decisions


def _problem(
    stored: Stored, decision: Decision, configs: Mapping[str, Config], events: Sequence[Event]
) -> str:
    config = configs.get(decision.config_hash)
    if config is None:
        return "its configuration is not among the published ones"
    match decision.kind:
        case "score":
            again = _score_again(stored, decision, config, events)
            return _score_problem(decision, again)
        case "triage" | "stage":
            decide = triage if decision.kind == "triage" else find_stage
            _, made = decide(asked_then(decision), config, made_then(decision))
            result = made.result
        case "rule":
            rule, _ = repick_rule(decision, config)
            result = rule.id if rule else ""
        case "escalation":
            from chalicelib.lead.sla import fire_again  # most hubs do without

            result = fire_again(decision, config)
        case _:
            return route_problem(decision, config)
    return "" if result == decision.result else f"{decision.result!r} then, {result!r} now"


def _score_problem(decision: Decision, again: Score) -> str:
    """Say what of a score came out differently: the total, a part or the grade."""
    inputs = decision.inputs
    then = decision.result, inputs.get("parts", {}), inputs.get("grade", "")
    now = str(again.total), dict(again.parts), again.grade
    differing = ((one, other) for one, other in zip(then, now, strict=True) if one != other)
    return next((f"{one!r} then, {other!r} now" for one, other in differing), "")


def _match_problem(hub: Hub, stored: Stored, decision: Decision, events: Sequence[Event]) -> str:
    """Weigh what a submission was compared with again; what is gone since cannot be."""
    weights = hub.configurations.learnt_weights(decision.inputs["weights"])
    leads = decision.inputs.get("leads", 0)
    then = _as_read_at(decision.decided_at, events)
    own = {old.record.touch.touch_id: old.record.touch for old in stored.touches}
    touch = then.get(decision.inputs["touch_id"]) or own.get(decision.inputs["touch_id"])
    for one in decision.inputs["compared"]:
        others = [_record_then(hub, own, then, *named) for named in one["touches"]]
        known = [other for other in others if other]
        if touch is None or len(known) < len(others):
            continue
        owner_of = {other.lead_id: one["lead"] for other in known}
        (again,) = weigh(record_of(touch, ""), known, owner_of, weights, leads)
        if (round(again.bits, 2), again.guard) != (one["bits"], one["guard"]):
            return f"{one['bits']} bits {one['guard']} then, {again.bits:.2f} {again.guard} now"
    return ""


def _record_then(
    hub: Hub, own: Mapping[str, Touch], then: Mapping[str, Touch], lead_id: str, touch_id: str
) -> Record | None:
    """Give what a touch said at a time; None when it is not there any more, or was an edit."""
    touch = then.get(touch_id) or own.get(touch_id)
    if touch is None:
        items = hub.table.query(lead_key(lead_id)[0], "TOUCH#")
        found = [record.touch for record in map(touch_record_of, items)]
        touch = next((one for one in found if one.touch_id == touch_id), None)
    return record_of(touch, lead_id) if touch else None


def _score_again(
    stored: Stored, decision: Decision, config: Config, events: Sequence[Event]
) -> Score:
    """Score the touches and edits that counted then, as they read then, as the lead stood then."""
    counted = set(decision.inputs["touches"])
    now = decision.decided_at
    as_read_then = _as_read_at(now, events)
    touches = [
        as_read_then.get(old.record.touch.touch_id, old.record.touch).model_copy(
            update={"void": ""}
        )
        for old in stored.touches
        if old.record.touch.touch_id in counted
    ]
    empty = Lead.model_validate(
        {
            **decision.inputs["before"],
            "lead_id": decision.inputs["lead_id"],
            "version": 0,
            "created_at": now,
            "updated_at": now,
            "edits": _edits_then(decision, events),
        }
    )
    return score(fold(empty, touches, now, config.merging), touches, config.scoring, now)


def _edits_then(decision: Decision, events: Sequence[Event]) -> tuple[Edit, ...]:
    """Give what was said by hand and counted then."""
    known = set(decision.inputs.get("edits", ()))
    return join_edits(*(event.edits for event in events if event.event_id in known))


def _as_read_at(at: datetime, events: Sequence[Event]) -> dict[str, Touch]:
    """Give the touches that were read again later as they read at a time."""
    later = [event for event in events if event.kind == "read_again" and event.at > at]
    latest_first = sorted(later, key=lambda event: event.at, reverse=True)
    befores = [Touch.model_validate(event.before["touch"]) for event in latest_first]
    return {touch.touch_id: touch for touch in befores}
