"""Partner referral: what partners post of people they send us; the contract is our own."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.connector import (
    STANDARD_WEBHOOKS,
    UNSIGNED,
    Act,
    Connector,
    Consent,
    Json,
    Malformed,
    Options,
    Request,
    Submission,
    Withdrawal,
    answers_of,
    as_text,
    campaign_of,
    each,
    flatten,
    is_no,
    is_yes,
    moment_of,
    own_id,
    spellings,
)

CREATED, UPDATED, WITHDRAWN = "referral.created", "referral.updated", "referral.withdrawn"
OWN = frozenset({"partner_lead_id", "partner", "submitted_at", "test", "language"})
OWN_PARTS = ("person", "consent", "attribution", "referrer")


def parse(request: Request, options: Options) -> list[Act]:
    """Read one referral, or up to a thousand.

    Args:
        request: body is `{"type": "referral.created", "timestamp", "data": {...}}`, or
            `{"leads": [data, ...]}`; see the README for data.
        options: `partner` is who has the credit, whatever the payload says; `partner_emails` and
            `partner_domains` tell a partner who sends themselves.

    Returns:
        A submission for each person, a withdrawal for one taken back; nothing for other types.
    """
    body = request.json()
    if "leads" in body:
        return each(
            enumerate(body["leads"]),
            lambda told: _submission(told[1], "", "", request, options, f"/{told[0]}"),
            "Partner referral: leads[]",
        )
    kind, data, sent_at = body["type"], body["data"], as_text(body.get("timestamp"))
    if kind == WITHDRAWN:
        return [
            Withdrawal(
                external_id=_lead_id(data, request),
                withdrawn_at=moment_of(sent_at, request.received_at),
                reason="taken back by the partner",
            )
        ]
    if kind not in {CREATED, UPDATED}:
        return []
    revision = sent_at if kind == UPDATED else ""
    return [_submission(data, revision, sent_at, request, options)]


def _lead_id(data: Json, request: Request, place: str = "") -> str:
    """Give the partner's own id of the person; else what makes the message one, and the place."""
    message_id = request.header("idempotency-key") or request.header("webhook-id")
    return own_id(as_text(data.get("partner_lead_id"))) or (message_id and f"{message_id}{place}")


def _submission(
    data: Json, revision: str, sent_at: str, request: Request, options: Options, place: str = ""
) -> Submission:
    person = data["person"]
    if not isinstance(person, Mapping):
        raise Malformed("expected data.person to be an object")
    lead_id = _lead_id(data, request, place)
    if not lead_id:
        raise Malformed("expected data.partner_lead_id")
    attribution = data.get("attribution") or {}
    rest = {name: value for name, value in data.items() if name not in {*OWN, *OWN_PARTS}}
    submitted_at = sent_at if revision else as_text(data.get("submitted_at")) or sent_at
    return Submission(
        external_id=lead_id,
        revision=revision,
        submitted_at=moment_of(submitted_at, request.received_at),
        form="referral",
        answers={
            **answers_of(flatten(person)),
            **answers_of(flatten(rest) if rest else {}),
            **answers_of(_more(attribution)),
        },
        campaign=campaign_of(attribution),
        consents=tuple(_consents(data.get("consent") or {}, request)),
        page_url=as_text(attribution.get("landing_url")),
        language=as_text(person.get("locale")),
        referrer=options["partner"] or as_text(data.get("partner")) or request.source_id,
        notes=tuple(_notes(person, data.get("referrer") or {}, options)),
        is_test=is_yes(as_text(data.get("test"))),
    )


def _more(attribution: Json) -> dict[str, tuple[str, ...]]:
    """Keep what of the attribution is no campaign of ours, as the partner's click id."""
    known = {*campaign_of(attribution), "landing_url"}
    return {
        f"attribution.{name}": (as_text(value),)
        for name, value in attribution.items()
        if name not in known
    }


def _consents(consent: Json, request: Request) -> Iterator[Consent]:
    """Read consents by purpose; what is not told is not known, and that is not yes."""
    at = as_text(consent.get("captured_at"))
    for purpose, value in consent.items():
        text = as_text(value)
        if purpose in {"text_version", "captured_at", "ip"} or not (is_yes(text) or is_no(text)):
            continue
        if value is not None:
            yield Consent(
                purpose=purpose,
                given=is_yes(text),
                wording=as_text(consent.get("text_version")),
                at=moment_of(at, request.received_at) if at else None,
                evidence="consent",
            )


def _notes(person: Json, referrer: Json, options: Options) -> Iterator[str]:
    """Flag who sends themselves, and what nobody signed."""
    email = as_text(person.get("email")).strip().lower()
    phone = _digits(person.get("phone"))
    partner_emails = {as_text(one).lower() for one in options["partner_emails"]}
    is_same = email and email == as_text(referrer.get("email")).strip().lower()
    is_same = is_same or (phone and phone == _digits(referrer.get("phone")))
    domain = email.rpartition("@")[2]
    if is_same or email in partner_emails or domain in options["partner_domains"]:
        yield "self_referral"
    if options["scheme"] != "standard_webhooks":
        yield "unsigned_referral"


def _digits(phone: Any) -> str:
    return "".join(one for one in as_text(phone) if one.isdigit())


connector = Connector(
    name="referral",
    title="Partner referral",
    docs="https://www.standardwebhooks.com/",
    signature=STANDARD_WEBHOOKS,
    schemes={"standard_webhooks": STANDARD_WEBHOOKS, **UNSIGNED},
    parse=parse,
    fields=spellings(),
    options={
        "scheme": "standard_webhooks",
        "partner": "",
        "partner_emails": (),
        "partner_domains": (),
    },
)
