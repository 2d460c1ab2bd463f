"""Withdrawals: a submission that its person took back counts no more, whenever that comes."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.flow.process import process
from tests.faults import Call
from tests.flow.scenes import (
    a_world,
    ask,
    claims,
    deliveries,
    effects,
    events,
    outcomes,
    touches,
)
from tests.world import World, form, linkedin, linkedin_pages

FIRST = 1_795_420_800_000
TAKEN_BACK = FIRST + 100_000
AGAIN = FIRST + 200_000


def a_linkedin_world(**parts: Any) -> World:
    world = a_world(**parts)
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    return world


def created(world: World, at: int = FIRST) -> None:
    assert ask(world, "linkedin", linkedin(1, "CREATED", at)).status == 200


def withdrawn(world: World, at: int = TAKEN_BACK) -> None:
    assert ask(world, "linkedin", linkedin(1, "DELETED", at)).status == 200


def test_a_withdrawal_after_its_submission_takes_the_touch_back() -> None:
    world = a_linkedin_world()
    created(world)
    world.settle()
    withdrawn(world)
    world.settle()
    lead = world.lead()
    assert [record.touch.void for record in touches(world)] == ["withdrawn"]
    assert (lead.touch_count, lead.score.total, dict(lead.profile)) == (0, 0, {})
    assert (lead.status, lead.status_reason) == ("disqualified", "withdrawn")
    assert outcomes(world) == ["accepted", "withdrawn"]
    assert [event.text for event in events(world, "withdrawn")] == [
        "the person took a submission back"
    ]


def test_a_withdrawal_before_its_submission_leaves_word_so_that_it_never_counts() -> None:
    world = a_linkedin_world()
    withdrawn(world)
    world.settle()
    created(world)
    world.settle()
    assert world.leads() == []
    assert outcomes(world) == ["withdrawn", "withdrawn"]
    assert world.web.asked == []
    assert world.mailbox.mails == []


def test_a_withdrawal_twice_is_one() -> None:
    world = a_linkedin_world()
    created(world)
    world.settle()
    for _ in range(2):
        withdrawn(world)
        world.settle()
    assert len(events(world, "withdrawn")) == 1
    assert outcomes(world) == ["accepted", "withdrawn", "withdrawn"]


def test_what_is_left_of_a_lead_counts_on() -> None:
    world = a_linkedin_world()
    ask(world, "forms", form(1, "lin@example.com", seats="250"))
    created(world)
    world.settle()
    before = world.lead()
    withdrawn(world)
    world.settle()
    lead = world.lead()
    assert (before.touch_count, lead.touch_count) == (2, 1)
    assert lead.score.total == before.score.total - 10
    assert lead.status == "assigned"
    assert lead.identity_keys == before.identity_keys


def test_a_touch_of_a_lead_that_was_merged_away_is_taken_back_from_the_survivor() -> None:
    world = a_linkedin_world()
    ask(world, "forms", form(1, phone="+447700900123"))
    world.settle()
    world.clock.advance(minutes=1)
    created(world)
    world.settle()
    ask(world, "forms", form(2, "lin@example.com", "+447700900123"))
    world.settle()
    withdrawn(world)
    world.settle()
    assert world.lead().touch_count == 2
    assert sorted(record.touch.void for record in touches(world)) == ["", "", "withdrawn"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_created_withdrawn_and_created_again_ends_the_same_in_any_order(
    order: tuple[int, ...],
) -> None:
    world = a_linkedin_world()
    acts = (
        lambda: created(world),
        lambda: withdrawn(world),
        lambda: created(world, AGAIN),
    )
    for number in order:
        acts[number]()
        world.settle()
        world.clock.advance(minutes=1)
    lead = world.lead()
    assert (lead.touch_count, lead.status) == (1, "assigned")
    assert lead.profile["email"].value == "lin@example.com"
    (claim,) = claims(world)
    assert (claim.withdrawn_at, claim.revision) == (None, str(AGAIN))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_created_withdrawn_created_and_withdrawn_ends_withdrawn_in_any_order(
    order: tuple[int, ...],
) -> None:
    world = a_linkedin_world()
    acts = (
        lambda: created(world),
        lambda: withdrawn(world),
        lambda: created(world, AGAIN),
        lambda: withdrawn(world, AGAIN + 100_000),
    )
    for number in order:
        acts[number]()
        world.settle()
    assert [lead.touch_count for lead in world.leads()] in ([], [0])
    assert {lead.status_reason for lead in world.leads()} <= {"withdrawn"}


def test_a_person_who_registers_again_has_a_new_lead_status_and_an_owner() -> None:
    world = a_linkedin_world()
    for act in (created, withdrawn):
        act(world)
        world.settle()
    created(world, AGAIN)
    world.settle()
    lead = world.lead()
    assert lead.status_reason == ""
    assert lead.assignment


def test_a_lead_withdrawn_before_it_had_an_owner_gets_none() -> None:
    world = a_linkedin_world()
    created(world)
    world.work(world.inbox, world.hub)
    withdrawn(world)
    world.settle()
    assert world.lead().assignment is None
    assert effects(world) == []


def test_a_lead_of_the_unowned_queue_leaves_it_when_all_is_withdrawn() -> None:
    world = a_linkedin_world(routing=())
    created(world)
    world.drain()
    assert world.lead().is_unowned
    withdrawn(world)
    world.drain()
    assert not world.lead().is_unowned


def test_a_lead_of_the_unowned_queue_is_offered_on_when_only_a_part_is_withdrawn() -> None:
    world = a_linkedin_world(routing=())
    ask(world, "forms", form(1, "lin@example.com"))
    created(world)
    world.drain()
    withdrawn(world)
    world.drain()
    assert world.lead().is_unowned
    (item,) = [item for item in world.table.scan() if item.get("kind") == "lead"]
    assert "due_at" in item


def test_a_withdrawal_of_what_nobody_ever_sent_is_remembered() -> None:
    world = a_linkedin_world()
    withdrawn(world)
    world.settle()
    assert [one.outcome for one in deliveries(world)] == ["withdrawn"]
    assert claims(world)[0].touch_id == ""


def overtaken(world: World, first: bytes, then: bytes) -> None:
    """Process one act, with another one taken just before the first is written."""
    ask(world, "linkedin", first)
    ask(world, "linkedin", then)
    one, other = world.inbox.receive()
    others = [other]

    def let_the_other_go_first(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write" and others:
            assert process(world.hub, [others.pop()]) == []
        return go()

    assert process(world.worker(let_the_other_go_first), [one]) == []
    world.inbox.delete([one.message_id, other.message_id])
    world.settle()


def test_a_withdrawal_that_overtakes_its_submission_is_not_lost() -> None:
    world = a_linkedin_world()
    overtaken(world, linkedin(1), linkedin(1, "DELETED", TAKEN_BACK))
    assert outcomes(world) == ["withdrawn", "withdrawn"]
    assert world.leads() == []


def test_a_submission_that_overtakes_its_withdrawal_is_taken_back() -> None:
    world = a_linkedin_world()
    overtaken(world, linkedin(1, "DELETED", TAKEN_BACK), linkedin(1))
    assert outcomes(world) == ["withdrawn", "accepted"]
    assert world.lead().status_reason == "withdrawn"
    assert world.mailbox.mails == []


def test_two_withdrawals_at_once_are_one() -> None:
    world = a_linkedin_world()
    created(world)
    world.settle()
    overtaken(world, linkedin(1, "DELETED", TAKEN_BACK), linkedin(1, "DELETED", TAKEN_BACK + 1))
    assert world.lead().touch_count == 0
    assert claims(world)[0].withdrawn_at is not None
