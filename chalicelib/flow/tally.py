"""What became of what a provider lists: one verdict for each item, added up by day."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

from pydantic import Field

from chalicelib.connector import Act, Submission, Withdrawal
from chalicelib.lead.model import Model, utc_text
from chalicelib.records import Claim, Delivery, digest

Verdict = Literal[
    "accepted",
    "duplicate",
    "quarantined",
    "refused",
    "withdrawn",
    "test",
    "ignored",
    "erased",
    "pending",
]
"""`refused`: the provider itself does not give it to us. `pending`: not settled yet."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

NAMED: tuple[Verdict, ...] = ("pending", "quarantined", "refused")
"""Verdicts of which a person wants to know the items."""

MOST_NAMED = 10
"""How many items are named for each day and verdict; all are counted."""

LONGEST_NAME = 100

REFUSALS = ("refused:", "expired:", "gone:")
"""How reasons start that are the provider's own; see outcome.reason_of."""


class Counts(Model):
    """How many items of one day came to which verdict, and some of them by name."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    withdrawn: int = 0
    test: int = 0
    ignored: int = 0
    erased: int = 0
    pending: int = Field(default=0, description="not settled yet")
    named: Mapping[Verdict, tuple[str, ...]] = Field(
        default_factory=dict,
        description="ids of what is pending, quarantined or refused; at most ten of each",
    )


class DayRow(Counts):
    """What a provider lists of one day (UTC, by when it was submitted), by what became of it."""

    listed: int = 0

    @property
    def difference(self) -> int:
        """Give how many items are listed and have not come to an end here."""
        settled = [getattr(self, verdict) for verdict in VERDICTS if verdict != "pending"]
        return self.listed - int(sum(settled))

    def counting(self, verdict: Verdict, name: str) -> "DayRow":
        """Give the row with one item more."""
        named = dict(self.named)
        if verdict in NAMED and len(known := named.get(verdict, ())) < MOST_NAMED:
            named[verdict] = (*known, name[:LONGEST_NAME])
        counted = {"listed": self.listed + 1, verdict: getattr(self, verdict) + 1}
        return self.model_copy(update={**counted, "named": named})


def backfilled_id(source_id: str, act: Act, fallback: str) -> str:
    """Give the id of the delivery in which an act that a provider lists is kept.

    It is the same however often the act is listed; an edit, or the whole of a partial one, has
    another. Of an act without an id the fallback stands for it.
    """
    parts = [type(act).__name__, act.external_id or fallback]
    if isinstance(act, Submission):
        parts += [act.revision, "partial" if act.is_partial else ""]
    return digest("backfill", source_id, *parts)


def acted_at(act: Act) -> datetime | None:
    """Give the time of an act; None where it cannot be read."""
    if isinstance(act, Submission):
        return act.submitted_at
    if isinstance(act, Withdrawal):
        return act.withdrawn_at
    return getattr(act, "erased_at", None)


def by_claim(act: Act, claim: Claim | None) -> Verdict | None:
    """Say what became of an act if its claim tells; None when it does not."""
    if claim is None:
        return None
    if claim.erased_at:
        return "erased"
    if isinstance(act, Withdrawal):
        return "withdrawn" if claim.withdrawn_at else None
    if not isinstance(act, Submission):
        return None
    is_it = claim.revision == act.revision and (act.is_partial or not claim.is_partial)
    if claim.withdrawn_at:
        # Whoever submits anew afterwards does so under another revision.
        return "withdrawn" if is_it or act.submitted_at <= claim.withdrawn_at else None
    return "accepted" if is_it and claim.touch_id else None


def by_delivery(delivery: Delivery) -> Verdict:
    """Say what became of an act that was kept as a delivery of its own."""
    match delivery.outcome:
        case "pending" | "waiting":
            return "pending"
        case "quarantined":
            result = delivery.results.get("0")
            reason = result.reason if result else delivery.reason
            return "refused" if reason.startswith(REFUSALS) else "quarantined"
        case outcome:
            return outcome


def day_of(moment: datetime) -> str:
    """Name the day of a moment, in UTC."""
    return utc_text(moment)[:10]
