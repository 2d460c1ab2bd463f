"""Scoring: who a person is and what they do, as points with reasons that add up exactly."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Literal

from chalicelib.config.model import Engagement, Fit, ScoreRule, Scoring
from chalicelib.lead.conditions import Facts, evaluate, facts_of_lead, facts_of_touch
from chalicelib.lead.model import Lead, Score, Term, Touch

NAMED_TOUCHES = 10
"""A rule's newest touches get a term each; older ones share one, so that a lead stays small."""

FADED_HALVES = 10
"""After so many half-lives even 100 points are none."""

EXACT = Context(prec=34, rounding=ROUND_HALF_EVEN)
"""Decimal arithmetic is the same on every machine; powers of floats need not be."""

RESERVED_RULE_IDS = ("cap", "floor")


def score(lead: Lead, touches: Iterable[Touch], scoring: Scoring, now: datetime) -> Score:
    """Score a lead from its profile and its touches as both stand at a time.

    Args:
        touches: in any order; void ones do not count, and those that are no approach of the
            person's do not count as engagement.

    Returns:
        Total is fit plus engagement, and the terms of each part add up to it; what a cap or the
        floor of zero takes or gives is a term of its own.
    """
    fit_terms = _score_fit(facts_of_lead(lead, now), scoring.fit)
    engagement_terms = _score_engagement(touches, scoring.engagement, now)
    fit = sum(term.points for term in fit_terms)
    engagement = sum(term.points for term in engagement_terms)
    return Score(
        total=fit + engagement,
        fit=fit,
        engagement=engagement,
        terms=(*fit_terms, *engagement_terms),
        scored_at=now,
    )


def decay(points: int, age: timedelta, half_life_days: float | None) -> int:
    """Let points fade: half of them are left after each half-life, rounded half to even.

    Args:
        age: negative counts as none, for a provider's clock may be ahead of ours.
    """
    if half_life_days is None or age <= timedelta(0):
        return points
    half_life = Decimal(str(half_life_days)) * 86_400_000_000
    halves = EXACT.divide(Decimal(age // timedelta(microseconds=1)), half_life)
    if halves >= FADED_HALVES:
        return 0
    left = EXACT.multiply(Decimal(points), EXACT.power(Decimal(2), -halves))
    return int(left.to_integral_value(rounding=ROUND_HALF_EVEN))


def _score_fit(facts: Facts, fit: Fit) -> list[Term]:
    terms: list[Term] = []
    for rule in fit.rules:
        trace = evaluate(rule.when, facts)
        if trace.holds and rule.points:
            because = trace.because
            terms.append(Term(part="fit", rule_id=rule.id, points=rule.points, because=because))
    return _bound(terms, "fit", fit.cap)


def _score_engagement(
    touches: Iterable[Touch], engagement: Engagement, now: datetime
) -> list[Term]:
    counted = sorted(
        (touch for touch in touches if not touch.void and not touch.only_if_known),
        key=lambda touch: (touch.submitted_at, touch.touch_id),
        reverse=True,
    )
    known = [(touch, facts_of_touch(touch)) for touch in counted] if engagement.rules else []
    terms = [
        term
        for rule in engagement.rules
        for term in _score_touches(rule, known, engagement.half_life_days, now)
    ]
    return _bound(terms, "engagement", engagement.cap)


def _score_touches(
    rule: ScoreRule,
    touches: Sequence[tuple[Touch, Facts]],
    half_life_days: float | None,
    now: datetime,
) -> list[Term]:
    """Give the terms of one rule.

    Args:
        touches: with their facts, the newest first.
    """
    terms: list[Term] = []
    fitting = 0
    older_count, older_points = 0, 0
    for touch, facts in touches:
        if rule.at_most is not None and fitting == rule.at_most:
            break
        trace = evaluate(rule.when, facts)
        if not trace.holds:
            continue
        fitting += 1
        points = decay(rule.points, now - touch.submitted_at, half_life_days)
        if not points:
            continue
        if len(terms) == NAMED_TOUCHES:
            older_count, older_points = older_count + 1, older_points + points
            continue
        because = f"{trace.because}, {_day(touch.submitted_at)}"
        if points != rule.points:
            because = f"{because} ({rule.points} when new)"
        terms.append(
            Term(
                part="engagement",
                rule_id=rule.id,
                points=points,
                because=because,
                touch_id=touch.touch_id,
            )
        )
    if older_count:
        because = f"{older_count} earlier touches that fit as well"
        terms.append(Term(part="engagement", rule_id=rule.id, points=older_points, because=because))
    return terms


def _bound(terms: list[Term], part: Literal["fit", "engagement"], cap: int) -> list[Term]:
    """Add the term that brings a part into 0 to its cap, where one is needed."""
    points = sum(term.points for term in terms)
    if points > cap:
        because = f"{part} counts at most {cap}, and {points} were reached"
        terms.append(Term(part=part, rule_id="cap", points=cap - points, because=because))
    elif points < 0:
        because = f"{part} counts at least 0, and {points} were reached"
        terms.append(Term(part=part, rule_id="floor", points=-points, because=because))
    return terms


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
