"""hub duplicates: leads that may be one person, for a person to decide."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from chalicelib.cli.merge import ByOption, ReasonOption
from chalicelib.cli.tools import JsonOption, LimitOption, StageOption, Tools, clean, tools_of
from chalicelib.lead.text import joined

if TYPE_CHECKING:
    from chalicelib.flow.duplicates import Duplicate
    from chalicelib.lead.model import Lead

app = typer.Typer(
    invoke_without_command=True,
    help="Leads that may be one person: list them, and say whether they are.",
)

OneId = Annotated[str, typer.Argument(metavar="A", help="A lead; hub duplicates shows it.")]
OtherId = Annotated[str, typer.Argument(metavar="B", help="The other one.")]

SHOWN = ("full_name", "email", "phone", "company", "street", "postal_code", "city", "date_of_birth")
"""Fields that are laid side by side."""


@app.callback()
def listed(
    context: typer.Context,
    limit: LimitOption = 20,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List pairs of leads that may be one person, newest first.

    Example: hub duplicates --limit 5
    """
    if context.invoked_subcommand:
        return
    from itertools import islice

    from chalicelib.flow.duplicates import every_duplicate

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    with tools.err.status("Reading"):
        found = list(islice(every_duplicate(hub), limit + 1))
    if as_json:
        tools.show_json([plain(one) for one in found[:limit]])
        return
    if not found:
        tools.say("Nothing to decide: no two leads look like one person.")
        tools.say("To look through all leads again: hub dedupe")
        return
    for one in found[:limit]:
        _show(tools, one)
    if len(found) > limit:
        tools.say(f"The newest {limit}. For more: --limit {limit * 5}")
    tools.say("One person: hub duplicates merge A B. Two: hub duplicates apart A B")


@app.command()
def merge(
    context: typer.Context,
    one: OneId,
    other: OtherId,
    reason: ReasonOption = "",
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Say that two leads are one person; hub unmerge undoes it, also a year later.

    Example: hub duplicates merge ABC DEF
    """
    from chalicelib.flow.duplicates import decide

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    with tools.err.status("Merging"):
        lead = decide(hub, one, other, "merged", by, reason)
    if as_json:
        tools.show_json(lead.model_dump(mode="json"))
        return
    tools.show(f"{lead.lead_id} is both of them now.")
    gone = other if lead.lead_id == one else one
    tools.say(f"To undo it: hub unmerge {lead.lead_id} {gone}")


@app.command()
def apart(
    context: typer.Context,
    one: OneId,
    other: OtherId,
    reason: ReasonOption = "",
    by: ByOption = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Say that two leads are two people; they are never merged nor proposed again.

    Example: hub duplicates apart ABC DEF --reason "father and son"
    """
    from chalicelib.flow.duplicates import decide

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    lead = decide(hub, one, other, "apart", by, reason)
    if as_json:
        tools.show_json({lead.lead_id: list(lead.apart)})
        return
    tools.show(f"{one} and {other} are two people and stay so.")
    tools.say(f"To take it back: hub keep-apart {one} {other} --lift")


def plain(one: "Duplicate") -> dict[str, Any]:
    """Write a pair for programs."""
    from chalicelib.lead.matching.weights import probability_of

    return {
        "lead_ids": [one.one.lead_id, one.other.lead_id],
        "probability": round(probability_of(one.proposal.bits), 4),
        "because": one.proposal.because,
        "proposed_at": one.proposal.proposed_at,
        "leads": [lead.model_dump(mode="json") for lead in (one.one, one.other)],
    }


def _show(tools: Tools, one: "Duplicate") -> None:
    from chalicelib.lead.matching.weights import probability_of

    sure = probability_of(one.proposal.bits)
    tools.show(f"{sure:.0%} one person: {one.proposal.because}", style="bold")
    rows = [("first came", clean(one.one.created_at), clean(one.other.created_at))]
    rows += [
        (name, _value(one.one, name), _value(one.other, name))
        for name in SHOWN
        if name in one.one.profile or name in one.other.profile
    ]
    rows.append(("submissions", str(one.one.touch_count), str(one.other.touch_count)))
    rows.append(("status", _standing(one.one), _standing(one.other)))
    tools.show_table(("FIELD", one.one.lead_id, one.other.lead_id), rows)
    tools.show("")


def _value(lead: "Lead", name: str) -> str:
    return joined(lead.profile[name].value) if name in lead.profile else ""


def _standing(lead: "Lead") -> str:
    return f"{lead.status}, {lead.assignment.owner_id if lead.assignment else 'nobody'}"
