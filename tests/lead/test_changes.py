"""What a person wants changed is cleaned as submissions are, or refused in words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.config.model import Config
from chalicelib.lead.changes import Changes, Given, read_changes
from chalicelib.lead.model import CONTACT_FIELDS, Edit, Lead, ProfileValue

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CONFIG = Config.model_validate(
    {
        "settings": {"default_country": "GB"},
        "fields": [
            {"id": "seats", "type": "number"},
            {"id": "is_customer", "type": "boolean"},
            {"id": "enquiry", "type": "choice", "choices": ["quote", "demo"]},
            {"id": "topics", "type": "list"},
            {"id": "size"},
        ],
    }
)


def lead(**known: Any) -> Lead:
    profile = {
        name: ProfileValue(value=value, touch_id="t", at=NOW) for name, value in known.items()
    }
    return Lead(lead_id="l1", version=3, created_at=NOW, updated_at=NOW, profile=profile)


def by_hand(one: Lead, said_of: str = "l1", **values: Any) -> Lead:
    made = [
        Edit(field=name, value=value, at=NOW, by="Ann", event_id="e", lead_id=said_of)
        for name, value in values.items()
    ]
    return one.model_copy(update={"edits": (*one.edits, *made)})


def changes(one: Lead, *released: str, **wanted: Given) -> Changes:
    return read_changes(one, one.lead_id, wanted, released, CONFIG)


def values(one: Lead, *released: str, **wanted: Given) -> dict[str, Any]:
    found = changes(one, *released, **wanted)
    assert found.problems == ()
    return {name: change.value for name, change in found.fields.items()}


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        ("email", " Ann@EXAMPLE.com ", "Ann@example.com"),
        ("phone", "020 7946 0018", "+442079460018"),
        ("phone", "+49 30 901820", "+4930901820"),
        ("company", "  Acme   Ltd ", "Acme Ltd"),
        ("company_domain", "https://www.example.com/x", "example.com"),
        ("website", "Example.com", "https://example.com"),
        ("country", "Germany", "DE"),
        ("language", "German", "de"),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("date_of_birth", "1984-05-31", "1984-05-31"),
        ("job_title", "Head of Sales", "Head of Sales"),
        ("message", "one\n\n\n\ntwo", "one\n\ntwo"),
        ("seats", "51-200", 51),
        ("seats", 250, 250),
        ("seats", 1.5, "1.5"),
        ("is_customer", True, True),
        ("is_customer", "nein", False),
        ("enquiry", "QUOTE", "quote"),
        ("topics", ("a", "b"), ("a", "b")),
        ("topics", "a", ("a",)),
        ("company", "", ""),
        ("company", None, ""),
        ("seats", None, ""),
        ("topics", (), ""),
    ],
)
def test_a_value_is_cleaned_as_that_of_a_submission(field: str, given: Given, value: Any) -> None:
    assert values(lead(), **{field: given}) == {field: value}


@pytest.mark.parametrize(
    ("field", "given", "problem"),
    [
        ("email", "ann at example", "email: expected an e-mail address such as ann@example.com"),
        ("phone", "12", "phone: expected a phone number with its country code such as "),
        ("country", "Narnia", "country: expected a country such as DE or Germany"),
        ("language", "Elvish tongue", "language: expected a language such as"),
        ("time_zone", "Mars/Base", "time_zone: expected a time zone such as Europe/Berlin"),
        ("date_of_birth", "long ago", "date_of_birth: expected a date of birth such as 1984"),
        ("website", "no site", "website: expected a web address"),
        ("company_domain", "gmail.com", "company_domain: expected a company's own domain"),
        ("company", "n/a", "company: expected a company's name"),
        ("company", ("a", "b"), "company: expected one text"),
        ("job_title", "x" * 501, "job_title: expected at most 500 characters"),
        ("size", "x" * 10_001, "size: expected at most 10000 characters"),
        ("seats", "many", "seats: expected a number"),
        ("is_customer", "perhaps", "is_customer: expected yes or no"),
        ("enquiry", "call", "enquiry: expected one of quote, demo"),
        ("emial", "x", "emial: expected a contact field or a field of `fields`; did you mean ema"),
        ("custom.seats", "x", "custom.seats: expected a contact field or a field of `fields`; did"),
        ("score", "99", "score: expected a contact field or a field of `fields`"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(field: str, given: Given, problem: str) -> None:
    found = changes(lead(), **{field: given})
    assert found.fields == {}
    (told,) = found.problems
    assert told.startswith(problem)


def test_all_problems_are_told_at_once_and_nothing_is_changed() -> None:
    found = changes(lead(), email="x", seats="many", city="Bonn")
    assert [problem.partition(":")[0] for problem in found.problems] == ["email", "seats"]
    assert found.fields == {}


def test_a_phone_is_read_in_the_country_that_is_set_beside_it_or_known() -> None:
    assert values(lead(), phone="030 901820", country="DE")["phone"] == "+4930901820"
    assert values(lead(country="DE"), phone="030 901820")["phone"] == "+4930901820"


def test_an_address_to_reach_somebody_at_is_an_identity_key() -> None:
    found = changes(lead(), email="A.B+x@gmail.com", phone="+49 30 901820 ext. 12", company="A")
    keys = {name: change.identity_keys for name, change in found.fields.items()}
    assert keys == {
        "email": ("email:ab@gmail.com",),
        "phone": ("phone:+4930901820;ext=12",),
        "company": (),
    }


NAMED = {"full_name": "Ann Lee", "first_name": "Ann", "last_name": "Lee"}


@pytest.mark.parametrize(
    ("known", "wanted", "expected"),
    [
        (NAMED, {"first_name": "Anna"}, ("Anna Lee", "Anna", "Lee")),
        (NAMED, {"last_name": ""}, ("Ann", "Ann", "")),
        (NAMED, {"full_name": "Bea Quill"}, ("Bea Quill", "Bea", "Quill")),
        (NAMED, {"full_name": "Cher"}, ("Cher", "", "")),
        (NAMED, {"full_name": "Dr. B. Q.", "last_name": "Q."}, ("Dr. B. Q.", "", "Q.")),
        (NAMED, {"full_name": ""}, ("", "", "")),
        (
            {"full_name": "Maria del Carmen G."},
            {"first_name": "Maria"},
            ("Maria del Carmen G.", "Maria", ""),
        ),
        ({}, {"first_name": "Ann", "last_name": "Lee"}, ("Ann Lee", "Ann", "Lee")),
    ],
)
def test_the_parts_of_a_name_are_set_together(
    known: dict[str, str], wanted: dict[str, str], expected: tuple[str, str, str]
) -> None:
    given: dict[str, Given] = dict(wanted)
    found = values(lead(**known), **given)
    assert tuple(found[name] for name in ("full_name", "first_name", "last_name")) == expected


def test_a_name_that_is_by_hand_is_changed_as_a_whole() -> None:
    held = by_hand(lead(**NAMED), **NAMED)
    assert values(held, last_name="Li") == {**NAMED, "last_name": "Li", "full_name": "Ann Li"}


def test_the_parts_of_an_address_are_set_together() -> None:
    known = lead(street="1 Main St", city="Bonn", country="DE")
    assert values(known, city="Berlin") == {
        "street": "1 Main St",
        "city": "Berlin",
        "region": "",
        "postal_code": "",
    }


def test_what_is_so_by_hand_already_is_no_change() -> None:
    held = by_hand(lead(company="Acme"), company="Acme")
    assert values(held, company="Acme ") == {}
    assert values(held, company="Beta") == {"company": "Beta"}
    assert values(lead(company="Acme"), company="Acme") == {"company": "Acme"}


def test_what_was_said_of_a_merged_lead_may_be_said_of_this_one_too() -> None:
    held = by_hand(lead(), said_of="l0", company="Acme")
    assert values(held, company="Acme") == {"company": "Acme"}
    assert values(held, "company") == {"company": None}


def test_a_field_is_given_back_with_those_that_go_with_it() -> None:
    held = by_hand(lead(), **NAMED, city="Bonn")
    assert values(held, "first_name") == dict.fromkeys(NAMED)
    assert values(held, "company") == {}
    assert set(values(by_hand(lead(), **dict.fromkeys(CONTACT_FIELDS, "x")), *CONTACT_FIELDS)) == {
        *CONTACT_FIELDS
    }


@pytest.mark.parametrize("released", ["company", "nonsense", "last_name"])
def test_a_release_must_make_sense(released: str) -> None:
    found = changes(lead(), released, company="A", first_name="B")
    assert len(found.problems) == 1
    assert found.fields == {}
