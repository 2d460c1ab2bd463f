"""How well and how fast messages are understood: our own cases, public sets, and hostile text.

Run: .bench-venv/bin/python -m bench.intent [--peers]
"""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import mean

from bench.intent_data import SENT, TEST_PART, Labelled, Part, banking, cases, sms
from bench.intent_train import Model, train
from chalicelib.lead.intent.language import LANGUAGES, tell_language
from chalicelib.lead.intent.spam import model_bits
from chalicelib.lead.intent.understand import understand

SURES = (50, 65, 80, 90, 101)

HOSTILE = {
    "one letter": "x" * 100_000,
    "words of the lists": "angebot dringend " * 6_000,
    "openings of phrases": "what does " * 10_000,
    "question marks": "?" * 100_000,
    "signs of no width": "\u200b" * 100_000,
    "marks on one letter": "a" + "\u0301" * 100_000,
    "addresses": "http://" * 15_000,
    "mail signs": "a@" * 50_000,
    "two alphabets": "\u0446i\u043da " * 20_000,
    "letters with gaps": "v i a g r a " * 9_000,
    "figures for letters": "$1a" * 33_000,
    "what unfolds to much": "\ufdfa" * 100_000,
    "days": "bis 1.1. in 3 tagen " * 5_000,
    "all there is": "".join(chr(one) for one in range(32, 55_000)),
}


def main() -> None:
    """Measure and print."""
    for part in ("known", "held_out"):
        show_cases(part)
    show_spam()
    show_banking("--peers" in sys.argv)
    show_hostile()


def show_cases(part: Part) -> None:
    """Print how many of our own cases come out as a person takes them."""
    print(f"\n{part} cases: right intent, answered, right of those, urgency, language")
    sure = []
    for language in LANGUAGES:
        found = [(one, understand(one.text, sent=SENT)) for one in cases(part)]
        found = [(one, read) for one, read in found if one.language == language]
        told = [(one, read) for one, read in found if read.intent != "unknown"]
        sure += [(read.sure, read.intent == one.intent) for one, read in told]
        print(
            f"  {language} {len(found):4}"
            f" {share(read.intent == one.intent for one, read in found):6.1%}"
            f" {len(told) / len(found):6.1%}"
            f" {share(read.intent == one.intent for one, read in told):6.1%}"
            f" {share(read.urgency == one.urgency for one, read in found):6.1%}"
            f" {share(read.language == one.language for one, read in found):6.1%}"
        )
    for low, high in pairwise(SURES):
        right = [is_right for one, is_right in sure if low <= one < high]
        if right:
            print(f"  sure {low} to {high - 1}%: {len(right)}, right {share(right):.0%}")
    texts = [one.text for one in cases(part)]
    print(f"  {milliseconds(lambda t: understand(t, sent=SENT), texts):.2f} ms a message, mean")
    print(f"  {milliseconds(tell_language, texts):.2f} ms for the language alone")


def show_spam() -> None:
    """Print how well spam is told on the SMS collection."""
    _, testing = sms()
    shipped = score(testing, lambda text: model_bits(text) > 0)
    whole = score(testing, lambda text: understand(text, sent=SENT).intent == "spam")
    print("\nSMS spam: precision, recall, F1")
    print("  shipped model, on what it was not trained with", *map("{:.3f}".format, shipped))
    print("  all signs together, on the same", *map("{:.3f}".format, whole))
    folds = []
    for fold in range(TEST_PART):
        learning, held = sms(fold)
        model = train(learning)
        folds.append(score(held, lambda text, model=model: model.label(text) == "spam"))  # type: ignore[misc]
    print("  five folds, trained anew", *(f"{one[2]:.3f}" for one in folds), end=" ")
    print(f"mean {mean(one[2] for one in folds):.3f}")
    print(f"  {milliseconds(model_bits, [one.text for one in testing]):.2f} ms a message")


def show_banking(with_peers: bool) -> None:
    """Print how well the learner of the spam model does on 77 intents, beside simple peers."""
    learning, testing = banking("train"), banking("test")
    model = train(learning)
    print("\nBANKING77: accuracy")
    print(f"  our learner {accuracy(model, testing):.3f}")
    if not with_peers:
        return
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-not-found, unused-ignore]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-not-found, unused-ignore]
    from sklearn.naive_bayes import ComplementNB  # type: ignore[import-not-found, unused-ignore]
    from sklearn.pipeline import make_pipeline  # type: ignore[import-not-found, unused-ignore]

    for name, peer in (
        ("tf-idf, logistic regression", LogisticRegression(C=10, max_iter=2_000)),
        ("tf-idf, naive Bayes", ComplementNB()),
    ):
        fitted = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), peer)
        fitted.fit([one.text for one in learning], [one.label for one in learning])
        right = fitted.score([one.text for one in testing], [one.label for one in testing])
        print(f"  {name} {right:.3f}")
        spam, ham = sms()
        fitted.fit([one.text for one in spam], [one.label for one in spam])
        found = score(ham, lambda text, fitted=fitted: fitted.predict([text])[0] == "spam")  # type: ignore[misc]
        print(f"    the same on SMS spam: F1 {found[2]:.3f}")


def show_hostile() -> None:
    """Print the worst that a hundred thousand letters of anything can do."""
    print("\nhostile text: ms of CPU")
    for name, text in HOSTILE.items():
        understand(text, sent=SENT)
        before = time.process_time()
        understand(text, sent=SENT)
        print(f"  {name:24} {1000 * (time.process_time() - before):6.1f}")


def score(testing: Sequence[Labelled], is_spam: Callable[[str], bool]) -> tuple[float, ...]:
    """Give precision, recall and F1 of telling spam."""
    told = [(one.label == "spam", is_spam(one.text)) for one in testing]
    both = sum(truth and said for truth, said in told)
    precision = both / max(sum(said for _, said in told), 1)
    recall = both / max(sum(truth for truth, _ in told), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def accuracy(model: Model, testing: Sequence[Labelled]) -> float:
    """Give which part of the labels a model gets right."""
    return share(model.label(one.text) == one.label for one in testing)


def share(each: Iterable[bool]) -> float:
    """Give which part of these is true."""
    found = list(each)
    return sum(found) / max(len(found), 1)


def milliseconds(read: Callable[[str], object], texts: Sequence[str]) -> float:
    """Give the mean CPU for a text, after one round to warm up."""
    for text in texts:
        read(text)
    before = time.process_time()
    for text in texts:
        read(text)
    return 1000 * (time.process_time() - before) / len(texts)


if __name__ == "__main__":
    main()
