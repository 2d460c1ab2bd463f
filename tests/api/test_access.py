"""Who may call what: every route, every role, and ids of somebody else."""

import pytest

from chalicelib.api.table import CONDITIONAL, ROUTES, Route
from chalicelib.config.document import plain
from chalicelib.errors import Refused
from chalicelib.flow.erase import begin_unknown
from chalicelib.flow.merge import merge
from chalicelib.flow.proposals import Proposal, pair_of, proposal_writes
from chalicelib.flow.tokens import list_tokens, remove_token
from chalicelib.records import lead_item
from tests.api.client import Api
from tests.flow.import_scenes import people, upload, with_lists
from tests.world import World, form, replaced

CALLERS = ("", "admin", "manager", "rep", "other rep", "viewer")
STAFF = ("admin", "manager", "viewer")

ONLY_OWN = {
    "GET /v1/leads/{lead_id}",
    "PATCH /v1/leads/{lead_id}",
    "GET /v1/leads/{lead_id}/timeline",
    "GET /v1/leads/{lead_id}/why",
    "GET /v1/leads/{lead_id}/why-not/{owner_id}",
    "GET /v1/owners/{owner_id}/statement",
    "POST /v1/leads/{lead_id}/merge",
    "POST /v1/leads/{lead_id}/unmerge",
    "POST /v1/leads/{lead_id}/keep-apart",
    "POST /v1/duplicates/{lead_id}/{other_id}/merge",
    "POST /v1/duplicates/{lead_id}/{other_id}/apart",
    "POST /v1/leads/{lead_id}/accept",
    "POST /v1/leads/{lead_id}/decline",
    "POST /v1/leads/{lead_id}/touched",
    "POST /v1/leads/{lead_id}/next-step",
    "POST /v1/leads/{lead_id}/status",
    "PUT /v1/owners/{owner_id}/availability",
}
"""Routes on which a rep reaches what is theirs and nothing else; here it is all Ann's."""


def api_with_a_lead_of_ann() -> Api:
    world = with_lists(World())
    world.web.answers = [Refused("dead address"), Refused("dead address")]
    world.send("forms", form(1, email="x@example.com", name="Xenia Y", seats=200))
    world.drain()
    assignment = world.lead().assignment
    assert assignment is not None
    assert assignment.owner_id == "ann"
    upload(world, people(1))
    begin_unknown(world.hub, ["email:nobody@example.com"], "ann")
    return Api(world)


OF_TWO = {f"/v1/leads/{{lead_id}}/{what}" for what in ("merge", "unmerge", "keep-apart")}
OF_TWO |= {f"/v1/duplicates/{{lead_id}}/{{other_id}}/{what}" for what in ("merge", "apart")}


def another_of_ann(api: Api, lead_id: str, route: Route) -> str:
    """Make a second lead of Ann's; gives its id."""
    world = api.world
    world.clock.advance(minutes=1)
    world.send("forms", form(90, "zoe@example.net", seats="250", full_name="Zoe Ash"))
    world.drain()
    (other,) = [one for one in world.leads() if one.lead_id != lead_id]
    assert other.assignment
    mine = other.assignment.model_copy(update={"owner_id": "ann"})
    world.table.plant(lead_item(other.model_copy(update={"assignment": mine}), "w"))
    if route.path.endswith("/unmerge"):
        merge(world.hub, [lead_id, other.lead_id], "ann")
    if "/duplicates/" in route.path:
        ids = pair_of(lead_id, other.lead_id)
        one = Proposal(lead_ids=ids, proposed_at=world.clock(), bits=-1.5, because="alike")
        world.table.write(proposal_writes([one], "w"))
    return other.lead_id


def request_of(api: Api, route: Route) -> tuple[str, object, dict[str, str]]:
    """Give path, body and headers of a call that would do its work."""
    lead = api.world.lead()
    effects = [item for item in api.world.table.scan() if item["kind"] == "effect"]
    effect_id = next(e["sk"].partition("#")[2] for e in effects if "list_pk" in e)
    delivery = next(i["pk"] for i in api.world.table.scan() if i["kind"] == "delivery")
    imported = next(i["pk"] for i in api.world.table.scan() if i["kind"] == "import")
    erasure = next(i["pk"] for i in api.world.table.scan() if i["kind"] == "erasure")
    source_id = "meta" if route.path.endswith("/backfill") else "forms"
    other_id = another_of_ann(api, lead.lead_id, route) if route.path in OF_TWO else ""
    path = route.path.format(
        import_id=imported.partition("#")[2],
        lead_id=lead.lead_id,
        other_id=other_id,
        delivery_id=delivery.partition("#")[2],
        erasure_id=erasure.partition("#")[2],
        effect_id=effect_id,
        owner_id="ann",
        pool_id="large",
        source_id=source_id,
        form="-",
    )
    body: object = None
    if route.method in ("PUT", "POST", "PATCH"):
        body = {
            "/v1/leads/{lead_id}": {"fields": {"company": "Example"}},
            "/v1/leads/{lead_id}/merge": {"lead_ids": [other_id]},
            "/v1/leads/{lead_id}/unmerge": {"lead_id": other_id},
            "/v1/leads/{lead_id}/keep-apart": {"lead_id": other_id},
            "/v1/leads/{lead_id}/next-step": {"at": "2030-01-01T09:00:00Z"},
            "/v1/config": plain(replaced(api.world.config, "owners", "dee", active=True)),
            "/v1/config/check": plain(api.world.config),
            "/v1/config/rollback": {"number": 1},
            "/v1/imports": {"file": "list.csv", "size": 100},
            "/v1/owners/{owner_id}/availability": {"off": True},
            "/v1/sources/{source_id}/forms/{form}/confirm": {"key": "name", "field": "company"},
        }.get(route.path, {})
    return path, body, {"if-match": "*"} if route.name in CONDITIONAL else {}


def expected(route: Route, who: str) -> set[int]:
    if not route.roles:
        return {200}
    if not who:
        return {401}
    role = "rep" if who == "other rep" else who
    if role not in route.roles:
        return {403}
    if who == "other rep" and route.name in ONLY_OWN:
        return {404}
    return {200, 201, 202}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_role_may_do_what_the_table_says_and_no_more(route: Route) -> None:
    for who in CALLERS:
        api = api_with_a_lead_of_ann()
        path, body, headers = request_of(api, route)
        before = stored(api)
        got = api.call(route.method, path, who, body, headers)
        assert got.status in expected(route, who), (who, got)
        if got.status >= 400:
            assert stored(api) == before, f"{who} was refused and changed something"
            assert got.headers["content-type"] == "application/problem+json"
            assert "x@example.com" not in got.text


def stored(api: Api) -> list[object]:
    return [(item["pk"], item["sk"], item.get("version")) for item in api.world.table.scan()]


@pytest.mark.parametrize("route", [r for r in ROUTES if r.roles], ids=lambda route: route.name)
def test_a_removed_token_and_every_trick_with_tokens_are_refused_alike(route: Route) -> None:
    api = api_with_a_lead_of_ann()
    path, body, headers = request_of(api, route)
    admin = next(c for c in list_tokens(api.world.hub) if c.role == "admin")
    remove_token(api.world.hub, admin.token_id)
    jwt = "eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ."
    tricks = [
        f"Bearer {api.tokens['admin']}",
        f"Bearer {jwt}",
        f"Basic {api.tokens['manager']}",
        api.tokens["manager"],
        f"Bearer {api.tokens['manager'][:-1]}",
        f"Bearer {api.tokens['manager']}x",
        f"Bearer {api.tokens['manager']}, Bearer {api.tokens['manager']}",
        "Bearer hub_" + "é" * 43,
        "Bearer " + "hub_" + "A" * 43,
        "Bearer ",
    ]
    answers = set()
    for header in tricks:
        got = api.call(route.method, path, "", body, {**headers, "authorization": header})
        assert got.status == 401, header
        assert got.headers["www-authenticate"] == 'Bearer realm="hub"'
        answers.add(got.text)
    assert len({text.partition('"instance"')[0] for text in answers}) == 1


def test_a_token_in_the_address_is_not_looked_at() -> None:
    api = api_with_a_lead_of_ann()
    assert api.get(f"/v1/leads?access_token={api.tokens['admin']}", "").status == 401


def test_a_rep_lists_only_their_own_leads() -> None:
    api = api_with_a_lead_of_ann()
    assert len(api.get("/v1/leads", "rep").json["leads"]) == 1
    assert api.get("/v1/leads", "other rep").json["leads"] == []
    assert api.get("/v1/leads?q=x@example.com", "other rep").json["leads"] == []
    assert api.get("/v1/leads?owner=ann", "other rep").status == 404
    assert api.get("/v1/leads?owner=-unowned", "rep").status == 404


def test_a_rep_does_not_learn_whether_a_lead_exists() -> None:
    api = api_with_a_lead_of_ann()
    foreign = api.get(f"/v1/leads/{api.world.lead().lead_id}", "other rep").json
    missing = api.get("/v1/leads/vo3da4mlqvk64yptheifslpqbd", "other rep").json
    assert {**foreign, "detail": ""} == {**missing, "detail": ""}


def test_a_rep_loses_a_lead_with_its_assignment() -> None:
    api = api_with_a_lead_of_ann()
    path = f"/v1/leads/{api.world.lead().lead_id}"
    assert api.call("POST", f"{path}/decline", "rep", {}).status == 200
    api.world.drain()
    assert api.get(path, "rep").status == 404
    assert api.get(path, "other rep").status == 200


def test_a_rep_sees_their_own_account_and_self_alone() -> None:
    api = api_with_a_lead_of_ann()
    lines = api.get("/v1/pools/large/statement", "rep").json["lines"]
    assert [line["owner_id"] for line in lines] == ["ann"]
    assert api.get("/v1/pools/small/statement", "rep").status == 404
    assert [o["owner_id"] for o in api.get("/v1/owners", "rep").json["owners"]] == ["ann"]


def test_the_request_of_a_delivery_is_for_admins() -> None:
    api = api_with_a_lead_of_ann()
    delivery_id = api.get("/v1/deliveries").json["deliveries"][0]["delivery_id"]
    request = api.get(f"/v1/deliveries/{delivery_id}").json["request"]
    assert "x@example.com" in request["body"]
    for who in ("manager", "viewer"):
        got = api.get(f"/v1/deliveries/{delivery_id}", who)
        assert got.json["request"] is None
        assert "x@example.com" not in got.text


@pytest.mark.parametrize(
    "lead_id", ["..%2F..%2Fconfig", "%00", "CONFIG", "x" * 3000, "é", "LEAD%23x", "a b"]
)
def test_an_odd_id_names_nothing(lead_id: str) -> None:
    assert Api().get(f"/v1/leads/{lead_id}").status == 404
    assert Api().get(f"/v1/deliveries/{lead_id}").status == 404
    assert Api().get(f"/v1/pools/{lead_id}/statement").status == 404
