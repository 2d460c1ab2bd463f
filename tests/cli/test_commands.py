"""The hub command: what it prints, for people and programs, and its exit codes."""

import json
from pathlib import Path

import pytest

from chalicelib.config.document import dump_yaml
from chalicelib.config.model import Config
from chalicelib.errors import Refused
from tests.cli.desk import Desk
from tests.world import form, replaced


def desk_with_a_lead(name: str = "Xenia Ypsilon") -> Desk:
    desk = Desk()
    desk.world.send("forms", form(1, email="x@example.com", name=name, seats=200))
    desk.world.drain()
    return desk


def publishable(desk: Desk, name: str = "Dee Dale") -> Config:
    config = replaced(desk.world.config, "owners", "dee", active=True)
    dee = config.owners["dee"].model_copy(update={"name": name})
    return config.model_copy(update={"owners": {**config.owners, "dee": dee}})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hub.yaml"
    path.write_text(dump_yaml(publishable(Desk(), "Dee Dell")))
    return path


def test_leads_are_listed_with_score_and_owner() -> None:
    desk = desk_with_a_lead()
    done = desk.run("leads")
    assert done.exit_code == 0
    for part in (desk.world.lead().lead_id, "Xenia Ypsilon", "60", "assigned", "ann", "forms"):
        assert part in done.stdout
    assert [lead["name"] for lead in desk.json("leads", "--owner", "ann")] == ["Xenia Ypsilon"]
    assert desk.json("leads", "--owner", "ben") == []
    assert desk.json("leads", "--q", "X@Example.COM")[0]["owner"] == "ann"


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("leads", "hub send"),
        ("deliveries", "hub send"),
        ("effects", "every notification"),
        ("token list", "hub token make"),
        ("leads --owner nobody", "No lead fits"),
    ],
)
def test_where_there_is_nothing_yet_it_says_what_to_do(command: str, hint: str) -> None:
    done = Desk().run(*command.split())
    assert done.exit_code == 0
    assert hint in done.stderr
    assert done.stdout == ""


def test_a_list_that_was_cut_says_so() -> None:
    desk = Desk()
    for number in range(3):
        desk.world.send("forms", form(number, email=f"p{number}@example.com"))
        desk.world.drain()
        desk.world.clock.advance(minutes=1)
    done = desk.run("leads", "--limit", "2")
    assert "--limit" in done.stderr
    assert len(desk.json("leads", "--limit", "2")) == 2
    assert "--limit" not in desk.run("leads", "--limit", "4").stderr


def test_a_lead_is_shown_with_its_story_and_explained() -> None:
    desk = desk_with_a_lead()
    lead_id = desk.world.lead().lead_id
    shown = desk.run("lead", lead_id).stdout
    for part in ("x@example.com", "company_domain", "came by forms", "mail was told", "assigned"):
        assert part in shown
    assert len(desk.json("lead", lead_id)["timeline"]) == 5
    why = desk.run("why", lead_id).stdout
    for part in ("Ann Ashby", "Ben Birch", "+50 fit", "score 60 is at least 50"):
        assert part in why
    assert desk.json("why", lead_id)["owners"][0]["owner_id"] == "ann"


def test_text_of_strangers_does_not_steer_the_terminal() -> None:
    desk = desk_with_a_lead("\u202eEvil [bold red]Name[/] \u0085\u009b31m")
    for command in (("leads",), ("lead", desk.world.lead().lead_id)):
        shown = desk.run(*command).stdout
        assert "[bold red]Name[/]" in shown
        assert not {"\x1b", "\u202e", "\x9b", "\x85"} & set(shown)


def test_a_request_as_it_came_does_not_steer_the_terminal_either() -> None:
    desk = Desk()
    desk.world.send("forms", "no json \x1b]0;owned\x07 \u009b31m \u202e [red]\r".encode())
    desk.world.drain()
    shown = desk.run("delivery", desk.json("deliveries")[0]["delivery_id"]).stdout
    assert "[red]" in shown
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(shown)


def test_deliveries_are_listed_shown_and_replayed() -> None:
    desk = desk_with_a_lead()
    desk.world.send("events", b"not json")
    desk.world.drain()
    (bad,) = desk.json("deliveries", "--outcome", "quarantined")
    shown = desk.run("delivery", bad["delivery_id"])
    assert "not json" in shown.stdout
    assert "hub replay" in shown.stderr
    done = desk.run("replay", bad["delivery_id"], desk.json("deliveries")[0]["delivery_id"])
    assert done.exit_code == 0
    assert len(desk.world.inbox.waiting) == 2


def test_notifications_that_were_set_aside_are_listed_and_tried_again() -> None:
    desk = Desk()
    desk.world.web.answers = [Refused("dead"), Refused("dead")]
    desk.world.send("forms", form(1, email="x@example.com", seats=200))
    desk.world.drain()
    assert "refused: dead" in desk.run("effects").stdout
    first = desk.json("effects")[0]
    assert desk.run("retry", first["lead_id"], first["effect_id"]).exit_code == 0
    desk.world.drain()
    assert len(desk.json("effects")) == 1


def test_a_configuration_is_checked_without_a_hub(file: Path) -> None:
    assert Desk().run("config", "check", str(file)).exit_code == 0
    file.write_text(file.read_text().replace("owner: cem", "owner: cim"))
    done = Desk().run("config", "check", str(file))
    assert done.exit_code == 1
    assert "did you mean cem?" in done.stdout
    assert "error: line " in done.stdout
    findings = json.loads(Desk().run("config", "check", str(file), "--json").stdout)
    assert all(finding["line"] > 0 for finding in findings)


def test_a_typing_error_in_a_configuration_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("settings:\n  compny: X\n")
    done = Desk().run("config", "check", str(path))
    assert done.exit_code == 1
    assert "line 2: settings.compny: unknown key; did you mean company?" in done.stderr
    path.write_text("a: [")
    assert Desk().run("config", "check", str(path)).exit_code == 1
    path.write_bytes(b"\xff\xfe\x00")
    assert Desk().run("config", "check", str(path)).exit_code == 1


def test_a_configuration_is_compared_published_and_taken_back(file: Path) -> None:
    desk = Desk()
    assert "~ owners.dee.name: Dee Dale -> Dee Dell" in desk.run("config", "diff", str(file)).stdout
    done = desk.run("config", "publish", str(file), "--note", "Dee married")
    assert done.exit_code == 0
    assert "Version 2 is in force." in done.stdout
    assert "Nothing would change" in desk.run("config", "diff", str(file)).stderr
    assert "in force already" in desk.run("config", "publish", str(file)).stdout
    assert "Dee married" in desk.run("config", "versions").stdout
    assert desk.json("config", "rollback", "1")["number"] == 3
    assert desk.json("config", "show")["owners"]["dee"]["name"] == "Dee Dale"
    assert desk.run("config", "rollback", "77").exit_code == 1


def test_what_show_prints_can_be_published(file: Path) -> None:
    desk = Desk()
    desk.run("config", "publish", str(file))
    file.write_text(desk.run("config", "show").stdout)
    assert desk.json("config", "publish", str(file)) == {
        "number": 2,
        "hash": desk.json("config", "versions")[0]["hash"],
        "changes": 0,
    }


def test_a_configuration_with_an_error_is_not_published(file: Path) -> None:
    desk = Desk()
    file.write_text(file.read_text().replace("secret: slack", "secret: not-there"))
    done = desk.run("config", "publish", str(file))
    assert done.exit_code == 1
    assert "not-there" in done.stderr
    assert desk.json("config", "versions")[0]["number"] == 1


def test_a_token_is_shown_once_and_ends_when_removed() -> None:
    desk = Desk()
    done = desk.run("token", "make", "Ann's phone", "--role", "rep", "--owner", "ann")
    assert done.stdout.startswith("hub_")
    assert "not shown again" in done.stderr
    (listed,) = desk.json("token", "list")
    assert (listed["name"], listed["role"], listed["owner_id"]) == ("Ann's phone", "rep", "ann")
    assert done.stdout.strip() not in desk.run("token", "list").output
    assert desk.run("token", "remove", listed["token_id"]).exit_code == 0
    assert desk.json("token", "list") == []
    assert desk.run("token", "remove", listed["token_id"]).exit_code == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--role", "king"],
        ["--role", "rep"],
        ["--role", "rep", "--owner", "nobody"],
        ["--role", "admin", "--owner", "ann"],
    ],
)
def test_a_token_that_makes_no_sense_is_refused(options: list[str]) -> None:
    desk = Desk()
    assert desk.run("token", "make", "X", *options).exit_code == 1
    assert desk.json("token", "list") == []


def test_a_secret_is_taken_from_the_pipe_or_made_up() -> None:
    desk = Desk()
    del desk.world.secrets.values["crm"]
    assert "missing" in desk.run("secret", "list").stdout
    made = desk.run("secret", "set", "crm")
    assert len(made.stdout.strip()) == 64
    assert desk.world.secrets.get("crm") == (made.stdout.strip(),)
    piped = desk.run("secret", "set", "crm", "--replace", stdin="whsec_abc\n")
    assert desk.world.secrets.get("crm") == ("whsec_abc",)
    assert "whsec_abc" not in piped.output
    assert "whsec_abc" not in desk.run("secret", "list").output


def test_a_live_secret_is_replaced_only_when_told_how() -> None:
    desk = Desk()
    before = desk.world.secrets.get("forms")
    refused = desk.run("secret", "set", "forms", stdin="new")
    assert refused.exit_code == 1
    assert "--rotate" in refused.stderr
    assert desk.world.secrets.get("forms") == before
    assert desk.run("secret", "set", "forms", "--rotate", "--days", "3", stdin="new").exit_code == 0
    assert desk.world.secrets.get("forms") == ("new", *before)
    assert [entry["not_after"] for entry in desk.put] == [None, "2026-11-26T09:00:00+00:00"]


@pytest.mark.parametrize("value", ["a\nb", "x" * 4000, "a\x00b"])
def test_a_secret_that_is_no_line_is_refused(value: str) -> None:
    assert Desk().run("secret", "set", "new-one", stdin=value).exit_code == 1


def test_a_secret_that_nothing_names_is_set_with_a_hint() -> None:
    done = Desk().run("secret", "set", "form")
    assert done.exit_code == 0
    assert "did you mean forms?\n" in done.stderr
    other = Desk().run("secret", "set", "zulu-9")
    assert "one that is published next may\n" in other.stderr


def test_the_doctor_names_what_is_wrong_and_what_to_do() -> None:
    desk = Desk()
    del desk.world.secrets.values["crm"]
    done = desk.run("doctor")
    assert done.exit_code == 1
    for advice in ("hub secret set crm", "hub token make NAME --role admin"):
        assert advice in done.stdout
    found = json.loads(desk.run("doctor", "--json").stdout)
    assert {one["state"] for one in found} == {"ok", "warning", "error"}


def test_the_doctor_of_a_hub_that_does_not_run_says_how_to_start_it() -> None:
    done = Desk().run("doctor", "--stage", "prod")
    assert done.exit_code == 1
    assert "hub deploy --stage prod" in done.stdout


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("lead nothing", 1),
        ("why nothing", 1),
        ("replay nothing", 1),
        ("leads --stage prod", 1),
        ("deliveries --outcome odd", 1),
        ("leads --limit 0", 2),
        ("leads --nonsense", 2),
        ("nonsense", 2),
        ("config check /nowhere", 2),
        ("config publish", 2),
    ],
)
def test_what_goes_wrong_is_one_clear_line_and_an_exit_code(command: str, code: int) -> None:
    done = Desk().run(*command.split())
    assert done.exit_code == code
    assert "Traceback" not in done.output
    assert done.stdout == ""
    assert done.stderr.strip()
    if code == 1:
        assert len(done.stderr.strip().splitlines()) <= 2


def test_trouble_with_storage_is_a_clear_line_too() -> None:
    desk = desk_with_a_lead()
    desk.world.table.is_down = True
    done = desk.run("leads")
    assert done.exit_code == 1
    assert done.stderr.strip() == "DynamoDB: down"


def test_a_mistake_of_ours_is_one_line_unless_debugging() -> None:
    desk = Desk()
    desk.world.table = None  # type: ignore[assignment]
    desk.connect = lambda name: None  # type: ignore[method-assign,assignment,return-value]
    done = desk.run("leads")
    assert done.exit_code == 1
    assert "HUB_DEBUG=1" in done.stderr


def test_every_command_explains_itself() -> None:
    from chalicelib.cli.main import app

    names = [command.name or command.callback.__name__ for command in app.registered_commands]  # type: ignore[union-attr]
    groups = [(group.name, group.typer_instance) for group in app.registered_groups]
    inner = [
        f"{name} {one.name or one.callback.__name__}"  # type: ignore[union-attr]
        for name, typer_app in groups
        for one in typer_app.registered_commands  # type: ignore[union-attr]
    ]
    for command in [*names, *inner]:
        done = Desk().run(*command.split(), "--help")
        assert done.exit_code == 0
        if command not in ("up", "down", "deploy", "mail", "doctor", "connectors"):
            assert "--stage" in done.stdout, command
        assert "--json" in done.stdout, command


def test_an_error_of_the_command_line_itself_keeps_its_own_exit_code() -> None:
    done = Desk().run("token", "make")
    assert done.exit_code == 2
    assert "Usage" in done.stderr
