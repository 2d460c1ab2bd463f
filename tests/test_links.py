"""Accept and decline links: what they hold, and that nothing else passes for one."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import Misconfigured, Unverified
from chalicelib.links import Action, Link, make, read

NOW = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=8)
SECRET = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"


def token(secret: str = SECRET) -> str:
    return make("accept", "lead-1", "assignment-1", "ana", LATER, secret)


def test_a_link_gives_back_what_it_was_made_of() -> None:
    assert read(token(), (SECRET,), NOW) == Link("accept", "lead-1", "assignment-1", "ana", LATER)


def test_the_same_link_is_made_twice() -> None:
    assert token() == token()


def test_links_already_in_mailboxes_go_on_working() -> None:
    sent = (
        "AVsiYWNjZXB0IiwibGVhZC0xIiwiYXNzaWdubWVudC0xIiwiYW5hIiwxNzcyNDg1MjAwXQWc0KOcvuVwoE15"
        "Iy4s2Tvk0F8AmCv6i4YqkR7ZFCOp"
    )
    assert token() == sent
    assert read(sent, (SECRET,), NOW).assignment_id == "assignment-1"


def test_a_token_can_stand_in_an_address_as_it_is() -> None:
    assert set(token()) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_either_of_two_live_secrets_is_taken() -> None:
    assert read(token(OTHER), (SECRET, OTHER), NOW).owner_id == "ana"
    assert read(token(SECRET), (SECRET, OTHER), NOW).owner_id == "ana"


def test_a_secret_that_is_no_longer_live_is_refused() -> None:
    with pytest.raises(Unverified):
        read(token(OTHER), (SECRET,), NOW)


def test_a_link_works_until_the_second_before_it_expires() -> None:
    assert read(token(), (SECRET,), LATER - timedelta(seconds=1))
    with pytest.raises(Unverified, match="expired"):
        read(token(), (SECRET,), LATER)


def test_a_forged_link_is_not_told_that_it_has_expired() -> None:
    with pytest.raises(Unverified, match="not a link of ours"):
        read(token(OTHER), (SECRET,), LATER)


def test_a_change_of_any_character_is_refused() -> None:
    good = token()
    for place, character in enumerate(good):
        for other in "AQgw_-9":
            if other != character:
                with pytest.raises(Unverified):
                    read(good[:place] + other + good[place + 1 :], (SECRET,), NOW)


def test_a_link_cut_anywhere_is_refused() -> None:
    good = token()
    for length in range(len(good)):
        with pytest.raises(Unverified):
            read(good[:length], (SECRET,), NOW)


@pytest.mark.parametrize("extra", ["A", "=", "==", " ", "\n", "\x00", "%3D", ".", "AAAA", "ü"])
def test_a_link_with_something_more_is_refused(extra: str) -> None:
    for longer in (token() + extra, extra + token()):
        with pytest.raises(Unverified):
            read(longer, (SECRET,), NOW)


def test_decline_cannot_be_made_of_accept_by_swapping_the_digest() -> None:
    declined = make("decline", "lead-1", "assignment-1", "ana", LATER, SECRET)
    raw = [base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in (token(), declined)]
    mixed = base64.urlsafe_b64encode(raw[1][:-32] + raw[0][-32:]).decode().rstrip("=")
    with pytest.raises(Unverified):
        read(mixed, (SECRET,), NOW)


def test_ids_cannot_be_shifted_between_their_places() -> None:
    one = make("accept", 'a","b', "c", "d", LATER, SECRET)
    two = make("accept", "a", 'b","c', "d", LATER, SECRET)
    assert one != two
    assert read(one, (SECRET,), NOW).lead_id == 'a","b'


def test_another_version_signed_by_us_is_refused() -> None:
    signed = b"\x02" + json.dumps(["accept", "l", "a", "o", 4102444800]).encode()
    digest = hmac.digest(SECRET.encode(), b"assignment link:" + signed, hashlib.sha256)
    forged = base64.urlsafe_b64encode(signed + digest).decode().rstrip("=")
    with pytest.raises(Unverified):
        read(forged, (SECRET,), NOW)


def test_a_digest_of_the_same_secret_for_another_purpose_is_no_link() -> None:
    signed = b"\x01" + json.dumps(["accept", "l", "a", "o", 4102444800]).encode()
    digest = hmac.digest(SECRET.encode(), signed, hashlib.sha256)
    with pytest.raises(Unverified):
        read(base64.urlsafe_b64encode(signed + digest).decode().rstrip("="), (SECRET,), NOW)


@pytest.mark.parametrize("secret", ["", "short", "fifteen letters"])
def test_a_secret_too_short_to_protect_is_refused(secret: str) -> None:
    with pytest.raises(Misconfigured):
        token(secret)
    with pytest.raises(Misconfigured):
        read(token(), (secret,), NOW)


def test_without_any_secret_nothing_is_taken() -> None:
    with pytest.raises(Misconfigured):
        read(token(), (), NOW)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: raw.hex()))
def test_no_other_text_is_a_link(text: str) -> None:
    with pytest.raises(Unverified):
        read(text, (SECRET,), NOW)


def test_a_text_of_five_megabytes_is_refused() -> None:
    with pytest.raises(Unverified):
        read("A" * 5_000_000, (SECRET,), NOW)


@given(
    st.sampled_from(["accept", "decline"]),
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.integers(1, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds, microseconds=7)),
)
def test_any_ids_come_back_as_they_were(
    action: Action, lead_id: str, assignment_id: str, owner_id: str, expires_at: datetime
) -> None:
    found = read(make(action, lead_id, assignment_id, owner_id, expires_at, SECRET), (SECRET,), NOW)
    whole = expires_at.replace(microsecond=0)
    assert found == Link(action, lead_id, assignment_id, owner_id, whole)
