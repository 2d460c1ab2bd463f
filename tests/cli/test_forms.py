"""hub forms and hub form: what changed, and one confirmation."""

from tests.cli.desk import Desk
from tests.flow.form_scenes import fill_in, learned, usual


def edited() -> Desk:
    desk = Desk()
    learned(desk.world, 12)
    for number in range(2):
        answers = usual(number)
        answers["contact_address"] = answers.pop("email")
        fill_in(desk.world, number, **answers)
    return desk


def test_a_form_is_listed_and_shown_with_the_command_that_confirms_it() -> None:
    desk = edited()
    assert "forms" in desk.run("forms").stdout
    done = desk.run("form", "forms", "-")
    assert "contact_address: renamed in place of email, open" in done.stdout
    assert "hub form confirm forms - contact_address" in done.output
    assert desk.json("form", "show", "forms", "-")["proposals"]["contact_address"]


def test_one_confirmation_brings_the_lost_in() -> None:
    desk = edited()
    before = len(desk.world.leads())
    done = desk.run("form", "confirm", "forms", "-", "contact_address")
    assert done.exit_code == 0, done.output
    assert "contact_address is read as email." in done.stdout
    assert "hub config rollback 1" in done.stdout
    assert "2 put through for the first time" in done.stdout
    desk.world.settle()
    assert len(desk.world.leads()) == before + 2
    assert "No form waits for you." in desk.run("forms").output
    assert "read as" not in desk.run("forms", "--all").output


def test_a_field_may_be_named_and_a_change_ignored() -> None:
    desk = edited()
    told = desk.json("form", "confirm", "forms", "-", "call_me_on", "phone")
    assert (told["field"], told["reread"]["read_again"]) == ("phone", 12)
    done = desk.run("form", "confirm", "forms", "-", "contact_address", "--ignore")
    assert done.exit_code == 0
    assert desk.json("forms") == []


def test_what_there_is_not_is_refused_in_one_line() -> None:
    desk = edited()
    for wrong in (
        ("form", "forms", "other"),
        ("form", "confirm", "forms", "-", "never"),
        ("form", "confirm", "forms", "-", "contact_address", "e-mail"),
    ):
        done = desk.run(*wrong)
        assert done.exit_code == 1, wrong
        assert "Traceback" not in done.output
