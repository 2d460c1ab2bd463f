"""The behaviour of AWS that the hub relies on, asked of moto behind the shim and the local cloud.

A new version of either that answers otherwise fails here. What the fakes in memory also have is
asked of all three in test_storage.py.
"""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.aws.engines import Cloud

ABSENT = "attribute_not_exists(pk)"


def key(pk: str, sk: str = "A") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def refusal(call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    """Give the whole answer of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    return dict(caught.value.response)


def code(answer: dict[str, Any]) -> str:
    return str(answer["Error"]["Code"])


def stored(cloud: Cloud, table: str, pk: str, sk: str = "A") -> dict[str, Any] | None:
    found = cloud.client("dynamodb").get_item(TableName=table, Key=key(pk, sk), ConsistentRead=True)
    item: dict[str, Any] | None = found.get("Item")
    return item


def put(cloud: Cloud, table: str, pk: str, sk: str = "A", **more: Any) -> None:
    cloud.client("dynamodb").put_item(TableName=table, Item={**key(pk, sk), **more})


# --- DynamoDB: single items -----------------------------------------------------------------------


def test_a_put_whose_condition_fails_gives_back_what_stands_there(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    put(cloud, table, "1", v={"N": "1"})
    answer = refusal(
        client.put_item,
        TableName=table,
        Item=key("1"),
        ConditionExpression=ABSENT,
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert code(answer) == "ConditionalCheckFailedException"
    assert answer["Item"] == {**key("1"), "v": {"N": "1"}}


def test_a_put_whose_condition_fails_on_nothing_gives_back_nothing(cloud: Cloud) -> None:
    answer = refusal(
        cloud.client("dynamodb").put_item,
        TableName=cloud.table(),
        Item=key("1"),
        ConditionExpression="#v = :v",
        ExpressionAttributeNames={"#v": "version"},
        ExpressionAttributeValues={":v": {"N": "1"}},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert code(answer) == "ConditionalCheckFailedException"
    assert not answer.get("Item")


def test_a_number_is_not_equal_to_its_text(cloud: Cloud) -> None:
    table = cloud.table()
    put(cloud, table, "1", version={"N": "1"})
    answer = refusal(
        cloud.client("dynamodb").put_item,
        TableName=table,
        Item=key("1"),
        ConditionExpression="#v = :v",
        ExpressionAttributeNames={"#v": "version"},
        ExpressionAttributeValues={":v": {"S": "1"}},
    )
    assert code(answer) == "ConditionalCheckFailedException"


def test_adding_makes_the_item_and_gives_it_as_it_is_afterwards(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    for expected in ("2", "4"):
        answer = client.update_item(
            TableName=table,
            Key=key("1"),
            UpdateExpression="ADD #a :a SET #e = :e",
            ExpressionAttributeNames={"#a": "unverified", "#e": "expires_at"},
            ExpressionAttributeValues={":a": {"N": "2"}, ":e": {"N": "2000000000"}},
            ReturnValues="ALL_NEW",
        )
        assert answer["Attributes"]["unverified"] == {"N": expected}
    assert answer["Attributes"] == stored(cloud, table, "1")


def test_a_reserved_word_must_stand_behind_a_placeholder(cloud: Cloud) -> None:
    answer = refusal(
        cloud.client("dynamodb").put_item,
        TableName=cloud.table(),
        Item=key("1"),
        ConditionExpression="attribute_not_exists(owner)",
    )
    assert code(answer) == "ValidationException"


def test_bytes_and_text_come_back_exactly(cloud: Cloud) -> None:
    table = cloud.table()
    put(cloud, table, "1", b={"B": bytes(range(256))}, s={"S": "Zoë\x00😀\ufffe"}, e={"S": ""})
    found = stored(cloud, table, "1")
    assert found
    assert found["b"] == {"B": bytes(range(256))}
    assert found["s"] == {"S": "Zoë\x00😀\ufffe"}
    assert found["e"] == {"S": ""}


@pytest.mark.parametrize(
    "item",
    [
        key(""),
        key("1", ""),
        {**key("1"), "b": {"S": "x" * 410_000}},
        {**key("1"), "list_pk": {"S": ""}, "list_sk": {"S": "a"}},
        {**key("1"), "due_shard": {"N": "1"}, "due_at": {"S": "a"}},
    ],
    ids=["empty pk", "empty sk", "over 400 KB", "empty index key", "index key of another type"],
)
def test_an_item_that_cannot_be_stored_is_refused(cloud: Cloud, item: dict[str, Any]) -> None:
    answer = refusal(cloud.client("dynamodb").put_item, TableName=cloud.table(), Item=item)
    assert code(answer) == "ValidationException"


def test_an_unknown_table_is_said_to_be_unknown(cloud: Cloud) -> None:
    answer = refusal(cloud.client("dynamodb").put_item, TableName="nowhere", Item=key("1"))
    assert code(answer) == "ResourceNotFoundException"


# --- DynamoDB: transactions -----------------------------------------------------------------------


def conditional(table: str, pk: str) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": table,
            "Item": key(pk),
            "ConditionExpression": ABSENT,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def test_a_transaction_is_all_or_nothing_with_reasons_in_order(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    put(cloud, table, "b", v={"N": "1"})
    actions = [conditional(table, name) for name in "abc"]
    answer = refusal(client.transact_write_items, TransactItems=actions)
    assert code(answer) == "TransactionCanceledException"
    reasons = answer["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]
    assert reasons[1]["Item"] == {**key("b"), "v": {"N": "1"}}
    assert stored(cloud, table, "a") is None
    assert stored(cloud, table, "c") is None


def test_every_failed_condition_has_its_reason(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    for name in "ac":
        put(cloud, table, name)
    actions = [conditional(table, name) for name in "abc"]
    reasons = refusal(client.transact_write_items, TransactItems=actions)["CancellationReasons"]
    failed = "ConditionalCheckFailed"
    assert [reason["Code"] for reason in reasons] == [failed, "None", failed]


def test_a_check_stops_a_transaction_and_writes_nothing(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    put(cloud, table, "config", version={"N": "3"})

    def transact(version: str) -> None:
        check = {
            "TableName": table,
            "Key": key("config"),
            "ConditionExpression": "#c = :c",
            "ExpressionAttributeNames": {"#c": "version"},
            "ExpressionAttributeValues": {":c": {"N": version}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        client.transact_write_items(
            TransactItems=[
                {"ConditionCheck": check},
                {"Put": {"TableName": table, "Item": key("1")}},
            ]
        )

    with pytest.raises(client.exceptions.TransactionCanceledException) as caught:
        transact("4")
    assert caught.value.response["CancellationReasons"][0]["Item"]["version"] == {"N": "3"}
    assert stored(cloud, table, "1") is None
    transact("3")
    assert stored(cloud, table, "1") == key("1")
    assert stored(cloud, table, "config") == {**key("config"), "version": {"N": "3"}}


def test_the_same_token_and_body_have_one_effect(cloud: Cloud) -> None:
    table, client, token = cloud.table(), cloud.client("dynamodb"), str(uuid4())
    for _ in range(2):
        client.transact_write_items(
            TransactItems=[conditional(table, "1")], ClientRequestToken=token
        )
    assert stored(cloud, table, "1") == key("1")


def test_the_same_token_with_another_body_is_refused(cloud: Cloud) -> None:
    table, client, token = cloud.table(), cloud.client("dynamodb"), str(uuid4())
    client.transact_write_items(TransactItems=[conditional(table, "1")], ClientRequestToken=token)
    answer = refusal(
        client.transact_write_items,
        TransactItems=[conditional(table, "2")],
        ClientRequestToken=token,
    )
    assert code(answer) == "IdempotentParameterMismatchException"
    assert stored(cloud, table, "2") is None


def test_a_transaction_has_a_hundred_actions_on_different_items(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    many = [conditional(table, str(number)) for number in range(101)]
    for actions in (many, [many[0], many[0]]):
        answer = refusal(client.transact_write_items, TransactItems=actions)
        assert code(answer) == "ValidationException"
    client.transact_write_items(TransactItems=many[:100])
    assert stored(cloud, table, "99") == key("99")


def test_a_transaction_with_an_item_that_cannot_be_stored_writes_nothing(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    large = {"Put": {"TableName": table, "Item": {**key("2"), "b": {"S": "x" * 410_000}}}}
    answer = refusal(client.transact_write_items, TransactItems=[conditional(table, "1"), large])
    assert code(answer) in ("ValidationException", "TransactionCanceledException")
    assert stored(cloud, table, "1") is None


# --- DynamoDB: reading ----------------------------------------------------------------------------


def test_a_batch_gives_what_is_there_in_any_order(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    for name in "ac":
        put(cloud, table, name)
    asked = {table: {"Keys": [key(name) for name in "abc"], "ConsistentRead": True}}
    answer = client.batch_get_item(RequestItems=asked)
    assert {item["pk"]["S"] for item in answer["Responses"][table]} == {"a", "c"}
    assert not answer["UnprocessedKeys"]


def test_a_batch_takes_a_hundred_different_keys(cloud: Cloud) -> None:
    table, client = cloud.table(), cloud.client("dynamodb")
    many = [key(str(number)) for number in range(101)]
    for keys in (many, [many[0], many[0]]):
        answer = refusal(client.batch_get_item, RequestItems={table: {"Keys": keys}})
        assert code(answer) == "ValidationException"


def query(cloud: Cloud, table: str, **more: Any) -> dict[str, Any]:
    answer = cloud.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="#p = :p",
        ExpressionAttributeNames={"#p": "pk"},
        ExpressionAttributeValues={":p": {"S": "p"}},
        **more,
    )
    return dict(answer)


def test_a_page_ends_at_a_megabyte_and_the_cursor_goes_on(cloud: Cloud) -> None:
    table = cloud.table()
    for number in range(4):
        put(cloud, table, "p", str(number), b={"S": "x" * 390_000})
    first = query(cloud, table, ConsistentRead=True)
    assert 0 < first["Count"] < 4
    rest = query(cloud, table, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert first["Count"] + rest["Count"] == 4


def test_a_cursor_outlives_its_item(cloud: Cloud) -> None:
    table = cloud.table()
    for number in range(6):
        put(cloud, table, "p", str(number))
    first = query(cloud, table, Limit=3)
    cloud.client("dynamodb").delete_item(TableName=table, Key=key("p", "2"))
    rest = query(cloud, table, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [item["sk"]["S"] for item in rest["Items"]] == ["3", "4", "5"]


def test_sort_keys_are_in_the_order_of_their_bytes(cloud: Cloud) -> None:
    table = cloud.table()
    for sk in ("z", "é", "A", "😀", "a", "\uffee"):
        put(cloud, table, "p", sk)
    found = [item["sk"]["S"] for item in query(cloud, table)["Items"]]
    assert found == ["A", "a", "z", "é", "\uffee", "😀"]


def index(cloud: Cloud, table: str, **more: Any) -> dict[str, Any]:
    answer = cloud.client("dynamodb").query(
        TableName=table,
        IndexName="due",
        KeyConditionExpression="#s = :s AND #d <= :d",
        ExpressionAttributeNames={"#s": "due_shard", "#d": "due_at"},
        ExpressionAttributeValues={":s": {"S": "DUE#0"}, ":d": {"S": "2026-03"}},
        **more,
    )
    return dict(answer)


def test_an_index_is_sparse_sorted_and_projects_its_keys(cloud: Cloud) -> None:
    table = cloud.table()
    for number, due_at in enumerate(["2026-03", "2026-01", "2026-04", "2026-01"]):
        due: dict[str, Any] = {"due_shard": {"S": "DUE#0"}, "due_at": {"S": due_at}}
        put(cloud, table, str(number), more={"S": "x"}, **due)
    put(cloud, table, "none")
    found = index(cloud, table)["Items"]
    assert [item["due_at"]["S"] for item in found] == ["2026-01", "2026-01", "2026-03"]
    assert set(found[0]) == {"pk", "sk", "due_shard", "due_at"}


def test_an_index_is_walked_with_items_of_one_moment(cloud: Cloud) -> None:
    table = cloud.table()
    for number in range(9):
        due: dict[str, Any] = {"due_shard": {"S": "DUE#0"}, "due_at": {"S": "2026-01"}}
        put(cloud, table, str(number), **due)
    seen: list[str] = []
    more: dict[str, Any] = {}
    for _ in range(9):
        page = index(cloud, table, Limit=2, **more)
        seen += [item["pk"]["S"] for item in page["Items"]]
        if not page.get("LastEvaluatedKey"):
            break
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert sorted(seen) == [str(number) for number in range(9)]


def test_an_index_cannot_be_read_consistently(cloud: Cloud) -> None:
    table = cloud.table()
    assert code(refusal(lambda: index(cloud, table, ConsistentRead=True))) == "ValidationException"


# --- SQS ------------------------------------------------------------------------------------------


def receive(cloud: Cloud, url: str, most: int = 10, **more: Any) -> list[dict[str, Any]]:
    answer = cloud.client("sqs").receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=most,
        WaitTimeSeconds=0,
        AttributeNames=["All"],
        **more,
    )
    return list(answer.get("Messages", []))


def send_once(cloud: Cloud, url: str, body: str, group: str, once: str) -> str:
    answer = cloud.client("sqs").send_message(
        QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=once
    )
    return str(answer["MessageId"])


def test_a_message_is_hidden_while_it_is_worked_on_and_counts_its_tries(cloud: Cloud) -> None:
    client, url = cloud.client("sqs"), cloud.queue(VisibilityTimeout=30)
    client.send_message(QueueUrl=url, MessageBody="m")
    (first,) = receive(cloud, url)
    assert receive(cloud, url) == []
    client.change_message_visibility(
        QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0
    )
    (second,) = receive(cloud, url)
    assert second["MessageId"] == first["MessageId"]
    tries = [int(m["Attributes"]["ApproximateReceiveCount"]) for m in (first, second)]
    assert tries == [1, 2]


def test_a_deleted_message_is_gone(cloud: Cloud) -> None:
    client, url = cloud.client("sqs"), cloud.queue(VisibilityTimeout=0)
    client.send_message(QueueUrl=url, MessageBody="m")
    (message,) = receive(cloud, url)
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert receive(cloud, url) == []


def test_a_message_that_keeps_failing_goes_to_the_dead_letter_queue(cloud: Cloud) -> None:
    url, dead = cloud.queue_with_dead(2, VisibilityTimeout=0)
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="m")
    assert [len(receive(cloud, url)) for _ in range(3)] == [1, 1, 0]
    assert [message["Body"] for message in receive(cloud, dead)] == ["m"]


def test_a_batch_of_messages_says_which_were_taken(cloud: Cloud) -> None:
    url = cloud.queue()
    entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(10)]
    answer = cloud.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    assert {done["Id"] for done in answer["Successful"]} == {str(n) for n in range(10)}
    assert not answer.get("Failed")
    assert len(receive(cloud, url)) == 10


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([], "EmptyBatch"),
        ([{"Id": str(n), "MessageBody": "m"} for n in range(11)], "TooManyEntries"),
        ([{"Id": "1", "MessageBody": "m"}] * 2, "NotDistinct"),
    ],
    ids=["none", "eleven", "one id twice"],
)
def test_a_batch_of_messages_has_one_to_ten_of_different_ids(
    cloud: Cloud, entries: list[Any], says: str
) -> None:
    answer = refusal(
        cloud.client("sqs").send_message_batch, QueueUrl=cloud.queue(), Entries=entries
    )
    assert says in code(answer)


def test_a_message_may_be_as_large_as_the_doors_fallback_needs(cloud: Cloud) -> None:
    client, url = cloud.client("sqs"), cloud.queue()
    client.send_message(QueueUrl=url, MessageBody="x" * 1_000_000)
    assert len(receive(cloud, url)[0]["Body"]) == 1_000_000


def test_a_group_is_in_order_and_stops_while_one_of_it_is_worked_on(cloud: Cloud) -> None:
    url = cloud.queue(is_fifo=True, VisibilityTimeout=30)
    for number, group in enumerate("ggh"):
        send_once(cloud, url, f"{group}{number}", group, str(number))
    assert [message["Body"] for message in receive(cloud, url, 1)] == ["g0"]
    assert [message["Body"] for message in receive(cloud, url)] == ["h2"]


def test_a_group_goes_on_in_order_once_its_message_is_deleted(cloud: Cloud) -> None:
    client, url = cloud.client("sqs"), cloud.queue(is_fifo=True, VisibilityTimeout=30)
    for number in range(3):
        send_once(cloud, url, str(number), "g", str(number))
    (first,) = receive(cloud, url, 1)
    client.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert [message["Body"] for message in receive(cloud, url)] == ["1", "2"]


def test_the_same_id_is_taken_once_even_after_the_message_is_deleted(cloud: Cloud) -> None:
    client, url = cloud.client("sqs"), cloud.queue(is_fifo=True)
    first = send_once(cloud, url, "m", "g", "same")
    assert send_once(cloud, url, "m", "g", "same") == first
    (message,) = receive(cloud, url)
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    send_once(cloud, url, "m", "g", "same")
    assert receive(cloud, url) == []


def test_a_fifo_queue_refuses_what_it_could_not_know_again(cloud: Cloud) -> None:
    client, url = cloud.client("sqs"), cloud.queue(is_fifo=True)
    refusal(client.send_message, QueueUrl=url, MessageBody="m", MessageGroupId="g")
    refusal(client.send_message, QueueUrl=url, MessageBody="m", MessageDeduplicationId="1")


def test_a_fifo_queue_has_a_fifo_dead_letter_queue(cloud: Cloud) -> None:
    if cloud.kind == "cloud":
        pytest.skip("the local cloud takes a standard one; the shim does not")
    policy = json.dumps({"deadLetterTargetArn": cloud.arn(cloud.queue()), "maxReceiveCount": 5})
    attributes = {"FifoQueue": "true", "RedrivePolicy": policy}
    refusal(cloud.client("sqs").create_queue, QueueName="q.fifo", Attributes=attributes)


# --- SSM, S3, SES ---------------------------------------------------------------------------------


def test_a_secure_parameter_is_read_decrypted_in_its_newest_version(cloud: Cloud) -> None:
    client = cloud.client("ssm")
    for value in ("old", "new"):
        client.put_parameter(Name="/hub/t/s", Value=value, Type="SecureString", Overwrite=True)
    found = client.get_parameter(Name="/hub/t/s", WithDecryption=True)["Parameter"]
    assert (found["Value"], found["Version"]) == ("new", 2)
    assert client.get_parameter(Name="/hub/t/s")["Parameter"]["Value"] != "new"


def test_an_unknown_parameter_is_said_to_be_unknown(cloud: Cloud) -> None:
    answer = refusal(cloud.client("ssm").get_parameter, Name="/hub/t/none", WithDecryption=True)
    assert code(answer) == "ParameterNotFound"


def test_an_object_is_there_as_soon_as_it_is_put(cloud: Cloud) -> None:
    client, bucket = cloud.client("s3"), cloud.bucket()
    for body in (b"first", b"second"):
        client.put_object(Bucket=bucket, Key="deliveries/1", Body=body)
        assert client.get_object(Bucket=bucket, Key="deliveries/1")["Body"].read() == body
    assert code(refusal(client.get_object, Bucket=bucket, Key="none")) == "NoSuchKey"


def test_a_mail_with_headers_of_ours_gets_a_message_id(cloud: Cloud) -> None:
    client = cloud.client("sesv2", attempts=1)
    client.create_email_identity(EmailIdentity="hub@example.com")
    answer = client.send_email(
        FromEmailAddress="hub@example.com",
        Destination={"ToAddresses": ["ann@example.com"]},
        Content={
            "Simple": {
                "Subject": {"Data": "Zoë", "Charset": "UTF-8"},
                "Body": {"Text": {"Data": "hello", "Charset": "UTF-8"}},
                "Headers": [{"Name": "X-Hub-Effect", "Value": "1"}],
            }
        },
    )
    assert answer["MessageId"]
