"""Notification by e-mail to an owner, or to one fixed address, in the reader's language."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import formataddr, parseaddr
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo

from chalicelib.config.model import Destination
from chalicelib.destination import CLOCK_KINDS, DestinationKind, Notice, Tools
from chalicelib.destinations.excerpt import lines, one_line
from chalicelib.destinations.naming import first_name, full_name
from chalicelib.destinations.words import TEMPLATES, Words, words
from chalicelib.errors import Misconfigured
from chalicelib.lead.model import CONTACT_FIELDS, NAME_FIELDS
from chalicelib.storage import Mail

if TYPE_CHECKING:
    from jinja2 import Environment

# Gmail hides what lies beyond 102 KB of a mail; the cuts below keep the worst case under 100 KB
# of text and HTML together, four bytes a character and five for each escaped one.
LONGEST_VALUE = 120
LONGEST_LABEL = 60
LONGEST_MESSAGE = 2000
MOST_MESSAGE_LINES = 60
MOST_ROWS: Mapping[str, int] = {
    "contact": 16,
    "answers": 10,
    "score": 12,
    "campaign": 8,
    "consents": 5,
}

_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
# What a header gives a meaning to, and what mail programs differ about.
_NOT_IN_NAMES = re.compile(r"[^\w .&'+-]")
_PHONE_NUMBER = re.compile(r"\+[0-9]{6,15}")


@dataclass(frozen=True)
class Row:
    """One line of a section; `href` is empty unless the value may be tapped."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and its rows.

    Attributes:
        more: says how many rows are not shown; empty if none.
        is_quote: the rows are the lines of what the person wrote.
    """

    title: str
    rows: tuple[Row, ...]
    more: str = ""
    is_quote: bool = False


@dataclass(frozen=True)
class Link:
    """A link of ours."""

    label: str
    url: str


def send(notice: Notice, to: Destination, tools: Tools) -> str:
    """Send the notice as one mail; the proof is the message id."""
    return tools.send_mail(write(notice, to, tools.mail_from))


def write(notice: Notice, to: Destination, mail_from: str) -> Mail:
    """Write the mail that shows a notice; the same one for the same arguments.

    Raises:
        Misconfigured: nobody to send to, or an address that mail cannot carry.
    """
    say = words(notice.language)
    subject = _subject(notice, say)
    shown = _shown(notice, to, say) | {"subject": subject, "words": say}
    return Mail(
        sender=_sender(mail_from, notice.company),
        to=_recipient(notice, to),
        subject=subject,
        text=_templates().get_template("mail.txt").render(shown),
        html=_templates().get_template("mail.html").render(shown),
        headers={"X-Hub-Effect": notice.effect_id},
    )


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"], default_for_string=True),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _subject(notice: Notice, say: Words) -> str:
    """Name nothing of the lead but the first name: subjects show on locked screens and in logs."""
    texts = {
        "assigned": say.subject_assigned,
        "returned": say.subject_returned,
        "unowned": say.subject_unowned,
        "reminder": say.subject_reminder,
        "overdue": say.subject_overdue,
        "taken_back": say.subject_taken_back,
    }
    name = first_name(notice.profile, 40) or say.unnamed
    source = one_line(notice.source_title or notice.source_id, 60)
    # An ASCII subject is sent as it stands, so what looks like an encoded word would be decoded.
    return texts[notice.kind].format(name=name, source=source).replace("=?", "= ?")


def _sender(mail_from: str, company: str) -> str:
    name, address = parseaddr(one_line(mail_from, 320))
    if not address:
        raise Misconfigured("email: settings.mail_from is missing")
    sender = _ascii(address, "settings.mail_from")
    shown = one_line(_NOT_IN_NAMES.sub(" ", name or company[:LONGEST_LABEL]), LONGEST_LABEL)
    if shown.isascii():
        return formataddr((shown, sender))
    return f"{Header(shown, 'utf-8').encode(linesep='')} <{sender}>"


def _recipient(notice: Notice, to: Destination) -> str:
    if to.to == "address":
        return _ascii(to.address, "the destination's address")
    if notice.reader_email:
        return _ascii(notice.reader_email, "the e-mail address of whom it is for")
    if not notice.owner_id:
        raise Misconfigured("email: a lead without owner can only be told to a fixed address")
    return _ascii(notice.owner_email, f"the e-mail address of owner {notice.owner_id}")


def _ascii(address: str, where: str) -> str:
    """Give an address as SES takes it: ASCII before the at sign, Punycode after it."""
    from email_validator import EmailNotValidError, validate_email

    try:
        # Not asking the DNS, and taking the names that a test stage uses.
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Misconfigured(f"email: {where} is missing or not an address") from None
    if not found.ascii_email:
        raise Misconfigured(f"email: {where} must be ASCII before the at sign")
    return found.ascii_email


def _shown(notice: Notice, to: Destination, say: Words) -> dict[str, object]:
    """Give what the templates show, every value cut and cleaned; escaping is theirs."""
    is_to_owner = to.to == "owner" and bool(notice.owner_id or notice.reader_email)
    owner = one_line(notice.reader_name or notice.owner_name, LONGEST_LABEL)
    asks = notice.kind in ("assigned", "reminder", "overdue")
    pairs = [
        (say.accept, notice.accept_url if asks else ""),
        (say.decline, notice.decline_url if asks else ""),
        (say.open, notice.lead_url),
    ]
    company = one_line(notice.company, LONGEST_LABEL)
    return {
        "greeting": say.greeting.format(name=owner)
        if is_to_owner and owner
        else say.greeting_unnamed,
        "intro": _intro(notice, is_to_owner, say),
        "links": [Link(label, url) for label, url in pairs if url],
        "asks": asks and bool(notice.accept_url or notice.decline_url),
        "sections": _sections(notice, say),
        "footer": say.footer.format(company=company) if company else "",
    }


def _intro(notice: Notice, is_to_owner: bool, say: Words) -> str:
    if notice.kind == "unowned":
        return say.intro_unowned
    if notice.kind in CLOCK_KINDS:
        intros = {
            "reminder": say.intro_reminder,
            "overdue": say.intro_overdue,
            "taken_back": say.intro_taken_back,
        }
        return f"{intros[notice.kind]} {one_line(notice.because, LONGEST_MESSAGE)}".rstrip()
    if is_to_owner:
        return say.intro_assigned if notice.kind == "assigned" else say.intro_returned
    text = say.short_assigned if notice.kind == "assigned" else say.short_returned
    owner = one_line(notice.owner_name or notice.owner_id, LONGEST_LABEL) or say.nobody
    return text.format(owner=owner, name=full_name(notice.profile) or say.unnamed)


def _sections(notice: Notice, say: Words) -> list[Section]:
    score = notice.score
    total = say.score_line.format(total=score.total, fit=score.fit, engagement=score.engagement)
    terms = [
        Row(f"{term.points:+d}", one_line(term.because, LONGEST_VALUE)) for term in score.terms
    ]
    consents = [
        _row(
            consent.purpose,
            f"{say.consent_given if consent.given else say.consent_refused} {consent.wording}",
        )
        for consent in notice.consents
    ]
    message = lines(notice.message, LONGEST_MESSAGE, MOST_MESSAGE_LINES)
    sections = [
        _section(say.contact, _contact(notice.profile, say), MOST_ROWS["contact"], say),
        Section(say.message, tuple(Row("", line) for line in message), is_quote=True),
        _section(say.origin, _origin(notice, say), MOST_ROWS["contact"], say),
        _section(say.score, [Row("", total), *terms], MOST_ROWS["score"], say),
        _section(say.answers, _rows(notice.answers), MOST_ROWS["answers"], say),
        _section(say.campaign, _rows(notice.campaign), MOST_ROWS["campaign"], say),
        _section(say.consents, consents, MOST_ROWS["consents"], say),
    ]
    return [section for section in sections if section.rows]


def _section(title: str, rows: Iterable[Row], most: int, say: Words) -> Section:
    filled = [row for row in rows if row.value]
    left_out = len(filled) - most
    more = say.more.format(count=left_out) if left_out > 0 else ""
    return Section(title, tuple(filled[:most]), more)


def _contact(profile: Mapping[str, str], say: Words) -> list[Row]:
    """Give the contact fields in their usual order, then the custom ones."""
    rows = [_row(say.fields["name"], full_name(profile) or say.unnamed)]
    ordered = [name for name in CONTACT_FIELDS if name in profile]
    ordered += [name for name in profile if name not in CONTACT_FIELDS]
    for name in ordered:
        if name in NAME_FIELDS or name == "message":
            continue
        label = say.fields.get(name) or name.removeprefix("custom.").replace("_", " ")
        rows.append(_row(label, profile[name], _href(name, profile[name])))
    return rows


def _href(name: str, value: str) -> str:
    """Give a link for an address that can be nothing else; websites stay text."""
    if name == "email" and _MAIL_ADDRESS.fullmatch(value):
        return f"mailto:{quote(value, safe='@')}"
    if name == "phone" and _PHONE_NUMBER.fullmatch(value):
        return f"tel:{value}"
    return ""


def _origin(notice: Notice, say: Words) -> list[Row]:
    first_seen = _local(notice.first_seen_at, notice.time_zone) if notice.first_seen_at else ""
    owner = notice.owner_name or notice.owner_id or say.nobody
    return [
        _row(say.source, notice.source_title or notice.source_id),
        _row(say.form, notice.form_title),
        _row(say.first_seen, first_seen),
        _row(say.owner, owner),
        _row(say.rule, notice.rule_title),
        _row(say.why, "" if notice.kind in CLOCK_KINDS else notice.because),
    ]


def _local(moment: datetime, time_zone: str) -> str:
    """Write a time where the reader is; an unknown zone must not hold up a notification."""
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


def _rows(values: Mapping[str, str]) -> list[Row]:
    return [_row(key, value) for key, value in values.items()]


def _row(label: str, value: str, href: str = "") -> Row:
    return Row(one_line(label, LONGEST_LABEL), one_line(value, LONGEST_VALUE), href)


destination = DestinationKind(kind="email", title="E-mail", is_repeatable=False, send=send)
