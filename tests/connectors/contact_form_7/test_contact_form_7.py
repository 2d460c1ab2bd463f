"""What only Contact Form 7 does: a visitor who is told to try again, forms that count alike."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, read
from connectors.contact_form_7 import connector

TOLD = load_case("contact_form_7", "test_lead")


def act(body: dict[str, Any], seconds: int = 0) -> Submission:
    at = TOLD.received_at + timedelta(seconds=seconds)
    (read_act,) = read(connector, replace(TOLD, body=body).request(at), {})
    assert isinstance(read_act, Submission)
    return read_act


def test_a_visitor_who_sends_again_is_one_act() -> None:
    body = {"your-email": "a@example.com", "_date": "5. Januar 2026", "_time": "10:00"}
    again = {**body, "_time": "10:01"}
    assert act(body).external_id == act(again, 60).external_id
    assert act(body).external_id != act(body, 3600).external_id


def test_two_forms_that_both_count_to_seven_are_two_acts() -> None:
    ids = {
        act({"_serial_number": "7", "your-email": f"{name}@example.com"}).external_id
        for name in ("a", "b")
    }
    assert len(ids) == 2


def test_the_content_of_a_file_is_no_answer_and_a_field_of_that_name_is() -> None:
    body = {"file-1": {"filename": "a.pdf", "content": "JVBERi0="}, "text.content": "x"}
    assert act(body).answers == {"file-1.filename": "a.pdf", "text.content": "x"}


def test_a_source_that_is_switched_off_does_not_break_the_form() -> None:
    assert connector.statuses.switched_off == 200
    assert connector.statuses.accepted in {200, 201, 202, 204, 205}
