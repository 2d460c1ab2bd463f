"""Fields that are known only after the outcome."""

import random
from typing import Any

import pytest

from chalicelib.training.fit import train
from tests.training.made_up import leads


def with_field(name: str, make: Any) -> tuple[list[dict[str, Any]], list[int]]:
    rows, came = leads(3000)
    rng = random.Random(9)
    for row, won in zip(rows, came, strict=True):
        row[name] = make(won, rng)
    return rows, came


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("x1", lambda won, rng: "signed" if won else "no answer"),
        ("x2", lambda won, rng: rng.expovariate(1 / (600 if won else 200)) + 120 * won),
        ("x3", lambda won, rng: f"2026-01-{rng.randint(1, 28):02d}" if won else None),
        ("x4", lambda won, rng: None if won else rng.choice(["price", "timing", None])),
        ("Lost reason", lambda won, rng: None if won else rng.choice(["price", None, None])),
    ],
)
def test_what_comes_after_the_outcome_is_found_and_refused(name: str, make: Any) -> None:
    rows, came = with_field(name, make)
    card = train(rows, came)
    (leak,) = [one for one in card.refused if one.is_leak]
    assert leak.field == name
    assert "after" in leak.reason
    assert name not in card.fields
    assert not any(test.field == name for term in card.terms for test in term.tests)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("interest", lambda won, rng: rng.gauss(1.2 * won, 1)),
        ("duration", lambda won, rng: rng.expovariate(1 / 100)),
        ("status", lambda won, rng: rng.choice(["gold", "silver"])),
        (
            "pages",
            lambda won, rng: rng.randint(1, 9) * (rng.random() > 0.8 - won / 2),
        ),
    ],
)
def test_what_is_only_good_or_has_a_bad_name_is_kept(name: str, make: Any) -> None:
    card = train(*with_field(name, make))
    assert name in card.fields


def test_who_knows_better_may_keep_a_field() -> None:
    rows, came = with_field("x1", lambda won, rng: "signed" if won else "no answer")
    card = train(rows, came, keep={"x1"})
    assert "x1" in card.fields


def test_a_field_that_tells_every_outcome_is_refused_for_that() -> None:
    card = train(*with_field("x1", lambda won, rng: 7.5 if won else 2.5))
    (leak,) = [one for one in card.refused if one.is_leak]
    assert "it alone tells the outcome" in leak.reason
