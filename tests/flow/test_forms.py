"""Learning what a form asks: when it is written, what is noticed, who is told."""

import json

import pytest

from chalicelib.compact import grow
from chalicelib.errors import Unavailable
from chalicelib.flow.forms import Seen, form_key, learn_from
from chalicelib.flow.glance import Glance
from chalicelib.lead.form_change import KNOWN
from tests.flow.form_scenes import changes, fill_in, known_form, learned, usual
from tests.flow.scenes import a_world, ask, failing_at, outcomes, touches
from tests.invariants import problems
from tests.people import email_of
from tests.world import World, form


def written(world: World, since: int = 0) -> int:
    """Count writes of a form."""
    return sum(put.name == "form" for puts in world.table.commits[since:] for put in puts)


def alarms(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    """Give the alarms about forms."""
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "hub"]
    return [line for line in lines if line.get("alarm") == "form_changed"]


def test_a_form_is_written_while_it_is_learned_and_then_no_more() -> None:
    world = World()
    learned(world, KNOWN)
    assert written(world) == KNOWN
    before = len(world.table.commits)
    for number in range(20):
        fill_in(world, number, **usual(number))
    assert written(world, before) == 0
    assert known_form(world).submissions == KNOWN
    assert changes(world) == []
    assert problems(world) == []


def test_a_batch_of_submissions_costs_one_write() -> None:
    world = World()
    for number in range(10):
        ask(world, "forms", form(number, **usual(number)))
    world.work(world.inbox, world.hub)
    assert written(world) == 1
    assert known_form(world).submissions == 10


def test_a_renamed_email_is_noticed_at_once_though_its_deliveries_are_quarantined(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    learned(world)
    answers = {**usual(1), "contact_address": "zoe@example.com"}
    del answers["email"]
    fill_in(world, 1, **answers)
    assert outcomes(world).count("quarantined") == 1
    (change,) = changes(world)
    assert (change.kind, change.key, change.before) == ("renamed", "contact_address", ("email",))
    (alarm,) = alarms(caplog)
    assert alarm == {"alarm": "form_changed", "source": "forms", "form": "", "change": "renamed"}
    for number in range(2, 12):
        fill_in(world, number, **{**answers, "contact_address": f"p{number}@example.com"})
    assert len(alarms(caplog)) == 1
    assert problems(world) == []


def test_the_email_of_a_form_that_was_never_mapped_is_proposed_at_its_first_delivery() -> None:
    world = World()
    fill_in(world, 1, wohin="zoe@example.com", was="Zoë Quill")
    (change,) = changes(world)
    assert (change.kind, change.key) == ("new", "wohin")


def test_a_question_that_is_gone_is_noticed_within_five_deliveries() -> None:
    world = World()
    learned(world)
    for number in range(5):
        answers = usual(number)
        del answers["call_me_on"]
        fill_in(world, number, **answers)
        if number < 3:
            assert changes(world) == []
    assert [(change.kind, change.key) for change in changes(world)] == [("vanished", "call_me_on")]


def test_a_question_that_comes_back_is_over_without_anybody_doing_anything() -> None:
    world = World()
    learned(world)
    for number in range(5):
        fill_in(world, number, email=f"p{number}@example.com", name="Ann Ashby")
    fill_in(world, 6, **usual(6))
    assert [change.state for change in changes(world)] == ["over"]


def test_a_submission_that_comes_twice_teaches_once() -> None:
    world = World()
    learned(world, 3)
    first = touches(world)[0].touch
    seen = [Seen(first, {}), Seen(first, {})]
    learn_from(world.hub, world.hub.configurations.current(), Glance(world.table), seen)
    assert known_form(world).submissions == 3


def test_tests_and_news_of_known_people_teach_nothing() -> None:
    world = World()
    fill_in(world, 1, email="zoe@example.com", is_test=True)
    assert world.table.get(form_key("forms", "")) is None


def test_no_answer_of_anybody_is_kept() -> None:
    world = World()
    for number in range(12):
        fill_in(world, number, email=f"p{number}@example.com", city="Poppleton", note="a secret b")
    item = world.table.get(form_key("forms", ""))
    assert item
    text = grow(item["data"]).decode() + item["summary"]
    for personal in (email_of(1), "example.com", "Poppleton", "secret"):
        assert personal not in text


def test_a_table_that_is_down_costs_the_lesson_and_not_the_lead(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    hub = world.worker(failing_at("table.write", 2, Unavailable("down")))
    world.work(world.inbox, hub)
    world.settle()
    assert world.lead().touch_count == 1
    assert world.table.get(form_key("forms", "")) is None
    assert "Unavailable" in caplog.text
