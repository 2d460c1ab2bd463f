"""hub erase, erasure, export, retention."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chalicelib.cli.imports import bar
from chalicelib.cli.tools import JsonOption, LimitOption, StageOption, Tools, clean, tools_of
from chalicelib.errors import HubError, NotFound

if TYPE_CHECKING:
    from chalicelib.flow.erase_state import Erasure
    from chalicelib.hub import Hub

PersonArgument = Annotated[
    str,
    typer.Argument(
        metavar="PERSON", help="A lead's id, an e-mail address or a phone number with country."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")]


def erase(
    context: typer.Context,
    person: PersonArgument,
    reason: Annotated[str, typer.Option(help="For the certificate; names nobody.")] = "",
    yes: YesOption = False,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Erase a person for good: everything of them in the table, the bucket and the queues.

    Example: hub erase zoe@example.com --reason "asked by mail"
    """
    from chalicelib.flow.erase import begin, begin_unknown, find_person, run_now

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    lead_id, keys = find_person(hub, person)
    if not yes:
        _confirm(tools, hub, lead_id)
    actor = "command line"
    one = begin(hub, lead_id, actor, reason) if lead_id else begin_unknown(hub, keys, actor, reason)
    if as_json:
        one = run_now(hub, one.erasure_id, lambda now: None)
    else:
        one = _erase_shown(tools, hub, one)
    _show(tools, one, as_json=as_json)


STEPS = ("Leads and what hangs on them", "Lists of deliveries", "Refusals, ledgers and imports")


def _erase_shown(tools: Tools, hub: "Hub", one: "Erasure") -> "Erasure":
    """Erase as far as it goes now, with a bar for each step."""
    from chalicelib.flow.erase import run_now
    from chalicelib.flow.erase_search import searched

    lists = len(searched(hub))
    with bar(tools) as progress:
        tasks = [progress.add_task(f"{n}. {step}", total=None) for n, step in enumerate(STEPS, 1)]

        def tell(now: "Erasure") -> None:
            for task, (done, of) in zip(tasks, _how_far(now, lists), strict=True):
                progress.update(task, completed=done, total=of)

        tell(one)
        one = run_now(hub, one.erasure_id, tell)
        tell(one)
    return one


def _how_far(one: "Erasure", lists: int) -> tuple[tuple[int, int | None], ...]:
    """Say of each step how much of it is done, and of how much; None where nobody knows."""
    gone = sum(one.removed.values())
    if one.state == "erasing":
        return (gone, None), (0, lists), (0, 1)
    is_through = one.place is None or one.place.number > 1
    looked_at = lists if one.place is None or is_through else len(one.place.done)
    return (max(gone, 1), max(gone, 1)), (looked_at, lists), (int(is_through), 1)


def _confirm(tools: Tools, hub: "Hub", lead_id: str) -> None:
    from chalicelib.flow.details import find_lead

    if lead_id:
        lead = find_lead(hub, lead_id)
        others = f" and {len(lead.members)} leads merged into it" if lead.members else ""
        tools.say(f"Lead {lead_id}{others}: {lead.touch_count} touches, {lead.status}.")
    else:
        tools.say("No lead is about this person; what came and led to none is looked through.")
    tools.say("Everything of this person goes, and nobody can bring it back.")
    typer.confirm("Erase?", abort=True, err=True)


def erasure(
    context: typer.Context,
    erasure_id: Annotated[
        str, typer.Argument(metavar="[ID]", help="Of one erasure; else the latest are listed.")
    ] = "",
    limit: LimitOption = 20,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Show how far an erasure is, and its certificate in the end; without an id, list them."""
    from chalicelib.flow.erase_state import find_erasure, list_erasures

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    if erasure_id:
        _show(tools, find_erasure(hub, erasure_id)[0], as_json=as_json)
        return
    found: list[Any] = list_erasures(hub, limit)
    if as_json:
        tools.show_json(found)
        return
    if not found:
        tools.say("Nobody was erased yet.")
        return
    tools.show_table(
        ("ID", "ASKED", "BY", "STATE", "LEADS"),
        [
            (
                one["erasure_id"],
                one["asked_at"][:19].replace("T", " "),
                one["asked_by"],
                one["state"],
                ", ".join(one["leads"]),
            )
            for one in found
        ],
    )


def _show(tools: Tools, one: "Erasure", *, as_json: bool) -> None:
    from chalicelib.flow.erase_state import public

    if as_json:
        tools.show_json(public(one).model_dump(mode="json"))
        return
    tools.show(f"Erasure {one.erasure_id}: {one.state}")
    tools.show(f"asked on {clean(one.asked_at)} by {one.asked_by}: {one.reason or 'no reason'}")
    if one.finished_at:
        tools.show(f"finished on {clean(one.finished_at)}")
    tools.show("")
    rows = [(store.replace("_", " "), count) for store, count in one.removed.items()]
    tools.show_table(("TAKEN AWAY", ""), rows)
    if one.shared:
        tools.show(f"{one.shared} of these requests held others' submissions, which stay.")
    if one.waits_for:
        tools.show(f"Still kept, for others in them are not settled: {', '.join(one.waits_for)}")
    if one.checks:
        tools.show("")
        tools.show_table(
            ("LOOKED AT AGAIN", "READ", "FOUND"),
            [(checked.store, checked.looked_at, checked.found) for checked in one.checks],
        )
    if one.told:
        tools.show("")
        tools.show_table(
            ("OUT OF REACH", "ABOUT", "STATE", "WHEN"),
            [(told.destination_id, told.kind, told.state, clean(told.at)) for told in one.told],
        )
    for note in one.notes:
        tools.say(note)
    if one.state != "done":
        tools.say(f"The hub goes on by itself. How far it is: hub erasure {one.erasure_id}")


def export(
    context: typer.Context,
    person: PersonArgument,
    to: Annotated[
        Path, typer.Option("--to", help="File to write: .html to read, .json for programs.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Write all that is known of a person to a file, for the person.

    Example: hub export zoe@example.com --to zoe.html
    """
    from chalicelib.flow.erase import find_person
    from chalicelib.flow.export import export as gather
    from chalicelib.flow.export_page import render

    if to.suffix not in (".html", ".json"):
        raise HubError(f"{to.name}: expected a name that ends in .html or .json")
    if to.exists() and not force:
        raise HubError(f"{to.name} is there already; --force writes over it")
    tools = tools_of(context)
    hub = tools.connect(stage).hub
    lead_id, _ = find_person(hub, person)
    if not lead_id:
        raise NotFound("a lead about this person")
    with tools.err.status("Gathering"):
        found = gather(hub, lead_id, "command line")
    text = render(found) if to.suffix == ".html" else found.model_dump_json(indent=2)
    half = to.with_name(f"{to.name}.part")
    half.write_text(text, encoding="utf-8")
    half.replace(to)
    if as_json:
        told = {"lead_id": found.lead_id, "file": str(to), "touches": len(found.touches)}
        tools.show_json(told)
        return
    tools.show(
        f"{to}: lead {found.lead_id}, {len(found.fields)} fields, {len(found.touches)} touches, "
        f"{len(found.consents)} consents"
    )


def retention(
    context: typer.Context,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Tell what the rules of the configuration take away, and when; takes nothing away."""
    from chalicelib.flow.retention import Forecast, forecast, last_run

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    rules = hub.configurations.current().config.retention
    told: list[Forecast] = []
    with tools.err.status("Looking through lists") as status:
        for rule in rules:
            so_far = Forecast(rule_id=rule.id, what=rule.what, days=rule.days)
            for so_far in forecast(hub, rule):
                status.update(f"{rule.id}: {so_far.now + so_far.in_7_days + so_far.in_30_days}")
            told.append(so_far)
    run = last_run(hub)
    if as_json:
        shown = [one.model_dump(mode="json") for one in told]
        tools.show_json({"rules": shown, "last": run.model_dump(mode="json") if run else None})
        return
    if not rules:
        tools.say("Everything is kept: the configuration has no rules under `retention`.")
        return
    tools.show_table(
        ("RULE", "TAKES AWAY", "AFTER", "NOW", "IN 7 DAYS", "IN 30 DAYS", "FIRST ON", "LAST RUN"),
        [
            (
                one.rule_id,
                one.what,
                f"{one.days} days",
                one.now,
                one.in_7_days,
                one.in_30_days,
                clean(one.next_at)[:10],
                run.taken.get(one.rule_id, 0) if run else "-",
            )
            for one in told
        ],
    )
    tools.say("Nothing was taken away now; the hub does it by itself, once a day.")
