"""Working hours on the owner's own clock, exact at both edges and across clock changes."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.config.model import Absence, Owner, Settings
from chalicelib.lead.hours import is_on_duty, local_day, next_on_duty

SETTINGS = Settings(time_zone="UTC")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def make_owner(zone: str, *spans: str, days: tuple[str, ...] = WEEK, **more: object) -> Owner:
    hours = dict.fromkeys(days, spans) if spans else {}
    return Owner.model_validate(
        {"name": "A", "email": "a@example.com", "time_zone": zone, "hours": hours, **more}
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def duty_seconds(owner: Owner, start: datetime, hours: int) -> int:
    """Count time on duty by looking at each minute."""
    minutes = [start + timedelta(minutes=number) for number in range(hours * 60)]
    return sum(60 for minute in minutes if is_on_duty(owner, SETTINGS, minute))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-02T08:59:59.999999+01:00", False),
        ("2026-03-02T09:00:00+01:00", True),
        ("2026-03-02T17:29:59.999999+01:00", True),
        ("2026-03-02T17:30:00+01:00", False),
        ("2026-03-01T12:00:00+01:00", False),
    ],
)
def test_a_span_holds_its_start_and_not_its_end(moment: str, expected: bool) -> None:
    owner = make_owner("Europe/Berlin", "09:00-17:30", days=("mon",))
    assert is_on_duty(owner, SETTINGS, at(moment)) is expected


def test_no_hours_mean_always_on_duty() -> None:
    owner = make_owner("Pacific/Auckland")
    assert duty_seconds(owner, at("2026-04-04T00:00+00:00"), 48) == 48 * 3600


def test_a_day_without_spans_is_free() -> None:
    owner = make_owner("UTC", hours={"mon": []})
    assert not is_on_duty(owner, SETTINGS, at("2026-03-02T12:00+00:00"))
    assert next_on_duty(owner, SETTINGS, at("2026-03-02T12:00+00:00")) is None


def test_a_span_may_last_until_midnight() -> None:
    owner = make_owner("Europe/Berlin", "20:00-24:00", days=("mon",))
    assert is_on_duty(owner, SETTINGS, at("2026-03-02T23:59:59+01:00"))
    assert not is_on_duty(owner, SETTINGS, at("2026-03-03T00:00:00+01:00"))


def test_spans_that_meet_at_midnight_leave_no_gap() -> None:
    owner = make_owner("Europe/Berlin", hours={"mon": ["22:00-24:00"], "tue": ["00:00-06:00"]})
    assert duty_seconds(owner, at("2026-03-02T22:00+01:00"), 8) == 8 * 3600


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),  # clock forward
        ("Europe/Berlin", "2026-10-25", 25),  # clock back
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),  # half an hour back
        ("America/Sao_Paulo", "2018-11-04", 23),  # no midnight on this day
        ("America/Sao_Paulo", "2018-02-17", 25),  # two midnights' hours before the next day
        ("Africa/Cairo", "2026-04-24", 23),
        ("Asia/Beirut", "2026-03-29", 23),
        ("Asia/Kathmandu", "2026-03-29", 24),
        ("Pacific/Apia", "2011-12-30", 0),  # this day was left out
        ("Europe/Berlin", "2028-02-29", 24),
        ("Europe/Berlin", "2026-12-31", 24),
    ],
)
def test_a_whole_day_is_as_long_as_the_clock_makes_it(zone: str, day: str, hours: float) -> None:
    weekday = WEEK[date.fromisoformat(day).weekday()]
    owner = make_owner(zone, "00:00-24:00", days=(weekday,))
    around = at(f"{day}T00:00+00:00") - timedelta(days=1)
    assert duty_seconds(owner, around, 72) == hours * 3600


def test_a_span_that_the_clock_skips_is_empty() -> None:
    owner = make_owner("Europe/Berlin", "02:00-03:00", days=("sun",))
    assert duty_seconds(owner, at("2026-03-29T00:00+01:00"), 24) == 0


def test_a_span_that_starts_in_the_skipped_hour_starts_at_the_change() -> None:
    owner = make_owner("Europe/Berlin", "02:30-04:00", days=("sun",))
    assert next_on_duty(owner, SETTINGS, at("2026-03-28T20:00+01:00")) == at(
        "2026-03-29T03:00+02:00"
    )
    assert duty_seconds(owner, at("2026-03-29T00:00+01:00"), 12) == 3600


def test_a_span_in_the_repeated_hour_happens_once() -> None:
    owner = make_owner("Europe/Berlin", "02:15-02:45", days=("sun",))
    assert duty_seconds(owner, at("2026-10-25T00:00+02:00"), 24) == 30 * 60
    assert is_on_duty(owner, SETTINGS, at("2026-10-25T02:30+02:00"))
    assert not is_on_duty(owner, SETTINGS, at("2026-10-25T02:30+01:00"))


def test_a_span_over_the_repeated_hour_has_no_hole() -> None:
    owner = make_owner("Europe/Berlin", "01:00-05:00", days=("sun",))
    assert duty_seconds(owner, at("2026-10-25T00:00+02:00"), 24) == 5 * 3600


def test_an_absence_holds_its_first_and_last_day_in_the_owners_zone() -> None:
    owner = make_owner(
        "Asia/Tokyo", absences=[Absence(first=date(2026, 5, 1), last=date(2026, 5, 2))]
    )
    assert is_on_duty(owner, SETTINGS, at("2026-04-30T23:59:59+09:00"))
    assert not is_on_duty(owner, SETTINGS, at("2026-05-01T00:00+09:00"))
    assert not is_on_duty(owner, SETTINGS, at("2026-05-02T23:59:59+09:00"))
    assert is_on_duty(owner, SETTINGS, at("2026-05-03T00:00+09:00"))


def test_the_next_time_on_duty_passes_over_absences() -> None:
    owner = make_owner(
        "Europe/Berlin",
        "09:00-17:00",
        days=("mon",),
        absences=[{"first": "2026-03-02", "last": "2026-03-09"}],
    )
    now = at("2026-02-28T12:00+01:00")
    assert next_on_duty(owner, SETTINGS, now) == at("2026-03-16T09:00+01:00")


def test_the_next_time_on_duty_is_now_for_who_is_on_duty() -> None:
    now = at("2026-03-02T12:00+01:00")
    assert next_on_duty(make_owner("Europe/Berlin", "09:00-17:00"), SETTINGS, now) == now


def test_at_the_end_of_a_span_the_next_time_on_duty_is_another_day() -> None:
    now = at("2026-03-02T17:00+01:00")
    owner = make_owner("Europe/Berlin", "09:00-17:00")
    assert next_on_duty(owner, SETTINGS, now) == at("2026-03-03T09:00+01:00")


def test_the_next_time_on_duty_is_the_first_minute_on_duty() -> None:
    for zone in ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"):
        owner = make_owner(zone, "13:30-14:00", days=("tue", "sun"))
        now = at("2026-10-23T07:00+00:00")
        start = next_on_duty(owner, SETTINGS, now)
        assert start is not None
        assert is_on_duty(owner, SETTINGS, start)
        assert not is_on_duty(owner, SETTINGS, start - timedelta(microseconds=1))


def test_the_hubs_zone_counts_for_owners_without_their_own() -> None:
    owner = make_owner("", "09:00-10:00")
    settings = Settings(time_zone="Asia/Tokyo")
    assert is_on_duty(owner, settings, at("2026-03-02T09:30+09:00"))
    assert local_day(owner, settings, at("2026-03-01T20:00+00:00")) == date(2026, 3, 2)


def test_an_unknown_zone_means_off_duty_and_no_failure() -> None:
    for zone in ("Europe/Atlantis", "../../etc/passwd", "\x00", "Europe"):
        owner = make_owner(zone)
        assert not is_on_duty(owner, SETTINGS, at("2026-03-02T12:00+00:00"))
        assert next_on_duty(owner, SETTINGS, at("2026-03-02T12:00+00:00")) is None
        assert local_day(owner, SETTINGS, at("2026-03-02T12:00+00:00")) == date(2026, 3, 2)
