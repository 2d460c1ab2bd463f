"""Processing: claim each submission once for good, fetch, quarantine what cannot be read."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.errors import Conflict, Gone, Malformed, Refused, TryLater, Unavailable
from chalicelib.flow.outcome import TRIES
from chalicelib.flow.process import process, set_aside
from chalicelib.records import lead_of
from chalicelib.storage import Message, Received
from tests.faults import Call
from tests.flow.scenes import (
    a_world,
    ask,
    case_body,
    case_pages,
    changed,
    claims,
    deliveries,
    delivery,
    effects,
    events,
    everything_kept,
    failing_at,
    know_form,
    noted,
    of_kind,
    outcomes,
    reconfigure,
    touches,
    value,
)
from tests.world import SECRETS, World, form, linkedin, linkedin_pages, meta, meta_page

PAGE = {"content-type": "application/x-www-form-urlencoded"}


def act(world: World, position: int = 0) -> str:
    """Say what became of one submission of the only delivery."""
    return delivery(world).results[str(position)].outcome


# --- once, for good -------------------------------------------------------------------------------


def test_a_submission_becomes_a_lead_with_its_touch_its_keys_and_its_claim() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com", "+447700900123"))
    world.drain()
    (claim,), (record,), lead = claims(world), touches(world), world.lead()
    assert (claim.external_id, claim.lead_id, claim.touch_id) == (
        "form-1",
        lead.lead_id,
        record.touch.touch_id,
    )
    assert lead.identity_keys == record.touch.identity_keys
    assert {one for item in of_kind(world, "key") for one in item["lead_ids"]} == {lead.lead_id}
    assert delivery(world).results["0"].lead_id == lead.lead_id


def test_lead_touch_keys_claim_and_outcome_are_one_transaction() -> None:
    world = a_world()
    know_form(world)
    ask(world, "forms", form(1, "zoe@example.com"))
    world.work(world.inbox, world.hub)
    names = [put.name for put in world.table.commits[-1]]
    blocks = [name for name in names if name.startswith("block ")]
    assert blocks
    assert names == ["claim", "lead", "touch", "identity key 0", *blocks, "outcome"]


def test_the_same_message_twice_has_one_effect() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.inbox.send(world.inbox.waiting)
    world.settle()
    assert world.lead().touch_count == 1
    assert outcomes(world) == ["accepted"]
    assert len(effects(world)) == 1


def test_the_same_message_twice_in_one_batch_has_one_effect() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    (message,) = world.inbox.receive()
    assert process(world.hub, [message, message]) == []
    assert world.lead().touch_count == 1
    assert outcomes(world) == ["accepted"]


def test_the_same_submission_in_another_delivery_is_a_duplicate_of_the_first() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    ask(world, "forms", form(1, "zoe@example.com", note="sent again"))
    world.settle()
    first, second = deliveries(world)
    assert (first.outcome, second.outcome) == ("accepted", "duplicate")
    assert second.results["0"].of == first.delivery_id
    assert second.results["0"].lead_id == world.lead().lead_id
    assert world.lead().touch_count == 1


def test_a_duplicate_years_later_is_still_one() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    world.clock.advance(days=1000)
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    assert outcomes(world) == ["accepted", "duplicate"]


def test_the_same_id_at_another_source_is_another_submission() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    ask(world, "events", form(1, "zoe@example.com"))
    world.settle()
    assert outcomes(world) == ["accepted", "accepted"]
    assert world.lead().touch_count == 2


def test_two_acts_in_one_delivery_are_two_submissions() -> None:
    world = a_world()
    both = [json.loads(form(1, "ann@example.com")), json.loads(form(2, "ben@example.com"))]
    ask(world, "forms", json.dumps(both).encode())
    world.settle()
    assert delivery(world).outcome == "accepted"
    assert [act(world, 0), act(world, 1)] == ["accepted", "accepted"]
    assert len(world.leads()) == 2


def test_the_same_act_twice_in_one_delivery_counts_once() -> None:
    world = a_world()
    one = json.loads(form(1, "ann@example.com"))
    ask(world, "forms", json.dumps([one, one]).encode())
    world.settle()
    assert [act(world, 0), act(world, 1)] == ["accepted", "duplicate"]
    assert world.lead().touch_count == 1


def test_one_bad_act_does_not_keep_a_good_one_out() -> None:
    world = a_world()
    both = [json.loads(form(1)) | {"note": "who?"}, json.loads(form(2, "ben@example.com"))]
    ask(world, "forms", json.dumps(both).encode())
    world.settle()
    assert delivery(world).outcome == "quarantined"
    assert [act(world, 0), act(world, 1)] == ["quarantined", "accepted"]
    assert value(world.lead(), "email") == "ben@example.com"


def test_twenty_five_leads_in_one_request_are_spread_over_messages_and_all_arrive() -> None:
    world = a_world()
    for number in range(25):
        world.web.pages |= meta_page(number, f"met{number}@example.com")
    ask(world, "meta", meta(*range(25)))
    world.settle()
    parts = [message.body for message in world.inbox.sent if "from" in message.body]
    assert [(part["from"], part["to"]) for part in parts] == [(0, 10), (10, 20), (20, 25)]
    assert delivery(world).outcome == "accepted"
    assert len(world.leads()) == 25


def test_a_part_that_finishes_while_another_does_loses_neither() -> None:
    world = a_world()
    for number in range(12):
        world.web.pages |= meta_page(number, f"met{number}@example.com")
    ask(world, "meta", meta(*range(12)))
    world.work(world.inbox, world.hub)
    first, second = world.inbox.receive()
    waiting = [second]

    def finish_the_other_first(call: Call, go: Callable[[], Any]) -> Any:
        if call.what == "outcome" and waiting:
            assert process(world.hub, [waiting.pop()]) == []
        return go()

    assert process(world.worker(finish_the_other_first), [first]) == []
    assert waiting == []
    found = delivery(world)
    assert (found.outcome, len(found.results)) == ("accepted", 12)


def test_one_lead_that_must_wait_does_not_hold_up_the_others_of_its_request() -> None:
    world = a_world()
    world.web.pages |= meta_page(1, "one@example.com") | meta_page(3, "three@example.com")
    world.web.pages["/770002"] = TryLater("graph.facebook.com answered 429", 600)
    ask(world, "meta", meta(1, 2, 3))
    world.drain()
    assert delivery(world).outcome == "waiting"
    assert len(world.leads()) == 2
    world.web.pages |= meta_page(2, "two@example.com")
    world.settle()
    assert delivery(world).outcome == "accepted"
    assert len(world.leads()) == 3
    assert len(claims(world)) == 3


# --- partial, then complete -----------------------------------------------------------------------


def survey(is_complete: bool, email: str, token: str = "t1") -> bytes:
    """Make what Typeform sends for a form that was finished, or only begun."""
    kind = "form_response" if is_complete else "form_response_partial"
    body = json.loads(case_body("typeform", "demo_request" if is_complete else "unfinished_form"))
    text = json.dumps(body)
    assert kind in text
    response = body["form_response"]
    response["token"] = token
    for answer in response["answers"]:
        if answer["type"] == "email":
            answer["email"] = email
    return json.dumps(body).encode()


def test_a_complete_submission_takes_the_place_of_a_partial_one() -> None:
    world = a_world()
    ask(world, "survey", survey(False, "zoe@example.com"))
    world.settle()
    assert world.lead().is_partial
    ask(world, "survey", survey(True, "zoe@example.com"))
    world.settle()
    lead = world.lead()
    assert (lead.is_partial, lead.touch_count) == (False, 1)
    assert sorted(record.touch.void for record in touches(world)) == ["", "superseded"]
    assert len(claims(world)) == 1


def test_a_partial_submission_that_comes_late_changes_nothing() -> None:
    world = a_world()
    ask(world, "survey", survey(True, "zoe@example.com"))
    ask(world, "survey", survey(False, "zoe@example.com"))
    world.settle()
    assert outcomes(world) == ["accepted", "duplicate"]
    assert not world.lead().is_partial


# --- tests, probes, spam --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source_id", "connector"),
    [("ads", "google_ads"), ("linkedin", "linkedin"), ("meta", "meta")],
)
def test_a_providers_own_test_lead_has_no_side_effect_but_a_trace(
    source_id: str, connector: str
) -> None:
    world = a_world()
    if connector != "google_ads":
        world.web.pages |= case_pages(connector, "test_lead")
    assert ask(world, source_id, case_body(connector, "test_lead")).status == 200
    world.settle()
    found = delivery(world)
    assert (found.outcome, found.results["0"].outcome) == ("test", "test")
    assert [one.kind for one in found.results["0"].decisions] == ["match", "score", "rule"]
    kinds = {item.get("kind") for item in world.table.scan()}
    assert kinds == {"active", "version", "delivery"}
    assert world.mailbox.mails == []


def test_a_test_lead_that_says_nobody_is_a_test_all_the_same() -> None:
    world = a_world()
    ask(world, "forms", form(1, test="yes", email="<test lead: dummy data for email>"))
    world.settle()
    assert delivery(world).outcome == "test"


def test_a_test_lead_does_not_change_the_lead_it_would_belong_to() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    before = world.lead()
    ask(world, "forms", form(2, "zoe@example.com", test=True, seats="500"))
    world.settle()
    assert world.lead() == before
    match = deliveries(world)[1].results["0"].decisions[0]
    assert match.result == before.lead_id


def test_a_notice_with_nothing_for_us_is_ignored() -> None:
    world = a_world()
    ask(world, "meta", case_body("meta", "another_object"))
    ask(world, "linkedin", case_body("linkedin", "another_notice"))
    world.settle()
    assert outcomes(world) == ["ignored", "ignored"]


def test_suspected_spam_is_quarantined_with_its_reason_and_the_bot_is_told_nothing() -> None:
    world = a_world()
    reply = ask(world, "page", b"email=zoe%40example.com&nickname=buy", headers=PAGE)
    assert reply.status == 200
    world.settle()
    found = delivery(world)
    assert found.outcome == "quarantined"
    assert "suspected spam" in found.reason
    assert "honeypot" in found.reason
    assert world.leads() == []


def test_a_form_sent_from_another_page_is_quarantined_with_that_reason() -> None:
    world = a_world()
    ask(
        world,
        "page",
        b"email=zoe%40example.com",
        headers={**PAGE, "origin": "https://www.example.net"},
    )
    world.settle()
    assert "another origin" in delivery(world).reason


# --- bad input ------------------------------------------------------------------------------------


def test_a_lead_with_nothing_to_identify_it_is_quarantined_with_the_reason() -> None:
    world = a_world()
    ask(world, "forms", form(1, message="call me", name="Zoe"))
    world.settle()
    found = delivery(world)
    assert found.outcome == "quarantined"
    assert "expected an e-mail address or a phone number" in found.reason
    assert claims(world) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"email": NaN}',
        b'{"email": Infinity}',
        b'{"id": 1,',
        b'{"email": "a@example.com"} trailing',
        b"\xff\xfe\x00",
        b"{'email': 'a@example.com'}",
        json.dumps({f"k{n}": n for n in range(5000)}).encode(),
    ],
)
def test_what_cannot_be_read_is_quarantined_at_once_or_empty(body: bytes) -> None:
    world = a_world()
    ask(world, "forms", body)
    world.work(world.inbox, world.hub)
    assert world.inbox.is_empty()
    assert delivery(world).outcome in {"quarantined", "ignored"}
    assert world.leads() == []


@pytest.mark.parametrize(
    "more",
    [
        {"a": "\x00\x01\x1f￾"},
        {"a": "\ud800"},
        {"a": 10**400},
        {"a": 10**38 + 1, "b": -0.0, "c": 1e126},
        {"": "an empty key"},
        {"k" * 10_000: "a long key"},
        {"__proto__": "{{7*7}}", "constructor": "${jndi:ldap://x}", "{0.__class__}": "%s%n"},
        {"name": "<script>alert(1)</script>", "company": "=HYPERLINK(1)", "message": "@everyone"},
        {"status": "x", "owner": "y", "pk": "z", "version": "9"},
        {"phone": "1" * 5000},
        {"name": "x" * 60_000},
        {"country": "Nowhere", "website": "javascript:alert(1)"},
    ],
)
def test_odd_content_makes_a_lead_that_reaches_its_owner(more: dict[str, object]) -> None:
    world = a_world()
    body = {**json.loads(form(1, "zoe@example.com")), **more}
    ask(world, "forms", json.dumps(body).encode())
    world.settle()
    found = delivery(world)
    if found.outcome == "quarantined":
        assert found.reason.startswith("malformed: ")
        return
    assert value(world.lead(), "email") == "zoe@example.com"
    assert [one.state for one in effects(world)] == ["done"]


def test_numbers_stay_as_they_were_written() -> None:
    world = a_world()
    ask(world, "forms", b'{"id":"1","email":"zoe@example.com","a":1e999,"b":-1.50,"c":0.10}')
    world.settle()
    answers = touches(world)[0].touch.answers
    assert (answers["a"], answers["b"], answers["c"]) == ("1e999", "-1.50", "0.10")


def test_a_key_said_twice_has_one_meaning() -> None:
    world = a_world()
    ask(world, "forms", b'{"id":"1","email":"first@example.com","email":"last@example.com"}')
    world.settle()
    assert value(world.lead(), "email") == "last@example.com"


def test_an_email_of_absurd_length_identifies_nobody() -> None:
    world = a_world()
    ask(world, "forms", form(1, "a" * 10_000 + "@example.com"))
    world.settle()
    assert delivery(world).outcome == "quarantined"


def test_an_email_of_absurd_length_beside_a_phone_is_kept_raw_and_flagged() -> None:
    world = a_world()
    ask(world, "forms", form(1, "a" * 10_000 + "@example.com", "+447700900123"))
    world.settle()
    assert "invalid_email" in world.lead().flags
    assert touches(world)[0].touch.answers["email"] == "a" * 10_000 + "@example.com"


@pytest.mark.parametrize(
    "cut",
    [b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nzoe@example', b"--x", b"--y\r\n"],
)
def test_a_truncated_multipart_form_is_quarantined(cut: bytes) -> None:
    world = a_world()
    ask(world, "page", cut, headers={"content-type": "multipart/form-data; boundary=x"})
    world.settle()
    assert delivery(world).outcome == "quarantined"


def test_a_wrong_charset_loses_no_lead() -> None:
    world = a_world()
    ask(
        world,
        "forms",
        '{"id":"1","email":"zoe@example.com","name":"Zoë"}'.encode("latin-1"),
        headers={"content-type": "application/json; charset=utf-8"},
    )
    world.settle()
    assert value(world.lead(), "email") == "zoe@example.com"


def test_unmapped_answers_are_kept_and_lists_stay_lists() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com", machines=["lathe", "mill"], shift="night"))
    world.settle()
    touch = touches(world)[0].touch
    assert touch.answers["machines"] == ("lathe", "mill")
    assert {"machines", "shift"} <= set(touch.unmapped)


# --- quarantine and the configuration -------------------------------------------------------------


def test_a_source_that_left_the_configuration_quarantines_its_deliveries() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    others = {name: one for name, one in world.config.sources.items() if name != "forms"}
    reconfigure(world, world.config.model_copy(update={"sources": others}))
    world.settle()
    assert delivery(world).reason == (
        "unknownsource: source forms is not in the configuration any more"
    )


def test_a_source_switched_off_since_still_has_its_deliveries_processed() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    reconfigure(world, changed(world.config, "sources", "forms", enabled=False))
    world.settle()
    assert outcomes(world) == ["accepted"]


def test_a_field_map_changed_since_is_used() -> None:
    world = a_world()
    ask(world, "forms", form(1, contact_mail="zoe@example.com"))
    fields = {"contact_mail": "email"}
    reconfigure(world, changed(world.config, "sources", "forms", fields=fields))
    world.settle()
    assert value(world.lead(), "email") == "zoe@example.com"


# --- fetching -------------------------------------------------------------------------------------


def notice(world: World) -> None:
    assert ask(world, "linkedin", linkedin(1)).status == 200


def test_a_thin_notice_is_completed_from_the_providers_api() -> None:
    world = a_world()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    notice(world)
    world.settle()
    assert value(world.lead(), "email") == "lin@example.com"
    assert delivery(world).outcome == "accepted"


def test_a_provider_that_says_429_is_left_alone_as_long_as_it_asked() -> None:
    world = a_world()
    world.web.pages["leadFormResponses/00000001-1"] = TryLater("answered 429", 700)
    notice(world)
    world.drain()
    found = delivery(world)
    assert (found.outcome, found.tries) == ("waiting", 1)
    assert found.due_at is not None
    assert (found.due_at - world.clock()).total_seconds() == 700
    asked = len(world.web.asked)
    world.clock.advance(seconds=690)
    world.tick()
    world.drain()
    assert len(world.web.asked) == asked
    world.web.pages = linkedin_pages(1, "lin@example.com")
    world.clock.advance(seconds=10)
    world.tick()
    world.drain()
    assert delivery(world).outcome == "accepted"


def test_waits_double_up_to_four_hours_when_the_provider_does_not_say() -> None:
    world = a_world()
    world.web.pages["leadFormResponses/00000001-1"] = TryLater("answered 500")
    notice(world)
    waits = []
    for _ in range(TRIES - 1):
        world.drain()
        due_at = delivery(world).due_at
        assert due_at is not None
        waits.append(int((due_at - world.clock()).total_seconds()))
        world.clock.advance(seconds=waits[-1])
        world.tick()
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 14400, 14400]


def test_after_the_last_try_it_is_quarantined_with_the_reason_and_can_be_replayed() -> None:
    world = a_world()
    world.web.pages["leadFormResponses/00000001-1"] = TryLater("LinkedIn answered 500")
    notice(world)
    world.settle()
    found = delivery(world)
    assert found.outcome == "quarantined"
    assert found.reason == "trylater: gave up waiting; LinkedIn answered 500"
    assert world.next_due() is None
    world.web.pages = linkedin_pages(1, "lin@example.com")
    world.replay(found.delivery_id)
    world.settle()
    assert delivery(world).outcome == "accepted"


def test_what_was_done_in_the_last_try_is_written_down_too() -> None:
    world = a_world()
    world.web.pages["/770001"] = world.web.pages["/770002"] = TryLater("answered 500")
    ask(world, "meta", meta(1, 2))
    for _ in range(TRIES - 1):
        world.drain()
        due_at = world.next_due()
        assert due_at is not None
        world.clock.advance(seconds=(due_at - world.clock()).total_seconds())
        world.tick()
    world.web.pages |= meta_page(1, "one@example.com")
    world.drain()
    found = delivery(world)
    assert found.outcome == "quarantined"
    assert found.results["0"].lead_id == world.lead().lead_id


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Refused("LinkedIn answered 401"), "refused: LinkedIn answered 401"),
        (Gone("LinkedIn answered 404"), "gone: LinkedIn answered 404"),
        (Malformed("the answer is not JSON"), "malformed: the answer is not JSON"),
    ],
)
def test_an_expired_token_or_a_deleted_lead_is_quarantined_at_once_and_replayable(
    error: Exception, reason: str
) -> None:
    world = a_world()
    world.web.pages["leadFormResponses/00000001-1"] = error
    notice(world)
    world.settle()
    found = delivery(world)
    assert (found.outcome, found.reason) == ("quarantined", reason)
    world.web.pages = linkedin_pages(1, "lin@example.com")
    world.replay(found.delivery_id)
    world.settle()
    assert delivery(world).outcome == "accepted"


def test_a_missing_access_token_is_quarantined_and_names_the_secret() -> None:
    world = a_world()
    del world.secrets.values["linkedin_token"]
    notice(world)
    world.settle()
    assert delivery(world).reason == "misconfigured: secret 'linkedin_token' has no live value"
    assert world.web.asked == []


def test_the_secret_store_down_while_fetching_brings_the_message_back() -> None:
    world = a_world()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    notice(world)
    world.secrets.is_down = True
    world.work(world.inbox, world.hub)
    assert not world.inbox.is_empty()
    world.secrets.is_down = False
    world.settle()
    assert delivery(world).outcome == "accepted"


def test_a_lead_that_was_taken_is_not_fetched_again() -> None:
    world = a_world()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    notice(world)
    world.settle()
    asked = len(world.web.asked)
    notice(world)
    world.settle()
    assert len(world.web.asked) == asked
    assert outcomes(world) == ["accepted", "duplicate"]


# --- when AWS is down -----------------------------------------------------------------------------


def handled(world: World, *names: str) -> list[str]:
    """Process what waits with these parts down; gives how many messages come back."""
    for name in names:
        getattr(world, name).is_down = True
    messages = world.inbox.receive()
    back = process(world.hub, messages)
    for name in names:
        getattr(world, name).is_down = False
    world.inbox.delete({message.message_id for message in messages} - set(back))
    world.inbox.give_back(back)
    return back


@pytest.mark.parametrize("part", ["table", "routing"])
def test_every_message_comes_back_while_aws_is_down_and_is_done_once_afterwards(part: str) -> None:
    world = a_world()
    for number in range(3):
        ask(world, "forms", form(number, f"p{number}@example.com"))
    assert len(handled(world, part)) == 3
    world.settle()
    assert outcomes(world) == ["accepted"] * 3
    assert [lead.touch_count for lead in world.leads()] == [1, 1, 1]
    assert len(events(world, "assigned")) == 3


def test_only_the_message_that_failed_comes_back() -> None:
    world = a_world()
    for number in range(10):
        ask(world, "forms", form(number, f"p{number}@example.com"))
    messages = world.inbox.receive()
    hub = world.worker(failing_at("table.write", 4, Unavailable("DynamoDB: down")))
    assert process(hub, messages) == [messages[3].message_id]
    assert len(world.leads()) == 9


def test_a_routing_message_lost_with_an_earlier_try_is_sent_again() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    handled(world, "routing")
    assert world.routing.sent == []
    world.drain()
    assert world.lead().assignment


def test_a_lead_is_routed_in_the_group_of_its_pool() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com", seats="500"))
    ask(world, "forms", form(2, "ann@example.com"))
    world.work(world.inbox, world.hub)
    assert [message.group for message in world.routing.sent] == ["large", "small"]


def test_a_message_about_a_delivery_that_never_was_is_set_aside_and_harms_nothing() -> None:
    world = a_world()
    lost = Received("m1", {"delivery": "nowhere"}, 3)
    set_aside(world.hub, lost, KeyError("nowhere"))
    assert deliveries(world) == []


def test_a_mistake_of_ours_is_quarantined_with_its_name_and_without_its_words() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    set_aside(world.hub, world.inbox.receive()[0], RuntimeError("zoe@example.com"))
    found = delivery(world)
    assert (found.outcome, found.reason) == (
        "quarantined",
        "a mistake of ours: RuntimeError",
    )


def test_what_is_finished_is_not_set_aside() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    message = world.inbox.receive()[0]
    process(world.hub, [message])
    set_aside(world.hub, message, RuntimeError("late"))
    assert outcomes(world) == ["accepted"]


def test_a_whole_delivery_that_our_code_fails_on_is_kept_and_found_by_tick() -> None:
    world = a_world()
    ask(world, "forms", form(0, "old@example.com"))
    world.settle()
    world.table.is_down = True
    ask(world, "forms", form(1, "zoe@example.com"))
    world.table.is_down = False
    (message,) = world.inbox.receive()
    process(world.hub, [message])
    assert len(deliveries(world)) == 2


def test_a_whole_delivery_that_is_set_aside_is_kept_first() -> None:
    world = a_world()
    ask(world, "forms", form(0, "old@example.com"))
    world.settle()
    world.table.is_down = True
    ask(world, "forms", form(1, "zoe@example.com"))
    world.table.is_down = False
    (message,) = world.inbox.receive()
    set_aside(world.hub, message, RuntimeError("zoe@example.com"))
    reasons = [one.reason for one in deliveries(world) if one.outcome == "quarantined"]
    assert reasons == ["a mistake of ours: RuntimeError"]


def test_what_was_fetched_is_not_fetched_again_when_somebody_else_wrote_first() -> None:
    world = a_world()
    world.web.pages |= meta_page(1, "zoe@example.com")
    ask(world, "meta", meta(1))
    asked: list[str] = []
    lost = failing_at("table.write", 1, Conflict("somebody else wrote first"))

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        asked.append(f"{call.on}.{call.does}")
        return lost(call, go)

    process(world.worker(hook), world.inbox.receive())
    assert outcomes(world) == ["accepted"]
    # The third is what was learned of the form.
    assert asked.count("table.write") == 3
    # The lead, and the name of its form.
    assert len([name for name in asked if name.startswith("web.")]) == 2


def test_secrets_never_reach_the_table() -> None:
    world = a_world()
    world.web.pages |= linkedin_pages(1, "lin@example.com") | meta_page(1, "met@example.com")
    notice(world)
    ask(world, "meta", meta(1))
    ask(world, "signed", form(9, "sig@example.com"))
    world.settle()
    kept = everything_kept(world)
    assert [name for name, live in SECRETS.items() if live[0].encode() in kept] == []


def test_a_message_carries_no_more_than_ids() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    assert world.inbox.sent == [Message({"delivery": delivery(world).delivery_id})]
    world.drain()
    (item,) = of_kind(world, "lead")
    assert world.routing.sent[0].body == {"lead": lead_of(item).lead_id}


def test_a_duplicate_costs_three_reads_and_one_write_and_fetches_nothing() -> None:
    world = a_world()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    notice(world)
    world.settle()
    notice(world)
    hub, calls = noted(world)
    hub.configurations.current()
    calls.clear()
    world.work(world.inbox, hub)
    assert calls == [
        "table.get",
        "table.get_many",
        "table.get_many",
        "table.get",
        "table.write",
    ]


def test_a_submission_costs_two_reads_one_transaction_and_one_message() -> None:
    world = a_world()
    know_form(world)
    ask(world, "forms", form(1, "zoe@example.com"))
    hub, calls = noted(world)
    hub.configurations.current()
    calls.clear()
    world.work(world.inbox, hub)
    reads = ["table.get", "table.get_many", "table.get_many"]
    assert calls == [*reads, "table.write", "routing.send"]


def test_messages_worn_out_by_a_long_failure_are_done_once_when_sent_on_again() -> None:
    world = a_world()
    for number in range(3):
        ask(world, "forms", form(number, f"p{number}@example.com"))
    for _ in range(6):
        handled(world, "table")
    assert len(world.inbox.dead) == 3
    world.inbox.redrive()
    world.drain()
    world.settle()
    assert outcomes(world) == ["accepted"] * 3
    assert len(world.mailbox.mails) == 3


def test_messages_that_were_worn_out_and_forgotten_are_found_in_the_table() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    for _ in range(6):
        handled(world, "table")
    world.inbox.dead.clear()
    assert world.inbox.is_empty()
    world.settle()
    assert outcomes(world) == ["accepted"]


@pytest.mark.parametrize("seed", range(8))
def test_a_queue_that_reorders_and_doubles_changes_nothing(seed: int) -> None:
    world = a_world(seed)
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    notice(world)
    for number in range(6):
        ask(world, "forms", form(number, f"p{number % 3}@example.com", "+447700900123"))
    world.settle()
    assert outcomes(world) == ["accepted"] * 7
    assert sorted(lead.touch_count for lead in world.leads()) == [1, 6]
    assert len(claims(world)) == 7
