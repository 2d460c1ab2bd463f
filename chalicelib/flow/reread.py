"""Reads earlier deliveries again once a question is mapped: nothing that was answered is lost.

A slice of long work at a time, newest deliveries first. An accepted submission is read again in
place: its lead is folded and scored anew and keeps owner and status; nobody is told. One that was
quarantined because nothing said who it is, and now does, is put through the ordinary way, for
nobody has had it yet. All deliveries are gone through twice, minutes apart, for those that were
being processed when the configuration changed.
"""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from chalicelib import registry
from chalicelib.connector import Submission, read
from chalicelib.errors import Conflict, Malformed
from chalicelib.flow.keep import request_of
from chalicelib.flow.leads import StoredTouch, stored_leads
from chalicelib.flow.match import again, lead_writes
from chalicelib.flow.outcome import NOBODY
from chalicelib.flow.replay import replay
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Model, utc_text
from chalicelib.lead.normalise import normalise
from chalicelib.lead.rereading import read_again
from chalicelib.lead.text import clean_line
from chalicelib.records import (
    ActResult,
    Delivery,
    Event,
    Outcome,
    claim_key,
    claim_of,
    deliveries_list,
    delivery_key,
    delivery_of,
    digest,
    event_item,
    long_item,
    summary_of,
    unpacked,
)
from chalicelib.storage import ATTEMPTS, MOST_WRITES, Absent, Holds, Item, Key, Put, Write

SLICE = timedelta(seconds=45)
"""How long a slice begins pages."""

AT_ONCE = 25
"""Deliveries of a page."""

LISTS: tuple[Outcome, ...] = ("quarantined", "accepted")
"""Deliveries with these outcomes are gone through; first those whose people still wait."""

PASSES = 2
BETWEEN = timedelta(minutes=6)
"""Longer than a message that was read by the configuration before can be under way."""


class Reread(Model):
    """The work of reading again what came of one question, and how far it is."""

    source_id: str
    form: str
    key: str
    field: str = Field(description="as confirmed; what counts is the configuration in force")
    since: AwareDatetime
    until: AwareDatetime
    pass_number: int = 1
    list_number: int = Field(default=0, description="place in LISTS")
    after: str = Field(default="", description="where the list goes on; see lists.Listed")
    looked_at: int = Field(default=0, description="deliveries")
    read_again: int = Field(default=0, description="submissions whose reading changed")
    replayed: int = Field(default=0, description="deliveries that now say who it is")
    left: int = Field(default=0, description="submissions that others kept writing to")
    done_at: AwareDatetime | None = None

    @property
    def is_first_pass_over(self) -> bool:
        """Say whether everything has been gone through once."""
        return self.pass_number > 1 or self.done_at is not None

    def progress(self) -> float:
        """Estimate how much of a pass is done, 0 to 1, by the times of the deliveries."""
        whole = max(1.0, (self.until - self.since).total_seconds())
        at = self.until
        if self.after:
            at = datetime.fromisoformat(self.after.partition("#")[0])
        done = min(1.0, max(0.0, (self.until - at).total_seconds() / whole))
        return 1.0 if self.is_first_pass_over else (self.list_number + done) / len(LISTS)


def reread_key(work: Reread) -> Key:
    """Key of the work for one question."""
    return Key(f"SOURCE#{work.source_id}", f"REREAD#{digest(work.form, work.key)}")


def reread_item(work: Reread, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of the work; without a time it is done."""
    return long_item(reread_key(work), "reread", work, version, due_at, writer)


def reread_of(item: Item) -> Reread:
    """Read the work back."""
    return unpacked(Reread, item["data"])


def rereads(hub: Hub, source_id: str, form: str) -> tuple[Reread, ...]:
    """Give the work on a form that was ever queued, done or not, the latest last."""
    found = map(reread_of, hub.table.query(f"SOURCE#{source_id}", "REREAD#"))
    return tuple(sorted((work for work in found if work.form == form), key=lambda work: work.until))


def reread(hub: Hub, item: Item) -> None:
    """Do a slice: pages of deliveries, then write how far it came.

    Raises:
        Conflict: the lease was lost.
        Unavailable: the table is down.
    """
    work = reread_of(item)
    ends_at = hub.clock() + SLICE
    while True:
        work, due_at = _page(hub, work)
        if due_at is None or due_at > hub.clock() or hub.clock() >= ends_at:
            break
    writer = f"reread:{hub.new_id()}"
    after = reread_item(work, int(item["version"]) + 1, due_at, writer)
    hub.table.write([Put("reread progress", after, Holds("version", int(item["version"])))])


def _page(hub: Hub, work: Reread) -> tuple[Reread, datetime | None]:
    """Go through one page of a list; gives how far it is then and when to go on."""
    current = hub.configurations.current()
    if work.source_id not in current.config.sources:
        return work.model_copy(update={"done_at": hub.clock()}), None
    up_to = work.after or f"{utc_text(work.until)}$"
    pk = deliveries_list(work.source_id, LISTS[work.list_number])
    page = hub.table.query_index("list", pk, up_to=up_to, newest_first=True, limit=AT_ONCE)
    since = utc_text(work.since)
    fresh = [one for one in page.items if one["list_sk"] != work.after]
    wanted = [one for one in fresh if one["list_sk"] >= since]
    keys = [delivery_key(str(summary_of(one)["delivery_id"])) for one in wanted]
    for delivery in map(delivery_of, hub.table.get_many(keys).values()):
        work = _take(hub, current, work, delivery)
    if page.next is not None and fresh and len(wanted) == len(fresh):
        return work.model_copy(update={"after": str(page.items[-1]["list_sk"])}), hub.clock()
    return _next_list(hub, work)


def _next_list(hub: Hub, work: Reread) -> tuple[Reread, datetime | None]:
    if work.list_number + 1 < len(LISTS):
        return work.model_copy(
            update={"list_number": work.list_number + 1, "after": ""}
        ), hub.clock()
    if work.pass_number < PASSES:
        later = max(hub.clock(), work.until + BETWEEN)
        update = {"pass_number": work.pass_number + 1, "list_number": 0, "after": ""}
        # What came meanwhile by the configuration before is gone through too.
        return work.model_copy(update={**update, "until": later}), later
    return work.model_copy(update={"done_at": hub.clock()}), None


def _take(hub: Hub, current: Current, work: Reread, delivery: Delivery) -> Reread:
    """Read the submissions of one delivery again."""
    changed = left = replayed = 0
    for result in delivery.results.values():
        if result.outcome == "accepted" and result.touch_id:
            try:
                changed += _read_submission_again(hub, current, work, result)
            except (Conflict, Malformed) as error:
                hub.trouble(error)
                left += 1
    if delivery.outcome == "quarantined" and _says_who_now(hub, current, work, delivery):
        try:
            replay(hub, delivery.delivery_id)
            replayed = 1
        except Conflict:
            # Somebody else is putting it through at this moment.
            left += 1
    return work.model_copy(
        update={
            "looked_at": work.looked_at + 1,
            "read_again": work.read_again + changed,
            "replayed": work.replayed + replayed,
            "left": work.left + left,
        }
    )


def _read_submission_again(hub: Hub, current: Current, work: Reread, result: ActResult) -> bool:
    """Put a touch as it reads now in place of how it read; False when nothing changes.

    Raises:
        Conflict: others kept writing to the same lead.
        Malformed: it joins more than one transaction can hold.
    """
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        writes = _writes(hub, current, work, result)
        if not writes:
            return False
        if len(writes) > MOST_WRITES:
            raise Malformed(f"lead {result.lead_id}: it joins more than can be written at once")
        try:
            hub.table.write(writes)
        except Conflict:
            continue
        return True
    raise Conflict(f"lead {result.lead_id}: others kept writing first")


def _writes(hub: Hub, current: Current, work: Reread, result: ActResult) -> list[Write]:
    old = _stored_touch(hub, work, result)
    source = current.config.sources[work.source_id]
    if old is None:
        return []
    touch = old.record.touch
    if touch.form != work.form or work.key not in touch.answers:
        return []
    fields = registry.load(touch.connector).fields
    fresh = read_again(
        touch, work.key, source=source, connector_fields=fields, config=current.config
    )
    if fresh == touch:
        return []
    found = again(hub, current, old.lead_id, fresh, hub.clock())
    writer = f"reread:{hub.new_id()}"
    event = Event(
        event_id=digest(writer, touch.touch_id),
        kind="read_again",
        at=found.lead.updated_at,
        actor="hub",
        text=f"a submission was read again after form {touch.form or '-'} of {touch.source_id} "
        "had changed",
        decisions=found.decisions,
        before={"touch": touch.model_dump(mode="json")},
    )
    return [
        *lead_writes(found, writer),
        Put("reading event", event_item(found.lead.lead_id, event, writer), Absent()),
    ]


def _stored_touch(hub: Hub, work: Reread, result: ActResult) -> StoredTouch | None:
    # Which lead it is of now the claim says; a merge may have been taken apart since.
    item = hub.table.get(claim_key(work.source_id, result.external_id))
    return next(
        (
            old
            for stored in stored_leads(hub, [claim_of(item).lead_id] if item else [])
            for old in stored.touches
            if old.record.touch.touch_id == result.touch_id and not old.record.touch.void
        ),
        None,
    )


def _says_who_now(hub: Hub, current: Current, work: Reread, delivery: Delivery) -> bool:
    """Say whether a submission that said nowhere who it is now does, or has to be asked again."""
    lost = [position for position, one in delivery.results.items() if NOBODY in one.reason]
    if not lost:
        return False
    if delivery.blob:
        # Too large to be looked at here; process finds out.
        return True
    source = current.config.sources[work.source_id]
    connector = registry.load(delivery.connector)
    try:
        acts = read(connector, request_of(hub, delivery), source.options)
    except Malformed:
        return False
    for position in lost:
        act = acts[int(position)] if int(position) < len(acts) else None
        if not isinstance(act, Submission) or clean_line(act.form)[0] != work.form:
            continue
        if act.lookup and connector.fetch:
            return True
        touch = normalise(
            act,
            source_id=work.source_id,
            source=source,
            connector=connector.name,
            connector_fields=connector.fields,
            config=current.config,
            delivery_id=delivery.delivery_id,
            received_at=delivery.received_at,
        )
        if touch.identity_keys:
            return True
    return False
