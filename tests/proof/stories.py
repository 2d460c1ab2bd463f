"""Stories that the proofs play: each prepares a world in peace, then acts in it under faults."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from chalicelib.config.model import Retention
from chalicelib.config.qualifying import Qualifying
from chalicelib.config.routing import Accounts
from chalicelib.config.source import Source
from chalicelib.errors import HubError, Refused, UnknownSource
from chalicelib.flow import dedupe
from chalicelib.flow.accounts import AccountOwner, account_id_of, account_item
from chalicelib.flow.catch_up import catch_up, ensure, work_on
from chalicelib.flow.clock import plan_step, touched
from chalicelib.flow.comparison import Sync, sync_item
from chalicelib.flow.confirm import confirm
from chalicelib.flow.dedupe import DEDUPE_KEY
from chalicelib.flow.details import retry_effect
from chalicelib.flow.duplicates import decide, every_duplicate
from chalicelib.flow.edit import edit
from chalicelib.flow.erase import begin
from chalicelib.flow.export import export
from chalicelib.flow.import_run import Runner
from chalicelib.flow.imports import start
from chalicelib.flow.learn import (
    LEARNING_KEY,
    LEAST,
    Learning,
    learn_now,
    learning_item,
    learning_of,
)
from chalicelib.flow.merge import keep_apart, lift, merge
from chalicelib.flow.move import move
from chalicelib.flow.publish import publish, set_availability
from chalicelib.flow.receive import receive
from chalicelib.flow.refuse import refuse
from chalicelib.flow.tally import DayRow
from chalicelib.flow.tokens import list_tokens, make_token, remove_token
from chalicelib.flow.train import publish_card
from chalicelib.flow.unmerge import unmerge
from chalicelib.flow.walk import Walk
from chalicelib.flow.watch import watch_key
from chalicelib.hub import Hub
from chalicelib.lead.model import STAGES, utc_text
from chalicelib.lead.predict.card import Card
from chalicelib.records import (
    ACTIVE_KEY,
    SHARDS,
    Delivery,
    active_item,
    active_of,
    delivery_of,
    effect_of,
    lead_item,
    lead_of,
)
from chalicelib.request import Request
from chalicelib.storage import Put
from tests.faults import Kill
from tests.flow.import_scenes import pass_time, people, take_in, upload, with_lists
from tests.flow.match_scenes import CHATTY, ZOE, alike, chatty, duplicate, unasked
from tests.flow.sla_scenes import with_clock
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


def _with_newsletter(world: World) -> None:
    """A world with a list at Mailchimp."""
    newsletter = Source(connector="mailchimp", secret="forms")
    sources = {**world.config.sources, "newsletter": newsletter}
    world.config = with_config(world, sources=sources)
    publish(world.hub, world.config, "test")


def _told_of_nobody(world: World, hub: Hub) -> None:
    """Somebody leaves a list and is to be erased before anything of theirs has come."""
    left = {"type": "unsubscribe", "fired_at": "2026-11-23 08:05:00"}
    who = {"data[id]": "z1", "data[list_id]": "l1", "data[email]": "zoe@example.com"}
    world.send("newsletter", json.dumps({**left, **who}).encode(), hub)
    world.send("product", tracked("delete", 8), hub)
    for _ in range(3):
        world.drain(hub)
        world.clock.advance(minutes=7)
        world.tick(hub)
    world.send("product", tracked("track", 1, "zoe@example.com"), hub)
    world.send("product", tracked("delete", 9), hub)
    world.send("forms", form(1, "zoe@example.com", PHONE), hub)


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


def _counted(world: World) -> None:
    """Owners have caps on open leads and per hour, and companies stay with one owner."""
    config = with_config(world, accounts=Accounts(stick=True))
    for owner_id in ("ben", "cem"):
        config = replaced(config, "owners", owner_id, open_cap=5, hourly_cap=5)
    publish(world.hub, config, "admin")
    account = AccountOwner(account_id=account_id_of("example.com"), owner_id="gone", version=1)
    world.table.plant(account_item(account, "w"))
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()


def _many_firms(world: World, hub: Hub) -> None:
    """People of a company that is known, and of one that is not."""
    bodies = [form(2, "yan@example.com"), form(3, "xia@example.net"), form(4, "wim@example.net")]
    for body in bodies:
        insist(partial(world.send, "forms", body, hub))


def _declined(world: World, hub: Hub) -> None:
    world.decline(hub)


def _accepted(world: World, hub: Hub) -> None:
    world.accept(hub)


def clocked(world: World, **sla: int) -> None:
    """A lead that its owner is to accept within an hour."""
    config = with_clock(most_owners=2, **sla)
    world.config = with_config(world, owners=config.owners, sla=config.sla)
    publish(world.hub, world.config, "test")
    world.send("forms", form(1, "zoe@example.com", seats="250"))
    world.drain()


def _ignored(world: World, hub: Hub) -> None:
    """Nobody does anything, for hours."""
    for _ in range(5):
        world.clock.advance(minutes=31)
        insist(lambda: world.tick(hub))
        world.drain(hub)


def _contacted(world: World, hub: Hub) -> None:
    """The owner is reminded, calls the person, and says when the next call is to be."""
    world.clock.advance(minutes=11)
    insist(lambda: world.tick(hub))
    lead_id = world.lead().lead_id
    tomorrow = world.clock() + timedelta(days=1)
    insist(lambda: touched(hub, lead_id, "ann", tomorrow, "voice mail"))
    insist(lambda: plan_step(hub, lead_id, tomorrow + timedelta(days=1), "ann"))
    world.send("forms", form(2, "zoe@example.com"), hub)


def _hears(world: World, hub: Hub) -> None:
    """An owner misses one lead and accepts the next."""
    _ignored(world, hub)
    world.send("forms", form(2, "yan@example.net"), hub)
    world.drain(hub)
    for lead in world.leads():
        world.accept(hub, lead)


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


def _edited(world: World, hub: Hub) -> None:
    """Somebody sets an address wrongly, then rightly, then goes by what the person says."""
    lead_id = world.lead().lead_id
    for wanted, released in (
        ({"email": "yan@example.org", "company": "Example"}, ()),
        ({"email": "zoe@example.org", "phone": PHONE}, ()),
        ({"seats": "250"}, ("email",)),
    ):
        insist(partial(edit, hub, lead_id, wanted, released, "ann"))
    world.send("forms", form(2, "zoe@example.com", company="Other"), hub)


def oldest_first(world: World) -> list[str]:
    """Give the ids of all live leads."""
    return [one.lead_id for one in sorted(world.leads(), key=lambda one: one.created_at)]


def two_owned(world: World) -> None:
    """Two people of whom mail, chat and webhook were told; one's owner is not told yet."""
    world.send("forms", form(1, "zoe@example.com", seats="250", full_name="Zoe Ash"))
    world.settle()
    world.clock.advance(minutes=1)
    world.send("forms", form(2, "yan@example.net", PHONE, seats="200", full_name="Yan Birk"))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)


def one_of_two(world: World) -> None:
    """Two people who were taken for one, and what both have sent since."""
    two_owned(world)
    merge(world.hub, oldest_first(world), "ann")
    world.settle()
    world.clock.advance(minutes=1)
    world.send("forms", form(3, "yan@example.net", "+447700900124", seats="300"))
    world.send("forms", form(4, "zoe@example.com", seats="260"))
    world.settle()


def _merged_by_hand(world: World, hub: Hub) -> None:
    lead_ids = oldest_first(world)
    insist(lambda: merge(hub, lead_ids, "ann", "she said so"))
    world.send("forms", form(5, "yan@example.net"), hub)


def _taken_apart(world: World, hub: Hub) -> None:
    lead = world.lead()
    insist(lambda: unmerge(hub, lead.lead_id, lead.members[0], "ann", "two people"))
    world.send("forms", form(5, "yan@example.net"), hub)


def _one_of_three(world: World) -> None:
    """One of two who were taken for one was then taken for a third, and writes a lot."""
    for number, name in enumerate(("Zoe Ash", "Yan Birk", "Xia Cole")):
        world.clock.advance(minutes=1)
        world.send("forms", form(number, f"{name[:3]}@example.com".lower(), full_name=name))
        world.settle()
    first, second, third = oldest_first(world)
    merge(world.hub, [second, third], "ann")
    merge(world.hub, [first, second], "ann")
    for number in range(10, 20):
        world.send("forms", form(number, "xia@example.com", f"+4477009005{number}"))
        world.settle()


def _taken_apart_twice(world: World, hub: Hub) -> None:
    lead = world.lead()
    own = [lead_of(item) for item in world.table.scan() if item.get("kind") == "lead"]
    second, third = sorted(own, key=lambda one: one.created_at)[1:]
    insist(lambda: unmerge(hub, lead.lead_id, third.lead_id, "ann"))
    insist(lambda: unmerge(hub, lead.lead_id, second.lead_id, "ann"))


def _kept_apart(world: World, hub: Hub) -> None:
    """Two leads are kept apart although they then share a phone, and merged after all."""
    one, other = oldest_first(world)
    insist(lambda: keep_apart(hub, one, other, "ann", "twins"))
    world.send("forms", form(5, "zoe@example.com", PHONE), hub)
    world.settle(hub)
    insist(lambda: lift(hub, one, other, "ann"))
    insist(lambda: keep_apart(hub, one, other, "ann"))
    insist(lambda: merge(hub, [one, other], "ann", anyway=True))


def _imported(world: World, hub: Hub) -> None:
    """Upload a file with a row that cannot be read, confirm its columns, go on until it is in."""
    text = people(12).replace("person-9@example.com", "")
    ids: list[str] = []
    insist(lambda: ids.append(upload(world, text, hub=hub)))
    insist(lambda: start(hub, ids[-1], {}))
    for _ in range(5):
        insist(lambda: Runner(hub, ids[-1]).step())
        pass_time(world)


def _looked_through(world: World, hub: Hub) -> None:
    """All leads are looked through, somebody alike writes, and a person decides on both."""

    def look() -> None:
        if world.table.get(DEDUPE_KEY) is None:
            dedupe.begin(hub, "ann")
        dedupe.run_on(hub, lambda run: None)

    insist(look)
    found = duplicate(world)
    world.send("forms", form(9, **{**ZOE, "email": "z.e.miller@example.edu"}), hub)
    world.settle(hub)
    insist(lambda: decide(hub, found.one.lead_id, found.other.lead_id, "merged", "ann"))
    for one in every_duplicate(world.hub):
        one_id, other_id = one.one.lead_id, one.other.lead_id
        insist(partial(decide, hub, one_id, other_id, "apart", "ann"))
        insist(partial(lift, hub, one_id, other_id, "ann"))
    insist(lambda: list(every_duplicate(hub)))
    world.clock.advance(minutes=1)
    world.send("forms", form(10, **{**ZOE, "email": "z.e.miller@example.edu"}), hub)


def _learnt(world: World, hub: Hub) -> None:
    """Too little is there to learn from, and then enough."""
    insist(lambda: learn_now(hub))
    seen = Walk(part=SHARDS, seen=LEAST)
    sample = tuple(sorted(lead.lead_id for lead in world.leads()))
    state = Learning(began_at=world.clock(), walk=seen, sample=sample)
    world.table.plant(learning_item(state, 9, world.clock(), "prepared"))
    for _ in range(4):
        item = world.table.get(LEARNING_KEY)
        if item and not learning_of(item).finished_at:
            insist(partial(work_on, hub, item))
        world.clock.advance(minutes=7)


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


def _with_only(world: World, *names: str) -> None:
    """Give a world a configuration that never had more sources than these."""
    sources = {name: world.config.sources[name] for name in names}
    world.config = with_config(world, sources=sources)
    publish(world.hub, world.config, "test")
    item = world.table.get(ACTIVE_KEY)
    assert item is not None
    never_more = active_of(item).model_copy(update={"retired": {}})
    world.table.plant(active_item(never_more, str(item["writer"])))


def _known_person(world: World) -> None:
    """Somebody with two leads that became one, and what of theirs was set aside or came twice."""
    _with_only(world, "forms", "meta")
    _two_leads(world)
    world.send("forms", form(3, "zoe@example.com", PHONE, seats="250"))
    world.send("forms", form(3, "zoe@example.com", PHONE, seats="250"))
    world.send("forms", form(4, "zoe@example.com", **large()))
    world.send("forms", b'{"email": "zoe@example.com",')
    world.web.pages |= meta_page(1, "zoe@example.com")
    world.web.pages |= meta_page(2, "yan@example.com")
    world.send("meta", meta(1, 2))
    world.send("forms", form(6, note=f"ring me at {PHONE}"))
    refuse(world.hub, "zoe@example.com", UnknownSource("no such source"))
    named = DayRow(named={"quarantined": ("zoe@example.com",)})
    ledger = Sync(source_id="meta", rows={"2026-11-23": named})
    world.table.write([Put("sync", sync_item(ledger, 1, None, "w"))])
    take_in(with_lists(world), "Badge,Mail\n1,zoe@example.com\n")
    world.settle()


def _erased_for_good(world: World, hub: Hub) -> None:
    """A person is erased while they write again; then their provider sends all of it again."""
    lead_id = next(lead.lead_id for lead in world.leads() if len(lead.identity_keys) > 1)
    insist(lambda: begin(hub, lead_id, "ann"))
    world.clock.advance(minutes=1)
    world.send("forms", form(5, "zoe@example.com"), hub)
    _work_off(world, hub, "erasure")
    world.send("forms", form(3, "zoe@example.com", PHONE, seats="250"), hub)


def _asked_about(world: World) -> None:
    """Two leads of whom a person is asked whether they are one."""
    _with_only(world, "forms")
    alike(world)


def _erased_while_asked(world: World, hub: Hub) -> None:
    """One of two leads that may be one person is erased before anybody decided."""
    lead_id = duplicate(world).one.lead_id
    insist(lambda: begin(hub, lead_id, "ann"))
    _work_off(world, hub, "erasure")


def _trained(world: World, hub: Hub) -> None:
    """A card is kept and put into use."""
    insist(lambda: publish_card(hub, Card(terms=(), base=0, fields=("source",), leads=9, won=3)))


def _work_off(world: World, hub: Hub, *kinds: str) -> None:
    """Go on with long work, slice by slice, until none of these kinds is due soon."""
    for _ in range(20):
        soon = utc_text(world.clock() + timedelta(hours=1))
        due = [i for i in world.table.scan() if i.get("kind") in kinds and "due_at" in i]
        if due and all(item["due_at"] > soon for item in due):
            return
        for item in due:
            insist(partial(work_on, hub, item))
        world.drain(hub)
        world.clock.advance(minutes=7)


def _old(world: World) -> None:
    """Three leads, one of whom we still work for, and something that was never settled."""
    _with_only(world, "forms")
    _two_leads(world)
    world.send("forms", form(3, "yan@example.com", **large()))
    world.send("forms", form(4))
    world.settle()
    for lead in world.leads():
        if "email:yan@example.com" in lead.identity_keys:
            qualified = lead.model_copy(update={"status": "qualified", "version": 99})
            world.table.plant(lead_item(qualified, "w"))
    rules = (
        Retention(id="people", what="leads", days=60),
        Retention(id="texts", what="requests", days=30),
        Retention(id="aside", what="quarantined", days=30),
    )
    publish(world.hub, with_config(world, retention=rules), "test")
    world.clock.advance(days=61)


def _moved(world: World, hub: Hub) -> None:
    """A person works on a lead, gives it up and takes it up again."""
    lead_id = world.lead().lead_id
    insist(lambda: move(hub, lead_id, "ann", status="contacted", stage="MQL"))
    world.send("forms", form(2, "zoe@example.com"), hub)
    insist(lambda: move(hub, lead_id, "ann", status="disqualified", reason="no budget"))
    world.drain(hub)
    insist(lambda: move(hub, lead_id, "ann", status="new"))


def fading(world: World) -> None:
    """Two leads whose scores fade, and who enter a stage when they are silent."""
    quiet = {"field": "days_since_touch", "op": "at_least", "value": 20}
    names = (*STAGES[:1], "asleep", *STAGES[1:])
    stages: list[dict[str, Any]] = [{"id": name} for name in names]
    stages[1] |= {"enter": {"when": quiet}}
    rule = world.config.scoring.engagement.rules[0].model_copy(update={"half_life_days": 9})
    engagement = world.config.scoring.engagement.model_copy(update={"rules": (rule,)})
    world.config = with_config(
        world,
        scoring=world.config.scoring.model_copy(update={"engagement": engagement}),
        qualifying=Qualifying.model_validate({"stages": stages}),
    )
    publish(world.hub, world.config, "test")
    _two_leads(world)
    world.clock.advance(days=25)


def _faded(world: World, hub: Hub) -> None:
    """Time goes by; then one of them writes again."""
    insist(lambda: ensure(hub))
    _work_off(world, hub, "rescoring")
    world.send("forms", form(9, "zoe@example.com", at="2026-12-19T08:00:00Z"), hub)


def _outlived(world: World, hub: Hub) -> None:
    """Somebody asks what is known of them, and all that is old enough goes by itself."""
    lead_ids = sorted(lead.lead_id for lead in world.leads() if lead.status == "qualified")
    insist(lambda: export(hub, lead_ids[0], "ann"))
    world.send("forms", form(9, "zoe@example.com"), hub)
    insist(lambda: ensure(hub))
    _work_off(world, hub, "retention", "erasure")


def _by_performance(world: World) -> None:
    """A pool goes by performance, and a lead was won."""
    _one_lead(world)
    publish(world.hub, replaced(world.config, "pools", "large", strategy="performance"), "admin")
    move(world.hub, world.lead().lead_id, "ann", status="qualified")


def _counted_closed(world: World, hub: Hub) -> None:
    """It is counted, and the next lead goes by it."""
    insist(lambda: ensure(hub))
    _work_off(world, hub, "closed")
    insist(lambda: world.send("forms", form(5, "yan@example.net", seats="250"), hub))


STORIES = {
    "a new lead, told by mail, chat and webhook": Story(_new_lead),
    "a returning lead": Story(_returning, _one_lead),
    "a submission joins two leads": Story(_joining, _two_leads),
    "the same submission twice": Story(_duplicate),
    "a lead that is fetched": Story(_fetched),
    "three leads in one request": Story(_several, leads=3),
    "leads are counted against caps": Story(_many_firms, _counted, leads=4),
    "a withdrawal": Story(_withdrawal, _linkedin_lead),
    "a withdrawal before its submission": Story(_withdrawal_first, leads=None),
    "withdrawn and submitted anew": Story(_registered_again, _linkedin_lead),
    "a person is to be erased at one source": Story(_erased, _two_demos),
    "what is told of nobody, who comes later": Story(_told_of_nobody, _with_newsletter),
    "news of a person who is known": Story(_identified, _one_lead),
    "news of a person whom nobody knows": Story(_identified, leads=0),
    "a changed form is confirmed and read again": Story(_confirmed, _edited_form, leads=2),
    "a lead is edited by hand": Story(_edited, _small_lead),
    "a test lead": Story(_test_lead, leads=0),
    "a lead that nobody can take": Story(_unowned),
    "what cannot be read": Story(_malformed, leads=0),
    "a body too large for the table": Story(_large),
    "two leads are merged by a person": Story(_merged_by_hand, two_owned),
    "a merge is taken apart": Story(_taken_apart, one_of_two, leads=2),
    "merges in a merge are taken apart": Story(_taken_apart_twice, _one_of_three, leads=3),
    "two leads are kept apart, then merged anyway": Story(_kept_apart, two_owned),
    "an owner declines": Story(_declined, _small_lead),
    "an owner accepts": Story(_accepted, _one_lead),
    "a person moves a lead": Story(_moved, _small_lead),
    "an owner does nothing in time": Story(_ignored, clocked),
    "an owner contacts the person": Story(_contacted, clocked),
    "a replay": Story(_replayed, _one_lead),
    "a replay of what was quarantined": Story(_mended, _without_source),
    "an owner is off when the lead returns": Story(_owner_off, _small_lead),
    "a configuration is published meanwhile": Story(_published),
    "a notification that was set aside is tried again": Story(_told_again, _refused_mail),
    "a forged request before the real one": Story(_forged),
    "a token is made and removed": Story(_token),
    "a predictive score is put to use": Story(_trained, leads=0),
}

LONG_STORIES = {
    "a silent owner is switched off": Story(_ignored, partial(clocked, silent_after=1)),
    "an owner misses one lead and accepts the next": Story(
        _hears, partial(clocked, silent_after=3), leads=2
    ),
    "a person is erased for good": Story(_erased_for_good, _known_person, leads=2),
    "one of two who are alike is erased": Story(_erased_while_asked, _asked_about, leads=2),
    "what was kept long enough goes by itself": Story(_outlived, _old, leads=2),
    "what became of leads is counted": Story(_counted_closed, _by_performance, leads=2),
    "an address is checked and its source watched": Story(_watched, _one_lead),
    "more leads in one request than one message handles": Story(_many, leads=12),
    "what webhooks missed is read from the provider's list": Story(_compared, _listed, leads=2),
    "a source with a list is switched off and on": Story(_switched, _listed, leads=2),
    "leads that are alike are found and decided": Story(_looked_through, unasked, leads=3),
    "a hub learns from what it has": Story(_learnt, chatty, leads=CHATTY),
    "a file is imported": Story(_imported, with_lists, leads=11),
    "scores fade by themselves": Story(_faded, fading, leads=2),
}
"""Too many calls for every fault at each; one fault in several is tried."""
