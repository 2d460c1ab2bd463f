"""Dates of birth, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.lead.birth import clean_birth


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1971-06-24", "1971-06-24"),
        ("1971/6/4", "1971-06-04"),
        ("19710624", "1971-06-24"),
        ("1971-06-24T00:00:00Z", "1971-06-24"),
        ("24.6.1971", "1971-06-24"),
        ("24-06-1971", "1971-06-24"),
        ("6/24/1971", "1971-06-24"),
        ("24/6/1971", "1971-06-24"),
        ("10/27/76", "1976-10-27"),
        ("3.4.05", "2005-04-03"),
        ("Mar 1 1970", "1970-03-01"),
        ("1 March 1970", "1970-03-01"),
        ("May 5th, 1990", "1990-05-05"),
        ("5. März 1999", "1999-03-05"),
        ("24 de mayo de 1980", "1980-05-24"),
        ("29.2.2000", "2000-02-29"),
    ],
)
def test_a_date_is_read_in_the_ways_that_people_write_it(written: str, meant: str) -> None:
    found = clean_birth(written)
    assert found
    assert found.value == meant
    assert found.raw == written


@pytest.mark.parametrize(
    "written", ["", "soon", "1851-81-01", "29.2.1999", "1970", "31/11/1980", "9" * 50, "May 1990"]
)
def test_what_is_no_date_is_none(written: str) -> None:
    assert clean_birth(written) is None


@pytest.mark.parametrize(
    ("written", "is_either"),
    [("3/4/1978", True), ("3.4.1978", True), ("3/3/1978", False), ("13/4/1978", False)],
)
def test_a_date_that_may_be_read_either_way_says_so(written: str, is_either: bool) -> None:
    found = clean_birth(written)
    assert found
    assert ("either_order" in found.notes) is is_either


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_none_and_a_date_is_read_back_the_same(written: str) -> None:
    found = clean_birth(written)
    if found:
        again = clean_birth(found.value)
        assert again
        assert again.value == found.value
