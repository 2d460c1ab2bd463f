"""Connector cases: what a provider sends and what we read of it; data in tests/connectors.

A case is `tests/connectors/NAME/CASE.json`:

    sample       true: the request is the one in connectors/NAME/sample.json
    origin       captured when and how, or which provider page on which day; needed
    body         JSON value, sent compactly as UTF-8, or text, sent as it is
    content_type default application/json
    method       default POST
    query        parameter -> value
    headers      name -> value
    options      options of the source
    received_at  when it arrives; default 2026-01-05T09:00:00Z
    fetched      path, or path?name=value&name=value as fetch asks -> answer of the provider's API
    submissions  what we read (after fetch, if fetched is there), values equal to defaults left out
    handshake    only in place of submissions: {"secret": ..., "status": 200, "content_type": ...,
                 "body": text or JSON value}, the reply to a GET when that secret is live
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chalicelib.errors import NotFound
from chalicelib.played import answer, make_request
from chalicelib.registry import sample
from chalicelib.request import Request

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "connectors"
DEFAULT_RECEIVED_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One story of one connector; see the module for the meaning of each part."""

    connector: str
    name: str
    origin: str
    body: Any = ""
    content_type: str = "application/json"
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    received_at: datetime = DEFAULT_RECEIVED_AT
    fetched: Mapping[str, Any] = field(default_factory=dict)
    submissions: tuple[Mapping[str, Any], ...] = ()
    handshake: Mapping[str, Any] | None = None
    is_sample: bool = False

    def request(
        self, received_at: datetime | None = None, source_id: str = "", body: Any = None
    ) -> Request:
        """Make the request, not yet signed.

        Args:
            received_at: None means the case's own time.
            source_id: whom to address; empty means a source named like the connector.
            body: to send in place of the case's own.
        """
        to = source_id or self.connector
        parts = {
            "body": self.body if body is None else body,
            "content_type": self.content_type,
            "method": self.method,
            "query": self.query,
            "headers": self.headers,
        }
        address = f"https://hub.example.com/hooks/{to}"
        return make_request(parts, to, received_at or self.received_at, address)

    def get(
        self,
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Answer as the provider's API; a connector.Get.

        Raises:
            Gone: the case holds no answer for that.
        """
        return answer(self.fetched, path, params)


def case_names(connector: str, folder: Path = FOLDER) -> list[str]:
    """Name a connector's cases, sorted; none if it has no folder."""
    return sorted(path.stem for path in (folder / connector).glob("*.json"))


def load_case(connector: str, name: str, folder: Path = FOLDER) -> Case:
    """Read one case.

    Raises:
        NotFound: there is no such case, or this is no checkout with tests.
    """
    path = folder / connector / f"{name}.json"
    if name not in case_names(connector, folder):
        known = ", ".join(case_names(connector, folder)) or "none"
        raise NotFound(f"{connector}: no case {name}; there are: {known}")
    document = json.loads(path.read_text(encoding="utf-8"))
    is_sample = document.pop("sample", False)
    if is_sample:
        document = {**sample(connector), **document}
    if "received_at" in document:
        document["received_at"] = datetime.fromisoformat(document["received_at"])
    document["submissions"] = tuple(document.get("submissions", ()))
    return Case(connector=connector, name=name, is_sample=is_sample, **document)


def sample_case(connector: str) -> Case:
    """Make a case of a connector's sample, with nothing expected.

    Raises:
        Misconfigured: it has no sample.
    """
    return Case(connector=connector, name="sample", origin="", **sample(connector))
