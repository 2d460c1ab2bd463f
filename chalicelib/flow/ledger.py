"""The daily ledger: what a provider says exists against what became of it here, per source."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from chalicelib import registry
from chalicelib.errors import Misconfigured, NotFound
from chalicelib.flow.comparison import sync_key, sync_of
from chalicelib.flow.tally import Counts, DayRow, day_of
from chalicelib.hub import Hub
from chalicelib.lead.model import Model
from chalicelib.records import OUTCOMES, Outcome, deliveries_list
from chalicelib.storage import Key

MOST_COUNTED = 5000
"""Most deliveries of one source and outcome that are counted when somebody asks."""


class LedgerDay(Counts):
    """One day of a source, in UTC.

    Where the provider lists what it has, its items by when they were submitted; else the
    deliveries that the hub received on that day.
    """

    day: str
    listed: int | None = Field(description="what the provider says exists; null: it has no list")
    difference: int | None = Field(
        description="listed, and not come to an end here; null: there is nothing to compare with"
    )


class SourceLedger(Model):
    """The ledger of one source."""

    source_id: str
    title: str = Field(description="the provider's name")
    compared_with: Literal["the provider's list", "nothing"]
    note: str = Field(default="", description="in words: what the rows cannot say, and why")
    compared_at: AwareDatetime | None = Field(
        default=None, description="when a comparison last came to its end"
    )
    complete_until: AwareDatetime | None = Field(
        default=None, description="all that the provider lists up to here is kept"
    )
    is_comparing: bool = Field(default=False, description="a comparison is under way")
    trouble: str = Field(default="", description="why the provider's list cannot be read")
    days: tuple[LedgerDay, ...] = Field(description="newest first")


def ledgers(hub: Hub, source_id: str, days: int) -> tuple[SourceLedger, ...]:
    """Give the ledgers of one source, or of all, for the last so many days.

    Args:
        hub: read from.
        source_id: empty for all that are configured.
        days: today included.

    Raises:
        NotFound: there is no such source.
    """
    sources = hub.configurations.current().config.sources
    if source_id and source_id not in sources:
        raise NotFound(f"source {source_id}")
    wanted = [source_id] if source_id else sorted(sources)
    stored = hub.table.get_many([sync_key(one) for one in wanted])
    return tuple(_ledger(hub, one, days, stored) for one in wanted)


def _ledger(
    hub: Hub, source_id: str, days: int, stored: Mapping[Key, Mapping[str, object]]
) -> SourceLedger:
    source = hub.configurations.current().config.sources[source_id]
    oldest = day_of(hub.clock() - timedelta(days=days - 1))
    has_list = False
    title = source.connector
    try:
        connector = registry.load(source.connector)
    except Misconfigured as error:
        note = str(error)
    else:
        title, has_list = connector.title, connector.backfill is not None
        note = f"{title} has no list to compare with: the rows show what the hub received"
        if has_list:
            note = (
                f"{title} has a list, and this source names no token to read it with: the rows "
                "show what the hub received"
            )
    if not (has_list and source.token):
        rows = _received(hub, source_id, oldest)
        found = [_day(day, row, None) for day, row in rows.items()]
        return SourceLedger(
            source_id=source_id,
            title=title,
            compared_with="nothing",
            note=note,
            days=tuple(sorted(found, key=lambda one: one.day, reverse=True)),
        )
    item = stored.get(sync_key(source_id))
    state = sync_of(item) if item else None
    rows = {day: row for day, row in (state.rows if state else {}).items() if day >= oldest}
    return SourceLedger(
        source_id=source_id,
        title=title,
        compared_with="the provider's list",
        note="" if rows else f"not compared with {title} yet",
        compared_at=state.finished_at if state else None,
        complete_until=state.cursor_at if state else None,
        is_comparing=bool(state and state.under_way),
        trouble=state.trouble if state else "",
        days=tuple(_day(day, row, row.listed) for day, row in sorted(rows.items(), reverse=True)),
    )


def _day(day: str, row: DayRow, listed: int | None) -> LedgerDay:
    counts = {name: getattr(row, name) for name in Counts.model_fields}
    difference = None if listed is None else row.difference
    return LedgerDay(day=day, listed=listed, difference=difference, **counts)


def _received(hub: Hub, source_id: str, oldest: str) -> dict[str, DayRow]:
    """Count the deliveries of a source by the day they came on and what became of them."""
    counts: dict[str, Counter[str]] = {}
    for outcome in OUTCOMES:
        for day in _days_of(hub, source_id, outcome, oldest):
            verdict = "pending" if outcome == "waiting" else outcome
            counts.setdefault(day, Counter())[verdict] += 1
    return {day: DayRow.model_validate(dict(counted)) for day, counted in counts.items()}


def _days_of(hub: Hub, source_id: str, outcome: Outcome, oldest: str) -> list[str]:
    found: list[str] = []
    start: Mapping[str, str] | None = None
    while len(found) < MOST_COUNTED:
        page = hub.table.query_index(
            "list", deliveries_list(source_id, outcome), newest_first=True, limit=500, start=start
        )
        days = [str(item["list_sk"])[:10] for item in page.items]
        found += [day for day in days if day >= oldest]
        start = page.next
        if start is None or (days and days[-1] < oldest):
            break
    return found


def beginning(day: str) -> datetime:
    """Give the beginning of a day written YYYY-MM-DD, in UTC.

    Raises:
        ValueError: it is not written so.
    """
    return datetime.fromisoformat(f"{day}T00:00:00+00:00")
