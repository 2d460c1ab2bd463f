"""What volume is usual for a source at each hour of the week, and how odd a silence is.

Counts of a source are neither steady nor Poisson: days differ by more than chance (holidays,
campaigns), nights are empty, and a small source is silent for days. So each local day is taken to
have a level of its own, gamma-distributed around the usual one (which makes its count negative
binomial), and the usual level itself is only known as well as so many deliveries can tell.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from math import exp, lgamma, log, log1p, sqrt
from statistics import median

HOUR = timedelta(hours=1)
WEEK_HOURS = 168
SUNDAY = 144
EPOCH = date(1970, 1, 1).toordinal()

KEPT_HOURS = 26 * WEEK_HOURS
"""How many hours of counts are worth keeping: half a year."""

FALSE_ALARMS_A_YEAR = 0.3
"""How many silences of a year may be alarmed by chance alone; holidays make some more."""

WANTED = 40
"""The memory is as long as so many deliveries take, within SHORTEST and LONGEST days."""

SHORTEST_DAYS, LONGEST_DAYS = 28.0, 90.0
"""Half-lives: after so many days a count weighs half."""

LATELY_DAYS = 2.0
"""Half-life of what is taken for the level of these days, when that is lower than usual."""

POOL = 6.0
"""How many deliveries an hour of the week must have seen to weigh as much as its kind of hour."""

SPREAD, SPREAD_WEIGHT = 0.25, 25.0
"""Variance of a day's level, relative to its square, as assumed before so many days were seen."""

DRIFT = 0.03
"""Variance of what is usual from one month to the next, relative to its square."""

BURST = 3.0
"""Days with more than so many times their usual count teach no more than this."""

ROUNDS = 2
"""How often bursts are looked for, for a large one hides others, and itself, at first."""

ENOUGH_A_DAY, ENOUGH_DAYS = 3.0, 4
"""From how many deliveries a day, and so many days, the middle one of them says something."""


@dataclass(frozen=True)
class Traffic:
    """How many deliveries came in each hour.

    Attributes:
        first: start of the first hour; aware, on the hour in UTC.
        counts: of each hour from then on; the last one may still be going on.
    """

    first: datetime
    counts: tuple[int, ...] = ()

    @property
    def until(self) -> datetime:
        """End of the last hour."""
        return self.first + HOUR * len(self.counts)

    def between(self, since: datetime, until: datetime) -> int:
        """Add up the hours that begin within a span, both ends included."""
        start = max(0, -((self.first - since) // HOUR))
        return sum(self.counts[start : max(0, (until - self.first) // HOUR + 1)])


def hour_of(at: datetime) -> datetime:
    """Give the start of the hour that a time is in."""
    return at.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Span:
    """A stretch of time from which nothing is learned."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Calendar:
    """How people count time.

    Attributes:
        zone: whose clock they live by.
        days_off: public holidays, which are as Sundays.
    """

    zone: tzinfo
    days_off: Collection[date] = ()

    def hour(self, at: datetime) -> int:
        """Number the hours of their clock; 24 are a day."""
        offset = at.astimezone(self.zone).utcoffset() or timedelta()
        return (int(at.timestamp()) + int(offset.total_seconds())) // 3600

    def slot(self, hour: int) -> int:
        """Give the hour of the week of a numbered hour, Monday 0:00 being 0."""
        day = hour // 24
        if self.days_off and date.fromordinal(EPOCH + day) in self.days_off:
            return SUNDAY + hour % 24
        # The day of number 0 was a Thursday.
        return (hour + 72) % WEEK_HOURS


@dataclass(frozen=True)
class Usual:
    """What is usual for a source.

    Attributes:
        calendar: of the people who send.
        rates: deliveries in each hour of the local week, Monday 0:00 first.
        spread: variance of a day's level relative to its square; 0 would be pure chance.
        deliveries: how many of them this is learned from, older ones counting less.
        lately: level of the last days relative to the usual; at most 1.
    """

    calendar: "Calendar"
    rates: tuple[float, ...]
    spread: float
    deliveries: float
    lately: float = 1.0

    @property
    def a_day(self) -> float:
        """Deliveries of an average day."""
        return sum(self.rates) / 7

    @property
    def alarm_below(self) -> float:
        """How unlikely a silence must be: there are as many of them as deliveries."""
        return FALSE_ALARMS_A_YEAR / max(365 * self.a_day, 10.0)


@dataclass(frozen=True)
class Silence:
    """How odd it is that nothing has come for so long.

    Attributes:
        expected: deliveries that usually come in that time.
        chance: that a silence becomes this long with nothing being wrong.
        is_odd: it is worth an alarm.
    """

    expected: float
    chance: float
    is_odd: bool


@dataclass(frozen=True)
class Volume:
    """How a count compares with the usual.

    Attributes:
        chance: that so few come, or so many, with nothing being wrong.
        is_odd: worth a look; some sources have a few such days a year.
    """

    count: int
    expected: float
    chance: float
    is_odd: bool


def learn(traffic: Traffic, calendar: Calendar, ignored: Sequence[Span] = ()) -> Usual:
    """Learn what is usual from what has come.

    Hours with few deliveries are pooled: an hour of the week leans on its hour of working days or
    weekends, that on its weekday, and that on the level as a whole.

    Args:
        traffic: until the last delivery; later empty hours would make a silence usual.
        calendar: of the people who send.
        ignored: silences that were alarmed.
    """
    hours = _hours(traffic, calendar, ignored)
    if not hours:
        return Usual(calendar, (0.0,) * WEEK_HOURS, SPREAD, 0.0)
    half_life = _half_life(hours)
    days = _days(hours)
    rates, weight = _rates(hours, half_life, {})
    tempered: dict[int, float] = {}
    for _ in range(ROUNDS):
        tempered = _tempered(days, rates)
        if not tempered:
            break
        rates, weight = _rates(hours, half_life, tempered)
    return Usual(
        calendar=calendar,
        rates=tuple(rates),
        spread=_spread(days, rates, half_life, tempered),
        deliveries=weight,
        lately=_lately(days, rates),
    )


def silence(usual: Usual, since: datetime, now: datetime) -> Silence:
    """Judge that nothing has come since a time."""
    expected = evidence = 0.0
    for day in expected_by_day(usual, since, now):
        expected += day
        evidence += _nats(day * usual.lately, usual.spread)
    # The usual level itself is known no better than that many deliveries can tell, and drifts.
    known = 1 / (1 / max(usual.deliveries, 0.5) + DRIFT)
    chance = exp(-known * log1p(evidence / known))
    return Silence(expected, chance, chance < usual.alarm_below)


def noticed_at(usual: Usual, since: datetime, within: timedelta) -> datetime | None:
    """Say when a silence that begins now would be alarmed; None if not within that time."""
    for hour in range(1, int(within / HOUR) + 1):
        if silence(usual, since, since + HOUR * hour).is_odd:
            return since + HOUR * hour
    return None


def volume(usual: Usual, count: int, since: datetime, until: datetime) -> Volume:
    """Compare a count with the usual of the same stretch of the week."""
    by_day = expected_by_day(usual, since, until)
    expected = sum(by_day)
    if expected <= 0:
        return Volume(count, expected, 1.0, is_odd=False)
    # Days vary each on their own, so a longer stretch varies less.
    variance = usual.spread * sum(day * day for day in by_day) / expected**2
    shape = 1 / max(variance + 1 / max(usual.deliveries, 0.5), 1e-6)
    few, many = _tails(count, expected, shape)
    chance = min(few, many)
    return Volume(count, expected, chance, is_odd=chance < FALSE_ALARMS_A_YEAR / 365)


def expected_by_day(usual: Usual, since: datetime, until: datetime) -> list[float]:
    """Give what usually comes in a stretch of time, for each local day in it."""
    if until <= since:
        return []
    found: dict[int, float] = {}
    first = hour_of(since)
    hours = -((first - until) // HOUR)
    for position, (day, slot) in enumerate(_walk(usual.calendar, first, hours)):
        share = 1.0
        if position in (0, hours - 1):
            begins = max(since, first + HOUR * position)
            share = (min(until, first + HOUR * (position + 1)) - begins) / HOUR
        found[day] = found.get(day, 0.0) + share * usual.rates[slot]
    return list(found.values())


def _walk(calendar: Calendar, first: datetime, hours: int) -> Iterator[tuple[int, int]]:
    """Give local day and hour of the week of so many hours.

    The zone is asked once a day, so in the night in which clocks change some hours are one off.
    """
    start = int(first.timestamp()) // 3600
    shift = day = monday = 0
    for number in range(start, start + hours):
        if number == start or number % 24 == 0:
            shift = calendar.hour(first + HOUR * (number - start)) - number
        local = number + shift
        if number == start or local // 24 != day:
            day = local // 24
            monday = calendar.slot(day * 24)
        yield day, monday + local % 24


@dataclass
class _Hour:
    """One hour that is learned from: hour of the local week, local day, its age and count."""

    slot: int
    day: int
    age_days: float
    count: int


def _hours(traffic: Traffic, calendar: Calendar, ignored: Sequence[Span]) -> list[_Hour]:
    skip: set[int] = set()
    for span in ignored:
        start = (span.since - traffic.first) // HOUR
        skip.update(range(max(0, start), max(0, -((traffic.first - span.until) // HOUR))))
    counts = traffic.counts[-KEPT_HOURS:]
    offset = len(traffic.counts) - len(counts)
    walked = _walk(calendar, traffic.first + HOUR * offset, len(counts))
    return [
        _Hour(slot, day, (len(counts) - number) / 24, count)
        for number, (count, (day, slot)) in enumerate(zip(counts, walked, strict=True))
        if number + offset not in skip
    ]


def _days(hours: Sequence[_Hour]) -> list[list[_Hour]]:
    days: dict[int, list[_Hour]] = {}
    for hour in hours:
        days.setdefault(hour.day, []).append(hour)
    return list(days.values())


def _half_life(hours: Sequence[_Hour]) -> float:
    a_day = 24 * sum(hour.count for hour in hours) / len(hours)
    return min(max(WANTED / max(a_day, 1e-6), SHORTEST_DAYS), LONGEST_DAYS)


def _rates(
    hours: Sequence[_Hour], half_life: float, tempered: dict[int, float]
) -> tuple[list[float], float]:
    """Give the rate of each hour of the week, and by how many deliveries they are known."""
    counts, seen = [0.0] * WEEK_HOURS, [0.0] * WEEK_HOURS
    day, weight, scale = None, 0.0, 0.0
    for hour in hours:
        if hour.day != day:
            day = hour.day
            weight = 0.5 ** (hour.age_days / half_life)
            scale = weight * tempered.get(day, 1.0)
        seen[hour.slot] += weight
        if hour.count:
            counts[hour.slot] += scale * hour.count
    known = sum(counts)
    # What was seen for less than a week is not taken for more than a week's worth.
    level = known / max(sum(seen), float(WEEK_HOURS))
    rates = [level] * WEEK_HOURS
    for kind in (_weekday, _hour_of_kind, lambda slot: slot):
        rates = _pooled(rates, counts, seen, kind)
    return rates, known


def _weekday(slot: int) -> int:
    return slot // 24


def _hour_of_kind(slot: int) -> int:
    """Give the hour of the day, apart for weekends."""
    return slot % 24 + (24 if slot >= 120 else 0)


def _pooled(
    rates: Sequence[float],
    counts: Sequence[float],
    seen: Sequence[float],
    kind: Callable[[int], int],
) -> list[float]:
    """Correct rates by what each group of hours has seen, as far as that is enough to tell."""
    came: dict[int, float] = {}
    usual: dict[int, float] = {}
    for slot in range(WEEK_HOURS):
        group = kind(slot)
        came[group] = came.get(group, 0.0) + counts[slot]
        usual[group] = usual.get(group, 0.0) + rates[slot] * seen[slot]
    factor = {group: (came[group] + POOL) / (usual[group] + POOL) for group in came}
    return [rate * factor[kind(slot)] for slot, rate in enumerate(rates)]


def _tempered(days: Sequence[Sequence[_Hour]], rates: Sequence[float]) -> dict[int, float]:
    """Give days of bursts -> by what their counts are made smaller.

    A burst has raised the rates of its own weekday, so the middle one of these days is the measure.
    """
    counts = [sum(hour.count for hour in hours) for hours in days]
    usual = [sum(rates[hour.slot] for hour in hours) for hours in days]
    ratios: dict[int, list[float]] = {}
    for hours, count, expected in zip(days, counts, usual, strict=True):
        if expected >= ENOUGH_A_DAY:
            ratios.setdefault(_weekday(hours[0].slot), []).append(count / expected)
    found = {}
    for hours, count, expected in zip(days, counts, usual, strict=True):
        same = ratios.get(_weekday(hours[0].slot), ())
        middle = min(1.0, median(same)) if len(same) >= ENOUGH_DAYS else 1.0
        most = BURST * middle * expected + 4 * sqrt(middle * expected) + 3
        if count > most:
            found[hours[0].day] = most / count
    return found


def _spread(
    days: Sequence[Sequence[_Hour]],
    rates: Sequence[float],
    half_life: float,
    tempered: dict[int, float],
) -> float:
    """Say how much days differ beyond chance, with small days telling less."""
    total, weights = SPREAD * SPREAD_WEIGHT, SPREAD_WEIGHT
    for hours in days:
        usual = sum(rates[hour.slot] for hour in hours)
        if usual <= 0 or len(hours) < 12:
            continue
        count = sum(hour.count for hour in hours) * tempered.get(hours[0].day, 1.0)
        weight = 0.5 ** (hours[0].age_days / (2 * half_life)) * (usual / (1 + usual)) ** 2
        short = max(usual - count, 0.0)
        total += weight * (2 * short**2 - usual) / usual**2
        weights += weight
    return min(max(total / weights, 0.02), 2.0)


def _lately(days: Sequence[Sequence[_Hour]], rates: Sequence[float]) -> float:
    """Compare the last days with the usual; without much to go by they were usual."""
    came = usual = POOL
    for hours in days[-14:]:
        weight = 0.5 ** (hours[-1].age_days / LATELY_DAYS)
        came += weight * sum(hour.count for hour in hours)
        usual += weight * sum(rates[hour.slot] for hour in hours)
    return min(1.0, came / usual)


def _nats(expected: float, spread: float) -> float:
    """Give minus the logarithm of the chance that a day brings nothing."""
    return log1p(expected * spread) / spread


def _tails(count: int, mean: float, shape: float) -> tuple[float, float]:
    """Give the chance of at most, and of at least, a count under a negative binomial."""
    log_p, log_q = log(mean / (mean + shape)), log(shape / (mean + shape))

    def chance(value: int) -> float:
        ways = lgamma(value + shape) - lgamma(shape) - lgamma(value + 1)
        return exp(ways + value * log_p + shape * log_q)

    below = sum(chance(value) for value in range(count))
    return min(below + chance(count), 1.0), max(1.0 - below, 0.0)
