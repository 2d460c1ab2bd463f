"""What of a submission is compared with others: a few plain texts."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from chalicelib.lead.edits import edits_in_force
from chalicelib.lead.matching.fillers import (
    is_filler,
    is_filler_date,
    is_filler_mail,
    is_filler_phone,
)
from chalicelib.lead.matching.names import name_of
from chalicelib.lead.model import Edit, Touch
from chalicelib.lead.text import joined

_OTHER = re.compile(r"[^a-z0-9]+")
_APOSTROPHES = re.compile("['’`´ʼ]")
_DIGITS = re.compile(r"[0-9]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_TAG = re.compile(r"(?<=.)\+[^@]*@")
_ADDRESS = re.compile(r"[^\s<>\"',;]+@[^\s<>\"',;]+")


@dataclass(frozen=True, slots=True)
class Record:
    """One touch as it is compared; text is plain (`a-z`, `0-9`, single blanks), empty if unknown.

    Attributes:
        touch_id: of the touch.
        lead_id: of the lead that the touch is stored under.
        first: first names.
        last: family name; empty when the name is one word or cannot be split.
        email: in lower case, with its signs.
        phone: digits.
        born: date of birth as YYYYMMDD, or whatever digits were given.
        is_role: the address is a mailbox of several people, such as info@.
        is_free: the address is of a provider where anybody can have one.
        generation: 1 for Senior, 2 for Junior, 3 for III.
    """

    touch_id: str = ""
    lead_id: str = ""
    first: str = ""
    last: str = ""
    email: str = ""
    phone: str = ""
    born: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    company: str = ""
    job: str = ""
    is_role: bool = False
    is_free: bool = False
    generation: str = ""

    @property
    def is_person(self) -> bool:
        """Say whether a person's name is known; else it may be a firm's entry."""
        return bool(self.first or self.last)

    @property
    def is_firm(self) -> bool:
        """Say whether it stands for a firm: one is named, and nothing of a person is."""
        has_mail = bool(self.email) and not self.is_role
        return bool(self.company) and not self.is_person and not self.born and not has_mail

    def said(self) -> tuple[object, ...]:
        """Give all that is compared; two records that say the same add nothing to each other."""
        said: tuple[object, ...] = _said(self)
        return said

    def shrunk(self) -> list[str]:
        """Write it as a list of texts, without blanks at the end."""
        texts = ["1" if value is True else value or "" for value in _all(self)]
        while texts and not texts[-1]:
            texts.pop()
        return texts


_FIELDS = tuple(one.name for one in fields(Record))
_FLAGS = ("is_role", "is_free")
_all = attrgetter(*_FIELDS)
_said = attrgetter(*_FIELDS[2:])


def grown(texts: Sequence[str]) -> Record:
    """Read a record back from its list of texts."""
    given: dict[str, Any] = dict(zip(_FIELDS, texts, strict=False))
    for flag in _FLAGS:
        given[flag] = given.get(flag) == "1"
    return Record(**given)


def record_of(touch: Touch, lead_id: str) -> Record:
    """Make the record of a touch; what could not be made fit for use is compared as given.

    But for a company: what is no company's name is none to compare.
    """
    given = {**touch.unclean, "company": ""}
    given |= {field: value.value for field, value in touch.contact.items()}
    email = touch.contact.get("email")
    notes = email.notes if email else ()
    return record_from(given, touch.touch_id, lead_id, notes)


def record_of_edits(edits: Iterable[Edit], lead_id: str) -> Record:
    """Make the record of what people of ours set by hand."""
    by_hand = edits_in_force(edits)
    given = {field: joined(edit.value) for field, edit in by_hand.items()}
    newest = max((edit.event_id for edit in by_hand.values()), default="")
    notes = by_hand["email"].notes if "email" in by_hand else ()
    return record_from(given, newest, lead_id, notes)


def record_from(
    given: Mapping[str, str], touch_id: str, lead_id: str, notes: Collection[str] = ()
) -> Record:
    """Make a record of the values of contact fields; what only fills its field is left out.

    Args:
        given: contact field -> clean value, or what was typed.
        touch_id: of the touch that they are from.
        lead_id: of the lead that it is stored under.
        notes: of the e-mail address.
    """
    first, last, generation = names_of(given)
    email = given.get("email", "").strip().lower()
    if " " in email or "<" in email:
        email = next(iter(_ADDRESS.findall(email)), email)
    phone = digits(given.get("phone", "").split(";")[0])
    born = digits(given.get("date_of_birth", ""))
    return Record(
        touch_id=touch_id,
        lead_id=lead_id,
        first=first,
        last=last,
        email="" if is_filler_mail(email) else _TAG.sub("@", email),
        phone="" if is_filler_phone(phone) else phone,
        born="" if is_filler_date(born) else born,
        street=_told(given, "street"),
        city=_told(given, "city"),
        region=_told(given, "region"),
        postal_code=_told(given, "postal_code").replace(" ", ""),
        company=_told(given, "company"),
        job=_told(given, "job_title"),
        is_role="role_address" in notes and not is_named_for(email, first, last),
        is_free="free_mail" in notes,
        generation=generation,
    )


def _told(given: Mapping[str, str], field: str) -> str:
    """Give a value, plain; empty when it only fills its field."""
    text = plain(given.get(field, ""))
    return "" if is_filler(text) else text


def is_named_for(email: str, first: str, last: str) -> bool:
    """Tell whether an address is made of the first letters of its writer's names."""
    local = email.partition("@")[0].rstrip("0123456789").replace(".", "")
    return bool(first and last) and local in (first[0] + last[0], last[0] + first[0])


def names_of(given: Mapping[str, str]) -> tuple[str, str, str]:
    """Give first name, family name and generation, plain; a full name is split if need be."""
    first, last, generation = _names_of(given)
    return "" if is_filler(first) else first, "" if is_filler(last) else last, generation


def _names_of(given: Mapping[str, str]) -> tuple[str, str, str]:
    first, of_first = name_of(plain(given.get("first_name", "")))
    last, of_last = name_of(plain(given.get("last_name", "")))
    if first or last:
        return first, last, of_first or of_last
    before, comma, after = given.get("full_name", "").partition(",")
    if comma and plain(after) and name_of(f"x {plain(after)}")[0] != "x":
        last, of_last = name_of(plain(before))
        first, of_first = name_of(plain(after))
        return first, last, of_first or of_last
    full, generation = name_of(plain(given.get("full_name", "")))
    first, _, last = full.rpartition(" ")
    return (first, last, generation) if first else (last, "", generation)


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Write text of any script in `a-z`, `0-9` and single blanks."""
    if not text.isascii():
        from anyascii import anyascii

        text = anyascii(text.translate(_UMLAUTS))
    return _OTHER.sub(" ", _APOSTROPHES.sub("", text.lower())).strip()


def digits(text: str) -> str:
    """Give the digits of a text."""
    return "".join(_DIGITS.findall(text))
