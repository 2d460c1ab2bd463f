"""Every minute: work that goes on for minutes or comes back every hour, one slice after another.

Such work is an item in the index partition LONG_WORK. Whoever does a slice of it first takes a
lease: it moves `due_at` on. A slice that dies is done again once its lease has run out, so doing a
slice twice must be harmless.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from chalicelib.errors import Conflict, HubError, Misconfigured
from chalicelib.flow import backfill, closed, dedupe, learn, rescore, retention, watch
from chalicelib.flow.erase import erase_slice
from chalicelib.flow.import_run import slice_import
from chalicelib.flow.reread import reread
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import utc_text
from chalicelib.records import LONG_WORK
from chalicelib.storage import Absent, Holds, Item, Key, Put, at_version

Slice = Callable[[Hub, Item], None]
"""Does one bounded slice of an item's work, a minute at most.

The item is as the lease left it. The slice writes it anew, on condition of that version, with the
time when it is due again, or without one when the work is done; a Conflict means that the lease
was lost to somebody else, who goes on.
"""

SLICES: Mapping[str, Slice] = {
    "sync": backfill.sync,
    "watch": watch.watch,
    "import": slice_import,
    "reread": reread,
    "erasure": erase_slice,
    "retention": retention.retain,
    "learning": learn.learn_slice,
    "dedupe": dedupe.dedupe_slice,
    "rescoring": rescore.rescore,
    "closed": closed.count_closed,
}
"""By kind of item: what does a slice of it."""

Wanted = Callable[[Hub, Current], Iterable[Item]]
"""Names items that must be there while a configuration is in force, as they are when new."""

STANDING: Sequence[Wanted] = (
    backfill.standing,
    watch.standing,
    retention.standing,
    learn.standing,
    rescore.standing,
    closed.standing,
)
"""Work that comes to be by itself when the configuration calls for it."""

BOX = timedelta(seconds=200)
"""How long one run begins slices; the function itself may take five minutes."""

LEASE = timedelta(minutes=6)
"""Longer than the function may take, so that nobody holds a lease and lives no more."""

MOST_SLICES = 1000
"""Most slices of one run."""

STANDING_KEY = Key("LONG", "STANDING")


def catch_up(hub: Hub) -> int:
    """Do slices of what is due until nothing is, or the time is up; gives how many."""
    ends_at = hub.clock() + BOX
    try:
        ensure(hub)
    except Misconfigured as error:
        hub.trouble(error)
    ran = 0
    while due := _due(hub):
        before = ran
        for item in due:
            if hub.clock() >= ends_at or ran >= MOST_SLICES:
                return ran
            ran += work_on(hub, item)
        if ran == before:
            break
    return ran


def work_on(hub: Hub, item: Item) -> bool:
    """Take an item's lease and do one slice of it; False when somebody else has it."""
    leased = {
        **item,
        "version": int(item["version"]) + 1,
        "due_shard": LONG_WORK,
        "due_at": utc_text(hub.clock() + LEASE),
        "writer": f"catch_up:{hub.new_id()}",
    }
    try:
        hub.table.write([Put("lease", leased, Holds("version", item["version"]))])
    except Conflict:
        return False
    try:
        SLICES[item["kind"]](hub, leased)
    except HubError as error:
        # Ours is down, or the lease was lost; it comes again when the lease runs out.
        hub.trouble(error)
    return True


def ensure(hub: Hub) -> None:
    """Make what standing work the configuration calls for; looks once a day and when it changes.

    Raises:
        Misconfigured: nothing is published, or a source's connector cannot be loaded.
    """
    current = hub.configurations.current()
    looked_at = f"{current.hash} {hub.code} {hub.clock():%Y-%m-%d}"
    known = hub.table.get(STANDING_KEY)
    if known and known["looked_at"] == looked_at:
        return
    for wanted in STANDING:
        for item in wanted(hub, current):
            _stand(hub, item)
    version = int(known["version"]) if known else 0
    seen = {
        "pk": STANDING_KEY[0],
        "sk": STANDING_KEY[1],
        "kind": "standing",
        "writer": f"catch_up:{hub.new_id()}",
        "version": version + 1,
        "looked_at": looked_at,
    }
    try:
        hub.table.write([Put("standing", seen, at_version(version))])
    except Conflict:
        return


def _stand(hub: Hub, item: Item) -> None:
    """Put an item of standing work where there is none; one that sleeps is woken."""
    found = hub.table.get(Key(item["pk"], item["sk"]))
    if found and "due_at" in found:
        return
    write = Put("standing work", item, Absent())
    if found:
        woken = {
            **found,
            "version": int(found["version"]) + 1,
            "due_shard": item["due_shard"],
            "due_at": item["due_at"],
            "writer": item["writer"],
        }
        write = Put("woken work", woken, Holds("version", found["version"]))
    try:
        hub.table.write([write])
    except Conflict:
        # Somebody else was first, and did the same.
        return


def _due(hub: Hub) -> list[Item]:
    """Read what is due, longest first; the index may lag, so each item is asked itself."""
    until = utc_text(hub.clock())
    page = hub.table.query_index("due", LONG_WORK, up_to=until, limit=100)
    keys = [Key(item["pk"], item["sk"]) for item in page.items]
    found = hub.table.get_many(keys)
    return [
        found[key]
        for key in keys
        if key in found and found[key].get("due_at", "~") <= until and found[key]["kind"] in SLICES
    ]
