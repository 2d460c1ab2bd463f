"""Step 2 goes on: keep a request in table or bucket, or whole in a message while one is down."""

import base64

from chalicelib.errors import Conflict, Malformed, NotFound
from chalicelib.hub import Hub
from chalicelib.records import Delivery, delivery_item, delivery_of
from chalicelib.request import Request, unpack
from chalicelib.storage import Absent, Message, Put, Received

MOST_INLINE_BYTES = 200 * 1024
"""Packed requests above this go to the bucket and are pointed at."""


def keep(hub: Hub, delivery: Delivery, raw: bytes) -> None:
    """Store a new delivery with its packed request.

    Raises:
        Unavailable: the table or the bucket is down.
    """
    _write(hub, _placed(hub, delivery, raw))


def whole(delivery: Delivery, raw: bytes) -> Message:
    """Make the one message that carries a delivery and not only its id."""
    return Message(
        {
            "whole": delivery.model_dump(mode="json", exclude_defaults=True),
            "raw": base64.b64encode(raw).decode(),
        }
    )


def keep_whole(hub: Hub, message: Received) -> Delivery:
    """Store a delivery that came by queue because the table was down; gives it as it stands."""
    raw = base64.b64decode(message.body["raw"])
    delivery = _placed(hub, Delivery.model_validate(message.body["whole"]), raw)
    try:
        _write(hub, delivery)
    except Conflict as error:
        found = error.found["delivery"]
        return delivery_of(found) if found else delivery
    return delivery


def request_of(hub: Hub, delivery: Delivery) -> Request:
    """Give the request of a delivery as it was kept.

    Raises:
        Malformed: what is stored is not a request of ours.
        Unavailable: the bucket is down.
    """
    if delivery.emptied_at:
        raise Malformed("its request was taken away, for somebody in it was erased")
    try:
        return unpack(hub.blobs.get(delivery.blob) if delivery.blob else delivery.raw)
    except NotFound as error:
        raise Malformed("its body is not in the bucket any more") from error


def _placed(hub: Hub, delivery: Delivery, raw: bytes) -> Delivery:
    """Give a delivery with its packed request; a large one is in the bucket from now on."""
    if len(raw) <= MOST_INLINE_BYTES:
        return delivery.model_copy(update={"raw": raw})
    blob = f"deliveries/{delivery.delivery_id}"
    hub.blobs.put(blob, raw)
    return delivery.model_copy(update={"blob": blob})


def _write(hub: Hub, delivery: Delivery) -> None:
    item = delivery_item(delivery, f"receive:{delivery.delivery_id}")
    hub.table.write([Put("delivery", item, Absent())])
