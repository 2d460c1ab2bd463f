"""/v1/deliveries, /v1/sources, /v1/effects, /v1/owners: what an admin looks at."""

from dataclasses import replace

import pytest

from chalicelib.errors import Refused
from chalicelib.flow.receive import receive
from chalicelib.request import Request
from tests.api.client import Api
from tests.world import World, form


def test_deliveries_are_listed_by_source_and_outcome() -> None:
    api = Api()
    api.world.send("forms", form(1, email="x@example.com"))
    api.world.drain()
    api.world.clock.advance(minutes=1)
    api.world.send("forms", form(1, email="x@example.com"))
    api.world.clock.advance(minutes=1)
    api.world.send("events", b"not json")
    api.world.drain()

    def outcomes(query: str) -> list[tuple[str, str]]:
        found = api.get(f"/v1/deliveries{query}").json["deliveries"]
        return [(one["source_id"], one["outcome"]) for one in found]

    newest_first = [("events", "quarantined"), ("forms", "duplicate"), ("forms", "accepted")]
    assert outcomes("") == newest_first
    assert outcomes("?source=forms") == newest_first[1:]
    assert outcomes("?outcome=quarantined") == newest_first[:1]
    assert outcomes("?source=forms&outcome=quarantined") == []
    first = api.get("/v1/deliveries?limit=1").json
    second = api.get(f"/v1/deliveries?limit=2&cursor={first['next']}").json
    shown = [one["outcome"] for one in first["deliveries"] + second["deliveries"]]
    assert shown == ["quarantined", "duplicate", "accepted"]


def test_a_replayed_delivery_does_nothing_twice() -> None:
    api = Api()
    api.world.send("forms", form(1, email="x@example.com"))
    api.world.drain()
    delivery_id = api.get("/v1/deliveries").json["deliveries"][0]["delivery_id"]
    for _ in range(2):
        got = api.call("POST", f"/v1/deliveries/{delivery_id}/replay", "manager")
        assert got.status == 202
    api.world.drain()
    assert api.world.lead().touch_count == 1
    shown = api.get(f"/v1/deliveries/{delivery_id}").json
    assert (shown["outcome"], shown["replays"]) == ("accepted", 2)
    assert api.call("POST", "/v1/deliveries/none/replay").status == 404


def test_the_request_is_shown_as_it_was_kept_and_its_beginning_where_it_is_large() -> None:
    api = Api()
    api.world.send("forms", b"\xff\xfe binary " + b"x" * 100_000)
    api.world.drain()
    delivery_id = api.get("/v1/deliveries").json["deliveries"][0]["delivery_id"]
    request = api.get(f"/v1/deliveries/{delivery_id}").json["request"]
    assert request["body_encoding"] == "base64"
    assert request["body_bytes"] == 100_010
    assert len(request["body"]) < 90_000
    assert "forms-secret" not in str(request)


def test_sources_tell_what_was_refused_at_their_doors() -> None:
    api = Api()
    api.world.send("forms", form(1, email="x@example.com"))
    api.world.drain()
    bad = Request("POST", "/hooks/forms", {}, {}, b"{}", api.world.clock(), source_id="forms")
    for _ in range(5):
        receive(api.world.hub, "forms", bad)
    receive(api.world.hub, "forms", replace(bad, body=b"x" * (4 * 1024 * 1024 + 1)))
    sources = {one["source_id"]: one for one in api.get("/v1/sources").json["sources"]}
    forms = sources["forms"]
    assert forms["refused"] == {"unverified": 5, "toolarge": 1}
    assert len(forms["last_refusals"]) == 4
    assert forms["last_outcome"] == "accepted"
    assert forms["address"] == "https://hub.example.com/hooks/forms"
    assert sources["events"]["refused"] == {}
    assert sources["events"]["last_delivery_at"] is None
    assert "secret-0123" not in str(sources)


def test_a_notification_that_was_set_aside_can_be_tried_again() -> None:
    world = World()
    world.web.answers = [Refused("the address is dead"), Refused("the address is dead")]
    world.send("forms", form(1, email="x@example.com", seats=200))
    world.drain()
    api = Api(world)
    (first, second) = api.get("/v1/effects").json["effects"]
    assert {first["destination_id"], second["destination_id"]} == {"chat", "crm"}
    assert "the address is dead" in first["reason"]
    posts = len(world.web.posts)
    path = f"/v1/effects/{first['lead_id']}/{first['effect_id']}/retry"
    for _ in range(2):
        assert api.call("POST", path).status == 202
    world.drain()
    assert len(world.web.posts) == posts + 1
    assert len(api.get("/v1/effects").json["effects"]) == 1
    assert api.call("POST", path).status == 409


def test_an_owner_can_be_switched_off_until_a_time_and_on_again() -> None:
    api = Api()
    path = "/v1/owners/ann/availability"
    got = api.call("PUT", path, "rep", {"off": True, "until": "2026-11-24T08:00:00+01:00"})
    assert got.status == 200
    assert (got.json["is_off"], got.json["can_take_leads"]) == (True, False)
    assert got.json["off_until"] == "2026-11-24T07:00:00Z"
    api.world.clock.advance(days=1)
    ann = api.get("/v1/owners", "rep").json["owners"][0]
    assert (ann["is_off"], ann["can_take_leads"]) == (False, True)
    assert api.call("PUT", path, body={"off": True}).json["off_until"] is None
    assert api.call("PUT", path, body={"off": False}).json["can_take_leads"] is True
    assert api.call("PUT", "/v1/owners/nobody/availability", body={"off": True}).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"off": "maybe"},
        {"off": True, "until": "2020-01-01T00:00:00Z"},
        {"off": True, "until": "2027-01-01T00:00:00"},
        {"off": True, "until": "9999-12-31T23:59:59Z"},
        {"off": False, "until": "2027-01-01T00:00:00Z"},
    ],
)
def test_an_availability_that_does_not_fit_is_refused(body: dict[str, object]) -> None:
    got = Api().call("PUT", "/v1/owners/ann/availability", body=body)
    assert got.status == 422


def test_a_statement_of_a_pool_adds_up() -> None:
    api = Api()
    for number in range(6):
        api.world.send("forms", form(number, email=f"p{number}@example.com", seats=200))
    api.world.drain()
    statement = api.get("/v1/pools/large/statement").json
    assert statement["decided"] == 6
    received = {line["owner_id"]: line["received"] for line in statement["lines"]}
    assert received == {"ann": 4, "ben": 2}
    assert api.get("/v1/pools/asleep/statement").json["lines"] == []
    assert api.get("/v1/pools/none/statement").status == 404
