"""Signs of spam: the tricks in a text, its links, and a small model that was trained beforehand."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from chalicelib.lead.intent.lexicon import STEM, Index
from chalicelib.lead.intent.tokens import Text

LONGEST_SAMPLE = 1_000
"""The model looks at the beginning of a message only."""
STEP = 16

SHORTENERS = frozenset(
    [
        "bit.ly",
        "tinyurl.com",
        "goo.gl",
        "t.co",
        "is.gd",
        "cutt.ly",
        "ow.ly",
        "rb.gy",
        "shorturl.at",
        "rebrand.ly",
        "t.ly",
        "buff.ly",
        "adf.ly",
        "bit.do",
        "s.id",
        "v.gd",
        "tiny.cc",
        "shorte.st",
        "lnkd.in",
        "soo.gd",
        "clck.ru",
        "vk.cc",
        "u.to",
        "tny.im",
    ]
)
CHEAP_ENDINGS = frozenset(
    [
        "xyz",
        "top",
        "click",
        "icu",
        "loan",
        "win",
        "bid",
        "club",
        "work",
        "buzz",
        "rest",
        "monster",
        "cyou",
        "sbs",
        "cfd",
        "bond",
        "quest",
        "lol",
        "vip",
        "stream",
        "download",
        "review",
        "racing",
        "party",
        "science",
        "men",
        "date",
        "gq",
        "ml",
        "cf",
        "tk",
        "ga",
    ]
)
CHATS = frozenset({"t.me", "wa.me", "chat.whatsapp.com", "telegram.me"})

_FEATURE = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")
_HOST = re.compile(r"(?:https?://)?(?:[^/@\s]{1,100}@)?(?:www\.)?([^/:?#\s]{1,100})", re.IGNORECASE)
_MARKUP = re.compile(r"\[url|\[link|<a\s|href\s*=|<script|<iframe", re.IGNORECASE)


class Sign(NamedTuple):
    """Something in a message that speaks for or against a label.

    Attributes:
        because: in words.
        name: of the term, where it is one.
    """

    label: str
    points: int
    because: str
    name: str = ""


def features(text: str) -> list[str]:
    """Give what the model looks at: words, neighbouring words, and the shape of a text."""
    sample = text[:LONGEST_SAMPLE]
    words = [
        "0" * min(len(word), 6) if word.isdigit() else word
        for word in _FEATURE.findall(sample.lower())
    ]
    found = set(words)
    found.update(f"{one} {other}" for one, other in pairwise(words))
    letters = sum(map(str.isalpha, sample)) or 1
    capitals, digits = sum(map(str.isupper, sample)), sum(map(str.isdigit, sample))
    found.add(f"#length{min(len(sample) // 40, 6)}")
    found.add(f"#capitals{min(10 * capitals // letters, 5)}")
    found.add(f"#digits{min((digits + 1).bit_length() - 1, 5)}")
    return sorted(found)


def model_bits(text: str) -> float:
    """Say how many bits speak for spam by the model; negative ones speak against it."""
    bias, table = _model()
    found = features(text)
    known = [table[one] for one in found if one in table]
    return (bias + sum(known) / sqrt(max(len(known), 1))) / STEP


def signs_of_spam(text: Text, indexes: Collection[Index]) -> Iterator[Sign]:
    """Name the tricks in a text.

    Args:
        text: as it was read.
        indexes: of the lexicons, for words that were hidden by figures or gaps.
    """
    if text.hidden > 1:
        yield Sign("spam", 4, f"{text.hidden} signs that nobody sees")
    if text.styled > 3:
        yield Sign("spam", 4, f"{text.styled} letters drawn by other signs")
    if text.mixed:
        shown = ", ".join(text.mixed[:3])
        yield Sign("spam", min(2 + 2 * len(text.mixed), 7), f"two alphabets in one word: {shown}")
    for word in sorted(set(text.unmasked)):
        if any(_is_spam(word, index) for index in indexes):
            yield Sign("spam", 7, f"{word}, spelt so as not to be seen")
    yield from _links(text)
    shown = text.shown[:LONGEST_SAMPLE]
    if _MARKUP.search(shown):
        yield Sign("spam", 6, "links written as code")
    letters = sum(map(str.isalpha, shown))
    if letters >= 20 and sum(map(str.isupper, shown)) > 0.6 * letters:
        yield Sign("spam", 1, "mostly capitals")
    if "!!!" in shown or "$$" in shown or "€€" in shown:
        yield Sign("spam", 2, "signs piled up")


def _links(text: Text) -> Iterator[Sign]:
    hosts = [match[1].casefold() for link in text.links if (match := _HOST.match(link))]
    if short := next((host for host in hosts if host in SHORTENERS), ""):
        yield Sign("spam", 5, f"a shortened link: {short}")
    if cheap := next((host for host in hosts if host.rpartition(".")[2] in CHEAP_ENDINGS), ""):
        yield Sign("spam", 4, f"a link to {cheap[:40]}")
    if any(host.replace(".", "").isdigit() for host in hosts):
        yield Sign("spam", 5, "a link to a bare number")
    if chat := next((host for host in hosts if host in CHATS), ""):
        yield Sign("spam", 3, f"a link to a chat: {chat}")
    if len(hosts) > 2:
        yield Sign("spam", 3, f"{len(hosts)} links")


def _is_spam(word: str, index: Index) -> bool:
    terms = list(index.by_word.get(word, ()))
    for length in index.stem_lengths:
        terms += index.by_stem.get(word[:length], ())
    return any(
        term.label == "spam" and len(term.words) == 1 and _is_whole(term.words[0], word)
        for term in terms
    )


def _is_whole(term: str, word: str) -> bool:
    return term == word or (term.endswith(STEM) and word.startswith(term[:-1]))


@cache
def _model() -> tuple[int, Mapping[str, int]]:
    text = files("chalicelib.lead.data").joinpath("intent_spam.txt").read_text("utf-8")
    bias, *rows = text.split("\n")[:-1]
    pairs = (row.partition(" ") for row in rows)
    return int(bias), {name: int(bits) for bits, _, name in pairs}
