"""Checks of how sure matching must be: the thresholds stand in order."""

from collections.abc import Iterator

from chalicelib.config.finding import Found
from chalicelib.config.model import Config
from chalicelib.lead.matching.decide import ASK, MATCH, MERGE
from chalicelib.lead.matching.weights import limits_of, probability_of

RASH = 0.5
"""Below this, two records that are rather of two people are taken for one person's."""


def check_matching(config: Config) -> Iterator[Found]:
    """Find thresholds that stand in the wrong order, or would take strangers for one person."""
    given = limits_of(config.matching)
    limits = {"match": MATCH, "ask": ASK, "merge": MERGE, **given}
    for lower, upper in (("ask", "match"), ("match", "merge")):
        if limits[lower] > limits[upper]:
            name = lower if lower in given else upper
            own, other = (upper, lower) if name == upper else (lower, upper)
            where = "at least" if name == upper else "at most"
            known = "" if other in given else ", as the hub comes"
            value = f"{probability_of(limits[other]):.2f}{known}"
            yield Found(("matching", own), f"expected {where} {other}, which is {value}")
    for name in ("match", "merge"):
        chosen = getattr(config.matching, name)
        if chosen is not None and chosen < RASH:
            message = "below 0.5: those who are rather two people are made one"
            yield Found(("matching", name), message, "warning")
    if not config.matching.propose and config.matching.ask is not None:
        message = "means nothing to the doubtful while propose is false: nobody is asked"
        yield Found(("matching", "ask"), message, "warning")
