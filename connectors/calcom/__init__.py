"""Cal.com: bookings made, moved, called off and missed, and routing forms."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.connector import (
    Act,
    Answer,
    Api,
    Backfill,
    Connector,
    Get,
    Hmac,
    Json,
    Options,
    Page,
    Request,
    Submission,
    Subscription,
    Window,
    as_text,
    bearer,
    campaign_of,
    consents_of,
    digest_of,
    each,
    filled,
    spellings,
)

BOOKING_TRIGGERS = frozenset(
    {
        "BOOKING_CREATED",
        "BOOKING_REQUESTED",
        "BOOKING_RESCHEDULED",
        "BOOKING_CANCELLED",
        "BOOKING_REJECTED",
    }
)
NO_SHOW_TRIGGERS = frozenset({"BOOKING_NO_SHOW_UPDATED", "AFTER_GUESTS_CAL_VIDEO_NO_SHOW"})
FORM_TRIGGERS = frozenset(
    {"FORM_SUBMITTED", "FORM_SUBMITTED_NO_EVENT", "ROUTING_FORM_FALLBACK_HIT"}
)
NEEDED = ("BOOKING_CREATED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED")

STATUSES = {"cancelled": "canceled"}
"""How Cal.com writes a status -> how we do, where they differ."""

LIVE = frozenset({"accepted", "pending"})
BOOKINGS_A_PAGE = 100
OVERLAP = 10
"""A booking that is changed while we read leaves the list, and those after it move up."""

OWN_KEYS = frozenset({"status", "time_zone", "start_time", "end_time", "hosts", "reason"})
"""Answers of ours that a question of the same slug may not replace."""

PASSES = ("Created", "Updated")
"""What a list is asked for, one after the other: what was made, and what was changed."""


def parse(request: Request, options: Options) -> list[Act]:
    """Read what happened to one booking, or one routing form.

    Args:
        request: body is `{"triggerEvent", "createdAt", "payload": {...}}`.
        options: see the README.

    Returns:
        A submission, or one for each attendee who did not come; none for a PING, for other
        triggers and for event types not wanted.
    """
    notice = request.json()
    trigger = notice["triggerEvent"]
    if trigger in BOOKING_TRIGGERS and _is_wanted(notice["payload"], options):
        return [_booked(notice["payload"], notice["createdAt"], options)]
    if trigger in NO_SHOW_TRIGGERS:
        return _no_shows(notice["payload"], notice["createdAt"])
    if trigger in FORM_TRIGGERS:
        return [_form(notice["payload"], notice["createdAt"], trigger, options)]
    return []


def _booked(booking: Json, at: str, options: Options) -> Submission:
    """Read a booking as its webhook has it."""
    asked = {**(booking.get("userFieldsResponses") or {}), **(booking.get("responses") or {})}
    labels = {key: as_text(one.get("label")) for key, one in asked.items()}
    organizer = booking.get("organizer") or {}
    return _booking(
        booking,
        {key: one.get("value") for key, one in asked.items()},
        {
            "start_time": _moment(booking.get("startTime")),
            "end_time": _moment(booking.get("endTime")),
            "hosts": tuple(filter(None, [as_text(organizer.get("email"))])),
            "reason": as_text(booking.get("cancellationReason"))
            or as_text(booking.get("rejectionReason")),
            "rescheduled_from": as_text(booking.get("rescheduleUid")),
        },
        options,
        submitted_at=at,
        form_title=as_text(booking.get("eventTitle")) or as_text(booking.get("type")),
        labels={_key(key): label for key, label in labels.items() if label},
    )


def parse_item(item: Any, options: Options) -> Act:
    """Read one booking of the list as its webhook would have been read."""
    hosts = (as_text(host.get("email")) for host in item.get("hosts") or [])
    return _booking(
        item,
        {"rescheduleReason": item.get("reschedulingReason"), **item["bookingFieldsResponses"]},
        {
            "start_time": _moment(item.get("start")),
            "end_time": _moment(item.get("end")),
            "hosts": tuple(filter(None, hosts)),
            "reason": as_text(item.get("cancellationReason")),
            "rescheduled_from": as_text(item.get("rescheduledFromUid")),
            "rescheduled_to": as_text(item.get("rescheduledToUid")),
        },
        options,
        submitted_at=as_text(item.get("updatedAt")) or item["createdAt"],
        form_title=as_text((item.get("eventType") or {}).get("slug")),
    )


def _booking(
    booking: Json, asked: Json, own: Mapping[str, Answer], options: Options, **known: Any
) -> Submission:
    """Read a booking as it stands; every change of it is another revision of the same act.

    Args:
        booking: what webhook and list call alike: uid, status, attendees, metadata.
        asked: what the booking form asked, by slug.
        own: what they call differently.
        options: of the source.
        **known: parts of the submission.
    """
    attendee = (booking.get("attendees") or [{}])[0]
    status = STATUSES.get(booking["status"].lower(), booking["status"].lower())
    status = "rescheduled" if own.get("rescheduled_to") and status == "canceled" else status
    metadata = booking.get("metadata") or {}
    campaign = campaign_of({**metadata, **(booking.get("tracking") or {})})
    texts = _texts(asked)
    answers: dict[str, Answer] = {
        "name": as_text(attendee.get("name")),
        "email": as_text(attendee.get("email")),
        "phone": as_text(attendee.get("phoneNumber")),
        **texts,
        "time_zone": as_text(attendee.get("timeZone")),
        **own,
        "status": status,
        **{
            f"metadata.{key}": as_text(value)
            for key, value in metadata.items()
            if isinstance(value, str | int) and key not in campaign and key != "videoCallUrl"
        },
    }
    uid, form = as_text(booking["uid"]), as_text(booking.get("eventTypeId"))
    moved_from = as_text(own.get("rescheduled_from")) if status in LIVE else ""
    return Submission(
        external_id=uid,
        revision=status,
        form=form,
        answers=filled(answers),
        campaign=campaign,
        # What ends a booking does not say when it was made, and so not when consent was given.
        consents=consents_of(_listed(texts), options["consents"]) if status in LIVE else (),
        # Whoever moves a meeting may give another address, and is still the same person.
        person_id=moved_from or uid,
        is_test=form in options["test_event_types"],
        **known,
    )


def _texts(asked: Json) -> dict[str, Answer]:
    """Lay out what a form asked: texts, picks, yes and no, a place, a name in two parts."""
    answers: dict[str, Answer] = {}
    for key, value in asked.items():
        if not isinstance(value, Mapping):
            answers[key] = _answer(value)
        elif "optionValue" in value:
            answers[key] = as_text(value["optionValue"]) or as_text(value.get("value"))
        else:
            answers |= {part: _answer(text) for part, text in value.items()}
    return {_key(key): answer for key, answer in answers.items() if answer}


def _key(slug: str) -> str:
    """Give the answer key of a question."""
    return f"response.{slug}" if slug in OWN_KEYS else slug


def _answer(value: Any) -> Answer:
    """Give a plain value as text, several picks as several texts; a pick may be an object."""
    if isinstance(value, list):
        return tuple(filter(None, (_pick(pick) for pick in value)))
    return _pick(value)


def _pick(value: Any) -> str:
    return as_text(value["label"] if isinstance(value, Mapping) else value)


def _listed(texts: Mapping[str, Answer]) -> dict[str, tuple[str, ...]]:
    """Give all answers as several texts."""
    return {key: (text,) if isinstance(text, str) else text for key, text in texts.items()}


def _moment(value: Any) -> str:
    """Write a time in one way, for webhook and list write it differently."""
    text = as_text(value)
    return datetime.fromisoformat(text).astimezone(UTC).isoformat() if text else ""


def _no_shows(payload: Json, at: str) -> list[Act]:
    """Read who did not come, or did after all; only their addresses are told, so nothing else."""

    def read_one(attendee: Any) -> Submission:
        email = as_text(attendee["email"])
        return Submission(
            external_id=f"{as_text(payload['bookingUid'])}/no_show/{digest_of(email)}",
            revision=as_text(at),
            submitted_at=at,
            answers={
                "email": email,
                "status": "no_show" if attendee["noShow"] is True else "attended",
                "booking": as_text(payload["bookingUid"]),
            },
            only_if_known=True,
        )

    return each(payload["attendees"], read_one, "Cal.com: payload.attendees")


def _form(form: Json, at: str, trigger: str, options: Options) -> Submission:
    """Read a routing form; one that led to no booking is told again after a while."""
    responses = form["responses"]
    given = {key: one.get("response") or one.get("value") for key, one in responses.items()}
    texts = {_key(key): _answer(value) for key, value in given.items()}
    answers = filled(texts)
    known = spellings()
    return Submission(
        # Only the later notice has an id, so both are known by what was answered.
        external_id=f"form/{digest_of([form['formId'], answers])}",
        revision=as_text(at),
        submitted_at=at,
        form=as_text(form["formId"]),
        form_title=as_text(form.get("formName")),
        answers={**answers, **({} if trigger == "FORM_SUBMITTED" else {"status": "not_booked"})},
        hints={key: known[key.strip()] for key in answers if key.strip() in known},
        consents=consents_of(_listed(answers), options["consents"]),
    )


def _is_wanted(booking: Json, options: Options) -> bool:
    """Say whether a booking is of a type that brings leads; one that names no type is."""
    wanted = options["event_types"]
    return not wanted or as_text(booking.get("eventTypeId") or wanted[0]) in wanted


def page(get: Get, window: Window, after: str, options: Options) -> Page:
    """Give the bookings made within the window, then those changed within it.

    Args:
        get: reads Cal.com's API.
        window: what is wanted.
        after: `PASS:SKIP`; the list is asked by number, so pages overlap.
        options: of the source.
    """
    number, _, skip = (after or "0:0").partition(":")
    what = PASSES[int(number)]
    asked = {
        f"after{what}At": _parameter(window.since),
        f"before{what}At": _parameter(window.until),
        "sortCreated" if what == "Created" else "sortUpdatedAt": "asc",
        "take": str(BOOKINGS_A_PAGE),
        "skip": skip,
    }
    if options["event_types"]:
        asked["eventTypeIds"] = ",".join(options["event_types"])
    listed = get("bookings", asked)
    if listed["pagination"]["hasNextPage"]:
        following = f"{number}:{int(skip) + BOOKINGS_A_PAGE - OVERLAP}"
    else:
        following = f"{int(number) + 1}:0" if int(number) + 1 < len(PASSES) else ""
    return Page(tuple(listed["data"]), following)


def _parameter(moment: datetime) -> str:
    """Write a time as the list's parameters want it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look whether the webhook is there and switched on."""
    listed = get(options["webhook_list"])["data"]
    found = [one for one in listed if one["subscriberUrl"] == address]
    active = [one for one in found if one["active"]]
    if not found:
        return Subscription(False, "Cal.com has no webhook with this address in that list")
    if not active:
        return Subscription(False, "the webhook is switched off at Cal.com")
    lacking = [need for need in NEEDED if not any(need in one["triggers"] for one in active)]
    if lacking:
        return Subscription(True, f"the webhook does not send {', '.join(lacking)}")
    if any(one.get("payloadTemplate") for one in active):
        return Subscription(False, "the webhook has a template of its own, which cannot be read")
    return Subscription(True, "active")


connector = Connector(
    name="calcom",
    title="Cal.com",
    docs="https://cal.com/docs/developing/guides/automation/webhooks",
    # Without a secret the header says "no-secret-provided", which fits no body.
    signature=Hmac("X-Cal-Signature-256"),
    parse=parse,
    fields={
        **spellings(),
        "attendeePhoneNumber": "phone",
        "smsReminderNumber": "phone",
        "notes": "message",
    },
    api=Api(
        url="https://api.cal.com/v2",
        headers={"cal-api-version": "{api_version}"},
        authorise=bearer,
    ),
    backfill=Backfill(page, parse_item, keeps_days=365, calls_per_minute=60),
    subscription=subscription,
    options={
        "api_version": "2024-08-13",
        "event_types": (),
        "test_event_types": (),
        "webhook_list": "webhooks",
        "consents": {},
    },
)
