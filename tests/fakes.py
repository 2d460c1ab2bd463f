"""The world in memory: what the hub is given in tests, behaving as the real classes do.

`tests/aws/test_storage.py` runs one suite over these and over the real classes.
"""

import json
import random
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, BinaryIO

from chalicelib.errors import Conflict, Gone, Malformed, NotFound, Unavailable
from chalicelib.storage import (
    Absent,
    BlobFacts,
    Check,
    Delete,
    Holds,
    Item,
    Key,
    Mail,
    Message,
    Page,
    Put,
    Received,
    Write,
)

INDEX_KEYS = {
    "due": ("due_shard", "due_at"),
    "list": ("list_pk", "list_sk"),
    "owner": ("owner_pk", "list_sk"),
}
"""Each index and the attributes that are its keys."""

PROJECTED: Mapping[str, tuple[str, ...]] = {
    "due": (),
    "list": ("summary", "kind"),
    "owner": ("summary", "kind"),
}
"""What each index holds beside keys, as in .chalice/resources.yaml."""

MOST_ITEM_BYTES = 400 * 1024
MOST_ACTIONS = 100
MOST_MESSAGE_BYTES = 1024 * 1024
DEDUPE_SECONDS = 300


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self._at = at

    def __call__(self) -> datetime:
        """Give the time."""
        return self._at

    def advance(self, **span: float) -> None:
        """Move on; takes what timedelta takes."""
        self._at += timedelta(**span)

    def monotonic(self) -> float:
        """Give seconds that only ever grow."""
        return self._at.timestamp()


class Ids:
    """Ids that sort in the order they were made, the same in every run."""

    def __init__(self, prefix: str = "0") -> None:
        self._prefix = prefix
        self._numbers = count(1)

    def __call__(self) -> str:
        """Give the next id: 26 characters, as real ones are."""
        return f"{self._prefix}{next(self._numbers):0{26 - len(self._prefix)}d}"


class MemoryTable:
    """The table in memory.

    Attributes:
        is_down: every call raises Unavailable.
        is_forgetful: our own earlier write is taken for somebody else's.
        index_lag: how many of the last item writes the indexes do not show yet.
        commits: the puts of every write that took effect, in order.
    """

    def __init__(self, index_lag: int = 0) -> None:
        self.is_down = False
        self.is_forgetful = False
        self.index_lag = index_lag
        self.commits: list[tuple[Put, ...]] = []
        self._items: dict[Key, dict[str, Any]] = {}
        self._indexed: dict[Key, dict[str, Any]] = {}
        self._log: deque[tuple[Key, dict[str, Any]]] = deque()
        self._replaced: dict[Key, dict[str, Any] | None] = {}
        self._is_behind = False

    def get(self, key: Key) -> Item | None:
        """Read one item."""
        self._check_up()
        return _copied(self._items.get(_checked_key(key)))

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        """Read items; absent ones are not in the answer.

        Of reads that may lag every second one shows what stood before the last write.
        """
        self._check_up()
        self._is_behind = may_lag and not self._is_behind
        items = {**self._items, **self._replaced} if self._is_behind else self._items
        found = {key: _copied(items.get(_checked_key(key))) for key in keys}
        return {key: item for key, item in found.items() if item is not None}

    def query(self, pk: str, prefix: str = "") -> list[Item]:
        """Read a partition's items whose sort key starts with a prefix, in its order."""
        self._check_up()
        keys = [key for key in self._items if key[0] == pk and key[1].startswith(prefix)]
        return [dict(self._items[key]) for key in sorted(keys, key=lambda key: key[1].encode())]

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
        """Read a page of an index; like DynamoDB it may say there is more when there is not."""
        self._check_up()
        self._catch_up()
        partition, sort = INDEX_KEYS[index]

        def place(item: Mapping[str, Any]) -> tuple[bytes, bytes, bytes]:
            return item[sort].encode(), item["pk"].encode(), item["sk"].encode()

        rows = sorted(
            (
                item
                for item in self._indexed.values()
                if item.get(partition) == pk
                and sort in item
                and (up_to is None or item[sort].encode() <= up_to.encode())
            ),
            key=place,
            reverse=newest_first,
        )
        if start is not None:
            after = place(start)
            rows = [
                row for row in rows if (place(row) < after if newest_first else place(row) > after)
            ]
        shown = rows[:limit]
        names = ("pk", "sk", partition, sort, *PROJECTED[index])
        cursor = (
            {name: shown[-1][name] for name in ("pk", "sk", partition, sort)}
            if len(shown) == limit
            else None
        )
        return Page(
            tuple({name: row[name] for name in names if name in row} for row in shown), cursor
        )

    def write(self, writes: Sequence[Write]) -> None:
        """Write all or nothing; a failed condition that met our own item counts as done."""
        self._check_up()
        _check_writes(writes)
        found = {
            write.name: _copied(self._items.get(write.key))
            for write in writes
            if not self._holds(write)
        }
        if found:
            if not self.is_forgetful and all(_is_done(write, found) for write in writes):
                return
            raise Conflict("condition failed: " + ", ".join(sorted(found)), found)
        self._replaced = {write.key: self._items.get(write.key) for write in writes}
        puts = tuple(write for write in writes if isinstance(write, Put))
        for put in puts:
            self._store(put.key, {name: _plain(value) for name, value in put.item.items()})
        for write in writes:
            if isinstance(write, Delete):
                self._items.pop(write.key, None)
                self._log.append((write.key, {}))
        self.commits.append(puts)

    def add(self, key: Key, amounts: Mapping[str, int], expires_at: int | None = None) -> Item:
        """Add to counters of an item, made if absent; gives it as it is afterwards."""
        self._check_up()
        _checked_key(key)
        item = dict(self._items.get(key) or {"pk": key[0], "sk": key[1]})
        for name, amount in amounts.items():
            item[name] = item.get(name, 0) + amount
        if expires_at is not None:
            item["expires_at"] = expires_at
        self._store(key, item)
        return dict(item)

    def scan(self) -> list[Item]:
        """Read everything, in key order; not part of what flows may ask."""
        return [dict(self._items[key]) for key in sorted(self._items)]

    def plant(self, item: Item) -> None:
        """Store an item past every check, as a test's violation."""
        self._store(Key(item["pk"], item["sk"]), dict(item))

    def uproot(self, key: Key) -> None:
        """Take an item away past every check, as a test's violation."""
        del self._items[key]
        self._indexed.pop(key, None)

    def _holds(self, write: Write) -> bool:
        stored = self._items.get(write.key)
        match write.condition:
            case None:
                return True
            case Absent():
                return stored is None
            case Holds(attribute, value):
                return stored is not None and _same(stored.get(attribute), value)

    def _store(self, key: Key, item: dict[str, Any]) -> None:
        self._items[key] = item
        self._log.append((key, item))

    def _catch_up(self) -> None:
        while len(self._log) > self.index_lag:
            key, item = self._log.popleft()
            self._indexed[key] = item
            if not item:
                del self._indexed[key]

    def _check_up(self) -> None:
        if self.is_down:
            raise Unavailable("DynamoDB: down")


def _is_done(write: Write, found: Mapping[str, Item | None]) -> bool:
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


def _same(stored: Any, value: Any) -> bool:
    return type(stored) is type(value) and bool(stored == value)


def _check_writes(writes: Sequence[Write]) -> None:
    """Refuse what DynamoDB refuses."""
    if not 1 <= len(writes) <= MOST_ACTIONS:
        raise Malformed(f"DynamoDB refuses an item: {len(writes)} actions")
    if len({write.key for write in writes}) < len(writes):
        raise Malformed("DynamoDB refuses an item: two actions on one item")
    if len({write.name for write in writes}) < len(writes):
        raise AssertionError(f"two writes of one name: {sorted(write.name for write in writes)}")
    for write in writes:
        _checked_key(write.key)
        if isinstance(write, Put):
            check_item(write.item)


def check_item(item: Item) -> None:
    """Refuse an item that DynamoDB refuses."""
    for attribute in {name for names in INDEX_KEYS.values() for name in names} & set(item):
        if not isinstance(item[attribute], str) or not item[attribute]:
            raise Malformed(f"DynamoDB refuses an item: index key {attribute}")
    if sum(len(name.encode()) + _size(value) for name, value in item.items()) > MOST_ITEM_BYTES:
        raise Malformed("DynamoDB refuses an item: over 400 KB")


def _size(value: Any, depth: int = 0) -> int:
    if depth > 32:
        raise Malformed("DynamoDB refuses an item: nested too deep")
    match value:
        case str():
            return len(value.encode())
        case bool():
            return 1
        case int():
            if len(str(abs(value)).rstrip("0")) > 38:
                raise Malformed("DynamoDB refuses an item: over 38 digits")
            return len(str(abs(value))) // 2 + 2
        case bytes():
            return len(value)
        case list() | tuple():
            return 3 + sum(1 + _size(part, depth + 1) for part in value)
        case Mapping():
            return 3 + sum(
                1 + len(name.encode()) + _size(part, depth + 1) for name, part in value.items()
            )
    raise TypeError(f"an item cannot hold {type(value).__name__}")


def _checked_key(key: Key) -> Key:
    if not (0 < len(key[0].encode()) <= 2048 and 0 < len(key[1].encode()) <= 1024):
        raise Malformed("DynamoDB refuses an item: a key is empty or too long")
    return key


def _copied(item: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if item is None else dict(item)


def _plain(value: Any) -> Any:
    """Give a value as it comes back from DynamoDB."""
    match value:
        case list() | tuple():
            return [_plain(part) for part in value]
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
    return value


@dataclass
class Kept:
    """A message in a queue in memory."""

    number: int
    message: Message
    text: str
    visible_at: datetime
    tries: int = 0
    moves: int = 0

    @property
    def message_id(self) -> str:
        """The queue's id of it; redrive changes it."""
        return f"message-{self.number}-{self.moves}"


@dataclass
class MemoryQueue:
    """A queue in memory, standard or FIFO, with its dead-letter queue.

    Attributes:
        chance: a standard queue hands out in random order and some messages twice, by it;
            None keeps the order and doubles nothing.
        is_down: every send raises Unavailable.
    """

    clock: Callable[[], datetime]
    is_fifo: bool = False
    chance: random.Random | None = None
    visibility_seconds: int = 360
    most_tries: int = 5
    is_down: bool = False
    dead: list[Kept] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    _waiting: list[Kept] = field(default_factory=list)
    _seen: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _made: int = 0

    def send(self, messages: Sequence[Message]) -> None:
        """Send all messages."""
        if self.is_down:
            raise Unavailable("SQS: down")
        texts = [self._checked(message) for message in messages]
        for message, text in zip(messages, texts, strict=True):
            self.sent.append(message)
            now = self.clock()
            if self.is_fifo:
                seen_at = self._seen.get((message.group, message.once))
                if seen_at and now - seen_at < timedelta(seconds=DEDUPE_SECONDS):
                    continue
                self._seen[(message.group, message.once)] = now
            self._keep(message, text, now + timedelta(seconds=message.delay_seconds))

    def receive(self, most: int = 10) -> list[Received]:
        """Hand out what is visible, hiding it for a while; worn out messages go to `dead`."""
        now = self.clock()
        self._bury(now)
        visible = [kept for kept in self._waiting if kept.visible_at <= now]
        if self.is_fifo:
            busy = {kept.message.group for kept in self._waiting if kept.visible_at > now}
            visible = [kept for kept in visible if kept.message.group not in busy]
        elif self.chance:
            self.chance.shuffle(visible)
        taken = visible[:most]
        for kept in taken:
            kept.tries += 1
            kept.visible_at = now + timedelta(seconds=self.visibility_seconds)
        handed = [Received(kept.message_id, json.loads(kept.text), kept.tries) for kept in taken]
        if self.chance and not self.is_fifo:
            handed += [each for each in handed if self.chance.random() < 0.15]
        return handed[:most]

    def delete(self, message_ids: Iterable[str]) -> None:
        """Take handled messages away; one that is gone already does not matter."""
        gone = set(message_ids)
        self._waiting = [kept for kept in self._waiting if kept.message_id not in gone]

    def give_back(self, message_ids: Iterable[str]) -> None:
        """Make messages visible at once, as when a visibility timeout has passed."""
        back = set(message_ids)
        for kept in self._waiting:
            if kept.message_id in back:
                kept.visible_at = self.clock()

    def redrive(self) -> None:
        """Move dead messages back as new ones."""
        for kept in self.dead:
            kept.moves += 1
            kept.tries = 0
            kept.visible_at = self.clock()
        self._waiting += self.dead
        self.dead = []

    @property
    def waiting(self) -> list[Message]:
        """Everything not handled yet, hidden or not, in the order of sending."""
        return [kept.message for kept in self._waiting]

    def is_empty(self) -> bool:
        """Say whether everything was handled."""
        return not self._waiting

    def _checked(self, message: Message) -> str:
        text = json.dumps(message.body, separators=(",", ":"))
        if len(text.encode()) > MOST_MESSAGE_BYTES:
            raise Unavailable("SQS: InvalidParameterValue, over 1 MiB")
        if self.is_fifo and not (message.group and message.once):
            raise Unavailable("SQS: MissingParameter, group or deduplication id")
        if not self.is_fifo and message.group:
            raise Unavailable("SQS: InvalidParameterValue, a deduplication id needs FIFO")
        if not 0 <= message.delay_seconds <= 900:
            raise Unavailable("SQS: InvalidParameterValue, delay over 900 s")
        return text

    def _keep(self, message: Message, text: str, visible_at: datetime) -> None:
        self._made += 1
        self._waiting.append(Kept(self._made, message, text, visible_at))

    def _bury(self, now: datetime) -> None:
        worn = [
            kept
            for kept in self._waiting
            if kept.tries >= self.most_tries and kept.visible_at <= now
        ]
        self.dead += worn
        self._waiting = [kept for kept in self._waiting if kept not in worn]


class MemoryBlobs:
    """Bodies too big for the table, in memory."""

    def __init__(self) -> None:
        self.is_down = False
        self.kept: dict[str, bytes] = {}

    def put(self, name: str, data: bytes | BinaryIO) -> None:
        """Keep bytes under a name."""
        if self.is_down:
            raise Unavailable("S3: down")
        self.kept[name] = data if isinstance(data, bytes) else data.read()

    def remove(self, name: str) -> None:
        """Take a blob away; one that is not there is no error."""
        if self.is_down:
            raise Unavailable("S3: down")
        self.kept.pop(name, None)

    def facts(self, name: str) -> BlobFacts | None:
        """Look at a blob."""
        if self.is_down:
            raise Unavailable("S3: down")
        if name not in self.kept:
            return None
        return BlobFacts(len(self.kept[name]), str(zlib.crc32(self.kept[name])))

    def read(self, name: str, mark: str, start: int, length: int) -> bytes:
        """Give a part of a blob."""
        known = self.facts(name)
        if known is None or known.mark != mark:
            raise NotFound(f"blob {name}")
        return self.kept[name][start : start + length]

    def upload_address(self, name: str, size: int, content_type: str, seconds: int) -> str:
        """Name what is signed."""
        return f"https://bucket.example.com/{name}?PUT&{size}&{content_type}&{seconds}"

    def download_address(self, name: str, file_name: str, seconds: int) -> str:
        """Name what is signed."""
        return f"https://bucket.example.com/{name}?GET&{file_name}&{seconds}"

    def get(self, name: str) -> bytes:
        """Give the bytes back."""
        if self.is_down:
            raise Unavailable("S3: down")
        if name not in self.kept:
            raise NotFound(f"blob {name}")
        return self.kept[name]


class MemorySecrets:
    """Named secrets in memory; each a list of live values, newest first."""

    def __init__(self, values: Mapping[str, Sequence[str]] | None = None) -> None:
        self.is_down = False
        self.ends: dict[str, datetime] = {}
        self.values: dict[str, tuple[str, ...]] = {
            name: tuple(live) for name, live in (values or {}).items()
        }

    def get(self, name: str) -> tuple[str, ...]:
        """Give the live values, newest first; empty if there is none."""
        if self.is_down:
            raise Unavailable("SSM: down")
        return tuple(value for value in self.values.get(name, ()) if value)

    def ends_at(self, name: str) -> datetime | None:
        """Say when the last live value ends."""
        if self.is_down:
            raise Unavailable("SSM: down")
        return self.ends.get(name)

    def put(self, name: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Replace the live values."""
        if self.is_down:
            raise Unavailable("SSM: down")
        self.values[name] = tuple(str(entry["value"]) for entry in values)

    def forget(self, name: str) -> None:
        """Do nothing: nothing is remembered."""


class Mailbox:
    """Takes mails in place of SES and shows them.

    Attributes:
        failures: raised one after the other before mails are taken again.
    """

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.failures: list[Exception] = []

    def __call__(self, mail: Mail) -> str:
        """Take a mail; gives its message id."""
        if self.failures:
            raise self.failures.pop(0)
        self.mails.append(mail)
        return f"mail-{len(self.mails)}"


@dataclass(frozen=True)
class Posted:
    """One POST that a destination got."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answered:
    """What a destination answers; see chalicelib.web.Answer."""

    status: int = 200
    body: str = "ok"
    retry_after_seconds: int | None = None


class MemoryWeb:
    """Providers and destinations in memory, in place of chalicelib.web.Web.

    Attributes:
        pages: what a provider answers, by the end of the address without its query: JSON, or an
            error to raise.
        answers: what destinations answer or raise, one after the other; then all is well.
        answers_at: the same for one of them, by a part of its address.
    """

    def __init__(self, pages: Mapping[str, Any] | None = None) -> None:
        self.pages: dict[str, Any] = dict(pages or {})
        self.answers: list[Answered | Exception] = []
        self.answers_at: dict[str, list[Answered | Exception]] = {}
        self.posts: list[Posted] = []
        self.asked: list[str] = []

    def read(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        refusal: Any = None,
        *,
        body: bytes | None = None,
        gives: str = "json",
    ) -> Any:
        """Read a page."""
        path = url.partition("?")[0]
        self.asked.append(path)
        for end, page in self.pages.items():
            if path.endswith(end):
                if isinstance(page, Exception):
                    raise page
                return page
        raise Gone(f"no page {path}")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        """Take a POST."""
        said = [queue for part, queue in self.answers_at.items() if part in url]
        queue = said[0] if said else self.answers
        answer = queue.pop(0) if queue else Answered()
        if isinstance(answer, Exception):
            raise answer
        self.posts.append(Posted(url, body, dict(headers)))
        return answer
