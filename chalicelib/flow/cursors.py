"""Cursors: where a list goes on, signed so that only its own list and caller can use them."""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib import base64url
from chalicelib.errors import Malformed, Misconfigured
from chalicelib.links import LINKS_SECRET

LAST = timedelta(hours=24)
"""How long a cursor works."""

LONGEST = 2000


def sign_cursor(after: str, purpose: Sequence[str], secret: str, now: datetime) -> str:
    """Make the cursor of a place in a list.

    Args:
        after: sort key of the last thing that was shown.
        purpose: what it is bound to: the caller, the route and every filter.
        secret: to sign with.
        now: aware.
    """
    place = json.dumps([after, int(now.timestamp())], separators=(",", ":")).encode()
    return base64url.encode(place + _digest(place, purpose, secret))


def read_cursor(cursor: str, purpose: Sequence[str], secrets: Sequence[str], now: datetime) -> str:
    """Give the place that a cursor names; the start of the list for an empty one.

    Raises:
        Malformed: not ours, of another list, filter or caller, or older than a day.
        Misconfigured: there is no secret.
    """
    if not cursor:
        return ""
    if not secrets:
        raise Misconfigured(missing_secret())
    raw = base64url.decode(cursor) if len(cursor) <= LONGEST else b""
    place, digest = raw[:-32], raw[-32:]
    matches = [hmac.compare_digest(digest, _digest(place, purpose, one)) for one in secrets]
    if not place or not any(matches):
        raise Malformed("cursor: not one of this list; begin without a cursor")
    after, made_at = json.loads(place)
    if now - datetime.fromtimestamp(made_at, now.tzinfo) > LAST:
        raise Malformed("cursor: too old; begin without a cursor")
    return str(after)


def missing_secret() -> str:
    """Say that there is nothing to sign with, and what to do."""
    return f"secret {LINKS_SECRET!r} has no live value: hub secret set {LINKS_SECRET}"


def _digest(place: bytes, purpose: Sequence[str], secret: str) -> bytes:
    """Sign; the prefix keeps the digest from meaning anything where the secret is used again."""
    signed = b"list cursor:" + json.dumps([*purpose]).encode() + b"\n" + place
    return hmac.digest(secret.encode(), signed, "sha256")
