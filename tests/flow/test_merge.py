"""A person says that leads are one, or that they never are."""

import json

import pytest

from chalicelib.errors import Conflict, Invalid, NotFound
from chalicelib.flow.details import find_lead, timeline
from chalicelib.flow.merge import keep_apart, lift, merge
from chalicelib.flow.why import why
from chalicelib.lead.model import Lead
from chalicelib.records import effect_of, event_of, ledger_key, ledger_of
from tests.invariants import problems
from tests.proof.stories import PHONE, oldest_first, two_owned
from tests.world import World, form

PEOPLE = ("Ada Ash", "Bjarne Birk", "Chiara Corti", "Dmitri Dahl")


def world_of(count: int, **more: str) -> tuple[World, list[str]]:
    """Make a world with so many owned leads; gives their ids too, the oldest first."""
    world = World()
    for number in range(count):
        email = f"{PEOPLE[number].split()[0].lower()}@example.com"
        world.send("forms", form(number, email, full_name=PEOPLE[number], **more))
        world.settle()
        world.clock.advance(minutes=1)
    return world, oldest_first(world)


def owners(world: World) -> list[str]:
    return [lead.assignment.owner_id for lead in world.leads() if lead.assignment]


def events(world: World, kind: str) -> list[str]:
    found = [event_of(item) for item in world.table.scan() if item.get("kind") == "event"]
    return [event.text for event in found if event.kind == kind]


def received(world: World, pool_id: str) -> int:
    item = world.table.get(ledger_key(pool_id))
    assert item
    return sum(account.received for account in ledger_of(item).accounts.values())


def test_the_oldest_stays_and_the_ids_of_the_others_lead_to_it() -> None:
    world, (one, two, three) = world_of(3)
    lead = merge(world.hub, [three, one, two], "Ann Ashby", "she called")
    assert lead.lead_id == one
    assert lead.members == tuple(sorted((two, three)))
    assert {find_lead(world.hub, lead_id).lead_id for lead_id in (one, two, three)} == {one}
    assert lead.touch_count == 3
    assert "she called" in events(world, "merged")[0]
    assert len(events(world, "absorbed")) == 2
    world.settle()
    assert problems(world) == []


def test_merging_again_changes_nothing() -> None:
    world, (one, two) = world_of(2)
    first = merge(world.hub, [one, two], "ann")
    assert merge(world.hub, [two, one], "ann") == first
    assert len(events(world, "merged")) == 1


def test_what_comes_afterwards_by_either_way_is_one_lead() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    for number, name in enumerate(("ada", "bjarne")):
        world.send("events", form(number, f"{name}@example.com"))
    world.settle()
    assert world.lead().touch_count == 4
    assert problems(world) == []


def test_whoever_loses_the_lead_has_the_turn_taken_off_their_account() -> None:
    world, ids = world_of(2)
    assert sorted(owners(world)) == ["ben", "cem"]
    assert received(world, "small") == 2
    first = find_lead(world.hub, ids[0]).assignment
    assert merge(world.hub, ids, "ann").assignment == first
    assert received(world, "small") == 1
    assert problems(world) == []


def test_whoever_has_accepted_keeps_the_lead() -> None:
    world, ids = world_of(2)
    second = find_lead(world.hub, ids[1])
    world.accept(lead=second)
    lead = merge(world.hub, ids, "ann")
    assert lead.assignment and second.assignment
    assert lead.assignment.owner_id == second.assignment.owner_id
    assert lead.assignment.accepted_at


def test_the_loser_s_owner_is_not_told_any_more_and_their_link_says_so() -> None:
    world = World()
    two_owned(world)
    ids = oldest_first(world)
    loser = find_lead(world.hub, ids[1])
    merge(world.hub, ids, "ann")
    world.settle()
    effects = [effect_of(item) for item in world.table.scan() if item.get("kind") == "effect"]
    theirs = [effect for effect in effects if effect.lead_id == ids[1]]
    assert {effect.state for effect in theirs} == {"cancelled"}
    assert not world.accept(lead=loser)
    assert problems(world) == []


def test_programs_are_told_once_who_is_whom_and_nothing_of_the_person() -> None:
    world, ids = world_of(2, seats="250")
    merge(world.hub, ids, "ann")
    world.settle()
    told = [post for post in world.web.posts if b"lead.merged" in post.body]
    assert len(told) == 1
    body = json.loads(told[0].body)
    assert body["type"] == "lead.merged"
    assert [one["lead_id"] for one in body["data"]["leads"]] == ids
    assert body["data"]["leads"][1]["merged_into"] == ids[0]
    assert b"bjarne" not in told[0].body.lower()


def test_leads_that_are_kept_apart_are_not_merged_unless_somebody_insists() -> None:
    world, (one, two, three) = world_of(3)
    keep_apart(world.hub, one, two, "Ann Ashby", "twins")
    keep_apart(world.hub, two, one, "Ann Ashby")
    merge(world.hub, [two, three], "ann")
    with pytest.raises(Conflict, match="kept apart"):
        merge(world.hub, [one, three], "ann")
    assert len(world.leads()) == 2
    lead = merge(world.hub, [one, three], "ann", anyway=True)
    assert lead.apart == ()
    assert problems(world) == []


def test_a_phone_that_two_share_who_are_kept_apart_does_not_join_them() -> None:
    world, (one, two) = world_of(2)
    keep_apart(world.hub, one, two, "ann", "husband and wife")
    for number, name in enumerate(("ada", "bjarne")):
        full_name = PEOPLE[number]
        world.send("events", form(number, f"{name}@example.com", PHONE, full_name=full_name))
        world.settle()
    assert len(world.leads()) == 2
    assert problems(world) == []


def test_a_mark_can_be_lifted_from_either_side_and_again() -> None:
    world, (one, two) = world_of(2)
    keep_apart(world.hub, one, two, "ann")
    lift(world.hub, two, one, "ann", "no, it is her")
    lift(world.hub, two, one, "ann")
    assert [lead.apart for lead in world.leads()] == [(), ()]
    assert len(events(world, "let_together")) == 2
    assert merge(world.hub, [one, two], "ann").lead_id == one


def test_what_is_wrong_is_said_and_nothing_happens() -> None:
    world, (one, two) = world_of(2)
    with pytest.raises(Invalid):
        merge(world.hub, [one, one], "ann")
    with pytest.raises(NotFound):
        merge(world.hub, [one, "nobody"], "ann")
    with pytest.raises(NotFound):
        keep_apart(world.hub, one, "nobody", "ann")
    merge(world.hub, [one, two], "ann")
    with pytest.raises(Conflict, match="unmerge"):
        keep_apart(world.hub, one, two, "ann")
    with pytest.raises(Conflict):
        lift(world.hub, one, two, "ann")


def test_more_leads_than_one_transaction_takes_become_one() -> None:
    world = World()
    for number in range(40):
        world.send("forms", form(number, f"person{number}@mail{number}.example.com"))
    world.settle()
    lead = merge(world.hub, oldest_first(world), "import", "the list says so")
    assert len(lead.members) == 39
    assert lead.touch_count == 40
    world.settle()
    assert problems(world) == []


def test_a_lead_with_more_keys_than_one_transaction_takes_is_merged_whole() -> None:
    world = World()
    world.send("forms", form(0, "old@example.net", full_name="Ada Ash"))
    world.settle()
    world.clock.advance(minutes=1)
    for number in range(110):
        phone = f"+4477009{number:05}"
        world.send("forms", form(1 + number, "ring@example.com", phone, full_name="Bo Birk"))
        world.settle()
    lead = merge(world.hub, oldest_first(world), "ann")
    assert len(lead.identity_keys) > 100
    world.settle()
    assert problems(world) == []


def test_why_says_who_was_made_one_and_by_whom() -> None:
    world, ids = world_of(2)
    lead = merge(world.hub, ids, "Ann Ashby", "she called")
    told = why(world.hub, lead)
    assert [(one.kind, one.actor) for one in told.merges] == [("merged", "Ann Ashby")]
    assert any("she called" in line for line in told.lines)
    kinds = [entry.kind for entry in timeline(world.hub, lead)]
    assert {"merged", "absorbed"} <= set(kinds)


def test_an_act_by_an_old_id_is_one_on_the_lead_as_it_is() -> None:
    world, ids = world_of(2)
    lead = merge(world.hub, ids, "ann")
    assert lead.assignment
    by_old_id = Lead(**{**dict(lead), "lead_id": ids[1]})
    assert world.accept(lead=by_old_id)
    accepted = find_lead(world.hub, ids[0]).assignment
    assert accepted and accepted.accepted_at
    assert problems(world) == []
