"""hub merge, hub unmerge, hub keep-apart."""

from typing import Annotated

import typer

from chalicelib.cli.tools import JsonOption, StageOption, Tools, tools_of
from chalicelib.errors import Invalid
from chalicelib.lead.model import Lead

LeadIds = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Two leads or more; hub leads shows them.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the timeline.")]
ByOption = Annotated[str, typer.Option(help="Who says it.")]


def merge(
    context: typer.Context,
    lead_ids: LeadIds,
    reason: ReasonOption = "",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also what was said never to be merged.")
    ] = False,
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Make leads one; the oldest stays. hub unmerge undoes it, also a year later.

    Example: hub merge ABC DEF --reason "the same person, she called"
    """
    from chalicelib.flow.merge import merge as make_one

    tools = tools_of(context)
    if len(set(lead_ids)) < 2:
        raise Invalid("nothing to merge", ("expected two different ids or more",))
    hub = tools.connect(stage).hub
    with tools.err.status("Merging"):
        lead = make_one(hub, lead_ids, by, reason, anyway=anyway)
    if as_json:
        tools.show_json(lead.model_dump(mode="json"))
        return
    tools.show(f"{lead.lead_id} is all of them now: {_in_words(lead)}")
    tools.say(f"To undo it: hub unmerge {lead.lead_id} ID, with ID one of the others")


def unmerge(
    context: typer.Context,
    lead_id: Annotated[str, typer.Argument(metavar="LEAD", help="The lead as it is now.")],
    member_id: Annotated[
        str, typer.Argument(metavar="MEMBER", help="The id that is to be a lead of its own again.")
    ],
    reason: ReasonOption = "",
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Take a lead out of the one that it became part of; the two stay apart from then on.

    Example: hub unmerge ABC DEF --reason "father and son"
    """
    from chalicelib.flow.unmerge import unmerge as take_apart

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    with tools.err.status("Taking apart"):
        rest, member = take_apart(hub, lead_id, member_id, by, reason)
    if as_json:
        parts = {"rest": rest, "member": member}
        tools.show_json({name: one.model_dump(mode="json") for name, one in parts.items()})
        return
    for lead in (rest, member):
        tools.show(f"{lead.lead_id}: {_in_words(lead)}")
    tools.say(f"What was said to either: hub lead {rest.lead_id}, hub lead {member.lead_id}")


def keep_apart(
    context: typer.Context,
    one: Annotated[str, typer.Argument(metavar="A", help="A lead.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Another lead.")],
    is_lifted: Annotated[bool, typer.Option("--lift", help="Take it back.")] = False,
    reason: ReasonOption = "",
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Say that two leads are never to be merged, whatever they share.

    Example: hub keep-apart ABC DEF --reason "twins, one phone"
    """
    from chalicelib.flow.details import find_lead
    from chalicelib.flow.merge import keep_apart as mark
    from chalicelib.flow.merge import lift

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    (lift if is_lifted else mark)(hub, one, other, by, reason)
    if as_json:
        _show_marks(tools, [find_lead(hub, one), find_lead(hub, other)])
        return
    tools.show(f"{one} and {other} {'may be' if is_lifted else 'are never to be'} merged.")


def _show_marks(tools: Tools, leads: list[Lead]) -> None:
    tools.show_json({lead.lead_id: list(lead.apart) for lead in leads})


def _in_words(lead: Lead) -> str:
    owner = "nobody yet" if lead.awaits else "nobody: unowned" if lead.is_unowned else "nobody"
    if lead.assignment:
        owner = lead.assignment.owner_id
    times = "submission" if lead.touch_count == 1 else "submissions"
    return f"{lead.touch_count} {times}, {lead.status}, owner {owner}"
