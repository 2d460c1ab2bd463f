"""Two records, field by field: what agrees, what differs, and how many bits each says."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import ratio

from chalicelib.lead.matching.address import street_level
from chalicelib.lead.matching.births import born_level
from chalicelib.lead.matching.firms import share
from chalicelib.lead.matching.names import folded, likeness, slip, sounded
from chalicelib.lead.matching.phones import phone_level
from chalicelib.lead.matching.record import Record, digits
from chalicelib.lead.matching.weights import USUAL, Weights

WHOLE_DATE = 8
"""Digits of a date of birth that is known for sure."""


class Term(NamedTuple):
    """What one field says.

    Attributes:
        field: or `swapped` (first and family name in each other's place), `in_email` (a name
            stands in the other's address), `kind` (a person and a firm).
        level: how well it agrees; see weights.LEVELS.
        bits: for (above 0) or against being one person.
        values: of the two records.
    """

    field: str
    level: str
    bits: float
    values: tuple[str, str] = ("", "")


def compare(a: Record, b: Record, weights: Weights) -> list[Term]:
    """Compare all fields that both records have; what only one has says nothing."""
    terms = _names(a, b, weights)
    if a.generation and b.generation and a.generation != b.generation:
        terms.append(_term(weights, "generation", "other", a.generation, b.generation))
    if a.email or b.email:
        terms += _email(a, b, weights)
    if a.phone and b.phone:
        terms.append(_valued(weights, "phone", phone_level(a.phone, b.phone), a.phone, b.phone))
    if len(a.born) == len(b.born) == WHOLE_DATE:
        terms.append(_term(weights, "born", born_level(a.born, b.born), a.born, b.born))
    if a.street and b.street:
        field = "site" if a.company and b.company and not (a.is_person or b.is_person) else "street"
        terms.append(_term(weights, field, street_level(a.street, b.street), a.street, b.street))
    if a.postal_code and b.postal_code:
        level = _postal_level(a.postal_code, b.postal_code)
        terms.append(_valued(weights, "postal_code", level, a.postal_code, b.postal_code))
    if a.city and b.city:
        terms.append(_valued(weights, "city", _city_level(a.city, b.city), a.city, b.city))
    if a.company and b.company:
        terms.append(_company(a, b, weights))
    if a.job and b.job:
        terms.append(_valued(weights, "job", "same" if a.job == b.job else "other", a.job, b.job))
    if (a.is_firm and b.is_person) or (a.is_person and b.is_firm):
        terms.append(Term("kind", "other", weights.levels["kind"]["other"]))
    return terms


def total(terms: Sequence[Term]) -> float:
    """Add up what terms say, in bits."""
    return math.fsum(term.bits for term in terms)


def _term(weights: Weights, field: str, level: str, a: str, b: str) -> Term:
    return Term(field, level, weights.levels[field][level], (a, b))


def _valued(weights: Weights, field: str, level: str, a: str, b: str) -> Term:
    """Weigh agreement on a value by how rare it is; a slip or a short form says less."""
    bits = weights.levels[field].get(level, 0.0)
    if not is_valued(field, level):
        return Term(field, level, bits, (a, b))
    worth = weights.shared(field, a)
    if a != b:
        worth = min(worth, weights.shared(field, b))
    return Term(field, level, max(0.5, worth + bits), (a, b))


def is_valued(field: str, level: str) -> bool:
    """Tell whether a level weighs as much as the shared value is rare."""
    unvalued = _UNVALUED.get(field, ("other", "initial", "alike", "apart"))
    return field in USUAL and level not in unvalued


_UNVALUED = {
    "phone": ("slip", "other"),
    "postal_code": ("slip", "area", "other"),
    "email": ("slip", "near", "local", "name", "numbered", "alike", "other"),
}


def _names(a: Record, b: Record, weights: Weights) -> list[Term]:
    """Compare names as they stand and in each other's place; the better reading counts."""
    straight = [*_name("first", a.first, b.first, weights), *_name("last", a.last, b.last, weights)]
    if not ((a.first and b.last) or (a.last and b.first)):
        return straight
    if a.first == b.first and a.last == b.last:
        return straight
    swapped = Term("swapped", "same", weights.levels["swapped"]["same"])
    readings = [straight]
    # Which of the two has them in their places is not known; most pairs begin with other letters.
    is_like = _begin_alike(a.first, b.last) or _begin_alike(a.last, b.first)
    for one, other in (("first", "last"), ("last", "first")) if is_like else ():
        crossed = [*_name(one, a.first, b.last, weights), *_name(other, a.last, b.first, weights)]
        readings.append([*crossed, swapped])
    # Susan Meyer Thomas: the name between may be either.
    for whole, part in ((a, b), (b, a)):
        if " " in whole.first and whole.last and part.last:
            first, _, between = whole.first.partition(" ")
            last = f"{between} {whole.last}"
            readings.append(
                [
                    *_name("first", first, part.first, weights),
                    *_name("last", last, part.last, weights),
                ]
            )
    return max(readings, key=_best) if len(readings) > 1 else straight


def _begin_alike(a: str, b: str) -> bool:
    return bool(a and b) and (a[0] == b[0] or sounded(a)[0] == sounded(b)[0])


def _best(terms: Sequence[Term]) -> tuple[float, list[tuple[str, list[str]]]]:
    """Order readings of names, and those that say as much alike whichever record came first."""
    return total(terms), sorted((term.field, sorted(term.values)) for term in terms)


def _name(field: str, a: str, b: str, weights: Weights) -> Iterator[Term]:
    level = likeness(a, b, is_given=field == "first")
    if level:
        yield _valued(weights, field, level, a, b)


def _email(a: Record, b: Record, weights: Weights) -> Iterator[Term]:
    if not (a.email and b.email):
        yield from _in_email(*((a, b) if a.email else (b, a)), weights)
        return
    level = _email_level(a, b, weights)
    if level == "domain":
        bits = weights.shared("domain", a.email.rpartition("@")[2])
        yield Term("email", level, bits, (a.email, b.email))
    else:
        yield _valued(weights, "email", level, a.email, b.email)


def _in_email(with_email: Record, other: Record, weights: Weights) -> Iterator[Term]:
    """Look for a name in the other's address, where that is all there is of the other's name."""
    local = with_email.email.partition("@")[0]
    for field in ("first", "last"):
        name = getattr(other, field).replace(" ", "")
        if len(name) >= 4 and name in local and not getattr(with_email, field):
            bits = weights.shared(field, getattr(other, field))
            bits = max(0.5, bits + weights.levels["in_email"]["same"])
            yield Term("in_email", "same", bits, (with_email.email, name))


def _email_level(a: Record, b: Record, weights: Weights) -> str:
    if a.email == b.email:
        # What one writer's name explains is that writer's own.
        return "role" if a.is_role and b.is_role else "same"
    if _is_slip_of_signs(a.email, b.email):
        return "slip"
    local, _, domain = a.email.rpartition("@")
    other_local, _, other_domain = b.email.rpartition("@")
    is_role = a.is_role or b.is_role
    if domain == other_domain:
        level = "" if is_role else _local_level(local, other_local, a, b)
        return level or ("other" if a.is_free or b.is_free else "domain")
    if _is_slip_of_domain(domain, other_domain, weights):
        if local == other_local:
            return "role" if is_role else "slip"
        if not is_role and OSA.distance(local, other_local, score_cutoff=2) <= 2:
            return "near"
    if is_role:
        return "other"
    if local == other_local:
        return "name" if len(_without_names(local, a, b)) < 2 else "local"
    return "alike" if _own_level(local, other_local, a, b) else "other"


def _is_slip_of_signs(a: str, b: str) -> bool:
    """Tell whether two addresses are one but for their signs, as when the @ is missing."""
    if a.count("@") == b.count("@") == 1 and a.partition("@")[2] == b.partition("@")[2]:
        return False
    one, other = _SIGNS.sub("", a), _SIGNS.sub("", b)
    return len(one) > 9 and one == other


_SIGNS = re.compile(r"[^a-z0-9]+")


def _is_slip_of_domain(a: str, b: str, weights: Weights) -> bool:
    """Tell whether one of two domains is the other mistyped; one that many have is none."""
    if OSA.distance(a, b, score_cutoff=3) > 3:
        return False
    return max(weights.shared("domain", a), weights.shared("domain", b)) >= RARE_DOMAIN


RARE_DOMAIN = 3.0
"""Bits that sharing a domain has to say, for one slip away from another to be a slip."""


def _local_level(local: str, other: str, a: Record, b: Record) -> str:
    """Compare what stands before the @; parts that are names are no likeness of their own."""
    distance = OSA.distance(local, other, score_cutoff=3)
    if distance <= 3:
        if letters(local) == letters(other) and digits(local) != digits(other):
            return "numbered"
        longest = max(len(local), len(other))
        if _are_initials(local, other, a, b):
            return ""
        if distance == 1 or distance * 4 <= longest:
            return "slip"
    return _own_level(local, other, a, b)


def _are_initials(local: str, other: str, a: Record, b: Record) -> bool:
    """Tell whether two addresses differ as two people's first names do: jmartin and nmartin."""
    initials = a.first[:1], b.first[:1]
    left = _without_names(local, a, b), _without_names(other, a, b)
    return initials[0] != initials[1] and "" not in initials and left == initials


def _own_level(local: str, other: str, a: Record, b: Record) -> str:
    """Compare what of two addresses is no name."""
    left, other_left = _without_names(local, a, b), _without_names(other, a, b)
    if min(len(left), len(other_left)) < 4:
        return ""
    alike = ratio(left, other_left)
    return "near" if alike > 80 else "alike" if alike > 65 else ""


def letters(text: str) -> str:
    """Give the letters of a text."""
    return "".join(letter for letter in text if letter.isalpha())


def _without_names(local: str, a: Record, b: Record) -> str:
    """Take the names of two people out of an address; what is left is of their own making."""
    names = {name.replace(" ", "") for name in (a.first, a.last, b.first, b.last)}
    local = _SIGNS.sub("", local)
    for name in sorted(names | set(map(folded, names)), key=lambda name: (-len(name), name)):
        if len(name) > 2:
            local = local.replace(name, "")
    return local


def _postal_level(a: str, b: str) -> str:
    if a == b:
        return "same"
    if OSA.distance(a, b, score_cutoff=1) <= 1:
        return "slip"
    return "area" if len(a) > 4 and a[:-3] == b[:-3] else "other"


def _city_level(a: str, b: str) -> str:
    if a == b:
        return "same"
    return "slip" if slip(a, b) or sorted(a) == sorted(b) else "other"


_ALIKE = (("same", 0.85), ("near", 0.7), ("part", 0.5), ("little", 0.3))


def _company(a: Record, b: Record, weights: Weights) -> Term:
    """Compare firms: the name of a firm's entry, or only the employer of a person."""
    field = "employer" if a.is_person or b.is_person else "company"
    shared = share(a.company, b.company, weights.word)
    level = next((level for level, least in _ALIKE if shared.alike > least), "other")
    bits = min(weights.levels[field][level], max(0.5, shared.bits))
    return Term(field, level, bits, (a.company, b.company))
