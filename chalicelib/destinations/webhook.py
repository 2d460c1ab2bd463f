"""Notification of a program of the company's own, signed as Standard Webhooks describe.

The rules are those of github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md,
read 2026-08.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.config.model import Destination
from chalicelib.destination import CLOCK_KINDS, DestinationKind, Notice, Tools
from chalicelib.destinations.excerpt import one_line
from chalicelib.destinations.outcome import Outcome, failure
from chalicelib.errors import Misconfigured, Refused, TryLater
from chalicelib.lead.model import utc_text

LARGEST_BODY = 20_000
LONGEST_VALUE = 200
PERSON_CUTS = (5000, 2000, 1000, 500, 200, 100)
"""Lengths to which each text of the person is cut, one after the other, until the body fits."""
MOST_ENTRIES = 60

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)

# Redirects are never followed, and repeating them would not help. What the specification leaves
# to us: an address that is wrong, closed or refuses us is set aside instead of tried for days.
OUTCOMES: dict[int, Outcome] = {
    408: TryLater,
    409: TryLater,
    423: TryLater,
    425: TryLater,
    429: TryLater,
}
OTHERS: dict[int, Outcome] = {3: Refused, 4: Refused, 5: TryLater}


def send(notice: Notice, to: Destination, tools: Tools) -> str:
    """Post the notice; the receiver knows a repeat by `webhook-id`."""
    if not to.url:
        raise Misconfigured("webhook: the url is missing")
    if not tools.secrets:
        raise Misconfigured("webhook: the signing secret is missing")
    keys = [_key(secret) for secret in tools.secrets]
    body = write(notice, to)
    moment = str(int(tools.now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": notice.effect_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(
            _signature(key, notice.effect_id, moment, body) for key in keys
        ),
    }
    answer = tools.post(to.url, body, headers)
    if answer.status // 100 != 2:
        raise failure("webhook: the receiver", answer, OUTCOMES, OTHERS)
    return str(answer.status)


def write(notice: Notice, to: Destination) -> bytes:
    """Write the body, under 20 kB; the same bytes for the same arguments.

    The person is in it only if the destination is marked `full`. Where that would be too much,
    `data.cut` lists what was shortened or left out.
    """
    if notice.kind == "erased":
        return _bytes(notice, {"lead_id": notice.lead_id})
    thin = _thin(notice)
    if not to.full:
        return _bytes(notice, thin)
    for most in PERSON_CUTS:
        body = _bytes(notice, thin | _person(notice, most))
        if len(body) <= LARGEST_BODY:
            return body
    return _bytes(notice, thin | {"cut": ["all"]})


def _thin(notice: Notice) -> dict[str, Any]:
    """Give what says which lead, from where and whose, and nothing of the person."""
    return {
        "lead_id": notice.lead_id,
        "version": notice.lead_version,
        "source": {
            "id": _short(notice.source_id),
            "title": _short(notice.source_title),
            "form": _short(notice.form_title),
        },
        "first_seen_at": utc_text(notice.first_seen_at) if notice.first_seen_at else None,
        "score": {
            "total": notice.score.total,
            "fit": notice.score.fit,
            "engagement": notice.score.engagement,
        },
        "assignment_id": _short(notice.assignment_id) or None,
        "assigned_to": {"id": _short(notice.owner_id), "email": _short(notice.owner_email)}
        if notice.owner_id
        else None,
        "rule": _short(notice.rule_title),
        "lead_url": notice.lead_url or None,
        **({"because": _short(notice.because)} if notice.kind in CLOCK_KINDS else {}),
        **({"leads": [dict(one) for one in notice.about]} if notice.about else {}),
    }


def _person(notice: Notice, most: int) -> dict[str, Any]:
    """Give the person's data, each text cut to so many characters."""
    cut: list[str] = []

    def short(where: str, text: str) -> str:
        if len(text) <= most:
            return text
        cut.append(where)
        return text[:most]

    return {
        "because": short("because", notice.because),
        "person": _entries("person", notice.profile, short, cut),
        "message": short("message", notice.message),
        "answers": _entries("answers", notice.answers, short, cut),
        "campaign": _entries("campaign", notice.campaign, short, cut),
        "consents": [
            {
                "purpose": short("consents", consent.purpose),
                "given": consent.given,
                "wording": short("consents", consent.wording),
                "at": utc_text(consent.at) if consent.at else None,
            }
            for consent in notice.consents[:MOST_ENTRIES]
        ],
        "cut": cut,
    }


def _entries(
    where: str, values: Mapping[str, str], short: Callable[[str, str], str], cut: list[str]
) -> dict[str, str]:
    if len(values) > MOST_ENTRIES:
        cut.append(where)
    return {
        key[:LONGEST_VALUE]: short(f"{where}.{key[:LONGEST_VALUE]}", value)
        for key, value in list(values.items())[:MOST_ENTRIES]
    }


def _short(text: str) -> str:
    return one_line(text, LONGEST_VALUE)


def _bytes(notice: Notice, data: Mapping[str, Any]) -> bytes:
    event = {
        "type": f"lead.{notice.kind}",
        "timestamp": utc_text(notice.occurred_at),
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _key(secret: str) -> bytes:
    """Decode a secret; the bytes sign, not the text."""
    encoded = secret.strip().removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.strip().startswith(PREFIX) or len(key) not in KEY_BYTES:
        raise Misconfigured("webhook: a secret must be whsec_ and 24 to 64 bytes in base64")
    return key


def _signature(key: bytes, message_id: str, moment: str, body: bytes) -> str:
    signed = f"{message_id}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


destination = DestinationKind(kind="webhook", title="Webhook", is_repeatable=True, send=send)
