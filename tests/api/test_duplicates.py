"""/v1/duplicates."""

from tests.api.client import Api
from tests.flow.match_scenes import ZOE, ZOE_TOO, alike, asking, duplicate, write
from tests.world import World


def test_pairs_are_listed_with_both_leads_and_the_reason() -> None:
    api = Api(alike())
    answer = api.get("/v1/duplicates").json
    (pair,) = answer["duplicates"]
    emails = {lead["profile"]["email"]["value"] for lead in pair["leads"]}
    assert emails == {ZOE["email"], ZOE_TOO["email"]}
    assert 0 < pair["probability"] < 1
    assert pair["because"]
    assert answer["next"] == ""


def test_a_long_list_goes_on_with_its_cursor() -> None:
    world = asking()
    for number in range(4):
        write(world, number, {**ZOE, "email": f"zoe{number}x{number * 7}@example{number}.com"})
    api = Api(world)
    seen, cursor = [], ""
    for _ in range(9):
        page = api.get(f"/v1/duplicates?limit=2&cursor={cursor}").json
        seen += [tuple(lead["lead_id"] for lead in one["leads"]) for one in page["duplicates"]]
        cursor = page["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == len(api.get("/v1/duplicates").json["duplicates"]) > 2


def test_a_pair_is_merged_and_merged_again_alike() -> None:
    api = Api(alike())
    one, other = names(api.world)
    for _ in range(2):
        got = api.call("POST", f"/v1/duplicates/{one}/{other}/merge", body={"reason": "she called"})
        assert got.status == 200, got
        assert len(got.json["members"]) == 1
    assert api.get("/v1/duplicates").json["duplicates"] == []
    assert api.call("POST", f"/v1/duplicates/{one}/{other}/apart", body={}).status == 409


def test_a_pair_is_kept_apart_and_not_merged_after_it() -> None:
    api = Api(alike())
    one, other = names(api.world)
    for _ in range(2):
        got = api.call("POST", f"/v1/duplicates/{other}/{one}/apart", "manager", {})
        assert got.status == 200
        assert got.json["apart"] == [one]
    refused = api.call("POST", f"/v1/duplicates/{one}/{other}/merge", body={})
    assert refused.status == 409
    assert "kept apart" in refused.json["detail"]


def test_what_nobody_proposed_is_not_found() -> None:
    api = Api(alike())
    one, other = names(api.world)
    (third,) = [x.lead_id for x in api.world.leads() if x.lead_id not in (one, other)]
    for path in (f"{one}/{third}", f"{one}/nobody", "a/b"):
        assert api.call("POST", f"/v1/duplicates/{path}/merge", body={}).status == 404
    assert len(api.world.leads()) == 3


def test_a_lead_names_its_open_proposals() -> None:
    api = Api(alike())
    one, other = names(api.world)
    (named,) = api.get(f"/v1/leads/{one}").json["duplicates"]
    assert named["lead_id"] == other
    api.call("POST", f"/v1/duplicates/{one}/{other}/apart", body={})
    assert api.get(f"/v1/leads/{one}").json["duplicates"] == []


def test_a_rep_sees_only_pairs_that_are_both_theirs() -> None:
    api = Api(alike())
    found = duplicate(api.world)
    owners = {x.assignment.owner_id for x in (found.one, found.other) if x.assignment}
    expected = 1 if owners == {"ann"} else 0
    assert len(api.get("/v1/duplicates", "rep").json["duplicates"]) == expected
    assert len(api.get("/v1/duplicates", "other rep").json["duplicates"]) == int(owners == {"ben"})
    assert len(api.get("/v1/duplicates", "viewer").json["duplicates"]) == 1


def names(world: World) -> tuple[str, str]:
    found = duplicate(world)
    return found.one.lead_id, found.other.lead_id
