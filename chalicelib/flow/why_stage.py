"""Why a lead was refused or is to be answered now, and how it came to its stage, in words."""

from collections.abc import Iterable, Iterator, Sequence

from pydantic import AwareDatetime, Field

from chalicelib.config.model import Config
from chalicelib.lead.model import Decision, Lead, Model, Verdict
from chalicelib.records import Event

DOES = {
    "answer_now": "so it is to be answered now",
    "ask_for_more": "so the person is to be asked for more",
    "inform_later": "so the person is informed later",
    "refuse": "so it is refused",
    "": "so nothing is said about what is to be done",
}


class WhyTriage(Model):
    """Which triage rule fitted the latest enquiry, and which did not."""

    rule_id: str
    does: str = Field(description="as in lead.triage; empty when no rule fits")
    decided_at: AwareDatetime
    because: str
    verdicts: tuple[Verdict, ...]


class WhyStage(Model):
    """One move of a lead from stage to stage, or that it stayed where rules were looked at."""

    at: AwareDatetime
    actor: str
    before: str
    after: str
    because: str
    verdicts: tuple[Verdict, ...] = Field(default=(), description="of each stage looked at")


def explain_triage(lead: Lead, decisions: Iterable[Decision], config: Config) -> WhyTriage | None:
    """Explain what is to be done with the latest enquiry; None where no rule was asked."""
    judged = [one for one in decisions if one.kind == "triage"]
    if not judged:
        return None
    last = max(judged, key=lambda one: one.decided_at)
    rules = {rule.id: rule.does for rule in config.qualifying.triage}
    does = lead.triage if last.result else ""
    return WhyTriage(
        rule_id=last.result,
        does=does or rules.get(last.result, ""),
        decided_at=last.decided_at,
        because=last.because,
        verdicts=last.candidates,
    )


def explain_stages(decisions: Iterable[Decision], events: Sequence[Event]) -> list[WhyStage]:
    """Tell the moves of a lead, oldest first; of decisions that left it where it was the last."""
    by_rule = [
        WhyStage(
            at=one.decided_at,
            actor="hub",
            before=str(one.inputs["stage"]),
            after=one.result,
            because=one.because,
            verdicts=one.candidates,
        )
        for one in decisions
        if one.kind == "stage"
    ]
    by_person = [
        WhyStage(
            at=event.at,
            actor=event.actor,
            before=str(event.before.get("stage", "")),
            after="",
            because=event.text,
        )
        for event in events
        if event.kind == "moved"
    ]
    told = sorted([*by_rule, *by_person], key=lambda one: one.at)
    return [one for one in told if one.before != one.after or one is told[-1]]


def triage_lines(why: WhyTriage | None, lead: Lead) -> Iterator[str]:
    """Write the triage for people."""
    if why is None:
        return
    reason = f" ({lead.triage_reason})" if why.does == "refuse" and lead.triage_reason else ""
    yield f"Triage: {why.because}, {DOES[why.does]}{reason}."
    if why.does == "refuse" and lead.status != "disqualified":
        yield "  It is somebody's already, so it stays theirs."
    yield from _verdict_lines(why.verdicts)


def stage_lines(stages: Sequence[WhyStage]) -> Iterator[str]:
    """Write the stages for people, oldest first."""
    for one in stages:
        if one.actor == "hub":
            yield f"Stage {one.after}: {one.because} ({one.at:%Y-%m-%d})."
        else:
            yield f"Moved by {one.actor} on {one.at:%Y-%m-%d}: {one.because}."
        yield from _verdict_lines(one.verdicts)


def _verdict_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        sign = "fits" if verdict.is_eligible else "does not fit"
        yield f"  {verdict.candidate} {sign}: {verdict.because}"
