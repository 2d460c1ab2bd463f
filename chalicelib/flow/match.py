"""Step 3 goes on: find the lead a touch belongs to, fold it in, score it, pick its pool, save."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.config.model import RoutingRule
from chalicelib.errors import Conflict, Malformed
from chalicelib.flow.blocks import Block, block_writes, joined_by, moved
from chalicelib.flow.candidates import HeldKey, find, match_decision, read_keys
from chalicelib.flow.glance import Glance
from chalicelib.flow.joining import Joining, joining_writes, prepare_joining
from chalicelib.flow.leads import AWAITS_FOR, Stored, StoredTouch
from chalicelib.flow.proposals import Proposal, proposal_writes, propose
from chalicelib.flow.qualify import is_refused, refused, staged, triaged
from chalicelib.hub import Current, Hub
from chalicelib.lead.folding import fold, new_lead
from chalicelib.lead.identity import lead_id as first_lead_id
from chalicelib.lead.matching.record import record_of
from chalicelib.lead.merging import absorb, survivor
from chalicelib.lead.model import Decision, Lead, Score, Stage, Touch
from chalicelib.lead.qualifying import is_further
from chalicelib.lead.routing import pick_rule
from chalicelib.lead.scoring import score, sum_in_words
from chalicelib.records import (
    Claim,
    TouchRecord,
    claim_item,
    key_item,
    lead_item,
    touch_item,
)
from chalicelib.storage import MOST_WRITES, Absent, Holds, Put, Write, at_version

LATER = timedelta(milliseconds=1)
"""By how much a change of what is stored is later than what was decided before it, at least."""


@dataclass(frozen=True)
class Match:
    """The lead as it will be, and what has to be written for it.

    Attributes:
        lead: the new state.
        version: of the stored lead; 0 when it is new.
        touch: the new touch, or None when only old ones change.
        voided: touches that count no more, or read otherwise, in their new state.
        losers: leads that are merged into this one: as they were, as they will be.
        keys: identity keys to write, as they will be held.
        decisions: on match, score and rule.
        joining: what goes with a merge, if leads are merged.
        blocks: those that change, as they will be.
        proposals: that two leads may be one person, for a person to decide.
    """

    lead: Lead
    version: int
    touch: Touch | None
    voided: tuple[StoredTouch, ...]
    losers: tuple[tuple[Lead, Lead], ...]
    keys: Mapping[str, "HeldKey"]
    decisions: tuple[Decision, ...]
    joining: Joining | None = None
    blocks: Mapping[str, Block] = field(default_factory=dict)
    proposals: tuple[Proposal, ...] = ()


def match(
    hub: Hub,
    current: Current,
    glance: Glance,
    touch: Touch,
    replaces: tuple[str, str] | None = None,
) -> Match:
    """Decide which lead a touch belongs to and what becomes of it; writes nothing.

    A touch that is no approach of the person's changes what is known of them and their score; who
    owns the lead, and where work on it stands, stay.

    Args:
        hub: read from.
        current: configuration in force.
        glance: what was read ahead of identity keys and blocks.
        touch: the new one.
        replaces: lead and touch that this one takes the place of, if any.
    """
    weights = hub.configurations.weights(current)
    begun = first_lead_id(touch.touch_id)
    found = find(hub, glance, touch, begun, weights, known=replaces[0] if replaces else "")
    if not current.config.matching.propose:
        found = replace(found, asked=())
    stored = found.matches
    voided = tuple(
        _void(old, "superseded")
        for one in stored
        for old in one.touches
        if replaces and old.record.touch.touch_id == replaces[1] and not old.record.touch.void
    )
    now = max([touch.received_at, *(one.lead.updated_at for one in stored)])
    if stored:
        first = survivor([one.lead for one in stored])
        others = [one.lead for one in stored if one.lead.lead_id != first.lead_id]
        order = current.config.qualifying.order
        merged, losers = absorb(first, others, order) if others else (first, ())
        version = first.version
    else:
        merged, others, losers, version = new_lead(touch, now), [], (), 0
    touches = [*_touches(stored, voided), touch]
    settle = learn if touch.only_if_known else decide
    lead, decisions = settle(hub, current, merged, touches, now)
    lead = lead.model_copy(update={"version": version + 1, "routed": merged.routed})
    record = replace(found.record, lead_id=lead.lead_id)
    return Match(
        lead=lead,
        version=version,
        touch=touch,
        voided=voided,
        losers=tuple(
            (old, new.model_copy(update={"version": old.version + 1, "updated_at": now}))
            for old, new in zip(others, losers, strict=True)
        ),
        keys=_passed(glance, touch, found.held, merged, others),
        decisions=(
            match_decision(hub, current, touch, found, lead, current.active.weights),
            *decisions,
        ),
        joining=_joining(hub, current, first, others, merged) if others else None,
        blocks=joined_by(found.blocks, record, {lead.lead_id, *lead.members}),
        proposals=propose(hub, lead, found.to_ask(), touch.touch_id, now),
    )


def learn(
    hub: Hub, current: Current, lead: Lead, touches: Sequence[Touch], now: datetime
) -> tuple[Lead, tuple[Decision, ...]]:
    """Fold a lead anew and score it; nothing else of it changes."""
    folded = fold(lead, touches, now, current.config.merging)
    scored = score(folded, touches, current.config.scoring, now)
    folded = folded.model_copy(update={"score": scored, "config_hash": current.hash})
    return folded, (score_decision(hub, current, lead, touches, scored),)


def decide(
    hub: Hub, current: Current, lead: Lead, touches: Sequence[Touch], now: datetime
) -> tuple[Lead, tuple[Decision, ...]]:
    """Fold a lead anew, score and qualify it and pick its pool; it then awaits its owner.

    One that is refused awaits nobody.
    """
    folded, scored = learn(hub, current, lead, touches, now)
    folded, judged = triaged(hub, current, folded, touches, now)
    if is_refused(folded):
        return refused(folded), (*scored, *judged)
    folded = folded.model_copy(update={"is_raised": False})
    folded, entered = staged(hub, current, folded, touches, now)
    rule, picked = pick_rule(folded, current.config, current.hash, hub.code, now)
    stage, is_raised = _stage(current, folded, rule)
    is_back = folded.status == "disqualified"
    folded = folded.model_copy(
        update={
            "rule_id": rule.id if rule else "",
            "pool_id": rule.pool if rule else "",
            "stage": stage,
            "status": "new" if is_back else folded.status,
            "status_reason": "" if is_back else folded.status_reason,
            "is_raised": is_raised,
            "awaits": "owner",
            "is_unowned": False,
        }
    )
    return folded, (*scored, *judged, *entered, picked)


def save(hub: Hub, found: Match, claim: Claim, writer: str, more: Sequence[Write] = ()) -> None:
    """Write lead, touch, keys, claim, timeline and what else is given in one transaction.

    Raises:
        Conflict: somebody else wrote first; match again.
        Malformed: the submission joins more than one transaction can hold.
    """
    writes = [
        Put("claim", claim_item(claim, writer), at_version(claim.version - 1)),
        *lead_writes(found, writer),
        *more,
    ]
    if len(writes) > MOST_WRITES:
        raise Malformed(f"it joins leads with {len(found.keys)} identity keys; expected fewer")
    hub.table.write(writes)


def lead_writes(found: Match, writer: str) -> list[Write]:
    """Give the writes that bring a lead to its new state."""
    lead = found.lead
    due_at = lead.updated_at + AWAITS_FOR if lead.awaits or lead.is_unowned else None
    writes: list[Write] = [Put("lead", lead_item(lead, writer, due_at), at_version(found.version))]
    if found.touch:
        record = TouchRecord(
            touch=found.touch, decisions=found.decisions, lead_version=lead.version
        )
        item = touch_item(lead.lead_id, record, 1, writer)
        writes.append(Put("touch", item, Absent()))
    for number, old in enumerate(found.voided):
        item = touch_item(old.lead_id, old.record, old.version, writer)
        writes.append(Put(f"voided touch {number}", item, Holds("version", old.version - 1)))
    for number, (key, held) in enumerate(found.keys.items()):
        item = key_item(key, held.lead_ids, held.version, writer)
        writes.append(Put(f"identity key {number}", item, at_version(held.version - 1)))
    for number, (old_lead, new_lead_state) in enumerate(found.losers):
        item = lead_item(new_lead_state, writer)
        condition = Holds("version", old_lead.version)
        writes.append(Put(f"merged lead {number}", item, condition))
    if found.joining:
        writes += joining_writes(found.joining, lead, writer)
    writes += block_writes(found.blocks, writer)
    writes += proposal_writes(found.proposals, writer)
    return writes


def _passed(
    glance: Glance, touch: Touch, held: Mapping[str, HeldKey], lead: Lead, others: Sequence[Lead]
) -> dict[str, HeldKey]:
    """Give the keys that change: those of a touch and of merged leads go to the lead.

    Keys are read before the lead is: one that it has let go in between is written too, and that
    fails against what stands there now.
    """
    moved = {key for other in others for key in other.identity_keys}
    known = {**held, **read_keys(glance, sorted(moved - set(held)))}
    gone = {other.lead_id for other in others}
    keys = {}
    for key in sorted({*touch.identity_keys, *moved}):
        before = known.get(key, HeldKey())
        has_it = lead.lead_id in before.lead_ids and key in lead.identity_keys
        if not has_it or gone & set(before.lead_ids):
            keys[key] = before.passed(gone, lead.lead_id)
    return keys


def _touches(stored: Sequence[Stored], voided: Sequence[StoredTouch]) -> list[Touch]:
    instead = {_place(old): old.record.touch for old in voided}
    return [instead.get(_place(old), old.record.touch) for one in stored for old in one.touches]


def _place(old: StoredTouch) -> tuple[str, datetime, str]:
    """Name a touch as it is stored; an act that is told anew as it once was has its id again."""
    touch = old.record.touch
    return old.lead_id, touch.submitted_at, touch.touch_id


def _void(old: StoredTouch, why: str) -> StoredTouch:
    touch = old.record.touch.model_copy(update={"void": why})
    return StoredTouch(old.lead_id, old.version + 1, old.record.model_copy(update={"touch": touch}))


def without(current: Current, stored: Stored, touch_ids: Collection[str], now: datetime) -> Match:
    """Decide what becomes of a lead when touches of it are taken back; writes nothing."""
    voided = tuple(
        _void(old, "withdrawn")
        for old in stored.touches
        if old.record.touch.touch_id in touch_ids and not old.record.touch.void
    )
    touches = _touches([stored], voided)
    folded = fold(stored.lead, touches, now, current.config.merging)
    scored = score(folded, touches, current.config.scoring, now)
    update: dict[str, object] = {
        "score": scored,
        "config_hash": current.hash,
        "updated_at": now,
        "version": stored.lead.version + 1,
    }
    if all(touch.void or touch.only_if_known for touch in touches):
        update |= {"status": "disqualified", "status_reason": "withdrawn"}
        update |= {"awaits": "", "is_unowned": False}
    return Match(
        lead=folded.model_copy(update=update),
        version=stored.lead.version,
        touch=None,
        voided=voided,
        losers=(),
        keys={},
        decisions=(),
    )


def again(hub: Hub, current: Current, lead_id: str, touch: Touch, now: datetime) -> Match:
    """Decide what becomes of a lead when one of its touches reads otherwise; writes nothing.

    Its score is made anew, and leads that hold its identity keys become one. Routing is left alone.
    """
    glance = Glance(hub.table)
    weights = hub.configurations.weights(current)
    found = find(hub, glance, touch, lead_id, weights, known=lead_id)
    stored = found.matches
    if not stored:
        raise Conflict(f"lead {lead_id} went while its submission was read again")
    reread = tuple(
        StoredTouch(old.lead_id, old.version + 1, old.record.model_copy(update={"touch": touch}))
        for one in stored
        for old in one.touches
        if old.record.touch.touch_id == touch.touch_id
    )
    # Later than every decision that was made on how it read before; see verify.
    now = max([now, *(one.lead.updated_at + LATER for one in stored)])
    first = survivor([one.lead for one in stored])
    others = [one.lead for one in stored if one.lead.lead_id != first.lead_id]
    order = current.config.qualifying.order
    merged, losers = absorb(first, others, order) if others else (first, ())
    touches = _touches(stored, reread)
    folded = fold(merged, touches, now, current.config.merging)
    scored = score(folded, touches, current.config.scoring, now)
    update = {"score": scored, "config_hash": current.hash, "version": first.version + 1}
    lead = folded.model_copy(update=update)
    decisions = [score_decision(hub, current, merged, touches, scored)]
    if others:
        decided = match_decision(hub, current, touch, found, lead, current.active.weights)
        decisions.insert(0, decided)
    return Match(
        lead=lead,
        version=first.version,
        touch=None,
        voided=reread,
        losers=tuple(
            (old, new.model_copy(update={"version": old.version + 1, "updated_at": now}))
            for old, new in zip(others, losers, strict=True)
        ),
        keys=_passed(glance, touch, found.held, merged, others),
        blocks=_read_otherwise(hub, stored, touch),
        decisions=tuple(decisions),
        joining=_joining(hub, current, first, others, merged) if others else None,
    )


def _read_otherwise(hub: Hub, stored: Sequence[Stored], touch: Touch) -> dict[str, Block]:
    """Give the blocks that change when a touch reads otherwise."""
    before = [
        (old.lead_id, old.record.touch)
        for one in stored
        for old in one.touches
        if old.record.touch.touch_id == touch.touch_id
    ]
    gone = [record_of(old, under) for under, old in before]
    return moved(hub.table, gone, [record_of(touch, under) for under, _ in before])


def _joining(
    hub: Hub, current: Current, first: Lead, others: Sequence[Lead], merged: Lead
) -> Joining:
    return prepare_joining(hub, current.config, [first, *others], merged)


def _stage(current: Current, lead: Lead, rule: RoutingRule | None) -> tuple[Stage, bool]:
    order = current.config.qualifying.order
    if rule and rule.stage and is_further(rule.stage, lead.stage, order):
        return rule.stage, True
    return lead.stage, lead.is_raised


def score_decision(
    hub: Hub, current: Current, lead: Lead, touches: Sequence[Touch], scored: Score
) -> Decision:
    """Record a score with what a rule may ask about that is not in the touches."""
    before = lead.model_dump(mode="json", include=BEFORE, exclude_defaults=True)
    by_hand = sorted({edit.event_id for edit in lead.edits})
    return Decision(
        kind="score",
        decided_at=scored.scored_at or lead.updated_at,
        config_hash=current.hash,
        code=hub.code,
        inputs={
            "lead_id": lead.lead_id,
            "before": before,
            "touches": sorted(touch.touch_id for touch in touches if not touch.void),
            **({"edits": by_hand} if by_hand else {}),
            "terms": [term.model_dump(exclude_defaults=True) for term in scored.terms],
            **({"parts": dict(scored.parts)} if scored.parts else {}),
            **({"grade": scored.grade} if scored.grade else {}),
        },
        result=str(scored.total),
        because=f"fit {scored.fit} and engagement {scored.engagement}"
        if not scored.parts
        else sum_in_words(scored),
    )


BEFORE: Any = {
    "status": True,
    "stage": True,
    "declined_by": True,
    "score": {"total", "fit", "engagement"},
}
"""What of a lead a scoring rule may ask about, beside what its touches say."""
