"""Phone numbers: to E.164 by libphonenumber, with the country inferred in a stated order.

1. What the number itself says: `+`, or `00` and `011` before a number that is then valid.
2. The countries given, in their order (see `normalise`): the first in which the number is valid.
3. The number read with a `+` in front, as many programs drop it, if that is valid.
4. The first country given in which the number has a possible length.

The winner is noted as `country:DE from WINNER`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from chalicelib.lead.model import CleanValue
from chalicelib.lead.text import storable

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

LONGEST_NUMBER = 60
FEWEST_DIGITS = 7

_ALTERNATIVES = re.compile(
    r"\s+(?:/|or|oder|ou|o|und|and|et|y|e)\s+|[;,|\n](?!\s*ext)", re.IGNORECASE
)
_EXIT_CODE = re.compile(r"^(?:00|011)(?=\d)")
# Typed to get past a form so often that it does not help that somebody may have such a number.
_COUNTED = frozenset({"0123456789", "1234567890", "9876543210"})
_SEQUENCES = ("01234567890123456789", "98765432109876543210")


def clean_phone(raw: str, countries: Sequence[tuple[str, str]]) -> CleanValue | None:
    """Make a phone number E.164.

    Args:
        raw: as typed, in any digits, with `tel:`, brackets, an extension and so on.
        countries: ISO code and where it is from, the likeliest first; empty codes are passed over.

    Returns:
        The number with the notes `country:CODE from WINNER`, `unlikely_phone` (length right, but
        no such numbers are known), `ext:12`, `several` (the first of several was taken); None
        when it is no number, too short or a filler such as 0000000000.
    """
    given = storable(raw)
    text = given.strip().strip("'’‘`\"")
    if not text or len(text) > LONGEST_NUMBER:
        return None
    found = _read(text, countries)
    notes: list[str] = []
    if found is None:
        first, *more = _ALTERNATIVES.split(text)
        found = _read(first, countries) if more else None
        notes.append("several")
    if found is None:
        return None
    number, winner, is_valid = found
    import phonenumbers

    region = phonenumbers.region_code_for_number(number) or _region_of_code(number)
    notes.insert(0, f"country:{region} from {winner}")
    if _bare_digits(text) in _COUNTED or (not is_valid and _is_filler(number)):
        return None
    if not is_valid:
        notes.append("unlikely_phone")
    if number.extension:
        notes.append(f"ext:{number.extension}")
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return CleanValue(value=value, raw=given, notes=tuple(notes))


def phone_key(phone: CleanValue) -> str:
    """Write a clean number as identity; behind a switchboard the extension is part of it."""
    extension = noted(phone, "ext:")
    return f"{phone.value};ext={extension}" if extension else phone.value


def noted_country(phone: CleanValue) -> tuple[str, str]:
    """Give the country noted with a clean number and what it was inferred from."""
    country, _, winner = noted(phone, "country:").partition(" from ")
    return country, winner


def noted(value: CleanValue, kind: str) -> str:
    """Give what follows `kind` in the first note of that kind; empty when there is none."""
    return next((note[len(kind) :] for note in value.notes if note.startswith(kind)), "")


def time_zones(e164: str) -> tuple[str, ...]:
    """Name the zones in which a number can be; several when only the country is known."""
    import phonenumbers
    from phonenumbers import timezone

    zones: tuple[str, ...] = timezone.time_zones_for_number(phonenumbers.parse(e164))
    return () if zones == ("Etc/Unknown",) else zones


def _read(
    text: str, countries: Sequence[tuple[str, str]]
) -> "tuple[PhoneNumber, str, bool] | None":
    """Give the number, what decided its country, and whether such numbers are known."""
    own = _parsed(text, "")
    if own is not None:
        return _judged(own, "number")
    digits = _bare_digits(text)
    if _EXIT_CODE.match(digits):
        dialled = _parsed("+" + _EXIT_CODE.sub("", digits), "")
        if dialled is not None and _is_valid(dialled):
            return dialled, "number", True
    possible = None
    for country, origin in countries:
        number = _parsed(text, country) if country else None
        judged = _judged(number, origin) if number is not None else None
        if judged and judged[2]:
            return judged
        possible = possible or judged
    if len(digits) > 9 and digits[0] != "0":
        dialled = _parsed("+" + digits, "")
        if dialled is not None and _is_valid(dialled):
            return dialled, "digits", True
    return possible


def _parsed(text: str, country: str) -> "PhoneNumber | None":
    import phonenumbers

    try:
        return phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return None


def _judged(number: "PhoneNumber", winner: str) -> "tuple[PhoneNumber, str, bool] | None":
    """Pass on a number of possible length."""
    import phonenumbers

    if _is_valid(number):
        return number, winner, True
    reason = phonenumbers.is_possible_number_with_reason(number)
    fits = reason == phonenumbers.ValidationResult.IS_POSSIBLE
    return (number, winner, False) if fits and len(_national(number)) >= FEWEST_DIGITS else None


def _is_valid(number: "PhoneNumber") -> bool:
    import phonenumbers

    return phonenumbers.is_valid_number(number)


def _bare_digits(text: str) -> str:
    """Give the digits as ASCII, if there is nothing but digits and what people put between."""
    import phonenumbers

    if any(character.isalpha() for character in text):
        return ""
    return str(phonenumbers.normalize_digits_only(text))


def _is_filler(number: "PhoneNumber") -> bool:
    """Tell numbers that people type to get past a form: one or two digits, or counting."""
    digits = _national(number)
    return len(set(digits)) <= 2 or any(digits in sequence for sequence in _SEQUENCES)


def _national(number: "PhoneNumber") -> str:
    import phonenumbers

    return str(phonenumbers.national_significant_number(number))


@lru_cache(maxsize=256)
def _region_by_code(code: int) -> str:
    import phonenumbers

    return str(phonenumbers.region_code_for_country_code(code))


def _region_of_code(number: "PhoneNumber") -> str:
    """Name the main country of a number that no country is known to give out."""
    return _region_by_code(number.country_code or 0)
