"""Routing by what a lead asks for and by a pool's strategy, end to end; all can be made again."""

from collections import Counter
from typing import Any

from chalicelib.config.model import Config
from chalicelib.flow.answer import decline
from chalicelib.flow.catch_up import catch_up
from chalicelib.flow.closed import read_closed
from chalicelib.flow.loads import load_of
from chalicelib.flow.move import move
from chalicelib.flow.owners import owners
from chalicelib.flow.verify import verify
from chalicelib.lead.choosing.strategies import Closed
from chalicelib.lead.choosing.turn import choose_again, route_problem, without_person
from chalicelib.records import day_of
from tests.flow.scenes import (
    ask,
    changed,
    decision,
    events,
    ledger,
    of_kind,
    owner_of,
    reconfigure,
)
from tests.invariants import problems
from tests.world import World, configured, form


def made(pools: dict[str, Any], owners: dict[str, Any], **parts: Any) -> World:
    """Give a world whose last rule gives everything to pool `p`."""
    usual = configured().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    people = {k: {"name": k.title(), "email": f"{k}@example.com", **v} for k, v in owners.items()}
    rest = {"id": "rest", "when": {"all": []}, "pool": "p", "notify": ["mail"]}
    document = {**usual, "owners": people, "pools": pools, "routing": [rest], **parts}
    return World(config=Config.model_validate(document))


def arrive(world: World, number: int, email: str = "", **more: Any) -> str:
    """Let somebody new come; gives the owner they got, and holds all that must hold."""
    email = email or f"p{number}@example.net"
    world.clock.advance(minutes=1)
    assert ask(world, "forms", form(number, email, **more)).status == 200
    world.drain()
    assert problems(world) == []
    for lead in world.leads():
        assert [one for one in verify(world.hub, lead.lead_id) if one.problem] == []
    (lead,) = [one for one in world.leads() if one.profile["email"].value == email]
    return owner_of(lead)


def because(world: World, owner_id: str) -> str:
    last = decision(events(world, "assigned", "unowned"), "route")
    return next(one.because for one in last.candidates if one.candidate == owner_id)


TWO = {"members": [{"owner": "ana"}, {"owner": "ben"}]}


def test_a_lead_that_asks_for_a_skill_goes_to_who_has_it() -> None:
    skill = {"id": "large", "when": {"field": "custom.seats", "op": "at_least", "value": 100}}
    world = made({"p": TWO}, {"ana": {"skills": ["large"]}, "ben": {}}, skills=[skill])
    assert [arrive(world, n, seats="250") for n in range(3)] == ["ana"] * 3
    assert because(world, "ben") == "has not the skill large, and seats 250 is at least 100"
    assert {arrive(world, n) for n in range(10, 14)} == {"ana", "ben"}


def test_languages_and_territories_decide_who_comes_into_question() -> None:
    places = {
        "south": {"areas": [{"country": "DE", "postal": ["7..8"]}]},
        "rest": {"areas": [{"country": "DE"}], "unknown": True},
    }
    owners = {
        "ana": {"territories": ["south"], "languages": ["de"]},
        "ben": {"territories": ["rest"]},
    }
    world = made({"p": TWO}, owners, territories=places)
    assert arrive(world, 1, country="DE", postal_code="10115", language="de") == "ben"
    assert because(world, "ana") == "10115 DE is in none of their territories"
    assert arrive(world, 2) == "ben"
    assert because(world, "ana") == "does not speak en"
    given = [
        arrive(world, n, country="DE", postal_code="80331", language="de") for n in range(3, 7)
    ]
    assert Counter(given) == {"ana": 2, "ben": 2}


def test_a_cap_per_hour_holds_and_the_next_hour_is_a_new_one() -> None:
    world = made({"p": TWO}, {"ana": {"hourly_cap": 1, "daily_cap": 2}, "ben": {}})
    assert Counter(arrive(world, n) for n in range(4)) == {"ana": 1, "ben": 3}
    assert because(world, "ana") == "has had 1 of at most 1 new leads this hour"
    assert owners(world.hub)[0].because == "has had 1 of at most 1 new leads this hour"
    world.clock.advance(hours=1)
    assert Counter(arrive(world, n) for n in range(4, 8)) == {"ana": 1, "ben": 3}
    world.clock.advance(hours=1)
    assert arrive(world, 9) == "ben"
    assert because(world, "ana") == "has had 2 of at most 2 new leads today"
    counts = {day_of(item).day: day_of(item).taken for item in of_kind(world, "day")}
    assert sorted(counts.values()) == [1, 1, 2]


def test_a_cap_on_open_leads_holds_until_one_is_closed() -> None:
    world = made({"p": TWO}, {"ana": {"open_cap": 2}, "ben": {}})
    assert Counter(arrive(world, n) for n in range(8)) == {"ana": 2, "ben": 6}
    assert because(world, "ana") == "has 2 of at most 2 open leads"
    assert {o.owner_id: o.because for o in owners(world.hub)} == {
        "ana": "has 2 of at most 2 open leads",
        "ben": "can take leads now",
    }
    (hers, _) = [lead for lead in world.leads() if owner_of(lead) == "ana"]
    assert hers.assignment
    decline(world.hub, hers.lead_id, hers.assignment.assignment_id, "ana")
    world.drain()
    assert Counter(arrive(world, n) for n in range(10, 14))["ana"] == 1
    assert [len(load_of(item).open) for item in of_kind(world, "load")] == [2]


def test_a_lead_that_was_closed_counts_again_when_it_is_taken_up() -> None:
    world = made({"p": TWO}, {"ana": {"open_cap": 1}, "ben": {}})
    for number in range(2):
        arrive(world, number)
    (hers,) = [lead for lead in world.leads() if owner_of(lead) == "ana"]
    move(world.hub, hers.lead_id, "ana", status="disqualified", reason="no budget")
    assert "ana" in {arrive(world, n) for n in range(5, 8)}
    move(world.hub, hers.lead_id, "ana", status="new")
    world.drain()
    assert problems(world) == []
    assert "has 2 of at most 1 open leads" in {o.because for o in owners(world.hub)}


def test_owners_without_such_a_cap_have_no_count() -> None:
    world = made({"p": TWO}, {"ana": {}, "ben": {}})
    arrive(world, 1)
    assert not of_kind(world, "load")
    assert not of_kind(world, "day")


def test_the_least_loaded_gets_the_lead() -> None:
    pool = {**TWO, "strategy": "least_loaded"}
    world = made({"p": pool}, {"ana": {"capacity": 10}, "ben": {"capacity": 20}})
    assert Counter(arrive(world, n) for n in range(9)) == {"ana": 3, "ben": 6}
    last = decision(events(world, "assigned"), "route")
    assert last.inputs["able"] == ["ana", "ben"]
    assert set(last.inputs["known"]["loads"]) == {"ana", "ben"}


def test_who_stands_in_gets_the_leads_of_who_is_away() -> None:
    away = {"first": "2026-11-20", "last": "2026-11-30", "cover": "cem"}
    world = made({"p": TWO}, {"ana": {"absences": [away]}, "ben": {}, "cem": {}})
    assert Counter(arrive(world, n) for n in range(4)) == {"cem": 2, "ben": 2}
    assert "also for ana" in because(world, "cem")


def test_the_score_decides_on_experience() -> None:
    levels = [{"score": 0, "most": 3}, {"score": 40, "least": 5}]
    pool = {**TWO, "strategy": "experience", "levels": levels}
    world = made({"p": pool}, {"ana": {"seniority": 7}, "ben": {"seniority": 2}})
    assert arrive(world, 1, seats="250") == "ana"
    assert arrive(world, 2) == "ben"
    assert because(world, "ana") == "seniority 7, score 10 asks for 1 to 3, and others come nearer"


def test_a_lot_is_kept_with_its_chances() -> None:
    world = made({"p": {**TWO, "draw": 0}}, {"ana": {}, "ben": {}})
    first, second = arrive(world, 1), arrive(world, 2)
    assert {first, second} == {"ana", "ben"}
    lots = [event.decisions[0].inputs["chances"] for event in events(world, "assigned")]
    assert {"ana": 0.5, "ben": 0.5} in lots
    assert {second: 1.0} in lots


def test_a_named_company_goes_to_who_answers_for_it_and_uses_nobodys_turn() -> None:
    named = {"big": {"owner": "ana", "domains": ["big.example.com"]}}
    world = made({"p": TWO}, {"ana": {}, "ben": {}}, accounts={"named": named})
    assert [arrive(world, n, f"p{n}@big.example.com") for n in range(3)] == ["ana"] * 3
    account = ledger(world, "p").accounts["ana"]
    assert (account.received, account.beside, account.balance) == (3, 3, 0)
    assert {arrive(world, 5), arrive(world, 6)} == {"ana", "ben"}
    lead = next(one for one in world.leads() if one.profile["email"].value.startswith("p1@"))
    assert lead.assignment
    decline(world.hub, lead.lead_id, lead.assignment.assignment_id, "ana")
    world.drain()
    assert problems(world) == []
    assert ledger(world, "p").accounts["ana"].returned == 1


def test_people_of_one_company_stay_with_one_owner() -> None:
    world = made({"p": TWO}, {"ana": {}, "ben": {}}, accounts={"stick": True})
    first = arrive(world, 1, "a@example.com")
    other = arrive(world, 2, "b@example.org")
    assert {first, other} == {"ana", "ben"}
    assert [arrive(world, n, f"p{n}@example.com") for n in range(3, 6)] == [first] * 3
    assert [arrive(world, n, f"p{n}@gmail.com") for n in range(6, 8)] != [first] * 2
    assert len(of_kind(world, "account")) == 2
    assert b"example.com" not in b"".join(item["data"] for item in of_kind(world, "account"))


def test_a_company_whose_owner_left_gets_another_one() -> None:
    world = made({"p": TWO}, {"ana": {}, "ben": {}}, accounts={"stick": True})
    first = arrive(world, 1, "a@example.com")
    other = "ben" if first == "ana" else "ana"
    reconfigure(world, changed(world.config, "owners", first, active=False))
    assert arrive(world, 2, "b@example.com") == other
    reconfigure(world, changed(world.config, "owners", first, active=True))
    assert arrive(world, 3, "c@example.com") == other


def test_a_pool_by_performance_goes_by_what_became_of_leads() -> None:
    world = made({"p": {**TWO, "strategy": "performance", "floor": 0.2}}, {"ana": {}, "ben": {}})
    for number in range(6):
        arrive(world, number)
    for lead in world.leads():
        if owner_of(lead) == "ana":
            move(world.hub, lead.lead_id, "ana", status="qualified")
        else:
            move(world.hub, lead.lead_id, "ben", status="disqualified", reason="no budget")
    catch_up(world.hub)
    assert read_closed(world.table) == {"ana": Closed(won=3), "ben": Closed(lost=3)}
    arrive(world, 10)
    last = decision(events(world, "assigned"), "route")
    assert last.inputs["known"]["closed"] == {"ana": {"won": 3}, "ben": {"lost": 3}}
    assert "won 3 of 3 closed, so 55% of such leads" in because(world, "ana")
    world.clock.advance(days=1, minutes=1)
    catch_up(world.hub)
    assert read_closed(world.table) == {"ana": Closed(won=3), "ben": Closed(lost=3)}


def test_what_a_person_is_known_by_goes_from_decisions_when_they_are_erased() -> None:
    places = {"de": {"areas": [{"country": "DE"}]}}
    world = made({"p": TWO}, {"ana": {"territories": ["de"]}, "ben": {}}, territories=places)
    arrive(world, 1, country="DE", postal_code="10115", region="Berlin")
    kept = decision(events(world, "assigned"), "route")
    assert kept.inputs["facts"] == {"country": "DE", "postal_code": "10115", "region": "Berlin"}
    bare = without_person(kept)
    assert "10115" not in bare.model_dump_json()
    assert "Berlin" not in bare.model_dump_json()
    assert bare.result == kept.result
    again = choose_again(bare, world.config)
    assert again
    assert again.owner_id == kept.result
    assert route_problem(bare, world.config) == ""


def test_a_decision_that_was_tampered_with_is_found() -> None:
    skill = {"id": "large", "when": {"field": "custom.seats", "op": "at_least", "value": 100}}
    world = made({"p": TWO}, {"ana": {"skills": ["large"]}, "ben": {}}, skills=[skill])
    arrive(world, 1, seats="250")
    kept = decision(events(world, "assigned"), "route")
    assert route_problem(kept, world.config) == ""
    other = kept.model_copy(update={"result": "ben"})
    assert route_problem(other, world.config) == "'ben' then, 'ana' now"
    facts = kept.model_copy(update={"inputs": {**kept.inputs, "facts": {"custom.seats": 5}}})
    assert route_problem(facts, world.config).endswith("; and now can")
    off = changed(world.config, "owners", "ana", active=False)
    assert route_problem(kept, off) == "ana could take it then, and now switched off"
