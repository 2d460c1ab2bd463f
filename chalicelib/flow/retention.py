"""Takes away by itself what was kept long enough, as the rules of the configuration say.

Once a day all lists are gone through, oldest first, a bounded slice at a time. A lead goes the way
of every erasure, with a certificate; of a request only what was sent goes, and what became of it
stays. Doing a page twice is harmless, for what is gone fits no rule any more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, Field

from chalicelib.config.check_retention import OPEN_STAGES, OPEN_STATUSES
from chalicelib.config.model import Retention
from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.empty import emptied, let_go
from chalicelib.flow.erase import MOST_CLAIMS, Run, begin, take_in
from chalicelib.flow.erase_search import GONE, acts_in, mails_in, sources_of
from chalicelib.flow.leads import Stored, live_leads, stored_leads
from chalicelib.flow.outcome import OPEN, overall
from chalicelib.flow.walk import lead_id_of
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Lead, Model, utc_text
from chalicelib.records import (
    OUTCOMES,
    SHARDS,
    Delivery,
    Outcome,
    deliveries_list,
    delivery_item,
    delivery_key,
    delivery_of,
    leads_list,
    long_item,
    summary_of,
    unpacked,
)
from chalicelib.storage import Holds, Item, Key, Put

BOX = timedelta(seconds=40)
"""How long a slice begins pages."""

AT_ONCE = 50
"""Entries of a page."""

EVERY = timedelta(days=1)

KEEPING_KEY = Key("RETENTION", "RETENTION")

SOON, LATER = timedelta(days=7), timedelta(days=30)
"""How far ahead a forecast looks."""


class Keeping(Model):
    """How far the day's work has come, and what it has taken away."""

    began_at: AwareDatetime | None = None
    done: tuple[str, ...] = Field(default=(), description="rules and lists gone through")
    start: Mapping[str, str] = Field(default_factory=dict, description="where the list goes on")
    looked_at: int = 0
    taken: Mapping[str, int] = Field(default_factory=dict, description="how many, by rule")
    finished_at: AwareDatetime | None = None
    before: Mapping[str, int] = Field(
        default_factory=dict, description="how many the day before, by rule"
    )


def keeping_item(state: Keeping, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of the work; without a time it sleeps."""
    return long_item(KEEPING_KEY, "retention", state, version, due_at, writer)


def keeping_of(item: Item) -> Keeping:
    """Read how far the work has come."""
    return unpacked(Keeping, item["data"])


def standing(hub: Hub, current: Current) -> Iterable[Item]:
    """Name the work if there are rules; see catch_up.STANDING."""
    if current.config.retention:
        yield keeping_item(Keeping(), 1, hub.clock(), f"standing:{hub.new_id()}")


def retain(hub: Hub, item: Item) -> None:
    """Do one slice; see catch_up.Slice.

    Raises:
        Conflict: the lease was lost.
        Unavailable: ours is down.
    """
    state, rules = keeping_of(item), hub.configurations.current().config.retention
    ends_at = hub.clock() + BOX
    if state.began_at is None or state.finished_at:
        state = Keeping(began_at=hub.clock(), before=state.taken)
    due_at: datetime | None = hub.clock()
    while hub.clock() < ends_at:
        wanted = next(_lists_left(hub, rules, state), None)
        if wanted is None:
            state = state.model_copy(update={"finished_at": hub.clock()})
            due_at = (state.began_at or hub.clock()) + EVERY if rules else None
            break
        state = _page(hub, state, *wanted)
    writer = f"retention:{hub.new_id()}"
    after = keeping_item(state, int(item["version"]) + 1, due_at, writer)
    hub.table.write([Put("retention", after, Holds("version", int(item["version"])))])


def _lists_left(
    hub: Hub, rules: Sequence[Retention], state: Keeping
) -> Iterator[tuple[Retention, str]]:
    for rule in rules:
        for name in lists_of(hub, rule):
            if f"{rule.id} {name}" not in state.done:
                yield rule, name


def lists_of(hub: Hub, rule: Retention) -> list[str]:
    """Name the lists that a rule goes through."""
    if rule.what == "leads":
        return [leads_list(number) for number in range(SHARDS)]
    settled = tuple(one for one in OUTCOMES if one not in (*OPEN, "quarantined", "erased"))
    outcomes: Sequence[Outcome] = settled if rule.what == "requests" else ("quarantined",)
    sources = rule.sources or sources_of(hub)
    return [deliveries_list(source_id, one) for source_id in sources for one in outcomes]


def _page(hub: Hub, state: Keeping, rule: Retention, name: str) -> Keeping:
    until = hub.clock() - timedelta(days=rule.days)
    page = hub.table.query_index(
        "list", name, up_to=f"{utc_text(until)}$", limit=AT_ONCE, start=state.start or None
    )
    take = _take_leads if rule.what == "leads" else _take_requests
    taken = take(hub, rule, page.items, until)
    update: dict[str, Any] = {
        "looked_at": state.looked_at + len(page.items),
        "taken": {**state.taken, rule.id: state.taken.get(rule.id, 0) + taken},
        "start": dict(page.next or {}),
        "done": state.done if page.next else (*state.done, f"{rule.id} {name}"),
    }
    return state.model_copy(update=update)


def _is_about(rule: Retention, lead: Lead) -> bool:
    """Say whether a rule is about a lead, as far as it tells by itself; not yet when."""
    status, stage = lead.status, lead.stage
    if rule.statuses and status not in rule.statuses:
        return False
    if rule.stages and stage not in rule.stages:
        return False
    if status in OPEN_STATUSES and status not in rule.statuses:
        return False
    if stage in OPEN_STAGES and stage not in rule.stages:
        return False
    last = lead.last_touch.source_id if lead.last_touch else ""
    return not rule.sources or last in rule.sources


def _take_leads(hub: Hub, rule: Retention, entries: Sequence[Item], until: datetime) -> int:
    """Begin to erase what leads of a page were kept long enough, all in one erasure."""
    leads = live_leads(hub.table, map(lead_id_of, entries))
    old = [one for one in leads if one.updated_at <= until and _is_about(rule, one)]
    run: Run | None = None
    taken = 0
    for stored in stored_leads(hub, [lead.lead_id for lead in old]):
        if not _fits(rule, stored, until):
            continue
        # Something happened with it at this moment, so it stays; or the erasure has begun without.
        with suppress(Conflict, NotFound):
            run = _taken_along(hub, rule, run, stored, until)
            taken += 1
    return taken


def _taken_along(
    hub: Hub, rule: Retention, run: Run | None, stored: Stored, until: datetime
) -> Run:
    if run is not None and len(run.person.claims) < MOST_CLAIMS:
        take_in(run, stored)
        return run
    reason = f"kept for {rule.days} days, as rule {rule.id} says"
    lead = stored.lead
    one = begin(hub, lead.lead_id, "hub", reason, version=lead.version, until=until)
    return Run(hub, one, 1, hub.clock())


def _fits(rule: Retention, stored: Stored, until: datetime) -> bool:
    lead = stored.lead
    came_by = {old.record.touch.source_id for old in stored.touches}
    is_theirs = not rule.sources or came_by <= {*rule.sources}
    return lead.updated_at <= until and is_theirs and _is_about(rule, lead)


def _take_requests(hub: Hub, rule: Retention, entries: Sequence[Item], until: datetime) -> int:
    summaries = map(summary_of, entries)
    ids = [str(one["delivery_id"]) for one in summaries if not one.get("emptied")]
    found = hub.table.get_many([delivery_key(delivery_id) for delivery_id in ids])
    return sum(_take_request(hub, rule, one, until) for one in map(delivery_of, found.values()))


def _take_request(hub: Hub, rule: Retention, delivery: Delivery, until: datetime) -> int:
    """Take away what was sent in a delivery; gives whether it did."""
    is_quarantined = delivery.outcome == "quarantined"
    is_over = delivery.outcome not in OPEN and delivery.received_at <= until
    if not is_over or delivery.emptied_at or is_quarantined != (rule.what == "quarantined"):
        return 0
    acts = acts_in(hub, delivery)
    for name in mails_in(delivery, acts, {*range(len(acts))}):
        hub.blobs.remove(name)
    update: dict[str, Any] = {"version": delivery.version + 1}
    if is_quarantined:
        results = {
            position: GONE if result.outcome == "quarantined" else result
            for position, result in delivery.results.items()
        }
        outcome, _ = overall(results.values()) if results else ("erased", "")
        reason = f"kept for {rule.days} days, as rule {rule.id} says"
        update |= {"results": results, "outcome": outcome, "reason": reason}
    after = emptied(delivery.model_copy(update=update), hub.clock())
    item = delivery_item(after, f"retention:{hub.new_id()}")
    try:
        hub.table.write([Put("outlived request", item, Holds("version", delivery.version))])
    except Conflict:
        # It is being replayed, so somebody needs it.
        return 0
    let_go(hub, after)
    return 1


class Forecast(Model):
    """What a rule would take away, and when."""

    rule_id: str
    what: str
    days: int
    now: int = Field(default=0, description="how many are old enough now")
    in_7_days: int = Field(default=0, description="how many more within a week")
    in_30_days: int = Field(default=0, description="how many more within 30 days")
    next_at: AwareDatetime | None = Field(default=None, description="when the first of these goes")
    first: tuple[str, ...] = Field(default=(), description="ids of the first, the oldest ten")


MOST_NAMED = 10


def forecast(hub: Hub, rule: Retention) -> Iterator[Forecast]:
    """Work out what a rule would take away, from lists and leads; gives it as it grows."""
    told = Forecast(rule_id=rule.id, what=rule.what, days=rule.days)
    now = hub.clock()
    ahead = now + LATER - timedelta(days=rule.days)
    for name in lists_of(hub, rule):
        start: Mapping[str, str] | None = None
        while True:
            page = hub.table.query_index(
                "list", name, up_to=f"{utc_text(ahead)}$", limit=1000, start=start
            )
            for named, since in _aged(hub, rule, page.items):
                told = _counted(rule, told, named, since, now)
            yield told
            start = page.next
            if start is None:
                break
    yield told


def _aged(hub: Hub, rule: Retention, entries: Sequence[Item]) -> list[tuple[str, datetime]]:
    """Name what a rule is about of a page, and since when each is left alone."""
    if rule.what == "leads":
        leads = live_leads(hub.table, map(lead_id_of, entries))
        return [(one.lead_id, one.updated_at) for one in leads if _is_about(rule, one)]
    summaries = [one for one in map(summary_of, entries) if not one.get("emptied")]
    return [
        (str(one["delivery_id"]), datetime.fromisoformat(one["received_at"])) for one in summaries
    ]


def _counted(
    rule: Retention, told: Forecast, named: str, since: datetime, now: datetime
) -> Forecast:
    goes_at = since + timedelta(days=rule.days)
    name = "now" if goes_at <= now else "in_7_days" if goes_at <= now + SOON else "in_30_days"
    if goes_at > now + LATER:
        return told
    update: dict[str, Any] = {name: getattr(told, name) + 1}
    if told.next_at is None or goes_at < told.next_at:
        update["next_at"] = goes_at
    if len(told.first) < MOST_NAMED:
        update["first"] = (*told.first, named)
    return told.model_copy(update=update)


def last_run(hub: Hub) -> Keeping | None:
    """Give what the last run took away; None when there was none."""
    item = hub.table.get(KEEPING_KEY)
    return keeping_of(item) if item else None
