"""Wiring: the one Hub that flows are given, and how it is built on AWS."""

import json
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib import __version__
from chalicelib.config.source import Source
from chalicelib.errors import HubError, Misconfigured, Unavailable
from chalicelib.records import (
    ACTIVE_KEY,
    Active,
    active_of,
    document_of,
    unpacked,
    version_key,
    version_of,
    weights_key,
)
from chalicelib.settings import Settings
from chalicelib.storage import Blobs, Queue, Secrets, SendMail, Table

if TYPE_CHECKING:
    from chalicelib.config.model import Config
    from chalicelib.lead.matching.weights import Weights
    from chalicelib.web import Web

STALE_SECONDS = 900
"""How long the door goes on with the configuration it knows while the table is down."""


@dataclass(frozen=True)
class Current:
    """The configuration in force, with its hash and who has switched themselves off."""

    config: "Config"
    active: Active

    @property
    def hash(self) -> str:
        """Hash of the configuration document."""
        return self.active.hash


@dataclass
class _Known:
    """What was read last: which configuration is in force, its document, and parts of it."""

    active: Active
    document: Mapping[str, Any]
    read_at: float
    config: "Config | None" = None
    sources: dict[str, Source | None] = field(default_factory=dict)


class Configurations:
    """Reads the configuration in force and remembers its document by hash."""

    def __init__(self, table: Table, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Read from a table; `monotonic` ages what is remembered."""
        self._table = table
        self._monotonic = monotonic
        self._known: _Known | None = None
        self._weights: dict[tuple[int, str], Weights] = {}

    def current(self) -> Current:
        """Give the configuration in force at this moment.

        Raises:
            Misconfigured: nothing has been published yet.
            Unavailable: the table is down.
        """
        from chalicelib.config.model import Config  # the door does without

        known = self._read(self._monotonic())
        if known.config is None:
            known.config = Config.model_validate(known.document, extra="ignore")
        return Current(known.config, known.active)

    def weights(self, current: Current) -> "Weights":
        """Give the weights of matching in use, with the thresholds of the configuration.

        Raises:
            Misconfigured: there are no such weights.
            Unavailable: the table is down.
        """
        known = current.active.weights, current.hash
        if known not in self._weights:
            from chalicelib.lead.matching.weights import limits_of

            learnt = self.learnt_weights(current.active.weights)
            limits = limits_of(current.config.matching)
            self._weights = {known: learnt.model_copy(update={"limits": limits})}
        return self._weights[known]

    def learnt_weights(self, number: int) -> "Weights":
        """Read the weights that were learnt under a number; 0 is as the hub comes.

        Raises:
            Misconfigured, Unavailable: see weights.
        """
        from chalicelib.lead.matching.weights import AS_IT_COMES, Weights

        if not number:
            return AS_IT_COMES
        item = self._table.get(weights_key(number))
        if item is None:
            raise Misconfigured(f"weights {number} are missing")
        return unpacked(Weights, item["data"])

    def source(self, source_id: str, max_age_seconds: float) -> Source | None:
        """Give one source as it was at most so long ago, without reading the rest; for the door.

        Raises:
            Misconfigured: nothing has been published yet.
            Unavailable: the table is down, and has been for longer than is remembered.
        """
        known = self._recent(max_age_seconds)
        if source_id not in known.sources:
            document = known.document.get("sources", {}).get(source_id)
            known.sources[source_id] = (
                None if document is None else Source.model_validate(document, extra="ignore")
            )
        return known.sources[source_id]

    def retired(self, source_id: str, max_age_seconds: float) -> str:
        """Name the connector of a source that was taken out; empty if there was none; see source.

        Raises:
            Misconfigured, Unavailable: see source.
        """
        return self._recent(max_age_seconds).active.retired.get(source_id, "")

    def _recent(self, max_age_seconds: float) -> _Known:
        now, known = self._monotonic(), self._known
        if known is not None and now - known.read_at < max_age_seconds:
            return known
        try:
            return self._read(now)
        except Unavailable:
            if known is None or now - known.read_at > STALE_SECONDS:
                raise
            return known

    def _read(self, now: float) -> _Known:
        item = self._table.get(ACTIVE_KEY)
        if item is None:
            raise Misconfigured("no configuration is published: hub config publish FILE")
        active, known = active_of(item), self._known
        if known is not None and known.active.hash == active.hash:
            known.active, known.read_at = active, now
        else:
            known = _Known(active, self._document(active), now)
        self._known = known
        return known

    def _document(self, active: Active) -> Mapping[str, Any]:
        item = self._table.get(version_key(active.number))
        if item is None:
            raise Misconfigured(f"configuration {active.number} is missing")
        return document_of(version_of(item))


LONGEST_PAUSE_SECONDS = 1.0


def pause_at_random(
    attempt: int,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> None:
    """Wait before trying again: at random, up to 20 ms doubled with each attempt, or a second."""
    if attempt:
        sleep(chance() * min(0.02 * 2**attempt, LONGEST_PAUSE_SECONDS))


def log_alarm(kind: str, ids: Mapping[str, str]) -> None:
    """Log one line of JSON; the template counts such lines and alarms the admin."""
    line = json.dumps({"alarm": kind, **ids}, separators=(",", ":"))
    logging.getLogger("hub").warning(line)


def log_trouble(error: HubError) -> None:
    """Log one line of JSON; errors of ours hold no personal data."""
    line = {"trouble": type(error).__name__, "why": str(error)[:300]}
    logging.getLogger("hub").warning(json.dumps(line, separators=(",", ":")))


def ask_nobody(
    _model: str, messages: Sequence[str], _labels: Mapping[str, str], _seconds: float
) -> list[str]:
    """Answer for a model that is not there."""
    return [""] * len(messages)


@dataclass(frozen=True)
class Hub:
    """Everything that a flow may touch.

    Attributes:
        clock: gives the time, aware, UTC.
        new_id: gives a fresh id, sortable by time.
        side_by_side: runs calls in threads, so that a slow one holds up no other; gives their
            results in order.
        pause: waits a little, longer with each attempt, so that workers who want the same lead
            do not meet again; the first attempt does not wait.
        alarm: told what a person must look at, with ids: quarantined, unowned, set_aside,
            form_changed ...
        trouble: told why a message comes back or the door asks to come again.
        ask_model: gives a model's label for each message, within seconds; empty for no answer.
        code: version of this code, kept with every decision.
        public_keys: those that providers publish, by address, and when each was read.
    """

    settings: Settings
    table: Table
    inbox: Queue
    routing: Queue
    outbox: Queue
    blobs: Blobs
    secrets: Secrets
    send_mail: SendMail
    web: "Web"
    configurations: Configurations
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    side_by_side: Callable[[Sequence[Callable[[], list[str]]]], list[list[str]]]
    pause: Callable[[int], None] = pause_at_random
    alarm: Callable[[str, Mapping[str, str]], None] = log_alarm
    trouble: Callable[[HubError], None] = log_trouble
    ask_model: Callable[[str, Sequence[str], Mapping[str, str], float], list[str]] = ask_nobody
    code: str = __version__
    public_keys: dict[str, tuple[float, str]] = field(default_factory=dict)


def now_utc() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def fresh_id() -> str:
    """Make an id of 26 characters that sorts by time: 48 bits of milliseconds, 80 random bits."""
    import secrets

    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))


def in_threads(calls: Sequence[Callable[[], list[str]]]) -> list[list[str]]:
    """Run calls side by side, each in a thread of its own."""
    from concurrent.futures import ThreadPoolExecutor

    if len(calls) < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return [done.result() for done in [pool.submit(call) for call in calls]]


def build(settings: Settings, endpoint: Mapping[str, Any] | None = None) -> Hub:
    """Build the hub on AWS; clients that a function does not use are never made.

    Args:
        settings: of this stage.
        endpoint: further arguments of boto3.client, as for the local cloud.
    """
    import boto3
    from botocore.config import Config as ClientConfig

    from chalicelib.aws.bedrock import Bedrock
    from chalicelib.aws.blobs import S3Blobs
    from chalicelib.aws.mail import SesMail
    from chalicelib.aws.queue import SqsQueue
    from chalicelib.aws.secrets import SsmSecrets
    from chalicelib.aws.table import DynamoTable
    from chalicelib.web import Web

    def client(service: str, attempts: int = 2, signature: str | None = None) -> Any:
        config = ClientConfig(
            connect_timeout=1,
            read_timeout=3,
            retries={"mode": "standard", "total_max_attempts": attempts},
            parameter_validation=False,
            signature_version=signature,
            disable_request_compression=True,
            # boto3 writes its own user agent anew for each call, which is a tenth of the call.
            user_agent=f"lead-hub/{__version__}",
        )
        return boto3.client(service, config=config, **(endpoint or {}))

    table = DynamoTable(client("dynamodb"), settings.table)
    sqs = client("sqs")
    return Hub(
        settings=settings,
        table=table,
        inbox=SqsQueue(sqs, settings.inbox),
        routing=SqsQueue(sqs, settings.routing),
        outbox=SqsQueue(sqs, settings.outbox),
        # Addresses that boto3 signs in its old way would let a caller send any size and type.
        blobs=S3Blobs(lambda: client("s3", signature="s3v4"), settings.bucket),
        secrets=SsmSecrets(lambda: client("ssm"), settings.secrets_path, now_utc),
        send_mail=SesMail(lambda: client("sesv2", attempts=1)),
        web=Web(settings.private_hosts),
        configurations=Configurations(table),
        clock=now_utc,
        new_id=fresh_id,
        side_by_side=in_threads,
        ask_model=Bedrock(lambda: client("bedrock-runtime", attempts=1)).ask,
    )
