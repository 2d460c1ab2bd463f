"""The configuration document as models; one document, versioned and hashed."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.config.condition import ID_PATTERN, All, AnyOne, Condition, Id, Not, Op, Test
from chalicelib.config.qualifying import Qualifying
from chalicelib.config.routing import (
    Accounts,
    Level,
    Seniority,
    Skill,
    StrategyName,
    Territory,
)
from chalicelib.config.scoring import Scoring
from chalicelib.config.sla import Sla
from chalicelib.config.source import Country, SecretName, Source
from chalicelib.lead.model import IntentName, Model, Stage, Status

__all__ = ["ID_PATTERN", "All", "AnyOne", "Condition", "Id", "Not", "Op", "Test"]

Zone = Annotated[str, Field(max_length=64)]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Span = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


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
    cover: Id | Literal[""] = Field(
        default="", description="owner who gets what this one would have had"
    )


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
    hourly_cap: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="new leads per hour by the clock; None means no cap"
    )
    open_cap: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="open leads at a time; None means no cap"
    )
    capacity: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=30, description="open leads that are a full load; for pools by least_loaded"
    )
    country: Country = Field(default="", description="whose public holidays are days off")
    skills: tuple[Id, ...] = ()
    languages: tuple[str, ...] = Field(
        default=(), description="of leads that they can talk to; empty means any"
    )
    territories: tuple[Id, ...] = Field(default=(), description="empty means everywhere")
    seniority: Seniority = 1
    manager: Id | Literal[""] = Field(
        default="", description="the owner who is told what this one does not do in time"
    )


class Member(Model):
    """An owner's part in a pool."""

    owner: Id
    weight: Annotated[int, Field(ge=1, le=1000)] = 1


class Pool(Model):
    """Owners among whom leads rotate fairly."""

    title: str = ""
    members: tuple[Member, ...]
    strategy: StrategyName = Field(
        default="turns", description="who among the eligible comes into question, or by what weight"
    )
    floor: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="performance: the part of the leads that is shared by weight alone"
    )
    levels: tuple[Level, ...] = Field(
        default=(), description="experience: which seniority a score asks for"
    )
    draw: Annotated[float, Field(ge=0, le=0.5)] | None = Field(
        default=None,
        description="draw by lot among those within this part of a lead of whose turn it is; "
        "None: never by lot",
    )


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


IntentPoints = Annotated[int, Field(ge=-10, le=10)]


class IntentWords(Model):
    """Words of the company's own that tell what a message asks for."""

    intent: IntentName
    words: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=500)]
    points: IntentPoints = Field(default=6, description="two double the odds; negative: against")


class IntentHint(Model):
    """What messages by a source, or of a form, mostly ask for."""

    intent: IntentName
    source: Id | Literal[""] = ""
    form: str = Field(default="", description="part of the form's title; case does not count")
    points: IntentPoints = 3


class IntentModel(Model):
    """A language model on Amazon Bedrock that is asked about messages the hub does not know."""

    id: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="as Bedrock names the model or inference profile"
    )
    seconds: Annotated[float, Field(ge=0.2, le=3)] = Field(
        default=1.5,
        description="within which it answers for all messages of a batch, or not at all",
    )


class Intent(Model):
    """How messages are understood: what they ask for, how pressing they are; docs/intent.md."""

    enabled: bool = True
    words: tuple[IntentWords, ...] = ()
    hints: tuple[IntentHint, ...] = ()
    points: Mapping[str, IntentPoints] = Field(
        default_factory=dict, description="`intent:phrase` of the hub's own lists -> its points"
    )
    model: IntentModel | None = Field(default=None, description="None: nothing is sent anywhere")


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
    intent: Intent = Field(default_factory=Intent)
    scoring: Scoring = Field(default_factory=Scoring)
    qualifying: Qualifying = Field(default_factory=Qualifying)
    skills: tuple[Skill, ...] = ()
    territories: Mapping[Id, Territory] = Field(default_factory=dict)
    accounts: Accounts = Field(default_factory=Accounts)
    routing: tuple[RoutingRule, ...] = ()
    sla: Sla = Field(default_factory=Sla)
    retention: tuple[Retention, ...] = ()
