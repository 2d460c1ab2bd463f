"""Scores: parts with caps, decay, and terms that add up exactly."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config.scoring import Scoring
from chalicelib.lead.model import Lead, ProfileValue, Score, Touch
from chalicelib.lead.scoring import NAMED_TOUCHES, decay, score

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
QUOTE = {"field": "custom.enquiry", "op": "is", "value": "quote"}
ALWAYS: dict[str, Any] = {"all": []}


def make_touch(number: int, age: timedelta, **more: Any) -> Touch:
    return Touch.model_validate(
        {
            "touch_id": f"t{number:03}",
            "source_id": "website",
            "connector": "html_form",
            "external_id": f"e{number}",
            "delivery_id": "d1",
            "submitted_at": NOW - age,
            "received_at": NOW - age,
            "custom": {"enquiry": "quote"},
            **more,
        }
    )


def make_lead(size: int = 250) -> Lead:
    return Lead(
        lead_id="l1",
        version=1,
        created_at=NOW,
        updated_at=NOW,
        custom={"company_size": ProfileValue(value=size, touch_id="t1", at=NOW)},
    )


def make_scoring(
    fit: list[dict[str, Any]] | None = None,
    engagement: list[dict[str, Any]] | None = None,
    half_life_days: float | None = None,
    caps: tuple[int, int] = (60, 40),
) -> Scoring:
    return Scoring.model_validate(
        {
            "fit": {"cap": caps[0], "rules": fit or []},
            "engagement": {
                "cap": caps[1],
                "rules": engagement or [],
                "half_life_days": half_life_days,
            },
        }
    )


def rule(points: int, when: dict[str, Any] = ALWAYS, id: str = "r", **more: Any) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "points": points, "when": when, **more}


def check_sums(result: Score) -> None:
    for part, points in (("fit", result.fit), ("engagement", result.engagement)):
        assert sum(term.points for term in result.terms if term.part == part) == points
    assert result.total == result.fit + result.engagement
    assert result.total == sum(term.points for term in result.terms)
    assert 0 <= result.total <= 100


def test_without_rules_the_score_is_nothing() -> None:
    assert score(make_lead(), [], make_scoring(), NOW) == Score(scored_at=NOW)


def test_a_fit_rule_gives_its_points_and_says_why() -> None:
    large = {"field": "custom.company_size", "op": "at_least", "value": 200}
    result = score(make_lead(250), [], make_scoring(fit=[rule(20, large, "large")]), NOW)
    assert (result.total, result.fit, result.engagement) == (20, 20, 0)
    [term] = result.terms
    assert (term.rule_id, term.points) == ("large", 20)
    assert term.because == "company_size 250 is at least 200"
    assert score(make_lead(50), [], make_scoring(fit=[rule(20, large)]), NOW).terms == ()


def test_engagement_counts_every_touch_that_fits() -> None:
    touches = [make_touch(1, DAY), make_touch(2, 2 * DAY), make_touch(3, DAY, custom={})]
    result = score(make_lead(), touches, make_scoring(engagement=[rule(10, QUOTE)]), NOW)
    assert [term.touch_id for term in result.terms] == ["t001", "t002"]
    assert result.engagement == 20
    assert result.terms[0].because == "enquiry is quote, 2026-03-01"


def test_a_void_touch_does_not_count() -> None:
    touches = [make_touch(1, DAY, void="withdrawn"), make_touch(2, DAY, void="superseded")]
    assert score(make_lead(), touches, make_scoring(engagement=[rule(10)]), NOW).total == 0


def test_a_cap_is_a_term_of_its_own() -> None:
    result = score(make_lead(), [], make_scoring(fit=[rule(50), rule(30, id="s")]), NOW)
    assert [(term.rule_id, term.points) for term in result.terms] == [
        ("r", 50),
        ("s", 30),
        ("cap", -20),
    ]
    assert result.terms[-1].because == "fit counts at most 60, and 80 were reached"
    check_sums(result)


def test_a_part_that_just_reaches_its_cap_needs_no_term() -> None:
    result = score(make_lead(), [], make_scoring(fit=[rule(60)]), NOW)
    assert [term.rule_id for term in result.terms] == ["r"]


def test_the_floor_is_a_term_of_its_own() -> None:
    scoring = make_scoring(fit=[rule(20)], engagement=[rule(-30, id="unsubscribed")])
    result = score(make_lead(), [make_touch(1, DAY)], scoring, NOW)
    assert [(term.rule_id, term.points) for term in result.terms] == [
        ("r", 20),
        ("unsubscribed", -30),
        ("floor", 30),
    ]
    assert result.total == 20
    check_sums(result)


def test_negative_points_lower_their_part_before_the_cap() -> None:
    result = score(make_lead(), [], make_scoring(fit=[rule(90), rule(-50, id="s")]), NOW)
    assert result.fit == 40


def test_at_most_counts_the_newest_touches() -> None:
    touches = [make_touch(number, number * DAY) for number in (3, 1, 2)]
    result = score(make_lead(), touches, make_scoring(engagement=[rule(5, at_most=2)]), NOW)
    assert [term.touch_id for term in result.terms] == ["t001", "t002"]


def test_points_halve_with_each_half_life() -> None:
    touches = [make_touch(0, 0 * DAY), make_touch(1, 30 * DAY), make_touch(2, 60 * DAY)]
    scoring = make_scoring(engagement=[rule(16)], half_life_days=30)
    result = score(make_lead(), touches, scoring, NOW)
    assert [term.points for term in result.terms] == [16, 8, 4]
    assert result.terms[1].because.endswith("(16 when new)")


@pytest.mark.parametrize(
    ("points", "days", "half_life", "expected"),
    [
        (10, 0, 30, 10),
        (10, -5, 30, 10),
        (10, 1000, None, 10),
        (5, 30, 30, 2),
        (7, 30, 30, 4),
        (-5, 30, 30, -2),
        (100, 15, 30, 71),
        (100, 300, 30, 0),
        (100, 36500, 0.000001, 0),
        (1, 1, 36500, 1),
    ],
)
def test_decay_rounds_half_to_even(
    points: int, days: int, half_life: float | None, expected: int
) -> None:
    assert decay(points, days * DAY, half_life) == expected


@given(
    st.integers(-100, 100),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)),
    st.floats(min_value=0.01, max_value=36500),
)
def test_points_never_grow_with_age(
    points: int, age: timedelta, more: timedelta, half_life: float
) -> None:
    younger, older = decay(points, age, half_life), decay(points, age + more, half_life)
    assert abs(older) <= abs(younger) <= abs(points)
    assert older * points >= 0


rules = st.lists(
    st.builds(
        lambda number, points, at_most, when: rule(points, when, f"r{number}", at_most=at_most),
        st.integers(0, 9),
        st.integers(-100, 100),
        st.none() | st.integers(1, 5),
        st.sampled_from([ALWAYS, QUOTE, {"field": "source", "op": "is", "value": "events"}]),
    ),
    max_size=4,
)
touch_lists = st.lists(
    st.builds(
        lambda number, seconds, void: make_touch(number, timedelta(seconds=seconds), void=void),
        st.integers(0, 999),
        st.integers(-10_000, 40_000_000),
        st.sampled_from(["", "", "", "withdrawn"]),
    ),
    max_size=25,
    unique_by=lambda touch: touch.touch_id,
)


@settings(max_examples=80, deadline=None)
@given(
    rules,
    rules,
    touch_lists,
    st.integers(0, 100),
    st.none() | st.floats(min_value=0.01, max_value=1000),
    st.randoms(use_true_random=False),
)
def test_terms_add_up_within_bounds_whatever_the_order_of_touches(
    fit: list[dict[str, Any]],
    engagement: list[dict[str, Any]],
    touches: list[Touch],
    cap: int,
    half_life: float | None,
    shuffler: random.Random,
) -> None:
    scoring = make_scoring(fit, engagement, half_life, (cap, 100 - cap))
    result = score(make_lead(), touches, scoring, NOW)
    check_sums(result)
    assert result.fit <= cap
    assert result.engagement <= 100 - cap
    shuffled = list(touches)
    shuffler.shuffle(shuffled)
    assert score(make_lead(), shuffled, scoring, NOW) == result


def test_touches_of_one_instant_have_an_order() -> None:
    touches = [make_touch(number, DAY) for number in range(4)]
    scoring = make_scoring(engagement=[rule(5, at_most=2)])
    one, other = (score(make_lead(), order, scoring, NOW) for order in (touches, touches[::-1]))
    assert one == other


def test_many_touches_do_not_make_a_lead_large() -> None:
    touches = [make_touch(number, number * DAY) for number in range(500)]
    scoring = make_scoring(engagement=[rule(1)])
    result = score(make_lead(), touches, scoring, NOW)
    assert len(result.terms) == NAMED_TOUCHES + 2
    assert result.terms[-2].because == "490 earlier touches that fit as well"
    assert result.terms[-2].points == 490
    check_sums(result)


def test_a_score_is_the_same_from_stored_values() -> None:
    scoring = make_scoring([rule(10)], [rule(7, QUOTE)], 14)
    touches = [make_touch(number, number * DAY) for number in range(6)]
    stored = [Touch.model_validate_json(touch.model_dump_json()) for touch in touches]
    lead = Lead.model_validate_json(make_lead().model_dump_json())
    again = Scoring.model_validate_json(scoring.model_dump_json())
    assert score(lead, stored, again, NOW) == score(make_lead(), touches, scoring, NOW)
