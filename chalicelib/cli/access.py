"""hub token make, list, remove; hub secret set, list."""

import secrets
import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from chalicelib.cli.stage import Stage
from chalicelib.cli.tools import JsonOption, StageOption, Tools, tools_of
from chalicelib.errors import Invalid, Misconfigured

token_app = typer.Typer(no_args_is_help=True, help="Access tokens of the API.")
secret_app = typer.Typer(
    no_args_is_help=True, help="Secrets that the configuration names, kept encrypted."
)

LONGEST_SECRET = 7000 // 2
"""Two live values must fit one SSM parameter, which may be of 8 KB when it is large."""

FUNCTIONS_REMEMBER_MINUTES = 5


@token_app.command("make")
def make_token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of whoever will use it; stands on timelines.")],
    role: Annotated[str, typer.Option(help="admin, manager, rep or viewer.")],
    owner: Annotated[str, typer.Option(help="For a rep: the owner whose leads it reaches.")] = "",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it, this once.

    Example: hub token make "Anna's phone" --role rep --owner anna
    """
    from typing import cast

    from chalicelib.flow import tokens

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    token = tokens.make_token(hub, name, cast(tokens.Role, role), owner)
    if as_json:
        tools.show_json({"token": token, "role": role, "owner": owner})
        return
    tools.say("Keep it now; it is not shown again. Send it as `Authorization: Bearer TOKEN`.")
    tools.out.out(token, highlight=False)


@token_app.command("list")
def list_tokens(
    context: typer.Context,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List the tokens that work."""
    from chalicelib.flow import tokens

    tools = tools_of(context)
    found = tokens.list_tokens(tools.connect(stage).hub)
    if as_json:
        tools.show_json([c.model_dump(mode="json", exclude={"version"}) for c in found])
        return
    if not found:
        tools.say("No tokens yet: hub token make NAME --role admin")
        return
    tools.show_table(
        ("ID", "NAME", "ROLE", "OWNER", "MADE"),
        [(c.token_id, c.name, c.role, c.owner_id, c.created_at) for c in found],
    )


@token_app.command("remove")
def remove_token(
    context: typer.Context,
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As hub token list shows it.")],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """End a token at once."""
    from chalicelib.flow import tokens

    tools = tools_of(context)
    removed = tokens.remove_token(tools.connect(stage).hub, token_id)
    if as_json:
        tools.show_json({"removed": removed.token_id, "name": removed.name})
        return
    tools.show(f"The token of {removed.name} works no more.")


@secret_app.command("set")
def set_secret(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As the configuration names it.")],
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Keep the old value alive for a while.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="End the old value at once.")] = False,
    days: Annotated[
        int, typer.Option(min=1, max=90, help="With --rotate: how long the old value lives.")
    ] = 7,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Set a secret to what is piped in, or make one up and print it, this once.

    Example: pbpaste | hub secret set typeform-secret --rotate --stage prod
    """
    tools = tools_of(context)
    at = tools.connect(stage)
    given = "" if sys.stdin.isatty() else sys.stdin.read().strip("\r\n")
    if len(given) > LONGEST_SECRET or not given.isprintable():
        raise Invalid(f"a secret is one line of at most {LONGEST_SECRET} characters")
    value = given or secrets.token_hex(32)
    entries = _entries(tools, at, name, value, days, rotate=rotate, replace=replace)
    _warn_if_unnamed(tools, at, name)
    at.put_secret(name, entries)
    made = "" if given else value
    if as_json:
        tools.show_json({"name": name, "live": len(entries), **({"value": made} if made else {})})
        return
    old = f" The one before works until {entries[1]['not_after'][:16]}Z." if entries[1:] else ""
    tools.say(f"{name} is set.{old} Functions know it within {FUNCTIONS_REMEMBER_MINUTES} minutes.")
    if made:
        tools.say("Keep it now; it is not shown again:")
        tools.out.out(made, highlight=False)


@secret_app.command("list")
def list_secrets(
    context: typer.Context,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List the secrets that are needed, and how many values of each are live; shows no value."""
    from chalicelib.flow.check import secret_names

    tools = tools_of(context)
    hub = tools.connect(stage).hub
    names = secret_names(hub.configurations.current().config)
    found = [
        {"name": name, "live": len(hub.secrets.get(name)), "use": use}
        for name, use in sorted(names.items())
    ]
    if as_json:
        tools.show_json(found)
        return
    rows = [(one["name"], one["live"] or "missing", one["use"]) for one in found]
    tools.show_table(("NAME", "LIVE", "WHAT IT DOES"), rows)
    missing = next((one["name"] for one in found if not one["live"]), None)
    if missing:
        tools.say(f"Set what is missing: hub secret set {missing}")


def _entries(
    tools: Tools, at: Stage, name: str, value: str, days: int, *, rotate: bool, replace: bool
) -> list[dict[str, Any]]:
    """Give the values that are to live: the new one, and the one before while it is replaced."""
    live = at.hub.secrets.get(name)
    if live and not (rotate or replace):
        raise Invalid(
            f"{name} has a value already",
            (
                "--rotate keeps it alive beside the new one while the provider changes over",
                "--replace ends it at once, as when it has leaked",
            ),
        )
    entries: list[dict[str, Any]] = [{"value": value, "not_after": None}]
    if rotate and live and live[0] != value:
        ends_at = tools.now() + timedelta(days=days)
        entries.append({"value": live[0], "not_after": ends_at.isoformat()})
    return entries


def _warn_if_unnamed(tools: Tools, at: Stage, name: str) -> None:
    from chalicelib.config.document import did_you_mean
    from chalicelib.flow.check import secret_names

    try:
        names = secret_names(at.hub.configurations.current().config)
    except Misconfigured:
        return
    if name not in names:
        hint = did_you_mean(name, names) or "; one that is published next may"
        tools.say(f"The configuration in force names no secret {name}{hint}")
