"""How well matching does, estimated from its own probabilities and measured on what people decided.

Nobody has said who is who, so precision and recall are what the model expects: of the pairs that
reach a threshold, how many it holds to be one person. Where people have decided, that is counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, Field

from chalicelib.flow.blocks import Block, read_blocks
from chalicelib.flow.candidates import MOST_READS, records_of
from chalicelib.flow.duplicates import decided
from chalicelib.flow.glance import Glance
from chalicelib.flow.leads import Stored, live_leads_by_id, stored_leads
from chalicelib.flow.learn import gather
from chalicelib.hub import Hub
from chalicelib.lead.matching.blocks import MOST_IN_BLOCK
from chalicelib.lead.matching.decide import ASK, MATCH, MERGE, Candidate, weigh
from chalicelib.lead.matching.weights import Weights, probability_of
from chalicelib.lead.matching.words import because
from chalicelib.lead.merging import may_merge
from chalicelib.lead.model import Model

SAMPLE = 500
"""Of how many leads the pairs are looked at."""

MOST_BORDERLINE = 20
MOST_DECIDED = 500
LONGEST_WORDS = 300

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Probabilities that precision and recall are told for."""

LEAST_BITS, MOST_BITS = -20, 30


class Point(Model):
    """What a threshold comes to."""

    threshold: float = Field(description="probability from which a pair is taken for one person")
    precision: float = Field(description="how many of those taken are one person; 0 to 1")
    recall: float = Field(description="how many of those that are one person are taken; 0 to 1")
    pairs: int = Field(description="how many are taken")


class Bar(Model):
    """How many pairs have so many bits."""

    bits: int = Field(description="from here to one more")
    pairs: int


class Borderline(Model):
    """A pair about which the evidence says little either way."""

    lead_id: str
    other_id: str
    probability: float
    guard: str = ""
    because: str


class BlocksSeen(Model):
    """The blocks that the sample was looked up in."""

    read: int = 0
    full: int = Field(default=0, description="so full that narrower ones stand for them")
    narrower: int = Field(default=0, description="of those read, how many stand for a full one")
    records: Mapping[int, int] = Field(
        default_factory=dict, description="so many records -> so many blocks"
    )
    most: int = MOST_IN_BLOCK


class Report(Model):
    """What is known of how well matching does."""

    made_at: AwareDatetime
    weights: int = Field(description="number of those in use; 0: as the hub comes")
    learnt_from: int = Field(description="leads that they were learnt from")
    leads: int
    sampled: int
    records: int = Field(description="what was compared of the sample, each thing once per lead")
    pairs: int = Field(description="of a record and another lead's, or the same lead's")
    held_back: Mapping[str, int] = Field(description="by guard: pairs that are no match, ever")
    limits: Mapping[str, float] = Field(description="match, ask, merge as probabilities")
    expected: tuple[Point, ...] = Field(description="as the model sees it; nobody checked")
    measured: tuple[Point, ...] = Field(description="on what people decided; empty without that")
    decided_same: int = Field(description="pairs that people say are one person")
    decided_apart: int = Field(description="pairs that people say are two")
    bars: tuple[Bar, ...]
    borderline: tuple[Borderline, ...]
    blocks: BlocksSeen


class _Pair(NamedTuple):
    lead_id: str
    candidate: Candidate

    @property
    def probability(self) -> float:
        return probability_of(self.candidate.bits)


def report(hub: Hub, tell: Callable[[int, int], None] = lambda done, of: None) -> Report:
    """Look at a sample of leads and at what people decided; writes nothing.

    Args:
        hub: read from.
        tell: is told how many leads of how many were looked at.
    """
    current = hub.configurations.current()
    weights = hub.configurations.weights(current)
    gathered = gather(hub)
    sample = gathered.sample[:SAMPLE]
    pairs: list[_Pair] = []
    blocks: dict[str, Block] = {}
    records = done = 0
    for stored in _each(hub, sample):
        done += 1
        own = dict.fromkeys(stored.lead.members, stored.lead.lead_id)
        for record in records_of([stored]):
            records += 1
            read = read_blocks(Glance(hub.table), record, MOST_READS)
            blocks |= read
            others = [
                one
                for block in read.values()
                for one in block.records
                if one.touch_id != record.touch_id
            ]
            pairs += [
                _Pair(stored.lead.lead_id, candidate)
                for candidate in weigh(record, dict.fromkeys(others), own, weights)
            ]
        tell(done, len(sample))
    labelled = _decided(hub, weights)
    free = [one for one in pairs if not one.candidate.guard]
    return Report(
        made_at=hub.clock(),
        weights=current.active.weights,
        learnt_from=weights.leads,
        leads=gathered.walk.seen,
        sampled=done,
        records=records,
        pairs=len(pairs),
        held_back=Counter(one.candidate.guard for one in pairs if one.candidate.guard),
        limits={name: probability_of(bits) for name, bits in limits_in_bits(weights).items()},
        expected=tuple(expected_at([one.probability for one in free])),
        measured=tuple(measured_at(labelled)),
        decided_same=sum(is_same for _, is_same in labelled),
        decided_apart=sum(not is_same for _, is_same in labelled),
        bars=tuple(_bars(free)),
        borderline=tuple(_borderline(pairs, weights)),
        blocks=_seen(blocks),
    )


def limits_in_bits(weights: Weights) -> dict[str, float]:
    """Give the thresholds in force, in bits."""
    return {"match": MATCH, "ask": ASK, "merge": MERGE, **weights.limits}


def expected_at(probabilities: Sequence[float]) -> Iterator[Point]:
    """Give what the model expects of each threshold, from what it thinks of each pair."""
    whole = sum(probabilities)
    for threshold in THRESHOLDS:
        taken = [one for one in probabilities if one >= threshold]
        right = sum(taken)
        yield Point(
            threshold=threshold,
            precision=right / len(taken) if taken else 1.0,
            recall=right / whole if whole else 1.0,
            pairs=len(taken),
        )


def measured_at(labelled: Sequence[tuple[float, bool]]) -> Iterator[Point]:
    """Count what each threshold comes to where people have decided.

    Args:
        labelled: probability of a pair, and whether it is one person.
    """
    same = sum(is_same for _, is_same in labelled)
    if not labelled:
        return
    for threshold in THRESHOLDS:
        taken = [is_same for one, is_same in labelled if one >= threshold]
        yield Point(
            threshold=threshold,
            precision=sum(taken) / len(taken) if taken else 1.0,
            recall=sum(taken) / same if same else 1.0,
            pairs=len(taken),
        )


def _each(hub: Hub, lead_ids: Sequence[str]) -> Iterator[Stored]:
    for lead_id in lead_ids:
        yield from stored_leads(hub, [lead_id])


def _decided(hub: Hub, weights: Weights) -> list[tuple[float, bool]]:
    """Give what people decided about proposals, with what is thought of each pair now.

    Whether they are one is read from the leads themselves, so a merge that was taken back counts
    as what it was in the end.
    """
    labelled = []
    verdicts: tuple[Literal["merged", "apart"], ...] = ("merged", "apart")
    for verdict in verdicts:
        proposals = []
        for proposal in decided(hub, verdict):
            proposals.append(proposal)
            if len(proposals) == MOST_DECIDED:
                break
        named = [lead_id for proposal in proposals for lead_id in proposal.lead_ids]
        leads = live_leads_by_id(hub.table, named)
        for proposal in proposals:
            one, other = (leads.get(lead_id) for lead_id in proposal.lead_ids)
            if one is None or other is None:
                continue
            is_same = one.lead_id == other.lead_id
            if is_same or not may_merge(one, other):
                labelled.append((probability_of(proposal.bits), is_same))
    return labelled


def _bars(pairs: Iterable[_Pair]) -> Iterator[Bar]:
    counted = Counter(
        int(max(LEAST_BITS, min(MOST_BITS, one.candidate.bits // 1))) for one in pairs
    )
    for bits in range(LEAST_BITS, MOST_BITS + 1):
        yield Bar(bits=bits, pairs=counted[bits])


def _borderline(pairs: Iterable[_Pair], weights: Weights) -> Iterator[Borderline]:
    """Give the pairs that are nearest to the threshold of a match, each once."""
    match = limits_in_bits(weights)["match"]
    seen: set[frozenset[str]] = set()
    for one in sorted(pairs, key=lambda pair: (abs(pair.candidate.bits - match), pair.lead_id)):
        other_id = one.candidate.lead_id
        both = frozenset((one.lead_id, other_id))
        if other_id == one.lead_id or both in seen:
            continue
        seen.add(both)
        yield Borderline(
            lead_id=one.lead_id,
            other_id=other_id,
            probability=one.probability,
            guard=one.candidate.guard,
            because=because(one.candidate, quoting=True)[:LONGEST_WORDS],
        )
        if len(seen) == MOST_BORDERLINE:
            return


def _seen(blocks: Mapping[str, Block]) -> BlocksSeen:
    there = {key: block for key, block in blocks.items() if block.version}
    sizes = Counter(len(block.records) for block in there.values())
    return BlocksSeen(
        read=len(there),
        full=sum(block.is_full for block in there.values()),
        narrower=sum("+" in key for key in there),
        records=dict(sorted(sizes.items())),
    )
