"""A source tried: every step told in words, and nothing written, queued, mailed or posted."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import registry
from chalicelib.config.source import Source
from chalicelib.errors import HubError, NotFound
from chalicelib.flow.try_source import STEPS, Step, Trial, try_source
from chalicelib.flow.untouched import untouched
from chalicelib.records import deliveries_list
from chalicelib.storage import Key, Mail, Message
from tests.faults import Call
from tests.flow.scenes import a_world, changed, deliveries, reconfigure
from tests.world import World, form, linkedin, linkedin_pages

READS = {"get", "get_many", "query", "query_index", "current", "source", "ends_at", "facts"}
SECRET = "whsec_c3VpdGUtc2VjcmV0LW5vLTEtZm9yLXRlc3Rz"


def attempt(world: World, source_id: str = "forms", *given: Any, **more: Any) -> Trial:
    """Try a source, and see that nothing has changed and nothing was called but reads."""
    before = world.table.scan(), dict(world.blobs.kept), dict(world.secrets.values)
    called: list[str] = []

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        called.append(f"{call.on}.{call.does}")
        return go()

    found = try_source(world.worker(hook), source_id, *given, **more)
    assert (world.table.scan(), world.blobs.kept, world.secrets.values) == before
    assert {name.partition(".")[2] for name in called} <= READS
    assert not [message for queue in world.queues for message in queue.waiting]
    assert not world.mailbox.mails
    assert not world.web.posts
    assert not world.web.asked
    return found


def step(found: Trial, name: str) -> Step:
    (one,) = [one for one in found.steps if one.name == name]
    return one


def failed(found: Trial) -> list[str]:
    return [one.name for one in found.steps if one.state == "failed"]


# --- that nothing happens -------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry.names())
def test_the_sample_of_every_connector_goes_the_whole_way_with_no_effect(name: str) -> None:
    source = Source.model_validate({"connector": name, "secret": "tried"})
    world = a_world(sources={"tried": source})
    world.secrets.values["tried"] = (SECRET,)
    found = attempt(world, "tried")
    assert [one.name for one in found.steps] == list(STEPS)
    assert failed(found) == [], [one for one in found.steps if one.state == "failed"]
    assert found.is_ok


def test_an_untouched_hub_refuses_all_that_would_change_anything() -> None:
    world = a_world()
    hub, noted = untouched(world.hub)
    changes: list[Callable[[], Any]] = [
        lambda: hub.table.write([]),
        lambda: hub.table.add(Key("a", "b"), {"n": 1}),
        lambda: hub.inbox.send([Message({})]),
        lambda: hub.routing.send([Message({})]),
        lambda: hub.outbox.send([Message({})]),
        lambda: hub.blobs.put("name", b""),
        lambda: hub.secrets.put("name", []),
        lambda: hub.web.read("https://api.example.com"),
    ]
    for change in changes:
        with pytest.raises(HubError, match="a trial may not"):
            change()
    hub.send_mail(Mail("hub@example.com", "ann@example.com", "s", "t", "h"))
    hub.web.post("https://hooks.example.com", b"{}", {})
    assert (len(noted.mails), len(noted.posts)) == (1, 1)
    assert not world.mailbox.mails
    assert not world.web.posts


def test_trying_alarms_nobody() -> None:
    world = a_world()
    told: list[str] = []
    hub = replace(world.hub, alarm=lambda kind, ids: told.append(kind))
    try_source(hub, "forms", {"body": json.loads(form(1, "z@example.com", topic="night"))})
    untouched(hub)[0].alarm("unowned", {"lead": "1"})
    assert told == []


# --- what it tells --------------------------------------------------------------------------------


def test_fields_score_owner_and_notifications_are_those_that_would_come_true() -> None:
    world = a_world()
    body = json.loads(form(7, "zoe@example.com", seats="250", colour="red"))
    found = attempt(world, "forms", {"body": body})
    assert found.is_ok
    assert found.of == "a body"
    assert "email: zoe@example.com from email" in step(found, "fields").details
    assert "unmapped colour" in step(found, "fields").details
    assert step(found, "fields").hint == "map them: sources.forms.fields"
    assert step(found, "score").found.startswith("60 = fit 50 + engagement 10")
    assert "rule large, pool large" in step(found, "owner").found
    told = step(found, "told")
    assert told.found == "3 notifications would go out"
    world.send("forms", form(7, "zoe@example.com", seats="250", colour="red"))
    world.settle()
    lead = world.lead()
    assert lead.score.total == 60
    assert lead.assignment
    owner = world.config.owners[lead.assignment.owner_id]
    assert f"owner {owner.name}" in step(found, "owner").found
    (mail,) = world.mailbox.mails
    assert f"mail: mail to {mail.to}: {mail.subject}" in told.details


def test_the_address_of_a_chat_is_a_secret_and_not_shown() -> None:
    found = attempt(a_world(), "forms", {"body": json.loads(form(1, "z@example.com", seats="250"))})
    assert "made-up" not in found.model_dump_json()
    assert any("hooks.slack.com" in line for line in step(found, "told").details)


def test_somebody_who_is_known_is_matched_and_the_same_submission_named_a_duplicate() -> None:
    world = a_world()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    world.mailbox.mails.clear()
    lead = world.lead()
    found = attempt(world, "forms", {"body": json.loads(form(1, "zoe@example.com"))})
    assert step(found, "lead").found.startswith(f"lead {lead.lead_id}: ")
    assert any("would be a duplicate" in line for line in step(found, "lead").details)
    other = attempt(world, "forms", {"body": json.loads(form(2, "zoe@example.com"))})
    assert not any("duplicate" in line for line in step(other, "lead").details)


def test_a_kept_delivery_is_tried_without_its_proof() -> None:
    world = a_world()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    world.mailbox.mails.clear()
    (kept,) = deliveries(world)
    found = attempt(world, "forms", delivery_id=kept.delivery_id)
    assert found.is_ok
    assert step(found, "proof").state == "skipped"
    assert "email: zoe@example.com from email" in step(found, "fields").details


def test_a_kept_notice_whose_answers_are_at_the_provider_ends_there() -> None:
    world = a_world()
    world.web.pages |= linkedin_pages(1, "lin@example.com")
    world.send("linkedin", linkedin(1))
    world.settle()
    world.mailbox.mails.clear()
    world.web.asked.clear()
    (kept,) = deliveries(world)
    found = attempt(world, "linkedin", delivery_id=kept.delivery_id)
    assert found.is_ok
    assert step(found, "fetched").state == "skipped"
    assert "hub replay" in step(found, "fetched").found
    assert step(found, "fields").state == "skipped"


def test_somebody_who_is_asked_for_nothing_is_given_no_owner() -> None:
    world = a_world()
    world.send("forms", form(1, "zoe@example.com"))
    world.settle()
    listed = world.table.query_index("list", deliveries_list("forms", "accepted"))
    assert listed.items
    assert step(attempt(world_without_mail(world), "forms"), "owner").state == "ok"


def world_without_mail(world: World) -> World:
    world.mailbox.mails.clear()
    return world


# --- what can be wrong ----------------------------------------------------------------------------


def test_a_secret_that_is_missing_fails_with_the_command_that_sets_it() -> None:
    found = attempt(a_world(), "no_secret")
    assert not found.is_ok
    assert failed(found) == ["proof"]
    assert step(found, "proof").hint.endswith("hub secret set never_set")
    assert {one.state for one in found.steps[2:]} == {"skipped"}
    assert len(found.steps) == len(STEPS)


def test_a_source_that_is_switched_off_says_so_and_is_tried_all_the_same() -> None:
    world = a_world()
    reconfigure(world, changed(world.config, "sources", "forms", enabled=False))
    found = attempt(world, "forms")
    assert failed(found) == ["source"]
    assert "enabled: true" in step(found, "source").hint
    assert step(found, "told").state == "ok"


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("{", "read"),
        ([], "read"),
        ({"id": "1", "colour": "red"}, "fields"),
        ("x" * 4_200_000, "kept"),
    ],
)
def test_what_cannot_become_a_lead_fails_at_its_step_and_says_what_to_do(
    body: Any, name: str
) -> None:
    found = attempt(a_world(), "forms", {"body": body})
    assert not found.is_ok
    assert name in failed(found)
    assert step(found, name).found


def test_a_lead_that_nobody_would_get_fails_at_the_owner() -> None:
    body = json.loads(form(1, "zoe@example.com", topic="night"))
    found = attempt(a_world(), "forms", {"body": body})
    assert failed(found) == ["owner"]
    assert "fallback" in step(found, "owner").hint
    assert any("mail to duty@example.com" in line for line in step(found, "told").details)


def test_a_destination_that_could_not_be_told_is_named() -> None:
    world = a_world()
    del world.secrets.values["slack"]
    found = attempt(world, "forms", {"body": json.loads(form(1, "z@example.com", seats="250"))})
    assert failed(found) == ["told"]
    assert any(line.startswith("chat: would FAIL") for line in step(found, "told").details)


def test_a_delivery_of_another_source_is_not_taken() -> None:
    world = a_world()
    world.send("events", form(1, "zoe@example.com"))
    world.settle()
    world.mailbox.mails.clear()
    (kept,) = deliveries(world)
    found = attempt(world, "forms", delivery_id=kept.delivery_id)
    assert "came by events" in step(found, "kept").found
    assert failed(found) == ["kept"]


def test_there_is_no_such_source_or_delivery() -> None:
    with pytest.raises(NotFound, match="there are: "):
        attempt(a_world(), "nobody")
    with pytest.raises(NotFound, match="delivery nothing"):
        attempt(a_world(), "forms", delivery_id="nothing")
