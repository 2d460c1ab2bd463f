"""Streets: which words of an address say where it is."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from chalicelib.lead.matching.names import slip
from chalicelib.lead.text import words

_ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")
_NUMBERS = (
    "one two three four five six seven eight nine ten",
    "first second third fourth fifth sixth seventh eighth ninth tenth",
)
_WORDS = {
    **{word: str(at) for row in _NUMBERS for at, word in enumerate(row.split(), 1)},
    "saint": "st",
    "sainte": "st",
    "mount": "mt",
    "fort": "ft",
    "doctor": "dr",
    "martin": "m",
}
# Kinds of streets, directions and what tells where in a house.
_KINDS = words(
    """
    street str st avenue avenida ave av bl blvd blv boulevard road rd dr drive place plaza pl lane
    ln court ct pkwy parkway hwy highway square sq ter terrace way cir circle trail n s e w north
    south east west ne nw se sw strasse platz weg gasse allee rue via calle chemin route ul ulica
    fl floor ste suite rm room unit apt apartment bldg building no nr number the at near between and
    in off corner po box
    """
)
_ENDINGS = ("strasse", "str")

StreetLevel = Literal["same", "number", "near", "name", "other"]
"""`number`: only the number of the house agrees. `near`: the street, and a slip in the number.
`name`: one has no number, and they share a word."""


class Street(NamedTuple):
    """A street address: number of the house, first word of its name, all words, all numbers."""

    number: str
    name: str
    names: frozenset[str]
    numbers: frozenset[str]


@lru_cache(maxsize=4096)
def street_of(plain: str) -> Street:
    """Read a plain street address; the number may stand before or after the street."""
    given = [_WORDS.get(word, word) for word in plain.split()]
    parts = [_ORDINAL.sub(r"\1", word) for word in given]
    # 3rd Avenue is no number 3.
    at = next((at for at, word in enumerate(given) if word[0].isdigit() and word == parts[at]), -1)
    number = ""
    if at == 0 or (at > 0 and not _names(parts[:at])):
        number, parts = parts[at], parts[at + 1 :]
    elif at > 0:
        number, parts = parts[at], [*parts[:at], *parts[at + 1 :]]
    names = _names(parts) or parts
    numbers = frozenset(word for word in given if word[0].isdigit())
    return Street(number, names[0] if names else "", frozenset(names), numbers)


def _names(parts: list[str]) -> list[str]:
    return [_without_kind(word) for word in parts if word not in _KINDS]


def _without_kind(word: str) -> str:
    """Cut what only says that it is a street: Hauptstrasse, Hauptstr."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=4096)
def street_level(a: str, b: str) -> StreetLevel:
    """Compare two plain street addresses."""
    one, other = street_of(a), street_of(b)
    if one.number and other.number:
        if one.number == other.number:
            return "same" if is_same_street(one, other) else "number"
        if not is_same_street(one, other):
            return "other"
        if one.number in other.numbers or other.number in one.numbers:
            return "same"
        return "near" if _is_near(one.number, other.number) else "other"
    return "name" if one.names & other.names or is_same_street(one, other) else "other"


def is_same_street(a: Street, b: Street) -> bool:
    """Tell whether the names of two streets are one, whatever is written around them."""
    if not a.name or not b.name:
        return False
    return a.name == b.name or a.name in b.names or b.name in a.names or bool(slip(a.name, b.name))


def _is_near(a: str, b: str) -> bool:
    """Tell two numbers that differ by a letter behind them, or by a slip in a long one."""
    one, other = sorted((a, b), key=len)
    return (other[len(one) :].isalpha() and other.startswith(one)) or (
        min(len(a), len(b)) > 2 and slip(a, b) == "slip"
    )
