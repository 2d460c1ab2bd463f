"""Public holidays of a country, on which business is as on a Sunday."""

from datetime import date
from functools import lru_cache

EVES = ((12, 24), (12, 31))
"""(month, day) that hardly anybody works on, where Christmas is a holiday."""


@lru_cache(maxsize=64)
def days_off(country: str, first_year: int, last_year: int) -> frozenset[date]:
    """Give a country's public holidays of some years, both ends included.

    Args:
        country: ISO 3166 code; an empty or unknown one has no holidays.
        first_year: such as 2026.
        last_year: not before it.
    """
    import holidays

    years = range(first_year, last_year + 1)
    try:
        found = set(holidays.country_holidays(country, years=years)) if country else set()
    except NotImplementedError:
        return frozenset()
    eves = {date(year, *day) for year in years for day in EVES if date(year, 12, 25) in found}
    return frozenset(found | eves)
