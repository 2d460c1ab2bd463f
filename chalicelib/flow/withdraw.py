"""Step 3 for what takes back: a withdrawal of one submission, an erasure of all of a source's."""

from collections.abc import Sequence

from chalicelib.connector import Erasure, Withdrawal
from chalicelib.errors import Conflict, Malformed
from chalicelib.flow.leads import Stored, stored_leads
from chalicelib.flow.match import lead_writes, without
from chalicelib.flow.wishes import erasure_wishes, look_again
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Touch
from chalicelib.lead.person import countries_of, person_keys
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
    holders_of,
    identity_key,
)
from chalicelib.storage import Absent, Put, Write, at_version

TOUCHES_AT_ONCE = 30
"""How many touches one transaction takes back, each with its claim."""


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
    if claim and claim.erased_at:
        return ActResult(outcome="erased")
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
    stored = _stored(hub, claim.lead_id)
    now = max(delivery.received_at, stored.lead.updated_at)
    found = without(current, stored, {claim.touch_id}, now)
    event = Event(
        event_id=digest(writer, "withdrawn", act.external_id),
        kind="withdrawn",
        at=now,
        actor="hub",
        text="the person took a submission back",
    )
    return [
        *lead_writes(found, writer),
        # On the timeline of the lead it was made for: should a merge be undone, it goes with it.
        Put("withdrawal event", event_item(claim.lead_id, event, writer), Absent()),
    ]


def erase(hub: Hub, current: Current, delivery: Delivery, writer: str, act: Erasure) -> ActResult:
    """Take back all that a source has told of a person, and tell the admin of the wish.

    What other sources told of them stays, and so do the kept deliveries, until a person erases
    the lead itself.

    Raises:
        Conflict: somebody else wrote first; do it again.
        Malformed: nothing says who it is.
        TryLater: nobody is known whom it is about; it is looked at once more.
    """
    keys = person_keys(
        current.config.settings,
        email=act.email,
        phone=act.phone,
        countries=countries_of(current.config, current.config.sources.get(delivery.source_id)),
        person_id=act.person_id,
        connector=delivery.connector,
    )
    if not keys:
        raise Malformed("nothing says who is to be erased: expected an id, an e-mail or a phone")
    # First of all, so that whatever comes from now on is judged by it.
    wishes = erasure_wishes(hub.table, keys, delivery.source_id, act.erased_at, writer)
    if wishes:
        hub.table.write(wishes)
    pointers = hub.table.get_many([identity_key(key) for key in keys])
    leads = stored_leads(
        hub, {lead_id for item in pointers.values() for lead_id in holders_of(item)}
    )
    if wishes and not leads:
        look_again()
    for stored in leads:
        _erase_from(hub, current, delivery, stored, act, writer)
        hub.alarm("erasure", {"source": delivery.source_id, "lead": stored.lead.lead_id})
    return ActResult(
        outcome="withdrawn",
        external_id=act.external_id,
        lead_id=leads[0].lead.lead_id if leads else "",
        reason="" if leads else "no lead is about this person",
    )


def _erase_from(
    hub: Hub, current: Current, delivery: Delivery, stored: Stored, act: Erasure, writer: str
) -> None:
    """Take a source's touches back from a lead, TOUCHES_AT_ONCE in each transaction."""
    told = [
        old.record.touch
        for old in stored.touches
        if old.record.touch.source_id == delivery.source_id
        and not old.record.touch.void
        and old.record.touch.submitted_at <= act.erased_at
    ]
    for start in range(0, len(told), TOUCHES_AT_ONCE):
        part = told[start : start + TOUCHES_AT_ONCE]
        as_it_is = _stored(hub, stored.lead.lead_id)
        now = max(delivery.received_at, as_it_is.lead.updated_at)
        found = without(current, as_it_is, {touch.touch_id for touch in part}, now)
        # A part is named by its first touch, for whoever goes on after a crash has fewer parts.
        name = f"{writer}:{part[0].touch_id}"
        event = Event(
            event_id=digest(name, "erased"),
            kind="withdrawn",
            at=now,
            actor="hub",
            text=f"{delivery.source_id} says that the person is to be erased; what it told of "
            "them counts no more, and what is stored stays until the lead itself is erased",
        )
        event_put = Put("withdrawal event", event_item(stored.lead.lead_id, event, name), Absent())
        claims = _claims_taken_back(hub, delivery, part, act, name)
        hub.table.write([*lead_writes(found, name), *claims, event_put])


def _stored(hub: Hub, lead_id: str) -> Stored:
    """Read a lead of which something is taken back.

    Raises:
        Conflict: it is being erased at this moment; its claims will say so.
    """
    found = stored_leads(hub, [lead_id])
    if not found:
        raise Conflict(f"lead {lead_id} is being erased")
    return found[0]


def _claims_taken_back(
    hub: Hub, delivery: Delivery, touches: Sequence[Touch], act: Erasure, writer: str
) -> list[Write]:
    """Mark the claims of touches as taken back, so that no repetition brings them back."""
    by_key = {claim_key(delivery.source_id, touch.external_id): touch for touch in touches}
    claims = [claim_of(item) for item in hub.table.get_many(list(by_key)).values()]
    writes: list[Write] = []
    for number, claim in enumerate(claims):
        after = claim.model_copy(
            update={"version": claim.version + 1, "withdrawn_at": act.erased_at}
        )
        condition = at_version(claim.version)
        writes.append(Put(f"taken back claim {number}", claim_item(after, writer), condition))
    return writes
