"""The clock at work: steps come once and in time, and stop when the owner does their part."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.config.model import Owner
from chalicelib.config.sla import Sla
from chalicelib.errors import Conflict, Invalid, NotFound, Unavailable
from chalicelib.flow.catch_up import work_on
from chalicelib.flow.clock import plan_step, touched
from chalicelib.flow.erase import begin
from chalicelib.flow.merge import merge
from chalicelib.flow.publish import set_availability
from chalicelib.flow.unmerge import unmerge
from chalicelib.lead.model import Promise
from chalicelib.records import ACTIVE_KEY, active_of, lead_item, lead_key
from tests.flow.scenes import (
    a_world,
    ask,
    effects,
    events,
    failing_at,
    ledger,
    of_kind,
    owner_of,
    reconfigure,
)
from tests.flow.sla_scenes import EVERY, a_clocked_world, pass_minutes, with_clock
from tests.invariants import problems
from tests.world import World, form, replaced


def promise(world: World, kind: str) -> Promise:
    lead = world.lead()
    assert lead.assignment
    return next(one for one in lead.assignment.clock if one.kind == kind)


def steps(world: World) -> list[str]:
    return [event.text for event in events(world, "escalated", "taken_back")]


def told(world: World) -> list[tuple[str, str]]:
    return [(mail.to, mail.subject.partition(":")[0]) for mail in world.mailbox.mails]


def hot_world(**sla: Any) -> World:
    config = with_clock(**sla)
    world = a_world(owners=config.owners, sla=config.sla)
    ask(world, "forms", form(1, "zoe@example.com", seats="250"))
    world.drain()
    return world


# --- without a clock ------------------------------------------------------------------------------


def test_a_hub_without_a_clock_writes_what_it_always_wrote() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.drain()
    lead = world.lead()
    assert lead.assignment
    assert (lead.assignment.clock, lead.clock_at) == ((), None)
    item = world.table.get(lead_key(lead.lead_id))
    assert item
    assert "due_at" not in item


def test_a_contact_can_be_noted_without_a_clock_and_so_can_a_date() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.drain()
    friday = world.clock() + timedelta(days=4)
    after = touched(world.hub, world.lead().lead_id, "ben", friday, "called")
    assert after.assignment
    assert (after.status, after.assignment.touched_at) == ("contacted", world.clock())
    assert after.assignment.accepted_at
    assert [one.due_at for one in after.assignment.clock] == [friday]
    assert after.clock_at is None


# --- the ladder -----------------------------------------------------------------------------------


def test_the_ladder_of_a_hot_lead_is_gone_up_to_the_next_owner() -> None:
    world = hot_world()
    first = owner_of(world.lead())
    pass_minutes(world, 46)
    address = f"{first}@example.com"
    assert told(world)[1:5] == [
        (address, "Reminder"),
        (address, "Overdue"),
        ("dee@example.com", "Overdue"),
        ("dee@example.com", "Taken back"),
    ]
    times = [event.at for event in events(world, "escalated", "taken_back")]
    began = events(world, "assigned")[0].at
    assert [(at - began) // timedelta(minutes=1) for at in times] == [10, 15, 30, 45]
    after = world.lead()
    assert owner_of(after) not in ("", first)
    assert after.declined_by == (first,)
    assert problems(world) == []


def test_the_turn_is_given_back_with_a_lead_that_is_taken_back() -> None:
    world = hot_world()
    first = owner_of(world.lead())
    pass_minutes(world, 45)
    account = ledger(world, "large").accounts[first]
    assert (account.received, account.returned) == (0, 1)


def test_whoever_accepts_in_time_hears_no_more_of_it() -> None:
    world = hot_world()
    pass_minutes(world, 12)
    world.accept()
    pass_minutes(world, 40)
    assert len(steps(world)) == 1
    assert promise(world, "accept").kept_at
    assert promise(world, "touch").next_at


def test_who_contacts_the_person_has_accepted_and_has_a_next_step() -> None:
    world = a_clocked_world()
    pass_minutes(world, 5)
    lead = touched(world.hub, world.lead().lead_id, "cem")
    assert lead.status == "contacted"
    assert [one.kind for one in (lead.assignment.clock if lead.assignment else ())] == [
        "accept",
        "touch",
        "step",
    ]
    assert promise(world, "step").due_at == world.clock() + timedelta(minutes=2880)
    pass_minutes(world, 300)
    assert steps(world) == []


def test_a_follow_up_date_is_reminded_of_and_then_overdue() -> None:
    world = a_clocked_world()
    owner = owner_of(world.lead())
    lead = touched(world.hub, world.lead().lead_id, owner, world.clock() + timedelta(hours=5))
    pass_minutes(world, 301)
    assert [what for _, what in told(world)[1:]] == ["Reminder", "Overdue"]
    plan_step(world.hub, lead.lead_id, world.clock() + timedelta(hours=5), owner, "asked to wait")
    pass_minutes(world, 241)
    assert [what for _, what in told(world)[1:]] == ["Reminder", "Overdue", "Reminder"]
    assert events(world, "planned")[0].text.endswith(": asked to wait")


def test_a_next_step_lies_in_the_future_and_needs_an_owner() -> None:
    world = a_clocked_world()
    lead_id = world.lead().lead_id
    with pytest.raises(Invalid):
        plan_step(world.hub, lead_id, world.clock(), "ben")
    with pytest.raises(NotFound):
        touched(world.hub, "nowhere", "ben")
    world.decline()
    with pytest.raises(Conflict, match="nobody owns"):
        touched(world.hub, lead_id, "ben")


def test_a_person_who_comes_back_waits_no_longer_than_a_new_one() -> None:
    world = a_clocked_world()
    touched(world.hub, world.lead().lead_id, owner_of(world.lead()))
    pass_minutes(world, 10)
    ask(world, "forms", form(2, "zoe@example.com"))
    world.drain()
    again = promise(world, "touch")
    assert (again.since, again.kept_at) == (world.clock(), None)
    pass_minutes(world, 240)
    assert "alarm" in steps(world)[-1]


def test_a_lead_that_is_set_to_contacted_elsewhere_awaits_its_next_step() -> None:
    world = a_clocked_world()
    lead = world.lead()
    item = dict(world.table.get(lead_key(lead.lead_id)) or {})
    done = lead.model_copy(update={"status": "contacted", "version": lead.version + 1})
    world.table.plant({**item, **lead_item(done, "test")})
    pass_minutes(world, 241)
    assert steps(world) == []
    assert promise(world, "touch").kept_at
    assert promise(world, "step").due_at > world.clock()


def test_a_lead_that_is_closed_has_no_clock() -> None:
    world = a_clocked_world()
    closed = world.lead().model_copy(update={"status": "disqualified"})
    assert closed.clock_at is None


def test_a_step_is_left_out_for_leads_that_its_condition_names() -> None:
    unless = {"field": "source", "op": "is", "value": "forms"}
    policy = {"id": "all", "when": EVERY, "time": "always"}
    ladder = {"minutes": 10, "steps": [{"after": 0, "notify": ["mail"], "unless": unless}]}
    world = a_clocked_world(policies=[{**policy, "accept": ladder}])
    pass_minutes(world, 12)
    (text,) = steps(world)
    assert text.startswith("left as it is")
    assert "source is forms" in text
    assert problems(world) == []


def test_a_lead_does_not_go_round_for_ever() -> None:
    world = a_clocked_world(most_owners=2)
    pass_minutes(world, 60 * 6)
    assert len(events(world, "taken_back")) == 1
    assert "2 owners have had it" in " ".join(steps(world))
    assert owner_of(world.lead())


def test_who_has_no_manager_is_told_of_by_alarm() -> None:
    world = hot_world()
    config = world.config
    for owner_id in ("ann", "ben", "cem"):
        config = replaced(config, "owners", owner_id, manager="")
    reconfigure(world, config)
    pass_minutes(world, 31)
    assert ("duty@example.com", "Overdue") in told(world)
    assert "has no manager" in steps(world)[-1]


# --- silence --------------------------------------------------------------------------------------


def test_a_silent_owner_is_switched_off_with_a_note_and_on_again_by_hand() -> None:
    world = hot_world(silent_after=1)
    first = owner_of(world.lead())
    pass_minutes(world, 16)
    active = active_of(world.table.get(ACTIVE_KEY) or {})
    assert active.off == {first: ""}
    assert active.notes == {first: "let 1 leads in a row go unaccepted"}
    set_availability(world.hub, first, off=False)
    active = active_of(world.table.get(ACTIVE_KEY) or {})
    assert (active.off, active.notes) == ({}, {})


def test_who_accepts_now_and_then_is_not_silent() -> None:
    world = a_clocked_world(silent_after=2)
    pass_minutes(world, 61)
    world.accept()
    ask(world, "forms", form(2, "yan@example.net"))
    world.drain()
    pass_minutes(world, 61)
    assert active_of(world.table.get(ACTIVE_KEY) or {}).off == {}


# --- late, twice, and in between ------------------------------------------------------------------


def test_after_an_outage_reminders_that_are_too_late_are_left_out() -> None:
    world = hot_world()
    before = world.lead()
    world.clock.advance(hours=2)
    world.tick()
    world.drain()
    assert [one.split(":")[0] for one in steps(world)[:2]] == [
        f"{world.config.owners[owner_of(before)].name} is told (mail, chat)",
        "Dee Dale is told (mail)",
    ]
    # Whoever lost it meanwhile is told that, and not to hurry.
    assert [what for _, what in told(world)[1:]] == ["Taken back", "New lead"]
    assert problems(world) == []


def test_two_ticks_in_the_same_minute_take_a_step_once() -> None:
    world = hot_world()
    world.clock.advance(minutes=10)
    world.tick()
    world.tick()
    assert len(steps(world)) == 1


def test_a_clock_that_was_put_back_takes_no_step_again() -> None:
    world = hot_world()
    pass_minutes(world, 10)
    world.clock.advance(minutes=-60)
    world.tick()
    pass_minutes(world, 62)
    assert len(steps(world)) == 1


def test_an_absence_that_is_entered_later_moves_the_time() -> None:
    world = a_clocked_world(policies=[{"id": "all", "when": EVERY, "accept": BUSINESS}])
    owner = owner_of(world.lead())
    today = world.clock().date()
    away = [{"first": str(today), "last": str(today)}]
    known = world.config.owners[owner].model_dump(mode="json")
    owners = {**world.config.owners, owner: Owner.model_validate({**known, "absences": away})}
    reconfigure(world, world.config.model_copy(update={"owners": owners}))
    world.clock.advance(minutes=31)
    world.tick()
    assert steps(world) == []
    assert promise(world, "accept").due_at.date() == today + timedelta(days=1)


BUSINESS = {"minutes": 30, "steps": [{"after": 0, "notify": ["mail"]}]}


def test_a_policy_that_is_gone_lets_its_clocks_stop() -> None:
    world = a_clocked_world()
    reconfigure(world, world.config.model_copy(update={"sla": Sla()}))
    pass_minutes(world, 300)
    assert steps(world) == []
    assert world.lead().clock_at is None


def test_a_tick_that_dies_between_the_step_and_its_message_loses_nothing() -> None:
    world = hot_world()
    world.clock.advance(minutes=10)
    world.tick(world.worker(failing_at("outbox.send", 1, Unavailable("SQS: down"))))
    assert len(steps(world)) == 1
    assert len(told(world)) == 1
    pass_minutes(world, 5)
    assert told(world)[1][1] == "Reminder"


def test_the_owner_who_has_it_is_reminded_and_nobody_else() -> None:
    world = hot_world()
    world.clock.advance(minutes=10)
    world.tick()
    world.decline()
    world.drain()
    reminders = [one for one in effects(world, "mail") if one.kind == "reminder"]
    assert [one.state for one in reminders] == ["cancelled"]


# --- merged and taken apart -----------------------------------------------------------------------


def test_merged_leads_have_the_earlier_clock_and_get_their_own_back() -> None:
    world = a_clocked_world()
    pass_minutes(world, 20)
    ask(world, "forms", form(2, "yan@example.net", seats="250"))
    world.drain()
    first, second = sorted(world.leads(), key=lambda lead: lead.created_at)
    assert second.clock_at == world.clock() + timedelta(minutes=10)
    merged = merge(world.hub, [first.lead_id, second.lead_id], "ann")
    assert owner_of(merged) == owner_of(first)
    assert merged.clock_at == second.clock_at
    rest, member = unmerge(world.hub, first.lead_id, second.lead_id, "ann")
    assert (rest.clock_at, member.clock_at) == (first.clock_at, second.clock_at)
    world.settle()
    assert problems(world) == []


def test_an_erased_lead_has_no_clock() -> None:
    world = a_clocked_world()
    lead_id = world.lead().lead_id
    begin(world.hub, lead_id, "ann")
    for _ in range(6):
        for item in of_kind(world, "erasure"):
            if "due_at" in item:
                work_on(world.hub, item)
        world.clock.advance(minutes=31)
        world.tick()
    assert "due_at" not in (world.table.get(lead_key(lead_id)) or {"due_at": "gone"})
    assert problems(world) == []
