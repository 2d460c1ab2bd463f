"""What people type to get past a field."""

import pytest

from chalicelib.lead.matching.fillers import (
    is_filler,
    is_filler_date,
    is_filler_mail,
    is_filler_phone,
)
from chalicelib.lead.matching.record import record_from


@pytest.mark.parametrize("text", ["", "n a", "none", "test", "unknown", "keine angabe", "000", "x"])
def test_what_only_fills_a_field_says_nothing(text: str) -> None:
    assert is_filler(text)


@pytest.mark.parametrize("text", ["na", "no", "testa", "ines", "box", "100"])
def test_what_may_be_meant_is_kept(text: str) -> None:
    assert not is_filler(text)


@pytest.mark.parametrize(
    "email",
    [
        "test@test.com",
        "a@a.com",
        "none@none.com",
        "noemail@noemail.com",
        "asdf@asdf.de",
        "n/a",
        "-",
    ],
)
def test_an_address_that_is_nobodys_is_told(email: str) -> None:
    assert is_filler_mail(email)


@pytest.mark.parametrize(
    "email", ["ines@example.com", "test@halcyon.example.com", "me@falkenrath.example", "ar20@ab.de"]
)
def test_an_address_that_may_be_somebodys_is_kept(email: str) -> None:
    assert not is_filler_mail(email)


@pytest.mark.parametrize("digits", ["0000000", "1234567890", "9999999999", "11111", "987654321"])
def test_a_number_that_is_nobodys_is_told(digits: str) -> None:
    assert is_filler_phone(digits)


def test_a_number_and_a_date_that_may_be_somebodys_are_kept() -> None:
    assert not is_filler_phone("442079460111")
    assert not is_filler_phone("5550100")
    assert not is_filler_date("19870312")
    assert not is_filler_date("")


@pytest.mark.parametrize("digits", ["19000101", "19700101", "00000000", "11111111"])
def test_a_date_that_programs_put_where_none_was_given_is_told(digits: str) -> None:
    assert is_filler_date(digits)


def test_a_record_leaves_out_what_only_fills_its_field() -> None:
    given = {
        "first_name": "N/A",
        "last_name": "Falkenrath",
        "email": "test@test.com",
        "phone": "000000",
        "date_of_birth": "1900-01-01",
        "city": "unknown",
        "company": "-",
        "job_title": "none",
    }
    assert record_from(given, "1", "a") == record_from({"last_name": "Falkenrath"}, "1", "a")
