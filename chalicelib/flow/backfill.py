"""Back-fill: what a provider lists is compared with what has come; what is missing is kept.

A comparison reads the provider's list of a stretch of time page by page. Each item that is not
there becomes a delivery like any other, so everything after is the ordinary flow, and an item is
taken once however often it is listed. The cursor moves when all of a stretch is kept.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from chalicelib import registry
from chalicelib.config.source import Source
from chalicelib.connector import (
    LISTED,
    Act,
    Backfill,
    Connector,
    Get,
    Request,
    Submission,
    Unreadable,
    Window,
    Withdrawal,
    digest_of,
    listed,
    read,
)
from chalicelib.errors import (
    Conflict,
    Gone,
    HubError,
    Malformed,
    Misconfigured,
    NotFound,
    Refused,
    TryLater,
)
from chalicelib.flow.access import open_get
from chalicelib.flow.comparison import (
    Comparison,
    Sync,
    begun,
    earliest,
    finished,
    fresh,
    next_time,
    sync_item,
    sync_key,
    sync_of,
)
from chalicelib.flow.keep import keep
from chalicelib.flow.receive import SENT_ON_AFTER
from chalicelib.flow.tally import (
    DayRow,
    Verdict,
    acted_at,
    backfilled_id,
    by_claim,
    by_delivery,
    day_of,
)
from chalicelib.hub import Current, Hub
from chalicelib.records import Delivery, claim_key, claim_of, delivery_key, delivery_of
from chalicelib.request import pack
from chalicelib.storage import ATTEMPTS, Item, Message, Put, at_version

SLICE = timedelta(seconds=60)
"""How long a slice begins pages."""

MOST_PAGES = 10_000
"""More pages than any list has; a list that goes on is one that repeats itself."""

MANY_TROUBLES = 5
"""After how many failures in a row a person is told."""

SHORTEST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
"""Waits double from one failure to the next, unless the provider says how long."""


@dataclass(frozen=True)
class _Place:
    """Where a comparison reads: a source with a list and the means to read it."""

    source_id: str
    source: Source
    connector: Connector
    backfill: Backfill


class _Counted:
    """A `get` that counts its calls."""

    def __init__(self, get: Get) -> None:
        self._get = get
        self.calls = 0

    def __call__(
        self,
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> object:
        self.calls += 1
        return self._get(path, params, query=query, headers=headers)


def standing(hub: Hub, current: Current) -> Iterable[Item]:
    """Name the back-fill of every source whose provider has a list that we may read."""
    for source_id in current.config.sources:
        try:
            _place(current, source_id)
        except Misconfigured as error:
            hub.trouble(error)
        except NotFound:
            continue
        else:
            writer = f"standing:{hub.new_id()}"
            yield sync_item(fresh(source_id, hub.clock()), 1, hub.clock(), writer)


def ask_for(hub: Hub, source_id: str, since: datetime | None = None) -> datetime:
    """Have a source compared from a time on, as soon as possible; gives from when on it will be.

    Args:
        hub: written to.
        source_id: its id.
        since: the beginning; None, or earlier than that, means as far back as the provider goes.

    Raises:
        NotFound: there is no such source, or nothing to compare it with; says why.
        Conflict: others kept writing first.
    """
    now = hub.clock()
    place = _place(hub.configurations.current(), source_id)
    first = earliest(now, place.backfill.keeps_days)
    since = max(since or first, first)
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        found = hub.table.get(sync_key(source_id))
        state = sync_of(found) if found else fresh(source_id, now)
        version = int(found["version"]) if found else 0
        asked = state.model_copy(
            update={
                "asked_since": min(since, state.asked_since or since),
                "begins_at": min(since, state.begins_at or since),
            }
        )
        try:
            _write(hub, asked, version, now, f"asked:{hub.new_id()}")
        except Conflict:
            continue
        return since
    raise Conflict(f"source {source_id}: others kept writing first")


def sync(hub: Hub, item: Item) -> None:
    """Do one slice of a source's back-fill: some pages, within the provider's rate limit.

    Raises:
        Conflict: the lease was lost; somebody else goes on.
        Unavailable: ours is down; it is done again when the lease runs out.
    """
    state = sync_of(item)
    run = _Run(hub, int(item["version"]), datetime.fromisoformat(item["due_at"]))
    try:
        place = _place(hub.configurations.current(), state.source_id)
        run.read_pages(place, begun(state, hub.clock(), place.backfill.keeps_days))
    except (NotFound, Misconfigured) as error:
        # As an option that says what to read is missing: it sleeps until the configuration
        # changes, or the next day, and the ledger tells why.
        asleep = {"under_way": None, "asked_since": None, "trouble": str(error)[:300]}
        run.write(state.model_copy(update=asleep), None)
    except _Failed as failed:
        run.fail(failed)


class _Failed(Exception):
    """A page could not be read; holds the state before it, and why."""

    def __init__(self, state: Sync, why: HubError) -> None:
        super().__init__(str(why))
        self.state = state
        self.why = why


@dataclass
class _Run:
    """One slice under a lease.

    Attributes:
        version: of the item as it stands; every write is on condition of it.
        leased_until: when the lease runs out.
    """

    hub: Hub
    version: int
    leased_until: datetime

    def write(self, state: Sync, due_at: datetime | None) -> None:
        """Write how far it has come."""
        writer = f"sync:{self.hub.new_id()}"
        _write(self.hub, state, self.version, due_at, writer)
        self.version += 1

    def read_pages(self, place: _Place, state: Sync) -> None:
        """Read pages until the end of the list, of the time or of what the provider allows."""
        hub, began_at = self.hub, self.hub.clock()
        allowed = max(place.backfill.calls_per_minute, 1)
        try:
            get = _Counted(open_get(hub, place.source_id, place.source, place.connector))
        except (Misconfigured, Refused, TryLater) as error:
            raise _Failed(state, error) from error
        while state.under_way:
            before = get.calls
            try:
                state = _page_read(hub, place, state, state.under_way, get)
            except (TryLater, Refused, Gone, Malformed) as error:
                raise _Failed(state, error) from error
            if not (state.under_way and state.under_way.next):
                self.write(state, next_time(state, hub.clock()))
                return
            # The next page may cost as many calls as this one.
            is_spent = get.calls + (get.calls - before) > allowed
            if is_spent or hub.clock() >= began_at + SLICE:
                spent = timedelta(seconds=ceil(60 * get.calls / allowed))
                self.write(state, max(began_at + spent, hub.clock()))
                return
            self.write(state, self.leased_until)

    def fail(self, failed: _Failed) -> None:
        """Write why a slice failed and when the next is tried; tell a person where it is needed."""
        hub, state, why = self.hub, failed.state, failed.why
        troubles = state.troubles + 1
        update: dict[str, object] = {"troubles": troubles, "trouble": str(why)[:300]}
        wait = min(timedelta(minutes=2 ** min(troubles, 10)), LONGEST_WAIT)
        if isinstance(why, TryLater):
            if why.retry_after_seconds is not None:
                wait = max(timedelta(seconds=why.retry_after_seconds), SHORTEST_WAIT)
        elif state.under_way:
            # What names a page may be dead, so it is read from the first one on.
            anew = {"next": "", "pages": 0, "kept": 0, "days": {}}
            update["under_way"] = state.under_way.model_copy(update=anew)
        needs_a_person = isinstance(why, Refused | Misconfigured)
        if needs_a_person:
            wait = LONGEST_WAIT
        hub.trouble(why)
        if needs_a_person or troubles >= MANY_TROUBLES:
            hub.alarm("backfill", {"source": state.source_id})
        self.write(state.model_copy(update=update), hub.clock() + wait)


def _place(current: Current, source_id: str) -> _Place:
    """Find a source and how its provider's list is read.

    Raises:
        NotFound: there is no such source or no list to read; says why.
        Misconfigured: its connector cannot be loaded.
    """
    source = current.config.sources.get(source_id)
    if source is None:
        raise NotFound(f"source {source_id}")
    connector = registry.load(source.connector)
    if connector.backfill is None or connector.api is None:
        raise NotFound(f"source {source_id}: {connector.title} has no list to compare with")
    if not source.enabled:
        raise NotFound(f"source {source_id}: it is switched off")
    if not source.token:
        raise NotFound(f"source {source_id}: it names no token to read the provider's list with")
    return _Place(source_id, source, connector, connector.backfill)


def _page_read(hub: Hub, place: _Place, state: Sync, comparison: Comparison, get: Get) -> Sync:
    """Read one page and keep what is missing; gives the state after it."""
    window = Window(comparison.since, comparison.until)
    options = place.connector.options_with(place.source.options)
    page = listed(place.connector, get, window, comparison.next, options)
    if page.next and (page.next == comparison.next or comparison.pages >= MOST_PAGES):
        raise Malformed(f"{place.connector.title}: the pages of its list go round in a circle")
    days, kept = _compared(hub, place, page.items, comparison.days)
    update = {
        "next": page.next,
        "pages": comparison.pages + 1,
        "kept": comparison.kept + kept,
        "days": days,
    }
    well = {"troubles": 0, "trouble": ""}
    after = state.model_copy(update={"under_way": comparison.model_copy(update=update), **well})
    if page.next:
        return after
    after, differing = finished(after, hub.clock())
    for day in differing:
        count = str(after.rows[day].difference)
        hub.alarm("ledger", {"source": place.source_id, "day": day, "missing": count})
    return after


@dataclass(frozen=True)
class _Listed:
    """One item that a provider lists, as its connector reads it."""

    act: Act
    request: Request
    delivery_id: str


def _compared(
    hub: Hub, place: _Place, items: Sequence[object], days: Mapping[str, DayRow]
) -> tuple[dict[str, DayRow], int]:
    """Find what became of each item, keep what is missing, and count all; and what was kept."""
    every = [_read_item(hub, place, item) for item in items]
    claims = hub.table.get_many(
        [
            claim_key(place.source_id, one.act.external_id)
            for one in every
            if isinstance(one.act, Submission | Withdrawal)
        ]
    )
    verdicts: dict[str, Verdict] = {}
    for one in every:
        stored = claims.get(claim_key(place.source_id, one.act.external_id))
        if verdict := by_claim(one.act, claim_of(stored) if stored else None):
            verdicts[one.delivery_id] = verdict
    unknown = {one.delivery_id: one for one in every if one.delivery_id not in verdicts}
    kept = hub.table.get_many([delivery_key(delivery_id) for delivery_id in unknown])
    deliveries = {one.delivery_id: one for one in map(delivery_of, kept.values())}
    verdicts |= {name: by_delivery(delivery) for name, delivery in deliveries.items()}
    missing = [one for name, one in unknown.items() if name not in deliveries]
    _keep(hub, place, missing)
    counted, seen = dict(days), set()
    for one in every:
        verdict = "duplicate" if one.delivery_id in seen else verdicts.get(one.delivery_id)
        seen.add(one.delivery_id)
        known = deliveries.get(one.delivery_id)
        at = acted_at(one.act) or (known.received_at if known else hub.clock())
        row = counted.get(day_of(at), DayRow())
        name = one.act.external_id or one.delivery_id
        counted[day_of(at)] = row.counting(verdict or "pending", name)
    return counted, len(missing)


def _read_item(hub: Hub, place: _Place, item: object) -> _Listed:
    """Read an item exactly as it will be read again when it has been kept."""
    request = Request(
        method=LISTED,
        path=f"/hooks/{place.source_id}",
        query={},
        headers={"content-type": ("application/json",)},
        body=json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode(),
        received_at=hub.clock(),
        source_id=place.source_id,
    )
    try:
        (act,) = read(place.connector, request, place.source.options)
    except Malformed as error:
        act = Unreadable(reason=str(error))
    return _Listed(act, request, backfilled_id(place.source_id, act, digest_of(item)))


def _keep(hub: Hub, place: _Place, missing: Sequence[_Listed]) -> None:
    """Keep what is missing as deliveries, then queue them; tick finds those that are not queued."""
    now = hub.clock()
    for one in missing:
        delivery = Delivery(
            delivery_id=one.delivery_id,
            source_id=place.source_id,
            connector=place.connector.name,
            is_listed=True,
            received_at=now,
            due_at=now + SENT_ON_AFTER,
        )
        try:
            keep(hub, delivery, pack(one.request))
        except Conflict:
            # A slice whose lease had run out was here before.
            continue
    if missing:
        hub.inbox.send([Message({"delivery": one.delivery_id}) for one in missing])


def _write(hub: Hub, state: Sync, version: int, due_at: datetime | None, writer: str) -> None:
    item = sync_item(state, version + 1, due_at, writer)
    hub.table.write([Put("sync", item, at_version(version))])
