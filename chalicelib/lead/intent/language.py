"""Which language a message is written in: letter groups and small words, or that nobody knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from chalicelib.lead.intent.tokens import plain, split

Language = Literal["en", "fr", "de", "es", "uk", "pl"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Those that the hub understands; others are known only so as not to be taken for these."""

LONGEST_SAMPLE = 400
"""More letters of a message do not make its language any surer."""

NEUTRAL = 8
"""The step of the table that says nothing."""
STEP_BITS = 0.5
GROUP_WEIGHT = 0.22
"""Bits of neighbouring letter groups say nearly the same, so each counts for so much of itself."""
WORD_BITS = 3.0
"""What a small word that only one language has says for it."""
LETTER_BITS = 3.0
SURE_BITS = 3.0
"""By how much the first must lead the second to be told."""
FOREIGN_BITS = 6.0
"""By how much a language that the hub does not understand must lead those that it does."""
ALSO_WORDS = 3
"""So many small words that only one other language has make a message one in two languages."""

_TELLING = {
    "ß": ("de",),
    "ä": ("de", "sv", "fi"),
    "ö": ("de", "sv", "fi", "hu", "tr"),
    "ü": ("de", "hu", "tr"),
    "ñ": ("es",),
    "¿": ("es",),
    "¡": ("es",),
    "ł": ("pl",),
    "ą": ("pl",),
    "ę": ("pl",),
    "ś": ("pl",),
    "ż": ("pl",),
    "ź": ("pl",),
    "ń": ("pl",),
    "œ": ("fr",),
    "è": ("fr", "it"),
    "ê": ("fr", "pt"),
    "à": ("fr", "it", "pt"),
    "ù": ("fr", "it"),
    "ç": ("fr", "pt", "tr"),
    "ã": ("pt",),
    "õ": ("pt",),
    "å": ("sv", "da"),
    "ø": ("da",),
    "ř": ("cs",),
    "ě": ("cs",),
    "ů": ("cs",),
    "ș": ("ro",),
    "ț": ("ro",),
    "ă": ("ro",),
    "ő": ("hu",),
    "ű": ("hu",),
    "ı": ("tr",),
    "ş": ("tr",),
    "ğ": ("tr",),
    "і": ("uk",),
    "ї": ("uk",),
    "є": ("uk",),
    "ґ": ("uk",),
    "ы": ("ru",),
    "э": ("ru",),
    "ё": ("ru",),
    "ъ": ("bg", "ru"),
}
"""Letters that few languages write."""


@dataclass(frozen=True)
class Told:
    """What a message is written in.

    Attributes:
        language: one of LANGUAGES; empty when it is another one, or cannot be told.
        also: further ones of LANGUAGES that parts of it are written in.
        bits: by how much the first leads the second.
        is_foreign: it is surely in a language that is none of LANGUAGES.
    """

    language: Language | Literal[""]
    also: tuple[Language, ...] = ()
    bits: float = 0.0
    is_foreign: bool = False


@dataclass(frozen=True)
class _Table:
    names: tuple[str, ...]
    groups: Mapping[str, bytes]
    words: Mapping[str, tuple[int, ...]]


def tell_language(shown: str) -> Told:
    """Tell the language of a text, as it was written."""
    sample = shown[:LONGEST_SAMPLE].casefold()
    letters = [word for word in split(sample) if word[0].isalpha()]
    if not letters:
        return Told("")
    table = _table()
    bits = [0.0] * len(table.names)
    alone = [0] * len(table.names)
    found: list[bytes] = []
    for word in letters:
        name = word if word[0] >= "\u0400" else plain(word)
        for place in table.words.get(name, ()):
            bits[place] += WORD_BITS / len(table.words[name])
            alone[place] += len(table.words[name]) == 1
        padded = f"_{name}_"
        for start in range(len(padded) - 2):
            if group := table.groups.get(padded[start : start + 3]):
                found.append(group)
    for place, steps in enumerate(map(sum, zip(*found, strict=True))):
        bits[place] += (steps - NEUTRAL * len(found)) * STEP_BITS * GROUP_WEIGHT
    for letter in set(sample) & _TELLING.keys():
        for language in _TELLING[letter]:
            bits[table.names.index(language)] += LETTER_BITS / len(_TELLING[letter])
    return _judge(table.names, bits, alone)


def _judge(names: Sequence[str], bits: Sequence[float], alone: Sequence[int]) -> Told:
    order = sorted(range(len(bits)), key=lambda place: (-bits[place], place))
    first, second = order[0], order[1]
    lead = bits[first] - bits[second]
    also = tuple(
        language
        for place, language in enumerate(LANGUAGES)
        if place != first and alone[place] >= ALSO_WORDS
    )
    if first >= len(LANGUAGES):
        best = max(bits[: len(LANGUAGES)])
        return Told("", also, lead, is_foreign=bits[first] - best >= FOREIGN_BITS)
    if lead < SURE_BITS:
        return Told("", also, lead)
    return Told(LANGUAGES[first], also, lead)


@cache
def _table() -> _Table:
    folder = files("chalicelib.lead.data")
    head, *rows = folder.joinpath("intent_trigrams.txt").read_text("utf-8").splitlines()
    names = tuple(head.split())
    steps = bytes.maketrans(b"0123456789abcdefghijklmnopqrstuvwxyz", bytes(range(36)))
    groups = {row[:3]: row[3:].encode("ascii").translate(steps) for row in rows}
    words: dict[str, set[int]] = {}
    for line in folder.joinpath("intent_languages.txt").read_text("utf-8").splitlines():
        language, _, listed = line.partition(":")
        if not line or line[0] == "#":
            continue
        for word in split(listed):
            name = word if word[0] >= "\u0400" else plain(word)
            words.setdefault(name, set()).add(names.index(language))
    return _Table(names, groups, {word: tuple(sorted(where)) for word, where in words.items()})
