"""The command line at a hub in memory."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rich.console import Console
from typer.testing import CliRunner, Result

from chalicelib.cli.main import app
from chalicelib.cli.stage import NoStage, Stage
from chalicelib.cli.tools import Answered, Tools
from chalicelib.flow.receive import receive
from chalicelib.request import Request
from tests.world import World


@dataclass
class Desk:
    """Somebody who types commands; there is one stage, `local`.

    Attributes:
        screen: what shows progress and hints; by default nobody looks.
    """

    world: World = field(default_factory=World)
    is_working: bool = True
    screen: Console | None = None

    def run(self, *arguments: str, stdin: str = "") -> Result:
        tools = Tools(
            connect=self.connect,
            http=self.http,
            now=self.world.clock,
            sleep=self.sleep,
            out=Console(width=240),
            err=self.screen or Console(width=240, stderr=True),
        )
        return CliRunner().invoke(app, arguments, obj=tools, input=stdin, env={"HUB_DEBUG": ""})

    def json(self, *arguments: str, stdin: str = "") -> Any:
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def connect(self, name: str) -> Stage:
        if name != "local":
            raise NoStage(f"stage {name} is not deployed: hub deploy --stage {name}")
        return Stage(name, self.world.hub, self.put_secret, lambda service: None)

    def put_secret(self, name: str, entries: list[dict[str, Any]]) -> None:
        self.world.secrets.values[name] = tuple(entry["value"] for entry in entries)
        self.put = entries

    def http(self, method: str, url: str, headers: Any, body: bytes) -> Answered:
        parts = urlsplit(url)
        if parts.path == "/health":
            return Answered(200, '{"status":"ok"}')
        source_id, _, token = parts.path.removeprefix("/hooks/").partition("/")
        request = Request(
            method=method,
            path=f"/hooks/{source_id}",
            query={k: tuple(v) for k, v in parse_qs(parts.query).items()},
            headers={name: (value,) for name, value in headers.items()},
            body=body,
            received_at=self.world.clock(),
            path_token=token,
            source_id=source_id,
            url=url,
        )
        reply = receive(self.world.hub, source_id, request)
        return Answered(reply.status, reply.body)

    def sleep(self, seconds: float) -> None:
        """Let the workers work while the command waits."""
        self.world.clock.advance(seconds=seconds)
        if self.is_working:
            self.world.drain()
