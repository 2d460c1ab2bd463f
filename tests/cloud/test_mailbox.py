import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests

from chalicelib.cli.mailbox import linked, messages, start_mailbox, stop_mailbox

pytestmark = pytest.mark.cloud


def mail(subject: str, text: str = "Hello", html: str = "") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "hub@example.com", "ada@example.com", subject
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("mailbox")
    yield folder
    stop_mailbox(folder)


@pytest.fixture(scope="module")
def page(home: Path) -> str:
    smtp, page = start_mailbox(home, {"smtp": 0, "web": 0})
    assert "Nothing has arrived yet" in requests.get(page, timeout=10).text
    host, _, port = smtp.partition(":")
    with smtplib.SMTP(host, int(port)) as connection:
        connection.send_message(mail("First"))
        connection.send_message(
            mail(
                "Zoë <script>alert(1)</script>",
                "See https://example.com/a?b=1&c=2. <b>",
                "<h1>Hé</h1><script>alert(2)</script>",
            )
        )
    return page


def test_mails_are_kept_newest_first(home: Path, page: str) -> None:
    newest, first = messages(home)
    assert first.subject == "First"
    assert first.html == ""
    assert (newest.sender, newest.to) == ("hub@example.com", "ada@example.com")
    assert newest.subject == "Zoë <script>alert(1)</script>"
    assert "Hé" in newest.html


def test_the_list_shows_them_and_runs_nothing(home: Path, page: str) -> None:
    answer = requests.get(page, timeout=10)
    assert "Zoë &lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_a_mail_shows_its_text_and_frames_its_html(home: Path, page: str) -> None:
    newest = messages(home)[0]
    answer = requests.get(f"{page}{newest.id}", timeout=10)
    assert "<script" not in answer.text
    assert 'href="https://example.com/a?b=1&amp;c=2"' in answer.text
    assert f'src="/{newest.id}/html"' in answer.text
    framed = requests.get(f"{page}{newest.id}/html", timeout=10)
    assert framed.headers["Content-Security-Policy"].startswith("sandbox allow-popups ")
    assert "allow-scripts" not in framed.headers["Content-Security-Policy"] + answer.text


@pytest.mark.parametrize("path", ["nothing", "../hub", "20260101T000000-000000000", "%2e%2e/x"])
def test_what_is_no_mail_is_not_found(page: str, path: str) -> None:
    assert requests.get(f"{page}{path}", timeout=10).status_code == 404


def test_a_page_under_another_name_is_not_let_in(page: str) -> None:
    answer = requests.get(page, headers={"Host": "mailbox.example.com:80"}, timeout=10)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<b>", "&lt;b&gt;"),
        ("no link", "no link"),
        (
            "(http://example.com/x).",
            '(<a href="http://example.com/x" target="_blank" rel="noreferrer">'
            "http://example.com/x</a>).",
        ),
    ],
)
def test_a_text_is_escaped_and_its_addresses_are_links(text: str, expected: str) -> None:
    assert linked(text) == expected
