"""How a pool chooses, and where leads belong: territories, levels of experience, accounts."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.config.condition import Condition, Id
from chalicelib.lead.model import Model

StrategyName = Literal["turns", "least_loaded", "performance", "experience"]

Seniority = Annotated[int, Field(ge=1, le=9)]

Postal = Annotated[
    str, Field(max_length=40, pattern=r"^[0-9A-Za-z][0-9A-Za-z ]*(\.\.[0-9A-Za-z][0-9A-Za-z ]*)?$")
]
"""The beginning of postal codes, as `80`, or a range of such beginnings, as `80..87`."""

Domain = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]


class Skill(Model):
    """What some leads ask of whoever takes them."""

    id: Id
    title: str = ""
    when: Condition = Field(description="leads that only owners with this skill can take")


class Area(Model):
    """A country, or some regions and postal codes of it."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    regions: tuple[str, ...] = Field(default=(), description="as leads say them; case is nothing")
    postal: tuple[Postal, ...] = Field(default=(), description="`80`: begins so; `80..87`: between")


class Territory(Model):
    """Areas that some owners answer for."""

    title: str = ""
    areas: tuple[Area, ...]
    unknown: bool = Field(default=False, description="also leads whose country is not known")


class Level(Model):
    """Which seniority a lead from a score on asks for."""

    score: Annotated[int, Field(ge=0, le=100)]
    least: Seniority = 1
    most: Seniority = 9


class NamedAccount(Model):
    """Companies that one owner answers for."""

    owner: Id
    domains: tuple[Domain, ...]


class Accounts(Model):
    """Whether people of one company go to one owner."""

    stick: bool = Field(
        default=False, description="who has the first lead of a company gets its further ones"
    )
    named: Mapping[str, NamedAccount] = Field(
        default_factory=dict, description="by name: companies, customers above all, with an owner"
    )
