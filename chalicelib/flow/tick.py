"""Every minute: send on what is overdue, because its message was lost or its time came.

And look at the clocks of leads: see flow.clock.
"""

from datetime import timedelta

from chalicelib.errors import Conflict
from chalicelib.flow.leads import route_message
from chalicelib.hub import Hub
from chalicelib.lead.model import Lead, utc_text
from chalicelib.records import SHARDS, due_shard, lead_of
from chalicelib.storage import Holds, Item, Key, Message, Put

AGAIN_AFTER = timedelta(minutes=10)
"""How long sent-on work is left alone before it counts as overdue again."""

MOST_AT_ONCE = 1000
"""Most items of a shard that one tick sends on; the next one goes on."""

BOX = timedelta(seconds=40)
"""How long one tick goes on to look for more clocks; the function itself may take a minute."""


def tick(hub: Hub) -> int:
    """Send overdue items to their queues, and take the steps of clocks; gives how many.

    An item with unfinished work carries `due_at`. Sending it on twice is harmless, for each step
    finds what is done already.
    """
    ends_at = hub.clock() + BOX
    sent, clocks = _round(hub)
    # More clocks than one round takes may strike in the same minute.
    while clocks >= MOST_AT_ONCE and hub.clock() < ends_at:
        more, clocks = _round(hub)
        sent += more
    return sent


def _round(hub: Hub) -> tuple[int, int]:
    """Go through all shards once; gives how many items were due, and how many were clocks."""
    sent = clocks = 0
    until = utc_text(hub.clock())
    # Another one first each minute, so that none waits for ever behind one that fails.
    first = int(hub.clock().timestamp()) // 60
    for number in ((first + offset) % SHARDS for offset in range(SHARDS)):
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
            clocks += _send_on(hub, overdue)
            sent += len(overdue)
            start = page.next
            if start is None:
                break
    return sent, clocks


def _send_on(hub: Hub, items: list[Item]) -> int:
    """Send items on; gives how many of them were clocks, whose steps are taken here."""
    deliveries, leads, effects = [], [], []
    clocks: list[Lead] = []
    left: list[Item] = []
    for item in items:
        match item["kind"]:
            case "delivery":
                delivery_id = str(item["pk"]).removeprefix("DELIVERY#")
                deliveries.append(Message({"delivery": delivery_id}))
            case "lead":
                lead = lead_of(item)
                is_due = lead.clock_at is not None and lead.clock_at <= hub.clock()
                if lead.awaits or lead.is_unowned or lead.clock_at is None:
                    leads.append(route_message(lead))
                if is_due:
                    clocks.append(lead)
                    continue
            case "effect":
                lead_id = str(item["pk"]).removeprefix("LEAD#")
                effect_id = str(item["sk"]).removeprefix("EFFECT#")
                effects.append(Message({"lead": lead_id, "effect": effect_id}))
        left.append(item)
    if clocks:
        from chalicelib.flow.clock import keep_time  # most hubs do without

        keep_time(hub, clocks)
    for queue, messages in (
        (hub.inbox, deliveries),
        (hub.routing, leads),
        (hub.outbox, effects),
    ):
        if messages:
            queue.send(messages)
    for item in left:
        _leave_alone(hub, item)
    return len(clocks)


def _leave_alone(hub: Hub, item: Item) -> None:
    """Move an item's time on, unless its work was finished in the meantime."""
    times = [hub.clock() + AGAIN_AFTER]
    if item["kind"] == "lead" and (clock_at := lead_of(item).clock_at):
        times.append(clock_at)
    later = {
        **item,
        "due_at": utc_text(min(times)),
        "writer": f"tick:{item['due_at']}",
    }
    try:
        hub.table.write([Put("sent on", later, Holds("version", item["version"]))])
    except Conflict:
        return
