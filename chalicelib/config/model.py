"""The configuration document as models; one document, versioned and hashed."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from chalicelib.config.source import Country, SecretName, Source
from chalicelib.lead.model import Model, Stage, Status

ID_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"

Id = Annotated[str, Field(pattern=ID_PATTERN)]
"""An id that an admin chooses: lower-case letters, digits, `_` and `-`; part of stored data."""

Zone = Annotated[str, Field(max_length=64)]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Span = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]

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


class Destination(Model):
    """Where notifications go: a person's mail, a Slack channel, a webhook."""

    kind: Literal["email", "slack", "webhook"]
    title: str = ""
    enabled: bool = True
    secret: SecretName = Field(
        default="", description="name of: Slack address or webhook signing secret"
    )
    url: str = Field(default="", description="webhook only; https")
    to: Literal["owner", "address"] = Field(default="owner", description="email only")
    address: str = Field(default="", description="email only, when to is address")
    full: bool = Field(default=False, description="webhook only: with the person's data")


class Absence(Model):
    """Days on which an owner takes no leads, first and last included, in the owner's zone."""

    first: date
    last: date
    note: str = ""


class Owner(Model):
    """A person, or queue, answerable for leads."""

    name: str
    email: str
    active: bool = True
    language: str = "en"
    time_zone: Zone = Field(default="", description="IANA name; empty means settings.time_zone")
    hours: Mapping[Day, tuple[Span, ...]] = Field(
        default_factory=dict, description="local time; empty means always on duty"
    )
    absences: tuple[Absence, ...] = ()
    daily_cap: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="new leads per local day; None means no cap"
    )


class Member(Model):
    """An owner's part in a pool."""

    owner: Id
    weight: Annotated[int, Field(ge=1, le=1000)] = 1


class Pool(Model):
    """Owners among whom leads rotate fairly."""

    title: str = ""
    members: tuple[Member, ...]


class CustomField(Model):
    """A field of the company's own."""

    id: Id
    title: str = ""
    type: Literal["text", "number", "boolean", "choice", "list"] = "text"
    choices: tuple[str, ...] = ()


Keep = Literal["most_trusted", "most_complete", "newest", "oldest", "longest"]


class Merging(Model):
    """Which touch each field of a lead is taken from, where several say different things."""

    keep: Keep = Field(default="most_trusted", description="of every field but the message")
    fields: Mapping[str, Keep] = Field(
        default_factory=dict, description="by contact field, or by id of a custom field"
    )


Probability = Annotated[float, Field(gt=0, lt=1)]


class Matching(Model):
    """How sure the hub must be that two submissions are one person's."""

    learn: bool = Field(
        default=True, description="learn every night from what is stored; see docs/matching.md"
    )
    propose: bool = Field(
        default=True, description="ask a person about leads that may be one; else they stay two"
    )
    match: Probability | None = Field(
        default=None, description="from which it is the same person; None: as the hub comes"
    )
    ask: Probability | None = Field(default=None, description="from which a person is asked")
    merge: Probability | None = Field(
        default=None, description="from which a submission makes one lead of two"
    )


class ScoreRule(Model):
    """Points for a condition; in engagement they count for every touch that fits."""

    id: Id
    when: Condition
    points: Annotated[int, Field(ge=-100, le=100)]
    at_most: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="engagement: how many touches may count, the newest first"
    )


class Fit(Model):
    """Who they are: rules over the lead's profile."""

    cap: Annotated[int, Field(ge=0, le=100)] = 60
    rules: tuple[ScoreRule, ...] = ()


class Engagement(Model):
    """What they do: rules over each touch, fading with time."""

    cap: Annotated[int, Field(ge=0, le=100)] = 40
    half_life_days: Annotated[float, Field(gt=0, le=36500)] | None = Field(
        default=None, description="days in which a touch loses half its points; None means never"
    )
    rules: tuple[ScoreRule, ...] = ()


class Scoring(Model):
    """How a score is made: fit plus engagement, each capped."""

    fit: Fit = Field(default_factory=Fit)
    engagement: Engagement = Field(default_factory=Engagement)

    @model_validator(mode="after")
    def _fits_in_a_hundred(self) -> "Scoring":
        if self.fit.cap + self.engagement.cap > 100:
            raise ValueError("fit.cap and engagement.cap together are at most 100")
        return self


class RoutingRule(Model):
    """A condition and the pool it picks; the first rule that fits wins."""

    id: Id
    title: str = ""
    when: Condition
    pool: Id
    fallback: Id | None = Field(default=None, description="pool to use when nobody is eligible")
    notify: tuple[Id, ...] = Field(default=(), description="destinations told of an assignment")
    stage: Literal["", "MQL", "SQL"] = Field(default="", description="stage the lead is raised to")


class Retention(Model):
    """How long something is kept; then the hub takes it away by itself."""

    id: Id
    what: Literal["leads", "requests", "quarantined"] = Field(
        description="leads: the whole person; requests: what was sent, once it is settled, while "
        "leads stay; quarantined: what was set aside and never taken"
    )
    days: Annotated[int, Field(ge=1, le=36500)] = Field(
        description="after the last thing that happened with a lead, or after a request came"
    )
    sources: tuple[Id, ...] = Field(
        default=(), description="empty means all; a lead fits if all it ever sent came by these"
    )
    statuses: tuple[Status, ...] = Field(
        default=(), description="leads only; empty means all without an open deal"
    )
    stages: tuple[Stage, ...] = Field(
        default=(), description="leads only; empty means all without an open deal"
    )


class Settings(Model):
    """What holds for the whole hub."""

    company: str = ""
    language: str = "en"
    time_zone: Zone = "UTC"
    default_country: Country = ""
    mail_from: str = Field(default="", description="sender of notifications, verified at SES")
    fold_mail_dots: bool = Field(
        default=True, description="treat a.b@ and ab@ of providers that ignore dots as one"
    )
    fold_mail_plus: bool = Field(
        default=True, description="treat a+x@ and a@ of providers with tags as one"
    )
    notify_returning: bool = Field(
        default=True, description="tell the owner when their lead comes back"
    )
    alarms: tuple[Id, ...] = Field(default=(), description="destinations told of alarms")


class Config(Model):
    """The whole configuration document."""

    settings: Settings = Field(default_factory=Settings)
    sources: Mapping[Id, Source] = Field(default_factory=dict)
    destinations: Mapping[Id, Destination] = Field(default_factory=dict)
    owners: Mapping[Id, Owner] = Field(default_factory=dict)
    pools: Mapping[Id, Pool] = Field(default_factory=dict)
    fields: tuple[CustomField, ...] = ()
    merging: Merging = Field(default_factory=Merging)
    matching: Matching = Field(default_factory=Matching)
    scoring: Scoring = Field(default_factory=Scoring)
    routing: tuple[RoutingRule, ...] = ()
    retention: tuple[Retention, ...] = ()
