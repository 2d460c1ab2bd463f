"""The clocks of leads that are made one, and of each when they are taken apart again.

Of several clocks the whole has, of each kind, the promise that is still awaited and due first.
When leads are taken apart, what was changed since stays with the assignment that it was done to;
what is as the merge left it goes back to what it was.
"""

from collections.abc import Iterable
from datetime import datetime

from chalicelib.lead.model import Assignment, Promise, PromiseKind

KINDS: tuple[PromiseKind, ...] = ("accept", "touch", "step")


def with_joint_clock(leading: Assignment, others: Iterable[Assignment]) -> Assignment:
    """Give the assignment that counts for several leads, with the clock of them all."""
    found: dict[PromiseKind, Promise] = {}
    for assignment in (leading, *others):
        for one in assignment.clock:
            held = found.get(one.kind)
            found[one.kind] = min(held, one, key=_urgency) if held else one
    clock = tuple(found[kind] for kind in KINDS if kind in found)
    return leading if clock == leading.clock else leading.model_copy(update={"clock": clock})


def apart_again(old: Assignment, new: Assignment, now: Assignment) -> Assignment:
    """Give an assignment without what only a merge did to its clock.

    Args:
        old: as it was right after the merge.
        new: as it would have been without it.
        now: what became of `old` since.
    """
    if old.clock == new.clock:
        return now
    was, would, is_now = ({one.kind: one for one in each.clock} for each in (old, new, now))
    kept = {kind: one for kind, one in is_now.items() if one != was.get(kind)}
    back = {kind: one for kind, one in would.items() if kind in is_now or kind not in was}
    own = back | kept
    return now.model_copy(update={"clock": tuple(own[kind] for kind in KINDS if kind in own)})


def _urgency(promise: Promise) -> tuple[bool, datetime, int, str]:
    # Whose ladder was gone further, so that no step is taken again; then the whole of it, so that
    # the order of merges does not matter.
    return promise.kept_at is not None, promise.due_at, -promise.done, promise.model_dump_json()
