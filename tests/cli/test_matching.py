"""hub match, hub dedupe, hub duplicates."""

import json
from pathlib import Path

import pytest

from tests.cli.desk import Desk
from tests.flow.import_scenes import with_lists
from tests.flow.match_scenes import ZOE, ZOE_TOO, alike, asking, crowded, duplicate, unasked


def names(desk: Desk) -> tuple[str, str]:
    found = duplicate(desk.world)
    return found.one.lead_id, found.other.lead_id


def test_duplicates_are_listed_side_by_side_and_decided() -> None:
    desk = Desk(alike())
    shown = desk.run("duplicates")
    assert shown.exit_code == 0
    one, other = names(desk)
    for part in (one, other, ZOE["email"], ZOE_TOO["email"], "one person:", "submissions"):
        assert part in shown.stdout
    (told,) = desk.json("duplicates")
    assert told["lead_ids"] == [one, other]
    done = desk.run("duplicates", "merge", one, other, "--reason", "she called")
    assert done.exit_code == 0
    assert "hub unmerge" in done.stderr
    assert len(desk.world.leads()) == 2
    assert "Nothing to decide" in desk.run("duplicates").stderr


def test_two_are_kept_apart_and_a_merge_of_them_is_refused() -> None:
    desk = Desk(alike())
    one, other = names(desk)
    assert desk.json("duplicates", "apart", one, other) == {one: [other]}
    refused = desk.run("duplicates", "merge", one, other)
    assert refused.exit_code == 1
    assert "kept apart" in refused.stderr
    assert desk.run("duplicates", "merge", one, "nobody").exit_code == 1


def test_a_lead_names_its_proposals() -> None:
    desk = Desk(alike())
    one, other = names(desk)
    assert f"Perhaps the same person as {other}" in desk.run("lead", one).stderr
    assert desk.json("lead", one)["duplicates"] == [other]


def test_text_of_strangers_does_not_steer_the_terminal_in_duplicates() -> None:
    world = asking()
    desk = Desk(world)
    from tests.flow.match_scenes import write

    for number in (1, 2):
        name = "Zoe [bold red]\u202eMiller\x1b[31m"
        write(
            world, number, {**ZOE, "full_name": name, "email": f"zoe{number}@example{number}.com"}
        )
    shown = desk.run("duplicates").stdout
    assert "[bold red]" in shown
    assert not {"\x1b", "\u202e", "\x9b"} & set(shown)


def test_dedupe_proposes_and_says_how_many() -> None:
    desk = Desk(unasked())
    (pair,) = desk.json("dedupe", "--dry-run")
    assert 0 < pair["probability"] < 1
    done = desk.run("dedupe")
    assert done.exit_code == 0
    assert "3 leads looked at" in done.stdout
    assert "hub duplicates" in done.stderr
    assert duplicate(desk.world)
    again = desk.json("dedupe")
    assert (again["proposed"], again["known"]) == (0, 2)


def test_dedupe_merges_only_after_a_question() -> None:
    world = unasked()
    asking(world, match=0.6, merge=0.6, ask=0.5)
    desk = Desk(world)
    refused = desk.run("dedupe", "--merge-above", "0.6", stdin="n\n")
    assert refused.exit_code == 1
    assert len(world.leads()) == 3
    done = desk.json("dedupe", "--merge-above", "0.6", "--yes")
    assert done["merged"] == 1
    assert len(world.leads()) == 2


def test_a_run_that_was_interrupted_is_gone_on_with() -> None:
    from chalicelib.flow.dedupe import begin

    desk = Desk(unasked())
    assert desk.run("dedupe", "--resume").exit_code == 1
    begin(desk.world.hub, "ann")
    refused = desk.run("dedupe")
    assert refused.exit_code == 1
    assert "--resume" in refused.stderr
    assert desk.json("dedupe", "--resume")["proposed"] == 1


def test_a_list_is_looked_at_before_its_import(tmp_path: Path) -> None:
    desk = Desk(with_lists(asking(match=0.5)))
    file, out = tmp_path / "list.csv", tmp_path / "out.csv"
    rows = ["Name,Mail,Note", "Zoe Miller,zoe@example.com,=1+1", "Zoe Miller,zoe@example.com,=1+1"]
    file.write_text("\n".join([*rows, "X,,"]) + "\n")
    shown = desk.run("dedupe", "--file", str(file), "--outcomes", str(out), "--map", "Note=answer")
    assert shown.exit_code == 0, shown.output
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "row,outcome,lead,like row,because,Name,Mail,Note"
    assert [line.split(",")[1] for line in lines[1:]] == ["new", "doubled", "unreadable"]
    assert lines[1].endswith("'=1+1")
    told = desk.json("dedupe", "--file", str(file))
    assert told["counts"] == {"new": 1, "known": 0, "maybe": 0, "doubled": 1, "unreadable": 1}
    assert [one["row"] for one in told["rows"]] == [3, 4]
    assert desk.world.leads() == []


@pytest.mark.parametrize(
    "wrong",
    [
        ["--outcomes", "out.csv"],
        ["--merge-above", "1.5"],
        ["--since", "yesterday"],
    ],
)
def test_what_makes_no_sense_is_refused(wrong: list[str]) -> None:
    assert Desk().run("dedupe", *wrong).exit_code in (1, 2)


def test_training_says_what_changed_and_a_dry_run_changes_nothing() -> None:
    desk = Desk(crowded())
    dry = desk.json("match", "train", "--dry-run")
    assert dry["leads"] == len(desk.world.leads())
    assert desk.json("match", "weights") == []
    assert "is the most frequent city" in desk.run("match", "train").stdout
    (known,) = desk.json("match", "weights")
    assert known["is_used"]
    again = desk.run("match", "train")
    assert "known already" in again.stderr
    assert desk.json("match", "rollback", "0") == {"number": 0}
    assert desk.run("match", "rollback", "7").exit_code == 1
    assert "0" in desk.run("match", "rollback", "0").stdout


def test_a_report_is_a_page_and_a_picture_in_the_terminal(tmp_path: Path) -> None:
    desk = Desk(alike())
    page = tmp_path / "report.html"
    shown = desk.run("match", "report", "--out", str(page))
    assert shown.exit_code == 0, shown.output
    assert "█" in shown.stdout
    assert "nobody has checked" in shown.stderr
    assert page.read_text().startswith("<!doctype html>")
    assert desk.run("match", "report", "--out", str(page)).exit_code == 1
    assert desk.run("match", "report", "--out", str(page), "--force").exit_code == 0
    told = desk.json("match", "report")
    assert told["leads"] == 3
    assert json.dumps(told)


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("duplicates", "Nothing to decide"),
        ("dedupe --dry-run", "No two leads look alike"),
        ("match report", "hub send"),
        ("match weights", "Nothing was learnt yet"),
        ("match train", "too few to learn from"),
    ],
)
def test_where_there_is_nothing_it_says_so(command: str, hint: str) -> None:
    done = Desk().run(*command.split())
    assert done.exit_code == 0
    assert hint in done.stderr
