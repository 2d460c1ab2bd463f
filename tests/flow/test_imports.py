import csv
import io
from contextlib import suppress

import pytest

from chalicelib.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from chalicelib.flow import imports
from chalicelib.flow.catch_up import SLICES, catch_up
from chalicelib.flow.import_outcomes import outcome_lines
from chalicelib.flow.import_preview import Previewer
from chalicelib.flow.import_run import LOOK_AGAIN, MOST_OPEN, Runner, slice_import
from chalicelib.flow.import_state import find_import
from chalicelib.flow.receive import receive
from chalicelib.lead.model import utc_text
from chalicelib.request import Request
from chalicelib.tables.layout import Wanted
from chalicelib.tables.rows import Memory
from tests.faults import Hook, Kill, explore
from tests.flow.import_scenes import (
    a_world,
    go_on,
    outcomes_of,
    pass_time,
    people,
    running,
    take_in,
    told_of,
    upload,
    with_lists,
)
from tests.flow.scenes import deliveries, failing_at, touches
from tests.invariants import problems
from tests.world import World, form


def test_every_row_of_a_file_becomes_a_lead() -> None:
    world = a_world(trust=40)
    done = take_in(world, people(23))
    assert (done.state, done.rows, done.settled, done.counts) == ("done", 23, 23, {"accepted": 23})
    assert len(world.leads()) == 23
    (touch,) = [r.touch for r in touches(world) if r.touch.external_id == "7"]
    assert touch.contact["full_name"].value == "Person 7"
    assert touch.trust == 40
    assert touch.form == "list.csv"
    assert problems(world) == []


def test_the_same_file_twice_adds_nothing() -> None:
    world = a_world()
    take_in(world, people(12))
    before = {lead.lead_id: lead.version for lead in world.leads()}
    assert take_in(world, people(12)).counts == {"duplicate": 12}
    assert {lead.lead_id: lead.version for lead in world.leads()} == before


def test_a_file_that_has_grown_adds_only_what_is_new() -> None:
    world = a_world()
    take_in(world, people(12))
    assert take_in(world, people(15)).counts == {"duplicate": 12, "accepted": 3}


def test_a_corrected_row_with_a_known_id_corrects_the_lead() -> None:
    world = a_world()
    take_in(world, people(1))
    world.clock.advance(minutes=5)
    done = take_in(world, people(1).replace("Person 1", "Zoë Quill"))
    assert done.counts == {"accepted": 1}
    assert world.lead().profile["full_name"].value == "Zoë Quill"
    assert world.lead().touch_count == 1


def test_a_bad_row_stops_no_other_and_says_why() -> None:
    world = a_world()
    lines = people(30).splitlines()
    lines[4] = "4,too,many,cells@example.com,here"
    lines[9] = '9,"not closed,nine@example.com'
    lines[14] = "14,Nobody,"
    lines[19] = "19,No Mail,not an address"
    done = take_in(world, "\n".join(lines).encode().replace(b"Person 25", b"P\xe9rson\x00 25"))
    assert done.counts == {"accepted": 26, "quarantined": 4}
    bad = {told.row: told.reason for told in told_of(world, done.import_id) if told.reason}
    assert sorted(bad) == [5, 10, 15, 20]
    assert "5 cells for 3 columns" in bad[5]
    assert "not closed" in bad[10]
    assert "nothing says who this is" in bad[15]
    assert sum(done.counts.values()) == done.rows == 30
    (mended,) = [r.touch for r in touches(world) if r.touch.external_id == "25"]
    assert mended.contact["full_name"].value == "Pérson 25"


def test_what_was_put_right_goes_in_when_the_file_of_outcomes_is_imported_again() -> None:
    world = a_world()
    done = take_in(world, people(12).replace("person-5@", "="))
    told = "".join(outcome_lines(world.hub, done))
    assert "'=example.com" in told
    world.clock.advance(minutes=1)
    again = take_in(world, told.replace("'=example.com", "person-5@example.com"))
    assert again.counts == {"duplicate": 11, "accepted": 1}


def test_the_outcomes_stand_in_the_bucket_when_all_is_through() -> None:
    world = a_world()
    done = take_in(world, people(3) + "4,=cmd(),@bad\n")
    text = world.blobs.kept[done.outcomes].decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["hub outcome"] for row in rows] == ["accepted"] * 3 + ["quarantined"]
    assert [row["hub row"] for row in rows] == ["2", "3", "4", "5"]
    assert rows[3]["Name"] == "'=cmd()"
    assert rows[3]["Mail"] == "'@bad"
    assert {row["hub lead"] for row in rows[:3]} == {lead.lead_id for lead in world.leads()}


def test_a_row_that_is_replayed_later_is_told_as_it_stands() -> None:
    world = a_world()
    done = take_in(world, people(1) + "2,Nobody,\n")
    (kept,) = deliveries(world)
    world.replay(kept.delivery_id)
    world.settle()
    assert outcomes_of(world, done.import_id) == {2: "accepted", 3: "quarantined"}


# --- what a person must confirm -------------------------------------------------------------------


def test_nothing_runs_before_the_columns_are_confirmed() -> None:
    world = a_world()
    upload(world, people(3))
    assert running(world) == []
    assert catch_up(world.hub) == 0 or world.inbox.is_empty()
    world.settle()
    assert world.leads() == []


def test_a_person_may_change_what_was_proposed() -> None:
    world = a_world()
    take_in(world, people(1), {"Name": "topic", "Badge": "-"})
    lead = world.lead()
    assert lead.custom["topic"].value == "Person 1"
    assert "full_name" not in lead.profile


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ({"Nmae": "full_name"}, "no such column"),
        ({"Name": "fullname"}, "is no field"),
        ({"Mail": "answer"}, "nobody is told apart"),
        ({"Name": "id"}, "is id already"),
        ({"Name": "consent.<script>"}, "is no field"),
    ],
)
def test_a_mapping_that_would_not_do_is_refused(mapping: dict[str, str], why: str) -> None:
    world = a_world()
    import_id = upload(world, people(3))
    with pytest.raises(Invalid) as refused:
        imports.start(world.hub, import_id, mapping)
    assert why in str(refused.value.problems)
    assert running(world) == []


def test_the_sources_own_field_map_is_proposed_and_stays() -> None:
    world = a_world(fields={"Name": "topic"})
    import_id = upload(world, people(3))
    assert find_import(world.hub, import_id)[0].mapping["Name"] == "topic"
    with pytest.raises(Invalid, match="mapped"):
        imports.start(world.hub, import_id, {"Name": "full_name"})


def test_two_who_confirm_at_once_start_it_once() -> None:
    world = a_world()
    import_id = upload(world, people(3))
    imports.start(world.hub, import_id, {})
    with pytest.raises(Conflict):
        imports.start(world.hub, import_id, {"Name": "-"})


def test_a_file_that_is_not_there_yet_is_said_to_be_missing() -> None:
    world = a_world()
    one = imports.create(world.hub, "lists", "list.csv", 10, "somebody")
    with pytest.raises(NotFound, match="PUT"):
        imports.look_at(world.hub, one.import_id)


def test_a_source_that_takes_files_is_needed() -> None:
    with pytest.raises(Invalid) as refused:
        imports.create(World().hub, "", "list.csv", 10, "somebody")
    assert "connector: file_import" in refused.value.problems[0]
    with pytest.raises(Invalid) as refused:
        imports.create(a_world().hub, "forms", "list.csv", 10, "somebody")
    assert "lists" in refused.value.problems[0]


def test_a_file_that_is_too_large_is_refused_before_it_is_sent() -> None:
    with pytest.raises(TooLarge):
        imports.create(a_world().hub, "lists", "list.csv", imports.MOST_BYTES + 1, "somebody")


def test_names_of_files_hold_nothing_that_a_header_trips_over() -> None:
    one = imports.create(a_world().hub, "", 'C:\\x\\..\\a"b;\r\nc.csv', 10, "somebody")
    assert one.file == "abc.csv"


def test_nothing_can_be_posted_to_such_a_source() -> None:
    world = a_world()
    for source in ({}, {"secret": "forms"}):
        with_lists(world, **source)
        world.clock.advance(minutes=10)
        request = Request("POST", "/hooks/lists", {}, {}, b"{}", world.clock(), source_id="lists")
        assert receive(world.hub, "lists", request).status == 401
    assert deliveries(world) == []


# --- dry runs -------------------------------------------------------------------------------------


def previewed(world: World, text: str, most: int | None = None) -> Previewer:
    import_id = upload(world, text)
    one = imports.confirmed(world.hub, find_import(world.hub, import_id)[0], {}, None)
    previewer = Previewer(world.hub, one, Memory(text.encode()))
    for _ in previewer.go(most):
        pass
    return previewer


def test_a_dry_run_says_what_would_become_of_each_row_and_writes_nothing() -> None:
    world = a_world()
    world.send("forms", form(1, "person-3@example.com"))
    take_in(world, people(2))
    text = people(8).replace("person-7@", "person-6@").replace("8,Person 8,", ",,,x,")
    text += "99,Nobody,\n"
    import_id = upload(world, text)
    before = world.table.scan(), dict(world.blobs.kept)
    one = imports.confirmed(world.hub, find_import(world.hub, import_id)[0], {}, None)
    previewer = Previewer(world.hub, one, Memory(text.encode()))
    assert list(previewer.go()) == [9]
    found = previewer.result
    assert found.counts == {"new": 3, "known": 2, "duplicate": 2, "unreadable": 2}
    assert [row.row for row in found.first["known"]] == [4, 8]
    assert "row 7" in found.first["known"][1].because
    assert found.is_whole
    assert (world.table.scan(), dict(world.blobs.kept)) == before
    assert world.inbox.is_empty()


def test_a_dry_run_foretells_what_the_import_does() -> None:
    world = a_world()
    text = people(40).replace("person-7@example.com", "nothing") + people(12).split("\n", 1)[1]
    found = previewed(world, text).result
    done = take_in(world, text)
    assert found.counts["new"] + found.counts["known"] == done.counts["accepted"]
    assert found.counts["duplicate"] == done.counts["duplicate"]
    assert found.counts["unreadable"] == done.counts["quarantined"]


def test_a_dry_run_of_the_first_rows_says_that_it_saw_no_more() -> None:
    found = previewed(a_world(), people(30), most=10).result
    assert (found.rows, found.is_whole) == (10, False)


# --- crashes and company --------------------------------------------------------------------------


def test_a_step_that_ends_at_any_call_loses_and_doubles_nothing() -> None:
    def play(hook: Hook) -> list[str]:
        world = a_world()
        import_id = upload(world, people(12).replace("person-9@example.com", ""))
        imports.start(world.hub, import_id, {})
        hub = world.worker(hook)
        for _ in range(5):
            with suppress(Unavailable, Conflict, Kill):
                Runner(hub, import_id).step()
            pass_time(world)
        done = go_on(world, import_id)
        wrong = problems(world)
        if done.counts != {"accepted": 11, "quarantined": 1}:
            wrong.append(f"counted {done.counts}")
        if len(world.leads()) != 11 or len(outcomes_of(world, import_id)) != 12:
            wrong.append(f"{len(world.leads())} leads, {outcomes_of(world, import_id)}")
        return wrong

    fired, wrong = explore(play)
    assert wrong == {}
    assert fired > 50


def test_an_import_goes_on_where_another_left_it() -> None:
    world = a_world()
    import_id = upload(world, people(2_500))
    imports.start(world.hub, import_id, {})
    first, _ = Runner(world.hub, import_id).step()
    second, _ = Runner(world.hub, import_id).step()
    assert (first.rows, second.rows, second.number) == (1_000, 2_000, 2_001)
    assert second.after > first.after
    assert len({kept.delivery_id for kept in deliveries(world)}) == 200


def test_an_import_waits_when_too_many_of_its_rows_are_open() -> None:
    world = a_world()
    import_id = upload(world, people(MOST_OPEN + 1_500))
    imports.start(world.hub, import_id, {})
    runner = Runner(world.hub, import_id)
    for _ in range(MOST_OPEN // 1_000 + 3):
        one, has_moved = runner.step()
    assert (one.rows, has_moved) == (MOST_OPEN, False)


def test_a_file_that_was_changed_while_it_was_read_ends_the_import() -> None:
    world = a_world()
    import_id = upload(world, people(2_500))
    imports.start(world.hub, import_id, {})
    one, _ = Runner(world.hub, import_id).step()
    world.blobs.kept[one.blob] = people(9).encode()
    done, _ = Runner(world.hub, import_id).step()
    assert done.is_read
    assert "changed" in done.reason


def test_a_bucket_that_is_down_is_no_end_of_the_file() -> None:
    world = a_world()
    # Three blocks, of which the last is read in the second step.
    import_id = upload(world, people(2_500).replace("Person", "P" * 280))
    imports.start(world.hub, import_id, {})
    down = failing_at("blobs.read", 3, Unavailable("S3: down"))
    runner = Runner(world.worker(down), import_id)
    assert runner.step()[0].rows == 1_000
    with pytest.raises(Unavailable):
        runner.step()
    for _ in range(3):
        one, _ = runner.step()
    assert (one.rows, one.is_read) == (2_500, True)


def test_what_runs_is_not_looked_at_anew() -> None:
    world = a_world()
    import_id = upload(world, people(3))
    imports.start(world.hub, import_id, {})
    with pytest.raises(Conflict, match="running"):
        imports.look_at(world.hub, import_id)


def test_long_work_goes_on_with_imports() -> None:
    world = a_world()
    import_id = upload(world, people(12))
    imports.start(world.hub, import_id, {})
    assert SLICES["import"] is slice_import
    for _ in range(4):
        catch_up(world.hub)
        world.drain()
        world.clock.advance(minutes=1)
    assert find_import(world.hub, import_id)[0].state == "done"


def test_a_slice_that_waits_for_its_rows_lets_others_have_their_turn() -> None:
    world = a_world()
    import_id = upload(world, people(12))
    imports.start(world.hub, import_id, {})
    (item,) = running(world)
    slice_import(world.hub, item)
    (item,) = running(world)
    assert item["due_at"] == utc_text(world.clock() + LOOK_AGAIN)


def test_imports_are_listed_newest_first_page_by_page() -> None:
    world = a_world()
    ids = []
    for _ in range(5):
        ids.append(upload(world, people(1)))
        world.clock.advance(minutes=1)
    seen, after = [], ""
    while True:
        page = imports.list_imports(world.hub, 2, after)
        seen += [entry["import_id"] for entry in page.entries]
        after = page.after
        if not after:
            break
    assert seen == ids[::-1]


def test_a_layout_that_a_person_knows_better_is_taken() -> None:
    world = a_world()
    import_id = upload(world, "Title\nName;Mail\nZoë;zoe@example.com\n".encode("cp850"))
    looked = imports.look_at(
        world.hub, import_id, Wanted(encoding="cp850", header_row=2, delimiter=";")
    )
    assert looked.layout.columns == ("Name", "Mail")
    assert looked.proposal.columns[0].samples == ("Zoë",)


def test_what_is_no_id_of_an_import_is_not_found() -> None:
    for wrong in ("", "x" * 100, "a#b", "é"):
        with pytest.raises(NotFound):
            find_import(a_world().hub, wrong)
