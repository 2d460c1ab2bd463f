"""Every hour for each source: how much came, whether that is too little, and what ends soon.

Hours are counted from the lists of deliveries, so watching costs no write per lead. What a
provider's list brought in does not count: it comes also when the webhook is dead.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from chalicelib import registry
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.connector import CLOSED, Connector, PathToken, subscribed
from chalicelib.days_off import days_off
from chalicelib.errors import Gone, Malformed, Misconfigured, Refused, TryLater
from chalicelib.flow.access import open_get, read_grant
from chalicelib.flow.counting import count
from chalicelib.flow.handshakes import Handshakes, handshakes_of
from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Model
from chalicelib.records import long_item, unpacked
from chalicelib.silence import (
    HOUR,
    KEPT_HOURS,
    Calendar,
    Span,
    Traffic,
    Usual,
    hour_of,
    learn,
    silence,
)
from chalicelib.storage import Holds, Item, Key, Put

EVERY = timedelta(hours=1)

AGAIN = timedelta(hours=6)
"""How far back hours are counted again, for a delivery is listed only once it has an outcome."""

AT_FIRST = timedelta(days=28)
"""How far back is counted when a source is watched for the first time."""

ASK_EVERY = timedelta(hours=24)
"""How often a provider is asked whether it still means to send."""

SOON = timedelta(days=14)
"""How long before its end a token is told of."""

MISSED_AFTER = 2.5
"""After how many times the usual span a handshake counts as missed."""

FAILED_FOR = timedelta(days=7)
"""How long a failed handshake is told of if no good one follows."""

MOST_SILENCES = 50

TroubleKind = Literal["silent", "handshake", "subscription", "token"]


class Trouble(Model):
    """Something about a source that a person was alarmed of, until it is well again."""

    since: AwareDatetime
    text: str


class Asked(Model):
    """What a provider said when it was asked whether it still means to send."""

    asked_at: AwareDatetime
    is_active: bool | None = Field(default=None, description="None: it could not be asked")
    detail: str = ""
    expires_at: AwareDatetime | None = None
    is_refused: bool = Field(default=False, description="the provider refuses our token")


class Watch(Model):
    """What is known of a source's traffic and of what it depends on."""

    source_id: str
    watched_since: AwareDatetime | None = Field(default=None, description="None: switched off")
    first_hour: AwareDatetime | None = None
    counts: tuple[int, ...] = Field(default=(), description="deliveries by hour from first_hour")
    last_at: AwareDatetime | None = Field(default=None, description="of the last delivery")
    is_late: bool = Field(
        default=False, description="the hub is behind, so more may have come than is known"
    )
    silences: tuple[tuple[AwareDatetime, AwareDatetime], ...] = Field(
        default=(), description="times that nothing is learned from, the last ones"
    )
    asked: Asked | None = None
    troubles: Mapping[TroubleKind, Trouble] = Field(default_factory=dict)

    @property
    def traffic(self) -> Traffic | None:
        """Give what was counted; None before the first count."""
        return Traffic(self.first_hour, self.counts) if self.first_hour else None


def watch_key(source_id: str) -> Key:
    """Key of what is known of a source's traffic."""
    return Key(f"SOURCE#{source_id}", "WATCH")


def watch_item(state: Watch, version: int, due_at: datetime | None, writer: str) -> Item:
    """Make the item of a watch; without a time it sleeps."""
    return long_item(watch_key(state.source_id), "watch", state, version, due_at, writer)


def watch_of(item: Item) -> Watch:
    """Read a watch back."""
    return unpacked(Watch, item["data"])


def standing(hub: Hub, current: Current) -> Iterable[Item]:
    """Name the watch of every source."""
    for source_id in current.config.sources:
        writer = f"standing:{hub.new_id()}"
        yield watch_item(Watch(source_id=source_id), 1, hub.clock(), writer)


def watch(hub: Hub, item: Item) -> None:
    """Look at a source once: count, judge, and alarm of what is new.

    The alarm goes first, so one that dies in between alarms twice rather than never.

    Raises:
        Conflict: the lease was lost; somebody else goes on.
        Unavailable: ours is down; it is looked at again when the lease runs out.
    """
    before = watch_of(item)
    config = hub.configurations.current().config
    source = config.sources.get(before.source_id)
    now = hub.clock()
    if source is None or not source.enabled:
        after = before.model_copy(update={"watched_since": None, "troubles": {}})
    else:
        after = look(hub, before, config, source, now)
        for kind in after.troubles:
            if kind not in before.troubles:
                hub.alarm(kind, {"source": before.source_id})
    due_at = now + EVERY if source else None
    version = int(item["version"])
    put = watch_item(after, version + 1, due_at, f"watch:{hub.new_id()}")
    hub.table.write([Put("watch", put, Holds("version", version))])


def look(hub: Hub, before: Watch, config: Config, source: Source, now: datetime) -> Watch:
    """Give what is known of a source now; only the provider is asked, nothing is written."""
    counted = recounted(hub, before, now)
    after = counted.model_copy(update={"asked": _asked(hub, counted, source, now)})
    found = dict(_found(hub, after, config, source, now))
    if "silent" in before.troubles and after.last_at == before.last_at:
        # Only a delivery ends a silence, however long ago what was usual is forgotten.
        found.setdefault("silent", before.troubles["silent"].text)
    troubles = {
        kind: Trouble(since=before.troubles[kind].since if kind in before.troubles else now, text=t)
        for kind, t in found.items()
    }
    return after.model_copy(update={"troubles": troubles})


def calendar_of(config: Config, source: Source, now: datetime) -> Calendar:
    """Give the calendar of the people who send by a source."""
    country = source.default_country or config.settings.default_country
    return Calendar(
        ZoneInfo(config.settings.time_zone), days_off(country, now.year - 1, now.year + 1)
    )


def usual_of(state: Watch, calendar: Calendar) -> Usual | None:
    """Learn what is usual for a source; None when nothing ever came."""
    traffic = state.traffic
    if traffic is None or state.last_at is None:
        return None
    hours = (state.last_at - traffic.first) // HOUR + 1
    known = Traffic(traffic.first, traffic.counts[: max(hours, 0)])
    return learn(known, calendar, [Span(since, until) for since, until in state.silences])


def quiet_since(state: Watch) -> datetime | None:
    """Say since when nothing has come, while it was watched; None when nothing ever came."""
    if state.last_at is None or state.watched_since is None:
        return None
    return max(state.last_at, state.watched_since)


def _found(
    hub: Hub, state: Watch, config: Config, source: Source, now: datetime
) -> Iterator[tuple[TroubleKind, str]]:
    """Name what is wrong, in words."""
    connector = registry.load(source.connector)
    is_posted = connector.signature_for(connector.options_with(source.options)) is not CLOSED
    text = _silent(state, calendar_of(config, source, now), now)
    if text and is_posted and not state.is_late:
        yield "silent", text
    if connector.handshake:
        shaken = handshakes_of(hub, state.source_id)
        if text := _unshaken(connector, shaken, now):
            yield "handshake", text
    asked = state.asked
    if asked and asked.is_active is False:
        yield "subscription", asked.detail or "the provider does not mean to send any more"
    if texts := list(_ending(hub, source, asked, now)):
        yield "token", "; ".join(texts)


def _silent(state: Watch, calendar: Calendar, now: datetime) -> str:
    usual, since = usual_of(state, calendar), quiet_since(state)
    if usual is None or since is None:
        return ""
    judged = silence(usual, since, now)
    if not judged.is_odd:
        return ""
    return (
        f"nothing has come since {since:%Y-%m-%d %H:%M} UTC, when about "
        f"{judged.expected:.0f} are usual"
    )


def _unshaken(connector: Connector, shaken: Handshakes, now: datetime) -> str:
    """Say what is wrong with handshakes; empty when nothing is."""
    good_at, failed_at = shaken.good_at, shaken.failed_at
    if failed_at and (good_at is None or failed_at > good_at) and now - failed_at < FAILED_FOR:
        return f"the handshake at {failed_at:%Y-%m-%d %H:%M} UTC failed: {shaken.problem}"
    seconds = connector.handshake_every_seconds
    if seconds and good_at and now - good_at > timedelta(seconds=seconds * MISSED_AFTER):
        return (
            f"the last handshake was at {good_at:%Y-%m-%d %H:%M} UTC; {connector.title} repeats "
            f"it every {seconds // 60} minutes"
        )
    return ""


def _ending(hub: Hub, source: Source, asked: Asked | None, now: datetime) -> Iterator[str]:
    """Name tokens and secrets that are refused or end soon."""
    if asked and asked.is_refused:
        yield asked.detail
    if asked and asked.expires_at and asked.expires_at <= now + SOON:
        yield f"what the provider granted ends on {asked.expires_at:%Y-%m-%d}"
    for name in dict.fromkeys((source.secret, source.token, source.verify_token)):
        if not name:
            continue
        try:
            ends_at = hub.secrets.ends_at(name)
            if name == source.token and ends_at is None:
                grant = read_grant(hub, name)
                ends_at = None if grant.refresh_token else grant.expires_at
        except Misconfigured as error:
            yield str(error)
            continue
        if ends_at and ends_at <= now + SOON:
            advice = f"set another: hub secret set {name}"
            yield f"the secret {name} ends on {ends_at:%Y-%m-%d}; {advice}"


# --- counting -------------------------------------------------------------------------------------


def recounted(hub: Hub, before: Watch, now: datetime) -> Watch:
    """Count what came since the last look, and some hours before it again."""
    hour = hour_of(now)
    known = before.traffic or Traffic(hour - AT_FIRST)
    counted = count(hub, before.source_id, max(known.first, known.until - AGAIN))
    if before.traffic is None:
        known = Traffic(counted.since)
    kept = known.counts[: (counted.since - known.first) // HOUR]
    length = (hour - known.first) // HOUR + 1
    hours = (known.first + HOUR * number for number in range(len(kept), length))
    counts = [*kept, *(counted.by_hour.get(one, 0) for one in hours)]
    # What was before the first delivery tells nothing.
    empty = next((number for number, one in enumerate(counts) if one), len(counts) - 1)
    dropped = max(empty, len(counts) - KEPT_HOURS)
    last_at = max(filter(None, (before.last_at, counted.newest)), default=None)
    after = before.model_copy(
        update={
            "watched_since": before.watched_since or now,
            "first_hour": known.first + HOUR * dropped,
            "counts": tuple(counts[dropped:]),
            "last_at": last_at,
            "is_late": counted.is_late,
        }
    )
    return after.model_copy(update={"silences": _silences(before, after, known.until, now)})


def _silences(
    before: Watch, after: Watch, counted_until: datetime, now: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Add what nothing is to be learned from: a silence that has ended, or not having watched."""
    found = list(before.silences)
    if before.watched_since is None and before.first_hour is not None:
        found.append((min(counted_until, now), now))
    if "silent" in before.troubles and after.last_at != before.last_at and before.last_at:
        begins_at = quiet_since(before) or before.last_at
        traffic = after.traffic
        hours = range(len(after.counts)) if traffic else ()
        came = (
            traffic.first + HOUR * n
            for n in hours
            if traffic and after.counts[n] and traffic.first + HOUR * n > begins_at
        )
        found.append((begins_at, next(came, after.last_at or now)))
    return tuple(found[-MOST_SILENCES:])


# --- asking the provider --------------------------------------------------------------------------


def _asked(hub: Hub, state: Watch, source: Source, now: datetime) -> Asked | None:
    """Ask the provider whether it still means to send, if that was not done today."""
    connector = registry.load(source.connector)
    if connector.subscription is None:
        return None
    if state.asked and now - state.asked.asked_at < ASK_EVERY:
        return state.asked
    if not source.token:
        return Asked(asked_at=now, detail="it cannot be asked: the source names no token")
    options = connector.options_with(source.options)
    try:
        get = open_get(hub, state.source_id, source, connector)
        said = subscribed(connector, get, options, address_of(hub, state.source_id, source))
    except TryLater as error:
        hub.trouble(error)
        return state.asked
    except Refused as error:
        return Asked(asked_at=now, detail=str(error)[:300], is_refused=True)
    except (Gone, Malformed, Misconfigured) as error:
        return Asked(asked_at=now, detail=f"it cannot be asked: {error}"[:300])
    return Asked(
        asked_at=now,
        is_active=said.is_active,
        detail=said.detail[:300],
        expires_at=said.expires_at,
    )


def address_of(hub: Hub, source_id: str, source: Source, *, shown: bool = False) -> str:
    """Give the address to type in at the provider.

    Args:
        hub: whose address.
        source_id: its id.
        source: with its secret, which may be part of the address.
        shown: with `{token}` in place of the secret.
    """
    address = f"{hub.settings.public_url}/hooks/{source_id}"
    try:
        connector = registry.load(source.connector)
        signature = connector.signature_for(connector.options_with(source.options))
        secrets = () if shown else hub.secrets.get(source.secret)
    except Misconfigured:
        return address
    if not isinstance(signature, PathToken):
        return address
    return f"{address}/{quote(secrets[0], safe='') if secrets else '{token}'}"
