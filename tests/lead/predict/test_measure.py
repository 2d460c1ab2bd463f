import random

import pytest

from chalicelib.lead.predict.measure import area_under, calibration_error, measure


def test_area_is_counted_as_by_hand() -> None:
    rng = random.Random(1)
    chances = [rng.randint(1, 9) / 10 for _ in range(60)]
    came = [rng.randint(0, 1) for _ in range(60)]
    pairs = [
        (a > b) + (a == b) / 2
        for a, x in zip(chances, came, strict=True)
        for b, y in zip(chances, came, strict=True)
        if x and not y
    ]
    assert area_under(chances, came) == pytest.approx(sum(pairs) / len(pairs))
    assert area_under([0.2, 0.3], [1, 1]) == 0.5


def test_calibration_error_is_how_far_what_was_said_is_from_what_came() -> None:
    assert calibration_error([0.25] * 4, [1, 0, 0, 0]) == 0
    assert calibration_error([0.75] * 4, [1, 0, 0, 0]) == pytest.approx(0.5)


def test_measures_of_a_perfect_foreteller_are_best() -> None:
    found = measure([0.99] * 20 + [0.01] * 80, [1] * 20 + [0] * 80)
    assert found.auc == 1
    assert found.log_loss < 0.011
    assert found.brier < 0.001
    assert found.lift[4].won == 1 and found.lift[4].worked == 0.2
    assert [one.leads for one in found.bins] == [10] * 10
    assert found.roc[0] == (0.0, 0.0) and found.roc[-1] == (1.0, 1.0)


def test_nothing_can_be_measured_too() -> None:
    assert measure([], []).leads == 0
