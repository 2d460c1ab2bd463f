"""What the hub talks about: submissions, touches, leads, scores and decisions; all frozen."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Answer = str | tuple[str, ...]
"""What a person answered: text, or several texts where several could be picked."""

Status = Literal["new", "assigned", "contacted", "qualified", "disqualified"]
Stage = Annotated[str, Field(min_length=1, max_length=63)]
"""One of STAGES, or of the admin's own; see config.qualifying."""

Triage = Literal["answer_now", "ask_for_more", "inform_later", "refuse"]
"""What is to be done with an enquiry."""

IntentName = Literal[
    "need",
    "urgent_need",
    "price_research",
    "information",
    "support",
    "job_seeker",
    "vendor",
    "spam",
    "unknown",
]
Urgency = Literal["", "urgent", "soon", "later"]

INTENTS: tuple[IntentName, ...] = get_args(IntentName)
URGENCIES: tuple[Urgency, ...] = ("urgent", "soon", "later")

STATUSES: tuple[Status, ...] = get_args(Status)
STAGES: tuple[Stage, ...] = ("lead", "MQL", "SQL", "opportunity", "customer")
"""The hub's own, from least to furthest."""

TRIAGES: tuple[Triage, ...] = get_args(Triage)

CONTACT_FIELDS = (
    "email",
    "phone",
    "full_name",
    "first_name",
    "last_name",
    "company",
    "company_domain",
    "website",
    "job_title",
    "message",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
    "language",
    "time_zone",
    "date_of_birth",
)
"""The fields that a field map may name beside the custom fields of the configuration."""

NAME_FIELDS = ("full_name", "first_name", "last_name")

CAMPAIGN_KEYS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "gclid",
    "gbraid",
    "wbraid",
    "fbclid",
    "msclkid",
    "ttclid",
    "li_fat_id",
    "campaign_id",
    "campaign_name",
    "adset_id",
    "ad_id",
    "creative_id",
    "platform",
)
"""What says which campaign brought a person; other keys are dropped from `campaign`."""


class Model(BaseModel):
    """A frozen value that refuses unknown fields; validators are built when first used."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


ExternalId = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A provider's id of an act: one line, for it is shown and written into logs."""


class Consent(Model):
    """What a person agreed to or refused, in the words that they saw."""

    purpose: str = Field(description="such as marketing, contact, privacy; lower case")
    given: bool
    wording: str = Field(default="", description="the text shown, or its version")
    at: AwareDatetime | None = Field(default=None, description="None means the submission's time")
    evidence: str = Field(default="", description="where it was given: a field key, a form id")


class Submission(Model):
    """One act of one person, as its connector read it; never changed."""

    external_id: ExternalId = Field(
        description="the provider's id of the act; the same id again is a duplicate"
    )
    submitted_at: AwareDatetime
    revision: str = Field(default="", description="tells acts that share one external_id apart")
    form: str = Field(default="", description="the provider's id of the form")
    form_title: str = ""
    answers: Mapping[str, Answer] = Field(default_factory=dict, description="by question key")
    labels: Mapping[str, str] = Field(default_factory=dict, description="question text by key")
    hints: Mapping[str, str] = Field(
        default_factory=dict,
        description="answer key -> contact field, as the provider's own question types say; any "
        "field map goes before",
    )
    campaign: Mapping[str, str] = Field(default_factory=dict, description="see CAMPAIGN_KEYS")
    consents: tuple[Consent, ...] = ()
    person_id: str = Field(default="", description="the provider's own id of the person, if any")
    page_url: str = ""
    language: str = Field(default="", description="as the provider or browser said it")
    is_partial: bool = False
    is_test: bool = False
    suspicion: str = Field(
        default="", description="why it looks like spam; it is then quarantined, not dropped"
    )
    only_if_known: bool = Field(
        default=False,
        description="adds to a lead that is there and makes none, as an unsubscribe does",
    )
    referrer: str = Field(default="", description="who sent this person and has credit for it")
    notes: tuple[str, ...] = Field(
        default=(), description="what its connector noticed, as self_referral; lower case"
    )
    lookup: Mapping[str, str] = Field(
        default_factory=dict, description="what fetch needs; empty when the notice is complete"
    )

    @property
    def is_spam(self) -> bool:
        """Say whether it looks like spam."""
        return bool(self.suspicion)


class Withdrawal(Model):
    """A person takes a submission back: its touch no longer counts."""

    external_id: ExternalId
    withdrawn_at: AwareDatetime
    reason: str = ""


class Erasure(Model):
    """A person, or the law, wants all that a source has told of them to be gone."""

    external_id: ExternalId
    erased_at: AwareDatetime
    person_id: str = Field(default="", description="as in the submissions of the same provider")
    email: str = ""
    phone: str = ""
    reason: str = ""


class Unreadable(Model):
    """One of several submissions in a request that cannot be read; the others go on."""

    reason: str = Field(description="what was expected and where; no personal data")
    external_id: Annotated[str, Field(max_length=512)] = ""


class Nudge(Model):
    """The provider says only that its list has something new; it is then read at once."""

    external_id: str = Field(default="", description="of the form or list, if it is told")


Act = Submission | Withdrawal | Erasure | Unreadable | Nudge
"""What a request is made of."""


class CleanValue(Model):
    """A contact field made fit for use, beside what was given."""

    value: str
    raw: str
    notes: tuple[str, ...] = Field(
        default=(), description="what was noticed: role_address, disposable, suggest:gmail.com ..."
    )


class Reading(Model):
    """What a message asks for, as the hub understood it; see lead.intent."""

    intent: IntentName = "unknown"
    sure: int = Field(default=0, description="per cent")
    urgency: Urgency = Field(default="", description="empty when the message does not say")
    language: str = Field(default="", description="that it is written in; empty when unknown")
    data: str = Field(description="version of the word lists, and of the admin's own")
    by: str = Field(default="", description="the model that was asked; empty for the hub's own")


class Touch(Model):
    """A submission, normalised: a point on a lead's timeline."""

    touch_id: str
    source_id: str
    connector: str
    external_id: str
    revision: str = ""
    delivery_id: str
    submitted_at: AwareDatetime
    received_at: AwareDatetime
    form: str = ""
    form_title: str = ""
    contact: Mapping[str, CleanValue] = Field(default_factory=dict, description="by contact field")
    unclean: Mapping[str, str] = Field(
        default_factory=dict,
        description="by contact field: what was given and could not be made fit; only matching "
        "reads it",
    )
    custom: Mapping[str, Any] = Field(
        default_factory=dict, description="by custom field; typed: text, int, bool, tuple of text"
    )
    answers: Mapping[str, Answer] = Field(default_factory=dict, description="all, as given")
    labels: Mapping[str, str] = Field(default_factory=dict)
    unmapped: tuple[str, ...] = Field(default=(), description="answer keys that no field took")
    identity_keys: tuple[str, ...] = Field(default=(), description="kind:value, sorted")
    campaign: Mapping[str, str] = Field(default_factory=dict)
    consents: tuple[Consent, ...] = ()
    page_url: str = ""
    is_partial: bool = False
    only_if_known: bool = Field(
        default=False, description="tells of a person and is no approach of theirs"
    )
    referrer: str = ""
    trust: int = Field(default=50, description="of the source, 0 to 100")
    void: Literal["", "withdrawn", "superseded"] = ""
    reading: Reading | None = Field(default=None, description="of its message, if it has one")
    notes: tuple[str, ...] = Field(
        default=(), description="what normalising noticed: invalid_email, invalid_phone ...; sorted"
    )


class ProfileValue(Model):
    """One field of a lead and where it is from: a touch, or a person who set it by hand."""

    value: Any
    touch_id: str = Field(default="", description="empty when it was set by hand")
    source_id: str = Field(default="", description="of the touch")
    event_id: str = Field(default="", description="of the edit; empty when it is from a touch")
    by: str = Field(default="", description="who set it by hand")
    at: AwareDatetime


class Edit(Model):
    """The latest word of a person of ours on one field of a lead; see lead.edits."""

    field: str = Field(description="a contact field, or the id of a custom field")
    value: Any = Field(
        default=None,
        description="typed as in a touch; None gives the field back to the touches, and what is "
        "empty leaves it empty by hand",
    )
    notes: tuple[str, ...] = Field(default=(), description="as of a clean value")
    identity_keys: tuple[str, ...] = Field(default=(), description="kind:value, sorted")
    at: AwareDatetime
    by: str
    event_id: str
    lead_id: str = Field(description="which lead it was said of; that may have been merged since")


class TouchRef(Model):
    """First or last touch: when, from where, and by which campaign."""

    touch_id: str
    at: AwareDatetime
    source_id: str
    form: str = ""
    campaign: Mapping[str, str] = Field(default_factory=dict)


class Credit(Model):
    """That somebody sent us this person, by which touch."""

    referrer: str
    source_id: str
    touch_id: str
    at: AwareDatetime


class Term(Model):
    """One addend of a score."""

    part: str = Field(description="fit, engagement, one of the admin's own, or total: a veto")
    rule_id: str
    points: int = Field(description="what it adds, after decay; caps stand as terms of their own")
    because: str = Field(description="in words, such as: company_size 250 is at least 200")
    touch_id: str = ""


class Score(Model):
    """0 to 100: fit, engagement and other parts, with the terms that add up to each exactly."""

    total: int = 0
    fit: int = 0
    engagement: int = 0
    parts: Mapping[str, int] = Field(default_factory=dict, description="the admin's own parts")
    beside: tuple[str, ...] = Field(
        default=(), description="of these parts, those that the total leaves out"
    )
    grade: str = Field(default="", description="such as A1; empty without grades")
    terms: tuple[Term, ...] = ()
    scored_at: AwareDatetime | None = None


PromiseKind = Literal["accept", "touch", "step"]
"""What an owner is awaited to do: take the lead on, contact the person, take the next step."""


class Promise(Model):
    """What an owner is to do by when, and how far its ladder has been gone; see lead.sla."""

    kind: PromiseKind
    policy_id: str = Field(default="", description="of the configuration; empty: no ladder")
    since: AwareDatetime
    due_at: AwareDatetime
    wanted_at: AwareDatetime | None = Field(
        default=None, description="a date that was set, in place of so long after `since`"
    )
    next_at: AwareDatetime | None = Field(
        default=None, description="when its next step is to be taken; None: none is left"
    )
    done: int = Field(default=0, description="how many steps of its ladder are behind it")
    told: tuple[str, ...] = Field(default=(), description="who has been told: owners, or alarms")
    began: Status = Field(default="assigned", description="status of the lead when it began")
    kept_at: AwareDatetime | None = None


class Assignment(Model):
    """That a routing rule gave a lead to an owner at a time."""

    assignment_id: str
    owner_id: str
    pool_id: str
    rule_id: str
    assigned_at: AwareDatetime
    accepted_at: AwareDatetime | None = None
    touched_at: AwareDatetime | None = Field(
        default=None, description="when the owner last contacted the person"
    )
    clock: tuple[Promise, ...] = Field(default=(), description="at most one of a kind")


class Standing(Model):
    """Where our work on a lead stands: what of it follows from no touch and no edit."""

    status: Status = "new"
    status_reason: str = ""
    stage: Stage = "lead"
    rule_id: str = ""
    pool_id: str = ""
    awaits: Literal["", "owner"] = ""
    is_unowned: bool = False
    is_raised: bool = False
    assignment: Assignment | None = None
    declined_by: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


class Join(Model):
    """That leads became part of a lead, and what taking them out again needs."""

    version: int = Field(description="of the lead before; a touch saved with a later one is later")
    before: Standing = Field(description="of the lead itself")
    joint: Standing = Field(description="of all together")
    taken: Mapping[str, Standing] = Field(description="by lead that became part: how it stood")


class Lead(Model):
    """The person we may do business with: a fold over touches, and where our work stands."""

    lead_id: str
    version: int = Field(description="plus one for every change")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    members: tuple[str, ...] = Field(
        default=(), description="ids of leads merged into this one; their touches are ours"
    )
    merged_into: str = ""
    joins: tuple[Join, ...] = Field(
        default=(), description="the merges that it came through as survivor, oldest first"
    )
    apart: tuple[str, ...] = Field(
        default=(), description="ids of leads that it is never to be merged with; both say so"
    )
    touch_count: int = 0
    profile: Mapping[str, ProfileValue] = Field(default_factory=dict)
    custom: Mapping[str, ProfileValue] = Field(default_factory=dict)
    edits: tuple[Edit, ...] = Field(
        default=(), description="by hand, one for each field and lead that it was said of; sorted"
    )
    identity_keys: tuple[str, ...] = ()
    consents: Mapping[str, Consent] = Field(default_factory=dict, description="latest by purpose")
    first_touch: TouchRef | None = None
    last_touch: TouchRef | None = None
    credits: tuple[Credit, ...] = Field(
        default=(), description="who sent them, each once, the first first; merging keeps all"
    )
    flags: tuple[str, ...] = Field(default=(), description="notes of the touches, sorted")
    is_partial: bool = False
    reading: Reading | None = Field(default=None, description="of the newest message")
    score: Score = Field(default_factory=Score)
    status: Status = "new"
    status_reason: str = ""
    stage: Stage = "lead"
    triage: Triage | Literal[""] = Field(
        default="", description="what is to be done with the latest enquiry"
    )
    triage_reason: str = ""
    rule_id: str = Field(default="", description="the routing rule that picked the pool")
    pool_id: str = ""
    awaits: Literal["", "owner"] = Field(default="", description="owner: routing is under way")
    is_unowned: bool = Field(default=False, description="nobody was eligible; an alarm is raised")
    assignment: Assignment | None = None
    declined_by: tuple[str, ...] = Field(default=(), description="owners who gave it back")
    is_raised: bool = Field(
        default=False, description="its latest touch raised its stage, so owners rotate anew"
    )
    routed: int = Field(default=0, description="how many routing decisions were made")
    config_hash: str = ""
    erased_at: AwareDatetime | None = Field(
        default=None, description="all that was known of the person is gone; what stays is the id"
    )
    erasure_id: str = ""

    @property
    def clock_at(self) -> datetime | None:
        """Say when the next step of its clock is to be taken; None while no clock runs."""
        if self.assignment is None or self.merged_into or self.erased_at or not self.is_open:
            return None
        clock = self.assignment.clock
        times = [one.next_at for one in clock if one.next_at and not one.kept_at]
        return min(times, default=None)

    @property
    def is_open(self) -> bool:
        """Say whether there is still work to be done on it."""
        return self.status != "disqualified" and self.stage != "customer"


class Verdict(Model):
    """What a decision thought of one candidate."""

    candidate: str
    is_eligible: bool
    because: str
    balance: int = Field(default=0, description="entitled minus received before, in 1e-6 leads")


class Decision(Model):
    """An automatic decision with all that it was made from, so that it can be made again."""

    kind: Literal["match", "score", "triage", "stage", "rule", "route", "escalation"]
    decided_at: AwareDatetime
    config_hash: str
    code: str = Field(description="version of the code that decided")
    inputs: Mapping[str, Any] = Field(default_factory=dict, description="ids and values")
    candidates: tuple[Verdict, ...] = ()
    result: str
    because: str = Field(description="one sentence for people")


def utc_text(moment: datetime) -> str:
    """Write an aware time as sortable text in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
