"""What the checks find about who can take leads and how pools choose."""

from typing import Any

import pytest

from chalicelib.config.check_choosing import check_choosing
from chalicelib.config.document import path_text
from chalicelib.config.model import Config

ANA = {"name": "Ana", "email": "ana@example.com"}
API = {"id": "api", "when": {"field": "message", "op": "contains", "value": "API"}}


@pytest.mark.parametrize(
    ("document", "where", "what"),
    [
        ({"owners": {"ana": {**ANA, "skills": ["x"]}}}, "owners.ana.skills", "no skill x"),
        ({"owners": {"ana": {**ANA, "territories": ["x"]}}}, "territories", "no territory x"),
        (
            {
                "owners": {
                    "ana": {
                        **ANA,
                        "absences": [{"first": "2026-01-01", "last": "2026-01-02", "cover": "ana"}],
                    }
                }
            },
            "cover",
            "nobody stands in for themselves",
        ),
        ({"owners": {"ana": {**ANA, "country": "XX"}}}, "country", "no public holidays"),
        ({"skills": [API]}, "skills", "no owner has this skill"),
        (
            {"territories": {"t": {"areas": [{"country": "DE", "postal": ["87..80"]}]}}},
            "postal",
            "87..80 ends before it begins",
        ),
        ({"territories": {"t": {"areas": []}}}, "territories.t", "no lead lies in it"),
        (
            {"pools": {"p": {"members": [], "strategy": "experience"}}},
            "pools.p",
            "levels is missing",
        ),
        (
            {"pools": {"p": {"members": [], "levels": [{"score": 1}]}}},
            "levels",
            "for experience only",
        ),
        (
            {
                "pools": {
                    "p": {
                        "members": [],
                        "strategy": "experience",
                        "levels": [{"score": 1, "least": 5, "most": 2}],
                    }
                }
            },
            "levels",
            "most, 2, is below least, 5",
        ),
        (
            {
                "owners": {"ana": ANA},
                "accounts": {
                    "named": {
                        "one": {"owner": "ana", "domains": ["example.com"]},
                        "two": {"owner": "ana", "domains": ["example.com"]},
                    }
                },
            },
            "accounts.named.two.domains",
            "of the account one already",
        ),
        (
            {"accounts": {"named": {"one": {"owner": "x", "domains": []}}}},
            "accounts.named.one.owner",
            "no owner x",
        ),
    ],
)
def test_what_is_wrong_is_found(document: dict[str, Any], where: str, what: str) -> None:
    found = [
        (path_text(f.path), f.message) for f in check_choosing(Config.model_validate(document))
    ]
    assert any(where in path and what in message for path, message in found), found


def test_nothing_is_said_of_what_is_right() -> None:
    owner = {**ANA, "skills": ["api"], "country": "DE", "territories": ["t"]}
    document = {
        "owners": {"ana": owner},
        "skills": [API],
        "territories": {"t": {"areas": [{"country": "DE", "postal": ["80..87", "1"]}]}},
        "pools": {"p": {"members": [{"owner": "ana"}], "strategy": "least_loaded"}},
    }
    assert list(check_choosing(Config.model_validate(document))) == []
