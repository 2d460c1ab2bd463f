"""Every connector's provider is answered as it declares, whatever becomes of its request."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib import registry
from chalicelib.config.source import Source
from chalicelib.connector import CLOSED, Connector
from chalicelib.flow.receive import MOST_BYTES, receive
from chalicelib.flow.refuse import refusals_of
from chalicelib.flow.replay import replay
from chalicelib.played import make_request
from chalicelib.records import ACTIVE_KEY, active_item, active_of
from chalicelib.request import Reply, Request
from tests.flow.scenes import a_world, deliveries, reconfigure
from tests.world import World

SOURCE = "tried"
ADDRESS = f"https://hub.example.com/hooks/{SOURCE}"
SECRET = "whsec_c3VpdGUtc2VjcmV0LW5vLTEtZm9yLXRlc3Rz"
OTHER = "whsec_c3VpdGUtc2VjcmV0LW5vLTItZm9yLXRlc3Rz"

NAMES = [name for name in registry.names() if registry.load(name).signature is not CLOSED]


def world_of(name: str, **more: Any) -> World:
    """Give a world with one source of a connector."""
    source = Source.model_validate({"connector": name, "secret": "tried", **more})
    world = a_world(sources={SOURCE: source})
    world.secrets.values["tried"] = (SECRET,)
    return world


def signed(
    world: World, connector: Connector, secret: str = SECRET, padding: bytes = b""
) -> Request:
    """Make the connector's sample, signed as its provider would."""
    request = make_request(registry.sample(connector.name), SOURCE, world.clock(), ADDRESS)
    request = replace(request, body=request.body + padding)
    options = connector.options_with(world.config.sources[SOURCE].options)
    request = connector.signature_for(options).sign(request, secret)
    if len(request.body) < len(padding):
        # Whoever signs members of a JSON object writes it anew.
        request = replace(request, body=request.body + padding)
    key = getattr(request, "public_key", "")
    if key:
        world.web.pages[".pem"] = key
    return request


def ask(world: World, request: Request) -> Reply:
    return receive(world.hub, SOURCE, request)


def refused(world: World) -> dict[str, int]:
    return refusals_of(world.hub, SOURCE)[0]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_answered_so_that_it_is_not_sent_again(name: str) -> None:
    world, connector = world_of(name), registry.load(name)
    reply = ask(world, signed(world, connector))
    expected = connector.statuses.accepted
    if connector.reply:
        # A browser may be led on to a page.
        assert reply.status in (expected, 303)
    else:
        assert reply.status == expected
    assert 200 <= connector.statuses.accepted < 300
    assert len(deliveries(world)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_source_that_was_taken_out_is_answered_as_its_provider_needs(name: str) -> None:
    world, connector = world_of(name), registry.load(name)
    request = signed(world, connector)
    reconfigure(world, world.config.model_copy(update={"sources": {}}))
    reply = ask(world, request)
    assert reply.status == connector.statuses.unknown_source
    assert refused(world) == {"retired": 1}
    assert deliveries(world) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_proof_is_answered_as_the_provider_needs(name: str) -> None:
    world, connector = world_of(name), registry.load(name)
    request = signed(world, connector, OTHER)
    reply = ask(world, request)
    assert reply.status == connector.statuses.unverified
    assert refused(world) == {"unverified": 1}
    assert deliveries(world) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_source_that_is_switched_off_is_answered_as_its_provider_needs(name: str) -> None:
    world, connector = world_of(name, enabled=False), registry.load(name)
    request = signed(world, connector)
    reply = ask(world, request)
    assert reply.status == connector.statuses.switched_off
    assert refused(world) == {"switchedoff": 1}
    assert_kept_if_it_was_said(world, reply)


def assert_kept_if_it_was_said(world: World, reply: Reply) -> None:
    """Hold that what a provider was told is taken is kept, and waits for a person."""
    kept = deliveries(world)
    assert len(kept) == (reply.status < 300)
    world.settle()
    assert [one.outcome for one in deliveries(world)] == ["quarantined"] * len(kept)
    assert world.leads() == []


def test_what_came_while_a_source_was_off_is_taken_once_it_is_replayed() -> None:
    world, connector = world_of("calendly", enabled=False), registry.load("calendly")
    assert ask(world, signed(world, connector)).status == 200
    world.settle()
    (one,) = deliveries(world)
    assert "switched off" in one.reason
    replay(world.hub, one.delivery_id)
    world.settle()
    assert len(world.leads()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_too_large_is_answered_as_the_provider_needs(name: str) -> None:
    world, connector = world_of(name), registry.load(name)
    request = signed(world, connector, padding=b" " * (MOST_BYTES + 1))
    reply = ask(world, request)
    assert reply.status == connector.statuses.too_large
    assert refused(world) == {"toolarge": 1}
    assert_kept_if_it_was_said(world, reply)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("down", ["storage", "secrets", "no value"])
def test_what_cannot_be_kept_is_to_come_again(name: str, down: str) -> None:
    world, connector = world_of(name), registry.load(name)
    request = signed(world, connector)
    world.hub.configurations.source(SOURCE, 30)
    if down == "storage":
        world.table.is_down = world.inbox.is_down = world.blobs.is_down = True
    elif down == "secrets":
        world.secrets.is_down = True
    else:
        world.secrets.values.clear()
    reply = ask(world, request)
    assert reply.status == connector.statuses.unavailable
    assert reply.headers["Retry-After"]
    # Some providers never send again what was answered 4xx.
    assert connector.statuses.unavailable >= 500


# --- sources that were taken out ------------------------------------------------------------------


def test_a_source_that_nobody_ever_had_is_404_and_not_its_own() -> None:
    world = world_of("typeform")
    request = replace(signed(world, registry.load("typeform")), source_id="nobody")
    assert receive(world.hub, "nobody", request).status == 404
    assert refusals_of(world.hub, "nobody")[0] == {}


def test_a_source_that_is_back_is_no_longer_taken_out() -> None:
    world = world_of("typeform")
    request = signed(world, registry.load("typeform"))
    without = world.config.model_copy(update={"sources": {}})
    reconfigure(world, without)
    reconfigure(world, world.config)
    assert ask(world, request).status == 200
    assert world.hub.configurations.current().active.retired == {}
    reconfigure(world, without)
    assert world.hub.configurations.current().active.retired == {SOURCE: "typeform"}


def test_the_last_two_hundred_are_remembered() -> None:
    world = a_world()
    known = world.config.sources["forms"]
    for batch in range(5):
        many = {f"s{batch}-{number}": known for number in range(60)}
        reconfigure(world, world.config.model_copy(update={"sources": many}))
    retired = world.hub.configurations.current().active.retired
    assert len(retired) == 200
    assert {name[:2] for name in list(retired)[-60:]} == {"s3"}
    assert sum(name.startswith("s0") for name in retired) < 60


def test_what_was_taken_out_is_no_part_of_the_hash() -> None:
    world, other = world_of("typeform"), world_of("typeform")
    first = world.hub.configurations.current().hash
    reconfigure(world, world.config.model_copy(update={"sources": {}}))
    reconfigure(world, world.config)
    assert world.hub.configurations.current().hash == first
    assert other.hub.configurations.current().hash == first


def test_a_connector_that_is_gone_with_its_source_leaves_404() -> None:
    world = world_of("typeform")
    request = signed(world, registry.load("typeform"))
    reconfigure(world, world.config.model_copy(update={"sources": {}}))
    item = world.table.get(ACTIVE_KEY)
    assert item
    active = active_of(item).model_copy(update={"retired": {SOURCE: "no_such_connector"}})
    world.table.plant(active_item(active, "test"))
    world.clock.advance(minutes=1)
    assert ask(world, request).status == 404
