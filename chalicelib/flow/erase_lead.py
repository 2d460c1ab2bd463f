"""Erases what is stored below a person's leads: notifications, timeline, touches and claims."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from chalicelib.flow.blocks import block_writes, moved
from chalicelib.flow.erase import Run, digest_of_claim, release_writes, tombstone_put
from chalicelib.flow.erase_state import Told
from chalicelib.flow.proposals import proposal_key
from chalicelib.flow.route import SENT_ON_AFTER
from chalicelib.lead.choosing.turn import without_person
from chalicelib.lead.matching.record import Record, record_of
from chalicelib.lead.model import Touch
from chalicelib.records import (
    Claim,
    Effect,
    Event,
    claim_key,
    claim_of,
    delivery_key,
    delivery_of,
    digest,
    effect_item,
    effect_of,
    erased_claim_item,
    event_of,
    lead_key,
    lead_of,
    packed,
    touch_record_of,
)
from chalicelib.storage import MOST_WRITES, Absent, Delete, Holds, Item, Key, Message, Put, Write

AT_ONCE = 30
"""Things of one kind that one transaction takes away."""

KEPT_EVENTS = ("assigned", "returned", "unowned", "declined", "accepted")
"""What the fairness ledger and the statistics are made again from: whose turn it was, and when."""

SKELETON = "skeleton"
"""Attribute of an event of which only the routing decision is left."""


def erase_leads(run: Run) -> bool:
    """Do one step of what is stored below their leads; False when nothing is left there.

    Raises:
        Conflict: somebody else wrote first; look again.
    """
    hub = run.hub
    for lead_id in run.one.lead_ids:
        by_kind: dict[str, list[Item]] = {}
        for item in hub.table.query(lead_key(lead_id)[0]):
            by_kind.setdefault(item["kind"], []).append(item)
        for lead in map(lead_of, by_kind.get("lead", [])):
            if not lead.erased_at:
                writes = [tombstone_put(lead, run.one, hub.clock(), f"erase:{hub.new_id()}")]
                run.write(run.one.counting(leads=1), writes)
                return True
        if (
            _erase_effects(run, lead_id, by_kind.get("effect", []))
            or _erase_events(run, by_kind.get("event", []))
            or _erase_proposals(run, by_kind.get("proposal", []))
            or _erase_touches(run, lead_id, by_kind.get("touch", []))
        ):
            return True
    return _erase_kin(run) or _release(run)


def _release(run: Run) -> bool:
    writer = f"erase:{run.hub.new_id()}"
    writes = release_writes(run.hub, run.person.keys, run.one.lead_ids, writer)[:AT_ONCE]
    if writes:
        run.write(run.one.counting(identity_keys=len(writes)), writes)
    return bool(writes)


def _erase_effects(run: Run, lead_id: str, items: Sequence[Item]) -> bool:
    """Take notifications away; the certificate says who was told, and webhooks hear of it."""
    effects = [effect_of(item) for item in items]
    theirs = [effect for effect in effects if effect.kind != "erased"][:AT_ONCE]
    if not theirs:
        return False
    hub = run.hub
    writer = f"erase:{hub.new_id()}"
    known = {effect.destination_id for effect in effects if effect.kind == "erased"}
    words = [
        word
        for destination_id in sorted({effect.destination_id for effect in theirs} - known)
        for word in _word(run, lead_id, destination_id)
    ]
    writes: list[Write] = [
        Delete(
            f"erased effect {number}",
            Key(lead_key(lead_id)[0], f"EFFECT#{effect.effect_id}"),
            Holds("version", effect.version),
        )
        for number, effect in enumerate(theirs)
    ]
    writes += [
        Put(f"word of erasure {word.destination_id}", effect_item(word, writer), Absent())
        for word in words
    ]
    told = tuple(map(_told, theirs))
    one = run.one.model_copy(update={"told": (*run.one.told, *told)})
    run.write(one.counting(notifications=len(theirs)), writes)
    if words:
        hub.outbox.send([Message({"lead": lead_id, "effect": one.effect_id}) for one in words])
    return True


def _word(run: Run, lead_id: str, destination_id: str) -> Iterable[Effect]:
    """Give the word that a program gets that was told of a lead, so that it can erase it too."""
    current = run.hub.configurations.current()
    destination = current.config.destinations.get(destination_id)
    if destination is None or destination.kind != "webhook" or not destination.enabled:
        return
    now = run.hub.clock()
    yield Effect(
        effect_id=digest(run.one.erasure_id, lead_id, destination_id),
        lead_id=lead_id,
        destination_id=destination_id,
        kind="erased",
        created_at=now,
        config_hash=current.hash,
        due_at=now + SENT_ON_AFTER,
    )


def _told(effect: Effect) -> Told:
    return Told(
        effect_id=effect.effect_id,
        destination_id=effect.destination_id,
        kind=effect.kind,
        state="cancelled" if effect.state == "pending" else effect.state,
        at=effect.attempts[-1].at if effect.attempts else None,
    )


def _erase_events(run: Run, items: Sequence[Item]) -> bool:
    """Take the timeline away, but for the routing decisions: those are about owners."""
    writes: list[Write] = []
    writer = f"erase:{run.hub.new_id()}"
    for item in items:
        if SKELETON in item or len(writes) == AT_ONCE:
            continue
        event, name = event_of(item), f"erased event {len(writes)}"
        condition = Holds("version", int(item["version"]))
        key = Key(item["pk"], item["sk"])
        if event.kind in KEPT_EVENTS or event.turns:
            writes.append(Put(name, _skeleton(item, event, writer), condition))
        else:
            writes.append(Delete(name, key, condition))
    if writes:
        run.write(run.one.counting(timeline_entries=len(writes)), writes)
    return bool(writes)


def _skeleton(item: Item, event: Event, writer: str) -> Item:
    routing = tuple(without_person(one) for one in event.decisions if one.kind == "route")
    bare = Event(
        event_id=event.event_id,
        kind=event.kind,
        at=event.at,
        actor="hub",
        text="",
        decisions=routing,
        turns=event.turns,
    )
    version = int(item["version"]) + 1
    changed = {"data": packed(bare), "version": version, "writer": writer, SKELETON: 1}
    return {**item, **changed}


def told_of_by_kin(run: Run) -> Iterator[Item]:
    """Find events that tell of them on timelines of leads that they were one with by mistake."""
    for lead_id in run.person.kin:
        for item in run.hub.table.query(lead_key(lead_id)[0], "EVENT#"):
            if _is_told_of(run, event_of(item)):
                yield item


def _is_told_of(run: Run, event: Event) -> bool:
    if event.kind == "read_again":
        touch = Touch.model_validate(event.before["touch"], extra="ignore")
        return digest_of_claim(touch.source_id, touch.external_id) in run.person.claims
    ours = {*run.one.lead_ids}
    return any(
        before and ours & {lead_id, *before.get("members", ())}
        for lead_id, before in event.before.items()
    )


def _erase_kin(run: Run) -> bool:
    """Let the timelines of such leads say no more than whom they were one with."""
    writes: list[Write] = []
    writer = f"erase:{run.hub.new_id()}"
    for item in islice(told_of_by_kin(run), AT_ONCE):
        event, version = event_of(item), int(item["version"])
        name, condition = f"erased event {len(writes)}", Holds("version", version)
        if event.kind == "read_again":
            writes.append(Delete(name, Key(item["pk"], item["sk"]), condition))
            continue
        bare = event.model_copy(update={"before": {one: {} for one in event.before}})
        after = {**item, "data": packed(bare), "version": version + 1, "writer": writer}
        writes.append(Put(name, after, condition))
    if writes:
        run.write(run.one.counting(timeline_entries=len(writes)), writes)
    return bool(writes)


def _erase_proposals(run: Run, items: Sequence[Item]) -> bool:
    """Take away proposals that they are somebody else, on both sides."""
    some = list(items)[: AT_ONCE // 2]
    keys = [Key(item["pk"], item["sk"]) for item in some]
    keys += [
        proposal_key(item["sk"].partition("#")[2], item["pk"].partition("#")[2]) for item in some
    ]
    found = run.hub.table.get_many(list(dict.fromkeys(keys)))
    gone: list[Write] = []
    for number, (key, item) in enumerate(found.items()):
        condition = Holds("version", int(item["version"]))
        gone.append(Delete(f"erased proposal {number}", key, condition))
    if gone:
        run.write(run.one.counting(proposals=len(some)), gone)
    return bool(gone)


def _erase_touches(run: Run, lead_id: str, items: Sequence[Item]) -> bool:
    """Take some touches away: their claims become tombstones first, then their requests go."""
    from chalicelib.flow.erase_search import settle

    some = list(items)[:AT_ONCE]
    if not some:
        return False
    touches = [touch_record_of(item).touch for item in some]
    if claims := _tombstones(run, touches):
        run.write(run.one.counting(claims=len(claims)), claims)
    wanted = sorted({touch.delivery_id for touch in touches})
    found = run.hub.table.get_many([delivery_key(delivery_id) for delivery_id in wanted])
    for delivery in map(delivery_of, found.values()):
        settle(run, delivery)
    gone: list[Write] = [
        Delete(
            f"erased touch {number}",
            Key(item["pk"], item["sk"]),
            Holds("version", int(item["version"])),
        )
        for number, item in enumerate(some)
    ]
    blocks = _left_of_blocks(run, [record_of(touch, lead_id) for touch in touches])
    while len(gone) + len(blocks) > MOST_WRITES - 1:
        # One more block than fits: the touches go with the last of them.
        run.write(run.one.counting(blocks=AT_ONCE), blocks[:AT_ONCE])
        blocks = blocks[AT_ONCE:]
    run.write(run.one.counting(touches=len(gone), blocks=len(blocks)), [*gone, *blocks])
    return True


def _left_of_blocks(run: Run, records: Sequence[Record]) -> list[Write]:
    """Give the writes after which no block knows these records; an empty one goes altogether."""
    writer = f"erase:{run.hub.new_id()}"
    return block_writes(moved(run.hub.table, records), writer, "erased block")


def _tombstones(run: Run, touches: Sequence[Touch]) -> list[Write]:
    """Give the writes after which claims only say that something was taken once."""
    keys = {claim_key(touch.source_id, touch.external_id): touch for touch in touches}
    found = run.hub.table.get_many(list(keys))
    writer = f"erase:{run.hub.new_id()}"
    writes: list[Write] = []
    for key, item in found.items():
        claim = claim_of(item)
        # A newer act of the same submission may have begun another lead meanwhile.
        if claim.erased_at or (claim.lead_id and claim.lead_id not in run.one.lead_ids):
            continue
        put = erased_claim(key, claim.source_id, claim.version, run, writer)
        writes.append(put)
    return writes


def erased_claim(key: Key, source_id: str, version: int, run: Run, writer: str) -> Put:
    """Give the write that makes a claim of this version a tombstone; 0 when there is none."""
    claim = Claim(
        source_id=source_id,
        external_id="",
        version=version + 1,
        delivery_id="",
        acted_at=run.one.asked_at,
        erased_at=run.one.asked_at,
    )
    condition = Holds("version", version) if version else Absent()
    return Put(f"erased claim {key[0]}", erased_claim_item(key, claim, writer), condition)
