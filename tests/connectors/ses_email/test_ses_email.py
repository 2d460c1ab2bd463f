"""Mails, and the messages that tell of them: who is behind one, and whether Amazon tells."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import Misconfigured, Unverified
from chalicelib.public_key import Sns
from chalicelib.request import Request
from connectors.ses_email import confirm, connector
from connectors.ses_email.letter import letter_of, text_of_html
from connectors.ses_email.person import person_of

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "ses_email.json").read_text("utf-8"))
TOPIC = "arn:aws:sns:eu-west-1:111111111111:ses-inbound"
SENT_AT = datetime(2025, 10, 9, 8, 53, 17, tzinfo=UTC)


def signed(**changed: Any) -> Request:
    """Give the vector's request, members of its message changed."""
    body = VECTOR["body"]
    if changed:
        body = json.dumps({**json.loads(body), **changed}, ensure_ascii=False)
    headers = {name.lower(): (value,) for name, value in VECTOR["headers"].items()}
    return Request(
        "POST",
        "/hooks/mail",
        {},
        headers,
        body.encode(),
        SENT_AT,
        public_key=VECTOR["certificate_pem"],
    )


def test_the_vector_of_amazon_sns_is_accepted() -> None:
    assert Sns().verify(signed(), (TOPIC,), SENT_AT + timedelta(minutes=30)).public_key
    assert Sns().key_url(signed(), (TOPIC,)) == json.loads(VECTOR["body"])["SigningCertURL"]


@pytest.mark.parametrize(
    "changed",
    [
        {"Message": "{}"},
        {"MessageId": "5c1f2a90-7b3d-5e42-9a61-0d4be8f7c214"},
        {"Subject": "Another"},
        {"Type": "SubscriptionConfirmation"},
        {"Timestamp": "2025-10-09T08:54:17.016Z"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"Signature": "AAAA"},
        {"Signature": "no base64"},
        {"TopicArn": "arn:aws:sns:eu-west-1:222222222222:ses-inbound"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_forged_message_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(Unverified):
        Sns().verify(signed(**changed), (TOPIC,), SENT_AT)


def test_a_topic_of_another_account_is_refused_though_amazon_signed_it() -> None:
    with pytest.raises(Unverified, match="TopicArn"):
        Sns().verify(signed(), ("arn:aws:sns:eu-west-1:999999999999:other",), SENT_AT)


def test_an_old_message_played_again_is_refused() -> None:
    with pytest.raises(Unverified, match="Timestamp"):
        Sns().verify(signed(), (TOPIC,), SENT_AT + timedelta(hours=2))


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com.example.org/SimpleNotificationService-0.pem",
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://example.org/?sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com@example.org/SimpleNotificationService-0.pem",
        "",
    ],
)
def test_a_key_from_elsewhere_is_not_asked_for(url: str) -> None:
    with pytest.raises(Unverified, match="SigningCertURL"):
        Sns().key_url(signed(SigningCertURL=url), (TOPIC,))


def test_without_a_topic_or_a_key_nothing_is_accepted() -> None:
    with pytest.raises(Misconfigured):
        Sns().verify(signed(), ("",), SENT_AT)
    with pytest.raises(Unverified):
        Sns().verify(replace(signed(), public_key=""), (TOPIC,), SENT_AT)


def test_only_an_address_of_amazon_is_visited_to_confirm() -> None:
    asked = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=a&Token=b"
    confirmation = {"Type": "SubscriptionConfirmation", "SubscribeURL": asked}
    assert confirm(signed(**confirmation)) == asked
    assert confirm(signed()) == ""
    for url in ("https://example.org/?Action=ConfirmSubscription&x", asked.replace("Conf", "Unc")):
        with pytest.raises(Unverified):
            confirm(signed(**{**confirmation, "SubscribeURL": url}))


def a_mail(text: str, **headers: str) -> bytes:
    message = EmailMessage()
    for name, value in {"From": "zoe@example.com", "To": "in@example.org", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; x=y"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"X_Auto_Response_Suppress": "All"},
        {"Return_Path": "<>"},
        {"Return_Path": "<MAILER-DAEMON@example.com>"},
        {"List_Id": "<news.example.com>", "List_Unsubscribe": "<https://example.com/u>"},
    ],
    ids=" ".join,
)
def test_what_no_person_wrote_is_told_apart(headers: dict[str, str]) -> None:
    assert letter_of(a_mail("Hello", **headers)).is_automatic


def test_what_a_person_wrote_is_not_taken_for_automatic() -> None:
    written = a_mail("Hello", Auto_Submitted="no", Return_Path="<zoe@example.com>")
    assert not letter_of(written).is_automatic


@pytest.mark.parametrize(
    ("text", "headers", "email", "message"),
    [
        ("Hello", {}, "zoe@example.com", "Hello"),
        ("Hi", {"Reply_To": "real@example.net"}, "real@example.net", "Hi"),
        ("Hi", {"Reply_To": "crm@own.example", "From": "a@example.net"}, "a@example.net", "Hi"),
        ("Hi", {"From": "noreply@example.com"}, "", "Hi"),
        ("Hi", {"From": "carla@mail.own.example"}, "", "Hi"),
        ("See: you on Monday", {}, "zoe@example.com", "See: you on Monday"),
        (
            "Am Mi., 8. Okt. schrieb Sales <sales@own.example>:\n> Wann?",
            {},
            "zoe@example.com",
            "Am Mi., 8. Okt. schrieb Sales <sales@own.example>:\n> Wann?",
        ),
        (
            "Dienstag.\n\nAm 08.10.2025 um 17:02 schrieb Sales <sales@own.example>:\n> Wann?",
            {},
            "zoe@example.com",
            "Dienstag.",
        ),
    ],
)
def test_the_person_behind_a_mail(
    text: str, headers: dict[str, str], email: str, message: str
) -> None:
    person = person_of(letter_of(a_mail(text, **headers)), ("own.example",))
    assert (person.email, person.text) == (email, message)


def test_a_label_whose_value_stands_on_the_line_below_is_read() -> None:
    text = "Full Name:\nZoë Quill\n\nE-mail:\nzoe@example.com\n"
    person = person_of(letter_of(a_mail(text, From="no-reply@forms.example")), ())
    assert person.fields == {"Full Name": "Zoë Quill", "E-mail": "zoe@example.com"}


def test_html_gives_its_text_and_nothing_that_is_hidden() -> None:
    html = "<head><title>t</title></head><p>One<br>two</p><script>x()</script><p>three &amp; four"
    assert text_of_html(html) == "One\ntwo\n\nthree & four"


def test_a_mail_with_endless_parts_is_malformed_and_one_of_odd_bytes_is_read() -> None:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    with pytest.raises(ValueError, match="parts"):
        letter_of(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 300 + b"--b--")
    odd = letter_of(b"From: =?bogus?q?x?= <a@example.com>\r\nSubject: \xff\xfe\r\n\r\n\xff\x00 hi")
    assert "hi" in odd.text


def test_a_mail_of_a_megabyte_of_lines_is_read_in_bounded_time() -> None:
    raw = a_mail("a: b\n" * 20_000 + "On " + "x" * 5_000 + "\n" + ">" * 10_000)
    assert person_of(letter_of(raw), ()).email == "zoe@example.com"


def test_the_connector_reads_the_bucket_and_nothing_else() -> None:
    assert connector.api and connector.api.url.startswith("bucket:")


HEAD = b"From: a@example.com\r\nReturn-Path: <a@example.com>\r\n"
ENDLESS = {
    "signs of addresses": HEAD
    + b"\r\nemail: x\nname: y\n"
    + b"".join(b"label %d: %s\n" % (number, b"@" * 990) for number in range(100)),
    "many senders": b"From: " + b"a@example.com," * 15_000 + b"\r\n\r\nhi",
    "many parameters": HEAD + b"Content-Type: text/plain; " + b"a=b; " * 40_000 + b"\r\n\r\nhi",
    "many pieces of a name": HEAD
    + b"Content-Disposition: attachment"
    + b"".join(b"; filename*%d=a" % number for number in range(20_000))
    + b"\r\n\r\nhi",
    "many headers": b"".join(b"X-%d: a\r\n" % number for number in range(20_000)) + b"\r\nhi",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\r\n\r\nhi",
    "comments without end": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 50_000,
    "quotation marks": HEAD + b"\r\n" + b"> " * 40_000 + b"\nOn monday x wrote:" + b"\n" * 40_000,
}


@pytest.mark.parametrize("what", ENDLESS)
def test_no_mail_takes_long_to_read(what: str) -> None:
    started = time.process_time()
    person_of(letter_of(ENDLESS[what]), ("example.com",))
    # Far above what it takes; it fails only for work that grows faster than the mail.
    assert time.process_time() - started < 3


def test_a_comment_in_html_is_not_read() -> None:
    assert text_of_html("a<!-- b <b>c</b> <!-- d -->e<!-- f") == "ae"


def test_the_name_of_an_attachment_is_decoded() -> None:
    named = b'Content-Disposition: attachment; filename="=?utf-8?q?Angebot_f=C3=BCr_Zo=C3=AB.pdf?="'
    assert letter_of(HEAD + named + b"\r\n\r\nx").attachments == (
        "Angebot f\u00fcr Zo\u00eb.pdf (text/plain, 1 bytes)",
    )
