"""Trains the predictive score on one file and writes the chance of each lead of another.

Run: python bench/adapters/scoring.py train.jsonl test.jsonl pred.jsonl [--card card.json]
Training lines are {"x": {field: value}, "y": 0 or 1}, test lines {"x": {...}}; one chance a line
comes out. Which fields were left out, and why, is told on standard error.
"""

import argparse
import json
import os
import sys
from pathlib import Path

# One core is what is asked for, and more make small matrices slower.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chalicelib.lead.predict.evaluate import predict  # noqa: E402
from chalicelib.training.fit import train  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("predicted", type=Path)
    parser.add_argument("--card", type=Path, help="write the card there too")
    asked = parser.parse_args()
    rows, outcomes = [], []
    with asked.train.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                lead = json.loads(line)
                rows.append(lead["x"])
                outcomes.append(int(lead["y"]))
    card = train(rows, outcomes)
    for one in card.refused:
        print(
            f"{'leak' if one.is_leak else 'left out'}: {one.field}: {one.reason}", file=sys.stderr
        )
    if asked.card:
        asked.card.write_text(card.model_dump_json(indent=1, exclude_defaults=True))
    with (
        asked.test.open(encoding="utf-8") as lines,
        asked.predicted.open("w", encoding="utf-8") as out,
    ):
        for line in lines:
            if line.strip():
                chance = predict(card, json.loads(line)["x"]).chance
                out.write(f"{chance:.6f}\n")


if __name__ == "__main__":
    main()
