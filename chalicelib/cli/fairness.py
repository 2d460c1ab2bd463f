"""hub why-not, hub statement."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import Progress

from chalicelib.cli.leads import LeadId
from chalicelib.cli.tools import JsonOption, StageOption, clean, tools_of
from chalicelib.lead.rotation import LEAD


def why_not(
    context: typer.Context,
    lead_id: LeadId,
    owner_id: Annotated[str, typer.Argument(metavar="OWNER", help="An owner's id.")],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Explain why an owner has not got a lead: what kept them from it, or whose turn it was.

    Example: hub why-not 0abc anna
    """
    from chalicelib.flow.details import find_lead
    from chalicelib.flow.why_not import why_not as explain

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    found = explain(hub, find_lead(hub, lead_id), owner_id)
    if as_json:
        tools.show_json(found.model_dump(mode="json"))
        return
    for line in found.lines:
        tools.show(line)


def statement(
    context: typer.Context,
    owner_id: Annotated[str, typer.Argument(metavar="OWNER", help="An owner's id.")],
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Show turns from this day on, in UTC."),
    ] = None,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List every turn of an owner, made again: who was eligible, the share, and who got the lead.

    Exit code 1 if an account is not what its turns add up to.

    Example: hub statement anna --since 2026-11-01
    """
    from chalicelib.flow.statement import OwnTurn, accounts_of, every_turn

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    turns: list[OwnTurn] = []
    with Progress(console=tools.err, transient=True) as progress:
        task = progress.add_task("Making turns again", total=None)
        for found, walk in every_turn(hub, owner_id):
            turns += found
            progress.update(task, completed=walk.seen, description=f"{walk.seen} leads read")
    turns.sort(key=lambda turn: (turn.pool_id, turn.version))
    accounts = accounts_of(hub, owner_id, turns)
    first = since.replace(tzinfo=UTC) if since else None
    shown = [turn for turn in turns if first is None or turn.decided_at >= first]
    if as_json:
        tools.show_json(
            {
                "owner_id": owner_id,
                "accounts": [one.model_dump(mode="json") for one in accounts],
                "turns": [one.model_dump(mode="json") for one in shown],
            }
        )
    elif not turns:
        tools.say(f"No turn has come in which {owner_id} was looked at.")
    else:
        tools.show_table(
            ("POOL", "TURN", "WHEN", "LEAD", "ELIGIBLE", "SHARE", "CREDITED", "WENT TO", "VERDICT"),
            [
                (
                    turn.pool_id,
                    turn.version,
                    clean(turn.decided_at),
                    turn.lead_id,
                    ", ".join(turn.eligible) or "-",
                    f"{turn.share / LEAD:.2f}",
                    f"{turn.credited / LEAD:.2f}",
                    turn.went_to,
                    turn.because,
                )
                for turn in shown
            ],
        )
        tools.show("")
        for one in accounts:
            says = "as its turns add up" if one.agrees else DIFFERS
            tools.show(f"{one.pool_id}: {one.because} ({says})")
    if not all(one.agrees for one in accounts):
        raise typer.Exit(1)


DIFFERS = "not what its turns add up to: some were about people who were erased; else hub verify"
