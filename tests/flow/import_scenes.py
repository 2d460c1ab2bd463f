"""Files that people import, and a world in which they can."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from chalicelib.config.source import Source
from chalicelib.flow import imports
from chalicelib.flow.import_outcomes import RowOutcome, row_outcomes
from chalicelib.flow.import_run import run
from chalicelib.flow.import_state import Import, find_import, import_of
from chalicelib.flow.publish import publish
from chalicelib.hub import Hub
from chalicelib.storage import Item
from tests.world import World, with_config


def with_lists(world: World, **source: Any) -> World:
    """Give a world a source that takes files."""
    lists = Source(connector="file_import", **source)
    world.config = with_config(world, sources={**world.config.sources, "lists": lists})
    publish(world.hub, world.config, "test")
    return world


def a_world(**source: Any) -> World:
    """Give a world in which files can be imported."""
    return with_lists(World(), **source)


def people(count: int, first: int = 1) -> str:
    """Write a list of people."""
    rows = [
        f"{number},Person {number},person-{number}@example.com"
        for number in range(first, first + count)
    ]
    return "\n".join(["Badge,Name,Mail", *rows]) + "\n"


def upload(world: World, text: str | bytes, file: str = "list.csv", hub: Hub | None = None) -> str:
    """Upload a file and look at it; gives the import's id."""
    hub = hub or world.hub
    data = text.encode() if isinstance(text, str) else text
    one = imports.create(hub, "lists", file, len(data), "somebody")
    hub.blobs.put(one.blob, data)
    imports.look_at(hub, one.import_id)
    return one.import_id


def take_in(
    world: World, text: str | bytes, mapping: Mapping[str, str] | None = None, **more: Any
) -> Import:
    """Import a file to its end."""
    import_id = upload(world, text)
    imports.start(world.hub, import_id, mapping or {}, **more)
    return go_on(world, import_id)


def go_on(world: World, import_id: str) -> Import:
    """Go on with an import to its end, and let everything become quiet."""
    done = run(world.hub, import_id, tell=lambda one: None, wait=partial(pass_time, world))
    world.settle()
    return done


def pass_time(world: World) -> None:
    """Let the workers work for a while."""
    world.clock.advance(seconds=1)
    world.drain()


def told_of(world: World, import_id: str) -> list[RowOutcome]:
    """Say what became of each row."""
    one, _ = find_import(world.hub, import_id)
    return [told for told, _ in row_outcomes(world.hub, one)]


def outcomes_of(world: World, import_id: str) -> dict[int, str]:
    """Give the outcome of each row by its number."""
    return {told.row: told.outcome for told in told_of(world, import_id)}


def running(world: World) -> Sequence[Item]:
    """Give the items of imports that run."""
    items = [item for item in world.table.scan() if item.get("kind") == "import"]
    return [item for item in items if import_of(item).state == "running"]
