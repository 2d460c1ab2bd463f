"""hub verify: makes stored decisions again."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import track

from chalicelib.cli.leads import PAGE
from chalicelib.cli.tools import JsonOption, StageOption, tools_of
from chalicelib.flow.lists import LeadFilter
from chalicelib.hub import Hub


def verify(
    context: typer.Context,
    lead_id: Annotated[
        str, typer.Argument(metavar="[ID]", help="Of one lead; all of them without it.")
    ] = "",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Make stored scores, rules and turns again; exit code 1 if one comes out differently.

    Example: hub verify --json
    """
    from chalicelib.flow.verify import Finding
    from chalicelib.flow.verify import verify as make_again

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    lead_ids = [lead_id] if lead_id else list(_all_leads(hub))
    found: list[Finding] = []
    for each in track(lead_ids, "Making decisions again", console=tools.err, transient=True):
        found += make_again(hub, each)
    wrong = [finding for finding in found if finding.problem]
    if as_json:
        tools.show_json({"decisions": len(found), "different": [asdict(one) for one in wrong]})
    elif wrong:
        tools.show_table(
            ("LEAD", "DECISION", "MADE", "DIFFERENCE"),
            [(one.lead_id, one.kind, one.decided_at, one.problem) for one in wrong],
        )
    else:
        tools.show(f"{len(found)} decisions about {len(lead_ids)} leads come out the same.")
    if wrong:
        raise typer.Exit(1)


def _all_leads(hub: Hub) -> Iterator[str]:
    from chalicelib.flow.lists import list_leads

    after = ""
    while True:
        page = list_leads(hub, LeadFilter(), PAGE, after)
        yield from (str(entry["lead_id"]) for entry in page.entries)
        after = page.after
        if not after:
            return
