"""A round of routing: what is read of owners, ledgers and counts, once for all of its leads."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.config.model import Owner
from chalicelib.flow.accounts import (
    AccountOwner,
    account_id_of,
    account_item,
    account_key,
    account_of_item,
)
from chalicelib.flow.closed import read_closed
from chalicelib.flow.loads import Load, load_item, read_loads, with_lead
from chalicelib.hub import Current, Hub
from chalicelib.lead.asking import account_of, facts_asked, named_owner, why_unfit
from chalicelib.lead.choosing.cover import cover_of, covered
from chalicelib.lead.choosing.strategies import Closed, Known
from chalicelib.lead.conditions import facts_of_lead
from chalicelib.lead.model import Lead, Verdict
from chalicelib.lead.routing import Ledger, eligibility, local_day
from chalicelib.records import (
    Day,
    Effect,
    day_item,
    day_key,
    day_of,
    hour_of,
    ledger_key,
    ledger_of,
)
from chalicelib.storage import Put, Write, at_version


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
    loads: dict[str, Load] = field(default_factory=dict)
    loads_read: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, AccountOwner] = field(default_factory=dict)
    accounts_read: dict[str, int] = field(default_factory=dict)
    exact: set[str] = field(default_factory=set)
    closed: Mapping[str, Closed] | None = None
    writes: list[Write] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    unowned: list[str] = field(default_factory=list)


def facts_for(together: Round, lead: Lead, pool_ids: Sequence[str]) -> dict[str, Any]:
    """Lay out what of a lead decides who can take it; nothing where nothing is asked for."""
    asked = facts_asked(together.current.config, tuple(pool_ids))
    if not asked:
        return {}
    known = facts_of_lead(lead, together.now)
    return {name: known[name] for name in sorted(asked) if name in known}


def account_owner(together: Round, lead: Lead, facts: Mapping[str, Any]) -> tuple[str, str] | None:
    """Give who answers for the company of a lead, or stands in for them, and why."""
    config, domain = together.current.config, account_of(facts)
    owner_id, name = named_owner(config, facts)
    because = f"the company is of the account {name}"
    if not owner_id and config.accounts.stick and domain:
        owner_id, because = (
            _account(together, domain).owner_id,
            "the company has been with this owner",
        )
    if owner_id not in config.owners:
        return None
    taker = cover_of(config, owner_id, together.now) or owner_id
    if not is_there(together, lead, taker):
        return None
    stands_in = f", and {owner_id} is away" if taker != owner_id else ""
    return taker, because + stands_in


def remember_account(together: Round, owner_id: str, facts: Mapping[str, Any]) -> None:
    """Let who got a lead answer for its company, unless somebody does who is still with us."""
    config, domain = together.current.config, account_of(facts)
    if not config.accounts.stick or not domain or named_owner(config, facts)[0]:
        return
    account = _account(together, domain)
    holder = config.owners.get(account.owner_id)
    if holder is None or not holder.active:
        together.accounts[account.account_id] = account.model_copy(
            update={"owner_id": owner_id, "version": account.version + 1}
        )


def is_there(together: Round, lead: Lead, owner_id: str) -> bool:
    """Say whether somebody may have a lead whatever the hour: not off, away or unwilling."""
    config = together.current.config
    if owner_id not in config.owners or owner_id in lead.declined_by:
        return False
    owner = _owner(together, owner_id)
    today = local_day(owner, config.settings, together.now)
    return owner.active and not any(a.first <= today <= a.last for a in owner.absences)


def verdicts_on(
    together: Round, pool_id: str, lead: Lead, facts: Mapping[str, Any]
) -> dict[str, Verdict]:
    """Decide for each member of a pool whether they can take the lead, before any choice.

    Also for those who stand in for a member.
    """
    config = together.current.config
    pool, _ = covered(config, pool_id, together.now)
    owners = {member.owner: _owner(together, member.owner) for member in pool.members}
    _read_days(together, owners)
    _read_loads(together, {i for i, o in owners.items() if o.open_cap is not None}, set())
    return {
        owner_id: eligibility(
            owner_id,
            owner,
            config.settings,
            _taken(together, owner_id, owner),
            together.now,
            declined_by=lead.declined_by,
            taken_this_hour=_taken_this_hour(together, owner_id, owner),
            open_leads=len(together.loads[owner_id].open) if owner.open_cap is not None else 0,
            unfit=why_unfit(owner, config, facts) if facts or config.skills else "",
        )
        for owner_id, owner in owners.items()
    }


def known_of(
    together: Round, pool_id: str, verdicts: Mapping[str, Verdict], facts: Mapping[str, Any]
) -> Known:
    """Read what a pool's strategy goes by; nothing where turns alone count."""
    able = {owner_id for owner_id, verdict in verdicts.items() if verdict.is_eligible}
    match together.current.config.pools[pool_id].strategy:
        case "least_loaded":
            _read_loads(together, able, able)
            loads = {owner_id: len(together.loads[owner_id].open) for owner_id in sorted(able)}
            return Known(loads=loads)
        case "experience":
            return Known(score=facts["score"])
        case "performance":
            if together.closed is None:
                together.closed = read_closed(together.hub.table)
            closed = together.closed
            return Known(closed={i: closed[i] for i in sorted(able) if i in closed})
    return Known()


def ledger_now(together: Round, pool_id: str) -> Ledger:
    """Give a pool's ledger as it is after the leads of this round that were decided on."""
    if pool_id not in together.ledgers:
        item = together.hub.table.get(ledger_key(pool_id))
        ledger = ledger_of(item) if item else Ledger(pool_id=pool_id)
        together.ledgers[pool_id] = ledger
        together.ledgers_read[pool_id] = ledger.version
    return together.ledgers[pool_id]


def read_counts(together: Round, owner_id: str) -> None:
    """Read the counts of an owner who gets a lead without having been asked for them."""
    _read_days(together, {owner_id: together.current.config.owners[owner_id]})


def count_lead(together: Round, owner_id: str, lead_id: str) -> None:
    """Count a lead that an owner gets, where the owner has a cap or a pool goes by loads."""
    for slot in _slots(together, together.current.config.owners[owner_id]):
        count = together.days[owner_id, slot]
        together.days[owner_id, slot] = count.model_copy(
            update={"taken": count.taken + 1, "version": count.version + 1}
        )
    count_open(together, owner_id, lead_id)


def count_open(together: Round, owner_id: str, lead_id: str) -> None:
    """Name a lead among an owner's open ones, where these are counted; it may have been closed."""
    if not _has_load(together, owner_id):
        return
    _read_loads(together, {owner_id}, set())
    if lead_id not in together.loads[owner_id].open:
        together.loads[owner_id] = with_lead(together.loads[owner_id], lead_id)


def count_writes(together: Round) -> list[Write]:
    """Write what was counted: days and hours, loads, and who answers for companies."""
    writes: list[Write] = []
    for key, day in sorted(together.days.items()):
        read = together.days_read[key]
        if day.version != read:
            item = day_item(day, together.writer)
            writes.append(Put(f"day of {key[0]} {key[1]}", item, at_version(read)))
    for owner_id, load in sorted(together.loads.items()):
        read = together.loads_read[owner_id]
        if load.version != read:
            item = load_item(load, together.writer)
            writes.append(Put(f"load of {owner_id}", item, at_version(read)))
    for account_id, account in sorted(together.accounts.items()):
        read = together.accounts_read[account_id]
        if account.version != read:
            item = account_item(account, together.writer)
            writes.append(Put(f"account of {account_id}", item, at_version(read)))
    return writes


def _owner(together: Round, owner_id: str) -> Owner:
    """Give an owner as they are at this moment: who switched themselves off is not active."""
    owner = together.current.config.owners[owner_id]
    until = together.current.active.off.get(owner_id)
    if until is None or (until and datetime.fromisoformat(until) <= together.now):
        return owner
    return owner.model_copy(update={"active": False})


def _account(together: Round, domain: str) -> AccountOwner:
    account_id = account_id_of(domain)
    if account_id not in together.accounts:
        item = together.hub.table.get(account_key(account_id))
        account = account_of_item(item) if item else AccountOwner(account_id=account_id)
        together.accounts[account_id] = account
        together.accounts_read[account_id] = account.version
    return together.accounts[account_id]


def _read_days(together: Round, owners: Mapping[str, Owner]) -> None:
    wanted = {(i, slot) for i, owner in owners.items() for slot in _slots(together, owner)}
    wanted -= set(together.days)
    found = together.hub.table.get_many([day_key(*one) for one in sorted(wanted)])
    for owner_id, day in wanted:
        item = found.get(day_key(owner_id, day))
        stored = day_of(item) if item else Day(owner_id=owner_id, day=day, taken=0, version=0)
        together.days[owner_id, day] = stored
        together.days_read[owner_id, day] = stored.version


def _slots(together: Round, owner: Owner) -> list[str]:
    """Name the day and the hour in which an owner's leads are counted; only what has a cap."""
    day = [_today(together, owner)] if owner.daily_cap is not None else []
    return [*day, hour_of(together.now)] if owner.hourly_cap is not None else day


def _taken(together: Round, owner_id: str, owner: Owner) -> int:
    if owner.daily_cap is None:
        return 0
    return together.days[owner_id, _today(together, owner)].taken


def _taken_this_hour(together: Round, owner_id: str, owner: Owner) -> int:
    if owner.hourly_cap is None:
        return 0
    return together.days[owner_id, hour_of(together.now)].taken


def _read_loads(together: Round, owner_ids: Collection[str], exact: Collection[str]) -> None:
    """Read the loads of owners, those that must be exact anew unless they are."""
    owners = together.current.config.owners
    wanted = {i for i in owner_ids if i not in together.loads}
    wanted |= {i for i in exact if i not in together.exact}
    if not wanted:
        return
    caps = {owner_id: owners[owner_id].open_cap for owner_id in wanted}
    for owner_id, load in read_loads(together.hub.table, caps, exact, together.now).items():
        known = together.loads.get(owner_id)
        together.loads_read[owner_id] = load.version
        together.loads[owner_id] = load
        for lead_id in known.open if known else ():
            if lead_id in together.leads:
                together.loads[owner_id] = with_lead(together.loads[owner_id], lead_id)
    together.exact |= set(exact)


def _has_load(together: Round, owner_id: str) -> bool:
    """Say whether an owner's open leads are counted, by whichever pool they come.

    They are where the owner has a cap on them, and where any pool goes by loads, for whoever
    stands in for a member is asked there too.
    """
    config = together.current.config
    return config.owners[owner_id].open_cap is not None or any(
        pool.strategy == "least_loaded" for pool in config.pools.values()
    )


def _today(together: Round, owner: Owner) -> str:
    """Name the day on the owner's own calendar."""
    return str(local_day(owner, together.current.config.settings, together.now))
