"""Points of phrases learnt from what became of leads."""

from chalicelib.config.model import Intent
from chalicelib.lead.intent.learn import MOST_CHANGE, Outcome, learn_points

GOOD = "we need a quote for our warehouse"
BAD = "our agency offers seo"


def outcomes(good: int, bad: int, odd: str = "") -> list[Outcome]:
    return [Outcome(f"{GOOD} {odd}", True)] * good + [Outcome(BAD, False)] * bad


def test_little_teaches_nothing() -> None:
    assert learn_points(outcomes(19, 400)) == {}


def test_what_only_good_leads_say_of_an_unwanted_intent_loses_points() -> None:
    learnt = learn_points(outcomes(100, 100, odd="and a backlink*"))
    assert learnt["vendor:backlink*"] == 6 - MOST_CHANGE


def test_what_bad_leads_say_gains_and_stays_bounded() -> None:
    learnt = learn_points(outcomes(5_000, 5_000))
    assert learnt["vendor:seo"] == 6 + MOST_CHANGE
    assert all(1 <= points <= 10 for points in learnt.values())


def test_the_same_outcomes_in_another_order_teach_the_same() -> None:
    told = outcomes(60, 60)
    assert learn_points(told) == learn_points(told[::-1])


def test_what_was_set_by_hand_is_left_alone() -> None:
    learnt = learn_points(outcomes(500, 500), Intent(points={"vendor:seo": 2}))
    assert "vendor:seo" not in learnt


def test_what_is_learnt_fits_the_configuration() -> None:
    assert Intent(points=learn_points(outcomes(500, 500))).points
