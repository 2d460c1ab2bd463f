"""Territories: whether a place lies in one, by country, region and postal code."""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.config.routing import Area, Territory

FACTS = ("country", "region", "postal_code")
"""What of a lead says where it is."""


def find_territory(
    territories: Mapping[str, Territory], wanted: Iterable[str], facts: Mapping[str, Any]
) -> str:
    """Name the first of some territories that a lead lies in; empty when it lies in none.

    Args:
        wanted: ids, in order; those that are not configured hold nothing.
        facts: of the lead, see FACTS.
    """
    for name in wanted:
        territory = territories.get(name)
        if territory is None:
            continue
        if territory.unknown and not facts.get("country"):
            return name
        if any(_is_in(area, facts) for area in territory.areas):
            return name
    return ""


def _is_in(area: Area, facts: Mapping[str, Any]) -> bool:
    if facts.get("country") != area.country:
        return False
    if not area.regions and not area.postal:
        return True
    region = str(facts.get("region") or "").casefold().strip()
    if region and any(region == each.casefold().strip() for each in area.regions):
        return True
    code = _bare(str(facts.get("postal_code") or ""))
    return bool(code) and any(_begins(code, each) for each in area.postal)


def _begins(code: str, postal: str) -> bool:
    """Say whether a code begins as one of a range does; the ends count by their own length."""
    first, is_range, last = postal.partition("..")
    low, high = _bare(first), _bare(last if is_range else first)
    return low <= code[: len(low)] and code[: len(high)] <= high and len(code) >= len(low)


def _bare(code: str) -> str:
    """Write a code without what people put between its parts."""
    return "".join(each for each in code.upper() if each.isalnum())
