"""What is to be done with an enquiry, and the stages of a lead: by rules, and by a person."""

from typing import Any

import pytest

from chalicelib.config.model import Config, RoutingRule
from chalicelib.config.qualifying import Qualifying
from chalicelib.config.scoring import Scoring
from chalicelib.errors import Invalid, NotFound, Stale
from chalicelib.flow.details import timeline
from chalicelib.flow.edit import edit, state_of
from chalicelib.flow.lists import LeadFilter, list_leads
from chalicelib.flow.merge import merge
from chalicelib.flow.move import move
from chalicelib.flow.publish import publish
from chalicelib.flow.try_source import try_source
from chalicelib.flow.unmerge import unmerge
from chalicelib.flow.verify import verify
from chalicelib.flow.why import why
from chalicelib.lead.model import Decision, Lead
from chalicelib.records import touch_item, touch_record_of
from tests.flow.scenes import effects, events, touches
from tests.invariants import problems
from tests.world import World, form, with_config

MAIL = "zoe@example.com"

JOBS = {
    "id": "jobs",
    "title": "Job seekers",
    "when": {"field": "custom.topic", "op": "is", "value": "job"},
    "does": "refuse",
    "reason": "job seeker",
}
NEWS = {
    "id": "news",
    "when": {"field": "custom.topic", "op": "is", "value": "news"},
    "does": "inform_later",
}
REST = {"id": "rest", "does": "answer_now"}
GRADES = {
    "first": {"part": "fit", "from": {"A": 40, "D": 0}},
    "second": {"part": "engagement", "from": {"1": 20, "4": 0}},
}
STAGES = [
    {"id": "lead"},
    {"id": "IQL", "title": "Wants information", "enter": {}},
    {
        "id": "MQL",
        "enter": {"when": {"field": "score", "op": "at_least", "value": 20}},
    },
    {
        "id": "SQL",
        "from": ["MQL"],
        "enter": {"when": {"field": "grade", "op": "is", "value": "A1"}},
    },
    {"id": "trial", "from": ["MQL", "SQL"], "by": "person"},
    {"id": "opportunity"},
    {"id": "customer", "from": ["opportunity"]},
]


def a_world(stages: Any = (), triage: Any = (JOBS, NEWS, REST), **parts: Any) -> World:
    """Give a world with triage, and with stages if they are named."""
    world = World()
    qualifying = Qualifying.model_validate({"triage": triage, "stages": stages})
    scoring = world.config.scoring.model_copy(
        update={"grades": Scoring.model_validate({"grades": GRADES}).grades}
    )
    world.config = with_config(world, qualifying=qualifying, scoring=scoring, **parts)
    publish(world.hub, world.config, "test")
    return world


def enquire(world: World, number: int, **more: Any) -> Lead:
    world.send("forms", form(number, MAIL, **more))
    world.settle()
    return world.lead()


def is_sound(world: World) -> bool:
    found = problems(world)
    for lead in world.leads():
        found += [finding.problem for finding in verify(world.hub, lead.lead_id) if finding.problem]
    assert found == []
    return True


def kinds(world: World) -> list[str]:
    return [one.kind for record in touches(world) for one in record.decisions]


def test_without_rules_nothing_is_decided_and_nothing_more_is_written() -> None:
    world = World()
    lead = enquire(world, 1)
    assert kinds(world) == ["match", "score", "rule"]
    assert (lead.triage, lead.stage, lead.score.grade) == ("", "lead", "")
    assert b"triage" not in lead.model_dump_json(exclude_defaults=True).encode()


def test_the_first_triage_rule_that_fits_wins() -> None:
    world = a_world()
    lead = enquire(world, 1, topic="news")
    assert (lead.triage, lead.status) == ("inform_later", "assigned")
    assert kinds(world) == ["match", "score", "triage", "rule"]
    (decision,) = [one for one in touches(world)[0].decisions if one.kind == "triage"]
    assert (decision.result, decision.because) == ("news", "news: topic is news")
    assert [verdict.candidate for verdict in decision.candidates] == ["jobs", "news"]
    assert is_sound(world)


def test_a_refused_lead_is_disqualified_goes_to_nobody_and_is_listed() -> None:
    world = a_world()
    lead = enquire(world, 1, topic="job")
    assert (lead.status, lead.status_reason) == ("disqualified", "job seeker")
    assert (lead.assignment, lead.awaits, lead.is_unowned, lead.pool_id) == (None, "", False, "")
    assert events(world) == []
    assert effects(world) == []
    (listed,) = list_leads(world.hub, LeadFilter(status="disqualified"), 10).entries
    assert (listed["lead_id"], listed["reason"]) == (lead.lead_id, "job seeker")
    lines = why(world.hub, lead).lines
    assert "This lead scores 10, has no owner and is disqualified (job seeker)." in lines
    assert "Triage: Job seekers: topic is job, so it is refused (job seeker)." in lines
    assert is_sound(world)


def test_whoever_was_refused_and_comes_back_with_an_enquiry_is_taken_up() -> None:
    world = a_world()
    enquire(world, 1, topic="job")
    world.clock.advance(hours=1)
    lead = enquire(world, 2, topic="offer", at="2026-11-23T09:00:00Z")
    assert (lead.status, lead.status_reason, lead.triage) == ("assigned", "", "answer_now")
    assert lead.assignment is not None
    assert is_sound(world)


def test_a_lead_that_somebody_works_on_is_not_taken_from_them() -> None:
    world = a_world()
    owner = enquire(world, 1, topic="offer").assignment
    world.clock.advance(hours=1)
    lead = enquire(world, 2, topic="job", at="2026-11-23T09:00:00Z")
    assert (lead.status, lead.assignment) == ("assigned", owner)
    assert (lead.triage, lead.triage_reason) == ("refuse", "job seeker")
    assert is_sound(world)


def test_a_refused_lead_that_is_refused_again_stays_refused() -> None:
    world = a_world()
    enquire(world, 1, topic="job")
    lead = enquire(world, 2, topic="job", at="2026-11-23T09:00:00Z")
    assert (lead.status, lead.touch_count, lead.awaits) == ("disqualified", 2, "")
    assert is_sound(world)


def test_routing_asks_for_triage_grade_and_stage() -> None:
    rules = [
        {"id": "later", "when": {"field": "triage", "op": "is", "value": "inform_later"}},
        {"id": "best", "when": {"field": "grade", "op": "starts_with", "value": "A"}},
        {"id": "known", "when": {"field": "stage", "op": "is", "value": "IQL"}},
        {"id": "rest", "when": {"all": []}},
    ]
    routing = tuple(RoutingRule.model_validate({**rule, "pool": "small"}) for rule in rules)
    for more, expected in (
        ({"topic": "news"}, "later"),
        ({"topic": "offer", "seats": "250"}, "best"),
        ({"topic": "offer"}, "known"),
    ):
        world = a_world(STAGES, routing=routing)
        assert enquire(world, 1, **more).rule_id == expected
        assert is_sound(world)


def test_a_lead_goes_as_far_as_entry_rules_and_allowed_moves_let_it() -> None:
    world = a_world(STAGES)
    lead = enquire(world, 1)
    assert lead.stage == "IQL"
    lead = enquire(world, 2, at="2026-11-23T09:00:00Z")
    assert (lead.score.total, lead.stage) == (20, "MQL")
    assert is_sound(world)


def test_a_stage_that_is_entered_from_another_is_reached_through_it() -> None:
    world = a_world(STAGES)
    enquire(world, 1, seats="250")
    lead = enquire(world, 2, seats="250", at="2026-11-23T09:00:00Z")
    assert (lead.score.grade, lead.stage) == ("A1", "SQL")
    (first, second) = [
        one for record in touches(world) for one in record.decisions if one.kind == "stage"
    ]
    assert (first.result, second.result) == ("MQL", "SQL")
    assert second.because == "from MQL to SQL: grade is A1"
    lines = why(world.hub, lead).lines
    assert any(line.startswith("Stage SQL: from MQL to SQL: grade is A1") for line in lines)
    assert "Stage SQL" in " ".join(entry.text for entry in timeline(world.hub, lead))
    assert is_sound(world)


def test_a_count_of_touches_is_kept_with_the_decision() -> None:
    keen = {"touches": {"at_least": 2, "within_days": 7}}
    world = a_world([*STAGES[:2], {"id": "MQL", "enter": keen}, *STAGES[3:]])
    assert enquire(world, 1).stage == "IQL"
    lead = enquire(world, 2, at="2026-11-23T09:00:00Z")
    assert lead.stage == "MQL"
    last = decided(world, "stage")
    assert last.inputs["counts"]["MQL"] == 2
    assert last.because.endswith("2 touches in 7 days is at least 2")
    assert is_sound(world)


def decided(world: World, kind: str) -> Decision:
    return [one for record in touches(world) for one in record.decisions if one.kind == kind][-1]


# --- by a person ----------------------------------------------------------------------------------


def test_a_person_moves_status_and_stage_and_it_stands_on_the_timeline() -> None:
    world = a_world(STAGES)
    enquire(world, 1)
    lead = move(world.hub, world.lead().lead_id, "Ann", status="contacted", stage="MQL")
    lead = move(world.hub, lead.lead_id, "Ann", stage="trial", reason="asked for it")
    assert (lead.status, lead.stage) == ("contacted", "trial")
    assert world.lead() == lead
    told = [entry for entry in timeline(world.hub, lead) if entry.kind == "moved"]
    assert [(entry.actor, entry.text) for entry in told] == [
        ("Ann", "status assigned to contacted, stage IQL to MQL"),
        ("Ann", "stage MQL to trial: asked for it"),
    ]
    assert any("stage MQL to trial: asked for it" in line for line in why(world.hub, lead).lines)
    assert is_sound(world)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"stage": "trial"}, "trial is entered from MQL, SQL, and this lead is IQL"),
        ({"stage": "customer"}, "customer is entered from opportunity, and this lead is IQL"),
        ({"stage": "won"}, "there is no stage won; expected one of lead, IQL, MQL"),
        ({"status": "new"}, "from assigned a lead goes to contacted or qualified or"),
        ({"status": "disqualified"}, "reason: expected why it is disqualified"),
    ],
)
def test_an_illegal_move_is_refused_with_its_reason(wanted: dict[str, Any], problem: str) -> None:
    world = a_world(STAGES)
    before = enquire(world, 1)
    with pytest.raises(Invalid) as caught:
        move(world.hub, before.lead_id, "Ann", **wanted)
    assert problem in " ".join(caught.value.problems)
    assert world.lead() == before


def test_the_hub_does_not_enter_what_only_a_person_may_nor_the_other_way_round() -> None:
    by_hub = {"id": "hot", "by": "hub"}
    by_person = {"id": "deal", "by": "person", "enter": {}}
    names = ["lead", "MQL", "SQL", "opportunity", "customer"]
    world = a_world(
        [
            *({"id": name} for name in names[:3]),
            by_hub,
            by_person,
            *({"id": name} for name in names[3:]),
        ]
    )
    lead = enquire(world, 1)
    assert lead.stage == "lead"
    with pytest.raises(Invalid) as caught:
        move(world.hub, lead.lead_id, "Ann", stage="hot")
    assert caught.value.problems == ("only the hub by its rules moves leads to hot",)
    assert move(world.hub, lead.lead_id, "Ann", stage="deal").stage == "deal"


def test_without_stages_of_its_own_a_hub_has_five_and_a_person_moves_among_them() -> None:
    world = World()
    lead = enquire(world, 1)
    assert move(world.hub, lead.lead_id, "Ann", stage="opportunity").stage == "opportunity"
    assert move(world.hub, lead.lead_id, "Ann", stage="MQL").stage == "MQL"
    with pytest.raises(Invalid):
        move(world.hub, lead.lead_id, "Ann", stage="IQL")


def test_moving_to_where_it_is_changes_nothing() -> None:
    world = World()
    lead = enquire(world, 1)
    assert move(world.hub, lead.lead_id, "Ann", status="assigned", stage="lead") == lead
    assert world.lead() == lead


def test_a_move_on_what_has_changed_since_is_refused() -> None:
    world = World()
    seen = state_of(enquire(world, 1))
    move(world.hub, world.lead().lead_id, "Ann", status="contacted", seen=seen)
    with pytest.raises(Stale):
        move(world.hub, world.lead().lead_id, "Ben", status="qualified", seen=seen)
    with pytest.raises(NotFound):
        move(world.hub, "nobody", "Ann", status="contacted")


def test_whoever_is_disqualified_by_a_person_is_taken_up_by_one_or_by_an_enquiry() -> None:
    world = World()
    lead = enquire(world, 1)
    gone = move(world.hub, lead.lead_id, "Ann", status="disqualified", reason="no budget")
    assert (gone.status_reason, gone.awaits, gone.assignment) == ("no budget", "", lead.assignment)
    world.settle()
    back = move(world.hub, lead.lead_id, "Ann", status="new")
    assert (back.status, back.status_reason, back.awaits) == ("new", "", "owner")
    world.settle()
    assert (world.lead().status, world.lead().assignment) == ("assigned", lead.assignment)
    move(world.hub, lead.lead_id, "Ann", status="disqualified", reason="no budget")
    again = enquire(world, 2, at="2026-11-23T09:00:00Z")
    assert (again.status, again.status_reason) == ("assigned", "")
    assert is_sound(world)


def test_a_lead_without_an_owner_cannot_be_contacted() -> None:
    world = World()
    lead = enquire(world, 1, topic="night")
    assert lead.is_unowned
    with pytest.raises(Invalid) as caught:
        move(world.hub, lead.lead_id, "Ann", status="contacted")
    assert caught.value.problems == ("nobody owns this lead, so it cannot be contacted",)
    gone = move(world.hub, lead.lead_id, "Ann", status="disqualified", reason="spam")
    assert not gone.is_unowned
    assert is_sound(world)


# --- merged and taken apart -----------------------------------------------------------------------


def test_of_merged_leads_the_stage_is_the_furthest_in_the_order_of_the_configuration() -> None:
    world = a_world(STAGES)
    world.send("forms", form(1, "a@example.com"))
    world.send("forms", form(2, "b@example.com"))
    world.settle()
    one, other = sorted(world.leads(), key=lambda lead: lead.created_at)
    move(world.hub, one.lead_id, "Ann", stage="MQL")
    move(world.hub, other.lead_id, "Ann", stage="MQL")
    move(world.hub, other.lead_id, "Ann", stage="trial")
    whole = merge(world.hub, [one.lead_id, other.lead_id], "Ann")
    assert whole.stage == "trial"
    world.settle()
    rest, member = unmerge(world.hub, whole.lead_id, other.lead_id, "Ann")
    assert (rest.stage, member.stage) == ("MQL", "trial")
    world.settle()
    assert is_sound(world)


def test_a_refused_lead_that_is_taken_out_of_a_merge_is_still_refused() -> None:
    world = a_world()
    world.send("forms", form(1, "a@example.com"))
    world.send("forms", form(2, "b@example.com", topic="job"))
    world.settle()
    one, other = sorted(world.leads(), key=lambda lead: lead.triage)
    whole = merge(world.hub, [one.lead_id, other.lead_id], "Ann")
    assert whole.status == "assigned"
    world.settle()
    (member_id,) = whole.members
    unmerge(world.hub, whole.lead_id, member_id, "Ann")
    world.settle()
    (member,) = [lead for lead in world.leads() if lead.lead_id == other.lead_id]
    assert (member.status, member.assignment, member.awaits) == ("disqualified", None, "")
    assert is_sound(world)


def test_the_document_of_stages_is_checked() -> None:
    for stages, problem in (
        ([{"id": "lead"}], "name lead, MQL, SQL, opportunity, customer in this order"),
        ([{"id": "own"}, *STAGES], "in this order"),
    ):
        with pytest.raises(ValueError, match=problem):
            Config.model_validate({"qualifying": {"stages": stages}})
    with pytest.raises(ValueError, match="reason is missing"):
        Config.model_validate({"qualifying": {"triage": [{"id": "a", "does": "refuse"}]}})


def test_a_trial_of_a_source_says_what_would_be_refused() -> None:
    world = a_world()
    body = form(1, MAIL, topic="job").decode()
    told = try_source(world.hub, "forms", {"body": body})
    steps = {step.name: (step.state, step.found) for step in told.steps}
    assert steps["owner"] == ("skipped", "it is refused: job seeker")
    assert steps["score"][1].endswith(", grade D4")
    assert world.leads() == []


def test_an_edit_lets_a_lead_enter_a_stage_and_leaves_its_owner() -> None:
    world = a_world(STAGES)
    before = enquire(world, 1)
    edit(world.hub, before.lead_id, {"seats": "250"}, (), "Ann")
    lead = world.lead()
    assert (before.stage, lead.stage, lead.assignment) == ("IQL", "MQL", before.assignment)
    assert not lead.is_raised
    assert any(line.startswith("Stage MQL: from IQL to MQL") for line in why(world.hub, lead).lines)
    assert is_sound(world)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("score", {"result": "99"}),
        ("score", {"inputs": {"grade": "A1"}}),
        ("score", {"inputs": {"parts": {"own": 1}}}),
        ("triage", {"result": "jobs"}),
        ("stage", {"result": "SQL"}),
    ],
)
def test_a_decision_that_was_tampered_with_is_found(kind: str, change: dict[str, Any]) -> None:
    world = a_world(STAGES)
    lead = enquire(world, 1)
    (item,) = [one for one in world.table.scan() if one["kind"] == "touch"]
    record = touch_record_of(item)
    tampered = tuple(
        one.model_copy(
            update={**change, "inputs": {**one.inputs, **change.get("inputs", {})}}
            if one.kind == kind
            else {}
        )
        for one in record.decisions
    )
    forged = record.model_copy(update={"decisions": tampered})
    world.table.plant(touch_item(lead.lead_id, forged, 1, "somebody"))
    found = [one.kind for one in verify(world.hub, lead.lead_id) if one.problem]
    assert found == [kind]
