"""Triage and stages: decided on facts that are kept, so that any decision can be made again."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config.model import Config
from chalicelib.config.qualifying import Qualifying
from chalicelib.lead.merging import further
from chalicelib.lead.model import STAGES, Assignment, Decision, Lead, Score, Status
from chalicelib.lead.qualifying import (
    asked_of,
    asked_then,
    entries_change_with_time,
    find_stage,
    has_entries,
    is_further,
    made_for,
    made_then,
    triage,
    why_not,
    why_not_status,
)
from tests.lead.test_parts import make_touch

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_lead(stage: str = "lead", total: int = 0, **more: Any) -> Lead:
    score = Score(total=total, fit=total, scored_at=NOW)
    return Lead(
        lead_id="l1", version=1, created_at=NOW, updated_at=NOW, stage=stage, score=score, **more
    )


def at_least(score: int) -> dict[str, Any]:
    return {"when": {"field": "score", "op": "at_least", "value": score}}


def staged(lead: Lead, stages: list[dict[str, Any]], touches: Any = ()) -> tuple[str, Decision]:
    config = Config.model_validate({"qualifying": {"stages": stages}})
    made = made_for(lead, "hash", "test", NOW)
    found, decision = find_stage(asked_of(lead, touches, NOW), config, made)
    stored = Decision.model_validate_json(decision.model_dump_json())
    assert find_stage(asked_then(stored), config, made_then(stored)) == (found, decision)
    return found, decision


PLAIN = [{"id": name} for name in STAGES]


def with_entries(**entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**stage, **entries.get(stage["id"], {})} for stage in PLAIN]


def test_the_furthest_stage_whose_entry_holds_is_entered() -> None:
    stages = with_entries(MQL={"enter": at_least(10)}, SQL={"enter": at_least(20)})
    assert staged(make_lead(total=25), stages)[0] == "SQL"
    assert staged(make_lead(total=15), stages)[0] == "MQL"
    found, decision = staged(make_lead(total=5), stages)
    assert (found, decision.because) == ("lead", "stays as it is")
    assert [one.candidate for one in decision.candidates] == ["SQL", "MQL"]


def test_the_hub_never_moves_a_lead_back_by_itself() -> None:
    stages = with_entries(MQL={"enter": at_least(10)})
    assert staged(make_lead("opportunity", 50), stages)[0] == "opportunity"


def test_unless_the_stage_says_that_leads_come_back_from_there() -> None:
    stages = with_entries(MQL={"enter": at_least(10), "from": ["SQL"]})
    assert staged(make_lead("SQL", 50), stages)[0] == "MQL"
    assert staged(make_lead("lead", 50), stages)[0] == "lead"


def test_a_lead_goes_on_through_a_stage_that_it_must_come_by() -> None:
    stages = with_entries(MQL={"enter": at_least(10)}, SQL={"enter": at_least(20), "from": ["MQL"]})
    found, decision = staged(make_lead(total=30), stages)
    assert found == "SQL"
    assert decision.because == "from lead to MQL and on to SQL: score 30 is at least 20"


def test_stages_that_lead_to_each_other_come_to_an_end() -> None:
    stages = with_entries(
        MQL={"enter": {}, "from": ["SQL", "lead"]}, SQL={"enter": {}, "from": ["MQL"]}
    )
    assert staged(make_lead("MQL"), stages)[0] == "SQL"
    assert staged(make_lead("SQL"), stages)[0] == "MQL"


def test_an_entry_may_count_touches_and_ask_for_the_stage_itself() -> None:
    entry = {
        "when": {"field": "stage", "op": "is", "value": "lead"},
        "touches": {"within_days": 3, "at_least": 2},
    }
    stages = with_entries(MQL={"enter": entry})
    two = [make_touch(1, 1), make_touch(2, 2)]
    found, decision = staged(make_lead(), stages, two)
    assert (found, decision.inputs["counts"]) == ("MQL", {"MQL": 2})
    assert staged(make_lead(), stages, two[:1])[0] == "lead"


@pytest.mark.parametrize(
    ("before", "after", "by", "expected"),
    [
        ("lead", "MQL", "hub", ""),
        ("MQL", "lead", "person", ""),
        ("MQL", "lead", "hub", "lead does not come after MQL"),
        ("gone", "MQL", "hub", ""),
        ("lead", "won", "person", "there is no stage won; expected one of lead, MQL, SQL"),
    ],
)
def test_without_stages_of_its_own_moves_are_free(
    before: str, after: str, by: Any, expected: str
) -> None:
    assert why_not(Qualifying(), before, after, by).startswith(expected)
    assert bool(why_not(Qualifying(), before, after, by)) == bool(expected)


@pytest.mark.parametrize(
    ("status", "to", "is_owned", "expected"),
    [
        ("assigned", "contacted", True, ""),
        ("qualified", "contacted", True, ""),
        ("disqualified", "new", False, ""),
        ("new", "disqualified", False, ""),
        ("new", "contacted", False, "nobody owns this lead, so it cannot be contacted"),
        ("new", "assigned", False, "from new a lead goes to contacted or qualified or"),
        ("disqualified", "qualified", True, "from disqualified a lead goes to new, not to"),
    ],
)
def test_moves_of_status(status: Status, to: Status, is_owned: bool, expected: str) -> None:
    owner = Assignment(assignment_id="a", owner_id="ann", pool_id="p", rule_id="r", assigned_at=NOW)
    lead = make_lead(status=status, assignment=owner if is_owned else None)
    found = why_not_status(lead, to)
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


def test_a_stage_that_is_gone_from_the_configuration_is_the_least() -> None:
    order = ("lead", "own", "MQL")
    assert further(("gone", "lead"), order) == "lead"
    assert further(("MQL", "own"), order) == further(("own", "MQL"), order) == "MQL"
    assert is_further("lead", "gone", order)
    assert not is_further("own", "own", order)


def test_what_depends_on_time_is_known() -> None:
    timely = Qualifying.model_validate(
        {"stages": with_entries(MQL={"enter": {"touches": {"within_days": 3}}})}
    )
    by_score = Qualifying.model_validate({"stages": with_entries(MQL={"enter": at_least(3)})})
    assert entries_change_with_time(timely)
    assert not entries_change_with_time(by_score)
    assert has_entries(by_score)
    assert not has_entries(Qualifying())


counts = st.fixed_dictionaries(
    {}, optional={"within_days": st.sampled_from([1, 30]), "at_least": st.integers(1, 3)}
)
whens = st.sampled_from(
    [
        {"all": []},
        {"field": "score", "op": "at_least", "value": 40},
        {"field": "stage", "op": "is_not", "value": "MQL"},
        {"field": "flags", "op": "contains", "value": "disposable"},
    ]
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(whens, st.none() | counts), min_size=5, max_size=5),
    st.sets(st.sampled_from(STAGES), max_size=3),
    st.integers(0, 100),
    st.sampled_from(STAGES),
    st.lists(st.floats(0, 60), max_size=4),
)
def test_any_decision_can_be_made_again_and_makes_only_legal_moves(
    gates: list[tuple[Any, Any]], froms: set[str], total: int, stage: str, ages: list[float]
) -> None:
    touches = [make_touch(number, age) for number, age in enumerate(ages)]
    entries = [{"when": when, "touches": wanted} for when, wanted in gates]
    stages: list[dict[str, Any]] = [
        {"id": name, "enter": entry} for name, entry in zip(STAGES, entries, strict=True)
    ]
    stages[2] |= {"from": sorted(froms)}
    rules = [{"id": f"t{n}", "does": "ask_for_more", **entry} for n, entry in enumerate(entries)]
    config = Config.model_validate({"qualifying": {"stages": stages, "triage": rules}})
    lead = make_lead(stage, total, flags=("disposable",))
    found, decision = staged(lead, stages, touches)
    if found == "SQL" != stage:
        assert froms
    # Only by a stage that may be entered from a later one does a lead go back.
    assert froms or STAGES.index(found) >= STAGES.index(stage)
    asked, made = asked_of(lead, touches, NOW), made_for(lead, "hash", "test", NOW)
    picked, judged = triage(asked, config, made)
    stored = Decision.model_validate_json(judged.model_dump_json())
    assert triage(asked_then(stored), config, made_then(stored)) == (picked, judged)
    assert decision.decided_at == NOW
