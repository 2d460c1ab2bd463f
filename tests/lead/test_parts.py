"""Parts of the admin's own, groups, counts of touches, vetoes and grades: terms always add up."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.config.model import Merging
from chalicelib.config.scoring import Scoring
from chalicelib.lead.folding import fold
from chalicelib.lead.grades import possible_grades
from chalicelib.lead.model import Lead, Score, Touch
from chalicelib.lead.scoring import (
    adds_up,
    changes_with_time,
    fall,
    may_change,
    score,
    sum_in_words,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DEMO = {"field": "custom.asks", "op": "is", "value": "demo"}
FROM_WEB = {"field": "source", "op": "is", "value": "web"}


def make_touch(number: int, days: float, asks: str = "demo", source: str = "web") -> Touch:
    return Touch.model_validate(
        {
            "touch_id": f"t{number:03}",
            "source_id": source,
            "connector": "html_form",
            "external_id": f"e{number}",
            "delivery_id": "d1",
            "submitted_at": NOW - days * DAY,
            "received_at": NOW - days * DAY,
            "custom": {"asks": asks},
        }
    )


def make_lead(touches: list[Touch]) -> Lead:
    bare = Lead(lead_id="l1", version=1, created_at=NOW, updated_at=NOW)
    return fold(bare, touches, NOW, Merging())


def scored(touches: list[Touch], at: datetime = NOW, **scoring: Any) -> Score:
    found = score(make_lead(touches), touches, Scoring.model_validate(scoring), at)
    assert adds_up(found)
    return found


def terms(found: Score) -> list[tuple[str, str, int]]:
    return [(term.part, term.rule_id, term.points) for term in found.terms]


def test_a_part_of_your_own_counts_in_the_total() -> None:
    rules = [{"id": "asks", "when": {"field": "custom.asks", "op": "exists"}, "points": 12}]
    found = scored(
        [make_touch(1, 1)], fit={"cap": 40}, parts={"ready": {"cap": 10, "rules": rules}}
    )
    assert (found.total, found.fit, found.parts) == (10, 0, {"ready": 10})
    assert terms(found) == [("ready", "asks", 12), ("ready", "cap", -2)]
    assert sum_in_words(found) == "fit 0 + engagement 0 + ready 10"


def test_a_part_may_stand_beside_the_total() -> None:
    part = {"cap": 80, "in_total": False, "rules": [{"id": "any", "points": 70}]}
    found = scored([make_touch(1, 1)], parts={"topic": part})
    assert (found.total, found.parts) == (0, {"topic": 70})
    assert sum_in_words(found) == "fit 0 + engagement 0; beside it topic 70"


def test_a_part_of_your_own_may_count_touches() -> None:
    rule = {"id": "demo", "when": DEMO, "points": 4, "over": "touches", "at_most": 2}
    part = {"cap": 10, "half_life_days": 10, "rules": [rule]}
    touches = [make_touch(1, 0), make_touch(2, 10), make_touch(3, 20)]
    found = scored(touches, fit={"cap": 50}, parts={"wants": part})
    assert terms(found) == [("wants", "demo", 4), ("wants", "demo", 2)]


def test_a_group_has_a_cap_and_a_floor_of_its_own() -> None:
    groups = {"web": {"cap": 15, "title": "Website"}, "bad": {"floor": -10}}
    rules = [
        {"id": "a", "points": 10, "group": "web"},
        {"id": "b", "points": 10, "group": "web"},
        {"id": "c", "points": 20},
        {"id": "d", "points": -30, "group": "bad"},
    ]
    found = scored([], fit={"groups": groups, "rules": rules})
    assert found.fit == 15 + 20 - 10
    assert terms(found)[-2:] == [("fit", "floor:bad", 20), ("fit", "cap:web", -5)]
    assert found.terms[-1].because == "Website counts at most 15, and 20 were reached"
    assert found.terms[-2].because == "bad takes off at most 10, and 30 were reached"


def test_a_count_within_a_window_gates_a_rule() -> None:
    wanted = {"when": FROM_WEB, "at_least": 3, "within_days": 14}
    rule = {"id": "keen", "points": 20, "touches": wanted}
    many = [make_touch(1, 1), make_touch(2, 5), make_touch(3, 13)]
    [term] = scored(many, fit={"rules": [rule]}).terms
    assert term.because == "3 touches where source is web in 14 days is at least 3"
    few = [make_touch(1, 1), make_touch(2, 5), make_touch(3, 15)]
    assert scored(few, fit={"rules": [rule]}).terms == ()
    others = [make_touch(1, 1), make_touch(2, 5), make_touch(3, 13, source="fair")]
    assert scored(others, fit={"rules": [rule]}).terms == ()


def test_the_end_of_a_window_belongs_to_it() -> None:
    rule = {"id": "r", "points": 20, "touches": {"within_days": 14}}
    assert scored([make_touch(1, 14)], fit={"rules": [rule]}).total == 20
    assert scored([make_touch(1, 14.001)], fit={"rules": [rule]}).total == 0


def test_silence_can_be_asked_for_by_a_count_or_by_days_since_the_last_touch() -> None:
    silent = {"id": "silent", "points": -10, "touches": {"at_most": 0, "within_days": 30}}
    since = {"field": "days_since_touch", "op": "at_least", "value": 30}
    for rule in (silent, {"id": "silent", "points": -10, "when": since}):
        fit = {"rules": [{"id": "base", "points": 50}, rule]}
        assert scored([make_touch(1, 29)], fit=fit).total == 50
        assert scored([make_touch(1, 31)], fit=fit).total == 40


def test_a_rule_has_a_half_life_of_its_own() -> None:
    rules = [
        {"id": "fast", "when": DEMO, "points": 16, "half_life_days": 5},
        {"id": "never", "when": DEMO, "points": 10, "half_life_days": 0},
        {"id": "usual", "when": DEMO, "points": 8},
    ]
    found = scored([make_touch(1, 10)], engagement={"half_life_days": 10, "rules": rules})
    assert [points for _, _, points in terms(found)] == [4, 10, 4]
    assert found.terms[0].because.endswith("(16 when new)")


def test_a_rule_over_the_lead_fades_since_the_last_touch_or_the_last_that_was_counted() -> None:
    touches = [make_touch(1, 0, asks="news"), make_touch(2, 10)]
    rule = {"id": "r", "points": 16, "half_life_days": 10}
    assert scored(touches, fit={"rules": [rule]}).total == 16
    counted = {**rule, "touches": {"when": DEMO}}
    assert scored(touches, fit={"rules": [counted]}).total == 8


def test_points_may_fall_evenly_or_end_at_once() -> None:
    linear = {"id": "linear", "when": DEMO, "points": 20, "linear_days": 20}
    assert scored([make_touch(1, 5)], engagement={"rules": [linear]}).total == 15
    assert scored([make_touch(1, 20)], engagement={"rules": [linear]}).total == 0
    step = {"id": "step", "when": DEMO, "points": 20, "within_days": 20}
    assert scored([make_touch(1, 19)], engagement={"rules": [step]}).total == 20
    assert scored([make_touch(1, 21)], engagement={"rules": [step]}).total == 0


def test_a_veto_is_a_term_of_its_own() -> None:
    rival = {"id": "rival", "when": {"field": "source", "op": "is", "value": "rival"}}
    fit = {"rules": [{"id": "base", "points": 45}]}
    found = scored([make_touch(1, 1, source="rival")], fit=fit, vetoes=[rival])
    assert (found.total, found.fit) == (0, 45)
    assert terms(found) == [("fit", "base", 45), ("total", "rival", -45)]
    assert found.terms[-1].because == "the score is at most 0, for source is rival"
    assert sum_in_words(found) == "fit 45 + engagement 0 - 45 by veto"
    assert scored([make_touch(1, 1)], fit=fit, vetoes=[rival]).total == 45


def test_of_several_vetoes_the_strictest_counts_and_each_says_what_it_took() -> None:
    vetoes = [{"id": "a", "at_most": 30}, {"id": "b", "at_most": 10}, {"id": "c", "at_most": 20}]
    found = scored([], fit={"rules": [{"id": "base", "points": 45}]}, vetoes=vetoes)
    assert found.total == 10
    assert terms(found)[1:] == [("total", "a", -15), ("total", "b", -20)]


GRADES = {
    "first": {"part": "fit", "from": {"A": 40, "B": 20, "C": 10, "D": 0}},
    "second": {"part": "engagement", "from": {"1": 30, "2": 20, "3": 10, "4": 0}},
}


@pytest.mark.parametrize(
    ("fit", "engagement", "expected"),
    [(60, 40, "A1"), (40, 30, "A1"), (39, 29, "B2"), (10, 9, "C4"), (0, 0, "D4"), (20, 0, "B4")],
)
def test_a_grade_is_made_of_two_parts(fit: int, engagement: int, expected: str) -> None:
    found = scored(
        [make_touch(1, 0)],
        fit={"rules": [{"id": "f", "points": fit}]},
        engagement={"rules": [{"id": "e", "points": engagement}]},
        grades=GRADES,
    )
    assert found.grade == expected


def test_a_veto_lowers_the_grade_too() -> None:
    fit = {"rules": [{"id": "f", "points": 60}]}
    veto = [{"id": "v", "at_most": 15}]
    assert scored([], fit=fit, grades=GRADES, vetoes=veto).grade == "C4"


def test_a_grade_may_be_of_the_total_alone() -> None:
    grades = {"first": {"part": "total", "from": {"hot": 50, "cold": 0}}}
    assert scored([], fit={"rules": [{"id": "f", "points": 60}]}, grades=grades).grade == "hot"
    assert scored([], grades=grades).grade == "cold"


def test_all_grades_can_be_named() -> None:
    found = Scoring.model_validate({"grades": GRADES}).grades
    assert possible_grades(found)[:5] == ("A1", "A2", "A3", "A4", "B1")
    assert len(possible_grades(found)) == 16
    assert possible_grades(None) == ()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"parts": {"own": {"cap": 1}}}, "together are at most 100"),
        (
            {"fit": {"rules": [{"id": "a", "points": 1, "linear_days": 1, "half_life_days": 1}]}},
            "only one of them",
        ),
        ({"grades": {"first": {"part": "fit", "from": {"A": 10}}}}, "begins at 0"),
        ({"grades": {"first": {"part": "fit", "from": {"A": 0, "B": 0}}}}, "the same points"),
        ({"vetoes": [{"id": "v", "touches": {"at_least": 2, "at_most": 1}}]}, "less than"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Scoring.model_validate(wrong)


@pytest.mark.parametrize(
    ("scoring", "expected"),
    [
        ({}, False),
        ({"fit": {"rules": [{"id": "a", "points": 1}]}}, False),
        ({"engagement": {"half_life_days": 9}}, False),
        ({"engagement": {"half_life_days": 9, "rules": [{"id": "a", "points": 1}]}}, True),
        (
            {
                "engagement": {
                    "half_life_days": 9,
                    "rules": [{"id": "a", "points": 1, "half_life_days": 0}],
                }
            },
            False,
        ),
        ({"engagement": {"rules": [{"id": "a", "points": 1, "within_days": 3}]}}, True),
        ({"fit": {"rules": [{"id": "a", "points": 1, "linear_days": 3}]}}, True),
        ({"fit": {"rules": [{"id": "a", "points": 1, "touches": {"within_days": 3}}]}}, True),
        ({"fit": {"rules": [{"id": "a", "points": 1, "touches": {"at_least": 3}}]}}, False),
        (
            {
                "fit": {
                    "rules": [
                        {"id": "a", "points": 1, "when": {"field": "days_known", "op": "exists"}}
                    ]
                }
            },
            True,
        ),
        ({"vetoes": [{"id": "v", "touches": {"within_days": 3}}]}, True),
    ],
)
def test_what_time_alone_changes_is_known(scoring: dict[str, Any], expected: bool) -> None:
    assert changes_with_time(Scoring.model_validate(scoring)) == expected


def test_a_faded_score_need_not_be_looked_at_again() -> None:
    scoring: dict[str, Any] = {
        "engagement": {"half_life_days": 9, "rules": [{"id": "a", "points": 9}]}
    }
    rules = Scoring.model_validate(scoring)
    assert may_change(scored([make_touch(1, 1)], **scoring), rules)
    assert not may_change(scored([make_touch(1, 900)], **scoring), rules)


def test_points_fall_evenly_and_never_below_nothing() -> None:
    assert [fall(10, days * DAY, 10) for days in (-1, 0, 3, 5, 10, 11)] == [10, 10, 7, 5, 0, 0]


# --- any configuration, any lead --------------------------------------------------------------

days = st.sampled_from([0.5, 3, 14, 60])
conditions = st.sampled_from([DEMO, FROM_WEB, {"all": []}, {"not": DEMO}])
lead_conditions = st.sampled_from(
    [
        DEMO,
        {"all": []},
        {"field": "days_since_touch", "op": "at_least", "value": 7},
        {"field": "touch_count", "op": "more_than", "value": 2},
    ]
)
counts = st.none() | st.fixed_dictionaries(
    {"when": conditions},
    optional={"within_days": days, "at_least": st.integers(1, 4), "at_most": st.integers(4, 6)},
)


def some_rules(over: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    when = lead_conditions if over == "lead" else conditions
    rule = st.fixed_dictionaries(
        {
            "points": st.integers(-100, 100),
            "when": when,
            "over": st.just(over),
            "touches": counts,
            "group": st.sampled_from(["", "g", "h"]),
        },
        optional={"half_life_days": st.sampled_from([0, 5.5, 30])},
    )
    return st.lists(rule, max_size=4)


@st.composite
def parts(draw: st.DrawFn, cap: int) -> dict[str, Any]:
    found = draw(some_rules("lead")) + draw(some_rules("touches"))
    groups = {
        name: {"cap": draw(st.integers(0, 100)), "floor": draw(st.integers(-100, 0))}
        for name in ("g", "h")
    }
    rules = [{**rule, "id": f"r{number}"} for number, rule in enumerate(found)]
    return {"cap": cap, "groups": groups, "rules": rules}


@st.composite
def scorings(draw: st.DrawFn) -> Scoring:
    caps = [draw(st.integers(0, 33)) for _ in range(3)]
    own = {
        "third": draw(parts(caps[2])),
        "beside": {**draw(parts(100)), "in_total": False, "half_life_days": 9},
    }
    veto = st.fixed_dictionaries(
        {"when": lead_conditions, "touches": counts, "at_most": st.integers(0, 60)}
    )
    vetoes = [{**v, "id": f"v{n}"} for n, v in enumerate(draw(st.lists(veto, max_size=3)))]
    return Scoring.model_validate(
        {
            "fit": draw(parts(caps[0])),
            "engagement": {**draw(parts(caps[1])), "half_life_days": draw(days)},
            "parts": own,
            "vetoes": vetoes,
            "grades": draw(st.none() | st.just(GRADES)),
        }
    )


touch_lists = st.lists(
    st.builds(
        make_touch,
        st.integers(0, 999),
        st.floats(-1, 100),
        st.sampled_from(["demo", "news"]),
        st.sampled_from(["web", "fair"]),
    ),
    max_size=15,
    unique_by=lambda touch: touch.touch_id,
)


@settings(max_examples=150, deadline=None)
@given(scorings(), touch_lists, st.floats(0, 400), st.randoms(use_true_random=False))
def test_terms_add_up_whatever_the_rules_the_lead_and_the_time(
    scoring: Scoring, touches: list[Touch], later: float, shuffler: random.Random
) -> None:
    at = NOW + later * DAY
    lead = make_lead(touches)
    found = score(lead, touches, scoring, at)
    assert adds_up(found)
    assert sum(t.points for t in found.terms if t.part not in found.beside) == found.total
    assert 0 <= found.total <= 100
    reached = {"fit": found.fit, "engagement": found.engagement, **found.parts}
    caps = {"fit": scoring.fit.cap, "engagement": scoring.engagement.cap}
    caps |= {name: part.cap for name, part in scoring.parts.items()}
    assert all(0 <= reached[name] <= caps[name] for name in caps)
    assert all(term.points and term.because for term in found.terms)
    assert not scoring.grades or found.grade in possible_grades(scoring.grades)
    shuffled = list(touches)
    shuffler.shuffle(shuffled)
    again = Scoring.model_validate_json(scoring.model_dump_json(by_alias=True))
    assert score(lead, shuffled, again, at) == found


@settings(max_examples=60, deadline=None)
@given(scorings(), touch_lists, st.integers(0, 200))
def test_a_score_that_time_cannot_change_stays(
    scoring: Scoring, touches: list[Touch], later: int
) -> None:
    lead = make_lead(touches)
    before = score(lead, touches, scoring, NOW)
    after = score(lead, touches, scoring, NOW + later * DAY)
    same = after.model_copy(update={"scored_at": NOW}) == before
    assert same or changes_with_time(scoring)
    assert same or may_change(before, scoring)


def test_a_veto_that_may_pass_or_come_is_looked_at_again() -> None:
    scoring: dict[str, Any] = {"vetoes": [{"id": "v", "touches": {"within_days": 3}}]}
    assert may_change(scored([], **scoring), Scoring.model_validate(scoring))
    assert not may_change(scored([]), Scoring())
