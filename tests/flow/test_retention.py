"""What was kept long enough goes by itself, and nothing else does."""

from typing import Any

import pytest

from chalicelib.config.checks import check
from chalicelib.config.model import Retention
from chalicelib.flow.catch_up import catch_up
from chalicelib.flow.erase_state import list_erasures
from chalicelib.flow.publish import publish
from chalicelib.flow.retention import Forecast, forecast, last_run
from chalicelib.records import Delivery, delivery_of, lead_item
from tests.flow.test_erase import left_of
from tests.invariants import problems
from tests.world import World, form, with_config


def kept(world: World, **rule: Any) -> None:
    rules = (Retention.model_validate({"id": "rule", "what": "leads", "days": 30, **rule}),)
    publish(world.hub, with_config(world, retention=rules), "test")


def days_pass(world: World, days: int) -> None:
    """Let days pass, and long work go on a few times a day."""
    for _ in range(days * 4):
        world.clock.advance(hours=6)
        catch_up(world.hub)
        world.drain()


def deliveries(world: World) -> list[Delivery]:
    return [delivery_of(i) for i in world.table.scan() if i.get("kind") == "delivery"]


def two_people(world: World) -> None:
    world.send("forms", form(1, "zoe@example.com", name="Zoe Canary"))
    world.send("events", form(2, "yan@example.com", name="Yan Otherman"))
    world.settle()


def test_nothing_goes_where_there_is_no_rule() -> None:
    world = World()
    two_people(world)
    days_pass(world, 3)
    world.clock.advance(days=4000)
    days_pass(world, 2)
    assert len(world.leads()) == 2
    assert last_run(world.hub) is None


def test_a_lead_goes_when_nothing_has_happened_with_it_for_long_enough() -> None:
    world = World()
    two_people(world)
    kept(world, days=30)
    days_pass(world, 20)
    world.send("events", form(3, "yan@example.com"))
    world.settle()
    assert len(world.leads()) == 2
    days_pass(world, 12)
    assert [lead.profile["email"].value for lead in world.leads()] == ["yan@example.com"]
    assert left_of(world, "zoe@example.com", "Canary") == []
    (erasure,) = list_erasures(world.hub, 10)
    assert erasure["asked_by"] == "hub"
    assert problems(world) == []


def test_a_new_enquiry_before_the_day_is_no_part_of_what_goes() -> None:
    world = World()
    two_people(world)
    kept(world, days=30)
    world.clock.advance(days=31)
    world.send("forms", form(9, "zoe@example.com", city="Newtown"))
    days_pass(world, 2)
    cities = {one.value for lead in world.leads() for n, one in lead.profile.items() if n == "city"}
    assert cities == {"Newtown"}
    assert problems(world) == []


def test_only_leads_of_the_named_sources_go_and_only_if_all_they_sent_came_by_these() -> None:
    world = World()
    two_people(world)
    world.send("forms", form(3, "yan@example.com", at="2026-11-23T08:30:00Z"))
    world.settle()
    kept(world, days=30, sources=["forms"])
    days_pass(world, 33)
    assert [lead.profile["email"].value for lead in world.leads()] == ["yan@example.com"]


@pytest.mark.parametrize(
    ("work", "rule", "stays"),
    [
        ({"status": "qualified"}, {}, True),
        ({"status": "qualified"}, {"statuses": ["qualified"]}, False),
        ({"status": "qualified"}, {"statuses": ["new", "disqualified"]}, True),
        ({"stage": "customer"}, {}, True),
        ({"stage": "opportunity"}, {"statuses": ["new"]}, True),
        ({"stage": "customer"}, {"stages": ["customer"]}, False),
        ({"status": "qualified", "stage": "customer"}, {"stages": ["customer"]}, True),
        ({"status": "disqualified"}, {"statuses": ["disqualified"]}, False),
        ({"status": "contacted"}, {"statuses": ["disqualified"]}, True),
        ({"status": "contacted"}, {}, False),
    ],
)
def test_a_lead_with_an_open_deal_stays_unless_the_rule_names_it(
    work: dict[str, Any], rule: dict[str, Any], stays: bool
) -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    lead = world.lead()
    changed = lead.model_copy(update={**work, "version": lead.version + 1})
    world.table.plant(lead_item(changed, "w"))
    kept(world, days=30, **rule)
    days_pass(world, 33)
    assert bool(world.leads()) == stays


def test_requests_go_and_their_leads_stay() -> None:
    world = World()
    two_people(world)
    world.send("forms", b'{"email": "zoe@example.com",')
    world.settle()
    before = world.leads()
    kept(world, what="requests", days=10, sources=["forms"])
    days_pass(world, 12)
    by_source = {(one.source_id, one.outcome): one for one in deliveries(world)}
    assert by_source["forms", "accepted"].raw == b""
    assert by_source["events", "accepted"].raw
    assert by_source["forms", "quarantined"].raw
    assert world.leads() == before
    assert problems(world) == []


def test_what_was_set_aside_goes_and_says_why() -> None:
    world = World()
    two_people(world)
    world.send("forms", b'{"email": "zoe@example.com",')
    world.send("forms", form(5))
    world.settle()
    kept(world, what="quarantined", days=10)
    days_pass(world, 12)
    gone = [one for one in deliveries(world) if one.outcome == "erased"]
    assert [one.reason for one in gone] == ["kept for 10 days, as rule rule says"] * 2
    assert [one.raw for one in gone] == [b""] * 2
    assert len(world.leads()) == 2
    assert problems(world) == []


def test_a_forecast_tells_what_would_go_and_takes_nothing() -> None:
    world = World()
    two_people(world)
    rule = Retention(id="rule", what="leads", days=30)
    before = world.table.scan()
    *_, told = forecast(world.hub, rule)
    assert told == Forecast(rule_id="rule", what="leads", days=30, in_30_days=2, **_firsts(told))
    world.clock.advance(days=24)
    *_, told = forecast(world.hub, rule)
    assert (told.now, told.in_7_days, told.in_30_days) == (0, 2, 0)
    world.clock.advance(days=7)
    *_, told = forecast(world.hub, rule)
    assert (told.now, told.in_7_days, told.in_30_days) == (2, 0, 0)
    assert world.table.scan() == before


def _firsts(told: Forecast) -> dict[str, Any]:
    assert len(told.first) == 2
    return {"first": told.first, "next_at": told.next_at}


def test_many_leads_go_in_few_erasures() -> None:
    world = World()
    for number in range(60):
        world.send("forms", form(number, f"p{number}@example.com"))
    world.settle()
    kept(world, days=30)
    days_pass(world, 33)
    assert world.leads() == []
    assert len(list_erasures(world.hub, 100)) <= 8
    assert problems(world) == []


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"id": "a", "what": "leads", "days": 30, "sources": ["gone"]}], "there is no source"),
        ([{"id": "a", "what": "leads", "days": 30}] * 2, "is there twice"),
        ([{"id": "a", "what": "requests", "days": 3, "statuses": ["new"]}], "for leads only"),
        ([{"id": "a", "what": "quarantined", "days": 3, "stages": ["MQL"]}], "for leads only"),
        (
            [
                {"id": "a", "what": "leads", "days": 30},
                {"id": "b", "what": "leads", "days": 60, "sources": ["forms"]},
            ],
            "takes all of this away earlier",
        ),
    ],
)
def test_a_rule_that_cannot_do_what_it_says_is_found(
    rules: list[dict[str, Any]], words: str
) -> None:
    world = World()
    made = tuple(Retention.model_validate(rule) for rule in rules)
    config = with_config(world, retention=made)
    found = [f for f in check(config, ["generic_json"], None) if f.path.startswith("retention")]
    assert any(words in finding.message for finding in found), found


def test_a_sensible_rule_is_not_found_fault_with() -> None:
    rules = (
        Retention(id="a", what="leads", days=400, statuses=("new", "disqualified")),
        Retention(id="b", what="leads", days=800),
        Retention(id="c", what="requests", days=90),
        Retention(id="d", what="quarantined", days=30),
    )
    config = with_config(World(), retention=rules)
    found = check(config, ["generic_json"], None)
    assert [one for one in found if one.path.startswith("retention")] == []
