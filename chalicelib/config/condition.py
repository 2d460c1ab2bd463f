"""Conditions as data: what the configuration may say of a lead, or of a touch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from chalicelib.lead.model import Model

ID_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"

Id = Annotated[str, Field(pattern=ID_PATTERN)]
"""An id that an admin chooses: lower-case letters, digits, `_` and `-`; part of stored data."""

Op = Literal[
    "is",
    "is_not",
    "in",
    "not_in",
    "contains",
    "starts_with",
    "ends_with",
    "at_least",
    "at_most",
    "more_than",
    "less_than",
    "exists",
    "missing",
]


class Test(Model):
    """One comparison: a field, how to compare, and with what."""

    __test__: ClassVar[bool] = False  # pytest takes any class of this name for a test

    field: str = Field(description="see lead.conditions.FIELDS: email_domain, custom.size, score")
    op: Op
    value: Any = None


class All(Model):
    """Every one of these holds; an empty list always holds."""

    all: tuple["Condition", ...]


class AnyOne(Model):
    """At least one of these holds."""

    any: tuple["Condition", ...]


class Not(Model):
    """This does not hold."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    not_: "Condition" = Field(alias="not")


def _kind_of_condition(value: object) -> str:
    """Say which of the four a condition is by its key, so that an error is about that one only."""
    if isinstance(value, Mapping):
        return next((f"({kind})" for kind in ("all", "any", "not") if kind in value), "(test)")
    kinds: Mapping[type, str] = {All: "(all)", AnyOne: "(any)", Not: "(not)"}
    return kinds.get(type(value), "(test)")


Condition = Annotated[
    Annotated[Test, Tag("(test)")]
    | Annotated[All, Tag("(all)")]
    | Annotated[AnyOne, Tag("(any)")]
    | Annotated[Not, Tag("(not)")],
    Discriminator(_kind_of_condition),
]
