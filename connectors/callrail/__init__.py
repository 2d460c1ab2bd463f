"""CallRail: calls, texts and forms that reached a tracking number or page."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

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
    Window,
    Withdrawal,
    answers_of,
    as_text,
    campaign_of,
    consents_of,
    filled,
    flatten,
    keyword_of,
    spellings,
)

CALL_ANSWERS = (
    "customer_name",
    "customer_phone_number",
    "customer_city",
    "customer_state",
    "customer_country",
    "tracking_phone_number",
    "business_phone_number",
    "duration",
    "agent_email",
    "note",
    "source",
    "medium",
    "keywords",
    "referrer_domain",
    "recording",
    "lead_status",
)
ASKED_FIELDS = (
    "source",
    "medium",
    "campaign",
    "keywords",
    "landing_page_url",
    "referrer_domain",
    "tracker_id",
    "agent_email",
    "lead_status",
    "note",
    "tags",
)
"""What the list of calls leaves out unless it is asked for it."""

FORM_ANSWERS = ("source", "medium", "keywords", "form_url", "referrer", "lead_status")
REFUSED = "not_a_lead"
ITEMS_A_PAGE = "250"
WITHHELD = frozenset({"", "anonymous", "restricted", "unknown", "unavailable", "private"})


def parse(request: Request, options: Options) -> list[Act]:
    """Read a call, a text or a form, told apart by what they hold, for nothing names the event.

    Args:
        request: body is the call, text or form itself; its copy in the query is ignored.
        options: see the README.

    Returns:
        One act; none for what we called or wrote ourselves, and for callers without a number.
    """
    told = request.json()
    if "form_data" in told:
        return [_form(told, options)]
    if "content" in told:
        return _text(told, options)
    if "customer_phone_number" in told and _is_lead(told):
        return [_call(told, options)]
    return []


def _is_lead(call: Json) -> bool:
    """Say whether a call reached us, from a number that can be called back."""
    number = as_text(call.get("customer_phone_number")).lower()
    return call["direction"] == "inbound" and number not in WITHHELD


def _call(call: Json, options: Options) -> Act:
    """Read a call; when it begins it is partial, and what is changed later is another revision."""
    changed_at = as_text(call.get("timestamp")) if "changes" in call else ""
    if call.get("lead_status") == REFUSED:
        at = as_text(call.get("timestamp")) or _ended_at(call).isoformat()
        return Withdrawal(
            external_id=as_text(call["id"]), withdrawn_at=at, reason="marked as no lead"
        )
    is_over = call.get("duration") is not None
    answers: dict[str, Answer] = {
        **{key: as_text(call.get(key)) for key in CALL_ANSWERS},
        "status": _status(call) if is_over else "ringing",
        "tags": tuple(_tag(tag) for tag in call.get("tags") or []),
    }
    return Submission(
        external_id=as_text(call["id"]),
        revision=(changed_at if is_over else "ringing"),
        submitted_at=changed_at or _ended_at(call),
        form=as_text(call.get("tracker_id")),
        answers=filled(answers),
        campaign=_campaign(call),
        page_url=as_text(call.get("landing_page_url")),
        is_partial=not is_over,
        is_test=as_text(call["customer_phone_number"]) in options["test_numbers"],
    )


def _status(call: Json) -> str:
    """Say what became of a call."""
    if call.get("answered") is True:
        return "answered"
    return "voicemail" if call.get("voicemail") is True else "missed"


def _tag(tag: Any) -> str:
    """Give a tag, which comes as text or as an object."""
    return as_text(tag["name"] if isinstance(tag, Mapping) else tag)


def _ended_at(call: Json) -> datetime:
    """Give when a call was over, or began as long as it is not."""
    seconds = int(as_text(call.get("duration")) or 0)
    began_at = datetime.fromisoformat(as_text(call["start_time"]))
    return began_at.astimezone(UTC) + timedelta(seconds=seconds)


def _campaign(told: Json) -> dict[str, str]:
    """Name the campaign that CallRail credits; the rest is in the address of the first page."""
    return campaign_of({**told, "campaign_name": told.get("campaign")})


def _text(text: Json, options: Options) -> list[Act]:
    """Read a text message; a keyword is a change of consent and no enquiry."""
    wish, number = keyword_of(as_text(text["content"])), as_text(text["source_number"])
    # Only what we sent ourselves names who sent it.
    if "agent" in text or wish == "help" or number.lower() in WITHHELD:
        return []
    media = text.get("media_urls") or []
    answers: dict[str, Answer] = {
        "source_number": number,
        "destination_number": as_text(text["destination_number"]),
        **({} if wish else {"content": as_text(text["content"])}),
        "media": tuple(as_text(url) for url in media),
    }
    consent = Consent(
        purpose=options["consent_purpose"],
        given=wish == "start",
        wording=as_text(text["content"]),
        evidence="content",
    )
    return [
        Submission(
            external_id=as_text(text.get("resource_id")) or as_text(text["id"]),
            submitted_at=text["timestamp"],
            form=as_text(text["destination_number"]),
            answers=filled(answers),
            consents=(consent,) if wish else (),
            person_id=as_text(text.get("person_resource_id")),
            only_if_known=bool(wish),
            is_test=number in options["test_numbers"],
        )
    ]


def _form(form: Json, options: Options) -> Act:
    """Read a form of the customer's own site, keyed by that site's labels."""
    if form.get("lead_status") == REFUSED:
        at = as_text(form.get("timestamp")) or form["submitted_at"]
        return Withdrawal(
            external_id=as_text(form["id"]), withdrawn_at=at, reason="marked as no lead"
        )
    texts = flatten(form["form_data"])
    answers = {
        **{f"callrail.{key}": as_text(form.get(key)) for key in FORM_ANSWERS},
        **answers_of(texts),
    }
    return Submission(
        external_id=as_text(form["id"]),
        submitted_at=form["submitted_at"],
        form=as_text(form.get("form_url")).partition("?")[0],
        answers=filled(answers),
        campaign=_campaign(form),
        consents=consents_of(texts, options["consents"]),
        page_url=as_text(form.get("landing_page_url")) or as_text(form.get("form_url")),
    )


def page(get: Get, window: Window, after: str, options: Options) -> Page:
    """Give the calls, then the forms, of the window; texts have no list that names them alike.

    Args:
        get: reads CallRail's API, below the account.
        window: what is wanted.
        after: `LIST?QUERY`.
        options: of the source.
    """
    name, _, query = (after or "calls.json").partition("?")
    # Whole days in the account's own zone, so one more on either side.
    asked = {
        "start_date": (window.since - timedelta(days=1)).date().isoformat(),
        "end_date": (window.until + timedelta(days=1)).date().isoformat(),
        "per_page": ITEMS_A_PAGE,
    }
    if options["company_id"]:
        asked["company_id"] = options["company_id"]
    if name == "calls.json":
        asked |= {"relative_pagination": "true", "fields": ",".join(ASKED_FIELDS)}
        listed = get(name, query or asked)
        items = [
            call
            for call in listed["calls"]
            if call.get("duration") is not None and _is_lead(call) and window.holds(_ended_at(call))
        ]
        following = urlsplit(as_text(listed.get("next_page"))).query
        if listed["has_next_page"] and following:
            return Page(tuple(items), f"{name}?{following}")
        return Page(tuple(items), "form_submissions.json?1")
    listed = get(name, {**asked, "page": query})
    forms = [
        form
        for form in listed["form_submissions"]
        if window.holds(datetime.fromisoformat(form["submitted_at"]))
    ]
    is_last = int(listed["page"]) >= int(listed["total_pages"])
    return Page(tuple(forms), "" if is_last else f"{name}?{int(query) + 1}")


def parse_item(item: Any, options: Options) -> Act:
    """Read a call or form of a list as its webhook would have been read."""
    return _form(item, options) if "form_data" in item else _call(item, options)


def authorise(token: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Send the API key in CallRail's own way, which is not Bearer."""
    return {"Authorization": f'Token token="{token}"'}, {}


connector = Connector(
    name="callrail",
    title="CallRail",
    docs="https://apidocs.callrail.com/#webhooks",
    signature=Hmac("Signature", algorithm="sha1", encoding="base64"),
    parse=parse,
    fields={
        **spellings(),
        # Not customer_name, _city and _state: they are what the phone company says of the line.
        "customer_phone_number": "phone",
        "source_number": "phone",
        "content": "message",
    },
    api=Api(url="https://api.callrail.com/v3/a/{account_id}", authorise=authorise),
    backfill=Backfill(page, parse_item, keeps_days=750, calls_per_minute=10),
    # CallRail sends nothing twice, and disables a webhook that is refused again and again.
    statuses=Statuses(switched_off=200),
    options={
        "account_id": "",
        "company_id": "",
        "consents": {},
        "consent_purpose": "sms",
        "test_numbers": (),
    },
)
