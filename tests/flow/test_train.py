"""What the predictive score learns from, and which card is in use."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import HubError, NotFound
from chalicelib.flow.move import move
from chalicelib.flow.publish import publish
from chalicelib.flow.train import (
    foretell,
    gather,
    list_cards,
    prior_of,
    publish_card,
    read_card,
    use_card,
)
from chalicelib.lead.predict.card import Card, Term, Test
from tests.faults import Call, Hook, Kill, every_point, explore
from tests.world import World, form, with_config

NOW, MONTH = timedelta(0), timedelta(days=30)
TOPIC = Test(field="own topic", any_of=("prices",))
CARD = Card(
    terms=(Term(tests=(TOPIC,), points=10),), base=-10, fields=("source",), leads=100, won=30
)


def write(world: World, number: int, **more: str) -> None:
    world.send("forms", form(number, email=f"p{number}@example{number}.com", **more))
    world.settle()


def in_use(world: World) -> int:
    return world.hub.configurations.current().active.model


def test_leads_are_learnt_from_when_they_are_old_enough() -> None:
    world = World()
    write(world, 1)
    world.clock.advance(days=29)
    write(world, 2)
    assert gather(world.hub, NOW, MONTH) == []
    world.clock.advance(days=1)
    (example,) = gather(world.hub, NOW, MONTH)
    assert not example.is_won
    assert example.fields["source"] == "forms"
    assert example.fields["mail domain"] == "example1.com"


@pytest.mark.parametrize(
    ("status", "is_won"), [("contacted", False), ("qualified", True), ("disqualified", False)]
)
def test_a_lead_that_was_qualified_was_won(status: str, is_won: bool) -> None:
    world = World()
    write(world, 1)
    path = ("contacted", "qualified") if status == "qualified" else (status,)
    for step in path:
        move(world.hub, world.lead().lead_id, "ann", status=step, reason="as we talked")  # type: ignore[arg-type]
    world.clock.advance(days=31)
    (example,) = gather(world.hub, NOW, MONTH)
    assert example.is_won is is_won


def test_what_came_later_is_not_looked_at() -> None:
    world = World()
    write(world, 1, topic="prices")
    world.clock.advance(minutes=8)
    world.send("events", form(2, email="p1@example1.com", topic="demo", phone="+12125550134"))
    world.settle()
    world.clock.advance(days=31)
    (early,) = gather(world.hub, timedelta(minutes=5), MONTH)
    (late,) = gather(world.hub, timedelta(minutes=10), MONTH)
    assert (early.fields["touches"], early.fields["phone is given"]) == (1, False)
    assert (late.fields["touches"], late.fields["phone is given"]) == (2, True)
    assert late.fields["source"] == early.fields["source"] == "forms"


def test_nothing_that_names_one_person_is_looked_at() -> None:
    world = World()
    write(world, 1, full_name="Zoe Miller", phone="+12125550134", message="Call Zoe Miller")
    world.clock.advance(days=31)
    (example,) = gather(world.hub, NOW, MONTH)
    said = repr(dict(example.fields)).lower()
    assert "zoe" not in said and "0134" not in said and "p1@" not in said


def test_examples_stand_in_order_of_time() -> None:
    world = World()
    for number in range(8):
        write(world, number)
        world.clock.advance(minutes=random.Random(number).randint(1, 90))
    world.clock.advance(days=31)
    times = [one.created_at for one in gather(world.hub, NOW, MONTH)]
    assert len(times) == 8
    assert times == sorted(times)


def test_a_card_is_kept_used_and_taken_back() -> None:
    world = World()
    world.hub.configurations.current()
    assert list_cards(world.hub) == []
    assert publish_card(world.hub, CARD) == 1
    assert publish_card(world.hub, CARD.model_copy(update={"base": 5})) == 2
    assert [(one.number, one.is_used) for one in list_cards(world.hub)] == [(2, True), (1, False)]
    use_card(world.hub, 1)
    assert read_card(world.hub) == (CARD, 1)
    use_card(world.hub, 0)
    with pytest.raises(NotFound):
        read_card(world.hub)
    with pytest.raises(NotFound):
        use_card(world.hub, 7)
    assert publish_card(world.hub, CARD) == 3


def test_publishing_a_configuration_keeps_the_card_in_use() -> None:
    world = World()
    publish_card(world.hub, CARD)
    publish(world.hub, with_config(world, fields=()), "test")
    assert in_use(world) == 1


def test_a_lead_is_foretold_by_the_card_in_use_and_stays_as_it_is() -> None:
    world = World()
    write(world, 1, topic="prices")
    before = world.lead()
    publish_card(world.hub, CARD)
    found = foretell(world.hub, before.lead_id)
    assert found.number == 1
    assert found.prediction.points == 0
    assert found.prediction.chance == pytest.approx(0.5)
    assert world.lead() == before


def test_the_rules_stand_in_where_a_card_knows_too_little() -> None:
    assert prior_of(CARD, 0) < prior_of(CARD, 50) < prior_of(CARD, 100)
    assert prior_of(CARD, 50) == pytest.approx(30.5 / 101)


def test_two_who_train_at_once_keep_both_cards() -> None:
    world = World()
    done: list[int] = []

    def meddle(call: Call, go: Callable[[], Any]) -> Any:
        if call.what.startswith("model") and not done:
            done.append(publish_card(world.hub, CARD))
        return go()

    done.append(publish_card(world.worker(meddle), CARD.model_copy(update={"base": 9})))
    assert done == [1, 2]
    assert read_card(world.hub, 1) == (CARD, 1)
    assert in_use(world) == 2


def test_a_card_in_use_and_a_new_configuration_do_not_undo_each_other() -> None:
    world = World()
    done: list[object] = []

    def meddle(call: Call, go: Callable[[], Any]) -> Any:
        if call.what.startswith("active") and not done:
            done.append(publish(world.hub, with_config(world, fields=()), "test"))
        return go()

    publish_card(world.worker(meddle), CARD)
    assert done
    assert in_use(world) == 1
    assert not world.hub.configurations.current().config.fields


def test_a_fault_at_any_call_leaves_a_card_in_use_that_is_there() -> None:
    def trained(hook: Hook) -> list[str]:
        world = World()
        publish_card(world.hub, CARD)
        with suppress(Kill, HubError):
            publish_card(world.worker(hook), CARD.model_copy(update={"base": 9}))
        card, number = read_card(world.hub)
        return [] if (number, card.base) in {(1, -10), (2, 9)} else [f"{number} {card.base}"]

    fired, wrong = explore(trained, every_point)
    assert wrong == {}
    assert fired > 3
