"""Step 6: send what has been decided, at most one visible effect for each, never dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from chalicelib.config.model import Config
from chalicelib.config.model import Destination as DestinationConfig
from chalicelib.destination import Notice, Tools, load
from chalicelib.errors import (
    Conflict,
    Misconfigured,
    Refused,
    TryLater,
    Unavailable,
    Uncertain,
)
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Lead, Touch
from chalicelib.links import make
from chalicelib.records import (
    Attempt,
    Effect,
    effect_item,
    effect_key,
    effect_of,
    lead_key,
    lead_of,
    touch_record_of,
    touch_sort_key,
)
from chalicelib.storage import Holds, Key, Put, Received

LEASE = timedelta(minutes=5)
"""How long an attempt may take before its outcome counts as unknown."""

WAITS_SECONDS = (5, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Back-off between attempts, some 75 hours in all; a destination's own wish goes first."""

LINKS_LAST = timedelta(days=7)
"""How long accept and decline links work."""

LINKS_SECRET = "links"  # noqa: S105 (the name of a secret)


@dataclass(frozen=True)
class Subject:
    """What a notification is about: a lead as it is now, and its last touch."""

    lead: Lead
    touch: Touch | None


def notify(hub: Hub, messages: Sequence[Received]) -> list[str]:
    """Handle outbox messages `{"lead": id, "effect": id}`; gives the ids that must come back.

    Destinations are worked on side by side, so that a slow one does not hold up another.
    """
    keys = {m.message_id: effect_key(m.body["lead"], m.body["effect"]) for m in messages}
    try:
        current = hub.configurations.current()
        stored = hub.table.get_many(list(keys.values()))
    except (Unavailable, Misconfigured):
        return list(keys)
    effects = {m: effect_of(stored[key]) for m, key in keys.items() if key in stored}
    try:
        subjects = _subjects(hub, [e.lead_id for e in effects.values() if _is_open(e, hub.clock())])
    except Unavailable:
        return list(keys)
    lanes: dict[str, dict[str, Effect]] = {}
    for message_id, effect in effects.items():
        lanes.setdefault(effect.destination_id, {})[message_id] = effect
    work = [partial(_send_all, hub, current, subjects, lane) for lane in lanes.values()]
    return [message_id for failed in hub.side_by_side(work) for message_id in failed]


def set_aside(hub: Hub, message: Received, error: Exception) -> None:
    """Quarantine an effect on which our own code fails again and again.

    Raises:
        Unavailable: the table is down; the message must come back.
    """
    item = hub.table.get(effect_key(message.body["lead"], message.body["effect"]))
    effect = effect_of(item) if item else None
    if effect and effect.state in ("pending", "sending"):
        reason = f"a mistake of ours: {type(error).__name__}"
        _close(hub, effect, "quarantined", reason=reason, outcome=reason)


def _send_all(
    hub: Hub, current: Current, subjects: Mapping[str, Subject], lane: Mapping[str, Effect]
) -> list[str]:
    """Send the effects of one destination in order; after one wait the rest wait too."""
    failed = []
    is_slow = False
    for message_id, effect in lane.items():
        try:
            if is_slow and _is_open(effect, hub.clock()):
                _postpone(hub, effect)
            else:
                is_slow = _send(hub, current, subjects, effect)
        except Unavailable:
            failed.append(message_id)
    return failed


def _is_open(effect: Effect, now: datetime) -> bool:
    """Say whether an effect is to be sent now, and not by someone else or later."""
    if effect.state == "pending":
        return not effect.attempts or effect.due_at is None or effect.due_at <= now
    return effect.state == "sending" and effect.due_at is not None and effect.due_at <= now


def _send(hub: Hub, current: Current, subjects: Mapping[str, Subject], effect: Effect) -> bool:
    """Make one attempt; True when the destination made us wait."""
    now = hub.clock()
    if not _is_open(effect, now):
        return False
    destination = current.config.destinations.get(effect.destination_id)
    if destination is None or not destination.enabled:
        _close(hub, effect, "cancelled", reason="the destination is switched off")
        return False
    try:
        kind = load(destination.kind)
        if effect.state == "sending" and not kind.is_repeatable:
            raise Uncertain("an attempt ended without an answer")
        subject = subjects.get(effect.lead_id)
        notice = _notice(hub, current, subject, effect, now) if subject else None
        if notice is None:
            _close(hub, effect, "cancelled", reason="the lead has changed hands since")
            return False
        if not kind.is_repeatable:
            effect = _claim(hub, effect, now)
        proof = kind.send(notice, destination, _tools(hub, current.config, destination, now))
    except Conflict:
        return False
    except (TryLater, Uncertain, Refused, Misconfigured) as error:
        _failed(hub, effect, error, _is_repeatable(destination))
        return isinstance(error, TryLater)
    _close(hub, effect, "done", proof=proof, outcome="sent")
    return False


def _is_repeatable(destination: DestinationConfig) -> bool:
    try:
        return load(destination.kind).is_repeatable
    except Misconfigured:
        return False


def _claim(hub: Hub, effect: Effect, now: datetime) -> Effect:
    """Say that an attempt is under way, so that its outcome is known to be unknown if we die."""
    claimed = effect.model_copy(
        update={"state": "sending", "version": effect.version + 1, "due_at": now + LEASE}
    )
    _put(hub, effect, claimed, "claim of effect")
    return claimed


def _failed(
    hub: Hub,
    effect: Effect,
    error: TryLater | Uncertain | Refused | Misconfigured,
    is_repeatable: bool,
) -> None:
    may_repeat = isinstance(error, TryLater) or (isinstance(error, Uncertain) and is_repeatable)
    if not may_repeat or len(effect.attempts) >= len(WAITS_SECONDS):
        reason = f"{type(error).__name__.lower()}: {error}"
        _close(hub, effect, "quarantined", reason=reason, outcome=reason)
        return
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
    _put_quietly(hub, effect, later, "wait of effect")


def _postpone(hub: Hub, effect: Effect) -> None:
    """Leave an effect for later without an attempt: its destination is busy."""
    due_at = hub.clock() + timedelta(seconds=WAITS_SECONDS[1])
    later = effect.model_copy(update={"version": effect.version + 1, "due_at": due_at})
    _put_quietly(hub, effect, later, "postponed effect")


def _close(
    hub: Hub, effect: Effect, state: str, *, proof: str = "", reason: str = "", outcome: str = ""
) -> None:
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
    _put_quietly(hub, effect, closed, "closed effect")


def _put(hub: Hub, was: Effect, effect: Effect, name: str) -> None:
    writer = f"notify:{hub.new_id()}"
    hub.table.write([Put(name, effect_item(effect, writer), Holds("version", was.version))])


def _put_quietly(hub: Hub, was: Effect, effect: Effect, name: str) -> None:
    try:
        _put(hub, was, effect, name)
    except Conflict:
        return


def _tools(hub: Hub, config: Config, destination: DestinationConfig, now: datetime) -> Tools:
    return Tools(
        post=hub.web.post,
        send_mail=hub.send_mail,
        secrets=hub.secrets.get(destination.secret),
        now=now,
        mail_from=config.settings.mail_from,
        test_hosts=hub.settings.private_hosts,
    )


def _notice(
    hub: Hub, current: Current, subject: Subject, effect: Effect, now: datetime
) -> Notice | None:
    """Build what a message shows from what is stored now; None when it must not go out."""
    lead, touch = subject.lead, subject.touch
    if lead.status_reason == "withdrawn":
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
    accept_url, decline_url = _links(hub, lead, now) if assigned else ("", "")
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
            name: _text(entry.value)
            for name, entry in {**lead.profile, **lead.custom}.items()
            if name != "message"
        },
        message=_text(lead.profile["message"].value) if "message" in lead.profile else "",
        answers={touch.labels.get(k, k): _text(touch.answers[k]) for k in touch.unmapped}
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
        language=owner.language if owner else config.settings.language,
        time_zone=(owner.time_zone if owner else "") or config.settings.time_zone,
        accept_url=accept_url,
        decline_url=decline_url,
    )


def _subjects(hub: Hub, lead_ids: Sequence[str]) -> dict[str, Subject]:
    """Read what notifications are about: leads, or who they were merged into, by lead id."""
    leads = _leads(hub, lead_ids)
    keys = {
        Key(lead_key(holder)[0], touch_sort_key(lead.last_touch.at, lead.last_touch.touch_id)): lead
        for lead in leads.values()
        if lead.last_touch
        for holder in (lead.lead_id, *lead.members)
    }
    found = hub.table.get_many(list(keys))
    touches = {keys[key].lead_id: touch_record_of(item).touch for key, item in found.items()}
    return {asked: Subject(lead, touches.get(lead.lead_id)) for asked, lead in leads.items()}


def _leads(hub: Hub, lead_ids: Sequence[str]) -> dict[str, Lead]:
    items = hub.table.get_many([lead_key(lead_id) for lead_id in lead_ids])
    leads = {i: lead_of(items[lead_key(i)]) for i in lead_ids if lead_key(i) in items}
    merged = {i: lead.merged_into for i, lead in leads.items() if lead.merged_into}
    if merged:
        survivors = _leads(hub, sorted(set(merged.values())))
        leads |= {i: survivors[into] for i, into in merged.items()}
    return leads


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


def _text(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
