"""Counting touches: how many of a kind there are in a stretch of time, and whether that will do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import assert_never

from chalicelib.config.condition import All, AnyOne, Condition, Not, Test
from chalicelib.config.scoring import TouchCount
from chalicelib.lead.conditions import Facts, Trace, evaluate, facts_of_touch, tests_in
from chalicelib.lead.model import Touch

TIMELY_FIELDS = ("days_known", "days_since_touch")
"""Fields of a lead that time alone changes."""


@dataclass(frozen=True)
class History:
    """The touches of a lead that are approaches of the person's, the newest first."""

    touches: Sequence[Touch]

    @cached_property
    def known(self) -> list[tuple[Touch, Facts]]:
        """Give each touch with its facts."""
        return [(touch, facts_of_touch(touch)) for touch in self.touches]


def history_of(touches: Iterable[Touch]) -> History:
    """Put touches into order; void ones and those that only tell of a person are left out."""
    counted = (touch for touch in touches if not touch.void and not touch.only_if_known)
    newest_first = sorted(
        counted, key=lambda touch: (touch.submitted_at, touch.touch_id), reverse=True
    )
    return History(newest_first)


@dataclass(frozen=True)
class Counted:
    """How many touches fit, and when the newest of them was."""

    number: int
    newest_at: datetime | None = None


def count(history: History, wanted: TouchCount, now: datetime) -> Counted:
    """Count the touches that fit."""
    fitting = [
        touch
        for touch, facts in history.known
        if not _is_too_old(touch, wanted.within_days, now) and evaluate(wanted.when, facts).holds
    ]
    return Counted(len(fitting), fitting[0].submitted_at if fitting else None)


def is_too_old(moment: datetime, within_days: float | None, now: datetime) -> bool:
    """Say whether something was longer ago than so many days; what has no limit never was."""
    return within_days is not None and now - moment > timedelta(days=within_days)


def judge(when: Condition, facts: Facts, wanted: TouchCount | None, number: int) -> Trace:
    """Decide whether a condition holds and as many touches are there as are wanted.

    Args:
        when: about the lead whose facts these are.
        facts: of the lead.
        wanted: None asks for no touches.
        number: how many touches fit.
    """
    trace = evaluate(when, facts)
    if wanted is None or not trace.holds:
        return trace
    counted = _judge_number(wanted, number)
    if not counted.holds or trace.because == "always":
        return counted
    return Trace(True, f"{trace.because} and {counted.because}")


def _judge_number(wanted: TouchCount, number: int) -> Trace:
    least, most = wanted.at_least, wanted.at_most
    if least is None and most is None:
        least = 1
    holds = (least is None or number >= least) and (most is None or number <= most)
    kind = in_words(wanted.when)
    where = "" if kind == "always" else f" where {kind}"
    window = f" in {wanted.within_days:g} days" if wanted.within_days else ""
    bounds = [f"at least {least}"] if least is not None else []
    bounds += [f"at most {most}"] if most is not None else []
    touches = "touch" if number == 1 else "touches"
    said = f"{number or 'no'} {touches}{where}{window}"
    return Trace(holds, f"{said} {'is' if holds else 'is not'} {' and '.join(bounds)}")


def in_words(condition: Condition) -> str:
    """Write a condition for people: `source is webinar and form is demo`."""
    match condition:
        case Test():
            value = condition.value
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            said = "" if shown is None else f" {shown}"
            return f"{condition.field} {condition.op.replace('_', ' ')}{said}"[:120]
        case All():
            return " and ".join(map(in_words, condition.all)) or "always"
        case AnyOne():
            return f"({' or '.join(map(in_words, condition.any))})"
        case Not():
            return f"not ({in_words(condition.not_)})"
        case _:
            assert_never(condition)


def is_timely(when: Condition, wanted: TouchCount | None) -> bool:
    """Say whether time alone may change that a condition holds."""
    if wanted is not None and wanted.within_days is not None:
        return True
    return any(test.field in TIMELY_FIELDS for test in tests_in(when))


def _is_too_old(touch: Touch, within_days: float | None, now: datetime) -> bool:
    return is_too_old(touch.submitted_at, within_days, now)
