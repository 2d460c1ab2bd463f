"""How leads are qualified: what is to be done with an enquiry, and the stages of a lead."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from chalicelib.config.condition import All, Condition, Id
from chalicelib.config.scoring import TouchCount
from chalicelib.lead.model import STAGES, Model, Stage, Triage


class TriageRule(Model):
    """A condition and what is to be done; the first rule that fits wins."""

    id: Id
    title: str = ""
    when: Condition = All(all=())
    touches: TouchCount | None = None
    does: Triage
    reason: Annotated[str, Field(max_length=100)] = Field(
        default="", description="refuse: why, as it stands at the lead"
    )

    @model_validator(mode="after")
    def _says_why(self) -> "TriageRule":
        if self.does == "refuse" and not self.reason:
            raise ValueError("reason is missing: why such a lead is refused")
        return self


class Entry(Model):
    """When the hub moves a lead into a stage by itself."""

    when: Condition = All(all=())
    touches: TouchCount | None = None


StageId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]


class StageRule(Model):
    """One stage of a lead's life."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    id: StageId
    title: str = ""
    enter: Entry | None = Field(default=None, description="without it only a person moves leads in")
    from_: tuple[StageId, ...] | None = Field(
        default=None,
        alias="from",
        description="stages that a lead may come from; without it the hub moves leads here from "
        "every earlier one, and a person from any",
    )
    by: Literal["anyone", "hub", "person"] = Field(
        default="anyone", description="who may move leads here"
    )


class Qualifying(Model):
    """Triage of what comes, and the stages of a lead, from least to furthest."""

    triage: tuple[TriageRule, ...] = ()
    stages: tuple[StageRule, ...] = Field(
        default=(), description="all of them, in order; empty means the hub's own five"
    )

    @model_validator(mode="after")
    def _holds_the_five(self) -> "Qualifying":
        names = [stage.id for stage in self.stages]
        if names and (names[0] != STAGES[0] or [n for n in names if n in STAGES] != [*STAGES]):
            raise ValueError(f"stages: name {', '.join(STAGES)} in this order, yours in between")
        return self

    @property
    def order(self) -> tuple[Stage, ...]:
        """Give all stages, from least to furthest."""
        return tuple(stage.id for stage in self.stages) or STAGES
