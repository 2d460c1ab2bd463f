"""Intercom: leads of the messenger, what they write first, and what they no longer want."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.connector import (
    Act,
    Answer,
    Api,
    Backfill,
    Connector,
    Consent,
    Erasure,
    Get,
    Hmac,
    Json,
    Misconfigured,
    Options,
    Page,
    Request,
    Statuses,
    Submission,
    Window,
    Withdrawal,
    answers_of,
    as_text,
    bearer,
    campaign_of,
    filled,
    flatten,
    spellings,
)

CREATED_TOPICS = frozenset({"contact.lead.created", "contact.user.created"})
CHANGED_TOPICS = frozenset(
    {
        "contact.lead.added_email",
        "contact.lead.updated",
        "contact.lead.signed_up",
        "contact.user.updated",
        "contact.email.updated",
        "contact.merged",
    }
)
WANTS = {"contact.subscribed": True, "contact.unsubscribed": False}
PEOPLE = frozenset({"lead", "user", "contact"})
CONTACTS_A_PAGE = 150

BREAK = re.compile(r"<(?:br|/p|/div|/li)\b[^>]{0,200}>", re.IGNORECASE)
TAG = re.compile(r"<[^<>]{0,2000}>")


def parse(request: Request, options: Options) -> list[Act]:
    """Read what one notification tells.

    Args:
        request: body is `{"topic", "id", "created_at", "data": {"item": {...}}}`.
        options: see the README.

    Returns:
        One act; none for pings, other topics, and contacts that nobody could write to or call.
    """
    notice = request.json()
    topic, item = notice["topic"], notice["data"]["item"]
    if topic in CREATED_TOPICS and _can_be_reached(item):
        return [_contact(item, options)]
    if topic in CHANGED_TOPICS and _can_be_reached(item):
        # A notification of a change may overtake the one of the contact's making.
        changed_at = as_text(item.get("updated_at")) or as_text(notice["created_at"])
        return [_contact(item, options, changed_at)]
    if topic in WANTS:
        return [_subscribed(item, notice["created_at"], WANTS[topic], options)]
    if topic == "contact.deleted":
        return _deleted(item, notice["created_at"], options)
    if topic == "conversation.user.created":
        return _conversation(item)
    return []


def _can_be_reached(contact: Json) -> bool:
    """Say whether a contact has an address; most have none until they are asked for it."""
    return bool(as_text(contact.get("email")) or as_text(contact.get("phone")))


def _contact(contact: Json, options: Options, changed_at: str = "") -> Submission:
    """Read a contact as it stands; every change of it is another revision of the same act.

    Args:
        contact: of the API, version 2.
        options: of the source.
        changed_at: since when it stands so; empty means since it was made.
    """
    own = contact.get("custom_attributes") or {}
    campaign = campaign_of({**contact, **own})
    place = contact.get("location") or {}
    answers: dict[str, Answer] = {
        **{
            key: as_text(contact.get(key))
            for key in ("email", "phone", "name", "role", "external_id", "referrer")
        },
        **{key: as_text(place.get(key)) for key in ("city", "region", "country")},
        **{
            f"custom_attributes.{key}": answer
            for key, answer in answers_of(flatten(own), without=campaign).items()
        },
    }
    refused = contact.get("unsubscribed_from_emails") is True
    return Submission(
        external_id=as_text(contact["id"]),
        revision=changed_at,
        submitted_at=changed_at or contact["created_at"],
        answers=filled(answers),
        campaign=campaign,
        consents=(_consent(False, options),) if refused else (),
        person_id=as_text(contact["id"]),
        language=as_text(contact.get("language_override"))
        or as_text(contact.get("browser_language")),
    )


def _consent(given: bool, options: Options) -> Consent:
    return Consent(
        purpose=options["consent_purpose"], given=given, evidence="unsubscribed_from_emails"
    )


def _subscribed(item: Json, at: Any, wants: bool, options: Options) -> Submission:
    """Read that a contact does, or does not, want our mails any more."""
    contact = item.get("contact") or item
    answers = {
        "email": as_text(contact.get("email")),
        "status": "subscribed" if wants else "unsubscribed",
    }
    return Submission(
        external_id=f"{as_text(contact['id'])}/subscription",
        revision=f"{answers['status']} {as_text(at)}",
        submitted_at=at,
        answers=filled(answers),
        consents=(_consent(wants, options),),
        person_id=as_text(contact["id"]),
        only_if_known=True,
    )


def _deleted(contact: Json, at: Any, options: Options) -> list[Act]:
    """Do what the admin says a deletion means; Intercom does not say why it was made."""
    contact_id = as_text(contact["id"])
    match options["deleted"]:
        case "keep":
            return []
        case "withdraw":
            return [
                Withdrawal(external_id=contact_id, withdrawn_at=at, reason="deleted at Intercom")
            ]
        case "erase":
            return [
                Erasure(
                    external_id=f"{contact_id}/deleted",
                    erased_at=at,
                    person_id=contact_id,
                    email=as_text(contact.get("email")),
                    phone=as_text(contact.get("phone")),
                    reason="deleted at Intercom",
                )
            ]
    raise Misconfigured("intercom: deleted is one of keep, withdraw, erase")


def _conversation(conversation: Json) -> list[Act]:
    """Read how a person started a conversation; one without an address must be known already."""
    source = conversation.get("source") or {}
    author = source.get("author") or {}
    if author.get("type") not in PEOPLE:
        return []
    email = as_text(author.get("email"))
    answers = {
        "email": email,
        "name": as_text(author.get("name")),
        "subject": _plain(as_text(source.get("subject"))),
        "message": _plain(as_text(source.get("body"))),
    }
    return [
        Submission(
            external_id=f"conversation/{as_text(conversation['id'])}",
            submitted_at=conversation["created_at"],
            answers=filled(answers),
            person_id=as_text(author["id"]),
            page_url=as_text(source.get("url")),
            only_if_known=not email,
        )
    ]


def _plain(text: str) -> str:
    """Take the tags out of what the messenger sends as HTML."""
    return html.unescape(TAG.sub("", BREAK.sub("\n", text))).strip()


def page(get: Get, window: Window, after: str, options: Options) -> Page:
    """Give the contacts made within the window that have an address."""
    # Intercom may compare by whole days in the workspace's own zone.
    since, until = window.since - timedelta(days=1), window.until + timedelta(days=1)
    search = {
        "query": {
            "operator": "AND",
            "value": [
                {"field": "role", "operator": "=", "value": options["role"]},
                {"field": "created_at", "operator": ">", "value": int(since.timestamp())},
                {"field": "created_at", "operator": "<", "value": int(until.timestamp())},
            ],
        },
        "pagination": {
            "per_page": CONTACTS_A_PAGE,
            **({"starting_after": after} if after else {}),
        },
    }
    listed = get("contacts/search", query=search)
    items = tuple(
        contact
        for contact in listed["data"]
        if _can_be_reached(contact)
        and window.holds(datetime.fromtimestamp(int(contact["created_at"]), UTC))
    )
    following = (listed.get("pages") or {}).get("next") or {}
    return Page(items, as_text(following.get("starting_after")))


def parse_item(item: Any, options: Options) -> Act:
    """Read one contact of the list as the notification of its making would have been read."""
    return _contact(item, options)


connector = Connector(
    name="intercom",
    title="Intercom",
    docs="https://developers.intercom.com/docs/webhooks/webhook-notifications",
    # The header is named like an old one of Meta's; the key is the app's client secret.
    signature=Hmac("X-Hub-Signature", shape="sha1={digest}", algorithm="sha1"),
    parse=parse,
    fields={
        **spellings(),
        **{f"custom_attributes.{spelling}": field for spelling, field in spellings().items()},
    },
    api=Api(
        url="https://api.intercom.io",
        headers={"Intercom-Version": "{api_version}"},
        authorise=bearer,
    ),
    backfill=Backfill(page, parse_item, keeps_days=365, calls_per_minute=60),
    # An app whose webhook fails for seven days is suspended; being switched off does not call for
    # that, and the list has the contacts that were missed.
    statuses=Statuses(switched_off=200),
    options={
        "api_version": "2.13",
        "role": "lead",
        "consent_purpose": "marketing",
        "deleted": "keep",
    },
)
