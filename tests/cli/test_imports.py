"""hub import and hub imports: what they print, for people and programs, and what they write."""

import csv
import io
from pathlib import Path

import pytest
import typer
from rich.console import Console

from chalicelib.cli.imports import ask, read_map
from chalicelib.cli.tools import Tools
from chalicelib.errors import Invalid
from chalicelib.flow import imports
from chalicelib.flow.import_run import Runner
from chalicelib.flow.import_state import Import, find_import
from tests.cli.desk import Desk
from tests.flow.import_scenes import a_world, people, upload
from tests.world import World


@pytest.fixture
def desk() -> Desk:
    return Desk(a_world())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "guests.csv"
    path.write_text(people(12).replace("person-4@example.com", ""))
    return path


def test_a_file_is_imported_and_its_outcomes_written(desk: Desk, file: Path) -> None:
    out = file.with_name("out.csv")
    done = desk.run("import", str(file), "--yes", "--outcomes", str(out))
    assert done.exit_code == 0, done.output
    for part in ("guests.csv", "row 1 names the columns", "Badge", "full_name", "12 of 12 rows"):
        assert part in done.output
    assert len(desk.world.leads()) == 11
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"))))
    assert [row["hub outcome"] for row in rows].count("accepted") == 11
    assert (rows[3]["hub row"], rows[3]["Name"]) == ("5", "Person 4")
    assert "nothing says who this is" in rows[3]["hub reason"]
    assert not list(file.parent.glob("*.part"))


def test_programs_get_json(desk: Desk, file: Path) -> None:
    told = desk.json("import", str(file), "--yes")
    assert told["counts"] == {"accepted": 11, "quarantined": 1}
    (listed,) = desk.json("imports")
    assert (listed["import_id"], listed["state"]) == (told["import_id"], "done")
    assert desk.json("imports", told["import_id"])["rows"] == 12


def test_a_dry_run_writes_nothing(desk: Desk, file: Path) -> None:
    before = desk.world.table.scan()
    found = desk.json("import", str(file), "--dry-run", "--map", "Name=-")
    assert found["counts"] == {"new": 11, "known": 0, "duplicate": 0, "unreadable": 1}
    shown = desk.run("import", str(file), "--dry-run")
    assert "11    new" in shown.output
    assert "cannot be read: nothing says who this is" in shown.output
    assert "Nothing was written" in shown.output
    assert desk.world.table.scan() == before
    assert desk.world.blobs.kept == {}


def test_nothing_is_imported_without_a_yes(desk: Desk, file: Path) -> None:
    done = desk.run("import", str(file))
    assert done.exit_code == 1
    assert "--yes" in done.output
    assert desk.world.blobs.kept == {}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--map", "Nmae=full_name"), "no such column"),
        (("--map", "Name"), "COLUMN=FIELD"),
        (("--map", "Mail=-"), "nobody is told apart"),
        (("--dates", "ymd"), "dmy or mdy"),
        (("--zone", "Mars/Base"), "Europe/Berlin"),
        (("--source", "forms"), "takes no files"),
        (("--sheet", "x", "--encoding", "nope"), "encoding"),
    ],
)
def test_what_does_not_do_is_said_and_not_done(
    desk: Desk, file: Path, arguments: tuple[str, ...], why: str
) -> None:
    done = desk.run("import", str(file), "--yes", *arguments)
    assert done.exit_code == 1
    assert why in done.output
    assert desk.world.blobs.kept == {}


def test_without_a_source_that_takes_files_the_command_says_what_to_configure(file: Path) -> None:
    done = Desk(World()).run("import", str(file), "--yes")
    assert done.exit_code == 1
    assert "connector: file_import" in done.output


def test_an_import_that_was_left_is_gone_on_with(desk: Desk) -> None:
    import_id = upload(desk.world, people(12))
    imports.start(desk.world.hub, import_id, {})
    Runner(desk.world.hub, import_id).step()
    done = desk.run("imports", import_id, "--wait")
    assert done.exit_code == 0
    assert "done: 12 of 12 rows" in done.output
    assert find_import(desk.world.hub, import_id)[0].counts == {"accepted": 12}


def test_no_import_yet_is_no_error(desk: Desk) -> None:
    done = desk.run("imports")
    assert done.exit_code == 0
    assert "hub import FILE" in done.output
    assert desk.run("imports", "nothing").exit_code == 1


def test_a_column_may_have_an_equals_sign() -> None:
    assert read_map(["a=b=email", "Opt-in = consent.news"]) == {
        "a=b": "email",
        "Opt-in": "consent.news",
    }


def asked(desk: Desk, *lines: str) -> dict[str, str]:
    """Answer the question after the columns were shown."""
    import_id = upload(desk.world, people(3))
    one = find_import(desk.world.hub, import_id)[0]
    left = iter(lines)

    def confirm(mapping: object) -> Import:
        assert isinstance(mapping, dict)
        return imports.confirmed(desk.world.hub, one, mapping, None)

    tools = Tools(err=Console(file=io.StringIO()))
    return ask(tools, confirm, {}, lambda: next(left))


def test_a_person_changes_columns_until_they_are_right(desk: Desk) -> None:
    assert asked(desk, "Nmae=topic", "Name=topic", "what?", "Badge=-", "yes") == {
        "Name": "topic",
        "Badge": "-",
    }


def test_a_person_may_say_no(desk: Desk) -> None:
    for answer in ("no", ""):
        with pytest.raises(typer.Abort):
            asked(desk, answer)


def test_a_change_that_does_not_do_is_not_kept(desk: Desk) -> None:
    assert asked(desk, "Mail=answer", "yes") == {}
    with pytest.raises(Invalid):
        read_map(["=x"])
