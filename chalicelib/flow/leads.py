"""Leads as they stand, merges followed to their end; and the message that asks for an owner."""

from collections.abc import Iterable
from datetime import timedelta

from chalicelib.lead.model import Lead
from chalicelib.records import lead_key, lead_of
from chalicelib.storage import Message, Table

AWAITS_FOR = timedelta(minutes=5)
"""How long a lead may await its owner before tick asks for routing again."""


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
    """Read leads by the ids that they are named by, in that order; absent ones are left out."""
    named = list(dict.fromkeys(lead_ids))
    stored: dict[str, Lead] = {}
    wanted = named
    while wanted:
        items = table.get_many([lead_key(lead_id) for lead_id in wanted])
        found = [lead_of(items[lead_key(i)]) for i in wanted if lead_key(i) in items]
        stored |= {lead.lead_id: lead for lead in found}
        into = dict.fromkeys(lead.merged_into for lead in found if lead.merged_into)
        wanted = [lead_id for lead_id in into if lead_id not in stored]
    ends = {lead_id: _end(stored, lead_id) for lead_id in named}
    return {lead_id: lead for lead_id, lead in ends.items() if lead}


def _end(stored: dict[str, Lead], lead_id: str) -> Lead | None:
    """Follow merges to their end."""
    lead = stored.get(lead_id)
    return _end(stored, lead.merged_into) if lead and lead.merged_into else lead
