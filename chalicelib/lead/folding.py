"""Step 4e: a lead as a fold over its touches and what people of ours set by hand.

Whatever the order of the touches, and however often one is there, the lead is the same. For each
field what was set by hand counts, until a person changes it or gives it back. Else one touch wins:

1. a complete touch before a partial one,
2. what the person said before what was inferred, and that before a weak guess,
3. what the configuration says (`merging`); if nothing: the more trusted source, the more complete
   name or address, the newest, by (submitted_at, touch_id).

The message is the newest, if nothing else is said of it. The parts of a name come from one touch,
and so do those of an address, lest two people or places be mixed. A void touch counts for nothing,
but who it was from stays known: identity keys are those of all touches.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

from chalicelib.config.model import Keep, Merging
from chalicelib.lead.edits import NOTHING, edits_in_force
from chalicelib.lead.identity import lead_id
from chalicelib.lead.model import (
    CONTACT_FIELDS,
    NAME_FIELDS,
    CleanValue,
    Consent,
    Credit,
    Edit,
    Lead,
    ProfileValue,
    Touch,
    TouchRef,
)

ADDRESS_FIELDS = ("street", "postal_code", "city", "region")

GROUPS = (NAME_FIELDS, ADDRESS_FIELDS)
"""Fields that come from one touch, or one person of ours, together."""

# Notes that say where a value is from rather than what is odd about it; see `is_flag`.
_EVIDENCE = ("from:", "country:", "ext:", "weak")

Rank = tuple[Any, ...]


def fold(lead: Lead, touches: Iterable[Touch], now: datetime, merging: Merging) -> Lead:
    """Work out anew all that follows from a lead's touches and edits; the rest stays.

    Args:
        lead: its own state, also its version and edits; what follows from touches is replaced.
        touches: all touches of the lead and its members, in any order, void ones too.
        now: becomes `updated_at`.
        merging: which touch each field is taken from.
    """
    distinct = _distinct(touches)
    counted = [touch for touch in distinct if not touch.void]
    approaches = [touch for touch in counted if not touch.only_if_known]
    by_hand = edits_in_force(lead.edits)
    winners = _winners(counted, merging, by_hand)
    profile = {field: _from_touch(one.contact[field].value, one) for field, one in winners.items()}
    custom = _fold_custom(counted, merging, by_hand)
    for field, edit in by_hand.items():
        if edit.value not in NOTHING:
            (profile if field in CONTACT_FIELDS else custom)[field] = _from_edit(edit)
    keys = [touch.identity_keys for touch in distinct]
    keys += [edit.identity_keys for edit in lead.edits]
    return lead.model_copy(
        update={
            "updated_at": now,
            "touch_count": len(approaches),
            "profile": {field: profile[field] for field in CONTACT_FIELDS if field in profile},
            "custom": {field: custom[field] for field in sorted(custom)},
            "identity_keys": tuple(sorted({key for each in keys for key in each})),
            "consents": _fold_consents(counted),
            "first_touch": _ref(approaches[0]) if approaches else None,
            "last_touch": _ref(approaches[-1]) if approaches else None,
            "credits": _fold_credits(counted),
            "flags": _fold_flags(counted, winners, by_hand, profile),
            "is_partial": bool(approaches) and all(touch.is_partial for touch in approaches),
            "reading": next((one.reading for one in reversed(approaches) if one.reading), None),
        }
    )


def new_lead(touch: Touch, now: datetime) -> Lead:
    """Make the lead that a touch is the first of, not folded yet; version 0 means not stored."""
    created_at = touch.received_at
    return Lead(lead_id=lead_id(touch.touch_id), version=0, created_at=created_at, updated_at=now)


def is_flag(note: str) -> bool:
    """Tell a note that people should see and rules may ask for from mere evidence."""
    return not note.startswith(_EVIDENCE)


def group_of(field: str) -> tuple[str, ...]:
    """Give the fields that one comes together with, itself too."""
    return next((group for group in GROUPS if field in group), (field,))


def rule_for(field: str, merging: Merging) -> Keep:
    """Give the rule by which one touch wins a field; a group has that of its first named part."""
    named = (merging.fields[part] for part in group_of(field) if part in merging.fields)
    return next(named, "newest" if field == "message" else merging.keep)


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


def _winners(
    touches: Sequence[Touch], merging: Merging, by_hand: Mapping[str, Edit]
) -> dict[str, Touch]:
    """Find the touch that each contact field is taken from that is not set by hand."""
    winners: dict[str, Touch] = {}
    best: dict[tuple[str, ...], Rank] = {}
    for position, touch in enumerate(touches):
        for group in dict.fromkeys(map(group_of, touch.contact)):
            if any(field in by_hand for field in group) or _is_outdated(touch, group, by_hand):
                continue
            rank = (not touch.is_partial, *_rank(touch, group, position, merging))
            if group not in best or rank > best[group]:
                best[group] = rank
                for field in group:
                    winners.pop(field, None)
                winners |= {field: touch for field in group if field in touch.contact}
    return winners


def _rank(touch: Touch, group: tuple[str, ...], position: int, merging: Merging) -> Rank:
    """Rank what a touch says of a group of fields, or of one."""
    keep = rule_for(group[0], merging)
    told = [touch.contact[field].value for field in group if field in touch.contact]
    if group in GROUPS:
        return _order(keep, position, touch.trust, _fullness(touch, group), told)
    # A single value is no more complete than another; what differs is how much a touch tells.
    fullness = len(touch.contact) + len(touch.custom) if keep == "most_complete" else 0
    strength = _strength(touch.contact[group[0]])
    return (strength, *_order(keep, position, touch.trust, fullness, told))


def _order(keep: Keep, position: int, trust: int, fullness: int, told: Sequence[Any]) -> Rank:
    match keep:
        case "most_trusted":
            return (trust, fullness, position)
        case "most_complete":
            return (fullness, trust, position)
        case "newest":
            return (position,)
        case "oldest":
            return (-position,)
        case "longest":
            return (sum(map(_length, told)), position)
        case _:
            assert_never(keep)


def _length(value: Any) -> int:
    """Measure text in characters and a list in members; numbers are all alike."""
    return len(value) if isinstance(value, str | list | tuple) else 0


def _is_outdated(touch: Touch, group: tuple[str, ...], by_hand: Mapping[str, Edit]) -> bool:
    """Tell what was inferred from a value that a person has put right since."""
    told = (touch.contact[field] for field in group if field in touch.contact)
    sources = {note[5:] for value in told for note in value.notes if note.startswith("from:")}
    return any(
        field in by_hand
        and field in touch.contact
        and touch.contact[field].value != by_hand[field].value
        for field in sources
    )


def _fullness(touch: Touch, group: tuple[str, ...]) -> int:
    """Tell how much of a group a touch has; for a name, whether it is more than one word."""
    parts = sum(part in touch.contact for part in group)
    if group is ADDRESS_FIELDS:
        return parts
    full = touch.contact.get("full_name")
    return int(parts > 2 or bool(full and " " in full.value))


def _strength(value: CleanValue) -> int:
    """Rank what was said above what was inferred, and that above a guess."""
    if "weak" in value.notes:
        return 0
    return 1 if any(note.startswith("from:") for note in value.notes) else 2


def _fold_custom(
    touches: Sequence[Touch], merging: Merging, by_hand: Mapping[str, Edit]
) -> dict[str, ProfileValue]:
    best: dict[str, tuple[Rank, ProfileValue]] = {}
    for position, touch in enumerate(touches):
        fullness = len(touch.contact) + len(touch.custom)
        for field, value in touch.custom.items():
            if value in NOTHING or field in by_hand:
                continue
            keep = rule_for(field, merging)
            fuller = fullness if keep == "most_complete" else 0
            rank = (not touch.is_partial, *_order(keep, position, touch.trust, fuller, [value]))
            if field not in best or rank > best[field][0]:
                best[field] = (rank, _from_touch(value, touch))
    return {field: held for field, (_, held) in best.items()}


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


def _fold_flags(
    touches: Sequence[Touch],
    winners: Mapping[str, Touch],
    by_hand: Mapping[str, Edit],
    profile: Mapping[str, ProfileValue],
) -> tuple[str, ...]:
    """Gather what was noticed of the values in use and of the touches.

    An `invalid_phone` of one touch is forgotten when another touch, or a person, brought a good
    one.
    """
    notes = {note for field, touch in winners.items() for note in touch.contact[field].notes}
    notes |= {note for touch in touches for note in touch.notes}
    notes |= {note for edit in by_hand.values() for note in edit.notes}
    mended = {f"invalid_{field}" for field in profile}
    return tuple(sorted(note for note in notes - mended if is_flag(note)))


def _from_touch(value: Any, touch: Touch) -> ProfileValue:
    return ProfileValue(
        value=value, touch_id=touch.touch_id, source_id=touch.source_id, at=touch.submitted_at
    )


def _from_edit(edit: Edit) -> ProfileValue:
    return ProfileValue(value=edit.value, event_id=edit.event_id, by=edit.by, at=edit.at)


def _ref(touch: Touch) -> TouchRef:
    return TouchRef(
        touch_id=touch.touch_id,
        at=touch.submitted_at,
        source_id=touch.source_id,
        form=touch.form,
        campaign=touch.campaign,
    )
