"""Events of customer data tools: identify, track, delete, as Segment laid them out for all."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.answers import answers_of, digest_of, moment_of, own_id
from chalicelib.body import as_text, flatten
from chalicelib.errors import Malformed
from chalicelib.lead.model import Act, Consent, Erasure, Submission
from chalicelib.spelling import is_yes, spellings

TRACKING_OPTIONS: Mapping[str, Any] = {
    "events": ("Form Submitted", "Lead Captured", "Demo Requested", "Signed Up"),
    "identify": "known",
    "consents": {},
}
"""Options of such a source: names of `track` events that make leads; whether `identify` makes
leads (`lead`) or only adds to those that are there (`known`); consent category -> purpose."""

TRACKING_FIELDS: Mapping[str, str] = {
    **spellings(),
    "title": "job_title",
    "company.name": "company",
    "address.street": "street",
    "address.city": "city",
    "address.state": "region",
    "address.postalCode": "postal_code",
    "address.country": "country",
}
"""Field map of traits and properties, by path."""

CAMPAIGN = {
    "source": "utm_source",
    "medium": "utm_medium",
    "name": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
}

Json = Mapping[str, Any]


def tracked(event: Json, received_at: datetime, options: Mapping[str, Any]) -> Act | None:
    """Read one event.

    Args:
        event: `{"type", "messageId", "userId", "traits", "event", "properties", "context"}`.
        received_at: the latest that it can have happened.
        options: over TRACKING_OPTIONS.

    Returns:
        For a chosen `track` a submission; for an `identify` one that stands for all that was told
        of that person so far; for a `delete` an erasure; None for all others.
    """
    kind = event["type"]
    at = moment_of(as_text(event.get("timestamp") or event.get("originalTimestamp")), received_at)
    user_id = as_text(event.get("userId"))
    if kind == "delete":
        if not user_id:
            raise Malformed("expected userId")
        return Erasure(
            external_id=f"delete-{own_id(user_id)}",
            erased_at=at,
            person_id=user_id,
            reason="delete",
        )
    context = event.get("context") or {}
    traits = _texts(event.get("traits") or context.get("traits"))
    if kind == "track" and event["event"] in options["events"]:
        return _submission(
            event,
            at,
            options,
            external_id=as_text(event["messageId"]),
            form=as_text(event["event"]),
            answers=answers_of({**traits, **_texts(event.get("properties"))}),
        )
    if kind == "identify" and (user_id or traits):
        told = digest_of(sorted(traits.items()))
        # Many sites use the e-mail address as the id of a user.
        who = own_id(user_id or as_text(event.get("anonymousId"))) or told
        # A burst from a warehouse is no approach of the persons in it.
        is_burst = bool(context.get("sources"))
        return _submission(
            event,
            at,
            options,
            external_id=f"identify-{who}",
            # Each sign-in tells the same again, and that is no news.
            revision=told[:16],
            form="identify",
            answers=answers_of(traits),
            only_if_known=options["identify"] != "lead" or is_burst,
        )
    return None


def _submission(event: Json, at: datetime, options: Mapping[str, Any], **known: Any) -> Submission:
    context = event.get("context") or {}
    page = context.get("page") or {}
    campaign = context.get("campaign") or {}
    return Submission(
        submitted_at=at,
        person_id=as_text(event.get("userId")),
        campaign={
            key: as_text(campaign[name]) for name, key in CAMPAIGN.items() if campaign.get(name)
        },
        consents=tuple(_consents(context, options["consents"])),
        page_url=as_text(page.get("url")),
        language=as_text(context.get("locale")),
        **known,
    )


def _texts(value: Any) -> Mapping[str, tuple[str, ...]]:
    return flatten(value) if isinstance(value, Mapping) and value else {}


def _consents(context: Json, purposes: Mapping[str, str]) -> Iterator[Consent]:
    """Read what the consent tool of the page says, of the categories that the admin names."""
    preferences = (context.get("consent") or {}).get("categoryPreferences") or {}
    managed = context.get("consentManagement") or {}
    allowed = {as_text(one) for one in managed.get("allowedConsentIds") or ()}
    denied = {as_text(one) for one in managed.get("deniedConsentIds") or ()}
    for category, purpose in purposes.items():
        if category in preferences or category in allowed | denied:
            given = is_yes(as_text(preferences.get(category))) or category in allowed
            yield Consent(purpose=purpose, given=given, evidence=f"consent category {category}")
