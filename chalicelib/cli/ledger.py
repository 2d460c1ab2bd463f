"""hub ledger, hub backfill."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.tools import JsonOption, StageOption, Tools, tools_of
from chalicelib.errors import HubError, Invalid

if TYPE_CHECKING:
    from chalicelib.flow.ledger import SourceLedger

SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="Its id.")]

STEP_SECONDS = 5.0
"""How long the command waits before it looks again while there is nothing to do."""

PATIENCE_SECONDS = 1800.0

PASSING = timedelta(minutes=10)
"""What is tried again within this time is waited for; anything else needs a person."""


class NotCompared(HubError):
    """A comparison did not come to its end; the message says why."""


def ledger(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="[SOURCE]", help="Its id; else all.")] = "",
    days: Annotated[int, typer.Option(min=1, max=100, help="Today included.")] = 7,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Compare, per source and day, what the provider says exists with what became of it.

    Example: hub ledger meta --days 30
    """
    from chalicelib.flow.ledger import ledgers

    tools = tools_of(context)
    found = ledgers(tools.connect(stage).hub, source, days)
    if as_json:
        tools.show_json([one.model_dump(mode="json") for one in found])
        return
    rows = [
        (
            one.source_id,
            day.day,
            "-" if day.listed is None else day.listed,
            day.accepted,
            day.duplicate,
            day.quarantined,
            day.refused,
            day.withdrawn + day.erased,
            day.test + day.ignored,
            "-" if day.difference is None else day.difference,
        )
        for one in found
        for day in one.days
        if day.listed or day.listed is None
    ]
    if rows:
        headings = ("SOURCE", "DAY", "LISTED", "ACCEPTED", "DUPLICATE", "QUARANTINED")
        more = ("REFUSED", "WITHDRAWN", "TEST+IGNORED", "DIFFERENCE")
        tools.show_table((*headings, *more), rows)
    else:
        tools.say("Nothing was submitted or received on these days.")
    for note, ids in _notes(found).items():
        tools.say(f"{', '.join(ids)}: {note}")
    for one in found:
        if one.trouble:
            tools.say(f"{one.source_id}: its list cannot be read: {one.trouble}")
        for day in one.days:
            for verdict, names in day.named.items():
                tools.say(f"{one.source_id} {day.day} {verdict}: {', '.join(names)}")


def _notes(found: Sequence["SourceLedger"]) -> dict[str, list[str]]:
    """Gather sources of which the same is to be said; one alone has its provider named."""
    alike: dict[str, list[SourceLedger]] = {}
    for one in found:
        if one.note:
            alike.setdefault(one.note.replace(one.title, "the provider"), []).append(one)
    return {
        note if len(ones) > 1 else ones[0].note: [one.source_id for one in ones]
        for note, ones in alike.items()
    }


def backfill(
    context: typer.Context,
    source: SourceArgument,
    since: Annotated[
        str, typer.Option(help="First day, as 2027-01-31; else as far as the provider goes.")
    ] = "",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Compare a source with its provider's list now, and bring in what is missing.

    Example: hub backfill meta --since 2027-01-31
    """
    from chalicelib.flow.backfill import ask_for

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    began_at = hub.clock()
    from_day = ask_for(hub, source, _day(since) if since else None)
    tools.say(f"Comparing {source} from {from_day:%Y-%m-%d} on.")
    found = _compare(tools, stage, source, began_at)
    if as_json:
        tools.show_json(found)
        return
    tools.show(
        f"{source}: the provider lists {found['listed']}; {found['kept']} were missing and are in."
    )
    tools.say(f"See: hub ledger {source}")


def _day(text: str) -> datetime:
    from chalicelib.flow.ledger import beginning

    try:
        return beginning(text)
    except ValueError:
        raise Invalid("no such day", ("--since: expected a day, as 2027-01-31",)) from None


def _compare(tools: Tools, stage: str, source: str, began_at: datetime) -> dict[str, int]:
    """Do slices until the comparison that was asked for has come to its end."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    from chalicelib.flow.catch_up import work_on
    from chalicelib.flow.comparison import sync_key, sync_of
    from chalicelib.lead.model import utc_text

    hub = tools.connect(stage).hub
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn())
    waited = 0.0
    with Progress(*columns, console=tools.err, transient=True) as progress:
        task = progress.add_task("Reading the provider's list", total=None)
        while waited < PATIENCE_SECONDS:
            item = hub.table.get(sync_key(source))
            if item is None:
                raise NotCompared(f"source {source}: its back-fill vanished")
            state = sync_of(item)
            due_at = str(item.get("due_at", "~"))
            if state.trouble and due_at > utc_text(hub.clock() + PASSING):
                raise NotCompared(f"source {source}: {state.trouble}")
            is_over = state.finished_at is not None and state.finished_at >= began_at
            if is_over and state.asked_since is None:
                return {"listed": state.listed, "kept": state.kept}
            if state.under_way:
                progress.update(task, description=f"{state.under_way.listed} listed")
            if due_at <= utc_text(hub.clock()):
                work_on(hub, item)
            else:
                tools.sleep(STEP_SECONDS)
                waited += STEP_SECONDS
    raise NotCompared(f"source {source}: it takes long, and goes on by itself: hub ledger {source}")
