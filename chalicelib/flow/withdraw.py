"""Step 3 for a withdrawal: the submission counts no more, whether it came before or after."""

from chalicelib.connector import Withdrawal
from chalicelib.flow.match import lead_writes, stored_leads, without
from chalicelib.hub import Current, Hub
from chalicelib.records import (
    ActResult,
    Claim,
    Delivery,
    Event,
    claim_item,
    claim_key,
    claim_of,
    digest,
    event_item,
)
from chalicelib.storage import Absent, Put, Write, at_version


def withdraw(
    hub: Hub, current: Current, delivery: Delivery, writer: str, act: Withdrawal
) -> ActResult:
    """Take a submission back; if it has not come yet, leave word so that it never counts.

    Raises:
        Conflict: somebody else wrote first; do it again.
    """
    item = hub.table.get(claim_key(delivery.source_id, act.external_id))
    claim = claim_of(item) if item else None
    result = ActResult(
        outcome="withdrawn",
        external_id=act.external_id,
        lead_id=claim.lead_id if claim else "",
        touch_id=claim.touch_id if claim else "",
    )
    if claim and claim.withdrawn_at and claim.withdrawn_at >= act.withdrawn_at:
        return result
    if claim and claim.touch_id and claim.acted_at > act.withdrawn_at:
        return result.model_copy(update={"reason": "it was submitted anew afterwards"})
    taken_back = _taken_back(delivery, claim, act)
    condition = at_version(taken_back.version - 1)
    writes: list[Write] = [Put("claim", claim_item(taken_back, writer), condition)]
    if claim and claim.touch_id:
        writes += _lead(hub, current, delivery, claim, act, writer)
    hub.table.write(writes)
    return result


def _taken_back(delivery: Delivery, claim: Claim | None, act: Withdrawal) -> Claim:
    if claim:
        return claim.model_copy(
            update={"version": claim.version + 1, "withdrawn_at": act.withdrawn_at}
        )
    return Claim(
        source_id=delivery.source_id,
        external_id=act.external_id,
        version=1,
        delivery_id=delivery.delivery_id,
        acted_at=act.withdrawn_at,
        withdrawn_at=act.withdrawn_at,
    )


def _lead(
    hub: Hub, current: Current, delivery: Delivery, claim: Claim, act: Withdrawal, writer: str
) -> list[Write]:
    (stored,) = stored_leads(hub, [claim.lead_id])
    now = max(delivery.received_at, stored.lead.updated_at)
    found = without(current, stored, claim.touch_id, now)
    event = Event(
        event_id=digest(writer, "withdrawn", act.external_id),
        kind="withdrawn",
        at=now,
        actor="hub",
        text="the person took a submission back",
    )
    return [
        *lead_writes(found, writer),
        Put("withdrawal event", event_item(stored.lead.lead_id, event, writer), Absent()),
    ]
