"""What speaks for and against one person, in words for an admin."""

from collections.abc import Mapping, Sequence

from chalicelib.lead.matching.compare import Term
from chalicelib.lead.matching.decide import Candidate, Guard
from chalicelib.lead.matching.rivals import Rival

_NAMES: Mapping[str, tuple[str, str]] = {
    "email": ("e-mail address", "e-mail addresses"),
    "phone": ("phone number", "phone numbers"),
    "born": ("date of birth", "dates of birth"),
    "first": ("first name", "first names"),
    "last": ("family name", "family names"),
    "generation": ("generation", "generations"),
    "postal_code": ("postal code", "postal codes"),
    "city": ("city", "cities"),
    "street": ("street address", "street addresses"),
    "site": ("address", "addresses"),
    "company": ("company", "companies"),
    "employer": ("company", "companies"),
    "job": ("job", "jobs"),
}
"""Fields in words: one of it, and two."""

_LEVELS: Mapping[str, str] = {
    "same": "the same {one}",
    "slip": "{two} that differ by a slip",
    "near": "{two} that are much alike",
    "alike": "{two} that are somewhat alike",
    "part": "{two} that share a part",
    "little": "{two} that share little",
    "initial": "{two} that begin alike",
    "number": "{two} that share the number",
    "name": "{two} that share a name",
    "other": "another {one}",
}
_OWN: Mapping[tuple[str, str], str] = {
    ("first", "short"): "first names that stand for each other",
    ("first", "apart"): "first names that look alike and are two",
    ("first", "part"): "first names that begin with the same one",
    ("last", "part"): "family names that share a part of a double name",
    ("email", "role"): "the same e-mail address, which several people read",
    ("email", "local"): "e-mail addresses that are the same before the @",
    ("email", "name"): "e-mail addresses made of the same name",
    ("email", "numbered"): "e-mail addresses that differ by a number",
    ("email", "domain"): "e-mail addresses at the same company",
    ("in_email", "same"): "a name that stands in the e-mail address",
    ("born", "swapped"): "dates of birth with day and month swapped",
    ("born", "year"): "dates of birth of the same year",
    ("postal_code", "area"): "postal codes of the same area",
    ("swapped", "same"): "first and family name in each other's place",
    ("kind", "other"): "a company on one side and a person on the other",
}
_RIVALS: Mapping[Rival, str] = {
    "stranger": "",
    "household": "it may as well be two of one household",
    "office": "it may as well be two colleagues",
    "namesake": "it may as well be two people of one name",
    "branch": "it may as well be two branches of a company",
    "neighbour": "it may as well be two companies at one address",
}
_GUARDS: Mapping[Guard, str] = {
    "": "",
    "first_names": "two first names are not taken for one person",
    "born": "two dates of birth are not taken for one person",
    "generation": "one is the elder of that name and the other the younger",
    "colleagues": "two names and two mailboxes at one company are two people",
    "household": "one of a household may have that initial and another date of birth",
    "mailboxes": "a company gives each of its people one mailbox",
}

LITTLE = 0.25
"""Bits up to which a term says nothing either way."""


def because(candidate: Candidate, *, quoting: bool = False) -> str:
    """Say what speaks for and against, the strongest first, and what decides it.

    Args:
        candidate: as weighed.
        quoting: the values that were compared stand beside, which are personal data.
    """
    terms = sorted(candidate.terms, key=lambda one: -abs(one.bits))
    speaking = [one for one in terms if abs(one.bits) > LITTLE]
    sides = [
        _listed([term(one, quoting=quoting) for one in speaking if one.bits > 0]),
        _listed([term(one, quoting=quoting) for one in speaking if one.bits < 0]),
    ]
    said = ", but ".join(filter(None, sides)) or "nothing in common"
    decides = _GUARDS[candidate.guard]
    if not decides and candidate.outcome != "match":
        decides = _RIVALS[candidate.rival]
    return f"{said}: {decides}" if decides and speaking else said


def term(one: Term, *, quoting: bool = False) -> str:
    """Say what one field says."""
    names = _NAMES.get(one.field, (one.field, one.field))
    pattern = _OWN.get((one.field, one.level)) or _LEVELS[one.level]
    said = pattern.format(one=names[0], two=names[1])
    values = dict.fromkeys(_written(one.field, value) for value in one.values if value)
    return f"{said} ({' and '.join(values)})" if quoting and values else said


def _listed(parts: Sequence[str]) -> str:
    """Write `a, b and c`; what is told twice is said once."""
    *first, last = list(dict.fromkeys(parts)) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _written(field: str, value: str) -> str:
    """Write a value as people do: a date of birth as a date."""
    if field == "born":
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return value
