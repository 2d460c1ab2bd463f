"""Step 5: choose a lead's owner; assignment, ledger and effects in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.config.model import RoutingRule
from chalicelib.errors import Conflict, Misconfigured, Unavailable
from chalicelib.flow.leads import live_leads
from chalicelib.flow.round import (
    Round,
    account_owner,
    count_lead,
    count_open,
    count_writes,
    facts_for,
    is_there,
    known_of,
    ledger_now,
    read_counts,
    remember_account,
    verdicts_on,
)
from chalicelib.hub import Current, Hub
from chalicelib.lead.choosing.turn import seed_of, take_turn, what_is_kept
from chalicelib.lead.model import Assignment, Decision, Lead, Verdict
from chalicelib.lead.routing import (
    Choice,
    Ledger,
    pick_rule,
    take_beside,
)
from chalicelib.records import (
    ACTIVE_KEY,
    Effect,
    EffectKind,
    Event,
    digest,
    effect_item,
    effect_of,
    event_item,
    event_of,
    lead_item,
    lead_key,
    lead_of,
    ledger_item,
)
from chalicelib.storage import (
    ATTEMPTS,
    MOST_WRITES,
    Absent,
    Check,
    Holds,
    Message,
    Put,
    Received,
    Write,
    at_version,
)

SENT_ON_AFTER = timedelta(minutes=4)
"""When tick takes an effect for one whose message was lost.

Later than an attempt made at once may take: so a claim need not move it, and that saves writes.
"""

UNOWNED_AGAIN_AFTER = timedelta(minutes=15)
"""How often a lead of the unowned queue is offered anew."""


NOTHING: Mapping[str, Any] = {}


def route(hub: Hub, messages: Sequence[Received]) -> list[str]:
    """Handle routing messages `{"lead": id}` in order; gives the ids that must come back.

    After the first failure all later ones come back too, or a pool's order would break.
    """
    lead_ids = list(dict.fromkeys(str(message.body["lead"]) for message in messages))
    try:
        effects = _route_together(hub, lead_ids)
    except Conflict:
        return _route_apart(hub, messages)
    except (Unavailable, Misconfigured) as error:
        hub.trouble(error)
        return [message.message_id for message in messages]
    try:
        send_effects(hub, effects)
    except Unavailable as error:
        hub.trouble(error)
        return [message.message_id for message in messages]
    return []


def set_aside(hub: Hub, message: Received, error: Exception) -> None:
    """Put a lead that our own code fails to route in the unowned queue, with an alarm.

    A pool's leads are routed in order, so one that fails must not make the others wait.

    Raises:
        Unavailable: the table is down; the message must come back.
        Conflict: others kept writing first; the message must come back.
    """
    together = _round(hub)
    for lead in live_leads(hub.table, [str(message.body["lead"])]):
        if lead.awaits:
            because = f"a mistake of ours: {type(error).__name__}"
            _leave_unowned(together, lead, because, ())
    if together.writes:
        _save(together)
        send_effects(hub, together.effects)


def _round(hub: Hub) -> Round:
    return Round(hub, hub.configurations.current(), hub.clock(), f"route:{hub.new_id()}")


def _route_apart(hub: Hub, messages: Sequence[Received]) -> list[str]:
    """Route one lead at a time, each anew until nobody else writes in between."""
    for position, message in enumerate(messages):
        try:
            send_effects(hub, _route_one(hub, str(message.body["lead"])))
        except (Unavailable, Conflict, Misconfigured) as error:
            hub.trouble(error)
            return [later.message_id for later in messages[position:]]
    return []


def _route_one(hub: Hub, lead_id: str) -> list[Effect]:
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        try:
            return _route_together(hub, [lead_id])
        except Conflict:
            continue
    raise Conflict(f"lead {lead_id}: others kept writing first")


def _route_together(hub: Hub, lead_ids: Sequence[str]) -> list[Effect]:
    """Decide on leads one after another, and save all that in one transaction."""
    together = _round(hub)
    unsent: list[Effect] = []
    for lead in live_leads(hub.table, lead_ids):
        if lead.awaits or lead.is_unowned:
            _decide(together, lead)
        else:
            unsent += _unsent(hub, lead)
    if together.writes:
        _save(together)
    return [*unsent, *together.effects]


def _unsent(hub: Hub, lead: Lead) -> list[Effect]:
    """Give effects of a routed lead whose message may have been lost with an earlier try."""
    stored = [effect_of(item) for item in hub.table.query(lead_key(lead.lead_id)[0], "EFFECT#")]
    return [effect for effect in stored if effect.state == "pending" and not effect.attempts]


def _decide(together: Round, lead: Lead) -> None:
    lead, rule = _with_rule(together, lead)
    keeper = _keeper(together, lead)
    if keeper is not None:
        _keep(together, lead, rule, keeper)
        return
    pool_ids = _pools(together.current, rule)
    facts = facts_for(together, lead, pool_ids)
    answers = account_owner(together, lead, facts) if pool_ids else None
    if answers is not None:
        _assign_beside(together, lead, rule, pool_ids[0], answers, facts)
        return
    candidates: list[Verdict] = []
    for pool_id in pool_ids:
        verdicts = verdicts_on(together, pool_id, lead, facts)
        known = known_of(together, pool_id, verdicts, facts)
        config = together.current.config
        ledger = ledger_now(together, pool_id)
        seed = seed_of(lead.lead_id, lead.version)
        choice = take_turn(config, pool_id, ledger, verdicts, known, together.now, seed)
        if choice is not None:
            candidates += choice.verdicts
            together.ledgers[pool_id] = choice.ledger
            kept = what_is_kept(config.pools[pool_id], verdicts, known)
            more = {**_asked(facts), **kept, **_drawn(choice)}
            given = Given(choice.owner_id, choice.because, ledger, more)
            _assign(together, lead, rule, given, candidates)
            remember_account(together, choice.owner_id, facts)
            return
        candidates += verdicts.values()
    because = "nobody who could take it is there" if rule else "no routing rule fits"
    _leave_unowned(together, lead, because, candidates, _asked(facts))


@dataclass(frozen=True)
class Given:
    """Who gets a lead, and why.

    Attributes:
        ledger: as it was before.
        more: what the decision keeps beside the ledger.
    """

    owner_id: str
    because: str
    ledger: Ledger
    more: Mapping[str, Any]


def _asked(facts: Mapping[str, Any]) -> dict[str, Any]:
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in facts.items()}
    return {"facts": plain} if plain else {}


def _drawn(choice: Choice) -> dict[str, Any]:
    return {"chances": dict(choice.chances)} if choice.chances else {}


def _assign_beside(
    together: Round,
    lead: Lead,
    rule: RoutingRule | None,
    pool_id: str,
    answers: tuple[str, str],
    facts: Mapping[str, Any],
) -> None:
    """Give a lead out of turn to who answers for its company."""
    owner_id, because = answers
    read_counts(together, owner_id)
    ledger = ledger_now(together, pool_id)
    together.ledgers[pool_id] = take_beside(ledger, owner_id)
    verdict = Verdict(candidate=owner_id, is_eligible=True, because=because)
    given = Given(owner_id, because, ledger, {**_asked(facts), "beside": True})
    _assign(together, lead, rule, given, (verdict,))


def _with_rule(together: Round, lead: Lead) -> tuple[Lead, RoutingRule | None]:
    """Give a lead with the rule that picked its pool; if that is gone since, pick another."""
    current = together.current
    for rule in current.config.routing:
        if rule.id == lead.rule_id:
            return lead, rule
    picked, _ = pick_rule(lead, current.config, current.hash, together.hub.code, together.now)
    rule_id, pool_id = (picked.id, picked.pool) if picked else ("", "")
    return lead.model_copy(update={"rule_id": rule_id, "pool_id": pool_id}), picked


def _pools(current: Current, rule: RoutingRule | None) -> list[str]:
    pools = [rule.pool, rule.fallback] if rule else []
    return [pool for pool in dict.fromkeys(pools) if pool and pool in current.config.pools]


def _keeper(together: Round, lead: Lead) -> str | None:
    """Give the owner whom a returning lead stays with, if that owner is still there."""
    if lead.assignment is None:
        return None
    owner_id = lead.assignment.owner_id
    config = together.current.config
    if not is_there(together, lead, owner_id):
        return None
    pool = config.pools.get(lead.pool_id)
    is_in_pool = pool is not None and any(member.owner == owner_id for member in pool.members)
    return owner_id if is_in_pool or not lead.is_raised else None


def _keep(together: Round, lead: Lead, rule: RoutingRule | None, owner_id: str) -> None:
    because = "the lead came back and its owner is active, so it stays"
    count_open(together, owner_id, lead.lead_id)
    decision = _decision(together, lead, owner_id, because, ())
    event = _event(together, lead, "returned", because, decision)
    settled = lead.model_copy(
        update={
            "awaits": "",
            "is_unowned": False,
            "is_raised": False,
            "status": "assigned" if lead.status == "new" else lead.status,
        }
    )
    is_told = together.current.config.settings.notify_returning
    _write(together, lead, settled, event, rule.notify if rule and is_told else (), because)


def _assign(
    together: Round,
    lead: Lead,
    rule: RoutingRule | None,
    given: Given,
    candidates: Sequence[Verdict],
) -> None:
    """Give a lead to an owner."""
    owner_id, because, ledger = given.owner_id, given.because, given.ledger
    owner = together.current.config.owners[owner_id]
    assignment = Assignment(
        assignment_id=digest(lead.lead_id, str(lead.routed + 1)),
        owner_id=owner_id,
        pool_id=ledger.pool_id,
        rule_id=rule.id if rule else "",
        assigned_at=together.now,
    )
    decision = _decision(together, lead, owner_id, because, candidates, ledger, given.more)
    event = _event(together, lead, "assigned", f"given to {owner.name}: {because}", decision)
    owned = lead.model_copy(
        update={
            "awaits": "",
            "is_unowned": False,
            "is_raised": False,
            "assignment": assignment,
            "status": "assigned" if lead.status == "new" else lead.status,
            "routed": lead.routed + 1,
        }
    )
    count_lead(together, owner_id, lead.lead_id)
    _write(together, lead, owned, event, rule.notify if rule else (), because)


def _leave_unowned(
    together: Round,
    lead: Lead,
    because: str,
    candidates: Sequence[Verdict],
    more: Mapping[str, Any] = NOTHING,
) -> None:
    """Put a lead in the unowned queue with an alarm; one that is there already just stays."""
    due_at = together.now + UNOWNED_AGAIN_AFTER
    if lead.is_unowned and not lead.awaits:
        again = lead.model_copy(update={"version": lead.version + 1})
        _put_lead(together, lead, again, due_at)
        return
    decision = _decision(together, lead, "", because, candidates, None, more)
    event = _event(together, lead, "unowned", f"waits for an owner: {because}", decision)
    unowned = lead.model_copy(
        update={
            "awaits": "",
            "is_unowned": True,
            "assignment": None,
            "status": "new" if lead.status == "assigned" else lead.status,
            "routed": lead.routed + 1,
        }
    )
    together.unowned.append(lead.lead_id)
    alarms = together.current.config.settings.alarms
    _write(together, lead, unowned, event, alarms, because, due_at)


def _write(
    together: Round,
    lead: Lead,
    after: Lead,
    event: Event,
    destination_ids: Sequence[str],
    because: str,
    due_at: datetime | None = None,
) -> None:
    """Plan the writes for one lead: its new state, the event, one effect a destination."""
    saved = _with_clock(together, after, event.kind).model_copy(
        update={
            "version": lead.version + 1,
            "updated_at": max(together.now, lead.updated_at),
            "config_hash": together.current.hash,
        }
    )
    _put_lead(together, lead, saved, due_at)
    together.writes.append(
        Put(
            f"routing event {lead.lead_id}",
            event_item(lead.lead_id, event, together.writer),
            Absent(),
        )
    )
    destinations = together.current.config.destinations
    for destination_id in destination_ids:
        if not destinations[destination_id].enabled:
            continue
        effect = Effect(
            effect_id=digest(event.event_id, destination_id),
            lead_id=lead.lead_id,
            destination_id=destination_id,
            kind=event.kind,
            created_at=together.now,
            assignment=after.assignment,
            because=because,
            config_hash=together.current.hash,
            due_at=together.now + SENT_ON_AFTER,
        )
        together.effects.append(effect)
        name = f"effect {lead.lead_id} {destination_id}"
        together.writes.append(Put(name, effect_item(effect, together.writer), Absent()))


def _with_clock(together: Round, lead: Lead, kind: str) -> Lead:
    """Start the clock of a lead that was assigned, or came back; where clocks are configured."""
    if not together.current.config.sla.policies or lead.assignment is None:
        return lead
    from chalicelib.lead import sla  # most hubs do without

    start = sla.assigned if kind == "assigned" else sla.returned
    return start(lead, together.current.config, together.now)


def _put_lead(together: Round, lead: Lead, saved: Lead, due_at: datetime | None) -> None:
    together.leads.append(lead.lead_id)
    together.writes.append(
        Put(
            f"routed lead {lead.lead_id}",
            lead_item(saved, together.writer, due_at),
            Holds("version", lead.version),
        )
    )


def _save(together: Round) -> None:
    """Write a round: leads, events, effects, ledgers and day counts, or nothing of it."""
    writes: list[Write] = [
        Check("configuration", ACTIVE_KEY, Holds("version", together.current.active.version))
    ]
    for pool_id, ledger in sorted(together.ledgers.items()):
        read = together.ledgers_read[pool_id]
        if ledger.version != read:
            item = ledger_item(ledger, together.writer)
            writes.append(Put(f"ledger {pool_id}", item, at_version(read)))
    writes += count_writes(together)
    writes += together.writes
    if len(writes) > MOST_WRITES and len(together.leads) > 1:
        raise Conflict("too many leads for one transaction")
    together.hub.table.write(writes)
    for lead_id in together.unowned:
        together.hub.alarm("unowned", {"lead": lead_id})


def send_effects(hub: Hub, effects: Sequence[Effect]) -> None:
    """Put effects on the outbox, by id."""
    if effects:
        hub.outbox.send(
            [Message({"lead": effect.lead_id, "effect": effect.effect_id}) for effect in effects]
        )


@dataclass(frozen=True)
class Plan:
    """What routing would do with a lead; nothing of it is written.

    Attributes:
        lead: as it would be.
        event: what its timeline would say.
        effects: who would be told.
    """

    lead: Lead
    event: Event
    effects: tuple[Effect, ...]


def plan(hub: Hub, lead: Lead) -> Plan:
    """Decide who would get a lead now, on a copy of the ledgers."""
    together = _round(hub)
    _decide(together, lead)
    items = {write.item["kind"]: write.item for write in together.writes if isinstance(write, Put)}
    return Plan(lead_of(items["lead"]), event_of(items["event"]), tuple(together.effects))


def _event(
    together: Round,
    lead: Lead,
    kind: EffectKind,
    text: str,
    decision: Decision,
) -> Event:
    return Event(
        event_id=digest(lead.lead_id, str(lead.version), kind),
        kind=kind,
        at=max(together.now, lead.updated_at),
        actor="hub",
        text=text,
        decisions=(decision,),
    )


def _decision(
    together: Round,
    lead: Lead,
    result: str,
    because: str,
    candidates: Sequence[Verdict],
    ledger: Ledger | None = None,
    more: Mapping[str, Any] = NOTHING,
) -> Decision:
    """Record a routing decision; with a choice, also the ledger as it was before."""
    asked = {verdict.candidate for verdict in candidates if verdict.is_eligible}
    accounts = ledger.accounts if ledger else {}
    return Decision(
        kind="route",
        decided_at=together.now,
        config_hash=together.current.hash,
        code=together.hub.code,
        inputs={
            "lead_id": lead.lead_id,
            "version": lead.version,
            "rule": lead.rule_id,
            "pool": ledger.pool_id if ledger else "",
            "ledger_version": ledger.version + 1 if ledger else 0,
            "decided": ledger.decided if ledger else 0,
            "accounts": {
                owner_id: account.model_dump(exclude_defaults=True)
                for owner_id, account in sorted(accounts.items())
                if owner_id in asked
            },
            "roster_version": together.current.active.version,
            **more,
        },
        candidates=tuple(candidates),
        result=result,
        because=because,
    )
