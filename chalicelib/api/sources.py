"""/v1/sources: list, health, test."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from chalicelib.api.calls import Call
from chalicelib.api.pages import Id, Line
from chalicelib.errors import Invalid
from chalicelib.flow.sources import SourceHealth, SourceReport, report, sources
from chalicelib.flow.try_source import Trial, try_source
from chalicelib.lead.model import Model


class SourceList(Model):
    """All configured sources."""

    sources: tuple[SourceHealth, ...]


def list_them(call: Call) -> SourceList:
    """List sources with their addresses, last deliveries and what was refused at their doors."""
    return SourceList(sources=tuple(sources(call.hub)))


def show_health(call: Call) -> SourceReport:
    """Say how a source is doing: volume beside the usual, refusals, handshakes, what ends soon."""
    return report(call.hub, call.path["source_id"])


class TestBody(Model):
    """What is put through the path: nothing for the connector's sample, a delivery, or a body."""

    delivery_id: Id = ""
    body: Any = Field(default=None, description="a JSON value, or text that is sent as it is")
    content_type: Line = "application/json"
    query: Mapping[str, Line] = Field(default_factory=dict)
    headers: Mapping[str, Line] = Field(default_factory=dict)


def test_source(call: Call, body: TestBody) -> Trial:
    """Put a request through the whole path and tell every step; nothing is written or sent."""
    if body.delivery_id and body.body is not None:
        raise Invalid("the body does not fit", ("expected either delivery_id or body",))
    given = None if body.body is None else body.model_dump(exclude={"delivery_id"})
    return try_source(call.hub, call.path["source_id"], given, body.delivery_id)
