"""Worlds that the tests of the flows start from, and what they look at in them."""

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib import registry
from chalicelib.compact import grow
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.flow.publish import publish
from chalicelib.flow.receive import receive
from chalicelib.hub import Hub
from chalicelib.lead.form_change import KNOWN
from chalicelib.lead.model import Decision, Lead
from chalicelib.lead.routing import Ledger
from chalicelib.records import (
    Claim,
    Delivery,
    Effect,
    Event,
    TouchRecord,
    claim_of,
    delivery_of,
    effect_of,
    event_of,
    lead_of,
    ledger_key,
    ledger_of,
    touch_record_of,
)
from chalicelib.request import Reply, Request
from chalicelib.storage import Item
from tests.faults import Call, Hook
from tests.world import SECRETS, World, configured, form

CASES = Path(__file__).parents[1] / "connectors"
ORIGIN = "https://www.example.com"

MORE_SOURCES: Mapping[str, Any] = {
    "ads": {"connector": "google_ads", "secret": "forms"},
    "page": {
        "connector": "html_form",
        "secret": "forms",
        "options": {"origins": [ORIGIN], "honeypot": "nickname", "redirects": []},
    },
    "survey": {"connector": "typeform", "secret": "forms"},
    "signed": {
        "connector": "generic_json",
        "secret": "crm",
        "options": {"scheme": "standard_webhooks"},
    },
    "partners": {"connector": "referral", "secret": "crm"},
    "no_secret": {"connector": "generic_json", "secret": "never_set"},
}
"""Beside those of every world: a source of each other kind."""


def a_world(seed: int | None = None, **parts: Any) -> World:
    """Give a world in which every kind of source is configured; parts replace the usual ones."""
    more = {name: Source.model_validate(one) for name, one in MORE_SOURCES.items()}
    usual = {"sources": {**configured().sources, **more}}
    return World(seed=seed, config=configured().model_copy(update={**usual, **parts}))


def changed(config: Config, kind: str, name: str, **update: Any) -> Config:
    """Give a configuration with one source, owner, pool or destination changed or made."""
    known = dict(getattr(config, kind))
    known[name] = known[name].model_copy(update=update)
    return config.model_copy(update={kind: known})


def reconfigure(world: World, config: Config) -> None:
    """Put another configuration in force."""
    publish(world.hub, config, "admin")


def know_form(world: World) -> None:
    """Let the hub learn the form of source `forms`, so that nothing about it is news any more."""
    for number in range(100, 100 + KNOWN):
        ask(world, "forms", form(number, f"known{number}@example.com"))
    world.settle()


# --- at the door ----------------------------------------------------------------------------------


def ask(
    world: World,
    source_id: str,
    body: bytes = b"",
    *,
    method: str = "POST",
    headers: Mapping[str, str | tuple[str, ...]] | None = None,
    query: Mapping[str, str] | None = None,
    secret: str | None = None,
    hub: Hub | None = None,
) -> Reply:
    """Send one request to the door; signed with the source's secret unless another is given.

    Args:
        secret: empty sends it unsigned.
    """
    given = {"content-type": "application/json", **(headers or {})}
    request = Request(
        method=method,
        path=f"/hooks/{source_id}",
        query={name: (value,) for name, value in (query or {}).items()},
        headers={k: (v,) if isinstance(v, str) else v for k, v in given.items() if v},
        body=body,
        received_at=world.clock(),
        source_id=source_id,
    )
    source = world.config.sources.get(source_id)
    if source and method == "POST" and secret != "":
        connector = registry.load(source.connector)
        signature = connector.signature_for(connector.options_with(source.options))
        request = signature.sign(request, secret or SECRETS[source.secret][0])
    return receive(hub or world.hub, source_id, request)


@dataclass
class Noted:
    """A hook that notes every call, and lets some of them fail."""

    names: list[str] = field(default_factory=list)
    instead: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def __call__(self, call: Call, go: Callable[[], Any]) -> Any:
        """Note a call, then make it."""
        name = f"{call.on}.{call.does}"
        self.names.append(name)
        return self.instead.get(name, go)()


def noted(world: World) -> tuple[Hub, list[str]]:
    """Give a hub, and the list in which its calls are noted as they are made."""
    hook = Noted()
    return world.worker(hook), hook.names


def failing_at(name: str, nth: int, error: Exception) -> Hook:
    """Make the nth call of a name fail before its effect."""
    seen = 0

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        nonlocal seen
        seen += f"{call.on}.{call.does}" == name
        if f"{call.on}.{call.does}" == name and seen == nth:
            raise error
        return go()

    return hook


# --- what is stored -------------------------------------------------------------------------------


def of_kind(world: World, kind: str) -> list[Item]:
    """Give the items of a kind, in key order."""
    return [item for item in world.table.scan() if item.get("kind") == kind]


def deliveries(world: World) -> list[Delivery]:
    """Give every delivery, in the order of arrival."""
    found = [delivery_of(item) for item in of_kind(world, "delivery")]
    return sorted(found, key=lambda one: one.delivery_id)


def delivery(world: World) -> Delivery:
    """Give the only delivery."""
    (found,) = deliveries(world)
    return found


def outcomes(world: World) -> list[str]:
    """Give what became of every delivery, in the order of arrival."""
    return [one.outcome for one in deliveries(world)]


def claims(world: World) -> list[Claim]:
    """Give every claim."""
    return [claim_of(item) for item in of_kind(world, "claim")]


def touches(world: World) -> list[TouchRecord]:
    """Give every touch with its decisions."""
    return [touch_record_of(item) for item in of_kind(world, "touch")]


def all_leads(world: World) -> list[Lead]:
    """Give every lead, also those merged away."""
    return [lead_of(item) for item in of_kind(world, "lead")]


def events(world: World, *kinds: str) -> list[Event]:
    """Give the timeline events of these kinds, or of all, in order of time."""
    found = [event_of(item) for item in of_kind(world, "event")]
    wanted = [event for event in found if not kinds or event.kind in kinds]
    return sorted(wanted, key=lambda event: event.at)


def effects(world: World, *destination_ids: str) -> list[Effect]:
    """Give every effect of these destinations, or of all."""
    found = [effect_of(item) for item in of_kind(world, "effect")]
    return [one for one in found if not destination_ids or one.destination_id in destination_ids]


def effect(world: World, destination_id: str) -> Effect:
    """Give the only effect of a destination."""
    (found,) = effects(world, destination_id)
    return found


def ledger(world: World, pool_id: str) -> Ledger:
    """Give a pool's ledger."""
    item = world.table.get(ledger_key(pool_id))
    return ledger_of(item) if item else Ledger(pool_id=pool_id)


def received(world: World, pool_id: str) -> dict[str, int]:
    """Say how many leads of a pool each owner got."""
    return {owner: account.received for owner, account in ledger(world, pool_id).accounts.items()}


def owner_of(lead: Lead) -> str:
    """Name a lead's owner; empty if it has none."""
    return lead.assignment.owner_id if lead.assignment else ""


def decision(lead_events: list[Event], kind: str) -> Decision:
    """Give the last decision of a kind."""
    return [one for event in lead_events for one in event.decisions if one.kind == kind][-1]


def value(lead: Lead, name: str) -> Any:
    """Give a contact field of a lead."""
    return lead.profile[name].value


def everything_kept(world: World) -> bytes:
    """Give all that is stored or was queued, opened, to be searched for what must not be there."""
    parts: list[Any] = [*world.table.scan(), *world.blobs.kept.values()]
    parts += [message.body for queue in world.queues for message in queue.sent]
    return b"\n".join(opened for part in parts for opened in _opened(part))


def _opened(part: Any) -> Iterator[bytes]:
    if isinstance(part, Mapping):
        for name, inner in part.items():
            yield str(name).encode()
            yield from _opened(inner)
    elif isinstance(part, (list, tuple)):
        for inner in part:
            yield from _opened(inner)
    elif isinstance(part, bytes):
        yield part
        yield from _grown(part)
    else:
        text = str(part)
        yield text.encode("utf-8", "surrogatepass")
        yield from _decoded(text)


def _grown(data: bytes) -> Iterator[bytes]:
    """Open what was made smaller."""
    try:
        text = grow(data).decode("utf-8", "surrogatepass")
    except ValueError:
        return
    yield from _opened(text)


def _decoded(text: str) -> Iterator[bytes]:
    """Open what is base64, or JSON that holds some."""
    if text.startswith("{"):
        inner = json.loads(text)
        yield from (opened for one in inner.values() for opened in _opened(one))
        return
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return
    yield data
    yield from _grown(data)


def large_form(number: int, email: str, characters: int) -> bytes:
    """Make an enquiry with many answers that compressing cannot halve."""
    text = random.Random(number).randbytes(characters // 2).hex()
    answers = {f"a{at}": text[at : at + 40_000] for at in range(0, characters, 40_000)}
    return form(number, email, **answers)


def case(connector: str, name: str) -> dict[str, Any]:
    """Read a case of a connector."""
    found: dict[str, Any] = json.loads((CASES / connector / f"{name}.json").read_text())
    return {**registry.sample(connector), **found} if found.get("sample") else found


def case_body(connector: str, name: str) -> bytes:
    """Give the body of a case."""
    return json.dumps(case(connector, name)["body"]).encode()


def case_pages(connector: str, name: str) -> dict[str, Any]:
    """Give what the provider's API says in a case, by path."""
    fetched = case(connector, name)["fetched"]
    return {path.partition("?")[0]: page for path, page in fetched.items()}
