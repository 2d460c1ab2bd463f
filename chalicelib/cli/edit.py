"""hub edit."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from chalicelib.cli.leads import LeadId
from chalicelib.cli.tools import JsonOption, StageOption, tools_of
from chalicelib.errors import Invalid
from chalicelib.lead.changes import Given
from chalicelib.lead.model import Lead
from chalicelib.lead.text import joined


def edit(
    context: typer.Context,
    lead_id: LeadId,
    fields: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FIELD=VALUE]...", help="FIELD= leaves it empty."),
    ] = None,
    release: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="What came by forms counts again; repeatable."),
    ] = None,
    note: Annotated[str, typer.Option(help="Why; stands on the timeline.")] = "",
    by: Annotated[str, typer.Option(help="Who says it.")] = "hub command",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Set fields of a lead by hand; what is set stays until somebody changes or releases it.

    Example: hub edit ID company="Acme Ltd" phone="+44 20 7946 0018" --note "told me so"
    """
    from chalicelib.flow.details import find_lead
    from chalicelib.flow.edit import edit as set_by_hand

    wanted = _wanted(fields or ())
    if not wanted and not release:
        raise Invalid("nothing to change", ("expected FIELD=VALUE, or --release FIELD",))
    tools = tools_of(context)
    hub = tools.connect(stage).hub
    before = find_lead(hub, lead_id)
    after = set_by_hand(hub, lead_id, wanted, release or (), by, note)
    if as_json:
        tools.show_json(after.model_dump(mode="json"))
        return
    if after.version == before.version:
        tools.say("Nothing to change: it is so already.")
        return
    was, now = _shown(before), _shown(after)
    rows = [
        (name, was.get(name, ""), now.get(name, ""))
        for name in dict.fromkeys((*was, *now))
        if was.get(name) != now.get(name)
    ]
    tools.show_table(("FIELD", "BEFORE", "NOW"), rows)
    tools.say(f"See where each value is from: hub lead {after.lead_id}")


def _wanted(fields: Sequence[str]) -> Mapping[str, Given]:
    """Read FIELD=VALUE; a field that is named several times has several values."""
    values: dict[str, list[str]] = {}
    problems = []
    for each in fields:
        name, separator, value = each.partition("=")
        if not separator:
            problems.append(f"{each[:40]}: expected FIELD=VALUE")
        values.setdefault(name.strip(), []).append(value)
    if problems:
        raise Invalid("the lead was not changed", tuple(problems))
    return {name: told[0] if len(told) == 1 else tuple(told) for name, told in values.items()}


def _shown(lead: Lead) -> dict[str, str]:
    """Lay out what is known of a lead, and its score."""
    known = {**lead.profile, **lead.custom}
    return {name: joined(held.value) for name, held in known.items()} | {
        "score": str(lead.score.total)
    }
