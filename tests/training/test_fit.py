"""Training: what it finds, what it leaves out, and that it takes whatever it is given."""

import random
from time import process_time
from typing import Any

import pytest

from chalicelib.lead.predict.card import Card
from chalicelib.lead.predict.evaluate import predict
from chalicelib.lead.predict.measure import area_under, calibration_error
from chalicelib.training.fit import train
from tests.training.made_up import leads

Rows = list[dict[str, Any]]


def chances(card: Card, rows: Rows) -> list[float]:
    return [predict(card, row).chance for row in rows]


@pytest.fixture(scope="module")
def card() -> Card:
    return train(*leads(4000))


def test_a_card_puts_leads_it_has_not_seen_in_order_and_says_true_chances(card: Card) -> None:
    rows, came = leads(4000, seed=2)
    found = chances(card, rows)
    # The chances that made these leads would reach 0.75.
    assert area_under(found, came) > 0.72
    assert calibration_error(found, came) < 0.03


def test_a_card_is_small_enough_to_be_read(card: Card) -> None:
    assert 3 <= len(card.terms) <= 60
    assert {test.field for term in card.terms for test in term.tests} <= set(card.fields)
    by_source = {
        level: term.points
        for term in card.terms
        if len(term.tests) == 1
        for level in term.tests[0].any_of
        if term.tests[0].field == "source"
    }
    assert by_source.get("referral", 0) > by_source.get("ad", 0)


def test_what_says_nothing_is_left_out_with_its_reason(card: Card) -> None:
    reasons = {one.field: one.reason for one in card.refused}
    assert reasons["Lead Number"] == "it numbers the leads"
    assert reasons["id"] == "it is an id"
    assert reasons["country"] == "it is the same for all"
    assert reasons["fax"] == "nothing is known in it"
    assert not any(one.is_leak for one in card.refused)


def test_the_same_leads_make_the_same_card() -> None:
    rows, came = leads(600)
    assert train(rows, came) == train(rows, came)


def test_points_stay_the_same_however_a_card_is_kept(card: Card) -> None:
    again = Card.model_validate_json(card.model_dump_json())
    assert again == card
    rows, _ = leads(50, seed=3)
    assert chances(again, rows) == chances(card, rows)


def test_a_lead_takes_less_than_a_millisecond(card: Card) -> None:
    rows, _ = leads(300, seed=4)
    began = process_time()
    chances(card, rows)
    assert (process_time() - began) / len(rows) < 0.001


@pytest.mark.parametrize(
    ("rows", "came"),
    [
        ([], []),
        ([{}] * 40, [0, 1] * 20),
        ([{"a": None}] * 40, [0, 1] * 20),
        ([{"a": 1}] * 40, [0] * 40),
        ([{"a": 1}] * 40, [1] * 40),
        ([{"a": n} for n in range(30)], [0] * 27 + [1] * 3),
        ([{"a": float("nan"), "b": float("inf")}] * 40, [0, 1] * 20),
        ([{"a": n % 2, "b": None, "c": "x" * n} for n in range(30)], [0, 1] * 15),
        ([{"a": n} if n % 3 else {"b": str(n)} for n in range(60)], [0, 1] * 30),
    ],
)
def test_training_takes_whatever_it_is_given(rows: Rows, came: list[int]) -> None:
    card = train(rows, came)
    strange: Rows = [{}, {"a": "never seen"}, {"a": 1e308, "zzz": True}, {"a": -5, "b": "Ünïcode"}]
    for chance in chances(card, [*rows[:5], *strange]):
        assert 0 < chance < 1


def test_nothing_is_learnt_from_a_handful_of_outcomes() -> None:
    rows, _ = leads(100)
    card = train(rows, [1] * 4 + [0] * 96)
    assert card.is_empty
    assert not predict(card, rows[0]).knows
    assert predict(card, rows[0], prior=0.3).chance == 0.3


def test_few_leads_lean_on_the_rules() -> None:
    rows, came = leads(150)
    few, many = train(rows, came), train(*leads(2000))
    assert few.trust < many.trust

    def moved(card: Card) -> float:
        return sum(
            abs(predict(card, row, prior=0.9).chance - predict(card, row, prior=0.1).chance)
            for row in rows[:50]
        )

    assert moved(few) > moved(many) > 0


def test_thirty_leads_do_no_harm() -> None:
    found, known = [], []
    for seed in range(6):
        rows, came = leads(30, seed=seed)
        others, then = leads(200, seed=100 + seed)
        found += chances(train(rows, came), others)
        known += then
    assert min(found) > 0.02 and max(found) < 0.95
    assert calibration_error(found, known) < 0.15


def test_numbers_written_as_text_are_numbers() -> None:
    rng = random.Random(5)
    sizes = [rng.randint(0, 90_000) for _ in range(1500)]
    came = [int(rng.random() < (0.1 if size < 40_000 else 0.5)) for size in sizes]
    card = train([{"budget": f"€ {size:,}"} for size in sizes], came)
    low, high = (predict(card, {"budget": size}).chance for size in (10_000, 80_000))
    assert low < 0.2 < 0.4 < high


def test_words_of_a_text_count() -> None:
    rng = random.Random(6)
    rows: Rows = []
    came: list[int] = []
    for n in range(1500):
        urgent = rng.random() < 0.3
        words = [f"word{rng.randint(0, 500)}x" for _ in range(8)] + ["urgent"] * urgent
        rows.append({"message": " ".join(words) + f" {n}"})
        came.append(int(rng.random() < (0.6 if urgent else 0.15)))
    card = train(rows, came)
    assert predict(card, {"message": "an Urgent matter"}).chance > 0.5
    assert predict(card, {"message": "no hurry"}).chance < 0.25


def test_two_fields_that_say_something_only_together_are_found() -> None:
    rng = random.Random(7)
    rows: Rows = []
    came: list[int] = []
    for _ in range(4000):
        row = {"a": rng.choice("xy"), "b": rng.choice("uv"), "c": rng.random()}
        rows.append(row)
        came.append(int(rng.random() < (0.5 if (row["a"] == "x") == (row["b"] == "u") else 0.1)))
    card = train(rows, came)
    assert predict(card, {"a": "x", "b": "u", "c": 0.5}).chance > 0.4
    assert predict(card, {"a": "x", "b": "v", "c": 0.5}).chance < 0.2


def test_fields_that_tell_the_time_do_not_count_at_times_never_seen() -> None:
    rng = random.Random(8)
    rows: Rows = []
    came: list[int] = []
    for month in range(40):
        rate = rng.choice([0.05, 0.5])
        for _ in range(60):
            kind = rng.choice(["a", "b"])
            rows.append({"index of the month": 100 + month, "kind": kind})
            came.append(int(rng.random() < min(0.95, rate * (1.6 if kind == "a" else 0.4))))
    card = train(rows, came)
    assert list(card.ranges) == ["index of the month"]
    assert card.elsewhere is not None
    later = [predict(card, {"index of the month": m, "kind": "a"}).chance for m in (150, 500)]
    assert later[0] == later[1]
    assert len(card.terms) + len(card.elsewhere.terms) <= 60
