"""What matching says in words."""

from typing import get_args

import pytest

from chalicelib.lead.matching.compare import Term
from chalicelib.lead.matching.decide import Candidate, Guard, weigh
from chalicelib.lead.matching.record import Record
from chalicelib.lead.matching.rivals import Rival
from chalicelib.lead.matching.weights import AS_IT_COMES, LEVELS, USUAL
from chalicelib.lead.matching.words import because, term

SAID = [(field, level) for field, levels in LEVELS.items() for level in levels]
SAID += [(field, "same") for field in USUAL if field != "domain"]


def candidate(a: Record, b: Record) -> Candidate:
    """Weigh two records."""
    (found,) = weigh(a, [b], {}, AS_IT_COMES)
    return found


@pytest.mark.parametrize(("field", "level"), SAID)
def test_every_level_of_every_field_has_words(field: str, level: str) -> None:
    assert " " in term(Term(field, level, 1.0))


def test_what_speaks_for_comes_before_what_speaks_against_the_strongest_first() -> None:
    one = Record("1", "a", first="bob", last="featherstone", email="bob@example.org")
    other = Record("2", "b", first="robert", last="featherstone", email="rf@example.com")
    assert because(candidate(one, other)).startswith(
        "the same family name and first names that stand for each other, but another e-mail address"
    )


def test_values_are_quoted_only_when_asked_for() -> None:
    one = Record("1", "a", first="ann", last="ashby")
    other = Record("2", "b", first="ann", last="ashbee")
    found = candidate(one, other)
    assert "ashb" not in because(found)
    assert "(ashby and ashbee)" in because(found, quoting=True)


@pytest.mark.parametrize("guard", [one for one in get_args(Guard) if one])
def test_what_forbids_a_match_is_said(guard: Guard) -> None:
    found = candidate(Record("1", "a", last="ashby"), Record("2", "b", last="ashby"))
    assert because(found) != because(found._replace(guard=guard))
    assert because(found._replace(guard=guard)).startswith("the same family name: ")


@pytest.mark.parametrize("rival", get_args(Rival))
def test_who_else_it_may_be_is_said_while_it_is_open(rival: Rival) -> None:
    found = candidate(Record("1", "a", last="ashby"), Record("2", "b", last="ashby"))
    text = because(found._replace(rival=rival, bits=-1.0))
    assert ("it may as well be" in text) is (rival != "stranger")
    assert "it may as well be" not in because(found._replace(rival=rival, bits=9.0, guard=""))


def test_records_that_have_nothing_in_common_say_so() -> None:
    found = candidate(Record("1", "a", last="ashby"), Record("2", "b", phone="447700900123"))
    assert because(found) == "nothing in common"
