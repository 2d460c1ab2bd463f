"""Every minute: send on whatever is overdue, because its message was lost or its time came."""

from datetime import timedelta

from chalicelib.errors import Conflict
from chalicelib.flow.leads import route_message
from chalicelib.hub import Hub
from chalicelib.lead.model import utc_text
from chalicelib.records import SHARDS, due_shard, lead_of
from chalicelib.storage import Holds, Item, Key, Message, Put

AGAIN_AFTER = timedelta(minutes=10)
"""How long sent-on work is left alone before it counts as overdue again."""

MOST_AT_ONCE = 1000
"""Most items of a shard that one tick sends on; the next one goes on."""


def tick(hub: Hub) -> int:
    """Send overdue items to their queues; gives how many.

    An item with unfinished work carries `due_at`. Sending it on twice is harmless, for each step
    finds what is done already.
    """
    sent = 0
    until = utc_text(hub.clock())
    for number in range(SHARDS):
        start = None
        for _ in range(MOST_AT_ONCE // 100):
            page = hub.table.query_index(
                "due", due_shard(number), up_to=until, limit=100, start=start
            )
            keys = [Key(item["pk"], item["sk"]) for item in page.items]
            overdue = [
                item
                for item in hub.table.get_many(keys).values()
                if item.get("due_at", "~") <= until
            ]
            _send_on(hub, overdue)
            sent += len(overdue)
            start = page.next
            if start is None:
                break
    return sent


def _send_on(hub: Hub, items: list[Item]) -> None:
    deliveries, leads, effects = [], [], []
    for item in items:
        match item["kind"]:
            case "delivery":
                delivery_id = str(item["pk"]).removeprefix("DELIVERY#")
                deliveries.append(Message({"delivery": delivery_id}))
            case "lead":
                leads.append(route_message(lead_of(item)))
            case "effect":
                lead_id = str(item["pk"]).removeprefix("LEAD#")
                effect_id = str(item["sk"]).removeprefix("EFFECT#")
                effects.append(Message({"lead": lead_id, "effect": effect_id}))
    for queue, messages in (
        (hub.inbox, deliveries),
        (hub.routing, leads),
        (hub.outbox, effects),
    ):
        if messages:
            queue.send(messages)
    for item in items:
        _leave_alone(hub, item)


def _leave_alone(hub: Hub, item: Item) -> None:
    """Move an item's time on, unless its work was finished in the meantime."""
    later = {
        **item,
        "due_at": utc_text(hub.clock() + AGAIN_AFTER),
        "writer": f"tick:{item['due_at']}",
    }
    try:
        hub.table.write([Put("sent on", later, Holds("version", item["version"]))])
    except Conflict:
        return
