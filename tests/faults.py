"""Faults on purpose: every call that leaves a flow can fail, lose its answer or kill the process.

One hook sees each call, at the level of `chalicelib.storage` for the world in memory, or at the
level of the AWS clients for the real classes over moto. Nothing in the product knows of it.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, cast

from botocore.exceptions import ConnectionClosedError

from chalicelib.errors import TryLater, Unavailable, Uncertain
from chalicelib.hub import Configurations, Hub
from chalicelib.storage import Check, Delete, Put


class Kill(BaseException):
    """The process ends here; no `except Exception` of the product can stop it."""


@dataclass(frozen=True)
class Call:
    """One call that leaves the process.

    Attributes:
        on: which part of the hub, or which AWS service.
        does: method or operation.
        what: names of the writes, or what else tells calls apart; no personal data.
    """

    on: str
    does: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.on}.{self.does}({self.what})"


Hook = Callable[[Call, Callable[[], Any]], Any]
"""Sees a call and what makes it happen; gives its answer, or raises."""


class Fault(Enum):
    """What can happen to one call."""

    DOWN = "fails before its effect"
    LOST = "has its effect, and the answer is lost"
    REPEATED = "has its effect, the answer is lost, and the SDK makes it again"
    KILLED_BEFORE = "the process ends before it"
    KILLED_AFTER = "the process ends after it"


SPEAKS_TO_OTHERS = {"mail", "web"}
"""Parts whose calls no SDK repeats, and whose lost answers are not known to be harmless."""


def apply(fault: Fault | None, call: Call, go: Callable[[], Any]) -> Any:
    """Make a call suffer a fault."""
    match fault:
        case None:
            return go()
        case Fault.DOWN:
            raise _failure(call, had_effect=False)
        case Fault.KILLED_BEFORE:
            raise Kill
        case Fault.KILLED_AFTER:
            go()
            raise Kill
        case Fault.REPEATED if call.on not in SPEAKS_TO_OTHERS:
            go()
            return go()
    go()
    raise _failure(call, had_effect=True)


def _failure(call: Call, had_effect: bool) -> Exception:
    if call.on not in SPEAKS_TO_OTHERS:
        return Unavailable(f"{call.on}: injected")
    if had_effect and call.does != "read":
        return Uncertain(f"{call.on}: injected")
    return TryLater(f"{call.on}: injected")


class Tapped:
    """Passes every method call of an object through a hook."""

    def __init__(self, inner: Any, on: str, hook: Hook) -> None:
        self._inner = inner
        self._on = on
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if not callable(method):
            return method

        def call(*given: Any, **named: Any) -> Any:
            seen = Call(self._on, name, described(given))
            return self._hook(seen, lambda: method(*given, **named))

        return call

    def __call__(self, *given: Any) -> Any:
        """Call the object itself, as a mailbox is."""
        return self._hook(Call(self._on, "send", ""), lambda: self._inner(*given))


def tapped(hub: Hub, hook: Hook) -> Hub:
    """Give the same hub with every call that leaves it going through a hook."""
    table = cast(Any, Tapped(hub.table, "table", hook))
    return replace(
        hub,
        table=table,
        inbox=cast(Any, Tapped(hub.inbox, "inbox", hook)),
        routing=cast(Any, Tapped(hub.routing, "routing", hook)),
        outbox=cast(Any, Tapped(hub.outbox, "outbox", hook)),
        blobs=cast(Any, Tapped(hub.blobs, "blobs", hook)),
        secrets=cast(Any, Tapped(hub.secrets, "secrets", hook)),
        send_mail=cast(Any, Tapped(hub.send_mail, "mail", hook)),
        web=cast(Any, Tapped(hub.web, "web", hook)),
        configurations=Configurations(table, lambda: hub.clock().timestamp()),
    )


def described(given: tuple[Any, ...]) -> str:
    """Say in a few words what a storage call is about, the same in every run."""
    if not given:
        return ""
    first = given[0]
    if isinstance(first, list | tuple) and first and isinstance(first[0], Put | Check | Delete):
        return ",".join(write.name for write in first)
    if isinstance(first, tuple):
        return str(first[0]).partition("#")[0]
    if isinstance(first, list):
        return str(len(first))
    return first.partition("#")[0] if isinstance(first, str) else ""


class Counting:
    """A hook that counts calls and lets one of them suffer a fault.

    Attributes:
        calls: every call seen, in order.
        fired: the call that suffered, once it has.
    """

    def __init__(self, at: int = 0, fault: Fault | None = None) -> None:
        self.calls: list[Call] = []
        self.fired: Call | None = None
        self._at = at
        self._fault = fault
        self._lock = threading.Lock()

    def __call__(self, call: Call, go: Callable[[], Any]) -> Any:
        """See one call."""
        with self._lock:
            self.calls.append(call)
            is_due = len(self.calls) == self._at
        if not is_due:
            return go()
        self.fired = call
        return apply(self._fault, call, go)


@dataclass(frozen=True)
class Point:
    """One place where one fault is tried."""

    at: int
    call: Call
    fault: Fault

    def __str__(self) -> str:
        return f"call {self.at}, {self.call}, {self.fault.value}"


def every_point(calls: list[Call]) -> Iterator[Point]:
    """Name every fault at every call of a run."""
    for at, call in enumerate(calls, start=1):
        for fault in Fault:
            if fault is Fault.REPEATED and call.on in SPEAKS_TO_OTHERS:
                continue
            yield Point(at, call, fault)


def explore(
    run: Callable[[Hook], list[str]], points: Callable[[list[Call]], Iterator[Point]] = every_point
) -> tuple[int, dict[str, list[str]]]:
    """Run once to see every call, then again with each fault at each of them.

    Args:
        run: makes a fresh world, plays a story in it under the hook, delivers again until all is
            quiet, and gives what is wrong afterwards in words.

    Returns:
        How many runs had their fault fire, and what was wrong in which of them.
    """
    seen = Counting()
    wrong = {"without any fault": problems} if (problems := run(seen)) else {}
    fired = 0
    for point in points(seen.calls):
        hook = Counting(point.at, point.fault)
        if problems := run(hook):
            wrong[str(point)] = problems
        fired += hook.fired is not None
    return fired, wrong


def attach(client: Any, hook: Hook, shim: Callable[..., Any] | None = None) -> None:
    """Pass every attempt of an AWS client through a hook, on moto or at a real address.

    Args:
        client: made by boto3; attempts that the SDK makes by itself are calls of their own.
        hook: sees every attempt; see also `aws_fault`.
        shim: (operation, request, go) -> answer; stands between the hook and moto.
    """
    from moto.core.models import botocore_stubber

    service = client.meta.service_model.service_name
    send = client._endpoint._send

    def wire(request: Any) -> Any:
        return hook(_aws_call(service, request), lambda: send(request))

    def before_send(event_name: str, request: Any, **rest: Any) -> Any:
        if not botocore_stubber.enabled:
            return None
        operation = event_name.rpartition(".")[2]

        def go() -> Any:
            return botocore_stubber(event_name, request, **rest)

        if shim is None:
            return hook(Call(service, operation), go)
        return hook(Call(service, operation), lambda: shim(operation, request, go))

    client._endpoint._send = wire
    # All handlers of an event run: moto's own would have every effect a second time.
    client.meta.events.unregister("before-send", botocore_stubber)
    client.meta.events.register_first("before-send.*.*", before_send)


def _aws_call(service: str, request: Any) -> Call:
    target = request.headers.get("X-Amz-Target", b"")
    text = target.decode() if isinstance(target, bytes) else str(target)
    return Call(service, text.rpartition(".")[2] or str(request.method))


def untouched(call: Call, go: Callable[[], Any]) -> Any:
    """Let a call happen: the hook that does nothing."""
    return go()


def cut(request_url: str) -> ConnectionClosedError:
    """Make the error of a connection that broke, which the SDK tries again after."""
    return ConnectionClosedError(endpoint_url=request_url)


def aws_fault(fault: Fault | None, go: Callable[[], Any]) -> Any:
    """Make one attempt of an AWS client suffer a fault."""
    match fault:
        case Fault.DOWN:
            raise cut("https://injected.example.com")
        case Fault.LOST | Fault.REPEATED:
            go()
            raise cut("https://injected.example.com")
        case Fault.KILLED_BEFORE:
            raise Kill
        case Fault.KILLED_AFTER:
            go()
            raise Kill
    return go()


def body_of(request: Any) -> Mapping[str, Any]:
    """Read the JSON body of a request to DynamoDB, SQS or SSM; empty for other kinds."""
    body = request.body
    if not body:
        return {}
    try:
        found = json.loads(body)
    except (ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
