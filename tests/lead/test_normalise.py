"""A submission becomes a touch: clean beside raw, nothing dropped, the same every time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config.model import Config, CustomField, Settings
from chalicelib.config.source import Source
from chalicelib.lead.model import CONTACT_FIELDS, Answer, Submission, Touch
from chalicelib.lead.normalise import normalise

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = datetime(2026, 5, 4, 12, 1, tzinfo=UTC)
ALL_FIELDS = {field: field for field in CONTACT_FIELDS}
CUSTOM = (
    CustomField(id="size", type="number"),
    CustomField(id="budget_ok", type="boolean"),
    CustomField(id="topics", type="list"),
    CustomField(id="note"),
)


def touch_of(
    answers: Mapping[str, Answer],
    fields: Mapping[str, str] | None = None,
    connector_fields: Mapping[str, str] = ALL_FIELDS,
    hub: Settings | None = None,
    default_country: str = "",
    **submission: Any,
) -> Touch:
    return normalise(
        Submission(external_id="s-1", submitted_at=NOON, answers=answers, **submission),
        source_id="website",
        source=Source(
            connector="typeform", fields=fields or {}, trust=70, default_country=default_country
        ),
        connector="typeform",
        connector_fields=connector_fields,
        config=Config(settings=hub or Settings(), fields=CUSTOM),
        delivery_id="d-1",
        received_at=LATER,
    )


def values(touch: Touch) -> dict[str, str]:
    return {field: value.value for field, value in touch.contact.items()}


def test_a_whole_submission_becomes_a_touch() -> None:
    touch = touch_of(
        {
            "email": "Ann.Lee@Example.COM",
            "phone": "030 901820",
            "full_name": " Ann  Lee ",
            "company": "Acme GmbH",
            "country": "Deutschland",
            "how": "a friend",
        },
        person_id="p-7",
        form="f-1",
        language="de-DE",
        page_url="https://www.example.com/?utm_source=google",
        revision="2",
    )
    assert values(touch) == {
        "full_name": "Ann Lee",
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "Ann.Lee@example.com",
        "company": "Acme GmbH",
        "country": "DE",
        "phone": "+4930901820",
        "company_domain": "example.com",
        "language": "de-DE",
        "time_zone": "Europe/Berlin",
    }
    assert touch.contact["country"].raw == "Deutschland"
    assert touch.contact["full_name"].raw == " Ann  Lee "
    assert touch.identity_keys == (
        "email:ann.lee@example.com",
        "person:typeform:p-7",
        "phone:+4930901820",
    )
    assert touch.unmapped == ("how",)
    assert touch.answers["how"] == "a friend"
    assert touch.campaign == {"utm_source": "google"}
    assert (touch.trust, touch.submitted_at, touch.received_at) == (70, NOON, LATER)
    assert (touch.source_id, touch.delivery_id, touch.revision) == ("website", "d-1", "2")


def test_the_same_submission_gives_the_same_touch() -> None:
    answers: dict[str, Answer] = {"email": "ann@example.com", "topics": ("a", "b")}
    assert touch_of(answers) == touch_of(answers)


def test_the_field_map_of_a_source_lies_over_that_of_its_connector() -> None:
    touch = touch_of(
        {"mail": "ann@example.com", "email": "bob@example.com", "q1": "Acme"},
        fields={"mail": "email", "q1": "company"},
        connector_fields={"email": "email"},
    )
    assert values(touch)["email"] == "ann@example.com"
    assert values(touch)["company"] == "Acme"
    assert touch.unmapped == ("email",)


def test_a_source_can_map_a_key_to_nothing() -> None:
    touch = touch_of({"email": "ann@example.com"}, fields={"email": ""})
    assert "email" not in touch.contact
    assert touch.unmapped == ("email",)


def test_of_several_keys_the_first_with_a_usable_answer_counts_and_the_rest_stay() -> None:
    touch = touch_of(
        {"a": "", "b": "no address", "c": "ann@example.com", "d": "bob@example.com"},
        connector_fields={"a": "email", "b": "email", "c": "email", "d": "email"},
    )
    assert values(touch)["email"] == "ann@example.com"
    assert touch.unmapped == ("a", "b", "d")
    assert touch.notes == ()


def test_an_answer_that_cannot_be_used_is_noted_and_kept() -> None:
    touch = touch_of({"email": "nope", "phone": "12345", "website": "javascript:alert(1)"})
    assert touch.notes == ("invalid_email", "invalid_phone", "invalid_website")
    assert touch.answers["email"] == "nope"
    assert touch.unmapped == ()
    assert touch.identity_keys == ()


def test_an_address_of_ten_thousand_letters_is_no_address_and_stays_in_the_answers() -> None:
    long = "a" * 10_000 + "@example.com"
    touch = touch_of({"email": long})
    assert touch.answers["email"] == long
    assert touch.notes == ("invalid_email",)


def test_a_lead_with_nothing_to_identify_it_is_still_a_touch() -> None:
    touch = touch_of({"message": "Hello\r\n\r\n\r\n\r\nthere "})
    assert values(touch)["message"] == "Hello\n\nthere"
    assert touch.identity_keys == ()


def test_custom_fields_are_typed_and_what_was_noticed_names_the_field() -> None:
    touch = touch_of(
        {"employees": "51-200", "ok": "maybe", "interests": ("a", "b"), "note": "x"},
        fields={"employees": "size", "ok": "budget_ok", "interests": "topics", "note": "note"},
    )
    assert touch.custom == {"size": 51, "topics": ("a", "b"), "note": "x"}
    assert touch.notes == ("budget_ok:unreadable", "size:range")
    assert touch.answers["interests"] == ("a", "b")
    assert touch.unmapped == ()


def test_a_list_for_a_contact_field_gives_its_first_usable_text() -> None:
    touch = touch_of({"email": ("nope", "ann@example.com")})
    assert values(touch)["email"] == "ann@example.com"
    assert touch.answers["email"] == ("nope", "ann@example.com")


@pytest.mark.parametrize(
    ("answers", "source_country", "hub_country", "submission", "expected", "winner"),
    [
        ({"phone": "+1 415 555 0132"}, "DE", "FR", {}, "+14155550132", "number"),
        ({"phone": "030 901820", "country": "Germany"}, "IT", "FR", {}, "+4930901820", "address"),
        ({"phone": "030 901820"}, "DE", "AT", {}, "+4930901820", "source"),
        ({"phone": "030 901820"}, "", "DE", {}, "+4930901820", "settings"),
        ({"phone": "030 901820"}, "", "", {"language": "de-DE"}, "+4930901820", "language"),
        (
            {"phone": "030 901820", "email": "ann@example.de"},
            "",
            "",
            {},
            "+4930901820",
            "email",
        ),
    ],
)
def test_the_country_of_a_phone_is_inferred_in_a_stated_order(
    answers: dict[str, Answer],
    source_country: str,
    hub_country: str,
    submission: dict[str, Any],
    expected: str,
    winner: str,
) -> None:
    hub = Settings(default_country=hub_country)
    touch = touch_of(answers, hub=hub, default_country=source_country, **submission)
    assert values(touch)["phone"] == expected
    assert touch.contact["phone"].notes[0].endswith(f" from {winner}")


def test_what_is_unknown_stays_unknown() -> None:
    touch = touch_of({"email": "ann@example.com"}, hub=Settings(language=""))
    assert set(touch.contact) == {"email", "company_domain"}


@pytest.mark.parametrize("key", ["__proto__", "constructor", "a.b#c d", "status", "name", "{0}"])
def test_odd_keys_are_plain_text(key: str) -> None:
    touch = touch_of({key: "{{7*7}} ${jndi:x} <b>"}, fields={key: "company"})
    assert values(touch)["company"] == "{{7*7}} ${jndi:x} <b>"


def test_empty_and_endless_keys_are_noted() -> None:
    touch = touch_of({"": "x", "k" * 10_000: "y", "k" * 10_001: "z"})
    assert list(touch.answers.values()) == ["y", "z"]
    assert {len(key) for key in touch.answers} == {256}
    assert touch.notes == ("cut", "empty_key")


def test_controls_and_lone_surrogates_never_reach_a_clean_value_and_can_be_stored() -> None:
    odd = "A\x00c\x07m\ufffee \ud800"
    given = Submission.model_construct(
        external_id="s-1",
        submitted_at=NOON,
        answers={"company": odd, "x\udfff": (odd,)},
        labels={"company": odd},
    )
    touch = normalise(
        given,
        source_id="website",
        source=Source(connector="typeform"),
        connector="typeform",
        connector_fields=ALL_FIELDS,
        config=Config(),
        delivery_id="d-1",
        received_at=LATER,
    )
    assert touch.contact["company"].value == "Acme \ufffd"
    assert touch.answers["company"] == odd.replace("\ud800", "\ufffd")
    assert Touch.model_validate_json(touch.model_dump_json()) == touch


def test_a_thousand_combining_marks_are_thinned_out() -> None:
    touch = touch_of({"company": "A" + "\u0301" * 1000 + "cme"})
    assert len(values(touch)["company"]) < 15


@pytest.mark.parametrize(
    ("field", "longest"), [("full_name", 200), ("message", 10_000), ("job_title", 500)]
)
def test_a_long_value_is_cut_and_noted_and_kept_whole_in_the_answers(
    field: str, longest: int
) -> None:
    touch = touch_of({field: "é" * 30_000})
    clean = touch.contact[field]
    assert (len(clean.value), clean.notes) == (longest, ("cut",))
    assert touch.answers[field] == "é" * 30_000


def test_ten_thousand_answers_leave_a_usable_touch() -> None:
    answers = {f"k{n}": "v" for n in range(10_000)} | {"email": "ann@example.com"}
    touch = touch_of(answers)
    assert values(touch)["email"] == "ann@example.com"
    assert len(touch.unmapped) == 10_000


TEXT = st.text(max_size=30) | st.sampled_from(
    [
        "ann@example.com",
        "Ann.Lee+x@gmail.com",
        "030 901820",
        "+14155550132",
        "Ann Lee",
        "Lee, Ann",
        "山田 太郎",
        "Deutschland",
        "www.example.co.uk/x",
        "de-DE",
        "Europe/Berlin",
        "n/a",
        "A\u202e\x00b",
    ]
)


@given(st.dictionaries(st.sampled_from(CONTACT_FIELDS), TEXT, max_size=8))
@settings(max_examples=250, deadline=None)
def test_normalising_twice_equals_once(answers: dict[str, str]) -> None:
    hub = Settings(default_country="DE")
    once = touch_of(answers, hub=hub)
    twice = touch_of(values(once), hub=hub)
    assert values(twice) == values(once)
    assert twice.identity_keys == once.identity_keys
    assert not [note for note in twice.notes if note.startswith("invalid_")]


@given(st.dictionaries(st.text(max_size=8), TEXT | st.lists(TEXT, max_size=3).map(tuple)))
@settings(max_examples=100, deadline=None)
def test_every_answer_stays_and_is_taken_or_named_as_unmapped(answers: dict[str, Answer]) -> None:
    touch = touch_of(answers)
    assert touch.answers == {key: answer for key, answer in answers.items() if key}
    assert set(touch.unmapped) <= set(touch.answers)
    assert {key for key in touch.answers if key not in ALL_FIELDS} <= set(touch.unmapped)
    assert Touch.model_validate_json(touch.model_dump_json()) == touch
