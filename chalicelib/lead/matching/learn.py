"""What a hub's own records teach, without anybody saying which are one person's.

How frequent values are is counted. How often a field agrees between records of two people is seen
in pairs drawn at random; how often between records of one person, in pairs that share a block,
each as far as it is held to be one person's by what is known so far, again and again (expectation
maximisation). All of it is mixed with the usual weights, the more of those the less was seen.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from chalicelib.lead.matching.blocks import MOST_IN_BLOCK, block_keys
from chalicelib.lead.matching.compare import Term, compare, is_valued
from chalicelib.lead.matching.firms import words_of_company
from chalicelib.lead.matching.record import Record
from chalicelib.lead.matching.rivals import odds
from chalicelib.lead.matching.weights import AS_IT_COMES, LEVELS, SURE, USUAL, Weights

FEWEST_RECORDS = 200
"""With fewer, nothing is learnt."""

MOST_PAIRS = 5_000
"""Pairs that are compared, of either kind."""

MOST_VALUES = 400
"""Frequent values that are remembered of a field."""

ROUNDS = 6
USUAL_PAIRS = 100.0
"""As many pairs of one person the usual weights count as much as."""

FARTHEST = 3.0
"""Bits that what is learnt may lie from the usual weights at most."""

STRIDE = 7
"""How much further each turn looks for the other record of a pair."""

_Seen = Mapping[tuple[str, str], float]


def learn(records: Sequence[Record], leads: int) -> Weights:
    """Learn weights from records.

    Args:
        records: of as many submissions as there are, or of a fair sample; `lead_id` is of the
            live lead that they are part of now.
        leads: how many live leads there are.
    """
    if len(records) < FEWEST_RECORDS:
        return AS_IT_COMES
    # Ids of touches are hashes: in their order records are as good as shuffled.
    records = sorted(records, key=lambda record: record.touch_id)
    in_sample = len({record.lead_id for record in records})
    had, counts = _frequencies(records)
    weights = Weights(
        leads=leads,
        submissions=round(len(records) * leads / in_sample),
        records=had,
        counts=counts,
    )
    by_chance = _by_chance(records, weights)
    pairs = [(a, b, compare(a, b, weights)) for a, b in _pairs(records)]
    bits: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        of_one = _of_one(pairs, bits, weights.prior)
        bits = _bits(of_one, by_chance, weights)
    learnt: dict[str, dict[str, float]] = defaultdict(dict)
    for (field, level), change in bits.items():
        learnt[field][level] = round(LEVELS[field].get(level, 0.0) + change, 2)
    return weights.with_bits(learnt)


def values_of(record: Record) -> Iterator[tuple[str, str]]:
    """Give the values of a record whose frequency counts, each with its field."""
    for field in USUAL:
        value = record.email.rpartition("@")[2] if field == "domain" else getattr(record, field)
        if value:
            yield field, value
    if record.company:
        for word in sorted(set(words_of_company(record.company))):
            yield "word", word


def _frequencies(records: Sequence[Record]) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Count leads by field and by value; once each, however many records they have."""
    had: Counter[str] = Counter()
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    by_lead: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for record in records:
        by_lead[record.lead_id].update(values_of(record))
    for values in by_lead.values():
        had.update({field for field, _ in values})
        for field, value in values:
            counted[field][value] += 1
    return dict(had), {
        field: {value: n for value, n in _most(counts) if n > 1}
        for field, counts in sorted(counted.items())
    }


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_VALUES]


def _pairs(records: Sequence[Record]) -> list[tuple[Record, Record]]:
    """Give pairs that share a block, each once, as a bounded sample of them."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for at, record in enumerate(records):
        for key in block_keys(record):
            if len(blocks[key]) < MOST_IN_BLOCK:
                blocks[key].append(at)
    pairs = {
        (min(a, b), max(a, b)) for members in blocks.values() for a, b in combinations(members, 2)
    }
    every = len(pairs) // MOST_PAIRS + 1
    return [(records[a], records[b]) for a, b in sorted(pairs)[::every]]


def _by_chance(records: Sequence[Record], weights: Weights) -> _Seen:
    """Tell how often levels are seen between two leads, of all pairs that have the field."""
    seen: Counter[tuple[str, str]] = Counter()
    for at in range(MOST_PAIRS):
        turn, place = divmod(at, len(records))
        a, b = records[place], records[(place + turn * STRIDE + 1) % len(records)]
        if a.lead_id != b.lead_id:
            seen.update({(term.field, term.level) for term in compare(a, b, weights)})
    return _with_totals(seen)


def _of_one(
    pairs: Sequence[tuple[Record, Record, list[Term]]],
    bits: Mapping[tuple[str, str], float],
    prior: float,
) -> _Seen:
    """Tell how often levels are seen between records of one person, as far as can be told."""
    seen: dict[tuple[str, str], float] = defaultdict(float)
    for a, b, terms in pairs:
        read = [term._replace(bits=term.bits + bits.get(term[:2], 0.0)) for term in terms]
        against, _ = odds(a, b, read, prior)
        sure = 1 / (1 + 2 ** -max(-60.0, min(60.0, against)))
        for term in terms:
            seen[term.field, term.level] += sure
    return _with_totals(seen)


def _with_totals(seen: Mapping[tuple[str, str], float]) -> _Seen:
    """Add, under the empty level, how often a field was seen at all."""
    totals: dict[tuple[str, str], float] = defaultdict(float)
    for (field, _), n in seen.items():
        totals[field, ""] += n
    return {**seen, **totals}


def _bits(of_one: _Seen, by_chance: _Seen, weights: Weights) -> dict[tuple[str, str], float]:
    """Give by how much levels weigh more or less than is usual."""
    changes = {}
    for field, levels in LEVELS.items():
        ones, twos = of_one.get((field, ""), 0.0), by_chance.get((field, ""), 0.0)
        if field in _FIXED or not ones or not twos:
            continue
        for level, usual in levels.items():
            n = of_one.get((field, level), 0.0)
            one = (n + 0.5) / (ones + 1)
            two = (by_chance.get((field, level), 0.0) + 0.5) / (twos + 1)
            found = math.log2(one / two)
            if is_valued(field, level):
                same = (by_chance.get((field, "same"), 0.0) + 0.5) / (twos + 1)
                found -= math.log2(SURE / same)
            trust = (ones if level == "other" else n) / USUAL_PAIRS
            mixed = (usual + trust * found) / (1 + trust)
            changes[field, level] = max(-FARTHEST, min(FARTHEST, mixed - usual))
    return changes


_FIXED = ("swapped", "in_email", "kind", "generation")
