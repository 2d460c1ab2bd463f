"""hub sources; hub source health, test."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.tools import JsonOption, StageOption, Tools, tools_of
from chalicelib.errors import Invalid

if TYPE_CHECKING:
    from chalicelib.flow.try_source import Trial

source_app = typer.Typer(no_args_is_help=True, help="How sources are doing, and trying them.")

MARKS = {"ok": ("ok     ", "green"), "failed": ("FAILED ", "red"), "skipped": ("skipped", "")}
STATES = {"well": "well", "trouble": "TROUBLE", "unused": "nothing yet", "off": "switched off"}


def sources(
    context: typer.Context,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List sources: their addresses, how they are doing, what came last."""
    from chalicelib.flow.sources import sources as all_sources

    tools = tools_of(context)
    found = all_sources(tools.connect(stage).hub)
    if as_json:
        tools.show_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        tools.say("The configuration has no source; add one and publish it: hub config publish")
        return
    tools.show_table(
        ("ID", "CONNECTOR", "STATE", "LAST DELIVERY", "REFUSED", "ADDRESS"),
        [
            (
                one.source_id,
                one.connector,
                ", ".join(one.troubles) or STATES[one.state],
                one.last_delivery_at,
                sum(one.refused.values()) or "",
                one.address,
            )
            for one in found
        ],
    )
    if any(one.state != "well" for one in found):
        tools.say("More of one: hub source health ID. Try one: hub source test ID")


@source_app.command("health")
def health(
    context: typer.Context,
    source_id: Annotated[str, typer.Argument(metavar="[ID]", help="Else all of them.")] = "",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Say in words how a source is doing: volume beside the usual, refusals, what ends soon."""
    from chalicelib.flow.sources import report

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    config = hub.configurations.current().config
    found = [report(hub, one) for one in ([source_id] if source_id else config.sources)]
    if as_json:
        tools.show_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        tools.say("The configuration has no source; add one and publish it: hub config publish")
    for number, one in enumerate(found):
        if number:
            tools.show("")
        name = one.source.title or one.source.source_id
        style = "red" if one.source.state == "trouble" else ""
        tools.show(f"{one.source.source_id} ({name}): {STATES[one.source.state]}", style)
        for line in one.lines:
            tools.show(f"  {line}", "red" if line.startswith("TROUBLE") else "")


@source_app.command("test")
def test(
    context: typer.Context,
    source_id: Annotated[str, typer.Argument(metavar="ID")],
    delivery: Annotated[str, typer.Option(help="Take this kept delivery.")] = "",
    body: Annotated[
        Path | None, typer.Option(help="Take the body in this file.", exists=True, dir_okay=False)
    ] = None,
    content_type: Annotated[str, typer.Option(help="Of the body.")] = "application/json",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Put a request through the whole path and show every step; nothing is written or sent.

    Without --delivery and --body it is the connector's own sample, signed as the provider would.

    Example: hub source test website --body enquiry.json
    """
    from chalicelib.flow.try_source import try_source

    tools = tools_of(context)
    if delivery and body:
        raise Invalid("either --delivery or --body")
    given = None
    if body:
        given = {"body": body.read_text(encoding="utf-8"), "content_type": content_type}
    found = try_source(tools.connect(stage).hub, source_id, given, delivery)
    if as_json:
        tools.show_json(found.model_dump(mode="json"))
    else:
        _show_trial(tools, found)
    if not found.is_ok:
        raise typer.Exit(1)


def _show_trial(tools: Tools, found: "Trial") -> None:
    tools.show(f"{found.of} at {found.source_id}; nothing is written or sent")
    for step in found.steps:
        mark, style = MARKS[step.state]
        took = f" [{step.milliseconds} ms]" if step.milliseconds else ""
        tools.show(f"{mark}  {step.name}: {step.found}{took}", style)
        for line in step.details:
            tools.show(f"           {line}")
        if step.hint:
            tools.show(f"         -> {step.hint}")
    tools.say(found.next)
