"""A hub that can be looked at and not changed: it reads, and what would leave it is only noted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NoReturn, cast

from chalicelib.errors import HubError
from chalicelib.hub import Hub
from chalicelib.storage import Blobs, Item, Key, Mail, Message, Page, Secrets, Table, Write
from chalicelib.web import Answer


@dataclass
class Noted:
    """What would have left the hub."""

    mails: list[Mail] = field(default_factory=list)
    posts: list[tuple[str, bytes]] = field(default_factory=list)

    def send_mail(self, mail: Mail) -> str:
        """Note a mail in place of sending it."""
        self.mails.append(mail)
        return "noted"


def untouched(hub: Hub) -> tuple[Hub, Noted]:
    """Give a hub that reads what this one reads and changes nothing, and what it would send."""
    noted = Noted()
    nowhere = _Nowhere()
    guarded = replace(
        hub,
        table=_ReadTable(hub.table),
        inbox=nowhere,
        routing=nowhere,
        outbox=nowhere,
        # A trial opens what was kept, and asks nothing else of the bucket.
        blobs=cast(Any, _ReadBlobs(hub.blobs)),
        secrets=_ReadSecrets(hub.secrets),
        send_mail=noted.send_mail,
        web=cast(Any, _NoWeb(noted)),
        alarm=_ignore,
        trouble=_ignore,
    )
    return guarded, noted


def _ignore(*_: object) -> None:
    """Tell nobody: it is only a trial."""


def _refuse(what: str) -> NoReturn:
    raise HubError(f"a trial may not {what}; this is a mistake of ours")


class _ReadTable:
    """A table that refuses writes."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, key: Key) -> Item | None:
        return self._table.get(key)

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        return self._table.get_many(keys, may_lag=may_lag)

    def query(self, pk: str, prefix: str = "") -> list[Item]:
        return self._table.query(pk, prefix)

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
        return self._table.query_index(
            index, pk, up_to=up_to, newest_first=newest_first, limit=limit, start=start
        )

    def write(self, writes: Sequence[Write]) -> None:
        _refuse("write")

    def add(self, key: Key, amounts: Mapping[str, int], expires_at: int | None = None) -> Item:
        _refuse("count")


class _Nowhere:
    """A queue that refuses messages."""

    def send(self, messages: Sequence[Message]) -> None:
        _refuse("queue")


class _ReadBlobs:
    """A bucket that refuses what is new."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def put(self, name: str, data: bytes) -> None:
        _refuse("keep")

    def get(self, name: str) -> bytes:
        return self._blobs.get(name)


class _ReadSecrets:
    """A store of secrets that refuses new ones."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def get(self, name: str) -> tuple[str, ...]:
        return self._secrets.get(name)

    def ends_at(self, name: str) -> datetime | None:
        return self._secrets.ends_at(name)

    def put(self, name: str, values: Sequence[Mapping[str, Any]]) -> None:
        _refuse("set a secret")

    def forget(self, name: str) -> None:
        _refuse("forget a secret")


class _NoWeb:
    """A web that notes what would be posted, and reads nothing."""

    def __init__(self, noted: Noted) -> None:
        self._noted = noted

    def read(self, *_: Any, **__: Any) -> NoReturn:
        _refuse("ask a provider")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self._noted.posts.append((url, body))
        return Answer(200, "ok")
