"""Routing: who may take a lead, whose turn it is, and what happens when nobody is there."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.config.model import Absence, Member, Owner, Pool, RoutingRule
from chalicelib.errors import Unavailable
from chalicelib.flow.publish import set_availability
from chalicelib.flow.route import route, set_aside
from chalicelib.flow.tick import tick
from chalicelib.lead.model import Lead
from chalicelib.lead.routing import LEAD
from chalicelib.records import day_of
from chalicelib.storage import MOST_WRITES, Received
from tests.fakes import Clock
from tests.faults import Call
from tests.flow.scenes import (
    a_world,
    ask,
    changed,
    decision,
    effects,
    events,
    failing_at,
    ledger,
    of_kind,
    owner_of,
    received,
    reconfigure,
)
from tests.world import World, configured, form

PHONE = "+447700900123"


def arrive(world: World, *numbers: int, **more: Any) -> None:
    """Let people come who are not known yet."""
    for number in numbers:
        assert ask(world, "forms", form(number, f"p{number}@example.com", **more)).status == 200


def owners(world: World) -> list[str]:
    """Name the owners of all leads, in the order in which the leads came."""
    return [owner_of(lead) for lead in sorted(world.leads(), key=lambda one: one.first_touch.at)]  # type: ignore[union-attr]


def given(world: World) -> list[str]:
    """Name whom leads were assigned to, in the order of the decisions."""
    return [event.decisions[0].result for event in events(world, "assigned")]


def because(world: World, owner_id: str) -> str:
    """Say why an owner could not take the last lead."""
    last = decision(events(world, "assigned", "unowned"), "route")
    return next(one.because for one in last.candidates if one.candidate == owner_id)


def an_owner(**more: Any) -> Owner:
    return Owner(name="Made Up", email="made.up@example.com", **more)


# --- rotation -------------------------------------------------------------------------------------


def test_a_pool_rotates_so_that_nobody_is_more_than_one_lead_from_their_share() -> None:
    world = a_world()
    for number in range(20):
        arrive(world, number)
        world.drain()
        balances = [account.balance for account in ledger(world, "small").accounts.values()]
        assert all(abs(balance) <= LEAD for balance in balances)
    assert received(world, "small") == {"ben": 10, "cem": 10}


def test_weights_give_twice_as_many_to_who_counts_twice() -> None:
    world = a_world()
    arrive(world, *range(12), seats="250")
    world.drain()
    assert received(world, "large") == {"ann": 8, "ben": 4}


def test_the_rule_that_fits_first_picks_the_pool() -> None:
    world = a_world()
    arrive(world, 1, seats="250")
    arrive(world, 2)
    world.drain()
    assert sorted(lead.pool_id for lead in world.leads()) == ["large", "small"]


def test_a_batch_of_ten_is_one_transaction_and_rotates_all_the_same() -> None:
    world = a_world()
    arrive(world, *range(10))
    world.work(world.inbox, world.hub)
    before = len(world.table.commits)
    world.work(world.routing, world.hub)
    assert len(world.table.commits) == before + 1
    assert received(world, "small") == {"ben": 5, "cem": 5}
    assert ledger(world, "small").version == 10


def test_assignment_ledger_event_and_notifications_are_one_transaction() -> None:
    world = a_world()
    arrive(world, 1, seats="250")
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)
    kinds = [put.item["kind"] for put in world.table.commits[-1]]
    assert sorted(kinds) == ["effect", "effect", "effect", "event", "lead", "ledger"]


def test_more_leads_than_one_transaction_holds_are_routed_one_by_one() -> None:
    pools = dict(configured().pools)
    names = [f"chat{n}" for n in range(12)]
    destinations = {
        **configured().destinations,
        **{name: configured().destinations["chat"] for name in names},
    }
    rest = configured().routing[-1].model_copy(update={"notify": tuple(names)})
    world = a_world(pools=pools, destinations=destinations, routing=(rest,))
    arrive(world, *range(10))
    world.work(world.inbox, world.hub)
    before = len(world.table.commits)
    world.work(world.routing, world.hub)
    assert MOST_WRITES < 10 * 14
    assert len(world.table.commits) == before + 10
    assert len(effects(world)) == 120
    assert received(world, "small") == {"ben": 5, "cem": 5}


# --- eligibility is decided before choice ---------------------------------------------------------


def test_an_owner_who_is_switched_off_in_the_configuration_gets_nothing() -> None:
    world = a_world()
    reconfigure(world, changed(world.config, "owners", "ben", active=False))
    arrive(world, *range(4))
    world.drain()
    assert received(world, "small") == {"cem": 4}
    assert because(world, "ben") == "switched off"


def test_an_owner_who_switched_themselves_off_gets_nothing_until_then() -> None:
    world = a_world()
    set_availability(world.hub, "ben", off=True, until="2026-11-23T12:00:00+00:00")
    arrive(world, 1, 2)
    world.drain()
    assert received(world, "small") == {"cem": 2}
    world.clock.advance(hours=3)
    arrive(world, 3, 4)
    world.drain()
    assert received(world, "small")["ben"] >= 1


@pytest.mark.parametrize(
    ("at", "owner_id"),
    [
        ("2026-11-23T07:59:59+00:00", "ben"),
        ("2026-11-23T08:00:00+00:00", "cem"),
        ("2026-11-23T15:59:59+00:00", "cem"),
        ("2026-11-23T16:00:00+00:00", "ben"),
    ],
)
def test_working_hours_are_those_of_the_owners_own_zone(at: str, owner_id: str) -> None:
    world = a_world(
        owners={
            "ben": an_owner(hours={"mon": ("00:00-08:00", "16:00-24:00")}, time_zone="UTC"),
            "cem": an_owner(hours={"mon": ("09:00-17:00",)}, time_zone="Europe/Berlin"),
        },
        pools={"small": configured().pools["small"]},
        routing=configured().routing[-1:],
    )
    world.clock = Clock(datetime.fromisoformat(at))
    world.hub = world.worker(lambda call, go: go())
    arrive(world, 1)
    world.drain()
    assert given(world) == [owner_id]


def test_an_owner_who_is_away_gets_nothing_through_the_last_day() -> None:
    world = a_world()
    absence = Absence.model_validate({"first": "2026-11-20", "last": "2026-11-23"})
    reconfigure(world, changed(world.config, "owners", "ben", absences=(absence,)))
    arrive(world, 1)
    world.drain()
    assert because(world, "ben") == "away through 23 Nov 2026 UTC"
    world.clock.advance(days=1)
    arrive(world, 2)
    world.drain()
    assert given(world) == ["cem", "ben"]


def capped(most: int) -> World:
    world = a_world()
    reconfigure(world, changed(world.config, "owners", "ben", daily_cap=most))
    return world


def test_a_daily_cap_holds_and_the_next_day_is_a_new_one() -> None:
    world = capped(2)
    arrive(world, *range(8))
    world.drain()
    assert received(world, "small") == {"ben": 2, "cem": 6}
    assert because(world, "ben") == "has had 2 of at most 2 new leads today"
    world.clock.advance(days=1)
    arrive(world, 8, 9, 10, 11)
    world.drain()
    assert received(world, "small")["ben"] == 4


def test_a_daily_cap_counts_over_all_pools() -> None:
    world = capped(2)
    arrive(world, 1, 2, 3, 4, seats="250")
    world.drain()
    arrive(world, 5, 6, 7, 8)
    world.drain()
    total = received(world, "large")["ben"] + received(world, "small").get("ben", 0)
    assert total == 2
    (day,) = [day_of(item) for item in of_kind(world, "day")]
    assert (day.owner_id, day.day, day.taken) == ("ben", "2026-11-23", 2)


def test_a_daily_cap_holds_within_one_batch() -> None:
    world = capped(1)
    arrive(world, *range(10))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)
    assert received(world, "small") == {"ben": 1, "cem": 9}


def test_a_cap_of_none_at_all_takes_an_owner_out() -> None:
    world = capped(0)
    arrive(world, 1, 2)
    world.drain()
    assert received(world, "small") == {"cem": 2}


def test_who_could_not_take_leads_is_not_owed_them_afterwards() -> None:
    world = a_world()
    set_availability(world.hub, "ben", off=True)
    arrive(world, *range(10))
    world.drain()
    set_availability(world.hub, "ben", off=False)
    arrive(world, *range(10, 14))
    world.drain()
    assert received(world, "small") == {"ben": 2, "cem": 12}


# --- nobody is there ------------------------------------------------------------------------------


def test_nobody_eligible_leads_to_the_rules_fallback_pool() -> None:
    world = a_world()
    for owner_id in ("ann", "ben"):
        set_availability(world.hub, owner_id, off=True)
    arrive(world, 1, seats="250")
    world.drain()
    (lead,) = world.leads()
    assert lead.assignment
    assert (lead.assignment.owner_id, lead.assignment.pool_id) == ("cem", "small")
    last = decision(events(world, "assigned"), "route")
    assert [one.candidate for one in last.candidates] == ["ann", "ben", "ben", "cem"]
    assert ledger(world, "large").decided == 0


def unowned() -> World:
    """Give a world with one lead that nobody could take."""
    world = a_world()
    arrive(world, 1, topic="night")
    world.drain()
    return world


def test_then_to_the_unowned_queue_and_an_alarm() -> None:
    world = unowned()
    lead = world.lead()
    assert (lead.is_unowned, lead.assignment, lead.status) == (True, None, "new")
    assert [mail.to for mail in world.mailbox.mails] == ["duty@example.com"]
    assert [event.text for event in events(world)] == [
        "waits for an owner: nobody who could take it is there"
    ]
    (item,) = of_kind(world, "lead")
    assert item["owner_pk"] == "OWNED#-unowned"


def test_a_lead_of_the_unowned_queue_is_offered_again_and_the_alarm_is_raised_once() -> None:
    world = unowned()
    for _ in range(3):
        world.clock.advance(minutes=15)
        world.tick()
        world.drain()
    assert world.lead().is_unowned
    assert len(world.mailbox.mails) == 1
    assert len(events(world)) == 1


def test_a_lead_of_the_unowned_queue_gets_an_owner_when_one_is_there() -> None:
    world = unowned()
    reconfigure(world, changed(world.config, "owners", "dee", active=True))
    world.clock.advance(minutes=15)
    world.tick()
    world.drain()
    lead = world.lead()
    assert (owner_of(lead), lead.is_unowned, lead.status) == ("dee", False, "assigned")
    assert [mail.to for mail in world.mailbox.mails] == ["duty@example.com", "dee@example.com"]


def test_a_person_of_the_unowned_queue_who_comes_back_is_offered_at_once() -> None:
    world = unowned()
    ask(world, "forms", form(2, "p1@example.com", at="2026-11-23T08:30:00Z", topic="day"))
    world.drain()
    assert owner_of(world.lead()) in {"ben", "cem"}


def test_an_alarm_that_is_switched_off_is_not_planned() -> None:
    world = a_world()
    reconfigure(world, changed(world.config, "destinations", "alarm", enabled=False))
    arrive(world, 1, topic="night")
    world.drain()
    assert world.lead().is_unowned
    assert effects(world) == []


# --- who comes back keeps their owner -------------------------------------------------------------


def came_back(world: World, **more: Any) -> Lead:
    """Let the first person come back."""
    world.clock.advance(minutes=10)
    ask(world, "forms", form(99, "p1@example.com", at="2026-11-23T08:59:00Z", **more))
    world.drain()
    return world.lead()


def owned(**more: Any) -> World:
    """Give a world with one lead that has an owner."""
    world = a_world()
    arrive(world, 1, **more)
    world.drain()
    return world


def test_a_returning_lead_keeps_its_owner_and_uses_no_turn() -> None:
    world = owned()
    before, decided = world.lead(), ledger(world, "small").decided
    lead = came_back(world)
    assert lead.assignment == before.assignment
    assert ledger(world, "small").decided == decided
    assert [event.kind for event in events(world)] == ["assigned", "returned"]


def test_the_owner_is_told_that_a_lead_came_back() -> None:
    world = owned()
    came_back(world)
    assert sorted(one.kind for one in effects(world)) == ["assigned", "returned"]
    assert len({mail.to for mail in world.mailbox.mails}) == 1


def test_the_owner_is_not_told_when_the_company_does_not_want_that() -> None:
    world = owned()
    settings = world.config.settings.model_copy(update={"notify_returning": False})
    reconfigure(world, world.config.model_copy(update={"settings": settings}))
    came_back(world)
    assert [one.kind for one in effects(world)] == ["assigned"]


def test_a_returning_lead_keeps_its_owner_out_of_hours_and_beyond_the_cap() -> None:
    world = owned()
    owner_id = owner_of(world.lead())
    hours = {"sun": ("08:00-09:00",)}
    reconfigure(world, changed(world.config, "owners", owner_id, hours=hours, daily_cap=0))
    assert owner_of(came_back(world)) == owner_id


@pytest.mark.parametrize("why", ["off", "inactive", "away", "gone"])
def test_a_returning_lead_whose_owner_is_not_there_goes_to_another(why: str) -> None:
    world = owned()
    owner_id = owner_of(world.lead())
    config = world.config
    if why == "off":
        set_availability(world.hub, owner_id, off=True)
    if why == "inactive":
        reconfigure(world, changed(config, "owners", owner_id, active=False))
    if why == "away":
        absence = Absence.model_validate({"first": "2026-11-23", "last": "2026-11-24"})
        reconfigure(world, changed(config, "owners", owner_id, absences=(absence,)))
    if why == "gone":
        others = {name: one for name, one in config.owners.items() if name != owner_id}
        pools = {
            name: Pool(members=tuple(m for m in pool.members if m.owner != owner_id))
            for name, pool in config.pools.items()
        }
        reconfigure(world, config.model_copy(update={"owners": others, "pools": pools}))
    lead = came_back(world)
    assert owner_of(lead) not in {"", owner_id}
    assert lead.status == "assigned"


def test_a_raised_stage_rotates_anew_unless_the_owner_is_in_the_new_pool() -> None:
    world = a_world()
    set_availability(world.hub, "ben", off=True)
    arrive(world, 1)
    world.drain()
    assert owner_of(world.lead()) == "cem"
    set_availability(world.hub, "ben", off=False)
    lead = came_back(world, seats="250")
    assert (lead.stage, owner_of(lead) in {"ann", "ben"}) == ("MQL", True)


def test_a_raised_stage_keeps_an_owner_who_is_in_the_new_pool_too() -> None:
    world = a_world()
    set_availability(world.hub, "cem", off=True)
    arrive(world, 1)
    world.drain()
    lead = came_back(world, seats="250")
    assert (lead.stage, owner_of(lead)) == ("MQL", "ben")
    assert ledger(world, "large").decided == 0


def test_a_lead_that_was_merged_away_before_it_was_routed_is_routed_once() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    ask(world, "forms", form(2, phone=PHONE))
    ask(world, "forms", form(3, "zoe@example.com", PHONE))
    world.work(world.inbox, world.hub)
    world.drain()
    assert owner_of(world.lead())
    assert len(events(world, "assigned")) == 1
    assert sum(received(world, "small").values()) == 1


# --- what changes in between ----------------------------------------------------------------------


def in_between(world: World, act: Callable[[], object]) -> None:
    """Route what waits, with something happening just before the write."""
    world.work(world.inbox, world.hub)
    acts = [act]

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if call.on == "table" and call.does == "write" and acts:
            acts.pop()()
        return go()

    world.work(world.routing, world.worker(hook))
    assert acts == []


def test_an_owner_switched_off_between_choice_and_commit_is_not_assigned() -> None:
    for owner_id in ("ben", "cem"):
        world = a_world()
        arrive(world, 1)
        in_between(world, lambda: set_availability(world.hub, owner_id, off=True))  # noqa: B023
        assert owner_of(world.lead()) not in {"", owner_id}


def test_a_configuration_published_in_between_is_the_one_that_decides() -> None:
    world = a_world()
    arrive(world, 1, 2, 3)
    config = changed(world.config, "owners", "ben", active=False)
    in_between(world, lambda: reconfigure(world, config))
    assert given(world) == ["cem"] * 3
    hashes = {one.config_hash for event in events(world) for one in event.decisions}
    assert hashes == {world.hub.configurations.current().hash}


def test_a_rule_that_is_gone_since_gives_way_to_the_last_one() -> None:
    world = a_world()
    arrive(world, 1, seats="250")
    world.work(world.inbox, world.hub)
    reconfigure(world, world.config.model_copy(update={"routing": world.config.routing[-1:]}))
    world.drain()
    assert world.lead().assignment
    assert received(world, "small") == {"ben": 1, "cem": 0} or received(world, "small")["cem"] == 1


def test_a_lead_that_changed_in_between_is_read_again() -> None:
    world = a_world()
    arrive(world, 1)

    def come_back() -> None:
        ask(world, "forms", form(2, "p1@example.com"))
        world.work(world.inbox, world.hub)

    in_between(world, come_back)
    world.drain()
    assert world.lead().touch_count == 2
    assert len(events(world, "assigned")) == 1


def test_the_same_routing_message_again_changes_nothing() -> None:
    world = owned()
    before = world.lead()
    again = Received("again", {"lead": before.lead_id}, 1)
    assert route(world.hub, [again, again]) == []
    assert world.lead() == before
    assert len(world.outbox.sent) == 1


def test_effects_whose_message_was_lost_are_sent_again() -> None:
    world = a_world()
    arrive(world, 1)
    world.work(world.inbox, world.hub)
    world.outbox.is_down = True
    world.work(world.routing, world.hub)
    assert not world.routing.is_empty()
    world.outbox.is_down = False
    world.drain()
    assert [one.state for one in effects(world)] == ["done"]


# --- when AWS is down -----------------------------------------------------------------------------


def test_after_the_first_failure_all_later_messages_come_back() -> None:
    world = a_world()
    arrive(world, *range(5))
    world.work(world.inbox, world.hub)
    messages = world.routing.receive()

    def others_write_first(call: Call, go: Callable[[], Any]) -> Any:
        # The whole batch conflicts, then the third lead of it finds the table down.
        if call.does == "write" and "lead" in call.what:
            writes.append(call.what)
            if len(writes) == 1:
                set_availability(world.hub, "ann", off=True)
            if len(writes) == 4:
                raise Unavailable("DynamoDB: down")
        return go()

    writes: list[str] = []
    back = route(world.worker(others_write_first), messages)
    assert back == [message.message_id for message in messages[2:]]
    assert len(given(world)) == 2


@pytest.mark.parametrize("name", ["table.get", "table.get_many", "table.write"])
def test_every_message_comes_back_while_the_table_is_down(name: str) -> None:
    world = a_world()
    arrive(world, 1, 2)
    world.work(world.inbox, world.hub)
    messages = world.routing.receive()
    hub = world.worker(failing_at(name, 1, Unavailable("DynamoDB: down")))
    assert route(hub, messages) == [message.message_id for message in messages]
    assert given(world) == []


def test_a_lead_that_our_code_fails_on_goes_to_the_unowned_queue_with_an_alarm() -> None:
    world = a_world()
    arrive(world, 1)
    world.work(world.inbox, world.hub)
    (message,) = world.routing.receive()
    set_aside(world.hub, message, RuntimeError("p1@example.com"))
    world.routing.delete([message.message_id])
    world.drain()
    assert world.lead().is_unowned
    assert [mail.to for mail in world.mailbox.mails] == ["duty@example.com"]
    (event,) = events(world)
    assert event.text == "waits for an owner: a mistake of ours: RuntimeError"


def test_a_lead_that_has_its_owner_is_not_set_aside() -> None:
    world = owned()
    before = world.lead()
    set_aside(world.hub, Received("m", {"lead": before.lead_id}, 1), RuntimeError("late"))
    assert world.lead() == before


def test_a_lead_that_nobody_knows_harms_nothing() -> None:
    world = a_world()
    assert route(world.hub, [Received("m", {"lead": "nobody"}, 1)]) == []


# --- decisions ------------------------------------------------------------------------------------


def test_a_routing_decision_names_every_candidate_with_a_verdict_and_its_configuration() -> None:
    world = a_world()
    set_availability(world.hub, "ben", off=True)
    arrive(world, 1)
    world.drain()
    last = decision(events(world, "assigned"), "route")
    assert last.config_hash == world.hub.configurations.current().hash
    assert (last.result, last.decided_at) == ("cem", world.clock())
    assert {one.candidate: one.is_eligible for one in last.candidates} == {
        "ben": False,
        "cem": True,
    }
    assert last.inputs["pool"] == "small"
    assert last.because == "cem was the only one who could take it"


def test_a_rule_without_destinations_tells_nobody() -> None:
    rest = configured().routing[-1].model_copy(update={"notify": ()})
    world = a_world(routing=(rest,))
    arrive(world, 1)
    world.drain()
    assert owner_of(world.lead())
    assert effects(world) == []


def test_a_destination_that_is_switched_off_is_not_planned() -> None:
    world = a_world()
    reconfigure(world, changed(world.config, "destinations", "chat", enabled=False))
    arrive(world, 1, seats="250")
    world.drain()
    assert sorted(one.destination_id for one in effects(world)) == ["crm", "mail"]


def test_a_pool_that_is_gone_since_gives_way_to_the_fallback() -> None:
    world = a_world()
    arrive(world, 1, seats="250")
    world.work(world.inbox, world.hub)
    pools = {name: pool for name, pool in world.config.pools.items() if name != "large"}
    reconfigure(world, world.config.model_copy(update={"pools": pools}))
    world.drain()
    lead = world.lead()
    assert lead.assignment
    assert lead.assignment.pool_id == "small"


def test_a_member_alone_in_a_pool_gets_everything() -> None:
    rule = RoutingRule.model_validate({"id": "all", "when": {"all": []}, "pool": "one"})
    world = a_world(pools={"one": Pool(members=(Member(owner="ann"),))}, routing=(rule,))
    arrive(world, 1, 2, 3)
    world.drain()
    assert received(world, "one") == {"ann": 3}
    assert tick(world.hub) == 0
    assert world.clock() == datetime(2026, 11, 23, 9, tzinfo=UTC)
