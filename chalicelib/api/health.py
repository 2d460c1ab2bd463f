"""GET /health."""

from typing import Literal

from chalicelib.api.calls import Answer, Call
from chalicelib.flow.health import Health, health, is_alive
from chalicelib.lead.model import Model


class Alive(Model):
    """What anybody may know."""

    status: Literal["ok", "down"]


def show_health(call: Call) -> Answer[Alive | Health]:
    """Say how the hub is doing; without a token, only whether it works."""
    found: Alive | Health
    if call.caller is None:
        found = Alive(status="ok" if is_alive(call.hub) else "down")
    else:
        found = health(call.hub)
    return Answer(found, 503 if found.status == "down" else 200)
