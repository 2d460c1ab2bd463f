"""One mail as it came: headers, text, attachments, and whether a person wrote it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import default
from html.parser import HTMLParser

MOST_PARTS = 200
LONGEST_TEXT = 100_000
LONGEST_HTML = 1_000_000
LONGEST_HEADER = 4_000
"""Longer ones are passed over: Python takes minutes to read what a stranger can write there."""

READ_HEADERS = (
    *("from", "reply-to", "subject", "content-language", "content-type", "return-path"),
    *("auto-submitted", "precedence", "x-autoreply", "x-autorespond", "x-auto-response"),
    *("x-auto-response-suppress", "list-unsubscribe", "list-id"),
)

NOBODY = re.compile(r"^(mailer-daemon|postmaster|double-bounce)@", re.IGNORECASE)
LISTS = frozenset({"bulk", "list", "junk", "auto_reply"})
BLOCKS = frozenset({"p", "div", "br", "tr", "li", "table", "ul", "ol", "h1", "h2", "h3", "h4"})
CELLS = frozenset({"td", "th"})
HIDDEN = frozenset({"style", "script", "head", "title", "template"})


@dataclass(frozen=True)
class Letter:
    """A mail.

    Attributes:
        headers: name and value, decoded.
        return_path: the envelope's sender; `<>` or empty is a bounce's.
        text: the plain part, else the HTML without its tags, table rows as `label: value`.
        attachments: `name (type, bytes)` of each.
        has_calendar: it answers or holds an invitation.
    """

    headers: tuple[tuple[str, str], ...]
    return_path: str = "?"
    text: str = ""
    attachments: tuple[str, ...] = ()
    has_calendar: bool = False

    def header(self, name: str) -> str:
        """Give a header's first value; empty if it is absent."""
        return next((v.strip() for n, v in self.headers if n.lower() == name.lower()), "")

    @property
    def subject(self) -> str:
        """Give the subject."""
        return self.header("subject")

    @property
    def language(self) -> str:
        """Give the language that the sender's program claims."""
        return self.header("content-language").partition(",")[0].strip()

    @property
    def is_automatic(self) -> bool:
        """Say whether no person wrote it: a bounce, an absence notice, a list (RFC 3834)."""
        submitted = self.header("auto-submitted").partition(";")[0].strip().lower()
        sender = self.return_path.strip()
        return (
            submitted not in {"", "no"}
            or self.header("precedence").lower() in LISTS
            or any(map(self.header, ("x-autoreply", "x-autorespond", "x-auto-response")))
            or self.header("x-auto-response-suppress").lower() == "all"
            or bool(self.header("list-unsubscribe") and self.header("list-id"))
            or sender in {"", "<>"}
            or bool(NOBODY.match(sender.strip("<>")))
            or self.header("content-type").lower().startswith("multipart/report")
            or self.has_calendar
        )


def letter_of(raw: bytes) -> Letter:
    """Read a mail as it was stored.

    Raises:
        ValueError: it has more parts than any person's mail.
    """
    message = message_from_bytes(raw)
    parts = list(_parts(message))
    headers = tuple(_headers(message))
    plain = next((part for part in parts if _is_text(part, "plain")), None)
    html = next((part for part in parts if _is_text(part, "html")), None)
    text = _content(plain) if plain else ""
    if not text.strip() and html:
        text = text_of_html(_content(html)[:LONGEST_HTML])
    return Letter(
        headers=headers,
        return_path=dict(headers).get("return-path") or "?",
        text=text[:LONGEST_TEXT],
        attachments=tuple(_name(part) for part in parts if part.get_filename()),
        has_calendar=any(part.get_content_type() == "text/calendar" for part in parts),
    )


def _parts(message: Message) -> Iterator[Message]:
    """Walk the parts that hold something, each without headers that are too long."""
    for number, part in enumerate(message.walk()):
        if number > MOST_PARTS:
            raise ValueError("a mail has too many parts")
        for name in {name for name, value in part.raw_items() if len(value) > LONGEST_HEADER}:
            del part[name]
        if not part.is_multipart():
            yield part


def _is_text(part: Message, kind: str) -> bool:
    return part.get_content_type() == f"text/{kind}" and not part.get_filename()


def _content(part: Message) -> str:
    """Decode a text; a wrong name of its encoding costs some letters, not the mail."""
    data = part.get_payload(decode=True)
    raw = data if isinstance(data, bytes) else b""
    for encoding in (part.get_content_charset() or "utf-8", "utf-8", "windows-1252"):
        try:
            return raw.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            continue
    return raw.decode("latin-1")


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    """Give the first of each header that is read."""
    found = {name.lower(): value for name, value in reversed(list(message.raw_items()))}
    for name in READ_HEADERS:
        if name in found:
            yield name, _decoded(name, found[name])


def _decoded(name: str, value: str) -> str:
    """Decode a header's value; what breaks the rules is given as it stands."""
    try:
        return str(default.header_fetch_parse(name, value))
    except (ValueError, TypeError, AttributeError, IndexError):
        return value


def _name(part: Message) -> str:
    data = part.get_payload(decode=True)
    size = len(data) if isinstance(data, bytes) else 0
    name = _decoded("subject", part.get_filename() or "")
    return f"{name} ({part.get_content_type()}, {size} bytes)"


def text_of_html(html: str) -> str:
    """Give the text of HTML; rows of two cells become `label: value`."""
    # Python's reader takes minutes for comments that nobody ends.
    shown, *rest = html.split("<!--")
    reader = _Reader()
    reader.feed("".join((shown, *(part.partition("-->")[2] for part in rest))))
    reader.close()
    lines = ("".join(reader.text)).splitlines()
    return "\n".join(re.sub(r"[ \t\xa0]+", " ", line).strip() for line in lines).strip()


class _Reader(HTMLParser):
    """Gathers text; what browsers do not show is passed over."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self._hidden = 0
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in HIDDEN
        if tag == "tr":
            self._cells = 0
        if tag in CELLS:
            self._cells += 1
            if self._cells == 2:
                self._join()
        elif tag in BLOCKS and not self._cells:
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in HIDDEN))
        if tag == "tr":
            self._cells = 0
        if tag in BLOCKS and not self._cells:
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.append(re.sub(r"\s+", " ", data))

    def _join(self) -> None:
        """Put a colon between a label and its value."""
        label = "".join(self.text[-1:]).rstrip()
        self.text.append(" " if label.endswith(":") else ": ")
