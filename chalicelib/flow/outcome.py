"""What became of a delivery: written once all its submissions are through, or shown as waiting."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from chalicelib.errors import Conflict, HubError, TryLater
from chalicelib.flow.empty import emptied, let_go
from chalicelib.hub import Hub
from chalicelib.records import ActResult, Delivery, Outcome, delivery_item, delivery_of
from chalicelib.storage import ATTEMPTS, Holds, Put

TRIES = 12
"""How often a provider may make one submission wait before its delivery is quarantined."""

FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 4 * 3600
"""Waits double from the first to the longest unless the provider says how long."""

WORK = timedelta(minutes=5)
"""After how long tick takes unfinished work for forgotten."""

NOBODY = "nothing says who this is: expected an e-mail address or a phone number"
"""Why a submission is quarantined that may be readable once a form's questions are mapped."""

ORDER: tuple[Outcome, ...] = (
    "quarantined",
    "accepted",
    "withdrawn",
    "test",
    "duplicate",
    "erased",
)
"""Which outcome of its submissions a delivery has: the first of these that one of them has."""

OPEN: tuple[Outcome, ...] = ("pending", "waiting")
"""Outcomes of a delivery that still has work to be done."""


def finish(
    hub: Hub,
    delivery: Delivery,
    results: Mapping[str, ActResult],
    *,
    acts: int,
    error: HubError | None = None,
    wait: TryLater | None = None,
) -> None:
    """Write what became of a delivery, or of a part of it; parts may finish at the same time.

    Args:
        hub: written to.
        delivery: as it was read.
        results: of the submissions handled now, by position.
        acts: how many submissions and withdrawals the delivery holds.
        error: why none of it can be read.
        wait: why some of it must wait.
    """
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        if error is not None:
            after = unreadable(delivery, error)
        elif wait is not None:
            after = _waiting(hub, delivery, results, acts, wait)
        else:
            after = with_results(hub, delivery, results, acts)
        try:
            hub.table.write([outcome_write(delivery, after, f"finish:{hub.new_id()}")])
        except Conflict as conflict:
            found = conflict.found.get("outcome")
            if not found:
                return
            delivery = delivery_of(found)
            if delivery.outcome not in OPEN:
                return
        else:
            if after.emptied_at:
                let_go(hub, after)
            if after.outcome == "quarantined":
                hub.alarm("quarantined", {"source": after.source_id, "delivery": after.delivery_id})
            return
    raise Conflict(f"delivery {delivery.delivery_id}: others kept writing first")


def outcome_write(delivery: Delivery, after: Delivery, writer: str) -> Put:
    """Give the write that brings a delivery to its new state."""
    return Put("outcome", delivery_item(after, writer), Holds("version", delivery.version))


def with_results(
    hub: Hub, delivery: Delivery, results: Mapping[str, ActResult], acts: int
) -> Delivery:
    """Give a delivery with results added; it is finished when none is missing."""
    everything = {**delivery.results, **results}
    update: dict[str, object] = {
        "version": delivery.version + 1,
        "acts": acts,
        "results": everything,
        "due_at": None,
    }
    if len(everything) < acts:
        # Another part may have been told to wait longer.
        is_waiting = delivery.outcome == "waiting"
        update["due_at"] = delivery.due_at if is_waiting else hub.clock() + WORK
    else:
        update["outcome"], update["reason"] = overall(everything.values())
    after = delivery.model_copy(update=update)
    is_erased = any(result.outcome == "erased" for result in everything.values())
    if is_erased and after.outcome not in (*OPEN, "quarantined"):
        return emptied(after, hub.clock())
    return after


def unreadable(delivery: Delivery, error: HubError) -> Delivery:
    """Give a delivery that nobody can read, in quarantine."""
    return delivery.model_copy(
        update={
            "version": delivery.version + 1,
            "outcome": "quarantined",
            "reason": reason_of(error),
            "due_at": None,
        }
    )


def reason_of(error: HubError) -> str:
    """Write an error as a reason: its kind, where it is of one, and its words."""
    kind = "" if type(error) is HubError else f"{type(error).__name__.lower()}: "
    return f"{kind}{error}"[:500]


def _waiting(
    hub: Hub, delivery: Delivery, results: Mapping[str, ActResult], acts: int, wait: TryLater
) -> Delivery:
    """Give a delivery that must wait; parts of it that are told so together make one try."""
    now = hub.clock()
    due_at = delivery.due_at if delivery.outcome == "waiting" else None
    is_another_try = due_at is None or due_at <= now
    tries = delivery.tries + is_another_try
    taken = delivery.model_copy(
        update={"acts": acts, "results": {**delivery.results, **results}, "tries": tries}
    )
    if tries >= TRIES:
        return unreadable(taken, TryLater(f"gave up waiting; {wait}"))
    until = now + _pause(tries - 1, wait.retry_after_seconds)
    return taken.model_copy(
        update={
            "version": delivery.version + 1,
            "outcome": "waiting",
            "reason": str(wait)[:500],
            "due_at": until if is_another_try else max(until, due_at or until),
        }
    )


def _pause(tries: int, said_seconds: int | None) -> timedelta:
    if said_seconds is not None:
        return timedelta(seconds=said_seconds)
    return timedelta(seconds=min(FIRST_WAIT_SECONDS * 2**tries, LONGEST_WAIT_SECONDS))


def overall(results: Collection[ActResult]) -> tuple[Outcome, str]:
    """Sum up: what needs a person comes first, then what made a lead."""
    outcomes = [result.outcome for result in results]
    for outcome in ORDER:
        if outcome in outcomes:
            reasons = {r.reason for r in results if r.outcome == outcome and r.reason}
            return outcome, "; ".join(sorted(reasons))[:500]
    return "ignored", "nothing in it for us"
