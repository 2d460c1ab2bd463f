"""Looks through all leads for such as may be one person, with the code that matches submissions.

It proposes what it finds to a person, and merges by itself only what it was told to. A slice may
be done twice: what is proposed or merged already is not done again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime, Field

from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.candidates import find
from chalicelib.flow.glance import Glance
from chalicelib.flow.leads import Stored, live_leads_by_id, stored_leads
from chalicelib.flow.merge import merge
from chalicelib.flow.proposals import Proposal, pair_of, proposal_writes, propose
from chalicelib.flow.walk import Walk, go_on, lead_id_of
from chalicelib.hub import Hub
from chalicelib.lead.matching.decide import Candidate
from chalicelib.lead.matching.record import record_of
from chalicelib.lead.matching.weights import Weights, bits_of
from chalicelib.lead.matching.words import because
from chalicelib.lead.model import Lead, Model, Touch
from chalicelib.records import lead_key, long_item, unpacked
from chalicelib.storage import ATTEMPTS, Check, Holds, Item, Key, Put, at_version

DEDUPE_KEY = Key("DEDUPE", "DEDUPE")

BOX = timedelta(seconds=40)
"""How long a slice begins pages."""

ALONE = timedelta(minutes=2)
"""How long a page may take before long work goes on with it."""

AT_ONCE = 25
"""Entries of a page."""

COUNTED_AT_ONCE = 1000

MOST_OF_ONE = 5
"""How many of a lead's touches are looked up, the newest of those that say different things."""


class Dedupe(Model):
    """How far a run has come, and what it found."""

    run_id: str
    asked_by: str
    began_at: AwareDatetime
    source: str = Field(default="", description="only leads that came last by this one")
    since: date | None = Field(default=None, description="only leads that came first since")
    above: float | None = Field(
        default=None, description="the probability from which it merges by itself"
    )
    total: int = Field(default=0, description="how many leads there were at the beginning")
    walk: Walk = Field(default_factory=Walk)
    looked_at: int = 0
    proposed: int = Field(default=0, description="pairs that were new")
    known: int = Field(default=0, description="pairs that wait for a person already")
    merged: int = 0
    finished_at: AwareDatetime | None = None


class Twin(NamedTuple):
    """Another lead that may be the same person.

    Attributes:
        is_match: a submission like this would be added to it, without anybody being asked.
    """

    lead: Lead
    candidate: Candidate
    touch_id: str
    is_match: bool


class Pair(NamedTuple):
    """Two leads that may be one person."""

    one: Lead
    twin: Twin


def dedupe_item(run: Dedupe, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of a run; one that is over is not due."""
    return long_item(DEDUPE_KEY, "dedupe", run, version, due_at, writer)


def dedupe_of(item: Item) -> Dedupe:
    """Read a run back."""
    return unpacked(Dedupe, item["data"])


def last_run(hub: Hub) -> tuple[Dedupe, int]:
    """Give the last run and its version.

    Raises:
        NotFound: there was none.
    """
    item = hub.table.get(DEDUPE_KEY)
    if item is None:
        raise NotFound("a run of hub dedupe")
    return dedupe_of(item), int(item["version"])


def count_leads(hub: Hub) -> int:
    """Count live leads."""
    walk = Walk()
    while not walk.is_over:
        _, walk = go_on(hub, walk, COUNTED_AT_ONCE)
    return walk.seen


def begin(
    hub: Hub,
    actor: str,
    *,
    source: str = "",
    since: date | None = None,
    above: float | None = None,
    total: int = 0,
) -> Dedupe:
    """Begin a run; whoever does long work goes on with it if the caller does not.

    Raises:
        Conflict: one is under way.
    """
    item = hub.table.get(DEDUPE_KEY)
    if item and not dedupe_of(item).finished_at:
        raise Conflict("a run is under way; go on with it: hub dedupe --resume")
    run = Dedupe(
        run_id=hub.new_id(),
        asked_by=actor,
        began_at=hub.clock(),
        source=source,
        since=since,
        above=above,
        total=total,
    )
    version = int(item["version"]) if item else 0
    _save(hub, run, version)
    return run


def step(hub: Hub) -> Dedupe:
    """Look at some more leads; gives how far the run is.

    Raises:
        NotFound: there is no run.
        Conflict: somebody else goes on with it too.
        Unavailable: ours is down.
    """
    run, version = last_run(hub)
    if run.finished_at:
        return run
    after = _page(hub, run)
    _save(hub, after, version)
    return after


def run_on(hub: Hub, tell: Callable[[Dedupe], None]) -> Dedupe:
    """Go on with the run to its end, also beside somebody else who does.

    Args:
        hub: read from and written to.
        tell: is shown every state that it comes to.
    """
    failed = 0
    while True:
        try:
            run, failed = step(hub), 0
        except Conflict:
            failed += 1
            hub.pause(failed)
            run, _ = last_run(hub)
        tell(run)
        if run.finished_at:
            return run


def dedupe_slice(hub: Hub, item: Item) -> None:
    """Go on with the run for a while; see catch_up.Slice.

    Raises:
        Conflict: somebody else goes on with it.
        Unavailable: ours is down.
    """
    run, version = dedupe_of(item), int(item["version"])
    ends_at = hub.clock() + BOX
    while not run.finished_at and hub.clock() < ends_at:
        run = _page(hub, run)
    _save(hub, run, version, now=True)


def look_through(
    hub: Hub,
    tell: Callable[[int], None],
    *,
    source: str = "",
    since: date | None = None,
) -> Iterator[Pair]:
    """Give the pairs that a run would propose or merge, each once; writes nothing.

    Args:
        hub: read from.
        tell: is told how many leads were looked at.
        source: see Dedupe.
        since: see Dedupe.
    """
    seen: set[tuple[str, str]] = set()
    walk, weights = Walk(), _weights(hub)
    while not walk.is_over:
        items, walk = go_on(hub, walk, AT_ONCE)
        for lead_id in _wanted(hub, items, source, since):
            for stored in stored_leads(hub, [lead_id]):
                for twin in twins_of(hub, stored, weights):
                    pair = pair_of(stored.lead.lead_id, twin.lead.lead_id)
                    if pair not in seen:
                        seen.add(pair)
                        yield Pair(stored.lead, twin)
        tell(walk.seen)


def twins_of(hub: Hub, stored: Stored, weights: Weights) -> list[Twin]:
    """Look a lead up as if each of its touches came now; gives others, the likeliest first."""
    best: dict[str, Twin] = {}
    for touch in _telling(stored):
        found = find(hub, Glance(hub.table), touch, "", weights, known=stored.lead.lead_id)
        by_lead = {one.lead_id: one for one in found.candidates}
        for is_match, some in ((True, found.matches), (False, found.asked)):
            for other in (one.lead for one in some if one.lead.lead_id != stored.lead.lead_id):
                candidate = by_lead[other.lead_id]
                twin = Twin(other, candidate, touch.touch_id, is_match)
                known = best.get(other.lead_id)
                if known is None or _rank(twin) > _rank(known):
                    best[other.lead_id] = twin
    return sorted(best.values(), key=_rank, reverse=True)


def _rank(twin: Twin) -> tuple[bool, float, str]:
    return twin.is_match, twin.candidate.bits, twin.lead.lead_id


def _telling(stored: Stored) -> list[Touch]:
    """Choose the touches that say different things, the newest of them."""
    by_said = {record_of(old.record.touch, "").said(): old.record.touch for old in stored.touches}
    newest = sorted(by_said.values(), key=lambda touch: (touch.submitted_at, touch.touch_id))
    return newest[-MOST_OF_ONE:]


def _page(hub: Hub, run: Dedupe) -> Dedupe:
    """Look at one page of leads; gives the run as it is then."""
    if run.walk.is_over:
        return run.model_copy(update={"finished_at": hub.clock()})
    items, walk = go_on(hub, run.walk, AT_ONCE)
    weights = _weights(hub)
    counts = {"looked_at": 0, "proposed": 0, "known": 0, "merged": 0}
    for lead_id in _wanted(hub, items, run.source, run.since):
        counts["looked_at"] += 1
        for name, count in _treat(hub, run, lead_id, weights).items():
            counts[name] += count
    update = {name: getattr(run, name) + count for name, count in counts.items()}
    finished_at = hub.clock() if walk.is_over else None
    return run.model_copy(update={**update, "walk": walk, "finished_at": finished_at})


def _wanted(hub: Hub, items: Iterable[Item], source: str, since: date | None) -> list[str]:
    from_day = since.isoformat() if since else ""
    ids = [lead_id_of(item) for item in items if str(item["list_sk"]) >= from_day]
    if not source:
        return ids
    leads = live_leads_by_id(hub.table, ids)
    came_by = {one: lead.last_touch for one, lead in leads.items()}
    return [one for one, last in came_by.items() if last and last.source_id == source]


def _treat(hub: Hub, run: Dedupe, lead_id: str, weights: Weights) -> Mapping[str, int]:
    """Merge or propose what is found for one lead; gives what was done."""
    merged = 0
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        # It may have been merged away or erased since it was listed.
        found = stored_leads(hub, [lead_id])
        if not found:
            break
        (stored,) = found
        twins = twins_of(hub, stored, weights)
        if sure := next((one for one in twins if _is_sure(run, one)), None):
            merged += _merge(hub, stored.lead, sure)
            continue
        try:
            return {"merged": merged, **_propose(hub, stored.lead, twins)}
        except Conflict:
            continue
    return {"merged": merged}


def _is_sure(run: Dedupe, twin: Twin) -> bool:
    return run.above is not None and twin.is_match and twin.candidate.bits >= bits_of(run.above)


def _merge(hub: Hub, lead: Lead, twin: Twin) -> int:
    reason = f"found by hub dedupe: {because(twin.candidate)}"
    try:
        merge(hub, [lead.lead_id, twin.lead.lead_id], "hub", reason)
    except (Conflict, NotFound):
        # Somebody said otherwise at this moment, or one of them is gone; looked at again.
        return 0
    return 1


def _propose(hub: Hub, lead: Lead, twins: list[Twin]) -> Mapping[str, int]:
    """Propose what was not proposed before.

    Raises:
        Conflict: one of the leads changed meanwhile.
    """
    new: list[Proposal] = []
    now = hub.clock()
    for twin in twins:
        new += propose(hub, lead, [(twin.lead, twin.candidate)], twin.touch_id, now)
    if new:
        own = Check("looked up lead", lead_key(lead.lead_id), Holds("version", lead.version))
        hub.table.write([own, *proposal_writes(new, f"dedupe:{hub.new_id()}")])
    return {"proposed": len(new), "known": len(twins) - len(new)}


def _weights(hub: Hub) -> Weights:
    return hub.configurations.weights(hub.configurations.current())


def _save(hub: Hub, run: Dedupe, version: int, *, now: bool = False) -> None:
    """Keep how far a run is, and when long work goes on with it unless somebody does before."""
    due_at = None if run.finished_at else hub.clock() if now else hub.clock() + ALONE
    item = dedupe_item(run, version + 1, due_at, f"dedupe:{hub.new_id()}")
    hub.table.write([Put("dedupe", item, at_version(version))])
