"""What owners may ask about turns: their own, all of them, and why not me."""

from typing import Any

from tests.api.client import Api
from tests.world import World, form


def api_with_leads(count: int) -> Api:
    world = World()
    for number in range(count):
        world.send("forms", form(number, f"p{number}@example.com", seats="250"))
        world.drain()
        world.clock.advance(minutes=1)
    return Api(world)


def test_an_owner_reads_every_turn_page_by_page() -> None:
    api = api_with_leads(4)
    turns: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(20):
        asked = f"?cursor={cursor}" if cursor else ""
        page = api.call("GET", f"/v1/owners/ann/statement{asked}", "rep").json
        turns += page["turns"]
        cursor = page["next"]
        if not cursor:
            break
    assert sorted(turn["version"] for turn in turns) == [1, 2, 3, 4]
    assert {turn["share"] for turn in turns} <= {666_666, 666_667}
    assert api.call("GET", "/v1/owners/nobody/statement", "admin").status == 404


def test_a_rep_asks_why_not_me_of_any_lead_and_for_nobody_else() -> None:
    api = api_with_leads(3)
    for lead in api.world.leads():
        path = f"/v1/leads/{lead.lead_id}/why-not"
        found = api.call("GET", f"{path}/ann", "rep").json
        assert found["decisions"][0]["gate"] in ("chosen", "turn")
        assert "@example.com" not in str(found)
        assert api.call("GET", f"{path}/ben", "rep").status == 404
        assert api.call("GET", f"{path}/ben", "manager").status == 200
