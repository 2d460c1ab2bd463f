"""Whoever was erased stays so when the provider's list, on which they still are, is read again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.cli.provider import Provider
from chalicelib.flow.comparison import MOST_LOOKS
from chalicelib.flow.erase import begin, begin_unknown, find_person
from chalicelib.flow.tally import DayRow
from tests.flow.test_erase import deliveries, finish, left_of
from tests.invariants import problems
from tests.providers import KNOWN, Beside, anew

A_COMPARISON = 5 * MOST_LOOKS
"""Minutes after which one has come to its end, what it kept looked at again."""

DAY = "2026-11-22"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider({}, KNOWN) as running:
        yield running


@pytest.fixture
def b(provider: Provider) -> Beside:
    return anew(provider, sources=("typeform",))


def compare(b: Beside) -> None:
    """Let a person ask for a comparison of the last days, and let it come to its end."""
    b.ask("typeform", b.world.clock() - timedelta(days=5))
    b.run(minutes=A_COMPARISON)


def addresses(b: Beside) -> list[str]:
    return sorted(str(lead.profile["email"].value) for lead in b.world.leads())


@pytest.mark.parametrize("how", ["webhook", "list"])
def test_a_back_fill_does_not_bring_an_erased_person_back(b: Beside, how: str) -> None:
    at = b.world.clock() - timedelta(days=1)
    told = b.submit("typeform", at, who="zoe")
    b.submit("typeform", at + timedelta(minutes=1), who="yan")
    if how == "webhook":
        b.webhook("typeform", told)
        b.world.settle()
    compare(b)
    assert addresses(b) == ["yan@example.com", "zoe@example.com"]
    assert b.state("typeform").rows[DAY] == DayRow(listed=2, accepted=2)
    lead_id, _ = find_person(b.hub, "zoe@example.com")
    finish(b.world, begin(b.hub, lead_id, "ann"))
    kept = len(deliveries(b.world))
    compare(b)
    assert addresses(b) == ["yan@example.com"]
    assert b.state("typeform").rows[DAY] == DayRow(listed=2, accepted=1, erased=1)
    assert len(deliveries(b.world)) == kept
    b.webhook("typeform", told)
    b.world.settle()
    assert addresses(b) == ["yan@example.com"]
    assert left_of(b.world, "zoe") == []
    assert problems(b.world) == []


def test_a_new_enquiry_on_the_list_is_a_new_lead(b: Beside) -> None:
    b.submit("typeform", b.world.clock() - timedelta(days=1), who="zoe")
    compare(b)
    finish(b.world, begin(b.hub, b.world.lead().lead_id, "ann"))
    new = b.submit("typeform", b.world.clock(), who="zoe")
    compare(b)
    assert b.world.lead().touch_count == 1
    first = b.world.lead().first_touch
    assert first
    assert first.at == new.at
    rows = b.state("typeform").rows.values()
    assert sum(row.difference for row in rows) == 0
    assert sum(row.erased for row in rows) == sum(row.accepted for row in rows) == 1
    assert problems(b.world) == []


def test_what_was_set_aside_and_erased_is_not_read_from_the_list_again(b: Beside) -> None:
    lead = b.submit("typeform", b.world.clock() - timedelta(days=1), who="zoe")
    # Nothing is mapped for this question, so that nobody knows whose it is.
    lead.body["answers"][0] |= {
        "type": "text",
        "text": "I am zoe@example.com",
        "field": {"ref": "x"},
    }
    compare(b)
    assert [one.outcome for one in deliveries(b.world)] == ["quarantined"]
    assert b.state("typeform").rows[DAY].named == {"quarantined": (lead.lead_id,)}
    finish(b.world, begin_unknown(b.hub, find_person(b.hub, "zoe@example.com")[1], "ann"))
    assert b.state("typeform").rows[DAY].named == {"quarantined": ()}
    compare(b)
    assert b.state("typeform").rows[DAY] == DayRow(listed=1, erased=1)
    assert len(deliveries(b.world)) == 1
    assert left_of(b.world, "zoe") == []
    assert problems(b.world) == []


def test_somebody_may_be_erased_while_the_list_with_them_is_read(b: Beside) -> None:
    b.submit("typeform", b.world.clock() - timedelta(days=1), who="zoe")
    b.ask("typeform", b.world.clock() - timedelta(days=5))
    b.run(minutes=2)
    assert b.state("typeform").under_way
    finish(b.world, begin(b.hub, b.world.lead().lead_id, "ann"))
    b.run(minutes=A_COMPARISON)
    compare(b)
    assert b.world.leads() == []
    assert b.state("typeform").rows[DAY] == DayRow(listed=1, erased=1)
    assert left_of(b.world, "zoe") == []
    assert problems(b.world) == []
