"""The documents name every route, command and option there is, and no other."""

import re
from pathlib import Path

from chalicelib.api.table import ROUTES
from chalicelib.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"


def test_every_route_stands_in_the_document_with_its_roles() -> None:
    text = (DOCS / "api.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z]+ /[^`]*)` \| ([^|]+) \|", text, flags=re.MULTILINE))
    assert set(rows) == {route.name for route in ROUTES}
    for route in ROUTES:
        told = set(rows[route.name].strip().split(", "))
        whole = {"admin", "manager", "rep", "viewer"}
        expected = set(route.roles) or {"anybody"}
        assert told == ({"all"} if expected == whole else expected), route.name


def test_every_command_stands_in_the_document() -> None:
    text = (DOCS / "command-line.md").read_text()
    for command in commands():
        assert f"hub {command}" in text, command


def test_no_document_names_a_command_that_there_is_not() -> None:
    known = commands()
    for file in ("api.md", "command-line.md", "operating.md"):
        for line in re.findall(r"\bhub ([a-z-]+(?: [a-z]+)?)", code((DOCS / file).read_text())):
            assert line in known or line.split()[0] in known, f"{file}: hub {line}"


def code(text: str) -> str:
    """Give what stands in code, inline or in blocks."""
    blocks = re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


def commands() -> set[str]:
    found = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    for group in app.registered_groups:
        inner = group.typer_instance.registered_commands if group.typer_instance else []
        found |= {f"{group.name} {c.name or c.callback.__name__}" for c in inner if c.callback}
        if group.typer_instance and group.typer_instance.registered_callback:
            found.add(str(group.name))
    return found
