"""What a value looks like: an e-mail address, a phone number, a time ...; only for proposals."""

import re
from collections.abc import Sequence

SHAPES = {
    "email": re.compile(r"[^\s@,;<>]{1,64}@[^\s@,;<>]{1,190}\.[^\s@.,;<>]{2,24}"),
    "url": re.compile(r"(https?://|www\.)\S{3,}|([a-z0-9-]{2,}\.)+(com|org|net|de|io|eu|co\.uk)/?"),
    "yes_no": re.compile(
        r"(y|n|yes|no|true|false|0|1|x|ja|nein|j|oui|non|o|si|sí|s|sim|nao|não|tak|nie|nee|nej"
        r"|opt-?in|opt-?out)",
        re.IGNORECASE,
    ),
    "moment": re.compile(
        r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2})?.*)?"
        r"|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})([T ,]+\d{1,2}:\d{2}(:\d{2})?( ?[ap]\.?m\.?)?)?",
        re.IGNORECASE,
    ),
    "rounded": re.compile(r"[+-]?\d[.,]\d+E\+?\d+", re.IGNORECASE),
    "phone": re.compile(r"[+(]?\d[\d ()./-]{5,22}\d"),
    "number": re.compile(r"[+-]?\d+([.,]\d+)?"),
}
"""By name, the strictest first; a value has the first shape that fits."""

_DAY_MONTH = re.compile(r"(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d{2})\b")


def shape_of(text: str) -> str:
    """Name the shape of a value; empty for text of any other kind."""
    return next((name for name, shape in SHAPES.items() if shape.fullmatch(text)), "")


def share(texts: Sequence[str], *shapes: str) -> float:
    """Say how many of some values have one of some shapes: 0 to 1."""
    found = [shape_of(text) for text in texts]
    return sum(shape in shapes for shape in found) / len(found) if found else 0.0


def order_of(texts: Sequence[str]) -> tuple[str, bool]:
    """Tell the order of day and month: `dmy` or `mdy`, and whether the values prove it."""
    firsts, seconds, dots = 0, 0, False
    for text in texts:
        if match := _DAY_MONTH.match(text):
            firsts, seconds = max(firsts, int(match[1])), max(seconds, int(match[3]))
            dots = dots or match[2] == "."
    if seconds > 12 >= firsts:
        return "mdy", True
    # A dot stands between day and month only where the day comes first.
    return "dmy", firsts > 12 or dots or not firsts
