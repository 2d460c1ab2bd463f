"""A whole hub in memory with the people around it: senders, owners, destinations, a clock."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from chalicelib import registry
from chalicelib.config.model import Config
from chalicelib.errors import Conflict, HubError, NotFound
from chalicelib.flow.answer import accept, decline
from chalicelib.flow.notify import notify
from chalicelib.flow.process import process
from chalicelib.flow.publish import publish
from chalicelib.flow.receive import receive
from chalicelib.flow.replay import replay
from chalicelib.flow.route import route
from chalicelib.flow.tick import tick
from chalicelib.hub import Configurations, Hub
from chalicelib.lead.model import Lead
from chalicelib.records import LONG_WORK, lead_of
from chalicelib.request import Request
from chalicelib.settings import Settings
from chalicelib.storage import Item, Received, Table
from tests.fakes import (
    Clock,
    Ids,
    Mailbox,
    MemoryBlobs,
    MemoryQueue,
    MemorySecrets,
    MemoryTable,
    MemoryWeb,
)
from tests.faults import Hook, Kill, tapped, untouched

SECRETS = {
    "forms": ("forms-secret-0123456789abcdef",),
    "linkedin": ("linkedin-secret-0123456789",),
    "linkedin_token": ("linkedin-token-0123456789",),
    "meta": ("meta-secret-0123456789abcd",),
    "meta_token": ("meta-token-0123456789abcd",),
    "slack": ("https://hooks.slack.com/services/T000/B000/made-up",),
    "crm": ("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",),
    "links": ("links-secret-0123456789abcdef",),
}

ALL_HOURS = {day: ["00:00-24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}

CONFIG: Mapping[str, Any] = {
    "settings": {"company": "Example & Co", "mail_from": "hub@example.com", "alarms": ["alarm"]},
    "sources": {
        "forms": {"connector": "generic_json", "secret": "forms", "title": "Website"},
        "events": {"connector": "generic_json", "secret": "forms", "trust": 80},
        "linkedin": {"connector": "linkedin", "secret": "linkedin", "token": "linkedin_token"},
        "meta": {"connector": "meta", "secret": "meta", "token": "meta_token"},
        "product": {"connector": "segment", "secret": "forms"},
    },
    "destinations": {
        "mail": {"kind": "email"},
        "alarm": {"kind": "email", "to": "address", "address": "duty@example.com"},
        "chat": {"kind": "slack", "secret": "slack"},
        "crm": {"kind": "webhook", "secret": "crm", "url": "https://crm.example.com/leads"},
    },
    "owners": {
        "ann": {"name": "Ann Ashby", "email": "ann@example.com"},
        "ben": {"name": "Ben Birch", "email": "ben@example.com", "daily_cap": 40},
        "cem": {"name": "Cem Cedar", "email": "cem@example.com", "hours": ALL_HOURS},
        "dee": {"name": "Dee Dale", "email": "dee@example.com", "active": False},
    },
    "pools": {
        "large": {"members": [{"owner": "ann", "weight": 2}, {"owner": "ben"}]},
        "small": {"members": [{"owner": "ben"}, {"owner": "cem"}]},
        "asleep": {"members": [{"owner": "dee"}]},
    },
    "fields": [{"id": "seats", "type": "number"}, {"id": "topic"}],
    "scoring": {
        "fit": {
            "cap": 60,
            "rules": [
                {
                    "id": "many-seats",
                    "when": {"field": "custom.seats", "op": "at_least", "value": 100},
                    "points": 50,
                }
            ],
        },
        "engagement": {
            "cap": 40,
            "rules": [
                {
                    "id": "asked",
                    "when": {"field": "source", "op": "exists"},
                    "points": 10,
                    "at_most": 3,
                }
            ],
        },
    },
    "routing": [
        {
            "id": "nobody",
            "when": {"field": "custom.topic", "op": "is", "value": "night"},
            "pool": "asleep",
            "notify": ["mail"],
        },
        {
            "id": "large",
            "when": {"field": "score", "op": "at_least", "value": 50},
            "pool": "large",
            "fallback": "small",
            "notify": ["mail", "chat", "crm"],
            "stage": "MQL",
        },
        {"id": "rest", "when": {"all": []}, "pool": "small", "notify": ["mail"]},
    ],
}
"""The configuration of every world; four owners of whom one is away, three pools."""

FIELD_MAP = {"seats": "seats", "topic": "topic"}


@cache
def configured() -> Config:
    """Give the configuration as a model."""
    document = json.loads(json.dumps(CONFIG))
    for source in ("forms", "events"):
        document["sources"][source]["fields"] = FIELD_MAP
    return Config.model_validate(document)


Weaken = Callable[[Table], Table]
"""Puts something between the flows and the table."""


def strong(table: Table) -> Table:
    """Leave the table as strong as it is."""
    return table


@dataclass(frozen=True)
class Told:
    """One request of a sender, and what it was told; None when no answer came."""

    source_id: str
    body: bytes
    status: int | None


@dataclass
class World:
    """Everything of one test; `hub` is the hub without faults.

    Attributes:
        seed: by which standard queues shuffle and double; None keeps the order.
        weaken: takes a guard away between the flows and the table; see tests/proof/test_guards.
    """

    seed: int | None = None
    clock: Clock = field(default_factory=Clock)
    ids: Ids = field(default_factory=Ids)
    table: MemoryTable = field(default_factory=MemoryTable)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    secrets: MemorySecrets = field(default_factory=lambda: MemorySecrets(SECRETS))
    mailbox: Mailbox = field(default_factory=Mailbox)
    web: MemoryWeb = field(default_factory=MemoryWeb)
    told: list[Told] = field(default_factory=list)
    config: Config = field(default_factory=configured)
    weaken: Weaken = strong

    def __post_init__(self) -> None:
        chance = None if self.seed is None else random.Random(self.seed)
        self.inbox = MemoryQueue(self.clock, chance=chance)
        self.routing = MemoryQueue(self.clock, is_fifo=True, visibility_seconds=180)
        self.outbox = MemoryQueue(self.clock, chance=chance)
        self.hub = self.worker(untouched)
        publish(self.hub, self.config, "test")

    def worker(self, hook: Hook) -> Hub:
        """Give the hub as one process sees it, every call that leaves it going through a hook."""
        hub = Hub(
            pause=lambda attempt: None,
            settings=Settings(stage="test", public_url="https://hub.example.com"),
            table=self.table,
            inbox=self.inbox,
            routing=self.routing,
            outbox=self.outbox,
            blobs=self.blobs,
            secrets=self.secrets,
            send_mail=self.mailbox,
            web=cast(Any, self.web),
            configurations=Configurations(self.table, self.clock.monotonic),
            clock=self.clock,
            new_id=self.ids,
            side_by_side=one_by_one,
            code="test",
        )
        if hook is not untouched:
            hub = tapped(hub, hook)
        table = self.weaken(hub.table)
        if table is hub.table:
            return hub
        known = Configurations(table, self.clock.monotonic)
        return replace(hub, table=table, configurations=known)

    # --- senders ------------------------------------------------------------------------------

    def request(
        self, source_id: str, body: bytes, hub: Hub | None = None, secret: str = ""
    ) -> int | None:
        """Send one signed request; gives the status, or None when the process ended first."""
        source = self.config.sources[source_id]
        signature = registry.load(source.connector).signature
        bare = Request(
            method="POST",
            path=f"/hooks/{source_id}",
            query={},
            headers={"content-type": ("application/json",)},
            body=body,
            received_at=self.clock(),
            source_id=source_id,
        )
        signed = signature.sign(bare, secret or SECRETS[source.secret][0])
        status: int | None = None
        try:
            status = receive(hub or self.hub, source_id, signed).status
        except Kill:
            status = None
        self.told.append(Told(source_id, body, status))
        return status

    def send(self, source_id: str, body: bytes, hub: Hub | None = None) -> int | None:
        """Send a request as providers do: again, a little later, until it is taken."""
        status = None
        for _ in range(4):
            status = self.request(source_id, body, hub)
            if status is not None and status < 500:
                return status
            self.clock.advance(seconds=5)
        return status

    # --- workers ------------------------------------------------------------------------------

    def work(self, queue: MemoryQueue, hub: Hub, most: int = 10) -> bool:
        """Let one worker handle one batch as Lambda does; False when there was nothing."""
        messages = queue.receive(most)
        if not messages:
            return False
        ids = [message.message_id for message in messages]
        try:
            failed = self.step(queue)(hub, messages)
        except Kill:
            failed = ids
        queue.delete(set(ids) - set(failed))
        queue.give_back(failed)
        return True

    def step(self, queue: MemoryQueue) -> Callable[[Hub, Sequence[Received]], list[str]]:
        """Give the flow that reads a queue."""
        if queue is self.inbox:
            return process
        return route if queue is self.routing else notify

    def drain(self, hub: Hub | None = None, most: int = 10) -> None:
        """Work until every queue is empty."""
        for _ in range(200):
            worked = [self.work(queue, hub or self.hub, most) for queue in self.queues]
            if not any(worked):
                return
        raise AssertionError("the queues never become empty")

    @property
    def queues(self) -> tuple[MemoryQueue, MemoryQueue, MemoryQueue]:
        """Give the three queues."""
        return self.inbox, self.routing, self.outbox

    def tick(self, hub: Hub | None = None) -> None:
        """Let a minute's work be looked for."""
        try:
            tick(hub or self.hub)
        except (Kill, HubError):
            return

    def settle(self, hub: Hub | None = None) -> None:
        """Work, and let time pass, until nothing is waiting or due any more."""
        for _ in range(60):
            self.drain(hub)
            due_at = self.next_due()
            if due_at is None:
                return
            self.clock.advance(seconds=max(0.0, (due_at - self.clock()).total_seconds()) + 1)
            self.tick(hub)
        raise AssertionError(f"never quiet: {[item['pk'] for item in self.due()]}")

    def due(self) -> list[Item]:
        """Give items with work to come; a lead of the unowned queue waits for people.

        Work that comes back every hour is never done, so it is left out.
        """
        return [
            item
            for item in self.table.scan()
            if "due_at" in item and item["due_shard"] != LONG_WORK and not _is_unowned(item)
        ]

    def next_due(self) -> datetime | None:
        """Say when the next work comes."""
        times = [datetime.fromisoformat(item["due_at"]) for item in self.due()]
        return min(times, default=None)

    # --- people -------------------------------------------------------------------------------

    def leads(self) -> list[Lead]:
        """Give every live lead."""
        found = [lead_of(item) for item in self.table.scan() if item.get("kind") == "lead"]
        return [lead for lead in found if not lead.merged_into and not lead.erased_at]

    def lead(self) -> Lead:
        """Give the only live lead."""
        (found,) = self.leads()
        return found

    def answer(
        self, what: Callable[..., Lead], hub: Hub | None = None, lead: Lead | None = None
    ) -> bool:
        """Let the owner of a lead accept or decline it; False when it was refused or not heard."""
        asked = lead or self.lead()
        if asked.assignment is None:
            return False
        for _ in range(3):
            try:
                what(
                    hub or self.hub,
                    asked.lead_id,
                    asked.assignment.assignment_id,
                    asked.assignment.owner_id,
                )
            except (Conflict, NotFound):
                return False
            except (Kill, HubError):
                continue
            return True
        return False

    def accept(self, hub: Hub | None = None, lead: Lead | None = None) -> bool:
        """Let the owner take a lead on."""
        return self.answer(accept, hub, lead)

    def decline(self, hub: Hub | None = None, lead: Lead | None = None) -> bool:
        """Let the owner give a lead back."""
        return self.answer(decline, hub, lead)

    def replay(self, delivery_id: str, hub: Hub | None = None) -> None:
        """Put a delivery through again."""
        replay(hub or self.hub, delivery_id)


def one_by_one(calls: Sequence[Callable[[], list[str]]]) -> list[list[str]]:
    """Run calls one after the other, in place of threads."""
    return [call() for call in calls]


def _is_unowned(item: Item) -> bool:
    if item["kind"] != "lead":
        return False
    lead = lead_of(item)
    return lead.is_unowned and not lead.awaits


def with_config(world: World, **parts: Any) -> Config:
    """Give the world's configuration with parts replaced."""
    return world.config.model_copy(update=parts)


def replaced(config: Config, kind: str, name: str, **update: Any) -> Config:
    """Give a configuration with one source, owner or destination changed."""
    known = dict(getattr(config, kind))
    known[name] = known[name].model_copy(update=update)
    return config.model_copy(update={kind: known})


# --- what people send ---------------------------------------------------------------------------


def form(
    number: int,
    email: str = "",
    phone: str = "",
    at: str = "2026-11-23T08:00:00Z",
    **more: Any,
) -> bytes:
    """Make the body of one enquiry."""
    body = {"id": f"form-{number}", "submitted_at": at, **more}
    body |= {"email": email} if email else {}
    body |= {"phone": phone} if phone else {}
    return json.dumps(body).encode()


URN = "urn:li:leadGenFormResponse:0000000{}-1"


def tracked(kind: str, number: int = 1, email: str = "", **traits: Any) -> bytes:
    """Make the body of a call of user 1: `track` of a demo, `identify` or `delete`."""
    told = {"email": email, **traits} if email else traits
    event: dict[str, Any] = {
        "type": kind,
        "messageId": f"call-{number}",
        "userId": "user-1",
        "timestamp": f"2026-11-23T08:{number:02}:00.000Z",
    }
    event |= {"event": "Demo Requested"} if kind == "track" else {}
    event |= {"traits": told} if told else {}
    return json.dumps(event).encode()


def linkedin(number: int, action: str = "CREATED", at: int = 1_795_420_800_000) -> bytes:
    """Make the body of LinkedIn's notice of a lead, or of its being taken back."""
    notice = {
        "type": "LEAD_ACTION",
        "leadGenFormResponse": URN.format(number),
        "leadGenForm": "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:81,2)",
        "leadAction": action,
        "occurredAt": at,
    }
    return json.dumps(notice).encode()


def linkedin_pages(number: int, email: str) -> dict[str, Any]:
    """Make what LinkedIn's API says about that lead."""
    return {
        f"leadFormResponses/0000000{number}-1": {
            "submittedAt": 1_795_420_799_000,
            "submitter": f"urn:li:person:p{number}",
            "formResponse": {
                "answers": [
                    {
                        "questionId": 1,
                        "answerDetails": {"textQuestionAnswer": {"answer": email}},
                    }
                ]
            },
        },
        "leadForms/81": {
            "id": 81,
            "name": "Audit",
            "content": {
                "questions": [{"questionId": 1, "name": "Email", "predefinedField": "EMAIL"}]
            },
        },
    }


def meta(*numbers: int) -> bytes:
    """Make the body of Meta's notice of leads."""
    changes = [
        {
            "field": "leadgen",
            "value": {
                "leadgen_id": f"77{number:04}",
                "page_id": "1",
                "form_id": "2",
                "created_time": 1_795_420_800,
            },
        }
        for number in numbers
    ]
    return json.dumps({"object": "page", "entry": [{"id": "1", "changes": changes}]}).encode()


def meta_page(number: int, email: str) -> dict[str, Any]:
    """Make what Meta's API says about one lead."""
    return {
        f"/77{number:04}": {
            "id": f"77{number:04}",
            "created_time": 1_795_420_800,
            "field_data": [{"name": "email", "values": [email]}],
        }
    }


__all__ = ["World", "configured", "form", "replace", "timedelta"]
