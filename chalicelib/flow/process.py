"""Step 3: turn a kept delivery into saved leads, one transaction a submission."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from chalicelib import registry
from chalicelib.config.model import Source
from chalicelib.connector import Connector, Submission, Withdrawal, read
from chalicelib.errors import (
    Conflict,
    Gone,
    HubError,
    Malformed,
    Misconfigured,
    Refused,
    TryLater,
    Unavailable,
    UnknownSource,
)
from chalicelib.flow.match import Match, match, save
from chalicelib.flow.withdraw import withdraw
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Touch
from chalicelib.lead.normalise import normalise
from chalicelib.records import (
    ActResult,
    Claim,
    Delivery,
    Outcome,
    claim_key,
    claim_of,
    delivery_item,
    delivery_key,
    delivery_of,
    lead_key,
    lead_of,
)
from chalicelib.request import unpack
from chalicelib.storage import Absent, Holds, Item, Key, Message, Put, Received

ACTS_AT_ONCE = 10
"""Most submissions of one delivery that one message handles; more are spread over messages."""

TRIES = 12
"""How often a provider may make one submission wait before its delivery is quarantined."""

FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 4 * 3600
"""Waits double from the first to the longest unless the provider says how long."""

ATTEMPTS = 8
"""How often a submission is matched anew because somebody else wrote first."""

WORK = timedelta(minutes=5)
"""After how long tick takes unfinished work for forgotten."""


@dataclass
class Batch:
    """What one call has read and what it still has to send."""

    hub: Hub
    current: Current
    routing: list[Message] = field(default_factory=list)


def process(hub: Hub, messages: Sequence[Received]) -> list[str]:
    """Handle inbox messages; gives the ids of those that must come back.

    Each is `{"delivery": id}`, `{"delivery": id, "from": n, "to": m}` for a part of one, or
    `{"whole": ..., "raw": ...}` when the table was down at the door.
    """
    try:
        batch = Batch(hub, hub.configurations.current())
        stored = hub.table.get_many(
            [delivery_key(m.body["delivery"]) for m in messages if "delivery" in m.body]
        )
    except (Unavailable, Misconfigured):
        return [message.message_id for message in messages]
    failed = []
    for message in messages:
        try:
            _handle(batch, message, stored)
        except (Unavailable, Conflict):
            failed.append(message.message_id)
    return failed


def set_aside(hub: Hub, message: Received, error: Exception) -> None:
    """Quarantine a delivery on which our own code fails again and again.

    Raises:
        Unavailable: the table is down; the message must come back.
    """
    if "delivery" not in message.body:
        return
    item = hub.table.get(delivery_key(message.body["delivery"]))
    if item is None:
        return
    delivery = delivery_of(item)
    if delivery.outcome in ("pending", "waiting"):
        fault = HubError(f"a mistake of ours: {type(error).__name__}")
        _finish(hub, delivery, {}, acts=delivery.acts, error=fault)


def _handle(batch: Batch, message: Received, stored: Mapping[Key, Item]) -> None:
    if "whole" in message.body:
        delivery = _keep_whole(batch.hub, message)
    else:
        item = stored.get(delivery_key(message.body["delivery"]))
        if item is None:
            return
        delivery = delivery_of(item)
    if delivery.outcome not in ("pending", "waiting"):
        return
    try:
        source, connector = _origin(batch.current, delivery)
        request = unpack(_raw(batch.hub, delivery))
        acts = read(connector, request, source.options)
    except (Malformed, UnknownSource, Misconfigured) as error:
        _finish(batch.hub, delivery, {}, acts=0, error=error)
        return
    spread = range(int(message.body.get("from", 0)), int(message.body.get("to", len(acts))))
    if len(spread) > ACTS_AT_ONCE:
        _spread(batch.hub, delivery, len(acts))
        return
    results = {}
    wait: TryLater | None = None
    for position in spread:
        if str(position) in delivery.results:
            continue
        try:
            results[str(position)] = _take(
                batch, Origin(delivery, source, connector, position), acts[position]
            )
        except TryLater as error:
            wait = error
    _send(batch)
    _finish(batch.hub, delivery, results, acts=len(acts), wait=wait)


@dataclass(frozen=True)
class Origin:
    """Where one submission comes from."""

    delivery: Delivery
    source: Source
    connector: Connector
    position: int

    @property
    def writer(self) -> str:
        """Names this submission as the one who writes."""
        return f"process:{self.delivery.delivery_id}:{self.position}"


def _take(batch: Batch, origin: Origin, act: Submission | Withdrawal) -> ActResult:
    """Handle one submission or withdrawal, however often it comes."""
    try:
        if isinstance(act, Withdrawal):
            return withdraw(batch.hub, batch.current, origin.delivery, origin.writer, act)
        for _ in range(ATTEMPTS):
            try:
                return _take_submission(batch, origin, act)
            except Conflict:
                continue
    except (Malformed, Gone, Refused, Misconfigured) as error:
        return ActResult(
            outcome="quarantined",
            external_id=act.external_id,
            reason=f"{type(error).__name__.lower()}: {error}",
        )
    raise Conflict(f"delivery {origin.delivery.delivery_id}: others kept writing first")


def _take_submission(batch: Batch, origin: Origin, submission: Submission) -> ActResult:
    hub = batch.hub
    claim = _claim(hub, origin, submission)
    if (
        claim
        and claim.delivery_id == origin.delivery.delivery_id
        and (claim.position == origin.position and claim.touch_id)
    ):
        _route_if_awaiting(batch, claim.lead_id)
        return ActResult(
            outcome="accepted",
            external_id=submission.external_id,
            lead_id=claim.lead_id,
            touch_id=claim.touch_id,
        )
    if claim and not _is_newer(submission, claim):
        taken: Outcome = "withdrawn" if claim.withdrawn_at else "duplicate"
        return ActResult(
            outcome=taken,
            external_id=submission.external_id,
            lead_id=claim.lead_id,
            of=claim.delivery_id,
        )
    if submission.lookup and origin.connector.fetch:
        fetched = _fetch(hub, origin, submission)
        if isinstance(fetched, Withdrawal):
            return withdraw(hub, batch.current, origin.delivery, origin.writer, fetched)
        submission = fetched
    touch = normalise(
        submission,
        source_id=origin.delivery.source_id,
        source=origin.source,
        connector=origin.connector.name,
        connector_fields=origin.connector.fields,
        config=batch.current.config,
        delivery_id=origin.delivery.delivery_id,
        received_at=origin.delivery.received_at,
    )
    if submission.is_spam:
        raise Malformed("suspected spam: a field that people cannot see was filled in")
    if not touch.identity_keys:
        raise Malformed("nothing says who this is: expected an e-mail address or a phone number")
    found = match(hub, batch.current, touch, _touch_before(claim))
    if submission.is_test:
        return ActResult(
            outcome="test", external_id=submission.external_id, decisions=found.decisions
        )
    version = claim.version + 1 if claim else 1
    save(hub, found, _new_claim(origin, submission, touch, found, version), origin.writer)
    batch.routing.append(route_message(found.lead.lead_id, found.lead.pool_id, found.lead.version))
    return ActResult(
        outcome="accepted",
        external_id=submission.external_id,
        lead_id=found.lead.lead_id,
        touch_id=touch.touch_id,
    )


def _claim(hub: Hub, origin: Origin, submission: Submission) -> Claim | None:
    item = hub.table.get(claim_key(origin.delivery.source_id, submission.external_id))
    return claim_of(item) if item else None


def _new_claim(
    origin: Origin, submission: Submission, touch: Touch, found: Match, version: int
) -> Claim:
    return Claim(
        source_id=origin.delivery.source_id,
        external_id=submission.external_id,
        version=version,
        delivery_id=origin.delivery.delivery_id,
        position=origin.position,
        revision=submission.revision,
        acted_at=submission.submitted_at,
        lead_id=found.lead.lead_id,
        touch_id=touch.touch_id,
        is_partial=submission.is_partial,
    )


def _is_newer(submission: Submission, claim: Claim) -> bool:
    """Say whether a submission replaces the one that holds its claim.

    A complete one replaces a partial one; an act with another revision replaces an older one,
    unless it was withdrawn afterwards.
    """
    if claim.withdrawn_at and submission.submitted_at <= claim.withdrawn_at:
        return False
    if claim.is_partial and not submission.is_partial:
        return True
    if submission.is_partial and not claim.is_partial and claim.touch_id:
        return False
    return submission.revision != claim.revision and submission.submitted_at > claim.acted_at


def _touch_before(claim: Claim | None) -> tuple[str, str] | None:
    """Name the lead and touch that a newer act replaces."""
    if claim is None or not claim.touch_id or claim.withdrawn_at:
        return None
    return claim.lead_id, claim.touch_id


def _fetch(hub: Hub, origin: Origin, submission: Submission) -> Submission | Withdrawal:
    from chalicelib.web import provider_get

    connector, source = origin.connector, origin.source
    if connector.api is None or connector.fetch is None:
        raise Misconfigured(f"{connector.title}: nothing to fetch from")
    tokens = hub.secrets.get(source.token)
    if not tokens:
        raise Misconfigured(f"{origin.delivery.source_id}: secret {source.token!r} is missing")
    secrets = hub.secrets.get(source.secret)
    options = {**connector.options, **source.options}
    get = provider_get(hub.web, connector.api, options, tokens[0], secrets[0] if secrets else "")
    return connector.fetch(submission, get)


def _origin(current: Current, delivery: Delivery) -> tuple[Source, Connector]:
    source = current.config.sources.get(delivery.source_id)
    if source is None:
        raise UnknownSource(f"source {delivery.source_id} is not in the configuration any more")
    return source, registry.load(delivery.connector)


def _raw(hub: Hub, delivery: Delivery) -> bytes:
    return hub.blobs.get(delivery.blob) if delivery.blob else delivery.raw


def _keep_whole(hub: Hub, message: Received) -> Delivery:
    """Keep a delivery that came by queue because the table was down."""
    raw = base64.b64decode(message.body["raw"])
    delivery = Delivery.model_validate(message.body["whole"])
    if len(raw) > 200 * 1024:
        blob = f"deliveries/{delivery.delivery_id}"
        hub.blobs.put(blob, raw)
        delivery = delivery.model_copy(update={"blob": blob})
    else:
        delivery = delivery.model_copy(update={"raw": raw})
    item = delivery_item(delivery, f"receive:{delivery.delivery_id}")
    try:
        hub.table.write([Put("delivery", item, Absent())])
    except Conflict as error:
        found = error.found["delivery"]
        return delivery_of(found) if found else delivery
    return delivery


def _spread(hub: Hub, delivery: Delivery, acts: int) -> None:
    """Spread a delivery of many submissions over messages of its own."""
    hub.inbox.send(
        [
            Message(
                {
                    "delivery": delivery.delivery_id,
                    "from": start,
                    "to": min(start + ACTS_AT_ONCE, acts),
                }
            )
            for start in range(0, acts, ACTS_AT_ONCE)
        ]
    )


def _send(batch: Batch) -> None:
    """Queue for routing what was saved; the delivery is finished only afterwards."""
    if batch.routing:
        batch.hub.routing.send(batch.routing)
        batch.routing.clear()


def route_message(lead_id: str, pool_id: str, version: int) -> Message:
    """Ask for an owner; a pool's leads are routed in order."""
    return Message({"lead": lead_id}, group=pool_id or "-", once=f"{lead_id}-{version}")


def _route_if_awaiting(batch: Batch, lead_id: str) -> None:
    """Queue a lead again whose routing message may have been lost with an earlier try."""
    item = batch.hub.table.get(lead_key(lead_id))
    if item is None:
        return
    lead = lead_of(item)
    if lead.merged_into:
        _route_if_awaiting(batch, lead.merged_into)
    elif lead.awaits:
        batch.routing.append(route_message(lead.lead_id, lead.pool_id, lead.version))


def _finish(
    hub: Hub,
    delivery: Delivery,
    results: Mapping[str, ActResult],
    *,
    acts: int,
    error: HubError | None = None,
    wait: TryLater | None = None,
) -> None:
    """Write what became of a delivery; parts of one may finish at the same time."""
    for _ in range(ATTEMPTS):
        finished = _finished(hub, delivery, results, acts=acts, error=error, wait=wait)
        writer = f"process:{delivery.delivery_id}:{finished.version}"
        condition = Holds("version", delivery.version)
        try:
            hub.table.write([Put("outcome", delivery_item(finished, writer), condition)])
        except Conflict as conflict:
            found = conflict.found.get("outcome")
            if not found:
                return
            delivery = delivery_of(found)
            if delivery.outcome not in ("pending", "waiting"):
                return
        else:
            return
    raise Conflict(f"delivery {delivery.delivery_id}: others kept writing first")


def _finished(
    hub: Hub,
    delivery: Delivery,
    results: Mapping[str, ActResult],
    *,
    acts: int,
    error: HubError | None,
    wait: TryLater | None,
) -> Delivery:
    everything = {**delivery.results, **results}
    update: dict[str, object] = {
        "version": delivery.version + 1,
        "acts": acts,
        "results": everything,
        "due_at": None,
    }
    if error is not None:
        update |= {"outcome": "quarantined", "reason": f"{type(error).__name__.lower()}: {error}"}
    elif wait is not None and delivery.tries + 1 >= TRIES:
        update |= {"outcome": "quarantined", "reason": f"gave up waiting: {wait}"}
    elif wait is not None:
        update |= {
            "outcome": "waiting",
            "reason": str(wait),
            "tries": delivery.tries + 1,
            "due_at": hub.clock() + _pause(delivery.tries, wait.retry_after_seconds),
        }
    elif len(everything) < acts:
        update |= {"due_at": hub.clock() + WORK}
    else:
        outcome, reason = _overall(everything.values())
        update |= {"outcome": outcome, "reason": reason}
    return delivery.model_copy(update=update)


def _pause(tries: int, said_seconds: int | None) -> timedelta:
    if said_seconds is not None:
        return timedelta(seconds=said_seconds)
    return timedelta(seconds=min(FIRST_WAIT_SECONDS * 2**tries, LONGEST_WAIT_SECONDS))


def _overall(results: Collection[ActResult]) -> tuple[Outcome, str]:
    """Sum up: what needs a person comes first, then what made a lead."""
    outcomes = [result.outcome for result in results]
    order: tuple[Outcome, ...] = ("quarantined", "accepted", "withdrawn", "test", "duplicate")
    for outcome in order:
        if outcome in outcomes:
            reasons = {r.reason for r in results if r.outcome == outcome and r.reason}
            return outcome, "; ".join(sorted(reasons))[:500]
    return "ignored", "nothing in it for us"
