"""All that is known of one person, for the person: gathered from everything stored of their lead.

Of requests that held others' submissions too only the person's own part is given: the touch that
was read from it.
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from chalicelib.errors import Conflict, Malformed
from chalicelib.flow.details import TimelineEntry, find_lead, timeline
from chalicelib.flow.keep import request_of
from chalicelib.flow.why import why
from chalicelib.hub import Hub
from chalicelib.lead.model import Answer, Lead, Model, ProfileValue, Stage, Status, Touch
from chalicelib.records import (
    Event,
    delivery_key,
    delivery_of,
    event_item,
    lead_key,
    touch_record_of,
)
from chalicelib.storage import ATTEMPTS, Absent, Check, Holds, Put


class KnownField(Model):
    """One thing that is known, and where it is from."""

    field: str
    value: Any
    at: AwareDatetime
    source_id: str = Field(default="", description="by which it came; empty when set by hand")
    touch_id: str = ""
    by: str = Field(default="", description="who of ours set it by hand")


class ToldUs(Model):
    """One thing that the person sent, with each answer as it was given."""

    touch_id: str
    source_id: str
    submitted_at: AwareDatetime
    received_at: AwareDatetime
    form: str = ""
    answers: dict[str, Answer] = Field(description="question -> answer")
    understood: dict[str, str] = Field(description="contact and custom fields, made fit for use")
    identity_keys: tuple[str, ...]
    campaign: dict[str, str]
    page_url: str = ""
    state: Literal["counts", "withdrawn", "superseded"]


class Agreement(Model):
    """One answer to the question for a consent, in the words that were shown."""

    purpose: str
    given: bool
    wording: str
    at: AwareDatetime
    evidence: str
    source_id: str
    touch_id: str
    is_in_force: bool = Field(description="it is the last word on this purpose")


class Notification(Model):
    """One message about the person that went to somebody, or was to go."""

    destination_id: str
    kind: str
    state: str
    at: AwareDatetime


class Happened(Model):
    """One thing on the timeline."""

    at: AwareDatetime
    what: str
    who: str
    text: str


class ExportedRequest(Model):
    """One request as it came."""

    delivery_id: str
    source_id: str
    received_at: AwareDatetime
    body: str = ""
    body_encoding: Literal["utf-8", "base64", ""] = ""
    note: str = Field(default="", description="why its body is not here")


class Export(Model):
    """All that is known of one person."""

    lead_id: str
    lead_ids: tuple[str, ...] = Field(description="this lead and those that were merged into it")
    exported_at: AwareDatetime
    exported_by: str
    status: Status
    stage: Stage
    owner: str = ""
    fields: tuple[KnownField, ...]
    touches: tuple[ToldUs, ...] = Field(description="oldest first")
    consents: tuple[Agreement, ...] = Field(description="every one that was given or refused")
    decisions: tuple[str, ...] = Field(description="what the hub decided about them, in words")
    notifications: tuple[Notification, ...]
    timeline: tuple[Happened, ...]
    requests: tuple[ExportedRequest, ...]


def export(hub: Hub, lead_id: str, actor: str) -> Export:
    """Gather all that is known of a person, and note on the timeline who took it.

    Raises:
        NotFound, Erased: no such lead.
        Conflict: it keeps changing.
    """
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        lead = find_lead(hub, lead_id)
        found = _gathered(hub, lead, actor)
        event = Event(
            event_id=hub.new_id(),
            kind="exported",
            at=max(found.exported_at, lead.updated_at),
            actor=actor,
            text="all that is known of the person was exported",
        )
        writer = f"export:{event.event_id}"
        still = Check("exported lead", lead_key(lead.lead_id), Holds("version", lead.version))
        put = Put("export event", event_item(lead.lead_id, event, writer), Absent())
        try:
            hub.table.write([still, put])
        except Conflict:
            continue
        return found
    raise Conflict(f"lead {lead_id} is changing; try again")


def _gathered(hub: Hub, lead: Lead, actor: str) -> Export:
    ours = (lead.lead_id, *lead.members)
    touches = sorted(
        (
            touch_record_of(item).touch
            for lead_id in ours
            for item in hub.table.query(lead_key(lead_id)[0], "TOUCH#")
        ),
        key=lambda touch: (touch.submitted_at, touch.touch_id),
    )
    entries = timeline(hub, lead)
    owners = hub.configurations.current().config.owners
    owner = owners.get(lead.assignment.owner_id) if lead.assignment else None
    return Export(
        lead_id=lead.lead_id,
        lead_ids=ours,
        exported_at=hub.clock(),
        exported_by=actor,
        status=lead.status,
        stage=lead.stage,
        owner=owner.name if owner else "",
        fields=tuple(_fields(lead, touches)),
        touches=tuple(map(_told, touches)),
        consents=tuple(_agreements(lead, touches)),
        decisions=why(hub, lead).lines,
        notifications=tuple(_notifications(entries)),
        timeline=tuple(
            Happened(at=one.at, what=one.kind, who=one.actor or one.source_id, text=one.text)
            for one in entries
        ),
        requests=tuple(_requests(hub, touches)),
    )


def _fields(lead: Lead, touches: Sequence[Touch]) -> Iterator[KnownField]:
    came_by = {touch.touch_id: touch.source_id for touch in touches}
    known: dict[str, ProfileValue] = {**lead.profile, **lead.custom}
    for name, value in known.items():
        yield KnownField(
            field=name,
            value=value.value,
            at=value.at,
            source_id=came_by.get(value.touch_id, ""),
            touch_id=value.touch_id,
            by=value.by,
        )


def _told(touch: Touch) -> ToldUs:
    clean = {name: value.value for name, value in touch.contact.items()}
    return ToldUs(
        touch_id=touch.touch_id,
        source_id=touch.source_id,
        submitted_at=touch.submitted_at,
        received_at=touch.received_at,
        form=touch.form_title or touch.form,
        answers={touch.labels.get(key, key): answer for key, answer in touch.answers.items()},
        understood={**clean, **{name: str(value) for name, value in touch.custom.items()}},
        identity_keys=touch.identity_keys,
        campaign=dict(touch.campaign),
        page_url=touch.page_url,
        state=touch.void or "counts",
    )


def _agreements(lead: Lead, touches: Iterable[Touch]) -> Iterator[Agreement]:
    for touch in touches:
        for consent in touch.consents:
            yield Agreement(
                purpose=consent.purpose,
                given=consent.given,
                wording=consent.wording,
                at=consent.at or touch.submitted_at,
                evidence=consent.evidence,
                source_id=touch.source_id,
                touch_id=touch.touch_id,
                is_in_force=lead.consents.get(consent.purpose) == consent and not touch.void,
            )


def _notifications(entries: Iterable[TimelineEntry]) -> Iterator[Notification]:
    for entry in entries:
        effect = entry.effect
        if effect is not None:
            yield Notification(
                destination_id=effect.destination_id,
                kind=effect.kind,
                state=effect.state,
                at=effect.attempts[-1].at if effect.attempts else effect.created_at,
            )


def _requests(hub: Hub, touches: Sequence[Touch]) -> Iterator[ExportedRequest]:
    ids = list(dict.fromkeys(touch.delivery_id for touch in touches))
    ours = {(touch.source_id, touch.external_id) for touch in touches}
    found = hub.table.get_many([delivery_key(delivery_id) for delivery_id in ids])
    for delivery in map(delivery_of, found.values()):
        told = ExportedRequest(
            delivery_id=delivery.delivery_id,
            source_id=delivery.source_id,
            received_at=delivery.received_at,
        )
        # By the submission, for it may have come to a lead that was one with theirs by mistake.
        said = {(delivery.source_id, one.external_id) for one in delivery.results.values()}
        if not said <= ours or delivery.acts > 1 or len(delivery.results) > 1:
            note = "others' submissions came in it too; this person's is among the touches"
            yield told.model_copy(update={"note": note})
            continue
        try:
            body = request_of(hub, delivery).body
        except Malformed as error:
            yield told.model_copy(update={"note": str(error)})
            continue
        try:
            update = {"body": body.decode(), "body_encoding": "utf-8"}
        except UnicodeDecodeError:
            update = {"body": base64.b64encode(body).decode(), "body_encoding": "base64"}
        yield told.model_copy(update=update)
