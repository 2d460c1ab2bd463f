"""Cleaning of text that strangers sent: one visible line, or a message with its lines."""

import re
import unicodedata

LONGEST_NAME = 200
LONGEST_MESSAGE = 10_000
LONGEST_FIELD = 500

MOST_MARKS = 8
"""Combining marks on one letter; no script needs more, and a thousand make a page unreadable."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Controls, noncharacters, and what takes no space: soft hyphen, zero-width space, word joiner,
# byte order mark, interlinear marks, tag characters. Joiners (U+200C, U+200D) and direction marks
# (U+200E, U+200F) stay, for Persian, Indic scripts and emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u180e\u200b\u2060-\u2064\u206a-\u206f\ufdd0-\ufdef"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_BLANK_LINES = re.compile(r"\n{3,}")
_FOLDED_AWAY = re.compile("[\u0300-\u036f]")


def words(text: str) -> frozenset[str]:
    """Give the words of a list written out with blanks between them."""
    return frozenset(text.split())


def joined(value: object) -> str:
    """Write a value for people to read as one text; the parts of a list are parted by '; '."""
    return "; ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def storable(text: str) -> str:
    """Keep text as it was given, but for lone surrogates, which no storage takes."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def clean_line(raw: str, longest: int = LONGEST_FIELD) -> tuple[str, tuple[str, ...]]:
    """Make one visible line of text: NFC, single spaces, nothing hidden, cut when too long.

    Returns:
        The text, and notes: `bidi` when overrides of the reading direction were taken out,
        `cut` when something is missing at the end.
    """
    if raw.isascii() and raw.isprintable():
        text = " ".join(raw.split())
        return (text, ()) if len(text) <= longest else (text[:longest].rstrip(), ("cut",))
    visible, notes = _visible(raw)
    return _cut(" ".join(visible.split()), longest, notes)


def clean_message(raw: str, longest: int = LONGEST_MESSAGE) -> tuple[str, tuple[str, ...]]:
    """Make text of several lines fit for use; as `clean_line`, with at most one blank line."""
    visible, notes = _visible(raw)
    lines = "\n".join(" ".join(line.split()) for line in visible.splitlines())
    return _cut(_BLANK_LINES.sub("\n\n", lines).strip(), longest, notes)


def fold(text: str) -> str:
    """Reduce a word or name to what people mean by the same: case, accents, dots do not count."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = _FOLDED_AWAY.sub("", decomposed)
    plain = "".join(" " if unicodedata.category(c)[0] in "PZSC" else c for c in letters)
    return unicodedata.normalize("NFC", " ".join(plain.split()))


def _visible(raw: str) -> tuple[str, tuple[str, ...]]:
    """Take out what cannot be seen, and write the rest in one way."""
    text, overrides = _BIDI.subn("", _SURROGATE.sub("\ufffd", raw))
    text = unicodedata.normalize("NFC", _HIDDEN.sub("", text))
    return _thin_marks(text), ("bidi",) if overrides else ()


def _thin_marks(text: str) -> str:
    """Leave at most MOST_MARKS combining marks on a letter."""
    if text.isascii():
        return text
    run = 0
    kept = []
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= MOST_MARKS:
            kept.append(character)
    return text if len(kept) == len(text) else "".join(kept)


def _cut(text: str, longest: int, notes: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Cut at a whole letter: marks, joiners and variation selectors stay with theirs."""
    if len(text) <= longest:
        return text, notes
    end = longest
    while end and (
        unicodedata.category(text[end])[0] == "M" or "\u200d" in (text[end], text[end - 1])
    ):
        end -= 1
    return text[: end or longest].rstrip(), (*notes, "cut")
