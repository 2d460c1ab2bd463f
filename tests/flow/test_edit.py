"""Fields that people set by hand: they stay, they are told, and no two leads get one address."""

from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.config.model import Merging
from chalicelib.errors import Conflict, Invalid, NotFound, Stale
from chalicelib.flow.details import timeline
from chalicelib.flow.edit import edit, state_of
from chalicelib.flow.merge import keep_apart
from chalicelib.flow.publish import publish
from chalicelib.flow.verify import verify
from chalicelib.flow.why import why
from chalicelib.lead.model import Lead
from chalicelib.records import event_of, holders_of, identity_key, lead_key
from tests.faults import Call
from tests.invariants import problems
from tests.world import World, form, tracked, with_config

MAIL = "zoe@example.com"


def a_world(**more: Any) -> World:
    world = World()
    world.send("forms", form(1, MAIL, name="Zoe Quill", company="Acme", **more))
    world.settle()
    return world


def change(world: World, *released: str, lead: Lead | None = None, **wanted: Any) -> Lead:
    one = lead or world.lead()
    return edit(world.hub, one.lead_id, wanted, released, "Ann Ashby")


def holders(world: World, key: str) -> Sequence[str]:
    item = world.table.get(identity_key(key))
    return holders_of(item) if item else ()


def is_sound(world: World) -> bool:
    """Say whether all that must hold does, and every decision comes out the same again."""
    found = problems(world)
    for lead in world.leads():
        found += [finding.problem for finding in verify(world.hub, lead.lead_id) if finding.problem]
    assert found == []
    return True


def test_what_is_set_by_hand_stays_until_it_is_given_back() -> None:
    world = a_world()
    change(world, company="Beta Ltd")
    world.send("events", form(2, MAIL, company="Gamma"))
    world.settle()
    held = world.lead().profile["company"]
    assert (held.value, held.by) == ("Beta Ltd", "Ann Ashby")
    assert is_sound(world)
    after = change(world, "company")
    assert after.profile["company"].value == "Gamma"
    assert after.profile["company"].source_id == "events"
    assert is_sound(world)


def test_the_score_is_made_anew_and_routing_is_left_alone() -> None:
    world = a_world()
    before = world.lead()
    after = change(world, seats=250)
    assert after.score.total == before.score.total + 50
    same = (
        "assignment",
        "status",
        "stage",
        "rule_id",
        "pool_id",
        "awaits",
        "routed",
        "touch_count",
    )
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert after.version == before.version + 1
    assert world.routing.waiting == []
    decided = [finding.kind for finding in verify(world.hub, after.lead_id)]
    assert decided[-3:] == ["rule", "route", "score"]
    assert is_sound(world)


def test_the_timeline_tells_who_set_what_and_why() -> None:
    world = a_world()
    edit(world.hub, world.lead().lead_id, {"company": "Beta"}, [], "Ann", "told me so")
    change(world, "company", job_title="", seats=3)
    told = [entry for entry in timeline(world.hub, world.lead()) if entry.kind == "edited"]
    assert [(entry.actor, entry.text) for entry in told] == [
        ("Ann", 'company is "Beta" (told me so)'),
        ("Ann Ashby", 'company is as the touches say; job_title is empty; seats is "3"'),
    ]
    assert why(world.hub, world.lead()).lines[-1] == (
        "Set by hand by Ann Ashby on 2026-11-23: job_title, seats."
    )


def test_a_new_address_is_one_more_identity_key_by_which_the_person_is_known() -> None:
    world = a_world()
    lead = change(world, email="zoe@example.org", phone="+44 20 7946 0018")
    assert lead.identity_keys == (
        f"email:{MAIL}",
        "email:zoe@example.org",
        "phone:+442079460018",
    )
    for number, known in enumerate((MAIL, "zoe@example.org")):
        world.send("forms", form(10 + number, known))
    world.send("forms", form(12, phone="+442079460018"))
    world.settle()
    assert world.lead().touch_count == 4
    assert world.lead().profile["email"].value == "zoe@example.org"
    assert is_sound(world)


def test_an_address_that_was_a_mistake_is_let_go_and_may_be_somebody_elses() -> None:
    world = a_world()
    change(world, email="yan@example.org")
    change(world, email="zoe@example.org")
    assert holders(world, "email:yan@example.org") == ()
    assert holders(world, "email:zoe@example.org") == (world.lead().lead_id,)
    change(world, "email")
    assert world.lead().identity_keys == (f"email:{MAIL}",)
    world.send("forms", form(2, "yan@example.org"))
    world.settle()
    assert len(world.leads()) == 2
    assert is_sound(world)


def test_an_address_that_a_submission_brought_as_well_is_kept() -> None:
    world = a_world()
    change(world, email="zoe@example.org")
    world.send("forms", form(2, "zoe@example.org"))
    world.settle()
    change(world, "email")
    assert holders(world, "email:zoe@example.org") == (world.lead().lead_id,)
    assert is_sound(world)


def test_an_address_of_another_lead_is_refused_and_that_lead_is_named() -> None:
    world = a_world()
    world.send("forms", form(2, "yan@example.com"))
    world.settle()
    zoe, yan = sorted(world.leads(), key=lambda lead: "company" not in lead.profile)
    before = world.table.scan()
    with pytest.raises(Conflict, match=f"lead {yan.lead_id} has this e-mail address already"):
        change(world, lead=zoe, email="yan@example.com", company="Beta")
    assert world.table.scan() == before


def test_leads_that_are_kept_apart_may_have_one_phone() -> None:
    world = a_world()
    world.send("forms", form(2, "yan@example.net", phone="+447700900123", name="Yan Li"))
    world.settle()
    zoe, yan = sorted(world.leads(), key=lambda lead: "company" not in lead.profile)
    keep_apart(world.hub, zoe.lead_id, yan.lead_id, "Ann", "a couple")
    change(world, lead=zoe, phone="+447700900123")
    assert holders(world, "phone:+447700900123") == tuple(sorted([zoe.lead_id, yan.lead_id]))
    assert is_sound(world)
    change(world, "phone", lead=zoe)
    assert holders(world, "phone:+447700900123") == (yan.lead_id,)
    assert is_sound(world)


def test_a_mistake_is_refused_and_changes_nothing() -> None:
    world = a_world()
    before = world.table.scan()
    with pytest.raises(Invalid) as caught:
        change(world, email="no address", seats="many")
    assert [line.partition(":")[0] for line in caught.value.problems] == ["email", "seats"]
    with pytest.raises(NotFound):
        edit(world.hub, "nobody", {"company": "A"}, [], "Ann")
    assert world.table.scan() == before


def test_who_looked_at_an_older_state_is_asked_to_look_again() -> None:
    world = a_world()
    seen = state_of(world.lead())
    lead_id = world.lead().lead_id
    edit(world.hub, lead_id, {"company": "Beta"}, [], "Ann", seen=seen)
    with pytest.raises(Stale):
        edit(world.hub, lead_id, {"company": "Gamma"}, [], "Ben", seen=seen)
    assert world.lead().profile["company"].value == "Beta"


def test_the_same_again_changes_nothing() -> None:
    world = a_world()
    change(world, company="Beta", first_name="Zoë")
    before = world.table.scan()
    change(world, "job_title", company="Beta", first_name="Zoë")
    assert world.table.scan() == before


def test_whoever_writes_in_between_is_heard_too() -> None:
    world = a_world()
    done: list[Lead] = []

    def hook(call: Call, go: Any) -> Any:
        if call.does == "write" and not done:
            done.append(edit(world.hub, world.lead().lead_id, {"company": "Beta"}, [], "Ben"))
        return go()

    edit(world.worker(hook), world.lead().lead_id, {"job_title": "Head"}, [], "Ann")
    assert {name: held.by for name, held in world.lead().profile.items() if held.by} == {
        "company": "Ben",
        "job_title": "Ann",
    }
    assert is_sound(world)


def test_what_is_said_of_a_merged_lead_is_kept_with_it() -> None:
    world = a_world()
    world.send("forms", form(2, phone="+447700900123"))
    world.settle()
    first, second = sorted(world.leads(), key=lambda lead: "company" not in lead.profile)
    change(world, lead=first, company="Beta")
    world.clock.advance(minutes=1)
    change(world, lead=second, company="Gamma")
    world.send("forms", form(3, MAIL, phone="+447700900123"))
    world.settle()
    lead = world.lead()
    assert lead.profile["company"].value == "Gamma"
    gone = next(one for one in (first, second) if one.lead_id != lead.lead_id)
    change(world, lead=gone, job_title="Head")
    told = [event_of(item) for item in world.table.query(lead_key(gone.lead_id)[0], "EVENT#")]
    assert 'job_title is "Head"' in [event.text for event in told]
    said = {(one.field, one.value): one.lead_id for one in world.lead().edits}
    assert said == {
        ("company", "Beta"): first.lead_id,
        ("company", "Gamma"): second.lead_id,
        ("job_title", "Head"): gone.lead_id,
    }
    assert is_sound(world)


def test_a_changed_rule_counts_with_the_next_word() -> None:
    world = a_world()
    world.send("forms", form(2, MAIL, company="Beta", at="2026-11-23T08:30:00Z"))
    world.settle()
    assert world.lead().profile["company"].value == "Beta"
    publish(world.hub, with_config(world, merging=Merging(keep="oldest")), "test")
    assert change(world, job_title="Head").profile["company"].value == "Acme"
    assert is_sound(world)


def test_a_withdrawn_submission_leaves_what_was_set_by_hand() -> None:
    world = World()
    world.send("product", tracked("track", 1, MAIL))
    world.settle()
    change(world, company="Beta")
    world.send("product", tracked("delete", 9))
    world.settle()
    assert world.lead().profile["company"].value == "Beta"
    assert is_sound(world)
