"""Dates of birth: how alike two are, as YYYYMMDD."""

from typing import Literal

from rapidfuzz.distance import OSA

BornLevel = Literal["same", "swapped", "slip", "near", "alike", "year", "other"]
"""`swapped`: day and month are in each other's place. `slip`: one key. `near`: two, or only the
year differs, or less than a month. `alike`: no part is off by more than a key or one, or all by
little more than a year. `year`: no more than the year."""

MONTH, YEAR = 31, 397


def born_level(a: str, b: str) -> BornLevel:
    """Compare two dates; digits that are no whole date are the same or are not."""
    if a == b:
        return "same"
    if len(a) != 8 or len(b) != 8:
        return "other"
    if a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6]:
        return "swapped"
    differing = sum(x != y for x, y in zip(a, b, strict=True))
    if differing == 1 or OSA.distance(a, b, score_cutoff=1) <= 1:
        return "slip"
    apart = abs(_day(a) - _day(b))
    if differing == 2 or a[4:] == b[4:] or apart <= MONTH:
        return "near"
    if apart <= YEAR or all(map(_is_close, _parts(a), _parts(b))):
        return "alike"
    return "year" if a[:4] == b[:4] else "other"


def _day(born: str) -> float:
    """Number the days, roughly; it need not be a day that there is."""
    year, month, day = map(int, _parts(born))
    return year * 365.25 + month * 30.44 + day


def _parts(born: str) -> tuple[str, str, str]:
    return born[:4], born[4:6], born[6:]


def _is_close(a: str, b: str) -> bool:
    """Tell whether two years, months or days differ by one key, or follow each other."""
    return sum(x != y for x, y in zip(a, b, strict=True)) <= 1 or abs(int(a) - int(b)) == 1
