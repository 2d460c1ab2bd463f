"""How alike two values of one field are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lead.matching.address import street_level, street_of
from chalicelib.lead.matching.births import born_level
from chalicelib.lead.matching.firms import share, words_of_company
from chalicelib.lead.matching.names import likeness, name_of, sounded
from chalicelib.lead.matching.phones import phone_level
from chalicelib.lead.matching.record import plain
from chalicelib.lead.matching.weights import AS_IT_COMES


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("ann", "", ""),
        ("ann", "ann", "same"),
        ("juergen", "jurgen", "same"),
        ("jean pierre", "jeanpierre", "same"),
        ("robert", "bob", "short"),
        ("bill", "will", "short"),
        ("johannes", "hans", "short"),
        ("sergei", "seryozha", "short"),
        ("b", "robert", "initial"),
        ("x", "robert", "other"),
        ("florentine", "florentina", "slip"),
        ("floretnine", "florentine", "slip"),
        ("mark", "mary", "apart"),
        ("patrick", "patricia", "apart"),
        ("anna", "anna lena", "part"),
        ("anna maria", "anna sophie", "other"),
        ("bob j", "robert", "short"),
        ("ines", "bruno", "other"),
    ],
)
def test_first_names_are_alike_in_ways_that_say_more_or_less(a: str, b: str, level: str) -> None:
    assert likeness(a, b, is_given=True) == level
    assert likeness(b, a, is_given=True) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("mueller", "muller", "same"),
        ("schmidt", "schmitt", "slip"),
        ("medina sentosa", "sentosa", "part"),
        ("robert", "bob", "other"),
        ("falkenrath", "falkenraht", "slip"),
        ("lee", "li", "other"),
        ("ashby", "ashbee", "near"),
    ],
)
def test_family_names_have_no_short_forms(a: str, b: str, level: str) -> None:
    assert likeness(a, b, is_given=False) == level


@pytest.mark.parametrize(
    ("given", "name", "generation"),
    [
        ("dobbins jr", "dobbins", "2"),
        ("dobbins senior", "dobbins", "1"),
        ("morris ii", "morris", "2"),
        ("prof dr linda falkenrath", "linda falkenrath", ""),
        ("herr", "", ""),
        ("junior", "junior", ""),
    ],
)
def test_titles_are_no_names_and_generations_are_kept_apart(
    given: str, name: str, generation: str
) -> None:
    assert name_of(given) == (name, generation)


def test_usual_spellings_of_a_name_sound_the_same() -> None:
    assert sounded("schmidt") == sounded("schmitt")
    assert sounded("catherine") == sounded("katherine")
    assert sounded("mueller") == sounded("muller")
    assert sounded("h") == "h"


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("19870312", "19870312", "same"),
        ("19871203", "19870312", "swapped"),
        ("19870312", "19870313", "slip"),
        ("19870312", "19780312", "slip"),
        ("19870312", "19650312", "near"),
        ("19870312", "19870402", "near"),
        ("19870312", "19880405", "alike"),
        ("19870312", "19870928", "alike"),
        ("19870312", "19510928", "other"),
        ("00000000", "99999999", "other"),
    ],
)
def test_dates_of_birth_differ_as_people_mistype_them(a: str, b: str, level: str) -> None:
    assert born_level(a, b) == level
    assert born_level(b, a) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("442079460111", "02079460111", "same"),
        ("14155550143", "4155550143", "same"),
        ("2025550112", "5550112", "same"),
        ("14155550143", "12125550143", "other"),
        ("442079460111", "442079460171", "slip"),
        ("442079460111", "442079461011", "slip"),
        ("5550112", "555", "other"),
        ("", "", "same"),
    ],
)
def test_a_phone_without_its_country_or_area_is_the_same(a: str, b: str, level: str) -> None:
    assert phone_level(a, b) == level
    assert phone_level(b, a) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("12 Juniper Lane", "12 juniper ln.", "same"),
        ("Hauptstraße 5", "Hauptstr. 5", "same"),
        ("23 Ansbacher Street", "Ansbacher Strasse 23", "same"),
        ("55 E. Fifty-Fourth St", "55 E 54th Street", "number"),
        ("840 second ave.", "840 2nd Avenue", "same"),
        ("Harbour Plaza, 100 Howard Way", "100 Howard Way", "same"),
        ("#01-11, Hill View, 4 Hillview Rise", "4 Hillview Rise", "same"),
        ("1710 Loomis", "1710b Loomis", "near"),
        ("1710 Loomis", "1718 Loomis", "other"),
        ("12 Juniper Lane", "12 Heron Lane", "number"),
        ("12 Juniper Lane", "90 Juniper Lane", "other"),
        ("Juniper Lane", "12 Juniper Lane", "name"),
        ("3rd st.", "3rd st.", "name"),
        ("Juniper Lane", "Heron Way", "other"),
    ],
)
def test_streets_are_read_whatever_is_written_around_them(a: str, b: str, level: str) -> None:
    assert street_level(plain(a), plain(b)) == level
    assert street_level(plain(b), plain(a)) == level


def test_an_ordinal_is_a_street_and_no_number() -> None:
    assert street_of("3rd avenue").number == ""
    assert street_of("169 3rd avenue").number == "169"


def test_the_words_that_say_nothing_of_a_company_are_left_out() -> None:
    assert words_of_company("halcyon dental gmbh co kg") == ("halcyon", "dental")
    assert words_of_company("the company") == ("the", "company")


@pytest.mark.parametrize(
    ("a", "b", "least", "most"),
    [
        ("halcyon dental ltd", "halcyon dental", 1.0, 1.0),
        ("halcyon dental", "dental halcyon", 0.99, 1.0),
        ("halcyondental", "halcyon dental", 1.0, 1.0),
        ("halcyon dnetal", "halcyon dental", 0.8, 0.99),
        ("young mens harbour union", "ymhu", 0.4, 1.0),
        ("halcyon services", "quantiva services", 0.0, 0.45),
        ("halcyon", "quantiva", 0.0, 0.0),
    ],
)
def test_companies_are_alike_by_their_rare_words(a: str, b: str, least: float, most: float) -> None:
    assert least <= share(a, b, AS_IT_COMES.word).alike <= most
    assert share(a, b, AS_IT_COMES.word) == share(b, a, AS_IT_COMES.word)


WORDS = st.text(alphabet="abeimnorst 1203", max_size=16).map(lambda text: " ".join(text.split()))


@settings(max_examples=300)
@given(WORDS, WORDS)
def test_likeness_does_not_depend_on_which_comes_first(a: str, b: str) -> None:
    assert likeness(a, b, is_given=True) == likeness(b, a, is_given=True)
    assert likeness(a, b, is_given=False) == likeness(b, a, is_given=False)
    assert street_level(a, b) == street_level(b, a)
    if a and b:
        assert share(a, b, AS_IT_COMES.word) == pytest.approx(share(b, a, AS_IT_COMES.word))
