"""What is usual, and how odd a silence is: by hand-made traffic, and by a simulated year."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bench.silence import Told, simulate
from chalicelib.days_off import days_off
from chalicelib.silence import (
    HOUR,
    KEPT_HOURS,
    WEEK_HOURS,
    Calendar,
    Span,
    Traffic,
    Usual,
    learn,
    noticed_at,
    silence,
    volume,
)

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
PLAIN = Calendar(UTC)
BERLIN = Calendar(ZoneInfo("Europe/Berlin"))
DAY = timedelta(days=1)


def office(weeks: int, an_hour: float, seed: int = 1, calendar: Calendar = PLAIN) -> Traffic:
    """Make traffic of office hours on working days."""
    chance = random.Random(seed)
    counts = []
    for number in range(weeks * WEEK_HOURS):
        slot = calendar.slot(calendar.hour(MONDAY + HOUR * number))
        rate = an_hour if slot < 120 and 9 <= slot % 24 < 17 else 0.0
        counts.append(sum(chance.random() < rate / 20 for _ in range(20)))
    return Traffic(MONDAY, tuple(counts))


def steady(days: int, a_day: float, seed: int = 1) -> Traffic:
    """Make traffic that comes at any hour alike."""
    chance = random.Random(seed)
    rate = a_day / 24
    counts = tuple(sum(chance.random() < rate / 20 for _ in range(20)) for _ in range(days * 24))
    return Traffic(MONDAY, counts)


def hours_to_notice(usual: Usual, since: datetime) -> float:
    at = noticed_at(usual, since, 200 * DAY)
    assert at
    return (at - since) / HOUR


# --- learning -------------------------------------------------------------------------------------


def test_an_hour_of_the_week_is_learned_where_enough_has_come() -> None:
    usual = learn(office(10, 12.0), PLAIN)
    assert usual.rates[10] == pytest.approx(12, rel=0.25)
    assert usual.rates[3] < 0.6
    assert usual.rates[130] < 0.6
    assert usual.a_day == pytest.approx(12 * 8 * 5 / 7, rel=0.1)


def test_few_data_are_pooled_rather_than_believed() -> None:
    """Three deliveries do not make three hours of the week special."""
    counts = [0] * (28 * 24)
    for at in (34, 300, 500):
        counts[at] = 1
    usual = learn(Traffic(MONDAY, tuple(counts)), PLAIN)
    assert max(usual.rates) < 3 * min(usual.rates)
    assert usual.a_day == pytest.approx(3 / 28, rel=0.3)


def test_nothing_is_usual_where_nothing_ever_came() -> None:
    for traffic in (Traffic(MONDAY), Traffic(MONDAY, (0,) * 500)):
        usual = learn(traffic, PLAIN)
        assert usual.a_day == 0
        assert not silence(usual, MONDAY, MONDAY + 400 * DAY).is_odd


def test_the_first_delivery_is_not_taken_for_a_habit() -> None:
    usual = learn(Traffic(MONDAY, (1,)), PLAIN)
    assert usual.a_day < 0.2
    assert not silence(usual, MONDAY, MONDAY + 30 * DAY).is_odd


def test_older_weeks_count_less_so_growth_is_followed() -> None:
    before, after = steady(56, 10), steady(56, 40, seed=2)
    usual = learn(Traffic(MONDAY, before.counts + after.counts), PLAIN)
    assert 28 < usual.a_day < 42


def test_a_campaign_does_not_become_usual() -> None:
    counts = list(steady(56, 10).counts)
    for at in range(40 * 24, 42 * 24):
        counts[at] += 20
    calm = learn(steady(56, 10), PLAIN)
    after = learn(Traffic(MONDAY, tuple(counts)), PLAIN)
    assert after.a_day < calm.a_day * 1.35


def test_a_silence_that_was_alarmed_is_not_learned_from() -> None:
    counts = list(steady(56, 10).counts)
    counts[30 * 24 : 44 * 24] = [0] * (14 * 24)
    broken = Traffic(MONDAY, tuple(counts))
    ignored = [Span(MONDAY + 30 * DAY, MONDAY + 44 * DAY)]
    calm = learn(steady(56, 10), PLAIN)
    assert learn(broken, PLAIN, ignored).a_day == pytest.approx(calm.a_day, rel=0.1)
    assert learn(broken, PLAIN).a_day < calm.a_day * 0.9


def test_what_is_older_than_half_a_year_is_forgotten() -> None:
    counts = (9,) * 1000 + (0,) * KEPT_HOURS
    assert learn(Traffic(MONDAY, counts), PLAIN).a_day == 0


def test_the_week_is_that_of_the_people_also_when_their_clocks_change() -> None:
    """Berlin goes back an hour on 25 October 2026; the offices open at nine before and after."""
    traffic = office(30, 12.0, calendar=BERLIN)
    before = Traffic(MONDAY, traffic.counts[: 20 * WEEK_HOURS])
    usual = learn(before, BERLIN)
    friday = datetime(2026, 10, 23, 15, tzinfo=UTC)
    monday = datetime(2026, 10, 26, 8, tzinfo=UTC)
    assert silence(usual, friday, monday).expected < 8
    assert silence(learn(before, PLAIN), friday, monday).expected > 8


# --- silences -------------------------------------------------------------------------------------


def test_a_night_and_a_weekend_are_no_silence_but_a_morning_is() -> None:
    usual = learn(office(10, 12.0), PLAIN)
    friday = MONDAY + 4 * DAY + 16 * HOUR + 10 * 7 * DAY
    monday = friday.replace(hour=9) + 3 * DAY
    assert not silence(usual, friday, monday).is_odd
    assert silence(usual, friday, monday + 8 * HOUR).is_odd


def test_a_public_holiday_is_as_a_sunday() -> None:
    holiday = date(2026, 8, 12)
    calendar = Calendar(UTC, {holiday})
    wednesday = datetime(2026, 8, 12, tzinfo=UTC)
    usual, without = (learn(office(10, 12.0), one) for one in (calendar, PLAIN))
    assert silence(usual, wednesday - 7 * HOUR, wednesday + DAY).expected < 10
    assert silence(without, wednesday - 7 * HOUR, wednesday + DAY).expected > 80


def test_the_larger_a_source_the_sooner_a_silence_is_odd() -> None:
    spans = []
    for a_day in (0.3, 1.0, 3.0, 20.0, 200.0):
        traffic = steady(168, a_day)
        spans.append(hours_to_notice(learn(traffic, PLAIN), traffic.until))
    assert spans == sorted(spans, reverse=True)
    assert spans[0] > 14 * 24
    assert spans[-1] <= 4


def test_a_source_whose_days_differ_is_given_more_time() -> None:
    chance = random.Random(3)
    counts = []
    for _ in range(120):
        level = chance.choice((0.2, 1.0, 1.8))
        counts += [sum(chance.random() < level / 20 for _ in range(20)) for _ in range(24)]
    restless = Traffic(MONDAY, tuple(counts))
    calm = steady(120, 24)
    known = [replace(learn(one, PLAIN), lately=1.0) for one in (restless, calm)]
    assert known[0].spread > 2 * known[1].spread
    spans = [hours_to_notice(one, restless.until) for one in known]
    assert spans[0] > 1.3 * spans[1]


def test_a_source_that_is_fading_is_given_more_time() -> None:
    counts = steady(60, 20).counts + steady(4, 4, seed=5).counts
    fading = learn(Traffic(MONDAY, counts), PLAIN)
    assert fading.lately < 0.6
    assert learn(steady(64, 20), PLAIN).lately > 0.8


def test_the_chance_of_a_silence_only_falls_with_its_length() -> None:
    usual = learn(office(8, 3.0), PLAIN)
    chances = [silence(usual, MONDAY, MONDAY + HOUR * n).chance for n in range(0, 400, 5)]
    assert chances[0] == 1
    assert chances == sorted(chances, reverse=True)


def test_minutes_count_by_the_share_of_their_hour() -> None:
    usual = learn(steady(56, 240), PLAIN)
    whole = silence(usual, MONDAY, MONDAY + HOUR).expected
    half = silence(usual, MONDAY + HOUR / 4, MONDAY + HOUR * 0.75).expected
    assert half == pytest.approx(whole / 2)


# --- drops and rises ------------------------------------------------------------------------------


def test_a_drop_that_is_no_silence_is_seen_and_so_is_a_rise() -> None:
    traffic = steady(84, 200)
    usual, until = learn(traffic, PLAIN), traffic.until
    assert not volume(usual, 200, until - DAY, until).is_odd
    assert not volume(usual, 130, until - DAY, until).is_odd
    assert volume(usual, 20, until - DAY, until).is_odd
    assert volume(usual, 1500, until - DAY, until).is_odd


def test_a_week_tells_more_than_a_day() -> None:
    traffic = steady(84, 200)
    usual, until = learn(traffic, PLAIN), traffic.until
    assert not volume(usual, 100, until - DAY, until).is_odd
    assert volume(usual, 350, until - 7 * DAY, until).is_odd


def test_a_small_source_has_no_odd_days_of_nothing() -> None:
    traffic = steady(168, 0.5)
    usual, until = learn(traffic, PLAIN), traffic.until
    assert not volume(usual, 0, until - 7 * DAY, until).is_odd


# --- holidays -------------------------------------------------------------------------------------


def test_holidays_are_those_of_the_country() -> None:
    german = days_off("DE", 2026, 2027)
    assert {date(2026, 4, 6), date(2026, 5, 1), date(2027, 12, 26), date(2026, 12, 24)} <= german
    assert date(2026, 7, 4) not in german
    assert date(2026, 7, 4) in days_off("US", 2026, 2026) or date(2026, 7, 3) in days_off(
        "US", 2026, 2026
    )
    assert days_off("", 2026, 2027) == days_off("XX", 2026, 2027) == frozenset()


# --- a year ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "seeds", "median", "late"),
    [
        (0.5, (100, 101), 17 * 24, 24 * 24),
        (3, (100,), 5 * 24, 7 * 24),
        (20, (102,), 30, 48),
        (200, (102,), 12, 24),
    ],
)
def test_a_year_has_about_one_false_alarm_and_breaks_are_noticed(
    size: float, seeds: Sequence[int], median: float, late: float
) -> None:
    years = len(seeds)
    learned, naive = Told(), Told()
    for seed in seeds:
        one, other = simulate(size, seed)
        learned.add(one)
        naive.add(other)
    waits = sorted(learned.waits)
    assert learned.false <= years
    assert learned.missed == 0
    assert len(waits) >= 2 * years
    assert waits[len(waits) // 2] <= median
    assert waits[int(0.9 * len(waits))] <= late
    if size <= 3:
        # The rule of 24 hours, which this one is to be better than.
        assert naive.false > 20 * years
