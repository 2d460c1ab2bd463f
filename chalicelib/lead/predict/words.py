"""Says in words what a card asks and what it gives."""

from collections.abc import Sequence

from chalicelib.lead.predict.card import Term, Test
from chalicelib.lead.predict.evaluate import Prediction

MOST_LEVELS = 6


def in_words(test: Test) -> str:
    """Say what a test asks, such as: age at least 50."""
    name = test.field if test.part in ("value", "word") else f"{test.part} of {test.field}"
    if test.part == "word":
        return f"{name} has the word {_listed(test.any_of)}"
    if test.at_least is not None and test.below is not None:
        said = f"{name} from {test.at_least:g} to below {test.below:g}"
    elif test.at_least is not None:
        said = f"{name} at least {test.at_least:g}"
    elif test.below is not None:
        said = f"{name} below {test.below:g}"
    elif test.known:
        said = f"{name} is known"
    elif test.none_of:
        said = f"{name} is not {_listed(test.none_of)}"
    elif test.any_of:
        said = f"{name} is {_listed(test.any_of)}"
    else:
        return f"{name} is not known"
    return f"{said}, or not known" if test.missing else said


def term_in_words(term: Term) -> str:
    """Say when a term gives its points."""
    return "; and ".join(in_words(test) for test in term.tests)


def because(prediction: Prediction, most: int = 5) -> str:
    """Say what made a chance, the largest first."""
    if not prediction.knows:
        return "too little is known to say more than what is so for all"
    said = [f"{term.points:+d} {term_in_words(term)}" for term in prediction.terms[:most]]
    beside = sorted(
        ((points, field) for field, points in prediction.beside.items() if field),
        key=lambda one: -abs(one[0]),
    )
    said += [f"{points:+.0f} {field}, with others" for points, field in beside[:2]
             if abs(points) >= 1]  # fmt: skip
    return "; ".join(said) or "nothing sets it apart from others"


def _listed(levels: Sequence[str]) -> str:
    if len(levels) > MOST_LEVELS:
        return f"{', '.join(levels[:MOST_LEVELS])} or one of {len(levels) - MOST_LEVELS} more"
    return " or ".join(filter(None, [", ".join(levels[:-1]), levels[-1]]))
