"""What must hold of everything that is stored and everything that was seen, when all is quiet.

`check` is pure: it looks at a dump and names each invariant that does not hold. The numbers stand
in docs/reliability.md with what each of them says.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import combinations
from typing import Any

from chalicelib.config.document import config_hash
from chalicelib.config.model import All, Config, Merging
from chalicelib.flow.accounts import account_of_item
from chalicelib.flow.blocks import block_of
from chalicelib.flow.closed import counted_of
from chalicelib.flow.comparison import sync_of
from chalicelib.flow.dedupe import dedupe_of
from chalicelib.flow.erase_state import Erasure, erasure_of
from chalicelib.flow.forms import form_of
from chalicelib.flow.import_rows import ROWS, chunk_id
from chalicelib.flow.import_state import Import, import_of
from chalicelib.flow.learn import learning_of, weights_of
from chalicelib.flow.loads import is_open, load_of
from chalicelib.flow.proposals import proposal_of
from chalicelib.flow.reread import reread_of
from chalicelib.flow.rescore import rescoring_of
from chalicelib.flow.retention import keeping_of
from chalicelib.flow.tokens import Caller
from chalicelib.flow.train import model_of
from chalicelib.flow.unmerge import CHANGED_HANDS
from chalicelib.flow.watch import watch_of
from chalicelib.flow.wishes import keys_judged, wish_key, wish_of
from chalicelib.lead.choosing.turn import choose_again, route_problem
from chalicelib.lead.edits import join_edits
from chalicelib.lead.folding import fold
from chalicelib.lead.matching.blocks import MOST_IN_BLOCK
from chalicelib.lead.matching.decide import weigh
from chalicelib.lead.matching.record import record_of
from chalicelib.lead.matching.weights import AS_IT_COMES
from chalicelib.lead.merging import may_merge
from chalicelib.lead.model import Decision, Lead, Touch, utc_text
from chalicelib.lead.qualifying import asked_then, find_stage, made_then, triage
from chalicelib.lead.routing import (
    LEAD,
    Ledger,
    eligibility,
    give_back,
    repick_rule,
    take_again,
    take_beside,
)
from chalicelib.lead.scoring import adds_up, score
from chalicelib.lead.sla import fire_again
from chalicelib.records import (
    Active,
    Claim,
    Delivery,
    Effect,
    Event,
    TouchRecord,
    Version,
    active_of,
    claim_of,
    day_of,
    delivery_of,
    digest,
    effect_of,
    event_of,
    holders_of,
    lead_of,
    ledger_of,
    missed_of,
    touch_record_of,
    unpacked,
    version_of,
)
from chalicelib.request import unpack
from chalicelib.storage import Item, Mail, Message, Put
from tests.fakes import Kept, Posted
from tests.world import SECRETS, Told, World

MOST_ITEM_BYTES = 350_000
CANARY = "@example"


@dataclass(frozen=True)
class Violation:
    """One invariant that does not hold, and where."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


@dataclass
class Dump:
    """Everything stored and everything seen, once all is quiet.

    Attributes:
        commits: puts that took effect, in order; empty where nobody could see them.
        sent: every message that was ever sent.
        logs: every line that was logged.
    """

    items: list[Item]
    commits: list[tuple[Put, ...]]
    waiting: list[Message]
    dead: list[Kept]
    sent: list[Message]
    blobs: dict[str, bytes]
    mails: list[Mail]
    posts: list[Posted]
    told: list[Told]
    logs: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Item]:
        """Give the items of a kind."""
        return [item for item in self.items if item.get("kind") == kind]

    @cached_property
    def leads(self) -> dict[str, Lead]:
        """Give every lead by id, merged ones too."""
        return {lead.lead_id: lead for lead in map(lead_of, self.of("lead"))}

    @cached_property
    def live(self) -> list[Lead]:
        """Give leads that were not merged away."""
        return [one for one in self.leads.values() if not one.merged_into and not one.erased_at]

    @cached_property
    def erasures(self) -> list[Erasure]:
        """Give every erasure."""
        return [erasure_of(item) for item in self.of("erasure")]

    @cached_property
    def gone_effects(self) -> dict[str, Any]:
        """Give notifications that went with the person they were about, by effect id."""
        return {told.effect_id: told for one in self.erasures for told in one.told}

    @cached_property
    def touches(self) -> dict[str, list[TouchRecord]]:
        """Give touches by the lead that they lie under."""
        found: dict[str, list[TouchRecord]] = defaultdict(list)
        for item in self.of("touch"):
            found[_lead_id(item)].append(touch_record_of(item))
        return found

    @cached_property
    def imports(self) -> list[Import]:
        """Give every import."""
        return [import_of(item) for item in self.of("import")]

    @cached_property
    def deliveries(self) -> dict[str, Delivery]:
        """Give every delivery by id."""
        return {one.delivery_id: one for one in map(delivery_of, self.of("delivery"))}

    @cached_property
    def claims(self) -> list[Claim]:
        """Give every claim."""
        return [claim_of(item) for item in self.of("claim")]

    @cached_property
    def events(self) -> dict[str, list[Event]]:
        """Give timeline events by the lead that they lie under, in order."""
        found: dict[str, list[Event]] = defaultdict(list)
        for item in self.of("event"):
            found[_lead_id(item)].append(event_of(item))
        return found

    @cached_property
    def effects(self) -> dict[str, Effect]:
        """Give every effect by id."""
        return {one.effect_id: one for one in map(effect_of, self.of("effect"))}

    @cached_property
    def configs(self) -> dict[str, Config]:
        """Give every published configuration by hash."""
        return {
            version.hash: Config.model_validate_json(version.document)
            for version in map(version_of, self.of("version"))
        }

    def merging_of(self, lead: Lead) -> Merging:
        """Give the rules by which a lead was folded last."""
        config = self.configs.get(lead.config_hash)
        return config.merging if config else Merging()

    @cached_property
    def rosters(self) -> dict[int, Active]:
        """Give who was switched off, by version of the active item."""
        puts = [put for puts in self.commits for put in puts if put.item.get("kind") == "active"]
        items = [*self.of("active"), *(put.item for put in puts)]
        return {active.version: active for active in map(active_of, items)}

    def touches_of(self, lead: Lead) -> list[Touch]:
        """Give the touches of a lead and of those merged into it."""
        return [
            record.touch
            for lead_id in (lead.lead_id, *lead.members)
            for record in self.touches.get(lead_id, [])
        ]

    def story_of(self, lead: Lead) -> list[Event]:
        """Give the events of a lead, and of those that it was one with for a while."""
        own = self.events_of(lead)
        others = {one for event in own if event.kind == "unmerged" for one in event.before}
        known = {lead.lead_id, *lead.members}
        return [*own, *(e for one in sorted(others - known) for e in self.events.get(one, []))]

    def events_of(self, lead: Lead) -> list[Event]:
        """Give the events of a lead and of those merged into it."""
        return [
            event
            for lead_id in (lead.lead_id, *lead.members)
            for event in self.events.get(lead_id, [])
        ]


def dumped(world: World, logs: Sequence[str] = ()) -> Dump:
    """Dump a world."""
    return Dump(
        items=world.table.scan(),
        commits=list(world.table.commits),
        waiting=[message for queue in world.queues for message in queue.waiting],
        dead=[kept for queue in world.queues for kept in queue.dead],
        sent=[message for queue in world.queues for message in queue.sent],
        blobs=dict(world.blobs.kept),
        mails=list(world.mailbox.mails),
        posts=list(world.web.posts),
        told=list(world.told),
        logs=list(logs),
    )


def check(dump: Dump) -> list[Violation]:
    """Name everything that does not hold."""
    unreadable = list(_i13(dump))
    if unreadable:
        # Without items that can be read nothing else can be judged.
        return [Violation("I13", what) for what in unreadable]
    return [Violation(name, what) for name, holds in INVARIANTS.items() for what in holds(dump)]


def problems(world: World) -> list[str]:
    """Check a world; in words."""
    return [str(violation) for violation in check(dumped(world))]


def _i1(dump: Dump) -> Iterator[str]:
    """What was answered 2xx is kept byte for byte, and is settled."""
    kept: Counter[tuple[str, bytes]] = Counter()
    unread: Counter[str] = Counter()
    for one in dump.deliveries.values():
        raw = dump.blobs.get(one.blob) if one.blob else one.raw
        if raw is None or one.emptied_at:
            unread[one.source_id] += 1  # said by I15
        else:
            kept[one.source_id, unpack(raw).body] += 1
        if one.outcome in ("pending", "waiting"):
            yield f"delivery {one.delivery_id} is still {one.outcome}"
        elif one.outcome == "quarantined" and not one.reason:
            yield f"delivery {one.delivery_id} is quarantined without a reason"
    told = Counter(
        (one.source_id, one.body) for one in dump.told if one.status and one.status // 100 == 2
    )
    for (source_id, body), count in told.items():
        missing = count - kept[source_id, body]
        if missing > unread[source_id]:
            yield f"{source_id} was told {count} times that {len(body)} bytes were taken"
    for message in dump.waiting:
        yield f"a message still waits: {sorted(message.body)}"


def _i2(dump: Dump) -> Iterator[str]:
    """One claim, one touch that counts, for each submission."""
    counting: dict[tuple[str, str], list[str]] = defaultdict(list)
    all_touches: dict[str, tuple[str, Touch]] = {}
    for lead_id, records in dump.touches.items():
        for record in records:
            touch = record.touch
            if touch.touch_id in all_touches:
                yield f"touch {touch.touch_id} is there twice"
            all_touches[touch.touch_id] = (lead_id, touch)
            if not touch.void:
                counting[touch.source_id, touch.external_id].append(touch.touch_id)
    claims = {(one.source_id, one.external_id): one for one in dump.claims if not one.erased_at}
    for key, touch_ids in counting.items():
        if len(touch_ids) > 1:
            yield f"submission {key} counts {len(touch_ids)} times"
        if key not in claims:
            yield f"submission {key} has no claim"
    for key, claim in claims.items():
        if not claim.touch_id:
            if not claim.withdrawn_at:
                yield f"claim {key} names no touch"
            continue
        if claim.touch_id not in all_touches:
            yield f"claim {key} names a touch that is not there"
        elif not claim.withdrawn_at and counting.get(key) != [claim.touch_id]:
            yield f"claim {key} names another touch than the one that counts"
        elif claim.withdrawn_at and counting.get(key):
            yield f"submission {key} was withdrawn and still counts"
        elif _survivor(dump, dump.leads.get(claim.lead_id)) != _survivor(
            dump, dump.leads.get(all_touches[claim.touch_id][0])
        ):
            yield f"claim {key} names a lead that its touch is not of"


def _i3(dump: Dump) -> Iterator[str]:
    """Keys point at live leads, and a lead's own keys all point at it."""
    pointing = {item["pk"].removeprefix("KEY#"): holders_of(item) for item in dump.of("key")}
    for key, lead_ids in pointing.items():
        for lead_id in lead_ids:
            lead = dump.leads.get(lead_id)
            if lead is None or lead.merged_into or lead.erased_at:
                yield f"a key of kind {key.split(':')[0]} points at {lead_id}, which is not live"
            elif key not in lead.identity_keys:
                yield f"a key of kind {key.split(':')[0]} points at {lead_id}, which is not its"
    holders: dict[str, set[str]] = defaultdict(set)
    for lead in dump.live:
        said = [one.identity_keys for one in dump.touches_of(lead)]
        said += [one.identity_keys for one in lead.edits]
        for key in {key for keys in said for key in keys}:
            holders[key].add(lead.lead_id)
            if lead.lead_id not in pointing.get(key, ()):
                yield f"a key of kind {key.split(':')[0]} does not point at {lead.lead_id}"
    for key, found in holders.items():
        for one, other in combinations([dump.leads[lead_id] for lead_id in sorted(found)], 2):
            if not _told_apart(dump, one, other):
                yield f"2 live leads share a key of kind {key.split(':')[0]} for no reason"


def _told_apart(dump: Dump, one: Lead, other: Lead) -> bool:
    """Say whether somebody or something keeps two leads apart that share a key."""
    if not may_merge(one, other):
        return True
    records = [record_of(touch, other.lead_id) for touch in dump.touches_of(other)]
    candidates = [
        candidate
        for touch in dump.touches_of(one)
        for record in records
        for candidate in weigh(record_of(touch, one.lead_id), [record], {}, AS_IT_COMES)
    ]
    return any(candidate.outcome != "match" for candidate in candidates)


def _i3_blocks(dump: Dump) -> Iterator[str]:
    """Blocks are bounded, and what stands in them is what touches say."""
    known = {
        record_of(record.touch, lead_id)
        for lead_id, records in dump.touches.items()
        for record in records
    }
    for item in dump.of("block"):
        block = block_of(item)
        if len(block.records) > MOST_IN_BLOCK:
            yield f"{item['pk']} holds {len(block.records)} records"
        for record in block.records:
            if record not in known:
                yield f"{item['pk']} holds what touch {record.touch_id} does not say"


def _i4(dump: Dump) -> Iterator[str]:
    """No touch is lost, and each lead is the fold over its touches."""
    made = {
        result.touch_id
        for one in dump.deliveries.values()
        for result in one.results.values()
        if result.outcome == "accepted"
    }
    stored = {r.touch.touch_id for records in dump.touches.values() for r in records}
    if lost := made - stored:
        yield f"touches {sorted(lost)} are lost"
    if made and (unknown := stored - made):
        yield f"touches {sorted(unknown)} came from no delivery"
    for lead in dump.leads.values():
        if lead.erased_at:
            continue
        if lead.merged_into:
            if lead.identity_keys:
                yield f"merged lead {lead.lead_id} still holds keys"
            survivor = _survivor(dump, lead)
            if survivor is None:
                yield f"merged lead {lead.lead_id} leads nowhere"
            elif lead.lead_id not in survivor.members:
                yield f"lead {survivor.lead_id} does not know its member {lead.lead_id}"
            elif "merged" not in _kinds(dump.events_of(survivor)):
                yield f"lead {survivor.lead_id} does not say that it took {lead.lead_id} in"
            if "absorbed" not in _kinds(dump.events.get(lead.lead_id, [])):
                yield f"lead {lead.lead_id} does not say where it went"
        else:
            touches = dump.touches_of(lead)
            if not touches:
                yield f"lead {lead.lead_id} has no touch"
            elif fold(lead, touches, lead.updated_at, dump.merging_of(lead)) != lead:
                yield f"lead {lead.lead_id} is not the fold over its touches and edits"
        said = (event.edits for event in dump.events_of(lead))
        if not lead.merged_into and join_edits(*said) != lead.edits:
            yield f"lead {lead.lead_id} does not hold what its story says was set by hand"
    for claim in dump.claims:
        holder = _survivor(dump, dump.leads.get(claim.lead_id))
        is_taken_back = claim.withdrawn_at and claim.touch_id
        if is_taken_back and holder and "withdrawn" not in _kinds(dump.story_of(holder)):
            yield f"lead {holder.lead_id} does not say that a submission was taken back"
    told = {
        event.before["touch"]["touch_id"]
        for events in dump.events.values()
        for event in events
        if event.kind == "read_again"
    }
    for item in dump.of("touch"):
        touch = touch_record_of(item).touch
        if item["version"] > 1 and not touch.void and touch.touch_id not in told:
            yield f"touch {touch.touch_id} reads otherwise and nothing says how it read before"
    for lead_id in dump.touches:
        if lead_id not in dump.leads:
            yield f"touches lie under {lead_id}, which is no lead"


def _i5(dump: Dump) -> Iterator[str]:
    """One owner who could take it, or the unowned queue with an alarm."""
    for lead in dump.live:
        events = dump.story_of(lead)
        kinds = _kinds(events)
        if lead.awaits:
            yield f"lead {lead.lead_id} still awaits its {lead.awaits}"
        if lead.assignment and lead.assignment.accepted_at and not kinds & {"accepted", "touched"}:
            yield f"lead {lead.lead_id} does not say who accepted it"
        if lead.declined_by and not kinds & {"declined", "taken_back"}:
            yield f"lead {lead.lead_id} does not say who declined it"
        yield from _untold_move(dump, lead, events)
        if lead.status == "disqualified":
            continue
        if bool(lead.assignment) == lead.is_unowned:
            yield f"lead {lead.lead_id} has {'both' if lead.is_unowned else 'neither'}"
        if lead.is_unowned:
            yield from _unowned(dump, lead, events)
        elif lead.assignment:
            owner_id, pool_id = lead.assignment.owner_id, lead.assignment.pool_id
            given = [_decision(event, "route") for event in events if event.kind == "assigned"]
            if not any(d and d.result == owner_id and d.inputs["pool"] == pool_id for d in given):
                yield f"no decision gave lead {lead.lead_id} to {owner_id}"
    for lead_id, listed in dump.events.items():
        for event in listed:
            decision = _decision(event, "route")
            if event.kind in ("assigned", "returned") and decision:
                yield from _unfit(dump, lead_id, event, decision)
    yield from _old_rosters(dump)


def _old_rosters(dump: Dump) -> Iterator[str]:
    """Name choices that were written when another configuration or roster was in force."""
    in_force = 0
    for puts in dump.commits:
        for put in puts:
            if put.item.get("kind") == "active":
                in_force = active_of(put.item).version
            elif put.name.startswith("routing event"):
                decision = _decision(event_of(put.item), "route")
                if decision and decision.inputs["roster_version"] != in_force:
                    yield f"{put.key[0]} was routed by what was not in force any more"


def _unowned(dump: Dump, lead: Lead, events: Sequence[Event]) -> Iterator[str]:
    if not any(event.kind == "unowned" for event in events):
        yield f"unowned lead {lead.lead_id} raised no alarm"
    (item,) = [one for one in dump.of("lead") if _lead_id(one) == lead.lead_id]
    if "due_at" not in item:
        yield f"unowned lead {lead.lead_id} will never be offered again"


def _unfit(dump: Dump, lead_id: str, event: Event, decision: Decision) -> Iterator[str]:
    """Name an assignment to somebody who was off, away or asleep."""
    config = dump.configs.get(decision.config_hash)
    owner = config.owners.get(decision.result) if config else None
    roster = dump.rosters.get(decision.inputs["roster_version"])
    if config is None or owner is None or roster is None:
        yield f"lead {lead_id} went to {decision.result}, whom its configuration does not know"
        return
    off = roster.off.get(decision.result)
    if off is not None and (not off or datetime.fromisoformat(off) > decision.decided_at):
        yield f"lead {lead_id} went to {decision.result}, who had switched themselves off"
    if not owner.active:
        yield f"lead {lead_id} went to {decision.result}, who is not active"
    if event.kind == "assigned":
        if decision.inputs.get("beside"):
            return
        verdict = eligibility(
            decision.result, owner, config.settings, 0, decision.decided_at, declined_by=()
        )
        if not verdict.is_eligible:
            yield f"lead {lead_id} went to {decision.result}: {verdict.because}"


def _i6(dump: Dump) -> Iterator[str]:
    """Ledgers say what timelines say, and nobody is further than one lead from their share."""
    given: Counter[tuple[str, str]] = Counter()
    capped: Counter[str] = Counter()
    declined = 0
    for events in dump.events.values():
        declined += sum(event.kind == "declined" for event in events)
        declined += sum(t.does == "returned" for event in events for t in event.turns)
        declined -= sum(t.does == "taken" for event in events for t in event.turns)
        for event in events:
            decision = _decision(event, "route")
            if event.kind == "assigned" and decision:
                given[decision.inputs["pool"], decision.result] += 1
                owner = dump.configs[decision.config_hash].owners[decision.result]
                capped[decision.result] += owner.daily_cap is not None
                capped[decision.result] += owner.hourly_cap is not None
    returned = 0
    for ledger in map(ledger_of, dump.of("ledger")):
        for owner_id, account in ledger.accounts.items():
            returned += account.returned
            count = given.pop((ledger.pool_id, owner_id), 0)
            if account.received + account.returned != count:
                yield f"ledger {ledger.pool_id}: {owner_id} got {count}, booked another number"
    if given:
        yield f"no ledger booked {sorted(given)}"
    if returned != declined:
        yield f"{declined} leads were given back and {returned} turns returned"
    for ledger in _ledger_history(dump):
        yield from _unfair(ledger)
    taken: Counter[str] = Counter()
    for day in map(day_of, dump.of("day")):
        taken[day.owner_id] += day.taken
    for owner_id in {*taken, *capped}:
        if taken[owner_id] != capped[owner_id]:
            yield f"{owner_id} got {capped[owner_id]} and has {taken[owner_id]} on their days"
    yield from _uncounted(dump)


def _uncounted(dump: Dump) -> Iterator[str]:
    """Name open leads that count as nobody's load; who came back by parting is listed later."""
    for load in map(load_of, dump.of("load")):
        for lead in dump.live:
            parted = {"merged", "unmerged"} & set(_kinds(dump.events_of(lead)))
            if is_open(lead, load.owner_id) and not parted and lead.lead_id not in load.open:
                yield f"lead {lead.lead_id} is not in the load of {load.owner_id}"


def _unfair(ledger: Ledger) -> Iterator[str]:
    for owner_id, account in ledger.accounts.items():
        if abs(account.balance) > LEAD:
            yield f"ledger {ledger.pool_id} v{ledger.version}: {owner_id} is off by a lead"


def _i7(dump: Dump) -> Iterator[str]:
    """Every effect is settled, and was seen at most once, done ones exactly once."""
    kinds = {
        name: destination.kind
        for config in dump.configs.values()
        for name, destination in config.destinations.items()
    }
    mails = Counter(mail.headers.get("X-Hub-Effect", "") for mail in dump.mails)
    hooks = {post.headers["webhook-id"] for post in dump.posts if "webhook-id" in post.headers}
    for effect_id in {*mails, *hooks} - set(dump.effects) - set(dump.gone_effects):
        yield f"somebody was told of {effect_id or 'something without an id'}, which is no effect"
    chats = sum("webhook-id" not in post.headers for post in dump.posts)
    gone_chats = [one for one in dump.gone_effects.values() if kinds[one.destination_id] == "slack"]
    done_chats = sum(one.state == "done" for one in gone_chats)
    yield from _untold(dump)
    maybe_chats = len(gone_chats) - done_chats
    for effect in dump.effects.values():
        kind = kinds[effect.destination_id]
        yield from _settled(effect)
        if kind == "email":
            if mails[effect.effect_id] > 1:
                yield f"effect {effect.effect_id} was mailed {mails[effect.effect_id]} times"
            if effect.state == "done" and not mails[effect.effect_id]:
                yield f"effect {effect.effect_id} is done and was not mailed"
        elif kind == "webhook" and effect.state == "done" and effect.effect_id not in hooks:
            yield f"effect {effect.effect_id} is done and was not posted"
        elif kind == "slack":
            done_chats += effect.state == "done"
            # One that was claimed and then cancelled may have been sent.
            is_unclear = effect.state == "cancelled" and effect.version > 2
            maybe_chats += effect.state == "quarantined" or is_unclear
    if not done_chats <= chats <= done_chats + maybe_chats:
        yield f"{chats} chat messages for {done_chats} done and {maybe_chats} unclear effects"


def _untold(dump: Dump) -> Iterator[str]:
    """Name owners who were not told because of a merge that does not stand any more."""
    owned = {lead.assignment.assignment_id: lead for lead in dump.live if lead.assignment}
    for effect in dump.effects.values():
        lead = owned.get(effect.assignment.assignment_id) if effect.assignment else None
        ours = lead and effect.lead_id in (lead.lead_id, *lead.members)
        if ours and effect.state == "cancelled" and effect.reason == CHANGED_HANDS:
            yield f"effect {effect.effect_id} was cancelled and its owner has the lead"


def _settled(effect: Effect) -> Iterator[str]:
    if effect.state in ("pending", "sending"):
        yield f"effect {effect.effect_id} is still {effect.state}"
    elif effect.state == "done" and not effect.proof:
        yield f"effect {effect.effect_id} is done without a proof"
    elif effect.state in ("quarantined", "cancelled") and not effect.reason:
        yield f"effect {effect.effect_id} is {effect.state} without a reason"


def _i8(dump: Dump) -> Iterator[str]:
    """Each routing event has one effect for each destination of its rule, and no other."""
    expected: set[str] = set()
    for lead_id, events in dump.events.items():
        for event in events:
            for destination_id in event.told:
                effect_id = digest(event.event_id, destination_id)
                expected.add(effect_id)
                if effect_id not in dump.effects and effect_id not in dump.gone_effects:
                    yield f"lead {lead_id}: {destination_id} was to be told that it is {event.kind}"
            decision = _decision(event, "route")
            if decision is None or event.kind not in ("assigned", "returned", "unowned"):
                continue
            for destination_id in _to_be_told(dump, event.kind, decision):
                effect_id = digest(event.event_id, destination_id)
                expected.add(effect_id)
                if effect_id not in dump.effects and effect_id not in dump.gone_effects:
                    yield f"lead {lead_id}: {destination_id} was to be told that it is {event.kind}"
    words = {effect.effect_id for effect in dump.effects.values() if effect.kind == "erased"}
    if beyond := set(dump.effects) - expected - words:
        yield f"effects {sorted(beyond)} belong to nothing"


def _to_be_told(dump: Dump, kind: str, decision: Decision) -> Iterator[str]:
    config = dump.configs[decision.config_hash]
    rules = {rule.id: rule for rule in config.routing}
    rule = rules.get(decision.inputs["rule"], config.routing[-1] if config.routing else None)
    told: Sequence[str] = rule.notify if rule else ()
    if kind == "unowned":
        told = config.settings.alarms
    elif kind == "returned" and not config.settings.notify_returning:
        told = ()
    return (name for name in told if config.destinations[name].enabled)


def _i9(dump: Dump) -> Iterator[str]:
    """Every decision can be made again from what is stored, and gives the same."""
    for lead in dump.leads.values():
        if not adds_up(lead.score):
            yield f"terms of {lead.lead_id} do not add up to its score"
        if not lead.merged_into and not lead.erased_at and not _can_be_scored_again(dump, lead):
            yield f"score of {lead.lead_id} cannot be made again"
    for records in dump.touches.values():
        for record in records:
            for decision in record.decisions:
                config = dump.configs.get(decision.config_hash)
                if config is None:
                    yield f"touch {record.touch.touch_id}: no such configuration"
                elif decision.kind == "rule" and repick_rule(decision, config)[1] != decision:
                    yield f"touch {record.touch.touch_id}: another rule fits"
                elif decision.kind in ("triage", "stage") and _qualify_again(decision, config):
                    yield f"touch {record.touch.touch_id}: another {decision.kind}"
    yield from _choices(dump)


def _untold_move(dump: Dump, lead: Lead, events: Sequence[Event]) -> Iterator[str]:
    """Whatever a person says of a lead's status or stage is done and stands on its timeline."""
    moves = [event for event in events if event.kind == "moved"]
    is_refused = lead.status_reason == "withdrawn" or lead.triage == "refuse"
    is_told = moves or "touched" in _kinds(events)
    if not is_told and (
        lead.status == "contacted" or (lead.status == "disqualified" and not is_refused)
    ):
        yield f"lead {lead.lead_id} does not say who made it {lead.status}"
    last = max(moves, key=lambda event: event.at, default=None)
    if last and last.before["lead"] == lead.lead_id and lead.version <= last.before["version"]:
        yield f"lead {lead.lead_id} was moved and stands where it was"
    if len({(event.before["lead"], event.before["version"]) for event in moves}) < len(moves):
        yield f"lead {lead.lead_id} was moved twice from one state"
    anew = [event.event_id for event in events if event.kind == "rescored"]
    if len({*anew}) < len(anew):
        yield f"lead {lead.lead_id} was scored anew twice from one state"
    at = lead.score.scored_at
    if any(event.kind == "rescored" and at and event.at > at for event in events):
        yield f"lead {lead.lead_id} was scored anew and does not show it"
    told = [event.at for event in events]
    for lead_id in (lead.lead_id, *lead.members):
        records = dump.touches.get(lead_id, ())
        told += [one.decided_at for record in records for one in record.decisions]
    if at and at > max(told, default=lead.updated_at):
        yield f"lead {lead.lead_id} does not say when it was scored"


def _qualify_again(decision: Decision, config: Config) -> bool:
    """Say whether a decision on triage or stage comes out otherwise."""
    decide = triage if decision.kind == "triage" else find_stage
    return decide(asked_then(decision), config, made_then(decision))[1] != decision


def _can_be_scored_again(dump: Dump, lead: Lead) -> bool:
    touches = dump.touches_of(lead)
    at = lead.score.scored_at
    return at is not None and any(
        score(lead, touches, config.scoring, at) == lead.score for config in dump.configs.values()
    )


def _choices(dump: Dump) -> Iterator[str]:
    """Make each pool's choices again, from an empty ledger, in the ledger's order."""
    decisions: dict[str, dict[int, Decision]] = defaultdict(dict)
    for events in dump.events.values():
        for event in events:
            decision = _decision(event, "route")
            if event.kind == "assigned" and decision:
                pool, version = decision.inputs["pool"], decision.inputs["ledger_version"]
                if version in decisions[pool]:
                    yield f"ledger {pool} v{version} gave out two leads"
                decisions[pool][version] = decision
    history = {(ledger.pool_id, ledger.version): ledger for ledger in _ledger_history(dump)}
    for stored in map(ledger_of, dump.of("ledger")):
        ledger = Ledger(pool_id=stored.pool_id)
        for version in range(1, stored.version + 1):
            decision = decisions[stored.pool_id].get(version)
            if decision is None:
                ledger = _settled_turns(ledger, history.get((stored.pool_id, version)))
                continue
            if decision.inputs.get("beside"):
                ledger = take_beside(ledger, decision.result)
                continue
            config = dump.configs[decision.config_hash]
            if problem := route_problem(decision, config):
                yield f"ledger {stored.pool_id} v{version}: {problem}"
            choice = choose_again(decision, config, ledger)
            if choice is None or choice.owner_id != decision.result:
                yield f"ledger {stored.pool_id} v{version}: it was somebody else's turn"
                break
            ledger = choice.ledger
            yield from _unfair(ledger)
        else:
            if ledger != stored:
                yield f"ledger {stored.pool_id} cannot be made again"


def _settled_turns(ledger: Ledger, after: Ledger | None) -> Ledger:
    """Give turns back, or take them again, at a version that gave out nothing."""
    version = ledger.version
    for owner_id, account in sorted(ledger.accounts.items()):
        known = after.accounts.get(owner_id) if after else None
        more = known.returned - account.returned if known else 0
        for _ in range(abs(more)):
            ledger = (give_back if more > 0 else take_again)(ledger, owner_id)
    return ledger.model_copy(update={"version": version + 1}) if after else ledger


def _i12(dump: Dump) -> Iterator[str]:
    """A dead message is about something that is set aside or done, where people see it."""
    for kept in dump.dead:
        body = kept.message.body
        if "delivery" in body:
            one = dump.deliveries.get(body["delivery"])
            is_seen = one is not None and one.outcome not in ("pending", "waiting")
        elif "effect" in body:
            effect = dump.effects.get(body["effect"])
            is_seen = effect is not None and effect.state not in ("pending", "sending")
            is_seen |= body["effect"] in dump.gone_effects
        elif "lead" in body:
            lead = _survivor(dump, dump.leads.get(body["lead"]))
            is_seen = lead is not None and not lead.awaits
        else:
            is_seen = False
        if not is_seen:
            yield f"a dead message about {sorted(body)} is known nowhere else"


ALWAYS = All(all=())

READERS: Mapping[str, Callable[[Item], Any]] = {
    "delivery": delivery_of,
    "claim": claim_of,
    "lead": lead_of,
    "touch": touch_record_of,
    "event": event_of,
    "effect": effect_of,
    "ledger": ledger_of,
    "day": day_of,
    "load": load_of,
    "account": account_of_item,
    "closed": counted_of,
    "missed": missed_of,
    "active": active_of,
    "version": version_of,
    "key": holders_of,
    "refusal": lambda item: item["reason"],
    "handshake": lambda item: item["at"],
    "token": lambda item: unpacked(Caller, item["data"]),
    "sync": sync_of,
    "watch": watch_of,
    "form": form_of,
    "reread": reread_of,
    "import": import_of,
    "erasure": erasure_of,
    "rescoring": rescoring_of,
    "retention": keeping_of,
    "block": block_of,
    "proposal": proposal_of,
    "weights": weights_of,
    "model": model_of,
    "learning": learning_of,
    "dedupe": dedupe_of,
    "wish": wish_of,
    "standing": lambda item: item["looked_at"],
    "renewal": lambda item: item["until"],
}


def _i13(dump: Dump) -> Iterator[str]:
    """Every item is of a known kind, can be read, and is small enough."""
    for item in dump.items:
        place = f"{item['pk']} {item['sk']}"
        if not item["pk"] or not item["sk"]:
            yield f"an empty key: {place}"
        if item["sk"].startswith("REFUSALS#"):
            continue
        reader = READERS.get(item.get("kind", ""))
        if reader is None:
            yield f"{place} is of no known kind"
            continue
        try:
            reader(item)
        except Exception as error:  # noqa: BLE001
            yield f"{place} cannot be read: {type(error).__name__}"
        size = sum(len(value) for value in item.values() if isinstance(value, str | bytes))
        if size > MOST_ITEM_BYTES:
            yield f"{place} has {size} bytes"


def _i14(dump: Dump) -> Iterator[str]:
    """No person in messages and logs, no secret anywhere."""
    for message in dump.sent:
        text = json.dumps(message.body)
        if CANARY in text and "whole" not in message.body:
            yield f"a message of {sorted(message.body)} holds personal data"
    secrets = {value for values in SECRETS.values() for value in values}
    for line in dump.logs:
        if CANARY in line or any(secret in line for secret in secrets):
            yield "a log line holds personal data or a secret"
    for item in dump.of("form"):
        if CANARY in f"{item['summary']}{form_of(item)!r}":
            yield f"what is known of a form of {item['pk']} holds personal data"
    for one in dump.deliveries.values():
        raw = dump.blobs.get(one.blob) if one.blob else one.raw
        text = repr(unpack(raw)) if raw else ""
        if any(secret in text for secret in secrets):
            yield f"delivery {one.delivery_id} holds a secret"


def _i15(dump: Dump) -> Iterator[str]:
    """What is pointed to is there, and what is there is pointed to."""
    pointed = {one.blob for one in dump.deliveries.values() if one.blob}
    pointed |= {one.blob for one in dump.imports if one.size}
    pointed |= {one.outcomes for one in dump.imports if one.outcomes}
    for name in pointed - set(dump.blobs):
        yield f"blob {name} is pointed to and not there"
    # A file may be there before anybody has looked at it.
    orphans = set(dump.blobs) - pointed - {one.blob for one in dump.imports}
    unheard = sum(one.status is None or one.status >= 500 for one in dump.told)
    if len(orphans) > unheard:
        # The door may end between blob and item; its sender was told nothing and sends again.
        yield f"blobs {sorted(orphans)} are there and nothing points to them"


def _i16(dump: Dump) -> Iterator[str]:
    """Versions go up one by one, time does not run back, published versions never change."""
    versions: dict[tuple[str, str], int] = {}
    seen: dict[tuple[str, str], Item] = {}
    for puts in dump.commits:
        for put in puts:
            before, after = versions.get(put.key, 0), int(put.item.get("version", 0))
            step = 0 if put.name == "sent on" else 1
            is_whole = put.item["kind"] in STEPPED and after != before + step
            if is_whole or (put.item["kind"] in GROWING and after <= before):
                yield f"{put.key[0]} went from version {before} to {after} by {put.name}"
            is_erased = put.name.startswith("erased event")
            if put.key in seen and put.item["kind"] in ("event", "version") and not is_erased:
                yield f"{put.key[0]} {put.key[1]} was written twice"
            versions[put.key], seen[put.key] = after, put.item
    for version in map(version_of, dump.of("version")):
        if config_hash(Config.model_validate_json(version.document)) != version.hash:
            yield f"configuration {version.number} is not what its hash says"
    yield from _times(dump)


def _i17(dump: Dump) -> Iterator[str]:
    """An import that was started is through, and tells of each row what became of it."""
    for one in dump.imports:
        if one.state == "running":
            yield f"import {one.import_id} still runs"
        if one.state not in ("done", "failed"):
            continue
        if not one.rows == one.settled == sum(one.counts.values()):
            yield f"import {one.import_id} counts {dict(one.counts)} of {one.rows} rows"
        kept = 0
        for place in range(-(-one.rows // ROWS)):
            delivery = dump.deliveries.get(chunk_id(one.import_id, place))
            raw = delivery and (dump.blobs.get(delivery.blob) if delivery.blob else delivery.raw)
            if delivery and delivery.emptied_at:
                kept += delivery.acts
                continue
            if not raw:
                yield f"import {one.import_id} has lost rows from {place * ROWS} on"
                continue
            body = unpack(raw).json()
            kept += len(body["rows"])
            if any(one.mapping[column] != field for column, field in body["mapping"].items()):
                yield f"import {one.import_id} has rows that were read by another mapping"
        if kept != one.rows:
            yield f"import {one.import_id} has {kept} rows and says {one.rows}"


def _i18(dump: Dump) -> Iterator[str]:
    """Of an erased person nothing is left, and of a finished erasure not whom it was about."""
    for lead in dump.leads.values():
        if not lead.erased_at:
            continue
        if lead.profile or lead.edits or lead.identity_keys or lead.consents or lead.custom:
            yield f"erased lead {lead.lead_id} still says who it was"
        if dump.touches.get(lead.lead_id):
            yield f"erased lead {lead.lead_id} still has touches"
        for event in dump.events.get(lead.lead_id, []):
            if event.text or event.before or event.edits:
                yield f"erased lead {lead.lead_id} still has a timeline"
    erased = {lead.lead_id for lead in dump.leads.values() if lead.erased_at}
    for claim in dump.claims:
        if claim.erased_at and (claim.external_id or claim.lead_id or claim.delivery_id):
            yield f"a claim of {claim.source_id} is erased and says whose it was"
        elif not claim.erased_at and claim.lead_id in erased:
            yield f"a claim of {claim.source_id} is of erased lead {claim.lead_id}"
    for effect in dump.effects.values():
        if effect.lead_id in erased and effect.kind != "erased":
            yield f"effect {effect.effect_id} is about erased lead {effect.lead_id}"
    kinds = {
        name: destination.kind
        for config in dump.configs.values()
        for name, destination in config.destinations.items()
    }
    for delivery in dump.deliveries.values():
        if any(result.lead_id in erased for result in delivery.results.values()):
            yield f"delivery {delivery.delivery_id} led to an erased lead and still says so"
        if delivery.emptied_at and (delivery.raw or delivery.blob):
            yield f"delivery {delivery.delivery_id} was emptied and is not empty"
    begun = {lead_id for one in dump.erasures for lead_id in one.lead_ids}
    if erased - begun:
        yield f"leads {sorted(erased - begun)} are erased by nobody"
    for one in dump.erasures:
        if one.state == "done" and (one.person or one.place or one.waits_for or not one.checks):
            yield f"erasure {one.erasure_id} is done and not finished"
        if any(checked.found for checked in one.checks):
            yield f"erasure {one.erasure_id} found something left"
        erased_effects = [one for one in dump.effects.values() if one.kind == "erased"]
        words = {effect.destination_id for effect in erased_effects}
        for told in one.told:
            if kinds[told.destination_id] == "webhook" and told.destination_id not in words:
                yield f"{told.destination_id} was told of somebody and not that they were erased"


REMOVED = {
    "leads": ("", "erased lead"),
    "touches": ("touch", ""),
    "claims": ("", "erased claim"),
    "timeline_entries": ("event", "erased event"),
    "notifications": ("effect", ""),
    "proposals": ("proposal", ""),
    "identity_keys": ("key", "released key"),
    "requests": ("", "erased request"),
    "refusals": ("refusal", ""),
    "ledger_names": ("", "erased names"),
    "files": ("", "erased file"),
}
"""What a certificate counts: the kind of items that go, and the writes that leave less of one."""


def _i18_certificates(dump: Dump) -> Iterator[str]:
    """No certificate says that more is gone than went, whatever died while it did."""
    for one in dump.erasures:
        if len({told.effect_id for told in one.told}) < len(one.told):
            yield f"erasure {one.erasure_id} names a notification twice"
    if not dump.commits:
        return
    puts = [put for puts in dump.commits for put in puts]
    gone: Counter[str] = Counter()
    made = {put.key: put.item["kind"] for put in puts}
    gone.update(made.values())
    # A key that went may have come anew.
    gone["key"] = sum(put.item["kind"] == "key" and put.item["version"] == 1 for put in puts)
    there = {(item["pk"], item["sk"]) for item in dump.items}
    gone.subtract(kind for key, kind in made.items() if key in there)
    gone["proposal"] //= 2  # they stand on both sides
    for name, (kind, write) in REMOVED.items():
        # A tombstone of what was never taken is none of what was.
        left = [put for put in puts if write and put.name.startswith(write)]
        went = gone[kind] + sum(put.item["version"] > 1 for put in left)
        told = sum(one.removed.get(name, 0) for one in dump.erasures)
        if told > went:
            yield f"certificates say that {told} {name} are gone, and {went} went"


STEPPED = {"delivery", "claim", "lead", "effect", "active", "import"}
GROWING = {"ledger", "day", "load"}
"""Their versions grow by one for each lead of a round."""


def _times(dump: Dump) -> Iterator[str]:
    for lead in dump.leads.values():
        if lead.updated_at < lead.created_at:
            yield f"lead {lead.lead_id} changed before it was made"
        for event in dump.events.get(lead.lead_id, []):
            if event.at < lead.created_at:
                yield f"lead {lead.lead_id}: {event.kind} before it was made"


def _i19(dump: Dump) -> Iterator[str]:
    """Leads that are kept apart both say so, and are two; no merge stands against it."""
    for lead in dump.live:
        for other_id in lead.apart:
            other = _survivor(dump, dump.leads.get(other_id))
            if other is None or other.erased_at:
                continue
            if other.lead_id == lead.lead_id:
                yield f"lead {lead.lead_id} is kept apart from itself"
            elif {lead.lead_id, *lead.members}.isdisjoint(other.apart):
                yield f"lead {other.lead_id} does not say that it is kept apart"
            if not {"kept_apart", "unmerged"} & _kinds(dump.events_of(lead)):
                yield f"lead {lead.lead_id} does not say who keeps it apart"


def _i20(dump: Dump) -> Iterator[str]:
    """A proposal stands alike on both sides, about two that were leads; weights in use are there.

    What is decided of two leads may stand on them before it stands on their proposal.
    """
    sides: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in dump.of("proposal"):
        proposal = proposal_of(item)
        sides[proposal.lead_ids].append(item)
        if {_lead_id(item), item["sk"].partition("#")[2]} != {*proposal.lead_ids}:
            yield f"{item['pk']} holds a proposal about others"
    for lead_ids, items in sides.items():
        if len(items) != 2 or items[0]["data"] != items[1]["data"]:
            yield f"the two sides of proposal {lead_ids} differ"
        if sum("list_pk" in item for item in items) != 1:
            yield f"proposal {lead_ids} is not listed once"
        for lead_id in lead_ids:
            lead = dump.leads.get(lead_id)
            if lead is None or lead.erased_at:
                yield f"proposal {lead_ids} is about {lead_id}, who is not there"
    learnt = {int(item["sk"].partition("#")[2]) for item in dump.of("weights")}
    for number in {active_of(item).weights for item in dump.of("active")} - {0}:
        if number not in learnt:
            yield f"weights {number} are in use and not there"
    cards = {int(item["sk"].partition("#")[2]) for item in dump.of("model")}
    for number in {active_of(item).model for item in dump.of("active")} - {0, *cards}:
        yield f"model {number} is in use and not there"


def _i21(dump: Dump) -> Iterator[str]:
    """What a provider told of somebody is heeded, however late what they sent before comes."""
    wishes = {(item["pk"], item["sk"]): wish_of(item) for item in dump.of("wish")}
    for lead in dump.live:
        for touch in dump.touches_of(lead):
            told = [wishes[key] for key in map(wish_key, keys_judged(touch)) if key in wishes]
            until = [one.erased[touch.source_id] for one in told if touch.source_id in one.erased]
            if until and touch.submitted_at <= max(until) and not touch.void:
                yield f"touch {touch.touch_id} counts, and its source wants it gone"
            for delivery_id in {heard for one in told for heard in one.heard}:
                if dump.deliveries[delivery_id].outcome == "ignored" and not touch.only_if_known:
                    yield f"what delivery {delivery_id} told of {lead.lead_id} is not heeded"


def _i22(dump: Dump) -> Iterator[str]:
    """An open lead has one owner, one next step and one clock, and each step is taken once."""
    due = {_lead_id(item): item.get("due_at", "") for item in dump.of("lead")}
    for lead in dump.live:
        wakes_at = due[lead.lead_id]
        if lead.clock_at and not wakes_at:
            yield f"nothing wakes the clock of lead {lead.lead_id}"
        elif lead.clock_at and wakes_at > utc_text(lead.clock_at + timedelta(minutes=15)):
            yield f"the clock of lead {lead.lead_id} is woken too late"
        elif wakes_at and not (lead.clock_at or lead.awaits or lead.is_unowned):
            yield f"lead {lead.lead_id} is due and nothing is to be done"
        yield from _without_clock(dump, lead)
    taken: Counter[tuple[str, ...]] = Counter()
    for lead_id, events in dump.events.items():
        for event in events:
            decision = _decision(event, "escalation")
            if decision is None:
                continue
            inputs = decision.inputs
            assignment_id = inputs["assignment"]["assignment_id"]
            step = f"{inputs['promise']} {inputs['step']}"
            taken[assignment_id, str(inputs["since"]), step] += 1
            again = fire_again(decision, dump.configs[decision.config_hash])
            if again != decision.result:
                yield f"lead {lead_id}: {decision.result!r} then, {again!r} now"
    yield from (
        f"step {step} was taken {count} times" for step, count in taken.items() if count > 1
    )


def _without_clock(dump: Dump, lead: Lead) -> Iterator[str]:
    """Name an open lead whose owner is awaited to do nothing though its policy says so."""
    if lead.assignment is None or not lead.is_open or lead.awaits:
        return
    given = [
        decision
        for event in dump.story_of(lead)
        if (decision := _decision(event, "route")) and event.kind in ("assigned", "returned")
    ]
    last = max(given, key=lambda one: one.decided_at, default=None)
    config = dump.configs.get(last.config_hash) if last else None
    if config is None or not any(policy.when == ALWAYS for policy in config.sla.policies):
        return
    clock = lead.assignment.clock
    kinds = [promise.kind for promise in clock]
    if not clock or len(kinds) != len(set(kinds)):
        yield f"lead {lead.lead_id} has no clock, or one that is not one: {kinds}"
    policies = {policy.id: policy for policy in config.sla.policies}
    policy = policies.get(clock[0].policy_id) if clock else None
    if policy and policy.step and all(promise.kept_at for promise in clock):
        yield f"lead {lead.lead_id} has no next step"


INVARIANTS: Mapping[str, Callable[[Dump], Iterator[str]]] = {
    "I1": _i1,
    "I2": _i2,
    "I3": _i3,
    "I3b": _i3_blocks,
    "I4": _i4,
    "I5": _i5,
    "I6": _i6,
    "I7": _i7,
    "I8": _i8,
    "I9": _i9,
    "I12": _i12,
    "I14": _i14,
    "I15": _i15,
    "I16": _i16,
    "I17": _i17,
    "I19": _i19,
    "I20": _i20,
    "I21": _i21,
    "I22": _i22,
    "I18": _i18,
    "I18b": _i18_certificates,
}


def _kinds(events: Sequence[Event]) -> set[str]:
    return {event.kind for event in events}


def _lead_id(item: Item) -> str:
    return str(item["pk"]).removeprefix("LEAD#")


def _decision(event: Event, kind: str) -> Decision | None:
    return next((decision for decision in event.decisions if decision.kind == kind), None)


def _survivor(dump: Dump, lead: Lead | None) -> Lead | None:
    """Follow a merged lead to the live one; None when there is no end."""
    for _ in range(100):
        if lead is None or not lead.merged_into:
            return lead
        lead = dump.leads.get(lead.merged_into)
    return None


def _ledger_history(dump: Dump) -> list[Ledger]:
    return [
        ledger_of(put.item)
        for puts in dump.commits
        for put in puts
        if put.item.get("kind") == "ledger"
    ]


__all__ = ["Dump", "Version", "Violation", "check", "dumped", "problems"]
