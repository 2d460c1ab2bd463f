"""Sources: what is configured, how each is doing, and that in words."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from chalicelib import registry
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.errors import Misconfigured, NotFound
from chalicelib.flow.counting import last_delivery
from chalicelib.flow.handshakes import Handshakes, handshakes_of
from chalicelib.flow.refuse import Refusal, refusals_of
from chalicelib.flow.watch import (
    Asked,
    Trouble,
    TroubleKind,
    Watch,
    address_of,
    calendar_of,
    quiet_since,
    recounted,
    usual_of,
    watch_key,
    watch_of,
)
from chalicelib.hub import Hub
from chalicelib.lead.model import Model
from chalicelib.silence import Usual, noticed_at, silence, volume

State = Literal["well", "trouble", "unused", "off"]
"""`unused`: nothing has ever come."""

LOOK_AHEAD = timedelta(days=60)
"""How far it is asked when a silence would be noticed."""

LITTLE = 5
"""Fewer deliveries say nothing of what is usual."""

REFUSAL_HINTS: Mapping[str, str] = {
    "unverified": "the secret here and the one at the provider differ: hub secret set {secret}",
    "switchedoff": "the source is switched off: enabled: true",
    "toolarge": "bodies over 4 MB are not taken",
    "malformed": "somebody opens the address, or a handshake of another form",
    "retired": "the source was taken out of the configuration, and the provider still sends",
}


class SourceHealth(Model):
    """A source, and how its door is doing."""

    source_id: str
    title: str
    connector: str
    enabled: bool
    state: State
    address: str = Field(description="what to type in at the provider; {token} is the secret")
    has_secret: bool
    last_delivery_at: AwareDatetime | None = None
    last_outcome: str = ""
    refused: Mapping[str, int] = Field(description="by reason, over the last days")
    last_refusals: tuple[Refusal, ...] = ()
    troubles: Mapping[TroubleKind, Trouble] = Field(
        default_factory=dict, description="what was alarmed and is not well again"
    )


class Compared(Model):
    """What came in a stretch of time, beside what is usual for these hours of the week."""

    hours: int
    came: int
    expected: float
    verdict: Literal["usual", "few", "many"]


class SourceReport(Model):
    """All that is known of how a source is doing."""

    source: SourceHealth
    usual_a_day: float = Field(description="deliveries; 0 until some have come")
    known: float = Field(
        default=0, description="deliveries that this is learned from, older ones counting less"
    )
    volumes: tuple[Compared, ...] = Field(description="the last 24 hours, the last 7 days")
    quiet_since: AwareDatetime | None = None
    expected_since: float = Field(
        default=0, description="deliveries that usually come in so long a silence"
    )
    alarm_at: AwareDatetime | None = Field(
        default=None, description="when this silence is alarmed if it goes on; None: not for long"
    )
    handshakes: Handshakes
    subscription: Asked | None = Field(
        default=None, description="what the provider said last; None: it is not asked"
    )
    lines: tuple[str, ...] = Field(description="all of it in words, for people")


def sources(hub: Hub) -> list[SourceHealth]:
    """Give all configured sources with what came by them lately."""
    config = hub.configurations.current().config
    keys = {source_id: watch_key(source_id) for source_id in config.sources}
    found = hub.table.get_many(list(keys.values()))
    return [
        _health(
            hub,
            source_id,
            source,
            watch_of(found[keys[source_id]]) if keys[source_id] in found else None,
        )
        for source_id, source in config.sources.items()
    ]


def find_source(config: Config, source_id: str) -> Source:
    """Give a source of the configuration.

    Raises:
        NotFound: it has none of that name.
    """
    if source_id not in config.sources:
        known = ", ".join(config.sources) or "none"
        raise NotFound(f"source {source_id[:64]}; there are: {known}")
    return config.sources[source_id]


def report(hub: Hub, source_id: str) -> SourceReport:
    """Say all that is known of a source, counted up to now.

    Raises:
        NotFound: no such source.
    """
    config = hub.configurations.current().config
    source = find_source(config, source_id)
    now = hub.clock()
    item = hub.table.get(watch_key(source_id))
    state = recounted(hub, watch_of(item) if item else Watch(source_id=source_id), now)
    usual = usual_of(state, calendar_of(config, source, now))
    since = quiet_since(state)
    bare = SourceReport(
        source=_health(hub, source_id, source, state),
        usual_a_day=round(usual.a_day, 2) if usual else 0,
        known=round(usual.deliveries, 1) if usual else 0,
        volumes=tuple(_compared(state, usual, hours, now) for hours in (24, 168)) if usual else (),
        quiet_since=since,
        expected_since=round(silence(usual, since, now).expected, 1) if usual and since else 0,
        alarm_at=noticed_at(usual, since, now + LOOK_AHEAD - since) if usual and since else None,
        handshakes=handshakes_of(hub, source_id),
        subscription=state.asked,
        lines=(),
    )
    return bare.model_copy(update={"lines": tuple(_lines(bare, source, now))})


def _health(hub: Hub, source_id: str, source: Source, watch: Watch | None) -> SourceHealth:
    try:
        has_secret = bool(hub.secrets.get(source.secret))
    except Misconfigured:
        has_secret = False
    last_at, outcome = last_delivery(hub, source_id)
    refused, refusals = refusals_of(hub, source_id)
    troubles = watch.troubles if watch else {}
    state: State = "well"
    if not source.enabled:
        state = "off"
    elif troubles or (source.secret and not has_secret):
        state = "trouble"
    elif last_at is None:
        state = "unused"
    return SourceHealth(
        source_id=source_id,
        title=source.title,
        connector=source.connector,
        enabled=source.enabled,
        state=state,
        address=address_of(hub, source_id, source, shown=True),
        has_secret=has_secret,
        last_delivery_at=last_at,
        last_outcome=outcome,
        refused=refused,
        last_refusals=refusals,
        troubles=troubles,
    )


def _compared(state: Watch, usual: Usual, hours: int, now: datetime) -> Compared:
    traffic = state.traffic
    since = now - timedelta(hours=hours)
    if traffic is None or traffic.first > since:
        return Compared(hours=hours, came=sum(state.counts), expected=0, verdict="usual")
    # Counts are by whole hours, so the oldest one is left out.
    since = (since + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    found = volume(usual, traffic.between(since, now), since, now)
    verdict: Literal["usual", "few", "many"] = "usual"
    if found.is_odd:
        verdict = "few" if found.count < found.expected else "many"
    return Compared(
        hours=hours, came=found.count, expected=round(found.expected, 1), verdict=verdict
    )


# --- in words -------------------------------------------------------------------------------------


def span(length: timedelta) -> str:
    """Write a length of time for people: in the unit that suits it."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 2:
        return "a minute"
    if minutes < 120:
        return f"{minutes} minutes"
    if minutes < 48 * 60:
        return f"{minutes // 60} hours"
    return f"{minutes // 1440} days"


def _lines(found: SourceReport, source: Source, now: datetime) -> Iterator[str]:
    health = found.source
    if not source.enabled:
        yield "It is switched off: nothing is taken, and nothing is watched."
    for kind, trouble in health.troubles.items():
        yield f"TROUBLE ({kind}), for {span(now - trouble.since)}: {trouble.text}."
    if not health.has_secret and source.secret:
        yield f"TROUBLE: the secret has no value, so all is refused: hub secret set {source.secret}"
    yield from _traffic_lines(found, now)
    yield from _refusal_lines(health, source)
    yield from _handshake_lines(found, now)
    yield from _subscription_lines(found, source, now)


def _traffic_lines(found: SourceReport, now: datetime) -> Iterator[str]:
    health = found.source
    if health.last_delivery_at is None and found.quiet_since is None:
        yield (
            f"Nothing has ever come. Look whether it would work: hub source test "
            f"{health.source_id}. Then type {health.address} in at the provider and send a test "
            "lead there."
        )
        return
    if health.last_delivery_at:
        ago = span(now - health.last_delivery_at)
        yield f"The last delivery came {ago} ago and is {health.last_outcome}."
    for one in found.volumes:
        name = "24 hours" if one.hours == 24 else "7 days"
        if not one.expected:
            yield f"In {name} {one.came} came; it is not watched for long enough to compare."
            continue
        verdict = {"usual": "", "few": ": unusually few", "many": ": unusually many"}
        expected = f"{one.expected:.0f}" if one.expected >= 10 else f"{one.expected:.1f}"
        yield f"In {name} {one.came} came, where {expected} are usual{verdict[one.verdict]}."
    if not found.quiet_since or not health.enabled or "silent" in health.troubles:
        return
    quiet = span(now - found.quiet_since)
    if found.expected_since >= 1:
        yield f"Nothing has come for {quiet}, when about {found.expected_since:.0f} are usual."
    if found.known < LITTLE:
        yield "What is usual is still being learned, so a silence is not alarmed soon."
    elif found.alarm_at is None:
        yield (
            f"It is too small ({found.usual_a_day:.2g} a day) for a silence to mean anything "
            "within two months."
        )
    else:
        whole = span(found.alarm_at - found.quiet_since)
        yield f"A silence that begins with the last delivery is alarmed after {whole}."


def _refusal_lines(health: SourceHealth, source: Source) -> Iterator[str]:
    if not health.refused:
        yield "Nothing was refused at the door in 7 days."
    for reason, count in sorted(health.refused.items(), key=lambda one: -one[1]):
        last = next((one for one in health.last_refusals if one.reason == reason), None)
        told = f", last at {last.at:%Y-%m-%d %H:%M} UTC: {last.detail}" if last else ""
        hint = REFUSAL_HINTS.get(reason, "").format(secret=source.secret)
        yield f"Refused at the door in 7 days: {count} {reason}{told}" + (
            f" -> {hint}" if hint else ""
        )


def _handshake_lines(found: SourceReport, now: datetime) -> Iterator[str]:
    try:
        connector = registry.load(found.source.connector)
    except Misconfigured as error:
        yield f"TROUBLE: {error}."
        return
    if connector.handshake is None:
        return
    shaken = found.handshakes
    if shaken.good_at is None and shaken.failed_at is None:
        yield f"{connector.title} has not checked the address yet; it does so when you save it."
    if shaken.good_at:
        yield f"The address was checked {span(now - shaken.good_at)} ago, and answered rightly."
    if shaken.failed_at and (shaken.good_at is None or shaken.failed_at > shaken.good_at):
        yield f"A check of the address {span(now - shaken.failed_at)} ago failed: {shaken.problem}."


def _subscription_lines(found: SourceReport, source: Source, now: datetime) -> Iterator[str]:
    try:
        connector = registry.load(found.source.connector)
    except Misconfigured:
        return
    if connector.subscription is None:
        yield f"Whether {connector.title} still means to send cannot be asked."
        return
    asked = found.subscription
    if asked is None:
        yield f"{connector.title} is asked once a day whether it still means to send; not yet done."
        return
    told = {True: "means to send", False: "does NOT mean to send", None: "could not say"}
    detail = f": {asked.detail}" if asked.detail else ""
    ends = f"; what it granted ends on {asked.expires_at:%Y-%m-%d}" if asked.expires_at else ""
    yield (
        f"{connector.title}, asked {span(now - asked.asked_at)} ago, {told[asked.is_active]}"
        f"{detail}{ends}."
    )
