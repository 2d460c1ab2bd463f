"""The checker itself: it names each planted violation, and is silent on healthy worlds."""

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.flow.import_state import Import, import_item
from chalicelib.lead.model import Model
from chalicelib.records import (
    Delivery,
    Effect,
    Event,
    active_item,
    active_of,
    claim_item,
    claim_of,
    day_item,
    day_of,
    delivery_item,
    delivery_of,
    effect_item,
    effect_of,
    event_item,
    event_of,
    lead_item,
    lead_of,
    ledger_item,
    ledger_of,
    touch_item,
    touch_record_of,
    version_item,
    version_of,
)
from chalicelib.request import pack, unpack
from chalicelib.storage import Item, Key, Mail, Message, Put
from tests.fakes import Kept
from tests.invariants import Dump, check, dumped
from tests.proof.stories import PHONE, large
from tests.world import SECRETS, World, form, linkedin, linkedin_pages

NOW = datetime(2026, 11, 23, tzinfo=UTC)

READ: dict[str, Callable[[Item], Any]] = {
    "delivery": delivery_of,
    "claim": claim_of,
    "lead": lead_of,
    "effect": effect_of,
    "ledger": ledger_of,
    "day": day_of,
    "event": event_of,
    "version": version_of,
    "active": active_of,
}


@pytest.fixture(scope="module")
def healthy() -> Dump:
    """A healthy world of fifty leads in which everything has happened that can."""
    world = World()
    for number in range(46):
        seats = {"seats": "250"} if number % 3 == 0 else {}
        world.send("forms", form(number, f"p{number}@example.com", **seats))
    world.settle()
    world.decline(lead=next(lead for lead in world.leads() if lead.assignment))
    world.accept(lead=next(lead for lead in world.leads() if lead.assignment))
    world.send("forms", form(100, phone=PHONE))
    world.settle()
    world.send("forms", form(101, "p1@example.com", PHONE))
    world.send("forms", form(102, "p2@example.com", seats="500"))
    world.send("forms", form(102, "p2@example.com", seats="500"))
    world.send("forms", form(103, "night@example.com", topic="night"))
    world.send("forms", b"not json")
    world.send("forms", form(104, "test@example.com", test=True))
    world.send("forms", form(105, "big@example.com", **large()))
    world.web.pages |= linkedin_pages(1, "lin@example.com") | linkedin_pages(2, "two@example.com")
    world.send("linkedin", linkedin(1))
    world.send("linkedin", linkedin(2))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)
    world.send("linkedin", linkedin(1, "DELETED", 1_795_420_900_000))
    world.work(world.inbox, world.hub)
    world.settle()
    dump = dumped(world)
    count = len(dump.live)
    assert count == 50
    assert check(dump) == []
    return dump


def copy_of(dump: Dump) -> Dump:
    """Copy a dump without what was worked out from it."""
    return Dump(
        items=deepcopy(dump.items),
        commits=list(dump.commits),
        waiting=list(dump.waiting),
        dead=list(dump.dead),
        sent=list(dump.sent),
        blobs=dict(dump.blobs),
        mails=list(dump.mails),
        posts=list(dump.posts),
        told=list(dump.told),
    )


def rewrite(dump: Dump, of: str, fits: Callable[[Any], bool], **update: Any) -> None:
    """Change the first item of a kind that fits."""
    for place, item in enumerate(dump.items):
        if item.get("kind") == of and fits(model := READ[of](item)):
            changed = model.model_copy(update=update)
            dump.items[place] = {**item, **written(of, changed, item)}
            return
    raise AssertionError(f"no {of} fits")


def written(kind: str, model: Model, item: Item) -> Item:
    """Write a model back as an item of its kind."""
    writer: str = item["writer"]
    made: dict[str, Callable[..., Item]] = {
        "delivery": delivery_item,
        "claim": claim_item,
        "lead": lead_item,
        "effect": effect_item,
        "ledger": ledger_item,
        "day": day_item,
        "version": version_item,
        "active": active_item,
    }
    if kind == "event":
        assert isinstance(model, Event)
        return {**event_item(item["pk"].removeprefix("LEAD#"), model, writer), "sk": item["sk"]}
    make = made[kind]
    return make(model, writer)


def drop(dump: Dump, kind: str, fits: Callable[[Any], bool] = lambda found: True) -> Item:
    """Take the first item of a kind that fits away."""
    for place, item in enumerate(dump.items):
        if item.get("kind") == kind and fits(READ[kind](item) if kind in READ else item):
            return dump.items.pop(place)
    raise AssertionError(f"no {kind} fits")


def anything(found: Any) -> bool:
    return True


# --- planters: each makes one violation ---------------------------------------------------------


def a_quarantined_delivery_is_gone(dump: Dump) -> None:
    drop(dump, "delivery", lambda one: one.outcome == "quarantined")


def a_delivery_is_still_pending(dump: Dump) -> None:
    rewrite(dump, "delivery", lambda one: one.outcome == "test", outcome="pending")


def a_quarantine_without_reason(dump: Dump) -> None:
    rewrite(dump, "delivery", lambda one: one.outcome == "quarantined", reason="")


def a_byte_of_a_body_changed(dump: Dump) -> None:
    def is_malformed(one: Delivery) -> bool:
        return one.outcome == "quarantined" and not one.blob

    (one,) = [found for found in dump.deliveries.values() if is_malformed(found)]
    changed = replace(unpack(one.raw), body=b"not Json")
    rewrite(dump, "delivery", is_malformed, raw=pack(changed))


def a_message_was_forgotten(dump: Dump) -> None:
    dump.waiting.append(Message({"delivery": "1"}))


def a_claim_is_gone(dump: Dump) -> None:
    drop(dump, "claim", lambda claim: not claim.withdrawn_at)


def a_claim_names_another_touch(dump: Dump) -> None:
    other = next(claim.touch_id for claim in dump.claims if claim.external_id == "form-7")
    rewrite(dump, "claim", lambda claim: claim.external_id == "form-8", touch_id=other)


def a_claim_names_no_touch(dump: Dump) -> None:
    claim = next(claim for claim in dump.claims if claim.external_id == "form-7")
    extra = claim.model_copy(update={"external_id": "form-x", "touch_id": ""})
    dump.items.append(claim_item(extra, "w"))


def a_touch_is_there_twice(dump: Dump) -> None:
    item = next(one for one in dump.of("touch") if touch_record_of(one).touch.void)
    dump.items.append({**item, "sk": item["sk"] + "x"})


def a_key_is_gone(dump: Dump) -> None:
    drop(dump, "key")


def a_key_points_at_a_merged_lead(dump: Dump) -> None:
    merged = next(lead for lead in dump.leads.values() if lead.merged_into)
    item = next(one for one in dump.of("key") if one["lead_ids"] == [merged.merged_into])
    dump.items[dump.items.index(item)] = {**item, "lead_ids": [merged.lead_id]}


def a_key_points_at_somebody_else(dump: Dump) -> None:
    first, second = dump.of("key")[:2]
    dump.items[dump.items.index(first)] = {**first, "lead_ids": second["lead_ids"]}


def a_lead_is_not_its_fold(dump: Dump) -> None:
    rewrite(dump, "lead", lambda lead: lead.touch_count == 2, touch_count=3)


def a_merged_lead_keeps_a_key(dump: Dump) -> None:
    rewrite(dump, "lead", lambda lead: bool(lead.merged_into), identity_keys=("email:a@b",))


def a_survivor_forgot_its_member(dump: Dump) -> None:
    def is_merged(lead: Any) -> bool:
        return bool(lead.merged_into)

    other = next(lead.lead_id for lead in dump.live if not lead.members)
    rewrite(dump, "lead", is_merged, merged_into=other)


def an_accepted_touch_is_nowhere(dump: Dump) -> None:
    one = next(found for found in dump.deliveries.values() if found.outcome == "duplicate")
    result = one.results["0"].model_copy(update={"outcome": "accepted", "touch_id": "lost"})
    rewrite(dump, "delivery", lambda d: d.delivery_id == one.delivery_id, results={"0": result})


def a_lead_still_awaits(dump: Dump) -> None:
    rewrite(dump, "lead", lambda lead: bool(lead.assignment), awaits="owner")


def a_lead_has_no_owner(dump: Dump) -> None:
    rewrite(dump, "lead", lambda lead: bool(lead.assignment), assignment=None)


def a_lead_is_owned_and_unowned(dump: Dump) -> None:
    lead = next(lead for lead in dump.live if lead.assignment)
    rewrite(dump, "lead", lambda lead: lead.is_unowned, assignment=lead.assignment)


def an_owner_whom_nobody_chose(dump: Dump) -> None:
    lead = next(lead for lead in dump.live if lead.assignment)
    assert lead.assignment
    other = lead.assignment.model_copy(update={"owner_id": "dee"})
    rewrite(dump, "lead", lambda found: found.lead_id == lead.lead_id, assignment=other)


def an_unowned_lead_without_alarm(dump: Dump) -> None:
    rewrite(dump, "event", lambda event: event.kind == "unowned", kind="merged")
    drop(dump, "effect", lambda effect: effect.kind == "unowned")
    dump.mails[:] = [mail for mail in dump.mails if mail.to != "duty@example.com"]


def an_unowned_lead_that_nobody_looks_at_again(dump: Dump) -> None:
    (item,) = [one for one in dump.of("lead") if lead_of(one).is_unowned]
    place = dump.items.index(item)
    dump.items[place] = {name: value for name, value in item.items() if name != "due_at"}


def an_owner_who_was_off(dump: Dump) -> None:
    for place, puts in enumerate(dump.commits):
        for put in puts:
            if put.item.get("kind") == "active":
                off = active_of(put.item).model_copy(update={"off": {"ann": ""}})
                dump.commits[place] = (Put("active", active_item(off, "w")),)


def a_day_with_too_many(dump: Dump) -> None:
    rewrite(dump, "day", anything, taken=1000)


def a_turn_that_was_never_returned(dump: Dump) -> None:
    item = next(one for one in dump.of("event") if event_of(one).kind == "declined")
    dump.items.append({**item, "sk": item["sk"] + "x"})


def an_answer_that_the_timeline_does_not_tell(dump: Dump) -> None:
    drop(dump, "event", lambda event: event.kind == "accepted")


def a_merge_that_the_timeline_does_not_tell(dump: Dump) -> None:
    drop(dump, "event", lambda event: event.kind == "absorbed")


def a_withdrawal_that_the_timeline_does_not_tell(dump: Dump) -> None:
    drop(dump, "event", lambda event: event.kind == "withdrawn")


def an_owner_chosen_from_an_old_roster(dump: Dump) -> None:
    active = active_of(dump.of("active")[0])
    later = active.model_copy(update={"version": active.version + 1})
    dump.commits.insert(1, (Put("active", active_item(later, "w")),))


def a_moment_of_unfairness(dump: Dump) -> None:
    ledger = ledger_of(dump.of("ledger")[0])
    owner_id, account = next(iter(ledger.accounts.items()))
    unfair = ledger.model_copy(
        update={
            "version": 10_000,
            "accounts": {owner_id: account.model_copy(update={"received": 500})},
        }
    )
    dump.commits.append((Put("ledger", ledger_item(unfair, "w")),))


def a_mail_that_came_twice(dump: Dump) -> None:
    dump.mails.append(dump.mails[0])


def a_mail_that_never_came(dump: Dump) -> None:
    dump.mails.pop()


def a_mail_of_nothing(dump: Dump) -> None:
    dump.mails.append(Mail("a", "b", "c", "d", "e", {"X-Hub-Effect": "unknown"}))


def a_post_that_never_came(dump: Dump) -> None:
    dump.posts.remove(next(post for post in dump.posts if "webhook-id" in post.headers))


def a_chat_message_too_many(dump: Dump) -> None:
    dump.posts.append(next(post for post in dump.posts if "webhook-id" not in post.headers))


def an_effect_still_pending(dump: Dump) -> None:
    rewrite(dump, "effect", lambda effect: effect.state == "cancelled", state="pending")


def an_effect_cancelled_without_reason(dump: Dump) -> None:
    rewrite(dump, "effect", lambda effect: effect.state == "cancelled", reason="")


def an_effect_done_without_proof(dump: Dump) -> None:
    rewrite(dump, "effect", lambda effect: effect.state == "done", proof="")


def an_effect_that_is_missing(dump: Dump) -> None:
    drop(dump, "effect", lambda effect: effect.state == "cancelled")


def an_effect_that_belongs_to_nothing(dump: Dump) -> None:
    effect = next(one for one in dump.effects.values() if one.state == "cancelled")
    extra: Effect = effect.model_copy(update={"effect_id": "extra"})
    dump.items.append(effect_item(extra, "w"))


def a_score_that_does_not_add_up(dump: Dump) -> None:
    lead = dump.live[0]
    wrong = lead.score.model_copy(update={"total": lead.score.total + 1})
    rewrite(dump, "lead", lambda found: found.lead_id == lead.lead_id, score=wrong)


def a_score_of_other_terms(dump: Dump) -> None:
    lead = dump.live[0]
    terms = (lead.score.terms[0].model_copy(update={"rule_id": "other"}), *lead.score.terms[1:])
    wrong = lead.score.model_copy(update={"terms": terms})
    rewrite(dump, "lead", lambda found: found.lead_id == lead.lead_id, score=wrong)


def a_rule_that_did_not_fit(dump: Dump) -> None:
    item = dump.of("touch")[0]
    record = touch_record_of(item)
    decisions = [
        decision.model_copy(update={"result": "nobody"}) if decision.kind == "rule" else decision
        for decision in record.decisions
    ]
    changed = record.model_copy(update={"decisions": tuple(decisions)})
    made = touch_item(item["pk"].removeprefix("LEAD#"), changed, 1, "w")
    dump.items[dump.items.index(item)] = made


def a_turn_out_of_turn(dump: Dump) -> None:
    def is_choice(event: Event) -> bool:
        return event.kind == "assigned" and sum(v.is_eligible for v in verdicts(event)) == 2

    def verdicts(event: Event) -> Any:
        return event.decisions[0].candidates

    event = next(found for found in map(event_of, dump.of("event")) if is_choice(found))
    decision = event.decisions[0]
    candidates = tuple(
        verdict.model_copy(update={"is_eligible": verdict.candidate != decision.result})
        for verdict in decision.candidates
    )
    wrong = decision.model_copy(update={"candidates": candidates})
    rewrite(dump, "event", lambda found: found.event_id == event.event_id, decisions=(wrong,))


def a_dead_message_about_nothing(dump: Dump) -> None:
    message = Message({"delivery": "unknown"})
    dump.dead.append(Kept(1, message, "{}", next(iter(dump.deliveries.values())).received_at))


def an_item_of_an_unknown_kind(dump: Dump) -> None:
    dump.items.append({"pk": "A", "sk": "B", "kind": "surprise", "writer": "w", "version": 1})


def an_item_that_cannot_be_read(dump: Dump) -> None:
    item = dump.of("lead")[0]
    dump.items[dump.items.index(item)] = {**item, "data": b"rubbish"}


def an_item_without_a_key(dump: Dump) -> None:
    item = dump.of("key")[0]
    dump.items.append({**item, "pk": ""})


def an_item_that_is_too_large(dump: Dump) -> None:
    item = dump.of("key")[0]
    dump.items.append({**item, "pk": "KEY#email:x", "padding": "x" * 360_000})


def a_person_in_a_message(dump: Dump) -> None:
    dump.sent.append(Message({"lead": "zoe@example.com"}))


def a_person_in_a_log(dump: Dump) -> None:
    dump.logs.append('{"step":"process","who":"zoe@example.com"}')


def a_secret_in_a_log(dump: Dump) -> None:
    dump.logs.append(SECRETS["forms"][0])


def a_secret_in_a_delivery(dump: Dump) -> None:
    one = next(found for found in dump.deliveries.values() if found.raw)
    request = unpack(one.raw)
    kept = replace(request, headers={**request.headers, "x-lead-token": SECRETS["forms"]})
    rewrite(dump, "delivery", lambda d: d.delivery_id == one.delivery_id, raw=pack(kept))


def a_blob_is_gone(dump: Dump) -> None:
    dump.blobs.clear()


def a_blob_that_nothing_points_to(dump: Dump) -> None:
    dump.blobs["deliveries/unknown"] = b"x"


def planted_import(dump: Dump, **more: Any) -> None:
    one = Import(
        import_id="i", source_id="forms", file="f", created_at=NOW, created_by="somebody", **more
    )
    dump.items.append(import_item(one, 1, None, "w"))


def an_import_that_counts_too_few(dump: Dump) -> None:
    planted_import(dump, state="done", counts={"accepted": 1})


def an_import_that_has_lost_rows(dump: Dump) -> None:
    planted_import(dump, state="done", rows=1, settled=1, counts={"accepted": 1})


def an_import_that_nobody_goes_on_with(dump: Dump) -> None:
    planted_import(dump, state="running")


def a_version_was_skipped(dump: Dump) -> None:
    lead = dump.live[0]
    later = lead.model_copy(update={"version": lead.version + 2})
    dump.commits.append((Put("lead", lead_item(later, "w")),))


def a_version_was_overwritten(dump: Dump) -> None:
    lead = dump.live[0]
    dump.commits.append((Put("sent on", lead_item(lead.model_copy(update={"version": 1}), "w")),))


def an_event_was_written_twice(dump: Dump) -> None:
    dump.commits.append((Put("event", dump.of("event")[0]),))


def an_event_before_its_lead(dump: Dump) -> None:
    early = next(iter(dump.leads.values())).created_at - timedelta(days=1)
    rewrite(dump, "event", lambda event: event.kind == "accepted", at=early)


def a_configuration_that_was_changed(dump: Dump) -> None:
    version = version_of(dump.of("version")[0])
    changed = version.document.replace("Example & Co", "Sample & Co")
    rewrite(dump, "version", anything, document=changed)


def one_says_that_they_are_kept_apart(dump: Dump) -> None:
    one, other = dump.live[:2]
    rewrite(dump, "lead", lambda lead: lead.lead_id == one.lead_id, apart=(other.lead_id,))


def a_lead_is_kept_apart_from_a_part_of_itself(dump: Dump) -> None:
    one = next(lead for lead in dump.live if lead.members)
    rewrite(dump, "lead", lambda lead: lead.lead_id == one.lead_id, apart=one.members)


PLANTED = {
    "I1": (
        a_quarantined_delivery_is_gone,
        a_delivery_is_still_pending,
        a_quarantine_without_reason,
        a_byte_of_a_body_changed,
        a_message_was_forgotten,
    ),
    "I2": (
        a_claim_is_gone,
        a_claim_names_another_touch,
        a_claim_names_no_touch,
        a_touch_is_there_twice,
    ),
    "I3": (a_key_is_gone, a_key_points_at_a_merged_lead, a_key_points_at_somebody_else),
    "I4": (
        a_lead_is_not_its_fold,
        a_merged_lead_keeps_a_key,
        a_survivor_forgot_its_member,
        an_accepted_touch_is_nowhere,
        a_merge_that_the_timeline_does_not_tell,
        a_withdrawal_that_the_timeline_does_not_tell,
    ),
    "I5": (
        a_lead_still_awaits,
        a_lead_has_no_owner,
        a_lead_is_owned_and_unowned,
        an_owner_whom_nobody_chose,
        an_unowned_lead_without_alarm,
        an_unowned_lead_that_nobody_looks_at_again,
        an_owner_who_was_off,
        an_owner_chosen_from_an_old_roster,
        an_answer_that_the_timeline_does_not_tell,
    ),
    "I6": (
        a_day_with_too_many,
        a_turn_that_was_never_returned,
        a_moment_of_unfairness,
    ),
    "I7": (
        a_mail_that_came_twice,
        a_mail_that_never_came,
        a_mail_of_nothing,
        a_post_that_never_came,
        a_chat_message_too_many,
        an_effect_still_pending,
        an_effect_cancelled_without_reason,
        an_effect_done_without_proof,
    ),
    "I8": (an_effect_that_is_missing, an_effect_that_belongs_to_nothing),
    "I9": (
        a_score_that_does_not_add_up,
        a_score_of_other_terms,
        a_rule_that_did_not_fit,
        a_turn_out_of_turn,
    ),
    "I12": (a_dead_message_about_nothing,),
    "I13": (
        an_item_of_an_unknown_kind,
        an_item_that_cannot_be_read,
        an_item_without_a_key,
        an_item_that_is_too_large,
    ),
    "I14": (
        a_person_in_a_message,
        a_person_in_a_log,
        a_secret_in_a_log,
        a_secret_in_a_delivery,
    ),
    "I15": (a_blob_is_gone, a_blob_that_nothing_points_to),
    "I17": (
        an_import_that_counts_too_few,
        an_import_that_has_lost_rows,
        an_import_that_nobody_goes_on_with,
    ),
    "I19": (one_says_that_they_are_kept_apart, a_lead_is_kept_apart_from_a_part_of_itself),
    "I16": (
        a_version_was_skipped,
        a_version_was_overwritten,
        an_event_was_written_twice,
        an_event_before_its_lead,
        a_configuration_that_was_changed,
    ),
}


@pytest.mark.parametrize(
    ("invariant", "plant"),
    [(name, plant) for name, planters in PLANTED.items() for plant in planters],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_a_planted_violation_is_named(
    healthy: Dump, invariant: str, plant: Callable[[Dump], None]
) -> None:
    dump = copy_of(healthy)
    plant(dump)
    fresh = copy_of(dump)
    fresh.logs = dump.logs
    assert {violation.invariant for violation in check(fresh)} == {invariant}


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_the_checker_is_silent_on_healthy_random_worlds(first: int) -> None:
    for seed in range(first, first + 20):
        dump = dumped(random_world(seed))
        assert check(dump) == [], f"seed {seed}"


def random_world(seed: int) -> World:
    """Play a random history without faults; queues shuffle and double."""
    chance = random.Random(seed)
    world = World(seed=seed)
    world.web.pages |= linkedin_pages(1, "p1@example.com")
    for number in range(chance.randrange(2, 9)):
        email = chance.choice(["", "p1@example.com", "p2@example.com", "p3@example.com"])
        phone = chance.choice(["", "", PHONE, "+447700900124"])
        more = {"seats": "250"} if chance.random() < 0.4 else {}
        more |= {"topic": "night"} if chance.random() < 0.1 else {}
        world.send("forms", form(chance.randrange(number + 1), email, phone, **more))
        if chance.random() < 0.3:
            world.send("linkedin", linkedin(1, chance.choice(["CREATED", "DELETED"])))
        if chance.random() < 0.3:
            world.settle()
        for lead in world.leads():
            if chance.random() < 0.2:
                chance.choice([world.accept, world.decline])(lead=lead)
    world.settle()
    return world


__all__ = ["Key"]
