"""Reading ahead for a batch: fewer calls, and never an old answer to whoever tries again."""

from chalicelib.flow.glance import Glance
from chalicelib.storage import Key, Put
from tests.fakes import MemoryTable
from tests.flow.scenes import a_world, ask, know_form, noted
from tests.world import form

KEY, OTHER = Key("KEY#a", "KEY"), Key("KEY#b", "KEY")


def put(table: MemoryTable, key: Key, version: int) -> None:
    item = {"pk": key[0], "sk": key[1], "writer": f"w{version}", "version": version}
    table.write([Put("item", item)])


def test_what_was_read_ahead_is_given_out_once_and_then_read_anew() -> None:
    table = MemoryTable()
    put(table, KEY, 1)
    put(table, OTHER, 1)
    glance = Glance(table)
    glance.read_ahead([KEY])
    put(table, KEY, 2)
    versions = [(glance.get(KEY) or {})["version"] for _ in range(2)]
    assert versions == [1, 2]


def test_what_is_read_ahead_may_lag_and_what_is_read_anew_may_not() -> None:
    table = MemoryTable()
    put(table, KEY, 1)
    glance = Glance(table)
    glance.read_ahead([KEY])
    assert glance.get(KEY) is None
    assert glance.get(KEY) is not None


def test_what_was_absent_is_remembered_as_absent_once() -> None:
    table = MemoryTable()
    glance = Glance(table)
    glance.read_ahead([KEY])
    put(table, KEY, 1)
    assert glance.get(KEY) is None
    assert glance.get(KEY) is not None


def test_what_was_not_read_ahead_is_read_when_asked_for() -> None:
    table = MemoryTable()
    put(table, OTHER, 1)
    glance = Glance(table)
    glance.read_ahead([KEY])
    assert set(glance.get_many([KEY, OTHER])) == {OTHER}


def test_a_batch_of_ten_new_people_reads_three_times_and_writes_once_for_each() -> None:
    world = a_world()
    know_form(world)
    for number in range(10):
        ask(world, "forms", form(number, f"p{number}@example.com"))
    hub, calls = noted(world)
    world.work(world.inbox, hub)
    assert calls.count("table.write") == 10
    assert calls.count("table.get_many") == 2
    assert calls.count("routing.send") == 1
    # The configuration in force and, as this worker is cold, its document.
    assert calls.count("table.get") == 2
    assert len(calls) == 15
