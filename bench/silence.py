"""Silence alarms on a simulated year of traffic, against the rule "nothing for 24 hours".

Sources of several sizes live with nights, weekends, holidays, summers, growth or decline, good and
bad days, campaigns; now and then one breaks and sends nothing until that is noticed (and four hours
longer). Reported: false alarms a year, and the time from the last delivery to the alarm.
Run: python -m bench.silence [YEARS] [SEED]
"""

import math
import random
import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.days_off import days_off
from chalicelib.silence import HOUR, KEPT_HOURS, Calendar, Span, Traffic, Usual, learn, silence

SIZES = (0.14, 0.5, 3, 20, 200, 5000)
ZONE = ZoneInfo("Europe/Berlin")
CALENDAR = Calendar(ZONE, days_off("DE", 2024, 2027))
START = datetime(2025, 3, 3, tzinfo=UTC)
WARM_WEEKS = 8
HOURS = (365 + 7 * WARM_WEEKS) * 24
BROKEN_A_YEAR = 6
MENDED_AFTER = timedelta(hours=4)
LONGEST = timedelta(days=90)
NAIVE = timedelta(hours=24)

HOLIDAYS = {
    (1, 1), (4, 18), (4, 20), (4, 21), (5, 1), (5, 29), (6, 9), (10, 3), (12, 24), (12, 25),
    (12, 26), (12, 31),
}  # fmt: skip
"""(month, day) on which hardly anything comes."""


@dataclass
class Told:
    """What a rule did in one year.

    Attributes:
        waits: hours from the last delivery before a break to the alarm.
        missed: breaks that were not alarmed within LONGEST.
        drowned: breaks that began while a false alarm was on, so nobody was told anything new.
    """

    false: int = 0
    waits: list[float] = field(default_factory=list)
    missed: int = 0
    drowned: int = 0

    def add(self, other: "Told") -> None:
        """Add another year."""
        self.false += other.false
        self.waits += other.waits
        self.missed += other.missed
        self.drowned += other.drowned


def main() -> None:
    """Simulate and print."""
    years = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print("leads a day   false alarms a year   hours to notice: median / p90 (not, or drowned)")
    print("              learned   24 hours    learned                 24 hours")
    for size in SIZES:
        learned, naive = Told(), Told()
        for year in range(years):
            for total, one in zip(
                (learned, naive), simulate(size, seed * 1000 + year), strict=True
            ):
                total.false += one.false
                total.waits += one.waits
                total.missed += one.missed
                total.drowned += one.drowned
        print(
            f"{size:>11g}   {learned.false / years:7.2f}   {naive.false / years:8.2f}       "
            f"{_waits(learned):<22}  {_waits(naive)}"
        )


def simulate(size: float, seed: int) -> tuple[Told, Told]:
    """Live through a year with a source of about so many leads a day."""
    times = arrivals(size, seed)
    learned, naive = (_Life(times, random.Random(seed + 7)) for _ in range(2))
    return learned.live(_by_what_is_usual), naive.live(_after_a_day)


def arrivals(size: float, seed: int) -> list[datetime]:
    """Make the arrivals of a year and the weeks before, without anything broken."""
    chance = random.Random(seed)
    is_business = chance.random() < 0.6
    weekend = chance.uniform(0.05, 0.4) if is_business else chance.uniform(0.7, 1.3)
    holiday = chance.uniform(0.02, 0.3) if is_business else chance.uniform(0.3, 1.0)
    growth = math.log(chance.choice((0.5, 0.8, 1.0, 1.5, 3.0)))
    noise = chance.uniform(0.1, 0.35)
    bursts = sorted(
        (chance.uniform(0, HOURS), chance.uniform(2, 60), chance.uniform(2, 8)) for _ in range(10)
    )
    shape = [_by_hour(hour, is_business) for hour in range(24)]
    usual = 24 * (5 + 2 * weekend) / 7 * sum(shape) / 24
    found = []
    drift = 0.0
    level = 1.0
    for number in range(HOURS):
        at = START + HOUR * number
        local = at.astimezone(ZONE)
        if local.hour == 0 or number == 0:
            drift = 0.8 * drift + chance.gauss(0, noise * 0.6)
            level = math.exp(drift + chance.gauss(0, noise * 0.6) + growth * number / HOURS)
            level *= 1 - 0.2 * math.exp(-(((local.timetuple().tm_yday - 215) / 20) ** 2))
            level *= weekend if local.weekday() >= 5 else 1.0
            day = (local.month, local.day)
            if day in HOLIDAYS:
                level *= holiday
            elif day > (12, 22) or day < (1, 4):
                level *= (1 + 2 * holiday) / 3
        rate = size / usual * shape[local.hour] * level
        for begins, hours, factor in bursts:
            if begins <= number < begins + hours:
                rate *= factor
        found += sorted(at + HOUR * chance.random() for _ in range(_poisson(chance, rate)))
    return found


def _by_hour(hour: int, is_business: bool) -> float:
    if is_business:
        return {True: 1.0, False: 0.04}[8 <= hour < 18] + 0.3 * math.exp(-(((hour - 20) / 2) ** 2))
    return 0.05 + math.exp(-(((hour - 19) / 4) ** 2)) + 0.6 * math.exp(-(((hour - 12) / 3) ** 2))


def _poisson(chance: random.Random, mean: float) -> int:
    if mean > 60:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    left, count = math.exp(-mean), 0
    product = chance.random()
    while product > left:
        product *= chance.random()
        count += 1
    return count


@dataclass
class _Life:
    """A source watched hour by hour by one rule; it breaks, is found out, is mended."""

    times: Sequence[datetime]
    chance: random.Random
    told: Told = field(default_factory=Told)
    counts: list[int] = field(default_factory=list)
    silences: list[Span] = field(default_factory=list)
    usual: Usual | None = None
    learned_on: date | None = None
    place: int = 0
    last_at: datetime | None = None
    alarmed_at: datetime | None = None
    broken_at: datetime | None = None
    mended_at: datetime | None = None
    calm_until: datetime = START + timedelta(weeks=WARM_WEEKS)

    def live(self, is_odd: Callable[["_Life", datetime, datetime], bool]) -> Told:
        """Live to the end; `is_odd` judges (life, time of the last delivery, now)."""
        for number in range(HOURS):
            now = START + HOUR * (number + 1)
            self.break_down(now)
            self.receive(now)
            is_warm = now >= START + timedelta(weeks=WARM_WEEKS)
            if self.last_at is not None and self.alarmed_at is None and is_warm:
                self.judge(now, is_odd(self, self.last_at, now))
        return self.told

    def break_down(self, now: datetime) -> None:
        """Break now and then."""
        if self.broken_at is not None or now <= self.calm_until:
            return
        if self.chance.random() < BROKEN_A_YEAR / 365 / 24:
            self.broken_at = now - HOUR * self.chance.random()
            if self.alarmed_at is not None:
                self.told.drowned += 1
                self.mended_at = now + MENDED_AFTER

    def receive(self, now: datetime) -> None:
        """Take what comes in an hour, unless it is broken."""
        end = bisect_left(self.times, now, self.place)
        came = self.times[self.place : end]
        self.place = end
        broken_at, mended_at = self.broken_at, self.mended_at
        if broken_at is not None:
            came = [at for at in came if at < broken_at or (mended_at and at > mended_at)]
        self.counts.append(len(came))
        if not came:
            return
        if self.alarmed_at is not None and self.last_at is not None:
            self.silences.append(Span(self.last_at, came[0]))
        self.last_at, self.alarmed_at = came[-1], None
        if mended_at is not None and came[-1] > mended_at:
            self.calm_until = now + timedelta(days=3)
            self.broken_at = self.mended_at = None

    def judge(self, now: datetime, is_odd: bool) -> None:
        """Book an alarm, or that there is still none."""
        if is_odd:
            self.alarmed_at = now
        if self.broken_at is None or self.mended_at is not None:
            self.told.false += is_odd
        elif is_odd and self.last_at is not None:
            self.told.waits.append((now - self.last_at) / HOUR)
            self.mended_at = now + MENDED_AFTER
        elif now - self.broken_at > LONGEST:
            self.told.missed += 1
            self.mended_at = now


def _by_what_is_usual(life: _Life, last_at: datetime, now: datetime) -> bool:
    if life.usual is None or life.learned_on != last_at.date():
        until = math.ceil((last_at - START) / HOUR)
        first = max(0, until - KEPT_HOURS)
        traffic = Traffic(START + HOUR * first, tuple(life.counts[first:until]))
        life.usual = learn(traffic, CALENDAR, life.silences[-50:])
        life.learned_on = last_at.date()
    return silence(life.usual, last_at, now).is_odd


def _after_a_day(life: _Life, last_at: datetime, now: datetime) -> bool:
    return now - last_at > NAIVE


def _waits(told: Told) -> str:
    if not told.waits:
        return f"- ({told.drowned + told.missed})"
    waits = sorted(told.waits)
    median, late = (waits[int(share * (len(waits) - 1))] for share in (0.5, 0.9))
    return f"{median:.1f} / {late:.1f} ({told.drowned + told.missed})"


if __name__ == "__main__":
    main()
