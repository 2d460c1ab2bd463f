"""What every answer of the API has in common, health, and what is refused in our own trouble."""

import dataclasses
import logging
import subprocess
import sys

import pytest
from chalice import Chalice
from chalice.test import Client

from chalicelib.api.routes import make_routes
from chalicelib.api.table import ROUTES
from chalicelib.hub import Hub
from tests.api.client import Api
from tests.world import form

HARD = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/v1/leads"),
        ("GET", "/v1/leads/none"),
        ("GET", "/v1/leads?limit=0"),
        ("DELETE", "/v1/leads"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/answer/none"),
        ("PUT", "/answer/none"),
    ],
)
def test_no_answer_may_be_cached_guessed_at_or_framed(method: str, path: str) -> None:
    for who in ("admin", ""):
        got = Api().call(method, path, who)
        assert {name: got.headers.get(name) for name in HARD} == HARD
        assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
        assert "access-control-allow-origin" not in got.headers


def test_a_page_elsewhere_may_not_read_answers() -> None:
    for origin in ("null", "https://evil.example", "https://hub.example.com"):
        got = Api().call("GET", "/v1/leads", headers={"origin": origin})
        assert not [name for name in got.headers if name.startswith("access-control")]


def test_storage_that_is_down_is_said_without_its_name() -> None:
    api = Api()
    api.world.table.is_down = True
    got = api.get("/v1/leads")
    assert got.status == 503
    assert got.headers["retry-after"] == "5"
    assert "Dynamo" not in got.text


def test_our_own_mistake_shows_nothing_and_logs_no_words_of_a_person(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Not written out where it is raised: a traceback quotes the code, and may.
    words = "-".join(["secret", "person@example.com at arn:aws:dynamodb"])

    class Broken:
        def __getattr__(self, name: str) -> object:
            raise ValueError(words)

    def broken_hub() -> Hub:
        return dataclasses.replace(Api().world.hub, table=Broken())  # type: ignore[arg-type]

    app = Chalice(app_name="broken")
    app.register_blueprint(make_routes(broken_hub))
    app.log.propagate = True
    with caplog.at_level(logging.ERROR):
        token = "hub_" + "a" * 43
        answer = Client(app).http.get("/v1/leads", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 500
    body = answer.body.decode()
    assert "example.com" not in body
    assert "arn" not in body
    assert "Traceback" not in body
    assert "GET /v1/leads: ValueError" in caplog.text
    assert "secret-person" not in caplog.text


def test_anybody_learns_whether_the_hub_works_and_nothing_else() -> None:
    api = Api()
    assert api.get("/health", "").json == {"status": "ok"}
    api.world.table.is_down = True
    got = api.get("/health", "")
    assert (got.status, got.json) == (503, {"status": "down"})


def test_health_tells_what_is_wrong() -> None:
    api = Api()
    assert api.get("/health", "viewer").json["status"] == "ok"
    api.world.send("forms", form(7, email="night@example.com", topic="night"))
    api.world.drain()
    health = api.get("/health", "viewer").json
    assert (health["status"], health["unowned"]) == ("degraded", 1)
    api.world.send("forms", form(8, email="late@example.com"))
    api.world.inbox.delete([m.message_id for m in api.world.inbox.receive()])
    api.world.clock.advance(minutes=30)
    health = api.get("/health", "viewer").json
    assert health["oldest_due_at"]
    assert any("overdue" in problem for problem in health["problems"])
    assert "@example" not in str(health)


def test_loading_the_routes_loads_no_handler() -> None:
    code = (
        "import sys; from chalicelib.api.routes import make_routes;"
        "from chalicelib.api.answers import make_answers; make_routes(None); make_answers(None);"
        "heavy = {'jinja2', 'phonenumbers', 'email_validator', 'chalicelib.api.leads',"
        "'chalicelib.flow.lists'} & set(sys.modules); print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_route_is_registered_once_and_named_in_no_other_place() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    app = Chalice(app_name="test")
    app.register_blueprint(make_routes(lambda: Api().world.hub))
    registered = {f"{method} {path}" for path, methods in app.routes.items() for method in methods}
    assert registered == {route.name for route in ROUTES}
