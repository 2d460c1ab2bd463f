"""Pairs of records that a person has decided, and what matching says of them.

The kinds of pairs are those of Senzing's demonstration truth set (Senzing/truth-sets, Apache-2.0):
nicknames, changed names, shared phones and addresses, father and son, other scripts. The people,
firms and addresses are made up.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.lead.email import clean_email
from chalicelib.lead.matching.decide import Candidate, weigh
from chalicelib.lead.matching.record import Record, record_from
from chalicelib.lead.matching.weights import AS_IT_COMES, Weights
from chalicelib.lead.matching.words import because

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "golden.jsonl").read_text("utf-8").splitlines()
]


def record(given: Mapping[str, str], name: str) -> Record:
    """Make a record of typed answers."""
    email = clean_email(given.get("email", ""))
    return record_from(given, name, name, email.notes if email else ())


def weighed(case: Mapping[str, Any], one: str, other: str) -> Candidate:
    """Weigh one record of a case against the other."""
    leads = case.get("leads", 0)
    weights = Weights(leads=leads, submissions=2 * leads) if leads else AS_IT_COMES
    (found,) = weigh(record(case[one], "one"), [record(case[other], "other")], {}, weights)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_pairs_that_a_person_decided_are_decided_alike(case: Mapping[str, Any]) -> None:
    found = weighed(case, "one", "other")
    assert found.outcome == case["want"], (round(found.bits, 1), because(found))
    assert case["why"] in because(found)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_it_does_not_matter_which_came_first(case: Mapping[str, Any]) -> None:
    one, other = weighed(case, "one", "other"), weighed(case, "other", "one")
    assert one.bits == pytest.approx(other.bits)
    assert one.guard == other.guard
    assert because(one) == because(other)
