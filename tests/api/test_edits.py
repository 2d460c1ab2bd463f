"""PATCH /v1/leads/{id}: made on what was seen, told in words when it cannot be."""

from typing import Any

import pytest

from tests.api.client import Api, Got
from tests.world import form


def an_api() -> Api:
    api = Api()
    api.world.send("forms", form(1, "zoe@example.com", name="Zoe Quill", company="Acme", seats=200))
    api.world.settle()
    return api


def patch(api: Api, body: Any, seen: str = "*", who: str = "admin") -> Got:
    path = f"/v1/leads/{api.world.lead().lead_id}"
    return api.call("PATCH", path, who, body, {"if-match": seen} if seen else {})


def test_a_lead_is_changed_by_what_was_seen_of_it() -> None:
    api = an_api()
    path = f"/v1/leads/{api.world.lead().lead_id}"
    seen = api.get(path).headers["etag"]
    got = patch(api, {"fields": {"company": "Beta Ltd", "seats": 12}, "note": "told me"}, seen)
    assert got.status == 200
    assert got.headers["etag"] == api.get(path).headers["etag"] != seen
    held = got.json["profile"]["company"]
    assert (held["value"], held["by"], held["touch_id"]) == ("Beta Ltd", "admin of the test", "")
    assert got.json["custom"]["seats"]["value"] == 12
    assert got.json == {
        name: value for name, value in api.get(path).json.items() if name != "duplicates"
    }


def test_each_value_says_where_it_is_from() -> None:
    api = an_api()
    patch(api, {"fields": {"job_title": "Head"}}, who="rep")
    lead = api.get(f"/v1/leads/{api.world.lead().lead_id}").json
    told = {name: (held["source_id"], held["by"]) for name, held in lead["profile"].items()}
    assert told["company"] == ("forms", "")
    assert told["job_title"] == ("", "Ann Ashby")
    assert lead["profile"]["company"]["at"] == "2026-11-23T08:00:00Z"


def test_what_was_seen_must_be_said_and_must_be_so_still() -> None:
    api = an_api()
    seen = api.get(f"/v1/leads/{api.world.lead().lead_id}").headers["etag"]
    assert patch(api, {"fields": {"company": "B"}}, "").status == 428
    assert patch(api, {"fields": {"company": "B"}}, seen).status == 200
    got = patch(api, {"fields": {"company": "C"}}, seen)
    assert (got.status, got.json["detail"]) == (
        412,
        "the lead has changed since; fetch it and look again",
    )
    now = api.get(f"/v1/leads/{api.world.lead().lead_id}").headers["etag"]
    for odd in (now.strip('"'), f"W/{now}", f"{seen}, {now}", '""'):
        assert patch(api, {"fields": {"company": "C"}}, odd).status == 412
    assert api.world.lead().profile["company"].value == "B"


def test_a_field_is_given_back() -> None:
    api = an_api()
    patch(api, {"fields": {"company": "B"}})
    got = patch(api, {"release": ["company"]})
    assert got.json["profile"]["company"]["value"] == "Acme"


def test_a_field_is_emptied_by_null() -> None:
    got = patch(an_api(), {"fields": {"company": None}})
    assert "company" not in got.json["profile"]
    assert [edit["field"] for edit in got.json["edits"]] == ["company"]


def test_every_mistake_is_named_at_once() -> None:
    api = an_api()
    got = patch(api, {"fields": {"email": "no", "seats": "many"}})
    assert got.status == 422
    assert got.json["problems"] == [
        "email: expected an e-mail address such as ann@example.com",
        "seats: expected a number",
    ]
    got = patch(api, {"fields": {"emial": "x"}})
    assert (got.status, len(got.json["problems"])) == (422, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"field": {"company": "B"}},
        {"fields": {"company": {"a": 1}}},
        {"fields": ["company"]},
        {"release": "company"},
        {"fields": {"company": "B"}, "note": "two\nlines"},
        {"fields": {"company": "B"}, "note": "x" * 201},
    ],
)
def test_a_body_that_does_not_fit_is_refused(body: Any) -> None:
    api = an_api()
    before = api.world.table.scan()
    assert patch(api, body).status == 422
    assert [i for i in api.world.table.scan() if i["kind"] == "lead"] == [
        i for i in before if i["kind"] == "lead"
    ]


def test_an_address_of_somebody_else_is_refused_with_their_lead() -> None:
    api = an_api()
    (zoe,) = api.world.leads()
    api.world.send("forms", form(2, "yan@example.com"))
    api.world.settle()
    (yan,) = (lead for lead in api.world.leads() if lead != zoe)
    got = api.call(
        "PATCH",
        f"/v1/leads/{zoe.lead_id}",
        body={"fields": {"email": "Yan@example.com"}},
        headers={"if-match": "*"},
    )
    assert got.status == 409
    assert yan.lead_id in got.json["detail"]
    assert "yan@example.com" not in got.text.lower()


def test_a_rep_edits_their_own_leads_and_knows_of_no_other() -> None:
    api = an_api()
    assert patch(api, {"fields": {"company": "B"}}, who="rep").status == 200
    assert patch(api, {"fields": {"company": "C"}}, who="other rep").status == 404
    assert patch(api, {"fields": {"company": "C"}}, who="viewer").status == 403
    assert api.world.lead().profile["company"].value == "B"


# --- where it stands ------------------------------------------------------------------------------


def post_status(api: Api, body: Any, seen: str = "*", who: str = "rep") -> Got:
    path = f"/v1/leads/{api.world.lead().lead_id}/status"
    return api.call("POST", path, who, body, {"if-match": seen} if seen else {})


def test_a_lead_is_moved_by_what_was_seen_of_it() -> None:
    api = an_api()
    path = f"/v1/leads/{api.world.lead().lead_id}"
    seen = api.get(path).headers["etag"]
    assert post_status(api, {"status": "contacted"}, "").status == 428
    got = post_status(api, {"status": "contacted", "stage": "SQL", "reason": "rang"}, seen)
    assert (got.status, got.json["status"], got.json["stage"]) == (200, "contacted", "SQL")
    assert got.headers["etag"] == api.get(path).headers["etag"] != seen
    assert post_status(api, {"status": "qualified"}, seen).status == 412
    told = api.get(f"{path}/timeline").json["entries"]
    assert [one["text"] for one in told if one["kind"] == "moved"] == [
        "status assigned to contacted, stage MQL to SQL: rang"
    ]


def test_a_move_that_may_not_be_is_told_why() -> None:
    api = an_api()
    got = post_status(api, {"stage": "won", "status": "disqualified"})
    assert got.status == 422
    told = " ".join(got.json["problems"])
    assert "there is no stage won; expected one of lead, MQL, SQL, opportunity, customer" in told
    assert "reason: expected why it is disqualified" in told
    assert post_status(api, {"status": "lost"}).status == 422
    assert post_status(api, {"status": "contacted"}, who="viewer").status == 403
