"""A hub in memory beside the stand-in provider: people submit there, webhooks may come or not."""

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from chalicelib.cli.provider import Credentials, Provider
from chalicelib.cli.provider_lists import Lead, Shelf
from chalicelib.config.source import Source
from chalicelib.errors import HubError
from chalicelib.flow.backfill import ask_for
from chalicelib.flow.catch_up import catch_up
from chalicelib.flow.comparison import Sync, sync_key, sync_of
from chalicelib.flow.publish import publish
from chalicelib.hub import Hub
from chalicelib.lead.model import utc_text
from chalicelib.web import Web
from tests.fakes import MemoryWeb
from tests.faults import Kill
from tests.world import SECRETS, Weaken, World, strong, with_config

GRANT = {
    "access_token": "access-0",
    "refresh_token": "refresh-0",
    "client_id": "our-app",
    "client_secret": "app-secret-0123456789",
}
KNOWN = Credentials("access-0", SECRETS["meta"][0], "refresh-0")


class ReadingWeb(MemoryWeb):
    """Reads over real HTTP from the stand-in; what is sent to destinations stays in memory."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self.real = Web(private_hosts=(provider.host,), total_seconds=5)

    def read(self, url: str, *given: Any, **named: Any) -> Any:
        """Read from the stand-in."""
        return self.real.read(url, *given, **named)


@dataclass
class Beside:
    """A world and the stand-in provider beside it, with one source of Typeform and one of Meta."""

    provider: Provider
    world: World
    count: int = 0

    @property
    def hub(self) -> Hub:
        """Give the hub without faults."""
        return self.world.hub

    def submit(self, source_id: str, at: datetime, form: str = "", who: str = "") -> Lead:
        """Let a person submit a form at the provider; no webhook is sent."""
        self.count += 1
        email = f"{who or f'person{self.count}'}@example.com"
        make = meta_lead if source_id == "meta" else typeform_lead
        lead = make(self.count, form or next(iter(self.shelf(source_id).forms)), at, email)
        self.shelf(source_id).leads.append(lead)
        return lead

    def webhook(self, source_id: str, lead: Lead) -> int | None:
        """Let the provider send its webhook of a lead."""
        body = meta_notice(lead) if source_id == "meta" else typeform_notice(lead)
        return self.world.send(source_id, json.dumps(body).encode())

    def shelf(self, source_id: str) -> Shelf:
        """Give what the provider has."""
        return self.provider.shelves[source_id]

    def state(self, source_id: str) -> Sync:
        """Give how far a source's back-fill has come."""
        item = self.world.table.get(sync_key(source_id))
        assert item
        return sync_of(item)

    def ask(self, source_id: str, since: datetime | None = None) -> None:
        """Let a person ask for a comparison."""
        ask_for(self.hub, source_id, since)

    def run(self, hub: Hub | None = None, minutes: int = 1, step: int = 1) -> None:
        """Let minutes pass in which the hub does all that is due; a process that dies is gone."""
        for _ in range(0, minutes, step):
            self.world.tick(hub)
            with suppress(Kill, HubError):
                catch_up(hub or self.hub)
            self.world.drain(hub)
            self.world.clock.advance(minutes=step)


@contextmanager
def beside(
    seed: int | None = None, sources: tuple[str, ...] = ("meta", "typeform")
) -> Iterator[Beside]:
    """Give a world beside a stand-in that has forms and nothing submitted yet."""
    with Provider({}, KNOWN) as provider:
        yield anew(provider, seed, sources)


def anew(
    provider: Provider,
    seed: int | None = None,
    sources: tuple[str, ...] = ("meta", "typeform"),
    weaken: Weaken = strong,
) -> Beside:
    """Give a fresh world beside a stand-in that forgets all it had; faster than a new one."""
    provider.forget()
    provider.shelves = {
        "meta": Shelf({"51": {"name": "Demo"}, "52": {"name": "Audit"}}),
        "typeform": Shelf({"f1": typeform_form("f1"), "f2": typeform_form("f2")}),
    }
    world = World(seed=seed, web=cast(Any, ReadingWeb(provider)), weaken=weaken)
    known = {name: one for name, one in world.config.sources.items() if not one.token}
    for name in sources:
        world.secrets.values[f"tokens/{name}"] = (json.dumps(GRANT),)
        known[name] = source_at(provider, name)
    world.config = with_config(world, sources=known)
    publish(world.hub, world.config, "test")
    return Beside(provider, world)


def source_at(provider: Provider, name: str) -> Source:
    """Make a source whose provider is the stand-in."""
    options: dict[str, Any] = {"token_url": provider.token_url(name)}
    if name == "meta":
        options["api_url"] = provider.api_url(name)
    else:
        options |= {"api_url": f"http://{provider.host}/{name}/-", "forms": ["f1", "f2"]}
    secret = "meta" if name == "meta" else "forms"
    return Source(connector=name, secret=secret, token=f"tokens/{name}", options=options)


def meta_lead(number: int, form: str, at: datetime, email: str) -> Lead:
    """Make a lead of Meta's."""
    lead_id = f"77{number:05}"
    body = {
        "id": lead_id,
        "created_time": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
        "form_id": form,
        "field_data": [{"name": "email", "values": [email]}],
    }
    return Lead(lead_id, form, at.replace(microsecond=0), body)


def meta_notice(*leads: Lead) -> dict[str, Any]:
    """Make Meta's notice of leads."""
    changes = [
        {
            "field": "leadgen",
            "value": {
                "leadgen_id": lead.lead_id,
                "page_id": "1",
                "form_id": lead.form,
                "created_time": int(lead.at.timestamp()),
            },
        }
        for lead in leads
    ]
    return {"object": "page", "entry": [{"id": "1", "changes": changes}]}


def typeform_form(form: str) -> dict[str, Any]:
    """Make what Typeform says of a form."""
    field = {"id": "F1", "ref": "email", "type": "email", "title": "Your e-mail", "properties": {}}
    return {"id": form, "title": "Demo", "fields": [field]}


def typeform_lead(number: int, form: str, at: datetime, email: str) -> Lead:
    """Make a response of Typeform's."""
    token = f"token{number:05}"
    field = {"id": "F1", "ref": "email", "type": "email"}
    body = {
        "token": token,
        "response_id": token,
        "landed_at": utc_text(at - timedelta(minutes=1)),
        "submitted_at": f"{at:%Y-%m-%dT%H:%M:%S}Z",
        "answers": [{"type": "email", "email": email, "field": field}],
    }
    return Lead(token, form, at.replace(microsecond=0), body)


def typeform_notice(lead: Lead) -> dict[str, Any]:
    """Make Typeform's webhook of a response."""
    response: Mapping[str, Any] = {
        **lead.body,
        "form_id": lead.form,
        "definition": typeform_form(lead.form),
    }
    return {"event_id": "e", "event_type": "form_response", "form_response": response}


def scattered(
    chance: random.Random, first: datetime, last: datetime, count: int
) -> Iterator[datetime]:
    """Give moments between two, in order."""
    span = (last - first).total_seconds()
    yield from sorted(first + timedelta(seconds=int(chance.random() * span)) for _ in range(count))
