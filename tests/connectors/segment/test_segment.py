"""Ids of people whose id at Segment is an address, or who have none."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.connector import Act, read
from chalicelib.errors import Malformed
from chalicelib.request import Request
from connectors.segment import connector

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def read_one(**event: Any) -> Act:
    request = Request("POST", "/hooks/s", {}, {}, json.dumps(event).encode(), NOW)
    (act,) = read(connector, request, {})
    return act


@pytest.mark.parametrize("kind", ["identify", "delete"])
def test_an_address_for_an_id_does_not_become_one(kind: str) -> None:
    act = read_one(type=kind, userId="zoe@example.com", traits={"plan": "team"})
    assert "@" not in act.external_id


def test_two_people_of_whom_only_traits_are_told_are_two() -> None:
    one = read_one(type="identify", traits={"email": "a@example.com"})
    other = read_one(type="identify", traits={"email": "b@example.com"})
    assert one.external_id != other.external_id


def test_a_deletion_of_nobody_is_malformed() -> None:
    with pytest.raises(Malformed, match="userId"):
        read_one(type="delete")
