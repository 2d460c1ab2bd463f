"""Which campaign brought a person: UTM values and click ids."""

from collections.abc import Mapping
from urllib.parse import unquote_plus, urlsplit

from chalicelib.lead.model import CAMPAIGN_KEYS
from chalicelib.lead.text import clean_line

LONGEST_CAMPAIGN_VALUE = 256
LONGEST_QUERY = 8_192

_KEYS = frozenset(CAMPAIGN_KEYS)


def clean_campaign(given: Mapping[str, str], page_url: str) -> dict[str, str]:
    """Give the known campaign keys: what the connector read, then what the page's address says.

    Values are one visible line of at most 256 characters; empty ones are left out.
    """
    campaign = {}
    for source in (given, _query_of(page_url)):
        for key in CAMPAIGN_KEYS:
            if key in source and key not in campaign:
                value = clean_line(source[key], LONGEST_CAMPAIGN_VALUE)[0]
                if value:
                    campaign[key] = value
    return {key: campaign[key] for key in CAMPAIGN_KEYS if key in campaign}


def _query_of(page_url: str) -> dict[str, str]:
    """Read the campaign keys of an address; the first of a repeated key counts."""
    if "?" not in page_url:
        return {}
    try:
        query = urlsplit(page_url).query[:LONGEST_QUERY]
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key.lower() in _KEYS:
            found.setdefault(key.lower(), unquote_plus(value))
    return found
