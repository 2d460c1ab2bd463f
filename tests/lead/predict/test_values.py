from datetime import datetime

import pytest

from chalicelib.lead.predict.values import (
    Value,
    domain_of,
    level_of,
    number_of,
    part_of,
    time_of,
    words_of,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        (" Select ", None),
        ("N/A", None),
        ("unknown", None),
        (float("nan"), None),
        ("  Big   Deal ", "big deal"),
        (3, "3"),
        (3.0, "3"),
        (True, "true"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_level_is_what_stands_there_or_nothing(value: Value, expected: str | None) -> None:
    assert level_of(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, None),
        (7, 7.0),
        ("1,234,567", 1234567.0),
        ("€ 1 200.50", 1200.5),
        ("12%", 12.0),
        ("-.5", -0.5),
        ("1e3", 1000.0),
        ("1e999", None),
        (float("inf"), None),
        ("12 May", None),
        ("1,2", None),
    ],
)
def test_a_number_is_read_however_it_is_written(value: Value, expected: float | None) -> None:
    assert number_of(value) == expected


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-03-09", (2026, 3, 9)),
        ("2026-03-09T10:11:12Z", (2026, 3, 9)),
        ("2026/3/9 10:11", (2026, 3, 9)),
        ("09.03.2026", (2026, 3, 9)),
        ("25/12/2026 10:00", (2026, 12, 25)),
        ("12/25/2026", (2026, 12, 25)),
        ("2026-99-99", None),
        ("soon", None),
        (20260309, None),
    ],
)
def test_a_date_is_read_however_it_is_written(
    value: Value, day: tuple[int, int, int] | None
) -> None:
    found = time_of(value)
    assert (found and (found.year, found.month, found.day)) == day
    assert found is None or isinstance(found, datetime)


def test_a_field_has_sides_that_are_levels() -> None:
    assert part_of("2026-03-09 10:11", "month") == "03"
    assert part_of("2026-03-09 10:11", "weekday") == "monday"
    assert part_of("2026-03-09 10:11", "hour") == "10"
    assert part_of("never", "hour") is None
    assert domain_of("Ada@Example.ORG") == part_of("Ada@Example.ORG", "domain") == "example.org"
    assert words_of("Need it NOW, now!") == {"need", "now"}
