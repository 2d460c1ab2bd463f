"""Put a delivery through again: what it did is not done twice, what failed gets a new chance."""

from datetime import datetime

from chalicelib.errors import Conflict, NotFound
from chalicelib.hub import Hub
from chalicelib.records import Delivery, delivery_item, delivery_key, delivery_of
from chalicelib.storage import Holds, Message, Put


def replay(hub: Hub, delivery_id: str, *, not_spam: bool = False) -> Delivery:
    """Queue a kept delivery again with its outcome forgotten.

    Claims of its submissions stay, so a submission that made a lead is only recognised, and one
    that was quarantined is read by today's code and configuration.

    Args:
        hub: read from and written to.
        delivery_id: which one.
        not_spam: a person has looked at it: suspicions of spam do not count any more.

    Raises:
        NotFound: no such delivery.
        Conflict: it is being handled at this moment, or there is nothing of it left to replay.
    """
    item = hub.table.get(delivery_key(delivery_id))
    if item is None:
        raise NotFound(f"delivery {delivery_id}")
    delivery = delivery_of(item)
    if delivery.emptied_at:
        raise Conflict("its request was taken away, for somebody in it was erased")
    after = again(delivery, hub.clock(), not_spam=not_spam)
    writer = f"replay:{hub.new_id()}"
    condition = Holds("version", delivery.version)
    hub.table.write([Put("replayed delivery", delivery_item(after, writer), condition)])
    hub.inbox.send([Message({"delivery": delivery_id})])
    return after


def again(delivery: Delivery, now: datetime, *, not_spam: bool = False) -> Delivery:
    """Give a delivery with its outcome forgotten, due at once."""
    return delivery.model_copy(
        update={
            "version": delivery.version + 1,
            "outcome": "pending",
            "reason": "",
            "results": {},
            "tries": 0,
            "replays": delivery.replays + 1,
            "is_released": delivery.is_released or not_spam,
            "held": "",
            "due_at": now,
        }
    )
