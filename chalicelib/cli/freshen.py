"""Makes a case that was played before a new submission: fresh ids and times, the same person."""

import json
import re
import secrets
import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib import registry
from chalicelib.cli.cases import Case
from chalicelib.connector import Act, Connector, Request, Submission, read
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

DEEPEST = 5
"""How deep in a body it may be added."""

SHORT = 6
"""Ids up to so many characters are made longer, or they would soon repeat."""


def freshen(case: Case, options: Mapping[str, Any], now: datetime) -> Any:
    """Give a case's body as a new submission of the same person, now.

    What has still to be fetched from the provider keeps its ids, for the provider knows no others:
    such a lead is known again as a duplicate.
    """
    connector = registry.load(case.connector)
    options = {**options, **case.options}
    acts = _acts(connector, case.request(now), options)
    body = _with_times(case.body, now)
    if any(isinstance(act, Submission) and act.lookup for act in acts):
        return body
    before = {act.external_id for act in acts if act.external_id}
    for external_id in sorted(before):
        body = _with_id(body, external_id, now)
    for marked in (body, *_with_extra(body, case.content_type, now)):
        acts = _acts(connector, case.request(now, body=marked), options)
        after = {act.external_id for act in acts if act.external_id}
        if len(after) == len(before) and not after & before:
            return marked
    return body


def external_ids(
    connector: Connector, request: Request, options: Mapping[str, Any]
) -> frozenset[str]:
    """Give the ids of what is submitted or withdrawn by a request; none if it cannot be read."""
    return frozenset(act.external_id for act in _acts(connector, request, options))


def _acts(connector: Connector, request: Request, options: Mapping[str, Any]) -> list[Act]:
    try:
        return read(connector, request, options)
    except Malformed:
        return []


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


def _with_id(body: Any, external_id: str, now: datetime) -> Any:
    """Replace an id, or a part that it was made with, wherever that stands as a whole."""
    for piece in _pieces(external_id):
        fresh = _like(piece, now)
        if isinstance(body, str):
            if piece in body and (piece == external_id or len(piece) > SHORT):
                return body.replace(piece, fresh)
            continue
        replaced = _replaced(body, piece, fresh)
        if replaced != body:
            return replaced
    return body


def _pieces(external_id: str) -> list[str]:
    """Give an id, then what stands between its separators and holds a digit, longest first."""
    ends = [place for place, character in enumerate(external_id) if character in "-/"]
    starts = [0, *(place + 1 for place in ends)]
    found = {external_id[a:b] for a in starts for b in (*ends, len(external_id)) if a < b}
    numbered = {piece for piece in found if any(map(str.isdigit, piece))}
    return sorted(numbered | {external_id}, key=lambda piece: (-len(piece), piece))


def _replaced(value: Any, piece: str, fresh: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced(each, piece, fresh) for name, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, piece, fresh) for each in value]
    if isinstance(value, bool) or str(value) != piece:
        return value
    return int(fresh) if isinstance(value, int) else fresh


def _like(text: str, now: datetime) -> str:
    """Make a random text that looks like this one, its first characters kept; a time is now."""
    if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]", text):
        moment = now.astimezone(UTC).replace(microsecond=secrets.randbelow(1_000_000))
        return moment.isoformat(timespec="microseconds")
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
    longer = str(secrets.randbelow(10**SHORT)) if len(text) <= SHORT else ""
    return text[:kept] + "".join(map(other, text[kept:])) + longer


def _with_extra(body: Any, content_type: str, now: datetime) -> Iterator[Any]:
    """Add an answer that no other submission has; first at the top, then deeper and deeper."""
    mark = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {secrets.token_hex(2)}"
    if not isinstance(body, str):
        for depth in range(DEEPEST):
            yield _marked(body, mark, depth)
    elif content_type.startswith("multipart/form-data"):
        boundary = content_type.partition("boundary=")[2].strip('"')
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="{EXTRA}"\r\n\r\n{mark}\r\n'
        yield part + body
    elif body.lstrip("\ufeff").startswith("["):
        yield _marked(json.loads(body.lstrip("\ufeff")), mark, 1)
    elif body.lstrip("\ufeff").startswith("{"):
        head, _, tail = body.rpartition("}")
        yield f'{head},"{EXTRA}":{json.dumps(mark)}}}{tail}'
    else:
        yield f"{body}&{EXTRA}={mark.replace(':', '%3A').replace(' ', '+')}"


def _marked(value: Any, mark: str, depth: int) -> Any:
    """Mark the objects that lie so deep."""
    if isinstance(value, dict):
        if not depth:
            return {**value, EXTRA: mark}
        return {name: _marked(each, mark, depth - 1) for name, each in value.items()}
    if isinstance(value, list) and depth:
        return [_marked(each, mark, depth - 1) for each in value]
    return value
