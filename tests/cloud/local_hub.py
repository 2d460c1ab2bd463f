"""A deployed hub on the local cloud, as tests see it."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import requests

from chalicelib.cli import mailbox
from chalicelib.cli.cases import load_case
from chalicelib.cli.deploy import Deployed
from chalicelib.hub import Hub, now_utc
from chalicelib.registry import load as load_connector
from chalicelib.request import Request

PATIENCE_SECONDS = 30
CONFIGURATION = Path(__file__).with_name("hub.yaml")

T = TypeVar("T")


@dataclass(frozen=True)
class LocalHub:
    """A deployed hub and what stands around it."""

    deployed: Deployed
    hub: Hub
    home: Path
    provider: str

    def send(self, connector: str, case: str) -> requests.Response:
        """Play a provider: send one of its cases, signed now."""
        request = load_case(connector, case).request(received_at=now_utc())
        source = self.hub.configurations.current().config.sources[connector]
        [secret, *_] = self.hub.secrets.get(source.secret)
        return self.post(load_connector(connector).signature.sign(request, secret))

    def post(self, request: Request) -> requests.Response:
        """Send a request as it is."""
        token = f"/{request.path_token}" if request.path_token else ""
        return requests.request(
            request.method,
            f"{self.deployed.url}{request.path}{token}",
            params={name: list(values) for name, values in request.query.items()},
            headers={name: ", ".join(values) for name, values in request.headers.items()},
            data=request.body,
            timeout=PATIENCE_SECONDS,
        )

    def client(self, service: str) -> Any:
        """Make a client of the local cloud that may do anything."""
        return boto3.client(service, **self.deployed.endpoint)

    def items(self) -> list[Mapping[str, Any]]:
        """Give everything in the table."""
        pages = self.client("dynamodb").get_paginator("scan")
        return [
            item
            for page in pages.paginate(TableName=self.deployed.settings.table)
            for item in page["Items"]
        ]

    def waiting(self) -> dict[str, int]:
        """Count the messages on each queue, dead-letter queues too."""
        sqs = self.client("sqs")
        urls = sqs.list_queues()["QueueUrls"]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return {
            url.rpartition("/")[2]: sum(
                int(count)
                for count in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))[
                    "Attributes"
                ].values()
            )
            for url in urls
        }

    def is_quiet(self) -> bool:
        """Say whether nothing waits but what is dead."""
        return not any(count for name, count in self.waiting().items() if "-dead" not in name)

    def dead(self) -> dict[str, int]:
        """Count the messages on dead-letter queues that hold any."""
        return {name: count for name, count in self.waiting().items() if "-dead" in name and count}

    def log(self) -> str:
        """Give what the functions and the local cloud wrote, for a failing test to show."""
        logs = self.client("logs")
        lines = [
            f"{group['logGroupName']}: {event['message'].rstrip()}"
            for group in logs.describe_log_groups()["logGroups"]
            for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        ]
        return "\n".join([*lines, (self.home / "cloud.log").read_text("utf-8")[-4000:]])

    def mails(self) -> list[mailbox.Mail]:
        """Give the mails that have arrived, newest first."""
        return mailbox.messages(self.home)


def eventually(look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Give what `look` finds as soon as it finds something; fail after so long."""
    pause, end = threading.Event(), time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"nothing in {seconds} s: {look.__name__}"
        pause.wait(0.1)
    return found
