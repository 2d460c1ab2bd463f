"""What became of a delivery, as an admin sees it."""

import json

from chalicelib.errors import TryLater
from chalicelib.flow.outcome import finish
from chalicelib.records import ActResult
from tests.flow.scenes import a_world, ask, deliveries, delivery, outcomes
from tests.world import World, form, linkedin, meta, meta_page


def summed(world: World, *bodies: bytes) -> str:
    people = [json.loads(body) for body in bodies]
    ask(world, "forms", json.dumps(people).encode())
    world.settle()
    return deliveries(world)[-1].outcome


def test_what_needs_a_person_comes_first_then_what_made_a_lead() -> None:
    world = a_world()
    good, test, nobody = (
        form(1, "zoe@example.com"),
        form(2, "yan@example.com", test=True),
        form(3, note="who?"),
    )
    assert summed(world, test) == "test"
    assert summed(world, good, test) == "accepted"
    assert summed(world, good) == "duplicate"
    assert summed(world, good, test) == "test"
    assert summed(world, good, test, nobody) == "quarantined"


def test_an_empty_list_is_ignored() -> None:
    world = a_world()
    assert summed(world) == "ignored"
    assert delivery(world).reason == "nothing in it for us"


def test_a_reason_names_its_kind_and_each_reason_once() -> None:
    world = a_world()
    summed(world, form(1, note="a"), form(2, note="b"))
    assert delivery(world).reason == (
        "malformed: nothing says who this is: expected an e-mail address or a phone number"
    )


def test_a_delivery_that_waits_shows_why_and_until_when() -> None:
    world = a_world()
    world.web.pages["leadFormResponses/00000001-1"] = TryLater("api.linkedin.com answered 429", 90)
    ask(world, "linkedin", linkedin(1))
    world.drain()
    found = delivery(world)
    assert (found.outcome, found.reason) == ("waiting", "api.linkedin.com answered 429")
    assert found.due_at


def test_a_finished_delivery_is_due_no_more() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    assert delivery(world).due_at is None


def test_an_outcome_that_stands_is_not_written_over() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    before = delivery(world)
    world.settle()
    finish(world.hub, before, {"0": ActResult(outcome="ignored")}, acts=1)
    assert outcomes(world) == ["accepted"]


def test_a_part_that_is_done_does_not_wake_a_part_that_was_told_to_wait() -> None:
    world = a_world()
    world.web.pages["/770000"] = TryLater("answered 429", 3600)
    for number in range(1, 12):
        world.web.pages |= meta_page(number, f"met{number}@example.com")
    ask(world, "meta", meta(*range(12)))
    world.drain()
    found = delivery(world)
    assert (found.outcome, len(found.results)) == ("waiting", 11)
    assert found.due_at
    assert (found.due_at - world.clock()).total_seconds() == 3600


def test_a_busy_provider_does_not_use_up_the_tries_of_a_large_request_at_once() -> None:
    world = a_world()
    for number in range(130):
        world.web.pages |= meta_page(number, f"met{number}@example.com")
    pages, world.web.pages = world.web.pages, {"": TryLater("answered 429")}
    ask(world, "meta", meta(*range(130)))
    world.drain()
    found = delivery(world)
    assert (found.outcome, found.tries) == ("waiting", 1)
    world.web.pages = pages
    world.settle()
    assert delivery(world).outcome == "accepted"
    assert len(world.leads()) == 130


def test_the_longest_wait_of_all_parts_counts() -> None:
    world = a_world()
    world.web.pages["/770000"] = TryLater("answered 429", 900)
    world.web.pages |= {f"/77{n:04}": TryLater("answered 429", 60) for n in range(1, 12)}
    ask(world, "meta", meta(*range(12)))
    world.drain()
    found = delivery(world)
    assert found.due_at
    assert (found.due_at - world.clock()).total_seconds() == 900
