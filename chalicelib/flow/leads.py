"""Leads as they stand, merges followed to their end; and the message that asks for an owner."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.hub import Hub
from chalicelib.lead.model import Lead
from chalicelib.records import TouchRecord, lead_key, lead_of, touch_record_of
from chalicelib.storage import ATTEMPTS, Message, Table

AWAITS_FOR = timedelta(minutes=5)
"""How long a lead may await its owner before tick asks for routing again."""


@dataclass(frozen=True)
class Stored:
    """A lead as it stands, with its touches and those of the leads merged into it."""

    lead: Lead
    touches: tuple["StoredTouch", ...]


@dataclass(frozen=True)
class StoredTouch:
    """A touch as it stands, and under which lead."""

    lead_id: str
    version: int
    record: TouchRecord


def route_message(lead: Lead) -> Message:
    """Ask for a lead's owner; a pool's leads are routed in order."""
    return Message(
        {"lead": lead.lead_id}, group=lead.pool_id or "-", once=f"{lead.lead_id}-{lead.version}"
    )


def live_lead(table: Table, lead_id: str) -> Lead | None:
    """Read one lead; None when there is none."""
    return live_leads_by_id(table, [lead_id]).get(lead_id)


def live_leads(table: Table, lead_ids: Iterable[str]) -> list[Lead]:
    """Read leads, each once, in the order in which they are first named."""
    found = live_leads_by_id(table, lead_ids)
    return list({lead.lead_id: lead for lead in found.values()}.values())


def live_leads_by_id(table: Table, lead_ids: Iterable[str]) -> dict[str, Lead]:
    """Read leads by the ids that they are named by, in that order.

    Absent ones are left out, and so are those of erased persons.
    """
    named = list(dict.fromkeys(lead_ids))
    stored: dict[str, Lead] = {}
    for _ in range(ATTEMPTS):
        stored = _read(table, named)
        if _is_consistent(stored):
            break
    ends = {lead_id: _end(stored, lead_id) for lead_id in named}
    return {lead_id: lead for lead_id, lead in ends.items() if lead}


def _read(table: Table, lead_ids: list[str]) -> dict[str, Lead]:
    """Read leads, and those that they were merged into."""
    stored: dict[str, Lead] = {}
    wanted = lead_ids
    while wanted:
        items = table.get_many([lead_key(lead_id) for lead_id in wanted])
        found = [lead_of(items[lead_key(i)]) for i in wanted if lead_key(i) in items]
        stored |= {lead.lead_id: lead for lead in found}
        into = dict.fromkeys(lead.merged_into for lead in found if lead.merged_into)
        wanted = [lead_id for lead_id in into if lead_id not in stored]
    return stored


def _is_consistent(stored: dict[str, Lead]) -> bool:
    """Say whether no merge was made or taken apart between one read and the next."""
    pairs = ((lead, stored.get(lead.merged_into)) for lead in stored.values())
    return all(
        parent is None or parent.erased_at or lead.lead_id in parent.members
        for lead, parent in pairs
    )


def _end(stored: dict[str, Lead], lead_id: str) -> Lead | None:
    """Follow merges to their end."""
    lead = stored.get(lead_id)
    if lead is None or lead.erased_at:
        return None
    return _end(stored, lead.merged_into) if lead.merged_into else lead


def stored_leads(hub: Hub, lead_ids: Iterable[str]) -> list[Stored]:
    """Read live leads with all their touches; an id that was merged away gives its survivor."""
    found = live_leads_by_id(hub.table, sorted(set(lead_ids))).values()
    leads = sorted({lead.lead_id: lead for lead in found}.values(), key=lambda lead: lead.lead_id)
    return [Stored(lead, tuple(_stored_touches(hub, lead))) for lead in leads]


def _stored_touches(hub: Hub, lead: Lead) -> list[StoredTouch]:
    return [
        StoredTouch(lead_id, int(item["version"]), touch_record_of(item))
        for lead_id in (lead.lead_id, *lead.members)
        for item in hub.table.query(lead_key(lead_id)[0], "TOUCH#")
    ]
