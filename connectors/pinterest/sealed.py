"""Opening what was sealed with AES-256-GCM when nobody has said where nonce and tag are.

The tag says whether a guess is right: a wrong key, nonce or place opens nothing, and what a
stranger made up opens with no key at all. So the few ways in which such envelopes are laid out are
tried one after the other.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from chalicelib.connector import Malformed, Misconfigured, flatten

KEY_BYTES = 32
NONCE_BYTES = (12, 16)
TAG_BYTES = 16
MOST_GUESSES = 2000
MOST_PARTS = 40


def opened(envelope: Any, keys: Sequence[str]) -> str:
    """Find what is sealed in an envelope, and open it.

    Args:
        envelope: a text, or an object with the parts as texts, anywhere in it.
        keys: base64; those of all subscriptions that it may be of.

    Returns:
        The text that was sealed.

    Raises:
        Misconfigured: there is no key.
        Malformed: no key opens any part of it.
    """
    # Slow to import, and needed here only.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    usable = [AESGCM(key) for key in map(_from_base64, keys) if len(key) == KEY_BYTES]
    if not usable:
        raise Misconfigured("Pinterest: no subscription of the ad account has a key of 256 bits")
    texts = flatten(envelope if isinstance(envelope, Mapping) else {"sealed": envelope})
    parts = [part for given in texts.values() for text in given for part in _decoded(text)]
    guesses = ((key, *guess) for guess in _guesses(parts[:MOST_PARTS]) for key in usable)
    for key, nonce, sealed in islice(guesses, MOST_GUESSES):
        try:
            return key.decrypt(nonce, sealed, None).decode("utf-8")
        except (InvalidTag, UnicodeDecodeError):
            continue
    raise Malformed("Pinterest: no subscription's key opens it, or it is laid out in another way")


def _guesses(parts: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give nonce and sealed text with the tag at its end, in every way that is usual."""
    for sealed in sorted(parts, key=len, reverse=True):
        # All in one: the nonce before, the tag behind.
        for size in NONCE_BYTES:
            if len(sealed) > size + TAG_BYTES:
                yield sealed[:size], sealed[size:]
        # The nonce by itself, and the tag behind, in front, or by itself.
        for nonce in (part for part in parts if len(part) in NONCE_BYTES and part is not sealed):
            if len(sealed) > TAG_BYTES:
                yield nonce, sealed
                yield nonce, sealed[TAG_BYTES:] + sealed[:TAG_BYTES]
            for tag in (part for part in parts if len(part) == TAG_BYTES and part is not sealed):
                yield nonce, sealed + tag
        # The nonce before, the tag by itself.
        for tag in (part for part in parts if len(part) == TAG_BYTES and part is not sealed):
            for size in NONCE_BYTES:
                if len(sealed) > size:
                    yield sealed[:size], sealed[size:] + tag


def _decoded(text: str) -> Iterator[bytes]:
    """Read a text in the ways in which bytes are written; nothing where it is none of them."""
    if part := _from_base64(text):
        yield part
    try:
        yield from filter(None, (bytes.fromhex(text),))
    except ValueError:
        return


def _from_base64(text: str) -> bytes:
    """Read base64, of either alphabet, with or without its filling; else empty."""
    plain = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return b""
