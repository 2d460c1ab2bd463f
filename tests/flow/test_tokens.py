"""Access tokens and cursors: nothing that can be guessed, used elsewhere, or read back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Conflict, Invalid, Malformed, Misconfigured, NotFound, Unverified
from chalicelib.flow.cursors import read_cursor, sign_cursor
from chalicelib.flow.tokens import find_caller, list_tokens, make_token, remove_token
from tests.world import World

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BOUND = ["caller", "GET /v1/leads", "{}"]


def test_a_token_is_known_by_its_hash_and_stored_nowhere() -> None:
    world = World()
    token = make_token(world.hub, "  Ann  ", "rep", "ann")
    assert len(token) == 47
    caller = find_caller(world.hub, f"Bearer {token}")
    assert (caller.name, caller.role, caller.owner_id) == ("Ann", "rep", "ann")
    assert token[4:] not in str(world.table.scan())
    assert token not in str(caller)


def test_no_two_tokens_are_alike() -> None:
    world = World()
    assert len({make_token(world.hub, "x", "viewer") for _ in range(50)}) == 50
    assert len(list_tokens(world.hub)) == 50


def test_a_removed_token_ends_at_once_and_for_good() -> None:
    world = World()
    token = make_token(world.hub, "x", "admin")
    kept = make_token(world.hub, "y", "admin")
    gone = find_caller(world.hub, f"Bearer {token}")
    remove_token(world.hub, gone.token_id)
    with pytest.raises(Unverified):
        find_caller(world.hub, f"Bearer {token}")
    assert find_caller(world.hub, f"bearer {kept}").name == "y"
    assert [caller.name for caller in list_tokens(world.hub)] == ["y"]
    with pytest.raises(NotFound):
        remove_token(world.hub, gone.token_id)


def test_of_two_who_remove_a_token_at_once_one_is_told() -> None:
    world = World()
    token = make_token(world.hub, "x", "admin")
    item = next(i for i in world.table.scan() if i["kind"] == "token")
    remove_token(world.hub, find_caller(world.hub, f"Bearer {token}").token_id)
    # The other one still saw the token as it was: what it read stands there again in its view.
    world.table.plant({**item, "version": 3, "writer": "somebody"})
    with pytest.raises(Conflict):
        remove_token(world.hub, list_tokens(world.hub)[0].token_id)


@pytest.mark.parametrize(
    ("name", "role", "owner_id"),
    [
        ("", "admin", ""),
        ("a\nb", "admin", ""),
        ("x" * 81, "admin", ""),
        ("x", "root", ""),
        ("x", "rep", ""),
        ("x", "rep", "nobody"),
        ("x", "viewer", "ann"),
    ],
)
def test_a_token_needs_a_name_a_role_and_for_a_rep_an_owner(
    name: str, role: str, owner_id: str
) -> None:
    world = World()
    with pytest.raises(Invalid):
        make_token(world.hub, name, role, owner_id)  # type: ignore[arg-type]
    assert list_tokens(world.hub) == []


@given(after=st.text(st.characters(codec="utf-8"), max_size=80))
def test_a_cursor_gives_back_the_place_it_was_made_of(after: str) -> None:
    cursor = sign_cursor(after, BOUND, "secret", NOW)
    assert read_cursor(cursor, BOUND, ["newer", "secret"], NOW) == after


@given(position=st.integers(0, 10_000), flip=st.integers(1, 63))
def test_a_cursor_that_was_changed_anywhere_is_refused(position: int, flip: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    cursor = sign_cursor("2026-11-23T09:00:00.000Z#lead", BOUND, "secret", NOW)
    at = position % len(cursor)
    other = alphabet[(alphabet.index(cursor[at]) + flip) % 64]
    with pytest.raises(Malformed):
        read_cursor(cursor[:at] + other + cursor[at + 1 :], BOUND, ["secret"], NOW)


@pytest.mark.parametrize(
    "purpose",
    [
        ["another", *BOUND[1:]],
        [BOUND[0], "GET /v1/deliveries", BOUND[2]],
        [*BOUND[:2], '{"owner": "ann"}'],
        [*BOUND[:2]],
        ["caller", "GET /v1/leads{}", ""],
    ],
)
def test_a_cursor_is_refused_wherever_else_it_is_used(purpose: list[str]) -> None:
    cursor = sign_cursor("x", BOUND, "secret", NOW)
    with pytest.raises(Malformed):
        read_cursor(cursor, purpose, ["secret"], NOW)


def test_a_cursor_works_for_a_day_and_while_its_secret_lives() -> None:
    cursor = sign_cursor("x", BOUND, "secret", NOW)
    assert read_cursor(cursor, BOUND, ["secret"], NOW + timedelta(hours=24)) == "x"
    with pytest.raises(Malformed, match="too old"):
        read_cursor(cursor, BOUND, ["secret"], NOW + timedelta(hours=24, seconds=1))
    with pytest.raises(Malformed):
        read_cursor(cursor, BOUND, ["another"], NOW)
    with pytest.raises(Misconfigured):
        read_cursor(cursor, BOUND, [], NOW)
    assert read_cursor("", BOUND, [], NOW) == ""


@pytest.mark.parametrize("cursor", ["x", "A" * 43, "é", "====", "A" * 10_000, "\x00", "a b"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed):
        read_cursor(cursor, BOUND, ["secret"], NOW)
