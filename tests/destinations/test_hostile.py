"""Sixty hostile texts in every field of a notice, through every destination."""

import email
import email.policy
import json
import re
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from chalicelib.config.model import Destination
from chalicelib.destinations import slack, webhook
from chalicelib.destinations.email import write
from chalicelib.storage import Mail
from tests.destinations.notices import (
    ACCEPT_URL,
    DECLINE_URL,
    HOSTILE,
    LEAD_URL,
    a_hostile_notice,
    a_notice,
)

TO_OWNER = Destination(kind="email")
TO_SALES = Destination(kind="email", to="address", address="sales@example.org")
THIN = Destination(kind="webhook", url="https://crm.example.org/")
FULL = Destination(kind="webhook", url="https://crm.example.org/", full=True)
OURS = {ACCEPT_URL, DECLINE_URL, LEAD_URL}

hostile = pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))


class _Elements(HTMLParser):
    """Every tag and attribute that a browser would see, and whatever is not plain content."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self.hrefs: set[str] = set()
        self.text = ""
        self.odd: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.hrefs |= {value or "" for name, value in attrs if name == "href"}

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def unknown_decl(self, data: str) -> None:
        self.odd.append(data)

    def handle_pi(self, data: str) -> None:
        self.odd.append(data)


def test_there_are_sixty_texts() -> None:
    assert len(set(HOSTILE)) >= 60


@hostile
def test_no_text_makes_an_element_an_attribute_or_a_link_in_a_mail(text: str) -> None:
    usual = _Elements(write(a_notice(), TO_OWNER, "leads@example.net").html)
    found = _Elements(write(a_hostile_notice(text), TO_OWNER, "leads@example.net").html)
    assert set(found.tags) <= set(usual.tags)
    assert found.attributes <= usual.attributes
    assert not found.odd
    assert found.hrefs >= OURS
    assert {urlsplit(url).scheme for url in found.hrefs - OURS} <= {"mailto", "tel"}


@hostile
def test_no_text_adds_a_header_to_a_mail(text: str) -> None:
    for to in (TO_OWNER, TO_SALES):
        mail = write(a_hostile_notice(text), to, "leads@example.net")
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"] = mail.sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        for name, value in mail.headers.items():
            message[name] = value
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        read = email.message_from_bytes(bytes(message), policy=email.policy.default)
        assert sorted(read.keys()) == sorted(
            ["Content-Type", "From", "MIME-Version", "Subject", "To", "X-Hub-Effect"]
        )
        assert len(read["From"].addresses) == len(read["To"].addresses) == 1
        assert read["From"].addresses[0].addr_spec == "leads@example.net"
        assert read["To"].addresses[0].addr_spec == mail.to
        assert str(read["Subject"]).split() == mail.subject.split()
        assert len(mail.subject) <= 200
        assert mail.sender.isascii()


@hostile
def test_no_text_makes_a_mail_large(text: str) -> None:
    assert _size(write(a_hostile_notice(text), TO_OWNER, "leads@example.net")) < 100_000


@hostile
def test_no_text_writes_controls_or_turns_our_words_around(text: str) -> None:
    mail = write(a_hostile_notice(text), TO_OWNER, "leads@example.net")
    for part in (mail.subject, mail.text, mail.html):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", part)
        assert "\u0301" * 5 not in part


@hostile
def test_no_line_of_a_mail_that_a_stranger_wrote_starts_like_ours(text: str) -> None:
    ours = [
        line
        for line in write(a_hostile_notice(text), TO_OWNER, "leads@example.net").text.split("\n")
        if line.startswith(("Accept: ", "Decline: ", "Open the lead: "))
    ]
    assert ours == [
        f"Accept: {ACCEPT_URL}",
        f"Decline: {DECLINE_URL}",
        f"Open the lead: {LEAD_URL}",
    ]


@pytest.mark.parametrize("text", [text for text in HOSTILE if "{" in text])
def test_template_and_format_syntax_is_shown_as_it_was_written(text: str) -> None:
    mail = write(a_hostile_notice(text), TO_OWNER, "leads@example.net")
    assert text[:40] in mail.text
    assert text[:40] in _Elements(mail.html).text
    assert text[:40] in json.dumps(slack.write(a_hostile_notice(text)), ensure_ascii=False).replace(
        "&lt;", "<"
    ).replace("&gt;", ">").replace("\\", "")


@hostile
def test_no_text_mentions_anybody_or_makes_a_link_in_slack(text: str) -> None:
    message = slack.write(a_hostile_notice(text))
    link = message["blocks"].pop()
    assert link == {
        "type": "section",
        "text": {"type": "mrkdwn", "text": f"<{ACCEPT_URL}|Accept or decline>"},
    }
    sent = json.dumps(message, ensure_ascii=False)
    assert "<" not in sent
    assert ">" not in sent
    assert "mrkdwn" not in json.dumps(message["blocks"])
    assert not re.search(r"@(channel|here|everyone|U0)", sent)
    assert "://" not in sent


@hostile
def test_no_text_makes_a_slack_message_larger_than_slack_takes(text: str) -> None:
    message = slack.write(a_hostile_notice(text))
    assert len(message["text"]) <= 3000
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        assert len(block.get("text", {}).get("text", "")) <= 3000
        assert len(block.get("fields", ())) <= 10
        assert all(1 <= len(one["text"]) <= 2000 for one in block.get("fields", ()))
    assert len(json.dumps(message)) < 16_000


@hostile
def test_no_text_makes_a_webhook_large_or_anything_but_json(text: str) -> None:
    for to in (THIN, FULL):
        body = webhook.write(a_hostile_notice(text), to)
        assert len(body) < 20_001
        event = json.loads(body)
        assert event["type"] == "lead.assigned"
        assert event["data"]["lead_id"] == "lead-1"
        assert b"\n" not in body


def _size(mail: Mail) -> int:
    headers = sum(len(name) + len(value) for name, value in mail.headers.items())
    texts = (mail.sender, mail.to, mail.subject, mail.text, mail.html)
    return headers + sum(len(text.encode()) for text in texts)
