"""Formstack Forms: one webhook for each submission, urlencoded or JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.connector import (
    Act,
    BodyKey,
    Connector,
    Hmac,
    Malformed,
    Options,
    Request,
    Submission,
    answers_of,
    as_text,
    campaign_key,
    consents_of,
    digest_of,
    first,
    flatten,
    spellings,
)

HANDSHAKE_KEY = "HandshakeKey"
OWN_FIELDS = frozenset({"FormID", "UniqueID", HANDSHAKE_KEY})

# A part of a name or an address: `Name (First)` in a form, `Name.first` in JSON.
PART = re.compile(r".* \(([^()]+)\)|.*\.([^.]+)", re.DOTALL)
PARTS = {
    "first": "first_name",
    "last": "last_name",
    "address": "street",
    "city": "city",
    "state": "region",
    "zip": "postal_code",
    "country": "country",
}
# What Formstack itself says of a question, where the webhook is set to send field types.
HINTS = {"email": "email", "phone": "phone"}
SPELLINGS = spellings()


@dataclass(frozen=True)
class HmacOverKey:
    """The HMAC in a header, of a body that holds the handshake key as well, which is not kept."""

    hmac: Hmac
    key: BodyKey
    secret_headers: tuple[str, ...] = ()

    @property
    def proof(self) -> str:
        """Say in a few words what proves a request."""
        return self.hmac.proof

    def sign(self, request: Request, secret: str) -> Request:
        """Add the header."""
        return self.hmac.sign(request, secret)

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Check the header, then cut out the key."""
        return self.redact(self.hmac.verify(request, secrets, now))

    def redact(self, request: Request) -> Request:
        """Cut out the key."""
        return self.key.redact(request)


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one submission that a webhook carries.

    Args:
        request: urlencoded, or a JSON object; `FormID`, `UniqueID` and the answers.
        options: `consents` names the purpose of questions that ask for consent by their key.

    Returns:
        One submission, its answers keyed by label, id or API-friendly key, as the admin chose.
    """
    texts, kinds = _told(request)
    campaign = {campaign_key(key): key for key in texts if campaign_key(key)}
    answers = answers_of(texts, without={*OWN_FIELDS, *campaign.values()})
    form, submission_id = first(texts, "FormID"), first(texts, "UniqueID")
    if not submission_id:
        raise Malformed("Formstack: UniqueID is missing")
    return [
        Submission(
            external_id=f"{form}-{submission_id}",
            # An edit, if one is sent, has nothing that tells it from a repetition.
            revision=digest_of(sorted(answers.items()))[:16],
            submitted_at=request.received_at,
            form=form,
            answers=answers,
            hints={key: hint for key in answers if (hint := _hint(key, kinds.get(key, "")))},
            campaign={k: first(texts, key) for k, key in campaign.items() if first(texts, key)},
            consents=consents_of(texts, options["consents"]),
        )
    ]


def _told(request: Request) -> tuple[Mapping[str, tuple[str, ...]], dict[str, str]]:
    """Give all texts by key, and the field types where the webhook says them."""
    if request.content_type()[0] == "application/x-www-form-urlencoded":
        return request.form(), {}
    payload = request.json()
    kinds = {
        key: as_text(value["field_type"]) for key, value in payload.items() if _is_typed(value)
    }
    bare = {key: value["value"] if _is_typed(value) else value for key, value in payload.items()}
    return flatten(bare), kinds


def _is_typed(value: Any) -> bool:
    """Say whether an answer comes with the type of its question."""
    return isinstance(value, Mapping) and set(value) == {"value", "field_type"}


def _hint(key: str, kind: str) -> str:
    """Say which contact field an answer is: by its type, its part, or what it is called."""
    part = PART.fullmatch(key)
    name = as_text(part and (part[1] or part[2])).lower()
    return HINTS.get(kind) or PARTS.get(name) or SPELLINGS.get(key) or ""


KEY = BodyKey(HANDSHAKE_KEY)
SIGNED = HmacOverKey(Hmac("X-FS-Signature", shape="sha256={digest}"), KEY)

connector = Connector(
    name="formstack",
    title="Formstack Forms",
    docs="https://developers.formstack.com/docs/webhook-setup",
    signature=SIGNED,
    schemes={"hmac": SIGNED, "handshake_key": KEY},
    parse=parse,
    options={"scheme": "hmac", "consents": {}},
)
