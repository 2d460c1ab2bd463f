"""Country, language and time zone, each with its evidence; what is unknown stays unknown."""

import pytest

from chalicelib.lead.model import CleanValue
from chalicelib.lead.place import (
    clean_country,
    clean_language,
    clean_time_zone,
    infer_country,
    infer_language,
    infer_time_zone,
)

COUNTRIES = [
    ("DE", "DE"),
    ("de", "DE"),
    (" Germany ", "DE"),
    ("GERMANY", "DE"),
    ("Deutschland", "DE"),
    ("Allemagne", "DE"),
    ("DEU", "DE"),
    ("UK", "GB"),
    ("England", "GB"),
    ("United Kingdom", "GB"),
    ("USA", "US"),
    ("U.S.A.", "US"),
    ("United States of America", "US"),
    ("Österreich", "AT"),
    ("osterreich", "AT"),
    ("Suisse", "CH"),
    ("España", "ES"),
    ("Italia", "IT"),
    ("Polska", "PL"),
    ("Россия", "RU"),
    ("Україна", "UA"),
    ("Ελλάδα", "GR"),
    ("日本", "JP"),
    ("中国", "CN"),
    ("대한민국", "KR"),
    ("भारत", "IN"),
    ("مصر", "EG"),
    ("ישראל", "IL"),
    ("ประเทศไทย", None),
    ("ไทย", "TH"),
    ("Holland", "NL"),
    ("Czech Republic", "CZ"),
    ("Turkey", "TR"),
    ("Türkiye", "TR"),
    ("Côte d’Ivoire", "CI"),
    ("Cote d'Ivoire", "CI"),
    ("Niger", "NE"),
    ("Nigeria", "NG"),
    ("Georgia", "GE"),
    ("Kosovo", "XK"),
    ("Kongo", None),
    ("Atlantis", None),
    ("XX", None),
    ("EU", None),
    ("", None),
]

LANGUAGES = [
    ("de", "de"),
    ("de-DE", "de-DE"),
    ("DE_de", "de-DE"),
    ("pt-br", "pt-BR"),
    ("zh-hant-tw", "zh-Hant-TW"),
    ("es-419", "es-419"),
    ("fil", "fil"),
    ("en-US,en;q=0.9,de;q=0.8", "en-US"),
    ("German", "de"),
    ("Deutsch", "de"),
    ("Français", "fr"),
    ("日本語", "ja"),
    ("русский", "ru"),
    ("xx", None),
    ("*", None),
    ("klingon", None),
    ("", None),
]


def value(text: str, *notes: str) -> CleanValue:
    return CleanValue(value=text, raw=text, notes=notes)


@pytest.mark.parametrize(("raw", "code"), COUNTRIES)
def test_a_country_is_known_by_code_and_by_name_in_many_languages(
    raw: str, code: str | None
) -> None:
    found = clean_country(raw)
    assert (found.value if found else None) == code


@pytest.mark.parametrize(("raw", "tag"), LANGUAGES)
def test_a_language_is_known_by_tag_and_by_name(raw: str, tag: str | None) -> None:
    found = clean_language(raw)
    assert (found.value if found else None) == tag


@pytest.mark.parametrize(
    ("raw", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("UTC", "UTC"),
        ("Europe/Atlantis", None),
        ("../../etc/passwd", None),
        ("/etc/passwd", None),
        ("CET", None),
        ("", None),
    ],
)
def test_a_time_zone_is_one_that_exists(raw: str, zone: str | None) -> None:
    found = clean_time_zone(raw)
    assert (found.value if found else None) == zone


@pytest.mark.parametrize(
    ("contact", "code", "notes"),
    [
        ({"phone": value("+4930901820", "country:DE from number")}, "DE", ("from:phone",)),
        ({"phone": value("+4930901820", "country:DE from source")}, "DE", ("from:phone", "weak")),
        ({"website": value("https://example.fr")}, "FR", ("from:website", "weak")),
        ({"email": value("ann@example.co.uk")}, "GB", ("from:email", "weak")),
        (
            {"phone": value("+39061234567", "country:IT from number"), "email": value("a@b.de")},
            "IT",
            ("from:phone",),
        ),
        ({"phone": value("+80012345678", "country:001 from number")}, None, ()),
        (
            {"phone": value("+447700900123", "country:GB from number", "unlikely_phone")},
            None,
            (),
        ),
        ({"email": value("ann@example.com")}, None, ()),
        ({"email": value("ann@example.io")}, None, ()),
        ({"email": value("ann@example.ai")}, None, ()),
        ({"email": value("ann@[192.0.2.1]")}, None, ()),
        ({}, None, ()),
    ],
)
def test_a_country_is_inferred_from_phone_then_from_the_ending_of_a_domain(
    contact: dict[str, CleanValue], code: str | None, notes: tuple[str, ...]
) -> None:
    found = infer_country(contact)
    assert (found.value if found else None) == code
    assert (found.notes if found else ()) == notes


@pytest.mark.parametrize(
    ("contact", "zone", "notes"),
    [
        ({"country": value("DE")}, "Europe/Berlin", ("from:country",)),
        ({"country": value("JP")}, "Asia/Tokyo", ("from:country",)),
        ({"country": value("ES")}, "Europe/Madrid", ("from:country", "weak")),
        ({"country": value("FR", "weak")}, "Europe/Paris", ("from:country", "weak")),
        ({"country": value("US")}, None, ()),
        ({"country": value("AU")}, None, ()),
        (
            {"country": value("US"), "phone": value("+14155550132", "country:US from number")},
            "America/Los_Angeles",
            ("from:phone",),
        ),
        (
            {"country": value("US"), "phone": value("+14155550132", "country:US from settings")},
            "America/Los_Angeles",
            ("from:phone", "weak"),
        ),
        ({}, None, ()),
    ],
)
def test_a_time_zone_is_inferred_where_only_one_comes_into_question(
    contact: dict[str, CleanValue], zone: str | None, notes: tuple[str, ...]
) -> None:
    found = infer_time_zone(contact)
    assert (found.value if found else None) == zone
    assert (found.notes if found else ()) == notes


@pytest.mark.parametrize(
    ("said", "default", "tag", "notes"),
    [
        ("de-AT", "en", "de-AT", ("from:submission",)),
        ("", "en", "en", ("from:settings", "weak")),
        ("nonsense", "en", "en", ("from:settings", "weak")),
        ("", "", None, ()),
    ],
)
def test_a_language_is_what_the_browser_said_else_the_hubs(
    said: str, default: str, tag: str | None, notes: tuple[str, ...]
) -> None:
    found = infer_language(said, default)
    assert (found.value if found else None) == tag
    assert (found.notes if found else ()) == notes
