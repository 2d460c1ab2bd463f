"""The destination contract: what a notification may show, and what sending one is given."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import AwareDatetime, Field

from chalicelib.config.model import Destination
from chalicelib.errors import Misconfigured
from chalicelib.lead.model import Consent, Model, Score
from chalicelib.storage import SendMail

KINDS = ("email", "slack", "webhook")
"""Each is a module of `chalicelib.destinations` with a value `destination`."""

Key = Annotated[str, Field(pattern=r"^[!-\-/-~]{1,255}$")]
"""An id of ours: printable ASCII without blanks, and without the dot that webhook ids lack."""

WebAddress = Annotated[str, Field(pattern=r"^(https?://[!#-;=?-\[\]_a-z~]{1,2000})?$")]
"""An address of ours, or empty; no character in it could end it in HTML or in Slack's markup."""


CLOCK_KINDS = ("reminder", "overdue", "taken_back")
"""Notices that say what an owner has not done yet, and by when it was to be."""


class Notice(Model):
    """Everything that a notification may show; the flow builds it just before sending.

    Lead text in it is as the person gave it, so it may be hostile: each destination makes it fit.
    """

    effect_id: Key = Field(description="constant over retries; the receiver's idempotency key")
    kind: Literal[
        "assigned",
        "returned",
        "unowned",
        "reminder",
        "overdue",
        "taken_back",
        "merged",
        "unmerged",
        "erased",
    ] = Field(
        description="of merges, their end and erasures only programs are told; see flow.joining"
    )
    occurred_at: AwareDatetime = Field(description="when the effect was decided")
    company: str = Field(default="", description="whose hub this is, as in the settings")
    lead_id: Key
    lead_version: int
    source_id: str = ""
    source_title: str = ""
    form_title: str = ""
    score: Score = Field(default_factory=Score)
    profile: Mapping[str, str] = Field(
        default_factory=dict, description="clean values as text, by contact or custom field"
    )
    message: str = Field(default="", description="what the person wrote; may have many lines")
    answers: Mapping[str, str] = Field(
        default_factory=dict, description="question -> answer, those that no field took"
    )
    campaign: Mapping[str, str] = Field(default_factory=dict)
    first_seen_at: AwareDatetime | None = None
    rule_title: str = ""
    because: str = Field(default="", description="one sentence: why this owner")
    consents: tuple[Consent, ...] = ()
    assignment_id: str = Field(default="", description="empty when nobody owns the lead")
    owner_id: str = Field(default="", description="empty when nobody owns the lead")
    owner_name: str = ""
    owner_email: str = ""
    reader_name: str = Field(default="", description="whom it is for, if not for the owner")
    reader_email: str = ""
    language: str = Field(default="en", description="of whoever reads it, such as de or pt-BR")
    time_zone: str = Field(default="UTC", description="of whoever reads it; an IANA name")
    accept_url: WebAddress = ""
    decline_url: WebAddress = ""
    lead_url: WebAddress = ""
    about: tuple[Mapping[str, Any], ...] = Field(
        default=(), description="merged, unmerged: each lead's id and how it then stood"
    )


class Posted(Protocol):
    """What a receiver answered to a POST; `chalicelib.web` gives these."""

    @property
    def status(self) -> int:
        """HTTP status; redirects are not followed."""

    @property
    def body(self) -> str:
        """The beginning of the answer's body."""

    @property
    def retry_after_seconds(self) -> int | None:
        """What Retry-After said, made sane; None when it did not say."""


Post = Callable[[str, bytes, Mapping[str, str]], Posted]
"""(url, body, headers) -> answer.

Raises:
    TryLater: the request surely did not arrive.
    Uncertain: it may have arrived; the answer did not.
    Refused: the address is not one that we may call.
"""


@dataclass(frozen=True)
class Tools:
    """What sending may use of the world.

    Attributes:
        secrets: live secrets of the destination, newest first.
        now: of this attempt.
        mail_from: sender of mails; see `config.model.Settings`.
        test_hosts: host:port that a test stage may call in place of the real receiver.
    """

    post: Post
    send_mail: SendMail
    secrets: tuple[str, ...]
    now: datetime
    mail_from: str = ""
    test_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class DestinationKind:
    """One way of telling somebody.

    Attributes:
        kind: the module's name; part of stored data, so never changed.
        is_repeatable: the receiver knows a repeat by its effect id, so a notice whose outcome is
            unknown may be sent again. Where it is false, it must not.
        send: gives the proof that is kept with the effect. Raises TryLater (again when due),
            Refused (quarantined, alarm), Uncertain (again at once if repeatable, else set aside
            and shown), Misconfigured (alarm).
    """

    kind: str
    title: str
    is_repeatable: bool
    send: Callable[[Notice, Destination, Tools], str]


def load(kind: str) -> DestinationKind:
    """Import the one kind asked for, and no other.

    Raises:
        Misconfigured: there is no such kind.
    """
    if kind not in KINDS:
        raise Misconfigured(f"no destination kind {kind[:40]!r}; there are {', '.join(KINDS)}")
    found: DestinationKind = importlib.import_module(f"chalicelib.destinations.{kind}").destination
    return found
