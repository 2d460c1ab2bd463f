"""The DynamoDB table behind `storage.Table`."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.failure import unavailable
from chalicelib.errors import Conflict, Malformed, Unavailable
from chalicelib.storage import (
    Absent,
    Check,
    Condition,
    Delete,
    Holds,
    Item,
    Key,
    Page,
    Put,
    Write,
)

READ_AT_ONCE = 100
"""Most keys that one BatchGetItem takes."""

ATTEMPTS = 6
"""Tries of a call that AWS refuses for being busy, each after a longer, random wait."""

BUSY_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
BUSY_CODES = {
    "TransactionConflictException",
    "TransactionInProgressException",
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "InternalServerError",
    "InternalServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
}


class DynamoTable:
    """One DynamoDB table with keys `pk` and `sk`."""

    def __init__(
        self,
        client: Any,
        name: str,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Use a client; `sleep` and `chance` space out tries when AWS is busy."""
        self._client = client
        self._name = name
        self._sleep = sleep
        self._chance = chance

    def get(self, key: Key) -> Item | None:
        """Read one item, consistently."""
        answer = self._call(
            self._client.get_item, TableName=self._name, Key=_key(key), ConsistentRead=True
        )
        return _item(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        """Read items; absent ones are not in the answer."""
        found: dict[Key, Item] = {}
        wanted = list(dict.fromkeys(keys))
        if len(wanted) == 1:
            item = self.get(wanted[0])
            return {wanted[0]: item} if item is not None else {}
        for start in range(0, len(wanted), READ_AT_ONCE):
            ask = {
                self._name: {
                    "Keys": [_key(key) for key in wanted[start : start + READ_AT_ONCE]],
                    "ConsistentRead": not may_lag,
                }
            }
            for attempt in range(ATTEMPTS):
                answer = self._call(self._client.batch_get_item, RequestItems=ask)
                for stored in answer["Responses"].get(self._name, []):
                    item = _item(stored)
                    found[Key(item["pk"], item["sk"])] = item
                ask = answer.get("UnprocessedKeys") or {}
                if not ask:
                    break
                self._wait(attempt)
            else:
                raise Unavailable("DynamoDB left keys unread")
        return found

    def query(self, pk: str, prefix: str = "") -> list[Item]:
        """Read all items of a partition whose sort key starts with a prefix, in its order."""
        names = {"#pk": "pk"}
        values = {":pk": {"S": pk}}
        expression = "#pk = :pk"
        if prefix:
            names["#sk"] = "sk"
            values[":prefix"] = {"S": prefix}
            expression += " AND begins_with(#sk, :prefix)"
        found: list[Item] = []
        more: dict[str, Any] = {}
        while True:
            answer = self._call(
                self._client.query,
                TableName=self._name,
                ConsistentRead=True,
                KeyConditionExpression=expression,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                **more,
            )
            found += [_item(stored) for stored in answer["Items"]]
            if not answer.get("LastEvaluatedKey"):
                return found
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def query_index(
        self,
        index: str,
        pk: str,
        *,
        up_to: str | None = None,
        newest_first: bool = False,
        limit: int = 50,
        start: Mapping[str, str] | None = None,
    ) -> Page:
        """Read a page of an index; `up_to` bounds its sort key, inclusive."""
        partition, sort = INDEX_KEYS[index]
        names = {"#pk": partition}
        values = {":pk": {"S": pk}}
        expression = "#pk = :pk"
        if up_to is not None:
            names["#sk"] = sort
            values[":up_to"] = {"S": up_to}
            expression += " AND #sk <= :up_to"
        more = {"ExclusiveStartKey": {k: {"S": v} for k, v in start.items()}} if start else {}
        answer = self._call(
            self._client.query,
            TableName=self._name,
            IndexName=index,
            KeyConditionExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ScanIndexForward=not newest_first,
            Limit=limit,
            **more,
        )
        last = answer.get("LastEvaluatedKey")
        return Page(
            tuple(_item(stored) for stored in answer["Items"]),
            {name: value["S"] for name, value in last.items()} if last else None,
        )

    def write(self, writes: Sequence[Write]) -> None:
        """Write all or nothing; a failed condition that met our own item counts as done."""
        for attempt in range(ATTEMPTS):
            try:
                if len(writes) == 1 and isinstance(writes[0], Put):
                    self._client.put_item(**self._put(writes[0]))
                else:
                    self._client.transact_write_items(
                        TransactItems=[self._action(write) for write in writes]
                    )
            except ClientError as error:
                if not self._is_busy(error, writes):
                    return
            except BotoCoreError as error:
                raise unavailable("DynamoDB", error) from error
            else:
                return
            self._wait(attempt)
        raise Unavailable("DynamoDB stayed busy")

    def add(self, key: Key, amounts: Mapping[str, int], expires_at: int | None = None) -> Item:
        """Add to counters of an item, made if absent; gives it as it is afterwards."""
        names = {f"#a{i}": name for i, name in enumerate(amounts)}
        values: dict[str, Any] = {f":a{i}": {"N": str(n)} for i, n in enumerate(amounts.values())}
        expression = "ADD " + ", ".join(f"#a{i} :a{i}" for i in range(len(amounts)))
        if expires_at is not None:
            names["#expires_at"] = "expires_at"
            values[":expires_at"] = {"N": str(expires_at)}
            expression += " SET #expires_at = :expires_at"
        answer = self._call(
            self._client.update_item,
            TableName=self._name,
            Key=_key(key),
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )
        return _item(answer["Attributes"])

    def _put(self, put: Put) -> dict[str, Any]:
        request: dict[str, Any] = {
            "TableName": self._name,
            "Item": {name: _typed(value) for name, value in put.item.items()},
        }
        if put.condition is not None:
            request |= _condition(put.condition)
        return request

    def _action(self, write: Write) -> dict[str, Any]:
        if isinstance(write, Put):
            return {"Put": self._put(write)}
        return {
            "Delete" if isinstance(write, Delete) else "ConditionCheck": {
                "TableName": self._name,
                "Key": _key(write.key),
                **(_condition(write.condition) if write.condition else {}),
            }
        }

    def _is_busy(self, error: ClientError, writes: Sequence[Write]) -> bool:
        """Sort a refused write: True to try again, False if it is done; else raises."""
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            reasons = [{"Code": "ConditionalCheckFailed", "Item": error.response.get("Item")}]
        elif code == "TransactionCanceledException":
            reasons = error.response.get("CancellationReasons", [])
        elif code in BUSY_CODES:
            return True
        elif code == "ValidationException":
            raise Malformed("DynamoDB refuses an item: " + _shape(error)) from error
        else:
            raise unavailable("DynamoDB", error) from error
        codes = {reason.get("Code", "None") for reason in reasons}
        if codes & {"ValidationError", "ItemCollectionSizeLimitExceeded"}:
            raise Malformed("DynamoDB refuses an item: " + _shape(error)) from error
        found = {
            write.name: _item(reason["Item"]) if reason.get("Item") else None
            for write, reason in zip(writes, reasons, strict=True)
            if reason.get("Code") == "ConditionalCheckFailed"
        }
        if not found:
            if codes & BUSY_REASONS:
                return True
            raise Unavailable(f"DynamoDB: {code} for {', '.join(sorted(codes))}") from error
        if all(_is_done(write, found) for write in writes):
            return False
        raise Conflict("condition failed: " + ", ".join(sorted(found)), found) from error

    def _call(self, operation: Callable[..., Any], **request: Any) -> Any:
        for attempt in range(ATTEMPTS):
            try:
                return operation(**request)
            except ClientError as error:
                if error.response["Error"]["Code"] not in BUSY_CODES:
                    raise unavailable("DynamoDB", error) from error
            except BotoCoreError as error:
                raise unavailable("DynamoDB", error) from error
            self._wait(attempt)
        raise Unavailable("DynamoDB stayed busy")

    def _wait(self, attempt: int) -> None:
        self._sleep(self._chance() * 0.02 * 2**attempt)


INDEX_KEYS = {
    "due": ("due_shard", "due_at"),
    "list": ("list_pk", "list_sk"),
    "owner": ("owner_pk", "list_sk"),
}
"""Each index and the attributes that are its keys."""


def _is_done(write: Write, found: Mapping[str, Item | None]) -> bool:
    """Say whether a write has been made already: what stands there is what it puts there.

    In a transaction that was made, every condition of a put has failed since, not only some: else
    another write of the same writer met this one, and the rest of this one is not there.
    """
    if isinstance(write, Check):
        return write.name not in found
    if write.condition is None:
        return True
    if isinstance(write, Delete):
        return write.name in found and found[write.name] is None
    item = found.get(write.name)
    return (
        item is not None
        and item.get("writer") == write.item["writer"]
        and item.get("version") == write.item.get("version")
    )


def _condition(condition: Condition) -> dict[str, Any]:
    match condition:
        case Absent():
            expression = {
                "ConditionExpression": "attribute_not_exists(#c)",
                "ExpressionAttributeNames": {"#c": "pk"},
            }
        case Holds(attribute, value):
            expression = {
                "ConditionExpression": "#c = :c",
                "ExpressionAttributeNames": {"#c": attribute},
                "ExpressionAttributeValues": {":c": _typed(value)},
            }
    return {**expression, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _shape(error: ClientError) -> str:
    """Keep what AWS says about an item without any value of it."""
    return str(error.response["Error"].get("Message", ""))[:120]


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case list() | tuple():
            return {"L": [_typed(part) for part in value]}
        case Mapping():
            return {"M": {name: _typed(part) for name, part in value.items()}}
    raise TypeError(f"an item cannot hold {type(value).__name__}")


def _item(stored: Mapping[str, Any]) -> Item:
    return {name: _plain(value) for name, value in stored.items()}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    match kind:
        case "N":
            return int(inner)
        case "L":
            return [_plain(part) for part in inner]
        case "M":
            return {name: _plain(part) for name, part in inner.items()}
        case "B":
            return bytes(inner)
    return inner
