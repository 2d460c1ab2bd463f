from itertools import pairwise
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.lead.predict.card import STEP, Card, Leaf, Split, Term, Test
from chalicelib.lead.predict.evaluate import Reader, chance_of, logit, predict, sigmoid
from chalicelib.lead.predict.values import Value
from chalicelib.lead.predict.words import because, in_words, term_in_words

SIZE = Test(field="size", at_least=50)
FROM_FRIEND = Test(field="source", any_of=("referral",))
CARD = Card(
    terms=(
        Term(tests=(SIZE,), points=10, leads=40, won=20),
        Term(tests=(FROM_FRIEND,), points=20, leads=30, won=20),
        Term(tests=(SIZE, FROM_FRIEND), points=-5, leads=10, won=5),
    ),
    base=-20,
    fields=("size", "source"),
    leads=100,
    won=20,
)
BOTH: dict[str, Value] = {"size": "60", "source": "Referral"}


def test_points_add_up_and_ten_double_the_odds() -> None:
    some: list[dict[str, Value]] = [{"size": 1, "source": "ad"}, {"size": 60, "source": "ad"}, BOTH]
    none, big, both = (predict(CARD, one) for one in some)
    assert (none.points, big.points, both.points) == (-20, -10, 5)
    assert logit(big.chance) - logit(none.chance) == pytest.approx(log(2))
    assert [term.points for term in both.terms] == [20, 10, -5]
    assert none.chance == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        (Test(field="f", at_least=3), 3, True),
        (Test(field="f", below=3), "3", False),
        (Test(field="f", at_least=1, below=3), "2.5", True),
        (Test(field="f", at_least=3), "many", False),
        (Test(field="f", at_least=3, missing=True), None, True),
        (Test(field="f", any_of=("a",)), "A", True),
        (Test(field="f", any_of=("a",)), "b", False),
        (Test(field="f", none_of=("a",)), "b", True),
        (Test(field="f", none_of=("a",)), "select", False),
        (Test(field="f", missing=True), "", True),
        (Test(field="f", missing=True), "a", False),
        (Test(field="f", known=True), "a", True),
        (Test(field="f", known=True), None, False),
        (Test(field="f", part="word", any_of=("now",)), "Call me now!", True),
        (Test(field="f", part="word", any_of=("now",)), "nowhere", False),
        (Test(field="f", part="weekday", any_of=("monday",)), "2026-03-09", True),
        (Test(field="f", part="domain", any_of=("example.org",)), "a@example.org", True),
    ],
)
def test_a_test_is_true_or_not(test: Test, value: Value, expected: bool) -> None:
    assert Reader({"f": value}).is_true(test) is expected
    assert in_words(test)


def test_a_card_that_knows_little_of_a_lead_says_so_and_gives_what_is_so_for_all() -> None:
    found = predict(CARD, {"size": "Select", "other": "x"})
    assert not found.knows
    assert found.chance == pytest.approx(20.5 / 101)
    assert predict(CARD, {}, prior=0.4).chance == 0.4
    assert "too little" in because(found)


def test_a_card_that_is_half_trusted_stands_halfway_to_the_rules() -> None:
    half = CARD.model_copy(update={"trust": 0.5})
    alone = predict(half, BOTH).chance
    assert predict(half, BOTH, prior=0.1).chance == pytest.approx(
        sigmoid((logit(alone) + logit(0.1)) / 2)
    )


def test_outside_what_was_learnt_of_the_time_the_other_card_counts() -> None:
    card = CARD.model_copy(
        update={"ranges": {"month": (1.0, 9.0)}, "elsewhere": Card(terms=(), base=-30)}
    )
    assert predict(card, {**BOTH, "month": 9}).points == 5
    assert predict(card, {**BOTH, "month": 10}).points == -30
    assert predict(card, BOTH).points == 5


def test_what_trees_add_is_told_by_field_and_adds_up() -> None:
    tree = Split(
        test=SIZE,
        value=0.1,
        yes=Split(test=FROM_FRIEND, value=0.3, yes=Leaf(value=0.6), no=Leaf(value=0.2)),
        no=Leaf(value=-0.1),
    )
    found = predict(CARD.model_copy(update={"trees": (tree,)}), BOTH)
    assert found.beside == pytest.approx({"": 0.1 / STEP, "size": 0.2 / STEP, "source": 0.3 / STEP})
    assert logit(found.chance) == pytest.approx(5 * STEP + 0.6)


@given(
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=6),
    st.lists(st.floats(-200, 200), min_size=2, max_size=10),
)
def test_more_points_never_mean_less_chance(chances: list[float], points: list[float]) -> None:
    curve = tuple((10.0 * n, chance) for n, chance in enumerate(sorted(chances)))
    card = Card(terms=(), base=0, curve=curve)
    found = [chance_of(card, one) for one in sorted(points)]
    assert all(a <= b + 1e-12 for a, b in pairwise(found))
    assert all(0 < one < 1 for one in found)


def test_a_curve_gives_its_own_points() -> None:
    card = Card(terms=(), base=0, curve=((-10.0, 0.1), (0.0, 0.2), (20.0, 0.6)))
    assert [round(chance_of(card, at), 9) for at in (-10, 0, 20)] == [0.1, 0.2, 0.6]
    assert logit(chance_of(card, 30)) == pytest.approx(logit(0.6) + log(2))


def test_why_is_said_in_words() -> None:
    said = because(predict(CARD, BOTH))
    assert said.startswith("+20 source is referral; +10 size at least 50; -5 size at least 50; and")
    many = Test(field="town", none_of=tuple(f"t{n}" for n in range(9)), missing=True)
    term = Term(tests=(many,), points=1)
    assert term_in_words(term).endswith("or one of 3 more, or not known")
