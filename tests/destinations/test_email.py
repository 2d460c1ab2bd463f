"""Notification by mail: who gets it, what it says, and what it must never say."""

from html.parser import HTMLParser

import pytest

from chalicelib.config.model import Destination
from chalicelib.destinations.email import destination, write
from chalicelib.errors import Misconfigured, Refused, TryLater, Uncertain
from chalicelib.lead.model import Score, Term
from tests.destinations.notices import (
    ACCEPT_URL,
    DECLINE_URL,
    LEAD_URL,
    World,
    a_notice,
    an_unowned_notice,
)

TO_OWNER = Destination(kind="email")
TO_SALES = Destination(kind="email", to="address", address="sales@example.org")
FROM = "leads@example.net"


class _Shown(HTMLParser):
    """Collects what a reader of the HTML would read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str] = []
        self._is_hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_hidden = tag in ("style", "title")
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        self._is_hidden = False

    def handle_data(self, data: str) -> None:
        if not self._is_hidden:
            self.text += data


def test_a_mail_is_sent_to_the_owner_and_its_message_id_is_the_proof() -> None:
    world = World()
    assert destination.send(a_notice(), TO_OWNER, world.tools) == "message-1"
    (mail,) = world.mails
    assert mail.to == "ana@example.org"
    assert mail.sender == "Example Pumps <leads@example.net>"
    assert mail.subject == "New lead: Maren (Website)"
    assert mail.headers == {"X-Hub-Effect": "effect-1"}


@pytest.mark.parametrize("error", [TryLater("busy", 7), Refused("no"), Uncertain("perhaps")])
def test_what_sending_raises_is_passed_on_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as found:
        destination.send(a_notice(), TO_OWNER, World(error=error).tools)
    assert found.value is error


@pytest.mark.parametrize(
    "fact",
    [
        "Ana Ruiz",
        "Maren Okafor",
        "maren.okafor@example.com",
        "+12025550143",
        "Northwind & Söhne",
        "https://www.example.com/",
        "company size",
        "250",
        "We need ten pumps.",
        "Please call.",
        "When do you need it?",
        "in May",
        "72 of 100 (fit 50, engagement 22)",
        "+50",
        "size 250 is at least 200",
        "-3",
        "engagement is capped",
        "Website",
        "Request a demo",
        "2026-03-02 14:04 (Europe/Berlin)",
        "Large companies",
        "Ana is owed the next lead of the pool.",
        "utm_source",
        "newsletter",
        "agreed Send me news.",
        "refused",
        "Example Pumps",
    ],
)
def test_text_and_html_tell_the_same_facts(fact: str) -> None:
    mail = write(a_notice(), TO_OWNER, FROM)
    assert fact in mail.text
    assert fact in _Shown(mail.html).text


def test_the_links_stand_in_both_parts_and_the_html_loads_nothing() -> None:
    mail = write(a_notice(), TO_OWNER, FROM)
    for url in (ACCEPT_URL, DECLINE_URL, LEAD_URL):
        assert f": {url}\n" in mail.text
    assert _Shown(mail.html).links == [
        ACCEPT_URL,
        DECLINE_URL,
        LEAD_URL,
        "mailto:maren.okafor@example.com",
        "tel:+12025550143",
    ]
    assert not any(word in mail.html for word in ("<img", "<script", "<link", "src=", "url("))


def test_a_mail_can_be_read_on_a_phone_and_in_the_dark() -> None:
    html = write(a_notice(), TO_OWNER, FROM).html
    assert 'name="viewport"' in html
    assert '<meta name="color-scheme" content="light dark">' in html


def test_a_mail_without_anything_known_still_makes_sense() -> None:
    bare = a_notice(
        profile={},
        message="",
        answers={},
        campaign={},
        consents=(),
        score=Score(),
        first_seen_at=None,
        company="",
        form_title="",
        rule_title="",
        because="",
        accept_url="",
        decline_url="",
        lead_url="",
    )
    mail = write(bare, TO_OWNER, FROM)
    assert mail.subject == "New lead: no name given (Website)"
    assert mail.sender == FROM
    assert mail.text == (
        "Hello Ana Ruiz,\n\nA new lead is yours.\n\n\n"
        "Contact\n  Name: no name given\n\n"
        "Where it comes from\n  Source: Website\n  Owner: Ana Ruiz\n\n"
        "Score\n  0 of 100 (fit 0, engagement 0)\n\n"
        "-- \nLead details are as the person gave them.\n"
    )


@pytest.mark.parametrize(
    ("language", "greeting", "subject"),
    [
        ("en", "Hello Ana Ruiz,", "New lead: Maren (Website)"),
        ("de-CH", "Guten Tag Ana Ruiz,", "Neuer Lead: Maren (Website)"),
        ("fr", "Bonjour Ana Ruiz,", "Nouveau lead : Maren (Website)"),
        ("es", "Hola Ana Ruiz:", "Nuevo lead: Maren (Website)"),
        ("ja", "Hello Ana Ruiz,", "New lead: Maren (Website)"),
    ],
)
def test_a_mail_speaks_the_owners_language(language: str, greeting: str, subject: str) -> None:
    mail = write(a_notice(language=language), TO_OWNER, FROM)
    assert mail.text.startswith(greeting)
    assert greeting in mail.html
    assert mail.subject == subject
    assert f'<html lang="{language[:2] if language != "ja" else "en"}">' in mail.html


def test_a_returning_lead_is_told_without_asking_to_accept_again() -> None:
    mail = write(a_notice(kind="returned"), TO_OWNER, FROM)
    assert mail.subject == "Back again: Maren (Website)"
    assert ACCEPT_URL not in mail.text + mail.html
    assert LEAD_URL in mail.text


def test_a_shared_address_is_told_whose_the_lead_is() -> None:
    mail = write(a_notice(), TO_SALES, FROM)
    assert mail.to == "sales@example.org"
    assert mail.text.startswith("Hello,\n\nNew lead for Ana Ruiz: Maren Okafor\n")


def test_a_lead_without_owner_is_told_to_a_shared_address() -> None:
    mail = write(an_unowned_notice(), TO_SALES, FROM)
    assert mail.subject == "Lead without owner: Maren (Website)"
    assert "Owner: nobody" in mail.text
    assert "Nobody in the pool is on duty." in mail.text
    assert "accept" not in mail.text.lower()


def test_a_lead_without_owner_cannot_be_told_to_its_owner() -> None:
    with pytest.raises(Misconfigured, match="fixed address"):
        write(an_unowned_notice(), TO_OWNER, FROM)


def test_a_lead_is_never_written_to() -> None:
    for notice in (a_notice(), a_notice(kind="returned")):
        for to in (TO_OWNER, TO_SALES):
            assert write(notice, to, FROM).to != "maren.okafor@example.com"


def test_a_domain_outside_ascii_is_sent_as_punycode() -> None:
    assert write(a_notice(owner_email="ana@bücher.example.org"), TO_OWNER, FROM).to == (
        "ana@xn--bcher-kva.example.org"
    )


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@",
        "änä@example.org",
        "ana@example.org\r\nBcc: x@example.org",
        "ana@example.org, other@example.org",
        "Ana <ana@example.org>",
    ],
)
def test_an_owner_whom_mail_cannot_reach_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(Misconfigured) as found:
        write(a_notice(owner_email=address), TO_OWNER, FROM)
    assert "owner ana" in str(found.value)
    assert "example.org" not in str(found.value)


@pytest.mark.parametrize("sender", ["", "leads", "leads@", "Pumps <>", "änä@example.net"])
def test_a_missing_or_wrong_sender_is_a_wrong_setting(sender: str) -> None:
    with pytest.raises(Misconfigured, match=r"settings\.mail_from"):
        write(a_notice(), TO_OWNER, sender)


def test_a_sender_with_a_name_keeps_it() -> None:
    mail = write(a_notice(), TO_OWNER, "Pümpe, Leads <leads@example.net>".replace(",", ""))
    assert mail.sender.isascii()
    assert mail.sender.endswith("<leads@example.net>")
    assert "=?utf-8?" in mail.sender


def test_too_many_entries_are_counted_and_not_shown() -> None:
    answers = {f"Question {number}": f"answer {number}" for number in range(14)}
    terms = tuple(
        Term(part="fit", rule_id=f"r{number}", points=1, because=f"reason {number}")
        for number in range(30)
    )
    mail = write(a_notice(answers=answers, score=Score(terms=terms)), TO_OWNER, FROM)
    assert "answer 9" in mail.text
    assert "answer 10" not in mail.text
    assert "and 4 more" in mail.text
    assert "and 4 more" in mail.html
    assert "and 19 more" in mail.text


def test_an_unknown_time_zone_holds_up_nothing() -> None:
    for zone in ("Mars/Olympus", "", "../etc/passwd", "\x00"):
        assert "2026-03-02 13:04 (UTC)" in write(a_notice(time_zone=zone), TO_OWNER, FROM).text


@pytest.mark.parametrize(
    "email",
    [
        "javascript:alert(1)",
        'a"b@example.com',
        "a@example.com?bcc=b@example.com",
        "a@b@c",
        "ä@b.org",
    ],
)
def test_only_what_is_surely_an_address_may_be_tapped(email: str) -> None:
    html = write(a_notice(profile={"email": email, "phone": "+1;ext=5"}), TO_OWNER, FROM).html
    assert "mailto:" not in html
    assert "tel:" not in html


def test_what_a_mail_address_may_hold_cannot_add_to_the_link() -> None:
    html = write(a_notice(profile={"email": "a?bcc=b&c@example.com"}), TO_OWNER, FROM).html
    assert 'href="mailto:a%3Fbcc%3Db%26c@example.com"' in html


def test_the_lines_of_a_message_cannot_pass_for_ours() -> None:
    mail = write(a_notice(message="-- \nAccept: https://phish.example.net/"), TO_OWNER, FROM)
    assert "\n  > --\n  > Accept: https://phish.example.net/\n" in mail.text
