"""A list of people looked at before it is imported."""

from datetime import UTC, datetime

from chalicelib.flow import imports
from chalicelib.flow.dedupe_file import FileCheck, RowFound
from chalicelib.flow.import_state import Import
from tests.flow.import_scenes import with_lists
from tests.flow.match_scenes import ZOE, asking, write
from tests.world import World


class Text:
    """A file in memory."""

    def __init__(self, text: str) -> None:
        self._data = text.encode()
        self.size = len(self._data)

    def read(self, start: int, length: int) -> bytes:
        return self._data[start : start + length]


def looked_at(world: World, *rows: str) -> tuple[dict[int, RowFound], FileCheck]:
    """Look at a list with name, address, phone and city."""
    file = Text("\n".join(["Name,Mail,Phone,City", *rows]) + "\n")
    config = world.hub.configurations.current().config
    draft = Import(
        import_id="draft",
        source_id="lists",
        file="list.csv",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        created_by="ann",
    )
    one = imports.confirmed(world.hub, imports.examine(config, draft, file).found, {}, None)
    check = FileCheck(world.hub, one, file)
    return {found.row: found for found in check.go()}, check


def test_a_row_of_somebody_known_names_their_lead() -> None:
    world = with_lists(World())
    write(world, 1, ZOE)
    found, check = looked_at(
        world, "Zoe Miller,ZOE.Miller@example.com,,Leeds", "Tom Hale,tom@example.com,,York"
    )
    assert (found[2].outcome, found[2].lead_id) == ("known", world.lead().lead_id)
    assert found[2].because
    assert found[3].outcome == "new"
    assert (check.counts["known"], check.counts["new"]) == (1, 1)


def test_a_person_who_stands_there_twice_is_found_in_other_words_too() -> None:
    found, _ = looked_at(
        with_lists(World()),
        "Robert Stonehouse,robert.stonehouse@example.com,+447700900200,Leeds",
        "Tom Hale,tom@example.com,,York",
        "Bob Stonehouse,bstonehouse@example.org,+447700900200,Leeds",
        "Tom Hale,tom@example.com,,York",
    )
    assert [one.outcome for one in found.values()] == ["new", "new", "doubled", "doubled"]
    assert (found[4].like_row, found[5].like_row) == (2, 3)


def test_where_it_is_doubtful_a_person_is_to_look() -> None:
    world = with_lists(asking())
    asking(world)
    write(world, 1, ZOE)
    found, _ = looked_at(world, "Zoe Miller,zm@example.org,,Leeds")
    assert (found[2].outcome, found[2].lead_id) == ("maybe", world.lead().lead_id)


def test_what_cannot_be_read_says_why_and_stops_nothing() -> None:
    found, check = looked_at(
        with_lists(World()), "Nobody,,,Leeds", "Tom Hale,tom@example.com,,York"
    )
    assert [one.outcome for one in found.values()] == ["unreadable", "new"]
    assert "e-mail" in found[2].because
    assert check.reason == ""


def test_a_long_list_of_one_family_name_is_looked_at_to_its_end() -> None:
    rows = [f"Ann{n} Miller,a{n}@example{n}.com,,Leeds" for n in range(60)]
    found, check = looked_at(with_lists(World()), *rows)
    assert len(found) == sum(check.counts.values()) == 60


def test_nothing_is_written() -> None:
    world = with_lists(World())
    before = world.table.scan()
    looked_at(world, "Tom Hale,tom@example.com,,York", "Tom Hale,tom@example.com,,York")
    assert world.table.scan() == before
