"""What a form's questions look like: labels, and the shapes of what is answered; never an answer.

Of an answer nothing is kept but its shape. Of short answers that may be choices 16 bits of a hash
are kept too, which thousands of texts share.
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal, get_args

from pydantic import Field

from chalicelib.config.model import CustomField
from chalicelib.lead.data.questions import IDLE, NO_FIELD, OTHER_PERSON, VAGUE, WORDS
from chalicelib.lead.model import Answer, Model
from chalicelib.lead.text import fold
from chalicelib.spelling import NAMES, is_no, is_yes

Shape = Literal[
    "email", "phone", "url", "date", "yes_no", "number", "code", "word", "name", "short", "text"
]
"""word: one capitalised word; name: several; code: letters with digits; short: up to six words."""

SHAPES: tuple[Shape, ...] = get_args(Shape)

Group = Literal["email", "phone", "url", "date", "yes_no", "number", "words"]
"""Shapes that one question may have side by side count as one group."""

FITS: Mapping[str, Mapping[str, float]] = {
    "email": {"email": 1},
    "phone": {"phone": 1, "number": 0.4},
    "website": {"url": 1},
    "company_domain": {"url": 1},
    "full_name": {"name": 1, "word": 0.3, "short": 0.4},
    "first_name": {"word": 1, "name": 0.4, "short": 0.2},
    "last_name": {"word": 1, "name": 0.4, "short": 0.2},
    "company": {"name": 1, "word": 1, "short": 1, "code": 0.5, "text": 0.2},
    "job_title": {"name": 1, "word": 1, "short": 1, "text": 0.2},
    "message": {"text": 1, "short": 0.7, "name": 0.3, "word": 0.2},
    "street": {"short": 1, "code": 1, "name": 0.6, "word": 0.3, "text": 0.3},
    "city": {"word": 1, "name": 1, "short": 0.6},
    "region": {"word": 1, "name": 1, "short": 0.6},
    "postal_code": {"number": 1, "code": 1, "phone": 0.3},
    "country": {"word": 1, "name": 1, "short": 0.6, "code": 0.4},
    "language": {"word": 1, "short": 0.8, "code": 0.4},
    "time_zone": {"short": 1, "word": 0.8, "text": 0.3},
    "date_of_birth": {"date": 1},
}
"""How well answers of a shape fit a contact field, 0 to 1."""

TYPED: Mapping[str, Mapping[str, float]] = {
    "number": {"number": 1},
    "boolean": {"yes_no": 1, "word": 0.3},
}
"""The same for custom fields of a type; any answer fits the others."""

MOST_OPTIONS = 12
MOST_LABELS = 6
LONGEST_LABEL = 200
ENOUGH = 8
"""Answers from which on a question's shape is known."""

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]{2,}")
_URL = re.compile(r"(https?://\S+|www\.\S+|([a-z0-9-]+\.)+[a-z]{2,}(/\S*)?)", re.IGNORECASE)
_DATE = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./-])\d{1,2}\2(\d{4}|\d{2}))([T ].{0,20})?", re.ASCII
)
_NUMBER = re.compile(r"[€$£]?\s?\d{1,3}([.,'\s]?\d{1,3}){0,4}\s?[%€$£kK+]?")
_PHONE = re.compile(r"(tel:)?[+(]?[\d(][\d\s()./+-]{5,24}(\s?(ext|x)\.?\s?\d{1,5})?", re.IGNORECASE)
_CODE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9-]{2,15}( [A-Za-z0-9-]{1,8})?")
_NAME = re.compile(r"(Dr\.? |Prof\.? )?[^\W\d_][\w'’.-]*( [^\W\d_][\w'’.-]*){0,3}")
_SAID = frozenset({"ja", "nein", "oui", "non", "si", "sí"})


class Question(Model):
    """One question of a form, by what has been seen of it.

    Counts stop growing once the question is known; see form_change.KNOWN.
    """

    label: str = Field(default="", description="as last seen, without what was answered")
    labels: tuple[int, ...] = Field(default=(), description="digests of all labels it has had")
    field: str = Field(default="", description="the field that takes its answers now")
    seen: int = Field(default=0, description="submissions of the form since it was first there")
    given: int = Field(default=0, description="of those, how many answered it")
    shapes: Mapping[str, int] = Field(default_factory=dict, description="answers by shape")
    options: tuple[int, ...] = Field(default=(), description="digests of its short answers")
    is_open: bool = Field(default=False, description="too many different answers for choices")
    first_at: float = Field(default=0, description="seconds since 1970; its first delivery")
    missed: int = Field(default=0, description="not answered so often in a row until now")
    odd: Mapping[str, int] = Field(
        default_factory=dict, description="shapes that it did not have before, in a row until now"
    )
    odd_at: float = Field(default=0, description="when the first of those came")
    reworded: tuple[str, int] = Field(default=("", 0), description="a new label; how often, in row")
    fresh: tuple[int, ...] = Field(default=(), description="options that it did not have before")
    fresh_left: int = Field(default=0, description="answers in which more of those would count")
    beside: tuple[str, ...] = Field(
        default=(), description="new: questions that were answered together with it"
    )
    is_new: bool = Field(default=False, description="it came when the form was known already")
    is_gone: bool = Field(default=False, description="it is not asked any more")

    @property
    def rate(self) -> float:
        """Estimate how likely it is answered; never quite 0 or 1."""
        return (self.given + 1) / (self.seen + 2)

    @property
    def is_choice(self) -> bool:
        """Say whether its answers are picked from a few."""
        few = 0 < len(self.options) <= self.given / 4
        words = sum(n for shape, n in self.shapes.items() if group_of(shape) == "words")
        is_worded = words >= 0.8 * sum(self.shapes.values())
        return few and is_worded and not self.is_open and self.given >= 3 * ENOUGH / 2


def texts_of(answer: Answer) -> tuple[str, ...]:
    """Give what was answered as texts, without empty ones."""
    given = (answer,) if isinstance(answer, str) else answer
    return tuple(text for text in map(str.strip, given) if text)


LONGEST_SHAPED = 2000
"""Longer answers are looked at no further; an address of a page may be this long."""


def shape_of(text: str) -> Shape:
    """Say what an answer looks like."""
    if len(text) > LONGEST_SHAPED:
        return "text"
    text = " ".join(text.split())
    digits = sum(character.isdigit() for character in text)
    lower = text.lower()
    if _EMAIL.fullmatch(text.strip("<>,;").removeprefix("mailto:")):
        return "email"
    if lower in _SAID or ((is_yes(text) or is_no(text)) and not digits):
        return "yes_no"
    if _DATE.fullmatch(text):
        return "date"
    if _URL.fullmatch(text):
        return "url"
    is_bare = text.isdigit() and text[0] != "0"
    if digits >= 7 + 2 * is_bare and _PHONE.fullmatch(text):
        return "phone"
    if _NUMBER.fullmatch(text):
        return "number"
    if _CODE.fullmatch(text):
        return "code"
    words = text.split(" ")
    if _NAME.fullmatch(text) and text[0].isupper() and words[-1][0].isupper():
        return "name" if len(words) > 1 else "word"
    return "short" if len(words) <= 6 and len(text) <= 50 else "text"


def group_of(shape: str) -> Group:
    """Put shapes together that one question has side by side."""
    for group in ("email", "phone", "url", "date", "yes_no", "number"):
        if shape == group:
            return group
    return "words"


def digest_of_text(text: str) -> int:
    """Give 16 bits that tell a choice or label from others of the same question."""
    return zlib.crc32(fold(text).encode()) & 0xFFFF


def label_without(label: str, answers: Iterable[Answer]) -> str:
    """Take out of a label what the person answered, for some forms address people by name."""
    for answer in answers:
        for text in texts_of(answer):
            if len(text) > 2 and text != label and text in label:
                label = label.replace(text, "…")
    return " ".join(label.split())[:LONGEST_LABEL]


def fit(field: str, shapes: Mapping[str, int], custom: Mapping[str, CustomField]) -> float:
    """Say how well answers of some shapes fit a field, 0 to 1; 0.6 for answers nobody has seen."""
    total = sum(shapes.values())
    if not total:
        return 0.6
    fits = FITS.get(field)
    if fits is None:
        fits = TYPED.get(custom[field].type) if field in custom else None
        if fits is None:
            return 0.9
    return sum(fits.get(shape, 0) * count for shape, count in shapes.items()) / total


def likeness(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Say how alike two distributions of shapes are, 0 to 1."""
    first, second = sum(one.values()), sum(other.values())
    if not first or not second:
        return 0.5
    by_shape = sum(min(one.get(s, 0) / first, other.get(s, 0) / second) for s in SHAPES)
    # Of words few answers say little about which shapes there are.
    by_group = 0.0
    for group in {group_of(shape) for shape in one}:
        shares = (
            sum(n for shape, n in each.items() if group_of(shape) == group) / total
            for each, total in ((one, first), (other, second))
        )
        by_group += min(shares)
    return (by_shape + by_group) / 2


def stems(text: str) -> frozenset[str]:
    """Give what is left of a label or key when words that say nothing are gone."""
    return frozenset(
        word[:6]
        for word in _words(text)
        if word.isalpha() and len(word) > 2 and word not in _idle()
    )


def alike(one: str, other: str) -> float:
    """Say how much two labels or keys say the same, 0 to 1."""
    first, second = stems(one), stems(other)
    if not first or not second:
        return 0.0
    return len(first & second) / len(first | second)


def meanings(text: str, custom: Mapping[str, CustomField]) -> dict[str, float]:
    """Say which fields a label or key speaks of, each 0 to 1.

    The longest wordings are found first and what they cover is not looked at again. Words such as
    `name` count little beside others.
    """
    words = _words(text)
    found: dict[str, float] = {}
    rest = list(words)
    for phrase, fields in _phrases():
        if place := _find(rest, phrase):
            for field in fields:
                strength = 1.0 if len(phrase) == len(words) else 0.9
                found[field] = max(found.get(field, 0), strength)
            rest[place[0] : place[1]] = [""] * len(phrase)
    for word in rest:
        for phrase, fields in _phrases():
            (stem,) = phrase if len(phrase) == 1 else ("",)
            if len(stem) > 4 and len(word) > len(stem) and stem in word:
                for field in fields:
                    found[field] = max(found.get(field, 0), 0.7)
    weight = 0.3 if found else 0.65
    for word in rest:
        for field in VAGUE.get(word, ()):
            found[field] = max(found.get(field, 0), weight)
    for field_id, field_of_ours in custom.items():
        if strength := _custom_meaning(stems(text), field_of_ours):
            found[field_id] = strength
    return found


def says_other_person(text: str) -> bool:
    """Say whether a label speaks of somebody else than who fills in the form."""
    words = _words(text)
    return any(_find(words, phrase) for phrase in _listed(OTHER_PERSON))


def says_no_field(text: str) -> bool:
    """Say whether a label asks for what no contact field is for."""
    words = _words(text)
    return any(_find(words, phrase) for phrase in _listed(NO_FIELD))


def _custom_meaning(said: frozenset[str], field: CustomField) -> float:
    best = 0.0
    for name in (field.id, field.title):
        wanted = stems(name)
        if wanted:
            best = max(best, 0.9 * len(wanted & said) / len(wanted))
    return best if best >= 0.4 else 0.0


def _words(text: str) -> list[str]:
    return fold(_CAMEL.sub(" ", text)).split()


def _find(words: list[str], phrase: tuple[str, ...]) -> tuple[int, int] | None:
    for start in range(len(words) - len(phrase) + 1):
        if tuple(words[start : start + len(phrase)]) == phrase:
            return start, start + len(phrase)
    return None


@cache
def _listed(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(fold(part).split()) for part in text.split("|"))


@cache
def _idle() -> frozenset[str]:
    return frozenset(IDLE.split())


@cache
def _phrases() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Give all wordings with the fields that they mean, the longest first."""
    by_phrase: dict[tuple[str, ...], list[str]] = {}
    for field, names in NAMES.items():
        for name in names:
            by_phrase.setdefault(tuple(fold(name).split()), []).append(field)
    for field, text in WORDS.items():
        for phrase in _listed(text):
            by_phrase.setdefault(phrase, []).append(field)
    plain = {phrase: fields for phrase, fields in by_phrase.items() if phrase[0] not in VAGUE}
    longer = {phrase: fields for phrase, fields in by_phrase.items() if len(phrase) > 1}
    every = {**plain, **longer}
    order = sorted(every, key=lambda phrase: (-len(phrase), -len("".join(phrase)), phrase))
    return tuple((phrase, tuple(dict.fromkeys(every[phrase]))) for phrase in order)
