"""Once a day: counts what became of the leads of each owner, for pools that go by performance.

All leads are gone through a bounded slice at a time. Counting a page twice is harmless, for a slice
is written whole, with how far it came, or not at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from chalicelib.config.model import Config
from chalicelib.flow.leads import live_leads
from chalicelib.flow.walk import Walk, go_on, lead_id_of
from chalicelib.hub import Current, Hub
from chalicelib.lead.choosing.strategies import Closed
from chalicelib.lead.model import Lead, Model
from chalicelib.records import long_item, unpacked
from chalicelib.storage import Holds, Item, Key, Put, Table

BOX = timedelta(seconds=40)
"""How long a slice begins pages."""

AT_ONCE = 100
"""Entries of a page."""

EVERY = timedelta(days=1)

CLOSED_KEY = Key("ROUTING", "CLOSED")

WON = ("opportunity", "customer")
"""Stages of leads that were won by who answered them; so is one that is qualified."""


class Counted(Model):
    """Won and lost leads by owner, as they were last counted, and how far today's count is."""

    owners: Mapping[str, Closed] = Field(default_factory=dict, description="the last whole count")
    so_far: Mapping[str, Closed] = Field(default_factory=dict)
    walk: Walk = Field(default_factory=Walk)
    began_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None


def read_closed(table: Table) -> Mapping[str, Closed]:
    """Give what was counted last; empty when nothing was."""
    item = table.get(CLOSED_KEY)
    return counted_of(item).owners if item else {}


def counted_of(item: Item) -> Counted:
    """Read a count back."""
    return unpacked(Counted, item["data"])


def standing(hub: Hub, current: Current) -> Iterable[Item]:
    """Name the work if a pool goes by performance; see catch_up.STANDING."""
    if is_wanted(current.config):
        yield _item(Counted(), 1, hub.clock(), f"standing:{hub.new_id()}")


def is_wanted(config: Config) -> bool:
    """Say whether any pool goes by performance."""
    return any(pool.strategy == "performance" for pool in config.pools.values())


def count_closed(hub: Hub, item: Item) -> None:
    """Do one slice; see catch_up.Slice.

    Raises:
        Conflict: the lease was lost.
        Unavailable: ours is down.
    """
    state, ends_at = counted_of(item), hub.clock() + BOX
    if state.began_at is None or state.finished_at:
        state = Counted(owners=state.owners, began_at=hub.clock())
    wanted = is_wanted(hub.configurations.current().config)
    due_at: datetime | None = hub.clock()
    while hub.clock() < ends_at:
        if not wanted or state.walk.is_over:
            owners = state.so_far if wanted else {}
            state = state.model_copy(
                update={"owners": owners, "so_far": {}, "finished_at": hub.clock()}
            )
            due_at = (state.began_at or hub.clock()) + EVERY if wanted else None
            break
        entries, walk = go_on(hub, state.walk, AT_ONCE)
        leads = live_leads(hub.table, [lead_id_of(entry) for entry in entries])
        state = state.model_copy(update={"walk": walk, "so_far": _with(state.so_far, leads)})
    after = _item(state, int(item["version"]) + 1, due_at, f"closed:{hub.new_id()}")
    hub.table.write([Put("closed count", after, Holds("version", int(item["version"])))])


def _with(so_far: Mapping[str, Closed], leads: Sequence[Lead]) -> dict[str, Closed]:
    """Add what became of some leads."""
    counts = dict(so_far)
    for lead in leads:
        if lead.assignment is None:
            continue
        owner_id = lead.assignment.owner_id
        known = counts.get(owner_id, Closed())
        if lead.stage in WON or lead.status == "qualified":
            counts[owner_id] = Closed(won=known.won + 1, lost=known.lost)
        elif lead.status == "disqualified":
            counts[owner_id] = Closed(won=known.won, lost=known.lost + 1)
    return counts


def _item(state: Counted, version: int, due_at: datetime | None, writer: str) -> Item:
    return long_item(CLOSED_KEY, "closed", state, version, due_at, writer)
