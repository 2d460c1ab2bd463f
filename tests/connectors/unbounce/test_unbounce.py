"""What only Unbounce does: no id, a time in two halves, a lead within a field."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, read
from chalicelib.errors import Malformed
from connectors.unbounce import connector

TOLD = load_case("unbounce", "test_lead")


def act(lead: dict[str, list[str]], seconds: int = 0) -> Submission:
    at = TOLD.received_at + timedelta(seconds=seconds)
    body = urlencode(
        {"page_id": "p", "data.json": json.dumps({"email": ["a@example.com"], **lead})}
    )
    (read_act,) = read(connector, replace(TOLD, body=body).request(at), {})
    assert isinstance(read_act, Submission)
    return read_act


@pytest.mark.parametrize(
    ("time", "hour"), [("12:05 AM UTC", 0), ("12:05 PM UTC", 12), ("08:05 am UTC", 8)]
)
def test_the_two_halves_of_the_time_are_joined(time: str, hour: int) -> None:
    lead = {"date_submitted": ["2026-01-04"], "time_submitted": [time]}
    assert act(lead).submitted_at == datetime(2026, 1, 4, hour, 5, tzinfo=UTC)


def test_a_lead_that_comes_again_hours_later_is_the_same() -> None:
    lead = {"date_submitted": ["2026-01-04"], "time_submitted": ["08:05 AM UTC"]}
    other = {**lead, "time_submitted": ["08:06 AM UTC"]}
    assert act(lead).external_id == act(lead, 7200).external_id != act(other).external_id


@pytest.mark.parametrize("blob", ["[1]", "{", '"x"', "7"])
def test_a_lead_that_is_no_object_is_malformed(blob: str) -> None:
    request = replace(TOLD, body=urlencode({"page_id": "p", "data.json": blob})).request()
    with pytest.raises(Malformed):
        read(connector, request, {})
