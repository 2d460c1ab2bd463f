"""/v1/ledger and /v1/sources/{source_id}/backfill."""

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Answer, Call
from chalicelib.api.pages import Id
from chalicelib.flow.backfill import ask_for
from chalicelib.flow.ledger import SourceLedger, beginning, ledgers
from chalicelib.lead.model import Model


class LedgerQuery(Model):
    """Which sources and how many days."""

    source: Id = ""
    days: Annotated[int, Field(ge=1, le=100, description="today included")] = 7


class Ledgers(Model):
    """What providers say exists against what became of it, source by source."""

    sources: tuple[SourceLedger, ...]


class BackfillBody(Model):
    """How far back a source is to be compared."""

    since: date | None = Field(
        default=None, description="first day (UTC); as far back as the provider goes without it"
    )


class BackfillAnswer(Model):
    """That a comparison begins within a minute."""

    source_id: str
    since: AwareDatetime


def show_ledger(call: Call, query: LedgerQuery) -> Ledgers:
    """Give the daily ledger of one source, or of all."""
    return Ledgers(sources=ledgers(call.hub, query.source, query.days))


def ask_for_backfill(call: Call, body: BackfillBody) -> Answer[BackfillAnswer]:
    """Compare a source with its provider's list, from a day on, as soon as possible."""
    source_id = call.path["source_id"]
    wanted = beginning(body.since.isoformat()) if body.since else None
    since = ask_for(call.hub, source_id, wanted)
    return Answer(BackfillAnswer(source_id=source_id, since=since), 202)
