"""Who is behind a mail: its sender, whom it answers to, or the person in a forwarded form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import getaddresses, parseaddr

from chalicelib.connector import first, spellings
from connectors.ses_email.letter import Letter

LABELLED = re.compile(r"[ \t>*]*([^\W\d_][^:\n]{0,59}?)\*?[ \t]*[:=](?!//)[ \t]*(\S[^\n]{0,999})?")
# Each part excludes what the next begins with, so that a text of nothing but @ takes no time.
ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'@]{1,64}@[^\s<>()\[\],;:\"'@.]+\.[^\s<>()\[\],;:\"'@.]")
NO_REPLY = re.compile(
    r"^(no-?reply|do-?not-?reply|wordpress|form|forms|website|web|notifications?)@"
)

FROM = ("from", "von", "de", "da", "van", "från", "fra", "od", "expéditeur", "mittente")
FORWARDED = re.compile(
    r"^[ >]*(-{2,}.{0,60}(forward|weitergeleitet|transf|reenvi|inoltrat|original|ursprüng|doorgest)"
    r".{0,60}-{2,}|begin forwarded message:|anfang der weitergeleiteten)",
    re.IGNORECASE | re.MULTILINE,
)
QUOTED = re.compile(
    r"^([ >]*(on|am|le|el|il|op) .{5,200}(wrote|schrieb|écrit|escribió|ha scritto|schreef).{0,80}:"
    r"\s*|_{10,}|-{2,} ?(original message|ursprüngliche nachricht|message d'origine) ?-{2,})$",
    re.IGNORECASE | re.MULTILINE,
)
LEAST_LABELS = 2
"""So many lines `label: value` make a mail the mail of a form."""

NAMES = spellings()


@dataclass(frozen=True)
class Person:
    """Who it is and what they say.

    Attributes:
        fields: label -> value of a mail that a form sent.
        text: what is left to be read as their message.
    """

    email: str
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


def person_of(letter: Letter, own_domains: tuple[str, ...]) -> Person:
    """Find the person: in a form's lines, in Reply-To, in a forwarded mail, then in From.

    Args:
        letter: the mail.
        own_domains: of the company and of its form mailers, whose addresses are nobody's.
    """
    from_name, sender = parseaddr(letter.header("from"))
    is_ours = _is_own(sender, own_domains) or bool(NO_REPLY.match(sender))
    text = letter.text
    inner = FORWARDED.search(text) if is_ours else None
    if inner:
        text = text[inner.end() :]
        head = _labelled(text[:2000])
        name, email = parseaddr(first({k.lower(): (v,) for k, v in head.items()}, *FROM))
        body = re.split(r"\n[ >]*\n", text.strip(), maxsplit=1)[-1]
        if email and not _is_own(email, own_domains) and not NO_REPLY.match(email):
            return Person(email, name, text=_own_words(body))
        text = body
    fields = _labelled(text)
    told = _told(fields)
    if len(told) >= LEAST_LABELS and _email_in(fields):
        return Person("", "", fields, text.strip())
    for name, email in getaddresses([letter.header("reply-to")]):
        if email and not _is_own(email, own_domains):
            return Person(
                email, name, fields if len(told) >= LEAST_LABELS else {}, _own_words(text)
            )
    if is_ours:
        return Person("", "", fields, text.strip())
    return Person(sender, from_name, text=_own_words(text))


def _is_own(email: str, own_domains: tuple[str, ...]) -> bool:
    domain = email.lower().rpartition("@")[2]
    return any(domain == own or domain.endswith(f".{own}") for own in own_domains)


def _labelled(text: str) -> dict[str, str]:
    """Read lines `label: value`; a value may stand on the line below, as some form mailers do."""
    found: dict[str, str] = {}
    lines = text.splitlines()[:500]
    for number, line in enumerate(lines):
        match = LABELLED.fullmatch(line.rstrip())
        if not match:
            continue
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        value = match[2] or ("" if LABELLED.fullmatch(below) else below)
        if value:
            found.setdefault(match[1].strip(), value.strip())
    return found


def _told(fields: Mapping[str, str]) -> list[str]:
    """Give the labels that name contact fields."""
    return [label for label in fields if label in NAMES or label.lower() in NAMES]


def _email_in(fields: Mapping[str, str]) -> bool:
    return any(
        NAMES.get(label, NAMES.get(label.lower())) == "email" and ADDRESS.search(value)
        for label, value in fields.items()
    )


def _own_words(text: str) -> str:
    """Cut off what an answer quotes."""
    quoted = QUOTED.search(text)
    kept = text[: quoted.start()] if quoted else text
    lines = [line for line in kept.splitlines() if not line.lstrip().startswith(">")]
    return "\n".join(lines).strip() or text.strip()
