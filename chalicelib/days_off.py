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
    years = range(first_year, last_year + 1)
    found = {day for year in years for day in public_holidays(country, year)}
    eves = {date(year, *day) for year in years for day in EVES if date(year, 12, 25) in found}
    return frozenset(found | eves)


@lru_cache(maxsize=256)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """Give the public holidays of a whole country in a year.

    Args:
        country: ISO 3166 code; an empty or unknown one has none.
        year: such as 2026.
    """
    if not country:
        return frozenset()
    import holidays

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()
