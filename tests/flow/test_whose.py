"""Whose a submission is: not only by the same address or number."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.flow.candidates import MOST_READS, find
from chalicelib.flow.duplicates import every_duplicate
from chalicelib.flow.glance import Glance
from chalicelib.flow.verify import verify
from chalicelib.lead.matching.weights import AS_IT_COMES
from chalicelib.lead.model import Decision
from chalicelib.records import touch_item, touch_record_of
from chalicelib.storage import Item, Key, Put
from tests.fakes import MemoryTable
from tests.flow.scenes import a_world, ask, of_kind, touches
from tests.invariants import problems
from tests.people import email_of, name_of
from tests.world import World, form

ONE = "+447700900123"


def sent(world: World, *bodies: bytes) -> None:
    """Send forms one after the other, each only when all is quiet."""
    for body in bodies:
        assert ask(world, "forms", body).status == 200
        world.settle()
        world.clock.advance(minutes=1)


def decision(world: World) -> Decision:
    """Give the latest decision on a match."""
    records = sorted(touches(world), key=lambda record: record.touch.submitted_at)
    return records[-1].decisions[0]


def test_a_nickname_a_new_address_and_a_mistyped_phone_are_still_the_same_person() -> None:
    world = a_world()
    sent(
        world,
        form(1, "robert.featherstone@example.com", ONE, name="Robert Featherstone"),
        form(2, "rf77@example.org", ONE, name="Bob Featherstone"),
        form(3, "bob.featherstone@example.net", ONE[:-2] + "32", name="Bob Fetherstone"),
    )
    assert world.lead().touch_count == 3
    assert "first names that stand for each other" in str(
        [one.because for record in touches(world) for one in record.decisions[0].candidates]
    )
    assert problems(world) == []


def test_two_people_who_share_a_phone_are_two_and_both_hold_it() -> None:
    world = a_world()
    sent(
        world,
        form(1, "ada@example.com", ONE, name="Ada Quill"),
        form(2, "bruno@example.org", ONE, name="Bruno Quill"),
    )
    leads = {lead.lead_id for lead in world.leads()}
    assert len(leads) == 2
    (shared,) = [item for item in of_kind(world, "key") if item["pk"] == f"KEY#phone:{ONE}"]
    assert set(shared["lead_ids"]) == leads
    assert problems(world) == []


def test_each_of_two_who_share_a_phone_is_known_again_by_name() -> None:
    world = a_world()
    sent(
        world,
        form(1, "ada@example.com", ONE, name="Ada Quill"),
        form(2, "bruno@example.org", ONE, name="Bruno Quill"),
        form(3, phone=ONE, name="Bruno Quill"),
    )
    counts = {str(lead.profile["first_name"].value): lead.touch_count for lead in world.leads()}
    assert counts == {"Ada": 1, "Bruno": 2}


def test_a_number_that_two_share_says_not_whose_a_call_is() -> None:
    world = a_world()
    sent(
        world,
        form(1, "ada@example.com", ONE, name="Ada Quill"),
        form(2, "bruno@example.org", ONE, name="Bruno Quill"),
        form(3, phone=ONE),
    )
    assert sorted(lead.touch_count for lead in world.leads()) == [1, 1, 1]


def test_what_may_be_the_same_person_is_asked_and_said_in_words() -> None:
    world = a_world()
    sent(
        world,
        form(1, "ada@example.com", ONE, name="Ada Quill"),
        form(2, "ada.s@example.org", ONE, name="Adele Quill"),
    )
    assert len(world.leads()) == 2
    (found,) = every_duplicate(world.hub)
    assert "the same phone" in found.proposal.because


def test_a_decision_that_weighed_comes_out_the_same_again() -> None:
    world = a_world()
    sent(
        world,
        form(1, "robert.featherstone@example.com", ONE, name="Robert Featherstone"),
        form(2, "rf77@example.org", ONE, name="Bob Featherstone"),
    )
    findings = verify(world.hub, world.lead().lead_id)
    assert [one.kind for one in findings].count("match") == 2
    assert [one.problem for one in findings if one.problem] == []
    assert decision(world).inputs["compared"][0]["bits"] > 0


def test_a_decision_whose_evidence_was_changed_is_found_out() -> None:
    world = a_world()
    sent(
        world,
        form(1, "zoe@example.com", name="Zoe Quill"),
        form(2, "zoe@example.com", name="Zoe Quill"),
    )
    first = min(of_kind(world, "touch"), key=lambda item: str(item["sk"]))
    record = touch_record_of(first)
    bare = record.touch.model_copy(update={"contact": {"email": record.touch.contact["email"]}})
    lead_id = world.lead().lead_id
    changed = record.model_copy(update={"touch": bare})
    world.table.write([Put("change", touch_item(lead_id, changed, 1, "somebody"))])
    problems_found = {one.problem for one in verify(world.hub, lead_id) if one.kind == "match"}
    assert any("bits" in problem for problem in problems_found)


class CountingTable(MemoryTable):
    """Counts the items that are read by their keys, and the queries."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[Key] = []

    def get(self, key: Key) -> Item | None:
        self.read.append(key)
        return super().get(key)

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        self.read += keys
        return super().get_many(keys, may_lag=may_lag)


def test_the_reads_are_bounded_however_many_are_alike() -> None:
    world = a_world()
    for number in range(60):
        sent(
            world,
            form(number, email_of(number), name=f"Kim {name_of(number)[1]}", city="Poppleton"),
        )
    table = CountingTable()
    for item in world.table.scan():
        table.write([Put("copy", item)])
    hub = replace(world.hub, table=table)
    (record, *_) = touches(world)
    touch = record.touch.model_copy(update={"touch_id": "new"})
    found = find(hub, Glance(table), touch, "new", AS_IT_COMES)
    assert found.candidates
    assert len(table.read) <= MOST_READS
