"""Secrets in SSM Parameter Store (SecureString), remembered for a while."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws.failure import unavailable
from chalicelib.errors import Misconfigured

FRESH_SECONDS = 300
"""How long a value is used without asking again."""

STALE_SECONDS = 900
"""How long a value is used while the store is down."""


class SsmSecrets:
    """Each secret is one parameter `PATH/NAME` holding a JSON list of its live values.

    An entry is `{"value": ..., "not_after": ISO time or null}`; the first is the newest.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        path: str,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read below a path, through a client that is made when first needed.

        `clock` ends old values, `monotonic` ages what is remembered.
        """
        self._connect = connect
        self._path = path
        self._clock = clock
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, list[dict[str, Any]]]] = {}

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    def get(self, name: str) -> tuple[str, ...]:
        """Give the live values, newest first; empty if there is no such secret.

        Raises:
            Misconfigured: it is stored in another shape.
            Unavailable: the store is down, and nothing is remembered that may still be used.
        """
        return tuple(entry["value"] for entry in self._live(name))

    def ends_at(self, name: str) -> datetime | None:
        """Say when the last live value ends; None when one does not end, or there is none.

        Raises:
            Misconfigured, Unavailable: see get.
        """
        ends = [entry.get("not_after") for entry in self._live(name)]
        if not ends or not all(ends):
            return None
        return max(datetime.fromisoformat(end) for end in ends if end)

    def _live(self, name: str) -> list[dict[str, Any]]:
        if not name:
            return []
        now = self._monotonic()
        read_at, entries = self._known.get(name, (None, []))
        if read_at is None or now - read_at > FRESH_SECONDS:
            try:
                entries = self._read(name)
                self._known[name] = (now, entries)
            except (ClientError, BotoCoreError) as error:
                if read_at is None or now - read_at > STALE_SECONDS:
                    raise unavailable("SSM", error) from error
        moment = self._clock()
        return [
            entry
            for entry in entries
            if entry["value"]
            and not (entry.get("not_after") and datetime.fromisoformat(entry["not_after"]) < moment)
        ]

    def put(self, name: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Replace the live values; functions may do so only to names that start with `tokens/`.

        Raises:
            Unavailable: the store is down, or does not let us.
        """
        try:
            self._client.put_parameter(
                Name=f"{self._path}/{name}",
                Value=json.dumps(list(values)),
                Type="SecureString",
                # A grant may be longer than the 4 KB of a standard parameter.
                Tier="Intelligent-Tiering",
                Overwrite=True,
            )
        except (ClientError, BotoCoreError) as error:
            raise unavailable("SSM", error) from error
        self.forget(name)

    def forget(self, name: str) -> None:
        """Ask the store itself when the secret is wanted next, for it was changed elsewhere."""
        self._known.pop(name, None)

    def _read(self, name: str) -> list[dict[str, Any]]:
        try:
            answer = self._client.get_parameter(Name=f"{self._path}/{name}", WithDecryption=True)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return []
            raise
        try:
            entries = json.loads(answer["Parameter"]["Value"])
            return [_checked(entry) for entry in entries]
        except (ValueError, LookupError, TypeError) as error:
            expected = 'a JSON list of {"value": text, "not_after": time with zone or null}'
            raise Misconfigured(
                f"secret {name!r} is stored wrongly: expected {expected}"
            ) from error


def _checked(entry: Any) -> dict[str, Any]:
    """Give an entry that can be used later on without another look."""
    if not isinstance(entry["value"], str):
        raise TypeError
    ends = entry.get("not_after")
    if ends and datetime.fromisoformat(ends).tzinfo is None:
        raise ValueError
    return dict(entry)
