"""Step 4e: a lead as a fold over its touches, and several leads as one.

Whatever the order of the touches, and however often one is there, the lead is the same. For each
field one touch wins:

1. a complete touch before a partial one,
2. what the person said before what was inferred, and that before a weak guess,
3. the more trusted source, 4. the more complete name or address,
5. the newest, by (submitted_at, touch_id).

The message is always the newest. The parts of a name come from one touch, and so do those of an
address, lest two people or places be mixed. A void touch counts for nothing, but who it was from
stays known: identity keys are those of all touches.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.lead.identity import lead_id
from chalicelib.lead.model import (
    CONTACT_FIELDS,
    NAME_FIELDS,
    STAGES,
    CleanValue,
    Consent,
    Credit,
    Lead,
    ProfileValue,
    Status,
    Touch,
    TouchRef,
)

ADDRESS = ("street", "postal_code", "city", "region")

STATUS_ORDER: tuple[Status, ...] = ("disqualified", "new", "assigned", "contacted", "qualified")
"""From least to furthest when leads are merged: work under way goes on."""

_GROUPED = {*NAME_FIELDS, *ADDRESS}

# Notes that say where a value is from rather than what is odd about it; see `is_flag`.
_EVIDENCE = ("from:", "country:", "ext:", "weak")

Rank = tuple[Any, ...]


def fold(lead: Lead, touches: Iterable[Touch], now: datetime) -> Lead:
    """Work out anew all that follows from a lead's touches; the rest stays, also its version.

    Args:
        lead: its own state; what follows from touches is replaced.
        touches: all touches of the lead and its members, in any order, void ones too.
        now: becomes `updated_at`.
    """
    distinct = _distinct(touches)
    counted = [touch for touch in distinct if not touch.void]
    approaches = [touch for touch in counted if not touch.only_if_known]
    winners = _winners(counted)
    profile = {
        field: ProfileValue(
            value=touch.contact[field].value, touch_id=touch.touch_id, at=touch.submitted_at
        )
        for field, touch in winners.items()
    }
    return lead.model_copy(
        update={
            "updated_at": now,
            "touch_count": len(approaches),
            "profile": profile,
            "custom": _fold_custom(counted),
            "identity_keys": tuple(sorted({k for t in distinct for k in t.identity_keys})),
            "consents": _fold_consents(counted),
            "first_touch": _ref(approaches[0]) if approaches else None,
            "last_touch": _ref(approaches[-1]) if approaches else None,
            "credits": _fold_credits(counted),
            "flags": _fold_flags(counted, winners),
            "is_partial": bool(approaches) and all(touch.is_partial for touch in approaches),
        }
    )


def new_lead(touch: Touch, now: datetime) -> Lead:
    """Make the lead that a touch is the first of; version 0 means not yet stored."""
    created_at = touch.received_at
    empty = Lead(lead_id=lead_id(touch.touch_id), version=0, created_at=created_at, updated_at=now)
    return fold(empty, [touch], now)


def survivor(leads: Iterable[Lead]) -> Lead:
    """Choose the lead that others are merged into: the oldest, then by id."""
    return min(leads, key=lambda lead: (lead.created_at, lead.lead_id))


def absorb(survivor: Lead, others: Sequence[Lead]) -> tuple[Lead, tuple[Lead, ...]]:
    """Merge leads into one; touches stay where they are, and `fold` is for the caller to do.

    The survivor keeps its owner, or takes the assignment of the first other that has one; status
    and stage become the furthest of all. It awaits an owner if any did and none has one.

    Returns:
        The survivor, and the others in the order given: they point at it and hold no identity
        keys, but keep the rest of their state, so that the merge can be undone.
    """
    furthest = max([survivor, *others], key=lambda lead: STATUS_ORDER.index(lead.status))
    owned = next((lead for lead in [survivor, *others] if lead.assignment), None)
    update: dict[str, Any] = {
        "members": _union(survivor.members, *((o.lead_id, *o.members) for o in others)),
        "status": furthest.status,
        "status_reason": furthest.status_reason,
        "stage": max((lead.stage for lead in [survivor, *others]), key=STAGES.index),
        "declined_by": _union(survivor.declined_by, *(other.declined_by for other in others)),
    }
    if owned is None:
        waits = any(lead.awaits for lead in [survivor, *others])
        update["awaits"] = "owner" if waits else ""
        update["is_unowned"] = any(lead.is_unowned for lead in [survivor, *others])
    elif owned is not survivor:
        update |= {
            "assignment": owned.assignment,
            "rule_id": owned.rule_id,
            "pool_id": owned.pool_id,
            "awaits": owned.awaits,
            "is_unowned": False,
        }
    gone = {
        "merged_into": survivor.lead_id,
        "identity_keys": (),
        "awaits": "",
        "is_unowned": False,
    }
    return survivor.model_copy(update=update), tuple(o.model_copy(update=gone) for o in others)


def is_flag(note: str) -> bool:
    """Tell a note that people should see and rules may ask for from mere evidence."""
    return not note.startswith(_EVIDENCE)


def _distinct(touches: Iterable[Touch]) -> list[Touch]:
    """Give each touch once, oldest first; of two states of one touch the void one holds.

    What is told, changed and then told again as at first is another touch of the same id.
    """
    found: dict[tuple[datetime, str], Touch] = {}
    for touch in touches:
        place = (touch.submitted_at, touch.touch_id)
        known = found.get(place)
        if known is None or touch.void > known.void:
            found[place] = touch
    return [found[place] for place in sorted(found)]


def _winners(touches: Sequence[Touch]) -> dict[str, Touch]:
    """Find the touch that each contact field is taken from."""
    winners: dict[str, Touch] = {}
    best: dict[str, Rank] = {}
    for position, touch in enumerate(touches):
        complete = not touch.is_partial
        for field, value in touch.contact.items():
            if field in _GROUPED:
                continue
            rank = (
                (complete, position)
                if field == "message"
                else (complete, _strength(value), touch.trust, position)
            )
            if field not in best or rank > best[field]:
                best[field] = rank
                winners[field] = touch
        for group in (NAME_FIELDS, ADDRESS):
            parts = sum(part in touch.contact for part in group)
            rank = (complete, touch.trust, _fullness(touch, group, parts), position)
            if parts and (group[0] not in best or rank > best[group[0]]):
                best[group[0]] = rank
                for part in group:
                    winners.pop(part, None)
                winners |= {part: touch for part in group if part in touch.contact}
    return {field: winners[field] for field in CONTACT_FIELDS if field in winners}


def _fullness(touch: Touch, group: tuple[str, ...], parts: int) -> int:
    """Tell how much of a group a touch has; for a name, whether it is more than one word."""
    if group is ADDRESS:
        return parts
    full = touch.contact.get("full_name")
    return int(parts > 2 or bool(full and " " in full.value))


def _strength(value: CleanValue) -> int:
    """Rank what was said above what was inferred, and that above a guess."""
    if "weak" in value.notes:
        return 0
    return 1 if any(note.startswith("from:") for note in value.notes) else 2


def _fold_custom(touches: Sequence[Touch]) -> dict[str, ProfileValue]:
    best: dict[str, tuple[Rank, ProfileValue]] = {}
    for position, touch in enumerate(touches):
        rank = (not touch.is_partial, touch.trust, position)
        for field, value in touch.custom.items():
            if value in ("", ()) or (field in best and rank < best[field][0]):
                continue
            held = ProfileValue(value=value, touch_id=touch.touch_id, at=touch.submitted_at)
            best[field] = (rank, held)
    return {field: best[field][1] for field in sorted(best)}


def _fold_consents(touches: Sequence[Touch]) -> Mapping[str, Consent]:
    """Give the latest word on each purpose; at the same moment no wins over yes.

    A form that was not sent off cannot have given consent, but a refusal in it is one.
    """
    latest: dict[str, tuple[Rank, Consent]] = {}
    for position, touch in enumerate(touches):
        for consent in touch.consents:
            if touch.is_partial and consent.given:
                continue
            rank = (consent.at or touch.submitted_at, not consent.given, position)
            if consent.purpose not in latest or rank > latest[consent.purpose][0]:
                latest[consent.purpose] = (rank, consent)
    return {purpose: latest[purpose][1] for purpose in sorted(latest)}


def _fold_credits(touches: Sequence[Touch]) -> tuple[Credit, ...]:
    """Give each referrer credit for the first touch that they brought."""
    given: dict[tuple[str, str], Credit] = {}
    for touch in touches:
        if touch.referrer:
            given.setdefault(
                (touch.source_id, touch.referrer),
                Credit(
                    referrer=touch.referrer,
                    source_id=touch.source_id,
                    touch_id=touch.touch_id,
                    at=touch.submitted_at,
                ),
            )
    return tuple(given.values())


def _fold_flags(touches: Sequence[Touch], winners: Mapping[str, Touch]) -> tuple[str, ...]:
    """Gather what was noticed of the values in use and of the touches.

    An `invalid_phone` of one touch is forgotten when another touch brought a good one.
    """
    notes = {note for field, touch in winners.items() for note in touch.contact[field].notes}
    notes |= {note for touch in touches for note in touch.notes}
    mended = {f"invalid_{field}" for field in winners}
    return tuple(sorted(note for note in notes - mended if is_flag(note)))


def _ref(touch: Touch) -> TouchRef:
    return TouchRef(
        touch_id=touch.touch_id,
        at=touch.submitted_at,
        source_id=touch.source_id,
        form=touch.form,
        campaign=touch.campaign,
    )


def _union(*parts: Iterable[str]) -> tuple[str, ...]:
    """Join lists, keeping the order and each item once."""
    return tuple(dict.fromkeys(item for part in parts for item in part))
