"""Values of a company's own fields, typed as its configuration says."""

import re
import unicodedata
from typing import NamedTuple

from chalicelib.config.model import CustomField
from chalicelib.lead.model import Answer
from chalicelib.lead.text import LONGEST_MESSAGE, clean_line, clean_message, fold, words

Custom = str | int | bool | tuple[str, ...]

YES = words(
    "yes y true t on 1 checked x ok ja j oui o si s sim tak da ano igen kylla evet ne'am naam hai"
    " да так ναι はい 是 예 네 כן نعم हाँ ✓ ✔ ☑ agree agreed accepted opt-in"
)
NO = words(
    "no n false f off 0 unchecked nein non nao nie nee nej nei ne nem ei hayir не нет ні όχι"
    " いいえ 否 不 아니요 לא لا नहीं ✗ ✘ ☐ opt-out declined"
)

_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([.,'’\u00a0\u202f ])\d{3})(?:\1\d{3})*")
_PLAIN = re.compile(r"[+-]?\d{1,18}(?:[.,]\d{1,18})?")
_RANGE = re.compile(
    r"(?P<low>\d[\d.,'’\u00a0\u202f ]*)(?P<thousand>\s?k)?\s*"
    r"(?:(?:-|–|—|to|bis|à|a|do|до|~|〜)\s*\d[\d.,'’\u00a0\u202f ]*\s?k?"
    r"|\+|\s?or more|\s?oder mehr)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\s+(?:employees|people|persons|staff|users|seats|mitarbeiter(?:innen|/-?innen)?|personen"
    r"|employés|salariés|personnes|empleados|personas|dipendenti|persone|medewerkers|pracowników"
    r"|сотрудников|человек)$",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"(?P<number>\d{1,9})\s?k", re.IGNORECASE)
_LONGEST_NUMBER = 60


class Read(NamedTuple):
    """A custom value, and what was noticed; None means that the answer could not be read."""

    value: Custom | None
    notes: tuple[str, ...] = ()


def clean_custom(answer: Answer, field: CustomField) -> Read:
    """Read an answer as a custom field's type.

    - text: as given, cleaned; several answers stay several.
    - number: an int, or exact text when it is not whole (`1.5`); of a range such as 51-200, 500+
      or 10k the lower bound, with the note `range`; grouped thousands (1.000, 1,000) are whole.
    - boolean: from yes and no, true and on and 1 and so on, in several languages.
    - choice: the configured spelling, case and accents apart; an answer that is none of them is
      kept with the note `unknown_choice`.
    - list: always several texts.
    """
    texts = tuple(filter(None, (_clean(text) for text in _as_tuple(answer))))
    if not texts:
        return Read(None)
    match field.type:
        case "list":
            return Read(texts)
        case "number":
            return _number(texts[0])
        case "boolean":
            return _boolean(texts[0])
        case "choice":
            return _choice(texts, field.choices)
        case "text":
            return Read(texts[0] if len(texts) == 1 else texts)


def _as_tuple(answer: Answer) -> tuple[str, ...]:
    return (answer,) if isinstance(answer, str) else answer


def _clean(text: str) -> str:
    return clean_message(text, LONGEST_MESSAGE)[0]


def _number(text: str) -> Read:
    """Read a number exactly; never by way of a float."""
    if len(text) > _LONGEST_NUMBER:
        return Read(None, ("unreadable",))
    plain = clean_line("".join(_ascii_digit(character) for character in text))[0].lstrip("<>~≥≤ ")
    plain = _COUNTED.sub("", plain)
    exact = _exact(plain)
    if exact is not None:
        return Read(exact, ("range",) if text[0] in "<>~≥≤" else ())
    if thousands := _THOUSANDS.fullmatch(plain):
        return Read(int(thousands["number"]) * 1000)
    if span := _RANGE.fullmatch(plain):
        low = _exact(span["low"].strip())
        if isinstance(low, int):
            return Read(low * 1000 if span["thousand"] else low, ("range",))
    return Read(None, ("unreadable",))


def _exact(text: str) -> int | str | None:
    """Give an int for a whole number, text for another, None for what is no number."""
    if _GROUPED.fullmatch(text):
        return int("".join(c for c in text if c.isdigit() or c in "+-"))
    if not _PLAIN.fullmatch(text):
        return None
    whole, _, part = text.replace(",", ".").partition(".")
    return f"{int(whole)}.{part}" if part.strip("0") else int(whole)


def _ascii_digit(character: str) -> str:
    """Write a digit of any script as ASCII."""
    if character.isascii():
        return character
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _boolean(text: str) -> Read:
    word = text.casefold().rstrip(".!")
    for known, value in ((YES, True), (NO, False)):
        if word in known or fold(word) in known:
            return Read(value)
    first = fold(word).partition(" ")[0]
    if first in {"yes", "ja", "oui", "si", "tak"}:
        return Read(True)
    if first in {"no", "nein", "non", "nie"}:
        return Read(False)
    return Read(None, ("unreadable",))


def _choice(texts: tuple[str, ...], choices: tuple[str, ...]) -> Read:
    """Give the spelling of the configuration for what was picked."""
    known = {fold(choice): choice for choice in choices}
    picked = tuple(known.get(fold(text), text) for text in texts)
    notes = () if set(picked) <= set(choices) or not choices else ("unknown_choice",)
    return Read(picked[0] if len(picked) == 1 else picked, notes)
