"""Whoever was taken for, or compared with, somebody else is gone from that one's lead too."""

import pytest

from chalicelib.flow.catch_up import catch_up
from chalicelib.flow.comparison import Sync, sync_item
from chalicelib.flow.confirm import confirm
from chalicelib.flow.duplicates import Duplicate, decide, every_duplicate
from chalicelib.flow.edit import edit
from chalicelib.flow.erase import begin, find_person
from chalicelib.flow.export import export
from chalicelib.flow.match_report import report
from chalicelib.flow.merge import keep_apart, merge
from chalicelib.flow.tally import DayRow
from chalicelib.flow.unmerge import unmerge
from chalicelib.flow.why import why
from chalicelib.lead.model import Lead
from chalicelib.storage import Put
from tests.flow.match_scenes import asking, proposals, write
from tests.flow.test_erase import finish, left_of
from tests.invariants import problems
from tests.proof.stories import large
from tests.world import World, form

CANARIES = ("zoe", "canary", "7700900123", "7700 900123", "zed@example")


def lead_of(world: World, email: str) -> Lead:
    lead_id, _ = find_person(world.hub, email)
    return next(one for one in world.leads() if one.lead_id == lead_id)


def taken_for_one(world: World, first: str, second: str) -> None:
    """Two people are taken for one, both write since, and then they are taken apart."""
    names = {"zoe": "Zoe Canary", "yan": "Yan Otherman"}
    for number, who in enumerate((first, second)):
        world.send("forms", form(number, f"{who}@example.com", full_name=names[who], seats="250"))
        world.settle()
        world.clock.advance(minutes=1)
    zoe, yan = lead_of(world, "zoe@example.com"), lead_of(world, "yan@example.com")
    edit(world.hub, zoe.lead_id, {"city": "Canaryton"}, (), "ann")
    live = merge(world.hub, [zoe.lead_id, yan.lead_id], "ann", "looked alike")
    world.settle()
    world.clock.advance(minutes=1)
    zoes = form(5, "zoe@example.com", "+447700900123", at="2026-11-23T09:05:00Z", message="canary")
    world.send("forms", zoes)
    world.send("forms", form(6, "yan@example.com", company="Other", at="2026-11-23T09:06:00Z"))
    world.settle()
    world.clock.advance(minutes=1)
    member = live.members[0]
    unmerge(world.hub, live.lead_id, member, "ann", "two people")
    world.settle()


@pytest.mark.parametrize(("first", "second"), [("zoe", "yan"), ("yan", "zoe")])
def test_no_other_lead_tells_of_an_erased_person(first: str, second: str) -> None:
    world = World()
    taken_for_one(world, first, second)
    zoe, yan = lead_of(world, "zoe@example.com"), lead_of(world, "yan@example.com")
    assert problems(world) == []
    finish(world, begin(world.hub, zoe.lead_id, "ann"))
    assert left_of(world, *CANARIES) == []
    (left,) = world.leads()
    assert left == yan
    told = [export(world.hub, yan.lead_id, "ann").model_dump_json(), *why(world.hub, left).lines]
    told.append(report(world.hub).model_dump_json())
    assert [text for text in told for canary in CANARIES if canary in text.lower()] == []
    assert "Yan Otherman" in told[0]
    assert problems(world) == []


@pytest.mark.parametrize(("first", "second"), [("zoe", "yan"), ("yan", "zoe")])
def test_whom_they_were_taken_for_may_write_and_be_erased_later(first: str, second: str) -> None:
    world = World()
    taken_for_one(world, first, second)
    finish(world, begin(world.hub, lead_of(world, "zoe@example.com").lead_id, "ann"))
    world.send("forms", form(7, "yan@example.com", at="2026-11-23T09:30:00Z"))
    world.send("forms", form(5, "zoe@example.com", "+447700900123", message="canary"))
    world.settle()
    yan = lead_of(world, "yan@example.com")
    assert yan.touch_count == 3
    assert len(world.leads()) == 1
    finish(world, begin(world.hub, yan.lead_id, "ann"))
    assert world.leads() == []
    assert left_of(world, "zoe@", "yan", "otherman") == []
    assert problems(world) == []


def test_whom_they_were_kept_apart_from_says_nothing_of_them() -> None:
    world = World()
    for number, who in enumerate(("zoe", "yan")):
        world.send("forms", form(number, f"{who}@example.com", full_name=f"{who} Canary"))
    world.settle()
    zoe, yan = lead_of(world, "zoe@example.com"), lead_of(world, "yan@example.com")
    keep_apart(world.hub, zoe.lead_id, yan.lead_id, "ann", "twins")
    finish(world, begin(world.hub, zoe.lead_id, "ann"))
    assert left_of(world, "zoe") == []
    assert problems(world) == []


def test_what_was_asked_decided_read_again_and_set_by_hand_says_nothing_of_them() -> None:
    world = asking()
    namesake = {"full_name": "Ada Millerson", "city": "Leeds"}
    known = {**namesake, "email": "zoe@example.com", "call_me_on": "+44 7700 900123"}
    write(world, 1, {**known, "message": "canary", **large()})
    write(world, 2, {**namesake, "email": "ada@example.net"})
    write(world, 3, {**namesake, "email": "a.millerson@example.org"})
    zoe = lead_of(world, "zoe@example.com")
    first, *rest = [one for one in every_duplicate(world.hub) if zoe.lead_id in both(one)]
    assert rest
    decide(world.hub, *both(first), "apart", "ann")
    confirm(world.hub, "forms", "", "call_me_on", "phone", "ann")
    for _ in range(4):
        catch_up(world.hub)
        world.clock.advance(minutes=7)
    assert lead_of(world, "+44 7700 900123").lead_id == zoe.lead_id
    edit(world.hub, zoe.lead_id, {"company": "Canary Works"}, (), "ann")
    export(world.hub, zoe.lead_id, "ann")
    named = DayRow(named={"quarantined": ("form-1", "zoe@example.com")})
    ledger = sync_item(Sync(source_id="forms", rows={"2026-11-23": named}), 1, None, "w")
    world.table.write([Put("sync", ledger)])
    world.settle()
    assert left_of(world, *CANARIES) != []
    finish(world, begin(world.hub, zoe.lead_id, "ann"))
    assert left_of(world, *CANARIES, "form-1") == []
    assert [one for one in proposals(world) if zoe.lead_id in one.lead_ids] == []
    assert len(world.leads()) == 2
    told = [line for one in world.leads() for line in why(world.hub, one).lines]
    assert [line for line in told for canary in CANARIES if canary in line.lower()] == []
    assert problems(world) == []


def both(found: Duplicate) -> tuple[str, str]:
    return found.one.lead_id, found.other.lead_id
