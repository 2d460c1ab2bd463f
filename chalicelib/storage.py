"""What flows may ask of storage and queues: items, conditional writes, messages; no AWS in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol

Item = Mapping[str, Any]
"""One stored item: `pk` and `sk` and attributes of text, whole numbers, bytes, lists and maps."""


class Key(tuple[str, str]):
    """Partition and sort key of one item."""

    __slots__ = ()

    def __new__(cls, pk: str, sk: str) -> "Key":
        """Make a key of its two parts."""
        return super().__new__(cls, (pk, sk))


@dataclass(frozen=True)
class Absent:
    """Holds while there is no such item."""


@dataclass(frozen=True)
class Holds:
    """Holds while an attribute of the stored item has this value."""

    attribute: str
    value: str | int


Condition = Absent | Holds


def at_version(version: int) -> Condition:
    """Hold while an item has this version; 0 means while there is none."""
    return Holds("version", version) if version else Absent()


@dataclass(frozen=True)
class Put:
    """Write a whole item.

    `item["writer"]` names who writes, so that a write whose answer was lost is known as done
    when it is tried again and its condition fails against itself.
    """

    name: str
    item: Item
    condition: Condition | None = None

    @property
    def key(self) -> Key:
        """Key of the item."""
        return Key(self.item["pk"], self.item["sk"])


@dataclass(frozen=True)
class Check:
    """Write nothing, but let the transaction fail unless the condition holds."""

    name: str
    key: Key
    condition: Condition


@dataclass(frozen=True)
class Delete:
    """Take an item away; one that is gone already counts as taken away."""

    name: str
    key: Key
    condition: Condition | None


Write = Put | Check | Delete

MOST_WRITES = 90
"""Most writes that go into one transaction; DynamoDB takes 100."""

ATTEMPTS = 8
"""How often a flow reads and decides anew because somebody else wrote first."""


@dataclass(frozen=True)
class Page:
    """Some of the items that a query finds, in order.

    Attributes:
        next: where the next page starts; None at the end.
    """

    items: tuple[Item, ...]
    next: Mapping[str, str] | None = None


class Table(Protocol):
    """The one table: strongly consistent by key, eventually consistent by index."""

    def get(self, key: Key) -> Item | None:
        """Read one item, consistently."""

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        """Read items; absent ones are not in the answer.

        Args:
            keys: of what is read.
            may_lag: they may be as they stood a moment ago, at half the price.
        """

    def query(self, pk: str, prefix: str = "") -> list[Item]:
        """Read all items of a partition whose sort key starts with a prefix, in its order."""

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

    def write(self, writes: Sequence[Write]) -> None:
        """Write all or nothing.

        Raises:
            Conflict: a condition did not hold, and not because we had written it already.
            Unavailable: the table is down or busy.
        """

    def add(self, key: Key, amounts: Mapping[str, int], expires_at: int | None = None) -> Item:
        """Add to counters of an item, made if absent; gives it as it is afterwards."""


@dataclass(frozen=True)
class Message:
    """What a queue carries: ids, no personal data.

    Attributes:
        body: a JSON object.
        group: FIFO queues only; messages of a group are handled in order.
        once: FIFO queues only; the same value within five minutes is sent once.
        delay_seconds: standard queues only; 0 to 900.
    """

    body: Mapping[str, Any]
    group: str = ""
    once: str = ""
    delay_seconds: int = 0


class Queue(Protocol):
    """A queue that a flow sends to."""

    def send(self, messages: Sequence[Message]) -> None:
        """Send all messages, trying failed entries again.

        Raises:
            Unavailable: at least one could not be sent; others may have been.
        """


@dataclass(frozen=True)
class Received:
    """A message that a worker was handed.

    Attributes:
        message_id: the queue's; only for reporting failure, never a key of ours.
        tries: how often it was handed out, this time included.
    """

    message_id: str
    body: Mapping[str, Any]
    tries: int = 1


@dataclass(frozen=True)
class BlobFacts:
    """How long a blob is, and a mark that is another one for other bytes."""

    size: int
    mark: str


class Blobs(Protocol):
    """Where bodies live that are too big for the table."""

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        """Keep bytes under a name; the same name and bytes again change nothing.

        Args:
            name: of the blob.
            data: bytes, or a stream of them, which is never held as a whole.
        """

    def facts(self, name: str) -> BlobFacts | None:
        """Look at a blob; None when there is none."""

    def read(self, name: str, mark: str, start: int, length: int) -> bytes:
        """Give a part of a blob; fewer bytes at its end.

        Raises:
            NotFound: there are no such bytes any more: another mark, or no blob.
            Unavailable: the bucket is down.
        """

    def remove(self, name: str) -> None:
        """Take a blob away; one that is not there is no error."""

    def upload_address(self, name: str, size: int, content_type: str, seconds: int) -> str:
        """Sign an address to PUT a blob of exactly this size and type to, for a while."""

    def download_address(self, name: str, file_name: str, seconds: int) -> str:
        """Sign an address to GET a blob from, for a while; saved under a file name."""

    def get(self, name: str) -> bytes:
        """Give the bytes back.

        Raises:
            NotFound: nothing is kept under that name.
            Unavailable: the bucket is down.
        """


class Secrets(Protocol):
    """Named secrets; two may live while one replaces the other."""

    def get(self, name: str) -> tuple[str, ...]:
        """Give the live values, newest first; empty if there is none.

        Raises:
            Unavailable: the store is down and nothing fresh enough is remembered.
        """

    def ends_at(self, name: str) -> datetime | None:
        """Say when the last live value ends; None when one does not end, or there is none.

        Raises:
            Unavailable: see get.
        """

    def put(self, name: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Replace the live values; functions may do so only to names that start with `tokens/`.

        Args:
            name: of the secret.
            values: each `{"value": text, "not_after": ISO time or None}`, the newest first.

        Raises:
            Unavailable: the store is down, or does not let us.
        """

    def forget(self, name: str) -> None:
        """Ask the store itself when the secret is wanted next, for it was changed elsewhere."""


@dataclass(frozen=True)
class Mail:
    """One mail as it is handed over for sending."""

    sender: str
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)


SendMail = Callable[[Mail], str]
"""Hand a mail over; gives its message id. Raises TryLater, Refused or Uncertain."""
