"""Whose a submission is: evidence added up, what forbids a match, and several leads at once."""

import dataclasses

import pytest

from chalicelib.lead.matching.compare import Term, compare
from chalicelib.lead.matching.decide import MATCH, MERGE, guard_of, settle, weigh
from chalicelib.lead.matching.record import Record
from chalicelib.lead.matching.rivals import odds
from chalicelib.lead.matching.weights import AS_IT_COMES, FEWEST, MOST, Weights

INES = Record(
    "1", "ines", first="ines", last="falkenrath", email="ines@example.com", phone="442079460111"
)


def bits(one: Record, other: Record, weights: Weights = AS_IT_COMES) -> float:
    """Weigh two records."""
    (found,) = weigh(one, [other], {}, weights)
    return found.bits


def test_a_rare_name_says_more_than_a_frequent_one() -> None:
    assert AS_IT_COMES.shared("last", "falkenrath") > AS_IT_COMES.shared("last", "smith")
    counted = Weights(leads=1000, records={"last": 1000}, counts={"last": {"falkenrath": 300}})
    assert counted.shared("last", "falkenrath") < counted.shared("last", "smith")


def test_no_value_says_more_than_its_most_however_rare() -> None:
    huge = Weights(leads=10**9, records=dict.fromkeys(MOST, 10**9))
    assert all(huge.shared(field, "x") == most for field, most in MOST.items())


def test_a_phone_that_many_leads_have_says_little() -> None:
    counted = Weights(leads=1000, records={"phone": 1000}, counts={"phone": {INES.phone: 60}})
    assert counted.shared("phone", INES.phone) < 5
    assert counted.shared("phone", "442079460199") > 9


def test_the_more_leads_there_are_the_more_it_takes() -> None:
    few, many = Weights(leads=FEWEST), Weights(leads=FEWEST * 1024)
    assert many.prior - few.prior == pytest.approx(10, abs=3)
    one, other = Record(first="ines", last="ashby"), Record(first="ines", last="ashby")
    assert bits(one, other, few) > bits(one, other, many)


def test_where_most_submissions_are_of_known_people_it_takes_less() -> None:
    strangers = Weights(leads=1000, submissions=1000)
    regulars = Weights(leads=1000, submissions=9000)
    assert regulars.prior < strangers.prior


def test_what_a_household_has_in_common_says_nothing() -> None:
    home = Record(street="12 juniper lane", city="leeds", postal_code="ls12ab", phone=INES.phone)
    ines = dataclasses.replace(home, first="ines", last="falkenrath")
    jonas = dataclasses.replace(home, first="jonas", last="falkenrath")
    terms = compare(ines, jonas, AS_IT_COMES)
    assert sum(term.bits for term in terms) > 30
    found, rival = odds(ines, jonas, terms, AS_IT_COMES.prior)
    assert (found < MATCH, rival) == (True, "household")


def test_what_colleagues_have_in_common_says_nothing() -> None:
    office = Record(company="halcyon dental", phone=INES.phone, street="12 juniper lane")
    one = dataclasses.replace(office, last="ashby")
    other = dataclasses.replace(office, last="falkenrath")
    assert bits(one, other) < MATCH


def test_branches_of_one_firm_are_two() -> None:
    one = Record(company="halcyon dental", street="12 juniper lane", phone="442079460111")
    other = Record(company="halcyon dental", street="9 heron way", phone="442079460111")
    (found,) = weigh(one, [other], {}, AS_IT_COMES)
    assert (found.outcome, found.rival) == ("ask", "branch")


@pytest.mark.parametrize(
    ("levels", "guard"),
    [
        ({"first": "same"}, ""),
        ({"first": "other"}, "first_names"),
        ({"first": "apart"}, "first_names"),
        ({"first": "other", "swapped": "same"}, ""),
        ({"first": "other", "born": "same"}, ""),
        ({"first": "other", "born": "same", "street": "same"}, "first_names"),
        ({"first": "apart", "born": "same", "street": "same"}, ""),
        ({"first": "other", "last": "other", "born": "same"}, "first_names"),
        ({"first": "other", "born": "other"}, "born"),
        ({"first": "same", "born": "other"}, ""),
        ({"first": "same", "born": "other", "phone": "same"}, "born"),
        ({"generation": "other"}, "generation"),
        ({"email": "domain", "last": "same"}, "mailboxes"),
        ({"email": "domain", "last": "other"}, "colleagues"),
        ({"email": "domain", "last": "same", "phone": "same"}, ""),
        ({"email": "domain", "last": "other", "phone": "same"}, "mailboxes"),
        ({"email": "domain", "born": "same"}, ""),
    ],
)
def test_hard_facts_forbid_a_match(levels: dict[str, str], guard: str) -> None:
    assert guard_of([Term(field, level, 9.0) for field, level in levels.items()]) == guard


def test_a_lead_is_known_by_all_its_records_together() -> None:
    by_mail = Record("1", "a", email="ines@example.com", first="ines")
    by_phone = Record("2", "a", phone="442079460111", last="falkenrath")
    (together,) = weigh(INES, [by_mail, by_phone], {}, AS_IT_COMES)
    (alone,) = weigh(INES, [by_mail], {}, AS_IT_COMES)
    assert together.bits > alone.bits
    assert {term.field for term in together.terms} == {"first", "last", "email", "phone"}


def test_the_more_values_a_lead_has_had_the_less_one_of_them_says() -> None:
    one = Record("1", "a", phone="442079460111")
    more = [Record(str(n), "a", phone=f"4420794601{n}") for n in range(30, 37)]
    (few,), (many,) = (
        weigh(INES, [one], {}, AS_IT_COMES),
        weigh(INES, [one, *more], {}, AS_IT_COMES),
    )
    (of_few,), (of_many,) = few.terms, many.terms
    assert of_few.bits - of_many.bits == pytest.approx(3)


def test_names_in_each_others_place_are_read_so_throughout() -> None:
    swapped = Record("1", "a", first="falkenrath", last="ines")
    straight = Record("2", "a", first="ina", last="overbeck")
    (found,) = weigh(INES, [swapped, straight], {}, AS_IT_COMES)
    assert [term.field for term in found.terms if term.field in ("first", "last", "swapped")] == [
        *("first", "last", "swapped")
    ]


def test_records_of_merged_leads_count_for_the_lead_they_are_part_of() -> None:
    one, other = Record("1", "a", email=INES.email), Record("2", "b", phone=INES.phone)
    (found,) = weigh(INES, [one, other], {"b": "a"}, AS_IT_COMES)
    assert found.lead_id == "a"


def test_a_submission_that_fits_two_leads_makes_them_one() -> None:
    one = Record("1", "a", first="ines", last="falkenrath", email=INES.email)
    other = Record("2", "b", first="ines", last="falkenrath", phone=INES.phone)
    settled = settle(weigh(INES, [one, other], {}, AS_IT_COMES))
    assert {found.lead_id for found in settled.matches} == {"a", "b"}


def test_it_does_not_join_two_leads_that_cannot_be_one() -> None:
    initial = dataclasses.replace(INES, first="i")
    one = Record("1", "a", first="ines", last="falkenrath", email=INES.email, phone=INES.phone)
    other = Record("2", "b", first="ivo", last="falkenrath", phone=INES.phone)
    settled = settle(weigh(initial, [one, other], {}, AS_IT_COMES))
    assert [found.lead_id for found in settled.matches] == ["a"]
    assert [found.lead_id for found in settled.asks] == ["b"]


def test_what_is_as_likely_of_two_who_cannot_be_one_is_asked() -> None:
    shared = Record("0", "new", email="falkenrath@example.com")
    one = Record("1", "a", first="ines", last="falkenrath", email=shared.email)
    other = Record("2", "b", first="jonas", last="falkenrath", email=shared.email)
    settled = settle(weigh(shared, [one, other], {}, AS_IT_COMES))
    assert settled.matches == ()
    assert {found.lead_id for found in settled.asks} == {"a", "b"}


def test_weaker_evidence_joins_no_second_lead() -> None:
    one = Record("1", "a", first="ines", last="falkenrath", email=INES.email)
    other = Record("2", "b", first="ines", last="falkenrath")
    settled = settle(weigh(INES, [one, other], {}, AS_IT_COMES))
    second = next(found for found in settled.asks if found.lead_id == "b")
    assert [found.lead_id for found in settled.matches] == ["a"]
    assert MATCH <= second.bits < MERGE


def test_thresholds_of_the_configuration_come_first() -> None:
    strict = Weights(limits={"match": 20.0})
    (found,) = weigh(INES, [Record("1", "a", phone=INES.phone)], {}, strict)
    assert found.outcome == "ask"


def test_among_more_leads_it_takes_more_until_they_are_counted() -> None:
    one, other = INES, Record("1", "a", first="ines", last="falkenrath")
    (few,), (many,) = (weigh(one, [other], {}, AS_IT_COMES, leads=n) for n in (0, 20_000))
    assert few.bits > many.bits
    learnt = Weights(leads=1000, submissions=2000)
    (known,), (guessed,) = (weigh(one, [other], {}, learnt, leads=n) for n in (0, 20_000))
    assert known.bits == guessed.bits


def test_two_ways_of_writing_one_value_are_one_value() -> None:
    one = Record("1", "a", phone="442079460111")
    local = Record("2", "a", phone="02079460111")
    (alone,), (both,) = (weigh(INES, known, {}, AS_IT_COMES) for known in ([one], [one, local]))
    assert alone.bits == pytest.approx(both.bits)
