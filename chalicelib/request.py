"""A webhook request as it came, and strict ways to read its body."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Request:
    """One HTTP request, bytes exact.

    Attributes:
        method: upper case.
        path: below the stage, as `/hooks/website`.
        query: all values of each query parameter, in order.
        headers: lower-case name -> all its values, in order.
        body: as the provider sent it.
        received_at: when the hub took it; aware, UTC.
        path_token: the secret part of the address, where the source has one; never kept.
    """

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, tuple[str, ...]]
    body: bytes
    received_at: datetime
    path_token: str = ""


@dataclass(frozen=True)
class Reply:
    """What the door answers."""

    status: int
    body: str = "{}"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_value(request: Request) -> Any:
    """Placeholder for the connectors' work; see the tests of requests."""
    raise ValueError(request.path)
