"""Calendly: meetings booked, moved, called off and missed, and routing forms."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.connector import (
    Act,
    Answer,
    Api,
    Backfill,
    Connector,
    Consent,
    Get,
    Hmac,
    Json,
    Options,
    Page,
    Request,
    Statuses,
    Submission,
    Subscription,
    Window,
    as_text,
    bearer,
    campaign_of,
    consents_of,
    filled,
    page_within,
    spellings,
)

INVITEE_EVENTS = frozenset(
    {
        "invitee.created",
        "invitee.canceled",
        "invitee_no_show.created",
        "invitee_no_show.deleted",
    }
)
ROUTING_EVENT = "routing_form_submission.created"

EVENTS_A_PAGE = 10
"""Meetings read at a time, for each of them its invitees are another call."""

MOST_A_LIST = 100
"""Most that Calendly gives at a time."""

MISSED_WITHIN = timedelta(days=7)
"""How long after a meeting somebody may still mark the invitee as a no-show."""

FORMS = "forms:"
"""Starts the name of a page of routing form submissions: `forms:NUMBER:TOKEN`."""


def parse(request: Request, options: Options) -> list[Act]:
    """Read what happened to one booking, or one routing form.

    Args:
        request: body is `{"event", "created_at", "payload": {...}}`; the payload is the invitee,
            with the meeting in `scheduled_event`, or the routing form submission.
        options: see the README.

    Returns:
        One submission; none for other events and for meetings of event types not wanted.
    """
    notice = request.json()
    if notice["event"] == ROUTING_EVENT:
        return [_routed(notice["payload"])]
    if notice["event"] not in INVITEE_EVENTS:
        return []
    invitee = notice["payload"]
    if not _is_wanted(invitee.get("scheduled_event") or {}, options):
        return []
    return [_booking(invitee, options, notice["event"], as_text(notice["created_at"]))]


def _booking(invitee: Json, options: Options, event: str = "", happened_at: str = "") -> Submission:
    """Read a booking as it stands; every change of it is another revision of the same act.

    Args:
        invitee: the resource of Calendly's API, with its meeting in `scheduled_event`.
        options: of the source.
        event: the webhook's, for what the resource does not show.
        happened_at: when the webhook was made.
    """
    meeting = invitee.get("scheduled_event") or {}
    status, revision, changed_at = _state(invitee, event, happened_at)
    own = {"status": status, **_own_answers(invitee, meeting)}
    questions = _questions(invitee, own)
    texts = {key: (text,) for key, text in questions.items()}
    form = _last(meeting.get("event_type"))
    return Submission(
        external_id=invitee["uri"],
        revision=revision,
        submitted_at=changed_at,
        form=form,
        form_title=as_text(meeting.get("name")),
        answers={**filled(own), **questions},
        campaign=campaign_of(invitee.get("tracking") or {}),
        consents=_dated(consents_of(texts, options["consents"]), invitee),
        # Whoever moves a meeting may give another address, and is still the same person.
        person_id=(not revision and as_text(invitee.get("old_invitee"))) or invitee["uri"],
        is_test=form in options["test_event_types"],
    )


def _dated(consents: tuple[Consent, ...], invitee: Json) -> tuple[Consent, ...]:
    """Date consents by the booking: calling it off later says nothing new on them."""
    at = as_text(invitee.get("created_at"))
    given_at = datetime.fromisoformat(at) if at else None
    return tuple(consent.model_copy(update={"at": given_at}) for consent in consents)


def _state(invitee: Json, event: str, happened_at: str) -> tuple[str, str, str]:
    """Say where a booking stands, the revision that makes it, and since when."""
    updated_at = as_text(invitee.get("updated_at")) or happened_at
    if invitee["status"] == "canceled":
        status = "rescheduled" if invitee.get("rescheduled") else "canceled"
        cancellation = invitee.get("cancellation") or {}
        return status, status, as_text(cancellation.get("created_at")) or updated_at
    if invitee.get("no_show"):
        missed_at = as_text(invitee["no_show"]["created_at"])
        # Marking, unmarking and marking again are three changes.
        return "no_show", f"no_show {missed_at}", missed_at
    if event == "invitee_no_show.deleted":
        return "active", f"no_show_deleted {happened_at}", happened_at
    return "active", "", as_text(invitee.get("created_at")) or happened_at


def _own_answers(invitee: Json, meeting: Json) -> dict[str, Answer]:
    """Lay out what Calendly itself asks for or knows; empty where it has nothing."""
    cancellation = invitee.get("cancellation") or {}
    location = meeting.get("location") or {}
    payment = invitee.get("payment") or {}
    is_call = location.get("type") == "outbound_call"
    return {
        **{
            key: as_text(invitee.get(key))
            for key in (
                "name",
                "first_name",
                "last_name",
                "email",
                "text_reminder_number",
                "timezone",
                "event",
                "old_invitee",
                "new_invitee",
                "routing_form_submission",
            )
        },
        "salesforce_uuid": as_text((invitee.get("tracking") or {}).get("salesforce_uuid")),
        "reason": as_text(cancellation.get("reason")),
        "canceled_by": as_text(cancellation.get("canceler_type")),
        "start_time": as_text(meeting.get("start_time")),
        "end_time": as_text(meeting.get("end_time")),
        "hosts": tuple(
            as_text(host["user_email"])
            for host in meeting.get("event_memberships") or []
            if host.get("user_email")
        ),
        "location_type": as_text(location.get("type")),
        # We call the invitee, who gave the number for it.
        "call_number": as_text(location.get("location")) if is_call else "",
        "payment_amount": as_text(payment.get("amount")),
        "payment_currency": as_text(payment.get("currency")),
    }


def _questions(invitee: Json, own: Mapping[str, Answer]) -> dict[str, str]:
    """Key answers by the question's text, for there are no ids; by its place too if that is taken.

    Args:
        invitee: as Calendly has it.
        own: answers whose keys are taken.
    """
    answers: dict[str, str] = {}
    for asked in invitee.get("questions_and_answers") or []:
        key, text = as_text(asked["question"]), as_text(asked.get("answer"))
        if key in own or key in answers:
            key = f"{key} ({as_text(asked.get('position'))})"
        if key and text:
            answers[key] = text
    return answers


def _routed(form: Json) -> Submission:
    """Read a routing form, which may or may not lead to a booking."""
    asked = [one for one in form["questions_and_answers"] if as_text(one.get("answer"))]
    result = form.get("result") or {}
    links = {
        "submitter": as_text(form.get("submitter")),
        "result_type": as_text(result.get("type")),
    }
    known = spellings()
    labels = {as_text(one["question_uuid"]): as_text(one.get("question")) for one in asked}
    return Submission(
        external_id=form["uri"],
        submitted_at=form["created_at"],
        form=_last(form.get("routing_form")),
        answers={
            **{as_text(one["question_uuid"]): as_text(one["answer"]) for one in asked},
            **filled(links),
        },
        labels=labels,
        hints={key: known[label] for key, label in labels.items() if label in known},
        campaign=campaign_of(form.get("tracking") or {}),
        person_id=as_text(form.get("submitter")),
    )


def _last(uri: Any) -> str:
    """Give the id at the end of an address of Calendly's API."""
    return as_text(uri).rpartition("/")[2]


def _is_wanted(meeting: Json, options: Options) -> bool:
    """Say whether a meeting is of a type that brings leads; one that names no type is."""
    wanted = options["event_types"]
    return not wanted or "event_type" not in meeting or _last(meeting["event_type"]) in wanted


def page(get: Get, window: Window, after: str, options: Options) -> Page:
    """Give what happened within the window: bookings by meeting, then routing forms.

    Calendly lists meetings by when they start. Nobody books the past, so what was booked within
    the window starts after its beginning; a no-show is marked some days after the meeting.
    """
    if after.startswith(FORMS):
        return _forms_page(get, window, after, options)
    asked = {
        "organization": _organization(get, options),
        "min_start_time": _written(window.since - MISSED_WITHIN),
        "max_start_time": _written(window.until + timedelta(days=options["booked_ahead_days"])),
        "count": str(EVENTS_A_PAGE),
        "sort": "start_time:asc",
        **_at(after),
    }
    listed = get("scheduled_events", asked)
    items = [
        {**invitee, "scheduled_event": meeting}
        for meeting in listed["collection"]
        if _is_wanted(meeting, options) and _may_hold(meeting, window)
        for invitee in _invitees(get, meeting)
    ]
    return Page(
        tuple(item for item in items if _happened_within(item, window)),
        _token(listed) or (f"{FORMS}0:" if options["routing_forms"] else ""),
    )


def _forms_page(get: Get, window: Window, after: str, options: Options) -> Page:
    """Give a page of one routing form's submissions, newest first, then go on to the next form."""
    number, _, token = after.removeprefix(FORMS).partition(":")
    forms = options["routing_forms"]
    asked = {
        "form": f"https://api.calendly.com/routing_forms/{_last(forms[int(number)])}",
        "count": str(MOST_A_LIST),
        "sort": "created_at:desc",
        **_at(token),
    }
    listed = get("routing_form_submissions", asked)
    following = _token(listed)
    found = page_within(
        window,
        listed["collection"],
        lambda form: datetime.fromisoformat(form["created_at"]),
        f"{FORMS}{number}:{following}" if following else "",
    )
    is_last = int(number) + 1 >= len(forms)
    return Page(found.items, found.next or ("" if is_last else f"{FORMS}{int(number) + 1}:"))


def _may_hold(meeting: Json, window: Window) -> bool:
    """Spare a call where a meeting was set up only after the window."""
    return datetime.fromisoformat(meeting["created_at"]) <= window.until


def _happened_within(invitee: Json, window: Window) -> bool:
    """Say whether a booking was made, or came to stand as it does, within the window."""
    moments = (invitee["created_at"], _state(invitee, "", "")[2])
    return any(window.holds(datetime.fromisoformat(moment)) for moment in moments)


def _invitees(get: Get, meeting: Json) -> Iterator[Json]:
    """Read all who are invited to a meeting; more than one only for group events."""
    token = ""
    while True:
        asked = {"count": str(MOST_A_LIST), **_at(token)}
        listed = get(f"scheduled_events/{_last(meeting['uri'])}/invitees", asked)
        yield from listed["collection"]
        token = _token(listed)
        if not token:
            return


def _organization(get: Get, options: Options) -> str:
    """Name the organization whose meetings are read: the option, else that of the token."""
    return options["organization"] or as_text(get("users/me")["resource"]["current_organization"])


def _token(listed: Json) -> str:
    """Give what names the page after; empty at the end."""
    return as_text((listed.get("pagination") or {}).get("next_page_token"))


def _written(moment: datetime) -> str:
    """Write a time as Calendly's parameters want it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_item(item: Any, options: Options) -> Act:
    """Read one item of a list as its webhook would have been read."""
    return _routed(item) if "routing_form" in item else _booking(item, options)


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look whether Calendly still sends: it disables a webhook after 24 hours of failures."""
    found = [one for one in _webhooks(get, options) if one["callback_url"] == address]
    active = [one for one in found if one["state"] == "active"]
    if not found:
        return Subscription(False, "Calendly has no webhook with this address; create it")
    if not active:
        return Subscription(
            False, "Calendly disabled the webhook after a day of failures; create it again"
        )
    sent = {event for one in active for event in one["events"]}
    lacking = ", ".join(sorted({"invitee.created", "invitee.canceled"} - sent))
    since = next((one["retry_started_at"] for one in active if one.get("retry_started_at")), "")
    if lacking:
        return Subscription(True, f"the webhook does not send {lacking}")
    return Subscription(True, f"deliveries have been failing since {since}" if since else "active")


def _webhooks(get: Get, options: Options) -> Iterator[Json]:
    """Read all webhooks of the organization."""
    asked = {
        "organization": _organization(get, options),
        "scope": "organization",
        "count": str(MOST_A_LIST),
    }
    token = ""
    while True:
        listed = get("webhook_subscriptions", {**asked, **_at(token)})
        yield from listed["collection"]
        token = _token(listed)
        if not token:
            return


def _at(token: str) -> dict[str, str]:
    """Ask for the page that a token names; the first without one."""
    return {"page_token": token} if token else {}


connector = Connector(
    name="calendly",
    title="Calendly",
    docs="https://developer.calendly.com/api-docs/overview/webhooks",
    signature=Hmac(
        "Calendly-Webhook-Signature",
        shape="t={timestamp},v1={digest}",
        separator=",",
        signed="{timestamp}.{body}",
    ),
    parse=parse,
    fields={
        **spellings(),
        "Phone Number": "phone",
        "call_number": "phone",
        "text_reminder_number": "phone",
        "timezone": "time_zone",
        "Please share anything that will help prepare for our meeting.": "message",
    },
    api=Api(url="https://api.calendly.com", authorise=bearer),
    backfill=Backfill(page, parse_item, keeps_days=365, calls_per_minute=50),
    subscription=subscription,
    # What is not answered 2xx for 24 hours disables the webhook, which has to be made again; being
    # switched off does not call for that, and the list has what was missed.
    statuses=Statuses(switched_off=200),
    options={
        "organization": "",
        "event_types": (),
        "test_event_types": (),
        "routing_forms": (),
        "booked_ahead_days": 180,
        "consents": {},
    },
)
