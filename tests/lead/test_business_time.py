"""Working time: exact around clock changes, holidays and absences; the same as counting minutes."""

import random
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.config.model import Owner, Settings
from chalicelib.days_off import days_off
from chalicelib.lead.business_time import earlier, later, worked
from chalicelib.lead.hours import is_on_duty

SETTINGS = Settings(time_zone="UTC")
MINUTE = timedelta(minutes=1)
OFFICE = {day: ["09:00-12:30", "13:30-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}

ZONES = (
    ("Europe/Berlin", "2026-03-27", "2026-10-23"),
    ("America/New_York", "2026-03-06", "2026-10-30"),
    ("Australia/Lord_Howe", "2026-04-03", "2026-10-02"),
    ("Africa/Cairo", "2026-04-23", "2026-10-28"),
    ("America/Santiago", "2026-04-03", "2026-09-04"),
    ("Asia/Kathmandu", "2026-04-03", "2026-12-30"),
)
"""Zones, and days shortly before their clocks change, if they ever do."""


def an_owner(**more: object) -> Owner:
    known = {"name": "Ann", "email": "ann@example.com", "time_zone": "Europe/Berlin", **more}
    return Owner.model_validate(known)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-03-02T09:00+01:00", 30, "2026-03-02T09:30+01:00"),
        ("2026-03-02T12:10+01:00", 30, "2026-03-02T13:40+01:00"),
        ("2026-03-02T16:00+01:00", 60, "2026-03-02T17:00+01:00"),
        ("2026-03-02T16:00+01:00", 61, "2026-03-03T09:01+01:00"),
        ("2026-03-06T16:30+01:00", 60, "2026-03-09T09:30+01:00"),
        ("2026-03-07T03:00+01:00", 1, "2026-03-09T09:01+01:00"),
        ("2026-03-27T16:00+01:00", 120, "2026-03-30T10:00+02:00"),
        ("2026-10-23T16:00+02:00", 120, "2026-10-26T10:00+01:00"),
    ],
)
def test_so_many_minutes_later(start: str, span: int, expected: str) -> None:
    assert later(an_owner(hours=OFFICE), SETTINGS, at(start), minutes(span)) == at(expected)


def test_no_time_later_is_at_once_and_the_end_of_a_span_is_reached_in_it() -> None:
    owner = an_owner(hours=OFFICE)
    night = at("2026-03-02T22:00+01:00")
    assert later(owner, SETTINGS, night, minutes(0)) == night
    assert earlier(owner, SETTINGS, night, minutes(30)) == at("2026-03-02T16:30+01:00")
    assert earlier(owner, SETTINGS, at("2026-03-09T09:10+01:00"), minutes(20)) == at(
        "2026-03-06T16:50+01:00"
    )


def test_absences_and_public_holidays_do_not_count() -> None:
    away = [{"first": "2026-03-03", "last": "2026-03-04"}]
    owner = an_owner(hours=OFFICE, absences=away)
    monday = at("2026-03-02T16:30+01:00")
    assert later(owner, SETTINGS, monday, minutes(60)) == at("2026-03-05T09:30+01:00")
    german = an_owner(hours=OFFICE, country="DE")
    eve = at("2026-04-30T16:30+02:00")
    assert later(german, SETTINGS, eve, minutes(60)) == at("2026-05-04T09:30+02:00")
    assert later(an_owner(hours=OFFICE), SETTINGS, eve, minutes(60)) == at("2026-05-01T09:30+02:00")


@pytest.mark.parametrize("more", [{}, {"hours": {"mon": []}}, {"time_zone": "No/Where"}])
def test_who_has_no_hours_or_never_works_is_counted_round_the_clock(more: object) -> None:
    owner = an_owner(**more)  # type: ignore[arg-type]
    start = at("2026-03-28T23:00+01:00")
    assert later(owner, SETTINGS, start, minutes(600)) == start + minutes(600)
    assert earlier(owner, SETTINGS, start, minutes(600)) == start - minutes(600)


def test_spans_that_overlap_count_once() -> None:
    owner = an_owner(hours={"mon": ["09:00-12:00", "11:00-13:00", "13:00-14:00"]})
    monday = at("2026-03-02T10:00+01:00")
    assert later(owner, SETTINGS, monday, minutes(240)) == at("2026-03-02T14:00+01:00")
    assert worked(owner, SETTINGS, monday, at("2026-03-03T00:00+01:00")) == minutes(240)
    assert earlier(owner, SETTINGS, at("2026-03-02T14:00+01:00"), minutes(240)) == monday


def works(owner: Owner, moment: datetime) -> bool:
    """Say by the owner's own calendar and clock whether a minute counts."""
    day = moment.astimezone(ZoneInfo(owner.time_zone)).date()
    is_holiday = bool(owner.country) and day in days_off(owner.country, day.year, day.year)
    return not is_holiday and is_on_duty(owner, SETTINGS, moment)


def counted(owner: Owner, start: datetime, span: int) -> datetime:
    """Count minutes one by one."""
    moment = start
    while span:
        span -= works(owner, moment)
        moment += MINUTE
    return moment


def some_owner(chance: random.Random, zone: str, first: str) -> Owner:
    hours: dict[str, list[str]] = {}
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
        marks = sorted(chance.sample(range(97), chance.choice((0, 2, 2, 4))))
        hours[day] = [
            f"{clock(start)}-{clock(end)}"
            for start, end in zip(marks[::2], marks[1::2], strict=True)
        ]
    hours["wed"] = ["00:00-24:00"]
    away = datetime.fromisoformat(first).date() + timedelta(days=chance.randint(0, 3))
    absences = [{"first": str(away), "last": str(away)}] if chance.random() < 0.3 else []
    country = chance.choice(("", "DE", "US"))
    return an_owner(time_zone=zone, hours=hours, absences=absences, country=country)


def clock(quarters: int) -> str:
    return "24:00" if quarters == 96 else f"{quarters // 4:02}:{quarters % 4 * 15:02}"


def differing(cases: int, seed: int) -> list[str]:
    """Compare with counting minutes, around the clock changes of several zones."""
    chance, wrong = random.Random(seed), []
    for _ in range(cases):
        zone, *firsts = chance.choice(ZONES)
        first = chance.choice(firsts)
        owner = some_owner(chance, zone, first)
        start = datetime.fromisoformat(first).replace(tzinfo=UTC) + minutes(
            chance.randint(0, 3 * 1440)
        )
        span = chance.randint(1, 1500)
        end = later(owner, SETTINGS, start, minutes(span))
        if end != counted(owner, start, span):
            wrong.append(f"{owner!r} {start} {span}")
        if worked(owner, SETTINGS, start, end) != minutes(span):
            wrong.append(f"worked {owner!r} {start} {span}")
        back = earlier(owner, SETTINGS, end, minutes(span))
        if not start <= back < end or worked(owner, SETTINGS, back, end) != minutes(span):
            wrong.append(f"earlier {owner!r} {end} {span}")
    return wrong


def test_it_is_as_counting_minutes_one_by_one() -> None:
    assert differing(60, 1) == []


def test_later_never_goes_back_when_more_is_asked() -> None:
    chance = random.Random(2)
    for zone, first, _ in ZONES:
        owner = some_owner(chance, zone, first)
        start = datetime.fromisoformat(first).replace(tzinfo=UTC)
        ends = [later(owner, SETTINGS, start, minutes(span)) for span in range(0, 3000, 7)]
        assert ends == sorted(ends)


if __name__ == "__main__":
    found = differing(int(sys.argv[1]), 3)
    sys.exit("\n".join(found[:5]) or 0)
