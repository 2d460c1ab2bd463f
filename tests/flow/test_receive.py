"""The door: find the source, check size and signature, keep the delivery, queue it, answer."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.connector import STANDARD_WEBHOOKS
from chalicelib.errors import Unavailable
from chalicelib.flow.receive import MOST_BYTES, receive
from chalicelib.records import ACTIVE_KEY
from chalicelib.request import Request, unpack
from tests.faults import Call, untouched
from tests.flow.scenes import (
    ORIGIN,
    a_world,
    ask,
    case,
    case_body,
    changed,
    deliveries,
    delivery,
    everything_kept,
    large_form,
    noted,
    outcomes,
    reconfigure,
    value,
)
from tests.world import SECRETS, World, form, linkedin, meta

BYTES = bytes(range(256))
BIG = random.Random(7).randbytes
"""Bytes that compressing makes no smaller."""


def kept_body(world: World) -> bytes:
    found = delivery(world)
    return unpack(world.blobs.kept[found.blob] if found.blob else found.raw).body


def is_anything_kept(world: World) -> bool:
    return bool(deliveries(world) or world.blobs.kept or world.inbox.sent)


# --- what is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "text/plain; charset=utf-16", "image/png", "multipart/form-data", "?"],
)
def test_any_content_type_is_taken(content_type: str) -> None:
    world = a_world()
    reply = ask(world, "forms", form(1, "zoe@example.com"), headers={"content-type": content_type})
    assert (reply.status, reply.body) == (200, "{}")
    assert kept_body(world) == form(1, "zoe@example.com")


@pytest.mark.parametrize("body", [b"", b"   ", b"null", BYTES, b"\xff\xfe{", '{"a":"ü"}'.encode()])
def test_bytes_are_kept_exactly(body: bytes) -> None:
    world = a_world()
    assert ask(world, "forms", body).status == 200
    assert kept_body(world) == body


def test_the_door_does_not_parse_so_a_mistake_in_a_parser_never_loses_a_lead() -> None:
    world = a_world()
    for body in (b"{", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1e999}', b"\x00", b'"\\ud800"'):
        assert ask(world, "forms", body).status == 200
    world.drain()
    assert outcomes(world) == ["quarantined"] * 6
    assert all(one.reason.startswith("malformed: ") for one in deliveries(world))


def test_headers_said_twice_are_kept_in_order() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"), headers={"x-note": ("one", "two")})
    assert unpack(delivery(world).raw).headers["x-note"] == ("one", "two")


def test_headers_that_carry_secrets_are_not_stored() -> None:
    canary = "canary-5f2a91"
    names = ("authorization", "cookie", "x-api-key", "x-auth-token", "proxy-authorization")
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"), headers=dict.fromkeys(names, canary))
    world.settle()
    assert canary.encode() not in everything_kept(world)
    assert SECRETS["forms"][0].encode() not in everything_kept(world)


def test_the_search_for_secrets_would_find_one() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"), headers={"x-note": "canary-5f2a91"})
    assert b"canary-5f2a91" in everything_kept(world)


@pytest.mark.parametrize("is_table_down", [False, True])
def test_the_google_key_is_removed_before_anything_is_kept(is_table_down: bool) -> None:
    world = a_world()
    ask(world, "ads", case_body("google_ads", "search_ad"))
    world.table.is_down = is_table_down
    assert ask(world, "ads", case_body("google_ads", "own_questions")).status == 200
    world.table.is_down = False
    world.settle()
    assert outcomes(world) == ["accepted", "accepted"]
    assert SECRETS["forms"][0].encode() not in everything_kept(world)


def test_a_secret_in_the_address_is_not_stored() -> None:
    world = a_world()
    ask(world, "page", b"email=zoe%40example.com", headers={"content-type": ""})
    world.settle()
    assert outcomes(world) == ["accepted"]
    assert SECRETS["forms"][0].encode() not in everything_kept(world)


# --- the order of things --------------------------------------------------------------------------


def test_source_then_secret_then_delivery_then_queue_and_nothing_else() -> None:
    world = a_world()
    hub, calls = noted(world)
    ask(world, "forms", form(1, "zoe@example.com"), hub=hub)
    assert calls == ["table.get", "table.get", "secrets.get", "table.write", "inbox.send"]


def test_a_warm_door_makes_two_calls_and_asks_for_its_secret() -> None:
    world = a_world()
    hub, calls = noted(world)
    ask(world, "forms", form(1, "zoe@example.com"), hub=hub)
    calls.clear()
    ask(world, "forms", form(2, "zoe@example.com"), hub=hub)
    assert calls == ["secrets.get", "table.write", "inbox.send"]


def test_size_is_checked_before_the_signature() -> None:
    world = a_world()
    hub, calls = noted(world)
    reply = ask(world, "forms", b"x" * (MOST_BYTES + 1), secret="", hub=hub)
    assert reply.status == 413
    assert "secrets.get" not in calls


def test_a_body_of_12_mb_is_refused_with_413_and_nothing_is_kept() -> None:
    world = a_world()
    assert ask(world, "forms", b"x" * 12_000_000).status == 413
    assert not is_anything_kept(world)


def test_4_mb_are_taken_and_not_one_byte_more() -> None:
    world = a_world()
    assert ask(world, "forms", b" " * MOST_BYTES).status == 200
    assert ask(world, "forms", b" " * (MOST_BYTES + 1)).status == 413


def test_a_body_over_200_kb_goes_to_the_bucket_first() -> None:
    world = a_world()
    hub, calls = noted(world)
    body = BIG(300_000)
    assert ask(world, "forms", body, hub=hub).status == 200
    assert calls[-3:] == ["blobs.put", "table.write", "inbox.send"]
    assert kept_body(world) == body


def test_a_large_body_becomes_a_lead_like_any_other() -> None:
    world = a_world()
    ask(world, "forms", large_form(1, "zoe@example.com", 500_000))
    world.drain()
    assert delivery(world).blob
    assert value(world.lead(), "email") == "zoe@example.com"


def test_messages_carry_ids_and_no_personal_data() -> None:
    world = a_world()
    ask(world, "forms", form(1, "zoe@example.com"))
    world.settle()
    sent = [dict(message.body) for queue in world.queues for message in queue.sent]
    assert set().union(*sent) == {"delivery", "lead", "effect"}
    assert "zoe" not in json.dumps(sent)


# --- when AWS is down -----------------------------------------------------------------------------


def warm(world: World) -> World:
    """Let the door have answered before, so that it knows configuration and secret."""
    assert ask(world, "forms", form(0, "old@example.com")).status == 200
    world.settle()
    return world


def test_table_down_the_queue_takes_the_whole_delivery_and_it_becomes_a_lead() -> None:
    world = warm(a_world())
    world.table.is_down = True
    assert ask(world, "forms", form(1, "zoe@example.com")).status == 200
    world.table.is_down = False
    world.drain()
    assert outcomes(world) == ["accepted", "accepted"]
    assert unpack(deliveries(world)[1].raw).body == form(1, "zoe@example.com")
    assert "zoe@example.com" in [value(lead, "email") for lead in world.leads()]


def test_table_down_a_body_of_500_kb_still_fits_the_queue() -> None:
    world = warm(a_world())
    world.table.is_down = True
    assert ask(world, "forms", large_form(1, "zoe@example.com", 500_000)).status == 200
    world.table.is_down = False
    world.drain()
    assert outcomes(world) == ["accepted", "accepted"]


def test_table_down_and_a_body_too_large_for_the_queue_is_sent_again_by_the_provider() -> None:
    world = warm(a_world())
    world.table.is_down = True
    reply = ask(world, "forms", BIG(900_000))
    assert (reply.status, reply.headers["Retry-After"]) == (503, "30")


def test_a_delivery_that_the_queue_carried_twice_is_kept_once() -> None:
    world = warm(a_world())
    world.table.is_down = True
    ask(world, "forms", form(1, "zoe@example.com"))
    world.table.is_down = False
    (message,) = world.inbox.waiting
    world.inbox.send([message])
    world.drain()
    assert outcomes(world) == ["accepted", "accepted"]
    assert len(world.leads()) == 2


def test_bucket_down_the_queue_takes_the_whole_delivery() -> None:
    world = warm(a_world())
    world.blobs.is_down = True
    assert ask(world, "forms", large_form(1, "zoe@example.com", 500_000)).status == 200
    world.blobs.is_down = False
    world.drain()
    assert outcomes(world) == ["accepted", "accepted"]


def test_queue_down_the_table_has_it_and_tick_sends_it() -> None:
    world = a_world()
    world.inbox.is_down = True
    assert ask(world, "forms", form(1, "zoe@example.com")).status == 200
    world.inbox.is_down = False
    assert world.inbox.is_empty()
    world.clock.advance(minutes=2)
    world.tick()
    world.drain()
    assert value(world.lead(), "email") == "zoe@example.com"


def test_both_down_503_with_retry_after_and_the_providers_repeat_works() -> None:
    world = warm(a_world())
    world.table.is_down = world.inbox.is_down = True
    reply = ask(world, "forms", form(1, "zoe@example.com"))
    assert (reply.status, reply.headers["Retry-After"]) == (503, "30")
    world.table.is_down = world.inbox.is_down = False
    assert len(deliveries(world)) == 1
    assert ask(world, "forms", form(1, "zoe@example.com")).status == 200
    world.drain()
    assert len(world.leads()) == 2


def test_bucket_and_queue_down_leave_at_most_a_blob_that_nothing_points_at() -> None:
    world = warm(a_world())
    world.table.is_down = world.inbox.is_down = True
    assert ask(world, "forms", BIG(300_000)).status == 503
    world.table.is_down = False
    assert not [one for one in deliveries(world) if one.blob]


def test_a_cold_door_with_the_table_down_asks_the_provider_to_come_again() -> None:
    world = a_world()
    world.table.is_down = True
    reply = ask(world, "forms", form(1, "zoe@example.com"))
    assert (reply.status, reply.headers["Retry-After"]) == (503, "30")


def test_a_warm_door_goes_on_for_a_quarter_of_an_hour_with_what_it_knows() -> None:
    world = warm(a_world())
    world.clock.advance(seconds=1)
    assert ask(world, "forms", form(1, "a@example.com")).status == 200
    world.table.is_down = True
    world.clock.advance(minutes=14)
    assert ask(world, "forms", form(2, "b@example.com")).status == 200
    world.clock.advance(minutes=2)
    assert ask(world, "forms", form(3, "c@example.com")).status == 503


def test_without_any_configuration_the_door_is_closed_and_loses_nothing() -> None:
    world = World()
    world.table.uproot(ACTIVE_KEY)
    assert ask(world, "forms", form(1, "zoe@example.com")).status == 503


def test_a_new_configuration_is_at_the_door_within_half_a_minute() -> None:
    world = a_world()
    assert ask(world, "forms", form(1, "zoe@example.com")).status == 200
    reconfigure(world, changed(world.config, "sources", "forms", enabled=False))
    world.clock.advance(seconds=30)
    assert ask(world, "forms", form(2, "zoe@example.com")).status == 404


# --- who is let in --------------------------------------------------------------------------------


def test_a_wrong_signature_is_refused_and_nothing_is_kept() -> None:
    world = a_world()
    assert ask(world, "forms", form(1, "zoe@example.com"), secret="another").status == 401
    assert not is_anything_kept(world)


def test_a_missing_signature_is_refused_and_nothing_is_kept() -> None:
    world = a_world()
    assert ask(world, "forms", form(1, "zoe@example.com"), secret="").status == 401
    assert not is_anything_kept(world)


def test_a_refusal_says_nothing_of_the_secret_or_of_us() -> None:
    world = a_world()
    reply = ask(world, "forms", form(1, "zoe@example.com"), secret="")
    assert json.loads(reply.body) == {"message": "not verified"}


@pytest.mark.parametrize(
    ("source_id", "status"),
    [("forms", 401), ("ads", 401), ("survey", 401), ("linkedin", 401), ("meta", 403)],
)
def test_an_unverified_request_gets_the_answer_its_provider_wants(
    source_id: str, status: int
) -> None:
    assert ask(a_world(), source_id, b"{}", secret="").status == status


def test_a_signature_said_twice_is_refused() -> None:
    world = a_world()
    reply = ask(
        world,
        "forms",
        form(1, "zoe@example.com"),
        headers={"x-lead-token": (SECRETS["forms"][0], "another")},
        secret="",
    )
    assert reply.status == 401


def test_a_source_may_choose_standard_webhooks() -> None:
    world = a_world()
    assert ask(world, "signed", form(1, "zoe@example.com")).status == 200
    assert ask(world, "signed", form(1, "zoe@example.com"), secret="").status == 401
    token = {"x-lead-token": SECRETS["crm"][0]}
    assert ask(world, "signed", form(1, "z@example.com"), headers=token, secret="").status == 401


def test_an_old_timestamp_is_refused() -> None:
    world = a_world()
    bare = Request(
        "POST", "/hooks/signed", {}, {}, form(1, "zoe@example.com"), world.clock(), "", "signed"
    )
    signed = STANDARD_WEBHOOKS.sign(bare, SECRETS["crm"][0])
    statuses = []
    for _ in range(2):
        world.clock.advance(minutes=4)
        arrived = replace(signed, received_at=world.clock())
        statuses.append(receive(world.hub, "signed", arrived).status)
    assert statuses == [200, 401]


def test_two_secrets_are_live_while_one_replaces_the_other() -> None:
    world = a_world()
    world.secrets.values["forms"] = ("a-new-secret-0123456789", SECRETS["forms"][0])
    assert (
        ask(world, "forms", form(1, "a@example.com"), secret="a-new-secret-0123456789").status
        == 200
    )
    assert ask(world, "forms", form(2, "b@example.com")).status == 200


def test_the_old_secret_is_refused_after_its_end() -> None:
    world = a_world()
    world.secrets.values["forms"] = ("a-new-secret-0123456789",)
    assert ask(world, "forms", form(1, "zoe@example.com")).status == 401


@pytest.mark.parametrize("live", [(), ("",)])
def test_a_secret_that_is_missing_or_empty_lets_nobody_in(live: tuple[str, ...]) -> None:
    world = a_world()
    world.secrets.values["forms"] = live
    assert ask(world, "forms", form(1, "zoe@example.com")).status == 503
    assert ask(world, "forms", form(1, "zoe@example.com"), secret="").status == 503
    assert not is_anything_kept(world)


def test_a_secret_that_was_never_set_is_our_failure_and_not_the_senders() -> None:
    assert ask(a_world(), "no_secret", form(1, "zoe@example.com"), secret="").status == 503


def test_the_secret_store_down_is_never_a_reason_to_accept() -> None:
    world = a_world()
    world.secrets.is_down = True
    assert ask(world, "forms", form(1, "zoe@example.com")).status == 503
    assert not is_anything_kept(world)


def test_a_source_that_nobody_knows_is_answered_404_and_nothing_is_kept() -> None:
    world = a_world()
    assert ask(world, "nobody", form(1, "zoe@example.com")).status == 404
    assert not is_anything_kept(world)


@pytest.mark.parametrize("source_id", ["", "../forms", "a" * 5000, "{{7*7}}", "#", "\ud800", "ü"])
def test_no_address_makes_the_door_fail(source_id: str) -> None:
    assert ask(a_world(), source_id, b"{}").status == 404


@pytest.mark.parametrize(("source_id", "status"), [("forms", 404), ("ads", 503), ("page", 404)])
def test_a_source_that_is_switched_off_answers_as_its_provider_needs(
    source_id: str, status: int
) -> None:
    world = a_world()
    reconfigure(world, changed(world.config, "sources", source_id, enabled=False))
    assert ask(world, source_id, b"{}").status == status
    assert not is_anything_kept(world)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"1", b'"text"', b"[" * 100_000, b'{"google_key":NaN}', BYTES]
)
def test_no_body_makes_a_key_in_the_body_fail(body: bytes) -> None:
    assert ask(a_world(), "ads", body, secret="").status == 401


# --- handshakes -----------------------------------------------------------------------------------


def shake(world: World, source_id: str, query: dict[str, str]) -> tuple[int, str, str]:
    reply = ask(world, source_id, method="GET", query=query)
    return reply.status, reply.content_type, reply.body


META_QUERY = {
    "hub.mode": "subscribe",
    "hub.verify_token": SECRETS["meta"][0],
    "hub.challenge": "1158201444",
}
UUID = "3f1c9a54-6f0b-4a0e-9a1e-0d6b7c5e2f10"


def test_meta_gets_its_challenge_back_as_text() -> None:
    assert shake(a_world(), "meta", META_QUERY) == (200, "text/plain", "1158201444")


def test_meta_with_another_verify_token_is_refused() -> None:
    status, _, body = shake(a_world(), "meta", {**META_QUERY, "hub.verify_token": "x"})
    assert status == 403
    assert "1158201444" not in body


def test_meta_may_have_a_verify_token_of_its_own() -> None:
    world = a_world()
    reconfigure(world, changed(world.config, "sources", "meta", verify_token="forms"))
    query = {**META_QUERY, "hub.verify_token": SECRETS["forms"][0]}
    assert shake(world, "meta", query)[0] == 200
    assert shake(world, "meta", META_QUERY)[0] == 403


def test_linkedin_gets_the_digest_of_its_challenge_as_json() -> None:
    known = case("linkedin", "handshake")
    world = a_world()
    world.secrets.values["linkedin"] = (known["handshake"]["secret"],)
    status, content_type, body = shake(world, "linkedin", known["query"])
    assert (status, content_type) == (200, "application/json")
    assert json.loads(body) == known["handshake"]["body"]


@pytest.mark.parametrize("code", ["", "1", "urn:li:person:1", f"{UUID}x", f" {UUID}", '{"a": 1}'])
def test_linkedins_challenge_is_answered_for_a_uuid_only(code: str) -> None:
    assert shake(a_world(), "linkedin", {"challengeCode": code})[0] == 400


def test_handshakes_are_answered_with_table_and_queue_down_when_warm() -> None:
    world = a_world()
    assert shake(world, "meta", META_QUERY)[0] == 200
    world.table.is_down = world.inbox.is_down = True
    world.clock.advance(minutes=10)
    assert shake(world, "meta", META_QUERY)[0] == 200
    assert shake(world, "linkedin", {"challengeCode": UUID})[0] == 200


def test_a_handshake_keeps_nothing() -> None:
    world = a_world()
    shake(world, "meta", META_QUERY)
    assert not is_anything_kept(world)


def test_a_source_without_handshake_answers_a_get_with_405_and_a_head_with_200() -> None:
    world = a_world()
    assert ask(world, "forms", method="GET").status == 405
    assert ask(world, "forms", method="HEAD").status == 200


# --- browsers -------------------------------------------------------------------------------------

PAGE = {
    "content-type": "application/x-www-form-urlencoded",
    "origin": ORIGIN,
    "accept": "text/html",
}
SCRIPT = {**PAGE, "accept": "application/json"}


def test_a_page_of_ours_may_read_every_answer_and_no_other_page_may() -> None:
    world = a_world()
    for secret in (None, ""):
        ours = ask(world, "page", b"email=zoe%40example.com", headers=SCRIPT, secret=secret)
        assert ours.headers["Access-Control-Allow-Origin"] == ORIGIN
        other = {**SCRIPT, "origin": "https://www.example.net"}
        theirs = ask(world, "page", b"email=zoe%40example.com", headers=other, secret=secret)
        assert "Access-Control-Allow-Origin" not in theirs.headers


def test_a_preflight_is_answered_without_a_secret_and_keeps_nothing() -> None:
    world = a_world()
    reply = ask(world, "page", method="OPTIONS", headers=SCRIPT)
    assert reply.status == 204
    assert reply.headers["Access-Control-Allow-Methods"] == "POST"
    assert not is_anything_kept(world)


def test_a_visitor_is_thanked_with_a_page() -> None:
    reply = ask(a_world(), "page", b"email=zoe%40example.com", headers=PAGE)
    assert (reply.status, reply.content_type) == (200, "text/html; charset=utf-8")


def test_a_visitor_may_be_sent_to_another_page() -> None:
    world = a_world()
    options = {**world.config.sources["page"].options, "redirect": "https://www.example.com/thanks"}
    reconfigure(world, changed(world.config, "sources", "page", options=options))
    reply = ask(world, "page", b"email=zoe%40example.com", headers=PAGE)
    assert (reply.status, reply.headers["Location"]) == (303, "https://www.example.com/thanks")


@pytest.mark.parametrize("trouble", ["unverified", "too large", "off", "busy"])
def test_a_visitor_is_never_shown_our_internals(trouble: str) -> None:
    world = a_world()
    body = b"email=zoe%40example.com"
    if trouble == "off":
        reconfigure(world, changed(world.config, "sources", "page", enabled=False))
    if trouble == "busy":
        world.secrets.is_down = True
    if trouble == "too large":
        body = b"x" * (MOST_BYTES + 1)
    reply = ask(world, "page", body, headers=PAGE, secret="" if trouble == "unverified" else None)
    assert reply.status >= 400
    assert reply.content_type == "text/html; charset=utf-8"
    assert "verif" not in reply.body
    assert "source" not in reply.body


def test_a_visitor_who_comes_at_a_bad_time_may_be_asked_to_come_again() -> None:
    world = a_world()
    world.secrets.is_down = True
    reply = ask(world, "page", b"email=zoe%40example.com", headers=PAGE)
    assert (reply.status, reply.headers["Retry-After"]) == (503, "30")


# --- what happens to it ---------------------------------------------------------------------------


def test_a_provider_that_repeats_its_request_makes_one_lead() -> None:
    world = a_world()
    for _ in range(3):
        assert ask(world, "forms", form(1, "zoe@example.com")).status == 200
    world.settle()
    assert sorted(outcomes(world)) == ["accepted", "duplicate", "duplicate"]
    assert world.lead().touch_count == 1


def test_a_delivery_is_pending_until_it_is_processed() -> None:
    world = a_world()
    ask(world, "linkedin", linkedin(1))
    ask(world, "meta", meta(1))
    assert outcomes(world) == ["pending", "pending"]
    assert all(one.due_at for one in deliveries(world))


def test_a_lost_answer_of_the_table_is_not_an_error_of_the_door() -> None:
    world = a_world()

    def lose_the_answer(call: Call, go: Callable[[], Any]) -> Any:
        go()
        raise Unavailable("DynamoDB: no answer")

    hub = world.worker(
        lambda call, go: (lose_the_answer if call.does == "write" else untouched)(call, go)
    )
    assert ask(world, "forms", form(1, "zoe@example.com"), hub=hub).status == 200
    world.settle()
    assert outcomes(world) == ["accepted"]
    assert kept_body(world) == form(1, "zoe@example.com")
    assert len(world.leads()) == 1
