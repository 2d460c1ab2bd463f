"""Other ways to a chance of being won, with the arguments of `bench/adapters/scoring.py`.

Run: python bench/peers/scoring_peers.py boosting|logistic|bayes train.jsonl test.jsonl pred.jsonl
`boosting` and `logistic` are scikit-learn's, with the settings that its documentation shows.
"""

import json
import sys
from collections import Counter
from math import exp, log
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


def main() -> None:
    name, train, test, predicted = sys.argv[1:]
    known = [json.loads(line) for line in Path(train).read_text(encoding="utf-8").splitlines()]
    asked = [json.loads(line) for line in Path(test).read_text(encoding="utf-8").splitlines()]
    rows, outcomes = [one["x"] for one in known], [one["y"] for one in known]
    foretell = {"boosting": boosting, "logistic": logistic, "bayes": bayes}[name]
    chances = foretell(rows, outcomes, [one["x"] for one in asked])
    Path(predicted).write_text("".join(f"{chance:.6f}\n" for chance in chances))


def bayes(rows: Rows, outcomes: list[int], asked: Rows) -> list[float]:
    """Count how often each value of each field is won and lost; our own, in the way of Odoo.

    A little is added to every count, the parts are multiplied as if fields were independent, and
    numbers are values like any other.
    """
    counts = {0: Counter[tuple[str, str]](), 1: Counter[tuple[str, str]]()}
    totals = {0: Counter[str](), 1: Counter[str]()}
    for row, outcome in zip(rows, outcomes, strict=True):
        for field, value in row.items():
            if value is not None:
                counts[outcome][field, str(value)] += 1
                totals[outcome][field] += 1
    won = sum(outcomes)
    start = log((won + 0.1) / (len(outcomes) - won + 0.1))
    chances = []
    for row in asked:
        odds = start
        for field, value in row.items():
            key = field, str(value)
            if value is None or not counts[0][key] + counts[1][key]:
                continue
            for outcome, sign in ((1, 1), (0, -1)):
                part = (counts[outcome][key] + 0.1) / (totals[outcome][field] + 0.2)
                odds += sign * log(part)
        chances.append(1 / (1 + exp(-max(min(odds, 30), -30))))
    return chances


def logistic(rows: Rows, outcomes: list[int], asked: Rows) -> list[float]:
    """Fit a logistic regression on scaled numbers and a column for each level."""
    from sklearn.compose import make_column_transformer  # type: ignore[import-not-found]
    from sklearn.impute import SimpleImputer  # type: ignore[import-not-found]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-not-found]
    from sklearn.pipeline import make_pipeline  # type: ignore[import-not-found]
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # type: ignore[import-not-found]

    table, others, levels = framed(rows, asked)
    numbers = [n for n in range(len(levels)) if not levels[n]]
    words = [n for n in range(len(levels)) if levels[n]]
    model = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10), words),
        ),
        LogisticRegression(max_iter=2000),
    )
    model.fit(table, outcomes)
    return [float(chance) for chance in model.predict_proba(others)[:, 1]]


def boosting(rows: Rows, outcomes: list[int], asked: Rows) -> list[float]:
    """Grow boosted trees by histograms, with levels as such and early stopping as it decides."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-not-found]

    table, others, levels = framed(rows, asked)
    model = HistGradientBoostingClassifier(
        learning_rate=0.05, max_leaf_nodes=15, max_iter=150, categorical_features=levels,
        random_state=0,
    )  # fmt: skip
    model.fit(table, outcomes)
    return [float(chance) for chance in model.predict_proba(others)[:, 1]]


def framed(rows: Rows, asked: Rows) -> tuple[Any, Any, list[bool]]:
    """Put rows into a table of numbers; a level is its rank among the 200 most frequent."""
    import numpy as np

    columns, others, levels = [], [], []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        then = [row.get(name) for row in asked]
        try:
            columns.append([_number(value) for value in values])
            others.append([_number(value) for value in then])
            levels.append(False)
        except ValueError:
            columns, others = columns[: len(levels)], others[: len(levels)]
            common = Counter(map(str, values)).most_common(200)
            rank = {level: n for n, (level, _) in enumerate(common)}
            columns.append([float(rank.get(str(value), 201)) for value in values])
            others.append([float(rank.get(str(value), 201)) for value in then])
            levels.append(True)
    return np.array(columns).T, np.array(others).T, levels


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


if __name__ == "__main__":
    main()
