"""A delivery without its request: what came in it is gone, what became of it stays.

Its item says so first; then its blob is removed, and then the item forgets the name of the blob.
Until then it is due, so that whoever dies in between is followed by somebody else.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from chalicelib.errors import Conflict
from chalicelib.hub import Hub
from chalicelib.records import Delivery, delivery_item
from chalicelib.storage import Holds, Put

REMOVED_WITHIN = timedelta(minutes=5)
"""After how long tick takes the removal of a blob for forgotten."""


def emptied(delivery: Delivery, now: datetime) -> Delivery:
    """Give a delivery without its request; one with a blob is due until that is removed."""
    due_at = now + REMOVED_WITHIN if delivery.blob else None
    return delivery.model_copy(update={"raw": b"", "emptied_at": now, "due_at": due_at})


def let_go(hub: Hub, delivery: Delivery) -> None:
    """Remove the blob of an emptied delivery, if it still has one.

    Raises:
        Unavailable: table or bucket is down; tick comes again.
    """
    if not delivery.blob:
        return
    hub.blobs.remove(delivery.blob)
    bare = delivery.model_copy(update={"blob": "", "due_at": None, "version": delivery.version + 1})
    item = delivery_item(bare, f"empty:{delivery.delivery_id}")
    # Somebody else did the same, or nobody: it stays due.
    with suppress(Conflict):
        hub.table.write([Put("emptied body", item, Holds("version", delivery.version))])
