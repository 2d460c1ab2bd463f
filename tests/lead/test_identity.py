"""Identity keys and the ids made from what is stored."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config.model import Settings
from chalicelib.lead.identity import identity_keys, lead_id, touch_id
from chalicelib.lead.model import CleanValue

HUB = Settings()
ID = re.compile(r"[a-z2-7]{26}")


def contact(**values: str) -> dict[str, CleanValue]:
    return {field: CleanValue(value=value, raw=value) for field, value in values.items()}


def test_each_kind_of_identity_is_a_key_and_they_are_sorted() -> None:
    keys = identity_keys(
        contact(phone="+4930901820", email="Ann.Lee+x@gmail.com"),
        "urn:li:person:1",
        "linkedin",
        HUB,
    )
    assert keys == (
        "email:annlee@gmail.com",
        "person:linkedin:urn:li:person:1",
        "phone:+4930901820",
    )


def test_nothing_to_identify_by_gives_no_keys() -> None:
    assert identity_keys(contact(full_name="Ann Lee", company="Acme"), " ", "typeform", HUB) == ()


def test_a_role_mailbox_is_a_key_like_any_other() -> None:
    assert identity_keys(contact(email="info@example.com"), "", "typeform", HUB) == (
        "email:info@example.com",
    )


def test_the_same_person_id_at_two_providers_is_two_keys() -> None:
    assert identity_keys({}, "7", "meta", HUB) != identity_keys({}, "7", "linkedin", HUB)


def test_a_long_value_is_hashed_so_that_a_storage_key_never_overflows() -> None:
    (key,) = identity_keys({}, "ö" * 5_000, "meta", HUB)
    assert re.fullmatch(r"person:meta:sha256-[0-9a-f]{64}", key)
    assert identity_keys({}, "ö" * 5_001, "meta", HUB) != (key,)


def test_a_lone_surrogate_in_a_person_id_does_no_harm() -> None:
    (key,) = identity_keys({}, "\ud800" * 300, "meta", HUB)
    assert key.encode()


def test_ids_are_fixed_for_ever() -> None:
    assert touch_id("website", "abc", "") == "gnlu3uwafpbwr25xcf5ztkjrhv"
    assert lead_id("gnlu3uwafpbwr25xcf5ztkjrhv") == "x54zs7sxna2pmiwrseyiv3mtkk"


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
@settings(max_examples=200, deadline=None)
def test_ids_are_26_letters_and_apart_for_different_submissions(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert ID.fullmatch(touch_id(*one))
    assert ID.fullmatch(lead_id(touch_id(*one)))
    assert (touch_id(*one) == touch_id(*other)) == (one == other)
    assert lead_id(touch_id(*one)) != touch_id(*one)


def test_parts_do_not_run_into_each_other() -> None:
    assert touch_id("a", "bc") != touch_id("ab", "c")
    assert touch_id("a", "b", "c") != touch_id("a", "bc")
