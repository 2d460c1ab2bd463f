"""Conditions: what is known of leads and touches, and what holds of it."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chalicelib.config.model import Condition, Op
from chalicelib.lead.conditions import (
    FIELDS,
    evaluate,
    facts_of_lead,
    facts_of_touch,
    field_info,
)
from chalicelib.lead.model import (
    CleanValue,
    Consent,
    Lead,
    ProfileValue,
    Score,
    Touch,
    TouchRef,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EARLIER = datetime(2026, 2, 20, 13, tzinfo=UTC)
CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)

FACTS = {
    "email_domain": "Example.com",
    "country": "DE",
    "company": "Straße & Söhne GmbH",
    "custom.company_size": 250,
    "custom.budget": "1999.50",
    "custom.interests": ("Pricing", "Security"),
    "is_free_mail": False,
    "score": 0,
    "message": "",
    "flags": (),
}


def holds(condition: dict[str, Any], facts: dict[str, Any] | None = None) -> bool:
    return evaluate(CONDITION.validate_python(condition), FACTS if facts is None else facts).holds


def because(condition: dict[str, Any]) -> str:
    return evaluate(CONDITION.validate_python(condition), FACTS).because


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("country", "is", "de", True),
        ("country", "is", " DE ", True),
        ("country", "is", "AT", False),
        ("country", "is_not", "AT", True),
        ("country", "is_not", "de", False),
        ("country", "in", ["AT", "de"], True),
        ("country", "in", ["AT"], False),
        ("country", "not_in", ["AT"], True),
        ("country", "not_in", ["DE"], False),
        ("company", "is", "STRASSE & SÖHNE GMBH", True),
        ("company", "contains", "so\u0308hne", True),
        ("company", "starts_with", "strasse", True),
        ("company", "ends_with", "gmbh", True),
        ("company", "ends_with", "ag", False),
        ("custom.company_size", "is", 250, True),
        ("custom.company_size", "is", "250", True),
        ("custom.company_size", "is", 250.0, True),
        ("custom.company_size", "is", "large", False),
        ("company", "is", 250, False),
        ("is_free_mail", "contains", "fal", False),
        ("custom.company_size", "contains", True, False),
        ("custom.company_size", "starts_with", 25, True),
        ("custom.company_size", "at_least", 250, True),
        ("custom.company_size", "at_least", 251, False),
        ("custom.company_size", "at_most", 250, True),
        ("custom.company_size", "at_most", 249, False),
        ("custom.company_size", "more_than", 250, False),
        ("custom.company_size", "more_than", 249, True),
        ("custom.company_size", "less_than", 250, False),
        ("custom.company_size", "less_than", 251, True),
        ("custom.budget", "is", 1999.5, True),
        ("custom.budget", "at_least", "1999.50", True),
        ("custom.budget", "more_than", 1999.5, False),
        ("company", "at_least", 1, False),
        ("company", "at_most", 1, False),
        ("custom.interests", "contains", "pricing", True),
        ("custom.interests", "contains", "pric", False),
        ("custom.interests", "is", "security", True),
        ("custom.interests", "in", ["demo", "security"], True),
        ("custom.interests", "not_in", ["demo"], True),
        ("custom.interests", "starts_with", "sec", True),
        ("is_free_mail", "is", False, True),
        ("is_free_mail", "is", True, False),
        ("is_free_mail", "is", 0, False),
        ("is_free_mail", "exists", None, True),
        ("score", "exists", None, True),
        ("score", "is", 0, True),
        ("score", "is", False, False),
        ("country", "missing", None, False),
    ],
)
def test_a_comparison_holds_as_people_expect(
    field: str, op: str, value: object, expected: bool
) -> None:
    assert holds({"field": field, "op": op, "value": value}) is expected


@pytest.mark.parametrize("field", ["job_title", "message", "flags", "custom.none", "no such field"])
@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("is", "x", False),
        ("is_not", "x", True),
        ("in", ["x"], False),
        ("not_in", ["x"], True),
        ("contains", "x", False),
        ("starts_with", "x", False),
        ("ends_with", "x", False),
        ("at_least", 0, False),
        ("at_most", 0, False),
        ("more_than", 0, False),
        ("less_than", 0, False),
        ("exists", None, False),
        ("missing", None, True),
    ],
)
def test_of_a_missing_field_only_missing_is_not_and_not_in_hold(
    field: str, op: str, value: object, expected: bool
) -> None:
    trace = evaluate(CONDITION.validate_python({"field": field, "op": op, "value": value}), FACTS)
    assert trace.holds is expected
    assert trace.because.endswith("is missing")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "custom.company_size", "op": "at_least", "value": 200},
         "company_size 250 is at least 200"),
        ({"field": "custom.company_size", "op": "at_least", "value": 500},
         "company_size 250 is not at least 500"),
        ({"field": "country", "op": "is", "value": "DE"}, "country is DE"),
        ({"field": "country", "op": "is", "value": "AT"}, "country DE is not AT"),
        ({"field": "country", "op": "is_not", "value": "AT"}, "country DE is not AT"),
        ({"field": "country", "op": "in", "value": ["AT", "CH"]},
         "country DE is not one of AT, CH"),
        ({"field": "company", "op": "contains", "value": "gmbh"}, "company contains gmbh"),
        ({"field": "company", "op": "ends_with", "value": "ag"}, "company does not end with ag"),
        ({"field": "is_free_mail", "op": "is", "value": False}, "is_free_mail is no"),
        ({"all": []}, "always"),
        ({"not": {"field": "country", "op": "is", "value": "AT"}}, "country DE is not AT"),
        (
            {"all": [{"field": "country", "op": "exists"}, {"field": "phone", "op": "missing"}]},
            "country is DE and phone is missing",
        ),
        (
            {"any": [{"field": "country", "op": "is", "value": "AT"},
                     {"field": "phone", "op": "exists"}]},
            "country DE is not AT and phone is missing",
        ),
    ],
)  # fmt: skip
def test_the_reason_is_true_whether_the_condition_holds_or_not(
    condition: dict[str, Any], expected: str
) -> None:
    assert because(condition) == expected


def test_a_reason_is_cut_to_a_length_that_people_read() -> None:
    many = {"all": [{"field": "country", "op": "is_not", "value": "x" * 500}] * 50}
    assert len(because(many)) <= 400
    assert len(because(many["all"][0])) < 100


def test_all_any_and_not_combine() -> None:
    german = {"field": "country", "op": "is", "value": "DE"}
    large = {"field": "custom.company_size", "op": "at_least", "value": 1000}
    assert holds({"all": []})
    assert not holds({"any": []})
    assert holds({"any": [large, german]})
    assert not holds({"all": [large, german]})
    assert holds({"all": [{"not": large}, german]})
    assert not holds({"not": {"any": [german, large]}})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(
    fact=json_values,
    value=json_values,
    op=st.sampled_from(get_args(Op)),
)
def test_no_fact_and_no_value_can_make_a_comparison_fail(fact: Any, value: Any, op: str) -> None:
    condition = CONDITION.validate_python({"field": "custom.x", "op": op, "value": value})
    trace = evaluate(condition, {"custom.x": fact})
    opposite = {"is": "is_not", "in": "not_in", "exists": "missing"}.get(op)
    if opposite:
        other = CONDITION.validate_python({"field": "custom.x", "op": opposite, "value": value})
        assert evaluate(other, {"custom.x": fact}).holds is not trace.holds


@pytest.mark.parametrize("text", ["9" * 400, "NaN", "Infinity", "-inf", "1_000", "", " ", "1e"])
def test_text_that_is_no_sensible_number_is_none(text: str) -> None:
    for op in ("at_least", "at_most"):
        assert not holds({"field": "custom.x", "op": op, "value": 0}, {"custom.x": text})


def test_a_huge_integer_compares_exactly() -> None:
    assert holds({"field": "custom.x", "op": "more_than", "value": 10**17}, {"custom.x": 10**399})


def make_lead(**fields: str) -> Lead:
    profile = {
        name: ProfileValue(value=value, touch_id="t1", at=EARLIER) for name, value in fields.items()
    }
    return Lead(
        lead_id="l1",
        version=3,
        created_at=EARLIER,
        updated_at=NOW,
        touch_count=2,
        profile=profile,
        custom={"company_size": ProfileValue(value=250, touch_id="t1", at=EARLIER)},
        consents={"marketing": Consent(purpose="marketing", given=False)},
        first_touch=TouchRef(
            touch_id="t1", at=EARLIER, source_id="meta", campaign={"utm_source": "ad"}
        ),
        last_touch=TouchRef(
            touch_id="t2", at=NOW, source_id="website", form="f2", campaign={"gclid": "g"}
        ),
        flags=("role_address",),
        score=Score(total=50, fit=30, engagement=20),
        declined_by=("ana",),
    )


def test_the_facts_of_a_lead() -> None:
    lead = make_lead(email="sales@quill.example.com", phone="+4930901820", country="DE")
    assert facts_of_lead(lead, NOW) == {
        "email": "sales@quill.example.com",
        "email_domain": "quill.example.com",
        "company_domain": "example.com",
        "is_free_mail": False,
        "phone": "+4930901820",
        "phone_country": "DE",
        "country": "DE",
        "custom.company_size": 250,
        "consent.marketing": False,
        "source": "website",
        "form": "f2",
        "campaign.gclid": "g",
        "first_source": "meta",
        "first_campaign.utm_source": "ad",
        "days_known": 9,
        "days_since_touch": 0,
        "is_partial": False,
        "flags": ("role_address",),
        "referrers": (),
        "touch_count": 2,
        "score": 50,
        "fit": 30,
        "engagement": 20,
        "status": "new",
        "stage": "lead",
        "declined_by": ("ana",),
    }


def test_free_mail_is_never_a_company() -> None:
    facts = facts_of_lead(make_lead(email="zoe@gmail.com"), NOW)
    assert facts["is_free_mail"] is True
    assert "company_domain" not in facts


def test_a_lead_without_an_address_has_no_facts_about_it() -> None:
    facts = facts_of_lead(make_lead(), NOW)
    assert not {"email", "email_domain", "is_free_mail", "company_domain", "phone_country"} & set(
        facts
    )


def test_the_facts_of_a_touch() -> None:
    touch = Touch(
        touch_id="t1",
        source_id="website",
        connector="html_form",
        external_id="e1",
        delivery_id="d1",
        submitted_at=EARLIER,
        received_at=EARLIER,
        form="f1",
        contact={
            "email": CleanValue(
                value="info@example.org", raw="INFO@example.org", notes=("role_address",)
            )
        },
        custom={"enquiry": "quote"},
        answers={"topics": ("Pricing", "Security")},
        campaign={"utm_source": "newsletter"},
        consents=(Consent(purpose="contact", given=True),),
        is_partial=True,
    )
    assert facts_of_touch(touch) == {
        "email": "info@example.org",
        "email_domain": "example.org",
        "company_domain": "example.org",
        "is_free_mail": False,
        "custom.enquiry": "quote",
        "answers.topics": ("Pricing", "Security"),
        "campaign.utm_source": "newsletter",
        "consent.contact": True,
        "source": "website",
        "form": "f1",
        "is_partial": True,
        "flags": ("role_address",),
        "referrers": (),
    }


def test_every_fact_has_an_entry_in_the_table_of_fields() -> None:
    lead = make_lead(email="a@example.com", phone="+4930901820")
    for name in facts_of_lead(lead, NOW):
        info = field_info(name)
        assert info is not None, name
        assert info.scope in ("lead", "both")


def test_a_family_needs_a_name_after_the_dot() -> None:
    assert field_info("custom.") is None
    assert field_info("customs.x") is None
    assert field_info("custom.x") is not None
    assert all(field_info(name) is FIELDS[name] for name in FIELDS)
