"""What every command is given: the way to a stage, the web, the screen; and the common options."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chalicelib.cli.stage import Stage, connect
from chalicelib.errors import HubError

WIDE = 240
"""Columns of output that goes to no terminal, so that programs get whole lines."""

_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class NotReached(HubError):
    """A web address does not answer."""


@dataclass(frozen=True)
class Answered:
    """What a web address answered."""

    status: int
    body: str


Http = Callable[[str, str, Mapping[str, str], bytes], Answered]
"""(method, url, headers, body) -> answer; raises NotReached."""


def http(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
    """Send a request; redirects are answers."""
    import requests

    try:
        answer = requests.request(
            method, url, headers=dict(headers), data=body, timeout=30, allow_redirects=False
        )
    except requests.RequestException as error:
        raise NotReached(
            f"{url.partition('?')[0]} does not answer: {type(error).__name__}"
        ) from None
    return Answered(answer.status_code, answer.text)


def _console(*, stderr: bool) -> Console:
    probe = Console(stderr=stderr)
    return probe if probe.is_terminal else Console(stderr=stderr, width=WIDE)


@dataclass(frozen=True)
class Tools:
    """What commands use of the world.

    Attributes:
        out: where results go.
        err: where progress, hints and errors go, so that results can be piped on.
    """

    connect: Callable[[str], Stage] = connect
    http: Http = http
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def say(self, line: str) -> None:
        """Tell the person something that is no result."""
        self.err.print(Text(clean(line)))

    def show(self, line: object, style: str = "") -> None:
        """Print one line of result."""
        self.out.print(Text(clean(line), style=style), soft_wrap=True)

    def show_json(self, value: Any) -> None:
        """Print a result for programs."""
        self.out.out(json.dumps(value, indent=2, default=str), highlight=False)

    def show_table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows below their headings; the first column is never cut."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for position, column in enumerate(columns):
            table.add_column(column, no_wrap=position == 0, overflow="fold")
        for row in rows:
            table.add_row(*(Text(clean(cell)) for cell in row))
        self.out.print(table)


def clean(value: object) -> str:
    """Write a value for a terminal: what came from strangers must not steer it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return _UNFIT.sub("\ufffd", str(value))


def tools_of(context: typer.Context) -> Tools:
    """Give the tools of the running command."""
    tools = context.obj
    return tools if isinstance(tools, Tools) else Tools()


StageOption = Annotated[
    str,
    typer.Option(
        "--stage", envvar="HUB_STAGE", help="Which hub: `local`, or one that is deployed."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")]
