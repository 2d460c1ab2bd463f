"""Put a configuration in force: an immutable, hashed version, and the pointer to it."""

from collections.abc import Mapping

from chalicelib.config.document import canonical, config_hash
from chalicelib.config.model import Config
from chalicelib.errors import Conflict, NotFound
from chalicelib.hub import Hub
from chalicelib.records import (
    ACTIVE_KEY,
    Active,
    Version,
    active_item,
    active_of,
    document_of,
    version_item,
    version_key,
    version_of,
)
from chalicelib.storage import Absent, Holds, Put, at_version

MOST_RETIRED = 200
"""How many sources are remembered that were taken out of the configuration, the last ones."""


def publish(
    hub: Hub, config: Config, actor: str, note: str = "", expected_hash: str | None = None
) -> Active:
    """Publish a checked configuration; the one in force published again changes nothing.

    Args:
        expected_hash: hash of the configuration that the change was made on; None for any.

    Raises:
        Conflict: another configuration has been published in between.
    """
    item = hub.table.get(ACTIVE_KEY)
    before = active_of(item) if item else None
    if expected_hash is not None and expected_hash != (before.hash if before else ""):
        raise Conflict("the configuration in force is another one; fetch it and try again")
    digest = config_hash(config)
    if before and before.hash == digest:
        return before
    number = before.number + 1 if before else 1
    active = Active(
        number=number,
        hash=digest,
        version=before.version + 1 if before else 1,
        off=_still_off(before.off if before else {}, config),
        notes=_still_off(before.notes if before else {}, config),
        weights=before.weights if before else 0,
        model=before.model if before else 0,
        retired=_retired(hub, before, config) if before else {},
    )
    version = Version(
        number=number,
        hash=digest,
        published_at=hub.clock(),
        published_by=actor,
        note=note,
        document=canonical(config),
    )
    writer = f"publish:{hub.new_id()}"
    hub.table.write(
        [
            Put("version", version_item(version, writer), Absent()),
            Put("active", active_item(active, writer), at_version(active.version - 1)),
        ]
    )
    return active


def versions(hub: Hub, most: int = 50) -> list[Version]:
    """Give the published versions, newest first."""
    active = hub.table.get(ACTIVE_KEY)
    if active is None:
        return []
    last = active_of(active).number
    keys = [version_key(number) for number in range(last, max(0, last - most), -1)]
    found = hub.table.get_many(keys)
    return [version_of(found[key]) for key in keys if key in found]


def rollback(hub: Hub, number: int, actor: str) -> Active:
    """Publish an older version anew.

    Raises:
        NotFound: no such version.
    """
    item = hub.table.get(version_key(number))
    if item is None:
        raise NotFound(f"configuration version {number}")
    config = Config.model_validate_json(version_of(item).document)
    return publish(hub, config, actor, note=f"back to version {number}")


def set_availability(hub: Hub, owner_id: str, *, off: bool, until: str = "") -> Active:
    """Switch an owner off until a time (ISO, empty for an open end), or on again.

    Raises:
        NotFound: no such owner.
        Conflict: the configuration changed in between; try again.
    """
    current = hub.configurations.current()
    if owner_id not in current.config.owners:
        raise NotFound(f"owner {owner_id}")
    others = {key: value for key, value in current.active.off.items() if key != owner_id}
    active = current.active.model_copy(
        update={
            "version": current.active.version + 1,
            "off": {**others, owner_id: until} if off else others,
            "notes": {key: why for key, why in current.active.notes.items() if key != owner_id},
        }
    )
    writer = f"availability:{hub.new_id()}"
    condition = Holds("version", current.active.version)
    hub.table.write([Put("active", active_item(active, writer), condition)])
    return active


def _retired(hub: Hub, before: Active, config: Config) -> dict[str, str]:
    """Name sources that are configured no more, so that the door answers as their providers need.

    It stands outside of the hashed document, for two hubs of one configuration may have other
    pasts.
    """
    item = hub.table.get(version_key(before.number))
    sources = document_of(version_of(item)).get("sources", {}) if item else {}
    taken_out = {name: str(source["connector"]) for name, source in sources.items()}
    everything = [
        (name, connector)
        for name, connector in ({**before.retired, **taken_out}).items()
        if name not in config.sources
    ]
    return dict(everything[-MOST_RETIRED:])


def _still_off(off: Mapping[str, str], config: Config) -> dict[str, str]:
    return {owner_id: until for owner_id, until in off.items() if owner_id in config.owners}
