"""Step 4d: the leads that a submission may belong to, found with a bounded number of reads."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.flow.blocks import Block, block_key, read_blocks
from chalicelib.flow.glance import Glance
from chalicelib.flow.leads import Stored, stored_leads
from chalicelib.hub import Current, Hub
from chalicelib.lead.matching.blocks import block_keys, crowd
from chalicelib.lead.matching.decide import Candidate, settle, weigh
from chalicelib.lead.matching.record import Record, record_of, record_of_edits
from chalicelib.lead.matching.weights import Weights
from chalicelib.lead.matching.words import because
from chalicelib.lead.merging import may_merge
from chalicelib.lead.model import Decision, Lead, Touch, Verdict
from chalicelib.records import holders_of, identity_key
from chalicelib.storage import Key

MOST_READS = 12
"""Most items that are read to find whose a submission is, whatever the size of the table."""

MOST_LEADS = 3
"""Most leads that are looked at; those that blocks find come after the holders of keys."""

MOST_WEIGHED = 24
"""Most records of blocks that are weighed."""

MOST_COMPARED = 24
"""Most records of one lead that a submission is compared with."""

MOST_ASKED = 2
"""Most leads that a person is asked about for one submission."""


@dataclass(frozen=True)
class HeldKey:
    """Which live leads hold an identity key, and the version of its item; 0 when it is new."""

    lead_ids: tuple[str, ...] = ()
    version: int = 0

    def passed(self, gone: Collection[str], lead_id: str) -> "HeldKey":
        """Give it to a lead, in place of those that are merged into it."""
        kept = {one for one in self.lead_ids if one not in gone}
        return HeldKey(tuple(sorted({*kept, lead_id})), self.version + 1)


@dataclass(frozen=True)
class Found:
    """What was found for a submission.

    Attributes:
        record: what of it was compared.
        held: its identity keys that somebody holds.
        blocks: those that it belongs to, as read.
        matches: the leads that it is of; several become one.
        asked: leads that a person is to look at.
        candidates: all that were weighed, the likeliest first, by live lead.
        leads: how many there are at least, as far as blocks tell.
        compared: by live lead, what the submission was compared with.
    """

    record: Record
    held: Mapping[str, HeldKey]
    blocks: Mapping[str, Block]
    matches: tuple[Stored, ...]
    asked: tuple[Stored, ...]
    candidates: tuple[Candidate, ...]
    leads: int
    compared: Mapping[str, Sequence[Record]]

    def to_ask(self) -> list[tuple[Lead, Candidate]]:
        """Give the leads that a person is to look at, each with the evidence."""
        by_lead = {candidate.lead_id: candidate for candidate in self.candidates}
        return [(one.lead, by_lead[one.lead.lead_id]) for one in self.asked]


def asked_first(touch: Touch) -> list[Key]:
    """Name the items that finding whose a submission is begins with; for reading ahead."""
    blocks = block_keys(record_of(touch, ""))[: _spare(touch)]
    return [*map(identity_key, touch.identity_keys), *map(block_key, blocks)]


def _spare(touch: Touch) -> int:
    return MOST_READS - MOST_LEADS - len(touch.identity_keys)


def find(
    hub: Hub, glance: Glance, touch: Touch, lead_id: str, weights: Weights, known: str = ""
) -> Found:
    """Find whose a submission is; reads at most MOST_READS items beside the touches of leads.

    Args:
        hub: read from.
        glance: what was read ahead of keys and blocks.
        touch: the new one.
        lead_id: of the lead that it would be the first of.
        weights: what agreement is worth.
        known: the lead that it belongs to whatever the evidence, as that of an earlier state of it.
    """
    record = record_of(touch, lead_id)
    held = read_keys(glance, touch.identity_keys)
    blocks = read_blocks(glance, record, _spare(touch))
    near = weigh(record, _others(blocks, record), {}, weights)
    holders = dict.fromkeys(one for key in held.values() for one in key.lead_ids)
    # Of a key that many hold, those that blocks find too are the likely ones.
    likely = [one.lead_id for one in near if one.outcome != "new"]
    wanted = [known] if known else []
    wanted += [one for one in likely if one in holders]
    wanted += [one for one in holders if len(holders) <= MOST_LEADS]
    wanted += likely
    stored = stored_leads(hub, list(dict.fromkeys(wanted))[:MOST_LEADS])
    leads = _crowd(blocks, {*likely, *(one.lead.lead_id for one in stored)})
    return _weighed(record, touch, held, blocks, stored, weights, leads, known)


def _crowd(blocks: Mapping[str, Block], likely: Collection[str]) -> int:
    """Estimate how many leads there are by the strangers in blocks."""
    return crowd(
        {
            key: len({one.lead_id for one in block.records}.difference(likely))
            for key, block in blocks.items()
        }
    )


def _weighed(
    record: Record,
    touch: Touch,
    held: Mapping[str, HeldKey],
    blocks: Mapping[str, Block],
    stored: Sequence[Stored],
    weights: Weights,
    leads: int,
    known: str,
) -> Found:
    """Weigh the leads by all that is stored of them."""
    by_id = {one.lead.lead_id: one for one in stored}
    owner_of = {
        old: one.lead.lead_id for one in stored for old in (one.lead.lead_id, *one.lead.members)
    }
    records = records_of(stored, touch.touch_id)
    candidates = weigh(record, records, owner_of, weights, leads)
    settled = settle(candidates)
    # What several people share is no identity, nor what only fills its field.
    holders = {
        key.lead_ids[0]
        for name, key in held.items()
        if len(key.lead_ids) == 1 and _is_told(name, record)
    }
    chosen = dict.fromkeys(one.lead_id for one in settled.matches)
    # An identity key is enough where nothing speaks against it.
    chosen |= dict.fromkeys(one.lead_id for one in candidates if is_known(one, record, holders))
    if of_known := owner_of.get(known) or _holder_of(stored, touch.touch_id):
        chosen = {of_known: None, **chosen}
    together: list[str] = []
    for lead_id in chosen:
        if all(_fit(by_id[lead_id], by_id[other], weights) for other in together):
            together.append(lead_id)
    asked = dict.fromkeys([*chosen, *(one.lead_id for one in settled.asks)])
    return Found(
        record=record,
        held=held,
        blocks=blocks,
        matches=tuple(by_id[lead_id] for lead_id in together),
        asked=tuple(by_id[lead_id] for lead_id in asked if lead_id not in together)[:MOST_ASKED],
        candidates=tuple(candidates),
        leads=leads,
        compared={
            lead_id: [one for one in records if owner_of[one.lead_id] == lead_id]
            for lead_id in by_id
        },
    )


def _is_told(key: str, record: Record) -> bool:
    """Say whether an identity key is of what the record has; test@test.com is nobody's."""
    kind = key.partition(":")[0]
    return bool(getattr(record, kind, True))


def _holder_of(stored: Iterable[Stored], touch_id: str) -> str:
    """Name the lead that has this very touch already; empty if none has."""
    return next(
        (
            one.lead.lead_id
            for one in stored
            if any(old.record.touch.touch_id == touch_id for old in one.touches)
        ),
        "",
    )


def is_known(candidate: Candidate, record: Record, holders: Collection[str]) -> bool:
    """Say whether a lead alone holds a key of the submission and nothing speaks against it.

    A firm's entry is known by its name: its phone and address may be its head office's.
    """
    is_firm = bool(record.company) and not record.is_person and not record.email
    return (
        candidate.lead_id in holders
        and candidate.outcome != "new"
        and not candidate.guard
        and not is_firm
    )


def _fit(one: Stored, other: Stored, weights: Weights) -> bool:
    """Say whether two leads may be one person: nobody and nothing speaks against it."""
    if not may_merge(one.lead, other.lead):
        return False
    records = records_of([one])
    return not any(
        candidate.guard
        for record in records_of([other])
        for candidate in weigh(record, records, {}, weights)[:1]
    )


def _others(blocks: Mapping[str, Block], record: Record) -> list[Record]:
    """Give the records in blocks, each once; of very many those with most in common.

    What is in common is counted first and weighed later, for weighing takes its time.
    """
    found = Counter(
        one for block in blocks.values() for one in block.records if one.touch_id != record.touch_id
    )
    if len(found) <= MOST_WEIGHED:
        return list(found)
    said = record.said()

    def in_common(one: Record) -> tuple[int, str]:
        same = sum(ours == theirs for ours, theirs in zip(said, one.said(), strict=True) if ours)
        return same + found[one], one.touch_id

    return sorted(found, key=in_common, reverse=True)[:MOST_WEIGHED]


def records_of(stored: Iterable[Stored], without: str = "") -> list[Record]:
    """Give what leads' touches and edits say, each thing once for each lead, the newest of much."""
    found = []
    for one in stored:
        records = [
            record_of(old.record.touch, old.lead_id)
            for old in one.touches
            if old.record.touch.touch_id != without
        ]
        by_hand = record_of_edits(one.lead.edits, one.lead.lead_id)
        records += [by_hand] if any(by_hand.said()) else []
        said = {record.said(): record for record in records}
        found += list(said.values())[-MOST_COMPARED:]
    return found


def read_keys(glance: Glance, keys: Iterable[str]) -> dict[str, HeldKey]:
    """Read who holds identity keys; those that nobody holds are left out."""
    by_key = {identity_key(key): key for key in keys}
    items = glance.get_many(list(by_key))
    return {
        by_key[key]: HeldKey(holders_of(item), int(item["version"])) for key, item in items.items()
    }


COMPARED = 3
"""How many candidates a decision keeps the terms of."""


def match_decision(
    hub: Hub, current: Current, touch: Touch, found: Found, lead: Lead, weights: int
) -> Decision:
    """Record whose a submission is, with what was compared and what it said."""
    joined = {one.lead.lead_id for one in found.matches}
    shown = found.candidates[:COMPARED]
    weighed = {one.lead_id for one in shown}
    verdicts = [
        Verdict(candidate=one.lead_id, is_eligible=one.lead_id in joined, because=because(one))
        for one in shown
    ]
    verdicts += [
        Verdict(
            candidate=one.lead.lead_id,
            is_eligible=True,
            because="holds this submission, or the one that it replaces",
        )
        for one in found.matches
        if one.lead.lead_id not in weighed
    ]
    return Decision(
        kind="match",
        decided_at=lead.updated_at,
        config_hash=current.hash,
        code=hub.code,
        inputs={
            "touch_id": touch.touch_id,
            "weights": weights,
            "leads": found.leads,
            "compared": [_compared(one, found.compared[one.lead_id]) for one in shown],
        },
        candidates=tuple(verdicts),
        result=lead.lead_id,
        because=_in_a_sentence(found, len(joined)),
    )


def _compared(candidate: Candidate, records: Sequence[Record]) -> dict[str, Any]:
    return {
        "lead": candidate.lead_id,
        "touches": [[one.lead_id, one.touch_id] for one in records],
        "bits": round(candidate.bits, 2),
        "guard": candidate.guard,
        "terms": [[term.field, term.level, round(term.bits, 2)] for term in candidate.terms],
    }


def _in_a_sentence(found: Found, joined: int) -> str:
    if not found.candidates and not joined:
        return "nothing known is like it, so it is a new lead"
    if not joined:
        asked = ", and a person is asked" if found.asked else ""
        return f"the likest lead is not like enough, so it is a new lead{asked}"
    if joined == 1:
        return "one lead is the same person"
    return f"{joined} leads are the same person, and become one"
