"""A person as people name them, and texts that name a person."""

import pytest

from chalicelib.config.model import Config, Settings
from chalicelib.config.source import Source
from chalicelib.lead.person import Traces, keys_named

CONFIG = Config(
    settings=Settings(default_country="DE"),
    sources={
        "uk": Source(connector="generic_json", default_country="GB"),
        "more": Source(connector="generic_json", default_country="GB"),
        "none": Source(connector="generic_json"),
    },
)

KEYS = ("email:zoe@example.com", "phone:+447700900123", "person:segment:user-1")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Zoe@Example.com", ("email:zoe@example.com",)),
        (" zoe@example.com ", ("email:zoe@example.com",)),
        ("+44 7700 900123", ("phone:+447700900123",)),
        ("07700 900123", ("phone:+447700900123",)),
        ("030 901820", ("phone:+4930901820",)),
        ("zoe", ()),
        ("vo3da4mlqvk64yptheifslpqbc", ()),
        ("@", ()),
        ("12", ()),
    ],
)
def test_an_address_or_a_number_stands_for_identity_keys(text: str, keys: tuple[str, ...]) -> None:
    found = keys_named(CONFIG, text)
    assert set(keys) <= set(found)
    assert bool(keys) == bool(found)


def test_a_national_number_is_read_in_each_country_of_the_configuration() -> None:
    assert "phone:+447700900123" in keys_named(CONFIG, "07700900123")
    alone = Config(settings=Settings(default_country="US"))
    assert "phone:+447700900123" not in keys_named(alone, "07700900123")


@pytest.mark.parametrize(
    "text",
    [
        "mail zoe@example.com please",
        '{"email": "ZOE@EXAMPLE.COM"}',
        "Zoe <zoe@example.com>, soon.",
        "ring +44 7700 900123",
        "0044-7700-900123",
        "+44 (0)7700 900 123",
        "07700.900.123",
        "447700900123",
        "user-1",
    ],
)
def test_a_text_names_a_person_by_any_spelling(text: str) -> None:
    assert Traces(KEYS, Settings()).are_in([text], "segment")


@pytest.mark.parametrize(
    "text",
    [
        "mail joe.zoe@example.com please",
        "zoe@example.com.au",
        "zoe@example.org",
        "ring +44 7700 900124",
        "invoice 1237700900123999",
        "user-10",
        "a user-1 b",
        "",
    ],
)
def test_a_text_about_somebody_else_does_not(text: str) -> None:
    assert not Traces(KEYS, Settings()).are_in([text], "segment")


def test_a_providers_id_counts_only_for_that_provider() -> None:
    assert not Traces(KEYS, Settings()).are_in(["user-1"], "intercom")


def test_nobody_is_in_any_text() -> None:
    assert not Traces((), Settings()).are_in(["zoe@example.com", "+447700900123"])
