"""Configuration: immutable versions with a hash, one of them in force, and who is away."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.config.document import config_hash
from chalicelib.config.model import Config
from chalicelib.errors import Conflict, Misconfigured, NotFound, Unavailable
from chalicelib.flow.publish import publish, rollback, set_availability, versions
from chalicelib.hub import Configurations
from chalicelib.records import ACTIVE_KEY, active_of, version_key, version_of
from tests.faults import Call
from tests.flow.scenes import a_world, changed
from tests.world import World


def another(world: World) -> Config:
    return changed(world.config, "owners", "ben", daily_cap=7)


def in_force(world: World) -> Config:
    return world.hub.configurations.current().config


def stored(world: World, number: int) -> bytes:
    item = world.table.get(version_key(number))
    assert item
    return bytes(item["data"])


def test_publishing_makes_a_numbered_version_with_hash_time_and_author() -> None:
    world = a_world()
    world.clock.advance(hours=1)
    active = publish(world.hub, another(world), "ann", "fewer for Ben")
    (second, first) = versions(world.hub)
    assert (active.number, active.hash) == (2, config_hash(another(world)))
    assert (second.number, second.published_by, second.note) == (2, "ann", "fewer for Ben")
    assert second.published_at == world.clock()
    assert (first.number, first.published_by) == (1, "test")


def test_what_is_published_is_in_force_and_reads_back_the_same() -> None:
    world = a_world()
    publish(world.hub, another(world), "ann")
    assert in_force(world) == another(world)


def test_the_same_configuration_again_changes_nothing() -> None:
    world = a_world()
    before = world.table.scan()
    active = publish(world.hub, world.config, "ann")
    assert active.number == 1
    assert world.table.scan() == before


def test_a_version_never_changes() -> None:
    world = a_world()
    first = stored(world, 1)
    publish(world.hub, another(world), "ann")
    rollback(world.hub, 1, "ann")
    assert stored(world, 1) == first


def test_the_hash_is_of_the_content_and_of_nothing_else() -> None:
    world = a_world()
    for number, config in enumerate((another(world), world.config), start=2):
        publish(world.hub, config, "ann", note=f"{number}")
    hashes = [one.hash for one in versions(world.hub)]
    assert hashes[0] == hashes[2] != hashes[1]
    for one in versions(world.hub):
        assert one.hash == config_hash(Config.model_validate_json(one.document))


def test_rollback_publishes_an_older_version_anew() -> None:
    world = a_world()
    publish(world.hub, another(world), "ann")
    active = rollback(world.hub, 1, "ann")
    assert (active.number, active.hash) == (3, config_hash(world.config))
    assert versions(world.hub)[0].note == "back to version 1"
    assert in_force(world) == world.config


def test_rollback_to_the_version_in_force_changes_nothing() -> None:
    world = a_world()
    assert rollback(world.hub, 1, "ann").number == 1


def test_rollback_to_a_version_that_never_was() -> None:
    with pytest.raises(NotFound, match="configuration version 9"):
        rollback(a_world().hub, 9, "ann")


def test_a_change_made_on_an_older_configuration_is_a_conflict() -> None:
    world = a_world()
    made_on = world.hub.configurations.current().hash
    publish(world.hub, another(world), "ann", expected_hash=made_on)
    with pytest.raises(Conflict):
        publish(world.hub, world.config, "ben", expected_hash=made_on)
    assert in_force(world) == another(world)


def test_two_people_who_publish_at_once_are_not_both_told_that_it_worked() -> None:
    world = a_world()
    third = changed(world.config, "owners", "ben", daily_cap=1)
    others = [third]

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write" and others:
            publish(world.hub, others.pop(), "ben")
        return go()

    with pytest.raises(Conflict):
        publish(world.worker(hook), another(world), "ann")
    assert in_force(world) == third
    assert len(versions(world.hub)) == 2


def test_somebody_who_switches_off_while_a_configuration_is_published_stays_off() -> None:
    world = a_world()
    others = ["ann"]

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write" and others:
            set_availability(world.hub, others.pop(), off=True)
        return go()

    with pytest.raises(Conflict):
        publish(world.worker(hook), another(world), "ben")
    publish(world.hub, another(world), "ben")
    assert off(world) == {"ann": ""}


def test_a_publication_with_the_table_down_changes_nothing() -> None:
    world = a_world()
    world.table.is_down = True
    with pytest.raises(Unavailable):
        publish(world.hub, another(world), "ann")
    world.table.is_down = False
    assert in_force(world) == world.config


def test_the_newest_versions_are_listed_first_and_only_so_many() -> None:
    world = a_world()
    for cap in range(5):
        publish(world.hub, changed(world.config, "owners", "ben", daily_cap=cap), "ann")
    assert [one.number for one in versions(world.hub, most=3)] == [6, 5, 4]
    assert len(versions(world.hub)) == 6


def test_without_any_configuration_there_are_no_versions() -> None:
    world = a_world()
    world.table.uproot(ACTIVE_KEY)
    assert versions(world.hub) == []


# --- availability ---------------------------------------------------------------------------------


def off(world: World) -> dict[str, str]:
    item = world.table.get(ACTIVE_KEY)
    assert item
    return dict(active_of(item).off)


def test_an_owner_may_be_switched_off_until_a_time_or_with_an_open_end_and_on_again() -> None:
    world = a_world()
    set_availability(world.hub, "ann", off=True)
    set_availability(world.hub, "ben", off=True, until="2026-11-24T08:00:00+00:00")
    assert off(world) == {"ann": "", "ben": "2026-11-24T08:00:00+00:00"}
    set_availability(world.hub, "ann", off=False)
    assert off(world) == {"ben": "2026-11-24T08:00:00+00:00"}


def test_switching_somebody_off_makes_no_version_and_leaves_the_hash() -> None:
    world = a_world()
    before = world.hub.configurations.current()
    set_availability(world.hub, "ann", off=True)
    after = world.hub.configurations.current()
    assert (after.hash, after.active.number) == (before.hash, before.active.number)
    assert after.active.version == before.active.version + 1


def test_who_is_off_stays_off_when_a_configuration_is_published() -> None:
    world = a_world()
    set_availability(world.hub, "ann", off=True)
    publish(world.hub, another(world), "ann")
    assert off(world) == {"ann": ""}


def test_who_left_the_configuration_is_off_no_more() -> None:
    world = a_world()
    set_availability(world.hub, "dee", off=True)
    owners = {name: one for name, one in world.config.owners.items() if name != "dee"}
    pools = {name: one for name, one in world.config.pools.items() if name != "asleep"}
    routing = world.config.routing[1:]
    parts = {"owners": owners, "pools": pools, "routing": routing}
    publish(world.hub, world.config.model_copy(update=parts), "ann")
    assert off(world) == {}


def test_an_owner_who_is_not_there_cannot_be_switched_off() -> None:
    with pytest.raises(NotFound, match="owner nobody"):
        set_availability(a_world().hub, "nobody", off=True)


def test_two_people_who_switch_off_at_once_lose_nothing() -> None:
    world = a_world()
    others = ["ben"]

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write" and others:
            set_availability(world.hub, others.pop(), off=True)
        return go()

    with pytest.raises(Conflict):
        set_availability(world.worker(hook), "ann", off=True)
    set_availability(world.hub, "ann", off=True)
    assert set(off(world)) == {"ann", "ben"}


# --- reading it -----------------------------------------------------------------------------------


def test_a_document_is_read_once_and_the_pointer_each_time() -> None:
    world = a_world()
    calls: list[str] = []

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        calls.append(call.does)
        return go()

    hub = world.worker(hook)
    for _ in range(3):
        hub.configurations.current()
    assert calls == ["get"] * 4


def test_an_hour_of_silence_ends_with_what_is_in_force_now() -> None:
    world = a_world()
    known = Configurations(world.table, world.clock.monotonic)
    [source_id, *_] = world.config.sources
    old = world.config.sources[source_id]
    off = old.model_copy(update={"enabled": False})
    sources = {**world.config.sources, source_id: off}
    assert known.source(source_id, 30) == old
    publish(world.hub, world.config.model_copy(update={"sources": sources}), "ann")
    assert known.source(source_id, 30) == old
    world.clock.advance(seconds=30)
    assert known.source(source_id, 30) == off


def test_workers_never_use_an_old_configuration() -> None:
    world = a_world()
    known = Configurations(world.table, world.clock.monotonic)
    known.current()
    publish(world.hub, another(world), "ann")
    assert known.current().config == another(world)
    world.table.is_down = True
    with pytest.raises(Unavailable):
        known.current()


def test_nothing_published_is_our_mistake() -> None:
    world = a_world()
    world.table.uproot(ACTIVE_KEY)
    with pytest.raises(Misconfigured, match="hub config publish"):
        Configurations(world.table, world.clock.monotonic).current()


def test_a_version_that_is_missing_is_our_mistake() -> None:
    world = a_world()
    world.table.uproot(version_key(1))
    with pytest.raises(Misconfigured, match="configuration 1 is missing"):
        Configurations(world.table, world.clock.monotonic).current()


def test_a_stored_version_names_its_hash() -> None:
    world = a_world()
    item = world.table.get(version_key(1))
    assert item
    assert version_of(item).hash == config_hash(world.config)
