"""hub import, imports."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chalicelib.cli.leads import gather, tell_of_more
from chalicelib.cli.tools import JsonOption, LimitOption, StageOption, Tools, tools_of
from chalicelib.errors import HubError, Invalid, TooLarge

if TYPE_CHECKING:
    from rich.progress import Progress

    from chalicelib.flow.import_preview import Preview
    from chalicelib.flow.import_state import Import
    from chalicelib.flow.imports import Looked
    from chalicelib.hub import Hub
    from chalicelib.tables.rows import Bytes

ALONE = timedelta(minutes=2)
"""How long the command goes on with a new import before long work looks at it too."""

MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", help="COLUMN=FIELD; also consent.PURPOSE, answer, or - to leave it out."),
]
OutcomesOption = Annotated[
    Path | None, typer.Option("--outcomes", help="Write what became of each row to this CSV file.")
]


class LocalFile:
    """A file on this machine, read by range."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        self._stream = path.open("rb", buffering=0)
        self.size = path.stat().st_size

    def read(self, start: int, length: int) -> bytes:
        """Give bytes from a place on."""
        self._stream.seek(start)
        return self._stream.read(length) or b""


def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX.")],
    source: Annotated[str, typer.Option(help="Which source; may be left out if one fits.")] = "",
    mapped: MapOption = None,
    dates: Annotated[str, typer.Option(help="dmy or mdy: day or month first.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of times that name none.")] = "",
    encoding: Annotated[str, typer.Option(help="Such as cp1252, if it was not found.")] = "",
    delimiter: Annotated[str, typer.Option(help="One character, if it was not found.")] = "",
    sheet: Annotated[str, typer.Option(help="Of a workbook; else the first.")] = "",
    header: Annotated[
        int | None, typer.Option("--header", min=0, help="Row that names the columns; 0: none.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of each row; write nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Take the columns as proposed.")] = False,
    outcomes: OutcomesOption = None,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Import a file of people: look at it, confirm its columns, and take it in row by row.

    Example: hub import guests.csv --map "Badge=id" --dry-run
    """
    from chalicelib.flow import imports
    from chalicelib.flow.import_state import Import
    from chalicelib.tables.layout import Wanted

    if dates not in ("", "dmy", "mdy"):
        raise Invalid("no such order", ("--dates: expected dmy or mdy",))
    tools = tools_of(context)
    hub = tools.connect(stage).hub
    local = LocalFile(file)
    if local.size > imports.MOST_BYTES:
        raise TooLarge(
            f"{file.name} has {local.size} bytes; at most {imports.MOST_BYTES} are taken"
        )
    config = hub.configurations.current().config
    wanted = Wanted(encoding=encoding, delimiter=delimiter, sheet=sheet, header_row=header)
    draft = Import(
        import_id="draft",
        source_id=imports.pick_source(config, source),
        file=file.name,
        created_at=tools.now(),
        created_by="command line",
    )
    looked = imports.examine(config, draft, local, wanted)

    def confirm(mapping: Mapping[str, str]) -> "Import":
        order: Any = dates or None
        return imports.confirmed(hub, looked.found, mapping, order, zone)

    mapping = read_map(mapped or ())
    if not as_json:
        show_proposal(tools, looked, {**looked.proposal.mapping, **mapping})
    if not dry_run and not yes:
        if not sys.stdin.isatty():
            raise HubError("confirm the columns: --yes, after a look by --dry-run")
        mapping = ask(tools, confirm, mapping, lambda: typer.prompt("", prompt_suffix="> "))
    chosen = confirm(mapping)
    if dry_run:
        show_preview(tools, preview(tools, hub, chosen, local), as_json=as_json)
        return
    total = count_rows(tools, chosen, local)
    one = imports.create(hub, chosen.source_id, file.name, local.size, "command line")
    with tools.err.status("Uploading"), file.open("rb") as stream:
        hub.blobs.put(one.blob, stream)
    imports.look_at(hub, one.import_id, wanted)
    imports.start(hub, one.import_id, chosen.mapping, chosen.dates, chosen.zone, due_in=ALONE)
    tools.say(f"Import {one.import_id} runs; if this ends: hub imports {one.import_id} --wait")
    finish(tools, hub, one.import_id, total, outcomes, as_json=as_json)


def imports(
    context: typer.Context,
    import_id: Annotated[str, typer.Argument(metavar="[ID]", help="One of them.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Go on with it until it is through.")
    ] = False,
    outcomes: OutcomesOption = None,
    limit: LimitOption = 20,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List imports, newest first; or show one, go on with it, and write its outcomes.

    Example: hub imports 01kb... --outcomes out.csv
    """
    from chalicelib.flow.import_state import find_import
    from chalicelib.flow.imports import list_imports

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    if import_id and wait:
        finish(tools, hub, import_id, None, outcomes, as_json=as_json)
        return
    if import_id:
        one, _ = find_import(hub, import_id)
        tell_end(tools, hub, one, outcomes, as_json=as_json)
        return
    found, more = gather(tools, limit, lambda most, after: list_imports(hub, most, after))
    if as_json:
        tools.show_json(found)
        return
    if not found:
        tools.say("No file has been imported yet: hub import FILE")
        return
    tools.show_table(
        ("ID", "FILE", "SOURCE", "STATE", "ROWS", "THROUGH", "BEGUN", "BY"),
        [
            (
                one["import_id"],
                one["file"],
                one["source_id"],
                one["state"],
                one["rows"],
                one["settled"],
                one["created_at"][:19].replace("T", " "),
                one["created_by"],
            )
            for one in found
        ],
    )
    tell_of_more(tools, limit, is_more=more)


def read_map(given: Sequence[str]) -> dict[str, str]:
    """Read COLUMN=FIELD; the last equals sign counts, for columns are named by strangers.

    Raises:
        Invalid: one of them is not of that form.
    """
    mapping = {}
    for text in given:
        column, mark, field = text.rpartition("=")
        if not mark or not column or not field.strip():
            raise Invalid("a column cannot be mapped so", (f"{text}: expected COLUMN=FIELD",))
        mapping[column.strip()] = field.strip()
    return mapping


def ask(
    tools: Tools,
    confirm: "Callable[[Mapping[str, str]], Import]",
    mapping: Mapping[str, str],
    read_line: Callable[[], str],
) -> dict[str, str]:
    """Let a person change columns until they are right; gives what is to be otherwise.

    Args:
        tools: to speak by.
        confirm: raises Invalid when a mapping does not do.
        mapping: what was given with the command.
        read_line: gives the next line that the person types.
    """
    chosen = dict(mapping)
    tools.say("Import so? yes, no, or COLUMN=FIELD to change one.")
    while True:
        line = read_line().strip()
        try:
            if line.lower() in ("y", "yes"):
                confirm(chosen)
                return chosen
            if line.lower() in ("n", "no", ""):
                raise typer.Abort
            changed = {**chosen, **read_map([line])}
            confirm(changed)
            chosen = changed
            tools.say("Taken. yes, no, or COLUMN=FIELD.")
        except Invalid as error:
            tools.say("; ".join(error.problems))


def show_proposal(tools: Tools, looked: "Looked", mapping: Mapping[str, str]) -> None:
    """Show how a file was understood."""
    layout = looked.layout
    how = (
        f"sheet {layout.sheet}"
        if layout.kind == "workbook"
        else f"{layout.encoding}, cells parted by {layout.delimiter!r}"
    )
    named = f"row {layout.header_row} names the columns" if layout.header_row else "no header"
    tools.say(f"{looked.found.file}: {how}, {named}; to source {looked.found.source_id}")
    tools.show_table(
        ("COLUMN", "HOLDS", "SURE", "BECAUSE", "FIRST VALUES"),
        [
            (
                each.column,
                mapping[each.column],
                f"{each.confidence}%" if mapping[each.column] == each.field else "",
                each.because if mapping[each.column] == each.field else "you say so",
                " | ".join(each.samples),
            )
            for each in looked.proposal.columns
        ],
    )
    for warning in looked.proposal.warnings:
        tools.say(f"Mind: {warning}")


def preview(tools: Tools, hub: "Hub", one: "Import", file: "Bytes") -> "Preview":
    """Go through a whole file without writing anything."""
    from chalicelib.flow.import_preview import Previewer

    previewer = Previewer(hub, one, file)
    with bar(tools) as progress:
        task = progress.add_task("Looking at rows", total=None)
        for looked_at in previewer.go():
            progress.update(task, completed=looked_at)
    return previewer.result


def show_preview(tools: Tools, found: "Preview", *, as_json: bool) -> None:
    """Show what would become of a file's rows."""
    if as_json:
        tools.show_json(found.model_dump(mode="json"))
        return
    tools.show_table(("ROWS", "WOULD BE"), [(n, kind) for kind, n in found.counts.items()])
    for reason, count in found.reasons.items():
        tools.show(f"  {count} cannot be read: {reason}")
    for note, count in found.notes.items():
        tools.show(f"  {count} with {note}")
    tools.show("")
    tools.show_table(
        ("ROW", "WOULD BE", "WHO", "BECAUSE"),
        [
            (
                row.row,
                kind,
                ", ".join(
                    row.contact[n] for n in ("full_name", "email", "phone") if n in row.contact
                ),
                row.because,
            )
            for kind, rows in found.first.items()
            for row in rows
        ],
    )
    tools.say(
        "Nothing was written." + ("" if found.is_whole else " The file could not be read on.")
    )


def count_rows(tools: Tools, one: "Import", file: "Bytes") -> int | None:
    """Count a file's rows, for the progress bar; None where it is damaged further on."""
    from chalicelib.errors import Malformed
    from chalicelib.tables.layout import read_rows

    layout = one.layout
    if layout is None:
        return None
    try:
        with tools.err.status("Counting rows"):
            return sum(1 for _ in read_rows(file, layout, layout.start, layout.header_row))
    except Malformed:
        return None


def finish(
    tools: Tools,
    hub: "Hub",
    import_id: str,
    total: int | None,
    outcomes: Path | None,
    *,
    as_json: bool,
) -> None:
    """Go on with an import to its end and say how it went."""
    from chalicelib.flow.import_run import run

    with bar(tools) as progress:
        kept = progress.add_task("Kept", total=total)
        through = progress.add_task("Through", total=total)

        def tell(one: "Import") -> None:
            known = one.rows if one.is_read else total
            progress.update(kept, completed=one.rows, total=known)
            progress.update(through, completed=one.settled, total=known)

        one = run(hub, import_id, tell=tell, wait=lambda: tools.sleep(1))
    tell_end(tools, hub, one, outcomes, as_json=as_json)
    if one.state == "failed":
        raise HubError(f"not all of the file is in: {one.reason}")


def tell_end(
    tools: Tools, hub: "Hub", one: "Import", outcomes: Path | None, *, as_json: bool
) -> None:
    """Say how an import went, and write its outcomes if asked to."""
    if outcomes:
        write_outcomes(hub, one, outcomes)
    if as_json:
        tools.show_json(one.model_dump(mode="json", exclude={"layout", "mark", "after"}))
        return
    tools.show(
        f"{one.import_id}  {one.file}  {one.state}: {one.settled} of {one.rows} rows through"
    )
    tools.show_table(("ROWS", "OUTCOME"), [(n, outcome) for outcome, n in one.counts.items()])
    if outcomes:
        tools.say(f"What became of each row stands in {outcomes}")
    elif one.counts.get("quarantined"):
        tools.say(f"Which rows, and why: hub imports {one.import_id} --outcomes out.csv")


def write_outcomes(hub: "Hub", one: "Import", path: Path) -> None:
    """Write what became of each row; a file that is half written never stands there."""
    from chalicelib.flow.import_outcomes import outcome_lines

    half = path.with_name(f"{path.name}.part")
    with half.open("w", encoding="utf-8-sig", newline="", errors="replace") as stream:
        stream.writelines(outcome_lines(hub, one))
    half.replace(path)


@contextmanager
def bar(tools: Tools) -> "Iterator[Progress]":
    """Show progress while rows are worked on."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=tools.err, transient=True) as progress:
        yield progress
