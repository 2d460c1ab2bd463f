"""/v1/sources."""

from chalicelib.api.calls import Call
from chalicelib.flow.details import SourceHealth, sources
from chalicelib.lead.model import Model


class SourceList(Model):
    """All configured sources."""

    sources: tuple[SourceHealth, ...]


def list_them(call: Call) -> SourceList:
    """List sources with their addresses, last deliveries and what was refused at their doors."""
    return SourceList(sources=tuple(sources(call.hub)))
