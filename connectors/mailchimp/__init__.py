"""Mailchimp: who joins, leaves or changes in an audience."""

from collections.abc import Mapping
from typing import Any

from chalicelib.connector import (
    UNSIGNED,
    Act,
    Connector,
    Consent,
    Hmac,
    Json,
    Malformed,
    Options,
    Reply,
    Request,
    Submission,
    answers_of,
    as_text,
    campaign_of,
    digest_of,
    flatten,
    moment_of,
    nested,
    spellings,
)


def parse(request: Request, options: Options) -> list[Act]:
    """Read what happened to one address.

    Args:
        request: urlencoded `type`, `fired_at` and `data[...]`.
        options: `purpose` is what joining the audience agrees to.

    Returns:
        For `subscribe` a submission; for other events what changes a lead that is there; nothing
        for campaigns.
    """
    body = nested(request.form())
    kind, data = as_text(body["type"]), body.get("data") or {}
    fired_at = as_text(body["fired_at"])
    match kind:
        case "subscribe":
            return [_news(kind, fired_at, data, request, _merges(data), options, given=True)]
        case "profile":
            return [_news(kind, fired_at, data, request, _merges(data), options)]
        case "unsubscribe":
            said = {"email": as_text(data["email"]), "reason": as_text(data.get("reason"))}
            return [_news(kind, fired_at, data, request, said, options, given=False)]
        case "cleaned":
            return [_cleaned(fired_at, data, request, options)]
        case "upemail":
            # The lead is known by the old address; the id they share carries it to the new one.
            return [
                _news(f"upemail-{which}", fired_at, data, request, {"email": email}, options)
                for which in ("old", "new")
                if (email := as_text(data[f"{which}_email"]))
            ]
    return []


def _news(
    kind: str,
    fired_at: str,
    data: Json,
    request: Request,
    answers: Mapping[str, Any],
    options: Options,
    *,
    given: bool | None = None,
    notes: tuple[str, ...] = (),
) -> Submission:
    """Make a submission of one event; only joining makes a lead."""
    person_id = as_text(data.get("new_id") or data.get("id"))
    is_joining = kind == "subscribe"
    # An address has no place in an id.
    who = as_text(data.get("id")) or person_id or digest_of(as_text(data.get("email")))[:16]
    campaign = campaign_of({name.lower(): text for name, text in answers.items()})
    told = {name: text for name, text in answers.items() if text and name.lower() not in campaign}
    consents = (
        ()
        if given is None
        else (Consent(purpose=options["purpose"], given=given, evidence=f"Mailchimp {kind}"),)
    )
    return Submission(
        external_id=f"{kind}-{as_text(data.get('list_id'))}-{who}",
        revision=fired_at,
        submitted_at=moment_of(fired_at, request.received_at),
        form=as_text(data.get("list_id")),
        answers=told,
        campaign=campaign,
        consents=consents,
        person_id=person_id,
        notes=notes,
        only_if_known=not is_joining,
    )


def _merges(data: Json) -> Mapping[str, Any]:
    """Give the audience's fields by their tags; parts of an address by path."""
    merges = data.get("merges") or {}
    return {"email": as_text(data["email"]), **answers_of(flatten(merges), without=("EMAIL",))}


def _cleaned(fired_at: str, data: Json, request: Request, options: Options) -> Submission:
    """Read that mails to an address bounce for good, or that its owner complained."""
    is_complaint = as_text(data.get("reason")) == "abuse"
    return _news(
        "cleaned",
        fired_at,
        data,
        request,
        {"email": as_text(data["email"]), "reason": as_text(data.get("reason"))},
        options,
        given=False if is_complaint else None,
        notes=() if is_complaint else ("undeliverable_email",),
    )


def handshake(request: Request, secrets: tuple[str, ...]) -> Reply:
    """Answer the look at the address that Mailchimp takes before it saves a webhook.

    Where the address ends in the secret, only that address is one of ours.
    """
    if request.query:
        raise Malformed("Mailchimp: expected the address alone")
    if request.path_token:
        UNSIGNED["address"].verify(request, secrets, request.received_at)
    return Reply(200)


SIGNED = Hmac(
    "X-Mailchimp-Signature",
    shape="t={timestamp},v1={digest}",
    separator=",",
    signed="{timestamp}.{body}",
)

connector = Connector(
    name="mailchimp",
    title="Mailchimp",
    docs="https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/",
    # Only webhooks made by its API can be signed; those made on its pages are not.
    signature=UNSIGNED["address"],
    schemes={"address": UNSIGNED["address"], "signed": SIGNED},
    parse=parse,
    handshake=handshake,
    fields={
        **spellings(),
        "FNAME": "first_name",
        "LNAME": "last_name",
        "PHONE": "phone",
        "COMPANY": "company",
        "ADDRESS.addr1": "street",
        "ADDRESS.city": "city",
        "ADDRESS.state": "region",
        "ADDRESS.zip": "postal_code",
        "ADDRESS.country": "country",
    },
    options={"scheme": "address", "purpose": "marketing"},
)
