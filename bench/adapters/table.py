"""A table in memory that is fast enough for many thousands of leads; one process, no races."""

from bisect import insort
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.errors import Conflict
from chalicelib.storage import Absent, Check, Holds, Item, Key, Page, Put, Write


class FastTable:
    """The table as flows see it.

    Attributes:
        reads: how many items have been read by their keys.
    """

    def __init__(self) -> None:
        self.reads = 0
        self._items: dict[Key, Item] = {}
        self._partitions: dict[str, list[str]] = {}
        self._listed: dict[str, dict[Key, Item]] = {}

    def get(self, key: Key) -> Item | None:
        """Read one item."""
        self.reads += 1
        return self._items.get(key)

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        """Read items; absent ones are not in the answer."""
        self.reads += len(keys)
        return {key: self._items[key] for key in keys if key in self._items}

    def query(self, pk: str, prefix: str = "") -> list[Item]:
        """Read a partition's items whose sort key starts with a prefix, in its order."""
        names = [name for name in self._partitions.get(pk, ()) if name.startswith(prefix)]
        return [self._items[Key(pk, name)] for name in names]

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
        """Read a page of the list index."""
        if index != "list" or up_to is not None:
            raise NotImplementedError(index)
        rows = sorted(self._listed.get(pk, {}).values(), key=lambda item: str(item["list_sk"]))
        if newest_first:
            rows.reverse()
        at = int(start["at"]) if start else 0
        after = at + limit
        return Page(tuple(rows[at:after]), {"at": str(after)} if after < len(rows) else None)

    def write(self, writes: Sequence[Write]) -> None:
        """Write all or nothing."""
        for write in writes:
            if not self._holds(write):
                raise Conflict(write.name)
        for write in writes:
            if isinstance(write, Put):
                self._put(write.key, write.item)
            elif not isinstance(write, Check):
                self._take(write.key)

    def add(self, key: Key, amounts: Mapping[str, int], expires_at: int | None = None) -> Item:
        """Add to counters of an item."""
        item: dict[str, Any] = {"pk": key[0], "sk": key[1], **self._items.get(key, {})}
        for name, amount in amounts.items():
            item[name] = item.get(name, 0) + amount
        self._put(key, item)
        return item

    def _holds(self, write: Write) -> bool:
        item = self._items.get(write.key)
        match write.condition:
            case Absent():
                return item is None
            case Holds(attribute, value):
                return item is not None and item.get(attribute) == value
        return True

    def _put(self, key: Key, item: Item) -> None:
        before = self._items.get(key)
        if before is None:
            insort(self._partitions.setdefault(key[0], []), key[1])
        elif "list_pk" in before:
            self._listed[before["list_pk"]].pop(key, None)
        if "list_pk" in item:
            self._listed.setdefault(item["list_pk"], {})[key] = item
        self._items[key] = item

    def _take(self, key: Key) -> None:
        item = self._items.pop(key, None)
        if item is not None:
            self._partitions[key[0]].remove(key[1])
            self._listed.get(item.get("list_pk", ""), {}).pop(key, None)
