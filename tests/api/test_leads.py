"""/v1/leads: lists with cursors, one lead with its story, accept and decline."""

import pytest

from tests.api.client import Api
from tests.world import form


def api_with(count: int, **more: object) -> Api:
    """Give a hub with so many leads, one a minute."""
    api = Api()
    for number in range(count):
        api.world.send("forms", form(number, email=f"p{number}@example.com", name=f"P {number}"))
        api.world.drain()
        api.world.clock.advance(minutes=1)
    return api


def names(api: Api, path: str) -> tuple[list[str], str]:
    got = api.get(path)
    assert got.status == 200, got.text
    return [lead["name"] for lead in got.json["leads"]], got.json["next"]


def test_leads_are_listed_newest_first_page_by_page_none_twice_none_missing() -> None:
    api = api_with(23)
    seen: list[str] = []
    page, cursor = names(api, "/v1/leads?limit=5")
    pages = 1
    while True:
        seen += page
        if not cursor:
            break
        page, cursor = names(api, f"/v1/leads?limit=5&cursor={cursor}")
        pages += 1
    assert seen == [f"P {number}" for number in reversed(range(23))]
    assert pages == 5


def test_a_lead_that_comes_while_somebody_pages_moves_nothing() -> None:
    api = api_with(6)
    first, cursor = names(api, "/v1/leads?limit=3")
    api.world.send("forms", form(99, email="new@example.com", name="New"))
    api.world.drain()
    second, _ = names(api, f"/v1/leads?limit=3&cursor={cursor}")
    assert first + second == [f"P {number}" for number in reversed(range(6))]


def test_filters_narrow_the_list() -> None:
    api = api_with(4)
    api.world.send("events", form(50, email="big@example.com", name="Big", seats=500))
    api.world.drain()
    assert names(api, "/v1/leads?source=events")[0] == ["Big"]
    assert names(api, "/v1/leads?stage=MQL")[0] == ["Big"]
    assert names(api, "/v1/leads?status=qualified")[0] == []
    assert names(api, "/v1/leads?owner=ann")[0] == ["Big"]
    owned = [*names(api, "/v1/leads?owner=ben")[0], *names(api, "/v1/leads?owner=cem")[0]]
    assert sorted(owned) == ["P 0", "P 1", "P 2", "P 3"]


def test_unowned_leads_are_a_list_of_their_own() -> None:
    api = api_with(1)
    api.world.send("forms", form(7, email="night@example.com", name="Night", topic="night"))
    api.world.drain()
    assert names(api, "/v1/leads?owner=-unowned")[0] == ["Night"]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("P1@EXAMPLE.com", ["P 1"]),
        ("+49 30 123 456", ["P 1"]),
        ("%2B49%2030%20123456", ["P 1"]),
        ("@example.com", ["P 2", "P 1", "P 0"]),
        ("p 2", ["P 2"]),
        ("(.*)", []),
        ("nobody@example.com", []),
    ],
)
def test_a_search_finds_whole_addresses_and_numbers_or_parts_of_names(
    q: str, expected: list[str]
) -> None:
    api = api_with(3)
    api.world.send("forms", form(60, email="p1@example.com", phone="+4930123456"))
    api.world.drain()
    assert names(api, f"/v1/leads?q={q.replace('+', '%2B').replace(' ', '%20')}")[0] == expected


def test_a_filtered_page_may_end_early_and_goes_on_where_it_ended() -> None:
    api = api_with(3)
    found, cursor = names(api, "/v1/leads?q=P 0&limit=1".replace(" ", "%20"))
    assert found == ["P 0"]
    assert not cursor or names(api, f"/v1/leads?q=P%200&limit=1&cursor={cursor}") == ([], "")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=1000000000",
        "limit=NaN",
        "limit=1.5",
        "limit=1&limit=2",
        "status=unheard-of",
        "sort=score",
        "owner=" + "x" * 65,
        "owner=LEAD%23x",
        "q=" + "x" * 201,
        "q=%00",
        "cursor=" + "x" * 2001,
    ],
)
def test_a_query_that_does_not_fit_is_refused(query: str) -> None:
    got = Api().get(f"/v1/leads?{query}")
    assert got.status == 422
    assert got.json["problems"]


def test_a_cursor_is_bound_to_list_filter_caller_and_day() -> None:
    api = api_with(3)
    _, cursor = names(api, "/v1/leads?limit=1")
    assert cursor
    assert api.get(f"/v1/leads?limit=2&cursor={cursor}").status == 200
    for path, who in (
        (f"/v1/leads?limit=1&status=new&cursor={cursor}", "admin"),
        (f"/v1/leads?limit=1&cursor={cursor}", "viewer"),
        (f"/v1/deliveries?limit=1&cursor={cursor}", "admin"),
        (f"/v1/effects?cursor={cursor}", "admin"),
        (f"/v1/leads?limit=1&cursor={cursor[:-2]}AA", "admin"),
        (f"/v1/leads?limit=1&cursor=A{cursor}", "admin"),
        ("/v1/leads?cursor=%21%21", "admin"),
        ("/v1/leads?cursor=" + "A" * 2000, "admin"),
    ):
        assert api.get(path, who).status == 400, path
    api.world.clock.advance(days=1, seconds=1)
    assert api.get(f"/v1/leads?limit=2&cursor={cursor}").status == 400


def test_the_id_of_a_merged_lead_gives_the_lead_it_became_part_of() -> None:
    api = Api()
    for number, (email, phone) in enumerate(
        [("a@example.com", ""), ("", "+493023125042"), ("a@example.com", "+493023125042")]
    ):
        before = {lead.lead_id for lead in api.world.leads()}
        api.world.send("forms", form(number, email=email, phone=phone))
        api.world.drain()
    gone = (before - {api.world.lead().lead_id}).pop()
    got = api.get(f"/v1/leads/{gone}")
    assert got.status == 200
    assert got.json["lead_id"] == api.world.lead().lead_id
    kinds = [e["kind"] for e in api.get(f"/v1/leads/{gone}/timeline").json["entries"]]
    assert kinds.count("touch") == 3
    assert "merged" in kinds
    lines = api.get(f"/v1/leads/{gone}/why").json["lines"]
    assert any("2 leads are the same person" in line for line in lines)


def test_why_names_every_candidate_with_verdict_and_every_point() -> None:
    api = Api()
    api.world.send("forms", form(1, email="x@example.com", seats=200))
    api.world.drain()
    why = api.get(f"/v1/leads/{api.world.lead().lead_id}/why").json
    assert why["owners"][0]["owner_id"] == "ann"
    assert [c["candidate"] for c in why["owners"][0]["candidates"]] == ["ann", "ben"]
    assert sum(term["points"] for term in why["score"]["terms"]) == why["score"]["total"] == 60
    assert [v["candidate"] for v in why["rule"]["verdicts"]] == ["nobody", "large"]
    text = "\n".join(why["lines"])
    for part in (
        "Ann Ashby",
        "Ben Birch",
        "+50 fit",
        "score 60 is at least 50",
        "it is a new lead",
    ):
        assert part in text


def test_accepting_twice_is_one_acceptance() -> None:
    api = api_with(1)
    path = f"/v1/leads/{api.world.lead().lead_id}"
    first = api.call("POST", f"{path}/accept")
    again = api.call("POST", f"{path}/accept", body={})
    assert first.status == again.status == 200
    assert first.json["assignment"]["accepted_at"] == again.json["assignment"]["accepted_at"]
    events = api.get(f"{path}/timeline").json["entries"]
    accepted = [entry for entry in events if entry["kind"] == "accepted"]
    assert [entry["actor"] for entry in accepted] == ["admin of the test"]


def test_declining_the_same_assignment_twice_takes_one_turn() -> None:
    api = Api()
    api.world.send("forms", form(1, email="x@example.com", seats=200))
    api.world.drain()
    path = f"/v1/leads/{api.world.lead().lead_id}"
    body = {"assignment_id": api.get(path).json["assignment"]["assignment_id"], "reason": "ill"}
    assert api.call("POST", f"{path}/decline", "rep", body).status == 200
    api.world.drain()
    assert api.call("POST", f"{path}/decline", "manager", body).status == 409
    after = api.get(path).json
    assert after["assignment"]["owner_id"] == "ben"
    assert after["declined_by"] == ["ann"]
    texts = [entry["text"] for entry in api.get(f"{path}/timeline").json["entries"]]
    assert "Ann Ashby gave it back: ill" in texts


def test_an_unowned_lead_can_be_neither_accepted_nor_declined() -> None:
    api = Api()
    api.world.send("forms", form(7, email="night@example.com", topic="night"))
    api.world.drain()
    path = f"/v1/leads/{api.world.lead().lead_id}"
    assert api.call("POST", f"{path}/accept").status == 409
    assert api.call("POST", f"{path}/decline").status == 409


@pytest.mark.parametrize(
    "body",
    [
        {"owner": "ann"},
        {"score": 100},
        {"version": 1},
        {"lead_id": "x"},
        {"assignment_id": 5},
        {"assignment_id": "x y"},
        {"reason": "x" * 201},
        {"reason": "a\nb"},
    ],
)
def test_what_may_not_be_set_is_refused(body: dict[str, object]) -> None:
    api = api_with(1)
    got = api.call("POST", f"/v1/leads/{api.world.lead().lead_id}/decline", body=body)
    assert got.status == 422
    assert api.world.lead().assignment is not None
