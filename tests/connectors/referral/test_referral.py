"""Batches of a partner who has no ids of their own."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.connector import Submission, Unreadable, read
from chalicelib.request import Request
from connectors.referral import connector

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def read_batch(leads: list[dict[str, Any]], **headers: str) -> list[Any]:
    body = json.dumps({"leads": leads}).encode()
    given = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    return read(connector, Request("POST", "/hooks/p", {}, given, body, NOW), {})


def people(count: int) -> list[dict[str, Any]]:
    return [{"person": {"email": f"p{number}@example.com"}} for number in range(count)]


def test_people_without_ids_are_told_apart_by_their_place_in_the_message() -> None:
    acts = read_batch(people(3), webhook_id="msg_1")
    assert [act.external_id for act in acts] == ["msg_1/0", "msg_1/1", "msg_1/2"]


def test_without_any_id_nobody_is_read() -> None:
    assert [type(act) for act in read_batch(people(2))] == [Unreadable, Unreadable]


@pytest.mark.parametrize("lead_id", ["p0@example.com", "+44 7700 900123"])
def test_an_address_or_number_for_an_id_does_not_become_one(lead_id: str) -> None:
    (act,) = read_batch([{**people(1)[0], "partner_lead_id": lead_id}])
    assert isinstance(act, Submission)
    assert lead_id not in act.external_id
