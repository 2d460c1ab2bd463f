"""Merged and taken apart again, in random histories: everything is as if it had never been merged.

`python -m tests.proof.test_unmerge 10000` plays that many on all cores.
"""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from chalicelib.flow.blocks import block_of
from chalicelib.records import (
    claim_of,
    day_of,
    delivery_of,
    effect_of,
    event_of,
    lead_of,
    ledger_of,
    touch_record_of,
)
from chalicelib.storage import Item
from tests.interleaver import seeds
from tests.invariants import dumped, problems
from tests.proof.histories import Played, draw, play_both

JOINING = ("merged", "absorbed", "unmerged", "kept_apart", "let_together")
ROUTING = ("assigned", "returned", "unowned")


@dataclass(frozen=True)
class Look:
    """What is compared of one way a history was played, and what of it is left out.

    Attributes:
        involved: ids of the leads of those who were merged.
        window: from the first merge until none stood any more and all was quiet.
        is_steady: whether nobody was given a lead in between whom the merge could have put in or
            out of turn; owners and ledgers are compared only then.
    """

    played: Played
    involved: frozenset[str]
    window: tuple[datetime, datetime]
    is_steady: bool


def compared(look: Look) -> dict[tuple[str, str], Any]:
    """Give everything stored, by key, as far as it must be the same."""
    found: dict[tuple[str, str], Any] = {}
    for item in look.played.world.table.scan():
        kind = item.get("kind", "")
        shown = SHOWN.get(kind, _whole)(look, item)
        if kind in NAMED_BY_VERSION and shown is not None:
            # Their ids are made of their lead's version, which counts merges too.
            found.setdefault((item["pk"], kind), []).append(repr(shown))
        elif shown is not None:
            found[item["pk"], item["sk"]] = shown
    return {key: sorted(v) if isinstance(v, list) else v for key, v in found.items()}


NAMED_BY_VERSION = ("event", "effect")


def _whole(look: Look, item: Item) -> Any:
    """Compare all of an item but who wrote it and how often."""
    return {k: v for k, v in item.items() if k not in ("writer", "version", "due_at")}


def _lead(look: Look, item: Item) -> Any:
    """Compare a lead; what is left out says when and how often it changed, and the new marks.

    A score is made anew when touches of a merged lead change; what it is and why must be the same,
    not when it was worked out. Its index entries say nothing that the lead does not.
    """
    lead = lead_of(item)
    left_out = {"version", "updated_at", "apart"}
    if not look.is_steady:
        left_out |= OF_ROUTING
    shown = lead.model_dump(mode="json", exclude=left_out)
    shown["score"].pop("scored_at")
    places = {name: item.get(name) for name in ("list_pk", "list_sk", "due_shard")}
    return {**shown, **(places if look.is_steady else {})}


OF_ROUTING = {
    "assignment",
    "routed",
    "status",
    "awaits",
    "is_unowned",
    "is_raised",
    "declined_by",
    "rule_id",
    "pool_id",
}


def _touch(look: Look, item: Item) -> Any:
    """Compare a touch and where it lies; what was decided on it then is an account of that time."""
    return {"touch": touch_record_of(item).touch, "version": item["version"]}


def _event(look: Look, item: Item) -> Any:
    """Compare what happened, but merges and their end, and how it was routed in between."""
    event = event_of(item)
    is_involved = item["pk"].removeprefix("LEAD#") in look.involved
    is_between = look.window[0] < event.at <= look.window[1]
    if event.kind in JOINING or (event.kind in ROUTING and is_involved and is_between):
        return None
    if not look.is_steady and event.kind in ROUTING and event.at > look.window[0]:
        return None
    edits = [(edit.field, edit.value, edit.lead_id) for edit in event.edits]
    # What was kept before the merge and handled after it happens after it: time runs one way.
    at = None if is_involved and is_between else event.at
    return at, event.kind, event.actor, edits


def _effect(look: Look, item: Item) -> Any:
    effect = effect_of(item)
    is_involved = effect.lead_id in look.involved
    if effect.kind in ("merged", "unmerged"):
        return None
    is_later = effect.created_at > look.window[0]
    # Whether what still waited went out depends on who had the lead then.
    if (is_later and is_involved) or (not look.is_steady and (is_later or is_involved)):
        return None
    shown = effect.model_dump(mode="json", include=OF_EFFECT)
    return sorted(shown.items(), key=str)


OF_EFFECT = {"created_at", "kind", "destination_id", "state", "assignment", "reason", "because"}
"""How often it was tried, and under which number of the provider's, is no matter."""


def _delivery(look: Look, item: Item) -> Any:
    """Compare a delivery; which lead it went to then is an account of that time."""
    delivery = delivery_of(item)
    results = {
        place: result.model_copy(update={"lead_id": "", "decisions": ()})
        for place, result in delivery.results.items()
    }
    shown = delivery.model_copy(update={"results": results, "version": 0})
    return shown, item["raw"]


def _claim(look: Look, item: Item) -> Any:
    return claim_of(item).model_copy(update={"version": 0})


def _key(look: Look, item: Item) -> Any:
    return item["lead_ids"]


def _block(look: Look, item: Item) -> Any:
    """Compare a block; in which order its records stand is no matter."""
    block = block_of(item)
    return sorted(map(repr, block.records)), block.is_full


def _ledger(look: Look, item: Item) -> Any:
    return ledger_of(item).model_copy(update={"version": 0}) if look.is_steady else None


def _day(look: Look, item: Item) -> Any:
    return day_of(item).model_copy(update={"version": 0}) if look.is_steady else None


SHOWN: Mapping[str, Any] = {
    "lead": _lead,
    "touch": _touch,
    "event": _event,
    "effect": _effect,
    "delivery": _delivery,
    "claim": _claim,
    "key": _key,
    "block": _block,
    "ledger": _ledger,
    "day": _day,
}


def differences(seed: int) -> tuple[list[str], bool]:
    """Play a history both ways; give what differs or is wrong, and whether routing was compared."""
    with_merges, without = play_both(draw(seed))
    found = problems(with_merges.world)
    is_steady = _is_steady(with_merges) and _is_steady(without)
    involved = frozenset(with_merges.ids.values())
    looks = [
        Look(played, involved, (played.times[0], played.times[1]), is_steady)
        for played in (with_merges, without)
    ]
    ours, theirs = (compared(look) for look in looks)
    for key in sorted({*ours, *theirs}):
        if ours.get(key) != theirs.get(key):
            found.append(f"{key}: {_in_short(ours.get(key), theirs.get(key))}")
    return found, is_steady


def _is_steady(played: Played) -> bool:
    """Say whether nobody was given a lead while the merges stood, or because they were undone."""
    first, last = played.times
    dump = dumped(played.world)
    return not any(
        first < event.at <= last and event.kind in ("assigned", "unowned", "declined")
        for events in dump.events.values()
        for event in events
    )


def _in_short(ours: Any, theirs: Any) -> str:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = [name for name in ours if ours[name] != theirs.get(name)]
        return "; ".join(f"{name}: {ours[name]!r} != {theirs.get(name)!r}" for name in names)
    return f"{ours!r} != {theirs!r}"


SEEDS = 250


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_a_merge_that_is_undone_leaves_nothing_behind(first: int) -> None:
    steady = 0
    for seed in seeds(50, first):
        found, is_steady = differences(seed)
        steady += is_steady
        assert found == [], f"HUB_SEED={seed}"
    assert steady >= 15


def main(number: int) -> int:
    """Play that many histories on all cores, with a line of progress; 1 if one is wrong."""
    from multiprocessing import Pool
    from time import monotonic

    began = monotonic()
    wrong: Counter[int] = Counter()
    steady = 0
    with Pool() as pool:
        for done, (seed, found, is_steady) in enumerate(
            pool.imap_unordered(_one, range(number)), 1
        ):
            steady += is_steady
            if found:
                wrong[seed] = len(found)
                print(f"\nHUB_SEED={seed}: {found[0][:300]}")
            print(f"\r{done} of {number}, {len(wrong)} wrong", end="", flush=True)
    seconds = monotonic() - began
    print(f"\n{number} histories in {seconds:.0f} s, {len(wrong)} wrong, routing in {steady}")
    return bool(wrong)


def _one(seed: int) -> tuple[int, list[str], bool]:
    return seed, *differences(seed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
