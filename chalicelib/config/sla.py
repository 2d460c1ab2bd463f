"""The clock: by when owners are to do what, who is reminded, and what happens when they do not."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from chalicelib.config.condition import Condition, Id
from chalicelib.lead.model import Model

MOST_MINUTES = 366 * 24 * 60

Minutes = Annotated[int, Field(ge=1, le=MOST_MINUTES)]


class SlaStep(Model):
    """One step of a ladder: what happens so long before or after a promise is due."""

    after: Annotated[int, Field(ge=-MOST_MINUTES, le=MOST_MINUTES)] = Field(
        description="minutes after it was due; a negative number reminds before"
    )
    do: Literal["tell", "reassign", "alarm"] = Field(
        default="tell",
        description="tell somebody; take the lead back and give it to another owner; or tell "
        "the destinations of settings.alarms",
    )
    to: Literal["owner", "manager"] = Field(
        default="owner", description="whom a mail goes to that goes to owners"
    )
    notify: tuple[Id, ...] = Field(default=(), description="destinations that are told")
    unless: Condition | None = Field(
        default=None, description="the step is left out for a lead that fits"
    )

    @model_validator(mode="after")
    def _reminds_before(self) -> "SlaStep":
        if self.after < 0 and self.do != "tell":
            raise ValueError("before a promise is due, a step can only tell")
        return self


class SlaPromise(Model):
    """How long something may take, and the ladder around the time when it is due."""

    minutes: Minutes = Field(description="until it is due")
    steps: Annotated[tuple[SlaStep, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> "SlaPromise":
        after = [step.after for step in self.steps]
        if after != sorted(after):
            raise ValueError("steps stand in the order of their time: the smallest `after` first")
        if self.steps and -after[0] >= self.minutes:
            raise ValueError(f"a reminder {-after[0]} minutes before comes before it has begun")
        return self


class SlaPolicy(Model):
    """What is promised for some leads; the first policy that fits an assignment holds for it."""

    id: Id
    title: str = ""
    when: Condition = Field(description="as in routing: a tier by score, a source, a stage")
    time: Literal["business", "always"] = Field(
        default="business", description="whether only the owner's working time counts"
    )
    accept: SlaPromise | None = Field(default=None, description="from assigned to accepted")
    touch: SlaPromise | None = Field(
        default=None, description="from assigned, or come back, to contacted by the owner"
    )
    step: SlaPromise | None = Field(
        default=None,
        description="from one contact to the next; or until the follow-up date that was set",
    )


class Sla(Model):
    """The clock of the whole hub."""

    policies: tuple[SlaPolicy, ...] = ()
    silent_after: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None,
        description="an owner who lets so many leads in a row go unaccepted is switched off",
    )
    most_owners: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="a lead that so many have had is not taken back any more by itself"
    )

    @property
    def told(self) -> tuple[str, ...]:
        """Name the destinations that steps tell."""
        return tuple(
            name
            for policy in self.policies
            for promise in (policy.accept, policy.touch, policy.step)
            if promise
            for step in promise.steps
            for name in step.notify
        )
