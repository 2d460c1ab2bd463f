"""Reads all that an erasure took away again; what is still there is counted, not named."""

from collections.abc import Iterable

from chalicelib.flow.erase import Run
from chalicelib.flow.erase_elsewhere import refusals_of_theirs
from chalicelib.flow.erase_lead import SKELETON, told_of_by_kin
from chalicelib.flow.erase_state import Checked
from chalicelib.records import (
    claim_of,
    delivery_key,
    delivery_of,
    effect_of,
    holders_of,
    identity_key,
    lead_key,
    lead_of,
)
from chalicelib.storage import Item, Key


def check(run: Run) -> tuple[Checked, ...]:
    """Look at each store once more."""
    place = run.one.place
    searched = Checked(
        store="deliveries that led to no lead",
        looked_at=place.looked_at if place else 0,
        found=place.found if place else 0,
    )
    refusals = _told("refused requests", 0, refusals_of_theirs(run))
    return (
        _leads(run),
        _keys(run),
        _claims(run),
        _requests(run),
        _bodies(run),
        searched,
        refusals,
    )


def _told(store: str, looked_at: int, found: Iterable[object]) -> Checked:
    left = len(list(found))
    return Checked(store=store, looked_at=max(looked_at, left), found=left)


def _leads(run: Run) -> Checked:
    items = [
        item for lead_id in run.one.lead_ids for item in run.hub.table.query(lead_key(lead_id)[0])
    ]
    left = [*(item for item in items if _is_left(item)), *told_of_by_kin(run)]
    return _told("leads and their timelines", len(items), left)


def _is_left(item: Item) -> bool:
    match item["kind"]:
        case "lead":
            return lead_of(item).erased_at is None
        case "event":
            return SKELETON not in item
        case "effect":
            return effect_of(item).kind != "erased"
    return True


def _keys(run: Run) -> Checked:
    keys = [identity_key(key) for key in run.person.keys]
    ours = {*run.one.lead_ids}
    items = run.hub.table.get_many(keys).values() if keys else ()
    left = [item for item in items if ours & {*holders_of(item)}]
    return _told("identity keys", len(keys), left)


def _claims(run: Run) -> Checked:
    keys = [Key(f"SUBMISSION#{claim}", "CLAIM") for claim in run.person.claims]
    items = run.hub.table.get_many(keys).values() if keys else ()
    claims = [claim_of(item) for item in items]
    left = [c for c in claims if not c.erased_at and c.lead_id in run.one.lead_ids]
    return _told("submissions", len(keys), left)


def _requests(run: Run) -> Checked:
    keys = [delivery_key(delivery_id) for delivery_id in run.one.emptied]
    items = run.hub.table.get_many(keys).values() if keys else ()
    deliveries = [delivery_of(item) for item in items]
    left = [
        one
        for one in deliveries
        if one.raw
        or one.blob
        or any(result.lead_id in run.one.lead_ids for result in one.results.values())
    ]
    return _told("requests", len(keys), left)


def _bodies(run: Run) -> Checked:
    names = [f"deliveries/{delivery_id}" for delivery_id in run.one.emptied]
    left = [name for name in names if run.hub.blobs.facts(name)]
    return _told("bodies in the bucket", len(names), left)
