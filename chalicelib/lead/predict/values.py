"""Reads what stands in a field as a number, a level, words or a time; the same for all who ask."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

Value = str | int | float | bool | None

Part = Literal["value", "month", "weekday", "hour", "word", "domain"]
"""Which side of a field is looked at: itself, or the month of its date, a word of its text ..."""

NOTHING = frozenset(
    {
        *("", "-", "--", "?", ".", "na", "n/a", "n.a.", "nan", "null", "none", "nil", "undefined"),
        *("select", "(select)", "please select", "select one", "choose", "not specified"),
        *("unknown", "not provided", "not available", "missing", "#n/a"),
    }
)
"""What people and programs write where nothing is known."""

LONGEST_LEVEL = 60

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\Z", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d)[,\u00a0 '](?=\d{3}(\D|\Z))")
_TRIMMED = "%$€£ "
_WORD = re.compile(r"[^\W\d_]{3,}")
_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_SHAPES = (
    *("%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d"),
    *("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"),
    *("%m/%d/%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%m-%d-%Y"),
)


def level_of(value: Value) -> str | None:
    """Give a value as a level in lower case; None where nothing is known."""
    if value is None:
        return None
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  (only what is not a number differs from itself)
            return None
        value = int(value) if value.is_integer() else value
    text = " ".join(str(value).split()).casefold()[:LONGEST_LEVEL]
    return None if text in NOTHING else text


def number_of(value: Value) -> float | None:
    """Give a value as a number, also one with thousands set apart or a sign of money or percent."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        number = float(value)
        return number if abs(number) < float("inf") else None
    text = value.strip().strip(_TRIMMED)
    if not _NUMBER.match(text):
        text = _THOUSANDS.sub("", text)
        if not _NUMBER.match(text):
            return None
    number = float(text)
    return number if abs(number) < float("inf") else None


def time_of(value: Value) -> datetime | None:
    """Give a value as a time if it is written as a date; its own clock is kept."""
    if not isinstance(value, str) or not _DATE.match(text := value.strip()):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for shape in _SHAPES:
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def words_of(value: Value) -> frozenset[str]:
    """Give the words of a text, in lower case."""
    return frozenset(_WORD.findall(value.casefold())) if isinstance(value, str) else frozenset()


def domain_of(value: Value) -> str | None:
    """Give the domain of a mail address."""
    if not isinstance(value, str) or "@" not in value:
        return None
    return value.rpartition("@")[2].strip().casefold() or None


def part_of(value: Value, part: Part) -> str | None:
    """Give one side of a field as a level; None where it has none."""
    match part:
        case "domain":
            return domain_of(value)
        case "month" | "weekday" | "hour":
            time = time_of(value)
            if time is None:
                return None
            if part == "weekday":
                return WEEKDAYS[time.weekday()]
            return f"{time.month if part == 'month' else time.hour:02d}"
        case _:
            return level_of(value)


Values = Mapping[str, Value]
"""What is known of a lead: field -> value."""
