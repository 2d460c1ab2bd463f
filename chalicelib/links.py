"""Signed links by which an owner accepts or declines an assignment."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from chalicelib import base64url
from chalicelib.errors import Misconfigured, Unverified

Action = Literal["accept", "decline"]

LINKS_SECRET = "links"  # noqa: S105, the name of a secret
"""What links are signed with, and cursors too."""

VERSION = b"\x01"
DIGEST_BYTES = hashlib.sha256().digest_size
LONGEST_TOKEN = 4000
SHORTEST_SECRET = 16


@dataclass(frozen=True)
class Link:
    """What a link permits: one action by one owner on one assignment, until it expires."""

    action: Action
    lead_id: str
    assignment_id: str
    owner_id: str
    expires_at: datetime


def make(
    action: Action,
    lead_id: str,
    assignment_id: str,
    owner_id: str,
    expires_at: datetime,
    secret: str,
) -> str:
    """Make the token of a link; URL-safe, and the same for the same arguments.

    Args:
        action: what the owner may do with it.
        lead_id: the lead.
        assignment_id: which giving of the lead is accepted or declined.
        owner_id: who may.
        expires_at: aware; cut to the second.
        secret: at least 16 characters.

    Raises:
        Misconfigured: the secret is too short to sign with.
    """
    terms = [action, lead_id, assignment_id, owner_id, int(expires_at.timestamp())]
    signed = VERSION + json.dumps(terms, separators=(",", ":")).encode()
    return base64url.encode(signed + _digest(signed, secret))


def read(token: str, secrets: Sequence[str], now: datetime) -> Link:
    """Read a token that we made; all of the secrets are live.

    That a link works once is not known here: it is the assignment that changes.

    Raises:
        Unverified: the token is forged, cut or expired.
        Misconfigured: there is no secret, or one is too short to have been used.
    """
    if not secrets:
        raise Misconfigured("links: no secret to check with")
    raw = base64url.decode(token) if len(token) <= LONGEST_TOKEN else b""
    signed, digest = raw[:-DIGEST_BYTES], raw[-DIGEST_BYTES:]
    matches = [hmac.compare_digest(digest, _digest(signed, secret)) for secret in secrets]
    if not any(matches) or signed[:1] != VERSION:
        raise Unverified("links: not a link of ours")
    action, lead_id, assignment_id, owner_id, expires = json.loads(signed[1:])
    expires_at = datetime.fromtimestamp(expires, UTC)
    if now >= expires_at:
        raise Unverified("links: expired")
    return Link(cast(Action, action), lead_id, assignment_id, owner_id, expires_at)


def _digest(signed: bytes, secret: str) -> bytes:
    """Sign; the prefix keeps the digest from meaning anything where the secret is used again."""
    if len(secret) < SHORTEST_SECRET:
        raise Misconfigured(f"links: the secret needs at least {SHORTEST_SECRET} characters")
    return hmac.new(secret.encode(), b"assignment link:" + signed, hashlib.sha256).digest()
