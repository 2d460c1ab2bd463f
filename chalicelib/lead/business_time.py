"""Arithmetic in an owner's working time: so many minutes later, earlier, and how many in between.

Working time is the owner's hours (see hours: half-open spans, one piece of time also on a day when
the clock is put forward or back) without absences and without the public holidays of the owner's
country. Whoever is never on duty is counted round the clock, so that no clock ever stands still.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.config.model import Owner, Settings
from chalicelib.days_off import days_off
from chalicelib.lead.hours import Interval, duty_intervals, find_zone

LOOK_DAYS = 800
"""How many days are looked at, ahead or back; who works less is counted round the clock."""

NOTHING = timedelta(0)


def later(owner: Owner, settings: Settings, start: datetime, span: timedelta) -> datetime:
    """Give the first instant by which an owner has worked so long since another; in UTC."""
    left = span
    if left <= NOTHING:
        return start.astimezone(UTC)
    for begin, end in _ahead(owner, settings, start):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    return start.astimezone(UTC) + span


def earlier(owner: Owner, settings: Settings, end: datetime, span: timedelta) -> datetime:
    """Give the last instant from which an owner works so long until another; in UTC."""
    left = span
    if left <= NOTHING:
        return end.astimezone(UTC)
    for begin, until in _back(owner, settings, end):
        if until - begin >= left:
            return until - left
        left -= until - begin
    return end.astimezone(UTC) - span


def worked(owner: Owner, settings: Settings, start: datetime, end: datetime) -> timedelta:
    """Say how long an owner works between two instants; nothing if the second is not later."""
    total = NOTHING
    for begin, until in _ahead(owner, settings, start):
        if begin >= end:
            break
        total += min(until, end.astimezone(UTC)) - begin
    return total


def _ahead(owner: Owner, settings: Settings, start: datetime) -> Iterator[Interval]:
    """Lay out working time from an instant on, in order, none of it twice."""
    zone = find_zone(owner, settings)
    if zone is None:
        return
    reached = start.astimezone(UTC)
    first = start.astimezone(zone).date() - timedelta(days=1)
    for offset in range(LOOK_DAYS):
        for begin, end in _on(owner, zone, first + timedelta(days=offset)):
            if end > reached:
                yield max(begin, reached), end
                reached = end


def _back(owner: Owner, settings: Settings, end: datetime) -> Iterator[Interval]:
    """Lay out working time before an instant, the latest first, none of it twice."""
    zone = find_zone(owner, settings)
    if zone is None:
        return
    reached = end.astimezone(UTC)
    last = end.astimezone(zone).date() + timedelta(days=1)
    for offset in range(LOOK_DAYS):
        spans = _on(owner, zone, last - timedelta(days=offset))
        for begin, until in sorted(spans, key=lambda span: span[1], reverse=True):
            if begin < reached:
                yield begin, min(until, reached)
                reached = begin


def _on(owner: Owner, zone: ZoneInfo, day: date) -> Iterator[Interval]:
    """Lay out the working time of one day of the owner's calendar."""
    if owner.country and day in days_off(owner.country, day.year, day.year):
        return iter(())
    return duty_intervals(owner, zone, day, 1)
