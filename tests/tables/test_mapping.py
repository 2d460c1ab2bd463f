import pytest

from chalicelib.errors import Invalid
from chalicelib.tables.layout import look
from chalicelib.tables.mapping import Proposal, check_mapping, is_field, propose
from chalicelib.tables.rows import Memory

PEOPLE = {
    "email": ("zoe@example.com", "ann@example.org", "cem@example.net"),
    "phone": ("+44 7700 900123", "07700 900124", "(07700) 900125"),
    "country": ("Germany", "France", "Österreich"),
    "website": ("https://example.com", "www.example.org", "example.net"),
    "submitted_at": ("2025-10-09 09:53", "2025-10-08", "2025-10-07T10:00:00"),
    "consent.marketing": ("Y", "", "N"),
    "consent.contact": ("ja", "nein", "x"),
    "id": ("B-1", "B-2", "B-3"),
}
"""Values of columns, by what they hold; others are plain words."""


def proposed(*columns: tuple[str, tuple[str, ...]], **more: object) -> Proposal:
    names = [name for name, _ in columns]
    lines = [names, *zip(*(values for _, values in columns), strict=True)]
    text = "\n".join("\t".join(line) for line in lines) + "\n"
    layout, rows = look(Memory(text.encode()))
    configured = more.get("configured", {})
    custom = more.get("custom", [])
    assert isinstance(configured, dict)
    assert isinstance(custom, list)
    return propose(layout, rows, configured, custom)


def field_of(header: str, holds: str) -> str:
    """Give what is proposed for a column beside one of addresses."""
    values = PEOPLE.get(holds, ("Quill", "Ashby", "Cedar"))
    other = ("Unsaid", ("q1", "q2", "q3"))
    return proposed(other, (header, values)).mapping[header]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("E-Mail", "email"),
        ("EMAIL ADDRESS", "email"),
        ("E-Mail-Adresse", "email"),
        ("Correo electrónico", "email"),
        ("Adresse e-mail", "email"),
        ("邮箱", "email"),
        ("Work email (optional)", "email"),
        ("Telefonnummer", "phone"),
        ("Téléphone", "phone"),
        ("Mobile", "phone"),
        ("Vorname", "first_name"),
        ("Prénom", "first_name"),
        ("Nachname", "last_name"),
        ("Cognome", "last_name"),
        ("Nom", "last_name"),
        ("Ansprechpartner", "full_name"),
        ("Imię i nazwisko", "full_name"),
        ("Firma", "company"),
        ("Société", "company"),
        ("Empresa", "company"),
        ("Bedrijfsnaam", "company"),
        ("会社名", "company"),
        ("Position", "job_title"),
        ("Stanowisko", "job_title"),
        ("Straße", "street"),
        ("PLZ", "postal_code"),
        ("Ort", "city"),
        ("Land", "country"),
        ("Country/Region", "country"),
        ("Webseite", "website"),
        ("Bemerkungen", "message"),
        ("Badge ID", "id"),
        ("Scan Time", "submitted_at"),
        ("Zeitstempel", "submitted_at"),
        ("Opt-in", "consent.marketing"),
        ("DSGVO", "consent.contact"),
        ("utm_campaign", "utm_campaign"),
        ("Event Name", "form"),
        ("Favourite colour", "answer"),
    ],
)
def test_a_column_is_known_by_its_header(header: str, field: str) -> None:
    assert field_of(header, field) == field


@pytest.mark.parametrize("field", ["email", "phone", "country", "website"])
def test_a_column_is_known_by_its_values_when_its_header_says_nothing(field: str) -> None:
    assert field_of("Column", field) == field


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("E-Mail", ("Quill", "Ashby", "Cedar")),
        ("Badge ID", ("B-1", "B-2", "B-1")),
        ("Opt-in", ("by phone only", "call me", "later")),
        ("Created", ("by Ann", "by Ben", "by Cem")),
        ("Country", ("blue", "red", "green")),
    ],
)
def test_values_that_contradict_a_header_count_more(header: str, values: tuple[str, ...]) -> None:
    found = proposed(("Unsaid", ("q1", "q2", "q3")), (header, values)).columns[1]
    assert found.field == "answer"
    assert found.because


def test_yes_and_no_below_mail_is_a_consent() -> None:
    found = proposed(("Address", PEOPLE["email"]), ("Email", ("Y", "N", "Y")))
    assert list(found.mapping.values()) == ["email", "consent.marketing"]


def test_of_two_columns_for_one_field_the_surer_one_takes_it() -> None:
    found = proposed(
        ("Their email if any", PEOPLE["email"]),
        ("E-Mail", PEOPLE["email"]),
        ("Second e-mail", PEOPLE["email"]),
    )
    assert list(found.mapping.values()) == ["answer", "email", "answer"]


def test_the_sources_field_map_and_custom_fields_come_first() -> None:
    found = proposed(
        ("Company size", ("5", "6", "7")),
        ("Firma", ("a", "b", "c")),
        configured={"Firma": "topic"},
        custom=["company_size", "topic"],
    )
    assert list(found.mapping.values()) == ["company_size", "topic"]
    assert found.columns[1].confidence == 100


@pytest.mark.parametrize(
    ("values", "order", "is_warned"),
    [
        (("09/10/2025", "13/10/2025", "01/02/2025"), "dmy", False),
        (("09/10/2025", "09/13/2025", "01/02/2025"), "mdy", False),
        (("09/10/2025", "08/10/2025", "01/02/2025"), "dmy", True),
        (("09.10.2025", "08.10.2025", "01.02.2025"), "dmy", False),
        (("2025-10-09", "2025-10-13", "2025-02-01"), "dmy", False),
    ],
)
def test_the_order_of_day_and_month_is_proved_or_asked_for(
    values: tuple[str, ...], order: str, is_warned: bool
) -> None:
    found = proposed(("Mail", PEOPLE["email"]), ("Scan time", values))
    assert found.dates == order
    assert any("day or month" in warning for warning in found.warnings) == is_warned


def test_what_a_spreadsheet_has_spoilt_is_said() -> None:
    found = proposed(("Mail", PEOPLE["email"]), ("Phone", ("4,47701E+11", "4.47E+11", "1")))
    assert any("rounded" in warning for warning in found.warnings)
    assert any("agreed" in warning for warning in found.warnings)


def test_columns_that_the_hub_wrote_are_left_out() -> None:
    found = proposed(("hub row", ("2", "3", "4")), ("Mail", PEOPLE["email"]))
    assert found.mapping["hub row"] == "-"


def test_samples_are_short() -> None:
    found = proposed(("Mail", PEOPLE["email"]), ("Text", ("x" * 500, "y", "z")))
    assert found.columns[1].samples == ("x" * 60, "y", "z")


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ({"A": "email", "Z": "phone"}, "no such column"),
        ({"A": "email", "B": "consent."}, "is no field"),
        ({"A": "email", "B": "consent.a b"}, "is no field"),
        ({"A": "email", "B": "id", "D": "id"}, "is id already"),
        ({"A": "answer"}, "nobody is told apart"),
        ({"A": "email", "C": "company"}, "field map"),
    ],
)
def test_a_wrong_mapping_is_refused(mapping: dict[str, str], why: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_mapping(("A", "B", "C", "D"), mapping, {"C": "phone"}, ("topic",))
    assert any(why in problem for problem in refused.value.problems)


def test_two_columns_may_hold_one_contact_field() -> None:
    check_mapping(("A", "B"), {"A": "phone", "B": "phone"}, {}, ())


@pytest.mark.parametrize("field", ["email", "topic", "consent.news_letter", "-", "answer", "gclid"])
def test_what_a_column_can_be_mapped_to(field: str) -> None:
    assert is_field(field, ("topic",))
