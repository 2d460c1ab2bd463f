"""How well the predictive score foretells outcomes, beside others, on sets with known outcomes.

Each is a process of its own that is given what it may learn from and the leads to foretell, and
never sees how these ended. Five-fold, the newest 30 % by the oldest 70 %, and from few outcomes.
Run: python -m bench.scoring [--sets a,b] [--no-peers] [--no-curve] [--save results.json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.scoring_chart import chart, curve_chart
from bench.scoring_sets import SETS, OutcomeSet, Rows, load
from chalicelib.lead.predict.measure import Measured, measure
from chalicelib.training.judge import OLDEST, folds

ROOT = Path(__file__).resolve().parents[1]
PYTHON = str(ROOT / ".bench-venv/bin/python")
OURS = "lead hub"
COMMANDS: Mapping[str, Sequence[str]] = {
    OURS: (sys.executable, "bench/adapters/scoring.py"),
    "gradient boosting": (PYTHON, "bench/peers/scoring_peers.py", "boosting"),
    "logistic regression": (PYTHON, "bench/peers/scoring_peers.py", "logistic"),
    "Odoo-style naive Bayes": (sys.executable, "bench/peers/scoring_peers.py", "bayes"),
}
FOLDS = 5
WON = (20, 40, 80, 160, 320, 640)
DRAWS = 4
MOST_TESTED = 5000


@dataclass(frozen=True)
class Row:
    """What came of one on one set.

    Attributes:
        how: five-fold, or newest by oldest.
        auc, log_loss, brier, error: means over the folds.
        least, most: of the area over the folds.
        seconds: for learning and foretelling once.
    """

    set: str
    how: str
    who: str
    auc: float
    least: float
    most: float
    log_loss: float
    brier: float
    error: float
    seconds: float


@dataclass(frozen=True)
class Few:
    """What came of learning from so few that were won; mean, least and most area of the draws."""

    set: str
    who: str
    won: int
    auc: float
    least: float
    most: float
    error: float


def foretold(
    command: Sequence[str], rows: Rows, outcomes: Sequence[int], asked: Rows
) -> tuple[list[float], float]:
    """Have a process learn and foretell; gives the chances and the seconds it took."""
    with tempfile.TemporaryDirectory() as name:
        known, then, said = (Path(name) / f"{one}.jsonl" for one in ("train", "test", "pred"))
        _write(known, ({"x": x, "y": y} for x, y in zip(rows, outcomes, strict=True)))
        _write(then, ({"x": x} for x in asked))
        began = time.monotonic()
        subprocess.run(
            [*command, str(known), str(then), str(said)], cwd=ROOT, check=True,
            stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        seconds = time.monotonic() - began
        chances = [min(max(float(line), 1e-6), 1 - 1e-6) for line in said.read_text().split()]
    if len(chances) != len(asked):
        raise SystemExit(f"{command[1]} foretold {len(chances)} of {len(asked)} leads")
    return chances, seconds


def _write(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def five_fold(played: OutcomeSet, who: str, command: Sequence[str]) -> Row:
    """Hold each lead back once."""
    fold = folds(played.outcomes, FOLDS)
    found, seconds = [], []
    for k in range(FOLDS):
        inside = [i for i, part in enumerate(fold) if part != k]
        out = [i for i, part in enumerate(fold) if part == k]
        chances, took = foretold(
            command,
            [played.rows[i] for i in inside],
            [played.outcomes[i] for i in inside],
            [played.rows[i] for i in out],
        )
        found.append(measure(chances, [played.outcomes[i] for i in out]))
        seconds.append(took)
    return _row(played.name, "five-fold", who, found, seconds)


def newest(played: OutcomeSet, who: str, command: Sequence[str]) -> Row:
    """Foretell the newest from the oldest."""
    cut = round(len(played.rows) * OLDEST)
    chances, took = foretold(command, played.rows[:cut], played.outcomes[:cut], played.rows[cut:])
    found = measure(chances, played.outcomes[cut:])
    return _row(played.name, "newest by oldest", who, [found], [took])


def _row(name: str, how: str, who: str, found: list[Measured], seconds: list[float]) -> Row:
    areas = [one.auc for one in found]
    return Row(
        name, how, who, statistics.mean(areas), min(areas), max(areas),
        statistics.mean(one.log_loss for one in found),
        statistics.mean(one.brier for one in found),
        statistics.mean(one.error for one in found),
        statistics.mean(seconds),
    )  # fmt: skip


def few(played: OutcomeSet, who: str, command: Sequence[str], won: int) -> Few:
    """Learn from few, drawn several times."""
    import random

    areas, errors = [], []
    for draw in range(DRAWS):
        order = list(range(len(played.rows)))
        random.Random(f"{won} {draw}").shuffle(order)
        found = until = 0
        while found < won:
            found += played.outcomes[order[until]]
            until += 1
        inside, out = sorted(order[:until]), order[until : until + MOST_TESTED]
        chances, _ = foretold(
            command,
            [played.rows[i] for i in inside],
            [played.outcomes[i] for i in inside],
            [played.rows[i] for i in out],
        )
        came = measure(chances, [played.outcomes[i] for i in out])
        areas.append(came.auc)
        errors.append(came.error)
    return Few(
        played.name, who, won, statistics.mean(areas), min(areas), max(areas),
        statistics.mean(errors),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", help="of " + ", ".join(SETS))
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-curve", action="store_true")
    parser.add_argument("--save", type=Path, help="keep the results as JSON")
    parser.add_argument("--chart", type=Path, help="folder to draw scoring*.svg in")
    asked = parser.parse_args()
    names = asked.sets.split(",") if asked.sets else list(SETS)
    commands = {OURS: COMMANDS[OURS]} if asked.no_peers else dict(COMMANDS)
    if not Path(PYTHON).exists():
        print(f"without scikit-learn, for {PYTHON} is not there", file=sys.stderr)
        commands = {who: one for who, one in commands.items() if one[0] != PYTHON}
    rows: list[Row] = []
    curve: list[Few] = []
    for name in names:
        played = load(name)
        for who, command in commands.items():
            _tell(five_fold(played, who, command), rows)
            if played.is_ordered:
                _tell(newest(played, who, command), rows)
            if not asked.no_curve and "leak" not in name:
                for won in WON:
                    one = few(played, who, command, won)
                    curve.append(one)
                    print(
                        f"{one.set:28} {who:24} {won:5} won  AUC {one.auc:.3f} "
                        f"({one.least:.3f} to {one.most:.3f})  ECE {one.error:.3f}",
                        flush=True,
                    )
    if asked.save:
        kept = {"rows": [asdict(one) for one in rows], "curve": [asdict(one) for one in curve]}
        asked.save.write_text(json.dumps(kept, indent=1))
    if asked.chart:
        (asked.chart / "scoring.svg").write_text(chart([asdict(one) for one in rows]))
        if curve:
            drawn = curve_chart([asdict(one) for one in curve])
            (asked.chart / "scoring-learning.svg").write_text(drawn)


def _tell(row: Row, rows: list[Row]) -> None:
    rows.append(row)
    print(
        f"{row.set:28} {row.how:18} {row.who:24} AUC {row.auc:.4f} ({row.least:.3f} to "
        f"{row.most:.3f})  log loss {row.log_loss:.4f}  Brier {row.brier:.4f}  "
        f"ECE {row.error:.4f}  {row.seconds:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
