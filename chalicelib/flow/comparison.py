"""Which stretch of a provider's list is compared when, and how far that has come; pure."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from chalicelib.flow.tally import DayRow, day_of
from chalicelib.lead.model import Model
from chalicelib.records import long_item, unpacked
from chalicelib.storage import Item, Key

EVERY = timedelta(hours=1)
"""How often the newest part of a provider's list is looked at."""

OVERLAP = timedelta(hours=2)
"""How far before its cursor a comparison begins, for lists that show things late."""

NIGHT_HOUR = 2
"""From which hour (UTC) on the whole window is compared once a day, each source at its minute."""

MOST_DAYS = 90
"""How far back the whole window goes at most."""

KEPT_DAYS = 100
"""How many days of the ledger are kept."""

ON_THEIR_WAY = timedelta(minutes=2)
"""What was submitted so recently may come by itself yet; it is compared the next time."""

SETTLED_AFTER = timedelta(minutes=5)
"""After how long a comparison that kept something looks at it again."""

MOST_LOOKS = 4
"""How often it looks before what is not settled counts as a difference that stays."""

Kind = Literal["recent", "whole", "asked"]


class Comparison(Model):
    """One reading of a provider's list of a stretch of time."""

    kind: Kind
    since: AwareDatetime
    until: AwareDatetime
    next: str = Field(default="", description="what the provider calls the page to read now")
    pages: int = 0
    kept: int = Field(default=0, description="how many were missing, and are kept now")
    look: int = 1
    days: Mapping[str, DayRow] = Field(default_factory=dict, description="counted so far, by day")

    @property
    def is_new(self) -> bool:
        """Say whether nothing has been read yet."""
        return self.pages == 0 and self.look == 1

    @property
    def listed(self) -> int:
        """Give how many items have been read."""
        return sum(row.listed for row in self.days.values())


class Sync(Model):
    """How far a source's back-fill has come, and its ledger."""

    source_id: str
    begins_at: AwareDatetime | None = Field(
        default=None, description="what was submitted before it is none of ours"
    )
    cursor_at: AwareDatetime | None = Field(
        default=None, description="all that was submitted before it is kept"
    )
    under_way: Comparison | None = None
    asked_since: AwareDatetime | None = Field(
        default=None, description="from when on a person wants it compared next"
    )
    whole_at: AwareDatetime | None = Field(
        default=None, description="up to when the last comparison of the whole window went"
    )
    finished_at: AwareDatetime | None = Field(
        default=None, description="when a comparison last came to its end"
    )
    listed: int = Field(default=0, description="how many items the last comparison read")
    kept: int = Field(default=0, description="how many of them were missing, and are kept now")
    troubles: int = Field(default=0, description="failures in a row")
    trouble: str = Field(default="", description="why the last try failed, in words")
    rows: Mapping[str, DayRow] = Field(default_factory=dict, description="the ledger, by day")


def fresh(source_id: str, now: datetime) -> Sync:
    """Begin a source's back-fill with the day before it was there.

    Whoever submitted earlier did so to somebody else, and should not be called by one of us after
    weeks, unless a person asks for that.
    """
    return Sync(source_id=source_id, begins_at=_midnight(now - timedelta(days=1)))


def sync_key(source_id: str) -> Key:
    """Key of a source's back-fill."""
    return Key(f"SOURCE#{source_id}", "SYNC")


def sync_of(item: Item) -> Sync:
    """Read a source's back-fill."""
    return unpacked(Sync, item["data"])


def sync_item(state: Sync, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of a source's back-fill; one without a time sleeps."""
    return long_item(sync_key(state.source_id), "sync", state, version, due_at, writer)


def earliest(now: datetime, keeps_days: int) -> datetime:
    """Give the beginning of the first day that a provider still keeps as a whole."""
    return _midnight(now - timedelta(days=min(keeps_days, MOST_DAYS) - 1))


def begun(state: Sync, now: datetime, keeps_days: int) -> Sync:
    """Give the state with a comparison under way; what a person asked for goes before.

    A comparison begins with a day, so that the rows of the ledger are of whole days.
    """
    going, first = state.under_way, earliest(now, keeps_days)
    first = max(first, _midnight(state.begins_at or first))
    if state.asked_since is not None:
        asked = Comparison(kind="asked", since=_midnight(state.asked_since), until=now)
        return state.model_copy(update={"under_way": asked, "asked_since": None})
    until = now - ON_THEIR_WAY
    if going and going.is_new:
        # It has waited to begin, maybe for hours: what came since then belongs to it.
        longer = going.model_copy(update={"until": max(going.until, until)})
        return state.model_copy(update={"under_way": longer})
    if going:
        return state
    kind: Kind = "recent"
    since = max(first, _midnight(state.cursor_at - OVERLAP)) if state.cursor_at else first
    if state.cursor_at is None or (state.whole_at or first) < last_night(state.source_id, now):
        kind, since = "whole", first
    comparison = Comparison(kind=kind, since=since, until=max(until, since))
    return state.model_copy(update={"under_way": comparison})


def finished(state: Sync, now: datetime) -> tuple[Sync, Sequence[str]]:
    """Give the state after the last page, and days whose difference stays.

    The cursor and the ledger move only here. Days with something that is not settled yet are
    looked at again, up to MOST_LOOKS times.
    """
    done = state.under_way
    if done is None:
        return state, ()
    days = _days(done.since, done.until)
    oldest = day_of(now - timedelta(days=KEPT_DAYS))
    counted = {day: done.days.get(day, DayRow()) for day in days}
    rows = {day: row for day, row in {**state.rows, **counted}.items() if day >= oldest}
    update: dict[str, object] = {"rows": rows, "finished_at": now, "under_way": None}
    if done.kind == "whole" or (state.cursor_at and done.since <= state.cursor_at):
        update["cursor_at"] = max(done.until, state.cursor_at or done.until)
    if done.look == 1:
        update |= {"listed": done.listed, "kept": done.kept}
    if done.kind == "whole" and done.look == 1:
        update["whole_at"] = done.until
    unsettled = [day for day in days if counted[day].difference]
    if not unsettled or done.look >= MOST_LOOKS:
        return state.model_copy(update=update), unsettled
    last = datetime.fromisoformat(f"{unsettled[-1]}T23:59:59.999+00:00")
    update["under_way"] = Comparison(
        kind=done.kind,
        since=max(datetime.fromisoformat(f"{unsettled[0]}T00:00:00+00:00"), done.since),
        until=min(last, done.until),
        look=done.look + 1,
    )
    return state.model_copy(update=update), ()


def next_time(state: Sync, now: datetime) -> datetime:
    """Say when a source is compared again, after a comparison came to its end."""
    if state.under_way:
        return now + SETTLED_AFTER
    return min(now + EVERY, last_night(state.source_id, now) + timedelta(days=1))


def last_night(source_id: str, now: datetime) -> datetime:
    """Give when the whole window of a source was due last."""
    minute = zlib.crc32(source_id.encode()) % 60
    due_at = _midnight(now) + timedelta(hours=NIGHT_HOUR, minutes=minute)
    return due_at if due_at <= now else due_at - timedelta(days=1)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(since: datetime, until: datetime) -> list[str]:
    """Name the days of a stretch of time, in order."""
    first = _midnight(since)
    count = (_midnight(until) - first).days
    return [day_of(first + timedelta(days=number)) for number in range(count + 1)]
