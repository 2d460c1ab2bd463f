"""What an owner answers: accept, or decline so that the lead goes on and the turn is given back."""

import pytest

from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.flow.answer import accept, decline
from chalicelib.lead.model import Assignment, Lead
from tests.flow.scenes import (
    a_world,
    ask,
    effects,
    events,
    failing_at,
    ledger,
    owner_of,
    received,
)
from tests.world import World, form

PHONE = "+447700900123"


def owned(**more: str) -> tuple[World, Lead, Assignment]:
    """Give a world with one lead, and what was assigned."""
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com", **more))
    world.drain()
    world.clock.advance(minutes=3)
    lead = world.lead()
    assert lead.assignment
    return world, lead, lead.assignment


# --- accept ---------------------------------------------------------------------------------------


def test_who_accepts_has_taken_the_lead_on() -> None:
    world, lead, given = owned()
    after = accept(world.hub, lead.lead_id, given.assignment_id, "ben")
    assert after.assignment
    assert after.assignment.accepted_at == world.clock()
    assert world.lead() == after
    (event,) = events(world, "accepted")
    assert (event.actor, event.text) == ("ben", "ben accepted it")


def test_accepting_again_is_no_error_and_changes_nothing() -> None:
    world, lead, given = owned()
    first = accept(world.hub, lead.lead_id, given.assignment_id, "ben")
    world.clock.advance(minutes=1)
    assert accept(world.hub, lead.lead_id, given.assignment_id, "ben") == first
    assert len(events(world, "accepted")) == 1


def test_an_accepted_lead_may_still_come_back() -> None:
    world, lead, given = owned()
    accept(world.hub, lead.lead_id, given.assignment_id, "ben")
    ask(world, "forms", form(2, "zoe@example.com"))
    world.drain()
    after = world.lead()
    assert after.assignment
    assert after.assignment.assignment_id == given.assignment_id
    assert after.assignment.accepted_at


def test_accepting_a_lead_that_is_not_there() -> None:
    with pytest.raises(NotFound):
        accept(a_world().hub, "nowhere", "a", "ben")


def test_accepting_while_others_keep_writing_asks_to_try_again() -> None:
    world, lead, given = owned()
    hub = world.worker(
        lambda call, go: (_ for _ in ()).throw(Conflict("others")) if call.does == "write" else go()
    )
    with pytest.raises(Conflict, match="is changing; try again"):
        accept(hub, lead.lead_id, given.assignment_id, "ben")


# --- decline --------------------------------------------------------------------------------------


def test_a_declined_lead_goes_to_somebody_else() -> None:
    world, lead, given = owned()
    decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id, "on holiday")
    world.drain()
    after = world.lead()
    assert owner_of(after) not in {"", given.owner_id}
    assert after.declined_by == (given.owner_id,)
    (event,) = events(world, "declined")
    assert event.text == f"{given.owner_id} gave it back: on holiday"


def test_the_turn_is_given_back_with_the_lead() -> None:
    world, lead, given = owned()
    decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    account = ledger(world, "small").accounts[given.owner_id]
    assert (account.received, account.returned) == (0, 1)
    world.drain()
    assert sum(received(world, "small").values()) == 1


def test_lead_event_and_turn_are_one_transaction() -> None:
    world, lead, given = owned()
    decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    kinds = [put.item["kind"] for put in world.table.commits[-1]]
    assert sorted(kinds) == ["event", "lead", "ledger"]


def test_declining_again_says_that_the_lead_has_gone_on_and_gives_no_turn_twice() -> None:
    world, lead, given = owned()
    decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    with pytest.raises(Conflict, match="gone to somebody else"):
        decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    assert ledger(world, "small").accounts[given.owner_id].returned == 1


@pytest.mark.parametrize("answer", [accept, decline])
def test_an_answer_after_the_lead_has_moved_on_is_refused(answer) -> None:  # type: ignore[no-untyped-def]
    world, lead, given = owned()
    decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    world.drain()
    with pytest.raises(Conflict, match="gone to somebody else"):
        answer(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    assert owner_of(world.lead())


def test_when_all_have_declined_the_lead_waits_in_the_unowned_queue_with_an_alarm() -> None:
    world, _, _ = owned()
    for _ in range(2):
        assert world.decline()
        world.drain()
    lead = world.lead()
    assert (lead.is_unowned, set(lead.declined_by)) == (True, {"ben", "cem"})
    assert [one.destination_id for one in effects(world) if one.kind == "unowned"] == ["alarm"]


def test_an_accepted_lead_may_be_given_back_later() -> None:
    world, lead, given = owned()
    accept(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    world.drain()
    assert owner_of(world.lead()) not in {"", given.owner_id}


def test_who_declined_is_not_offered_the_lead_when_it_comes_back() -> None:
    world, lead, given = owned()
    decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    world.drain()
    ask(world, "forms", form(2, "zoe@example.com"))
    world.drain()
    assert owner_of(world.lead()) not in {"", given.owner_id}


def test_a_decline_whose_message_is_lost_is_found_by_tick() -> None:
    world, lead, given = owned()
    world.routing.is_down = True
    with pytest.raises(Unavailable):
        decline(world.hub, lead.lead_id, given.assignment_id, given.owner_id)
    world.routing.is_down = False
    world.clock.advance(minutes=6)
    world.tick()
    world.drain()
    assert owner_of(world.lead()) not in {"", given.owner_id}


def test_a_decline_while_the_table_is_down_changes_nothing() -> None:
    world, lead, given = owned()
    hub = world.worker(failing_at("table.write", 1, Unavailable("DynamoDB: down")))
    with pytest.raises(Unavailable):
        decline(hub, lead.lead_id, given.assignment_id, given.owner_id)
    assert world.lead() == lead


def test_an_answer_to_a_lead_that_was_merged_away_lands_on_the_survivor() -> None:
    world = a_world()
    ask(world, "forms", form(1, phone=PHONE, topic="night"))
    world.drain()
    world.clock.advance(minutes=1)
    ask(world, "forms", form(2, "zoe@example.com"))
    world.drain()
    (gone,) = [lead for lead in world.leads() if lead.assignment]
    assert gone.assignment
    world.clock.advance(minutes=1)
    ask(world, "forms", form(3, "zoe@example.com", PHONE, topic="day"))
    world.drain()
    after = accept(world.hub, gone.lead_id, gone.assignment.assignment_id, "ben")
    assert after.lead_id == world.lead().lead_id != gone.lead_id


def test_notifications_of_the_lead_that_went_on_are_cancelled() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)
    assert world.decline()
    world.drain()
    assert sorted(one.state for one in effects(world)) == ["cancelled", "done"]
