"""Routing: which rule fits a lead, who can take it now, and (see rotation) whose turn it is."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.config.model import Config, Owner, RoutingRule, Settings
from chalicelib.days_off import public_holidays
from chalicelib.lead.conditions import Facts, evaluate, facts_of_lead, tests_in
from chalicelib.lead.hours import DAYS, find_zone, is_on_duty, local_day, next_on_duty
from chalicelib.lead.model import Decision, Lead, Verdict
from chalicelib.lead.rotation import (
    LEAD,
    Account,
    Choice,
    Ledger,
    StatementLine,
    choose,
    give_back,
    statement,
    take_again,
    take_beside,
)

__all__ = [
    "LEAD",
    "Account",
    "Choice",
    "Ledger",
    "StatementLine",
    "choose",
    "eligibility",
    "give_back",
    "local_day",
    "may_be_told",
    "pick_rule",
    "repick_rule",
    "statement",
    "take_again",
    "take_beside",
]

GAVE_BACK = "gave this lead back"
SWITCHED_OFF = "switched off"

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def pick_rule(
    lead: Lead, config: Config, config_hash: str, code: str, now: datetime
) -> tuple[RoutingRule | None, Decision]:
    """Find the first routing rule that fits; None when none does.

    Returns:
        The rule, and the decision with a verdict on each rule that was looked at. Its inputs hold
        the facts that these rules asked for, so that it can be made again (see repick_rule).
    """
    inputs = {"lead_id": lead.lead_id, "lead_version": lead.version}
    return _pick_rule(
        facts_of_lead(lead, now), inputs, config, config_hash=config_hash, code=code, now=now
    )


def repick_rule(decision: Decision, config: Config) -> tuple[RoutingRule | None, Decision]:
    """Make a stored decision of pick_rule again, from what it stored.

    Args:
        config: the configuration whose hash the decision carries.
    """
    facts = decision.inputs["facts"]
    inputs = {name: value for name, value in decision.inputs.items() if name != "facts"}
    return _pick_rule(
        facts,
        inputs,
        config,
        config_hash=decision.config_hash,
        code=decision.code,
        now=decision.decided_at,
    )


def eligibility(
    owner_id: str,
    owner: Owner,
    settings: Settings,
    taken: int,
    now: datetime,
    *,
    declined_by: Collection[str] = (),
    taken_this_hour: int = 0,
    open_leads: int = 0,
    unfit: str = "",
) -> Verdict:
    """Decide whether an owner can take a new lead at this instant, and say why not.

    Args:
        taken: new leads that the owner got on the owner's own local day.
        declined_by: owners who gave this very lead back.
        taken_this_hour: new leads in this hour by the clock; need not be known without a cap.
        open_leads: that the owner has; need not be known without a cap.
        unfit: what this lead asks for that the owner does not have, see asking.why_unfit.
    """
    if owner_id in declined_by:
        reason = GAVE_BACK
    elif not owner.active:
        reason = SWITCHED_OFF
    else:
        reason = _why_away(owner, settings, now)
    if not reason and owner.daily_cap is not None and taken >= owner.daily_cap:
        reason = f"has had {taken} of at most {owner.daily_cap} new leads today"
    if not reason and owner.hourly_cap is not None and taken_this_hour >= owner.hourly_cap:
        reason = f"has had {taken_this_hour} of at most {owner.hourly_cap} new leads this hour"
    if not reason and owner.open_cap is not None and open_leads >= owner.open_cap:
        reason = f"has {open_leads} of at most {owner.open_cap} open leads"
    reason = reason or unfit
    return Verdict(
        candidate=owner_id, is_eligible=not reason, because=reason or "can take leads now"
    )


def may_be_told(reason: str) -> bool:
    """Say whether why somebody could not take a lead follows from more than the configuration."""
    return reason in (GAVE_BACK, SWITCHED_OFF) or " of at most " in reason


def _pick_rule(
    facts: Facts,
    inputs: Mapping[str, Any],
    config: Config,
    *,
    config_hash: str,
    code: str,
    now: datetime,
) -> tuple[RoutingRule | None, Decision]:
    verdicts: list[Verdict] = []
    asked: dict[str, Any] = {}
    picked: RoutingRule | None = None
    for rule in config.routing:
        for test in tests_in(rule.when):
            if test.field in facts:
                asked[test.field] = facts[test.field]
        trace = evaluate(rule.when, facts)
        verdicts.append(Verdict(candidate=rule.id, is_eligible=trace.holds, because=trace.because))
        if trace.holds:
            picked = rule
            break
    decision = Decision(
        kind="rule",
        decided_at=now,
        config_hash=config_hash,
        code=code,
        inputs={**inputs, "facts": {name: _plain(asked[name]) for name in sorted(asked)}},
        candidates=tuple(verdicts),
        result=picked.id if picked else "",
        because=f"{picked.title or picked.id}: {verdicts[-1].because}"
        if picked
        else "no rule fits",
    )
    return picked, decision


def _plain(value: Any) -> Any:
    """Write a fact as it comes back from JSON."""
    return list(value) if isinstance(value, tuple) else value


def _why_away(owner: Owner, settings: Settings, now: datetime) -> str:
    """Say why an owner is not at work at this instant; empty when they are."""
    zone = find_zone(owner, settings)
    if zone is None:
        return "has an unknown time zone"
    today = local_day(owner, settings, now)
    for absence in owner.absences:
        if absence.first <= today <= absence.last:
            return f"away through {_date(absence.last)} {zone.key}"
    if owner.country and today in public_holidays(owner.country, today.year):
        return f"off on {_date(today)}, a public holiday in {owner.country}"
    if is_on_duty(owner, settings, now):
        return ""
    start = next_on_duty(owner, settings, now)
    return f"off duty until {_moment(start, now, zone)}" if start else "never on duty"


def _moment(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Write a time in a zone: by weekday when it is near, else with its date."""
    local = moment.astimezone(zone)
    day = DAYS[local.weekday()].capitalize()
    if moment - now >= timedelta(days=6):
        day = f"{day} {_date(local)}"
    return f"{day} {local:%H:%M} {zone.key}"


def _date(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
