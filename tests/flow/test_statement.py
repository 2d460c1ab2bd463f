"""Why not me, and every turn of an owner, made again."""

from typing import Any

import pytest

from chalicelib.errors import NotFound
from chalicelib.flow.answer import decline
from chalicelib.flow.publish import set_availability
from chalicelib.flow.statement import OwnTurn, accounts_of, every_turn
from chalicelib.flow.why_not import why_not
from chalicelib.lead.model import Lead
from chalicelib.lead.rotation import LEAD
from tests.flow.scenes import owner_of
from tests.flow.test_route_choosing import TWO, arrive, made
from tests.world import World

PAIR: dict[str, Any] = {"ana": {}, "ben": {}}


def lead_of_number(world: World, number: int) -> Lead:
    email = f"p{number}@example.net"
    return next(one for one in world.leads() if one.profile["email"].value == email)


def asked(world: World, number: int, owner_id: str) -> tuple[str, str]:
    """Give the gate of the newest decision, and what is said of it."""
    found = why_not(world.hub, lead_of_number(world, number), owner_id)
    return found.decisions[0].gate, found.lines[1]


def turns_of(world: World, owner_id: str) -> list[OwnTurn]:
    return [turn for turns, _ in every_turn(world.hub, owner_id) for turn in turns]


def test_whose_turn_it_was_is_said() -> None:
    world = made({"p": TWO}, PAIR)
    winner = arrive(world, 1)
    other = "ben" if winner == "ana" else "ana"
    gate, words = asked(world, 1, other)
    assert gate == "turn"
    assert f"{other.title()} could take it, and it was another's turn" in words
    assert asked(world, 1, winner)[0] == "chosen"
    assert why_not(world.hub, lead_of_number(world, 1), winner).has_it


def test_the_gate_that_kept_somebody_out_is_named() -> None:
    skill = {"id": "large", "when": {"field": "custom.seats", "op": "at_least", "value": 100}}
    owners = {"ana": {"skills": ["large"]}, "ben": {}, "cem": {}}
    world = made({"p": TWO}, owners, skills=[skill])
    arrive(world, 1, seats="250")
    assert asked(world, 1, "ben")[0] == "eligibility"
    assert "Ben could not take it: has not the skill large" in asked(world, 1, "ben")[1]
    assert asked(world, 1, "cem")[0] == "pool"
    assert "Cem was not in pool p." in asked(world, 1, "cem")[1]
    with pytest.raises(NotFound, match="owner dee"):
        why_not(world.hub, lead_of_number(world, 1), "dee")


def test_a_strategy_a_company_and_a_return_are_told_apart() -> None:
    named = {"big": {"owner": "ben", "domains": ["example.org"]}}
    pool = {**TWO, "strategy": "experience", "levels": [{"score": 0, "least": 5}]}
    owners = {"ana": {"seniority": 6}, "ben": {"seniority": 2}}
    world = made({"p": pool}, owners, accounts={"named": named})
    arrive(world, 1)
    assert asked(world, 1, "ben")[0] == "strategy"
    assert "and the pool chose among others: seniority 2" in asked(world, 1, "ben")[1]
    arrive(world, 2, "x@example.org")
    (lead,) = [one for one in world.leads() if owner_of(one) == "ben"]
    assert why_not(world.hub, lead, "ana").decisions[0].gate == "company"
    arrive(world, 3, "x@example.org")
    assert why_not(world.hub, lead, "ana").decisions[0].gate == "returned"


def test_a_lead_that_found_nobody_says_so_to_each() -> None:
    world = made({"p": TWO}, PAIR)
    for owner_id in PAIR:
        set_availability(world.hub, owner_id, off=True)
    arrive(world, 1)
    assert asked(world, 1, "ana")[0] == "eligibility"
    assert "it found no owner. Ana could not take it: switched off." in asked(world, 1, "ana")[1]


def test_every_turn_of_an_owner_is_listed_and_adds_up_to_the_account() -> None:
    named = {"big": {"owner": "ben", "domains": ["example.org"]}}
    world = made({"p": TWO}, PAIR, accounts={"named": named})
    for number in range(5):
        arrive(world, number)
    arrive(world, 9, "x@example.org")
    lead = next(one for one in world.leads() if owner_of(one) == "ana")
    assert lead.assignment
    decline(world.hub, lead.lead_id, lead.assignment.assignment_id, "ana")
    world.drain()
    for owner_id in PAIR:
        turns = turns_of(world, owner_id)
        (account,) = accounts_of(world.hub, owner_id, turns)
        assert account.agrees
        assert account.from_turns == account.entitled
        assert all(turn.share == LEAD // 2 for turn in turns if len(turn.eligible) == 2)
    assert len(turns_of(world, "ana")) == 6
    assert sorted(turn.version for turn in turns_of(world, "ana")) == [1, 2, 3, 4, 5, 8]


def test_an_account_that_is_not_what_its_turns_add_up_to_is_found() -> None:
    world = made({"p": TWO}, PAIR)
    for number in range(4):
        arrive(world, number)
    turns = turns_of(world, "ana")
    (account,) = accounts_of(world.hub, "ana", turns[1:])
    assert not account.agrees


def test_nobody_has_a_statement_who_is_not_known() -> None:
    with pytest.raises(NotFound):
        turns_of(made({"p": TWO}, PAIR), "nobody")
