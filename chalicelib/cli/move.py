"""hub status, hub stage."""

from typing import Annotated, get_args

import typer

from chalicelib.cli.leads import LeadId
from chalicelib.cli.tools import JsonOption, StageOption, Tools, tools_of
from chalicelib.errors import Invalid
from chalicelib.lead.model import STATUSES, Lead, Status

ReasonOption = Annotated[str, typer.Option(help="Why; stands on the timeline.")]
ByOption = Annotated[str, typer.Option(help="Who says it.")]


def move_status(
    context: typer.Context,
    lead_id: LeadId,
    status: Annotated[str, typer.Argument(help=f"One of {', '.join(STATUSES)}.")],
    reason: ReasonOption = "",
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Say where our work on a lead stands.

    Example: hub status ID disqualified --reason "no budget"
    """
    from chalicelib.flow.details import find_lead
    from chalicelib.flow.move import move

    if status not in get_args(Status):
        raise Invalid("the lead was not moved", (f"expected one of {', '.join(STATUSES)}",))
    tools = tools_of(context)
    hub = tools.connect(stage).hub
    before = find_lead(hub, lead_id)
    wanted: Status = next(one for one in STATUSES if one == status)
    _show(tools, before, move(hub, lead_id, by, status=wanted, reason=reason), as_json=as_json)


def move_stage(
    context: typer.Context,
    lead_id: LeadId,
    lead_stage: Annotated[
        str, typer.Argument(metavar="LEAD_STAGE", help="Such as MQL, or one of your own.")
    ],
    reason: ReasonOption = "",
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Say which stage the person has reached; what the configuration does not allow is refused.

    Example: hub stage ID opportunity --reason "asked for an offer"
    """
    from chalicelib.flow.details import find_lead
    from chalicelib.flow.move import move

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    before = find_lead(hub, lead_id)
    _show(tools, before, move(hub, lead_id, by, stage=lead_stage, reason=reason), as_json=as_json)


def _show(tools: Tools, before: Lead, after: Lead, *, as_json: bool) -> None:
    if as_json:
        tools.show_json(after.model_dump(mode="json"))
    elif after.version == before.version:
        tools.say("Nothing to change: it is so already.")
    else:
        rows = [("status", before.status, after.status), ("stage", before.stage, after.stage)]
        tools.show_table(("", "BEFORE", "NOW"), [row for row in rows if row[1] != row[2]])
