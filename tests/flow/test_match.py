"""Matching: whose a touch is; folding it in, joining leads, score, stage and pool."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from chalicelib.flow.leads import stored_leads
from chalicelib.flow.match import decide
from chalicelib.flow.process import process
from tests.faults import Call
from tests.flow.scenes import (
    a_world,
    all_leads,
    ask,
    changed,
    claims,
    delivery,
    events,
    of_kind,
    outcomes,
    owner_of,
    reconfigure,
    touches,
    value,
)
from tests.world import World, form, linkedin, linkedin_pages

PHONE = "+447700900123"
OTHER_PHONE = "+447700900456"


def sent(world: World, *bodies: bytes) -> None:
    """Send forms one after the other, each only when all is quiet."""
    for body in bodies:
        assert ask(world, "forms", body).status == 200
        world.settle()
        world.clock.advance(minutes=1)


def pointed(world: World) -> dict[str, str]:
    """Give the lead that each identity key points at."""
    return {item["pk"].removeprefix("KEY#"): item["lead_ids"][0] for item in of_kind(world, "key")}


# --- one person -----------------------------------------------------------------------------------


def test_a_person_who_is_not_known_becomes_a_new_lead() -> None:
    world = a_world()
    sent(world, form(1, "zoe@example.com"), form(2, "yan@example.com"))
    assert len(world.leads()) == 2


def test_a_person_who_comes_back_with_the_same_email_is_the_same_lead() -> None:
    world = a_world()
    sent(world, form(1, "zoe@example.com"), form(2, "ZOE@Example.COM", PHONE))
    lead = world.lead()
    assert lead.touch_count == 2
    assert set(pointed(world).values()) == {lead.lead_id}
    assert len(lead.identity_keys) == 2


def test_a_person_who_comes_back_with_the_same_phone_is_the_same_lead() -> None:
    world = a_world()
    sent(world, form(1, phone=PHONE), form(2, phone="07700 900123", country="GB"))
    assert world.lead().touch_count == 2


def test_a_provider_knows_its_own_people() -> None:
    world = a_world()
    pages = linkedin_pages(1, "lin@example.com") | linkedin_pages(2, "lin@example.org")
    for page in pages.values():
        page["submitter"] = "urn:li:person:p1"
    world.web.pages |= pages
    ask(world, "linkedin", linkedin(1))
    ask(world, "linkedin", linkedin(2))
    world.settle()
    assert world.lead().touch_count == 2


def test_first_and_last_touch_remember_their_campaigns() -> None:
    world = a_world()
    sent(
        world,
        form(1, "zoe@example.com", utm_source="newsletter", at="2026-11-20T08:00:00Z"),
        form(2, "zoe@example.com", utm_source="fair", gclid="g1", at="2026-11-22T08:00:00Z"),
    )
    lead = world.lead()
    assert lead.first_touch
    assert lead.last_touch
    assert lead.first_touch.campaign == {"utm_source": "newsletter"}
    assert lead.last_touch.campaign == {"utm_source": "fair", "gclid": "g1"}


def test_each_field_knows_the_touch_that_it_came_from() -> None:
    world = a_world()
    sent(
        world,
        form(1, "zoe@example.com", company="Example Mills", at="2026-11-20T08:00:00Z"),
        form(2, "zoe@example.com", job_title="Planner", at="2026-11-22T08:00:00Z"),
    )
    first, second = sorted((r.touch for r in touches(world)), key=lambda touch: touch.submitted_at)
    lead = world.lead()
    assert lead.profile["company"].touch_id == first.touch_id
    assert lead.profile["job_title"].touch_id == second.touch_id


def test_consent_is_kept_with_its_wording() -> None:
    world = a_world()
    sent(world, form(1, "zoe@example.com", consent="yes", consent_text="Call me about it."))
    (consent,) = world.lead().consents.values()
    assert (consent.given, consent.wording) == (True, "Call me about it.")


# --- several leads turn out to be one -------------------------------------------------------------


def joined() -> World:
    """Give a world in which a third submission joined two leads."""
    world = a_world()
    sent(world, form(1, "zoe@example.com"), form(2, phone=PHONE), form(3, "zoe@example.com", PHONE))
    return world


def test_a_submission_that_has_the_keys_of_two_leads_joins_them() -> None:
    world = joined()
    assert len(world.leads()) == 1
    assert world.lead().touch_count == 3


def test_the_older_lead_stays_and_the_other_names_its_survivor() -> None:
    world = joined()
    gone, stays = sorted(all_leads(world), key=lambda lead: not lead.merged_into)
    assert stays.created_at < gone.created_at
    assert gone.merged_into == stays.lead_id
    assert stays.members == (gone.lead_id,)


def test_keys_of_a_merged_lead_point_to_the_survivor() -> None:
    world = joined()
    assert set(pointed(world).values()) == {world.lead().lead_id}
    (gone,) = [lead for lead in all_leads(world) if lead.merged_into]
    assert gone.identity_keys == ()


def test_every_touch_stays_where_it_was_made() -> None:
    world = joined()
    under = [item["pk"] for item in of_kind(world, "touch")]
    assert sorted(map(under.count, set(under))) == [1, 2]


def test_both_timelines_tell_of_it_and_hold_what_undoing_needs() -> None:
    world = joined()
    (merged,), (absorbed,) = events(world, "merged"), events(world, "absorbed")
    (gone,) = [lead for lead in all_leads(world) if lead.merged_into]
    assert gone.lead_id in merged.text
    assert world.lead().lead_id in absorbed.text
    before = merged.before[gone.lead_id]
    assert before["merged_into"] == ""
    assert before["identity_keys"] == [f"phone:{PHONE}"]


def test_an_id_that_was_merged_away_still_finds_the_lead() -> None:
    world = joined()
    (gone,) = [lead for lead in all_leads(world) if lead.merged_into]
    (found,) = stored_leads(world.hub, [gone.lead_id])
    assert found.lead == world.lead()
    assert len(found.touches) == 3


def test_merges_chain_and_every_old_id_finds_the_last_survivor() -> None:
    world = a_world()
    sent(
        world,
        form(1, "a@example.com"),
        form(2, "b@example.com"),
        form(3, phone=PHONE),
        form(4, "b@example.com", PHONE),
        form(5, "a@example.com", PHONE),
    )
    lead = world.lead()
    assert lead.touch_count == 5
    found = stored_leads(world.hub, [one.lead_id for one in all_leads(world)])
    assert [one.lead.lead_id for one in found] == [lead.lead_id]


def test_a_joined_lead_keeps_the_owner_of_the_survivor() -> None:
    world = a_world()
    sent(world, form(1, "zoe@example.com"), form(2, phone=PHONE))
    first = min(world.leads(), key=lambda lead: lead.created_at)
    sent(world, form(3, "zoe@example.com", PHONE))
    assert owner_of(world.lead()) == owner_of(first)


def test_submissions_make_the_same_lead_in_whatever_order_they_come() -> None:
    bodies = [
        form(1, "zoe@example.com", at="2026-11-20T08:00:00Z", company="Old Mills"),
        form(2, phone=PHONE, at="2026-11-21T08:00:00Z", seats="250"),
        form(3, "zoe@example.com", PHONE, at="2026-11-22T08:00:00Z", company="New Mills"),
        form(4, "zoe@example.org", PHONE, at="2026-11-22T09:00:00Z", message="again"),
    ]
    seen = set()
    for order in itertools.permutations(bodies):
        world = a_world()
        for body in order:
            ask(world, "forms", body)
        world.settle()
        lead = world.lead()
        profile = {name: lead.profile[name].value for name in sorted(lead.profile)}
        seen.add((json.dumps(profile), lead.identity_keys, lead.touch_count, lead.score.total))
    assert len(seen) == 1


def test_two_workers_with_the_same_new_person_make_one_lead() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    ask(world, "forms", form(2, "zoe@example.com", PHONE))
    first, second = world.inbox.receive()
    others = [second]

    def let_the_other_go_first(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write" and others:
            process(world.hub, [others.pop()])
        return go()

    assert process(world.worker(let_the_other_go_first), [first]) == []
    assert world.lead().touch_count == 2
    assert outcomes(world) == ["accepted", "accepted"]


def test_two_workers_with_the_same_known_person_lose_neither_touch() -> None:
    world = a_world()
    sent(world, form(1, "zoe@example.com"))
    ask(world, "forms", form(2, "zoe@example.com"))
    ask(world, "forms", form(3, "zoe@example.com"))
    first, second = world.inbox.receive()
    others = [second]

    def let_the_other_go_first(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write" and others:
            process(world.hub, [others.pop()])
        return go()

    assert process(world.worker(let_the_other_go_first), [first]) == []
    assert (world.lead().touch_count, world.lead().version) == (3, 4)


def test_two_workers_with_one_submission_said_in_two_ways_take_it_once() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    ask(world, "forms", form(1, "yan@example.com"))
    first, second = world.inbox.receive()
    others = [second]

    def let_the_other_go_first(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write" and others:
            process(world.hub, [others.pop()])
        return go()

    assert process(world.worker(let_the_other_go_first), [first]) == []
    assert outcomes(world) == ["duplicate", "accepted"]
    assert value(world.lead(), "email") == "yan@example.com"


def test_keys_that_the_joining_submission_does_not_name_move_too() -> None:
    world = a_world()
    sent(
        world,
        form(1, "zoe@example.com"),
        form(2, "zoe@example.org", PHONE),
        form(3, "zoe@example.com", PHONE),
    )
    lead = world.lead()
    assert set(pointed(world)) == {
        "email:zoe@example.com",
        "email:zoe@example.org",
        f"phone:{PHONE}",
    }
    assert set(pointed(world).values()) == {lead.lead_id}
    sent(world, form(4, "zoe@example.org"))
    assert world.lead().touch_count == 4


def test_a_submission_that_joins_more_than_one_transaction_holds_is_quarantined_whole() -> None:
    world = a_world()
    people = [json.loads(form(n, f"p{n}@example.com")) for n in range(60)]
    fields = {f"mail{n}": "email" for n in range(60)}
    reconfigure(world, changed(world.config, "sources", "events", fields=fields))
    for person in people:
        ask(world, "forms", json.dumps(person).encode())
    world.drain()
    before = len(world.leads())
    ask(world, "events", form(99, **{f"mail{n}": f"p{n}@example.com" for n in range(60)}))
    world.drain()
    assert before == 60
    assert len(world.leads()) in {1, 60}


# --- score, stage, pool ---------------------------------------------------------------------------


def test_a_score_carries_its_terms_and_they_add_up_exactly() -> None:
    world = a_world()
    sent(world, form(1, "zoe@example.com", seats="250"), form(2, "zoe@example.com"))
    found = world.lead().score
    assert (found.total, found.fit, found.engagement) == (70, 50, 20)
    assert sum(term.points for term in found.terms) == found.total
    assert {term.rule_id for term in found.terms} == {"many-seats", "asked"}


def test_decisions_are_stored_with_the_hash_of_their_configuration() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com", seats="250"))
    world.drain()
    (record,) = touches(world)
    current = world.hub.configurations.current()
    assert [one.kind for one in record.decisions] == ["match", "score", "rule"]
    assert {one.config_hash for one in record.decisions} == {current.hash}
    assert {one.code for one in record.decisions} == {"test"}
    match, scored, rule = record.decisions
    assert match.result == world.lead().lead_id
    assert match.because == "nothing known is like it, so it is a new lead"
    assert scored.result == "60"
    assert (rule.result, [one.candidate for one in rule.candidates]) == (
        "large",
        ["nobody", "large"],
    )


def test_a_decision_on_a_match_names_every_lead_it_looked_at() -> None:
    world = joined()
    decisions = [record.decisions[0] for record in touches(world)]
    (joining,) = [one for one in decisions if len(one.candidates) == 2]
    assert {one.candidate for one in joining.candidates} == {
        lead.lead_id for lead in all_leads(world)
    }
    assert joining.because == "2 leads are the same person, and become one"
    kinds = {one.because for one in joining.candidates}
    assert kinds == {"the same e-mail address", "the same phone number"}


def test_a_stage_is_raised_and_never_lowered() -> None:
    world = a_world()
    sent(world, form(1, "zoe@example.com"))
    assert world.lead().stage == "lead"
    sent(world, form(2, "zoe@example.com", seats="250"))
    assert world.lead().stage == "MQL"
    sent(world, form(3, "zoe@example.com", seats="1", at="2026-11-23T08:30:00Z"))
    assert (world.lead().stage, world.lead().pool_id) == ("MQL", "small")


def test_a_lead_that_is_worked_on_stays_so_when_its_person_comes_back() -> None:
    world = a_world()
    sent(world, form(1, "zoe@example.com"))
    assert world.accept()
    sent(world, form(2, "zoe@example.com"))
    lead = world.lead()
    assert lead.status == "assigned"
    assert lead.assignment
    assert lead.assignment.accepted_at


def test_without_any_rule_a_lead_has_no_pool_and_goes_to_the_unowned_queue() -> None:
    world = a_world(routing=())
    ask(world, "forms", form(1, "zoe@example.com"))
    world.drain()
    assert (world.lead().pool_id, world.lead().is_unowned) == ("", True)


def test_time_comes_from_what_is_stored_so_that_a_repeated_write_is_the_same() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.clock.advance(hours=3)
    world.work(world.inbox, world.hub)
    assert world.lead().updated_at == delivery(world).received_at
    assert claims(world)[0].acted_at == touches(world)[0].touch.submitted_at


def test_deciding_again_on_the_same_touches_gives_the_same() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com", seats="250"))
    world.work(world.inbox, world.hub)
    lead = world.lead()
    (found,) = stored_leads(world.hub, [lead.lead_id])
    again, decisions = decide(
        world.hub,
        world.hub.configurations.current(),
        lead,
        [one.record.touch for one in found.touches],
        lead.updated_at,
    )
    assert value(again, "email") == "zoe@example.com"
    assert (again.score, again.pool_id) == (lead.score, lead.pool_id)
    made = touches(world)[0].decisions[1:]
    assert [(one.result, one.because) for one in decisions] == [
        (one.result, one.because) for one in made
    ]
