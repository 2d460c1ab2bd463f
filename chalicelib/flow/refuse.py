"""What was refused at the door: counted per source and reason, the last few kept."""

from datetime import timedelta

from pydantic import AwareDatetime

from chalicelib.errors import HubError, Unavailable
from chalicelib.hub import Hub
from chalicelib.lead.model import Model, utc_text
from chalicelib.storage import Key, Put

KEPT_PER_REASON = 3
"""How many refusals of a kind are kept for the admin, the newest over the oldest."""

KEPT_FOR = timedelta(days=30)

COUNTED_FOR = timedelta(days=7)
"""How far back refusals are added up, today included."""


class Refusal(Model):
    """One request that was refused at the door."""

    at: AwareDatetime
    reason: str
    detail: str = ""


def refuse(hub: Hub, source_id: str, error: HubError) -> None:
    """Count a refusal and keep its time and reason; being refused must not depend on it."""
    reason = type(error).__name__.lower()
    now = hub.clock()
    expires_at = int((now + KEPT_FOR).timestamp())
    is_known = reason != "unknownsource"
    pk = _partition(source_id if is_known else "-unknown")
    try:
        counted = hub.table.add(Key(pk, f"REFUSALS#{now:%Y-%m-%d}"), {reason: 1}, expires_at)
        slot = int(counted[reason]) % KEPT_PER_REASON
        refusal = {
            "pk": pk,
            "sk": f"REFUSED#{reason}#{slot}",
            "kind": "refusal",
            "writer": "refuse",
            "version": 1,
            "at": utc_text(now),
            "reason": reason,
            "detail": str(error)[:200],
            "source_id": source_id[:64].encode("utf-8", "replace").decode(),
            "expires_at": expires_at,
        }
        hub.table.write([Put("refusal", refusal)])
    except Unavailable:
        return


def refusals_of(hub: Hub, source_id: str) -> tuple[dict[str, int], tuple[Refusal, ...]]:
    """Add a source's refusals up by reason, and give those that were kept, newest first."""
    pk = _partition(source_id)
    first = f"REFUSALS#{hub.clock() - COUNTED_FOR + timedelta(days=1):%Y-%m-%d}"
    counts: dict[str, int] = {}
    for item in hub.table.query(pk, "REFUSALS#"):
        if item["sk"] >= first:
            for name, count in item.items():
                if isinstance(count, int) and name != "expires_at":
                    counts[name] = counts.get(name, 0) + count
    kept = [
        Refusal(at=item["at"], reason=item["reason"], detail=item.get("detail", ""))
        for item in hub.table.query(pk, "REFUSED#")
    ]
    return counts, tuple(sorted(kept, key=lambda refusal: refusal.at, reverse=True))


def _partition(source_id: str) -> str:
    return f"SOURCE#{source_id}"
