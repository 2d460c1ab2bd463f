"""hub match train, report, weights, rollback."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.imports import bar
from chalicelib.cli.tools import JsonOption, StageOption, Tools, clean, tools_of
from chalicelib.errors import HubError

if TYPE_CHECKING:
    from chalicelib.flow.match_report import Point, Report
    from chalicelib.lead.matching.weights import Weights

app = typer.Typer(
    no_args_is_help=True,
    help="How sure the hub is that two submissions are one person's: learn it, look at it.",
)

BAR = 20
"""Columns of a bar of the chart."""

MOST_CHANGES = 12


@app.command()
def train(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would come to; change nothing.")
    ] = False,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Learn now from what is stored; else the hub does so every night.

    Example: hub match train --dry-run
    """
    from chalicelib.flow.learn import LEAST, Learning, gather, learn_now, learnt
    from chalicelib.lead.matching.weights import AS_IT_COMES

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    current = hub.configurations.current()
    before = hub.configurations.weights(current)
    with tools.err.status("Counting leads") as status:

        def tell(state: Learning) -> None:
            status.update(f"{state.walk.seen} leads counted")
            if state.walk.is_over:
                status.update(f"Learning from {len(state.sample)} of {state.walk.seen} leads")

        if dry_run:
            state = gather(hub, tell)
            leads, after = state.walk.seen, learnt(hub, state)
        else:
            leads = learn_now(hub, tell).leads
            current = hub.configurations.current()
            after = hub.configurations.weights(current)
    number = current.active.weights
    changes = changed(before, after)
    if as_json:
        told = {"number": number, "leads": leads, "changes": changes, "dry_run": dry_run}
        tools.show_json({**told, "weights": after.model_dump(mode="json", exclude={"limits"})})
        return
    if leads < LEAST:
        tools.say(f"{leads} leads are too few to learn from; it begins with {LEAST}.")
        return
    if after.bits == AS_IT_COMES.bits and not after.records:
        tools.say("There was too little to learn from, so all stays as the hub comes.")
        return
    tools.show(f"Learnt from {leads} leads: {in_words(after)}")
    _show_changes(tools, changes)
    if dry_run:
        tools.say("Nothing was changed. To use it: hub match train")
    elif before == after:
        tools.say(f"It is what was known already; weights {number} stay in use.")
    else:
        tools.say(f"Weights {number} are in use now. To go back: hub match rollback NUMBER")


def changed(before: "Weights", after: "Weights") -> list[dict[str, object]]:
    """Name the levels whose bits are others, the most changed first."""
    found = [
        {"field": field, "level": level, "before": old, "after": after.levels[field][level]}
        for field, levels in before.levels.items()
        for level, old in levels.items()
        if after.levels[field].get(level, old) != old
    ]
    return sorted(found, key=_size, reverse=True)


def _size(change: dict[str, object]) -> float:
    return abs(float(str(change["after"])) - float(str(change["before"])))


def in_words(weights: "Weights") -> str:
    """Say what weights know."""
    often = {
        field: max(counts.items(), key=lambda one: (one[1], one[0]))
        for field, counts in weights.counts.items()
        if counts and field in ("first", "last", "city")
    }
    said = [f"{value} is the most frequent {field} ({n})" for field, (value, n) in often.items()]
    return "; ".join(said) or "no value is frequent"


def _show_changes(tools: Tools, changes: list[dict[str, object]]) -> None:
    if not changes:
        tools.say("No level of agreement weighs otherwise than before.")
        return
    tools.show_table(
        ("FIELD", "LEVEL", "BITS BEFORE", "BITS NOW", ""),
        [
            (
                one["field"],
                one["level"],
                f"{one['before']:+.1f}",
                f"{one['after']:+.1f}",
                "says more for one person"
                if float(str(one["after"])) > float(str(one["before"]))
                else "says more for two",
            )
            for one in changes[:MOST_CHANGES]
        ],
    )
    if len(changes) > MOST_CHANGES:
        tools.say(f"{len(changes) - MOST_CHANGES} more changed by less; --json has all.")


@app.command()
def report(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it as a page with pictures: report.html.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Show how well matching does: expected of it, and measured on what people decided.

    Example: hub match report --out report.html
    """
    from chalicelib.flow.match_report import report as look

    if out is not None and out.exists() and not force:
        raise HubError(f"{out.name} is there already; --force writes over it")
    tools = tools_of(context)
    hub = tools.connect(stage).hub
    with bar(tools) as progress:
        task = progress.add_task("Looking at leads", total=None)
        found = look(hub, lambda done, of: progress.update(task, completed=done, total=of))
    if out is not None:
        from chalicelib.cli.match_page import render

        half = out.with_name(f"{out.name}.part")
        half.write_text(render(found), encoding="utf-8")
        half.replace(out)
    if as_json:
        tools.show_json(found.model_dump(mode="json"))
        return
    if not found.sampled:
        tools.say("No leads yet. Play a provider: hub send typeform --wait")
        return
    _show(tools, found)
    if out is not None:
        tools.say(f"The whole of it stands in {out}")


def _show(tools: Tools, found: "Report") -> None:
    tools.show(
        f"{found.sampled} of {found.leads} leads looked at, {found.pairs} pairs, "
        f"{sum(found.held_back.values())} of them held back by a guard; weights {found.weights}"
    )
    tools.say("Expected by the model itself; nobody has checked these pairs.")
    _show_points(tools, found.expected)
    if found.measured:
        tools.say(
            f"Measured on {found.decided_same + found.decided_apart} proposals that people decided."
        )
        _show_points(tools, found.measured)
    else:
        tools.say("Nobody has decided a proposal yet, so nothing is measured: hub duplicates")
    blocks = found.blocks
    tools.show(f"{blocks.read} blocks looked up, {blocks.full} full, {blocks.narrower} narrowed")
    if found.borderline:
        tools.show_table(
            ("PROBABILITY", "LEADS", "BECAUSE"),
            [
                (f"{one.probability:.0%}", f"{one.lead_id} {one.other_id}", one.because)
                for one in found.borderline[:5]
            ],
        )


def _show_points(tools: Tools, points: "tuple[Point, ...]") -> None:
    tools.show_table(
        ("FROM", "PAIRS", "PRECISION", "", "RECALL", ""),
        [
            (
                f"{one.threshold:.1%}",
                one.pairs,
                _drawn(one.precision),
                f"{one.precision:.1%}",
                _drawn(one.recall),
                f"{one.recall:.1%}",
            )
            for one in points
        ],
    )


def _drawn(share: float) -> str:
    """Draw a share as a bar."""
    filled = round(share * BAR)
    return "█" * filled + "·" * (BAR - filled)


@app.command()
def weights(
    context: typer.Context, stage: StageOption = "local", as_json: JsonOption = False
) -> None:
    """List what was learnt and when, newest first."""
    from chalicelib.flow.learn import list_weights

    tools = tools_of(context)
    found = list_weights(tools.connect(stage).hub)
    if as_json:
        tools.show_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        tools.say("Nothing was learnt yet; matching goes by what the hub comes with.")
        return
    tools.show_table(
        ("NUMBER", "LEARNT", "LEADS", "SUBMISSIONS", ""),
        [
            (
                one.number,
                clean(one.learnt_at),
                one.leads,
                one.submissions,
                "in use" if one.is_used else "",
            )
            for one in found
        ],
    )


@app.command()
def rollback(
    context: typer.Context,
    number: Annotated[
        int, typer.Argument(min=0, help="Of hub match weights; 0 is as the hub comes.")
    ],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Use weights that were learnt earlier; what was decided with others stays.

    Example: hub match rollback 0
    """
    from chalicelib.flow.learn import use_weights

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    active = use_weights(hub, number)
    if as_json:
        tools.show_json({"number": active.weights})
        return
    tools.show(f"Weights {active.weights} are in use now.")
    if hub.configurations.current().config.matching.learn:
        tools.say("The hub learns again tonight; `matching: {learn: false}` keeps these.")
