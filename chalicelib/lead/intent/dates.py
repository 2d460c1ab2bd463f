"""Last days that a message names, and how many days off they are: "by Friday", "in 48 hours"."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from chalicelib.lead.intent.lexicon import Lexicon
from chalicelib.lead.intent.tokens import PAUSE, STOP

LOOK_BACK = 3
"""How many words before a day the word may stand that makes it a last one."""
MOST_DAYS = 20
FURTHEST = 400
HOURS, DAYS, WEEKS, MONTHS = range(4)
DAYS_OF = {DAYS: 1, WEEKS: 7, MONTHS: 30}


class Due(NamedTuple):
    """A day that a message names.

    Attributes:
        words: as they stand in it.
        days: from the day that it was sent.
        is_last: it says "by" or the like; else it is only named.
    """

    words: str
    days: int
    is_last: bool


def days_named(tokens: Sequence[str], lexicon: Lexicon, sent: date) -> list[Due]:
    """Find days and lengths of time in a message that are not over."""
    found: list[Due] = []
    for place, token in enumerate(tokens):
        if len(found) == MOST_DAYS:
            break
        for start, end, days, is_length in _at(tokens, place, token, lexicon, sent):
            if not 0 <= days <= FURTHEST:
                continue
            lead = _lead(tokens, start, lexicon.within if is_length else lexicon.before)
            if is_length and not lead:
                continue
            shown = " ".join(tokens[start - lead : end])
            found.append(Due(shown, days, is_last=bool(lead)))
    return found


def _at(
    tokens: Sequence[str], place: int, token: str, lexicon: Lexicon, sent: date
) -> Iterator[tuple[int, int, int, bool]]:
    """Read what begins at a place: from where to where, how many days off, whether a length."""
    lists = lexicon.lists
    if token in lists["weekdays"]:
        if not lexicon.past.isdisjoint(tokens[max(place - 1, 0) : place + 2]):
            return
        days = (lists["weekdays"][token] - sent.weekday()) % 7
        yield place, place + 1, days or 7, False
    number = _number(token, lists["numbers"])
    if number is None:
        return
    unit = next(
        (t for t in tokens[place + 1 : place + 3] if t in lists["units"] or t in (STOP, PAUSE)), ""
    )
    if unit in lists["units"]:
        kind = lists["units"][unit]
        days = number // 24 if kind == HOURS else number * DAYS_OF[kind]
        yield place, place + 1 + tokens[place + 1 :].index(unit) + 1, days, True
    if token.isdigit():
        yield from _dates(tokens, place, number, lexicon, sent)


def _dates(
    tokens: Sequence[str], place: int, number: int, lexicon: Lexicon, sent: date
) -> Iterator[tuple[int, int, int, bool]]:
    """Read "15 March", "March 15" and "15.03." that a number stands in."""
    months = lexicon.lists["months"]
    after = [token for token in tokens[place + 1 : place + 4] if token != STOP][:2]
    for name in after:
        if name in months:
            end = place + 1 + tokens[place + 1 :].index(name) + 1
            yield from _day(sent, months[name] + 1, number, place, end)
            return
        if name not in ("of", "de", "th", "st", "nd", "rd"):
            break
    if place and tokens[place - 1] in months:
        yield from _day(sent, months[tokens[place - 1]] + 1, number, place - 1, place + 1)
    elif (
        place + 2 < len(tokens)
        and tokens[place + 1] in (STOP, "/")
        and _number(tokens[place + 2], {}) in range(1, 13)
    ):
        yield from _day(sent, int(tokens[place + 2]), number, place, place + 3)


def _day(
    sent: date, month: int, day: int, start: int, end: int
) -> Iterator[tuple[int, int, int, bool]]:
    for year in (sent.year, sent.year + 1):
        try:
            days = (date(year, month, day) - sent).days
        except ValueError:
            return
        if days >= 0:
            yield start, end, days, False
            return


def _number(token: str, numbers: Mapping[str, int]) -> int | None:
    if token.isascii() and token.isdigit():
        return int(token) if len(token) <= 3 else None
    return numbers[token] + 1 if token in numbers else None


def _lead(tokens: Sequence[str], start: int, phrases: frozenset[tuple[str, ...]]) -> int:
    """Say how many words before a place make it a last day, the longest first; 0 for none."""
    for length in range(1, LOOK_BACK + 1):
        for skip in range(LOOK_BACK - length + 1):
            first = start - skip - length
            between = tokens[start - skip : start]
            if first < 0 or STOP in between or PAUSE in between:
                continue
            if tuple(tokens[first : start - skip]) in phrases:
                return start - first
    return 0
