"""Qualifying: what is to be done with an enquiry, and which stage a lead has reached."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from chalicelib.config.condition import Condition
from chalicelib.config.model import Config
from chalicelib.config.qualifying import Qualifying, StageRule, TriageRule
from chalicelib.config.scoring import TouchCount
from chalicelib.lead.conditions import Facts, Trace, facts_of_lead, tests_in
from chalicelib.lead.counting import count, history_of, is_timely, judge
from chalicelib.lead.model import Decision, Lead, Stage, Status, Touch, Verdict

Mover = Literal["hub", "person"]

Counts = Callable[[str, TouchCount], int]
"""Says how many touches fit, by the id of the rule that asks."""


@dataclass
class Asked:
    """What rules are asked about, and what of it they looked at, so that it can be asked again."""

    facts: Facts
    counts: Counts
    looked_at: dict[str, Any] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    def holds(self, rule_id: str, when: Condition, wanted: TouchCount | None) -> Trace:
        """Decide whether a rule's condition holds, and note what it was decided on."""
        for test in tests_in(when):
            if test.field in self.facts:
                value = self.facts[test.field]
                self.looked_at[test.field] = list(value) if isinstance(value, tuple) else value
        number = 0
        if wanted is not None:
            number = self.counted[rule_id] = self.counts(rule_id, wanted)
        return judge(when, self.facts, wanted, number)


@dataclass(frozen=True)
class Made:
    """What a decision carries beside what it was decided on."""

    inputs: Mapping[str, Any]
    config_hash: str
    code: str
    at: datetime

    def decision(
        self,
        kind: Literal["triage", "stage"],
        asked: Asked,
        verdicts: Iterable[Verdict],
        result: str,
        because: str,
    ) -> Decision:
        """Make the decision."""
        looked_at = {name: asked.looked_at[name] for name in sorted(asked.looked_at)}
        return Decision(
            kind=kind,
            decided_at=self.at,
            config_hash=self.config_hash,
            code=self.code,
            inputs={
                **self.inputs,
                "facts": looked_at,
                **({"counts": dict(sorted(asked.counted.items()))} if asked.counted else {}),
            },
            candidates=tuple(verdicts),
            result=result,
            because=because,
        )


def asked_of(lead: Lead, touches: Sequence[Touch], now: datetime) -> Asked:
    """Lay out what rules may ask of a lead and its touches at a time."""
    history = history_of(touches)
    return Asked(facts_of_lead(lead, now), lambda _, wanted: count(history, wanted, now).number)


def asked_then(decision: Decision) -> Asked:
    """Lay out again what a stored decision was made on."""
    counts: Mapping[str, int] = decision.inputs.get("counts", {})
    return Asked(decision.inputs["facts"], lambda rule_id, _: counts.get(rule_id, 0))


def made_for(lead: Lead, config_hash: str, code: str, now: datetime) -> Made:
    """Say what a decision on a lead carries."""
    return Made({"lead_id": lead.lead_id, "stage": lead.stage}, config_hash, code, now)


def made_then(decision: Decision) -> Made:
    """Say what a stored decision carries."""
    inputs = {k: v for k, v in decision.inputs.items() if k not in ("facts", "counts")}
    return Made(inputs, decision.config_hash, decision.code, decision.decided_at)


def triage(asked: Asked, config: Config, made: Made) -> tuple[TriageRule | None, Decision]:
    """Find the first triage rule that fits; None when none does.

    Args:
        asked: see asked_of; for a decision that is made again asked_then.
        config: with the rules.
        made: see made_for; for a decision that is made again made_then.
    """
    verdicts: list[Verdict] = []
    for rule in config.qualifying.triage:
        trace = asked.holds(rule.id, rule.when, rule.touches)
        verdicts.append(Verdict(candidate=rule.id, is_eligible=trace.holds, because=trace.because))
        if trace.holds:
            because = f"{rule.title or rule.id}: {trace.because}"
            return rule, made.decision("triage", asked, verdicts, rule.id, because)
    return None, made.decision("triage", asked, verdicts, "", "no triage rule fits")


def find_stage(asked: Asked, config: Config, made: Made) -> tuple[Stage, Decision]:
    """Move a lead as far through the stages as their entry rules and allowed moves let it.

    Args:
        asked, config, made: see triage; `made` holds the stage that the lead is in.

    Returns:
        The stage it then is in, and the decision with a verdict on each stage that was looked at.
    """
    qualifying = config.qualifying
    known: dict[str, Verdict] = {}
    path = [str(made.inputs["stage"])]
    while True:
        facts = {**asked.facts, "stage": path[-1]}
        here = Asked(facts, asked.counts, asked.looked_at, asked.counted)
        found = _next_stage(qualifying, path, here, known)
        asked.looked_at.pop("stage", None)
        if found is None:
            break
        path.append(found)
    moves = " and on to ".join(path[1:])
    because = f"from {path[0]} to {moves}: {known[path[-1]].because}" if moves else "stays as it is"
    return path[-1], made.decision("stage", asked, known.values(), path[-1], because)


def has_entries(qualifying: Qualifying) -> bool:
    """Say whether the hub moves any lead by itself."""
    return any(stage.enter and stage.by != "person" for stage in qualifying.stages)


def entries_change_with_time(qualifying: Qualifying) -> bool:
    """Say whether time alone may let a lead enter a stage."""
    entries = [stage.enter for stage in qualifying.stages if stage.enter]
    return any(is_timely(entry.when, entry.touches) for entry in entries)


def why_not(qualifying: Qualifying, before: Stage, after: Stage, by: Mover) -> str:
    """Say why a lead may not go from one stage to another; empty when it may."""
    order = qualifying.order
    if after not in order:
        return f"there is no stage {after}; expected one of {', '.join(order)}"
    rule = next((stage for stage in qualifying.stages if stage.id == after), StageRule(id=after))
    if rule.by not in ("anyone", by):
        who = "a person" if rule.by == "person" else "the hub by its rules"
        return f"only {who} moves leads to {after}"
    if rule.from_ is not None and before not in rule.from_:
        named = ", ".join(rule.from_) or "nowhere"
        return f"{after} is entered from {named}, and this lead is {before}"
    if by == "hub" and rule.from_ is None and _place(order, after) <= _place(order, before):
        return f"{after} does not come after {before}"
    return ""


STATUS_MOVES: Mapping[Status, tuple[Status, ...]] = {
    "new": ("contacted", "qualified", "disqualified"),
    "assigned": ("contacted", "qualified", "disqualified"),
    "contacted": ("qualified", "disqualified"),
    "qualified": ("contacted", "disqualified"),
    "disqualified": ("new",),
}
"""Where a person may move a lead; only routing assigns it."""


def why_not_status(lead: Lead, status: Status) -> str:
    """Say why a person may not give a lead a status; empty when they may."""
    allowed = STATUS_MOVES[lead.status]
    if status not in allowed:
        return f"from {lead.status} a lead goes to {' or '.join(allowed)}, not to {status}"
    if status in ("contacted", "qualified") and lead.assignment is None:
        return f"nobody owns this lead, so it cannot be {status}"
    return ""


def is_further(one: Stage, other: Stage, order: Sequence[Stage]) -> bool:
    """Say whether a stage comes after another."""
    return _place(order, one) > _place(order, other)


def _next_stage(
    qualifying: Qualifying, path: Sequence[Stage], asked: Asked, known: dict[str, Verdict]
) -> Stage | None:
    """Give the furthest stage that a lead may enter now; notes a verdict on each that is asked."""
    for stage in _open_stages(qualifying, path, known):
        if stage.enter is None:
            continue
        trace = asked.holds(stage.id, stage.enter.when, stage.enter.touches)
        known[stage.id] = Verdict(
            candidate=stage.id, is_eligible=trace.holds, because=trace.because
        )
        if trace.holds:
            return stage.id
    return None


def _open_stages(
    qualifying: Qualifying, path: Sequence[Stage], known: dict[str, Verdict]
) -> Iterator[StageRule]:
    """Give the stages that may be entered from where a lead is, the furthest first."""
    for stage in reversed(qualifying.stages):
        if stage.enter is None or stage.id in path:
            continue
        problem = why_not(qualifying, path[-1], stage.id, "hub")
        if not problem:
            yield stage
        elif stage.id not in known and stage.from_ is not None:
            known[stage.id] = Verdict(candidate=stage.id, is_eligible=False, because=problem)


def _place(order: Sequence[Stage], stage: Stage) -> int:
    return order.index(stage) if stage in order else -1
