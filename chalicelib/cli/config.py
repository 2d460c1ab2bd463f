"""hub config check, diff, publish, rollback, show, versions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.tools import JsonOption, StageOption, Tools, tools_of

if TYPE_CHECKING:
    from chalicelib.config.diff import Change
    from chalicelib.config.finding import Finding

app = typer.Typer(no_args_is_help=True, help="The configuration document: check, publish, go back.")

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A configuration in YAML or JSON.")
]


@app.command()
def check(
    context: typer.Context,
    file: File,
    stage: Annotated[
        str, typer.Option(help="Also look whether this hub has every secret that is named.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Find what is wrong with a configuration, line by line; needs no running hub."""
    from chalicelib import registry
    from chalicelib.config.checks import check as find
    from chalicelib.config.document import Lines, load_document, parse_yaml
    from chalicelib.flow.check import check_for

    tools = tools_of(context)
    document, lines = parse_yaml(_text(file))
    config = load_document(document, lines)
    if stage:
        findings = check_for(tools.connect(stage).hub, config, lines)
    else:
        findings = find(config, registry.names(), None, Lines(lines.by_path))
    _show_findings(tools, findings, as_json=as_json)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


@app.command()
def diff(
    context: typer.Context,
    file: File,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Show what publishing a file would change."""
    from chalicelib.config.diff import diff as compare
    from chalicelib.config.document import load

    tools = tools_of(context)
    config = load(_text(file))
    changes = compare(tools.connect(stage).hub.configurations.current().config, config)
    if as_json:
        tools.show_json([change.model_dump(mode="json") for change in changes])
        return
    if not changes:
        tools.say("Nothing would change.")
    _show_changes(tools, changes)


@app.command()
def publish(
    context: typer.Context,
    file: File,
    note: Annotated[str, typer.Option(help="Why; stands in the list of versions.")] = "",
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Check a file and put it in force; nothing is published when it has an error.

    Example: hub config publish hub.yaml --note "Carla joins growth"
    """
    from chalicelib.config.diff import diff as compare
    from chalicelib.config.document import load_document, parse_yaml
    from chalicelib.errors import Misconfigured
    from chalicelib.flow.check import check_for, refuse_errors
    from chalicelib.flow.publish import publish as put_in_force

    tools = tools_of(context)
    document, lines = parse_yaml(_text(file))
    config = load_document(document, lines)
    hub = tools.connect(stage).hub
    findings = check_for(hub, config, lines)
    refuse_errors(findings)
    for finding in findings:
        tools.say(_line(finding))
    try:
        before = hub.configurations.current()
        changes, expected = compare(before.config, config), before.hash
    except Misconfigured:
        changes, expected = [], ""
    active = put_in_force(hub, config, "hub command", note, expected)
    if as_json:
        tools.show_json({"number": active.number, "hash": active.hash, "changes": len(changes)})
        return
    _show_changes(tools, changes)
    is_same = expected == active.hash
    done = "is in force already" if is_same else "is in force"
    tools.show(f"Version {active.number} {done}.")


@app.command()
def rollback(
    context: typer.Context,
    number: Annotated[int, typer.Argument(min=1, help="Of the version; hub config versions.")],
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Put an older version in force again, as a new one."""
    from chalicelib.flow.publish import rollback as go_back

    tools = tools_of(context)
    active = go_back(tools.connect(stage).hub, number, "hub command")
    if as_json:
        tools.show_json({"number": active.number, "hash": active.hash})
        return
    tools.show(f"Version {active.number} is in force; it says what version {number} said.")


@app.command()
def show(
    context: typer.Context,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Print the configuration in force as YAML.

    Example: hub config show > hub.yaml
    """
    from chalicelib.config.document import dump_yaml, plain

    tools = tools_of(context)
    config = tools.connect(stage).hub.configurations.current().config
    if as_json:
        tools.show_json(plain(config))
        return
    tools.out.out(dump_yaml(config).rstrip("\n"), highlight=False)


@app.command()
def versions(
    context: typer.Context,
    stage: StageOption = "local",
    as_json: JsonOption = False,
) -> None:
    """List published versions, newest first."""
    from chalicelib.flow.publish import versions as published

    tools = tools_of(context)
    found = published(tools.connect(stage).hub)
    if as_json:
        tools.show_json([one.model_dump(mode="json", exclude={"document"}) for one in found])
        return
    if not found:
        tools.say("Nothing is published yet: hub config publish FILE")
        return
    tools.show_table(
        ("NUMBER", "PUBLISHED", "BY", "NOTE", "HASH"),
        [(v.number, v.published_at, v.published_by, v.note, v.hash[:12]) for v in found],
    )


def _text(file: Path) -> str:
    from chalicelib.errors import Invalid

    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{file} is not UTF-8 text") from None


def _show_findings(tools: Tools, findings: "list[Finding]", *, as_json: bool) -> None:
    if as_json:
        tools.show_json([finding.model_dump(mode="json") for finding in findings])
        return
    for finding in findings:
        tools.show(_line(finding), "red" if finding.level == "error" else "yellow")
    errors = sum(finding.level == "error" for finding in findings)
    warnings = len(findings) - errors
    if not findings:
        tools.show("Nothing is wrong with it.", "green")
    else:
        tools.say(f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}.")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _line(finding: "Finding") -> str:
    from chalicelib.flow.check import as_text

    return f"{finding.level}: {as_text(finding)}"


def _show_changes(tools: Tools, changes: "list[Change]") -> None:
    for change in changes:
        match change.kind:
            case "added":
                tools.show(f"+ {change.path}: {change.after}", "green")
            case "removed":
                tools.show(f"- {change.path}: {change.before}", "red")
            case _:
                tools.show(f"~ {change.path}: {change.before} -> {change.after}", "yellow")
