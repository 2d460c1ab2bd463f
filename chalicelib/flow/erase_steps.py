"""The order of an erasure: leads, search, what lies elsewhere, search again, check, certificate."""

from datetime import timedelta
from typing import Any

from chalicelib.errors import Conflict
from chalicelib.flow.erase import Run, take_in
from chalicelib.flow.erase_check import check
from chalicelib.flow.erase_elsewhere import erase_elsewhere, erase_files
from chalicelib.flow.erase_lead import erase_leads
from chalicelib.flow.erase_search import search_page, settle_shared, traces_of
from chalicelib.flow.erase_state import Erasure, Place
from chalicelib.flow.leads import stored_leads
from chalicelib.records import delivery_key, delivery_of, holders_of, identity_key
from chalicelib.storage import ATTEMPTS

BETWEEN = timedelta(minutes=6)
"""Longer than a message that was under way at the first pass can be worked on."""

LEAST_PASSES, MOST_PASSES = 2, 5

LOOK_AGAIN = timedelta(days=1)
"""When requests that others in them still need are looked at again."""

NOTES = (
    "Backups: point-in-time recovery of the table goes back 35 days; what was erased is in it for "
    "that long. Whoever restores the table repeats the erasures after that time.",
    "Logs hold ids and counts, never what a person wrote; they are kept for 30 days.",
    "Queues carry ids. A request that came while the table was down travels whole in a message: "
    "for 4 days in the inbox, for 14 among the dead messages. It is kept only once it is worked "
    "on, and is a new enquiry then, unless it repeats a submission that was erased.",
    "Files that were uploaded for an import and not started leave the bucket within 30 days.",
    "Texts of other people that name this person, and requests that name them by nothing but "
    "their name, are not found.",
)
OUT_OF_REACH = (
    "Messages that were sent, by mail, chat or to a program, are out of the hub's reach; `told` "
    "lists them. Programs that were told by webhook are sent `lead.erased` with the lead's id."
)


def step(run: Run) -> bool:
    """Take one step; False when there is nothing to do now, and its item says when there is.

    Raises:
        Conflict: the lease was lost, or others kept writing first.
        Unavailable: ours is down.
    """
    for attempt in range(ATTEMPTS):
        run.hub.pause(attempt)
        try:
            return _step(run)
        except Conflict as conflict:
            if "erasure" in conflict.found:
                raise
    raise Conflict(f"erasure {run.one.erasure_id}: others kept writing first")


def _step(run: Run) -> bool:
    match run.one.state:
        case "erasing":
            return erase_leads(run) or _next(run, _after_leads(run))
        case "searching":
            return _search(run)
        case "checking":
            return _finish(run)
        case "waiting":
            return _wait(run)
        case "done":
            return False


def _next(run: Run, after: Erasure) -> bool:
    run.write(after)
    return True


def _after_leads(run: Run) -> Erasure:
    place = run.one.place or Place(began_at=run.hub.clock())
    return run.one.model_copy(update={"state": "searching", "place": place})


def _search(run: Run) -> bool:
    """Look through deliveries, then elsewhere; and again, until a pass comes upon nothing."""
    place = run.one.place
    assert place is not None
    if place.began_at > run.hub.clock():
        run.leave(run.one, place.began_at)
        return False
    if search_page(run) or erase_elsewhere(run) or _newcomer(run):
        return True
    place = run.one.place
    assert place is not None
    is_enough = place.number >= LEAST_PASSES and not place.found
    if is_enough or place.number >= MOST_PASSES:
        return _next(run, run.one.model_copy(update={"state": "checking"}))
    later = run.hub.clock() + BETWEEN
    again = Place(number=place.number + 1, began_at=later)
    run.leave(run.one.model_copy(update={"place": again}), later)
    return False


def _newcomer(run: Run) -> bool:
    """Take in a lead that was made of what had come before the person was erased."""
    only_theirs = sorted({*run.person.keys} - {*run.person.shared})
    items = run.hub.table.get_many([identity_key(key) for key in only_theirs])
    holders = {lead_id for item in items.values() for lead_id in holders_of(item)}
    for stored in stored_leads(run.hub, holders):
        came = [old.record.touch.received_at for old in stored.touches]
        if came and max(came) <= run.one.until:
            take_in(run, stored)
            return True
    return False


def _finish(run: Run) -> bool:
    """Read everything again; whom it was about is forgotten only when nothing is found."""
    one = run.one
    checks = check(run)
    if any(checked.found for checked in checks):
        run.hub.alarm("erasure", {"erasure": one.erasure_id})
        later = run.hub.clock() + BETWEEN
        again = {"state": "erasing", "place": Place(began_at=later)}
        run.leave(one.model_copy(update=again), later)
        return False
    waits = bool(one.waits_for or one.imports)
    update: dict[str, Any] = {
        "state": "waiting" if waits else "done",
        "checks": checks,
        "reason": _without_person(run),
        "person": None,
        "place": None,
        "notes": (*((OUT_OF_REACH,) if one.told else ()), *NOTES),
        "finished_at": None if waits else run.hub.clock(),
    }
    due_at = run.hub.clock() + LOOK_AGAIN if waits else None
    run.leave(one.model_copy(update=update), due_at)
    return False


def _without_person(run: Run) -> str:
    named = traces_of(run).are_in([run.one.reason])
    return "(it named the person, so it is left out)" if named else run.one.reason


def _wait(run: Run) -> bool:
    """Look again at requests and files that others in them still needed."""
    keys = [delivery_key(delivery_id) for delivery_id in run.one.waits_for]
    for delivery in map(delivery_of, run.hub.table.get_many(keys).values()):
        if settle_shared(run, delivery):
            return True
    if erase_files(run):
        return True
    if run.one.waits_for or run.one.imports:
        run.leave(run.one, run.hub.clock() + LOOK_AGAIN)
        return False
    run.leave(run.one.model_copy(update={"state": "done", "finished_at": run.hub.clock()}), None)
    return False
