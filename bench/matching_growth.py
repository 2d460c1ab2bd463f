"""Item reads and CPU of matching one submission, with 1,000 and with 1,000,000 leads stored.

The thousand go through the hub. A million would take it hours, so they are made up by number,
always the same, and only what the probes touch is ever stored: every one of the million is made,
in order, and joins the blocks that the hub would have put it into, full blocks and those that
stand for them included; blocks that no probe asks for are only counted. Leads and touches are made
by the hub itself at the moment they are read. That this fills blocks as the hub does is checked
on six thousand. Each stored lead has one touch; nobody in the crowd is merged with anybody else.

Values repeat as they do among people: family names as unevenly as in a national register, a few
large cities, common first names, companies of very different size, offices with one number, and
one mail address in seven begins with the same letters as thousands of others.
Run: python -m bench.matching_growth [LEADS] [PROBES]
"""

import random
import re
import statistics
import sys
import time
import unicodedata
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from bench.adapters.matching import FIELDS, Matcher
from bench.adapters.table import FastTable
from bench.made_up_words import COINED, COUNTRIES, JOBS, NICKNAMES, TRADES
from bench.match_blocks import touch_of
from bench.match_sets import Lead
from chalicelib.flow.blocks import Block, block_item, block_key, block_of
from chalicelib.flow.candidates import MOST_LEADS, MOST_READS, find
from chalicelib.flow.glance import Glance
from chalicelib.flow.match import lead_writes, match
from chalicelib.hub import Current, Hub
from chalicelib.lead.identity import lead_id
from chalicelib.lead.matching.blocks import MOST_IN_BLOCK, block_keys, kept_keys, narrower
from chalicelib.lead.matching.record import Record, record_from, record_of
from chalicelib.lead.model import Touch
from chalicelib.records import key_item, lead_key
from chalicelib.storage import Item, Key, Put

SMALL, LARGE = 1_000, 1_000_000
PROBES = 400
ROUNDS = 3
"""Each is matched so many times, and the least CPU counts: what else runs makes it more."""
LEARNT_FROM = 4_000
CHECKED = 6_000
"""Leads that are put into blocks both ways; enough that some blocks are full."""
SYLLABLES = re.findall("..", "babebodadedofagahakalalelomamemonanereroraresasesotatetovawi")
ENDINGS = "ck er ert ing ini ler man mann ner ov sen ski son stein ton ville witz z".split()  # noqa: SIM905


class Uneven:
    """Values of which the first are drawn much more often, as 1 / (rank + offset) ** slope."""

    def __init__(self, values: Sequence[str], slope: float, offset: float = 1) -> None:
        self._values = values
        self._sums = list(
            accumulate(1 / (rank + offset) ** slope for rank in range(1, len(values) + 1))
        )

    def draw(self, rng: random.Random) -> str:
        """Draw one."""
        return self._values[bisect(self._sums, rng.random() * self._sums[-1])]


def _invented(count: int, syllables: int) -> list[str]:
    rng = random.Random(7)
    names: dict[str, None] = {}
    while len(names) < count:
        middle = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, syllables)))
        names[(rng.choice(SYLLABLES) + middle + rng.choice(ENDINGS)).title()] = None
    return list(names)


def _real(*kinds: str) -> list[str]:
    names = (
        name.split("/")[0]
        for kind in kinds
        for land in COUNTRIES.values()
        for name in getattr(land, kind)
    )
    return list(dict.fromkeys(names))


LAST = Uneven([*_real("last"), *_invented(60_000, 2)], 0.85, 6)
FIRST = Uneven([*_real("women", "men"), *_invented(3_000, 1)], 1.0, 4)
CITIES = Uneven(
    [f"{one}{end}" for end in ("", "burg", "ford") for one in _invented(700, 1)], 0.95, 3
)
COMPANIES = Uneven(
    [f"{a} {b}" for a in [*COINED, *_invented(4_000, 2)] for b in TRADES], 0.75, 20
)  # fmt: skip
STREETS = Uneven([f"{one} street" for one in _invented(4_000, 1)], 0.8, 5)


def _ascii(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).replace(" ", "-").replace("'", "")
    return "".join(letter for letter in apart if letter.isascii())


def lead_number(number: int) -> Lead:
    """Make what the person of this number sends in a form; always the same."""
    rng = random.Random(number)
    first, last, city = FIRST.draw(rng), LAST.draw(rng), CITIES.draw(rng)
    lead: Lead = {"first_name": first, "last_name": last}
    company = COMPANIES.draw(rng) if rng.random() < 0.55 else ""
    area = 200 + sum(map(ord, city)) % 700
    if rng.random() < 0.9:
        domain = "example.com" if rng.random() < 0.75 else "example.org"
        if company and rng.random() < 0.6:
            domain = f"{_ascii(company).lower().replace(' ', '-')}.example.com"
        local = rng.choice(
            (f"{first}.{last}{rng.randint(10, 9_999)}", f"{first[0]}{last}{rng.randint(10, 9_999)}",
             f"{first}{rng.randint(100, 999_999)}", f"{last}{rng.randint(100, 999_999)}")
        )  # fmt: skip
        if not domain.startswith("example"):
            local = f"{first}.{last}" if len(company) % 2 else f"{first[0]}{last}"
        lead["email"] = f"{_ascii(local).lower()}@{domain}"
    if rng.random() < 0.5:
        is_office = company and rng.random() < 0.3
        # No two people have one number, but for those of one office; it is never dialled or shown.
        digits = sum(map(ord, company)) * 37_651 if is_office else abs(number) * 6_364_137
        lead["phone"] = f"+1{area}{2 + digits % 8}{digits % 1_000_003:06}"
    if company:
        lead["company"] = company
        lead["extra"] = rng.choice(JOBS)
    if rng.random() < 0.6:
        lead["city"] = city
        lead["country"] = "US"
    if rng.random() < 0.3:
        lead["street"] = f"{rng.randint(1, 240)} {STREETS.draw(rng)}"
        lead["postal_code"] = f"{sum(map(ord, city)) * 97 % 1000:03}{rng.randint(0, 30):02}"
    if rng.random() < 0.15:
        lead["dob"] = f"{rng.randint(1945, 2006)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return lead


@dataclass(frozen=True)
class Probe:
    """A submission to match.

    Attributes:
        by: number of the stored lead whose it is; None for a stranger.
    """

    lead: Lead
    by: int | None


def probe(number: int, stored: int) -> Probe:
    """Make a submission: half are by somebody stored, written another way; half by strangers."""
    if number % 2:
        return Probe(lead_number(stored + number), None)
    rng = random.Random(-number - 1)
    by = rng.randrange(stored)
    lead = dict(lead_number(by))
    kind = number // 2 % 4
    first, last = lead["first_name"], lead["last_name"]
    if kind == 0:
        lead["first_name"] = NICKNAMES.get(first, (first,))[0]
        lead["email"] = f"{_ascii(last).lower()}.{rng.randint(1, 99)}@example.net"
    elif kind == 1:
        at = rng.randrange(1, len(last) - 1)
        lead["last_name"] = last[:at] + last[at + 1] + last[at] + last[at + 2 :]
    elif kind == 2 and "phone" in lead:
        lead["phone"] = lead["phone"][:-1] + str(rng.randint(0, 9))
    return Probe(lead, by)


class Crowd:
    """A table of many leads, of which those items exist that somebody asks for."""

    def __init__(self, stored: int, probes: Sequence[Probe]) -> None:
        self.members: dict[str, list[int]] = {key: [] for key in wanted_keys(probes)}
        self.sizes: Counter[str] = Counter()
        self._holders: dict[str, int] = {}
        identities = {key for one in probes for key in touch_of(one.lead).identity_keys}
        for number in range(stored):
            if sys.stderr.isatty() and number % 1000 == 0:
                print(f"\r\x1b[K{number}/{stored} leads", end="", file=sys.stderr)
            lead = lead_number(number)
            for key in self._joined(lead):
                if key in self.members:
                    self.members[key].append(number)
            # Enough for the made-up values, whose key is what they are.
            for key in (f"email:{lead.get('email')}", f"phone:{lead.get('phone')}"):
                if key in identities:
                    self._holders.setdefault(key, number)
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)

    def _joined(self, lead: Lead) -> Iterator[str]:
        """Name the blocks that a lead joins, and count it there."""
        record = quick_record(lead)
        spare = MOST_READS - MOST_LEADS - sum(name in lead for name in ("email", "phone"))
        wide = block_keys(record)[:spare]
        full = [key for key in wide if self.sizes[key] >= MOST_IN_BLOCK]
        pairs = [narrower(key, record) for key in full]
        more = [pair[place] for place in (0, 1) for pair in pairs if place < len(pair)]
        own = kept_keys(record)
        kept = {*own, *(name for key in own for name in narrower(key, record))}
        for key in (*wide, *more[: spare - len(wide)]):
            if key in kept and self.sizes[key] < MOST_IN_BLOCK:
                self.sizes[key] += 1
                yield key

    def items(self) -> Iterator[tuple[Item, Sequence[int]]]:
        """Make the blocks and keys that probes ask for, each with the leads it is about."""
        for key, numbers in self.members.items():
            if numbers:
                records = tuple(record_number(number) for number in numbers)
                block = Block(records, len(records), len(records) >= MOST_IN_BLOCK)
                yield block_item(key, block, "bench"), numbers
        for key, number in self._holders.items():
            yield key_item(key, [record_number(number).lead_id], 1, "bench"), (number,)


def wanted_keys(probes: Sequence[Probe]) -> list[str]:
    """Name every block that matching the probes could read."""
    wanted: dict[str, None] = {}
    for one in probes:
        record = record_of(touch_of(one.lead), "")
        for key in block_keys(record):
            wanted |= dict.fromkeys((key, *narrower(key, record)))
    return list(wanted)


def quick_record(lead: Lead) -> Record:
    """Make what is compared of values that need no cleaning."""
    return record_from({FIELDS[name]: value for name, value in lead.items()}, "", "")


def record_number(number: int) -> Record:
    """Make the record of a stored lead, as it stands in blocks."""
    lead = lead_number(number)
    touch = touch_of(lead, f"stored-{number}")
    record = record_of(touch, lead_id(touch.touch_id))
    if record.said() != quick_record(lead).said():
        raise AssertionError(f"lead {number} is not made as the hub makes it")
    return record


class CountingTable(FastTable):
    """A table that counts the items it gives, and makes leads of a crowd when they are read.

    Attributes:
        by_key: items asked for by their keys, found or not.
        by_query: items that queries gave.
        blocks: those of `by_key` that are blocks.
    """

    def __init__(self, crowd: Crowd | None = None) -> None:
        super().__init__()
        self.by_key = self.by_query = self.blocks = 0
        self._unmade: dict[str, int] = {}
        for item, numbers in crowd.items() if crowd else ():
            self._put(Key(item["pk"], item["sk"]), item)
            for number in numbers:
                touch = touch_of(lead_number(number), f"stored-{number}")
                self._unmade[lead_key(lead_id(touch.touch_id))[0]] = number

    def get(self, key: Key) -> Item | None:
        """Read one item."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        """Read items by their keys."""
        self.by_key += len(keys)
        self.blocks += sum(key[0].startswith("BLOCK#") for key in keys)
        for key in keys:
            self._make(key[0])
        return super().get_many(keys, may_lag=may_lag)

    def query(self, pk: str, prefix: str = "") -> list[Item]:
        """Read items of a partition."""
        self._make(pk)
        found = super().query(pk, prefix)
        self.by_query += len(found)
        return found

    def _make(self, pk: str) -> None:
        number = self._unmade.pop(pk, None)
        if number is None:
            return
        made = Matcher()
        touch = touch_of(lead_number(number), f"stored-{number}")
        hub = made.hub
        found = match(hub, hub.configurations.current(), Glance(hub.table), touch)
        for write in lead_writes(found, "bench"):
            if isinstance(write, Put) and write.key[0] == pk:
                self._put(write.key, write.item)


@dataclass(frozen=True)
class Cost:
    """What matching one submission took.

    Attributes:
        to_find: items read by key to find whose it is.
        blocks: those of them that are blocks.
        in_all: items read by key, also to prepare what joins leads.
        touches: of the leads that were looked at.
    """

    probe: Probe
    to_find: int
    blocks: int
    in_all: int
    touches: int
    milliseconds: float
    found: str


def learnt() -> Matcher:
    """Give a hub that has learnt its weights, without labels, from people of this kind.

    One in four of what it takes is written by somebody before, as probes are.
    """
    matcher = Matcher()
    for number in range(LEARNT_FROM):
        matcher.take(f"first-{number}", lead_number(number))
        if number % 3 == 2:
            matcher.take(f"again-{number}", probe(number // 3 * 2, number).lead)
    return matcher


def measure(matcher: Matcher, table: CountingTable, probes: Sequence[Probe]) -> list[Cost]:
    """Match each probe, and save none."""
    hub = replace(matcher.hub, table=table)
    current = matcher.hub.configurations.current()
    print(f"weights: number {current.active.weights}")
    weights = matcher.hub.configurations.weights(current)
    touches = [touch_of(one.lead, f"probe-{number}") for number, one in enumerate(probes)]
    # The first round makes the leads that are read and warms what is made once.
    for touch in touches:
        match(hub, current, Glance(table), touch)
    costs = []
    for one, touch in zip(probes, touches, strict=True):
        table.by_key = table.by_query = table.blocks = 0
        find(hub, Glance(table), touch, lead_id(touch.touch_id), weights)
        to_find, blocks = table.by_key, table.blocks
        table.by_key = table.by_query = 0
        found = match(hub, current, Glance(table), touch)
        in_all, rows = table.by_key, table.by_query
        took = min(_timed(hub, current, table, touch) for _ in range(ROUNDS))
        whose = found.lead.lead_id if found.version else ""
        costs.append(Cost(one, to_find, blocks, in_all, rows, took, whose))
    return costs


def _timed(hub: Hub, current: Current, table: CountingTable, touch: Touch) -> float:
    """Match once; gives milliseconds of CPU."""
    began = time.process_time_ns()
    match(hub, current, Glance(table), touch)
    return (time.process_time_ns() - began) / 1e6


def check() -> None:
    """Fill blocks both ways with a small crowd, and see that they hold as many records."""
    matcher, crowd = Matcher(), Crowd(CHECKED, [probe(number, CHECKED) for number in range(PROBES)])
    for number in range(CHECKED):
        matcher.take(f"stored-{number}", lead_number(number))
    held = matcher.table.get_many([block_key(key) for key in crowd.members])
    sizes = {key: len(block_of(item).records) for (key, _), item in held.items()}
    there = {key: len(numbers) for key, numbers in crowd.members.items() if numbers}
    # The hub takes some of the crowd for one person, and keeps what they say alike once.
    apart = sum(sizes.get(block_key(key)[0], 0) != size for key, size in there.items())
    full = sum(size == MOST_IN_BLOCK for size in there.values())
    print(
        f"check on {CHECKED:,} leads: of {len(there):,} blocks, {full} of them full, "
        f"{apart} hold another number of records than in the hub"
    )


def report(stored: int, costs: Sequence[Cost]) -> None:
    """Print a row."""
    to_find = [cost.to_find for cost in costs]
    took = sorted(cost.milliseconds for cost in costs)
    known = [cost for cost in costs if cost.probe.by is not None]
    strangers = [cost for cost in costs if cost.probe.by is None]
    right = sum(
        cost.found == record_number(cost.probe.by).lead_id
        for cost in known
        if cost.probe.by is not None
    )
    print(
        f"| {stored:,} | {statistics.fmean(to_find):.1f}, at most {max(to_find)} "
        f"| {statistics.fmean(cost.blocks for cost in costs):.1f} "
        f"| {statistics.fmean(cost.touches for cost in costs):.1f}, "
        f"at most {max(cost.touches for cost in costs)} "
        f"| at most {max(cost.in_all for cost in costs)} "
        f"| {statistics.median(took):.1f} | {took[int(len(took) * 0.95)]:.1f} "
        f"| {right} of {len(known)} | {sum(bool(one.found) for one in strangers)} "
        f"of {len(strangers)} |"
    )


def main() -> None:
    """Measure both sizes."""
    large = int(sys.argv[1]) if len(sys.argv) > 1 else LARGE
    count = int(sys.argv[2]) if len(sys.argv) > 2 else PROBES
    check()
    matcher = learnt()
    rows = []
    for stored in (SMALL, large):
        probes = [probe(number, stored) for number in range(count)]
        crowd = Crowd(stored, probes)
        full = sum(size >= MOST_IN_BLOCK for size in crowd.sizes.values())
        print(f"{stored:,} leads: {len(crowd.sizes):,} blocks, {full:,} of them full")
        rows.append((stored, measure(matcher, CountingTable(crowd), probes)))
    print(
        "| Leads stored | Items read by key to find whose it is | of them blocks "
        "| Touches read | Items with what joining takes | CPU ms, median | p95 "
        "| Put back to their lead | Strangers put into a lead |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for stored, costs in rows:
        report(stored, costs)


if __name__ == "__main__":
    main()
