"""hub train, model list, show, load, use, chance."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.imports import bar
from chalicelib.cli.tools import JsonOption, StageOption, Tools, clean, tools_of
from chalicelib.errors import HubError, Invalid

if TYPE_CHECKING:
    from chalicelib.lead.predict.card import Card
    from chalicelib.lead.predict.measure import Measured
    from chalicelib.lead.predict.report import Report

app = typer.Typer(
    no_args_is_help=True, help="How likely a lead is to be won, learnt from how others ended."
)


def train(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would come to; change nothing.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it as a page with pictures: report.html.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="Look at this field even if it seems to know the outcome."),
    ] = None,
    after: Annotated[
        int, typer.Option("--after", min=0, help="Minutes: how old leads are looked at.")
    ] = 10,
    maturity: Annotated[
        int, typer.Option("--maturity", min=0, help="Days: younger leads are left out.")
    ] = 30,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Learn how likely a lead is to be won, from how the hub's own leads ended.

    Example: hub train --out report.html
    """
    from chalicelib.flow.train import gather, publish_card

    judge = _judge()
    if out is not None and out.exists() and not force:
        raise HubError(f"{out.name} is there already; --force writes over it")
    tools = tools_of(context)
    hub = tools.connect(stage).hub
    with bar(tools) as progress:
        task = progress.add_task("Reading leads", total=None)
        examples = gather(
            hub,
            timedelta(minutes=after),
            timedelta(days=maturity),
            lambda seen: progress.update(task, completed=seen),
        )
        found = judge(
            [one.fields for one in examples],
            [int(one.is_won) for one in examples],
            is_ordered=True,
            keep=keep or (),
            tell=lambda what, done, of: progress.update(
                task, description=what, completed=done, total=of
            ),
        )
    update = {"trained_at": hub.clock(), "after_minutes": after}
    found = found.model_copy(update={"card": found.card.model_copy(update=update)})
    number = 0 if dry_run or found.card.is_empty else publish_card(hub, found.card)
    if out is not None:
        from chalicelib.cli.train_page import render

        half = out.with_name(f"{out.name}.part")
        half.write_text(render(found, "How well the predictive score does"), encoding="utf-8")
        half.replace(out)
    if as_json:
        tools.show_json({"number": number, **found.model_dump(mode="json", exclude_defaults=True)})
        return
    _show_report(tools, found)
    if out is not None:
        tools.say(f"The whole of it stands in {out}")
    if found.card.is_empty:
        return
    if dry_run:
        tools.say("Nothing was changed. To use it: hub train")
    else:
        tools.say(f"Model {number} is in use now; it decides nothing. hub model chance LEAD")


def _judge() -> Callable[..., "Report"]:
    try:
        from chalicelib.training.judge import judge
    except ModuleNotFoundError as error:
        raise HubError(f"training needs {error.name}: pip install {error.name}") from None
    return judge


def _show_report(tools: Tools, found: "Report") -> None:
    card = found.card
    tools.show(f"{card.leads} leads are old enough to learn from, {card.won} of them were won.")
    if card.is_empty:
        tools.say("That is too little: five that were won and five that were not are needed.")
        return
    _show_card(tools, card)
    for name, measured in (("Held back at random", found.across), ("The newest", found.newest)):
        if measured is not None:
            _show_measured(tools, name, measured)
    if found.across is None:
        tools.say("There are too few outcomes to measure how well it does.")


def _show_measured(tools: Tools, name: str, found: "Measured") -> None:
    tools.show(
        f"{name}: {found.leads} leads, area under the curve {found.auc:.3f}, "
        f"calibration error {found.error:.3f}, log loss {found.log_loss:.3f}, "
        f"Brier {found.brier:.3f}"
    )


def _show_card(tools: Tools, card: "Card") -> None:
    from chalicelib.lead.predict.words import term_in_words

    others = card.elsewhere.terms if card.elsewhere else ()
    for terms in filter(None, (card.terms, others)):
        tools.show_table(
            ("POINTS", "IF", "LEADS", "WON"),
            [
                (f"{t.points:+d}", term_in_words(t), t.leads, f"{t.won / max(t.leads, 1):.0%}")
                for t in terms
            ],
        )
        if terms is card.terms and others:
            tools.say(f"And where {', '.join(card.ranges)} say a time that was never learnt from:")
    if not card.terms:
        tools.say("No field says anything of its own.")
    tools.say(f"Everybody begins with {card.base}; ten points more double the odds.")
    for one in card.refused:
        if one.is_leak:
            tools.say(f"{one.field} is refused: {one.reason}")


@app.command("list")
def list_models(
    context: typer.Context, stage: StageOption = "local", as_json: JsonOption = False
) -> None:
    """List the cards that were learnt, newest first."""
    from chalicelib.flow.train import list_cards

    tools = tools_of(context)
    found = list_cards(tools.connect(stage).hub)
    if as_json:
        tools.show_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        tools.say("Nothing was learnt yet: hub train")
        return
    tools.show_table(
        ("NUMBER", "LEARNT", "LEADS", "WON", "TERMS", ""),
        [
            (
                one.number,
                clean(one.kept_at),
                one.leads,
                one.won,
                one.terms,
                "in use" if one.is_used else "",
            )
            for one in found
        ],
    )


@app.command()
def show(
    context: typer.Context,
    number: Annotated[
        int | None, typer.Argument(min=1, help="Of hub model list; else the one in use.")
    ] = None,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Show the points of a card, and the fields that it leaves out.

    Example: hub model show --json > card.json
    """
    from chalicelib.flow.train import read_card

    tools = tools_of(context)
    card, _ = read_card(tools.connect(stage).hub, number)
    if as_json:
        tools.show_json(card.model_dump(mode="json", exclude_defaults=True))
        return
    _show_card(tools, card)


@app.command()
def load(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A card as `hub model show --json` writes it.")],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Put a card into use whose points you have changed.

    Example: hub model load card.json
    """
    from pydantic import ValidationError

    from chalicelib.flow.train import publish_card
    from chalicelib.lead.predict.card import Card

    tools = tools_of(context)
    try:
        card = Card.model_validate_json(file.read_bytes())
    except ValidationError as error:
        problems = tuple(
            f"{'.'.join(map(str, one['loc'])) or 'card'}: {one['msg']}" for one in error.errors()
        )
        raise Invalid(f"{file.name} is no card", problems) from None
    number = publish_card(tools.connect(stage).hub, card)
    if as_json:
        tools.show_json({"number": number})
        return
    tools.show(f"Model {number} is in use now.")


@app.command()
def use(
    context: typer.Context,
    number: Annotated[int, typer.Argument(min=0, help="Of hub model list; 0 is none.")],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Use a card that was learnt earlier.

    Example: hub model use 0
    """
    from chalicelib.flow.train import use_card

    tools = tools_of(context)
    active = use_card(tools.connect(stage).hub, number)
    if as_json:
        tools.show_json({"number": active.model})
        return
    tools.show(f"Model {active.model} is in use now." if active.model else "No model is in use.")


@app.command()
def chance(
    context: typer.Context,
    lead_id: Annotated[str, typer.Argument(metavar="LEAD")],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Say how likely a lead is to be won, by the card in use, and why.

    Example: hub model chance 01J9ZK
    """
    from chalicelib.flow.train import foretell
    from chalicelib.lead.predict.words import because

    tools = tools_of(context)
    found = foretell(tools.connect(stage).hub, lead_id)
    said = because(found.prediction)
    if as_json:
        tools.show_json(
            {
                "model": found.number,
                "chance": round(found.prediction.chance, 4),
                "points": found.prediction.points,
                "knows": found.prediction.knows,
                "because": said,
            }
        )
        return
    tools.show(f"{found.prediction.chance:.0%}: {said}")
