"""When a provider last checked an address of ours, and whether it was content."""

from pydantic import AwareDatetime

from chalicelib.errors import HubError, Unavailable
from chalicelib.hub import Hub
from chalicelib.lead.model import Model, utc_text
from chalicelib.storage import Put


class Handshakes(Model):
    """The last checks of a source's address."""

    good_at: AwareDatetime | None = None
    failed_at: AwareDatetime | None = None
    problem: str = ""


def note_handshake(hub: Hub, source_id: str, error: HubError | None = None) -> None:
    """Keep the time of a handshake, good unless an error says otherwise.

    Being answered must not depend on it.
    """
    handshake = {
        "pk": f"SOURCE#{source_id}",
        "sk": f"HANDSHAKE#{'failed' if error else 'good'}",
        "kind": "handshake",
        "writer": "handshake",
        "version": 1,
        "at": utc_text(hub.clock()),
        "problem": str(error)[:200] if error else "",
    }
    try:
        hub.table.write([Put("handshake", handshake)])
    except Unavailable:
        return


def handshakes_of(hub: Hub, source_id: str) -> Handshakes:
    """Give a source's last handshakes."""
    found = {item["sk"]: item for item in hub.table.query(f"SOURCE#{source_id}", "HANDSHAKE#")}
    failed = found.get("HANDSHAKE#failed", {})
    return Handshakes(
        good_at=found.get("HANDSHAKE#good", {}).get("at"),
        failed_at=failed.get("at"),
        problem=failed.get("problem", ""),
    )
