"""Going through all leads a bounded step at a time, from wherever somebody stopped."""

from collections.abc import Mapping

from pydantic import Field

from chalicelib.hub import Hub
from chalicelib.lead.model import Model
from chalicelib.records import SHARDS, leads_list
from chalicelib.storage import Item


class Walk(Model):
    """How far somebody has come in the lists of live leads."""

    part: int = Field(default=0, description="of the list; SHARDS at the end")
    start: Mapping[str, str] = Field(default_factory=dict, description="where the part goes on")
    seen: int = Field(default=0, description="entries so far")

    @property
    def is_over(self) -> bool:
        """Say whether all have been seen."""
        return self.part == SHARDS


def go_on(hub: Hub, walk: Walk, at_once: int) -> tuple[tuple[Item, ...], Walk]:
    """Give the next entries, the oldest first in each part, and how far that is.

    Args:
        hub: read from.
        walk: not over.
        at_once: most entries; there may be fewer, or none.
    """
    page = hub.table.query_index(
        "list", leads_list(walk.part), limit=at_once, start=walk.start or None
    )
    after = Walk(
        part=walk.part if page.next else walk.part + 1,
        start=dict(page.next or {}),
        seen=walk.seen + len(page.items),
    )
    return page.items, after


def lead_id_of(item: Item) -> str:
    """Name the lead of an entry."""
    return str(item["pk"]).removeprefix("LEAD#")
