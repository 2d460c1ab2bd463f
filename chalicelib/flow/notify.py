"""Step 6: send what has been decided, at most one visible effect for each, never dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from chalicelib.config.model import Config, Destination
from chalicelib.destination import Notice, Tools, load
from chalicelib.errors import (
    Conflict,
    Misconfigured,
    Refused,
    TryLater,
    Unavailable,
    Uncertain,
)
from chalicelib.flow.joining import PROGRAMS
from chalicelib.flow.leads import live_leads_by_id
from chalicelib.flow.outcome import reason_of
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Lead, Touch
from chalicelib.lead.text import joined
from chalicelib.links import LINKS_SECRET, make
from chalicelib.records import (
    Attempt,
    Effect,
    effect_item,
    effect_key,
    effect_of,
    lead_key,
    touch_record_of,
    touch_sort_key,
)
from chalicelib.storage import Holds, Key, Put, Received

LEASE = timedelta(seconds=90)
"""How long an attempt may take before its outcome counts as unknown; a worker has a minute."""

WAITS_SECONDS = (5, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Back-off between attempts, some 75 hours in all; a destination's own wish goes first."""

CLAIM = "claim of effect"

LINKS_LAST = timedelta(days=7)
"""How long accept and decline links work."""


@dataclass(frozen=True)
class Subject:
    """What a notification is about: a lead as it is now, and its last touch."""

    lead: Lead
    touch: Touch | None


@dataclass
class Lane:
    """The effects of one destination, which are sent one after another.

    What became of one is written together with the claim of the next: that saves a call each, and
    still at most one attempt at a time is under way without its outcome being known.
    """

    hub: Hub
    current: Current
    subjects: Mapping[str, Subject]
    read_at: datetime
    unwritten: list[Put] = field(default_factory=list)


def notify(hub: Hub, messages: Sequence[Received]) -> list[str]:
    """Handle outbox messages `{"lead": id, "effect": id}`; gives the ids that must come back.

    Destinations are worked on side by side, so that a slow one does not hold up another.
    """
    keys = {m.message_id: effect_key(m.body["lead"], m.body["effect"]) for m in messages}
    try:
        current = hub.configurations.current()
        stored = hub.table.get_many(list(keys.values()))
        effects = {m: effect_of(stored[key]) for m, key in keys.items() if key in stored}
        now = hub.clock()
        subjects = _subjects(hub, [e.lead_id for e in effects.values() if _is_open(e, now)])
    except (Unavailable, Misconfigured) as error:
        hub.trouble(error)
        return list(keys)
    lanes: dict[str, dict[str, Effect]] = {}
    for message_id, effect in _first_of_each(effects).items():
        lanes.setdefault(effect.destination_id, {})[message_id] = effect
    work = [partial(_send_all, Lane(hub, current, subjects, now), lane) for lane in lanes.values()]
    return [message_id for failed in hub.side_by_side(work) for message_id in failed]


def _first_of_each(effects: Mapping[str, Effect]) -> dict[str, Effect]:
    """Leave out messages that name an effect again; the first one stands for them all."""
    firsts: dict[str, str] = {}
    for message_id, effect in effects.items():
        firsts.setdefault(effect.effect_id, message_id)
    return {message_id: effects[message_id] for message_id in firsts.values()}


def set_aside(hub: Hub, message: Received, error: Exception) -> None:
    """Quarantine an effect on which our own code fails again and again.

    Raises:
        Unavailable: the table is down; the message must come back.
    """
    item = hub.table.get(effect_key(message.body["lead"], message.body["effect"]))
    effect = effect_of(item) if item else None
    if effect and effect.state in ("pending", "sending"):
        _write(hub, _quarantined(hub, effect, f"a mistake of ours: {type(error).__name__}"))


def _send_all(lane: Lane, effects: Mapping[str, Effect]) -> list[str]:
    """Send effects in order; after one that had to wait, the rest of this batch wait too."""
    failed = []
    is_slow = False
    for message_id, effect in effects.items():
        try:
            # As when leads were read: of one that became open since, nothing is known here.
            if not _is_open(effect, lane.read_at):
                continue
            if is_slow:
                _write(lane.hub, _postponed(lane.hub, effect))
            else:
                is_slow = _send(lane, effect)
        except Unavailable as error:
            lane.hub.trouble(error)
            failed.append(message_id)
    try:
        for put in lane.unwritten:
            _write(lane.hub, put)
    except Unavailable as error:
        lane.hub.trouble(error)
        return list(effects)
    return failed


def _is_open(effect: Effect, now: datetime) -> bool:
    """Say whether an effect is to be sent now, and not by someone else or later."""
    if effect.state == "pending":
        return not effect.attempts or effect.due_at is None or effect.due_at <= now
    return effect.state == "sending" and effect.due_at is not None and effect.due_at <= now


def _send(lane: Lane, effect: Effect) -> bool:
    """Make one attempt; True when the destination made us wait."""
    hub, now = lane.hub, lane.hub.clock()
    destination = lane.current.config.destinations.get(effect.destination_id)
    if destination is None or not destination.enabled:
        _write(hub, _closed(hub, effect, "cancelled", reason="the destination is switched off"))
        return False
    if effect.about and destination.kind not in PROGRAMS:
        _write(hub, _closed(hub, effect, "cancelled", reason="only programs are told of merges"))
        return False
    subject = lane.subjects.get(effect.lead_id)
    if effect.kind == "erased":
        notice: Notice | None = _word_of_erasure(lane.current, effect)
    else:
        notice = _notice(hub, lane.current, subject, effect, now) if subject else None
    if notice is None:
        is_withdrawn = subject is not None and subject.lead.status_reason == "withdrawn"
        why = "the person took it back" if is_withdrawn else "the lead has changed hands since"
        _write(hub, _closed(hub, effect, "cancelled", reason=why))
        return False
    is_repeatable = False
    try:
        kind = load(destination.kind)
        is_repeatable = kind.is_repeatable
        if effect.state == "sending" and not is_repeatable:
            raise Uncertain("an attempt ended without an answer")
        # Before the claim: whatever fails here has surely sent nothing.
        tools = _tools(hub, lane.current.config, destination, now)
        if not is_repeatable:
            effect = _claim(lane, effect, now)
        proof = kind.send(notice, destination, tools)
    except Conflict:
        return False
    except (TryLater, Uncertain, Refused, Misconfigured) as error:
        after = _failed(hub, effect, error, is_repeatable)
        is_slow = isinstance(error, (TryLater, Uncertain))
    else:
        after = _closed(hub, effect, "done", proof=proof, outcome="sent")
        is_slow = False
    if is_repeatable:
        _write(hub, after)
    else:
        lane.unwritten.append(after)
    return is_slow


def _claim(lane: Lane, effect: Effect, now: datetime) -> Effect:
    """Say that an attempt is under way, so that its outcome is known to be unknown if we die.

    Raises:
        Conflict: another worker has it.
    """
    due_at = max(now + LEASE, effect.due_at or now)
    claimed = effect.model_copy(
        update={"state": "sending", "version": effect.version + 1, "due_at": due_at}
    )
    claim = _put(lane.hub, effect, claimed, CLAIM)
    try:
        lane.hub.table.write([*lane.unwritten, claim])
    except Conflict as conflict:
        if CLAIM in conflict.found:
            raise
        # The effect before was taken over in the meantime; this claim has nothing to do with it.
        lane.hub.table.write([claim])
    lane.unwritten.clear()
    return claimed


def _failed(
    hub: Hub,
    effect: Effect,
    error: TryLater | Uncertain | Refused | Misconfigured,
    is_repeatable: bool,
) -> Put:
    """Give the write after a failed attempt: later again, or quarantined for a person to see."""
    may_repeat = isinstance(error, TryLater) or (isinstance(error, Uncertain) and is_repeatable)
    if not may_repeat or len(effect.attempts) >= len(WAITS_SECONDS):
        return _quarantined(hub, effect, reason_of(error))
    wait = WAITS_SECONDS[len(effect.attempts)]
    if isinstance(error, TryLater) and error.retry_after_seconds is not None:
        wait = error.retry_after_seconds
    now = hub.clock()
    later = effect.model_copy(
        update={
            "state": "pending",
            "version": effect.version + 1,
            "due_at": now + timedelta(seconds=wait),
            "attempts": (*effect.attempts, Attempt(at=now, outcome=str(error)[:300])),
        }
    )
    return _put(hub, effect, later, "wait of effect")


def _quarantined(hub: Hub, effect: Effect, reason: str) -> Put:
    """Give the write that sets an effect aside for a person, who is told by an alarm."""
    hub.alarm("set_aside", {"lead": effect.lead_id, "destination": effect.destination_id})
    return _closed(hub, effect, "quarantined", reason=reason, outcome=reason)


def _postponed(hub: Hub, effect: Effect) -> Put:
    """Give the write that leaves an effect for later: its destination is busy."""
    due_at = hub.clock() + timedelta(seconds=WAITS_SECONDS[1])
    later = effect.model_copy(update={"version": effect.version + 1, "due_at": due_at})
    return _put(hub, effect, later, "postponed effect")


def _closed(
    hub: Hub,
    effect: Effect,
    state: Literal["done", "quarantined", "cancelled"],
    *,
    proof: str = "",
    reason: str = "",
    outcome: str = "",
) -> Put:
    """Give the write that ends an effect."""
    attempts = effect.attempts
    if outcome:
        attempts = (*attempts, Attempt(at=hub.clock(), outcome=outcome[:300]))
    closed = effect.model_copy(
        update={
            "state": state,
            "version": effect.version + 1,
            "due_at": None,
            "proof": proof[:300],
            "reason": reason[:300],
            "attempts": attempts,
        }
    )
    return _put(hub, effect, closed, "closed effect")


def _put(hub: Hub, was: Effect, effect: Effect, name: str) -> Put:
    writer = f"notify:{hub.new_id()}"
    return Put(name, effect_item(effect, writer), Holds("version", was.version))


def _write(hub: Hub, put: Put) -> None:
    """Write what became of an effect, unless another worker did in the meantime."""
    try:
        hub.table.write([put])
    except Conflict:
        return


def _tools(hub: Hub, config: Config, destination: Destination, now: datetime) -> Tools:
    return Tools(
        post=hub.web.post,
        send_mail=hub.send_mail,
        secrets=hub.secrets.get(destination.secret),
        now=now,
        mail_from=config.settings.mail_from,
        test_hosts=hub.settings.private_hosts,
    )


def rehearse(hub: Hub, current: Current, subject: Subject, effect: Effect) -> str:
    """Send an effect's notice, once and with no record of it; gives the destination's proof.

    Args:
        hub: what it sends with decides whether anything leaves the house.
        current: configuration in force.
        subject: the lead as it would be, and its last touch.
        effect: what would be sent.

    Raises:
        TryLater, Uncertain, Refused, Misconfigured: see DestinationKind.send.
    """
    now = hub.clock()
    destination = current.config.destinations[effect.destination_id]
    notice = _notice(hub, current, subject, effect, now)
    if notice is None:
        raise Refused("the lead has changed hands since")
    tools = _tools(hub, current.config, destination, now)
    return load(destination.kind).send(notice, destination, tools)


def _notice(
    hub: Hub, current: Current, subject: Subject, effect: Effect, now: datetime
) -> Notice | None:
    """Build what a message shows from what is stored now; None when it must not go out."""
    lead, touch = subject.lead, subject.touch
    if lead.status_reason == "withdrawn" and not effect.about:
        return None
    assigned = effect.assignment
    if assigned and (
        lead.assignment is None or lead.assignment.assignment_id != assigned.assignment_id
    ):
        return None
    config = current.config
    source = config.sources.get(lead.last_touch.source_id) if lead.last_touch else None
    rule = next((rule for rule in config.routing if rule.id == lead.rule_id), None)
    owner = config.owners.get(assigned.owner_id) if assigned else None
    reader = config.owners.get(effect.reader)
    shown_to = reader or owner
    is_asked = assigned and (
        not effect.reader or (effect.reader == assigned.owner_id and not _is_accepted(lead))
    )
    accept_url, decline_url = _links(hub, lead, now) if is_asked else ("", "")
    return Notice(
        effect_id=effect.effect_id,
        kind=effect.kind,
        occurred_at=effect.created_at,
        company=config.settings.company,
        lead_id=lead.lead_id,
        lead_version=lead.version,
        source_id=lead.last_touch.source_id if lead.last_touch else "",
        source_title=(source.title if source else "") or "",
        form_title=touch.form_title if touch else "",
        score=lead.score,
        profile={
            name: joined(entry.value)
            for name, entry in {**lead.profile, **lead.custom}.items()
            if name != "message"
        },
        message=joined(lead.profile["message"].value) if "message" in lead.profile else "",
        answers={touch.labels.get(k, k): joined(touch.answers[k]) for k in touch.unmapped}
        if touch
        else {},
        campaign=lead.last_touch.campaign if lead.last_touch else {},
        first_seen_at=lead.created_at,
        rule_title=rule.title if rule else "",
        because=effect.because,
        consents=tuple(lead.consents.values()),
        assignment_id=assigned.assignment_id if assigned else "",
        owner_id=assigned.owner_id if assigned else "",
        owner_name=owner.name if owner else "",
        owner_email=owner.email if owner else "",
        reader_name=reader.name if reader else "",
        reader_email=reader.email if reader else "",
        language=shown_to.language if shown_to else config.settings.language,
        time_zone=(shown_to.time_zone if shown_to else "") or config.settings.time_zone,
        accept_url=accept_url,
        decline_url=decline_url,
        about=effect.about,
    )


def _is_accepted(lead: Lead) -> bool:
    return lead.assignment is not None and lead.assignment.accepted_at is not None


def _word_of_erasure(current: Current, effect: Effect) -> Notice:
    """Build what a program is told whose copy of a lead is to be erased: the lead's id alone."""
    return Notice(
        effect_id=effect.effect_id,
        kind="erased",
        occurred_at=effect.created_at,
        company=current.config.settings.company,
        lead_id=effect.lead_id,
        lead_version=0,
    )


def _subjects(hub: Hub, lead_ids: Sequence[str]) -> dict[str, Subject]:
    """Read what notifications are about: leads, or who they were merged into, by lead id."""
    leads = live_leads_by_id(hub.table, lead_ids)
    keys = {
        Key(lead_key(holder)[0], touch_sort_key(lead.last_touch.at, lead.last_touch.touch_id)): lead
        for lead in leads.values()
        if lead.last_touch
        for holder in (lead.lead_id, *lead.members)
    }
    found = hub.table.get_many(list(keys))
    touches = {keys[key].lead_id: touch_record_of(item).touch for key, item in found.items()}
    return {asked: Subject(lead, touches.get(lead.lead_id)) for asked, lead in leads.items()}


def _links(hub: Hub, lead: Lead, now: datetime) -> tuple[str, str]:
    """Give signed addresses to accept and to decline; opening one only shows a page."""
    secrets = hub.secrets.get(LINKS_SECRET)
    assignment = lead.assignment
    if not secrets or not hub.settings.public_url or assignment is None:
        return "", ""
    url = f"{hub.settings.public_url}/answer/"
    accept, decline = (
        make(
            action,
            lead.lead_id,
            assignment.assignment_id,
            assignment.owner_id,
            now + LINKS_LAST,
            secrets[0],
        )
        for action in ("accept", "decline")
    )
    return url + accept, url + decline
