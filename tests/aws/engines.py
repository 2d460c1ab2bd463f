"""What the storage and conformance suites run on: memory, moto behind the shim, the local cloud."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import boto3
import yaml
from botocore.config import Config
from botocore.hooks import first_non_none_response

from tests.faults import Call, Hook, attach, untouched
from tests.strict import Shim

REGION = "eu-west-1"
RESOURCES = Path(__file__).parents[2] / ".chalice" / "resources.yaml"
START_SECONDS = 40


@dataclass
class Cloud:
    """AWS clients of one test, and what stands in front of them.

    Attributes:
        kind: moto or cloud.
        hook: sees every attempt of every client; a test may replace it.
    """

    kind: str
    arguments: Mapping[str, Any]
    shim: Shim | None = None
    hook: Hook = untouched
    _made: dict[tuple[str, int], Any] = field(default_factory=dict)

    def client(self, service: str, attempts: int = 2) -> Any:
        """Give a client that tries each call so many times."""
        if (service, attempts) not in self._made:
            config = Config(
                retries={"mode": "standard", "total_max_attempts": attempts},
                parameter_validation=False,
                s3={"addressing_style": "path"},
            )
            made = session().client(service, config=config, **self.arguments)
            attach(made, self._through_hook, self.shim)
            _retry_at_once(made)
            self._made[service, attempts] = made
        return self._made[service, attempts]

    def _through_hook(self, call: Call, go: Callable[[], Any]) -> Any:
        return self.hook(call, go)

    @contextmanager
    def unhooked(self) -> Iterator[None]:
        """Let the test itself look at things without being seen."""
        before, self.hook = self.hook, untouched
        yield
        self.hook = before

    def table(self) -> str:
        """Make the table as the stack makes it; gives its name."""
        name = f"hub-{uuid4().hex[:8]}"
        wanted = properties("Table")
        given = {key: wanted[key] for key in TABLE_ARGUMENTS}
        self.client("dynamodb").create_table(TableName=name, **given)
        return name

    def queue(self, is_fifo: bool = False, **attributes: Any) -> str:
        """Make a queue; gives its address."""
        name = f"q-{uuid4().hex[:8]}{'.fifo' if is_fifo else ''}"
        told = {key: str(value) for key, value in attributes.items()}
        told |= {"FifoQueue": "true"} if is_fifo else {}
        made = self.client("sqs").create_queue(QueueName=name, Attributes=told)
        return str(made["QueueUrl"])

    def arn(self, queue: str) -> str:
        """Give a queue's ARN."""
        asked = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(asked["Attributes"]["QueueArn"])

    def queue_with_dead(self, most: int, **attributes: Any) -> tuple[str, str]:
        """Make a queue and its dead-letter queue; gives both addresses."""
        dead = self.queue()
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": most})
        return self.queue(RedrivePolicy=policy, **attributes), dead

    def bucket(self) -> str:
        """Make a bucket; gives its name."""
        name = f"hub-{uuid4().hex[:8]}"
        self.client("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        return name


TABLE_ARGUMENTS = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


@cache
def session() -> boto3.Session:
    """Give one session, so that the descriptions of the services are read once."""
    return boto3.Session()


@cache
def properties(resource: str) -> dict[str, Any]:
    """Read the properties of a resource from the template, without what CloudFormation computes."""
    found = yaml.load(RESOURCES.read_text(), _Template)["Resources"][resource]
    return dict(found["Properties"])


class _Template(yaml.SafeLoader):
    """Reads a template; intrinsic functions become nothing."""


_Template.add_multi_constructor("!", lambda loader, suffix, node: None)


def _retry_at_once(client: Any) -> None:
    """Let the SDK try again without the wait before it."""
    endpoint = client._endpoint

    def needs_retry(
        attempts: int,
        operation_model: Any,
        request_dict: Any,
        response: Any = None,
        caught_exception: Any = None,
    ) -> bool:
        service = operation_model.service_model.service_id.hyphenize()
        answers = endpoint._event_emitter.emit(
            f"needs-retry.{service}.{operation_model.name}",
            response=response,
            endpoint=endpoint,
            operation=operation_model,
            attempts=attempts,
            caught_exception=caught_exception,
            request_dict=request_dict,
        )
        return first_non_none_response(answers) not in (None, False)

    endpoint._needs_retry = needs_retry


def on_moto() -> Cloud:
    """Give clients on moto behind the shim; moto must be running."""
    credentials = {
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
        "region_name": REGION,
    }
    return Cloud("moto", credentials, Shim())


def on_cloud(address: str) -> Cloud:
    """Give clients on the local cloud, in an account of their own."""
    account = str(uuid4().int)[:12].rjust(12, "1")
    arguments = {
        "aws_access_key_id": account,
        "aws_secret_access_key": "testing",
        "region_name": REGION,
        "endpoint_url": address,
    }
    return Cloud("cloud", arguments)


@contextmanager
def ministack() -> Iterator[str]:
    """Run a local cloud on a free port of 127.0.0.1; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "PERSIST_STATE": "0",
            "STATE_DIR": home,
            "S3_DATA_DIR": home,
            "LOG_LEVEL": "WARNING",
        }
        with Path(home, "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=home,
            )
        try:
            _wait(address, process, Path(home, "log"))
            yield address
        finally:
            process.terminate()
            process.wait(20)


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until it answers."""
    give_up_at = monotonic() + START_SECONDS
    while monotonic() < give_up_at and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_ministack/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            sleep(0.05)
    raise RuntimeError(f"the local cloud did not start: {log.read_text()[-500:]}")


Engine = Callable[[], Cloud]
