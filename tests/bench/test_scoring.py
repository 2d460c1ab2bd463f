import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.peers.scoring_peers import bayes
from bench.scoring_chart import chart, curve_chart
from bench.scoring_sets import load
from chalicelib.lead.predict.measure import area_under, calibration_error

ROOT = Path(__file__).resolve().parents[2]


def foretold(
    tmp_path: Path, rows: list[dict[str, Any]], came: list[int], asked: list[dict[str, Any]]
) -> tuple[list[float], str]:
    train, test, predicted = (tmp_path / f"{name}.jsonl" for name in ("train", "test", "pred"))
    train.write_text(
        "".join(json.dumps({"x": x, "y": y}) + "\n" for x, y in zip(rows, came, strict=True))
    )
    test.write_text("".join(json.dumps({"x": x}) + "\n" for x in asked))
    command = [sys.executable, "bench/adapters/scoring.py", str(train), str(test), str(predicted)]
    ran = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, env=dict(os.environ)
    )
    return [float(line) for line in predicted.read_text().splitlines()], ran.stderr


def test_the_adapter_foretells_one_chance_a_line_and_refuses_the_leak(tmp_path: Path) -> None:
    played = load("bank with its leak")
    some = random.Random(1).sample(range(len(played.rows)), 5000)
    inside, out = some[:4000], some[4000:]
    chances, told = foretold(
        tmp_path,
        [dict(played.rows[i]) for i in inside],
        [played.outcomes[i] for i in inside],
        [dict(played.rows[i]) for i in out],
    )
    came = [played.outcomes[i] for i in out]
    assert len(chances) == len(out)
    assert 0.74 < area_under(chances, came) < 0.86
    assert calibration_error(chances, came) < 0.04
    assert "leak: duration: " in told


def test_page_values_are_no_leak(tmp_path: Path) -> None:
    played = load("shoppers")
    some = random.Random(2).sample(range(len(played.rows)), 4000)
    inside, out = some[:3000], some[3000:]
    chances, told = foretold(
        tmp_path,
        [dict(played.rows[i]) for i in inside],
        [played.outcomes[i] for i in inside],
        [dict(played.rows[i]) for i in out],
    )
    assert area_under(chances, [played.outcomes[i] for i in out]) > 0.88
    assert "leak" not in told


@pytest.mark.parametrize("came", [[0] * 30, [0, 1] * 15, [1, *[0] * 29]])
def test_the_adapter_takes_the_smallest_sets(tmp_path: Path, came: list[int]) -> None:
    rows = [{"a": n % 7, "b": None, "c": f"only {n}"} for n in range(30)]
    chances, _ = foretold(tmp_path, rows, came, [{}, {"a": "what", "d": 1}])
    assert len(chances) == 2
    assert all(0 < chance < 1 for chance in chances)


def test_naive_bayes_goes_by_how_often_each_value_won() -> None:
    rows = [{"a": "x"}] * 10 + [{"a": "y"}] * 10
    came = [1] * 8 + [0] * 2 + [0] * 8 + [1] * 2
    x, y, never = bayes(rows, came, [{"a": "x"}, {"a": "y"}, {"a": "z"}])
    assert x > 0.75 > 0.5 > 0.25 > y
    assert never == pytest.approx(0.5)


def test_charts_are_well_formed_and_say_what_they_show() -> None:
    row = {
        "set": "a <b",
        "how": "five-fold",
        "auc": 0.8,
        "least": 0.79,
        "most": 0.81,
        "error": 0.01,
    }
    few = {"set": "a <b", "auc": 0.7, "least": 0.6, "most": 0.75, "error": 0.1}
    drawn = [
        chart([{**row, "who": "ours"}, {**row, "who": "other", "auc": 0.7}]),
        curve_chart([{**few, "who": "ours", "won": won} for won in (20, 40)]),
    ]
    for one in drawn:
        texts = {
            t.text for t in ElementTree.fromstring(one).iter("{http://www.w3.org/2000/svg}text")
        }
        assert {"a <b", "ours"} <= texts
