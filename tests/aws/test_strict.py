"""The shim, row by row: what AWS refuses is refused in front of moto, what AWS takes passes."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.engines import Cloud
from tests.faults import Call, Fault, aws_fault
from tests.strict import cancelled, conflict, failing, throttled, unprocessed

KEY = {"pk": {"S": "1"}, "sk": {"S": "A"}}
MANY = {f":v{n}": {"N": str(n)} for n in range(101)}


def refused(call: Callable[..., Any], **request: Any) -> str:
    """Give the code that a call is refused with; empty when it is taken."""
    try:
        call(**request)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(depth):
        value = {"L": [value]}
    return value


def number(text: str) -> dict[str, Any]:
    return {"n": {"N": text}}


@pytest.mark.parametrize(
    "more",
    [
        {"n": {"S": "x" * 409_600}},
        {"n": nested(33)},
        number("1" * 39),
        number("1E126"),
        number("NaN"),
        number("Infinity"),
        number("abc"),
        {"n": {"SS": []}},
        {"n": {"SS": ["a", "a"]}},
        {"pk": {"S": ""}},
        {"sk": {"S": ""}},
        {"pk": {"S": "p" * 2049}},
        {"sk": {"S": "s" * 1025}},
        {"due_shard": {"S": ""}},
        {"due_at": {"N": "1"}},
        {"list_pk": {"NULL": True}},
    ],
)
def test_an_item_that_aws_refuses_is_refused(moto: Cloud, more: dict[str, Any]) -> None:
    table, client = moto.table(), moto.client("dynamodb")
    item = {**KEY, **more}
    transaction = [{"Put": {"TableName": table, "Item": item}}]
    assert refused(client.put_item, TableName=table, Item=item) == "ValidationException"
    assert refused(client.transact_write_items, TransactItems=transaction) == "ValidationException"


@pytest.mark.parametrize(
    "more",
    [
        {"n": {"S": "x" * 400_000}},
        {"n": nested(32)},
        number("1" * 38),
        number("1" * 38 + "0" * 60),
        number("9.9E125"),
        number("-1E-130"),
        number("0"),
        {"n": {"S": ""}},
        {"n": {"SS": ["a", "b"]}},
        {"pk": {"S": "p" * 2048}},
        {"sk": {"S": "s" * 1024}},
        {"due_shard": {"S": "a"}},
    ],
)
def test_an_item_that_aws_takes_passes(moto: Cloud, more: dict[str, Any]) -> None:
    table, client = moto.table(), moto.client("dynamodb")
    assert refused(client.put_item, TableName=table, Item={**KEY, **more}) == ""


def test_a_lone_surrogate_does_not_reach_the_table(moto: Cloud) -> None:
    table, client = moto.table(), moto.client("dynamodb")
    item = {**KEY, "n": {"S": "a\ud800b"}}
    assert refused(client.put_item, TableName=table, Item=item) == "SerializationException"


def test_an_index_key_of_another_type_is_refused_in_an_update_too(moto: Cloud) -> None:
    table, client = moto.table(), moto.client("dynamodb")
    for value in ({"N": "1"}, {"S": ""}):
        request = {
            "TableName": table,
            "Key": KEY,
            "UpdateExpression": "SET #d = :d",
            "ExpressionAttributeNames": {"#d": "due_at"},
            "ExpressionAttributeValues": {":d": value},
        }
        assert refused(client.update_item, **request) == "ValidationException"


def test_reads_have_their_limits(moto: Cloud) -> None:
    table, client = moto.table(), moto.client("dynamodb")
    keys = [{"pk": {"S": str(n)}, "sk": {"S": "A"}} for n in range(101)]

    def batch(asked: list[Any]) -> str:
        return refused(client.batch_get_item, RequestItems={table: {"Keys": asked}})

    assert batch(keys) == batch([]) == batch([KEY, KEY]) == "ValidationException"
    assert batch(keys[:100]) == ""
    empty = {"pk": {"S": ""}, "sk": {"S": "A"}}
    assert refused(client.get_item, TableName=table, Key=empty) == "ValidationException"


def test_an_index_gives_no_consistent_reads_and_no_empty_pages(moto: Cloud) -> None:
    table, client = moto.table(), moto.client("dynamodb")
    request = {
        "TableName": table,
        "IndexName": "due",
        "KeyConditionExpression": "due_shard = :s",
        "ExpressionAttributeValues": {":s": {"S": "a"}},
    }
    assert refused(client.query, **request) == ""
    assert refused(client.query, **request, ConsistentRead=True) == "ValidationException"
    assert refused(client.query, **request, Limit=0) == "ValidationException"


def test_an_expression_has_its_limits(moto: Cloud) -> None:
    table, client = moto.table(), moto.client("dynamodb")

    def put(**more: Any) -> str:
        return refused(client.put_item, TableName=table, Item=KEY, **more)

    hundred = dict(list(MANY.items())[:100])
    absent = "attribute_not_exists(pk)"
    fits = {"ConditionExpression": f"{absent} OR n IN ({','.join(hundred)})"}
    large = {"ConditionExpression": f"{absent} OR n IN ({','.join(MANY)})"}
    assert put(**fits, ExpressionAttributeValues=hundred) == ""
    assert put(**large, ExpressionAttributeValues=MANY) == "ValidationException"
    unused = {":a": {"S": "x"}}
    assert (
        put(ConditionExpression=absent, ExpressionAttributeValues=unused) == "ValidationException"
    )
    names = {"#a": "x"}
    assert put(ConditionExpression=absent, ExpressionAttributeNames=names) == "ValidationException"
    padded = absent + " OR " + " OR ".join([absent] * 200)
    assert put(ConditionExpression=padded) == "ValidationException"


def test_a_batch_of_writes_has_twenty_five_at_most(moto: Cloud) -> None:
    table, client = moto.table(), moto.client("dynamodb")

    def write(count: int) -> str:
        puts = [
            {"PutRequest": {"Item": {"pk": {"S": str(n)}, "sk": {"S": "A"}}}} for n in range(count)
        ]
        return refused(client.batch_write_item, RequestItems={table: puts})

    assert write(26) == write(0) == "ValidationException"
    assert write(25) == ""


def puts(table: str, count: int, size: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "Put": {
                "TableName": table,
                "Item": {"pk": {"S": str(n)}, "sk": {"S": "A"}, "b": {"S": "x" * size}},
            }
        }
        for n in range(count)
    ]


def test_a_transaction_has_its_limits(moto: Cloud) -> None:
    table, client = moto.table(), moto.client("dynamodb")

    def transact(actions: list[Any]) -> str:
        return refused(client.transact_write_items, TransactItems=actions)

    assert transact(puts(table, 101)) == "ValidationException"
    assert transact([]) == "ValidationException"
    assert transact(puts(table, 12, 390_000)) == "ValidationException"
    assert transact(puts(table, 1) * 2) == "ValidationException"
    assert transact(puts(table, 100)) == ""


def test_a_request_token_is_honoured(moto: Cloud) -> None:
    table, client = moto.table(), moto.client("dynamodb")
    add = {
        "Update": {
            "TableName": table,
            "Key": KEY,
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    for _ in range(2):
        client.transact_write_items(TransactItems=[add], ClientRequestToken="token")
    assert client.get_item(TableName=table, Key=KEY)["Item"]["n"] == {"N": "1"}
    other = refused(
        client.transact_write_items, TransactItems=puts(table, 1), ClientRequestToken="token"
    )
    assert other == "IdempotentParameterMismatchException"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"MessageBody": ""}, "MissingParameter"),
        ({"MessageBody": "a\x00b"}, "InvalidMessageContents"),
        ({"MessageBody": "a\ufffeb"}, "InvalidMessageContents"),
        ({"MessageBody": "x" * (1024 * 1024 + 1)}, "InvalidParameterValue"),
        ({"DelaySeconds": 901}, "InvalidParameterValue"),
        ({"MessageDeduplicationId": "1", "MessageGroupId": "g"}, "InvalidParameterValue"),
        (
            {
                "MessageAttributes": {
                    f"a{n}": {"DataType": "String", "StringValue": "v"} for n in range(11)
                }
            },
            "InvalidParameterValue",
        ),
    ],
)
def test_a_message_that_sqs_refuses_is_refused(
    moto: Cloud, more: dict[str, Any], code: str
) -> None:
    client, url = moto.client("sqs"), moto.queue()
    entry = {"MessageBody": "m", **more}
    assert refused(client.send_message, QueueUrl=url, **entry) == code
    if len(entry["MessageBody"]) < 100:
        batch = [{"Id": "1", **entry}]
        assert refused(client.send_message_batch, QueueUrl=url, Entries=batch) == code
    assert "Messages" not in client.receive_message(QueueUrl=url)


def test_a_message_that_sqs_takes_passes(moto: Cloud) -> None:
    client, url = moto.client("sqs"), moto.queue()
    for body in ("\t\n\r ", "Zoë 😀", "x" * 300_000):
        assert refused(client.send_message, QueueUrl=url, MessageBody=body) == ""
    assert refused(client.send_message, QueueUrl=url, MessageBody="m", DelaySeconds=900) == ""
    assert refused(client.send_message, QueueUrl=url, MessageBody="m", MessageGroupId="g") == ""


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([{"Id": str(n), "MessageBody": "m"} for n in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "1", "MessageBody": "m"}] * 2, "BatchEntryIdsNotDistinct"),
        ([{"Id": str(n), "MessageBody": "x" * 200_000} for n in range(6)], "BatchRequestTooLong"),
    ],
)
def test_a_batch_of_messages_has_its_limits(moto: Cloud, entries: list[Any], code: str) -> None:
    client, url = moto.client("sqs"), moto.queue()
    assert refused(client.send_message_batch, QueueUrl=url, Entries=entries) == code


def test_a_fifo_queue_wants_group_and_id_and_takes_no_delay(moto: Cloud) -> None:
    client, url = moto.client("sqs"), moto.queue(is_fifo=True)
    whole = {"MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        rest = {key: value for key, value in whole.items() if key != name}
        assert refused(client.send_message, QueueUrl=url, **rest) == "MissingParameter"
    delayed = {**whole, "DelaySeconds": 5}
    assert refused(client.send_message, QueueUrl=url, **delayed) == "InvalidParameterValue"
    assert refused(client.send_message, QueueUrl=url, **whole) == ""


def test_a_fifo_queue_remembers_ids_of_batches_and_of_deleted_messages(moto: Cloud) -> None:
    client, url = moto.client("sqs"), moto.queue(is_fifo=True)

    def entry(number: int, once: str) -> dict[str, Any]:
        return {
            "Id": str(number),
            "MessageBody": once,
            "MessageGroupId": "g",
            "MessageDeduplicationId": once,
        }

    first = client.send_message_batch(QueueUrl=url, Entries=[entry(1, "a"), entry(2, "b")])
    for message in client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]:
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    again = client.send_message_batch(
        QueueUrl=url, Entries=[entry(3, "b"), entry(4, "c"), entry(5, "c")]
    )
    assert {done["Id"] for done in again["Successful"]} == {"3", "4", "5"}
    ids = {done["Id"]: done["MessageId"] for done in first["Successful"] + again["Successful"]}
    assert ids["3"] == ids["2"]
    assert ids["4"] == ids["5"]
    left = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in left] == ["c"]


def test_queues_and_visibility_have_their_limits(moto: Cloud) -> None:
    client, url = moto.client("sqs"), moto.queue()
    client.send_message(QueueUrl=url, MessageBody="m")
    receipt = client.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    for seconds, code in ((43_201, "InvalidParameterValue"), (43_000, "")):
        asked = {"QueueUrl": url, "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
        assert refused(client.change_message_visibility, **asked) == code
    for attributes in ({"VisibilityTimeout": "43201"}, {"MessageRetentionPeriod": "59"}):
        code = refused(client.create_queue, QueueName="q", Attributes=attributes)
        assert code == "InvalidAttributeValue"
    policy = f'{{"deadLetterTargetArn": "{moto.arn(url)}", "maxReceiveCount": 1}}'
    attributes = {"FifoQueue": "true", "RedrivePolicy": policy}
    code = refused(client.create_queue, QueueName="q.fifo", Attributes=attributes)
    assert code == "InvalidParameterValue"
    assert refused(client.delete_message_batch, QueueUrl=url, Entries=[]) == "EmptyBatchRequest"


def test_a_parameter_has_four_kilobytes(moto: Cloud) -> None:
    client = moto.client("ssm")
    for size, code in ((4097, "ValidationException"), (4096, "")):
        asked = {"Name": "/a", "Value": "x" * size, "Type": "SecureString", "Overwrite": True}
        assert refused(client.put_parameter, **asked) == code


# --- misbehaving on purpose -----------------------------------------------------------------------


def test_scripted_answers_come_once_each_and_have_no_effect(moto: Cloud) -> None:
    assert moto.shim
    table, client = moto.table(), moto.client("dynamodb", attempts=1)
    moto.shim.answer_next("TransactWriteItems", conflict(2, at=1), cancelled("ThrottlingError"))
    for reasons in (["None", "TransactionConflict"], ["ThrottlingError"]):
        with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
            client.transact_write_items(TransactItems=puts(table, 2))
        found = caught.value.response["CancellationReasons"]
        assert [reason["Code"] for reason in found] == reasons
    moto.shim.answer_next("PutItem", throttled())
    code = refused(client.put_item, TableName=table, Item=KEY)
    assert code == "ProvisionedThroughputExceededException"
    assert client.scan(TableName=table)["Count"] == 0
    assert refused(client.transact_write_items, TransactItems=puts(table, 2)) == ""
    assert client.scan(TableName=table)["Count"] == 2


def test_a_batch_is_left_half_read_and_half_sent(moto: Cloud) -> None:
    assert moto.shim
    table, client = moto.table(), moto.client("dynamodb")
    client.transact_write_items(TransactItems=puts(table, 3))
    keys = [{"pk": {"S": str(n)}, "sk": {"S": "A"}} for n in range(3)]
    moto.shim.answer_next("BatchGetItem", unprocessed(1))
    answer = client.batch_get_item(RequestItems={table: {"Keys": keys}})
    assert len(answer["Responses"][table]) == 1
    assert answer["UnprocessedKeys"][table]["Keys"] == keys[1:]
    sqs, url = moto.client("sqs"), moto.queue()
    moto.shim.answer_next("SendMessageBatch", failing("1"))
    entries = [{"Id": str(n), "MessageBody": "m"} for n in range(2)]
    sent = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in sent["Failed"]] == ["1"]
    assert [entry["Id"] for entry in sent["Successful"]] == ["0"]


def test_an_index_lags_by_so_many_writes(moto: Cloud) -> None:
    assert moto.shim
    table, client = moto.table(), moto.client("dynamodb")
    for number in range(3):
        due = {"due_shard": {"S": "a"}, "due_at": {"S": str(number)}}
        client.put_item(TableName=table, Item={"pk": {"S": str(number)}, "sk": {"S": "A"}, **due})

    def shown() -> list[str]:
        found = client.query(
            TableName=table,
            IndexName="due",
            KeyConditionExpression="due_shard = :s",
            ExpressionAttributeValues={":s": {"S": "a"}},
        )
        return [item["pk"]["S"] for item in found["Items"]]

    assert shown() == ["0", "1", "2"]
    moto.shim.index_lag = 2
    assert shown() == ["0"]


@pytest.mark.parametrize(
    ("fault", "stored", "attempts"),
    [
        (Fault.DOWN, False, 1),
        (Fault.LOST, True, 1),
        (Fault.DOWN, True, 2),
        (Fault.LOST, True, 2),
    ],
)
def test_a_broken_connection_is_one_before_or_after_the_effect(
    moto: Cloud, fault: Fault, stored: bool, attempts: int
) -> None:
    table, client = moto.table(), moto.client("dynamodb", attempts)
    seen: list[Call] = []

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        seen.append(call)
        return aws_fault(fault if len(seen) == 1 else None, go)

    moto.hook = hook
    try:
        client.put_item(TableName=table, Item=KEY)
    except Exception as error:  # noqa: BLE001
        assert type(error).__name__ == "ConnectionClosedError"
    assert [call.does for call in seen] == ["PutItem"] * attempts
    moto.hook = lambda call, go: go()
    assert ("Item" in client.get_item(TableName=table, Key=KEY)) is stored
