"""The card: points for what is known of a lead, and what so many points come to.

It is written to be read and changed by people. Ten points more double the odds.
"""

from collections.abc import Mapping
from math import log

from pydantic import AwareDatetime, Field

from chalicelib.lead.model import Model
from chalicelib.lead.predict.values import Part

DOUBLE = 10
"""So many points more double the odds."""

STEP = log(2) / DOUBLE
"""What a point adds to the logarithm of the odds."""

MOST_TERMS = 60
"""More than that nobody reads."""


class Test(Model):
    """A question about one field that is true or false of a lead."""

    __test__ = False  # pytest takes it for a test of its own otherwise

    field: str
    part: Part = "value"
    at_least: float | None = Field(default=None, description="a number that is this or more")
    below: float | None = Field(default=None, description="a number that is less than this")
    any_of: tuple[str, ...] = Field(default=(), description="one of these levels, or these words")
    none_of: tuple[str, ...] = Field(default=(), description="a level, and none of these")
    known: bool = Field(default=False, description="true wherever anything is known")
    missing: bool = Field(default=False, description="also true where nothing is known")


class Term(Model):
    """Points for leads of whom all its tests are true."""

    tests: tuple[Test, ...] = Field(min_length=1, max_length=3)
    points: int
    leads: int = Field(default=0, description="of so many it was learnt")
    won: int = Field(default=0, description="so many of them were won")


class Leaf(Model):
    """Where a tree ends: what it adds to the log odds."""

    value: float


class Split(Model):
    """A question of a tree, and where either answer leads."""

    test: Test
    value: float = Field(description="what all who come here have on average")
    yes: "Split | Leaf"
    no: "Split | Leaf"


Tree = Split | Leaf


class Refused(Model):
    """A field that is not looked at, and why."""

    field: str
    reason: str
    is_leak: bool = Field(default=False, description="it tells the outcome, for it comes after it")


class Card(Model):
    """A model that people can read: points, and what they come to."""

    terms: tuple[Term, ...] = Field(max_length=MOST_TERMS)
    base: int = Field(description="points that everybody has")
    trees: tuple[Tree, ...] = Field(
        default=(), description="beside the terms, where these are clearly not enough"
    )
    curve: tuple[tuple[float, float], ...] = Field(
        default=(), description="points -> chance, in rising order; empty: the odds alone"
    )
    ranges: Mapping[str, tuple[float, float]] = Field(
        default_factory=dict,
        description="fields that tell the time -> lowest and highest that was learnt from",
    )
    elsewhere: "Card | None" = Field(
        default=None, description="for leads outside the ranges: without the fields that tell time"
    )
    fields: tuple[str, ...] = Field(default=(), description="looked at, also where without points")
    refused: tuple[Refused, ...] = ()
    leads: int = Field(default=0, description="learnt from so many")
    won: int = Field(default=0, description="so many of them were won")
    trust: float = Field(
        default=1.0, ge=0, le=1, description="its part beside the rules; less where data is thin"
    )
    after_minutes: int = Field(
        default=0, ge=0, description="how old leads were when they were looked at"
    )
    trained_at: AwareDatetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there was too little to learn from, so that it says nothing."""
        return self.trust == 0
