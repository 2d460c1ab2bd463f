"""How alike two names are: the same, a short form, a slip of the keys, an initial, another."""

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from rapidfuzz.distance import OSA, JaroWinkler

from chalicelib.lead.text import words

if TYPE_CHECKING:
    from nicknames import NickNamer

Likeness = Literal[
    "", "same", "short", "slip", "near", "alike", "apart", "part", "initial", "other"
]
"""`short`: Bob and Robert. `slip`: one letter. `near`: sounds or looks alike. `alike`: something
of that. `apart`: alike, and names in their own right, as Mark and Mary. `part`: they share a word.
Empty: one of them is not known."""

NEAR, ALIKE = 0.88, 0.75
"""From these Jaro-Winkler similarities two words look alike, more or less; Splink's levels."""

_TITLES = words(
    """
    mr mrs ms miss mx sir dame dr prof professor doctor rev herr frau hr fru dipl ing mag mme mlle
    monsieur madame mademoiselle dott dottore lord lady baron baroness count countess earl hon rt
    phd bsc msc mba md esq
    """
)
_GENERATIONS = {
    **dict.fromkeys(("sr", "senior", "i"), "1"),
    **dict.fromkeys(("jr", "junior", "ii"), "2"),
    "iii": "3",
    "iv": "4",
}


def name_of(plain: str) -> tuple[str, str]:
    """Take titles off a plain name, and say which generation it names: 1 Senior, 2 Junior, 3 III.

    Returns:
        The name, and the generation; empty when none is named.
    """
    parts = plain.split()
    generation = ""
    while len(parts) > 1 and (parts[-1] in _GENERATIONS or parts[-1] in _TITLES):
        generation = _GENERATIONS.get(parts.pop(), generation)
    while parts and parts[0] in _TITLES:
        parts = parts[1:]
    return " ".join(parts), generation


@lru_cache(maxsize=8192)
def likeness(a: str, b: str, *, is_given: bool) -> Likeness:
    """Compare two plain names.

    Args:
        a: a name; several words are a double name.
        b: another.
        is_given: first names have short forms, and the first of several is what one is called.
    """
    if not a or not b:
        return ""
    if a == b:
        return "same"
    one, other = a.replace(" ", ""), b.replace(" ", "")
    if folded(one) == folded(other):
        return "same"
    if found := _word(a, b, is_given):
        return found
    found = slip(one, other) or _without_vowels(one, other)
    if " " in a or " " in b:
        return _of_words(a.split(), b.split(), is_given) or found or _look(one, other)
    if is_given and sounded(a) != sounded(b) and _are_two(a, b):
        return "apart" if found else "other"
    return found or _look(one, other)


def _look(a: str, b: str) -> Likeness:
    return "alike" if JaroWinkler.similarity(a, b) > ALIKE and min(len(a), len(b)) > 2 else "other"


def _word(a: str, b: str, is_given: bool) -> Likeness:
    """Compare single words: short forms and initials."""
    if is_given and is_short_form(a, b):
        return "short"
    if len(a) == 1 or len(b) == 1:
        short, full = sorted((a, b), key=len)
        others = _stands_for(full) | _english().nicknames_of(full) if is_given else {full}
        return "initial" if any(name[0] == short for name in others) else "other"
    return ""


def _of_words(a: list[str], b: list[str], is_given: bool) -> Likeness:
    """Compare names of several words: a second first name left out, half of a double name."""
    if is_given:
        first = likeness(a[0], b[0], is_given=True)
        if first == "same":
            return "other" if _contradict(a[1:], b[1:]) else "part"
        if first in ("short", "slip", "near"):
            return first
    if {word for word in a if len(word) > 1} & set(b):
        return "part"
    alike = any(slip(x, y) == "slip" for x in a for y in b if min(len(x), len(y)) > 4)
    return "near" if alike else ""


def _contradict(a: list[str], b: list[str]) -> bool:
    """Tell whether second names are surely others: Anna Maria and Anna Sophie."""
    return bool(a and b) and all(x[0] != y[0] and not slip(x, y) for x in a for y in b)


@lru_cache(maxsize=8192)
def slip(a: str, b: str) -> Likeness:
    """Tell two words that differ by a slip or look alike; empty if neither."""
    distance = OSA.distance(a, b, score_cutoff=2)
    longest = max(len(a), len(b))
    if (distance <= 1 and longest >= 5) or (distance == 2 and longest >= 8):
        return "slip"
    if (distance <= 1 and longest >= 3) or (distance == 2 and longest >= 6):
        return "near"
    if longest > 3 and sounded(a) == sounded(b):
        return "near"
    if JaroWinkler.similarity(a, b) > NEAR:
        return "near"
    return "near" if longest > 2 and sorted(a) == sorted(b) else ""


def _without_vowels(a: str, b: str) -> Likeness:
    """Tell names of which one is from a script that writes no short vowels: mhmd and Mohammed."""
    if _VOWELS & set(a[1:]) and _VOWELS & set(b[1:]):
        return ""
    bones = _bones(a)
    return "near" if len(bones) > 1 and len(a) > 2 < len(b) and bones == _bones(b) else ""


_VOWELS = frozenset("aeiou")


def _bones(name: str) -> str:
    """Keep of a name what every script writes."""
    kept = (letter for letter in name.rstrip("h") if letter not in "aeiouyw")
    return "".join(letter for letter, _ in groupby(kept))


def is_short_form(a: str, b: str) -> bool:
    """Tell whether one first name stands for the other, or both for the same one."""
    return bool(_stands_for(a) & _stands_for(b))


@lru_cache(maxsize=4096)
def _stands_for(name: str) -> frozenset[str]:
    """Give the names that a name may stand for, itself among them."""
    from chalicelib.lead.data.nicknames import FULL_FORMS

    return frozenset({name, *_english().canonicals_of(name), *FULL_FORMS.get(name, ())})


def _are_two(a: str, b: str) -> bool:
    """Tell whether first names are two in their own right: Mark and Mary, Anna and Annabelle."""
    short, full = sorted((a, b), key=len)
    is_longer = full.startswith(short) and len(full) - len(short) > 2
    return _is_known(short) and (is_longer or _is_known(full))


def _is_known(name: str) -> bool:
    """Tell whether a word is a first name in its own right, as far as lists of short forms say."""
    from chalicelib.lead.data.nicknames import NAMES

    return name in NAMES or bool(_english().nicknames_of(name) or _english().canonicals_of(name))


@lru_cache(maxsize=1)
def _english() -> "NickNamer":
    from nicknames import NickNamer

    return NickNamer()


def folded(name: str) -> str:
    """Write umlauts as one letter: Mueller and Muller."""
    return name.replace("ae", "a").replace("oe", "o").replace("ue", "u")


_SPELLINGS = (
    ("sch", "s"), ("tch", "k"), ("ph", "f"), ("ck", "k"), ("c", "k"), ("ts", "s"), ("tz", "s"),
    ("z", "s"), ("ie", "i"), ("dt", "t"), ("h", ""), ("y", "i"), ("j", "i"), ("w", "v"),
)  # fmt: skip


@lru_cache(maxsize=8192)
def sounded(name: str) -> str:
    """Write a plain name as all its usual spellings sound: Mueller and Muller, Schmidt, Schmitt."""
    whole = word = folded(name.replace(" ", ""))
    for written, sound in _SPELLINGS:
        word = word.replace(written, sound)
    return "".join(letter for letter, _ in groupby(word)) or whole
