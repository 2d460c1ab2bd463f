"""The dedupe library on one set at once, taught by 80 labels that it chooses itself.

As in its documentation (page "csv example", read 2026-11-22): every field a string, the pairs it is
least sure about are shown to a person. The person is whoever runs it: it asks, the truth answers.
Speaks what `bench/match_run.py: play_peer` speaks; runs in an environment of its own.
"""

import json
import os
import random
import sys
from typing import Any

import dedupe  # type: ignore[import-not-found, unused-ignore]
import dedupe.variables  # type: ignore[import-not-found, unused-ignore]
import numpy as np  # type: ignore[import-not-found,unused-ignore]

from bench.peers.cleaning import cleaned, fields_of

LABELS = 80
SEED = 1


def main() -> None:
    """Answer: ready, questions, the clusters, then how many of some pairs were compared."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line), file=answers, flush=True)

    random.seed(SEED)
    np.random.seed(SEED)
    say({"ready": True})
    records = json.loads(sys.stdin.readline())["records"]
    rows = cleaned(records)
    there = [name for name in fields_of(rows) if name not in {"state", "country"}]
    data = {row["rid"]: row for row in rows}
    learner = dedupe.Dedupe(
        [
            dedupe.variables.String(
                name, has_missing=any(one[name] is None for one in data.values())
            )
            for name in there
        ],
        num_cores=1,
        in_memory=True,
    )
    # More processes for one small regression would only outlive it.
    learner.classifier.n_jobs = 1
    learner.prepare_training(data)
    for _ in range(LABELS):
        (a, b) = learner.uncertain_pairs()[0]
        say({"ask": [a["rid"], b["rid"]]})
        same = json.loads(sys.stdin.readline())["same"]
        learner.mark_pairs(
            {"match": [(a, b)] if same else [], "distinct": [] if same else [(a, b)]}
        )
    try:
        learner.train()
    except ValueError as e:
        say({"cannot": f"too few labels of one kind: {e}"[:200]})
        return
    compared = [((a[0], b[0]), (a, b)) for a, b in learner.pairs(data)]
    scores = learner.score(pair for _, pair in compared)
    labels = [str(one["rid"]) for one in records]
    for cluster, _ in learner.cluster(scores, 0.5):
        for rid in cluster:
            labels[int(rid)] = f"together {cluster[0]}"
    links = [
        [int(a), int(b), float(p)]
        for (a, b), p in zip(scores["pairs"].tolist(), scores["score"].tolist(), strict=True)
        if p >= 0.01
    ]
    say({"clusters": labels, "links": links})
    met = {(min(ids), max(ids)) for ids, _ in compared}
    wanted = json.loads(sys.stdin.readline())["true_pairs"]
    say({"blocked": sum(tuple(pair) in met for pair in wanted)})


if __name__ == "__main__":
    main()
