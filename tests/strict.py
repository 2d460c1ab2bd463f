"""A shim in front of moto: refuses what AWS refuses and moto takes, and misbehaves as AWS may.

Limits are those of the AWS developer guides of DynamoDB and SQS, read on 21 November 2026.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import uuid4

from botocore.awsrequest import AWSResponse

from tests.faults import body_of

MOST_ITEM_BYTES = 400 * 1024
MOST_TRANSACTION_BYTES = 4 * 1024 * 1024
MOST_MESSAGE_BYTES = 1024 * 1024
BAD_CHARACTERS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)

Go = Callable[[], AWSResponse]
Answer = Callable[[Mapping[str, Any], Go], AWSResponse]
"""Answers a request in place of moto, or changes moto's answer."""


class Refusal(Exception):
    """What AWS would answer: an error code and what is wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str) -> Refusal:
    """Make DynamoDB's usual refusal."""
    return Refusal("ValidationException", message)


@dataclass
class Schema:
    """What a table's keys must look like."""

    keys: tuple[str, ...]
    types: Mapping[str, str]


@dataclass
class Shim:
    """Stands in front of moto; one for all clients of a test.

    Attributes:
        index_lag: how many of the last written items no index shows yet.
        reached: how often each scripted misbehaviour was met.
    """

    index_lag: int = 0
    reached: dict[str, int] = field(default_factory=dict)
    _schemas: dict[str, Schema] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _sent_once: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    _written: deque[str] = field(default_factory=lambda: deque(maxlen=1000))
    _watched: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    _script: dict[str, list[Answer]] = field(default_factory=dict)

    def __call__(self, operation: str, request: Any, go: Go) -> AWSResponse:
        """Answer one request: refuse it, misbehave as scripted, or let moto answer."""
        body = body_of(request)
        try:
            self._check(operation, body)
        except Refusal as refusal:
            return error(request, operation, refusal.code, str(refusal))
        if scripted := self._script.get(operation):
            self.reached[operation] = self.reached.get(operation, 0) + 1
            return scripted.pop(0)(body, go)
        if operation == "TransactWriteItems":
            return self._transact(request, body, go)
        if operation == "SendMessage" and body.get("QueueUrl", "").endswith(".fifo"):
            return self._send_once(request, body, go)
        if operation == "SendMessageBatch" and body.get("QueueUrl", "").endswith(".fifo"):
            return self._send_batch_once(request, body, go)
        answer = go()
        if operation in self._watched and answer.status_code == 200:
            self._watched[operation](request)
        if operation == "CreateTable":
            self._learn(body)
        if operation in {"PutItem", "UpdateItem"} and answer.status_code == 200:
            self._note_written([body.get("Item") or body["Key"]])
        if operation == "Query" and body.get("IndexName") and self.index_lag:
            return self._lagging(answer)
        return answer

    def watch(self, operation: str, note: Callable[[Any], None]) -> None:
        """Tell of every request of an operation that moto took."""
        self._watched[operation] = note

    def answer_next(self, operation: str, *answers: Answer) -> None:
        """Let the next calls of an operation be answered so, one after the other."""
        self._script.setdefault(operation, []).extend(answers)

    def _check(self, operation: str, body: Mapping[str, Any]) -> None:
        check = CHECKS.get(operation)
        if check:
            check(body, self._schemas)

    def _learn(self, body: Mapping[str, Any]) -> None:
        self._schemas[body["TableName"]] = Schema(
            tuple(part["AttributeName"] for part in body["KeySchema"]),
            {part["AttributeName"]: part["AttributeType"] for part in body["AttributeDefinitions"]},
        )

    def _transact(self, request: Any, body: Mapping[str, Any], go: Go) -> AWSResponse:
        """Honour the client request token, which moto does not know."""
        token = body.get("ClientRequestToken", "")
        print_of = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        if token in self._tokens:
            known, answer = self._tokens[token]
            if known != print_of:
                message = "the token came with another body"
                return error(request, "", "IdempotentParameterMismatchException", message)
            return respond(request.url, 200, answer)
        response = go()
        if response.status_code == 200:
            puts = [action["Put"]["Item"] for action in body["TransactItems"] if "Put" in action]
            self._note_written(puts)
            if token:
                self._tokens[token] = (print_of, response.content)
        return response

    def _send_once(self, request: Any, body: Mapping[str, Any], go: Go) -> AWSResponse:
        """Remember a de-duplication id after its message is deleted, which moto does not."""
        key = _once(body["QueueUrl"], body)
        if key in self._sent_once:
            return respond(request.url, 200, json.dumps(self._sent_once[key]).encode())
        response = go()
        if response.status_code == 200:
            self._sent_once[key] = json.loads(response.content)
        return response

    def _send_batch_once(self, request: Any, body: Mapping[str, Any], go: Go) -> AWSResponse:
        new: list[Any] = []
        known: list[Any] = []
        seen = set()
        for entry in body["Entries"]:
            key = _once(body["QueueUrl"], entry)
            (known if key in self._sent_once or key in seen else new).append(entry)
            seen.add(key)
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        if new:
            request.body = json.dumps({**body, "Entries": new}).encode()
            request.headers["Content-Length"] = str(len(request.body))
            response = go()
            if response.status_code != 200:
                return response
            answer |= json.loads(response.content)
        ids = {done["Id"]: done for done in answer["Successful"]}
        for entry in new:
            if entry["Id"] in ids:
                self._sent_once[_once(body["QueueUrl"], entry)] = ids[entry["Id"]]
        for entry in known:
            first = self._sent_once[_once(body["QueueUrl"], entry)]
            answer["Successful"].append({**first, "Id": entry["Id"]})
        return respond(request.url, 200, json.dumps(answer).encode())

    def _note_written(self, items: Iterable[Mapping[str, Any]]) -> None:
        for item in items:
            self._written.append(_place(item))

    def _lagging(self, answer: AWSResponse) -> AWSResponse:
        late = set(list(self._written)[-self.index_lag :])
        body = json.loads(answer.content)
        body["Items"] = [item for item in body.get("Items", []) if _place(item) not in late]
        body["Count"] = len(body["Items"])
        return respond(answer.url, 200, json.dumps(body).encode())


def _once(queue: str, entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return queue, entry["MessageGroupId"], entry["MessageDeduplicationId"]


def _place(item: Mapping[str, Any]) -> str:
    return json.dumps([item.get("pk"), item.get("sk")])


# --- how AWS may misbehave, for Shim.answer_next ------------------------------------------------


def conflict(actions: int, at: int = 0) -> Answer:
    """Cancel a transaction because another one touches the same item."""
    reasons = [{"Code": "TransactionConflict" if n == at else "None"} for n in range(actions)]
    return _refusing("TransactionCanceledException", CancellationReasons=reasons)


def throttled() -> Answer:
    """Refuse for too many requests."""
    return _refusing("ProvisionedThroughputExceededException")


def cancelled(*codes: str) -> Answer:
    """Cancel a transaction with these reasons, in the order of its actions."""
    return _refusing(
        "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes]
    )


def unprocessed(keep: int) -> Answer:
    """Read only the first keys of a batch and name the others as unprocessed."""

    def answer(body: Mapping[str, Any], go: Go) -> AWSResponse:
        ((table, asked),) = body["RequestItems"].items()
        response = go()
        found = json.loads(response.content)
        left = asked["Keys"][keep:]
        gone = {_place(key) for key in left}
        found["Responses"][table] = [
            item for item in found["Responses"][table] if _place(item) not in gone
        ]
        found["UnprocessedKeys"] = {table: {**asked, "Keys": left}} if left else {}
        return respond(response.url, 200, json.dumps(found).encode())

    return answer


def failing(*ids: str) -> Answer:
    """Take a batch of messages but for some, in an answer that says 200."""

    def answer(body: Mapping[str, Any], go: Go) -> AWSResponse:
        failed = [
            {"Id": name, "SenderFault": False, "Code": "InternalError"}
            for name in ids
            if name in {entry["Id"] for entry in body["Entries"]}
        ]
        done = [
            {"Id": entry["Id"], "MessageId": str(uuid4()), "MD5OfMessageBody": ""}
            for entry in body["Entries"]
            if entry["Id"] not in ids
        ]
        return respond("", 200, json.dumps({"Successful": done, "Failed": failed}).encode())

    return answer


def _refusing(code: str, **more: Any) -> Answer:
    def answer(body: Mapping[str, Any], go: Go) -> AWSResponse:
        payload = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "busy", **more}
        return respond("", 400, json.dumps(payload).encode())

    return answer


def error(request: Any, operation: str, code: str, message: str) -> AWSResponse:
    """Make the answer of a refused request."""
    payload = json.dumps({"__type": f"com.amazonaws#{code}", "message": message})
    return respond(request.url, 400, payload.encode())


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        while part := self.read():
            yield part


def respond(url: str, status: int, body: bytes) -> AWSResponse:
    """Make an answer as the wire would give it."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": "shim"}
    return AWSResponse(url, status, headers, _Raw(body))


# --- what AWS refuses ---------------------------------------------------------------------------

Schemas = Mapping[str, Schema]


def _check_put(body: Mapping[str, Any], schemas: Schemas) -> None:
    _check_names(body)
    _check_item(body["Item"], schemas.get(body["TableName"]))


def _check_update(body: Mapping[str, Any], schemas: Schemas) -> None:
    _check_names(body)
    schema = schemas.get(body["TableName"])
    _check_key(body["Key"])
    for value in body.get("ExpressionAttributeValues", {}).values():
        _size(value)
    if schema:
        names = body.get("ExpressionAttributeNames", {})
        values = body.get("ExpressionAttributeValues", {})
        for name, value in re.findall(r"(#?\w+)\s*=\s*(:\w+)", body.get("UpdateExpression", "")):
            wanted = schema.types.get(names.get(name, name))
            if wanted and value in values:
                _check_index_key(names.get(name, name), values[value], wanted)


def _check_read(body: Mapping[str, Any], schemas: Schemas) -> None:
    _check_key(body["Key"])


def _check_batch_get(body: Mapping[str, Any], schemas: Schemas) -> None:
    keys = [key for asked in body["RequestItems"].values() for key in asked["Keys"]]
    if not 1 <= len(keys) <= 100:
        raise invalid("BatchGetItem takes 1 to 100 keys")
    if len({_place(key) for key in keys}) < len(keys):
        raise invalid("BatchGetItem takes each key once")
    for key in keys:
        _check_key(key)


def _check_batch_write(body: Mapping[str, Any], schemas: Schemas) -> None:
    asked = [(table, each) for table, list_ in body["RequestItems"].items() for each in list_]
    if not 1 <= len(asked) <= 25:
        raise invalid("BatchWriteItem takes 1 to 25 requests")
    for table, each in asked:
        if "PutRequest" in each:
            _check_item(each["PutRequest"]["Item"], schemas.get(table))


def _check_query(body: Mapping[str, Any], schemas: Schemas) -> None:
    _check_names(body)
    if body.get("IndexName") and body.get("ConsistentRead"):
        raise invalid("consistent reads are not possible on global secondary indexes")
    if body.get("Limit", 1) < 1:
        raise invalid("Limit must be at least 1")


def _check_transaction(body: Mapping[str, Any], schemas: Schemas) -> None:
    actions = body["TransactItems"]
    if not 1 <= len(actions) <= 100:
        raise invalid("a transaction takes 1 to 100 actions")
    places, size = set(), 0
    for action in actions:
        ((_, request),) = action.items()
        _check_names(request)
        if "Item" in request:
            schema = schemas.get(request["TableName"])
            size += _check_item(request["Item"], schema)
        else:
            _check_key(request["Key"])
        places.add((request["TableName"], _place(request.get("Item") or request["Key"])))
    if len(places) < len(actions):
        raise invalid("a transaction takes each item once")
    if size > MOST_TRANSACTION_BYTES:
        raise invalid("a transaction takes 4 MB")


def _check_names(request: Mapping[str, Any]) -> None:
    text = " ".join(request.get(name) or "" for name in EXPRESSIONS)
    for operands in re.findall(r"\bIN\s*\(([^)]*)\)", text, re.IGNORECASE):
        if operands.count(",") >= 100:
            raise invalid("IN takes 100 operands")
    if len(text.encode()) > 4096:
        raise invalid("an expression takes 4 KB")
    for kind in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        for name in request.get(kind) or {}:
            if not re.search(re.escape(name) + r"\b", text):
                raise invalid(f"{name} is not used in any expression")
        if kind in request and not request[kind]:
            raise invalid(f"{kind} must not be empty")


def _check_item(item: Mapping[str, Any], schema: Schema | None) -> int:
    size = sum(len(name.encode()) + _size(value) for name, value in item.items())
    if size > MOST_ITEM_BYTES:
        raise invalid("an item takes 400 KB")
    if schema:
        _check_key({name: item[name] for name in schema.keys if name in item})
        for name, wanted in schema.types.items():
            if name in item:
                _check_index_key(name, item[name], wanted)
    return size


def _check_index_key(name: str, value: Mapping[str, Any], wanted: str) -> None:
    ((kind, inner),) = value.items()
    if kind != wanted:
        raise invalid(f"type mismatch for key {name}: expected {wanted}, got {kind}")
    if inner == "":
        raise invalid(f"key {name} is empty")


def _check_key(key: Mapping[str, Any]) -> None:
    for name, value in key.items():
        ((_, inner),) = value.items()
        most = 1024 if name == "sk" else 2048
        if not 0 < len(str(inner).encode()) <= most:
            raise invalid(f"key {name} must have 1 to {most} bytes")


def _size(value: Mapping[str, Any], depth: int = 0) -> int:
    ((kind, inner),) = value.items()
    if depth > 32:
        raise invalid("nesting over 32")
    match kind:
        case "N":
            _check_number(inner)
            return len(inner) // 2 + 2
        case "S":
            _check_text(inner)
            return len(inner.encode())
        case "B":
            return len(inner) * 3 // 4
        case "SS" | "NS" | "BS":
            if not inner or len(set(inner)) < len(inner):
                raise invalid("a set is empty or holds a value twice")
            return sum(len(part) for part in inner)
        case "L":
            return 3 + sum(1 + _size(part, depth + 1) for part in inner)
        case "M":
            return 3 + sum(
                1 + len(name.encode()) + _size(part, depth + 1) for name, part in inner.items()
            )
    return 1


def _check_number(text: str) -> None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise invalid("not a number") from None
    if not number.is_finite():
        raise invalid("not a number")
    if len("".join(map(str, number.as_tuple().digits)).strip("0")) > 38:
        raise invalid("over 38 digits")
    if number and not -130 <= number.adjusted() <= 125:
        raise invalid("number out of range")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refusal("SerializationException", "a lone surrogate") from None


def _check_send(body: Mapping[str, Any], schemas: Schemas) -> None:
    _check_entry(body["QueueUrl"], body)
    if len(body["MessageBody"].encode()) > MOST_MESSAGE_BYTES:
        raise Refusal("InvalidParameterValue", "a message takes 1 MiB")


def _check_send_batch(body: Mapping[str, Any], schemas: Schemas) -> None:
    entries: Sequence[Mapping[str, Any]] = body.get("Entries") or []
    if not entries:
        raise Refusal("EmptyBatchRequest", "a batch has at least one entry")
    if len(entries) > 10:
        raise Refusal("TooManyEntriesInBatchRequest", "a batch takes 10 entries")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise Refusal("BatchEntryIdsNotDistinct", "an id stands twice in the batch")
    if sum(len(entry["MessageBody"].encode()) for entry in entries) > MOST_MESSAGE_BYTES:
        raise Refusal("BatchRequestTooLong", "a batch takes 1 MiB")
    for entry in entries:
        _check_entry(body["QueueUrl"], entry)


def _check_entry(queue: str, entry: Mapping[str, Any]) -> None:
    text = entry.get("MessageBody", "")
    if not text:
        raise Refusal("MissingParameter", "a message has a body")
    if BAD_CHARACTERS.search(text):
        raise Refusal("InvalidMessageContents", "a character that XML 1.0 does not allow")
    if len(entry.get("MessageAttributes") or {}) > 10:
        raise Refusal("InvalidParameterValue", "a message takes 10 attributes")
    if not 0 <= entry.get("DelaySeconds", 0) <= 900:
        raise Refusal("InvalidParameterValue", "a delay is 0 to 900 seconds")
    is_fifo = queue.endswith(".fifo")
    if is_fifo and not (entry.get("MessageGroupId") and entry.get("MessageDeduplicationId")):
        raise Refusal("MissingParameter", "FIFO needs a group and a de-duplication id")
    if is_fifo and entry.get("DelaySeconds"):
        raise Refusal("InvalidParameterValue", "FIFO takes no delay of one message")
    if not is_fifo and entry.get("MessageDeduplicationId"):
        raise Refusal("InvalidParameterValue", "a de-duplication id needs FIFO")


def _check_visibility(body: Mapping[str, Any], schemas: Schemas) -> None:
    if not 0 <= body["VisibilityTimeout"] <= 43_200:
        raise Refusal("InvalidParameterValue", "a visibility timeout is 0 to 43,200 seconds")


def _check_delete_batch(body: Mapping[str, Any], schemas: Schemas) -> None:
    entries = body.get("Entries") or []
    if not entries:
        raise Refusal("EmptyBatchRequest", "a batch has at least one entry")
    if len(entries) > 10:
        raise Refusal("TooManyEntriesInBatchRequest", "a batch takes 10 entries")


def _check_queue(body: Mapping[str, Any], schemas: Schemas) -> None:
    attributes = body.get("Attributes") or {}
    if int(attributes.get("VisibilityTimeout", 30)) > 43_200:
        raise Refusal("InvalidAttributeValue", "a visibility timeout is at most 43,200 seconds")
    if not 60 <= int(attributes.get("MessageRetentionPeriod", 60)) <= 1_209_600:
        raise Refusal("InvalidAttributeValue", "retention is 60 seconds to 14 days")
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    target = redrive.get("deadLetterTargetArn", "")
    if target and target.endswith(".fifo") != body["QueueName"].endswith(".fifo"):
        raise Refusal("InvalidParameterValue", "a FIFO queue needs a FIFO dead-letter queue")


def _check_parameter(body: Mapping[str, Any], schemas: Schemas) -> None:
    may_grow = body.get("Tier") in ("Advanced", "Intelligent-Tiering")
    if len(body["Value"].encode()) > (8192 if may_grow else 4096):
        raise invalid("a standard parameter takes 4 KB, an advanced one 8 KB")


CHECKS: Mapping[str, Callable[[Mapping[str, Any], Schemas], None]] = {
    "PutItem": _check_put,
    "UpdateItem": _check_update,
    "GetItem": _check_read,
    "DeleteItem": _check_read,
    "BatchGetItem": _check_batch_get,
    "BatchWriteItem": _check_batch_write,
    "Query": _check_query,
    "TransactWriteItems": _check_transaction,
    "SendMessage": _check_send,
    "SendMessageBatch": _check_send_batch,
    "DeleteMessageBatch": _check_delete_batch,
    "ChangeMessageVisibility": _check_visibility,
    "CreateQueue": _check_queue,
    "PutParameter": _check_parameter,
}
"""What is checked of each operation before moto sees it."""
