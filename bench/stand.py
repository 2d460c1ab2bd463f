"""A bench for the flows: real boto3 against the local cloud, every AWS call counted."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import yaml

from chalicelib import registry
from chalicelib.cli.cloud import start_cloud, stop_cloud
from chalicelib.config.model import Config
from chalicelib.flow.notify import notify
from chalicelib.flow.process import process
from chalicelib.flow.publish import publish
from chalicelib.flow.receive import receive
from chalicelib.flow.route import route
from chalicelib.hub import Hub, build, now_utc
from chalicelib.request import Request
from chalicelib.settings import Settings
from chalicelib.storage import Received
from tests.people import email_of, name_of

ROOT = Path(__file__).parent.parent
SECRET = "bench-secret-0123456789"
BATCH = 10


class _Loader(yaml.SafeLoader):
    """Reads a template; what a function in it would give does not matter here."""


_Loader.add_multi_constructor("!", lambda loader, tag, node: getattr(node, "value", None))


def table_properties() -> dict[str, Any]:
    """Read keys and indexes of the table from the deployed template."""
    template = yaml.load((ROOT / ".chalice/resources.yaml").read_text(), _Loader)
    properties = template["Resources"]["Table"]["Properties"]
    wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {name: properties[name] for name in wanted}


@dataclass
class Calls:
    """What was asked of AWS, by step: operation and parameters of each call."""

    step: str = ""
    seen: dict[str, list[tuple[str, dict[str, Any]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def note(self, params: dict[str, Any], model: Any, **_: object) -> None:
        """Take down one call; boto3 hands it over before sending."""
        if self.step:
            service = model.service_model.service_name
            self.seen[self.step].append((f"{service}.{model.name}", params))


@dataclass
class Stand:
    """A hub on the local cloud with one source and two owners."""

    hub: Hub
    calls: Calls
    sqs: Any

    def post(self, number: int) -> Request:
        """Make the webhook of one Typeform response of a new person, as the provider does."""
        connector = registry.load("typeform")
        request = Request("POST", "/hooks/web", {}, HEADERS, form(number), now_utc())
        return connector.signature.sign(request, SECRET)

    def send(self, request: Request) -> None:
        """Hand a webhook to the door."""
        reply = receive(self.hub, "web", request)
        if reply.status != 200:
            raise RuntimeError(f"the door answered {reply.status}")

    def work(self, url: str, step: Callable[[Hub, Sequence[Received]], list[str]]) -> int:
        """Hand one batch of a queue to a flow, as Lambda would; gives how many messages."""
        remembered, self.calls.step = self.calls.step, ""
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=BATCH)
        self.calls.step = remembered
        found = answer.get("Messages", [])
        if not found:
            return 0
        failed = step(self.hub, [Received(m["MessageId"], json.loads(m["Body"])) for m in found])
        if failed:
            raise RuntimeError(f"{len(failed)} messages came back")
        self.calls.step = ""
        self.sqs.delete_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(found)
            ],
        )
        self.calls.step = remembered
        return len(found)

    def steps(self) -> list[tuple[str, str, Callable[[Hub, Sequence[Received]], list[str]]]]:
        """Give the working steps: name, queue, flow."""
        settings = self.hub.settings
        return [
            ("process", settings.inbox, process),
            ("route", settings.routing, route),
            ("notify", settings.outbox, notify),
        ]


HEADERS = {"content-type": ("application/json",), "user-agent": ("Typeform Webhooks",)}


def form(number: int) -> bytes:
    """Write the body of a webhook as Typeform sends it, for a person of this number."""
    case = json.loads((ROOT / "connectors/typeform/sample.json").read_text())
    body = case["body"]
    response = body["form_response"]
    response["token"] = f"bench-{number:012d}"
    response["submitted_at"] = (now_utc() - timedelta(seconds=5)).isoformat()
    for answer in response["answers"]:
        if answer["type"] == "text":
            answer["text"] = " ".join(name_of(number))
        elif answer["type"] == "email":
            answer["email"] = email_of(number).replace("@", f"@company{number % 997}.")
        elif answer["type"] == "phone_number":
            answer["phone_number"] = f"+4930{20_000_000 + number * 7919 % 10_000_000}"
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


CONFIG = {
    "settings": {"company": "Bench", "default_country": "DE", "mail_from": "hub@example.com"},
    "sources": {"web": {"connector": "typeform", "secret": "web"}},
    "destinations": {"mail": {"kind": "email"}},
    "owners": {
        "ana": {"name": "Ana", "email": "ana@example.com"},
        "ben": {"name": "Ben", "email": "ben@example.com", "daily_cap": 100000},
    },
    "pools": {"sales": {"members": [{"owner": "ana", "weight": 2}, {"owner": "ben"}]}},
    "scoring": {
        "fit": {
            "rules": [
                {
                    "id": "business",
                    "when": {"not": {"field": "is_free_mail", "op": "is", "value": True}},
                    "points": 30,
                }
            ]
        },
        "engagement": {
            "half_life_days": 14,
            "rules": [
                {
                    "id": "form",
                    "when": {"field": "form", "op": "exists"},
                    "points": 20,
                }
            ],
        },
    },
    "routing": [
        {"id": "everyone", "when": {"all": []}, "pool": "sales", "notify": ["mail"]},
    ],
}


@contextmanager
def stand() -> Iterator[Stand]:
    """Start a local cloud of its own with a table, queues and a configuration; end it."""
    calls = Calls()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        cloud = start_cloud(home, lambda *_: None)
        try:
            boto3.setup_default_session()
            boto3.DEFAULT_SESSION.events.register("before-parameter-build", calls.note)
            yield _build(cloud.endpoint, calls)
        finally:
            stop_cloud(home)


def _build(endpoint: dict[str, str], calls: Calls) -> Stand:
    client = {name: boto3.client(name, **endpoint) for name in ("dynamodb", "sqs", "ssm", "sesv2")}
    client["dynamodb"].create_table(TableName="bench", **table_properties())
    urls = {}
    for name, fifo in (("inbox", False), ("routing", True), ("outbox", False)):
        attributes = {"FifoQueue": "true"} if fifo else {}
        queue = f"bench-{name}" + (".fifo" if fifo else "")
        urls[name] = client["sqs"].create_queue(QueueName=queue, Attributes=attributes)["QueueUrl"]
    for name, value in (("web", SECRET), ("links", "l" * 40)):
        client["ssm"].put_parameter(
            Name=f"/bench/{name}",
            Value=json.dumps([{"value": value}]),
            Type="SecureString",
        )
    client["sesv2"].create_email_identity(EmailIdentity="hub@example.com")
    settings = Settings(
        stage="bench",
        table="bench",
        secrets_path="/bench",
        public_url="https://hub.example.com",
        **urls,
    )
    hub = build(settings, endpoint)
    publish(hub, Config.model_validate(CONFIG), "bench")
    return Stand(hub, calls, client["sqs"])
