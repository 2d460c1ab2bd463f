"""Mistakes that others have made with leads, each as a story that must end otherwise here."""

import base64
import hashlib
import hmac
import json
from collections import Counter

import pytest

from chalicelib.errors import TryLater, Uncertain
from chalicelib.lead.model import Lead
from chalicelib.records import Effect, effect_of, touch_record_of
from tests.fakes import Answered
from tests.faults import untouched
from tests.invariants import problems
from tests.proof.stories import PHONE, deliveries
from tests.world import SECRETS, World, configured, form, replaced


@pytest.fixture
def world() -> World:
    return World()


def enquire(world: World, *bodies: bytes) -> None:
    for body in bodies:
        assert world.send("forms", body) == 200
    world.settle()
    assert problems(world) == []


def effects(world: World) -> list[Effect]:
    return [effect_of(item) for item in world.table.scan() if item.get("kind") == "effect"]


def owners(world: World) -> list[str]:
    """Give the owners in the order in which their leads arrived."""
    leads = sorted(world.leads(), key=mail)
    return [lead.assignment.owner_id for lead in leads if lead.assignment]


def mail(lead: Lead) -> str:
    return str(lead.profile["email"].value) if "email" in lead.profile else ""


# --- capture --------------------------------------------------------------------------------------


def test_all_picks_of_a_multiple_choice_are_kept_not_only_the_first(world: World) -> None:
    enquire(world, form(1, "zoe@example.com", interests=["pumps", "valves", "pipes"]))
    (touch,) = [
        touch_record_of(item).touch for item in world.table.scan() if item.get("kind") == "touch"
    ]
    assert touch.answers["interests"] == ("pumps", "valves", "pipes")


def test_an_enquiry_that_cannot_be_read_leaves_its_trace_and_its_bytes(world: World) -> None:
    enquire(world, b'{"id": 1, "email": ')
    (one,) = deliveries(world)
    assert (one.outcome, bool(one.reason), bool(one.raw)) == ("quarantined", True, True)


def test_a_second_enquiry_from_a_known_address_is_taken_not_refused(world: World) -> None:
    enquire(world, form(1, "zoe@example.com"), form(2, "zoe@example.com", message="and again"))
    assert world.lead().touch_count == 2


def test_a_submission_is_known_again_after_hundreds_of_others(world: World) -> None:
    enquire(world, form(1, "zoe@example.com"))
    enquire(world, *[form(10 + n, f"p{n}@example.com") for n in range(130)])
    world.clock.advance(days=400)
    enquire(world, form(1, "zoe@example.com"))
    assert deliveries(world)[-1].outcome == "duplicate"
    assert len(world.leads()) == 131


def test_ids_that_share_a_short_checksum_are_different_submissions(world: World) -> None:
    """`plumless` and `buckeroo` have the same CRC-32."""
    for name in ("plumless", "buckeroo"):
        body = json.dumps({"id": name, "email": f"{name}@example.com"}).encode()
        enquire(world, body)
    assert len(world.leads()) == 2


# --- identity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["", " ", "z", "zoe", "example.com", "@example.com", "%", "*"])
def test_a_piece_of_an_address_never_finds_a_stranger(world: World, email: str) -> None:
    enquire(world, form(1, "zoe@example.com"))
    world.send("forms", form(2, email, PHONE))
    world.settle()
    assert len(world.leads()) == 2


def test_colleagues_of_one_company_are_different_people(world: World) -> None:
    enquire(
        world,
        form(1, "zoe@example.com", company="Example & Co", name="Kim Lee"),
        form(2, "yan@example.com", company="Example & Co", name="Kim Lee"),
    )
    assert len(world.leads()) == 2


def test_joining_leads_scores_anew_and_does_not_add_their_scores(world: World) -> None:
    enquire(world, form(1, "zoe@example.com", seats="250"), form(2, phone=PHONE, seats="250"))
    assert [lead.score.total for lead in world.leads()] == [60, 60]
    enquire(world, form(3, "zoe@example.com", PHONE))
    assert world.lead().score.total == 80


def test_a_lead_that_was_joined_to_another_is_kept_so_that_it_can_be_undone(world: World) -> None:
    enquire(world, form(1, "zoe@example.com", name="Zoe Quill"), form(2, phone=PHONE))
    enquire(world, form(3, "zoe@example.com", PHONE))
    (gone,) = [
        item for item in world.table.scan() if item.get("kind") == "lead" and "list_pk" not in item
    ]
    assert gone["pk"].removeprefix("LEAD#") in world.lead().members


# --- routing --------------------------------------------------------------------------------------


def test_the_same_history_gives_the_same_owners() -> None:
    found = []
    for _ in range(2):
        world = World()
        enquire(world, *[form(n, f"p{n}@example.com", seats=str(n * 20)) for n in range(12)])
        found.append(owners(world))
    assert found[0] == found[1]
    assert len(set(found[0])) == 3


def test_nobody_gets_more_for_standing_first_in_the_list(world: World) -> None:
    for number in range(30):
        enquire(world, form(number, f"p{number:02}@example.com"))
        given = Counter(owners(world))
        assert abs(given["ben"] - given["cem"]) <= 1


def test_a_returning_lead_uses_up_nobodys_turn(world: World) -> None:
    enquire(world, form(1, "p1@example.com"))
    for number in range(2, 6):
        enquire(world, form(number, "p1@example.com"))
    enquire(world, form(9, "p9@example.com"))
    assert set(owners(world)) == {"ben", "cem"}


def test_a_fresh_process_goes_on_with_the_rotation(world: World) -> None:
    for number in range(10):
        world.hub = world.worker(untouched)
        enquire(world, form(number, f"p{number}@example.com"))
    given = Counter(owners(world))
    assert given["ben"] == given["cem"] == 5


def test_somebody_who_is_not_active_gets_nothing(world: World) -> None:
    config = replaced(configured(), "owners", "ben", active=False)
    world = World(config=config)
    enquire(world, *[form(n, f"p{n}@example.com", seats="250") for n in range(6)])
    assert set(owners(world)) == {"ann"}


def test_a_lead_that_nobody_can_take_is_seen_and_not_silently_unowned(world: World) -> None:
    enquire(world, form(1, "night@example.com", topic="night"))
    assert world.lead().is_unowned
    assert [mail.to for mail in world.mailbox.mails] == ["duty@example.com"]


# --- notifying ------------------------------------------------------------------------------------

TROUBLE: dict[str, Answered | Exception] = {
    "too many requests": Answered(429, "", 7),
    "bad gateway": Answered(502),
    "gateway time-out": Answered(504),
    "unavailable": Answered(503),
    "no connection": TryLater("crm.example.com: injected"),
    "no answer": Uncertain("crm.example.com: injected"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_that_passes_is_tried_again(world: World, name: str) -> None:
    world.web.answers_at["crm"] = [TROUBLE[name]] * 3
    enquire(world, form(1, "zoe@example.com", seats="250"))
    (told,) = [effect for effect in effects(world) if effect.destination_id == "crm"]
    assert (told.state, len(told.attempts)) == ("done", 4)


def test_a_destination_that_asks_for_time_gets_it(world: World) -> None:
    world.web.answers_at["crm"] = [Answered(429, "", 3600)]
    world.send("forms", form(1, "zoe@example.com", seats="250"))
    world.drain()
    (told,) = [effect for effect in effects(world) if effect.destination_id == "crm"]
    assert told.due_at
    assert (told.due_at - world.clock()).total_seconds() == 3600


def test_a_destination_that_fails_a_hundred_times_loses_nothing(world: World) -> None:
    world.web.answers_at["crm"] = [Answered(500)] * 100
    enquire(world, form(1, "zoe@example.com", seats="250"))
    (told,) = [effect for effect in effects(world) if effect.destination_id == "crm"]
    assert told.state == "quarantined"
    assert told.reason
    assert len(told.attempts) > 8
    others = {effect.state for effect in effects(world) if effect.destination_id != "crm"}
    assert others == {"done"}


def test_a_failing_destination_stays_switched_on_for_the_next_lead(world: World) -> None:
    world.web.answers_at["crm"] = [Answered(500)] * 11
    enquire(world, form(1, "zoe@example.com", seats="250"))
    enquire(world, form(2, "yan@example.com", seats="250"))
    states = [effect.state for effect in effects(world) if effect.destination_id == "crm"]
    assert sorted(states) == ["done", "quarantined"]


def test_what_is_posted_is_signed_over_its_bytes(world: World) -> None:
    enquire(world, form(1, "zoe@example.com", seats="250"))
    (post,) = [post for post in world.web.posts if "webhook-id" in post.headers]
    key = base64.b64decode(SECRETS["crm"][0].removeprefix("whsec_"))
    parts = (post.headers["webhook-id"], post.headers["webhook-timestamp"])
    signed = ".".join(parts).encode() + b"." + post.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert post.headers["webhook-signature"] == f"v1,{expected}"
