"""Trains the model of spam that the hub comes with, and the same learner on any labels.

The learner is logistic regression over words, pairs of neighbouring words and the shape of a text,
by AdaGrad, the same for each seed. What is shipped is trained on the training part only
(`intent_data.sms`), with our own made-up enquiries beside it as what is no spam, so that the rest
can test it.
Run: .bench-venv/bin/python -m bench.intent_train
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np  # type: ignore[import-not-found, unused-ignore]

from bench.intent_data import Labelled, cases, sms
from chalicelib.lead.intent.spam import features

TARGET = Path(__file__).parents[1] / "chalicelib/lead/data/intent_spam.txt"
KEPT = 3_000
"""Features that are shipped, those that say most."""
STEP = 16
"""Bits are written in sixteenths."""
EPOCHS = 12
RATE = 0.1
SEED = 1

Weights = Any
"""An array of numpy."""


@dataclass(frozen=True)
class Model:
    """A column of weights for each label, in natural logarithms of odds."""

    labels: tuple[str, ...]
    words: dict[str, int]
    weights: Weights
    bias: Weights

    def scores(self, text: str) -> Weights:
        """Give the score of each label."""
        places = [self.words[one] for one in features(text) if one in self.words]
        if not places:
            return self.bias
        scores: Weights = self.bias + self.weights[places].sum(axis=0) / np.sqrt(len(places))
        return scores

    def label(self, text: str) -> str:
        """Give the likeliest label."""
        return self.labels[int(self.scores(text).argmax())]


def train(examples: Sequence[Labelled], epochs: int = EPOCHS, seed: int = SEED) -> Model:
    """Learn labels of texts."""
    labels = tuple(sorted({one.label for one in examples}))
    each = [features(one.text) for one in examples]
    counts = Counter(word for found in each for word in found)
    words = {word: at for at, word in enumerate(sorted(w for w, n in counts.items() if n >= 2))}
    places = [np.array([words[w] for w in found if w in words], dtype=int) for found in each]
    wanted = [labels.index(one.label) for one in examples]
    weights, squares = np.zeros((len(words), len(labels))), np.full((len(words), len(labels)), 1e-6)
    bias, bias_squares = np.zeros(len(labels)), np.full(len(labels), 1e-6)
    order, chance = list(range(len(examples))), random.Random(seed)
    for _ in range(epochs):
        chance.shuffle(order)
        for one in order:
            at, norm = places[one], 1 / np.sqrt(max(len(places[one]), 1))
            scores = bias + weights[at].sum(axis=0) * norm
            slope = np.exp(scores - scores.max())
            slope /= slope.sum()
            slope[wanted[one]] -= 1
            steps = slope * norm + 1e-5 * weights[at]
            squares[at] += steps * steps
            weights[at] -= RATE * steps / np.sqrt(squares[at])
            bias_squares += slope * slope
            bias -= RATE * slope / np.sqrt(bias_squares)
    return Model(labels, words, weights, bias)


def spam_table(model: Model, kept: int = KEPT) -> str:
    """Write a model of two labels as it is shipped: sixteenths of a bit for being spam."""
    first, second = model.labels.index("spam"), model.labels.index("ham")
    bits = (model.weights[:, first] - model.weights[:, second]) / np.log(2)
    bias = float(model.bias[first] - model.bias[second]) / np.log(2)
    names = sorted(model.words, key=lambda word: (-abs(bits[model.words[word]]), word))[:kept]
    rows = [f"{round(STEP * bits[model.words[name]])} {name}" for name in sorted(names)]
    return "\n".join([f"{round(STEP * bias)}", *rows]) + "\n"


def main() -> None:
    """Train what is shipped, and write it."""
    learning, _ = sms()
    ours = [
        Labelled(one.text, "ham") for one in cases("known") if one.intent not in ("spam", "vendor")
    ]
    spam = [Labelled(one.text, "spam") for one in cases("known") if one.intent == "spam"]
    TARGET.write_text(spam_table(train([*learning, *ours, *spam])), encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
