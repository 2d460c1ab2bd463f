"""hub sources, hub source health, hub source test."""

from pathlib import Path

from chalicelib.config.model import Config
from tests.cli.desk import Desk
from tests.flow.scenes import a_world, reconfigure
from tests.world import form


def test_sources_are_listed_with_how_they_are_doing() -> None:
    desk = Desk(world=a_world())
    desk.world.send("forms", form(1, "zoe@example.com"))
    desk.world.settle()
    done = desk.run("sources")
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert " well " in rows["forms"]
    assert "nothing yet" in rows["survey"]
    assert "TROUBLE" in rows["no_secret"]
    assert "https://hub.example.com/hooks/page/{token}" in rows["page"]
    assert "hub source test ID" in done.stderr
    assert {one["source_id"] for one in desk.json("sources")} == set(desk.world.config.sources)


def test_health_tells_one_source_or_all() -> None:
    desk = Desk(world=a_world())
    one = desk.run("source", "health", "forms").stdout
    assert one.startswith("forms (Website): nothing yet\n")
    assert "Nothing has ever come." in one
    everything = desk.run("source", "health").stdout
    assert all(f"{name} (" in everything for name in desk.world.config.sources)
    assert desk.json("source", "health", "forms")[0]["source"]["source_id"] == "forms"
    assert desk.run("source", "health", "nobody").exit_code == 1


def test_a_hub_without_sources_says_what_to_do() -> None:
    desk = Desk(world=a_world())
    reconfigure(desk.world, Config())
    assert "add one and publish it" in desk.run("sources").stderr
    assert "add one and publish it" in desk.run("source", "health").stderr


def test_a_test_shows_each_step_with_a_mark_and_fails_with_exit_code_1() -> None:
    desk = Desk(world=a_world())
    good = desk.run("source", "test", "forms")
    assert good.exit_code == 0
    assert "ok       proof: signed as Generic JSON signs, and verified" in good.stdout
    assert "skipped  fetched: " in good.stdout
    assert "hub deliveries --source forms" in good.stderr
    bad = desk.run("source", "test", "no_secret")
    assert bad.exit_code == 1
    assert "FAILED   proof: " in bad.stdout
    assert "-> set the secret that the provider signs with: hub secret set never_set" in bad.stdout


def test_a_body_from_a_file_or_a_kept_delivery_may_be_tried(tmp_path: Path) -> None:
    desk = Desk(world=a_world())
    body = tmp_path / "enquiry.json"
    body.write_bytes(form(1, "ida@example.com"))
    assert (
        "email: ida@example.com" in desk.run("source", "test", "forms", "--body", str(body)).stdout
    )
    desk.world.send("forms", form(1, "zoe@example.com"))
    desk.world.settle()
    delivery_id = desk.json("deliveries")[0]["delivery_id"]
    found = desk.json("source", "test", "forms", "--delivery", delivery_id)
    assert found["is_ok"]
    both = desk.run("source", "test", "forms", "--body", str(body), "--delivery", delivery_id)
    assert both.exit_code == 1
