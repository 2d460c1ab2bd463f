"""Checks of a configuration before it is published: references, types, and that leads arrive."""

from collections.abc import Collection, Iterable, Iterator
from urllib.parse import urlsplit

from chalicelib.config.check_choosing import check_choosing
from chalicelib.config.check_conditions import ConditionChecks
from chalicelib.config.check_matching import check_matching
from chalicelib.config.check_order import check_coverage, check_order, find_takers
from chalicelib.config.check_qualifying import check_qualifying
from chalicelib.config.check_retention import check_retention
from chalicelib.config.check_scoring import check_scoring
from chalicelib.config.check_sla import check_sla
from chalicelib.config.document import Lines, Path, did_you_mean, path_text
from chalicelib.config.finding import Finding, Found, check_reference
from chalicelib.config.model import Config, Destination, Owner
from chalicelib.config.source import Source
from chalicelib.lead.folding import group_of
from chalicelib.lead.hours import DAYS, find_zone, span_minutes
from chalicelib.lead.model import CONTACT_FIELDS

ONLY_LOCAL = "only the local stage may call this machine"
"""Said of a webhook at 127.0.0.1, which the sample has while it runs here."""


def check(
    config: Config,
    connector_names: Collection[str],
    secret_names: Collection[str] | None,
    lines: Lines | None = None,
    more: Iterable[Found] = (),
    closed: Collection[str] = (),
) -> list[Finding]:
    """Find what would go wrong with a configuration; it may be published without an error.

    Args:
        connector_names: of all connectors that are shipped.
        secret_names: of all secrets that are stored; None leaves out the look for missing ones.
        lines: of the text that the configuration came from.
        more: what was found by looking at the connectors themselves.
        closed: ids of sources to which nothing is posted, so that they need no secret.

    Returns:
        In the order of the text, else of the checks.
    """
    found = [
        *_check_settings(config),
        *_check_sources(config, connector_names, closed),
        *_check_destinations(config),
        *_check_owners(config),
        *_check_pools(config),
        *_check_fields(config),
        *_check_merging(config),
        *check_matching(config),
        *check_scoring(config),
        *check_qualifying(config),
        *_check_routing(config),
        *check_choosing(config),
        *check_order(config),
        *check_coverage(config),
        *check_retention(config),
        *check_sla(config),
        *_check_secrets(config, secret_names),
        *more,
    ]
    findings = [
        Finding(
            level=each.level,
            path=path_text(each.path),
            line=lines.line(each.path) if lines else None,
            message=each.message,
            example=each.example,
        )
        for each in found
    ]
    return sorted(dict.fromkeys(findings), key=lambda finding: finding.line or 0)


def _check_settings(config: Config) -> Iterator[Found]:
    settings = config.settings
    if find_zone(Owner(name="", email=""), settings) is None:
        yield Found(("settings", "time_zone"), _unknown_zone(settings.time_zone))
    if settings.mail_from and not _is_email(settings.mail_from.rpartition("<")[2].rstrip("> ")):
        yield Found(("settings", "mail_from"), "expected an e-mail address")
    mails = any(each.kind == "email" and each.enabled for each in config.destinations.values())
    if mails and not settings.mail_from:
        yield Found(("settings",), "mail_from is missing, and a destination sends mail")
    for index, name in enumerate(settings.alarms):
        yield from check_reference(
            ("settings", "alarms", index), name, config.destinations, "destination"
        )
    if not settings.alarms:
        message = "alarms names no destination, so nobody is told when a lead finds no owner"
        yield Found(("settings",), message, "warning")


def _check_sources(
    config: Config, connector_names: Collection[str], closed: Collection[str]
) -> Iterator[Found]:
    takes = {*CONTACT_FIELDS, *(field.id for field in config.fields)}
    for source_id, source in config.sources.items():
        path = ("sources", source_id)
        if source.connector not in connector_names:
            near = did_you_mean(source.connector, sorted(connector_names))
            message = f"there is no connector {source.connector}{near}"
            yield Found((*path, "connector"), message)
        if source.enabled and not source.secret and source_id not in closed:
            message = "has no secret, so every request to it is refused"
            yield Found(path, message, "warning")
        yield from _check_field_map(path, source, takes)


def _check_field_map(path: Path, source: Source, takes: Collection[str]) -> Iterator[Found]:
    for key, name in source.fields.items():
        if name not in takes:
            bare = name.removeprefix("custom.")
            near = (
                f"; write {bare} without custom."
                if bare in takes
                else did_you_mean(name, sorted(takes))
            )
            message = f"{name} is neither a contact field nor a field of `fields`{near}"
            yield Found((*path, "fields", key), message)


def _check_destinations(config: Config) -> Iterator[Found]:
    for name, destination in config.destinations.items():
        path = ("destinations", name)
        yield from _check_destination(path, destination)
        used = [*config.settings.alarms, *(each for rule in config.routing for each in rule.notify)]
        used += config.sla.told
        if destination.enabled and name not in used:
            yield Found(path, "no routing rule and no alarm uses it", "warning")


def _check_destination(path: Path, destination: Destination) -> Iterator[Found]:
    needs_secret = destination.kind in ("slack", "webhook")
    if needs_secret and not destination.secret:
        what = "the webhook address" if destination.kind == "slack" else "the signing secret"
        yield Found(path, f"secret is missing: the name of the secret that holds {what}")
    if destination.kind == "webhook" and destination.url.startswith("http://127.0.0.1:"):
        yield Found((*path, "url"), ONLY_LOCAL, "warning")
    elif destination.kind == "webhook" and not _is_https(destination.url):
        yield Found((*path, "url"), "expected an address that starts with https://")
    to_address = destination.kind == "email" and destination.to == "address"
    if to_address and not _is_email(destination.address):
        yield Found((*path, "address"), "expected an e-mail address")
    if destination.kind != "webhook" and destination.url:
        yield Found((*path, "url"), f"means nothing for {destination.kind}", "warning")


def _check_owners(config: Config) -> Iterator[Found]:
    members = {member.owner for pool in config.pools.values() for member in pool.members}
    for owner_id, owner in config.owners.items():
        path = ("owners", owner_id)
        if not _is_email(owner.email):
            yield Found((*path, "email"), "expected an e-mail address")
        if owner.time_zone and find_zone(owner, config.settings) is None:
            yield Found((*path, "time_zone"), _unknown_zone(owner.time_zone))
        yield from _check_hours(path, owner)
        for index, absence in enumerate(owner.absences):
            if absence.last < absence.first:
                message = f"last, {absence.last}, is before first, {absence.first}"
                yield Found((*path, "absences", index), message)
        is_manager = any(other.manager == owner_id for other in config.owners.values())
        if owner.active and owner_id not in members and not is_manager:
            yield Found(path, "is in no pool, so gets no leads", "warning")


def _check_hours(path: Path, owner: Owner) -> Iterator[Found]:
    for day, spans in owner.hours.items():
        ended = 0
        for index, span in sorted(enumerate(spans), key=lambda each: each[1]):
            start, end = span_minutes(span)
            here = (*path, "hours", day, index)
            if end <= start:
                after = DAYS[(DAYS.index(day) + 1) % 7]
                message = (
                    f"{span} ends before it starts; for work past midnight write "
                    f"{span[:5]}-24:00 here and 00:00-{span[6:]} under {after}"
                )
                yield Found(here, message)
            elif start < ended:
                yield Found(here, f"{span} overlaps with another span of {day}")
            ended = max(ended, end)


def _check_pools(config: Config) -> Iterator[Found]:
    used = {pool for rule in config.routing for pool in (rule.pool, rule.fallback)}
    for pool_id, pool in config.pools.items():
        path = ("pools", pool_id)
        seen: set[str] = set()
        for index, member in enumerate(pool.members):
            here = (*path, "members", index)
            yield from check_reference((*here, "owner"), member.owner, config.owners, "owner")
            if member.owner in seen:
                yield Found(here, f"{member.owner} is in this pool twice; use weight")
            seen.add(member.owner)
        if not pool.members:
            yield Found((*path, "members"), "the pool has no owner")
        elif not find_takers(config, pool_id):
            message = "the pool has nobody who ever takes a lead: switched off, no hours, or cap 0"
            yield Found(path, message, example="any lead routed here")
        if pool_id not in used:
            yield Found(path, "no routing rule uses it", "warning")


def _check_fields(config: Config) -> Iterator[Found]:
    seen: set[str] = set()
    for index, field in enumerate(config.fields):
        path: Path = ("fields", index)
        if field.id in CONTACT_FIELDS:
            yield Found((*path, "id"), f"{field.id} is a contact field already")
        if field.id in seen:
            yield Found((*path, "id"), f"{field.id} is there twice")
        seen.add(field.id)
        if (field.type == "choice") != bool(field.choices):
            message = "choices go with type choice, and at least one is needed"
            yield Found(path, message)


def _check_merging(config: Config) -> Iterator[Found]:
    types = {field.id: field.type for field in config.fields}
    known = sorted({*CONTACT_FIELDS, *types})
    for name, keep in config.merging.fields.items():
        path: Path = ("merging", "fields", name)
        if name not in known:
            bare = name.removeprefix("custom.")
            near = f"; write {bare}" if bare in types else did_you_mean(name, known)
            yield Found(path, f"{name} is neither a contact field nor a field of `fields`{near}")
        if keep == "longest" and types.get(name) in ("number", "boolean"):
            yield Found(path, f"a {types[name]} has no length; expected newest, oldest ...")
        first = next(part for part in group_of(name) if part in config.merging.fields)
        if keep != config.merging.fields[first]:
            message = f"{name} comes together with {first}, so they have one rule"
            yield Found(path, message)


def _check_routing(config: Config) -> Iterator[Found]:
    seen: set[str] = set()
    for index, rule in enumerate(config.routing):
        path: Path = ("routing", index)
        if rule.id in seen:
            yield Found((*path, "id"), f"{rule.id} is there twice")
        seen.add(rule.id)
        yield from check_reference((*path, "pool"), rule.pool, config.pools, "pool")
        if rule.fallback:
            here = (*path, "fallback")
            yield from check_reference(here, rule.fallback, config.pools, "pool")
            if rule.fallback == rule.pool:
                yield Found(here, "falls back to the pool that it stands in for")
        for place, name in enumerate(rule.notify):
            here = (*path, "notify", place)
            yield from check_reference(here, name, config.destinations, "destination")
            if name in config.destinations and not config.destinations[name].enabled:
                yield Found(here, f"{name} is switched off", "warning")
        if not rule.notify:
            yield Found(path, "notify is empty, so the owner is not told", "warning")
        yield from ConditionChecks(config, "lead", is_score=False).check((*path, "when"), rule.when)


def _check_secrets(config: Config, secret_names: Collection[str] | None) -> Iterator[Found]:
    if secret_names is None:
        return
    named = [
        (("sources", source_id, key), getattr(source, key))
        for source_id, source in config.sources.items()
        for key in ("secret", "token", "verify_token")
    ]
    named += [
        (("destinations", name, "secret"), destination.secret)
        for name, destination in config.destinations.items()
    ]
    for path, name in named:
        if name and name not in secret_names:
            near = did_you_mean(name, sorted(secret_names))
            yield Found(path, f"no secret of the name {name} is stored{near}")


def _unknown_zone(name: str) -> str:
    from zoneinfo import available_timezones

    zones = sorted(available_timezones())
    cities = [zone for zone in zones if zone.lower().endswith(f"/{name.lower()}")]
    near = did_you_mean(cities[0] if cities else name, zones)
    return f"there is no time zone {name}{near}; expected a name such as Europe/Berlin"


def _is_email(text: str) -> bool:
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and not parts.username
    except ValueError:
        return False
