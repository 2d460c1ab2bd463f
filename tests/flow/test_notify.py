"""Notifying: at most one visible effect for each destination, never dropped, each one recorded."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import Refused, TryLater, Unavailable, Uncertain
from chalicelib.flow.notify import LEASE, WAITS_SECONDS, notify, set_aside
from chalicelib.flow.publish import set_availability
from chalicelib.links import read
from chalicelib.records import Effect, summary_of
from chalicelib.storage import Received
from tests.fakes import Answered
from tests.faults import Call, Kill
from tests.flow.scenes import (
    a_world,
    ask,
    changed,
    effect,
    effects,
    failing_at,
    reconfigure,
)
from tests.world import SECRETS, World, form, linkedin, linkedin_pages


def planned(*numbers: int, **more: Any) -> World:
    """Give a world in which leads were assigned and nobody was told yet."""
    world = a_world()
    for number in numbers or (1,):
        ask(world, "forms", form(number, f"p{number}@example.com", seats="250", **more))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)
    return world


def told(world: World, hub: Any = None) -> None:
    """Let one worker go through the outbox."""
    world.work(world.outbox, hub or world.hub)


def later(world: World, **span: float) -> None:
    """Let time pass, and what is due be sent on and worked through."""
    world.clock.advance(**span)
    world.tick()
    world.drain()


def waits(world: World, one: Effect) -> float:
    """Say how many seconds an effect is to wait."""
    assert one.due_at
    return (one.due_at - world.clock()).total_seconds()


# --- sent -----------------------------------------------------------------------------------------


def test_each_destination_of_the_rule_is_told_once_and_has_its_proof() -> None:
    world = planned()
    world.drain()
    found = {one.destination_id: one for one in effects(world)}
    assert {name: one.state for name, one in found.items()} == {
        "mail": "done",
        "chat": "done",
        "crm": "done",
    }
    assert found["mail"].proof == "mail-1"
    assert found["crm"].proof == "200"
    assert [attempt.outcome for attempt in found["mail"].attempts] == ["sent"]
    assert (len(world.mailbox.mails), len(world.web.posts)) == (1, 2)


def test_the_owner_gets_the_mail_with_signed_links_to_accept_and_decline() -> None:
    world = planned()
    world.drain()
    (mail,) = world.mailbox.mails
    lead = world.lead()
    assert lead.assignment
    owner = world.config.owners[lead.assignment.owner_id]
    assert (mail.to, mail.sender.endswith("<hub@example.com>")) == (owner.email, True)
    assert mail.headers["X-Hub-Effect"] == effect(world, "mail").effect_id
    tokens = [part.split()[0] for part in mail.text.split("https://hub.example.com/answer/")[1:]]
    answers = {
        (link.action, link.lead_id, link.assignment_id)
        for link in (read(token, (SECRETS["links"][0],), world.clock()) for token in tokens)
    }
    assert answers == {
        ("accept", lead.lead_id, lead.assignment.assignment_id),
        ("decline", lead.lead_id, lead.assignment.assignment_id),
    }


def test_without_a_secret_for_links_the_owner_is_told_all_the_same() -> None:
    world = planned()
    del world.secrets.values["links"]
    world.drain()
    (mail,) = world.mailbox.mails
    assert "/answer/" not in mail.text


def test_the_webhook_is_signed_and_carries_the_id_of_its_effect() -> None:
    world = planned()
    world.drain()
    (post,) = [one for one in world.web.posts if one.url == "https://crm.example.com/leads"]
    assert post.headers["webhook-id"] == effect(world, "crm").effect_id
    assert json.loads(post.body)["data"]["lead_id"] == world.lead().lead_id


def test_the_same_message_again_sends_nothing_again() -> None:
    world = planned()
    sent = list(world.outbox.waiting)
    world.drain()
    world.outbox.send(sent + sent)
    world.drain()
    assert (len(world.mailbox.mails), len(world.web.posts)) == (1, 2)


def test_the_same_message_twice_in_one_batch_sends_once() -> None:
    world = planned()
    messages = world.outbox.receive()
    assert notify(world.hub, [*messages, *messages]) == []
    assert (len(world.mailbox.mails), len(world.web.posts)) == (1, 2)


def test_what_was_decided_is_told_with_what_is_known_by_then() -> None:
    world = planned()
    ask(world, "forms", form(2, "p1@example.com", seats="300", message="It is urgent."))
    world.work(world.inbox, world.hub)
    told(world)
    assert "It is urgent." in world.mailbox.mails[0].text


def test_a_message_about_an_effect_that_never_was_harms_nothing() -> None:
    world = planned()
    lost = Received("m", {"lead": "nobody", "effect": "nothing"}, 1)
    assert notify(world.hub, [lost]) == []
    set_aside(world.hub, lost, RuntimeError("late"))


# --- told to wait ---------------------------------------------------------------------------------


def test_a_destination_that_says_429_is_left_alone_as_long_as_it_asked() -> None:
    world = planned()
    world.web.answers = [Answered(), Answered(429, "slow down", 700)]
    told(world)
    slow = effect(world, "crm")
    assert (slow.state, waits(world, slow)) == ("pending", 700)
    assert [attempt.outcome for attempt in slow.attempts] == ["webhook: the receiver answered 429"]
    later(world, seconds=699)
    assert effect(world, "crm").state == "pending"
    later(world, seconds=1)
    assert effect(world, "crm").state == "done"


def test_back_off_grows_and_after_the_last_try_it_is_quarantined_with_all_attempts() -> None:
    world = planned()
    world.web.answers = [Answered(), *[Answered(500, "broken")] * 20]
    told(world)
    seen = []
    while effect(world, "crm").state == "pending":
        seen.append(waits(world, effect(world, "crm")))
        later(world, seconds=seen[-1])
    found = effect(world, "crm")
    assert tuple(seen) == WAITS_SECONDS
    assert found.state == "quarantined"
    assert found.reason == "trylater: webhook: the receiver answered 500"
    assert len(found.attempts) == len(WAITS_SECONDS) + 1
    assert world.next_due() is None


def test_the_whole_back_off_takes_about_three_days() -> None:
    assert timedelta(days=3) < timedelta(seconds=sum(WAITS_SECONDS)) < timedelta(days=3, hours=4)


def test_every_attempt_is_recorded_with_its_time_and_outcome() -> None:
    world = planned()
    world.web.answers = [Answered(), Answered(503), Answered(429, "", 30)]
    started_at = world.clock()
    told(world)
    later(world, seconds=5)
    later(world, seconds=30)
    found = effect(world, "crm")
    assert [(a.at - started_at).seconds for a in found.attempts] == [0, 5, 35]
    assert [a.outcome for a in found.attempts] == [
        "webhook: the receiver answered 503",
        "webhook: the receiver answered 429",
        "sent",
    ]


def test_a_slow_destination_does_not_hold_up_another() -> None:
    world = planned(1, 2, 3)
    world.mailbox.failures = [TryLater("SES: Throttling")] * 3
    world.drain()
    assert {one.state for one in effects(world, "mail")} == {"pending"}
    assert {one.state for one in effects(world, "chat", "crm")} == {"done"}


def test_after_one_wait_the_rest_of_a_destination_wait_without_an_attempt() -> None:
    world = planned(1, 2, 3)
    world.mailbox.failures = [TryLater("SES: Throttling", 20)]
    world.drain()
    found = effects(world, "mail")
    assert sorted(len(one.attempts) for one in found) == [0, 0, 1]
    assert sorted(waits(world, one) for one in found) == [20, 60, 60]
    later(world, seconds=60)
    world.settle()
    assert {one.state for one in effects(world, "mail")} == {"done"}
    assert len(world.mailbox.mails) == 3


# --- for good -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
def test_a_refusal_is_quarantined_at_once_with_the_reason(status: int) -> None:
    world = planned()
    world.web.answers = [Answered(), Answered(status)]
    told(world)
    found = effect(world, "crm")
    assert (found.state, found.reason) == (
        "quarantined",
        f"refused: webhook: the receiver answered {status}",
    )


def test_what_is_quarantined_is_listed_for_the_admin() -> None:
    world = planned()
    world.mailbox.failures = [Refused("SES: MessageRejected")]
    told(world)
    page = world.hub.table.query_index("list", "EFFECTS#quarantined")
    (item,) = page.items
    assert summary_of(item)["reason"] == "refused: SES: MessageRejected"
    assert summary_of(item)["lead_id"] == world.lead().lead_id


def test_a_destination_without_its_secret_is_quarantined_and_says_so() -> None:
    world = planned()
    del world.secrets.values["slack"]
    told(world)
    assert effect(world, "chat").reason == (
        "misconfigured: slack: the secret with the webhook's address is missing"
    )


def test_a_mistake_of_ours_is_quarantined_by_its_name() -> None:
    world = planned()
    messages = world.outbox.receive()
    (message,) = [one for one in messages if one.body["effect"] == effect(world, "mail").effect_id]
    set_aside(world.hub, message, RuntimeError("p1@example.com"))
    found = effect(world, "mail")
    assert (found.state, found.reason) == ("quarantined", "a mistake of ours: RuntimeError")
    set_aside(world.hub, message, RuntimeError("again"))
    assert effect(world, "mail").version == found.version


# --- nobody knows whether it went out -------------------------------------------------------------


def test_a_mail_that_may_have_gone_out_is_never_sent_again() -> None:
    world = planned()
    world.mailbox.failures = [Uncertain("SES: no answer")]
    world.settle()
    found = effect(world, "mail")
    assert (found.state, found.reason) == ("quarantined", "uncertain: SES: no answer")
    assert world.mailbox.mails == []


def test_a_webhook_that_may_have_gone_out_is_repeated_with_the_same_id() -> None:
    world = planned()
    world.web.answers = [Answered(), Uncertain("crm.example.com: no answer came")]
    told(world)
    assert effect(world, "crm").state == "pending"
    world.settle()
    (post,) = [one for one in world.web.posts if "crm" in one.url]
    assert effect(world, "crm").state == "done"
    assert post.headers["webhook-id"] == effect(world, "crm").effect_id


def dying(name: str) -> Callable[[Call, Callable[[], Any]], Any]:
    """Let the process end right after a call had its effect."""

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        answer = go()
        if f"{call.on}.{call.does}" == name:
            raise Kill
        return answer

    return hook


def test_a_worker_that_dies_after_sending_a_mail_leaves_it_to_a_person_and_sends_no_other() -> None:
    world = planned()
    told(world, world.worker(dying("mail.send")))
    assert len(world.mailbox.mails) == 1
    told(world)
    assert effect(world, "mail").state == "sending"
    world.settle()
    found = effect(world, "mail")
    assert (found.state, found.reason) == (
        "quarantined",
        "uncertain: an attempt ended without an answer",
    )
    assert len(world.mailbox.mails) == 1


def test_a_claim_is_left_alone_until_its_lease_ends() -> None:
    world = planned()
    world.clock.advance(minutes=4)
    told(world, world.worker(dying("mail.send")))
    found = effect(world, "mail")
    assert waits(world, found) == LEASE.total_seconds()
    world.clock.advance(seconds=LEASE.total_seconds() - 1)
    world.tick()
    world.drain()
    assert effect(world, "mail").state == "sending"
    later(world, seconds=1)
    assert effect(world, "mail").state == "quarantined"


def test_a_claim_made_at_once_does_not_move_the_effect_in_the_index() -> None:
    world = planned()
    due_at = effect(world, "mail").due_at
    told(world, world.worker(dying("mail.send")))
    assert effect(world, "mail").state == "sending"
    assert effect(world, "mail").due_at == due_at


def test_a_worker_that_dies_after_posting_a_webhook_repeats_it_with_the_same_id() -> None:
    world = planned()
    seen: list[str] = []

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        answer = go()
        if call.on == "web" and world.web.posts[-1].headers.get("webhook-id"):
            seen.append(world.web.posts[-1].headers["webhook-id"])
            raise Kill
        return answer

    told(world, world.worker(hook))
    world.settle()
    posts = [one for one in world.web.posts if "crm" in one.url]
    assert {one.headers["webhook-id"] for one in posts} == set(seen)
    assert len(posts) == 2
    assert effect(world, "crm").state == "done"


def test_two_workers_with_the_same_mail_send_it_once() -> None:
    world = planned()
    messages = world.outbox.receive()
    others = [messages]

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if "claim" in call.what and others:
            notify(world.hub, others.pop())
        return go()

    assert notify(world.worker(hook), messages) == []
    assert len(world.mailbox.mails) == 1
    assert effect(world, "mail").state == "done"


def test_a_mistake_of_ours_in_one_mail_does_not_make_the_one_before_it_uncertain() -> None:
    world = planned(1, 2)
    messages = world.outbox.receive()
    world.mailbox.failures = []
    sent = 0

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        nonlocal sent
        if call.on == "mail":
            sent += 1
            if sent == 2:
                raise RuntimeError("a mistake of ours")
        return go()

    with pytest.raises(RuntimeError):
        notify(world.worker(hook), messages)
    assert sorted(one.state for one in effects(world, "mail")) == ["done", "sending"]


# --- not any more ---------------------------------------------------------------------------------


def test_a_destination_switched_off_since_is_cancelled() -> None:
    world = planned()
    reconfigure(world, changed(world.config, "destinations", "chat", enabled=False))
    world.drain()
    found = effect(world, "chat")
    assert (found.state, found.reason) == ("cancelled", "the destination is switched off")


def test_a_destination_that_is_gone_since_is_cancelled() -> None:
    world = planned()
    others = {k: one for k, one in world.config.destinations.items() if k != "chat"}
    reconfigure(world, world.config.model_copy(update={"destinations": others}))
    world.drain()
    assert effect(world, "chat").state == "cancelled"


def test_nobody_is_told_of_a_lead_that_has_changed_hands_since() -> None:
    world = planned()
    assert world.decline()
    world.work(world.routing, world.hub)
    world.drain()
    states = sorted(one.state for one in effects(world, "mail"))
    assert states == ["cancelled", "done"]
    assert len(world.mailbox.mails) == 1
    (found,) = [one for one in effects(world, "mail") if one.state == "cancelled"]
    assert found.reason == "the lead has changed hands since"


def test_nobody_is_told_of_a_lead_that_its_person_took_back() -> None:
    world = a_world()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    ask(world, "linkedin", linkedin(1))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)
    ask(world, "linkedin", linkedin(1, "DELETED", 1_795_420_900_000))
    world.work(world.inbox, world.hub)
    world.drain()
    found = effect(world, "mail")
    assert (found.state, found.reason) == ("cancelled", "the person took it back")
    assert world.mailbox.mails == []


def test_a_lead_that_was_merged_away_is_told_of_under_its_survivor_if_the_owner_is_the_same() -> (
    None
):
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)
    ask(world, "forms", form(2, "zoe@example.com", "+447700900123"))
    world.work(world.inbox, world.hub)
    world.drain()
    assert {one.state for one in effects(world)} == {"done"}


def test_an_alarm_goes_to_its_own_address() -> None:
    world = a_world()
    set_availability(world.hub, "ben", off=True)
    set_availability(world.hub, "cem", off=True)
    ask(world, "forms", form(1, "zoe@example.com"))
    world.drain()
    (mail,) = world.mailbox.mails
    assert mail.to == "duty@example.com"
    assert "/answer/" not in mail.text


# --- when AWS is down -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["table.get", "table.get_many"])
def test_every_message_comes_back_while_the_table_is_down(name: str) -> None:
    world = planned()
    messages = world.outbox.receive()
    hub = world.worker(failing_at(name, 1, Unavailable("DynamoDB: down")))
    assert notify(hub, messages) == [message.message_id for message in messages]
    assert world.mailbox.mails == []


def test_without_a_claim_no_mail_goes_out() -> None:
    world = planned()
    messages = world.outbox.receive()

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if call.does == "write":
            raise Unavailable("DynamoDB: down")
        return go()

    back = notify(world.worker(hook), messages)
    assert set(back) <= {message.message_id for message in messages}
    assert world.mailbox.mails == []
    world.outbox.give_back(back)
    world.settle()
    assert len(world.mailbox.mails) == 1


def test_the_secret_store_down_brings_the_message_back() -> None:
    world = planned()
    world.secrets.is_down = True
    told(world)
    assert {one.state for one in effects(world)} <= {"pending", "sending"}
    world.secrets.is_down = False
    world.settle()
    assert effect(world, "crm").state == "done"


def test_the_secret_store_down_before_a_mail_costs_nobody_the_mail() -> None:
    world = planned()
    world.secrets.is_down = True
    told(world)
    world.secrets.is_down = False
    world.settle()
    assert effect(world, "mail").state == "done"


def test_a_secret_that_cannot_be_read_leaves_nothing_uncertain() -> None:
    world = planned()
    failures = [1]

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if (call.on, call.what) == ("secrets", "slack") and failures:
            failures.pop()
            raise Unavailable("SSM: ThrottlingException")
        return go()

    told(world, world.worker(hook))
    world.settle()
    assert (failures, effect(world, "chat").state) == ([], "done")
