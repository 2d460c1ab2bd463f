"""Two records compared: the same whichever comes first, and never a failure."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lead.matching.blocks import MOST_BLOCKS, block_keys, narrower
from chalicelib.lead.matching.compare import compare
from chalicelib.lead.matching.decide import guard_of, weigh
from chalicelib.lead.matching.record import Record, digits, grown, plain, record_from
from chalicelib.lead.matching.rivals import odds
from chalicelib.lead.matching.weights import AS_IT_COMES, Weights
from chalicelib.lead.matching.words import because

FIELDS: Mapping[str, tuple[str, ...]] = {
    "first_name": (
        "Robert",
        "Bob",
        "B",
        "Anna Lena",
        "Anna",
        "Мария",
        "李",
        "Jürgen",
        "Falkenrath",
    ),
    "last_name": ("Falkenrath", "Falkenraht", "Müller", "Mueller", "Robert", "Ashby Jr", "Ashby"),
    "full_name": ("Ashby, Robert", "Dr. Robert Ashby", "Wang Jie"),
    "email": ("bob@example.com", "bob1@example.com", "info@example.org", "r.ashby@example.com"),
    "phone": ("+442079460111", "02079460111", "+442079460171", "555-0143"),
    "date_of_birth": ("1987-03-12", "1987-12-03", "1951-09-28", "soon"),
    "street": ("12 Juniper Lane", "Juniper Lane 12", "12 Heron Way", "3rd st"),
    "city": ("Leeds", "Leeeds", "Oakfield"),
    "postal_code": ("94501", "94502", "LS1 2AB"),
    "company": ("Halcyon Dental Ltd", "Halcyon", "Quantiva Interiors"),
    "job_title": ("Baker", "Nurse"),
}

TYPED = st.fixed_dictionaries(
    {}, optional={field: st.sampled_from(values) for field, values in FIELDS.items()}
)
ODD = st.fixed_dictionaries({}, optional={field: st.text(max_size=30) for field in FIELDS})
LEARNT = Weights(
    leads=5000,
    submissions=8000,
    records={"first": 5000, "last": 5000, "email": 4000, "domain": 4000, "city": 3000},
    counts={"first": {"robert": 90, "anna": 70}, "domain": {"example.com": 2000}},
    bits={"phone": {"slip": 1.0}},
)


def record(given: Mapping[str, str], name: str) -> Record:
    """Make a record of typed answers."""
    notes = ("role_address",) if given.get("email", "").startswith("info@") else ()
    return record_from(given, name, name, notes)


@settings(max_examples=500)
@given(TYPED, TYPED, st.sampled_from([AS_IT_COMES, LEARNT]))
def test_two_records_say_the_same_whichever_comes_first(
    a: Mapping[str, str], b: Mapping[str, str], weights: Weights
) -> None:
    one, other = record(a, "one"), record(b, "other")
    there, back = compare(one, other, weights), compare(other, one, weights)
    assert sorted((t.field, t.level, t.bits) for t in there) == sorted(
        (t.field, t.level, t.bits) for t in back
    )
    assert guard_of(there) == guard_of(back)
    assert odds(one, other, there, 8.0) == pytest.approx(odds(other, one, back, 8.0))


@settings(max_examples=300)
@given(ODD, ODD)
def test_no_text_whatever_makes_it_fail(a: Mapping[str, str], b: Mapping[str, str]) -> None:
    one, other = record(a, "one"), record(b, "other")
    for candidate in weigh(one, [other], {}, LEARNT):
        assert because(candidate)
        assert candidate.outcome in ("match", "ask", "new")
    keys = block_keys(one)
    assert len(keys) <= MOST_BLOCKS
    assert all(len(narrower(key, one)) <= 2 for key in keys)
    assert grown(one.shrunk()) == one


@settings(max_examples=200)
@given(TYPED)
def test_a_record_keeps_what_it_says_when_it_is_stored(a: Mapping[str, str]) -> None:
    one = record(a, "one")
    assert grown(one.shrunk()) == one
    assert one.shrunk()[-1]


def test_text_of_any_script_becomes_plain() -> None:
    assert plain("Jürgen O’Neill-Groß") == "juergen oneill gross"
    assert plain("Иванов") == "ivanov"
    assert plain("李 小龙").replace(" ", "").isalpha()
    assert digits("+49 (0)30 23-12") == "490302312"
    assert digits("٣") == ""


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ({"full_name": "Ashby, Robert"}, "robert", "ashby"),
        ({"full_name": "Robert Ashby, PhD"}, "robert", "ashby"),
        ({"full_name": "Frau Dr. Ines Falkenrath"}, "ines", "falkenrath"),
        ({"full_name": "Madonna"}, "madonna", ""),
        ({"first_name": "Herr", "last_name": "Ashby"}, "", "ashby"),
        ({"first_name": "Bob", "full_name": "Robert Ashby"}, "bob", ""),
    ],
)
def test_a_full_name_is_split_when_there_is_nothing_else(
    given: Mapping[str, str], first: str, last: str
) -> None:
    made = record(given, "one")
    assert (made.first, made.last) == (first, last)


def test_a_tag_in_a_mail_address_is_not_compared() -> None:
    assert record({"email": "ann+news@example.org"}, "one").email == "ann@example.org"
    assert record({"email": "+ann@example.org"}, "one").email == "+ann@example.org"


def test_a_firm_is_one_of_whom_no_person_is_known() -> None:
    assert record({"company": "Halcyon", "email": "info@example.org"}, "one").is_firm
    assert not record({"company": "Halcyon", "email": "ann@example.org"}, "one").is_firm
    assert not record({"company": "Halcyon", "first_name": "Ann"}, "one").is_firm
