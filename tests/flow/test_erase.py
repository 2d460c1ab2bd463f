"""Erasing a person: nothing of them is left or comes back, and nobody else loses anything."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.compact import grow
from chalicelib.errors import Conflict, Erased, Invalid, UnknownSource
from chalicelib.flow.catch_up import catch_up
from chalicelib.flow.details import find_lead, pool_statement
from chalicelib.flow.erase import begin, begin_unknown, find_person
from chalicelib.flow.erase_state import Erasure, find_erasure
from chalicelib.flow.imports import start
from chalicelib.flow.refuse import refuse
from chalicelib.links import LINKS_SECRET, make
from chalicelib.records import Delivery, delivery_of
from chalicelib.storage import Item
from tests.api.client import Api
from tests.flow.import_scenes import go_on, people, upload, with_lists
from tests.invariants import problems
from tests.proof.stories import large
from tests.world import SECRETS, World, form, linkedin, linkedin_pages, meta, meta_page, tracked


def finish(world: World, one: Erasure) -> Erasure:
    """Let long work go on until an erasure is done."""
    for _ in range(12):
        catch_up(world.hub)
        world.drain()
        found, _ = find_erasure(world.hub, one.erasure_id)
        if found.state == "done":
            return found
        world.clock.advance(minutes=7)
    raise AssertionError(f"never done: {found.state}, {found.checks}")


def everything(world: World) -> Iterator[str]:
    """Give all that is stored, opened, as text."""
    for item in world.table.scan():
        yield json.dumps({k: v for k, v in item.items() if not isinstance(v, bytes)})
        for value in item.values():
            if isinstance(value, bytes) and value:
                yield grow(value).decode("utf-8", "replace")
    for name, data in world.blobs.kept.items():
        yield name
        try:
            yield grow(data).decode("utf-8", "replace")
        except Exception:  # noqa: BLE001, a blob of another form
            yield data.decode("utf-8", "replace")
    for queue in world.queues:
        for message in [*queue.waiting, *(kept.message for kept in queue.dead)]:
            yield json.dumps(message.body)


def left_of(world: World, *canaries: str) -> list[str]:
    return [
        f"{canary} in {text[:300]}"
        for text in everything(world)
        for canary in canaries
        if canary.casefold() in text.casefold()
    ]


def deliveries(world: World) -> list[Delivery]:
    return [delivery_of(item) for item in world.table.scan() if item.get("kind") == "delivery"]


def of_kind(world: World, kind: str) -> list[Item]:
    return [item for item in world.table.scan() if item.get("kind") == kind]


def test_nothing_of_an_erased_person_is_left_and_the_certificate_says_what_went() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com", "+447700900123", name="Zoe Canary", seats="250"))
    world.send("forms", form(2, "yan@example.com", name="Yan Other"))
    world.settle()
    lead_id, _ = find_person(world.hub, "zoe@example.com")
    done = finish(world, begin(world.hub, lead_id, "ann", "Zoe Canary <zoe@example.com> asked"))
    assert left_of(world, "zoe", "canary", "7700900123") == []
    assert left_of(world, "yan@example.com") != []
    assert done.removed["touches"] == done.removed["claims"] == done.removed["requests"] == 1
    assert {told.destination_id for told in done.told} == {"mail", "chat", "crm"}
    assert [checked.found for checked in done.checks] == [0] * len(done.checks)
    assert done.reason == "(it named the person, so it is left out)"
    assert problems(world) == []
    with pytest.raises(Erased):
        find_lead(world.hub, lead_id)


CANARIES = ("zoe", "canary", "7700900123", "7700 900123", "user-1", "zed@example.com", "ramp")


def sent_again(world: World) -> None:
    """Let every provider send again what it sent, and every delivery be put through again."""
    for told in list(world.told):
        world.request(told.source_id, told.body)
    for delivery in deliveries(world):
        if not delivery.emptied_at:
            world.replay(delivery.delivery_id)
    world.settle()


def a_person_everywhere(world: World) -> None:
    """Somebody who came by every way there is, with another person beside them."""
    with_lists(world)
    world.send("forms", form(900, "yan@example.com", "+447700900999", name="Yan Other"))
    world.send("forms", form(1, "zoe@example.com", name="Zoe Canary", city="Canaryton", topic="a"))
    world.send("events", form(2, phone="+44 7700 900123"))
    world.drain()
    for number in range(3, 40):
        at = f"2026-11-23T08:{number:02}:00Z"
        text = f"canary {number}, ring 07700 900123"
        world.send("forms", form(number, "zoe@example.com", at=at, message=text, seats="250"))
    # This one joins the two leads.
    world.send("forms", form(40, "zoe@example.com", "+447700900123", at="2026-11-23T08:50:00Z"))
    world.send("forms", form(41, "zoe@example.com", note="canary", **large()))
    world.send("product", tracked("track", 1, "zoe@example.com", plan="canary-plan"))
    world.web.pages |= {**meta_page(1, "zoe@example.com"), **meta_page(2, "yan@example.com")}
    world.send("meta", meta(1, 2))
    world.web.pages |= linkedin_pages(3, "zoe@example.com")
    world.send("linkedin", linkedin(3))
    # What led to no lead: unreadable, a test, the same again, and what only names her.
    world.send("forms", b'{"id": 7, "email": "zoe@example.com", "name": "Zoe Cana')
    world.send("forms", form(50, "Zoe@Example.com", name="Canary", test=True))
    world.send("forms", form(1, "zoe@example.com", name="Zoe Canary", city="Canaryton", topic="a"))
    world.send("events", form(51, note="my number is 0044 7700 900123, canary"))
    world.send("product", tracked("identify", 9, plan="canary"))
    refuse(world.hub, "zoe@example.com", UnknownSource("no such source"))
    text = people(25).replace("Person 7,person-7@", "Zoe Canary,zoe@")
    import_id = upload(world, text)
    start(world.hub, import_id, {})
    go_on(world, import_id)
    world.settle()


def test_a_canary_is_nowhere_afterwards_and_nobody_else_loses_anything() -> None:
    world = World()
    a_person_everywhere(world)
    assert problems(world) == []
    lead_id, _ = find_person(world.hub, "+44 7700 900123")
    lead = find_lead(world.hub, lead_id)
    assert lead.members
    assert lead.touch_count >= 40
    others = {one.lead_id for one in world.leads()} - {lead_id}
    before = [one for one in world.leads() if one.lead_id in others]
    assert left_of(world, *CANARIES) != []
    done = finish(world, begin(world.hub, lead_id, "ann", "she asked"))
    assert left_of(world, *CANARIES) == []
    assert problems(world) == []
    assert [one for one in world.leads() if one.lead_id in others] == before
    assert {one.lead_id for one in world.leads()} == others
    assert done.shared >= 2
    assert done.waits_for == ()
    for gone in (lead_id, *lead.members):
        with pytest.raises(Erased):
            find_lead(world.hub, gone)
    words = [post for post in world.web.posts if b"lead.erased" in post.body]
    told = sorted(json.loads(post.body)["data"]["lead_id"] for post in words)
    assert told == sorted((lead_id, *lead.members))


def test_an_erased_person_does_not_come_back_by_repetition_replay_or_back_fill() -> None:
    world = World()
    a_person_everywhere(world)
    lead_id, _ = find_person(world.hub, "zoe@example.com")
    finish(world, begin(world.hub, lead_id, "ann"))
    others = {lead.lead_id for lead in world.leads()}
    sent_again(world)
    assert {lead.lead_id for lead in world.leads()} == others
    # What the provider sends again is kept until it is read, and what cannot be read until then.
    unreadable = [one for one in deliveries(world) if one.outcome == "quarantined"]
    named = [one for one in unreadable if b"zoe" in grow(one.raw).lower()]
    assert [one.results for one in named] == [{}]
    for one in (one for one in deliveries(world) if one.outcome == "erased"):
        assert not one.raw
        assert not one.blob
    assert left_of(world, "Canaryton", "user-1", "canary-plan", "Canary 12") == []
    assert problems(world) == []


def test_a_later_enquiry_of_an_erased_person_is_a_new_lead() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com", "+447700900123", name="Zoe Canary"))
    world.settle()
    (old,) = world.leads()
    finish(world, begin(world.hub, old.lead_id, "ann"))
    world.send("forms", form(2, "zoe@example.com", name="Zoe Canary"))
    world.settle()
    (new,) = world.leads()
    assert new.lead_id != old.lead_id
    assert new.touch_count == 1
    assert find_person(world.hub, "zoe@example.com")[0] == new.lead_id
    assert "phone" not in new.profile
    assert problems(world) == []


def test_a_request_stays_while_anothers_submission_in_it_is_not_settled() -> None:
    world = World()
    world.web.pages |= meta_page(1, "zoe@example.com")
    world.send("meta", meta(1, 2))
    world.settle()
    (delivery,) = deliveries(world)
    assert delivery.outcome == "quarantined"
    one = begin(world.hub, find_person(world.hub, "zoe@example.com")[0], "ann")
    for _ in range(3):
        catch_up(world.hub)
        world.clock.advance(minutes=7)
    waiting, _ = find_erasure(world.hub, one.erasure_id)
    assert waiting.state == "waiting"
    assert waiting.person is None
    assert waiting.waits_for == (delivery.delivery_id,)
    world.web.pages |= meta_page(2, "yan@example.com")
    world.replay(delivery.delivery_id)
    world.settle()
    (delivery,) = deliveries(world)
    assert delivery.emptied_at
    assert {result.outcome for result in delivery.results.values()} == {"erased", "accepted"}
    world.clock.advance(days=1)
    done = finish(world, one)
    assert done.waits_for == ()
    assert [lead.profile["email"].value for lead in world.leads()] == ["yan@example.com"]
    assert problems(world) == []


def test_a_shared_request_goes_in_the_end_even_if_nobody_settles_it() -> None:
    world = World()
    world.web.pages |= meta_page(1, "zoe@example.com")
    world.send("meta", meta(1, 2))
    world.settle()
    one = begin(world.hub, find_person(world.hub, "zoe@example.com")[0], "ann")
    for _ in range(30):
        catch_up(world.hub)
        world.clock.advance(days=1)
    found, _ = find_erasure(world.hub, one.erasure_id)
    assert found.state == "done"
    (delivery,) = deliveries(world)
    assert not delivery.raw
    assert delivery.results["1"].outcome == "ignored"
    assert problems(world) == []


def test_whoever_shares_a_phone_loses_nothing() -> None:
    world = World()
    phone = "+447700900123"
    world.send("forms", form(1, "zoe@example.com", phone, name="Zoe Canary"))
    world.send("forms", form(2, "abe@example.com", phone, name="Abraham Otherman"))
    world.settle()
    if len(world.leads()) < 2:
        pytest.skip("they are one lead")
    with pytest.raises(Invalid) as caught:
        find_person(world.hub, phone)
    assert len(caught.value.problems) == 2
    finish(world, begin(world.hub, find_person(world.hub, "zoe@example.com")[0], "ann"))
    assert left_of(world, "zoe") == []
    (abe,) = world.leads()
    assert abe.profile["phone"].value == phone
    assert find_person(world.hub, phone)[0] == abe.lead_id
    assert problems(world) == []


def test_somebody_whom_no_lead_is_about_is_found_in_what_was_set_aside() -> None:
    world = World()
    world.send("forms", b'{"id": 7, "email": "zoe@example.com", "name": "Zoe Cana')
    world.settle()
    lead_id, keys = find_person(world.hub, "ZOE@example.com")
    assert lead_id == ""
    done = finish(world, begin_unknown(world.hub, keys, "ann"))
    assert left_of(world, "zoe") == []
    assert done.removed == {"requests": 1}
    assert problems(world) == []


def test_what_was_kept_and_not_processed_when_the_erasure_was_asked_for_goes_too() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    world.send("forms", form(2, "zoe@example.com", city="Canaryton"))
    one = begin(world.hub, world.lead().lead_id, "ann")
    finish(world, one)
    assert world.leads() == []
    assert left_of(world, "zoe", "Canaryton") == []
    assert problems(world) == []


def test_what_comes_while_somebody_is_erased_is_a_new_lead() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    one = begin(world.hub, world.lead().lead_id, "ann")
    world.clock.advance(seconds=1)
    world.send("forms", form(2, "zoe@example.com", city="Canaryton"))
    finish(world, one)
    assert world.lead().touch_count == 1
    assert world.lead().profile["city"].value == "Canaryton"
    assert problems(world) == []


def test_a_link_in_an_old_mail_says_that_the_person_was_erased() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    lead = world.lead()
    assert lead.assignment
    finish(world, begin(world.hub, lead.lead_id, "ann"))
    api = Api(world)
    secret = SECRETS[LINKS_SECRET][0]
    now = world.clock()
    ids = (lead.lead_id, lead.assignment.assignment_id, lead.assignment.owner_id)
    link = make("accept", *ids, now + timedelta(days=1), secret)
    assert api.get(f"/answer/{link}", "").status == 410
    assert api.get(f"/v1/leads/{lead.lead_id}").status == 410
    assert api.get(f"/v1/leads/{lead.lead_id}/why").status == 410


def test_nobody_is_erased_twice() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    lead_id = world.lead().lead_id
    begin(world.hub, lead_id, "ann")
    with pytest.raises(Erased):
        begin(world.hub, lead_id, "ann")


def test_an_emptied_delivery_cannot_be_replayed_and_shows_no_request() -> None:
    world = World()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    finish(world, begin(world.hub, world.lead().lead_id, "ann"))
    (delivery,) = deliveries(world)
    with pytest.raises(Conflict):
        world.replay(delivery.delivery_id)
    shown = Api(world).get(f"/v1/deliveries/{delivery.delivery_id}").json
    assert (shown["outcome"], shown["request"]) == ("erased", None)


def test_an_erased_lead_leaves_statistics_and_turns_as_they_were() -> None:
    world = World()
    for number in range(6):
        world.send("forms", form(number, f"p{number}@example.com", seats="250"))
    world.settle()
    before = pool_statement(world.hub, "large")
    for lead in world.leads()[:3]:
        finish(world, begin(world.hub, lead.lead_id, "ann"))
    assert pool_statement(world.hub, "large") == before
    world.send("forms", form(9, "p9@example.com", seats="250"))
    world.settle()
    assert problems(world) == []
