"""Leads that may be one person: proposed, listed, decided."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chalicelib.errors import Conflict, NotFound
from chalicelib.flow.catch_up import work_on
from chalicelib.flow.duplicates import (
    decide,
    decided,
    duplicates_of,
    every_duplicate,
    list_duplicates,
)
from chalicelib.flow.erase import begin, run_now
from chalicelib.flow.erase_state import erasure_key, find_erasure
from chalicelib.flow.merge import keep_apart, lift, merge
from chalicelib.flow.proposals import proposals_of
from chalicelib.flow.unmerge import unmerge
from tests.faults import Call, Hook, Kill, explore
from tests.flow.match_scenes import TOM, ZOE, ZOE_TOO, alike, asking, duplicate, proposals, write
from tests.flow.scenes import everything_kept
from tests.invariants import problems
from tests.world import World, form


def ids(world: World) -> tuple[str, str]:
    found = duplicate(world)
    return found.one.lead_id, found.other.lead_id


def test_leads_that_are_a_little_alike_are_proposed_with_the_reason() -> None:
    world = alike()
    found = duplicate(world)
    values = {lead.profile["email"].value for lead in (found.one, found.other)}
    assert values == {ZOE["email"], ZOE_TOO["email"]}
    assert found.proposal.because
    assert len(world.leads()) == 3
    assert problems(world) == []


def test_nothing_is_proposed_where_nobody_wants_to_be_asked() -> None:
    world = asking(propose=False)
    for number, person in enumerate((ZOE, ZOE_TOO), start=1):
        write(world, number, person)
    assert proposals(world) == []
    assert len(world.leads()) == 2


def test_what_is_asked_once_is_not_asked_again() -> None:
    world = alike()
    write(world, 7, ZOE_TOO)
    assert len(proposals(world)) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_two_are_said_to_be_one_person_once_or_twice(times: int) -> None:
    world = alike()
    one, other = ids(world)
    for _ in range(times):
        lead = decide(world.hub, one, other, "merged", "ann", "she called")
    assert lead.members
    assert list(every_duplicate(world.hub)) == []
    (proposal,) = decided(world.hub, "merged")
    assert proposal.decided_by == "ann"
    world.settle()
    assert problems(world) == []


@pytest.mark.parametrize("times", [1, 2])
def test_two_are_said_to_be_two_people_once_or_twice(times: int) -> None:
    world = alike()
    one, other = ids(world)
    for _ in range(times):
        lead = decide(world.hub, one, other, "apart", "ann", "sisters")
    assert lead.apart == (other,)
    assert list(every_duplicate(world.hub)) == []
    assert [one.decided_by for one in decided(world.hub, "apart")] == ["ann"]
    write(world, 8, ZOE_TOO)
    assert list(every_duplicate(world.hub)) == []
    assert problems(world) == []


def test_the_opposite_of_what_was_decided_is_refused() -> None:
    world = alike()
    one, other = ids(world)
    decide(world.hub, one, other, "apart", "ann")
    with pytest.raises(Conflict):
        decide(world.hub, one, other, "merged", "ben")
    world = alike()
    one, other = ids(world)
    decide(world.hub, one, other, "merged", "ann")
    with pytest.raises(Conflict):
        decide(world.hub, one, other, "apart", "ben")


def test_only_what_was_proposed_is_decided_here() -> None:
    world = alike()
    one, _ = ids(world)
    (tom,) = [lead for lead in world.leads() if lead.profile["email"].value == TOM["email"]]
    for other in (tom.lead_id, "nobody"):
        with pytest.raises(NotFound):
            decide(world.hub, one, other, "merged", "ann")
    assert len(world.leads()) == 3


def test_what_was_decided_elsewhere_leaves_the_list() -> None:
    for settle in (
        lambda hub, one, other: merge(hub, [one, other], "ann"),
        lambda hub, one, other: keep_apart(hub, one, other, "ann"),
    ):
        world = alike()
        settle(world.hub, *ids(world))
        assert list(every_duplicate(world.hub)) == []
        (proposal,) = proposals(world)
        assert proposal.state in ("merged", "apart")
        assert proposal.decided_by == ""
        assert problems(world) == []


def test_a_proposal_goes_on_with_the_lead_that_took_one_of_its_own_in() -> None:
    world = alike()
    one, other = ids(world)
    (tom,) = [lead for lead in world.leads() if lead.lead_id not in (one, other)]
    newest = max((one, other), key=lambda name: _created(world, name))
    lead = merge(world.hub, [newest, tom.lead_id], "ann")
    world.settle()
    found = duplicate(world)
    assert lead.lead_id in found.proposal.lead_ids
    assert sorted(one.state for one in proposals(world)) == ["closed", "open"]
    joined = decide(world.hub, one, other, "merged", "ann")
    assert len(joined.members) == 2
    assert list(every_duplicate(world.hub)) == []
    world.settle()
    assert problems(world) == []


def _created(world: World, lead_id: str) -> datetime:
    return next(lead.created_at for lead in world.leads() if lead.lead_id == lead_id)


def test_a_proposal_can_be_decided_by_the_ids_it_was_made_with_after_a_merge() -> None:
    world = alike()
    one, other = ids(world)
    (tom,) = [lead for lead in world.leads() if lead.lead_id not in (one, other)]
    lead = merge(world.hub, [one, tom.lead_id], "ann")
    decide(world.hub, one, other, "apart", "ann")
    assert other in next(x for x in world.leads() if x.lead_id == lead.lead_id).apart
    assert list(every_duplicate(world.hub)) == []


def test_two_that_were_taken_apart_are_not_proposed_unless_that_is_lifted() -> None:
    world = alike()
    one, other = ids(world)
    lead = decide(world.hub, one, other, "merged", "ann")
    rest, member = unmerge(world.hub, lead.lead_id, lead.members[0], "ann")
    world.settle()
    write(world, 8, ZOE_TOO)
    assert list(every_duplicate(world.hub)) == []
    lift(world.hub, rest.lead_id, member.lead_id, "ann")
    write(world, 9, ZOE_TOO)
    assert duplicate(world).proposal.state == "open"
    assert problems(world) == []


def test_a_lead_names_who_may_be_the_same_person() -> None:
    world = alike()
    found = duplicate(world)
    (named,) = duplicates_of(world.hub, found.other)
    assert named.other_than(found.other) == found.one
    (tom,) = [x for x in world.leads() if x.lead_id not in (found.one.lead_id, found.other.lead_id)]
    assert duplicates_of(world.hub, tom) == []
    assert [one.lead_ids for one in proposals_of(world.hub, found.one)] == [found.proposal.lead_ids]


def test_a_long_list_comes_page_by_page() -> None:
    world = asking()
    for number in range(5):
        person = {**ZOE, "email": f"zoe{number}x{number * 7}@example{number}.com"}
        write(world, number, person)
    everything = [one.proposal.lead_ids for one in every_duplicate(world.hub)]
    assert len(everything) > 4
    seen, after = [], ""
    while True:
        page = list_duplicates(world.hub, 2, after)
        assert len(page.found) <= 2
        seen += [one.proposal.lead_ids for one in page.found]
        after = page.after
        if not after:
            break
    assert seen == everything


def test_nothing_of_an_erased_person_stays_in_proposals() -> None:
    world = alike()
    one, other = ids(world)
    erasure = begin(world.hub, one, "ann")
    run_now(world.hub, erasure.erasure_id, lambda now: None)
    assert proposals(world) == []
    assert list(every_duplicate(world.hub)) == []
    assert other in [lead.lead_id for lead in world.leads()]


def test_whoever_is_erased_while_somebody_alike_writes_is_in_no_proposal() -> None:
    world = asking()
    write(world, 1, ZOE)
    lead_id = world.lead().lead_id
    begun: list[Any] = []

    def meddle(call: Call, go: Callable[[], Any]) -> Any:
        if "proposal" in call.what and not begun:
            begun.append(begin(world.hub, lead_id, "ann"))
            for _ in range(4):
                work_on(world.hub, world.table.get(erasure_key(begun[0].erasure_id)) or {})
                world.clock.advance(minutes=10)
        return go()

    world.send("forms", form(2, **ZOE_TOO))
    world.settle(world.worker(meddle))
    assert begun
    assert proposals(world) == []
    assert find_erasure(world.hub, begun[0].erasure_id)[0].state == "done"
    assert ZOE["email"].encode() not in everything_kept(world)


@pytest.mark.parametrize("verdict", ["merged", "apart"])
def test_a_fault_at_any_call_of_a_decision_does_no_harm(verdict: Any) -> None:
    def run(hook: Hook) -> list[str]:
        world = alike()
        one, other = ids(world)
        hub = world.worker(hook)
        for _ in range(4):
            try:
                decide(hub, one, other, verdict, "ann")
            except (Kill, Exception):  # noqa: BLE001, whoever decides does it again
                continue
            break
        world.settle()
        found = problems(world)
        found += [f"{one.proposal.lead_ids} is open" for one in every_duplicate(world.hub)]
        return found + [f"it is {one.state}" for one in proposals(world) if one.state != verdict]

    fired, wrong = explore(run)
    assert wrong == {}
    assert fired > 20
