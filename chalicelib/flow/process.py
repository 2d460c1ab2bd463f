"""Step 3: turn a kept delivery into saved leads, one transaction a submission."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from chalicelib import registry
from chalicelib.config.source import Source
from chalicelib.connector import (
    Act,
    Connector,
    Erasure,
    Nudge,
    Submission,
    Unreadable,
    Withdrawal,
    complete,
    read,
)
from chalicelib.errors import (
    Conflict,
    Gone,
    HubError,
    Malformed,
    Misconfigured,
    NotFound,
    Refused,
    TryLater,
    Unavailable,
    UnknownSource,
)
from chalicelib.flow.candidates import asked_first
from chalicelib.flow.empty import let_go
from chalicelib.flow.forms import Seen, form_key, learn_from, seen
from chalicelib.flow.glance import Glance
from chalicelib.flow.keep import keep_whole, request_of
from chalicelib.flow.leads import live_leads, route_message
from chalicelib.flow.match import Match, match, save
from chalicelib.flow.outcome import NOBODY, OPEN, finish, outcome_write, reason_of, with_results
from chalicelib.flow.wishes import (
    asked_of,
    heard_again,
    is_refusal,
    is_to_be_gone,
    look_again,
    refusal_wishes,
    wishes_of,
)
from chalicelib.flow.withdraw import erase, withdraw
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
    delivery_key,
    delivery_of,
)
from chalicelib.storage import ATTEMPTS, Item, Key, Message, Received

CROWDED_SECONDS = 5
"""How long a submission waits whose lead too many others write to."""

LOOK_BACK = timedelta(minutes=30)
"""How far back a list is read when a provider says that it has something new."""

ACTS_AT_ONCE = 10
"""Most submissions of one delivery that one message handles; more are spread over messages."""


@dataclass
class Batch:
    """What one call has read and what it still has to send."""

    hub: Hub
    current: Current
    glance: Glance
    routing: list[Message] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)


@dataclass
class Job:
    """One message: a delivery, or a part of it, as its connector reads it."""

    message_id: str
    delivery: Delivery
    source: Source
    connector: Connector
    acts: Sequence[Act]
    positions: Sequence[int]
    touches: dict[int, Touch] = field(default_factory=dict)
    fetched: dict[int, Act | None] = field(default_factory=dict)

    def writer(self, position: int) -> str:
        """Name one of its submissions as the one who writes."""
        return f"process:{self.delivery.delivery_id}:{position}"


def process(hub: Hub, messages: Sequence[Received]) -> list[str]:
    """Handle inbox messages; gives the ids of those that must come back.

    Each is `{"delivery": id}`, `{"delivery": id, "from": n, "to": m}` for a part of one, or
    `{"whole": ..., "raw": ...}` when the table was down at the door.
    """
    failed: list[str] = []
    jobs: list[Job] = []
    try:
        batch = Batch(hub, hub.configurations.current(), Glance(hub.table))
        ids = [m.body["delivery"] for m in messages if "delivery" in m.body]
        stored = hub.table.get_many([delivery_key(delivery_id) for delivery_id in ids])
    except (Unavailable, Misconfigured) as error:
        hub.trouble(error)
        return [message.message_id for message in messages]
    for message in messages:
        try:
            job = _read(batch, message, stored)
        except (Unavailable, Conflict) as error:
            hub.trouble(error)
            failed.append(message.message_id)
        else:
            jobs += [job] if job else []
    try:
        _read_ahead(batch, jobs)
    except Unavailable as error:
        hub.trouble(error)
        return [message.message_id for message in messages]
    for job in jobs:
        try:
            _handle(batch, job)
        except (Unavailable, Conflict) as error:
            hub.trouble(error)
            failed.append(job.message_id)
    try:
        if batch.routing:
            hub.routing.send(batch.routing)
    except Unavailable as error:
        hub.trouble(error)
        return [message.message_id for message in messages]
    learn_from(hub, batch.current, batch.glance, batch.seen)
    return failed


def set_aside(hub: Hub, message: Received, error: Exception) -> None:
    """Quarantine a delivery on which our own code fails again and again.

    Raises:
        Unavailable: the table is down; the message must come back.
    """
    delivery = _kept(hub, message)
    if delivery and delivery.outcome in OPEN:
        fault = HubError(f"a mistake of ours: {type(error).__name__}")
        finish(hub, delivery, {}, acts=delivery.acts, error=fault)


def _kept(hub: Hub, message: Received) -> Delivery | None:
    """Read the delivery that a message names; one that it carries whole is kept first."""
    if "whole" in message.body:
        return keep_whole(hub, message)
    item = hub.table.get(delivery_key(message.body["delivery"]))
    return delivery_of(item) if item else None


def _read(batch: Batch, message: Received, stored: Mapping[Key, Item]) -> Job | None:
    """Read what a message stands for; None when there is nothing left to do."""
    hub = batch.hub
    if "whole" in message.body:
        delivery = keep_whole(hub, message)
    else:
        delivery = delivery_of(stored[delivery_key(message.body["delivery"])])
    if delivery.outcome not in OPEN:
        if delivery.emptied_at:
            let_go(hub, delivery)
        _route_again(batch, delivery.results.values())
        return None
    try:
        if delivery.held:
            raise Malformed(f"{delivery.held} when it came; replay it to take it")
        source = _source(batch.current, delivery)
        connector = registry.load(delivery.connector)
        acts = read(connector, request_of(hub, delivery), source.options)
    except (Malformed, UnknownSource, Misconfigured) as error:
        finish(hub, delivery, {}, acts=0, error=error)
        return None
    part = range(int(message.body.get("from", 0)), int(message.body.get("to", len(acts))))
    if len(part) > ACTS_AT_ONCE:
        _spread(hub, delivery, len(acts))
        return None
    _route_again(batch, [delivery.results[str(n)] for n in part if str(n) in delivery.results])
    positions = [n for n in part if str(n) not in delivery.results]
    return Job(message.message_id, delivery, source, connector, acts, positions)


def _read_ahead(batch: Batch, jobs: Sequence[Job]) -> None:
    """Read in two calls what nearly every submission of the batch asks for."""
    claims, keys = [], []
    for job in jobs:
        for position in job.positions:
            act = job.acts[position]
            if isinstance(act, Submission | Withdrawal):
                claims.append(claim_key(job.delivery.source_id, act.external_id))
            if isinstance(act, Submission):
                keys.append(form_key(job.delivery.source_id, act.form))
            if isinstance(act, Submission) and not act.lookup:
                touch = _touch(batch, job, act)
                job.touches[position] = touch
                keys += [*asked_first(touch), *asked_of(touch)]
    if model := batch.current.config.intent.model:
        from chalicelib.flow.ask_model import ask_model  # most hubs ask none

        ask_model(batch.hub, model, [job.touches for job in jobs])
    batch.glance.read_ahead([*claims, *keys])


def _handle(batch: Batch, job: Job) -> None:
    """Take each submission and withdrawal of a job, then write what became of it."""
    results = {}
    wait: TryLater | None = None
    for position in job.positions:
        try:
            results[str(position)] = _take(batch, job, position)
        except TryLater as error:
            is_longer = not wait or (error.retry_after_seconds or 0) > (
                wait.retry_after_seconds or 0
            )
            wait = error if is_longer else wait
    is_written = len(job.acts) == 1 and results and results["0"].outcome == "accepted"
    if not is_written or results["0"].of:
        finish(batch.hub, job.delivery, results, acts=len(job.acts), wait=wait)


def _take(batch: Batch, job: Job, position: int) -> ActResult:
    """Handle one act, however often it comes."""
    act = job.acts[position]
    try:
        for attempt in range(ATTEMPTS):
            batch.hub.pause(attempt)
            try:
                return _take_act(batch, job, position, act)
            except Conflict:
                continue
    except (Malformed, Gone, Refused, Misconfigured) as error:
        return ActResult(
            outcome="quarantined", external_id=act.external_id, reason=reason_of(error)
        )
    raise TryLater("others kept writing to the same lead", CROWDED_SECONDS)


def _take_act(batch: Batch, job: Job, position: int, act: Act | None) -> ActResult:
    match act:
        case Submission():
            return _take_submission(batch, job, position, act)
        case Withdrawal():
            return withdraw(batch.hub, batch.current, job.delivery, job.writer(position), act)
        case Erasure():
            return erase(batch.hub, batch.current, job.delivery, job.writer(position), act)
        case Unreadable():
            raise Malformed(act.reason)
        case Nudge():
            return _read_list(batch.hub, job.delivery)
        case None:
            return ActResult(outcome="ignored", reason="nothing in it for us")


def _take_submission(batch: Batch, job: Job, position: int, submission: Submission) -> ActResult:
    hub = batch.hub
    key = claim_key(job.delivery.source_id, submission.external_id)
    # What was read ahead may lag, and what repeats another is surely dropped: look again.
    item = hub.table.get(key) if batch.glance.get(key) else None
    claim = claim_of(item) if item else None
    if claim and claim.erased_at:
        return ActResult(outcome="erased")
    if claim and not _is_newer(submission, claim):
        return _taken_before(batch, job, position, claim)
    if submission.lookup and job.connector.fetch:
        # Once, however often it has to be matched anew.
        if position not in job.fetched:
            job.fetched[position] = _fetch(hub, job, submission)
        fetched = job.fetched[position]
        if not isinstance(fetched, Submission):
            return _take_act(batch, job, position, fetched)
        submission = fetched
        if claim and not _is_newer(submission, claim):
            # Only what was fetched says which state of the act it is.
            return _taken_before(batch, job, position, claim)
    if submission.is_spam and not job.delivery.is_released:
        raise Malformed(f"suspected spam: {submission.suspicion}")
    touch = job.touches.get(position) or _touch(batch, job, submission)
    if not touch.identity_keys and not submission.is_test:
        batch.seen += seen(touch, submission, job.source, job.connector)
        raise Malformed(NOBODY)
    wishes = wishes_of(batch.glance, touch)
    if is_to_be_gone(wishes, touch):
        return ActResult(outcome="erased")
    found = match(hub, batch.current, batch.glance, touch, _touch_before(claim))
    if submission.only_if_known and not found.version:
        if is_refusal(touch) and (heard := refusal_wishes(hub.table, touch, job.writer(position))):
            hub.table.write(heard)
            look_again()
        return ActResult(
            outcome="ignored",
            external_id=submission.external_id,
            reason="it tells of a person whom no lead is about",
        )
    if submission.is_test:
        return ActResult(
            outcome="test", external_id=submission.external_id, decisions=found.decisions
        )
    result = ActResult(
        outcome="accepted",
        external_id=submission.external_id,
        lead_id=found.lead.lead_id,
        touch_id=touch.touch_id,
    )
    outcome = []
    if len(job.acts) == 1:
        after = with_results(hub, job.delivery, {str(position): result}, 1)
        outcome = [outcome_write(job.delivery, after, job.writer(position))]
    new_claim = _new_claim(job, position, submission, found, claim.version + 1 if claim else 1)
    more = [*outcome, *heard_again(hub, wishes, job.writer(position))]
    save(hub, found, new_claim, job.writer(position), more)
    batch.seen += seen(touch, submission, job.source, job.connector)
    if found.lead.awaits:
        batch.routing.append(route_message(found.lead))
    return result


def _read_list(hub: Hub, delivery: Delivery) -> ActResult:
    """Have the provider's list read, for it says that there is something new."""
    from chalicelib.flow.backfill import ask_for

    try:
        ask_for(hub, delivery.source_id, delivery.received_at - LOOK_BACK)
    except NotFound as error:
        raise Malformed(f"the provider's list cannot be read: {error}") from error
    return ActResult(outcome="ignored", reason="the provider's list is read now")


def _taken_before(batch: Batch, job: Job, position: int, claim: Claim) -> ActResult:
    """Say what became of a submission that has been taken: by this very delivery or another."""
    is_ours = claim.delivery_id == job.delivery.delivery_id and claim.position == position
    outcome: Outcome = "duplicate"
    if is_ours and claim.touch_id:
        outcome = "accepted"
    elif claim.withdrawn_at:
        outcome = "withdrawn"
    result = ActResult(
        outcome=outcome,
        external_id=claim.external_id,
        lead_id=claim.lead_id,
        touch_id=claim.touch_id,
        of=claim.delivery_id,
    )
    if outcome == "accepted":
        _route_again(batch, [result])
    return result


def _touch(batch: Batch, job: Job, submission: Submission) -> Touch:
    return normalise(
        submission,
        source_id=job.delivery.source_id,
        source=job.source,
        connector=job.connector.name,
        connector_fields=job.connector.fields,
        config=batch.current.config,
        delivery_id=job.delivery.delivery_id,
        received_at=job.delivery.received_at,
    )


def _new_claim(
    job: Job, position: int, submission: Submission, found: Match, version: int
) -> Claim:
    return Claim(
        source_id=job.delivery.source_id,
        external_id=submission.external_id,
        version=version,
        delivery_id=job.delivery.delivery_id,
        position=position,
        revision=submission.revision,
        acted_at=submission.submitted_at,
        lead_id=found.lead.lead_id,
        touch_id=found.touch.touch_id if found.touch else "",
        is_partial=submission.is_partial,
    )


def _is_newer(submission: Submission, claim: Claim) -> bool:
    """Say whether a submission replaces the one that holds its claim.

    A complete one replaces a partial one; an act with another revision replaces an older one,
    unless it was withdrawn afterwards.
    """
    if claim.withdrawn_at and submission.submitted_at <= claim.withdrawn_at:
        return False
    if claim.is_partial != submission.is_partial and claim.touch_id:
        return claim.is_partial
    return submission.revision != claim.revision and submission.submitted_at > claim.acted_at


def _touch_before(claim: Claim | None) -> tuple[str, str] | None:
    """Name the lead and touch that a newer act replaces."""
    if claim is None or not claim.touch_id or claim.withdrawn_at:
        return None
    return claim.lead_id, claim.touch_id


def _fetch(hub: Hub, job: Job, submission: Submission) -> Act | None:
    from chalicelib.flow.access import open_get

    get = open_get(hub, job.delivery.source_id, job.source, job.connector)
    return complete(job.connector, submission, get)


def _source(current: Current, delivery: Delivery) -> Source:
    source = current.config.sources.get(delivery.source_id)
    if source is None:
        raise UnknownSource(f"source {delivery.source_id} is not in the configuration any more")
    return source


def _spread(hub: Hub, delivery: Delivery, acts: int) -> None:
    """Spread a delivery of many submissions over messages of its own."""
    parts = [
        {"from": start, "to": min(start + ACTS_AT_ONCE, acts)}
        for start in range(0, acts, ACTS_AT_ONCE)
    ]
    hub.inbox.send([Message({"delivery": delivery.delivery_id, **part}) for part in parts])


def _route_again(batch: Batch, results: Iterable[ActResult]) -> None:
    """Queue leads again whose routing messages may have been lost with an earlier try."""
    wanted = {result.lead_id for result in results if result.outcome == "accepted"}
    batch.routing += [
        route_message(lead) for lead in live_leads(batch.hub.table, sorted(wanted)) if lead.awaits
    ]
