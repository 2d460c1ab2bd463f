"""hub forms; hub form SOURCE FORM, hub form confirm."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from chalicelib.cli.leads import gather, tell_of_more
from chalicelib.cli.tools import JsonOption, LimitOption, StageOption, Tools, tools_of

if TYPE_CHECKING:
    from chalicelib.flow.confirm import FormView, Settled
    from chalicelib.flow.reread import Reread
    from chalicelib.hub import Hub

NONE = "-"
"""Stands for the form of a source that has none, and for no field."""

STEP_SECONDS = 2.0
"""How long the command waits while somebody else is at it."""

PATIENCE_SECONDS = 600.0


class Showing(TyperGroup):
    """Takes `hub form SOURCE FORM` for `hub form show SOURCE FORM`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that was named; anything else is a source."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


form_app = typer.Typer(
    cls=Showing,
    no_args_is_help=True,
    help="One form: its questions and what changed about them; confirm how they are read.",
)

SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="Its id.")]
FormArgument = Annotated[
    str, typer.Argument(metavar="FORM", help="The provider's id of it; `-` where there is none.")
]


def forms(
    context: typer.Context,
    every: Annotated[
        bool, typer.Option("--all", help="Also those of which nothing waits.")
    ] = False,
    limit: LimitOption = 50,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List forms that somebody edited, until you say what to do about it."""
    from chalicelib.flow.lists import list_forms

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    found, more = gather(
        tools, limit, lambda most, after: list_forms(hub, most, after, only_open=not every)
    )
    if as_json:
        tools.show_json(found)
        return
    if not found:
        tools.say("No form waits for you." if not every else "No form is known yet.")
        return
    tools.show_table(
        ("SOURCE", "FORM", "TITLE", "CHANGES", "NOTICED"),
        [
            (
                one["source_id"],
                one["form"] or NONE,
                one["title"],
                one["open"],
                one["noticed_at"][:19].replace("T", " "),
            )
            for one in found
        ],
    )
    tell_of_more(tools, limit, is_more=more)
    tools.say("What changed: hub form SOURCE FORM")


@form_app.command()
def show(
    context: typer.Context,
    source: SourceArgument,
    form: FormArgument = NONE,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Show a form's questions, how they are read, and what is proposed for those that changed."""
    from chalicelib.flow.confirm import show_form
    from chalicelib.flow.reread import rereads

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    view = show_form(hub, source, _form(form))
    works = rereads(hub, source, _form(form))
    if as_json:
        shown = view.form.model_dump(mode="json", exclude={"recent", "version"})
        proposals = {
            key: [one.model_dump(mode="json") for one in ranked]
            for key, ranked in view.proposals.items()
        }
        tools.show_json(
            {**shown, "proposals": proposals, "rereads": [w.model_dump(mode="json") for w in works]}
        )
        return
    _show(tools, view, works)


@form_app.command()
def confirm(
    context: typer.Context,
    source: SourceArgument,
    form: FormArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Of the question.")],
    field: Annotated[
        str,
        typer.Argument(metavar="[FIELD]", help="The first proposal if left out; `-` for none."),
    ] = "",
    ignore: Annotated[
        bool, typer.Option("--ignore", help="Change nothing; it is as meant.")
    ] = False,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Say how a question is read from now on; what has come is read again, nobody is told.

    Example: hub form confirm website contact contact_address email
    """
    from chalicelib.flow.confirm import confirm as settle
    from chalicelib.flow.confirm import ignore as leave

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    if ignore:
        leave(hub, source, _form(form), key, "hub command")
        tools.say(f"{key} is left as it is.")
        if as_json:
            tools.show_json({"key": key, "field": "", "number": None, "reread": None})
        return
    wanted = None if not field else "" if field == NONE else field
    settled = settle(hub, source, _form(form), key, wanted, "hub command")
    done = _read_again(tools, hub, settled.reread) if settled.reread else None
    if as_json:
        number = settled.active.number if settled.active else None
        told = done.model_dump(mode="json") if done else None
        tools.show_json({"key": key, "field": settled.field, "number": number, "reread": told})
        return
    _tell(tools, key, settled, done)


def _form(form: str) -> str:
    return "" if form == NONE else form


def _show(tools: Tools, view: "FormView", works: "tuple[Reread, ...]") -> None:
    form = view.form
    title = f" ({form.title})" if form.title else ""
    tools.show(
        f"{form.source_id} {form.form or NONE}{title}: {form.submissions} submissions learned"
    )
    tools.show_table(
        ("KEY", "LABEL", "READ AS", "ANSWERED", "LOOKS LIKE"),
        [
            (
                key,
                question.label,
                "gone" if question.is_gone else question.field or NONE,
                f"{question.given} of {question.seen}",
                ", ".join(sorted(question.shapes, key=lambda s: -question.shapes[s])[:2]),
            )
            for key, question in form.questions.items()
        ],
    )
    for change in form.changes:
        tools.show("")
        instead = f" in place of {', '.join(change.before)}" if change.before else ""
        tools.show(f"{change.key}: {change.kind}{instead}, {change.state}")
        if change.label_before and change.label_before != change.label:
            tools.show(f"  was worded: {change.label_before}")
        if change.label:
            tools.show(f"  is worded: {change.label}")
        for proposal in view.proposals.get(change.key, ()) if change.state == "open" else ():
            because = "; ".join(proposal.because)
            tools.show(f"  {proposal.confidence:4.0%} {proposal.field or NONE}: {because}")
    for work in works:
        if not work.done_at:
            tools.show(f"{work.key} is being read again: {work.progress():.0%}")
    if view.proposals:
        key = next(iter(view.proposals))
        tools.say(
            f"To take the first proposal: hub form confirm {form.source_id} "
            f"{form.form or NONE} {key}"
        )


def _tell(tools: Tools, key: str, settled: "Settled", work: "Reread | None") -> None:
    tools.show(f"{key} is read as {settled.field or 'nothing but an answer'}.")
    if settled.active:
        number = settled.active.number
        tools.show(f"Version {number} is in force; to undo: hub config rollback {number - 1}")
    if work is None:
        return
    tools.show(
        f"{work.looked_at} deliveries looked at, {work.read_again} submissions read otherwise, "
        f"{work.replayed} put through for the first time."
    )
    if not work.done_at:
        tools.say("It goes on by itself, with a second look in a few minutes: hub form SOURCE FORM")


def _read_again(tools: Tools, hub: "Hub", work: "Reread") -> "Reread":
    """Do the first pass here, with a bar; what is left of it goes on by itself."""
    from rich.progress import Progress

    from chalicelib.flow.catch_up import work_on
    from chalicelib.flow.reread import reread_key, reread_of

    waited = 0.0
    with Progress(console=tools.err, transient=True) as progress:
        bar = progress.add_task("Reading again", total=1.0)
        while True:
            item = hub.table.get(reread_key(work))
            work = reread_of(item) if item else work
            progress.update(bar, completed=work.progress())
            if item is None or work.is_first_pass_over or waited >= PATIENCE_SECONDS:
                break
            if not work_on(hub, item):
                tools.sleep(STEP_SECONDS)
                waited += STEP_SECONDS
    return work
