"""/v1/sources: health and test."""

import json

from tests.api.client import Api
from tests.world import form


def test_the_health_of_a_source_is_told_in_words_to_staff() -> None:
    api = Api()
    api.world.send("forms", form(1, "zoe@example.com"))
    api.world.settle()
    got = api.get("/v1/sources/forms/health", "viewer").json
    assert got["source"]["state"] == "well"
    assert got["lines"][0].startswith("The last delivery came ")
    assert api.get("/v1/sources/nobody/health").status == 404
    assert api.get("/v1/sources/forms/health", "rep").status == 403


def test_a_source_is_tried_with_its_sample_a_body_or_a_delivery() -> None:
    api = Api()
    path = "/v1/sources/forms/test"
    sample = api.call("POST", path, "manager")
    assert sample.status == 200
    assert (sample.json["is_ok"], sample.json["of"]) == (True, "the sample")
    body = json.loads(form(3, "ida@example.com"))
    tried = api.call("POST", path, body={"body": body}).json
    assert "email: ida@example.com from email" in tried["steps"][5]["details"]
    assert api.world.leads() == []
    api.world.send("forms", form(1, "zoe@example.com"))
    api.world.settle()
    delivery_id = api.get("/v1/deliveries").json["deliveries"][0]["delivery_id"]
    again = api.call("POST", path, body={"delivery_id": delivery_id}).json
    assert again["of"] == f"delivery {delivery_id}"


def test_what_cannot_be_tried_is_said() -> None:
    api = Api()
    path = "/v1/sources/forms/test"
    both = {"delivery_id": "d1", "body": {}}
    assert api.call("POST", path, body=both).status in (400, 422)
    assert api.call("POST", path, body={"delivery_id": "d1"}).status == 404
    assert api.call("POST", "/v1/sources/nobody/test").status == 404
    assert api.call("POST", path, "viewer").status == 403
    assert api.call("POST", path, "rep").status == 403


def test_a_step_that_fails_is_an_answer_and_no_error() -> None:
    api = Api()
    got = api.call("POST", "/v1/sources/forms/test", body={"body": "{"})
    assert got.status == 200
    assert got.json["is_ok"] is False
