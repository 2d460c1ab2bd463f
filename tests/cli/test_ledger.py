"""hub ledger and hub backfill."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.cli.provider import Provider
from tests.cli.desk import Desk
from tests.providers import KNOWN, Beside, anew
from tests.world import form


@pytest.fixture
def b() -> Iterator[Beside]:
    with Provider({}, KNOWN) as provider:
        yield anew(provider, sources=("typeform",))


def test_a_back_fill_runs_at_once_and_says_what_it_brought(b: Beside) -> None:
    for number in range(60):
        b.submit("typeform", b.world.clock() - timedelta(hours=3, seconds=number))
    desk = Desk(b.world)
    done = desk.run("backfill", "typeform", "--since", "2026-11-20")
    assert done.exit_code == 0, done.output
    assert "the provider lists 60; 60 were missing and are in." in done.output
    b.world.settle()
    assert len(b.world.leads()) == 60
    assert desk.json("backfill", "typeform") == {"listed": 60, "kept": 0}


def test_the_providers_rate_limit_is_waited_for(b: Beside) -> None:
    b.provider.misbehave("responses", "busy", times=1)
    done = Desk(b.world).run("backfill", "typeform")
    assert done.exit_code == 0, done.output


def test_a_list_that_cannot_be_read_is_said_in_words(b: Beside) -> None:
    b.provider.misbehave("responses", "forbidden")
    done = Desk(b.world).run("backfill", "typeform")
    assert done.exit_code == 1
    assert "source typeform: 127.0.0.1 answered 403" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("forms",), "has no list to compare with"),
        (("nobody",), "Not found: source nobody"),
        (("typeform", "--since", "yesterday"), "expected a day, as 2027-01-31"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    b: Beside, arguments: tuple[str, ...], words: str
) -> None:
    done = Desk(b.world).run("backfill", *arguments)
    assert done.exit_code == 1
    assert words in done.output


def test_the_ledger_is_a_table_and_tells_where_there_is_no_list(b: Beside) -> None:
    b.submit("typeform", b.world.clock() - timedelta(hours=3))
    b.world.send("forms", form(1, "zoe@example.com"))
    b.run(minutes=8)
    desk = Desk(b.world)
    shown = desk.run("ledger").output
    assert "DIFFERENCE" in shown
    assert "events, forms, product: the provider has no list to compare with" in shown
    assert "forms: Generic JSON has no list" in desk.run("ledger", "forms").output
    rows = {row.split()[0]: row.split()[1:] for row in shown.splitlines() if "2026-11-23" in row}
    assert rows["typeform"] == ["2026-11-23", "1", "1", "0", "0", "0", "0", "0", "0"]
    assert rows["forms"] == ["2026-11-23", "-", "1", "0", "0", "0", "0", "0", "-"]
    (source,) = desk.json("ledger", "typeform", "--days", "1")
    assert source["days"][0]["listed"] == 1


def test_an_empty_ledger_says_so(b: Beside) -> None:
    done = Desk(b.world).run("ledger", "forms")
    assert done.exit_code == 0
    assert "Nothing was submitted or received on these days." in done.output
