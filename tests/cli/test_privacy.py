"""hub erase, erasure, export, retention."""

import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from chalicelib.config.model import Retention
from chalicelib.flow.catch_up import catch_up
from chalicelib.flow.publish import publish
from tests.cli.desk import Desk
from tests.world import form, with_config


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.world.send("forms", form(1, "zoe@example.com", "+447700900123", name="Zoe Canary"))
    desk.world.send("forms", form(2, "yan@example.com", name="Yan Otherman"))
    desk.world.settle()
    return desk


def test_a_person_is_erased_by_their_address_after_a_question(desk: Desk) -> None:
    no = desk.run("erase", "zoe@example.com", stdin="n\n")
    assert no.exit_code == 1
    assert len(desk.world.leads()) == 2
    yes = desk.run("erase", "Zoe@Example.com", "--reason", "asked by mail", stdin="y\n")
    assert yes.exit_code == 0, yes.output
    assert len(desk.world.leads()) == 1
    assert "touches" in yes.stdout
    assert "zoe" not in yes.stdout.lower()


def test_an_erasure_is_shown_and_listed(desk: Desk) -> None:
    assert "Nobody was erased yet" in desk.run("erasure").stderr
    begun = desk.json("erase", "+44 7700 900123", "--yes")
    for _ in range(3):
        desk.world.clock.advance(minutes=7)
        catch_up(desk.world.hub)
    done = desk.json("erasure", begun["erasure_id"])
    assert done["state"] == "done"
    shown = desk.run("erasure", begun["erasure_id"])
    assert "LOOKED AT AGAIN" in shown.stdout
    assert "OUT OF REACH" in shown.stdout
    assert begun["erasure_id"] in desk.run("erasure").stdout
    assert [one["erasure_id"] for one in desk.json("erasure")] == [begun["erasure_id"]]


def test_each_step_has_a_bar_and_programs_are_shown_none(desk: Desk) -> None:
    desk.screen = Console(width=120, stderr=True, force_terminal=True, color_system=None)
    shown = desk.run("erase", "zoe@example.com", "--yes").stderr
    bars = [line for line in shown.splitlines() if "━" in line]
    assert any("1. Leads and what hangs on them" in line for line in bars)
    assert re.search(r"2. Lists of deliveries +━+ +(\d+)/\1 ", bars[-2])
    assert re.search(r"3. Refusals, ledgers and imports +━+ +1/1 ", bars[-1])
    told = desk.run("erase", "yan@example.com", "--yes", "--json")
    assert told.stderr == ""
    assert json.loads(told.stdout)["state"] == "searching"


def test_somebody_whom_no_lead_is_about_is_looked_for(desk: Desk) -> None:
    desk.world.send("forms", b'{"email": "abe@example.com",')
    desk.world.settle()
    done = desk.run("erase", "abe@example.com", stdin="y\n")
    assert done.exit_code == 0, done.output
    assert "No lead is about this person" in done.stderr
    assert "requests" in done.stdout


@pytest.mark.parametrize("named", ["Zoe Canary", "07700 900123", "x@"])
def test_whoever_cannot_be_meant_is_asked_for_again(desk: Desk, named: str) -> None:
    done = desk.run("erase", named, "--yes")
    assert done.exit_code == 1
    assert "expected a lead's id" in done.stderr


def test_a_lead_that_there_is_not_is_not_found(desk: Desk) -> None:
    assert "Not found" in desk.run("erase", "vo3da4mlqvk64yptheifslpqbd", "--yes").stderr


def test_an_export_is_written_to_read_or_for_programs(desk: Desk, tmp_path: Path) -> None:
    page, data = tmp_path / "zoe.html", tmp_path / "zoe.json"
    done = desk.run("export", "zoe@example.com", "--to", str(page))
    assert done.exit_code == 0, done.output
    assert "Zoe Canary" in page.read_text()
    assert "Otherman" not in page.read_text()
    assert "there already" in desk.run("export", "zoe@example.com", "--to", str(page)).stderr
    told = desk.json("export", "zoe@example.com", "--to", str(data))
    assert json.loads(data.read_text())["lead_id"] == told["lead_id"]
    wrong = desk.run("export", "zoe@example.com", "--to", str(tmp_path / "zoe.pdf"))
    assert ".html or .json" in wrong.stderr
    nobody = desk.run("export", "abe@example.com", "--to", str(tmp_path / "abe.html"))
    assert nobody.exit_code == 1


def test_retention_tells_what_would_go(desk: Desk) -> None:
    assert "Everything is kept" in desk.run("retention").stderr
    rules = (Retention(id="old", what="leads", days=30),)
    publish(desk.world.hub, with_config(desk.world, retention=rules), "test")
    desk.world.clock.advance(days=31)
    shown = desk.run("retention")
    assert shown.exit_code == 0, shown.output
    assert desk.json("retention")["rules"][0]["now"] == 2
    assert len(desk.world.leads()) == 2
