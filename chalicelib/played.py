"""A provider played from data: the request that it sends, and what its API answers.

The parts of a request are body (a JSON value, or text sent as it is), content_type, method, query
and headers; absent ones have their defaults.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from chalicelib.connector import Request
from chalicelib.errors import Gone

JSON_TYPE = "application/json"


def make_request(
    parts: Mapping[str, Any], source_id: str, received_at: datetime, address: str
) -> Request:
    """Make a request, not yet signed.

    Args:
        parts: see the module.
        source_id: whom to address.
        received_at: when it arrives.
        address: the whole address that is called, without a query.
    """
    method = str(parts.get("method", "POST"))
    query: Mapping[str, str] = parts.get("query", {})
    headers = {name.lower(): (str(value),) for name, value in parts.get("headers", {}).items()}
    if method == "POST":
        headers["content-type"] = (str(parts.get("content_type", JSON_TYPE)),)
    return Request(
        method=method,
        path=f"/hooks/{source_id}",
        query={name: (value,) for name, value in query.items()},
        headers=headers,
        body=content_bytes(parts.get("body", "")),
        received_at=received_at,
        source_id=source_id,
        url=address + (f"?{urlencode(query)}" if query else ""),
    )


def answer(
    fetched: Mapping[str, Any], path: str, params: Mapping[str, str] | str | None = None
) -> Any:
    """Answer as a provider's API does, from what it says at each address.

    Args:
        fetched: `path`, or `path?name=value&name=value`, -> answer.
        path: that is asked for.
        params: query parameters, as a connector gives them.

    Raises:
        Gone: it says nothing there.
    """
    pairs = {} if isinstance(params, str) else params or {}
    asked = "&".join(f"{name}={value}" for name, value in pairs.items()) or params
    key = f"{path}?{asked}" if asked else path
    if key not in fetched:
        raise Gone(f"nothing is fetched at {key}")
    return fetched[key]


def content_bytes(content: Any) -> bytes:
    """Write a body as the bytes that travel."""
    if isinstance(content, str):
        return content.encode("utf-8")
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
