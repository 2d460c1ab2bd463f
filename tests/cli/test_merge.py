"""hub merge, hub unmerge, hub keep-apart."""

from tests.cli.desk import Desk
from tests.flow.test_merge import world_of


def test_leads_are_made_one_and_taken_apart_again() -> None:
    world, ids = world_of(2)
    desk = Desk(world)
    done = desk.run("merge", *ids, "--reason", "she called", "--by", "Ann Ashby")
    assert done.exit_code == 0
    assert f"{ids[0]} is all of them now: 2 submissions" in done.stdout
    assert "hub unmerge" in done.stderr
    assert "became part of" in desk.run("lead", ids[1]).stderr
    assert "she called" in desk.run("why", ids[1]).stdout
    done = desk.run("unmerge", ids[0], ids[1], "--reason", "two people")
    assert done.exit_code == 0
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ids
    assert "two people" in desk.run("why", ids[0]).stdout


def test_programs_get_json() -> None:
    world, ids = world_of(2)
    desk = Desk(world)
    assert desk.json("merge", *ids)["members"] == [ids[1]]
    parted = desk.json("unmerge", *ids)
    assert [parted["rest"]["lead_id"], parted["member"]["lead_id"]] == ids
    assert desk.json("keep-apart", *ids) == {ids[0]: [ids[1]], ids[1]: [ids[0]]}
    assert desk.json("keep-apart", *ids, "--lift") == {ids[0]: [], ids[1]: []}


def test_what_is_kept_apart_is_not_merged_unless_one_insists() -> None:
    world, ids = world_of(2)
    desk = Desk(world)
    assert "never to be merged" in desk.run("keep-apart", *ids, "--reason", "twins").stdout
    done = desk.run("merge", *ids)
    assert done.exit_code == 1
    assert "kept apart" in done.stderr
    assert desk.run("merge", *ids, "--anyway").exit_code == 0


def test_what_cannot_be_done_is_said_with_its_exit_code() -> None:
    world, ids = world_of(2)
    desk = Desk(world)
    assert desk.run("merge", ids[0], ids[0]).exit_code in (1, 2)
    assert desk.run("merge", ids[0], "nobody").exit_code == 1
    assert desk.run("unmerge", *ids).exit_code == 1
