"""Dates of birth, as people and forms write them, to YYYY-MM-DD."""

import re
from datetime import date

from chalicelib.lead.model import CleanValue
from chalicelib.lead.text import clean_line, storable

LONGEST_DATE = 40

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMBERS = re.compile(r"(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*[-/.]\s*(\d{4}|\d{2})")
_WORDED = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:de\s+)?)?([^\W\d]+)\.?,?\s+(?:de\s+)?(.+)"
)
_DAY_AND_YEAR = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)?,?\s+)?(\d{4}|\d{2})")

_MONTHS = (
    "jan ene gen sty",
    "feb fév fev lut",
    "mar mär mrt mrz",
    "apr avr abr kwi",
    "may mai mag mei maj",
    "jun juin giu cze",
    "jul juil lug lip",
    "aug aoû aou ago sie",
    "sep set wrz",
    "oct okt ott out paź paz",
    "nov lis",
    "dec dez déc dic gru",
)
_MONTH_OF = {
    word: number
    for number, words in enumerate(_MONTHS, start=1)
    for word in sorted(words.split(), key=len, reverse=True)
}


def clean_birth(raw: str) -> CleanValue | None:
    """Make a date of birth YYYY-MM-DD.

    `03/04/1978` is read with the month first, as where slashes are used most, and with the day
    first when dots or hyphens part it; `either_order` notes that it may be the other way round.

    Returns:
        None when it is no date.
    """
    text, _ = clean_line(raw)
    if len(text) > LONGEST_DATE:
        return None
    for year, month, day, notes in _readings(text):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        return CleanValue(value=found.isoformat(), raw=storable(raw), notes=notes)
    return None


def _readings(text: str) -> list[tuple[int, int, int, tuple[str, ...]]]:
    """Give the ways to read a date, the likeliest first."""
    if found := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day = map(int, found.groups())
        return [(year, month, day, ())]
    if found := _NUMBERS.fullmatch(text):
        one, sign, other, end = found.groups()
        first, second = int(one), int(other)
        may_swap = first <= 12 and second <= 12 and first != second
        notes = ("either_order",) if may_swap else ()
        orders = [(first, second), (second, first)]
        if sign != "/":
            orders.reverse()
        return [(_year(end), month, day, notes) for month, day in orders]
    if found := _WORDED.fullmatch(text.lower()):
        day_before, word, rest = found.groups()
        month = next((_MONTH_OF[word[:n]] for n in (4, 3) if word[:n] in _MONTH_OF), 0)
        if month and (end := _DAY_AND_YEAR.fullmatch(rest)) and (day_before or end[1]):
            return [(_year(end[2]), month, int(day_before or end[1]), ())]
    return []


def _year(text: str) -> int:
    """Read a year; two digits up to 15 are of this century, for younger people ask for nothing."""
    year = int(text)
    if len(text) == 4:
        return year
    return year + 2000 if year < 16 else year + 1900
