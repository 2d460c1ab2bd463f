"""What people type to get past a field: it is nobody's, and says nothing about who it is."""

import re

from chalicelib.lead.text import words

_FILLERS = frozenset(
    """
    n a, na na, none, null, nil, nan, unknown, undefined, not available, not applicable, not known,
    not given, no name, noname, nobody, anonymous, anonym, anonyme, test, tester, testing, dummy,
    sample, demo, asdf, asd, asdfasdf, qwerty, qwertz, x, xx, xxx, xxxx, tba, tbc, tbd, blank,
    empty, keine, keiner, keine angabe, unbekannt, leer, aucun, aucune, inconnu, ninguno, ninguna,
    desconocido, nessuno, sconosciuto, brak, geen
    """.replace("\n    ", " ")
    .strip()
    .split(", ")
)
"""Plain, as in `record.plain`."""

_FILLER_MAIL = words(
    """
    a aa aaa abc asd asdf qwerty x xx xxx test tester testing none no na nomail noemail noone nobody
    null unknown fake dummy spam mail email user me foo bar
    """
)
"""Before the @ and in the domain behind it, these make an address that is nobody's."""

_COUNTED = "0123456789012345678909876543210987654321"
_TOLD = 7
"""Last digits of a number that are looked at."""
_NO_DATES = frozenset({"19000101", "19010101", "19700101", "18991231", "18000101"})
"""What programs put where no date of birth was given."""

_SIGNS = re.compile(r"[^a-z]+")


def is_filler(plain: str) -> bool:
    """Tell a plain text that only fills its field, as `n a`, `test` or `unknown`."""
    return not plain.strip("0 ") or plain in _FILLERS


def is_filler_mail(email: str) -> bool:
    """Tell an address in lower case that only fills its field (test@test.com)."""
    local, _, domain = email.partition("@")
    name = _SIGNS.sub("", local)
    if not domain:
        return not name or name in _FILLER_MAIL
    host = _SIGNS.sub("", domain.partition(".")[0])
    return name in _FILLER_MAIL and (host in _FILLER_MAIL or host == name)


def is_filler_phone(digits: str) -> bool:
    """Tell digits that only fill their field: one digit over and over, or counted up or down."""
    told = digits[-_TOLD:]
    return len(set(told)) == 1 or (len(told) == _TOLD and told in _COUNTED)


def is_filler_date(digits: str) -> bool:
    """Tell a date of birth, as YYYYMMDD, that programs put where none was given."""
    return digits in _NO_DATES or len(set(digits)) == 1
