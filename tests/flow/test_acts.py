"""Acts beside submissions: one bad item among good, erasures, what only tells of a person."""

import json

import pytest

from chalicelib.errors import Malformed, TryLater, Unavailable
from chalicelib.flow.withdraw import TOUCHES_AT_ONCE, erase
from chalicelib.hub import Hub
from chalicelib.lead.model import Erasure
from chalicelib.records import ActResult
from tests.flow.scenes import (
    a_world,
    ask,
    claims,
    deliveries,
    events,
    failing_at,
    outcomes,
    touches,
    value,
)
from tests.world import World, form, tracked


def people(*ids: object) -> bytes:
    """Write a list of people, each with an id; None stands for one that cannot be read."""
    return json.dumps(
        [None if one is None else {"id": one, "email": f"person-{one}@example.com"} for one in ids]
    ).encode()


def erased(world: World, email: str, hub: Hub | None = None) -> ActResult:
    """Let the source of the first delivery say that a person is to be erased."""
    act = Erasure(external_id="gone-1", erased_at=world.clock(), email=email)
    current = world.hub.configurations.current()
    return erase(hub or world.hub, current, deliveries(world)[0], "process:erasure:0", act)


def test_a_bad_item_does_not_stop_the_others_of_its_request() -> None:
    world = a_world()
    ask(world, "forms", people(1, None, 3))
    world.settle()
    assert len(world.leads()) == 2
    (kept,) = deliveries(world)
    assert [kept.results[str(n)].outcome for n in range(3)] == [
        "accepted",
        "quarantined",
        "accepted",
    ]
    assert kept.outcome == "quarantined"
    assert "item 1" in kept.results["1"].reason


def test_ids_beyond_two_to_the_53_stay_exact() -> None:
    world = a_world()
    near = (9007199254740993, 9007199254740992, 7312345678901234567)
    ask(world, "forms", people(*near))
    world.settle()
    assert sorted(claim.external_id for claim in claims(world)) == sorted(map(str, near))


def test_an_erasure_takes_back_all_that_the_source_told_of_a_person() -> None:
    world = a_world()
    for number in (1, 2):
        ask(world, "forms", form(number, "zoe@example.com"))
    ask(world, "forms", form(3, "other@example.com"))
    world.settle()
    result = erased(world, "Zoe@Example.com")
    assert result.outcome == "withdrawn"
    voids = {r.touch.external_id: r.touch.void for r in touches(world)}
    assert voids == {"form-1": "withdrawn", "form-2": "withdrawn", "form-3": ""}
    gone = next(lead for lead in world.leads() if lead.lead_id == result.lead_id)
    assert (gone.status, gone.status_reason, dict(gone.profile)) == (
        "disqualified",
        "withdrawn",
        {},
    )
    assert len(events(world, "withdrawn")) == 1


def test_what_was_erased_does_not_come_back_by_a_repetition() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    erased(world, "zoe@example.com")
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    assert outcomes(world) == ["accepted", "withdrawn"]
    assert world.lead().touch_count == 0


def test_an_erasure_leaves_what_other_sources_told() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    ask(world, "events", form(2, "zoe@example.com"))
    world.settle()
    erased(world, "zoe@example.com")
    assert {r.touch.source_id: r.touch.void for r in touches(world)} == {
        "forms": "withdrawn",
        "events": "",
    }
    assert world.lead().touch_count == 1


def test_an_erasure_twice_is_one_and_of_nobody_is_none() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    for _ in range(2):
        erased(world, "zoe@example.com")
    assert len(events(world, "withdrawn")) == 1
    with pytest.raises(TryLater):
        erased(world, "nobody@example.com")
    assert erased(world, "nobody@example.com").reason == "no lead is about this person"
    with pytest.raises(Malformed):
        erased(world, "")


def test_an_erasure_of_many_touches_goes_on_where_it_died() -> None:
    world = a_world()
    for number in range(TOUCHES_AT_ONCE + 5):
        ask(world, "forms", form(number, "zoe@example.com"))
    world.settle()
    # The first write remembers the wish.
    dying = world.worker(failing_at("table.write", 3, Unavailable("died")))
    with pytest.raises(Unavailable):
        erased(world, "zoe@example.com", hub=dying)
    assert world.lead().touch_count == 5
    erased(world, "zoe@example.com")
    assert world.lead().touch_count == 0
    assert {claim.withdrawn_at for claim in claims(world)} == {world.clock()}
    assert len(events(world, "withdrawn")) == 2


def referral(partner_lead_id: str, email: str, **more: object) -> bytes:
    """Write what a partner posts of a person."""
    data = {"partner_lead_id": partner_lead_id, "partner": "acme", **more}
    person = {"email": email, "full_name": "Zoe Quill"}
    return json.dumps({"type": "referral.created", "data": {**data, "person": person}}).encode()


def test_a_deletion_that_a_provider_sends_goes_all_the_way() -> None:
    world = a_world()
    ask(world, "product", tracked("track", 1, "zoe@example.com"))
    ask(world, "product", tracked("track", 2, "zoe@example.com"))
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    ask(world, "product", tracked("delete", 3))
    world.settle()
    ask(world, "product", tracked("track", 1, "zoe@example.com"))
    world.settle()
    assert {r.touch.external_id: r.touch.void for r in touches(world)} == {
        "call-1": "withdrawn",
        "call-2": "withdrawn",
        "form-1": "",
    }
    assert outcomes(world)[3:] == ["withdrawn", "withdrawn"]


def test_news_of_a_known_person_changes_the_lead_and_tells_nobody() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    before, mails = world.lead(), len(world.mailbox.mails)
    ask(world, "product", tracked("identify", 5, "zoe@example.com", company="Example Ltd"))
    world.settle()
    after = world.lead()
    assert value(after, "company") == "Example Ltd"
    assert after.assignment == before.assignment
    assert (after.touch_count, after.routed) == (1, before.routed)
    assert len(world.mailbox.mails) == mails


def test_news_of_a_person_whom_nobody_knows_makes_no_lead() -> None:
    world = a_world()
    ask(world, "product", tracked("identify", 5, "zoe@example.com"))
    world.settle()
    assert world.leads() == []
    assert outcomes(world) == ["ignored"]


def test_the_same_news_again_is_dropped() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    for number in (5, 6, 7):
        ask(world, "product", tracked("identify", number, "zoe@example.com", company="Example"))
        world.settle()
    assert outcomes(world) == ["accepted", "accepted", "duplicate", "duplicate"]


def test_a_partner_keeps_the_credit_when_leads_are_merged() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    ask(world, "partners", referral("P-1", "zoe@example.org"))
    world.settle()
    ask(world, "product", tracked("track", 1, "zoe@example.com"))
    ask(world, "product", tracked("track", 2, "zoe@example.org"))
    world.settle()
    assert [credit.referrer for credit in world.lead().credits] == ["acme"]


def test_news_that_goes_back_and_forth_ends_as_it_was_told_last() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    for number, company in enumerate(("Acorn", "Birch", "Acorn", "Birch", "Acorn"), start=5):
        ask(world, "product", tracked("identify", number, "zoe@example.com", company=company))
        world.settle()
        assert value(world.lead(), "company") == company
    assert set(outcomes(world)) == {"accepted"}
    assert [r.touch.void for r in touches(world)].count("") == 2
