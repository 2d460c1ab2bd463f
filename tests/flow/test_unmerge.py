"""A merge is taken apart; tests/proof/test_unmerge.py plays it in random histories."""

import json
from datetime import timedelta

import pytest

from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.details import find_lead
from chalicelib.flow.duplicates import every_duplicate
from chalicelib.flow.edit import edit
from chalicelib.flow.erase import begin
from chalicelib.flow.export import export
from chalicelib.flow.merge import keep_apart, merge
from chalicelib.flow.proposals import pair_of
from chalicelib.flow.unmerge import unmerge
from chalicelib.flow.verify import verify
from chalicelib.flow.why import why
from chalicelib.lead.merging import may_merge
from chalicelib.lead.model import Lead
from chalicelib.records import claim_key, claim_of, effect_of, event_of, holders_of, identity_key
from tests.flow.match_scenes import TOM, ZOE, ZOE_TOO, asking, write
from tests.flow.test_erase import deliveries, finish, left_of
from tests.flow.test_merge import events, received, world_of
from tests.invariants import problems
from tests.proof.stories import PHONE, oldest_first, two_owned
from tests.world import World, form, linkedin, linkedin_pages


def sent(world: World, number: int, name: str, **more: str) -> None:
    """Send an enquiry of somebody of world_of, and let all settle."""
    world.clock.advance(minutes=1)
    at = f"{world.clock():%Y-%m-%dT%H:%M:%SZ}"
    world.send("forms", form(100 + number, f"{name}@example.com", at=at, **more))
    world.settle()


def apart(world: World, ids: list[str]) -> tuple[Lead, Lead]:
    rest, member = unmerge(world.hub, ids[0], ids[1], "ann", "two people")
    world.settle()
    assert problems(world) == []
    return find_lead(world.hub, rest.lead_id), find_lead(world.hub, member.lead_id)


def bare(lead: Lead) -> dict[str, object]:
    return lead.model_dump(exclude={"version", "updated_at", "apart"})


def test_a_merge_taken_apart_at_once_leaves_both_as_they_were() -> None:
    world, ids = world_of(2)
    before = [bare(find_lead(world.hub, lead_id)) for lead_id in ids]
    merge(world.hub, ids, "ann")
    world.settle()
    rest, member = apart(world, ids)
    assert [bare(rest), bare(member)] == before
    assert (rest.apart, member.apart) == ((ids[1],), (ids[0],))


def test_what_came_meanwhile_goes_to_whom_it_is_of_with_claim_and_keys() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    sent(world, 1, "bjarne", phone="+447700900177")
    sent(world, 2, "ada")
    rest, member = apart(world, ids)
    assert (rest.touch_count, member.touch_count) == (2, 2)
    item = world.table.get(claim_key("forms", "form-101"))
    assert item and claim_of(item).lead_id == ids[1]
    key = world.table.get(identity_key("phone:+447700900177"))
    assert key and holders_of(key) == (ids[1],)
    sent(world, 3, "bjarne")
    assert find_lead(world.hub, ids[1]).touch_count == 3


def test_what_was_taken_back_meanwhile_is_taken_back_from_its_own_lead() -> None:
    world, ids = world_of(1)
    world.web.pages |= linkedin_pages(1, "bjarne@example.com")
    world.send("linkedin", linkedin(1))
    world.settle()
    ids = oldest_first(world)
    merge(world.hub, ids, "ann")
    world.send("linkedin", linkedin(1, "DELETED", 1_795_420_900_000))
    world.settle()
    assert world.lead().status == "assigned"
    rest, member = apart(world, ids)
    assert (member.status, member.status_reason) == ("disqualified", "withdrawn")
    assert rest.status == "assigned"


def test_both_owners_have_theirs_again_with_turn_and_notification() -> None:
    world = World()
    two_owned(world)
    ids = oldest_first(world)
    before = [find_lead(world.hub, lead_id).assignment for lead_id in ids]
    turns = received(world, "large")
    merge(world.hub, ids, "ann")
    world.settle()
    assert received(world, "large") == turns - 1
    rest, member = apart(world, ids)
    assert [rest.assignment, member.assignment] == before
    assert received(world, "large") == turns
    effects = [effect_of(item) for item in world.table.scan() if item.get("kind") == "effect"]
    assert {one.state for one in effects if one.lead_id == ids[1]} == {"done"}


def test_a_lead_whose_owner_gave_the_whole_back_awaits_another() -> None:
    world = World()
    world.send("forms", form(1, "ada@example.com", topic="night"))
    world.settle()
    world.clock.advance(minutes=1)
    world.send("forms", form(2, "bjarne@example.net"))
    world.settle()
    ids = oldest_first(world)
    owner = find_lead(world.hub, ids[1]).assignment
    merge(world.hub, ids, "ann")
    assert owner and world.decline()
    world.settle()
    rest, member = apart(world, ids)
    assert member.assignment and member.assignment.owner_id != owner.owner_id
    assert owner.owner_id in member.declined_by
    assert rest.assignment


def test_what_was_said_by_hand_goes_to_the_lead_it_was_said_of() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    edit(world.hub, ids[0], {"company": "Acme"}, (), "ann")
    edit(world.hub, ids[1], {"company": "Beta", "phone": "+447700900178"}, (), "ann")
    rest, member = apart(world, ids)
    assert rest.profile["company"].value == "Acme"
    assert member.profile["company"].value == "Beta"
    assert "phone:+447700900178" in member.identity_keys
    assert "phone:+447700900178" not in rest.identity_keys


def test_consent_is_each_one_s_own_again() -> None:
    world, ids = world_of(2)
    sent(world, 1, "ada", consent="yes")
    sent(world, 2, "bjarne", consent="no")
    (purpose,) = find_lead(world.hub, ids[0]).consents
    assert merge(world.hub, ids, "ann").consents[purpose].given is False
    rest, member = apart(world, ids)
    assert rest.consents[purpose].given is True
    assert member.consents[purpose].given is False


def test_a_hot_touch_that_came_meanwhile_raises_the_one_it_is_of() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    sent(world, 1, "bjarne", seats="250")
    assert world.lead().stage == "MQL"
    rest, member = apart(world, ids)
    assert rest.stage == "lead"
    assert (member.stage, member.rule_id) == ("MQL", "large")
    assert member.assignment and member.assignment.pool_id in ("large", "small")


def test_decisions_of_the_time_in_between_can_still_be_made_again() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    sent(world, 1, "bjarne", seats="250")
    sent(world, 2, "ada")
    apart(world, ids)
    for lead_id in ids:
        found = verify(world.hub, lead_id)
        assert found
        assert [one.problem for one in found if one.problem] == []


def test_they_are_never_merged_again_by_themselves() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    apart(world, ids)
    phone = "+447700900179"
    sent(world, 1, "ada", phone=phone, full_name="Ada Ash")
    sent(world, 2, "bjarne", phone=phone, full_name="Bjarne Birk")
    assert len(world.leads()) == 2
    with pytest.raises(Conflict, match="kept apart"):
        merge(world.hub, ids, "ann")
    assert merge(world.hub, ids, "ann", anyway=True).members == (ids[1],)
    assert problems(world) == []


def test_asking_again_is_no_error_and_asking_for_nonsense_is() -> None:
    world, ids = world_of(3)
    merge(world.hub, ids[:2], "ann")
    first = unmerge(world.hub, ids[0], ids[1], "ann")
    assert unmerge(world.hub, ids[0], ids[1], "ann") == first
    assert len(events(world, "unmerged")) == 2
    with pytest.raises(Conflict, match="no part of"):
        unmerge(world.hub, ids[0], ids[2], "ann")
    with pytest.raises(NotFound):
        unmerge(world.hub, ids[0], "nobody", "ann")


def test_programs_are_told_of_the_end_of_a_merge_too() -> None:
    world, ids = world_of(2, seats="250")
    merge(world.hub, ids, "ann")
    world.settle()
    apart(world, ids)
    bodies = [json.loads(post.body) for post in world.web.posts if b"merged" in post.body]
    assert [body["type"] for body in bodies] == ["lead.merged", "lead.unmerged"]
    ends = bodies[1]["data"]["leads"]
    assert [one["lead_id"] for one in ends] == ids
    assert [one["merged_into"] for one in ends] == [None, None]


def test_a_year_later_with_many_touches_it_is_taken_apart_in_steps() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    for number in range(40):
        sent(world, number, ("ada", "bjarne")[number % 2])
    world.clock.advance(days=365)
    seen = len(world.table.commits)
    rest, member = unmerge(world.hub, ids[0], ids[1], "ann")
    assert (rest.touch_count, member.touch_count) == (21, 21)
    assert len(world.table.commits) - seen == 2
    world.settle()
    assert problems(world) == []


def test_a_lead_of_more_keys_than_one_transaction_takes_is_taken_apart() -> None:
    world, ids = world_of(2)
    for number in range(95):
        sent(world, number, "bjarne", phone=f"+4477009{number:05}")
    merge(world.hub, ids, "ann")
    world.settle()
    _, member = apart(world, ids)
    assert len(member.identity_keys) == 96


def test_why_tells_of_both_in_words() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "Ann Ashby", "same number")
    rest, member = unmerge(world.hub, ids[0], ids[1], "Ben Birch", "father and son")
    assert [one.kind for one in why(world.hub, rest).merges] == ["merged", "unmerged"]
    assert any("father and son" in line for line in why(world.hub, rest).lines)
    assert any("taken out" in line for line in why(world.hub, member).lines)


def test_what_happened_is_written_with_how_both_stood() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    world.clock.advance(minutes=1)
    unmerge(world.hub, ids[0], ids[1], "ann")
    told = [event_of(item) for item in world.table.scan() if item.get("kind") == "event"]
    for kind in ("merged", "unmerged"):
        event = next(one for one in told if one.kind == kind and one.turns)
        assert set(event.before) == set(ids)
        assert event.at <= world.clock() + timedelta(seconds=1)


def parted_people(world: World, ids: list[str]) -> None:
    """Let two write while they are one lead, and write the same again; then take them apart."""
    sent(world, 1, "bjarne", phone="+447700900177", full_name="Bjarne Birk")
    sent(world, 2, "ada", full_name="Ada Ash")
    for told in list(world.told):
        world.request(told.source_id, told.body)
    world.settle()
    apart(world, ids)


def told_problems(world: World) -> list[str]:
    """Look for what is wrong, but for the erasure itself, which invariants do not know."""
    return [one for one in problems(world) if "no known kind" not in one]


BJARNE, ADA = ("bjarne", "7700900177"), ("ada@", "Ada Ash")


@pytest.mark.parametrize(
    ("place", "theirs", "others"), [(0, ADA, BJARNE), (1, BJARNE, ADA)], ids=["rest", "member"]
)
def test_erasing_one_of_two_that_were_one_leaves_nothing_of_them_and_all_of_the_other(
    place: int, theirs: tuple[str, ...], others: tuple[str, ...]
) -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    parted_people(world, ids)
    before = [one for one in deliveries(world) if one.results["0"].outcome == "accepted"]
    other = find_lead(world.hub, ids[1 - place])
    finish(world, begin(world.hub, ids[place], "ann"))
    assert left_of(world, *theirs) == []
    assert left_of(world, *others) != []
    assert find_lead(world.hub, other.lead_id) == other
    kept = [one for one in deliveries(world) if one.results["0"].lead_id == other.lead_id]
    assert sum(one.outcome == "accepted" and bool(one.raw) for one in kept) == len(before) / 2
    assert told_problems(world) == []


def test_erasing_one_taken_out_of_a_merge_in_a_merge_leaves_nothing_of_them() -> None:
    world, (one, two, three) = world_of(3)
    merge(world.hub, [two, three], "ann")
    merge(world.hub, [one, two], "ann")
    sent(world, 1, "chiara", full_name="Chiara Corti")
    unmerge(world.hub, one, three, "ann")
    world.settle()
    finish(world, begin(world.hub, three, "ann"))
    assert left_of(world, "chiara", "corti") == []
    apart(world, [one, two])
    assert told_problems(world) == []


def test_what_came_to_the_whole_is_in_the_export_of_the_one_it_is_of() -> None:
    world, ids = world_of(2)
    merge(world.hub, ids, "ann")
    parted_people(world, ids)
    requests = export(world.hub, ids[1], "ann").requests
    assert [bool(one.body) for one in requests] == [True, True]
    assert all("bjarne" in one.body for one in requests)


def test_a_lead_of_whom_nobody_could_be_told_for_long_is_taken_apart() -> None:
    world, ids = world_of(2)
    for number in range(60):
        world.clock.advance(minutes=1)
        at = f"{world.clock():%Y-%m-%dT%H:%M:%SZ}"
        body = form(300 + number, "bjarne@example.com", at=at, seats="250")
        world.send("forms", body)
        for queue in (world.inbox, world.routing):
            while world.work(queue, world.hub):
                continue
    merge(world.hub, ids, "ann")
    apart(world, ids)
    stored = [effect_of(item) for item in world.table.scan() if item.get("kind") == "effect"]
    assert {effect.state for effect in stored} == {"done"}


def test_whom_an_old_id_was_kept_apart_from_it_stays_apart_from() -> None:
    world, (one, two, three) = world_of(3)
    merge(world.hub, [one, two], "ann")
    keep_apart(world.hub, two, three, "ann", "brothers")
    apart(world, [one, two])
    leads = [find_lead(world.hub, lead_id) for lead_id in (one, two, three)]
    assert not may_merge(leads[1], leads[2])
    assert may_merge(leads[0], leads[2])
    with pytest.raises(Conflict, match="kept apart"):
        merge(world.hub, [two, three], "ann")


def test_who_is_taken_out_of_a_merge_in_a_merge_is_kept_apart_from_both() -> None:
    world, (one, two, three) = world_of(3)
    merge(world.hub, [two, three], "ann")
    merge(world.hub, [one, two], "ann")
    apart(world, [one, three])
    apart(world, [one, two])
    leads = [find_lead(world.hub, lead_id) for lead_id in (one, two, three)]
    assert [lead.apart for lead in leads] == [
        tuple(sorted(others)) for others in ((two, three), (one, three), (one, two))
    ]


def asked_about(world: World) -> list[tuple[str, str]]:
    return [one.proposal.lead_ids for one in every_duplicate(world.hub)]


def test_what_was_asked_of_a_lead_goes_on_with_the_whole_and_comes_back_with_it() -> None:
    world = asking()
    for number, person in enumerate((TOM, ZOE, ZOE_TOO), start=1):
        write(world, number, person)
    tom, zoe, zoe_too = oldest_first(world)
    assert asked_about(world) == [pair_of(zoe, zoe_too)]
    merge(world.hub, [tom, zoe], "ann")
    assert asked_about(world) == [pair_of(tom, zoe_too)]
    apart(world, [tom, zoe])
    assert asked_about(world) == [pair_of(zoe, zoe_too)]


def test_what_was_asked_of_the_whole_because_of_a_touch_goes_where_the_touch_goes() -> None:
    world = asking()
    for number, person in enumerate(({"email": TOM["email"]}, ZOE, {"phone": PHONE}), start=1):
        write(world, number, person)
    tom, zoe, zoe_too = oldest_first(world)
    assert asked_about(world) == []
    merge(world.hub, [tom, zoe_too], "ann")
    write(world, 4, {**ZOE_TOO, "phone": PHONE})
    assert asked_about(world) == [pair_of(tom, zoe)]
    apart(world, [tom, zoe_too])
    assert asked_about(world) == [pair_of(zoe_too, zoe)]
