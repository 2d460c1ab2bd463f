"""Queues: what SQS is told, and that a message is either sent or said not to be."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.aws.queue import SqsQueue
from chalicelib.errors import Unavailable
from chalicelib.storage import Message
from tests.aws.engines import Cloud
from tests.faults import Call, Fault, aws_fault
from tests.strict import failing


def received(cloud: Cloud, url: str) -> list[dict[str, Any]]:
    answer = cloud.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def test_a_routing_message_names_its_group_and_is_known_again(moto: Cloud) -> None:
    url = moto.queue(is_fifo=True)
    SqsQueue(moto.client("sqs"), url).send([Message({"lead": "l1"}, group="large", once="l1-3")])
    (found,) = received(moto, url)
    assert json.loads(found["Body"]) == {"lead": "l1"}
    assert found["Attributes"]["MessageGroupId"] == "large"
    assert found["Attributes"]["MessageDeduplicationId"] == "l1-3"


@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (2, 1), (10, 1), (11, 2), (25, 3)])
def test_messages_go_ten_at_a_time(moto: Cloud, count: int, calls: int) -> None:
    url = moto.queue()
    client = moto.client("sqs")
    seen: list[str] = []

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        seen.append(call.does)
        return go()

    moto.hook = hook
    SqsQueue(client, url).send([Message({"n": n}) for n in range(count)])
    assert len(seen) == calls


def test_waits_between_tries_grow(moto: Cloud) -> None:
    assert moto.shim is not None
    pauses: list[float] = []
    moto.shim.answer_next("SendMessageBatch", *[failing("0") for _ in range(3)])
    SqsQueue(moto.client("sqs"), moto.queue(), pauses.append).send([Message({}), Message({"n": 1})])
    assert pauses == [0.05, 0.1, 0.2]


@pytest.mark.parametrize("count", [1, 3])
def test_a_queue_that_is_down_is_unavailable(moto: Cloud, count: int) -> None:
    url = moto.queue()
    moto.hook = lambda call, go: aws_fault(Fault.DOWN, go)
    with pytest.raises(Unavailable, match="SQS"):
        SqsQueue(moto.client("sqs"), url).send([Message({"n": n}) for n in range(count)])


def test_a_queue_that_is_not_there_is_unavailable(moto: Cloud) -> None:
    with pytest.raises(Unavailable):
        SqsQueue(moto.client("sqs"), "https://sqs.eu-west-1.amazonaws.com/1/none").send(
            [Message({})]
        )
