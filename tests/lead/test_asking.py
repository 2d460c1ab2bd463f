"""What a lead asks of whoever takes it."""

from typing import Any

import pytest

from chalicelib.config.model import Config
from chalicelib.lead.asking import facts_asked, named_owner, why_unfit

CONFIG = Config.model_validate(
    {
        "owners": {
            "ana": {"name": "Ana", "email": "ana@example.com"},
            "ben": {
                "name": "Ben",
                "email": "ben@example.com",
                "skills": ["api"],
                "languages": ["de", "en-GB"],
                "territories": ["north"],
            },
        },
        "pools": {"p": {"members": [{"owner": "ana"}]}, "x": {"members": [], "strategy": "turns"}},
        "skills": [
            {
                "id": "api",
                "title": "Interfaces",
                "when": {"field": "custom.topic", "op": "is", "value": "api"},
            }
        ],
        "territories": {"north": {"areas": [{"country": "SE"}, {"country": "DK"}]}},
        "accounts": {
            "named": {
                "big": {"owner": "ana", "domains": ["example.com"]},
                "lab": {"owner": "ben", "domains": ["lab.example.com"]},
            }
        },
    }
)


@pytest.mark.parametrize(
    ("owner_id", "facts", "expected"),
    [
        ("ana", {"custom.topic": "api"}, "has not the skill Interfaces, and topic is api"),
        ("ben", {"custom.topic": "api", "country": "SE"}, ""),
        ("ana", {"custom.topic": "other"}, ""),
        ("ana", {"language": "fi"}, ""),
        ("ben", {"language": "fi", "country": "SE"}, "does not speak fi"),
        ("ben", {"language": "de_AT", "country": "SE"}, ""),
        ("ben", {"language": "en", "country": "SE"}, ""),
        ("ben", {"country": "SE"}, ""),
        (
            "ben",
            {"country": "FI", "region": "Lapland"},
            "Lapland FI is in none of their territories",
        ),
        ("ben", {}, "an unknown country is in none of their territories"),
    ],
)
def test_what_an_owner_lacks_for_a_lead_is_said(
    owner_id: str, facts: dict[str, Any], expected: str
) -> None:
    assert why_unfit(CONFIG.owners[owner_id], CONFIG, facts) == expected


def test_only_what_a_configuration_asks_for_is_looked_at() -> None:
    assert facts_asked(CONFIG, ("p",)) == {
        "company_domain",
        "email_domain",
        "is_free_mail",
        "custom.topic",
        "language",
        "country",
        "region",
        "postal_code",
    }
    assert facts_asked(Config(), ()) == frozenset()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"company_domain": "example.com"}, ("ana", "big")),
        ({"email_domain": "shop.example.com"}, ("ana", "big")),
        ({"email_domain": "lab.example.com", "company_domain": "example.com"}, ("ben", "lab")),
        ({"email_domain": "a.LAB.example.com"}, ("ben", "lab")),
        ({"email_domain": "example.com", "is_free_mail": True}, ("", "")),
        ({"company_domain": "otherexample.com"}, ("", "")),
        ({"company_domain": "com"}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_a_company_goes_to_who_answers_for_it(
    facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert named_owner(CONFIG, facts) == expected
