"""How many open leads somebody has, for owners with a cap on them or a pool that goes by loads.

The item of an owner names the leads that routing gave them. Leads leave an owner in many ways, and
none of them writes here: those that are not theirs any more, or closed, are taken out when it is
read and it matters. So the item may name too many, never too few but for leads that came back by
taking a merge apart; what has them all is the list of the owner's leads, and it is read anew when
the item is some hours old.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from chalicelib.lead.model import Lead, Model
from chalicelib.records import lead_key, lead_of, owner_list, packed, unpacked
from chalicelib.storage import Item, Key, Table

LISTED_ANEW_AFTER = timedelta(hours=6)

MOST_LISTED = 2000
"""Most leads of an owner that are looked at; whoever has more is over every cap there can be."""

AT_ONCE = 10
"""Leads that one round of routing may add."""


class Load(Model):
    """The open leads of an owner, and perhaps some that are not open any more."""

    owner_id: str
    version: int = 0
    open: tuple[str, ...] = ()
    listed_at: AwareDatetime | None = None


def load_key(owner_id: str) -> Key:
    """Key of an owner's load."""
    return Key(f"OWNER#{owner_id}", "LOAD")


def load_item(load: Load, writer: str) -> Item:
    """Make the item of an owner's load."""
    pk, sk = load_key(load.owner_id)
    return {
        "pk": pk,
        "sk": sk,
        "kind": "load",
        "writer": writer,
        "version": load.version,
        "data": packed(load),
    }


def load_of(item: Item) -> Load:
    """Read an owner's load back."""
    return unpacked(Load, item["data"])


def is_open(lead: Lead, owner_id: str) -> bool:
    """Say whether a lead is an owner's and still to be worked on."""
    return (
        not lead.merged_into
        and not lead.erased_at
        and lead.assignment is not None
        and lead.assignment.owner_id == owner_id
        and lead.is_open
    )


def read_loads(
    table: Table, caps: Mapping[str, int | None], exact: Collection[str], now: datetime
) -> dict[str, Load]:
    """Read the loads of owners.

    Args:
        table: read from.
        caps: by owner; below the cap a count may be too high.
        exact: owners whose count must be right.
        now: the time.
    """
    items = table.get_many([load_key(owner_id) for owner_id in sorted(caps)])
    loads = {}
    for owner_id, cap in sorted(caps.items()):
        item = items.get(load_key(owner_id))
        load = load_of(item) if item else Load(owner_id=owner_id)
        is_old = load.listed_at is None or now - load.listed_at > LISTED_ANEW_AFTER
        if is_old:
            named = dict.fromkeys((*load.open, *_listed(table, owner_id)))
            load = load.model_copy(update={"open": tuple(named), "listed_at": now})
        is_near = cap is not None and len(load.open) + AT_ONCE > cap
        loads[owner_id] = _still_open(table, load) if owner_id in exact or is_near else load
    return loads


def _listed(table: Table, owner_id: str) -> list[str]:
    found: list[str] = []
    start: Mapping[str, str] | None = None
    while len(found) < MOST_LISTED:
        page = table.query_index("owner", owner_list(owner_id), limit=500, start=start)
        found += [str(item["pk"]).removeprefix("LEAD#") for item in page.items]
        start = page.next
        if start is None:
            break
    return found


def _still_open(table: Table, load: Load) -> Load:
    """Leave out the leads that are not open any more, or somebody else's."""
    items = table.get_many([lead_key(lead_id) for lead_id in load.open]) if load.open else {}
    leads = {lead.lead_id: lead for lead in map(lead_of, items.values())}
    still = tuple(i for i in load.open if i in leads and is_open(leads[i], load.owner_id))
    return load.model_copy(update={"open": still})


def with_lead(load: Load, lead_id: str) -> Load:
    """Add a lead that the owner gets."""
    named = tuple(dict.fromkeys((*load.open, lead_id)))
    return load.model_copy(update={"open": named, "version": load.version + 1})
