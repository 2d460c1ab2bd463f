"""The doors: AWS events in, one call of a flow each; and the path, walked once."""

import base64
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws
from moto.backends import get_backend

import app as doors
from chalicelib.connector import STANDARD_WEBHOOKS
from chalicelib.errors import Unavailable
from chalicelib.flow import notify as notifying
from chalicelib.flow import process as processing
from chalicelib.flow import route as routing
from chalicelib.flow.publish import publish
from chalicelib.hub import Hub
from chalicelib.records import delivery_of, effect_of, lead_of
from chalicelib.request import Request, unpack
from chalicelib.storage import Mail, Received
from tests.aws.engines import REGION, Cloud, on_moto
from tests.fakes import MemoryQueue
from tests.flow.scenes import (
    a_world,
    ask,
    deliveries,
    effects,
    owner_of,
    reconfigure,
)
from tests.world import SECRETS, World, form, linkedin

CANARY = "canary-7c1f"


# --- a hub on AWS, without AWS --------------------------------------------------------------------


@dataclass(frozen=True)
class Deployed:
    """What a stage has, and how its functions are called."""

    cloud: Cloud
    environment: Mapping[str, str]

    def records(self, name: str, function: Callable[..., Any]) -> dict[str, Any]:
        """Hand what is on a queue to a function as Lambda does, and delete what is done."""
        sqs, url = self.cloud.client("sqs"), self.environment[name]
        found = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages", [])
        answer: dict[str, Any] = function({"Records": [record(one) for one in found]}, None)
        back = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        for one in found:
            if one["MessageId"] not in back:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return answer

    def items(self, kind: str) -> list[Any]:
        """Give the stored items of a kind."""
        hub = doors.get_hub()
        name = self.environment["HUB_TABLE"]
        keys = self.cloud.client("dynamodb").scan(TableName=name)["Items"]
        found = [hub.table.get((one["pk"]["S"], one["sk"]["S"])) for one in keys]  # type: ignore[arg-type]
        return [item for item in found if item and item.get("kind") == kind]


def record(message: Mapping[str, Any]) -> dict[str, Any]:
    """Give a message as SQS hands it to Lambda."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:hub-test",
        "awsRegion": REGION,
    }


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """A stage with a published configuration and its secrets."""
    with mock_aws():
        cloud = on_moto()
        environment = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "HUB_TABLE": cloud.table(),
            "HUB_BUCKET": cloud.bucket(),
            "HUB_INBOX": cloud.queue(),
            "HUB_ROUTING": cloud.queue(is_fifo=True),
            "HUB_OUTBOX": cloud.queue(),
            "HUB_SECRETS_PATH": "/hub/test",
            "HUB_PUBLIC_URL": "https://hub.example.com",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        doors.get_hub.cache_clear()
        cloud.client("sesv2").create_email_identity(EmailIdentity="hub@example.com")
        for name, live in SECRETS.items():
            cloud.client("ssm").put_parameter(
                Name=f"/hub/test/{name}",
                Value=json.dumps([{"value": value, "not_after": None} for value in live]),
                Type="SecureString",
            )
        publish(doors.get_hub(), a_world().config, "test")
        yield Deployed(cloud, environment)
    doors.get_hub.cache_clear()


def gateway(
    source_id: str,
    body: bytes,
    headers: Mapping[str, Sequence[str]],
    *,
    is_base64: bool = True,
    method: str = "POST",
    query: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Make the event of a REST API's Lambda proxy, payload version 1."""
    text = base64.b64encode(body).decode() if is_base64 else body.decode()
    return {
        "resource": "/hooks/{source_id}",
        "path": f"/hooks/{source_id}",
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": {name: list(values) for name, values in headers.items()} or None,
        "queryStringParameters": {k: v[-1] for k, v in query.items()} if query else None,
        "multiValueQueryStringParameters": {k: list(v) for k, v in query.items()}
        if query
        else None,
        "pathParameters": {"source_id": source_id},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/hooks/{source_id}",
            "httpMethod": method,
            "path": f"/prod/hooks/{source_id}",
            "stage": "prod",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "made-up/1.0"},
        },
        "body": text if body else None,
        "isBase64Encoded": is_base64 and bool(body),
    }


TOKEN = {"X-Lead-Token": SECRETS["forms"], "Content-Type": ("application/json",)}


def test_the_path_is_walked_once_a_signed_case_in_a_notification_out(deployed: Deployed) -> None:
    event = gateway("forms", form(1, "zoe@example.com"), TOKEN)
    answer = doors.receive(event, None)
    assert (answer["statusCode"], answer["body"]) == (200, "{}")
    for name, function in (
        ("HUB_INBOX", doors.process),
        ("HUB_ROUTING", doors.route),
        ("HUB_OUTBOX", doors.notify),
    ):
        assert deployed.records(name, function) == {"batchItemFailures": []}
    (lead,) = [lead_of(item) for item in deployed.items("lead")]
    assert lead.assignment
    (mail,) = get_backend("ses")["123456789012"][REGION].sent_messages
    (effect,) = [effect_of(item) for item in deployed.items("effect")]
    assert (effect.state, effect.proof) == ("done", mail.id)
    owner = a_world().config.owners[lead.assignment.owner_id]
    assert mail.destinations["ToAddresses"] == [owner.email]


def test_a_refused_request_and_a_handshake_have_their_answers(deployed: Deployed) -> None:
    refused = doors.receive(gateway("forms", b"{}", {}), None)
    assert refused["statusCode"] == 401
    query = {
        "hub.mode": ["subscribe"],
        "hub.verify_token": [SECRETS["meta"][0]],
        "hub.challenge": ["1158201444"],
    }
    shaken = doors.receive(gateway("meta", b"", {}, method="GET", query=query), None)
    assert (shaken["statusCode"], shaken["body"]) == (200, "1158201444")
    assert shaken["headers"]["Content-Type"] == "text/plain"
    assert doors.receive(gateway("nobody", b"{}", {}), None)["statusCode"] == 404


@pytest.mark.parametrize("is_base64", [True, False])
@pytest.mark.parametrize(
    "body", ['{"id": "1", "name": "Zoë ✓", "email":"zoe@example.com"}\r\n'.encode(), b" "]
)
def test_text_is_kept_byte_for_byte_however_api_gateway_hands_it_over(
    deployed: Deployed, body: bytes, is_base64: bool
) -> None:
    headers = {**TOKEN, "X-Note": ("one", "two"), "x-note": ("three",)}
    event = gateway("forms", body, headers, is_base64=is_base64)
    assert doors.receive(event, None)["statusCode"] == 200
    (delivery,) = [delivery_of(item) for item in deployed.items("delivery")]
    kept = unpack(delivery.raw)
    assert kept.body == body
    assert kept.headers["x-note"] == ("one", "two", "three")


def test_a_binary_body_is_verified_and_kept_byte_for_byte(deployed: Deployed) -> None:
    body = bytes(range(256)) * 40
    at = datetime.now(UTC)
    signed = STANDARD_WEBHOOKS.sign(Request("POST", "", {}, {}, body, at), SECRETS["crm"][0])
    event = gateway("signed", body, {**signed.headers, "Authorization": (CANARY,)})
    assert doors.receive(event, None)["statusCode"] == 200
    (delivery,) = [delivery_of(item) for item in deployed.items("delivery")]
    kept = unpack(delivery.raw)
    assert kept.body == body
    assert "authorization" not in kept.headers


def test_a_body_with_a_key_in_it_is_kept_without_the_key(deployed: Deployed) -> None:
    body = json.dumps({"google_key": SECRETS["forms"][0], "lead_id": "1", "user_column_data": []})
    event = gateway("ads", body.encode(), {"content-type": ("application/json",)})
    assert doors.receive(event, None)["statusCode"] == 200
    (delivery,) = [delivery_of(item) for item in deployed.items("delivery")]
    assert json.loads(unpack(delivery.raw).body) == {"lead_id": "1", "user_column_data": []}


def test_a_tick_says_how_much_it_sent(deployed: Deployed) -> None:
    assert deployed.environment
    event = {"time": "2026-11-21T20:00:00Z", "source": "aws.events", "detail-type": "x"}
    event |= {"resources": [], "account": "1", "id": "1", "region": REGION, "detail": {}}  # type: ignore[dict-item]
    assert doors.tick({**event, "version": "0"}, None) == {"sent": 0}


# --- batches --------------------------------------------------------------------------------------


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment in which clients can be made; none of them is called."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    doors.get_hub.cache_clear()
    yield
    doors.get_hub.cache_clear()


def batch(messages: Sequence[Received]) -> dict[str, Any]:
    """Make the SQS event of a batch."""
    return {
        "Records": [
            {
                "messageId": one.message_id,
                "body": json.dumps(one.body),
                "attributes": {"ApproximateReceiveCount": str(one.tries)},
            }
            for one in messages
        ]
    }


def work(
    flow: Any, world: World, queue: MemoryQueue, hub: Hub | None = None, *, in_order: bool = False
) -> list[str]:
    """Let the door work on a batch of a world's queue; gives the positions that come back."""

    def handle(_: Hub, messages: Sequence[Received]) -> list[str]:
        step: Callable[..., list[str]] = getattr(flow, flow.__name__.rpartition(".")[2])
        return step(hub or world.hub, messages)

    def set_aside(_: Hub, message: Received, error: Exception) -> None:
        flow.set_aside(world.hub, message, error)

    messages = queue.receive()
    answer = doors.work("test", handle, set_aside, batch(messages), in_order=in_order)
    back = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    queue.delete({one.message_id for one in messages} - set(back))
    queue.give_back(back)
    return [str(position) for position, one in enumerate(messages) if one.message_id in back]


@pytest.mark.parametrize("at", range(10))
@pytest.mark.usefixtures("anywhere")
def test_a_poison_delivery_at_any_place_comes_back_alone_and_is_then_set_aside(at: int) -> None:
    world = a_world()
    world.web.pages["leadFormResponses/000000099-1"] = RuntimeError(CANARY)
    for number in range(10):
        if number == at:
            ask(world, "linkedin", linkedin(99))
        else:
            ask(world, "forms", form(number, f"p{number}@example.com"))
    assert work(processing, world, world.inbox) == [str(at)]
    assert len(world.leads()) == 9
    assert work(processing, world, world.inbox) == ["0"]
    assert work(processing, world, world.inbox) == []
    assert world.inbox.is_empty()
    assert deliveries(world)[at].outcome == "quarantined"
    assert deliveries(world)[at].reason == "a mistake of ours: RuntimeError"
    world.settle()
    assert [lead.touch_count for lead in world.leads()] == [1] * 9
    assert len(world.mailbox.mails) == 9


@pytest.mark.usefixtures("anywhere")
def test_several_poison_deliveries_come_back_and_no_other() -> None:
    world = a_world()
    for number in (2, 5, 9):
        world.web.pages[f"leadFormResponses/0000000{number}-1"] = RuntimeError(CANARY)
    for number in range(10):
        if number in (2, 5, 9):
            ask(world, "linkedin", linkedin(number))
        else:
            ask(world, "forms", form(number, f"p{number}@example.com"))
    assert work(processing, world, world.inbox) == ["2", "5", "9"]
    assert len(world.leads()) == 7


def with_a_poison_rule() -> World:
    """Give a world in which leads with many seats make our own code fail."""
    world = a_world()
    rules = list(world.config.routing)
    rules[1] = rules[1].model_copy(update={"notify": ("nowhere",), "pool": "small"})
    reconfigure(world, world.config.model_copy(update={"routing": tuple(rules)}))
    return world


@pytest.mark.parametrize("at", range(10))
@pytest.mark.usefixtures("anywhere")
def test_a_poison_lead_at_any_place_of_a_pool_is_set_aside_at_once(at: int) -> None:
    world = with_a_poison_rule()
    for number in range(10):
        more = {"seats": "250"} if number == at else {}
        ask(world, "forms", form(number, f"p{number}@example.com", **more))
    world.work(world.inbox, world.hub)
    assert work(routing, world, world.routing, in_order=True) == []
    assert world.routing.is_empty()
    (unowned,) = [lead for lead in world.leads() if lead.is_unowned]
    assert "p{}@example.com".format(at) in unowned.identity_keys[0]  # noqa: UP032
    assert len([lead for lead in world.leads() if owner_of(lead)]) == 9
    assert [one.destination_id for one in effects(world, "alarm")] == ["alarm"]


@pytest.mark.usefixtures("anywhere")
def test_a_poison_lead_does_not_change_the_order_of_its_pool() -> None:
    world = with_a_poison_rule()
    for number in range(10):
        more = {"seats": "250"} if number == 4 else {}
        ask(world, "forms", form(number, f"p{number}@example.com", **more))
    world.work(world.inbox, world.hub)
    order = [message.body["lead"] for message in world.routing.waiting]
    work(routing, world, world.routing, in_order=True)
    writes = [put.item["pk"] for puts in world.table.commits for put in puts]
    routed = [pk.removeprefix("LEAD#") for pk in writes if pk.removeprefix("LEAD#") in order]
    last = {lead_id: position for position, lead_id in enumerate(routed)}
    assert sorted(order, key=last.__getitem__) == order


@pytest.mark.parametrize("at", range(10))
@pytest.mark.usefixtures("anywhere")
def test_after_a_failure_at_any_place_a_fifo_batch_comes_back_from_there(at: int) -> None:
    handled: list[str] = []

    def handle(_: Hub, messages: Sequence[Received]) -> list[str]:
        if len(messages) > 1:
            raise RuntimeError(CANARY)
        if messages[0].body["lead"] == at:
            return [messages[0].message_id]
        handled.append(messages[0].message_id)
        return []

    messages = [Received(f"m{number}", {"lead": number}, 1) for number in range(10)]
    answer = doors.work("test", handle, not_called, batch(messages), in_order=True)
    back = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    assert handled == [f"m{number}" for number in range(at)]
    assert back == [f"m{number}" for number in range(at, 10)]


def not_called(*_: object) -> None:
    raise AssertionError("nothing was to be set aside")


@pytest.mark.parametrize("error", [Unavailable("DynamoDB: down"), RuntimeError(CANARY)])
@pytest.mark.usefixtures("anywhere")
def test_what_cannot_even_be_set_aside_comes_back_and_takes_nobody_along(
    error: Exception,
) -> None:
    def handle(_: Hub, messages: Sequence[Received]) -> list[str]:
        if any(one.body["n"] == 1 for one in messages):
            raise RuntimeError(CANARY)
        return []

    def set_aside(*_: object) -> None:
        raise error

    messages = [Received(f"m{number}", {"n": number}, 3) for number in range(3)]
    answer = doors.work("test", handle, set_aside, batch(messages))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


@pytest.mark.parametrize("at", range(10))
@pytest.mark.usefixtures("anywhere")
def test_a_poison_notification_at_any_place_does_not_keep_the_others(at: int) -> None:
    world = a_world()
    for number in range(10):
        ask(world, "forms", form(number, f"p{number}@example.com"))
    world.work(world.inbox, world.hub)
    world.work(world.routing, world.hub)

    def send(mail: Mail) -> str:
        if f"p{at}@example.com" in mail.text:
            raise RuntimeError(CANARY)
        return world.mailbox(mail)

    hub = replace(world.hub, send_mail=send)
    for _ in range(3):
        work(notifying, world, world.outbox, hub)
    world.settle(hub)
    assert len(world.mailbox.mails) == 9
    states = sorted(one.state for one in effects(world))
    assert states == ["done"] * 9 + ["quarantined"]


@pytest.mark.usefixtures("anywhere")
def test_only_what_a_flow_names_comes_back() -> None:
    messages = [Received(f"m{number}", {}, 1) for number in range(10)]
    answer = doors.work("test", lambda _, given: [given[3].message_id], not_called, batch(messages))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m3"}]}


@pytest.mark.usefixtures("anywhere")
def test_how_often_a_message_came_is_read_from_sqs() -> None:
    seen: list[int] = []

    def handle(_: Hub, messages: Sequence[Received]) -> list[str]:
        seen.extend(one.tries for one in messages)
        return []

    doors.work("test", handle, not_called, batch([Received("m", {}, 4)]))
    assert seen == [4]


# --- the log --------------------------------------------------------------------------------------


def test_log_lines_hold_ids_and_counts_and_no_lead_text(
    deployed: Deployed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    body = form(1, f"{CANARY}@example.com", name=CANARY, message=CANARY)
    doors.receive(gateway("forms", body, {**TOKEN, "X-Note": (CANARY,)}), None)
    doors.receive(gateway("forms", body, {"X-Lead-Token": (CANARY,)}), None)
    doors.receive(gateway("forms", b'{"x": "' + CANARY.encode(), TOKEN), None)
    for name, function in (
        ("HUB_INBOX", doors.process),
        ("HUB_ROUTING", doors.route),
        ("HUB_OUTBOX", doors.notify),
    ):
        deployed.records(name, function)
    lines = [json.loads(one.getMessage()) for one in caplog.records if one.name == "hub"]
    assert [line["step"] for line in lines if "step" in line] == [
        *["receive"] * 3,
        "process",
        "route",
        "notify",
    ]
    assert CANARY not in caplog.text
    assert SECRETS["forms"][0] not in caplog.text


@pytest.mark.usefixtures("anywhere")
def test_a_mistake_of_ours_is_logged_by_its_place_and_not_by_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    def handle(_: Hub, messages: Sequence[Received]) -> list[str]:
        raise ValueError(f"{CANARY}@example.com")

    doors.work("test", handle, not_called, batch([Received("m", {"lead": CANARY}, 1)]))
    assert "ValueError at test_app.py:" in caplog.text
    assert CANARY not in caplog.text


def test_a_log_line_cannot_be_forged_by_an_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    doors.note("receive", source='x"}\n{"step":"forged')
    (line,) = [one.getMessage() for one in caplog.records]
    assert "\n" not in line
    assert json.loads(line)["step"] == "receive"
