import itertools
import random

import pytest

from bench.match_run import attached, joined
from bench.match_score import agreeing, blocking_recall, score, true_pairs, worst


def by_hand(truth: list[str], found: list[str]) -> tuple[int, int, int]:
    pairs = list(itertools.combinations(range(len(truth)), 2))
    true = {p for p in pairs if truth[p[0]] == truth[p[1]]}
    put = {p for p in pairs if found[p[0]] == found[p[1]]}
    return len(true & put), len(put), len(true)


@pytest.mark.parametrize("seed", range(20))
def test_pairs_are_counted_as_by_hand(seed: int) -> None:
    rng = random.Random(seed)
    truth = [rng.choice("abcde") for _ in range(40)]
    found = [rng.choice("vwxyz") for _ in range(40)]
    got = score(truth, found)
    assert (got.together, got.found, got.true) == by_hand(truth, found)
    assert len(true_pairs(truth)) == got.true


def test_the_right_clusters_score_one_whatever_they_are_called() -> None:
    got = score(["a", "a", "b"], ["7", "7", "9"])
    assert (got.precision, got.recall, got.f1) == (1.0, 1.0, 1.0)


def test_one_cluster_of_all_has_every_true_pair_and_little_precision() -> None:
    got = score(["a", "a", "b", "c"], ["1"] * 4)
    assert (got.precision, got.recall) == (1 / 6, 1.0)


def test_the_worst_group_comes_first_with_the_parts_it_should_have_been() -> None:
    leads = [
        {"city": "Kiel"},
        {"city": "Kiel"},
        {"city": "Bonn"},
        {"city": "Bonn"},
        {"city": "Ulm"},
    ]
    truth = ["a", "b", "c", "c", "d"]
    found = ["1", "1", "2", "2", "2"]
    first, second = worst(leads, found, truth, 5)
    assert (first.pairs, [part for part, _ in first.records]) == (2, ["c", "c", "d"])
    assert second.pairs == 1
    assert agreeing(leads, found, truth) == {"city": 1, "": 2}


def test_blocking_keeps_the_pairs_that_share_a_key() -> None:
    leads = [{"keys": "xy"}, {"keys": "yz"}, {"keys": "w"}]
    assert blocking_recall(leads, ["a"] * 3, lambda lead: set(lead["keys"])) == 1 / 3


def test_a_record_attaches_to_its_likeliest_earlier_link_and_links_join_all() -> None:
    links = [(0, 2, 0.9), (1, 2, 0.8), (1, 3, 0.4)]
    assert attached(4, links, 0.5) == ["0", "1", "0", "3"]
    assert len(set(joined(4, links, 0.5))) == 2
    assert len(set(joined(4, links, 0.3))) == 1
