"""Words and phrases of one language and what they say; read from data, found in one pass."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple

from chalicelib.lead.intent.language import Language
from chalicelib.lead.intent.tokens import JOINED, PAUSE, STOP, plain_text

WIDEST_GAP = 4
NEGATED_WITHIN = 3
"""How many words before a phrase a "not" may stand to take it back."""
MOST_FOUND = 400
"""Most places of phrases that are looked at in one message."""
SHORTEST_MENDED = 7
"""Words of so many letters and more are known with one slip in them."""
LONG_WORD = 9
"""Shorter words that differ by one letter are mostly two words."""

GAP, ANY, STEM = "...", "_", "*"

_APART = str.maketrans({"-": " ", "'": " ", ",": " "})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_LATIN = str.maketrans(
    {
        **dict(zip("абвгґдезіїиклмнопрстуф", "abvhgdeziiyklmnoprstuf", strict=True)),
        "ж": "zh",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ю": "yu",
        "я": "ya",
        "є": "ye",
        "ь": "",
        "'": "",
        "й": "y",
    }
)


class Term(NamedTuple):
    """One phrase, and how many points it has for a label; two double the odds.

    Attributes:
        name: what it is called in explanations and when points are set otherwise.
        words: its words; STEM at the end of one is any ending, ANY is a word, GAP some words.
    """

    name: str
    label: str
    points: int
    words: tuple[str, ...]


class Hit(NamedTuple):
    """A term where it stands in a message.

    Attributes:
        start, end: places of tokens, the end not included.
        is_negated: the message says that it is not so.
    """

    term: Term
    start: int
    end: int
    is_negated: bool = False


@dataclass(frozen=True)
class Index:
    """Terms by their first word."""

    by_word: Mapping[str, tuple[Term, ...]]
    by_stem: Mapping[str, tuple[Term, ...]]
    stem_lengths: tuple[int, ...]


@dataclass(frozen=True)
class Lexicon:
    """What is known of one language.

    Attributes:
        lists: sections that hold words by place: weekdays, months, units, numbers.
        before, within: words that lead in a last day, or a length of time.
    """

    index: Index
    negation: frozenset[str] = frozenset()
    negation_after: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()
    before: frozenset[tuple[str, ...]] = frozenset()
    within: frozenset[tuple[str, ...]] = frozenset()
    lists: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@cache
def lexicon_of(language: Language) -> Lexicon:
    """Read what is known of a language; once in the life of a process."""
    text = files("chalicelib.lead.data").joinpath(f"intent_{language}.txt").read_text("utf-8")
    terms: list[Term] = []
    words: dict[str, frozenset[str]] = {}
    phrases: dict[str, frozenset[tuple[str, ...]]] = {}
    lists: dict[str, dict[str, int]] = {}
    for section, lines in _sections(text):
        # The whole section at once, for thousands of small steps would slow a cold start.
        spelt = [_bare(lines)]
        if language == "de":
            spelt.append(_bare(lines.translate(_UMLAUTS)))
        if language == "uk":
            spelt.append(_bare(lines.translate(_LATIN)))
        if section in ("negation", "negation after", "but", "past"):
            words[section] = frozenset(spelt[0].split())
        elif section in ("before", "within"):
            phrases[section] = frozenset(tuple(part.split()) for part in spelt[0].split("|"))
        elif section in ("weekdays", "months", "units", "numbers"):
            lists[section] = {
                word: place
                for one in reversed(spelt)
                for place, group in enumerate(one.split(":"))
                for word in group.split()
            }
        else:
            found = [term for one in spelt for term in _terms(section, lines, one)]
            terms += dict.fromkeys(found) if len(spelt) > 1 else found
    return Lexicon(
        index=index_of(terms),
        negation=words["negation"],
        negation_after=words.get("negation after", frozenset()),
        but=words["but"],
        past=words["past"],
        before=phrases["before"],
        within=phrases["within"],
        lists=lists,
    )


def term_of(name: str, label: str, points: int) -> Term:
    """Make a term of a phrase as it is written in the data or by an admin."""
    return Term(" ".join(name.split()), label, points, tuple(_bare(name.casefold()).split()))


def index_of(terms: Iterable[Term]) -> Index:
    """Put terms under their first words, so that a message is gone through once."""
    by_word: dict[str, list[Term]] = {}
    by_stem: dict[str, list[Term]] = {}
    for term in terms:
        if not term.words:
            continue
        first = term.words[0]
        is_stem = first.endswith(STEM)
        (by_stem if is_stem else by_word).setdefault(first.rstrip(STEM), []).append(term)
    return Index(
        by_word={word: tuple(found) for word, found in by_word.items()},
        by_stem={stem: tuple(found) for stem, found in by_stem.items()},
        stem_lengths=tuple(sorted({len(stem) for stem in by_stem})),
    )


def mended(tokens: Sequence[str], language: Language) -> list[str]:
    """Put slips right in long words: a letter left out, put in, exchanged or swapped."""
    slips = _slips(language)
    found = list(tokens)
    for place, token in enumerate(tokens):
        if len(token) < SHORTEST_MENDED or not token.isalpha():
            continue
        meant = slips.get(token)
        if meant is None:
            shorter = (token[:at] + token[at + 1 :] for at in range(len(token)))
            meant = next((slips[one] for one in shorter if one in slips), None)
        if meant is not None and meant[0] == token[0] and _is_slip(meant, token):
            found[place] = meant
    return found


def _is_slip(meant: str, token: str) -> bool:
    """Say whether two words differ as by a slip; one letter for another only in a long word."""
    if len(meant) != len(token):
        return abs(len(meant) - len(token)) == 1
    return len(token) >= LONG_WORD or sorted(meant) == sorted(token)


def find(tokens: Sequence[str], lexicon: Lexicon, least: int = 1) -> list[Hit]:
    """Find the terms of a lexicon in a message, each where it stands.

    Args:
        tokens: of the message.
        lexicon: whose terms and words of negation count.
        least: terms with fewer points, for or against, do not count.
    """
    hits = []
    for place, term in _started(tokens, lexicon.index):
        end = _end(tokens, place, term.words) if abs(term.points) >= least else 0
        if end:
            hits.append(Hit(term, place, end, _is_negated(tokens, place, end, lexicon)))
            if len(hits) == MOST_FOUND:
                break
    return hits


def _started(tokens: Sequence[str], index: Index) -> Iterator[tuple[int, Term]]:
    for place, token in enumerate(tokens):
        for term in index.by_word.get(token, ()):
            yield place, term
        for length in index.stem_lengths:
            if length > len(token):
                break
            for term in index.by_stem.get(token[:length], ()):
                yield place, term


def _end(tokens: Sequence[str], place: int, words: Sequence[str]) -> int:
    """Say where a phrase ends that begins at a place; 0 when it is another one."""
    here = place + 1
    for number, word in enumerate(words[1:], 1):
        if word == GAP:
            reach = tokens[here : here + WIDEST_GAP + 1]
            for step, token in enumerate(reach):
                if token in (STOP, PAUSE):
                    return 0
                if _fits(token, words[number + 1]):
                    here += step
                    break
            else:
                return 0
            continue
        if here >= len(tokens) or not _fits(tokens[here], word):
            return 0
        here += 1
    return here


def _fits(token: str, word: str) -> bool:
    if word == ANY:
        return token not in (STOP, PAUSE)
    return token.startswith(word[:-1]) if word[-1] == STEM else token == word


def _is_negated(tokens: Sequence[str], start: int, end: int, lexicon: Lexicon) -> bool:
    for token in reversed(tokens[max(start - NEGATED_WITHIN, 0) : start]):
        if token in (STOP, PAUSE) or token in lexicon.but:
            break
        if token in lexicon.negation:
            return True
    if not lexicon.negation_after:
        return False
    for token in tokens[end : end + NEGATED_WITHIN]:
        if token in (STOP, PAUSE) or token in lexicon.but:
            break
        if token in lexicon.negation_after:
            return True
    return False


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split("\n[")[1:]:
        name, _, lines = part.partition("]\n")
        yield name, lines.strip().casefold()


def _bare(phrases: str) -> str:
    """Write phrases as messages are written when they are read."""
    return plain_text(JOINED.sub("", phrases)).translate(_APART)


def _terms(label: str, lines: str, spelt: str) -> Iterator[Term]:
    """Read lines of points and phrases.

    Args:
        lines: as people see them.
        spelt: the same, as a message may spell them.
    """
    for line, bare in zip(lines.split("\n"), spelt.split("\n"), strict=True):
        points, _, shown = line.partition(" ")
        _, _, phrases = bare.partition(" ")
        for name, phrase in zip(shown.split("|"), phrases.split("|"), strict=True):
            yield Term(name.strip(), label, int(points), tuple(phrase.split()))


@cache
def _slips(language: Language) -> dict[str, str]:
    """Give words of a language by what is left of them without one letter, and by themselves."""
    index = lexicon_of(language).index
    listed = chain.from_iterable((*index.by_word.values(), *index.by_stem.values()))
    known = {word for term in listed if term.label != "spam" for word in term.words}
    long = [word for word in sorted(known) if len(word) >= SHORTEST_MENDED and word.isalpha()]
    slips = {word[:at] + word[at + 1 :]: word for word in long for at in range(len(word))}
    return slips | {word.rstrip(STEM): word.rstrip(STEM) for word in known}
