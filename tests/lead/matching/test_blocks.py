"""Where records that may be of one person are looked for."""

import pytest

from chalicelib.lead.matching.blocks import (
    MOST_BLOCKS,
    OF_ONE_NAME,
    block_keys,
    crowd,
    kept_keys,
    narrower,
)
from chalicelib.lead.matching.record import Record

EVERYTHING = Record(
    "1",
    "a",
    first="ines",
    last="falkenrath",
    email="ines@example.com",
    phone="442079460111",
    born="19870312",
    street="12 juniper lane",
    city="leeds",
    postal_code="ls12ab",
    company="halcyon dental",
)


def test_a_record_of_everything_has_a_bounded_number_of_blocks() -> None:
    assert len(block_keys(EVERYTHING)) == MOST_BLOCKS - 1
    assert len(set(block_keys(EVERYTHING))) == MOST_BLOCKS - 1


def test_a_record_of_nothing_has_none() -> None:
    assert block_keys(Record()) == ()


@pytest.mark.parametrize(
    "other",
    [
        Record(first="falkenrath", last="ines"),
        Record(first="ynes", last="falkenrat"),
        Record(born="19871203"),
        Record(born="19873012"),
        Record(email="ines@exmaple.com"),
        Record(email="inse@example.com", first="x"),
        Record(phone="442079460111"),
        Record(phone="02079460111"),
        Record(phone="442079461011"),
        Record(street="juniper ln 12"),
        Record(last="falkenrath", city="leeds"),
    ],
)
def test_a_mistake_in_one_field_leaves_them_in_one_block(other: Record) -> None:
    one = Record(
        first="ines",
        last="falkenrath",
        email="ines@example.com" if other.email else "",
        phone="442079460111" if other.phone else "",
        born="19870312" if other.born else "",
        street="12 juniper lane" if other.street else "",
        city="leeds" if other.city else "",
    )
    assert {*block_keys(one)} & {*block_keys(other)}


def test_firms_share_a_block_by_a_telling_word_or_all_of_them_in_any_order() -> None:
    assert {*block_keys(Record(company="hotel halcyon leeds"))} & {
        *block_keys(Record(company="halcyon hotel"))
    }
    assert not {*block_keys(Record(company="hotel halcyon"))} & {
        *block_keys(Record(company="hotel quantiva"))
    }


def test_a_mailbox_of_many_is_no_block_of_people() -> None:
    one = Record(first="ines", email="info@example.com", is_role=True)
    assert not any(key.startswith("e") for key in block_keys(one))


def test_what_stands_for_a_full_block_is_named_by_what_else_is_known() -> None:
    for key in block_keys(EVERYTHING):
        names = narrower(key, EVERYTHING)
        assert len(names) == len(set(names)) == 2
        assert all(name.startswith(f"{key}+") for name in names)
    assert narrower("nfali", Record(first="ines", last="falkenrath")) == ()


def test_a_crowd_is_told_by_the_strangers_in_blocks_by_name() -> None:
    assert crowd({"nfali": 24, "nifal": 16, "lfalke": 24}) == 20 * OF_ONE_NAME
    assert crowd({"nfali": 0, "zls12ab": 24}) == 0
    assert crowd({}) == 0


def test_who_left_a_name_an_address_and_a_phone_is_kept_by_either_name() -> None:
    kept = kept_keys(EVERYTHING)
    assert len(kept) == 2
    plain = Record(first="ines", last="falkenrath", email="ines@example.com", phone="442079460111")
    assert kept_keys(plain) == ("ninef", "lfalke")
