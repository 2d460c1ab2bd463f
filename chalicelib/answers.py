"""What parsers share: answers from texts, times as senders write them, ids for acts without one."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from chalicelib.lead.model import Answer

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""What lies before is no time of a submission: year 1, 1970, or digits that look like a date."""


def answers_of(
    texts: Mapping[str, Sequence[str]], without: Collection[str] = ()
) -> dict[str, Answer]:
    """Make answers of what `Request.form` or `flatten` gives; what was left empty is left out.

    Args:
        texts: by key, all texts given.
        without: keys that are no answers.
    """
    answers: dict[str, Answer] = {}
    for key, given in texts.items():
        filled = tuple(text for text in given if text)
        if key and filled and key not in without:
            answers[key] = filled[0] if len(filled) == 1 else filled
    return answers


def first(texts: Mapping[str, Sequence[str]], *keys: str) -> str:
    """Give the first text that is not empty under any of some keys; else an empty one."""
    return next((text for key in keys for text in texts.get(key, ()) if text), "")


def digest_of(value: Any) -> str:
    """Make an id of 32 hex digits of what JSON can hold, the same for the same content."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def moment_of(text: str, received_at: datetime, zone: tzinfo = UTC) -> datetime:
    """Read a time as senders write it.

    Args:
        text: ISO 8601, seconds or milliseconds since 1970, or the date of a mail.
        received_at: the latest that it can be.
        zone: where it names none.

    Returns:
        Aware, UTC; received_at for any other way of writing a time, for one that is still to come,
        and for one before EARLIEST.
    """
    text = text.strip()
    try:
        if re.fullmatch(r"[0-9]{9,10}|[0-9]{12,13}", text):
            moment = datetime.fromtimestamp(int(text) / (1 if len(text) < 12 else 1000), UTC)
        else:
            moment = _written(text)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        is_likely = EARLIEST <= moment <= received_at + timedelta(minutes=5)
        return moment if is_likely else received_at
    except (ValueError, OverflowError):
        return received_at


def _written(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)
