"""hub deliveries, delivery, replay, effects, retry."""

from typing import Annotated

import typer

from chalicelib.cli.leads import gather, tell_of_more
from chalicelib.cli.tools import JsonOption, LimitOption, StageOption, tools_of


def deliveries(
    context: typer.Context,
    source: Annotated[str, typer.Option(help="By which they came.")] = "",
    outcome: Annotated[str, typer.Option(help="accepted, duplicate, quarantined, ...")] = "",
    limit: LimitOption = 20,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List deliveries that have an outcome, newest first.

    Example: hub deliveries --outcome quarantined
    """
    from chalicelib.flow.lists import list_deliveries

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    found, more = gather(
        tools, limit, lambda most, after: list_deliveries(hub, source, outcome, most, after)
    )
    if as_json:
        tools.show_json(found)
        return
    if not found:
        none = "No delivery fits." if source or outcome else "No deliveries yet: hub send typeform"
        tools.say(none)
        return
    tools.show_table(
        ("ID", "SOURCE", "RECEIVED", "OUTCOME", "LEAD OR REASON"),
        [
            (
                one["delivery_id"],
                one["source_id"],
                one["received_at"][:19].replace("T", " "),
                one["outcome"],
                one["reason"] or ", ".join(one["leads"]),
            )
            for one in found
        ],
    )
    tell_of_more(tools, limit, is_more=more)


def delivery(
    context: typer.Context,
    delivery_id: Annotated[str, typer.Argument(metavar="ID")],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Show one delivery: what became of it, and the request as it was kept."""
    from chalicelib.flow.details import find_delivery, kept_request

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    found = find_delivery(hub, delivery_id)
    request = kept_request(hub, found)
    if as_json:
        shown = found.model_dump(mode="json", exclude={"raw", "blob"})
        kept = request.model_dump(mode="json") if request else None
        tools.show_json({**shown, "request": kept})
        return
    tools.show(f"{found.delivery_id} by {found.source_id}, {found.received_at:%Y-%m-%d %H:%M:%S}")
    tools.show(f"{found.outcome}" + (f": {found.reason}" if found.reason else ""))
    for position, result in sorted(found.results.items()):
        lead = f", lead {result.lead_id}" if result.lead_id else ""
        reason = f": {result.reason}" if result.reason else ""
        tools.show(f"  {position}: {result.outcome}{lead}{reason}")
    tools.show("")
    if request is None:
        tools.show("Its request was taken away, for somebody in it was erased.")
        return
    tools.show(f"{request.method} {request.path}")
    for name, values in request.headers.items():
        tools.show(f"{name}: {', '.join(values)}")
    tools.show("")
    tools.show(request.body)
    if found.outcome == "quarantined":
        tools.say(f"When its cause is mended: hub replay {found.delivery_id}")


def replay(
    context: typer.Context,
    delivery_ids: Annotated[list[str], typer.Argument(metavar="ID...")],
    not_spam: Annotated[
        bool, typer.Option("--not-spam", help="Let through what was suspected to be spam.")
    ] = False,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Put deliveries through again; what they did is not done twice."""
    from rich.progress import track

    from chalicelib.flow.replay import replay as put_through

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    done = []
    for delivery_id in track(
        delivery_ids, "Replaying", console=tools.err, disable=len(delivery_ids) < 2, transient=True
    ):
        put_through(hub, delivery_id, not_spam=not_spam)
        done.append(delivery_id)
    if as_json:
        tools.show_json({"replayed": done})
        return
    for delivery_id in done:
        tools.show(f"{delivery_id} is queued again. See: hub delivery {delivery_id}")


def effects(
    context: typer.Context,
    limit: LimitOption = 20,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List notifications that were set aside, newest first."""
    from chalicelib.flow.lists import list_effects

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    found, more = gather(tools, limit, lambda most, after: list_effects(hub, most, after))
    if as_json:
        tools.show_json(found)
        return
    if not found:
        tools.say("None: every notification went out or is under way.")
        return
    tools.show_table(
        ("ID", "LEAD", "DESTINATION", "REASON"),
        [(one["effect_id"], one["lead_id"], one["destination_id"], one["reason"]) for one in found],
    )
    tell_of_more(tools, limit, is_more=more)
    tools.say("When the cause is mended: hub retry LEAD ID")


def retry(
    context: typer.Context,
    lead_id: Annotated[str, typer.Argument(metavar="LEAD")],
    effect_id: Annotated[str, typer.Argument(metavar="ID")],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Give a notification that was set aside another chance."""
    from chalicelib.flow.details import retry_effect

    tools = tools_of(context)
    effect = retry_effect(tools.connect(stage).hub, lead_id, effect_id)
    if as_json:
        tools.show_json(effect.model_dump(mode="json"))
        return
    tools.show(f"{effect.destination_id} is tried again.")
