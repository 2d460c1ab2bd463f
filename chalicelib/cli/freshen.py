"""Makes a case that was played before a new submission: fresh ids and times, the same person."""

import json
import secrets
import string
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib import registry
from chalicelib.cli.cases import Case, content_bytes
from chalicelib.connector import Connector, Request, read
from chalicelib.errors import Malformed

TIMES = frozenset(
    {
        "submitted_at",
        "landed_at",
        "created_at",
        "created_time",
        "lead_submit_time",
        "occurredAt",
        "timestamp",
        "when",
    }
)
"""Names under which the providers of our cases write when it happened."""

EXTRA = "played_at"
"""The answer that is added where a submission has no id of its own but its content."""


def freshen(case: Case, options: Mapping[str, Any], now: datetime) -> Any:
    """Give a case's body as a new submission of the same person, now.

    What is fetched from the provider keeps its ids, for the provider knows no others: such a
    lead is known again as a duplicate.
    """
    connector = registry.load(case.connector)
    body = _with_times(case.body, now)
    if connector.fetch:
        return body
    options = {**options, **case.options}
    for external_id in sorted(external_ids(connector, case.request(), options)):
        body, is_found = _with_id(body, external_id)
        if not is_found:
            return _with_extra(body, case.content_type, now)
    return body


def external_ids(
    connector: Connector, request: Request, options: Mapping[str, Any]
) -> frozenset[str]:
    """Give the ids of what is submitted or withdrawn by a request; none if it cannot be read."""
    try:
        return frozenset(act.external_id for act in read(connector, request, options))
    except Malformed:
        return frozenset()


def _with_times(value: Any, now: datetime, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _with_times(each, now, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_times(each, now, key) for each in value]
    if key not in TIMES or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(now.timestamp() * (1000 if value > 10**11 else 1))
    if isinstance(value, str) and value[:4].isdigit() and "T" in value:
        return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _with_id(body: Any, external_id: str) -> tuple[Any, bool]:
    """Replace an id wherever it stands as a whole; says whether it was found."""
    fresh = _like(external_id)
    if isinstance(body, str):
        return body.replace(external_id, fresh), external_id in body
    found = False

    def replaced(value: Any) -> Any:
        nonlocal found
        if isinstance(value, Mapping):
            return {name: replaced(each) for name, each in value.items()}
        if isinstance(value, list):
            return [replaced(each) for each in value]
        if not isinstance(value, bool) and str(value) == external_id:
            found = True
            return int(fresh) if isinstance(value, int) else fresh
        return value

    return replaced(body), found


def _like(text: str) -> str:
    """Make a random text that looks like this one, its first characters kept."""
    alphabets = (string.digits, string.hexdigits[:16], string.ascii_lowercase + string.digits)

    def other(character: str) -> str:
        if not character.isalnum() or not character.isascii():
            return character
        alphabet = (
            alphabets[0]
            if character.isdigit()
            else next(each for each in alphabets[1:] if character.lower() in each)
        )
        picked = secrets.choice(alphabet)
        return picked.upper() if character.isupper() else picked

    kept = min(2, len(text) - 1)
    return text[:kept] + "".join(map(other, text[kept:]))


def _with_extra(body: Any, content_type: str, now: datetime) -> Any:
    """Add an answer that no other submission has."""
    mark = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {secrets.token_hex(2)}"
    if isinstance(body, dict):
        return {**body, EXTRA: mark}
    text = content_bytes(body).decode()
    if content_type.startswith("multipart/form-data"):
        boundary = content_type.partition("boundary=")[2].strip('"')
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="{EXTRA}"\r\n\r\n{mark}\r\n'
        return part + text
    if text.lstrip("\ufeff").startswith("["):
        return _marked(json.loads(text.lstrip("\ufeff")), mark)
    return f"{text}&{EXTRA}={mark.replace(':', '%3A').replace(' ', '+')}"


def _marked(people: Iterable[Any], mark: str) -> list[Any]:
    return [{**each, EXTRA: mark} if isinstance(each, dict) else each for each in people]
