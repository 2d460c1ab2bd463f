"""Erases a person for good, step by step, and leaves a certificate without any personal data.

The first step makes them unreachable, in one transaction: their leads become tombstones and their
identity keys are gone, so that nothing new joins them. Then claims, requests, touches, events and
notifications go, and then what named them and led to no lead is looked for. Each step is written
together with the erasure itself, on condition of its version; so a step that dies is done again by
whoever holds the lease next, and no two do one at once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.errors import Conflict, Invalid
from chalicelib.flow.details import find_lead
from chalicelib.flow.erase_state import Erasure, Person, erasure_of, erasure_put, find_erasure
from chalicelib.flow.leads import Stored, stored_leads
from chalicelib.flow.lists import named_leads
from chalicelib.hub import Hub
from chalicelib.lead.model import Lead
from chalicelib.lead.person import keys_named
from chalicelib.records import (
    claim_key,
    event_of,
    holders_of,
    identity_key,
    key_item,
    lead_item,
    lead_key,
    lead_of,
)
from chalicelib.storage import ATTEMPTS, MOST_WRITES, Delete, Holds, Item, Put, Write

BOX = timedelta(seconds=40)
"""How long a slice begins steps; a slice has a minute."""

MOST_CLAIMS = 5000
"""How many submissions an erasure remembers to know their repetitions by, the newest."""

LONGEST_REASON = 300


@dataclass
class Run:
    """An erasure under way, by whoever holds its lease.

    Attributes:
        version: of its item as it stands.
        leased_until: when somebody else may go on.
    """

    hub: Hub
    one: Erasure
    version: int
    leased_until: datetime

    @property
    def person(self) -> Person:
        """Whom it is about."""
        return self.one.person or Person()

    def write(self, one: Erasure, more: Sequence[Write] = ()) -> None:
        """Write how far it has come, together with what was done.

        Raises:
            Conflict: somebody else changed one of these first.
        """
        self.leave(one, self.leased_until, more)

    def leave(self, one: Erasure, due_at: datetime | None, more: Sequence[Write] = ()) -> None:
        """Write how far it has come, and when it goes on; without a time it is done."""
        writer = f"erase:{self.hub.new_id()}"
        self.hub.table.write([erasure_put(one, self.version, due_at, writer), *more])
        self.one, self.version = one, self.version + 1


def find_person(hub: Hub, named: str) -> tuple[str, tuple[str, ...]]:
    """Find who is meant by a lead's id, an e-mail address or a phone number.

    Returns:
        The id of their lead, empty if there is none; and the identity keys that were named.

    Raises:
        NotFound, Erased: no such lead.
        Invalid: nobody can be meant, or several leads are; its problems say what to do.
    """
    keys = keys_named(hub.configurations.current().config, named)
    if not keys and not named.isalnum():
        how = "a lead's id, an e-mail address, or a phone number with its country, as +44 ..."
        raise Invalid("nobody can be meant by this", (f"expected {how}",))
    if not keys:
        return find_lead(hub, named).lead_id, ()
    leads = named_leads(hub, named)
    if len(leads) > 1:
        ids = tuple(f"{lead.lead_id}, {lead.status}" for lead in leads)
        raise Invalid("several leads share this; say which one by its id", ids)
    return (leads[0].lead_id if leads else ""), keys


def begin(
    hub: Hub,
    lead_id: str,
    actor: str,
    reason: str = "",
    *,
    version: int = 0,
    until: datetime | None = None,
) -> Erasure:
    """Make a person unreachable; the rest is done by whoever goes on with the erasure.

    Args:
        hub: written to.
        lead_id: of their lead, or of one that was merged into it.
        actor: who wants it.
        reason: why, for the certificate.
        version: only while the lead stands at this one; 0 for whatever it stands at.
        until: what came later and led to no lead is left; None for now.

    Raises:
        NotFound, Erased: no such lead.
        Conflict: others kept writing first, or it stands at another version.
    """
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        find_lead(hub, lead_id)
        found = stored_leads(hub, [lead_id])
        if not found:
            continue
        if version and found[0].lead.version != version:
            raise Conflict(f"lead {lead_id} has changed")
        now = hub.clock()
        one = Erasure(
            erasure_id=hub.new_id(),
            asked_at=now,
            asked_by=actor,
            reason=reason[:LONGEST_REASON],
            until=until or now,
        )
        try:
            return _taken_in(hub, one, 0, found[0], now)
        except Conflict:
            continue
    raise Conflict(f"lead {lead_id} is changing; try again")


def begin_unknown(hub: Hub, keys: Sequence[str], actor: str, reason: str = "") -> Erasure:
    """Begin to look for what names a person whom no lead is about."""
    now = hub.clock()
    one = Erasure(
        erasure_id=hub.new_id(),
        asked_at=now,
        asked_by=actor,
        reason=reason[:LONGEST_REASON],
        until=now,
        person=Person(keys=tuple(keys)),
    )
    hub.table.write([erasure_put(one, 0, now, f"erase:{hub.new_id()}")])
    return one


def take_in(run: Run, stored: Stored) -> None:
    """Make another lead unreachable too, and erase it along with the others; see begin.

    Raises:
        Conflict: somebody else wrote first.
    """
    run.one = _taken_in(run.hub, run.one, run.version, stored, run.leased_until)
    run.version += 1


def _taken_in(hub: Hub, one: Erasure, version: int, stored: Stored, due_at: datetime) -> Erasure:
    lead = stored.lead
    touches = [old.record.touch for old in stored.touches]
    keys = {*lead.identity_keys, *(key for touch in touches for key in touch.identity_keys)}
    newest = sorted(touches, key=lambda touch: touch.received_at, reverse=True)[:MOST_CLAIMS]
    claims = {digest_of_claim(touch.source_id, touch.external_id) for touch in newest}
    known = one.person or Person()
    ours = (lead.lead_id, *lead.members)
    one = one.model_copy(
        update={
            "state": "erasing",
            "lead_ids": tuple(dict.fromkeys((*one.lead_ids, *ours))),
            "person": Person(
                keys=tuple(sorted({*known.keys, *keys})),
                shared=tuple(sorted({*known.shared, *_shared(hub, keys, ours)})),
                claims=tuple(sorted({*known.claims, *claims})),
                kin=tuple(sorted({*known.kin, *_kin(hub, ours)} - {*one.lead_ids, *ours})),
            ),
        }
    )
    writer = f"erase:{hub.new_id()}"
    gone = _tombstones(hub, one, ours, writer)[: MOST_WRITES // 2]
    released = release_writes(hub, sorted(keys), ours, writer)[: MOST_WRITES // 2 - 1]
    one = one.counting(leads=len(gone), identity_keys=len(released))
    hub.table.write([erasure_put(one, version, due_at, writer), *gone, *released])
    return one


def digest_of_claim(source_id: str, external_id: str) -> str:
    """Name a submission without saying which it was."""
    return claim_key(source_id, external_id)[0].partition("#")[2]


def tombstone(lead: Lead, erasure_id: str, now: datetime) -> Lead:
    """Give a lead of which only the id is left, and whom it was never to be merged with."""
    kept = lead.model_dump(include={"lead_id", "created_at", "apart"})
    gone = {
        "version": lead.version + 1,
        "updated_at": max(now, lead.updated_at),
        "erased_at": now,
        "erasure_id": erasure_id,
    }
    return Lead.model_validate({**kept, **gone})


def tombstone_put(lead: Lead, one: Erasure, now: datetime, writer: str) -> Put:
    """Give the write that leaves nothing of a lead but its id."""
    item = lead_item(tombstone(lead, one.erasure_id, now), writer)
    return Put(f"erased lead {lead.lead_id}", item, Holds("version", lead.version))


def _tombstones(hub: Hub, one: Erasure, lead_ids: Iterable[str], writer: str) -> list[Write]:
    """Give the writes that erase leads, the live one first, so that it is surely among them."""
    items = hub.table.get_many([lead_key(lead_id) for lead_id in lead_ids])
    leads = sorted(map(lead_of, items.values()), key=lambda lead: bool(lead.merged_into))
    return [tombstone_put(lead, one, hub.clock(), writer) for lead in leads if not lead.erased_at]


def release_writes(
    hub: Hub, keys: Sequence[str], lead_ids: Sequence[str], writer: str
) -> list[Write]:
    """Give the writes after which leads hold none of these identity keys."""
    items = hub.table.get_many([identity_key(key) for key in keys])
    writes: list[Write] = []
    for number, key in enumerate(keys):
        item = items.get(identity_key(key))
        if item is None or not {*holders_of(item)} & {*lead_ids}:
            continue
        version = int(item["version"])
        left = [holder for holder in holders_of(item) if holder not in lead_ids]
        name, condition = f"released key {number}", Holds("version", version)
        writes.append(
            Put(name, key_item(key, left, version + 1, writer), condition)
            if left
            else Delete(name, identity_key(key), condition)
        )
    return writes


def _kin(hub: Hub, lead_ids: Sequence[str]) -> set[str]:
    """Name the leads that these were one with and are no more, also by others."""
    found: set[str] = set()
    wanted = {*lead_ids}
    while wanted:
        events = [
            event_of(item)
            for lead_id in sorted(wanted)
            for item in hub.table.query(lead_key(lead_id)[0], "EVENT#")
        ]
        leads = hub.table.get_many([lead_key(lead_id) for lead_id in sorted(wanted)])
        found |= wanted
        wanted = {one for event in events if event.kind == "unmerged" for one in event.before}
        wanted |= {one for lead in map(lead_of, leads.values()) for one in lead.members}
        wanted -= found
    return found - {*lead_ids}


def _shared(hub: Hub, keys: Iterable[str], lead_ids: Sequence[str]) -> set[str]:
    items = hub.table.get_many([identity_key(key) for key in sorted(keys)])
    by_key = {identity_key(key): key for key in keys}
    return {by_key[key] for key, item in items.items() if {*holders_of(item)} - {*lead_ids}}


def erase_slice(hub: Hub, item: Item) -> None:
    """Go on with an erasure for a while; see catch_up.Slice.

    Raises:
        Conflict: somebody else goes on with it.
        Unavailable: ours is down.
    """
    leased_until = datetime.fromisoformat(item["due_at"])
    run = Run(hub, erasure_of(item), int(item["version"]), leased_until)
    go_on(run, hub.clock() + BOX)


def go_on(run: Run, ends_at: datetime) -> None:
    """Take steps until there is nothing to do now, or the time is up."""
    from chalicelib.flow.erase_steps import step

    while step(run):
        if run.hub.clock() >= ends_at:
            run.leave(run.one, run.hub.clock())
            return


HOLD = timedelta(minutes=6)
"""How long whoever goes on by hand has the erasure alone; as long as a lease of long work."""


def run_now(hub: Hub, erasure_id: str, tell: Callable[[Erasure], None]) -> Erasure:
    """Take a lease and go on until the erasure is done or has to wait.

    Args:
        hub: read from and written to.
        erasure_id: which one.
        tell: is shown every state that it comes to.
    """
    from chalicelib.flow.erase_steps import step

    one, version = find_erasure(hub, erasure_id)
    if one.state == "done":
        return one
    run = Run(hub, one, version, hub.clock() + HOLD)
    try:
        run.write(one)
        while step(run):
            tell(run.one)
            if run.hub.clock() >= run.leased_until - HOLD / 2:
                run.leased_until = hub.clock() + HOLD
    except Conflict as conflict:
        if "erasure" not in conflict.found:
            raise
        # Long work goes on with it too; what it did is done.
        return find_erasure(hub, erasure_id)[0]
    return run.one
