"""Merging and taking apart by the API."""

from chalicelib.flow.merge import keep_apart
from tests.api.client import Api
from tests.flow.test_merge import world_of


def test_leads_are_merged_shown_by_either_id_and_taken_apart() -> None:
    world, ids = world_of(2)
    api = Api(world)
    path = f"/v1/leads/{ids[1]}/merge"
    got = api.call("POST", path, "manager", {"lead_ids": [ids[0]], "reason": "one person"})
    assert got.status == 200
    assert (got.json["lead_id"], got.json["members"]) == (ids[0], [ids[1]])
    assert api.call("GET", f"/v1/leads/{ids[1]}", "viewer").json["lead_id"] == ids[0]
    why = api.call("GET", f"/v1/leads/{ids[0]}/why", "viewer").json
    assert why["merges"][0]["kind"] == "merged"
    got = api.call("POST", f"/v1/leads/{ids[0]}/unmerge", "admin", {"lead_id": ids[1]})
    assert [got.json[name]["lead_id"] for name in ("rest", "member")] == ids
    assert api.call("GET", f"/v1/leads/{ids[1]}", "viewer").json["lead_id"] == ids[1]


def test_what_is_kept_apart_is_answered_409_and_can_be_lifted() -> None:
    world, ids = world_of(2)
    api = Api(world)
    path = f"/v1/leads/{ids[0]}/keep-apart"
    got = api.call("POST", path, "manager", {"lead_id": ids[1], "reason": "twins"})
    assert got.json["apart"] == [ids[1]]
    merge = {"lead_ids": [ids[1]]}
    got = api.call("POST", f"/v1/leads/{ids[0]}/merge", "manager", merge)
    assert got.status == 409
    assert ids[1] in got.json["detail"]
    got = api.call("POST", path, "manager", {"lead_id": ids[1], "lift": True})
    assert got.json["apart"] == []
    assert api.call("POST", f"/v1/leads/{ids[0]}/merge", "manager", merge).status == 200


def test_a_rep_merges_only_leads_of_their_own() -> None:
    world, ids = world_of(2)
    leads = {lead.lead_id: lead for lead in world.leads()}
    api = Api(world)
    assert leads[ids[0]].assignment != leads[ids[1]].assignment
    path = f"/v1/leads/{ids[0]}/merge"
    for who in ("rep", "other rep"):
        assert api.call("POST", path, who, {"lead_ids": [ids[1]]}).status == 404


def test_a_rep_sees_nothing_of_others_leads_by_asking_for_them_to_be_taken_out() -> None:
    world, ids = world_of(2)
    one, other = ids
    api = Api(world)
    keep_apart(world.hub, one, other, "ann")
    for who in ("rep", "other rep"):
        for asked, taken in ((one, other), (other, one)):
            got = api.call("POST", f"/v1/leads/{asked}/unmerge", who, {"lead_id": taken})
            assert got.status == 404


def test_what_makes_no_sense_is_refused() -> None:
    world, ids = world_of(2)
    api = Api(world)
    path = f"/v1/leads/{ids[0]}"
    assert api.call("POST", f"{path}/merge", "admin", {"lead_ids": []}).status == 422
    assert api.call("POST", f"{path}/merge", "admin", {"lead_ids": [ids[0]]}).status == 422
    assert api.call("POST", f"{path}/merge", "admin", {"lead_ids": ["nobody"]}).status == 404
    assert api.call("POST", f"{path}/unmerge", "admin", {"lead_id": ids[1]}).status == 409
