"""A local mailbox: takes what the local cloud's SES sends and shows it in the browser.

Run as `python -m chalicelib.cli.mailbox FOLDER SMTP_PORT WEB_PORT` by `hub up`.
"""

import html
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from chalicelib.cli import background

NAME = "mailbox"
FOLDER = "mail"
USUAL_PORTS = {"smtp": 4570, "web": 4571}
TEMPLATE = Path(__file__).with_name("mailbox.html")
MESSAGE_ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9]{9}")
LINK = re.compile(r"https?://[^\s<>\"']+")

PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:"
)
"""A mail may look as it likes and open its links elsewhere, and do nothing else."""


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived.

    Attributes:
        id: name of its file, sortable by time.
        html: empty if the mail has no such part; so for text.
    """

    id: str
    received_at: datetime
    sender: str
    to: str
    subject: str
    text: str
    html: str


def messages(home: Path) -> list[Mail]:
    """Give the mails that have arrived, newest first."""
    return [read(file) for file in sorted((home / FOLDER).glob("*.eml"), reverse=True)]


def read(file: Path) -> Mail:
    """Read one stored mail."""
    message = BytesParser(_class=EmailMessage, policy=default).parsebytes(file.read_bytes())
    return Mail(
        id=file.stem,
        received_at=datetime.strptime(file.stem[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC),
        sender=str(message.get("From", "")),
        to=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def start_mailbox(home: Path, usual: Mapping[str, int] = USUAL_PORTS) -> tuple[str, str]:
    """Start the mailbox unless it runs; gives host:port for SMTP and the address of its page.

    Args:
        home: folder of mails and log.
        usual: ports to listen on the first time, if they are free; 0 for any.
    """
    home = home.resolve()
    running = background.find(home, NAME)
    if running is None:
        folder = home / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        before = {**usual, **background.last_ports(home, NAME)}
        ports = {use: background.free_port(before[use]) for use in usual}
        command = [sys.executable, "-m", "chalicelib.cli.mailbox", str(folder)]
        running = background.start(
            home,
            NAME,
            [*command, str(ports["smtp"]), str(ports["web"])],
            ports,
            background.plain_environment(),
        )
    return f"127.0.0.1:{running.ports['smtp']}", f"http://127.0.0.1:{running.ports['web']}/"


def stop_mailbox(home: Path) -> bool:
    """Stop the mailbox; the mails stay. Says whether it ran."""
    return background.stop(home.resolve(), NAME)


def serve(folder: Path, smtp_port: int, web_port: int) -> None:
    """Take mails and show them until told to stop."""
    from aiosmtpd.controller import Controller

    class Keep:
        """Writes each mail to a file that appears whole."""

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, the name is aiosmtpd's
            now = time.time_ns()
            moment = datetime.fromtimestamp(now // 10**9, UTC)
            file = folder / f"{moment:%Y%m%dT%H%M%S}-{now % 10**9:09}.eml"
            partial = file.with_suffix(".partial")
            partial.write_bytes(envelope.original_content)
            partial.rename(file)
            return "250 OK"

    controller = Controller(Keep(), hostname="127.0.0.1", port=smtp_port)
    controller.start()
    try:
        web_server(folder, web_port).serve_forever()
    finally:
        controller.stop()


def web_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Make the server of the pages, at 127.0.0.1."""

    class Pages(BaseHTTPRequestHandler):
        """Answers GET for the list, a mail, and a mail's HTML part."""

        def do_GET(self) -> None:
            """Answer."""
            # A page elsewhere whose name was made to resolve to us is not let in.
            if self.headers.get("Host", "").rpartition(":")[0] not in ("127.0.0.1", "localhost"):
                self._answer(403, "Only at 127.0.0.1")
                return
            path = unquote(urlsplit(self.path).path).strip("/")
            if not path:
                self._answer(200, _render(mails=messages(folder.parent)))
                return
            message_id, _, part = path.partition("/")
            file = folder / f"{message_id}.eml"
            if (
                not MESSAGE_ID.fullmatch(message_id)
                or not file.exists()
                or part not in ("", "html")
            ):
                self._answer(404, _render(missing=True))
                return
            mail = read(file)
            if part == "html":
                self._answer(200, f'<base target="_blank">{mail.html}', MAIL_POLICY)
            else:
                self._answer(200, _render(mail=mail, text=linked(mail.text)))

        def _answer(self, status: int, page: str, policy: str = PAGE_POLICY) -> None:
            body = page.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, the name is http.server's
            """Keep quiet: a path tells nothing that the folder does not."""

    return ThreadingHTTPServer(("127.0.0.1", port), Pages)


def linked(text: str) -> str:
    """Escape a text for HTML and make its addresses links."""

    def pieces() -> Iterator[str]:
        end = 0
        for found in LINK.finditer(text):
            address = found[0].rstrip(".,;:!?)")
            yield html.escape(text[end : found.start()])
            shown = html.escape(address)
            yield f'<a href="{shown}" target="_blank" rel="noreferrer">{shown}</a>'
            end = found.start() + len(address)
        yield html.escape(text[end:])

    return "".join(pieces())


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    content = part.get_content()
    return content if isinstance(content, str) else content.decode("utf-8", "replace")


def _render(**values: Any) -> str:
    import jinja2
    from markupsafe import Markup

    template = jinja2.Environment(autoescape=True).from_string(TEMPLATE.read_text("utf-8"))
    if "text" in values:
        values["text"] = Markup(values["text"])  # noqa: S704, `linked` has escaped it
    return template.render(**values)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
