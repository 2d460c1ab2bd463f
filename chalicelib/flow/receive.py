"""Step 2: verify a webhook, keep it, queue it, answer; nothing is parsed here."""

import json
from dataclasses import dataclass
from datetime import timedelta

from chalicelib import registry
from chalicelib.config.source import Source
from chalicelib.connector import CLOSED, Connector, Options, Statuses
from chalicelib.errors import (
    Malformed,
    Misconfigured,
    Retired,
    SwitchedOff,
    TooLarge,
    Unavailable,
    UnknownSource,
    Unverified,
)
from chalicelib.flow.handshakes import note_handshake
from chalicelib.flow.keep import keep, whole
from chalicelib.flow.public_keys import confirm, with_public_key
from chalicelib.flow.refuse import refuse
from chalicelib.hub import Hub
from chalicelib.records import Delivery
from chalicelib.request import Reply, Request, kept, pack
from chalicelib.storage import Message

MOST_BYTES = 4 * 1024 * 1024
"""Largest body we take: what fits Lambda's 6 MB as base64."""

MOST_QUEUED_BYTES = 700 * 1024
"""Largest packed request that a message can carry whole, as base64, when the table is down."""

CONFIG_AGE_SECONDS = 30
"""How old the configuration may be that the door uses."""

SENT_ON_AFTER = timedelta(minutes=2)
"""When tick takes a kept delivery for one whose message was lost."""


@dataclass(frozen=True)
class Door:
    """The source that an address names, with its connector."""

    source_id: str
    source: Source
    connector: Connector


@dataclass(frozen=True)
class Unwanted:
    """Why a request is not taken, and the status code to say it with."""

    error: SwitchedOff | TooLarge
    status: int


FIRST_REFUSAL = 300
"""Status codes below say to a provider that a request was taken."""


def receive(hub: Hub, source_id: str, request: Request) -> Reply:
    """Answer one request to /hooks/{source_id}."""
    try:
        door = _find(hub, source_id)
    except UnknownSource as error:
        return _unknown(hub, source_id, request, error)
    except (Unavailable, Misconfigured) as error:
        hub.trouble(error)
        return _busy(503)
    return _for_people(door.connector, _options(door), request, _answer(hub, door, request))


def _for_people(connector: Connector, options: Options, request: Request, reply: Reply) -> Reply:
    """Make a reply fit for the browser that asked, where there is one."""
    headers = connector.cors(request, options) if connector.cors else {}
    if reply.status >= 400 and connector.apologise and request.method == "POST":
        headers = {**headers, **reply.headers}
        reply = connector.apologise(request, options, reply.status)
    return Reply(reply.status, reply.body, reply.content_type, {**headers, **reply.headers})


def _answer(hub: Hub, door: Door, request: Request) -> Reply:
    statuses = door.connector.statuses
    try:
        if request.method == "OPTIONS":
            return Reply(204, "")
        unwanted = _unwanted(door, request)
        if unwanted and (request.method != "POST" or unwanted.status >= FIRST_REFUSAL):
            raise unwanted.error
        if request.method in ("GET", "HEAD"):
            return _shake_hands(hub, door, request)
        signature = door.connector.signature_for(_options(door))
        secrets = () if signature is CLOSED else _secrets(hub, door.source.secret)
        signed = with_public_key(hub, signature, request, secrets)
        verified = signature.verify(signed, secrets, request.received_at)
        confirm(hub, door.connector, verified)
        held = str(unwanted.error) if unwanted else ""
        _keep(hub, door, kept(verified, signature.secret_headers), held)
    except SwitchedOff as error:
        refuse(hub, door.source_id, error)
        return _problem(statuses.switched_off, "this source is switched off")
    except Unverified as error:
        refuse(hub, door.source_id, error)
        return _problem(statuses.unverified, "not verified")
    except TooLarge as error:
        refuse(hub, door.source_id, error)
        return _problem(statuses.too_large, "too large; at most 4 MB")
    except (Unavailable, Misconfigured) as error:
        hub.trouble(error)
        return _busy(statuses.unavailable)
    if unwanted:
        refuse(hub, door.source_id, unwanted.error)
        return Reply(unwanted.status)
    if door.connector.reply:
        return door.connector.reply(verified, _options(door))
    return Reply(statuses.accepted)


def _unwanted(door: Door, request: Request) -> Unwanted | None:
    """Say why a request would be refused whoever sent it, and how its provider must be told.

    A provider that would give the webhook up must be told that all is well. What is answered so is
    kept, and held until a person replays it.
    """
    statuses = door.connector.statuses
    if not door.source.enabled:
        error = SwitchedOff(f"{door.source_id} is switched off")
        return Unwanted(error, statuses.switched_off)
    if len(request.body) > MOST_BYTES:
        said = f"body of {len(request.body)} bytes; expected at most {MOST_BYTES}"
        return Unwanted(TooLarge(said), statuses.too_large)
    return None


def _find(hub: Hub, source_id: str) -> Door:
    """Find a source and load its connector, and no other."""
    source = hub.configurations.source(source_id, CONFIG_AGE_SECONDS)
    if source is None:
        raise UnknownSource("no such source")
    return Door(source_id, source, registry.load(source.connector))


def _unknown(hub: Hub, source_id: str, request: Request, error: UnknownSource) -> Reply:
    """Answer for no source; one that was taken out is answered as its provider needs it."""
    try:
        name = hub.configurations.retired(source_id, CONFIG_AGE_SECONDS)
        connector = registry.load(name) if name else None
    except (Unavailable, Misconfigured) as failure:
        hub.trouble(failure)
        connector = None
    if connector is None:
        refuse(hub, source_id, error)
        return _problem(Statuses.unknown_source, "unknown source")
    refuse(hub, source_id, Retired("the source was taken out of the configuration"))
    reply = _problem(connector.statuses.unknown_source, "unknown source")
    return _for_people(connector, connector.options_with({}), request, reply)


def _shake_hands(hub: Hub, door: Door, request: Request) -> Reply:
    """Answer a provider that checks the address, in exactly the form that it wants."""
    if not door.connector.handshake:
        return Reply(200) if request.method == "HEAD" else _problem(405, "expected POST")
    try:
        secrets = _secrets(hub, door.source.verify_token or door.source.secret)
        reply = door.connector.handshake(request, secrets)
    except Malformed as error:
        # Anybody who tries the address; a provider's own handshake has the right form.
        refuse(hub, door.source_id, error)
        return _problem(400, "not the handshake that was expected")
    except Unverified as error:
        note_handshake(hub, door.source_id, error)
        refuse(hub, door.source_id, error)
        return _problem(403, "not verified")
    except Misconfigured as error:
        note_handshake(hub, door.source_id, error)
        raise
    note_handshake(hub, door.source_id)
    return reply


def _secrets(hub: Hub, name: str) -> tuple[str, ...]:
    """Give the live secrets; having none is our mistake, never a reason to let all in."""
    found = hub.secrets.get(name)
    if not found:
        raise Misconfigured(f"secret {name!r} has no live value")
    return found


def _keep(hub: Hub, door: Door, request: Request, held: str) -> None:
    """Keep a request in the table and put its id on the queue; either of them will do."""
    raw = pack(request)
    delivery = Delivery(
        delivery_id=hub.new_id(),
        source_id=door.source_id,
        connector=door.connector.name,
        received_at=request.received_at,
        due_at=request.received_at + SENT_ON_AFTER,
        held=held,
    )
    message = Message({"delivery": delivery.delivery_id})
    is_kept = True
    try:
        keep(hub, delivery, raw)
    except Unavailable as error:
        hub.trouble(error)
        if len(raw) > MOST_QUEUED_BYTES:
            raise
        is_kept = False
        message = whole(delivery, raw)
    try:
        hub.inbox.send([message])
    except Unavailable as error:
        hub.trouble(error)
        if not is_kept:
            raise


def _problem(status: int, title: str) -> Reply:
    """Say what is wrong, and nothing about us."""
    return Reply(status, json.dumps({"message": title}))


def _busy(status: int) -> Reply:
    """Ask the provider to come again: nothing was kept."""
    reply = _problem(status, "busy, try again")
    return Reply(reply.status, reply.body, reply.content_type, {"Retry-After": "30"})


def _options(door: Door) -> Options:
    return door.connector.options_with(door.source.options)
