"""What owners should have done by now, and who has been told of it."""

from collections.abc import Iterable, Iterator

from pydantic import AwareDatetime, Field

from chalicelib.hub import Hub
from chalicelib.lead.model import Lead, Model, PromiseKind
from chalicelib.lead.sla import overdue
from chalicelib.records import lead_of, owner_list
from chalicelib.storage import Key

PAGE = 500
"""Leads of an owner that are read at once."""


class Overdue(Model):
    """One thing that an owner should have done by now."""

    lead_id: str
    owner_id: str
    owner_name: str
    awaited: PromiseKind = Field(description="accept, touch or step")
    due_at: AwareDatetime
    told: tuple[str, ...] = Field(description="owners who have been told, or `alarms`")
    next_at: AwareDatetime | None = Field(description="when the next step of the ladder is taken")
    score: int
    policy_id: str


def list_overdue(hub: Hub, owner_ids: Iterable[str] = ()) -> list[Overdue]:
    """List what is overdue, what has waited longest first.

    Args:
        hub: read from.
        owner_ids: whose; empty means every owner of the configuration.

    Raises:
        Misconfigured: nothing is published.
    """
    config, now = hub.configurations.current().config, hub.clock()
    found = []
    for owner_id in tuple(owner_ids) or tuple(config.owners):
        owner = config.owners.get(owner_id)
        for lead in _leads_of(hub, owner_id):
            found += [
                Overdue(
                    lead_id=lead.lead_id,
                    owner_id=owner_id,
                    owner_name=owner.name if owner else owner_id,
                    awaited=promise.kind,
                    due_at=promise.due_at,
                    told=tuple(dict.fromkeys(promise.told)),
                    next_at=promise.next_at,
                    score=lead.score.total,
                    policy_id=promise.policy_id,
                )
                for promise in overdue(lead, now)
            ]
    return sorted(found, key=lambda one: (one.due_at, one.lead_id, one.awaited))


def _leads_of(hub: Hub, owner_id: str) -> Iterator[Lead]:
    """Read an owner's leads as they stand now."""
    start = None
    while True:
        page = hub.table.query_index("owner", owner_list(owner_id), limit=PAGE, start=start)
        keys = [Key(item["pk"], item["sk"]) for item in page.items]
        for item in hub.table.get_many(keys).values():
            lead = lead_of(item)
            is_theirs = lead.assignment is not None and lead.assignment.owner_id == owner_id
            if is_theirs and not lead.merged_into and not lead.erased_at:
                yield lead
        start = page.next
        if start is None:
            return
