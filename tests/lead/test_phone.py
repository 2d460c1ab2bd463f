"""Phone numbers: E.164 as libphonenumber has it, and which country decided."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from chalicelib.lead.phone import clean_phone, noted_country, phone_key, time_zones

GERMAN = (("DE", "settings"),)
REGIONS = """
    AE AR AT AU BE BG BR CA CH CL CN CO CZ DE DK EG ES FI FR GB GR HK HR HU ID IE IL IN IT JP KE
    KR MA MX MY NG NL NO NZ PH PK PL PT RO RS RU SA SE SG SK TH TR TW UA US VN ZA
"""
KINDS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)

ROWS = [
    # given, countries in order, E.164, first note
    ("+49 30 901820", (), "+4930901820", "country:DE from number"),
    ("+49 (0)30 901820", (), "+4930901820", "country:DE from number"),
    ("+49-30-901820", (), "+4930901820", "country:DE from number"),
    ("+49.30.901820", (), "+4930901820", "country:DE from number"),
    ("tel:+49-30-901820", (), "+4930901820", "country:DE from number"),
    ("'+4930901820", (), "+4930901820", "country:DE from number"),
    ("’+4930901820", (), "+4930901820", "country:DE from number"),
    ("  +4930901820 ", (), "+4930901820", "country:DE from number"),
    ("＋４９　３０　９０１８２０", (), "+4930901820", "country:DE from number"),
    ("+٤٩٣٠٩٠١٨٢٠", (), "+4930901820", "country:DE from number"),
    ("+४९३०९०१८२०", (), "+4930901820", "country:DE from number"),
    ("\u202d+4930901820\u202c", (), "+4930901820", "country:DE from number"),
    ("0049 30 901820", (), "+4930901820", "country:DE from number"),
    ("0049 30 901820", (("US", "source"),), "+4930901820", "country:DE from number"),
    ("011 49 30 901820", (("DE", "source"),), "+4930901820", "country:DE from number"),
    ("4930901820", (("US", "source"),), "+4930901820", "country:DE from digits"),
    ("4930901820", (), "+4930901820", "country:DE from digits"),
    ("4930901820", GERMAN, "+4930901820", "country:DE from settings"),
    ("030 901820", GERMAN, "+4930901820", "country:DE from settings"),
    ("030/901820", GERMAN, "+4930901820", "country:DE from settings"),
    ("(030) 90 18 20", GERMAN, "+4930901820", "country:DE from settings"),
    ("٠٣٠٩٠١٨٢٠", GERMAN, "+4930901820", "country:DE from settings"),
    ("030 901820", (("", "address"), ("DE", "source")), "+4930901820", "country:DE from source"),
    ("01 99 00 12 34", (("FR", "a"), ("DE", "b")), "+33199001234", "country:FR from a"),
    ("020 7946 0958", (("GB", "a"), ("DE", "b")), "+442079460958", "country:GB from a"),
    (
        "415-555-0132",
        (("FR", "source"), ("US", "settings")),
        "+14155550132",
        "country:US from settings",
    ),
    ("(415) 555-0132", (("US", "settings"),), "+14155550132", "country:US from settings"),
    ("1-415-555-0132", (("US", "settings"),), "+14155550132", "country:US from settings"),
    ("1-800-FLOWERS", (("US", "settings"),), "+18003569377", "country:US from settings"),
    ("06 1234 5678", (("IT", "settings"),), "+390612345678", "country:IT from settings"),
    ("+44 20 7946 0958", GERMAN, "+442079460958", "country:GB from number"),
    ("+1 416 555 0132", GERMAN, "+14165550132", "country:CA from number"),
    ("+7 727 258 1234", (), "+77272581234", "country:KZ from number"),
    ("+800 1234 5679", (), "+80012345679", "country:001 from number"),
    ("8 (495) 123-45-67", (("RU", "settings"),), "+74951234567", "country:RU from settings"),
    ("0612345678", (("NL", "settings"),), "+31612345678", "country:NL from settings"),
    ("09012345678", (("JP", "settings"),), "+819012345678", "country:JP from settings"),
    ("011 2345 6789", (("BR", "settings"),), "+551123456789", "country:BR from settings"),
]

NO_NUMBER = [
    "",
    " ",
    "n/a",
    "-",
    "call me",
    "ann@example.com",
    "12345",
    "110",
    "+49 30",
    "+1 555 0100",
    "0000000000",
    "1111111111",
    "1234567890",
    "0123456789",
    "9876543210",
    "1212121212",
    "+999 123 4567",
    "1" * 400,
    "+" * 50,
    "030 901820" * 20,
]


@pytest.mark.parametrize(("raw", "countries", "expected", "note"), ROWS)
def test_a_number_becomes_e164_and_says_what_decided_its_country(
    raw: str, countries: tuple[tuple[str, str], ...], expected: str, note: str
) -> None:
    clean = clean_phone(raw, countries)
    assert clean is not None
    assert (clean.value, clean.notes[0], clean.raw) == (expected, note, raw)


@pytest.mark.parametrize("raw", NO_NUMBER)
def test_what_is_no_number_or_too_short_or_a_filler_is_none(raw: str) -> None:
    assert clean_phone(raw, GERMAN) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("region", REGIONS.split())
def test_numbers_of_many_countries_read_as_libphonenumber_reads_them(
    region: str, kind: int
) -> None:
    number = phonenumbers.example_number_for_type(region, kind)
    assert number is not None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    home = phonenumbers.region_code_for_number(number)
    forms = [PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL]
    # Examples such as 01 23 45 67 89 of France count up, which we take for a filler.
    for form in forms[1:] if region in {"FR", "MY"} else forms:
        clean = clean_phone(phonenumbers.format_number(number, form), ((region, "settings"),))
        assert clean is not None
        assert clean.value == e164
        assert noted_country(clean)[0] == home
    rfc3966 = phonenumbers.format_number(number, PhoneNumberFormat.RFC3966)
    clean = clean_phone(rfc3966, ())
    assert clean is not None
    assert clean.value == e164


@pytest.mark.parametrize("raw", ["030 901820 ext. 12", "030 901820 x12", "+4930901820;ext=12"])
def test_an_extension_is_noted_and_is_part_of_the_identity(raw: str) -> None:
    clean = clean_phone(raw, GERMAN)
    assert clean is not None
    assert clean.value == "+4930901820"
    assert "ext:12" in clean.notes
    assert phone_key(clean) == "+4930901820;ext=12"


@pytest.mark.parametrize(
    "raw", ["030 901820 / 0171 3920000", "030 901820 oder 0171 3920000", "030 901820, 01713920000"]
)
def test_the_first_of_several_numbers_is_taken(raw: str) -> None:
    clean = clean_phone(raw, GERMAN)
    assert clean is not None
    assert clean.value == "+4930901820"
    assert "several" in clean.notes


def test_a_number_of_right_length_that_nobody_gives_out_is_kept_and_noted() -> None:
    clean = clean_phone("+44 7700 900123", GERMAN)
    assert clean is not None
    assert clean.value == "+447700900123"
    assert "unlikely_phone" in clean.notes


def test_a_number_without_its_country_is_read_in_the_first_in_which_it_is_possible() -> None:
    clean = clean_phone("415 555 0132", (("FR", "source"), ("SE", "settings"), ("IT", "email")))
    assert clean is not None
    assert clean.value == "+464155550132"
    assert clean.notes == ("country:SE from settings", "unlikely_phone")


def test_a_number_that_is_valid_somewhere_wins_over_one_that_is_only_possible() -> None:
    assert phonenumbers.is_possible_number(phonenumbers.parse("415 555 0132", "SE"))
    clean = clean_phone("415 555 0132", (("SE", "source"), ("US", "settings")))
    assert clean is not None
    assert clean.value == "+14155550132"


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+4930901820", ("Europe/Berlin",)),
        ("+14155550132", ("America/Los_Angeles",)),
        ("+447700900123", ()),
    ],
)
def test_a_number_tells_the_zones_in_which_it_can_be(number: str, zones: tuple[str, ...]) -> None:
    assert time_zones(number) == zones


@given(st.text(alphabet="+0123456789 ()-/.x", max_size=24))
@settings(max_examples=200, deadline=None)
def test_cleaning_twice_equals_once_whatever_is_given(raw: str) -> None:
    once = clean_phone(raw, GERMAN)
    if once is not None:
        twice = clean_phone(once.value, GERMAN)
        assert twice is not None
        assert twice.value == once.value
