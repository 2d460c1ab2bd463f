"""hub dedupe: looks through all leads, or a list before it is imported, for doubles."""

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chalicelib.cli.imports import LocalFile, MapOption, bar, read_map, show_proposal
from chalicelib.cli.tools import JsonOption, StageOption, Tools, clean, tools_of
from chalicelib.errors import HubError, Invalid, TooLarge

if TYPE_CHECKING:
    from chalicelib.flow.dedupe import Dedupe, Pair
    from chalicelib.flow.dedupe_file import RowFound
    from chalicelib.flow.import_state import Import
    from chalicelib.hub import Hub

MOST_SHOWN = 20
"""How many pairs or rows are shown; a file has them all."""

OUTCOME_COLUMNS = ("row", "outcome", "lead", "like row", "because")


def dedupe(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A list, CSV or XLSX, before its import."),
    ] = None,
    source: Annotated[
        str, typer.Option(help="Only leads that came last by it; of a file: for its import.")
    ] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only leads that came since.")
    ] = None,
    merge_above: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.999999, help="Merge by itself from this probability on."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run/--propose", help="Say what it finds; write nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that was begun last.")
    ] = False,
    mapped: MapOption = None,
    outcomes: Annotated[
        Path | None, typer.Option("--outcomes", help="Write what was found of each row to a CSV.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it merges.")] = False,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Look through all leads for such as are one person, and propose them for a person to decide.

    Examples: hub dedupe --dry-run; hub dedupe --file guests.csv --outcomes out.csv
    """
    tools = tools_of(context)
    hub = tools.connect(stage).hub
    day = since.date() if since else None
    if file is not None:
        _check_alone(resume=resume, since=day, merge_above=merge_above)
        _look_at_file(tools, hub, file, source, read_map(mapped or ()), outcomes, as_json=as_json)
        return
    if mapped or outcomes:
        raise Invalid("what file?", ("--map and --outcomes go with --file",))
    if dry_run:
        _look_through(tools, hub, source, day, as_json=as_json)
        return
    if not resume:
        _begin(tools, hub, source, day, merge_above, yes=yes)
    _finish(tools, hub, as_json=as_json)


def _check_alone(*, resume: bool, since: date | None, merge_above: float | None) -> None:
    given = {"--resume": resume, "--since": since, "--merge-above": merge_above}
    wrong = [name for name, value in given.items() if value]
    if wrong:
        raise Invalid("a list is only looked at", (f"{', '.join(wrong)}: not with --file",))


def _begin(
    tools: Tools, hub: "Hub", source: str, since: date | None, above: float | None, *, yes: bool
) -> None:
    from chalicelib.flow.dedupe import begin, count_leads

    if above is not None and not yes:
        tools.say(f"Leads that are one person by {above:.1%} or more are merged, without asking.")
        tools.say("Each merge can be undone (hub unmerge); to see them first: --dry-run")
        typer.confirm("Merge?", abort=True, err=True)
    with tools.err.status("Counting leads"):
        total = count_leads(hub)
    begin(hub, "hub command", source=source, since=since, above=above, total=total)
    tools.say("If this ends, the hub goes on by itself; to watch it: hub dedupe --resume")


def _finish(tools: Tools, hub: "Hub", *, as_json: bool) -> None:
    from chalicelib.flow.dedupe import run_on

    with bar(tools) as progress:
        task = progress.add_task("Looking at leads", total=None)

        def tell(now: "Dedupe") -> None:
            progress.update(
                task,
                completed=now.walk.seen,
                total=max(now.total, now.walk.seen) or None,
                description=f"Looking at leads, {now.proposed} proposed, {now.merged} merged",
            )

        run = run_on(hub, tell)
    if as_json:
        tools.show_json(run.model_dump(mode="json", exclude={"walk"}))
        return
    tools.show(f"{run.looked_at} leads looked at, begun on {clean(run.began_at)}")
    tools.show_table(
        ("PAIRS", ""),
        [
            (run.proposed, "proposed, for a person to decide"),
            (run.known, "known already, each counted from both sides"),
            *([(run.merged, "merged")] if run.above is not None else []),
        ],
    )
    tools.say(
        "To decide them: hub duplicates" if run.proposed or run.known else "No two look alike."
    )


def _look_through(
    tools: Tools, hub: "Hub", source: str, since: date | None, *, as_json: bool
) -> None:
    from chalicelib.flow.dedupe import count_leads, look_through

    with tools.err.status("Counting leads"):
        total = count_leads(hub)
    with bar(tools) as progress:
        task = progress.add_task("Looking at leads", total=total)

        def tell(seen: int) -> None:
            progress.update(task, completed=seen, total=max(total, seen))

        found = list(look_through(hub, tell, source=source, since=since))
    if as_json:
        tools.show_json([_plain(one) for one in found])
        return
    if not found:
        tools.say("No two leads look alike.")
        return
    tools.show_table(
        ("LEADS", "PROBABILITY", "ONE PERSON", "BECAUSE"),
        [
            (
                " ".join(told["lead_ids"]),
                f"{told['probability']:.0%}",
                "yes" if told["is_match"] else "perhaps",
                told["because"],
            )
            for told in map(_plain, found[:MOST_SHOWN])
        ],
    )
    if len(found) > MOST_SHOWN:
        tools.say(f"{len(found) - MOST_SHOWN} more; --json has all.")
    tools.say("Nothing was written. To propose them: hub dedupe")


def _plain(pair: "Pair") -> dict[str, Any]:
    from chalicelib.lead.matching.weights import probability_of
    from chalicelib.lead.matching.words import because

    return {
        "lead_ids": [pair.one.lead_id, pair.twin.lead.lead_id],
        "probability": round(probability_of(pair.twin.candidate.bits), 4),
        "is_match": pair.twin.is_match,
        "because": because(pair.twin.candidate),
    }


def _look_at_file(
    tools: Tools,
    hub: "Hub",
    file: Path,
    source: str,
    mapping: dict[str, str],
    outcomes: Path | None,
    *,
    as_json: bool,
) -> None:
    from chalicelib.flow.dedupe_file import FileCheck

    local = LocalFile(file)
    one = _understood(tools, hub, file, local, source, mapping, as_json=as_json)
    check = FileCheck(hub, one, local)
    shown: list[RowFound] = []

    def kept(rows: "Iterable[RowFound]") -> "Iterable[RowFound]":
        with bar(tools) as progress:
            task = progress.add_task("Looking at rows", total=None)
            for row in rows:
                progress.update(task, advance=1)
                if row.outcome != "new" and (as_json or len(shown) < MOST_SHOWN):
                    shown.append(row.model_copy(update={"cells": ()}))
                yield row

    if outcomes is not None:
        columns = one.layout.columns if one.layout else ()
        _write(outcomes, columns, kept(check.go()))
    else:
        for _ in kept(check.go()):
            pass
    _tell_file(tools, check.counts, shown, check.reason, as_json=as_json)
    if outcomes is not None and not as_json:
        tools.say(f"What was found of each row stands in {outcomes}")
    if check.reason:
        raise HubError(check.reason)


def _understood(
    tools: Tools,
    hub: "Hub",
    file: Path,
    local: LocalFile,
    source: str,
    mapping: dict[str, str],
    *,
    as_json: bool,
) -> "Import":
    """Read what the columns of a file hold, as its import would."""
    from chalicelib.flow import imports
    from chalicelib.flow.import_state import Import

    if local.size > imports.MOST_BYTES:
        raise TooLarge(
            f"{file.name} has {local.size} bytes; at most {imports.MOST_BYTES} are taken"
        )
    config = hub.configurations.current().config
    draft = Import(
        import_id="draft",
        source_id=imports.pick_source(config, source),
        file=file.name,
        created_at=tools.now(),
        created_by="hub command",
    )
    looked = imports.examine(config, draft, local)
    if not as_json:
        show_proposal(tools, looked, {**looked.proposal.mapping, **mapping})
    return imports.confirmed(hub, looked.found, mapping, None)


def _write(path: Path, columns: Iterable[str], rows: "Iterable[RowFound]") -> None:
    """Write what was found of each row; a file that is half written never stands there."""
    from chalicelib.tables.safe import line_of

    half = path.with_name(f"{path.name}.part")
    with half.open("w", encoding="utf-8-sig", newline="", errors="replace") as stream:
        stream.write(line_of([*OUTCOME_COLUMNS, *columns]))
        for row in rows:
            told = (str(row.row), row.outcome, row.lead_id, str(row.like_row or ""), row.because)
            stream.write(line_of([*told, *row.cells]))
    half.replace(path)


def _tell_file(
    tools: Tools,
    counts: dict[str, int],
    shown: "list[RowFound]",
    reason: str,
    *,
    as_json: bool,
) -> None:
    if as_json:
        rows = [row.model_dump(mode="json", exclude={"cells"}) for row in shown]
        tools.show_json({"counts": counts, "reason": reason, "rows": rows})
        return
    meaning = {
        "new": "new people",
        "known": "of leads that are there already",
        "maybe": "perhaps of a lead or a row above; a person is to look",
        "doubled": "of the same person as a row above",
        "unreadable": "cannot be read",
    }
    tools.show_table(("ROWS", ""), [(counts[kind], told) for kind, told in meaning.items()])
    if shown:
        tools.show_table(
            ("ROW", "OUTCOME", "LEAD", "LIKE ROW", "BECAUSE"),
            [(r.row, r.outcome, r.lead_id, r.like_row or "", r.because) for r in shown],
        )
    tools.say("Nothing was written. To take it in: hub import FILE")
