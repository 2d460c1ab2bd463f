"""The `hub` command."""

import os
from typing import Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from chalicelib.cli import (
    access,
    clock,
    config,
    connectors,
    dedupe,
    deliveries,
    doctor,
    duplicates,
    edit,
    fairness,
    forms,
    imports,
    leads,
    ledger,
    match,
    merge,
    move,
    privacy,
    running,
    send,
    sources,
    train,
    verify,
)
from chalicelib.cli.tools import Tools, clean
from chalicelib.errors import HubError, Invalid, NotFound

REFUSED = 1
"""Exit code when something was refused or failed; wrong usage is 2, all well is 0."""


class Guarded(TyperGroup):
    """Turns errors into one clear line each; HUB_DEBUG=1 shows where they come from."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        if os.environ.get("HUB_DEBUG"):
            return super().invoke(ctx)
        tools = ctx.obj if isinstance(ctx.obj, Tools) else Tools()
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except HubError as error:
            _tell(tools, _words(error), error.problems if isinstance(error, Invalid) else ())
        except OSError as error:
            _tell(tools, f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
        except Exception as error:
            if _is_usage(error):
                raise
            _tell(tools, _unexpected(error))
        raise typer.Exit(REFUSED) from None


app = typer.Typer(
    name="hub",
    cls=Guarded,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    help=(
        "The lead hub: receives every enquiry, makes one lead per person, and gives it to the "
        "right owner. Start with `hub up`; then `hub send typeform --wait` and `hub leads`."
    ),
)

for run in (running.up, running.down, running.deploy):
    app.command()(run)
app.command("send")(send.command)
for look in (leads.leads, leads.lead, leads.why):
    app.command()(look)
app.command("why-not")(fairness.why_not)
app.command("statement")(fairness.statement)
app.command("edit")(edit.edit)
app.command()(clock.touched)
app.command("next-step")(clock.next_step)
app.command()(clock.overdue)
app.command("status")(move.move_status)
app.command("stage")(move.move_stage)
for join in (merge.merge, merge.unmerge):
    app.command()(join)
app.command("keep-apart")(merge.keep_apart)
app.add_typer(duplicates.app, name="duplicates")
app.command()(dedupe.dedupe)
app.add_typer(match.app, name="match")
app.command("train")(train.train)
app.add_typer(train.app, name="model")
for handle in (
    deliveries.deliveries,
    deliveries.delivery,
    deliveries.replay,
    deliveries.effects,
    deliveries.retry,
):
    app.command()(handle)
for compare in (ledger.ledger, ledger.backfill):
    app.command()(compare)
for private in (privacy.erase, privacy.erasure, privacy.export, privacy.retention):
    app.command()(private)
app.command("import")(imports.import_file)
app.command()(imports.imports)
app.command("connectors")(connectors.command)
app.command()(sources.sources)
app.add_typer(sources.source_app, name="source")
app.command()(forms.forms)
app.add_typer(forms.form_app, name="form")
app.add_typer(config.app, name="config")
app.add_typer(access.token_app, name="token")
app.add_typer(access.secret_app, name="secret")
app.command()(verify.verify)
app.command()(doctor.doctor)
app.command()(running.mail)


def main() -> None:
    """Run the command line."""
    app(obj=Tools())


def _tell(tools: Tools, line: str, problems: tuple[str, ...] = ()) -> None:
    tools.err.print(Text(clean(line), style="red"), soft_wrap=True)
    for problem in problems:
        tools.err.print(Text(f"  {clean(problem)}"), soft_wrap=True)


def _words(error: HubError) -> str:
    return f"Not found: {error}" if isinstance(error, NotFound) else str(error)


def _unexpected(error: Exception) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError):
        said = error.response["Error"]
        return f"AWS refuses {error.operation_name}: {said.get('Message', said.get('Code'))}"
    if isinstance(error, BotoCoreError):
        return f"AWS cannot be reached as configured: {error}"
    return f"Unexpected {type(error).__name__}; HUB_DEBUG=1 shows where"


def _is_usage(error: Exception) -> bool:
    """Say whether an error is Typer's own, about how the command was called."""
    return type(error).__module__.startswith(("typer", "click"))


if __name__ == "__main__":
    main()
