"""hub touched, hub next-step, hub overdue."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.leads import LeadId
from chalicelib.cli.tools import JsonOption, StageOption, Tools, clean, tools_of
from chalicelib.errors import Invalid

if TYPE_CHECKING:
    from chalicelib.hub import Hub
    from chalicelib.lead.model import Lead

NoteOption = Annotated[str, typer.Option(help="What it was; stands on the timeline.")]
ByOption = Annotated[str, typer.Option(help="Who says it.")]

MINUTE = timedelta(minutes=1)


def touched(
    context: typer.Context,
    lead_id: LeadId,
    next_at: Annotated[
        str, typer.Option("--next", metavar="TIME", help="When the next step is to be.")
    ] = "",
    note: NoteOption = "",
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Note that the owner has contacted the person; the lead counts as accepted too.

    TIME is as 2026-12-01 (when the owner begins work that day) or 2026-12-01T14:30.

    Example: hub touched ID --next 2026-12-01 --note "left a message"
    """
    from chalicelib.flow.clock import touched as note_touch
    from chalicelib.flow.details import find_lead

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    moment = _moment(hub, find_lead(hub, lead_id), next_at) if next_at else None
    _show(tools, note_touch(hub, lead_id, by, moment, note), as_json=as_json)


def next_step(
    context: typer.Context,
    lead_id: LeadId,
    at: Annotated[str, typer.Argument(metavar="TIME", help="2026-12-01 or 2026-12-01T14:30.")],
    note: NoteOption = "",
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Set when the next step of a lead is to be taken; its owner is reminded of it.

    Example: hub next-step ID 2026-12-01T14:30 --note "back from holiday then"
    """
    from chalicelib.flow.clock import plan_step
    from chalicelib.flow.details import find_lead

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    moment = _moment(hub, find_lead(hub, lead_id), at)
    _show(tools, plan_step(hub, lead_id, moment, by, note), as_json=as_json)


def overdue(
    context: typer.Context,
    owner: Annotated[str, typer.Option(help="An owner's id; left out, everybody.")] = "",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List what owners should have done by now, and who has been told of it.

    Example: hub overdue --owner anna
    """
    from chalicelib.flow.overdue import list_overdue

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    with tools.err.status("Reading"):
        found = list_overdue(hub, [owner] if owner else [])
    if as_json:
        tools.show_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        tools.say("Nothing is overdue.")
        return
    tools.show_table(
        ("LEAD", "OWNER", "AWAITED", "WAS DUE", "SCORE", "TOLD", "NEXT"),
        [
            (
                one.lead_id,
                one.owner_name,
                one.awaited,
                clean(one.due_at),
                one.score,
                ", ".join(one.told) or "nobody",
                clean(one.next_at) if one.next_at else "nothing more",
            )
            for one in found
        ],
    )
    tools.say("What was done about one, and why: hub why ID")


def _show(tools: Tools, lead: "Lead", *, as_json: bool) -> None:
    if as_json:
        tools.show_json(lead.model_dump(mode="json"))
        return
    clock = lead.assignment.clock if lead.assignment else ()
    awaited = sorted((one for one in clock if not one.kept_at), key=lambda one: one.due_at)
    if not awaited:
        tools.show(f"{lead.lead_id} is {lead.status}; nothing is awaited of its owner.")
    for one in awaited:
        tools.show(f"{lead.lead_id} is {lead.status}; {one.kind} by {clean(one.due_at)}.")


def _moment(hub: "Hub", lead: "Lead", text: str) -> datetime:
    """Read a time on the owner's own clock; a day is when the owner begins work on it."""
    from chalicelib.config.model import Owner
    from chalicelib.lead.business_time import later
    from chalicelib.lead.hours import find_zone

    config = hub.configurations.current().config
    known = config.owners.get(lead.assignment.owner_id) if lead.assignment else None
    owner = known or Owner(name="", email="")
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        problem = f"{text[:40]}: expected a time as 2026-12-01 or 2026-12-01T14:30"
        raise Invalid("nothing was noted", (problem,)) from None
    if told.tzinfo is None:
        told = told.replace(tzinfo=find_zone(owner, config.settings) or UTC)
    if len(text.strip()) > len("2026-12-01"):
        return told.astimezone(UTC)
    return later(owner, config.settings, told, MINUTE) - MINUTE
