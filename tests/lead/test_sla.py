"""What the clock of a lead says: when steps are due, which are taken, and what stops them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.config.model import Config
from chalicelib.config.sla import Sla, SlaPromise, SlaStep
from chalicelib.lead import sla
from chalicelib.lead.model import Assignment, Decision, Lead

EVERY: dict[str, Any] = {"all": []}
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
OFFICE = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def a_config(*policies: dict[str, Any], **more: Any) -> Config:
    return Config.model_validate(
        {
            "settings": {"alarms": ["duty"]},
            "destinations": {
                "mail": {"kind": "email"},
                "chat": {"kind": "slack", "enabled": False},
                "duty": {"kind": "email", "to": "address", "address": "duty@example.com"},
            },
            "owners": {
                "ann": {"name": "Ann", "email": "ann@example.com", "manager": "max", **more},
                "max": {"name": "Max", "email": "max@example.com"},
            },
            "sla": {"policies": policies},
        }
    )


def a_lead(at: datetime = MONDAY, **more: Any) -> Lead:
    given = Assignment(assignment_id="a1", owner_id="ann", pool_id="p", rule_id="r", assigned_at=at)
    known = {"lead_id": "l", "version": 1, "created_at": at, "updated_at": at}
    return Lead.model_validate({**known, "assignment": given, "status": "assigned", **more})


def a_policy(name: str = "all", **more: Any) -> dict[str, Any]:
    ladder = [
        {"after": -10, "notify": ["mail", "chat"]},
        {"after": 0, "to": "manager", "notify": ["mail"]},
        {"after": 60, "do": "reassign"},
    ]
    return {"id": name, "when": EVERY, "accept": {"minutes": 30, "steps": ladder}, **more}


def test_the_first_policy_that_fits_holds() -> None:
    hot = a_policy("hot", when={"field": "score", "op": "at_least", "value": 70})
    config = a_config(hot, a_policy("rest"))
    assert (picked := sla.pick_policy(a_lead(), config, MONDAY))
    assert picked.id == "rest"
    assert sla.pick_policy(a_lead(), a_config(hot), MONDAY) is None
    assert sla.pick_policy(a_lead(), a_config(), MONDAY) is None


def test_time_is_counted_while_the_owner_works() -> None:
    friday = MONDAY + timedelta(days=4, hours=7, minutes=50)
    config = a_config(a_policy(), hours=OFFICE)
    lead = sla.assigned(a_lead(friday), config, friday)
    assert lead.assignment
    (accept,) = lead.assignment.clock
    assert accept.due_at == MONDAY + timedelta(days=7, minutes=20)
    assert accept.next_at == MONDAY + timedelta(days=7, minutes=10)
    always = a_config(a_policy(time="always"), hours=OFFICE)
    assert sla.assigned(a_lead(friday), always, friday).clock_at == friday + minutes(20)


def test_steps_come_one_after_the_other_and_each_says_why() -> None:
    config = a_config(a_policy())
    lead = sla.assigned(a_lead(), config, MONDAY)
    found = []
    for minute in range(200):
        firing = sla.fire(lead, config, MONDAY + minutes(minute))
        if firing is None:
            continue
        found.append((minute, firing.result))
        assert "Ann" in firing.because
        if firing.does == "reassign":
            break
        assert lead.assignment
        given = lead.assignment.model_copy(update={"clock": firing.clock})
        lead = lead.model_copy(update={"assignment": given})
    assert found == [
        (20, "accept 0: tell ann by mail"),
        (30, "accept 1: tell max by mail"),
        (90, "accept 2: reassign ann"),
    ]


def test_without_a_time_to_contact_the_next_step_is_awaited_from_the_beginning() -> None:
    step = {"minutes": 100, "steps": [{"after": 0, "notify": ["mail"]}]}
    lead = sla.assigned(a_lead(), a_config(a_policy(step=step)), MONDAY)
    assert lead.assignment
    assert [one.kind for one in lead.assignment.clock] == ["accept", "step"]
    taken = sla.accepted(lead, MONDAY)
    assert taken.clock_at == MONDAY + minutes(100)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "disqualified"},
        {"stage": "customer"},
        {"assignment": None},
        {"merged_into": "other"},
        {"erased_at": MONDAY},
    ],
)
def test_a_lead_that_is_closed_or_nobodys_has_no_clock(change: dict[str, Any]) -> None:
    config = a_config(a_policy())
    lead = sla.assigned(a_lead(), config, MONDAY).model_copy(update=change)
    assert lead.clock_at is None
    assert sla.fire(lead, config, MONDAY + timedelta(days=9)) is None


def test_a_decision_is_made_again_from_what_it_stored() -> None:
    config = a_config(a_policy())
    lead = sla.assigned(a_lead(), config, MONDAY)
    firing = sla.fire(lead, config, MONDAY + minutes(21))
    assert firing
    assert lead.assignment
    decision = Decision(
        kind="escalation",
        decided_at=MONDAY + minutes(21),
        config_hash="h",
        code="c",
        inputs={
            "lead_id": "l",
            "version": 1,
            "status": lead.status,
            "stage": lead.stage,
            "declined_by": [],
            "assignment": lead.assignment.model_dump(mode="json", exclude_defaults=True),
            "facts": {},
        },
        result=firing.result,
        because=firing.because,
    )
    assert sla.fire_again(decision, config) == firing.result
    assert sla.fire_again(decision, a_config()) != firing.result


def test_what_should_have_been_done_is_listed_oldest_first() -> None:
    policy = a_policy(touch={"minutes": 20})
    lead = sla.assigned(a_lead(), a_config(policy), MONDAY)
    assert sla.overdue(lead, MONDAY + minutes(19)) == []
    late = sla.overdue(lead, MONDAY + minutes(30))
    assert [one.kind for one in late] == ["touch", "accept"]
    assert sla.overdue(sla.accepted(lead, MONDAY), MONDAY + minutes(30)) == late[:1]


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([{"after": 5}, {"after": 0}], "in the order of their time"),
        ([{"after": -30}], "before it has begun"),
        ([{"after": -5, "do": "reassign"}], "can only tell"),
    ],
)
def test_a_ladder_that_cannot_be_is_refused(steps: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        SlaPromise(minutes=30, steps=tuple(SlaStep.model_validate(one) for one in steps))


def test_nothing_is_promised_unless_it_is_configured() -> None:
    assert Sla() == Config().sla
    assert sla.assigned(a_lead(), a_config(), MONDAY) == a_lead()
    assert sla.returned(a_lead(), a_config(), MONDAY) == a_lead()
