"""What one lead asks of AWS, counted call by call and byte by byte, and priced.

Run: python -m bench.cost [LEADS]; it goes through the flows with LEADS new people after 20 others.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

from bench.cpu import WARM, run
from bench.stand import BATCH, stand, table_properties

PRICES = {
    "API Gateway request (REST)": 3.50,
    "DynamoDB write unit": 0.625,
    "DynamoDB read unit": 0.125,
    "SQS request": 0.40,
    "SQS FIFO request": 0.50,
    "Lambda call": 0.20,
    "Lambda GB-second": 16.6667,
    "log GB": 500_000.0,
}
"""Dollars for a million, us-east-1, list prices known in November 2026; check before relying."""

MEMORY_GB = {"receive": 0.5, "process": 1.0, "route": 0.5, "notify": 0.5}
"""As in the template."""

FULL_CORE_GB = 1.769
"""Memory at which Lambda gives one whole core."""

WAIT_SECONDS = 0.006
"""How long a function waits for one AWS call, beside its own CPU; an assumption."""

LOG_BYTES = {"receive": 330, "process": 300, "route": 300, "notify": 300}
"""Our line and Lambda's own two or three for each call."""

GB = 1024**3


class Units:
    """Adds up capacity units as DynamoDB counts them, with a copy of the table to know sizes."""

    def __init__(self) -> None:
        """Start with an empty table."""
        self.items: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.writes = 0.0
        self.reads = 0.0
        properties = table_properties()
        self.indexes = [
            [key["AttributeName"] for key in index["KeySchema"]]
            for index in properties["GlobalSecondaryIndexes"]
        ]

    def add(self, operation: str, params: Mapping[str, Any]) -> None:
        """Count one call of DynamoDB."""
        match operation:
            case "PutItem":
                self._put(params["Item"], 1)
            case "TransactWriteItems":
                for action in params["TransactItems"]:
                    if "Put" in action:
                        self._put(action["Put"]["Item"], 2)
                    else:
                        self.writes += 2 * self._write_units(self._stored(action["ConditionCheck"]))
            case "GetItem":
                self.reads += self._read_units(self._stored(params))
            case "BatchGetItem":
                (ask,) = params["RequestItems"].values()
                units = sum(self._read_units(self._stored({"Key": k})) for k in ask["Keys"])
                self.reads += units if ask["ConsistentRead"] else units / 2
            case "Query":
                self.reads += 1
            case "UpdateItem":
                self.writes += 1
            case _:
                raise ValueError(f"{operation} is not counted")

    def _put(self, item: Mapping[str, Any], times: int) -> None:
        key = (item["pk"]["S"], item["sk"]["S"])
        before = self.items.get(key)
        self.writes += times * max(self._write_units(item), self._write_units(before))
        for names in self.indexes:
            was, becomes = _entry(before, names), _entry(item, names)
            if was != becomes:
                self.writes += (was is not None) + (becomes is not None)
            elif before and becomes and before.get("summary") != item.get("summary"):
                self.writes += 1
        self.items[key] = item

    def _stored(self, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return self.items.get((request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]))

    @staticmethod
    def _write_units(item: Mapping[str, Any] | None) -> int:
        return max(1, ceil(item_bytes(item) / 1024)) if item else 1

    @staticmethod
    def _read_units(item: Mapping[str, Any] | None) -> int:
        return max(1, ceil(item_bytes(item) / 4096)) if item else 1


def _entry(item: Mapping[str, Any] | None, names: list[str]) -> tuple[str, ...] | None:
    if item is None or any(name not in item for name in names):
        return None
    return tuple(item[name]["S"] for name in names)


def item_bytes(item: Mapping[str, Any]) -> int:
    """Size of an item as DynamoDB counts it: names and values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":
            return len(inner) // 2 + 2
        case "B":
            return len(inner)
        case "M":
            return 3 + sum(1 + len(n.encode()) + _value_bytes(v) for n, v in inner.items())
        case "L":
            return 3 + sum(1 + _value_bytes(v) for v in inner)
    return 1


def main() -> None:
    """Count and print."""
    leads = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with stand() as bench:
        run(bench, WARM, start=0)
        spent, _ = run(bench, leads, start=WARM)
        seen = dict(bench.calls.seen)
    units, calls, sizes = Units(), Counter[str](), Counter[str]()
    for step, made in seen.items():
        for operation, params in made:
            calls[f"{step}: {operation}"] += 1
            service, _, name = operation.partition(".")
            if service == "dynamodb":
                units.add(name, params)
    for item in units.items.values():
        sizes[item["kind"]["S"] if "kind" in item else "other"] += item_bytes(item)
    report(leads, spent, seen, units, calls, sizes)


def report(
    leads: int,
    spent: Mapping[str, float],
    seen: Mapping[str, list[tuple[str, dict[str, Any]]]],
    units: Units,
    calls: Mapping[str, int],
    sizes: Mapping[str, int],
) -> None:
    """Print calls, bytes and dollars for a lead and for a million."""
    print(f"{leads} new leads, one mail each, batches of {BATCH}\n\nAWS calls for a lead")
    for name, count in sorted(calls.items()):
        print(f"  {name:<36} {count / leads:6.2f}")
    print("\nBytes kept for a lead")
    for kind, size in sorted(sizes.items()):
        print(f"  {kind:<36} {size / leads:6.0f}")
    bill = dict(priced(leads, spent, seen, units))
    print("\nDollars for a million leads, mail itself not counted")
    for name, dollars in bill.items():
        print(f"  {name:<36} {dollars:6.2f}")
    print(f"  {'all':<36} {sum(bill.values()):6.2f}")
    print(json.dumps({"dollars_per_million": round(sum(bill.values()), 2)}))


def priced(
    leads: int,
    spent: Mapping[str, float],
    seen: Mapping[str, list[tuple[str, dict[str, Any]]]],
    units: Units,
) -> Iterable[tuple[str, float]]:
    """Give each line of the bill for a million leads."""
    yield "API Gateway", PRICES["API Gateway request (REST)"]
    yield (
        f"DynamoDB, {units.writes / leads:.1f} write units",
        units.writes / leads * PRICES["DynamoDB write unit"],
    )
    yield (
        f"DynamoDB, {units.reads / leads:.1f} read units",
        units.reads / leads * PRICES["DynamoDB read unit"],
    )
    sends = sum(name.startswith("sqs.") for made in seen.values() for name, _ in made) / leads
    workers = 2 / BATCH
    standard = sends + 2 * workers
    yield (
        f"SQS, {standard + workers:.1f} requests",
        (standard * PRICES["SQS request"] + workers * PRICES["SQS FIFO request"]),
    )
    for step, seconds in spent.items():
        each = 1 if step == "receive" else 1 / BATCH
        memory = MEMORY_GB[step]
        busy = seconds / leads / min(1, memory / FULL_CORE_GB)
        waits = len(seen[step]) / leads * WAIT_SECONDS
        yield (
            f"Lambda {step}",
            (each * PRICES["Lambda call"] + (busy + waits) * memory * PRICES["Lambda GB-second"]),
        )
    log = sum(size * (1 if step == "receive" else 1 / BATCH) for step, size in LOG_BYTES.items())
    yield "logs", log / GB * PRICES["log GB"]


if __name__ == "__main__":
    main()
