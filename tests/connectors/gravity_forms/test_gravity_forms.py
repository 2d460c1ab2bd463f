"""What only Gravity Forms does: entries that are edited and sent again, from several sites."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, read
from connectors.gravity_forms import connector

TOLD = load_case("gravity_forms", "whole_entry")


def act(**changed: Any) -> Submission:
    request = replace(TOLD, body={**TOLD.body, **changed}).request()
    (read_act,) = read(connector, request, TOLD.options)
    assert isinstance(read_act, Submission)
    return read_act


def test_an_entry_sent_again_is_the_same_and_an_edited_one_a_later_revision() -> None:
    first, again = act(), act(is_read="1", date_updated="2025-10-09 09:00:00")
    assert (first.external_id, first.revision) == (again.external_id, again.revision)
    edited = act(date_updated="2025-10-10 07:00:00", **{"4": "Feather Ltd"})
    assert edited.external_id == first.external_id
    assert edited.revision != first.revision
    assert edited.submitted_at == datetime(2025, 10, 10, 7, tzinfo=UTC) > first.submitted_at


def test_entries_of_two_sites_are_two() -> None:
    other = act(source_url="https://www.example.org/contact/")
    assert other.external_id != act().external_id


def test_a_box_that_is_not_ticked_is_a_no() -> None:
    (consent,) = act(**{"5.1": ""}).consents
    assert (consent.given, consent.wording) == (False, "I agree to be contacted")


def test_a_text_that_only_looks_like_a_list_stays_as_it_was_typed() -> None:
    texts = {"20": '["a", {"b": 1}]', "21": '["a"] and more', "22": '["a", "b"]'}
    answers = act(**texts).answers
    assert answers["20"] == texts["20"]
    assert answers["21"] == texts["21"]
    assert answers["22"] == ("a", "b")
