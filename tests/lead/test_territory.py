"""Territories: where a lead lies."""

from typing import Any

import pytest

from chalicelib.config.routing import Territory
from chalicelib.lead.territory import find_territory

PLACES: dict[str, Any] = {
    "south": {"areas": [{"country": "DE", "regions": ["Bayern"], "postal": ["70..76", "88"]}]},
    "germany": {"areas": [{"country": "DE"}]},
    "london": {"areas": [{"country": "GB", "postal": ["SW1", "EC1A..EC4Y"]}]},
    "rest": {"areas": [{"country": "FR"}, {"country": "PL", "postal": ["00"]}], "unknown": True},
}
TERRITORIES = {name: Territory.model_validate(one) for name, one in PLACES.items()}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"country": "DE", "region": "bayern"}, "south"),
        ({"country": "DE", "region": "Berlin"}, "germany"),
        ({"country": "DE", "postal_code": "70173"}, "south"),
        ({"country": "DE", "postal_code": "76999"}, "south"),
        ({"country": "DE", "postal_code": "77000"}, "germany"),
        ({"country": "DE", "postal_code": "69999"}, "germany"),
        ({"country": "DE", "postal_code": "88045"}, "south"),
        ({"country": "DE", "postal_code": "8"}, "germany"),
        ({"country": "GB", "postal_code": "SW1A 1AA"}, "london"),
        ({"country": "GB", "postal_code": "ec2a 4bx"}, "london"),
        ({"country": "GB", "postal_code": "E1 6AN"}, ""),
        ({"country": "GB"}, ""),
        ({"country": "PL", "postal_code": "00-950"}, "rest"),
        ({"country": "FR"}, "rest"),
        ({"country": "US"}, ""),
        ({}, "rest"),
    ],
)
def test_a_lead_lies_in_the_first_territory_that_holds_it(
    facts: dict[str, Any], expected: str
) -> None:
    assert find_territory(TERRITORIES, PLACES, facts) == expected


def test_a_territory_that_is_not_configured_holds_nothing() -> None:
    assert find_territory(TERRITORIES, ["gone", "germany"], {"country": "DE"}) == "germany"
