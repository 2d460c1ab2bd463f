"""All leads looked through for such as are one person."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

import pytest

from chalicelib.errors import Conflict, HubError, NotFound
from chalicelib.flow import erase
from chalicelib.flow.catch_up import work_on
from chalicelib.flow.dedupe import (
    ALONE,
    DEDUPE_KEY,
    Dedupe,
    begin,
    count_leads,
    dedupe_of,
    last_run,
    look_through,
    run_on,
    step,
)
from chalicelib.flow.duplicates import every_duplicate
from chalicelib.flow.erase_state import erasure_key, find_erasure
from chalicelib.flow.merge import keep_apart
from tests.faults import Call, Hook, Kill, explore
from tests.flow.match_scenes import (
    ZOE,
    ZOE_TOO,
    alike,
    asking,
    duplicate,
    in_turn,
    proposals,
    unasked,
    write,
)
from tests.flow.scenes import events, everything_kept
from tests.invariants import problems
from tests.proof.weakened import Weakened
from tests.world import Weaken, World, strong


def told(run: Dedupe) -> None:
    """Show nobody how far it is."""


def test_leads_that_are_alike_are_found_and_proposed() -> None:
    world = unasked()
    begin(world.hub, "ann", total=count_leads(world.hub))
    run = run_on(world.hub, told)
    assert (run.total, run.looked_at, run.proposed, run.known, run.merged) == (3, 3, 1, 1, 0)
    found = duplicate(world)
    emails = {lead.profile["email"].value for lead in (found.one, found.other)}
    assert emails == {ZOE["email"], ZOE_TOO["email"]}
    assert problems(world) == []


def test_a_second_run_proposes_nothing_twice() -> None:
    world = unasked()
    for proposed in (1, 0):
        begin(world.hub, "ann")
        assert run_on(world.hub, told).proposed == proposed
    assert len(proposals(world)) == 1


def test_nobody_is_merged_unless_it_is_asked_for() -> None:
    world = unasked()
    publish_sure(world)
    begin(world.hub, "ann")
    run_on(world.hub, told)
    assert len(world.leads()) == 3


def publish_sure(world: World) -> None:
    """Let everybody who is a little alike be the same person."""
    asking(world, match=0.6, merge=0.6, ask=0.5)


def test_what_is_sure_enough_is_merged_when_it_is_asked_for() -> None:
    world = unasked()
    publish_sure(world)
    begin(world.hub, "ann", above=0.6)
    run = run_on(world.hub, told)
    assert run.merged == 1
    assert len(world.leads()) == 2
    world.settle()
    assert problems(world) == []
    (merged,) = events(world, "merged")
    assert "hub dedupe" in merged.text


def test_what_is_less_sure_is_proposed_beside() -> None:
    world = unasked()
    publish_sure(world)
    begin(world.hub, "ann", above=0.9999999)
    run = run_on(world.hub, told)
    assert (run.merged, run.proposed) == (0, 1)


def test_two_that_are_kept_apart_are_left_alone() -> None:
    world = alike()
    found = duplicate(world)
    keep_apart(world.hub, found.one.lead_id, found.other.lead_id, "ann")
    publish_sure(world)
    begin(world.hub, "ann", above=0.5)
    run = run_on(world.hub, told)
    assert (run.merged, run.proposed) == (0, 0)
    assert list(every_duplicate(world.hub)) == []


def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    world = unasked()
    before = world.table.scan()
    seen: list[int] = []
    (pair,) = look_through(world.hub, seen.append)
    assert seen[-1] == 3
    assert not pair.twin.is_match
    assert world.table.scan() == before
    begin(world.hub, "ann")
    run_on(world.hub, told)
    named = sorted((pair.one.lead_id, pair.twin.lead.lead_id))
    assert named == list(duplicate(world).proposal.lead_ids)


@pytest.mark.parametrize(
    ("wanted", "looked_at"),
    [
        ({"source": "forms"}, 3),
        ({"source": "events"}, 0),
        ({"since": date(2026, 11, 23)}, 3),
        ({"since": date(2026, 11, 24)}, 0),
    ],
)
def test_only_leads_of_a_source_or_a_time_are_looked_at(wanted: Any, looked_at: int) -> None:
    world = unasked()
    begin(world.hub, "ann", **wanted)
    assert run_on(world.hub, told).looked_at == looked_at


def test_one_run_at_a_time() -> None:
    world = unasked()
    with pytest.raises(NotFound):
        last_run(world.hub)
    begin(world.hub, "ann")
    with pytest.raises(Conflict):
        begin(world.hub, "ben")
    run_on(world.hub, told)
    begin(world.hub, "ben")


def test_the_hub_goes_on_by_itself_when_whoever_began_is_gone() -> None:
    world = unasked()
    begin(world.hub, "ann")
    step(world.hub)
    item = world.table.get(DEDUPE_KEY)
    assert item
    assert item["due_at"] > f"{world.clock():%Y-%m-%dT%H:%M}"
    world.clock.advance(seconds=ALONE.total_seconds() + 1)
    for _ in range(4):
        item = world.table.get(DEDUPE_KEY) or {}
        if "due_at" in item:
            work_on(world.hub, item)
    run, _ = last_run(world.hub)
    assert run.finished_at
    assert run.proposed == 1
    assert "due_at" not in (world.table.get(DEDUPE_KEY) or {})


def test_two_who_go_on_with_one_run_do_it_once() -> None:
    world = unasked()
    begin(world.hub, "ann")
    busy: list[int] = []

    def meddle(call: Call, go: Callable[[], Any]) -> Any:
        if call.what == "dedupe" and not busy:
            busy.append(1)
            run_on(world.hub, told)
        return go()

    run = run_on(world.worker(meddle), told)
    assert busy
    assert run.finished_at
    assert run.looked_at == 3
    assert len(proposals(world)) == 1


def test_a_lead_that_changes_meanwhile_is_looked_at_again() -> None:
    world = unasked()
    begin(world.hub, "ann")
    done: list[int] = []

    def meddle(call: Call, go: Callable[[], Any]) -> Any:
        if "proposal" in call.what and not done:
            done.append(1)
            write(world, 8, ZOE)
        return go()

    run_on(world.worker(meddle), told)
    assert done
    assert len(proposals(world)) == 1
    assert problems(world) == []


def erased_meanwhile(person: Mapping[str, str], weaken: Weaken) -> World:
    """Let somebody be erased for good between looking and proposing."""
    world = unasked(World(weaken=weaken))
    begin(world.hub, "ann")
    (lead,) = [one for one in world.leads() if one.profile["email"].value == person["email"]]
    done: list[str] = []

    def meddle(call: Call, go: Callable[[], Any]) -> Any:
        if "proposal" in call.what and not done:
            done.append(erase.begin(world.hub, lead.lead_id, "ann").erasure_id)
            for _ in range(4):
                work_on(world.hub, world.table.get(erasure_key(done[0])) or {})
                world.clock.advance(minutes=10)
        return go()

    run_on(world.worker(meddle), told)
    assert find_erasure(world.hub, done[0])[0].state == "done"
    return world


@pytest.mark.parametrize("person", [ZOE, ZOE_TOO])
def test_whoever_is_erased_meanwhile_is_in_no_proposal(person: Mapping[str, str]) -> None:
    world = erased_meanwhile(person, strong)
    assert proposals(world) == []
    assert person["email"].encode() not in everything_kept(world)


@pytest.mark.parametrize("name", ["compared lead", "looked up lead"])
def test_it_is_each_lead_s_own_check_that_sees_to_that(name: str) -> None:
    weaken = partial(Weakened, without=(name, "check"))
    worlds = [erased_meanwhile(person, weaken) for person in (ZOE, ZOE_TOO)]
    assert sum(bool(proposals(world)) for world in worlds) == 1


@pytest.mark.parametrize("above", [None, 0.6])
def test_a_fault_at_any_call_of_a_run_does_no_harm(above: float | None) -> None:
    def play(hook: Hook) -> list[str]:
        world = unasked()
        if above:
            publish_sure(world)
        hub = world.worker(hook)
        for _ in range(4):
            try:
                if world.table.get(DEDUPE_KEY) is None:
                    begin(hub, "ann", above=above)
                run_on(hub, told)
            except (Kill, HubError):
                continue
            break
        world.settle()
        item = world.table.get(DEDUPE_KEY)
        found = problems(world)
        if item is None or not dedupe_of(item).finished_at:
            found.append("it is not through")
        leads, open_ones = len(world.leads()), len(list(every_duplicate(world.hub)))
        expected = (2, 0) if above else (3, 1)
        return found if (leads, open_ones) == expected else [*found, f"{leads} {open_ones}"]

    fired, wrong = explore(play, in_turn)
    assert wrong == {}
    assert fired > 30
