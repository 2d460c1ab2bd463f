"""What says that two submissions are one person, and the ids made from what is stored."""

import hashlib
import json
from base64 import b32encode
from collections.abc import Mapping

from chalicelib.config.model import Settings
from chalicelib.lead.email import email_key
from chalicelib.lead.model import CleanValue
from chalicelib.lead.phone import phone_key
from chalicelib.lead.text import storable

LONGEST_KEY_VALUE = 200
"""Bytes; a longer value is replaced by its hash, for storage keys are of limited length."""


def identity_keys(
    contact: Mapping[str, CleanValue], person_id: str, connector: str, settings: Settings
) -> tuple[str, ...]:
    """Give the identity keys of a clean contact, sorted: email:, phone:, person:CONNECTOR:.

    A shared mailbox or phone is a key like any other; the notes of its value tell it apart. A
    phone with an extension (`;ext=`) is another key than the switchboard itself.
    """
    keys = set()
    if email := contact.get("email"):
        keys.add(f"email:{_bounded(email_key(email.value, settings))}")
    if phone := contact.get("phone"):
        keys.add(f"phone:{_bounded(phone_key(phone))}")
    if person := storable(person_id).strip():
        keys.add(f"person:{connector}:{_bounded(person)}")
    return tuple(sorted(keys))


def touch_id(source_id: str, external_id: str, revision: str = "") -> str:
    """Make the id of a submission's touch from what names it: 26 letters and digits, a-z2-7.

    The same submission has the same id in every delivery. The parts are hashed as a JSON list, so
    no two lists of parts read alike; 130 bits of SHA-256 keep ids apart.
    """
    return _hashed("touch", source_id, external_id, revision)


def lead_id(touch_id: str) -> str:
    """Make the id of the lead that a touch is the first of; of the same form as touch ids."""
    return _hashed("lead", touch_id)


def _hashed(*parts: str) -> str:
    written = json.dumps(parts).encode()
    return b32encode(hashlib.sha256(written).digest()).decode().lower()[:26]


def _bounded(value: str) -> str:
    """Replace a long value by its hash."""
    written = value.encode()
    if len(written) <= LONGEST_KEY_VALUE:
        return value
    return f"sha256-{hashlib.sha256(written).hexdigest()}"
