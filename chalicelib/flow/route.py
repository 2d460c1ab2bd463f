"""Step 5: choose a lead's owner; assignment, ledger and effects in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.config.model import Owner, RoutingRule
from chalicelib.errors import Conflict, Misconfigured, Unavailable
from chalicelib.flow.leads import live_leads
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Assignment, Decision, Lead, Verdict
from chalicelib.lead.routing import Choice, Ledger, choose, eligibility, local_day, pick_rule
from chalicelib.records import (
    ACTIVE_KEY,
    Day,
    Effect,
    EffectKind,
    Event,
    day_item,
    day_key,
    day_of,
    digest,
    effect_item,
    effect_of,
    event_item,
    event_of,
    lead_item,
    lead_key,
    lead_of,
    ledger_item,
    ledger_key,
    ledger_of,
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


@dataclass
class Round:
    """Leads routed together: what was read, and what is to be written at once."""

    hub: Hub
    current: Current
    now: datetime
    writer: str
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    ledgers_read: dict[str, int] = field(default_factory=dict)
    days: dict[tuple[str, str], Day] = field(default_factory=dict)
    days_read: dict[tuple[str, str], int] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    unowned: list[str] = field(default_factory=list)


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
    candidates: list[Verdict] = []
    for pool_id in _pools(together.current, rule):
        verdicts = _verdicts(together, pool_id, lead)
        pool = together.current.config.pools[pool_id]
        ledger = _ledger(together, pool_id)
        choice = choose(pool_id, pool, ledger, verdicts)
        if choice is not None:
            candidates += choice.verdicts
            together.ledgers[pool_id] = choice.ledger
            _assign(together, lead, rule, ledger, choice, candidates)
            return
        candidates += verdicts.values()
    because = "nobody who could take it is there" if rule else "no routing rule fits"
    _leave_unowned(together, lead, because, candidates)


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


def _verdicts(together: Round, pool_id: str, lead: Lead) -> dict[str, Verdict]:
    """Decide for each member of a pool whether they can take the lead, before any choice."""
    config = together.current.config
    members = [member.owner for member in config.pools[pool_id].members]
    owners = {owner_id: _owner(together, owner_id) for owner_id in members}
    _read_days(together, {i: o for i, o in owners.items() if o.daily_cap is not None})
    return {
        owner_id: eligibility(
            owner_id,
            owner,
            config.settings,
            _taken(together, owner_id, owner),
            together.now,
            declined_by=lead.declined_by,
        )
        for owner_id, owner in owners.items()
    }


def _owner(together: Round, owner_id: str) -> Owner:
    """Give an owner as they are at this moment: who switched themselves off is not active."""
    owner = together.current.config.owners[owner_id]
    until = together.current.active.off.get(owner_id)
    if until is None or (until and datetime.fromisoformat(until) <= together.now):
        return owner
    return owner.model_copy(update={"active": False})


def _read_days(together: Round, capped: dict[str, Owner]) -> None:
    wanted = {(owner_id, _today(together, owner)) for owner_id, owner in capped.items()} - set(
        together.days
    )
    found = together.hub.table.get_many([day_key(*one) for one in sorted(wanted)])
    for owner_id, day in wanted:
        item = found.get(day_key(owner_id, day))
        stored = day_of(item) if item else Day(owner_id=owner_id, day=day, taken=0, version=0)
        together.days[owner_id, day] = stored
        together.days_read[owner_id, day] = stored.version


def _taken(together: Round, owner_id: str, owner: Owner) -> int:
    if owner.daily_cap is None:
        return 0
    return together.days[owner_id, _today(together, owner)].taken


def _today(together: Round, owner: Owner) -> str:
    """Name the day on the owner's own calendar."""
    return str(local_day(owner, together.current.config.settings, together.now))


def _ledger(together: Round, pool_id: str) -> Ledger:
    if pool_id not in together.ledgers:
        item = together.hub.table.get(ledger_key(pool_id))
        ledger = ledger_of(item) if item else Ledger(pool_id=pool_id)
        together.ledgers[pool_id] = ledger
        together.ledgers_read[pool_id] = ledger.version
    return together.ledgers[pool_id]


def _keeper(together: Round, lead: Lead) -> str | None:
    """Give the owner whom a returning lead stays with, if that owner is still there."""
    if lead.assignment is None:
        return None
    owner_id = lead.assignment.owner_id
    config = together.current.config
    if owner_id not in config.owners or owner_id in lead.declined_by:
        return None
    owner = _owner(together, owner_id)
    today = local_day(owner, config.settings, together.now)
    if not owner.active or any(a.first <= today <= a.last for a in owner.absences):
        return None
    pool = config.pools.get(lead.pool_id)
    is_in_pool = pool is not None and any(member.owner == owner_id for member in pool.members)
    return owner_id if is_in_pool or not lead.is_raised else None


def _keep(together: Round, lead: Lead, rule: RoutingRule | None, owner_id: str) -> None:
    because = "the lead came back and its owner is active, so it stays"
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
    ledger: Ledger,
    choice: Choice,
    candidates: Sequence[Verdict],
) -> None:
    """Give a lead to the owner whose turn it is."""
    owner_id, because = choice.owner_id, choice.because
    owner = together.current.config.owners[owner_id]
    assignment = Assignment(
        assignment_id=digest(lead.lead_id, str(lead.routed + 1)),
        owner_id=owner_id,
        pool_id=ledger.pool_id,
        rule_id=rule.id if rule else "",
        assigned_at=together.now,
    )
    decision = _decision(together, lead, owner_id, because, candidates, ledger)
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
    if owner.daily_cap is not None:
        day = _today(together, owner)
        count = together.days[owner_id, day]
        together.days[owner_id, day] = count.model_copy(
            update={"taken": count.taken + 1, "version": count.version + 1}
        )
    _write(together, lead, owned, event, rule.notify if rule else (), because)


def _leave_unowned(
    together: Round, lead: Lead, because: str, candidates: Sequence[Verdict]
) -> None:
    """Put a lead in the unowned queue with an alarm; one that is there already just stays."""
    due_at = together.now + UNOWNED_AGAIN_AFTER
    if lead.is_unowned and not lead.awaits:
        again = lead.model_copy(update={"version": lead.version + 1})
        _put_lead(together, lead, again, due_at)
        return
    decision = _decision(together, lead, "", because, candidates)
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
    saved = after.model_copy(
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
            assignment=saved.assignment,
            because=because,
            config_hash=together.current.hash,
            due_at=together.now + SENT_ON_AFTER,
        )
        together.effects.append(effect)
        name = f"effect {lead.lead_id} {destination_id}"
        together.writes.append(Put(name, effect_item(effect, together.writer), Absent()))


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
    for key, day in sorted(together.days.items()):
        read = together.days_read[key]
        if day.version != read:
            item = day_item(day, together.writer)
            writes.append(Put(f"day of {key[0]}", item, at_version(read)))
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
        },
        candidates=tuple(candidates),
        result=result,
        because=because,
    )
