"""The world of the proofs on the real storage classes, over moto or the local cloud."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from chalicelib.aws.blobs import S3Blobs
from chalicelib.aws.mail import SesMail
from chalicelib.aws.queue import SqsQueue
from chalicelib.aws.secrets import SsmSecrets
from chalicelib.aws.table import DynamoTable
from chalicelib.storage import Item, Key, Mail, Message, Received
from tests.aws.engines import Cloud
from tests.fakes import Kept, Mailbox, MemoryWeb
from tests.faults import Call, Fault, Hook, Tapped, apply, aws_fault, body_of, untouched
from tests.world import SECRETS, World


class AwsTable(DynamoTable):
    """The real table class, and a way to see everything in it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.commits: list[Any] = []
        super().__init__(cloud.client("dynamodb"), cloud.table(), lambda _: None, lambda: 0.5)

    def scan(self) -> list[Item]:
        """Read everything, in key order."""
        with self._cloud.unhooked():
            pages = self._client.get_paginator("scan").paginate(TableName=self._name)
            keys = [
                Key(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]
            ]
            found = self.get_many(keys) if keys else {}
        return [found[key] for key in sorted(found)]


@dataclass
class AwsQueue:
    """The real queue class, and what Lambda does at the other end."""

    cloud: Cloud
    is_fifo: bool = False
    dead: list[Kept] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._client = self.cloud.client("sqs")
        self._url = self.cloud.queue(self.is_fifo, VisibilityTimeout=3600)
        self._receipts: dict[str, str] = {}
        self._queue = SqsQueue(self._client, self._url, lambda _: None)

    def send(self, messages: list[Message]) -> None:
        """Send as the hub does."""
        self.sent += messages
        self._queue.send(messages)

    def receive(self, most: int = 10) -> list[Received]:
        """Take messages as Lambda does."""
        with self.cloud.unhooked():
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=0,
                AttributeNames=["ApproximateReceiveCount"],
            )
        found = answer.get("Messages", [])
        self._receipts |= {m["MessageId"]: m["ReceiptHandle"] for m in found}
        return [
            Received(
                m["MessageId"],
                json.loads(m["Body"]),
                int(m["Attributes"]["ApproximateReceiveCount"]),
            )
            for m in found
        ]

    def delete(self, message_ids: Iterable[str]) -> None:
        """Take handled messages away."""
        with self.cloud.unhooked():
            for message_id in message_ids:
                self._client.delete_message(
                    QueueUrl=self._url, ReceiptHandle=self._receipts[message_id]
                )

    def give_back(self, message_ids: Iterable[str]) -> None:
        """Make messages visible at once."""
        with self.cloud.unhooked():
            for message_id in message_ids:
                self._client.change_message_visibility(
                    QueueUrl=self._url,
                    ReceiptHandle=self._receipts[message_id],
                    VisibilityTimeout=0,
                )

    @property
    def waiting(self) -> list[Message]:
        """Say how many messages are not handled; their contents do not matter."""
        with self.cloud.unhooked():
            asked = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )
        return [Message({})] * sum(map(int, asked["Attributes"].values()))


class AwsBlobs(S3Blobs):
    """The real blob class, and a way to see everything in it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        super().__init__(lambda: cloud.client("s3"), cloud.bucket())

    @property
    def kept(self) -> dict[str, bytes]:
        """Read everything."""
        with self._cloud.unhooked():
            listed = self._cloud.client("s3").list_objects_v2(Bucket=self._bucket)
            return {each["Key"]: self.get(each["Key"]) for each in listed.get("Contents", [])}


class MotoMailbox(SesMail):
    """The real mail class; what SES took is noted on its way to moto."""

    def __init__(self, cloud: Cloud) -> None:
        self.mails: list[Mail] = []
        cloud.client("sesv2", 1).create_email_identity(EmailIdentity="hub@example.com")
        assert cloud.shim
        cloud.shim.watch("SendEmail", self._note)
        super().__init__(lambda: cloud.client("sesv2", 1))

    def _note(self, request: Any) -> None:
        body = body_of(request)
        simple = body["Content"]["Simple"]
        self.mails.append(
            Mail(
                sender=body["FromEmailAddress"],
                to=body["Destination"]["ToAddresses"][0],
                subject=simple["Subject"]["Data"],
                text=simple["Body"]["Text"]["Data"],
                html=simple["Body"]["Html"]["Data"],
                headers={header["Name"]: header["Value"] for header in simple["Headers"]},
            )
        )


class AwsWorld(World):
    """A world whose hub speaks to AWS; one hook sees every attempt of every client and the web."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        secrets = SsmSecrets(lambda: cloud.client("ssm"), "/hub/test", self._now, lambda: 0.0)
        for name, values in SECRETS.items():
            secrets.put(name, [{"value": value, "not_after": None} for value in values])
        super().__init__(
            table=cast(Any, AwsTable(cloud)),
            blobs=cast(Any, AwsBlobs(cloud)),
            secrets=cast(Any, secrets),
            mailbox=cast(Any, MotoMailbox(cloud) if cloud.shim else Mailbox()),
            web=MemoryWeb(),
        )
        queues = [AwsQueue(cloud), AwsQueue(cloud, is_fifo=True), AwsQueue(cloud)]
        self.inbox, self.routing, self.outbox = cast(Any, queues)
        self.hub = self.worker(untouched)

    def under(self, hook: Hook) -> None:
        """Let every attempt of every client, and every call to the web, go through a hook."""
        self.cloud.hook = hook
        self.web = cast(Any, Tapped(self.web, "web", hook))
        self.hub = self.worker(untouched)

    def _now(self) -> Any:
        return self.clock()


class Twice:
    """A hook that counts attempts and lets one of them, or that and the SDK's next, go wrong.

    Attributes:
        calls: every attempt seen, in order.
    """

    def __init__(self, at: int = 0, fault: Fault | None = None, times: int = 1) -> None:
        self.calls: list[Call] = []
        self._at = at
        self._fault = fault
        self._left = times
        self._call: Call | None = None

    def __call__(self, call: Call, go: Callable[[], Any]) -> Any:
        """See one attempt."""
        self.calls.append(call)
        is_first = len(self.calls) == self._at
        is_again = self._call == call and self._left > 0
        if not (is_first or is_again):
            self._call = None
            return go()
        self._call = call
        self._left -= 1
        if call.on == "web":
            return apply(self._fault, call, go)
        return aws_fault(self._fault, go)
