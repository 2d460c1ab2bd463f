"""What a Zap may do: come again hours later, name no time zone."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, read
from chalicelib.errors import Misconfigured
from connectors.squarespace import connector

TOLD = load_case("squarespace", "by_zapier")


def act(seconds: int = 0, zone: str = "UTC") -> Submission:
    request = TOLD.request(TOLD.received_at + timedelta(seconds=seconds))
    (read_act,) = read(connector, request, {"time_zone": zone})
    assert isinstance(read_act, Submission)
    return read_act


def test_a_zap_that_is_replayed_is_the_same_act() -> None:
    assert act() == act(7200)


def test_a_time_without_a_zone_is_of_the_site() -> None:
    assert act().submitted_at == datetime(2025, 10, 9, 8, 53, 18, tzinfo=UTC)
    assert act(zone="Asia/Tokyo").submitted_at == datetime(2025, 10, 8, 23, 53, 18, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../UTC", ""])
def test_a_zone_that_is_none_is_misconfigured(zone: str) -> None:
    with pytest.raises(Misconfigured, match="zone"):
        act(zone=zone)
