"""Scoring: who a person is and what they do, as points with reasons that add up exactly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from chalicelib.config.condition import All
from chalicelib.config.scoring import Group, Part, ScoreRule, Scoring, Veto
from chalicelib.lead.conditions import Facts, evaluate, facts_of_lead
from chalicelib.lead.counting import (
    Counted,
    History,
    count,
    history_of,
    is_timely,
    is_too_old,
    judge,
)
from chalicelib.lead.grades import TOTAL, grade
from chalicelib.lead.model import Lead, Score, Term, Touch

NAMED_TOUCHES = 10
"""A rule's newest touches get a term each; older ones share one, so that a lead stays small."""

FADED_HALVES = 10
"""After so many half-lives even 100 points are none."""

EXACT = Context(prec=34, rounding=ROUND_HALF_EVEN)
"""Decimal arithmetic is the same on every machine; powers of floats need not be."""

RESERVED_RULE_IDS = ("cap", "floor")

RESERVED_PARTS = ("fit", "engagement", TOTAL, "score")

MICROSECOND = timedelta(microseconds=1)
DAY_MICROSECONDS = 86_400_000_000

ALWAYS = All(all=())


@dataclass(frozen=True)
class Scored:
    """What a score is made from: a lead and its touches at a time."""

    facts: Facts
    history: History
    last_at: datetime | None
    now: datetime


def score(lead: Lead, touches: Iterable[Touch], scoring: Scoring, now: datetime) -> Score:
    """Score a lead from its profile and its touches as both stand at a time.

    Args:
        touches: in any order; void ones do not count, and those that are no approach of the
            person's do not count as engagement.

    Returns:
        Total is the sum of the parts that belong to it and of what vetoes took, and the terms of
        each part add up to it; what a cap, the floor of zero or a veto takes or gives is a term
        of its own.
    """
    last_at = lead.last_touch.at if lead.last_touch else None
    scored = Scored(facts_of_lead(lead, now), history_of(touches), last_at, now)
    terms: list[Term] = []
    reached: dict[str, int] = {}
    for name, part in parts_of(scoring).items():
        found = _score_part(name, part, scored)
        reached[name] = sum(term.points for term in found)
        terms += found
    beside = tuple(name for name in sorted(scoring.parts) if not scoring.parts[name].in_total)
    before = sum(points for name, points in reached.items() if name not in beside)
    vetoed, limit = _veto(scoring.vetoes, before, scored)
    total = before + sum(term.points for term in vetoed)
    return Score(
        total=total,
        fit=reached["fit"],
        engagement=reached["engagement"],
        parts={name: reached[name] for name in sorted(scoring.parts)},
        beside=beside,
        grade=grade({**reached, TOTAL: total}, scoring.grades, limit),
        terms=(*terms, *vetoed),
        scored_at=now,
    )


def parts_of(scoring: Scoring) -> Mapping[str, Part]:
    """Give every part by its id: fit, engagement, then the admin's own."""
    fit, engagement = scoring.fit, scoring.engagement
    return {
        "fit": Part(cap=fit.cap, groups=fit.groups, rules=fit.rules),
        "engagement": Part(
            cap=engagement.cap,
            half_life_days=engagement.half_life_days,
            groups=engagement.groups,
            rules=engagement.rules,
        ),
        # Documents do not keep the order of their keys.
        **{name: scoring.parts[name] for name in sorted(scoring.parts)},
    }


def is_over_touches(part: str, rule: ScoreRule) -> bool:
    """Say whether a rule counts for each touch, and not once for the lead."""
    return rule.over == "touches" or (not rule.over and part == "engagement")


def adds_up(result: Score) -> bool:
    """Say whether the terms of a score come to each of its parts, and the parts to the total."""
    parts = {"fit": result.fit, "engagement": result.engagement, **result.parts}
    sums = dict.fromkeys((*parts, TOTAL), 0)
    for term in result.terms:
        sums[term.part] = sums.get(term.part, 0) + term.points
    vetoed = sums.pop(TOTAL)
    total = sum(points for name, points in parts.items() if name not in result.beside)
    return sums == parts and total + vetoed == result.total


def sum_in_words(result: Score) -> str:
    """Write how a total is made: `fit 30 + engagement 15 - 5 by vetoes`; or `and` for others."""
    parts = {"fit": result.fit, "engagement": result.engagement, **result.parts}
    said = " + ".join(f"{name} {parts[name]}" for name in parts if name not in result.beside)
    vetoed = sum(term.points for term in result.terms if term.part == TOTAL)
    said += f" - {-vetoed} by veto" if vetoed else ""
    beside = ", ".join(f"{name} {parts[name]}" for name in result.beside)
    return said + (f"; beside it {beside}" if beside else "")


def decay(points: int, age: timedelta, half_life_days: float | None) -> int:
    """Let points fade: half of them are left after each half-life, rounded half to even.

    Args:
        age: negative counts as none, for a provider's clock may be ahead of ours.
    """
    if half_life_days is None or age <= timedelta(0):
        return points
    half_life = Decimal(str(half_life_days)) * DAY_MICROSECONDS
    halves = EXACT.divide(Decimal(age // MICROSECOND), half_life)
    if halves >= FADED_HALVES:
        return 0
    left = EXACT.multiply(Decimal(points), EXACT.power(Decimal(2), -halves))
    return int(left.to_integral_value(rounding=ROUND_HALF_EVEN))


def fall(points: int, age: timedelta, linear_days: float) -> int:
    """Let points fall evenly to none, rounded half to even; see decay."""
    length = Decimal(str(linear_days)) * DAY_MICROSECONDS
    left = length - max(age // MICROSECOND, 0)
    if left <= 0:
        return 0
    share = EXACT.divide(EXACT.multiply(Decimal(points), left), length)
    return int(share.to_integral_value(rounding=ROUND_HALF_EVEN))


def fades(rule: ScoreRule, part: Part, *, by_touch: bool) -> bool:
    """Say whether the points of a rule become less with time."""
    own = rule.half_life_days
    return bool(
        rule.linear_days or own or (own is None and by_touch and part.half_life_days is not None)
    )


def changes_with_time(scoring: Scoring) -> bool:
    """Say whether time alone may change any score."""
    if any(is_timely(veto.when, veto.touches) for veto in scoring.vetoes):
        return True
    return any(
        fades(rule, part, by_touch=is_over_touches(name, rule)) or _is_sudden(name, rule)
        for name, part in parts_of(scoring).items()
        for rule in part.rules
    )


def may_change(result: Score, scoring: Scoring) -> bool:
    """Say whether time may change this very score, as far as that can be told without touches."""
    parts = parts_of(scoring)
    if any(is_timely(veto.when, veto.touches) for veto in scoring.vetoes) or any(
        _is_sudden(name, rule) for name, part in parts.items() for rule in part.rules
    ):
        return True
    fading = {
        (name, rule.id)
        for name, part in parts.items()
        for rule in part.rules
        if fades(rule, part, by_touch=is_over_touches(name, rule))
    }
    return any((term.part, term.rule_id) in fading for term in result.terms)


def _is_sudden(part: str, rule: ScoreRule) -> bool:
    """Say whether a rule fits, or does not fit any more, from one moment to the next."""
    if is_over_touches(part, rule):
        wanted = rule.touches
        return rule.within_days is not None or bool(wanted and wanted.within_days)
    return is_timely(rule.when, rule.touches)


def _score_part(name: str, part: Part, scored: Scored) -> list[Term]:
    terms: list[Term] = []
    for rule in part.rules:
        counted = count(scored.history, rule.touches, scored.now) if rule.touches else Counted(0)
        if is_over_touches(name, rule):
            terms += _score_touches(name, part, rule, counted, scored)
        else:
            terms += _score_lead(name, part, rule, counted, scored)
    terms += _bound_groups(name, part, terms)
    return _bound(terms, name, part.cap)


def _score_lead(
    name: str, part: Part, rule: ScoreRule, counted: Counted, scored: Scored
) -> list[Term]:
    trace = judge(rule.when, scored.facts, rule.touches, counted.number)
    since = counted.newest_at or scored.last_at or scored.now
    points = _faded(rule, part, scored.now - since, by_touch=False)
    if not trace.holds or not points:
        return []
    because = _noting(trace.because, points, rule)
    return [Term(part=name, rule_id=rule.id, points=points, because=because)]


def _score_touches(
    name: str, part: Part, rule: ScoreRule, counted: Counted, scored: Scored
) -> list[Term]:
    """Give the terms of a rule that counts for every touch that fits, the newest first."""
    gate = judge(ALWAYS, {}, rule.touches, counted.number)
    if not gate.holds:
        return []
    terms: list[Term] = []
    fitting = 0
    older_count, older_points = 0, 0
    for touch, facts in scored.history.known:
        if rule.at_most is not None and fitting == rule.at_most:
            break
        if is_too_old(touch.submitted_at, rule.within_days, scored.now):
            break
        trace = evaluate(rule.when, facts)
        if not trace.holds:
            continue
        fitting += 1
        points = _faded(rule, part, scored.now - touch.submitted_at, by_touch=True)
        if not points:
            continue
        if len(terms) == NAMED_TOUCHES:
            older_count, older_points = older_count + 1, older_points + points
            continue
        because = f"{trace.because}, {_day(touch.submitted_at)}"
        if rule.touches:
            because = f"{because}, {gate.because}"
        terms.append(
            Term(
                part=name,
                rule_id=rule.id,
                points=points,
                because=_noting(because, points, rule),
                touch_id=touch.touch_id,
            )
        )
    if older_count:
        because = f"{older_count} earlier touches that fit as well"
        terms.append(Term(part=name, rule_id=rule.id, points=older_points, because=because))
    return terms


def _faded(rule: ScoreRule, part: Part, age: timedelta, *, by_touch: bool) -> int:
    """Give what is left of a rule's points; a part's own half-life is of its touches only."""
    if rule.linear_days is not None:
        return fall(rule.points, age, rule.linear_days)
    half_life = rule.half_life_days
    if half_life is None and by_touch:
        half_life = part.half_life_days
    return decay(rule.points, age, half_life or None)


def _bound_groups(name: str, part: Part, terms: Sequence[Term]) -> list[Term]:
    """Add the terms that bring each group into its bounds, where they are needed."""
    bounds: list[Term] = []
    for group_id in sorted(part.groups):
        group = part.groups[group_id]
        rules = {rule.id for rule in part.rules if rule.group == group_id}
        points = sum(term.points for term in terms if term.rule_id in rules)
        bounds += _bound_group(name, group_id, group, points)
    return bounds


def _bound_group(name: str, group_id: str, group: Group, points: int) -> list[Term]:
    title = group.title or group_id
    if points > group.cap:
        because = f"{title} counts at most {group.cap}, and {points} were reached"
        return [
            Term(part=name, rule_id=f"cap:{group_id}", points=group.cap - points, because=because)
        ]
    if points < group.floor:
        because = f"{title} takes off at most {-group.floor}, and {-points} were reached"
        return [
            Term(
                part=name,
                rule_id=f"floor:{group_id}",
                points=group.floor - points,
                because=because,
            )
        ]
    return []


def _bound(terms: list[Term], part: str, cap: int) -> list[Term]:
    """Add the term that brings a part into 0 to its cap, where one is needed."""
    points = sum(term.points for term in terms)
    if points > cap:
        because = f"{part} counts at most {cap}, and {points} were reached"
        terms.append(Term(part=part, rule_id="cap", points=cap - points, because=because))
    elif points < 0:
        because = f"{part} counts at least 0, and {points} were reached"
        terms.append(Term(part=part, rule_id="floor", points=-points, because=because))
    return terms


def _veto(vetoes: Sequence[Veto], total: int, scored: Scored) -> tuple[list[Term], int | None]:
    """Give what vetoes take from the total, and the least that any of them leaves; None: none."""
    terms: list[Term] = []
    limit: int | None = None
    for veto in vetoes:
        number = count(scored.history, veto.touches, scored.now).number if veto.touches else 0
        trace = judge(veto.when, scored.facts, veto.touches, number)
        if not trace.holds:
            continue
        limit = veto.at_most if limit is None else min(limit, veto.at_most)
        if total > veto.at_most:
            points, total = veto.at_most - total, veto.at_most
            because = f"the score is at most {veto.at_most}, for {trace.because}"
            terms.append(Term(part=TOTAL, rule_id=veto.id, points=points, because=because))
    return terms, limit


def _noting(because: str, points: int, rule: ScoreRule) -> str:
    return because if points == rule.points else f"{because} ({rule.points} when new)"


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
