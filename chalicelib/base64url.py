"""Bytes as text that an address may hold: base64url without padding, in one spelling only."""

import base64


def encode(raw: bytes) -> str:
    """Write bytes as text."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Read what encode wrote; empty for any text that it does not write."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
    return raw if encode(raw) == text else b""
