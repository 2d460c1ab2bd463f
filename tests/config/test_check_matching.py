"""Checks of the thresholds of matching, and that they are what is decided by."""

from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.config.check_matching import check_matching
from chalicelib.config.model import Config, Matching
from chalicelib.lead.matching.decide import Candidate, settle
from chalicelib.lead.matching.record import Record
from chalicelib.lead.matching.weights import bits_of, limits_of, probability_of


def found(**matching: Any) -> list[tuple[str, str]]:
    config = Config(matching=Matching(**matching))
    return [(str(one.path[-1]), one.level) for one in check_matching(config)]


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        ({}, []),
        ({"ask": 0.05, "match": 0.6, "merge": 0.95}, []),
        ({"match": 0.7, "ask": 0.8, "merge": 0.99}, [("ask", "error")]),
        ({"match": 0.99, "merge": 0.9}, [("match", "error")]),
        ({"match": 0.9999}, [("match", "error")]),
        ({"ask": 0.001, "match": 0.2}, [("match", "warning")]),
        ({"propose": False, "ask": 0.05}, [("ask", "warning")]),
    ],
)
def test_thresholds_in_the_wrong_order_are_found(
    matching: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert found(**matching) == expected


@pytest.mark.parametrize("wrong", [0, 1, -0.5, 7])
def test_a_probability_is_between_nothing_and_all(wrong: float) -> None:
    with pytest.raises(ValidationError):
        Matching(match=wrong)


@pytest.mark.parametrize("probability", [0.001, 0.2, 0.5, 0.97])
def test_bits_and_probabilities_are_the_same_thing(probability: float) -> None:
    assert probability_of(bits_of(probability)) == pytest.approx(probability)


def candidate(name: str, bits: float, **matching: float) -> Candidate:
    limits = limits_of(Matching.model_validate(matching))
    return Candidate(name, bits, [], "", Record(), limits=limits)


@pytest.mark.parametrize(
    ("probability", "outcome"), [(0.95, "match"), (0.5, "ask"), (0.2, "new"), (0.9, "match")]
)
def test_the_thresholds_of_the_configuration_decide(probability: float, outcome: str) -> None:
    one = candidate("a", bits_of(probability), match=0.9 - 1e-9, ask=0.3)
    assert one.outcome == outcome


def test_two_leads_become_one_only_from_the_threshold_for_that() -> None:
    for merge, joined in ((0.99, 1), (0.8, 2)):
        found = [candidate(name, bits_of(0.9), match=0.6, merge=merge) for name in "ab"]
        assert len(settle(found).matches) == joined
