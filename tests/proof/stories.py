"""Stories that the proofs play: each prepares a world in peace, then acts in it under faults."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from chalicelib.errors import HubError, Refused
from chalicelib.flow.catch_up import catch_up, ensure, work_on
from chalicelib.flow.confirm import confirm
from chalicelib.flow.details import retry_effect
from chalicelib.flow.import_run import Runner
from chalicelib.flow.imports import start
from chalicelib.flow.publish import publish, set_availability
from chalicelib.flow.receive import receive
from chalicelib.flow.tokens import list_tokens, make_token, remove_token
from chalicelib.flow.watch import watch_key
from chalicelib.hub import Hub
from chalicelib.lead.model import utc_text
from chalicelib.records import Delivery, delivery_of, effect_of
from chalicelib.request import Request
from tests.faults import Kill
from tests.flow.import_scenes import pass_time, people, upload, with_lists
from tests.world import (
    World,
    form,
    linkedin,
    linkedin_pages,
    meta,
    meta_page,
    replaced,
    tracked,
    with_config,
)

PHONE = "+447700900123"


@dataclass(frozen=True)
class Story:
    """What happens; `prepare` without faults, `act` with them, then all settles.

    Attributes:
        leads: how many live leads there are in the end; None where it depends on the order.
    """

    act: Callable[[World, Hub], None]
    prepare: Callable[[World], object] = lambda world: None
    leads: int | None = 1


def deliveries(world: World) -> list[Delivery]:
    """Give every delivery, in the order of arrival."""
    found = [delivery_of(item) for item in world.table.scan() if item.get("kind") == "delivery"]
    return sorted(found, key=lambda one: one.delivery_id)


def large() -> dict[str, str]:
    """Make answers that stay too large for an item even when they are compressed."""
    chance = random.Random(1)
    return {f"part{number}": chance.randbytes(30_000).hex() for number in range(8)}


def insist(act: Callable[[], object]) -> None:
    """Do what a person does when it fails: again, a few times."""
    for _ in range(4):
        try:
            act()
        except (Kill, HubError):
            continue
        return


def _one_lead(world: World) -> None:
    world.send("forms", form(1, "zoe@example.com", seats="250"))
    world.settle()


def _two_leads(world: World) -> None:
    world.send("forms", form(1, "zoe@example.com"))
    world.send("forms", form(2, phone=PHONE))
    world.settle()


def _small_lead(world: World) -> None:
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()


def _linkedin_lead(world: World) -> None:
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    world.send("linkedin", linkedin(1))
    world.settle()


def _new_lead(world: World, hub: Hub) -> None:
    world.send("forms", form(1, "zoe@example.com", PHONE, seats="250"), hub)


def _returning(world: World, hub: Hub) -> None:
    world.send("forms", form(2, "zoe@example.com", seats="300"), hub)


def _joining(world: World, hub: Hub) -> None:
    world.send("forms", form(3, "zoe@example.com", PHONE), hub)


def _duplicate(world: World, hub: Hub) -> None:
    for _ in range(2):
        world.send("forms", form(1, "zoe@example.com", seats="250"), hub)


def _fetched(world: World, hub: Hub) -> None:
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    world.send("linkedin", linkedin(1), hub)


def _several(world: World, hub: Hub) -> None:
    for number in (1, 2, 3):
        world.web.pages |= meta_page(number, f"met{number}@example.com")
    world.send("meta", meta(1, 2, 3), hub)


def _many(world: World, hub: Hub) -> None:
    for number in range(12):
        world.web.pages |= meta_page(number, f"met{number}@example.com")
    world.send("meta", meta(*range(12)), hub)


def _withdrawal(world: World, hub: Hub) -> None:
    world.send("linkedin", linkedin(1, "DELETED", 1_795_420_900_000), hub)


def _withdrawal_first(world: World, hub: Hub) -> None:
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    world.send("linkedin", linkedin(1, "DELETED", 1_795_420_900_000), hub)
    world.send("linkedin", linkedin(1), hub)


def _two_demos(world: World) -> None:
    for number in (1, 2):
        world.send("product", tracked("track", number, "zoe@example.com"))
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()


def _erased(world: World, hub: Hub) -> None:
    world.send("product", tracked("delete", 9), hub)


def _identified(world: World, hub: Hub) -> None:
    world.send("product", tracked("identify", 5, "zoe@example.com", company="Example"), hub)


def _registered_again(world: World, hub: Hub) -> None:
    _withdrawal(world, hub)
    world.send("linkedin", linkedin(1, "CREATED", 1_795_421_000_000), hub)


def _test_lead(world: World, hub: Hub) -> None:
    world.send("forms", form(1, "zoe@example.com", test=True), hub)


def _unowned(world: World, hub: Hub) -> None:
    world.send("forms", form(1, "zoe@example.com", topic="night"), hub)


def _malformed(world: World, hub: Hub) -> None:
    world.send("forms", b'{"id": 1,', hub)
    world.send("forms", form(1), hub)


def _large(world: World, hub: Hub) -> None:
    world.send("forms", form(1, "zoe@example.com", **large()), hub)


def _declined(world: World, hub: Hub) -> None:
    world.decline(hub)


def _accepted(world: World, hub: Hub) -> None:
    world.accept(hub)


def _replayed(world: World, hub: Hub) -> None:
    (first,) = deliveries(world)
    insist(lambda: world.replay(first.delivery_id, hub))


def _mended(world: World, hub: Hub) -> None:
    """A quarantined delivery is put through again once the configuration is right."""
    insist(lambda: publish(hub, world.config, "test"))
    (first,) = deliveries(world)
    insist(lambda: world.replay(first.delivery_id, hub))


def _without_source(world: World) -> None:
    """A delivery whose source left the configuration before it was processed."""
    world.send("forms", form(1, "zoe@example.com"))
    sources = {name: one for name, one in world.config.sources.items() if name != "forms"}
    publish(world.hub, with_config(world, sources=sources), "test")
    world.settle()


def _owner_off(world: World, hub: Hub) -> None:
    (lead,) = world.leads()
    assert lead.assignment
    owner_id = lead.assignment.owner_id
    insist(lambda: set_availability(hub, owner_id, off=True))
    world.send("forms", form(2, "zoe@example.com"), hub)


def _published(world: World, hub: Hub) -> None:
    world.send("forms", form(1, "zoe@example.com", seats="250"), hub)
    config = replaced(world.config, "owners", "ann", active=False)
    insist(lambda: publish(hub, config, "test"))


def _refused_mail(world: World) -> None:
    """A lead whose owner could not be told, which was set aside."""
    world.mailbox.failures = [Refused("SES: MessageRejected")]
    _small_lead(world)


def _told_again(world: World, hub: Hub) -> None:
    (effect,) = [effect_of(item) for item in world.table.scan() if item.get("kind") == "effect"]
    insist(lambda: retry_effect(hub, effect.lead_id, effect.effect_id))


def _forged(world: World, hub: Hub) -> None:
    body = form(1, "zoe@example.com")
    insist(lambda: world.request("forms", body, hub, secret="of somebody else"))
    world.send("forms", body, hub)


def _listed(world: World) -> None:
    """Two leads at Meta of which a webhook told only one; its token is about to end."""
    grant = {"access_token": "a", "refresh_token": "r"}
    ends_at = {"expires_at": utc_text(world.clock() + timedelta(minutes=1))}
    world.secrets.values["tokens/meta"] = (json.dumps({**grant, **ends_at}),)
    at = {"created_time": "2026-11-23T08:00:00+0000", "form_id": "2"}
    leads = [
        {"id": f"77000{n}", "field_data": [{"name": "email", "values": [f"m{n}@example.com"]}]}
        for n in (1, 2)
    ]
    world.web.pages |= {
        "/me/leadgen_forms": {"data": [{"id": "2", "name": "Demo"}]},
        "/2/leads": {"data": [{**lead, **at} for lead in leads]},
        "/oauth/token": {"access_token": "b", "refresh_token": "s", "expires_in": 86400},
        **meta_page(1, "m1@example.com"),
    }
    options = {"token_url": "https://graph.example.com/oauth/token"}
    rest = {name: one for name, one in world.config.sources.items() if name != "linkedin"}
    config = with_config(world, sources=rest)
    world.config = replaced(config, "sources", "meta", token="tokens/meta", options=options)
    publish(world.hub, world.config, "test")
    world.send("meta", meta(1))
    world.settle()


def _compared(world: World, hub: Hub) -> None:
    for _ in range(3):
        insist(lambda: catch_up(hub))
        world.clock.advance(minutes=7)


def _switched(world: World, hub: Hub) -> None:
    """A source's back-fill sleeps while the source is switched off, and wakes."""
    insist(lambda: catch_up(hub))
    off = replaced(world.config, "sources", "meta", enabled=False)
    insist(lambda: publish(hub, off, "test"))
    world.clock.advance(hours=2)
    _compared(world, hub)
    insist(lambda: publish(hub, world.config, "test"))
    _compared(world, hub)


def _token(world: World, hub: Hub) -> None:
    insist(lambda: make_token(hub, "somebody", "viewer"))
    insist(lambda: [remove_token(hub, one.token_id) for one in list_tokens(hub)])
    world.send("forms", form(1, "zoe@example.com"), hub)


def _edited_form(world: World) -> None:
    """A form that asks for phone and e-mail by questions that nothing is mapped for."""
    world.send("forms", form(1, "zoe@example.com", call_me_on=PHONE))
    world.send("events", form(1, phone=PHONE))
    world.settle()
    world.send("forms", form(2, contact_address="yan@example.com"))
    world.settle()


def _confirmed(world: World, hub: Hub) -> None:
    """Both questions are mapped, and what came before is read again."""
    wrong, right = ("call_me_on", "company"), ("call_me_on", "phone")
    for key, field in (("contact_address", "email"), wrong, right):
        insist(partial(confirm, hub, "forms", "", key, field, "ann"))
    for _ in range(40):
        slices = [item for item in world.table.scan() if item.get("kind") == "reread"]
        waiting = [item for item in slices if "due_at" in item]
        if not waiting:
            return
        world.clock.advance(minutes=7)
        for item in waiting:
            insist(partial(work_on, hub, item))


def _imported(world: World, hub: Hub) -> None:
    """Upload a file with a row that cannot be read, confirm its columns, go on until it is in."""
    text = people(12).replace("person-9@example.com", "")
    ids: list[str] = []
    insist(lambda: ids.append(upload(world, text, hub=hub)))
    insist(lambda: start(hub, ids[-1], {}))
    for _ in range(5):
        insist(lambda: Runner(hub, ids[-1]).step())
        pass_time(world)


def _watched(world: World, hub: Hub) -> None:
    """The provider checks the address, and an hour later the source is looked at, twice."""
    code = "3f1c9a54-6f0b-4a0e-9a1e-0d6b7c5e2f10"
    shake = Request(
        "GET", "/hooks/linkedin", {"challengeCode": (code,)}, {}, b"", world.clock(), "", "linkedin"
    )
    insist(lambda: receive(hub, "linkedin", shake))
    insist(lambda: ensure(hub))
    for _ in range(2):
        world.clock.advance(hours=1)
        item = world.table.get(watch_key("linkedin"))
        if item:
            insist(partial(work_on, hub, item))


STORIES = {
    "a new lead, told by mail, chat and webhook": Story(_new_lead),
    "a returning lead": Story(_returning, _one_lead),
    "a submission joins two leads": Story(_joining, _two_leads),
    "the same submission twice": Story(_duplicate),
    "a lead that is fetched": Story(_fetched),
    "three leads in one request": Story(_several, leads=3),
    "a withdrawal": Story(_withdrawal, _linkedin_lead),
    "a withdrawal before its submission": Story(_withdrawal_first, leads=None),
    "withdrawn and submitted anew": Story(_registered_again, _linkedin_lead),
    "a person is to be erased at one source": Story(_erased, _two_demos),
    "news of a person who is known": Story(_identified, _one_lead),
    "news of a person whom nobody knows": Story(_identified, leads=0),
    "a changed form is confirmed and read again": Story(_confirmed, _edited_form, leads=2),
    "a test lead": Story(_test_lead, leads=0),
    "a lead that nobody can take": Story(_unowned),
    "what cannot be read": Story(_malformed, leads=0),
    "a body too large for the table": Story(_large),
    "an owner declines": Story(_declined, _small_lead),
    "an owner accepts": Story(_accepted, _one_lead),
    "a replay": Story(_replayed, _one_lead),
    "a replay of what was quarantined": Story(_mended, _without_source),
    "an owner is off when the lead returns": Story(_owner_off, _small_lead),
    "a configuration is published meanwhile": Story(_published),
    "a notification that was set aside is tried again": Story(_told_again, _refused_mail),
    "a forged request before the real one": Story(_forged),
    "a token is made and removed": Story(_token),
}

LONG_STORIES = {
    "an address is checked and its source watched": Story(_watched, _one_lead),
    "more leads in one request than one message handles": Story(_many, leads=12),
    "what webhooks missed is read from the provider's list": Story(_compared, _listed, leads=2),
    "a source with a list is switched off and on": Story(_switched, _listed, leads=2),
    "a file is imported": Story(_imported, with_lists, leads=11),
}
"""Too many calls for every fault at each; one fault in several is tried."""
