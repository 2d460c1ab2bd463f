"""Imports of files: made, uploaded, looked at, their columns proposed and confirmed, started."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.errors import Conflict, Invalid, Malformed, NotFound, TooLarge
from chalicelib.flow.import_state import IMPORTS, Import, file_of, find_import, import_put
from chalicelib.flow.lists import Listed, Summary
from chalicelib.hub import Hub
from chalicelib.records import summary_of
from chalicelib.tables.layout import Layout, Wanted, look
from chalicelib.tables.mapping import DateOrder, Proposal, check_mapping, propose
from chalicelib.tables.rows import Bytes

CONNECTOR = "file_import"

MOST_BYTES = 50 * 1024 * 1024
"""Largest file that is taken."""

CONTENT_TYPE = "application/octet-stream"
"""What an upload says to be, whatever it is: what people's machines call a CSV differs."""

UPLOAD_SECONDS = 900
"""How long an address to upload to works."""

LONGEST_FILE_NAME = 120


@dataclass(frozen=True)
class Looked:
    """A file as it was found: its layout, and what its columns are likely to hold."""

    found: Import
    layout: Layout
    proposal: Proposal


def create(hub: Hub, source_id: str, file: str, size: int, actor: str) -> Import:
    """Make an import; its file is then put into the bucket under the name of its blob.

    Args:
        hub: written to.
        source_id: a source of connector file_import; empty for the only one there is.
        file: its name.
        size: bytes.
        actor: who imports it.

    Raises:
        Invalid: there is no such source, or no telling which.
        TooLarge: the file is larger than MOST_BYTES.
    """
    if size > MOST_BYTES:
        raise TooLarge(f"a file of {size} bytes; at most {MOST_BYTES} are taken")
    one = Import(
        import_id=hub.new_id(),
        source_id=pick_source(hub.configurations.current().config, source_id),
        file=_name(file),
        created_at=hub.clock(),
        created_by=actor,
    )
    hub.table.write([import_put(one, 0, None, f"import:{one.import_id}:1")])
    return one


def pick_source(config: Config, source_id: str) -> str:
    """Give the source that a file is imported by.

    Raises:
        Invalid: says what to put into the configuration, or which sources there are.
    """
    fitting = [name for name, one in config.sources.items() if one.connector == CONNECTOR]
    if not fitting:
        example = f"sources: {{lists: {{connector: {CONNECTOR}, title: Imported lists}}}}"
        raise Invalid("no source takes files", (f"add one to the configuration: {example}",))
    if source_id and source_id not in fitting:
        there_are = f"{source_id[:64]} takes no files; there are: {', '.join(fitting)}"
        raise Invalid("no such source", (f"source: {there_are}",))
    if not source_id and len(fitting) > 1:
        raise Invalid("which source?", (f"source: one of {', '.join(fitting)}",))
    return source_id or fitting[0]


def look_at(hub: Hub, import_id: str, wanted: Wanted | None = None) -> Looked:
    """Look at an uploaded file and propose what its columns hold; may be done again.

    Args:
        hub: read from and written to.
        import_id: of the import.
        wanted: what a person says of its layout.

    Raises:
        NotFound: no such import, or its file is not there yet.
        Invalid: the file is no table; says what to do.
        TooLarge: it is larger than MOST_BYTES.
        Conflict: it runs already, or somebody else did this at the same moment.
    """
    one, version = find_import(hub, import_id)
    if one.state not in ("new", "proposed"):
        raise Conflict(f"import {import_id} is {one.state}; make another one")
    facts = hub.blobs.facts(one.blob)
    if facts is None:
        raise NotFound(f"the file of import {import_id}; PUT it to the address first")
    if facts.size > MOST_BYTES:
        raise TooLarge(f"a file of {facts.size} bytes; at most {MOST_BYTES} are taken")
    one = one.model_copy(update={"size": facts.size, "mark": facts.mark})
    looked = examine(hub.configurations.current().config, one, file_of(hub, one), wanted)
    hub.table.write([import_put(looked.found, version, None, f"propose:{hub.new_id()}")])
    return looked


def examine(config: Config, one: Import, file: Bytes, wanted: Wanted | None = None) -> Looked:
    """Look at a file and propose what its columns hold; writes nothing.

    Raises:
        Invalid: the file is no table; says what to do.
    """
    try:
        layout, rows = look(file, wanted)
    except Malformed as error:
        raise Invalid("the file cannot be read", (str(error),)) from error
    custom = [field.id for field in config.fields]
    proposal = propose(layout, rows, _source(config, one.source_id).fields, custom)
    found = one.model_copy(
        update={
            "state": "proposed",
            "layout": layout,
            "mapping": proposal.mapping,
            "dates": proposal.dates,
            "zone": config.settings.time_zone,
        }
    )
    return Looked(found, layout, proposal)


def confirmed(
    hub: Hub, one: Import, mapping: Mapping[str, str], dates: DateOrder | None, zone: str = ""
) -> Import:
    """Give an import with what a person changed of its mapping; writes nothing.

    Args:
        hub: read from.
        one: whose columns have been proposed.
        mapping: column -> field, for those that are to be otherwise than proposed.
        dates: whether the day or the month comes first; None for what was proposed.
        zone: of times that name none; empty for the hub's.

    Raises:
        Invalid: it would not do what it says, or nobody could be told apart.
        Conflict: nothing has been proposed, or it runs already.
    """
    if one.state != "proposed" or one.layout is None:
        why = "has not been looked at yet" if one.state == "new" else f"is {one.state}"
        raise Conflict(f"import {one.import_id} {why}")
    config = hub.configurations.current().config
    whole = {**one.mapping, **mapping}
    custom = {field.id for field in config.fields}
    check_mapping(one.layout.columns, whole, _source(config, one.source_id).fields, custom)
    if zone and not _is_zone(zone):
        raise Invalid("no such time zone", ("zone: expected a name such as Europe/Berlin",))
    return one.model_copy(
        update={"mapping": whole, "dates": dates or one.dates, "zone": zone or one.zone}
    )


def start(
    hub: Hub,
    import_id: str,
    mapping: Mapping[str, str],
    dates: DateOrder | None = None,
    zone: str = "",
    *,
    due_in: timedelta = timedelta(0),
) -> Import:
    """Confirm the mapping and start; from now on whoever does long work goes on with it.

    Args:
        hub: read from and written to.
        import_id: of the import.
        mapping: see confirmed.
        dates: see confirmed.
        zone: see confirmed.
        due_in: how long the caller means to go on with it alone.

    Raises:
        NotFound, Invalid, Conflict: see confirmed.
    """
    one, version = find_import(hub, import_id)
    one = confirmed(hub, one, mapping, dates, zone)
    layout = one.layout
    now = hub.clock()
    one = one.model_copy(
        update={
            "state": "running",
            "started_at": now,
            "after": layout.start if layout else 0,
            "number": layout.header_row if layout else 0,
        }
    )
    hub.table.write([import_put(one, version, now + due_in, f"start:{hub.new_id()}")])
    return one


def list_imports(hub: Hub, limit: int, after: str = "") -> Listed:
    """List imports, newest first; see lists.Listed."""
    page = hub.table.query_index(
        "list", IMPORTS, up_to=after or None, newest_first=True, limit=limit + 1
    )
    items = [item for item in page.items if item["list_sk"] != after]
    entries: tuple[Summary, ...] = tuple(summary_of(item) for item in items[:limit])
    has_more = len(items) > limit or (page.next is not None and bool(items))
    return Listed(entries, str(items[:limit][-1]["list_sk"]) if has_more else "")


def _source(config: Config, source_id: str) -> Source:
    if source_id not in config.sources or config.sources[source_id].connector != CONNECTOR:
        raise Invalid("no such source", (f"source: {source_id} takes no files any more",))
    return config.sources[source_id]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


def _name(file: str) -> str:
    """Take the name of a file without folders, and without what a header or a page trips over."""
    bare = file.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in bare if letter.isprintable() and letter not in '"<>|;')
    return kept.strip()[-LONGEST_FILE_NAME:] or "file"
