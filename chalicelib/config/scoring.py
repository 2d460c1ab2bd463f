"""How a score is made: parts of rules with caps, what fades, what vetoes, and grades."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from chalicelib.config.condition import All, Condition, Id
from chalicelib.lead.model import Model

Cap = Annotated[int, Field(ge=0, le=100)]
Days = Annotated[float, Field(gt=0, le=36500)]
HalfLife = Annotated[float, Field(ge=0, le=36500)]


class TouchCount(Model):
    """How many touches of a kind there must be; without a number at least one."""

    when: Condition = Field(default=All(all=()), description="about each touch; empty means any")
    within_days: Days | None = Field(
        default=None, description="only touches of so many days up to now count"
    )
    at_least: Annotated[int, Field(ge=1, le=1000)] | None = None
    at_most: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="0: no such touch"
    )

    @model_validator(mode="after")
    def _can_be(self) -> "TouchCount":
        if self.at_least and self.at_most is not None and self.at_most < self.at_least:
            raise ValueError("at_most is less than at_least")
        return self


class ScoreRule(Model):
    """Points for a condition: over the lead once, over touches for each that fits."""

    id: Id
    when: Condition = Field(default=All(all=()), description="empty means always")
    points: Annotated[int, Field(ge=-100, le=100)]
    at_most: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="over touches: how many may count, the newest first"
    )
    over: Literal["", "lead", "touches"] = Field(
        default="", description="what it is about; empty: touches in engagement, else the lead"
    )
    touches: TouchCount | None = Field(
        default=None, description="it counts only with so many touches of a kind as well"
    )
    group: Id | Literal[""] = Field(default="", description="whose cap it counts under as well")
    half_life_days: HalfLife | None = Field(
        default=None, description="instead of the part's; 0 means never"
    )
    linear_days: Days | None = Field(
        default=None, description="its points fall evenly to none in so many days"
    )
    within_days: Days | None = Field(
        default=None, description="over touches: older ones do not count"
    )

    @model_validator(mode="after")
    def _fades_one_way(self) -> "ScoreRule":
        if self.linear_days is not None and self.half_life_days is not None:
            raise ValueError("half_life_days and linear_days: only one of them")
        return self


class Group(Model):
    """Rules of a part that count for at most so much together."""

    title: str = ""
    cap: Cap = 100
    floor: Annotated[int, Field(ge=-100, le=0)] = Field(
        default=-100, description="how much they take off at most"
    )


class Fit(Model):
    """Who they are: rules over the lead's profile."""

    cap: Cap = 60
    groups: Mapping[Id, Group] = Field(default_factory=dict)
    rules: tuple[ScoreRule, ...] = ()


class Engagement(Model):
    """What they do: rules over each touch, fading with time."""

    cap: Cap = 40
    half_life_days: Days | None = Field(
        default=None, description="days in which a touch loses half its points; None means never"
    )
    groups: Mapping[Id, Group] = Field(default_factory=dict)
    rules: tuple[ScoreRule, ...] = ()


class Part(Model):
    """A part of the admin's own."""

    title: str = ""
    cap: Cap
    half_life_days: Days | None = Field(default=None, description="of its rules over touches")
    groups: Mapping[Id, Group] = Field(default_factory=dict)
    rules: tuple[ScoreRule, ...] = ()
    in_total: bool = Field(default=True, description="false: a score of its own, beside the total")


class Veto(Model):
    """What puts the score down, whatever else speaks for the lead."""

    id: Id
    when: Condition = All(all=())
    touches: TouchCount | None = None
    at_most: Annotated[int, Field(ge=0, le=99)] = Field(
        default=0, description="what is left of the score"
    )


Letters = Annotated[str, Field(pattern=r"^[A-Za-z0-9+]{1,8}$")]


class Scale(Model):
    """Names for how much a part came to."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    part: Id = Field(description="fit, engagement, one of your own, or total")
    from_: Mapping[Letters, Annotated[int, Field(ge=0, le=100)]] = Field(
        alias="from", description="name -> from how many points on; one of them from 0"
    )

    @model_validator(mode="after")
    def _names_all(self) -> "Scale":
        bounds = list(self.from_.values())
        if 0 not in bounds:
            raise ValueError("from: one name begins at 0, or some leads have none")
        if len(set(bounds)) < len(bounds):
            raise ValueError("from: two names begin at the same points")
        return self


class Grades(Model):
    """A grade of one or two letters: from one part, then from another."""

    first: Scale
    second: Scale | None = None


class Scoring(Model):
    """How a score is made: parts, each capped, and what vetoes them."""

    fit: Fit = Field(default_factory=Fit)
    engagement: Engagement = Field(default_factory=Engagement)
    parts: Mapping[Id, Part] = Field(default_factory=dict)
    vetoes: tuple[Veto, ...] = ()
    grades: Grades | None = None

    @model_validator(mode="after")
    def _fits_in_a_hundred(self) -> "Scoring":
        own = sum(part.cap for part in self.parts.values() if part.in_total)
        if self.fit.cap + self.engagement.cap + own > 100:
            if not own:
                raise ValueError("fit.cap and engagement.cap together are at most 100")
            raise ValueError("the caps of fit, engagement and parts together are at most 100")
        return self
