"""Erasing and exporting by the API."""

import json

from chalicelib.flow.catch_up import catch_up
from tests.api.client import Api
from tests.world import World, form


def an_api() -> tuple[Api, str]:
    world = World()
    world.send("forms", form(1, "zoe@example.com", name="Zoe Canary", seats="250"))
    world.settle()
    return Api(world), world.lead().lead_id


def test_an_erasure_is_begun_followed_and_certified() -> None:
    api, lead_id = an_api()
    begun = api.call("POST", f"/v1/leads/{lead_id}/erase", "admin", {"reason": "asked by mail"})
    assert begun.status == 202
    address = begun.headers["location"]
    assert api.get(f"/v1/leads/{lead_id}").status == 410
    assert "zoe" not in begun.text.lower()
    assert "zoe" not in api.get(address).text.lower()
    for _ in range(4):
        catch_up(api.world.hub)
        api.world.drain()
        api.world.clock.advance(minutes=7)
    done = api.get(address).json
    assert done["state"] == "done"
    assert done["asked_by"] == "admin of the test"
    assert done["reason"] == "asked by mail"
    assert {check["found"] for check in done["checks"]} == {0}
    assert any("35 days" in note for note in done["notes"])
    (listed,) = api.get("/v1/erasures").json["erasures"]
    assert listed["erasure_id"] == done["erasure_id"]
    again = api.call("POST", f"/v1/leads/{lead_id}/erase", "admin", {})
    assert again.status == 410
    assert done["erasure_id"] in again.json["detail"]


def test_a_person_is_given_what_is_known_of_them() -> None:
    api, lead_id = an_api()
    found = api.get(f"/v1/leads/{lead_id}/export").json
    assert found["exported_by"] == "admin of the test"
    assert {"field", "value", "source_id", "touch_id"} <= set(found["fields"][0])
    assert "Zoe Canary" in json.dumps(found)
    kinds = [e["kind"] for e in api.get(f"/v1/leads/{lead_id}/timeline").json["entries"]]
    assert "exported" in kinds


def test_an_erasure_that_there_is_not_is_not_found() -> None:
    api, _ = an_api()
    for erasure_id in ("0" * 26, "..%2F", "a b", "é"):
        assert api.get(f"/v1/erasures/{erasure_id}").status == 404
