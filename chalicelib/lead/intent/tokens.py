"""A stranger's text as plain words, and the tricks by which it hides them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

LONGEST_TEXT = 4_000
"""Of a longer message its beginning and its end are read; nothing else in it is looked at."""
LONGEST_TAIL = 1_000
MOST_TOKENS = 700
LONGEST_WORD = 40

STOP = "."
"""Stands for the end of a sentence or line."""
PAUSE = ","
"""Stands for a comma, colon, bracket or dash: a phrase does not go on behind it."""

_TOKEN = re.compile(r"[^\W_]+|[.!?;\n…]|[,:()\u2013\u2014]|[€$£%/]")
JOINED = re.compile(r"(?<=[^\W\d_])['’`ʼ](?=(?:t|s|re|ve|ll|d|m)\b|[а-яіїєґ])")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"]{1,200}", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}")
_HIDDEN = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff]")
_STYLED = re.compile("[\uff21-\uff3a\uff41-\uff5a\u24b6-\u24e9\U0001d400-\U0001d7ff]")
_SPACED = re.compile(r"\b[^\W\d_](?:[ .*_-][^\W\d_]){3,15}\b")
_DISGUISED = re.compile(r"(?<![\w@])(?=[\w@$!|]*[a-z])(?=[\w@$!|]*[0-9@$!|][a-z])[\w@$!|]{3,20}")
_MARKS = re.compile("[\u0300-\u036f]")

_LOOKALIKE = dict(zip("аеорсухіјѕԁһвкмнтαεορνυικτ", "aeopcyxijsdhbkmhtaeopvuikt", strict=True))
_TO_CYRILLIC = dict(zip("aeopcyxikmhtb", "аеорсухікмнтв", strict=True))
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a"})
_LEET.update(str.maketrans({"$": "s", "!": "i", "|": "i"}))
_WHOLE = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss", "ґ": "г"})

_CYRILLIC = re.compile("[\u0400-\u04ff]")
_LATIN = re.compile("[a-z]")


@dataclass(frozen=True)
class Text:
    """A message as it is read.

    Attributes:
        shown: what is read of it, compatibility forms undone, nothing hidden.
        tokens: words without case and accents, with STOP and PAUSE between them.
        links: the addresses of pages in it.
        hidden: how many signs of no width stood in it.
        styled: how many letters were drawn by signs that are no letters.
        mixed: words that mix two alphabets, as they stood.
        unmasked: words that were spelt with figures or with gaps, as they mean.
    """

    shown: str
    tokens: tuple[str, ...]
    links: tuple[str, ...] = ()
    hidden: int = 0
    styled: int = 0
    mixed: tuple[str, ...] = ()
    unmasked: tuple[str, ...] = ()


def read_text(raw: str) -> Text:
    """Undo what hides words, and part a text into them; bounded whatever is in it."""
    if len(raw) > LONGEST_TEXT:
        raw = f"{raw[: LONGEST_TEXT - LONGEST_TAIL]}\n{raw[-LONGEST_TAIL:]}"
    hidden = styled = 0
    if not raw.isascii():
        hidden = len(_HIDDEN.findall(raw))
        styled = len(_STYLED.findall(raw))
        raw = unicodedata.normalize("NFKC", _HIDDEN.sub("", raw))[: LONGEST_TEXT + 1]
    links = tuple(_LINK.findall(raw)[:20])
    body = _ADDRESS.sub(" ", _LINK.sub(" ", raw)) if links or "@" in raw else raw
    lower = body.casefold()
    unmasked = [part for gap in _SPACED.findall(lower)[:10] for part in [_letters(gap)]]
    unmasked += [_letters(word.translate(_LEET)) for word in _DISGUISED.findall(lower)[:20]]
    words, mixed = _plain(split(lower))
    return Text(raw, tuple(words), links, hidden, styled, mixed, tuple(filter(None, unmasked)))


def split(lower: str) -> list[str]:
    """Part text in lower case into words and signs, accents still on."""
    text = JOINED.sub("", lower) if "'" in lower or not lower.isascii() else lower
    found = []
    for piece in _TOKEN.findall(text)[:MOST_TOKENS]:
        if piece in ".!?;\n…":
            found.append(STOP)
        elif piece in ",:()\u2013\u2014":
            found.append(PAUSE)
        else:
            found.append(piece[:LONGEST_WORD])
    return found


@lru_cache(maxsize=4096)
def plain(word: str) -> str:
    """Take accents off a word in lower case."""
    return plain_text(word)


def plain_text(text: str) -> str:
    """Take accents off a text in lower case."""
    if text.isascii():
        return text
    text = text.translate(_WHOLE)
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text)))


def _plain(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Take accents off words, and write each in one alphabet; give those that mixed two, too."""
    found, mixed = [], []
    for word in words:
        if word.isascii():
            found.append(word)
            continue
        cyrillic, latin = len(_CYRILLIC.findall(word)), len(_LATIN.findall(word))
        greek = 0 if cyrillic else sum("\u0370" <= sign <= "\u03ff" for sign in word)
        if not latin or not (cyrillic or greek):
            found.append(plain(word))
            continue
        # Latin "i" in a Ukrainian word is a habit of keyboards, not a trick.
        if cyrillic <= latin or latin > word.count("i"):
            mixed.append(word)
        alike = _TO_CYRILLIC if cyrillic > latin else _LOOKALIKE
        found.append(plain("".join(alike.get(sign, sign) for sign in word)))
    return found, tuple(mixed[:20])


def _letters(word: str) -> str:
    letters = "".join(sign for sign in word if sign.isalpha())
    return plain(letters) if len(letters) >= 4 else ""
