"""Lead text made fit to be shown: no control characters, no line breaks, no more than so much."""

import re

CUT = "…"

NEAR = 10
"""What is further away than so many times the length wanted is not worth cleaning."""

_BREAKS = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
# Controls, and the marks that turn the direction of everything after them: an unclosed one in a
# name would write our own words and links backwards.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f"
    r"\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BLANKS = re.compile(r"\s+")
# No script stacks more than a handful of marks on a letter; more of them hide the lines around.
_STACKED = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def one_line(text: str, most: int) -> str:
    """Give text as one line of at most so many characters; an ellipsis says that it was cut."""
    near = text[: most * NEAR]
    line = _BLANKS.sub(" ", _clean(_BREAKS.sub(" ", near))).strip()
    return _cut(line, most, is_whole=len(near) == len(text))


def lines(text: str, most: int, most_lines: int) -> tuple[str, ...]:
    """Give text as its lines, cut to so many lines and so many characters in all.

    Never two empty lines in a row and none at either end; no text gives no lines.
    """
    near = text[: most * NEAR]
    kept: list[str] = []
    for line in _BREAKS.split(near):
        clean = _clean(line).replace("\t", " ").rstrip()
        if clean or (kept and kept[-1]):
            kept.append(clean)
    is_whole = len(kept) <= most_lines and len(near) == len(text)
    shown = _cut("\n".join(kept[:most_lines]).rstrip(), most, is_whole)
    return tuple(shown.split("\n")) if shown else ()


def _clean(text: str) -> str:
    return _STACKED.sub(r"\1", _UNSEEN.sub("", text))


def _cut(text: str, most: int, is_whole: bool) -> str:
    if is_whole and len(text) <= most:
        return text
    return text[: most - 1].rstrip() + CUT
