"""Every night: learns from what is stored how much each agreement says, and puts it to use.

All leads are counted, a slice at a time, and a fair sample is kept by their ids, which are hashes.
Only numbers and values that many share are kept of what their touches say. What was learnt before
stays, so that every decision can be made again, and so that one can go back.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Any

from pydantic import AwareDatetime, Field

from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.leads import stored_leads
from chalicelib.flow.walk import Walk, go_on, lead_id_of
from chalicelib.hub import Current, Hub
from chalicelib.lead.matching.learn import learn
from chalicelib.lead.matching.record import Record, record_of
from chalicelib.lead.matching.weights import AS_IT_COMES, Weights
from chalicelib.lead.model import Model, utc_text
from chalicelib.records import (
    ACTIVE_KEY,
    Active,
    active_item,
    active_of,
    long_item,
    packed,
    unpacked,
    weights_key,
)
from chalicelib.storage import ATTEMPTS, Absent, Holds, Item, Key, Put, at_version

LEARNING_KEY = Key("CONFIG", "LEARNING")

EVERY = timedelta(days=1)

BOX = timedelta(seconds=40)
"""How long a slice counts leads."""

AT_ONCE = 500
"""Entries of a page."""

SAMPLE = 2000
"""Of how many leads the touches are read."""

LEAST = 250
"""With fewer leads the weights stay as the hub comes."""

READ_AT_ONCE = 20

MOST_OF_ONE = 20
"""Most touches of one lead; they all say who it is."""

FEW = 3
"""What addresses and numbers fewer leads share than this is not kept: it could name a person."""


class Learning(Model):
    """How far the night's learning has come, and what the last one came to."""

    began_at: AwareDatetime | None = None
    walk: Walk = Field(default_factory=Walk)
    sample: tuple[str, ...] = Field(default=(), description="ids of leads; empty when it is over")
    finished_at: AwareDatetime | None = None
    leads: int = Field(default=0, description="how many there were the last time")
    number: int = Field(default=0, description="of the weights that were learnt last")


def learning_item(state: Learning, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of the work; without a time it sleeps."""
    return long_item(LEARNING_KEY, "learning", state, version, due_at, writer)


def learning_of(item: Item) -> Learning:
    """Read how far the work has come."""
    return unpacked(Learning, item["data"])


def weights_item(number: int, weights: Weights, learnt_at: datetime, writer: str) -> Item:
    """Make the item of weights that were learnt; it is never changed."""
    key = weights_key(number)
    return {
        "pk": key[0],
        "sk": key[1],
        "kind": "weights",
        "writer": writer,
        "version": 1,
        "learnt_at": utc_text(learnt_at),
        "data": packed(weights),
    }


def weights_of(item: Item) -> Weights:
    """Read weights back."""
    return unpacked(Weights, item["data"])


def standing(hub: Hub, current: Current) -> Iterable[Item]:
    """Name the work, if the hub is to learn; see catch_up.STANDING."""
    if current.config.matching.learn:
        yield learning_item(Learning(), 1, hub.clock(), f"standing:{hub.new_id()}")


def learn_slice(hub: Hub, item: Item) -> None:
    """Count on for a while, or learn when all are counted; see catch_up.Slice.

    Raises:
        Conflict: the lease was lost.
        Unavailable: ours is down.
    """
    state, version = learning_of(item), int(item["version"])
    if not hub.configurations.current().config.matching.learn:
        _put(hub, state, version, None)
        return
    if state.began_at is None or state.finished_at:
        state = begun(hub, state)
    ends_at = hub.clock() + BOX
    while not state.walk.is_over and hub.clock() < ends_at:
        state = counted(hub, state)
    if not state.walk.is_over:
        _put(hub, state, version, hub.clock())
        return
    due_at = (state.began_at or hub.clock()) + EVERY
    put_to_use(hub, state, version, learnt(hub, state), due_at)


def learn_now(hub: Hub, tell: Callable[[Learning], None] = lambda state: None) -> Learning:
    """Count, learn and put to use at once; the night's learning begins anew after it.

    Args:
        hub: read from and written to.
        tell: is shown every state that it comes to.

    Raises:
        Conflict: others learnt at the same moment, again and again.
    """
    state = gather(hub, tell)
    weights = learnt(hub, state)
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        item = hub.table.get(LEARNING_KEY)
        version = int(item["version"]) if item else 0
        number = learning_of(item).number if item else 0
        due_at = _next_night(hub, state)
        try:
            return put_to_use(
                hub, state.model_copy(update={"number": number}), version, weights, due_at
            )
        except Conflict:
            continue
    raise Conflict("others learn at this moment; try again")


def gather(hub: Hub, tell: Callable[[Learning], None] = lambda state: None) -> Learning:
    """Count all leads and choose the sample; writes nothing."""
    state = begun(hub, Learning())
    while not state.walk.is_over:
        state = counted(hub, state)
        tell(state)
    return state


def begun(hub: Hub, state: Learning) -> Learning:
    """Begin anew, after whatever was learnt before."""
    return Learning(began_at=hub.clock(), leads=state.leads, number=state.number)


def counted(hub: Hub, state: Learning) -> Learning:
    """Count one page more; the sample keeps the least ids, which are as good as drawn."""
    items, walk = go_on(hub, state.walk, AT_ONCE)
    # A lead that was merged away meanwhile stands for its survivor, and is left out later.
    sample = nsmallest(SAMPLE, {*state.sample, *map(lead_id_of, items)})
    return state.model_copy(update={"walk": walk, "sample": tuple(sample)})


def learnt(hub: Hub, state: Learning) -> Weights:
    """Learn from the sample; weights as the hub comes where there is too little to learn from."""
    if state.walk.seen < LEAST:
        return AS_IT_COMES
    records = [one for each in sample_records(hub, state.sample) for one in each]
    return _of_many(learn(records, state.walk.seen))


def sample_records(hub: Hub, lead_ids: Iterable[str]) -> Iterable[list[Record]]:
    """Give what is compared of leads, lead by lead; each is named by the lead as it is now."""
    wanted = list(lead_ids)
    for start in range(0, len(wanted), READ_AT_ONCE):
        for stored in stored_leads(hub, wanted[start : start + READ_AT_ONCE]):
            owner = stored.lead.lead_id
            touches = [old.record.touch for old in stored.touches]
            yield [record_of(touch, owner) for touch in touches[-MOST_OF_ONE:]]


def put_to_use(
    hub: Hub, state: Learning, version: int, weights: Weights, due_at: datetime | None
) -> Learning:
    """Keep what was learnt and have it used from now on; what is the same already is left so.

    Args:
        hub: written to.
        state: all counted.
        version: of the item of the work; 0 when there is none.
        weights: what was learnt.
        due_at: when to learn again.

    Raises:
        Conflict: somebody else learnt meanwhile, or others kept changing what is in force.
    """
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        now, writer = hub.clock(), f"learn:{hub.new_id()}"
        done = Learning(
            began_at=state.began_at,
            finished_at=now,
            walk=Walk(),
            leads=state.walk.seen,
            number=state.number,
        )
        active = active_of(_active(hub))
        writes: list[Put] = []
        if weights != AS_IT_COMES and weights != _known(hub, active.weights):
            number = max(state.number, active.weights) + 1
            done = done.model_copy(update={"number": number})
            after = _using(active, done.number)
            writes = [
                Put("weights", weights_item(done.number, weights, now, writer), Absent()),
                Put("active", active_item(after, writer), Holds("version", active.version)),
            ]
        item = learning_item(done, version + 1, due_at, writer)
        try:
            hub.table.write([*writes, Put("learning", item, at_version(version))])
        except Conflict as error:
            if "learning" in error.found or "weights" in error.found:
                raise
            continue
        return done
    raise Conflict("the configuration is changing; try again")


def use_weights(hub: Hub, number: int) -> Active:
    """Use weights that were learnt earlier; 0 is as the hub comes.

    Raises:
        NotFound: there are no such weights.
        Conflict: the configuration is changing; try again.
    """
    if number < 0 or (number and hub.table.get(weights_key(number)) is None):
        raise NotFound(f"weights {number}")
    active = active_of(_active(hub))
    if active.weights == number:
        return active
    after = _using(active, number)
    writer = f"weights:{hub.new_id()}"
    hub.table.write([Put("active", active_item(after, writer), Holds("version", active.version))])
    return after


class Learnt(Model):
    """Weights that were learnt, in short."""

    number: int
    learnt_at: AwareDatetime
    leads: int
    submissions: int
    is_used: bool


def list_weights(hub: Hub) -> list[Learnt]:
    """List the weights that were learnt, newest first."""
    used = hub.configurations.current().active.weights
    items = hub.table.query(ACTIVE_KEY[0], "WEIGHTS#")
    found = []
    for item in reversed(items):
        weights, number = weights_of(item), int(item["sk"].partition("#")[2])
        found.append(
            Learnt(
                number=number,
                learnt_at=item["learnt_at"],
                leads=weights.leads,
                submissions=weights.submissions,
                is_used=number == used,
            )
        )
    return found


def _active(hub: Hub) -> Item:
    hub.configurations.current()
    item = hub.table.get(ACTIVE_KEY)
    if item is None:
        raise NotFound("a configuration in force")
    return item


def _using(active: Active, number: int) -> Active:
    return active.model_copy(update={"weights": number, "version": active.version + 1})


def _known(hub: Hub, number: int) -> Weights:
    item = hub.table.get(weights_key(number)) if number else None
    return weights_of(item) if item else AS_IT_COMES


def _next_night(hub: Hub, state: Learning) -> datetime | None:
    is_on = hub.configurations.current().config.matching.learn
    return (state.began_at or hub.clock()) + EVERY if is_on else None


def _put(hub: Hub, state: Learning, version: int, due_at: datetime | None) -> None:
    item = learning_item(state, version + 1, due_at, f"learn:{hub.new_id()}")
    hub.table.write([Put("learning", item, at_version(version))])


def _of_many(weights: Weights) -> Weights:
    """Leave out addresses and numbers that few share."""
    counts: dict[str, Any] = dict(weights.counts)
    for field in ("email", "phone"):
        if field in counts:
            counts[field] = {value: n for value, n in counts[field].items() if n >= FEW}
    return weights.model_copy(update={"counts": counts})
