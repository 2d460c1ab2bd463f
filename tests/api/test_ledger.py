"""/v1/ledger and the asking for a back-fill."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.cli.provider import Provider
from tests.api.client import Api
from tests.providers import KNOWN, Beside, anew


@pytest.fixture
def b() -> Iterator[Beside]:
    with Provider({}, KNOWN) as provider:
        yield anew(provider, sources=("typeform",))


def test_a_back_fill_is_asked_for_and_the_ledger_shows_what_came_of_it(b: Beside) -> None:
    api = Api(b.world)
    b.submit("typeform", b.world.clock() - timedelta(hours=3))
    got = api.call("POST", "/v1/sources/typeform/backfill", body={"since": "2026-11-20"})
    assert (got.status, got.json) == (
        202,
        {"source_id": "typeform", "since": "2026-11-20T00:00:00Z"},
    )
    b.run(minutes=8)
    got = api.get("/v1/ledger?source=typeform&days=1", "viewer")
    assert got.status == 200
    (source,) = got.json["sources"]
    (day,) = source["days"]
    assert (day["listed"], day["accepted"], day["difference"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/sources/nobody/backfill", {}, 404),
        ("POST", "/v1/sources/forms/backfill", {}, 404),
        ("POST", "/v1/sources/typeform/backfill", {"since": "yesterday"}, 422),
        ("GET", "/v1/ledger?days=0", None, 422),
        ("GET", "/v1/ledger?source=nobody", None, 404),
    ],
)
def test_what_cannot_be_done_is_refused(
    b: Beside, method: str, path: str, body: object, status: int
) -> None:
    assert Api(b.world).call(method, path, body=body).status == status


def test_a_viewer_may_look_and_not_ask(b: Beside) -> None:
    api = Api(b.world)
    assert api.get("/v1/ledger", "viewer").status == 200
    assert api.call("POST", "/v1/sources/typeform/backfill", "viewer", {}).status == 403
    assert api.get("/v1/ledger", "rep").status == 403
