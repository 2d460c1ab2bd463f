"""Mail by Amazon SES v2."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from chalicelib.errors import Misconfigured, Refused, TryLater, Uncertain
from chalicelib.storage import Mail

BUSY = {"TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException"}
PAUSED = {"SendingPausedException", "AccountSuspendedException"}
NOT_SENT = (ConnectTimeoutError, EndpointConnectionError)
"""Errors after which the request surely did not reach SES."""


class SesMail:
    """Hands mails to SES; an answer means accepted for sending, not delivered."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        """Use a client, made when first needed, that never tries again: SES knows no repeats."""
        self._connect = connect

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    def __call__(self, mail: Mail) -> str:
        """Send one mail; gives SES's message id."""
        if not mail.sender:
            raise Misconfigured("settings.mail_from is empty: expected a sender verified at SES")
        try:
            answer = self._client.send_email(
                FromEmailAddress=mail.sender,
                Destination={"ToAddresses": [mail.to]},
                Content={
                    "Simple": {
                        "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                        "Body": {
                            "Text": {"Data": mail.text, "Charset": "UTF-8"},
                            "Html": {"Data": mail.html, "Charset": "UTF-8"},
                        },
                        "Headers": [
                            {"Name": name, "Value": value} for name, value in mail.headers.items()
                        ],
                    }
                },
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in BUSY or code in PAUSED:
                raise TryLater(f"SES: {code}") from error
            if status >= 500:
                raise Uncertain(f"SES: {code}; the mail may have gone out") from error
            raise Refused(f"SES: {code}") from error
        except NOT_SENT as error:
            raise TryLater(f"SES: {type(error).__name__}") from error
        except BotoCoreError as error:
            raise Uncertain(f"SES: {type(error).__name__}; the mail may have gone out") from error
        return str(answer["MessageId"])
