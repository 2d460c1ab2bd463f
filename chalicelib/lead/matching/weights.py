"""How much each kind of agreement says, in bits; and how rare values are.

One bit doubles the odds that two records are of one person, after Fellegi and Sunter (1969): a
level of a field weighs `log2(m / u)`, where m is how often it is seen between records of one person
and u how often between records of two. For names, places and the like u is how frequent the value
itself is, so that a shared Smith says less than a shared Featherstonehaugh.
"""

import math
from collections.abc import Mapping
from functools import cached_property

from pydantic import Field

from chalicelib.config.model import Matching
from chalicelib.lead.matching.common import COMMON_FIRST, COMMON_LAST
from chalicelib.lead.matching.firms import USUAL_WORDS
from chalicelib.lead.model import Model

LEVELS: Mapping[str, Mapping[str, float]] = {
    "email": {"role": -8.0, "slip": 8.0, "near": 6.0, "local": 5.0, "name": 2.0,
              "numbered": 1.0, "alike": 2.5, "other": -2.0},
    "in_email": {"same": -3.0},
    "phone": {"slip": 4.0, "other": -1.5},
    "born": {"same": 12.0, "swapped": 8.0, "slip": 6.0, "near": 2.5, "alike": 0.0, "year": 0.5,
             "other": -4.5},
    "first": {"short": -2.0, "slip": -2.5, "near": -4.0, "alike": -1.0, "apart": -2.5,
              "part": -2.5, "initial": 1.5, "other": -4.5},
    "last": {"slip": -2.5, "near": -4.0, "alike": -1.0, "part": -3.0, "initial": 1.5,
             "other": -4.5},
    "swapped": {"same": -2.0},
    "generation": {"other": -8.0},
    "postal_code": {"slip": 5.0, "area": 3.0, "other": -1.0},
    "city": {"slip": -2.5, "other": -2.0},
    "street": {"same": 10.0, "number": 2.5, "near": 3.0, "name": 1.5, "other": -3.0},
    "site": {"same": 10.0, "number": 1.0, "near": 3.0, "name": 1.5, "other": -4.5},
    "company": {"same": 14.0, "near": 7.0, "part": 3.0, "little": 0.0, "other": -4.0},
    "employer": {"same": 6.0, "near": 4.0, "part": 1.0, "little": 0.0, "other": -1.5},
    "kind": {"other": -6.0},
    "job": {"other": -0.7},
}  # fmt: skip
"""Bits by field and level before anything was learnt. Of fields in USUAL, agreement weighs as much
as the value is rare; a negative number of a level that agrees is added to that."""

USUAL = {
    "first": 1 / 250,
    "last": 1 / 800,
    "city": 1 / 60,
    "postal_code": 1 / 3000,
    "job": 1 / 40,
    "phone": 1 / 3000,
    "email": 1 / 15000,
    "domain": 1 / 30,
}
"""How frequent a value is of which nothing is known."""

COMMON = {"first": (COMMON_FIRST, 1 / 100), "last": (COMMON_LAST, 1 / 200)}
"""Values that are frequent everywhere, and how frequent."""

_NONE: tuple[frozenset[str], float] = (frozenset(), 0.0)

MOST = {
    "first": 10.0,
    "last": 10.0,
    "city": 6.0,
    "postal_code": 10.0,
    "job": 5.0,
    "phone": 11.5,
    "email": 14.0,
    "domain": 4.0,
}
"""Most bits that agreement on a value can give; slips make values look rarer than they are."""

OWN = frozenset({"phone", "email"})
"""Fields whose values are somebody's own, unless they are seen to be shared."""

SURE = 0.8
"""How often a person's records agree on a value, where that was not learnt."""

KNOWN = 60.0
"""How many leads the usual frequencies weigh as much as."""

RARE_WORD, USUAL_WORD = 1 / 400, 1 / 25
"""How frequent a word of a company's name is of which nothing is known."""

FEWEST = 250
"""As many leads are taken to be there at least."""

MOST_LIKELY = 2.0
"""Most bits for or against a submission being of somebody known."""


class Weights(Model):
    """What one comparison is weighed with; learnt, or as the hub comes."""

    leads: int = Field(default=0, description="how many leads there were when they were learnt")
    submissions: int = Field(default=0, description="how many records they were learnt from")
    records: Mapping[str, int] = Field(
        default_factory=dict, description="how many leads had the field"
    )
    counts: Mapping[str, Mapping[str, int]] = Field(
        default_factory=dict, description="field -> frequent values -> how many leads had them"
    )
    bits: Mapping[str, Mapping[str, float]] = Field(
        default_factory=dict, description="field -> level -> bits; in place of LEVELS"
    )
    limits: Mapping[str, float] = Field(
        default_factory=dict,
        description="match, ask, merge -> bits from which; in place of those of decide",
    )

    def with_bits(self, bits: Mapping[str, Mapping[str, float]]) -> "Weights":
        """Give the same with other bits; a plain copy would keep what was worked out before."""
        return Weights.model_validate({**self.model_dump(), "bits": bits})

    @cached_property
    def levels(self) -> Mapping[str, Mapping[str, float]]:
        """Bits by field and level."""
        return {field: {**levels, **self.bits.get(field, {})} for field, levels in LEVELS.items()}

    def shared(self, field: str, value: str) -> float:
        """Give the bits that two records have of sharing a value."""
        names, many = COMMON.get(field, _NONE)
        usual = many if value in names else USUAL[field]
        share = self._share(field, value, usual)
        return min(MOST[field], max(0.5, math.log2(SURE / share)))

    def word(self, word: str) -> float:
        """Give the bits that two companies have of sharing a word in their names."""
        usual = USUAL_WORD if word in USUAL_WORDS else RARE_WORD
        return max(0.5, math.log2(SURE / self._share("word", word, usual)))

    def _share(self, field: str, value: str, usual: float) -> float:
        """Estimate which share of leads has a value."""
        counted = self.counts.get(field, {}).get(value, 1 if self.records else 0)
        if field in OWN:
            # One of them is whose it is; what counts is how many others have it.
            counted = max(0, counted - 1)
        return (counted + KNOWN * usual) / (self.records.get(field, 0) + KNOWN)

    def prior_among(self, leads: int) -> float:
        """Give the prior when there are so many leads at least; what was learnt knows better."""
        if self.leads or leads <= FEWEST:
            return self.prior
        return self.prior + math.log2(leads / FEWEST)

    @cached_property
    def prior(self) -> float:
        """Bits against one of the leads being the one, before anything is looked at.

        There are as many to choose from as there are leads; and where most submissions are of
        people that are known already, the next one likely is, too.
        """
        again = max(0, self.submissions - self.leads)
        known = (again + KNOWN / 2) / (self.leads + again + KNOWN)
        likely = math.log2(known / (1 - known))
        return math.log2(max(self.leads, FEWEST)) - max(-MOST_LIKELY, min(MOST_LIKELY, likely))


AS_IT_COMES = Weights()


def limits_of(matching: Matching) -> dict[str, float]:
    """Give the thresholds that a configuration names, in bits."""
    named = {"match": matching.match, "ask": matching.ask, "merge": matching.merge}
    return {name: bits_of(given) for name, given in named.items() if given is not None}


def bits_of(probability: float) -> float:
    """Write a probability as log2 of its odds."""
    return math.log2(probability / (1 - probability))


def probability_of(bits: float) -> float:
    """Read log2 of odds as a probability."""
    return 1 / (1 + 2 ** -max(-60.0, min(60.0, bits)))
