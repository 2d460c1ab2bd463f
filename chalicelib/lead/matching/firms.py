"""Names of companies: which words tell one from others, and how much of two names is shared."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from chalicelib.lead.matching.names import slip, sounded
from chalicelib.lead.text import words

_FORMS = words(
    """
    inc incorporated llc ltd limited co corp corporation company gmbh ag kg kgaa ohg ug mbh se sa
    sarl sas srl spa bv nv ab as oy aps plc llp pty kft zrt doo sro the of and und et y for a in at
    group holding haftungsbeschrankt haftungsbeschraenkt
    """
)
USUAL_WORDS = words(
    """
    academy agency analytics association bakery bank bar bau beratung bistro cafe capital care
    center centre centro chicken child childcare children church cleaning clinic club college
    community conseil construction consult consulting cuisine day daycare dental design development
    digital education electric energy engineering enterprises finance financial first foods
    foundation garden global grill handel head health home hotel house immobilien inn institute
    insurance international international kids kitchen labs law learning legal logistics logistik
    management marketing media medical metal motors national network new north office partner
    partners pharmacy pizza preschool products professional properties realty restaurant room sales
    school schools security service services shop software solar solutions south start steakhouse
    store studio studios supply systems team tech technik technologies technology trade trading
    training transport travel united university ventures west works world
    """
)
"""Words of so many companies' names that they tell none from another."""


class Shared(NamedTuple):
    """How much of two names is one.

    Attributes:
        alike: 0 to 1, by the weight of the words.
        bits: what the words that they share weigh.
    """

    alike: float
    bits: float


@lru_cache(maxsize=4096)
def words_of_company(plain: str) -> tuple[str, ...]:
    """Give the words of a company's name that tell it from others, in their order."""
    parts = tuple(plain.split())
    return tuple(word for word in parts if word not in _FORMS) or parts


def share(a: str, b: str, weight: Callable[[str], float]) -> Shared:
    """Compare two plain names.

    Args:
        a: a name.
        b: another.
        weight: of a word, in bits by how rare it is.
    """
    one, other = words_of_company(a), words_of_company(b)
    if "".join(one) == "".join(other):
        return Shared(1.0, sum(map(weight, min(one, other))))
    if len(one) > len(other) or (len(one) == len(other) and one > other):
        one, other = other, one
    worths = {word: weight(word) for word in {*one, *other}}
    left = list(other)
    found = 0.0
    for word in one:
        best, taken = 0.0, ""
        for it in left:
            if word == it:
                best, taken = worths[word], it
                break
            worth = min(worths[word], worths[it])
            if worth > best and (worth := _likeness(word, it) * worth) > best:
                best, taken = worth, it
        if taken:
            left.remove(taken)
            found += best
    all_one = sum(worths[word] for word in one)
    all_other = sum(worths[word] for word in other)
    for short, full in ((one, other), (other, one)):
        if any(len(word) > 2 and word == "".join(w[0] for w in full) for word in short):
            found = max(found, 0.8 * min(all_one, all_other))
    alike = 0.5 * found / min(all_one, all_other) + found / (all_one + all_other)
    return Shared(min(1.0, alike), found)


def _likeness(a: str, b: str) -> float:
    """Tell how much two words of firms' names are one: a slip, or one is cut short."""
    if a[0] != b[0] or min(len(a), len(b)) < 4:
        return 0.0
    found = slip(a, b)
    if a.startswith(b) or b.startswith(a) or found == "slip":
        return 0.8
    return 0.7 if found and sounded(a) == sounded(b) else 0.0
