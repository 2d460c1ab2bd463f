"""Once a day: scores open leads anew whose score time alone may have changed.

All leads are gone through a bounded slice at a time. Only those are written whose total, a part,
the grade or the stage came out otherwise; when anything last happened with them stays as it was.
Doing a page twice is harmless, for what was scored a moment ago comes out the same.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from chalicelib.config.model import Config
from chalicelib.errors import Conflict
from chalicelib.flow.leads import Stored, live_leads, stored_leads
from chalicelib.flow.match import learn
from chalicelib.flow.qualify import staged
from chalicelib.flow.walk import Walk, go_on, lead_id_of
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Lead, Model
from chalicelib.lead.qualifying import entries_change_with_time
from chalicelib.lead.scoring import changes_with_time, may_change
from chalicelib.records import Event, digest, event_item, lead_item, long_item, unpacked
from chalicelib.storage import Absent, Holds, Item, Key, Put

BOX = timedelta(seconds=40)
"""How long a slice begins pages."""

AT_ONCE = 50
"""Entries of a page."""

EVERY = timedelta(days=1)

RESCORING_KEY = Key("SCORING", "RESCORING")


class Rescoring(Model):
    """How far the day's work has come."""

    began_at: AwareDatetime | None = None
    walk: Walk = Field(default_factory=Walk)
    changed: int = Field(default=0, description="leads that came out otherwise")
    finished_at: AwareDatetime | None = None


def rescoring_item(state: Rescoring, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of the work; without a time it sleeps."""
    return long_item(RESCORING_KEY, "rescoring", state, version, due_at, writer)


def rescoring_of(item: Item) -> Rescoring:
    """Read how far the work has come."""
    return unpacked(Rescoring, item["data"])


def depends_on_time(config: Config) -> bool:
    """Say whether time alone may change a score or a stage."""
    return changes_with_time(config.scoring) or entries_change_with_time(config.qualifying)


def standing(hub: Hub, current: Current) -> Iterable[Item]:
    """Name the work if anything depends on time; see catch_up.STANDING."""
    if depends_on_time(current.config):
        yield rescoring_item(Rescoring(), 1, hub.clock(), f"standing:{hub.new_id()}")


def rescore(hub: Hub, item: Item) -> None:
    """Do one slice; see catch_up.Slice.

    Raises:
        Conflict: the lease was lost.
        Unavailable: ours is down.
    """
    state, current = rescoring_of(item), hub.configurations.current()
    ends_at = hub.clock() + BOX
    if state.began_at is None or state.finished_at:
        state = Rescoring(began_at=hub.clock())
    is_wanted = depends_on_time(current.config)
    due_at: datetime | None = hub.clock()
    while hub.clock() < ends_at:
        if not is_wanted or state.walk.is_over:
            state = state.model_copy(update={"finished_at": hub.clock()})
            due_at = (state.began_at or hub.clock()) + EVERY if is_wanted else None
            break
        entries, walk = go_on(hub, state.walk, AT_ONCE)
        changed = _rescore_page(hub, current, [lead_id_of(entry) for entry in entries])
        state = state.model_copy(update={"walk": walk, "changed": state.changed + changed})
    writer = f"rescore:{hub.new_id()}"
    after = rescoring_item(state, int(item["version"]) + 1, due_at, writer)
    hub.table.write([Put("rescoring", after, Holds("version", int(item["version"])))])


def _rescore_page(hub: Hub, current: Current, lead_ids: Sequence[str]) -> int:
    """Score anew what of a page time may have changed; gives how many came out otherwise."""
    leads = live_leads(hub.table, lead_ids)
    wanted = [lead.lead_id for lead in leads if _is_wanted(current, lead)]
    return sum(_rescore_one(hub, current, one) for one in stored_leads(hub, wanted))


def _is_wanted(current: Current, lead: Lead) -> bool:
    if not lead.is_open:
        return False
    return (
        lead.config_hash != current.hash
        or may_change(lead.score, current.config.scoring)
        or entries_change_with_time(current.config.qualifying)
    )


def _rescore_one(hub: Hub, current: Current, stored: Stored) -> int:
    before = stored.lead
    touches = [old.record.touch for old in stored.touches]
    now = max(hub.clock(), before.updated_at, before.score.scored_at or before.updated_at)
    scored, decisions = learn(hub, current, before, touches, now)
    moved, entered = staged(hub, current, scored, touches, now)
    told = _what_changed(before, moved)
    if not told:
        return 0
    # Nobody did anything with it, so it grows no younger, and its owner stays.
    after = moved.model_copy(
        update={
            "updated_at": before.updated_at,
            "is_raised": before.is_raised,
            "version": before.version + 1,
        }
    )
    event = Event(
        event_id=digest(before.lead_id, str(after.version), "rescored"),
        kind="rescored",
        at=now,
        actor="hub",
        text=f"as time goes by: {told}",
        decisions=(*decisions, *entered),
    )
    writer = f"rescore:{hub.new_id()}"
    try:
        hub.table.write(
            [
                Put(
                    "rescored lead",
                    lead_item(after, writer, _due_at(hub, before)),
                    Holds("version", before.version),
                ),
                Put("rescore event", event_item(before.lead_id, event, writer), Absent()),
            ]
        )
    except Conflict:
        # Something happened with it at this moment, and scored it as well.
        return 0
    return 1


def _due_at(hub: Hub, lead: Lead) -> datetime | None:
    """Say when tick looks after a lead that waits for an owner: now, for it may be overdue."""
    return hub.clock() if lead.awaits or lead.is_unowned else None


def _what_changed(before: Lead, after: Lead) -> str:
    """Say what of a score or stage is otherwise than before; empty when nothing is."""
    then, now = before.score, after.score
    pairs = [("score", then.total, now.total), ("fit", then.fit, now.fit)]
    pairs += [("engagement", then.engagement, now.engagement)]
    names = sorted({*then.parts, *now.parts})
    pairs += [(name, then.parts.get(name, 0), now.parts.get(name, 0)) for name in names]
    words = [(name, str(old), str(new)) for name, old, new in pairs]
    words += [("grade", then.grade, now.grade), ("stage", before.stage, after.stage)]
    return ", ".join(
        f"{name} {old or '-'} to {new or '-'}" for name, old, new in words if old != new
    )
