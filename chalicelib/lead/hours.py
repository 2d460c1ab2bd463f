"""Working hours: when an owner is on duty, in the owner's own time zone.

A span such as 09:00-17:30 is half open: 09:00 is in it, 17:30 is not. It runs from the first
instant at which the owner's clock shows its start to the first at which it shows its end, so it is
one piece of time also on a day when the clock is put forward or back; a span that falls wholly
into the hour that is left out is empty.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.config.model import Day, Owner, Settings
from chalicelib.days_off import public_holidays

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHOLE_DAY = ("00:00-24:00",)
LOOK_AHEAD_DAYS = 400
"""How far ahead the next time on duty is looked for; longer absences count as gone."""

Interval = tuple[datetime, datetime]
"""From, included, and until, not included; both UTC."""


def find_zone(owner: Owner, settings: Settings) -> ZoneInfo | None:
    """Give the owner's time zone, else the hub's; None when there is none of that name."""
    try:
        return ZoneInfo(owner.time_zone or settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local_day(owner: Owner, settings: Settings, now: datetime) -> date:
    """Give the date on the owner's own calendar; that of UTC when the zone is unknown."""
    return now.astimezone(find_zone(owner, settings) or UTC).date()


def is_on_duty(owner: Owner, settings: Settings, now: datetime) -> bool:
    """Say whether the owner works at this instant: hours and absences, nothing else."""
    zone = find_zone(owner, settings)
    if zone is None:
        return False
    around = now.astimezone(zone).date() - timedelta(days=1)
    return any(start <= now < end for start, end in duty_intervals(owner, zone, around, 3))


def next_on_duty(owner: Owner, settings: Settings, now: datetime) -> datetime | None:
    """Give the first instant from now on at which the owner works; now itself if on duty.

    Returns:
        In UTC; None when there is none within LOOK_AHEAD_DAYS.
    """
    zone = find_zone(owner, settings)
    if zone is None:
        return None
    around = now.astimezone(zone).date() - timedelta(days=1)
    for start, end in duty_intervals(owner, zone, around, LOOK_AHEAD_DAYS):
        if end > now:
            return max(start, now.astimezone(UTC))
    return None


def duty_intervals(owner: Owner, zone: ZoneInfo, first: date, days: int) -> Iterator[Interval]:
    """Lay out when the owner works on some days of the owner's calendar, in order."""
    for offset in range(days):
        day = first + timedelta(days=offset)
        if any(absence.first <= day <= absence.last for absence in owner.absences):
            continue
        if owner.country and day in public_holidays(owner.country, day.year):
            continue
        spans = owner.hours.get(DAYS[day.weekday()], ()) if owner.hours else WHOLE_DAY
        for span in sorted(spans):
            start, end = (_instant(day, text, zone) for text in span.split("-"))
            if start < end:
                yield start, end


def span_minutes(span: str) -> tuple[int, int]:
    """Give the start and end of a span in minutes after midnight; 24:00 is 1440."""
    start, end = ((int(text[:2]) * 60 + int(text[3:])) for text in span.split("-"))
    return start, end


@lru_cache(maxsize=4096)
def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """Give the first instant at which the clock in a zone shows a time of a day, or has passed it.

    Args:
        clock: as `09:00`; 24:00 is the next day's midnight.
    """
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    wall = datetime.combine(day, time.fromisoformat(clock))
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # The clock was put forward over this time: it is passed at the change itself, which lies
    # between what the time would be by the new offset and by the old one.
    low = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    high = instant
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
