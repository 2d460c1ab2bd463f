"""Routing: the first rule that fits, and who can take a lead at an instant."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.config.model import Config, Owner, Settings
from chalicelib.lead.model import Decision, Lead, ProfileValue, Score
from chalicelib.lead.routing import eligibility, pick_rule, repick_rule

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
CONFIG = Config.model_validate(
    {
        "routing": [
            {
                "id": "hot",
                "title": "High score",
                "when": {"field": "score", "op": "at_least", "value": 60},
                "pool": "enterprise",
            },
            {
                "id": "german",
                "when": {
                    "all": [
                        {"field": "country", "op": "in", "value": ["DE", "AT"]},
                        {"field": "flags", "op": "not_in", "value": ["disposable"]},
                    ]
                },
                "pool": "dach",
            },
            {"id": "rest", "when": {"all": []}, "pool": "nurture"},
        ]
    }
)


def make_lead(total: int = 0, **profile: str) -> Lead:
    return Lead(
        lead_id="l1",
        version=4,
        created_at=NOW,
        updated_at=NOW,
        flags=("role_address",),
        score=Score(total=total, fit=total),
        profile={k: ProfileValue(value=v, touch_id="t1", at=NOW) for k, v in profile.items()},
    )


def make_owner(**more: Any) -> Owner:
    return Owner.model_validate(
        {"name": "Ana", "email": "ana@example.com", "time_zone": "Europe/Berlin", **more}
    )


def pick(lead: Lead, config: Config = CONFIG) -> Decision:
    rule, decision = pick_rule(lead, config, "hash", "1.0", NOW)
    assert decision.result == (rule.id if rule else "")
    return decision


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        (make_lead(60, country="DE"), "hot"),
        (make_lead(59, country="DE"), "german"),
        (make_lead(59, country="FR"), "rest"),
        (make_lead(), "rest"),
    ],
)
def test_the_first_rule_that_fits_wins(lead: Lead, expected: str) -> None:
    assert pick(lead).result == expected


def test_a_decision_has_a_verdict_for_each_rule_looked_at() -> None:
    decision = pick(make_lead(10, country="DE"))
    country = "country DE is one of DE, AT"
    assert [(each.candidate, each.is_eligible, each.because) for each in decision.candidates] == [
        ("hot", False, "score 10 is not at least 60"),
        ("german", True, f"{country} and flags role_address is not one of disposable"),
    ]
    assert decision.because.startswith(f"german: {country}")
    assert pick(make_lead(60)).because == "High score: score 60 is at least 60"


def test_a_decision_keeps_the_facts_that_it_was_made_from_and_no_others() -> None:
    decision = pick(make_lead(10, country="DE", phone="+4930901820"))
    assert decision.inputs == {
        "lead_id": "l1",
        "lead_version": 4,
        "facts": {"country": "DE", "flags": ["role_address"], "score": 10},
    }
    assert (decision.config_hash, decision.code, decision.decided_at) == ("hash", "1.0", NOW)


@pytest.mark.parametrize("total", [0, 10, 60, 99])
@pytest.mark.parametrize("country", ["DE", "FR"])
def test_a_stored_decision_can_be_made_again(total: int, country: str) -> None:
    decision = pick(make_lead(total, country=country))
    stored = Decision.model_validate_json(decision.model_dump_json())
    rule, again = repick_rule(stored, CONFIG)
    assert again == stored == decision
    assert rule is not None
    assert rule.id == stored.result


def test_a_changed_fact_or_rule_shows_when_a_decision_is_made_again() -> None:
    decision = pick(make_lead(60))
    inputs = {**decision.inputs, "facts": {"score": 59}}
    assert repick_rule(decision.model_copy(update={"inputs": inputs}), CONFIG)[1] != decision
    other = CONFIG.model_copy(update={"routing": CONFIG.routing[1:]})
    assert repick_rule(decision, other)[1] != decision


def test_without_a_rule_that_fits_there_is_none() -> None:
    rule, decision = pick_rule(make_lead(), Config(), "hash", "1.0", NOW)
    assert rule is None
    assert (decision.result, decision.because) == ("", "no rule fits")


MONDAY_HOURS = {"mon": ["09:00-17:00"]}


@pytest.mark.parametrize(
    ("owner", "taken", "now", "because"),
    [
        (make_owner(), 0, "2026-03-02T12:00", ""),
        (make_owner(active=False), 0, "2026-03-02T12:00", "switched off"),
        (make_owner(hours=MONDAY_HOURS), 0, "2026-03-02T08:00", ""),
        (
            make_owner(hours=MONDAY_HOURS),
            0,
            "2026-03-02T07:59",
            "off duty until Mon 09:00 Europe/Berlin",
        ),
        (
            make_owner(hours=MONDAY_HOURS),
            0,
            "2026-03-02T16:00",
            "off duty until Mon 9 Mar 2026 09:00 Europe/Berlin",
        ),
        (
            make_owner(hours=MONDAY_HOURS),
            0,
            "2026-03-03T08:00",
            "off duty until Mon 9 Mar 2026 09:00 Europe/Berlin",
        ),
        (
            make_owner(hours=MONDAY_HOURS),
            0,
            "2026-03-03T08:01",
            "off duty until Mon 09:00 Europe/Berlin",
        ),
        (
            make_owner(absences=[{"first": "2026-03-02", "last": "2026-03-03"}]),
            0,
            "2026-03-01T23:00",
            "away through 3 Mar 2026 Europe/Berlin",
        ),
        (make_owner(hours={"mon": []}), 0, "2026-03-02T12:00", "never on duty"),
        (
            make_owner(absences=[{"first": "2026-03-01", "last": "2026-03-02", "note": "ill"}]),
            0,
            "2026-03-02T22:59",
            "away through 2 Mar 2026 Europe/Berlin",
        ),
        (
            make_owner(absences=[{"first": "2026-03-01", "last": "2026-03-02"}]),
            0,
            "2026-03-02T23:00",
            "",
        ),
        (make_owner(daily_cap=5), 4, "2026-03-02T12:00", ""),
        (make_owner(daily_cap=5), 5, "2026-03-02T12:00", "has had 5 of at most 5 new leads today"),
        (make_owner(daily_cap=0), 0, "2026-03-02T12:00", "has had 0 of at most 0 new leads today"),
        (
            make_owner(country="DE"),
            0,
            "2026-05-01T12:00",
            "off on 1 May 2026, a public holiday in DE",
        ),
        (make_owner(country="FR"), 0, "2026-05-01T22:00", ""),
        (make_owner(country="GB"), 0, "2026-05-01T12:00", ""),
        (
            make_owner(country="DE", hours={"thu": ["09:00-17:00"], "mon": ["09:00-17:00"]}),
            0,
            "2026-04-30T16:00",
            "off duty until Mon 09:00 Europe/Berlin",
        ),
        (make_owner(time_zone="Mars/Base"), 0, "2026-03-02T12:00", "has an unknown time zone"),
    ],
)
def test_who_can_take_a_lead_and_why_not(owner: Owner, taken: int, now: str, because: str) -> None:
    moment = datetime.fromisoformat(f"{now}+00:00")
    verdict = eligibility("ana", owner, Settings(), taken, moment)
    assert verdict.is_eligible is (because == "")
    assert verdict.because == (because or "can take leads now")


@pytest.mark.parametrize(
    ("owner", "more", "because"),
    [
        (make_owner(hourly_cap=2), {"taken_this_hour": 1}, ""),
        (
            make_owner(hourly_cap=2),
            {"taken_this_hour": 2},
            "has had 2 of at most 2 new leads this hour",
        ),
        (make_owner(open_cap=3), {"open_leads": 3}, "has 3 of at most 3 open leads"),
        (make_owner(open_cap=3), {"open_leads": 2}, ""),
        (make_owner(), {"open_leads": 99, "taken_this_hour": 99}, ""),
        (make_owner(), {"unfit": "does not speak fi"}, "does not speak fi"),
        (make_owner(active=False), {"unfit": "does not speak fi"}, "switched off"),
    ],
)
def test_further_limits_and_what_a_lead_asks_for_count_too(
    owner: Owner, more: dict[str, Any], because: str
) -> None:
    verdict = eligibility("ana", owner, Settings(), 0, NOW, **more)
    assert verdict.is_eligible is (because == "")
    assert verdict.because == (because or "can take leads now")


def test_an_absence_does_not_tell_its_reason() -> None:
    owner = make_owner(absences=[{"first": "2026-03-01", "last": "2026-03-03", "note": "ill"}])
    assert "ill" not in eligibility("ana", owner, Settings(), 0, NOW).because


def test_who_gave_a_lead_back_does_not_get_it_again() -> None:
    verdict = eligibility("ana", make_owner(), Settings(), 0, NOW, declined_by=("ana",))
    assert (verdict.is_eligible, verdict.because) == (False, "gave this lead back")
    assert eligibility("ben", make_owner(), Settings(), 0, NOW, declined_by=("ana",)).is_eligible
