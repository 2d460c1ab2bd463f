"""The API of a hub in memory, and somebody of each role to call it."""

import json
from dataclasses import dataclass, field
from typing import Any

from chalice import Chalice
from chalice.test import Client

from chalicelib.api.answers import make_answers
from chalicelib.api.routes import make_routes
from chalicelib.flow.tokens import ROLES, Role, make_token
from tests.world import World


@dataclass(frozen=True)
class Got:
    """What the API answered."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Api:
    """A world with its API; a rep speaks for `ann`, the other rep for `ben`."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        app = Chalice(app_name="test")
        app.register_blueprint(make_routes(lambda: self.world.hub))
        app.register_blueprint(make_answers(lambda: self.world.hub))
        app.log.disabled = True
        self.client = Client(app)
        owners: dict[Role, str] = {"rep": "ann"}
        self.tokens: dict[str, str] = {
            role: make_token(self.world.hub, f"{role} of the test", role, owners.get(role, ""))
            for role in ROLES
        }
        self.tokens["other rep"] = make_token(self.world.hub, "other", "rep", "ben")

    def call(
        self,
        method: str,
        path: str,
        who: str = "admin",
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Got:
        """Call a route; `who` is a role, a whole token, or empty for nobody."""
        sent = dict(headers or {})
        if who:
            sent.setdefault("authorization", f"Bearer {self.tokens.get(who, who)}")
        data = b""
        if body is not None:
            sent.setdefault("content-type", "application/json")
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.client.http.request(method, path, headers=sent, body=data)
        text = answer.body.decode() if isinstance(answer.body, bytes) else str(answer.body or "")
        return Got(
            answer.status_code, {name.lower(): v for name, v in answer.headers.items()}, text
        )

    def get(self, path: str, who: str = "admin") -> Got:
        return self.call("GET", path, who)
