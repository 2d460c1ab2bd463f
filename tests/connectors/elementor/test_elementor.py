"""What only Elementor does: two layouts of one form, and visitors who see our answer."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, read
from chalicelib.errors import Malformed
from connectors.elementor import connector

TOLD = load_case("elementor", "test_lead")
FIELD = {"fields[e][type]": "email", "fields[e][value]": "a@example.com"}


def act(pairs: dict[str, str], seconds: int = 0) -> Submission:
    at = TOLD.received_at + timedelta(seconds=seconds)
    (read_act,) = read(connector, replace(TOLD, body=urlencode(pairs)).request(at), {})
    assert isinstance(read_act, Submission)
    return read_act


def test_a_visitor_who_sends_again_is_one_act() -> None:
    first = {"Email": "a@example.com", "Time": "9:00 am", "form_id": "f"}
    again = {**first, "Time": "9:01 am"}
    assert act(first).external_id == act(again, 60).external_id
    assert act(first).external_id != act({**first, "form_id": "g"}).external_id


@pytest.mark.parametrize(
    "pairs",
    [
        {"form[id]": "f"},
        {"form[id]": "f", "fields": "x"},
        {"form[id]": "f", "fields[e]": "x"},
        {"form[id]": "f", "fields[e][value]": "x"},
        {"form[id]": "f", "form": "x", **FIELD},
        {"form[id]": "f", **FIELD, "meta": "x"},
        {"form[id]": "f", **FIELD, "fields[e][type]": "password"},
    ],
)
def test_advanced_data_of_another_shape_is_malformed(pairs: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        act(pairs)


def test_a_label_with_brackets_is_a_label() -> None:
    assert act({"Phone [home]": "x", "form_id": "f"}).answers == {"Phone [home]": "x"}


def test_a_password_is_never_an_answer() -> None:
    secret = {"fields[p][type]": "password", "fields[p][value]": "hunter2"}
    assert "hunter2" not in act({"form[id]": "f", **FIELD, **secret}).model_dump_json()


def test_visitors_see_no_error_for_what_the_site_cannot_help() -> None:
    statuses = connector.statuses
    assert {statuses.accepted, statuses.switched_off, statuses.too_large} == {200}
