"""/v1/forms: what changed about forms, and confirming it."""

from tests.api.client import Api
from tests.flow.form_scenes import fill_in, learned, usual


def edited() -> Api:
    api = Api()
    learned(api.world, 12)
    answers = usual(1)
    answers["contact_address"] = answers.pop("email")
    fill_in(api.world, 1, **answers)
    return api


def test_a_change_is_listed_shown_and_confirmed() -> None:
    api = edited()
    (listed,) = api.get("/v1/forms", "viewer").json["forms"]
    assert (listed["source_id"], listed["form"], listed["open"]) == ("forms", "", 1)
    shown = api.get("/v1/sources/forms/forms/-", "viewer").json
    (change,) = shown["changes"]
    assert change["change"]["kind"] == "renamed"
    assert change["proposals"][0]["field"] == "email"
    assert "contact_address" in {question["key"] for question in shown["questions"]}
    got = api.call("POST", "/v1/sources/forms/forms/-/confirm", body={"key": "contact_address"})
    assert (got.status, got.json["field"], got.json["number"]) == (202, "email", 2)
    assert api.get("/v1/forms").json["forms"] == []
    assert len(api.get("/v1/forms?every=true").json["forms"]) == 1
    (reread,) = api.get("/v1/sources/forms/forms/-").json["rereads"]
    assert reread["key"] == "contact_address"


def test_a_change_is_ignored() -> None:
    api = edited()
    body = {"key": "contact_address", "action": "ignore"}
    got = api.call("POST", "/v1/sources/forms/forms/-/confirm", body=body)
    assert (got.status, got.json["number"], got.json["reread"]) == (200, None, None)
    assert api.get("/v1/forms").json["forms"] == []


def test_what_there_is_not_is_not_found_and_no_field_is_made_up() -> None:
    api = edited()
    path = "/v1/sources/forms/forms"
    assert api.get(f"{path}/other").status == 404
    assert api.call("POST", f"{path}/-/confirm", body={"key": "never"}).status == 404
    wrong = {"key": "contact_address", "field": "e-mail"}
    assert api.call("POST", f"{path}/-/confirm", body=wrong).status == 422


def test_no_answer_of_a_person_is_shown() -> None:
    api = edited()
    text = api.get("/v1/sources/forms/forms/-").text + api.get("/v1/forms").text
    assert "@example" not in text
    assert "900" not in text
