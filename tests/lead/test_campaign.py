"""UTM values and click ids: from the connector, then from the page's address."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lead.campaign import clean_campaign
from chalicelib.lead.model import CAMPAIGN_KEYS

PAGE = "https://www.example.com/demo?"


@pytest.mark.parametrize(
    ("given_by_connector", "page_url", "expected"),
    [
        ({"utm_source": "google"}, "", {"utm_source": "google"}),
        ({"utm_source": " a\n b "}, "", {"utm_source": "a b"}),
        ({"utm_source": "\x00"}, "", {}),
        ({"colour": "red"}, "", {}),
        ({}, PAGE + "utm_source=google&gclid=Ab-_1", {"utm_source": "google", "gclid": "Ab-_1"}),
        ({}, PAGE + "UTM_Source=X", {"utm_source": "X"}),
        ({}, PAGE + "utm_campaign=spring+sale%21", {"utm_campaign": "spring sale!"}),
        ({}, PAGE + "utm_term=%D1%82%D0%B5%D1%81%D1%82", {"utm_term": "тест"}),
        ({}, PAGE + "utm_term=%FF%00", {"utm_term": "\ufffd"}),
        ({}, PAGE + "utm_source=first&utm_source=second", {"utm_source": "first"}),
        ({"utm_source": "ads"}, PAGE + "utm_source=page", {"utm_source": "ads"}),
        ({"utm_source": ""}, PAGE + "utm_source=page", {"utm_source": "page"}),
        ({}, PAGE + "a=b#utm_source=x", {}),
        ({}, "https://[broken?utm_source=x", {}),
        ({}, "not an address", {}),
        ({}, PAGE + "utm_source", {}),
        ({"utm_content": "{{7*7}}"}, "", {"utm_content": "{{7*7}}"}),
        ({"gclid": "x" * 1000}, "", {"gclid": "x" * 256}),
    ],
)
def test_known_keys_are_read_and_cleaned(
    given_by_connector: dict[str, str], page_url: str, expected: dict[str, str]
) -> None:
    assert clean_campaign(given_by_connector, page_url) == expected


def test_a_hundred_thousand_pairs_are_read_no_further_than_the_cap() -> None:
    page = PAGE + "&".join(f"k{n}=v" for n in range(100_000)) + "&utm_source=late"
    assert clean_campaign({}, page) == {}


@given(
    st.dictionaries(st.sampled_from(CAMPAIGN_KEYS) | st.text(max_size=5), st.text(max_size=20)),
    st.text(max_size=60),
)
@settings(max_examples=100, deadline=None)
def test_cleaning_twice_equals_once(values: dict[str, str], query: str) -> None:
    once = clean_campaign(values, PAGE + query)
    assert clean_campaign(once, "") == once
    assert set(once) <= set(CAMPAIGN_KEYS)
