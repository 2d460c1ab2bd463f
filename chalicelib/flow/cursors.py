"""Cursors: where a list goes on, signed so that only its own list and caller can use them."""

import base64
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.errors import Malformed, Misconfigured

LAST = timedelta(hours=24)
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
    return _text(place + _digest(place, purpose, secret))


def read_cursor(cursor: str, purpose: Sequence[str], secrets: Sequence[str], now: datetime) -> str:
    """Give the place that a cursor names; the start of the list for an empty one.

    Raises:
        Malformed: not ours, of another list, filter or caller, or older than a day.
        Misconfigured: there is no secret.
    """
    if not cursor:
        return ""
    if not secrets:
        raise Misconfigured("the secret `links` is missing: hub secret set links")
    raw = _bytes(cursor) if len(cursor) <= LONGEST else b""
    place, digest = raw[:-32], raw[-32:]
    matches = [hmac.compare_digest(digest, _digest(place, purpose, one)) for one in secrets]
    if not place or not any(matches):
        raise Malformed("cursor: not one of this list; begin without a cursor")
    after, made_at = json.loads(place)
    if now - datetime.fromtimestamp(made_at, now.tzinfo) > LAST:
        raise Malformed("cursor: too old; begin without a cursor")
    return str(after)


def _digest(place: bytes, purpose: Sequence[str], secret: str) -> bytes:
    """Sign; the prefix keeps the digest from meaning anything where the secret is used again."""
    signed = b"list cursor:" + json.dumps([*purpose]).encode() + b"\n" + place
    return hmac.digest(secret.encode(), signed, "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Undo `_text`; empty for anything that it does not give."""
    try:
        raw = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except ValueError:
        return b""
    return raw if _text(raw) == text else b""
