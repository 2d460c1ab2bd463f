"""How the hub is doing: whether it works, and what lies about that should not."""

from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from chalicelib.errors import Unavailable
from chalicelib.hub import Hub
from chalicelib.lead.model import Model, utc_text
from chalicelib.records import (
    ACTIVE_KEY,
    QUARANTINED_EFFECTS,
    SHARDS,
    active_of,
    due_shard,
    owner_list,
)

LATE_AFTER = timedelta(minutes=15)
"""Work that is overdue for longer than this says that something does not run."""

MOST_COUNTED = 100


class Health(Model):
    """How the hub is doing; holds nobody's data."""

    status: Literal["ok", "degraded", "down"]
    problems: tuple[str, ...] = Field(default=(), description="what is wrong, in words")
    table: Literal["reachable", "unreachable"] = "reachable"
    config_number: int | None = None
    config_hash: str = ""
    oldest_due_at: AwareDatetime | None = Field(
        default=None, description="since when the oldest overdue work waits"
    )
    unowned: int = Field(default=0, description="leads without an owner; counted up to 100")
    quarantined_effects: int = Field(
        default=0, description="notifications set aside; counted up to 100"
    )
    code: str = Field(default="", description="version of the code")


def is_alive(hub: Hub) -> bool:
    """Say whether the table answers."""
    try:
        hub.table.get(ACTIVE_KEY)
    except Unavailable:
        return False
    return True


def health(hub: Hub) -> Health:
    """Look at everything that shows trouble, in a fixed number of reads."""
    now = hub.clock()
    try:
        item = hub.table.get(ACTIVE_KEY)
        due = [
            str(page.items[0]["due_at"])
            for page in (
                hub.table.query_index("due", due_shard(number), up_to=utc_text(now), limit=1)
                for number in range(SHARDS)
            )
            if page.items
        ]
        unowned = _count(hub, "owner", owner_list(""))
        effects = _count(hub, "list", QUARANTINED_EFFECTS)
    except Unavailable:
        return Health(
            status="down",
            problems=("the table does not answer",),
            table="unreachable",
            code=hub.code,
        )
    problems = []
    if item is None:
        problems.append("no configuration is published: hub config publish FILE")
    if due and min(due) < utc_text(now - LATE_AFTER):
        problems.append(f"work is overdue since {min(due)}; look at tick and the queues")
    if unowned:
        problems.append(f"{unowned} leads wait for an owner: hub leads --owner=-unowned")
    if effects:
        problems.append(f"{effects} notifications are set aside: hub effects")
    active = active_of(item) if item else None
    return Health(
        status="degraded" if problems else "ok",
        problems=tuple(problems),
        config_number=active.number if active else None,
        config_hash=active.hash if active else "",
        oldest_due_at=min(due) if due else None,
        unowned=unowned,
        quarantined_effects=effects,
        code=hub.code,
    )


def _count(hub: Hub, index: str, pk: str) -> int:
    return len(hub.table.query_index(index, pk, limit=MOST_COUNTED).items)
