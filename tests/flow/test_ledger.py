"""The daily ledger: it compares where there is a list, and says so where there is none."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.cli.provider import Provider
from chalicelib.errors import NotFound
from chalicelib.flow.ledger import ledgers
from chalicelib.flow.publish import publish
from tests.providers import KNOWN, Beside, anew
from tests.world import World, form


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider({}, KNOWN) as running:
        yield running


@pytest.fixture
def b(provider: Provider) -> Beside:
    return anew(provider, sources=("typeform",))


def test_a_source_with_a_list_is_compared_day_by_day_newest_first(b: Beside) -> None:
    b.submit("typeform", b.world.clock() - timedelta(hours=3))
    b.submit("typeform", b.world.clock() - timedelta(days=1, hours=3))
    b.run(minutes=8)
    (found,) = ledgers(b.hub, "typeform", 2)
    assert found.compared_with == "the provider's list"
    assert [(day.day, day.listed, day.accepted, day.difference) for day in found.days] == [
        ("2026-11-23", 1, 1, 0),
        ("2026-11-22", 1, 1, 0),
    ]
    assert (found.note, found.trouble, found.is_comparing) == ("", "", False)
    assert found.complete_until


def test_a_source_without_a_list_shows_what_was_received_and_claims_nothing(
    b: Beside,
) -> None:
    for number in (1, 1, 2):
        b.world.send("forms", form(number, f"p{number}@example.com"))
    b.world.settle()
    (found,) = ledgers(b.hub, "forms", 7)
    assert found.compared_with == "nothing"
    assert "has no list to compare with" in found.note
    (day,) = found.days
    assert (day.day, day.accepted, day.duplicate) == ("2026-11-23", 2, 1)
    assert (day.listed, day.difference) == (None, None)


def test_days_before_those_asked_for_are_left_out(b: Beside) -> None:
    b.world.send("forms", form(1, "p1@example.com"))
    b.world.settle()
    b.world.clock.advance(days=2)
    b.world.send("forms", form(2, "p2@example.com"))
    b.world.settle()
    assert [day.day for day in ledgers(b.hub, "forms", 2)[0].days] == ["2026-11-25"]
    assert len(ledgers(b.hub, "forms", 3)[0].days) == 2


def test_a_list_that_was_never_read_or_cannot_be_is_said_to_be_so(b: Beside) -> None:
    (found,) = ledgers(b.hub, "typeform", 7)
    assert (found.note, found.days) == ("not compared with Typeform yet", ())
    b.provider.misbehave("responses", "forbidden")
    b.run()
    (found,) = ledgers(b.hub, "typeform", 7)
    assert found.trouble == "127.0.0.1 answered 403"
    assert found.is_comparing


def test_a_list_without_a_token_is_said_to_need_one() -> None:
    world = World()
    (found,) = [one for one in ledgers(world.hub, "", 7) if one.source_id == "meta"]
    assert found.compared_with == "the provider's list"
    source = world.config.sources["meta"].model_copy(update={"token": ""})
    publish(
        world.hub,
        world.config.model_copy(update={"sources": {"meta": source}}),
        "test",
    )
    (found,) = ledgers(world.hub, "", 7)
    assert found.compared_with == "nothing"
    assert "names no token" in found.note


def test_all_sources_are_shown_and_an_unknown_one_is_not_found(b: Beside) -> None:
    shown = [one.source_id for one in ledgers(b.hub, "", 7)]
    assert shown == sorted(b.world.config.sources)
    with pytest.raises(NotFound):
        ledgers(b.hub, "nobody", 7)
