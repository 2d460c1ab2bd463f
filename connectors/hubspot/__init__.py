"""HubSpot: contacts that forms and people make there, by its app or by a workflow."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib.connector import (
    Act,
    Api,
    Backfill,
    Connector,
    Consent,
    Erasure,
    Get,
    Json,
    Misconfigured,
    Options,
    Page,
    Request,
    Submission,
    Window,
    as_text,
    bearer,
    campaign_of,
    digest_of,
    each,
    is_yes,
    moment_of,
)
from connectors.hubspot.signature import NewestVersion

CONTACT = "0-1"
"""The type of a contact in subscriptions to objects of any type."""

CREATED = ("contact.creation", "object.creation")
CHANGED = ("contact.propertyChange", "object.propertyChange")
ERASED = ("contact.privacyDeletion", "object.privacyDeletion")

PROPERTIES = (
    "email",
    "firstname",
    "lastname",
    "phone",
    "mobilephone",
    "company",
    "website",
    "jobtitle",
    "message",
    "address",
    "city",
    "state",
    "zip",
    "country",
    "hs_language",
    "hs_legal_basis",
    "hs_email_optout",
    "hs_analytics_source",
    "hs_analytics_source_data_1",
    "hs_analytics_source_data_2",
    "hs_object_source",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "gclid",
)
BOOKKEEPING = frozenset({"createdate", "lastmodifieddate", "hs_lastmodifieddate", "hs_object_id"})
"""Properties that are told unasked and are no answers."""

SEARCH_LIMIT = 100
SEARCHED = 9_900
"""HubSpot's search shows 10,000 results; then it is asked anew from where they end."""


def parse(request: Request, options: Options) -> list[Act]:
    """Read events of the app, or one contact of a workflow.

    Args:
        request: body is a list of `{"subscriptionType", "objectId", "portalId", "occurredAt"}`,
            or a contact `{"vid", "properties": {name: {"value": ...}}}`.
        options: see the README.

    Returns:
        Thin submissions for new and changed contacts, erasures for privacy deletions; a whole
        submission for a workflow's contact.
    """
    body = request.json()
    if isinstance(body, list):
        return each(body, lambda event: _event(event, options), "HubSpot: event")
    return [_of_workflow(body, request, options)]


def _event(event: Json, options: Options) -> Act | None:
    kind = as_text(event.get("subscriptionType") or event.get("eventType"))
    portal, contact = as_text(event["portalId"]), as_text(event["objectId"])
    at = datetime.fromtimestamp(event["occurredAt"] / 1000, UTC)
    is_contact = kind.startswith("contact.") or as_text(event.get("objectTypeId")) == CONTACT
    is_ours = not options["portal_id"] or portal == as_text(options["portal_id"])
    if not is_contact or not is_ours:
        return None
    if kind in ERASED:
        return Erasure(
            external_id=f"erased-{portal}-{contact}",
            erased_at=at,
            person_id=f"{portal}-{contact}",
            reason="privacy deletion",
        )
    if kind in CREATED and as_text(event.get("changeSource")) not in options["ignore_sources"]:
        return _thin(portal, contact, at, options)
    if kind in CHANGED:
        return _thin(portal, contact, at, options, is_change=True)
    return None


def _thin(
    portal: str, contact: str, at: datetime, options: Options, *, is_change: bool = False
) -> Submission:
    """Make a submission whose contact has still to be read."""
    return Submission(
        external_id=f"{'change-' if is_change else ''}{portal}-{contact}",
        revision=at.isoformat() if is_change else "",
        submitted_at=at,
        person_id=f"{portal}-{contact}",
        only_if_known=is_change,
        lookup={"contact": contact, "properties": ",".join(_wanted(options))},
    )


def _wanted(options: Options) -> Sequence[str]:
    return list(dict.fromkeys((*PROPERTIES, *map(as_text, options["properties"]))))


def fetch(submission: Submission, get: Get) -> Submission:
    """Read the contact."""
    contact = get(
        f"crm/v3/objects/contacts/{submission.lookup['contact']}",
        {"properties": submission.lookup["properties"]},
    )
    return _whole(
        contact["properties"],
        external_id=submission.external_id,
        revision=submission.revision,
        submitted_at=submission.submitted_at if submission.revision else contact["createdAt"],
        person_id=submission.person_id,
        only_if_known=submission.only_if_known,
    )


def _whole(properties: Json, **known: Any) -> Submission:
    """Make a submission of a contact's properties; what HubSpot left empty is left out."""
    texts = {
        name: as_text(value)
        for name, value in properties.items()
        if as_text(value) and name not in BOOKKEEPING
    }
    campaign = campaign_of(texts)
    optout = texts.pop("hs_email_optout", "")
    return Submission(
        answers={name: text for name, text in texts.items() if name not in campaign},
        campaign=campaign,
        consents=(Consent(purpose="marketing", given=False, evidence="hs_email_optout"),)
        if is_yes(optout)
        else (),
        language=texts.get("hs_language", ""),
        **known,
    )


def _of_workflow(contact: Json, request: Request, options: Options) -> Submission:
    """Read the contact that a workflow sends, by the form that was filled in last if it says so."""
    properties = {name: told.get("value") for name, told in contact["properties"].items() if told}
    portal, contact_id = as_text(contact.get("portal-id")), as_text(contact["vid"])
    forms = list(contact.get("form-submissions") or ())
    newest: Json = max(forms, key=lambda form: int(form["timestamp"]), default={})
    at = as_text(newest.get("timestamp"))
    wanted = {name: properties[name] for name in _wanted(options) if name in properties}
    return _whole(
        wanted,
        external_id=f"form-{as_text(newest['conversion-id'])}"
        if newest.get("conversion-id")
        else f"{portal}-{contact_id}",
        revision="" if newest.get("conversion-id") else digest_of(wanted)[:16],
        submitted_at=moment_of(at, request.received_at),
        person_id=f"{portal}-{contact_id}",
        form=as_text(newest.get("form-id")),
        form_title=as_text(newest.get("title")),
        page_url=as_text(newest.get("page-url")),
    )


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read a page of the contacts that were made within a window, oldest first."""
    first, _, after = at.partition(" ")
    since = int(first or window.since.timestamp() * 1000)
    question = {
        "filterGroups": [
            {
                "filters": [
                    {
                        "propertyName": "createdate",
                        "operator": "BETWEEN",
                        "value": str(since),
                        "highValue": str(int(window.until.timestamp() * 1000)),
                    }
                ]
            }
        ],
        "sorts": [{"propertyName": "createdate", "direction": "ASCENDING"}],
        "properties": _wanted(options),
        "limit": SEARCH_LIMIT,
        **({"after": after} if after else {}),
    }
    found = get("crm/v3/objects/contacts/search", query=question)
    contacts = found["results"]
    # Without this an import into HubSpot would become leads.
    items = tuple(contact for contact in contacts if _is_wanted(contact, options))
    following = as_text(((found.get("paging") or {}).get("next") or {}).get("after"))
    if not following or not contacts:
        return Page(items)
    if int(following) < SEARCHED:
        return Page(items, f"{since} {following}")
    last = datetime.fromisoformat(contacts[-1]["createdAt"])
    return Page(items, f"{int(last.timestamp() * 1000)} ")


def _is_wanted(contact: Json, options: Options) -> bool:
    made_by = as_text((contact.get("properties") or {}).get("hs_object_source"))
    return made_by not in options["ignore_sources"]


def parse_listed(contact: Json, options: Options) -> Act:
    """Read one contact of the list.

    Raises:
        Misconfigured: the option portal_id is not set, and the list does not name it.
    """
    portal = as_text(options["portal_id"])
    if not portal:
        raise Misconfigured("HubSpot: set the option portal_id to compare with its list")
    name = f"{portal}-{as_text(contact['id'])}"
    return _whole(
        contact["properties"],
        external_id=name,
        submitted_at=contact["createdAt"],
        person_id=name,
    )


connector = Connector(
    name="hubspot",
    title="HubSpot",
    docs="https://developers.hubspot.com/docs/api/webhooks",
    signature=NewestVersion(),
    parse=parse,
    fields={
        "email": "email",
        "firstname": "first_name",
        "lastname": "last_name",
        "phone": "phone",
        "mobilephone": "phone",
        "company": "company",
        "website": "website",
        "jobtitle": "job_title",
        "message": "message",
        "address": "street",
        "city": "city",
        "state": "region",
        "zip": "postal_code",
        "country": "country",
        "hs_language": "language",
    },
    fetch=fetch,
    api=Api(
        url="https://api.hubapi.com",
        authorise=bearer,
        token_url="https://api.hubapi.com/oauth/v1/token",  # noqa: S106, an address
    ),
    backfill=Backfill(page, parse_listed, keeps_days=365, calls_per_minute=180),
    options={
        "portal_id": "",
        "properties": (),
        "ignore_sources": ("IMPORT", "INTEGRATION", "MERGE_CONTACTS", "BATCH_UPDATE"),
    },
)
