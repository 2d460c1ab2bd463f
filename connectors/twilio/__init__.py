"""Twilio: text messages and calls that reach a number of ours."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from chalicelib.connector import (
    Act,
    Answer,
    Api,
    Backfill,
    Connector,
    Consent,
    Get,
    Hmac,
    Malformed,
    Misconfigured,
    Options,
    Page,
    Reply,
    Request,
    Submission,
    Unverified,
    Window,
    as_text,
    campaign_of,
    each,
    filled,
    keyword_of,
    moment_of,
)

MOST_PARAMETERS = 1000
MOST_MEDIA = 50
"""Pictures looked for in a message; Twilio sends ten at most."""
FORM = "application/x-www-form-urlencoded"

WISHES = {"stop": "opted_out", "start": "opted_in"}

# How a caller who withholds the number is written: in words, or spelled on the keys of a phone.
WITHHELD = frozenset(
    {
        *("", "anonymous", "unknown", "unavailable", "restricted", "private", "blocked"),
        *("+266696687", "+86282452253", "+7378742833", "+2562533", "+8656696"),
    }
)
CHANNELS = ("whatsapp:", "rcs:")
SHORT_CODE = re.compile(r"[0-9]{3,8}")

RINGING = frozenset({"queued", "initiated", "ringing", "in-progress"})
MISSED = frozenset({"busy", "no-answer", "failed", "canceled"})
INBOUND_EVENT = "com.twilio.messaging.inbound-message.received"

LISTS = {"Messages.json": "DateSent", "Calls.json": "StartTime"}
"""What is listed, one after the other -> the time that it is asked by, in whole days."""

NOTHING = "<Response/>"

Texts = Mapping[str, str]


def signed_text(request: Request) -> bytes:
    """Give what Twilio signs: the address, then every form parameter by name (as its own library).

    Raises:
        Unverified: JSON that is not what the address says.
        Malformed: a form that cannot be read.
    """
    if request.content_type()[0] != FORM:
        told = parse_qs(urlsplit(request.url).query).get("bodySHA256", [""])[0]
        if not compare_digest(told.encode(), hashlib.sha256(request.body).hexdigest().encode()):
            raise Unverified("bodySHA256 in the address does not fit the body")
        return request.url.encode()
    try:
        pairs = parse_qsl(
            request.body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS
        )
    except ValueError as error:
        raise Malformed("Twilio: the body is not the form that it says") from error
    # Of one name each value counts once; as pairs sort by name and then by value, so do they.
    written = "".join(f"{name}{value}" for name, value in sorted(set(pairs)))
    return f"{request.url}{written}".encode("utf-8", "surrogatepass")


def parse(request: Request, options: Options) -> list[Act]:
    """Read a message, a call, or a list of events of Event Streams.

    Args:
        request: a form with `MessageSid` or `CallSid`, or JSON: CloudEvents, one or several.
        options: see the README.

    Returns:
        Submissions; none for what we sent ourselves, withheld numbers and other events.
    """
    if request.content_type()[0] == FORM:
        texts = {name: values[0] for name, values in request.form().items()}
        act = _read(texts, request.received_at, options)
        return [act] if act else []
    events = request.json()

    def read_one(event: Any) -> Act | None:
        return _event(event, request.received_at, options)

    return each(events if isinstance(events, list) else [events], read_one, "Twilio: event")


def _event(event: Any, received_at: datetime, options: Options) -> Act | None:
    """Read one event, whose names begin with small letters."""
    if event["type"] != INBOUND_EVENT:
        return None
    data = event["data"]
    texts = {
        key[:1].upper() + key[1:]: as_text(value)
        for key, value in data.items()
        if not isinstance(value, list | Mapping)
    }
    return _message(texts, moment_of(as_text(data.get("timestamp")), received_at), options)


def _read(texts: Texts, received_at: datetime, options: Options) -> Act | None:
    """Read a form of Twilio's."""
    if "MessageSid" in texts:
        return _message(texts, received_at, options)
    began_at = received_at
    if texts.get("Timestamp"):
        # A status callback comes when the call is over; a list gives when it began.
        lasted = timedelta(seconds=int(texts.get("CallDuration") or 0))
        began_at = moment_of(texts["Timestamp"], received_at) - lasted
    return _call(texts, began_at, options)


def _message(texts: Texts, at: datetime, options: Options) -> Submission | None:
    """Read a text message; a keyword is a change of consent and no enquiry."""
    sender = _sender(texts["From"])
    if texts.get("SmsStatus", "received") != "received" or not sender:
        return None
    wish = texts.get("OptOutType", "").lower() or keyword_of(texts["Body"])
    if wish == "help":
        return None
    told = min(int(texts["NumMedia"]), MOST_MEDIA)
    media = (texts.get(f"MediaUrl{number}", "") for number in range(told))
    answers: dict[str, Answer] = {
        **sender,
        "To": _number(texts["To"]),
        **({"status": WISHES[wish]} if wish else {"Body": texts["Body"]}),
        "media": tuple(filter(None, media)),
        "ProfileName": texts.get("ProfileName", ""),
        **{name: text for name, text in texts.items() if name.startswith("Referral")},
    }
    consent = Consent(
        purpose=options["consent_purpose"],
        given=wish == "start",
        wording=texts["Body"],
        evidence="Body",
    )
    return _submission(
        texts["MessageSid"],
        at,
        answers,
        options,
        consents=(consent,) if wish else (),
        only_if_known=bool(wish),
    )


def _call(texts: Texts, at: datetime, options: Options) -> Submission | None:
    """Read a call to us; what became of it makes another revision of the same act.

    The outcome of forwarding the call (DialCallStatus) is told later than the call began, so it
    wins over that of the call itself, whichever comes first.
    """
    sender = _sender(texts.get("From", ""))
    is_ours = texts.get("Direction") == "inbound" and not texts.get("ParentCallSid")
    if not sender or not is_ours:
        return None
    call_status = texts.get("DialCallStatus") or texts["CallStatus"]
    is_recorded = bool(texts.get("RecordingUrl")) and "DialCallStatus" not in texts
    is_under_way = call_status in RINGING and not is_recorded
    status = "missed" if call_status in MISSED else "ringing" if is_under_way else "answered"
    status = "voicemail" if is_recorded else status
    answers: dict[str, Answer] = {
        **sender,
        "To": _number(texts["To"]),
        "status": status,
        "call_status": "" if is_recorded else call_status,
        "duration": texts.get("DialCallDuration") or texts.get("CallDuration", ""),
        **{
            name: texts.get(name, "")
            for name in ("CallerName", "ForwardedFrom", "RecordingUrl", "TranscriptionText")
        },
    }
    return _submission(
        texts["CallSid"],
        at,
        answers,
        options,
        revision=status if is_recorded else call_status,
        is_partial=is_under_way,
    )


def _submission(
    sid: str, at: datetime, answers: Mapping[str, Answer], options: Options, **known: Any
) -> Submission:
    """Make a submission; the number that was reached stands for the form."""
    number, phone = as_text(answers["To"]), as_text(answers.get("From"))
    return Submission(
        external_id=sid,
        submitted_at=at,
        form=number,
        answers=filled(answers),
        campaign=campaign_of(options["campaigns"].get(number, {})),
        person_id=as_text(answers.get("sender")),
        is_test=phone in options["test_numbers"],
        **known,
    )


def _sender(text: str) -> dict[str, str]:
    """Say who it is: by phone number or by another id; empty if nobody can be called back."""
    number = _number(text)
    if number.lower() in WITHHELD or SHORT_CODE.fullmatch(number):
        return {}
    channel = text.partition(":")[0] if ":" in text else ""
    if ":" in number:
        return {"sender": number, "channel": channel}
    return {"From": number, **({"channel": channel} if channel else {})}


def _number(text: str) -> str:
    """Take the channel off a number; `client:`, `sip:` and `messenger:` are no numbers."""
    channel = next((name for name in CHANNELS if text.startswith(name)), "")
    # A form that was not encoded has a blank where the plus was.
    return re.sub(r"^ (?=[0-9])", "+", text.removeprefix(channel)).strip()


def reply(request: Request, options: Options) -> Reply:
    """Answer in TwiML; nothing but a plain enquiry gets the text or the call that was set."""
    try:
        texts = {name: values[0] for name, values in request.form().items()}
    except Malformed:
        texts = {}
    if texts.get("CallStatus") == "ringing" and options["call_twiml"]:
        return _twiml(200, options["call_twiml"])
    is_enquiry = texts.get("SmsStatus") == "received" and not (
        texts.get("OptOutType") or keyword_of(texts.get("Body", ""))
    )
    if is_enquiry and options["sms_reply"]:
        message = f"<Message>{html.escape(options['sms_reply'], quote=False)}</Message>"
        return _twiml(200, f"<Response>{message}</Response>")
    return _twiml(200, NOTHING)


def apologise(request: Request, options: Options, status: int) -> Reply:
    """Refuse in TwiML, for Twilio takes JSON for another error."""
    return _twiml(status, NOTHING)


def _twiml(status: int, body: str) -> Reply:
    return Reply(status, body, "text/xml")


def page(get: Get, window: Window, after: str, options: Options) -> Page:
    """Give the messages, then the calls, that reached us within the window.

    Args:
        get: reads Twilio's API, below the account.
        window: what is wanted.
        after: `LIST?QUERY`, as Twilio names the page after.
        options: of the source.
    """
    name, _, query = (after or "Messages.json").partition("?")
    time = LISTS[name]
    days = {
        # Whole days in UTC, both included.
        f"{time}>": window.since.astimezone(UTC).date().isoformat(),
        f"{time}<": (window.until.astimezone(UTC) + timedelta(days=1)).date().isoformat(),
        "PageSize": "100",
    }
    listed = get(name, query or days)
    is_message = name == "Messages.json"
    items = tuple(
        {**item, "media": _media(get, item)} if is_message else item
        for item in listed["messages" if is_message else "calls"]
        if _is_wanted(item) and window.holds(_moment(item))
    )
    following = urlsplit(as_text(listed.get("next_page_uri"))).query
    if following:
        return Page(items, f"{name}?{following}")
    return Page(items, "Calls.json" if is_message else "")


def _is_wanted(item: Mapping[str, Any]) -> bool:
    """Say whether an item is of somebody who reached us, and is over."""
    is_ours = item["direction"] == "inbound" and not item.get("parent_call_sid")
    is_enquiry = keyword_of(as_text(item.get("body"))) != "help" and _sender(as_text(item["from"]))
    return is_ours and item["status"] not in RINGING and bool(is_enquiry)


def _moment(item: Mapping[str, Any]) -> datetime:
    """Give when a message came or a call began."""
    return parsedate_to_datetime(item.get("date_sent") or item["start_time"])


def _media(get: Get, message: Mapping[str, Any]) -> list[str]:
    """Read the addresses of a message's pictures; a webhook has them, the list has a number."""
    if not int(as_text(message["num_media"])):
        return []
    listed = get(f"Messages/{message['sid']}/Media.json")["media_list"]
    return [f"https://api.twilio.com{one['uri'].removesuffix('.json')}" for one in listed]


def parse_item(item: Any, options: Options) -> Act:
    """Read a message or call of a list as its webhook would have been read.

    Raises:
        Malformed: it is none that page gives.
    """
    texts = {"From": as_text(item["from"]), "To": as_text(item["to"])}
    act: Submission | None
    if as_text(item["sid"]).startswith("CA"):
        texts |= {
            "CallSid": as_text(item["sid"]),
            "CallStatus": as_text(item["status"]),
            "CallDuration": as_text(item.get("duration")),
            "Direction": as_text(item["direction"]),
            "CallerName": as_text(item.get("caller_name")),
            "ForwardedFrom": as_text(item.get("forwarded_from")),
        }
        act = _call(texts, _moment(item), options)
    else:
        texts |= {
            "MessageSid": as_text(item["sid"]),
            "Body": as_text(item["body"]),
            "NumMedia": str(len(item["media"])),
            **{f"MediaUrl{number}": url for number, url in enumerate(item["media"])},
        }
        act = _message(texts, _moment(item), options)
    if act is None:
        raise Malformed("Twilio: a call for help, or of nobody who can be called back")
    return act


def authorise(token: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Send an API key and its secret, or the account and its auth token."""
    if ":" not in token:
        raise Misconfigured("twilio: the token is KEY:SECRET")
    return {"Authorization": f"Basic {base64.b64encode(token.encode()).decode()}"}, {}


connector = Connector(
    name="twilio",
    title="Twilio",
    docs="https://www.twilio.com/docs/usage/webhooks",
    signature=Hmac("X-Twilio-Signature", algorithm="sha1", encoding="base64", of=signed_text),
    parse=parse,
    facts="code",
    # Not CallerName: it is whoever pays for the line, family name first, and no form's name.
    fields={
        "From": "phone",
        "Body": "message",
        "ProfileName": "full_name",
        "TranscriptionText": "message",
    },
    api=Api(
        url="https://api.twilio.com/2010-04-01/Accounts/{account_sid}",
        authorise=authorise,
    ),
    backfill=Backfill(page, parse_item, keeps_days=390, calls_per_minute=60),
    reply=reply,
    apologise=apologise,
    options={
        "account_sid": "",
        "sms_reply": "",
        "call_twiml": "",
        "campaigns": {},
        "consent_purpose": "sms",
        "test_numbers": (),
    },
)
