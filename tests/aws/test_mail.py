"""Mail by SES: what is sent, and what each failure means for what happens next."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from moto.backends import get_backend

from chalicelib.aws.mail import SesMail
from chalicelib.errors import HubError, Misconfigured, Refused, TryLater, Uncertain
from chalicelib.storage import Mail
from tests.aws.engines import REGION, Cloud
from tests.faults import Call, Fault, Hook, aws_fault, cut

MAIL = Mail(
    sender="Example & Co <hub@example.com>",
    to="ann@example.com",
    subject="Zoë ✓",
    text="Grüße",
    html="<p>Grüße</p>",
    headers={"X-Hub-Effect": "e1"},
)


@pytest.fixture
def sender(moto: Cloud) -> SesMail:
    """SES with the sender verified, tried once a mail as in the hub."""
    client = moto.client("sesv2", attempts=1)
    client.create_email_identity(EmailIdentity="hub@example.com")
    return SesMail(lambda: client)


def sent() -> list[Any]:
    found: list[Any] = get_backend("ses")["123456789012"][REGION].sent_messages
    return found


def answering(status: int, code: str) -> Hook:
    """Let SES answer with an error."""

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        headers = {"x-amzn-errortype": code, "content-type": "application/json"}
        raw = BytesIO(b'{"message": "made up"}')
        raw.stream = lambda **_: iter([raw.getvalue()])  # type: ignore[attr-defined]
        return AWSResponse("https://email.example.com", status, headers, raw)

    return hook


def test_a_mail_goes_out_in_text_and_html_and_gives_its_message_id(sender: SesMail) -> None:
    proof = sender(MAIL)
    (found,) = sent()
    assert (found.id, found.subject) == (proof, "Zoë ✓")
    assert found.destinations["ToAddresses"] == ["ann@example.com"]


def test_the_client_is_made_when_the_first_mail_is_sent() -> None:
    def connect() -> Any:
        raise AssertionError("nobody sent a mail")

    assert SesMail(connect) is not None


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "TooManyRequestsException", TryLater),
        (400, "ThrottlingException", TryLater),
        (400, "LimitExceededException", TryLater),
        (400, "SendingPausedException", TryLater),
        (400, "AccountSuspendedException", TryLater),
        (400, "MessageRejected", Refused),
        (400, "MailFromDomainNotVerifiedException", Refused),
        (403, "AccessDeniedException", Refused),
        (500, "InternalServiceErrorException", Uncertain),
        (503, "ServiceUnavailable", Uncertain),
    ],
)
def test_what_ses_answers_says_what_happens_next(
    moto: Cloud, sender: SesMail, status: int, code: str, error: type[HubError]
) -> None:
    moto.hook = answering(status, code)
    with pytest.raises(error, match=code) as raised:
        sender(MAIL)
    assert "ann@example.com" not in str(raised.value)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (ConnectTimeoutError(endpoint_url="https://x.example.com"), TryLater),
        (EndpointConnectionError(endpoint_url="https://x.example.com"), TryLater),
        (ReadTimeoutError(endpoint_url="https://x.example.com"), Uncertain),
        (cut("https://x.example.com"), Uncertain),
    ],
)
def test_only_a_mail_that_surely_did_not_leave_is_tried_again(
    moto: Cloud, sender: SesMail, failure: Exception, error: type[HubError]
) -> None:
    def hook(call: Call, go: Callable[[], Any]) -> Any:
        raise failure

    moto.hook = hook
    with pytest.raises(error):
        sender(MAIL)


def test_a_mail_whose_answer_is_lost_went_out_once_and_is_uncertain(
    moto: Cloud, sender: SesMail
) -> None:
    moto.hook = lambda call, go: aws_fault(Fault.LOST, go)
    with pytest.raises(Uncertain):
        sender(MAIL)
    assert len(sent()) == 1


def test_without_a_sender_no_mail_is_tried(sender: SesMail) -> None:
    with pytest.raises(Misconfigured, match=r"settings\.mail_from"):
        sender(Mail("", "ann@example.com", "s", "t", "h", {}))
    assert sent() == []
