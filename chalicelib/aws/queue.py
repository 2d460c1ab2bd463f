"""The SQS queues behind `storage.Queue`."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.failure import unavailable
from chalicelib.errors import Unavailable
from chalicelib.storage import Message

SEND_AT_ONCE = 10
"""Most messages that one SendMessageBatch takes."""

ATTEMPTS = 4
"""Tries of batch entries that SQS reports as failed."""


class SqsQueue:
    """One SQS queue, standard or FIFO."""

    def __init__(self, client: Any, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """Use a client and the queue's address; `sleep` spaces out tries."""
        self._client = client
        self._url = url
        self._sleep = sleep

    def send(self, messages: Sequence[Message]) -> None:
        """Send all messages, trying failed entries again."""
        try:
            if len(messages) == 1:
                self._client.send_message(QueueUrl=self._url, **_entry(messages[0]))
                return
            for start in range(0, len(messages), SEND_AT_ONCE):
                self._send_batch(messages[start : start + SEND_AT_ONCE])
        except (ClientError, BotoCoreError) as error:
            raise unavailable("SQS", error) from error

    def _send_batch(self, messages: Sequence[Message]) -> None:
        waiting = {str(number): message for number, message in enumerate(messages)}
        for attempt in range(ATTEMPTS):
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": number, **_entry(message)} for number, message in waiting.items()],
            )
            failed = {entry["Id"] for entry in answer.get("Failed", [])}
            waiting = {number: waiting[number] for number in waiting if number in failed}
            if not waiting:
                return
            self._sleep(0.05 * 2**attempt)
        raise Unavailable(f"SQS did not take {len(waiting)} of {len(messages)} messages")


def _entry(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {"MessageBody": json.dumps(message.body, separators=(",", ":"))}
    if message.group:
        entry |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.once}
    elif message.delay_seconds:
        entry["DelaySeconds"] = message.delay_seconds
    return entry
