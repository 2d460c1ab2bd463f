"""Counting a source's deliveries by hour, from the lists that they are in anyway."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.flow.tick import AGAIN_AFTER
from chalicelib.hub import Hub
from chalicelib.lead.model import utc_text
from chalicelib.records import (
    OUTCOMES,
    SHARDS,
    deliveries_list,
    delivery_of,
    due_shard,
    summary_of,
)
from chalicelib.silence import hour_of
from chalicelib.storage import Key

MOST_COUNTED = 50_000
"""Most deliveries of one outcome that one look counts."""

MOST_PENDING = 100
"""Most unfinished deliveries of a shard that are looked at; with more, the hub itself is late."""


@dataclass
class Counted:
    """What came by a source.

    Attributes:
        since: from when on the counts are whole; later than asked for where too much came.
        by_hour: start of an hour -> deliveries.
        newest: when the last one came; None for none.
        is_late: so much is unfinished that more may have come than is known.
    """

    since: datetime
    by_hour: Counter[datetime] = field(default_factory=Counter)
    newest: datetime | None = None
    is_late: bool = False


def count(hub: Hub, source_id: str, since: datetime) -> Counted:
    """Count what a provider sent since a time; what its list brought in does not count."""
    counted = Counted(since)
    for outcome in OUTCOMES:
        left = MOST_COUNTED
        for received_at in _listed(hub, deliveries_list(source_id, outcome), since):
            counted.newest = max(counted.newest or received_at, received_at)
            counted.by_hour[hour_of(received_at)] += 1
            left -= 1
            if not left:
                counted.since = max(counted.since, hour_of(received_at) + timedelta(hours=1))
                break
    for received_at in _pending(hub, counted, source_id):
        counted.newest = max(counted.newest or received_at, received_at)
    return counted


def last_delivery(hub: Hub, source_id: str) -> tuple[datetime | None, str]:
    """Give when the last delivery that has an outcome came, and which one; listed ones too."""
    last = ("", "")
    for outcome in OUTCOMES:
        page = hub.table.query_index(
            "list", deliveries_list(source_id, outcome), newest_first=True, limit=1
        )
        for item in page.items:
            last = max(last, (str(item["list_sk"]).partition("#")[0], outcome))
    return (datetime.fromisoformat(last[0]) if last[0] else None), last[1]


def _listed(hub: Hub, name: str, since: datetime) -> Iterator[datetime]:
    """Give when the deliveries of a list came, newest first."""
    start: Mapping[str, str] | None = None
    first = utc_text(since)
    while True:
        page = hub.table.query_index("list", name, newest_first=True, limit=1000, start=start)
        for item in page.items:
            at = str(item["list_sk"]).partition("#")[0]
            if at < first:
                return
            if not summary_of(item).get("listed"):
                yield datetime.fromisoformat(at)
        start = page.next
        if start is None:
            return


def _pending(hub: Hub, counted: Counted, source_id: str) -> Iterator[datetime]:
    """Give when deliveries came that have no outcome yet, and so are in no list."""
    until = utc_text(hub.clock() + AGAIN_AFTER)
    for number in range(SHARDS):
        page = hub.table.query_index("due", due_shard(number), up_to=until, limit=MOST_PENDING)
        keys = [Key(i["pk"], i["sk"]) for i in page.items if i["pk"].startswith("DELIVERY#")]
        counted.is_late |= len(page.items) == MOST_PENDING
        for found in hub.table.get_many(keys).values():
            delivery = delivery_of(found)
            if delivery.source_id == source_id and not delivery.is_listed:
                yield delivery.received_at
