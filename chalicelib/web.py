"""The one outbound HTTP client: safe against addresses and answers that strangers choose.

It resolves a name once, refuses it unless all its addresses are public, and dials an address that
it checked while the name stays in TLS and Host. It follows no redirect, uses no proxy, decompresses
nothing, and gives up after a total time however slowly the other side talks.
"""

import http.client
import io
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from math import ceil
from typing import Any, Literal
from urllib.parse import SplitResult, quote, unquote_plus, urlencode, urlsplit

from chalicelib.addresses import Target, check_resolved, check_url
from chalicelib.body import decode, read_json
from chalicelib.connector import Api, Get, Options
from chalicelib.errors import (
    Expired,
    Gone,
    HubError,
    Malformed,
    Misconfigured,
    Refused,
    TryLater,
    Uncertain,
)

GET_LIMIT = 2 * 1024 * 1024
POST_LIMIT = 64 * 1024
MOST_KEYS = 200_000
"""Keys in an answer; a list of a provider's has many more than a webhook."""
SHOWN = 1024
LONGEST_WAIT_SECONDS = 24 * 3600

UNAUTHORISED = 401
"""The status of a token that is not valid any more; 403 is one that may not do this."""

NOT_JSON = "the answer is not JSON"

Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) -> its IP addresses as text."""
Dial = Callable[[str, int, float], socket.socket]
"""(IP address, port, seconds) -> a connected socket."""
Refusal = Callable[[int, Any], Exception | None]
"""(status, JSON body or None) -> error to raise, or None to go by the status."""


@dataclass(frozen=True)
class Answer:
    """What a destination answered to a POST.

    Attributes:
        status: as it came, also 3xx, 4xx and 5xx.
        body: the first KiB as text, for the record.
        retry_after_seconds: 0 to a day; None when it was not said.
    """

    status: int
    body: str = ""
    retry_after_seconds: int | None = None


@dataclass(frozen=True)
class _Received:
    status: int
    body: bytes
    encoding: str
    retry_after_seconds: int | None


class _BrokenOff(HubError):
    """The request went out whole, and no whole answer came."""


def resolve_name(host: str, port: int) -> tuple[str, ...]:
    """Ask the system's resolver for all addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(info[4][0]) for info in found))


def dial_address(address: str, port: int, seconds: float) -> socket.socket:
    """Open a TCP connection to an IP address."""
    return socket.create_connection((address, port), timeout=seconds)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Web:
    """Calls providers and destinations.

    Attributes:
        private_hosts: host:port of loopback servers that a test stage may call by plain http.
        resolve: finds the addresses of a name.
        dial: connects to one address.
        now: the time that a Retry-After date is measured from.
        total_seconds: for one exchange, from dialling to the last byte.
        ca_file: certificates to trust; empty means those of certifi.
    """

    private_hosts: tuple[str, ...] = ()
    resolve: Resolve = resolve_name
    dial: Dial = dial_address
    now: Callable[[], datetime] = _utc_now
    total_seconds: float = 15.0
    ca_file: str = ""

    def read(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        refusal: Refusal | None = None,
        *,
        body: bytes | None = None,
        gives: Literal["json", "text"] = "json",
    ) -> Any:
        """Read JSON of at most 2 MiB.

        Args:
            url: what to read.
            headers: beside those that every request has.
            refusal: goes before the status code.
            body: POSTed in place of a GET, for a reading that is asked for so; may be sent again.
            gives: text means that an answer that is not JSON is given as text.

        Raises:
            TryLater: time-out, no connection, broken answer, 408, 425, 429 or 5xx.
            Expired: 401.
            Refused: the address may not be called, a redirect, 403 or another 4xx.
            Gone: 404 or 410.
            Malformed: the answer is not JSON, or too long.
        """
        target = check_url(url, self.private_hosts)
        asked = {"Accept": "application/json", **(headers or {})}
        method = "GET" if body is None else "POST"
        try:
            got = self._exchange(method, target, asked, body, GET_LIMIT, must_be_whole=True)
        except _BrokenOff:
            raise TryLater(f"{target.host}: no whole answer came") from None
        value, trouble = _read_json(got)
        error = refusal(got.status, value) if refusal else None
        if isinstance(error, TryLater) and error.retry_after_seconds is None:
            error.retry_after_seconds = got.retry_after_seconds
        if got.status == UNAUTHORISED and type(error) is Refused:
            error = Expired(str(error))
        error = error or _refusal_by_status(target.host, got)
        if error:
            raise error
        if trouble == NOT_JSON and gives == "text":
            return decode(got.body)
        if trouble:
            raise Malformed(f"{target.host}: {trouble}")
        return value

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body; whatever status is answered is given back, for its caller to judge.

        Raises:
            TryLater: nothing was sent in full, so sending again cannot show twice.
            Uncertain: it was sent and no answer came; it may have had its effect.
            Refused: the address may not be called.
            Misconfigured: a header cannot be sent.
        """
        target = check_url(url, self.private_hosts)
        try:
            got = self._exchange("POST", target, headers, body, POST_LIMIT, must_be_whole=False)
        except _BrokenOff:
            raise Uncertain(f"{target.host}: it was sent, and no answer came") from None
        shown = got.body[:SHOWN].decode("utf-8", "replace")
        return Answer(got.status, shown, got.retry_after_seconds)

    def _exchange(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        limit: int,
        *,
        must_be_whole: bool,
    ) -> _Received:
        """Send one request and read its answer, one byte beyond the limit at most."""
        deadline = time.monotonic() + self.total_seconds
        connection = http.client.HTTPConnection(target.host, target.port)
        with closing(self._connect(target, deadline)) as sock, closing(connection):
            connection.sock = _Wire(sock, deadline)
            sent = {"Host": target.host_header, "Connection": "close", **headers}
            try:
                connection.request(method, target.path, body, sent)
            except OSError as error:
                raise TryLater(f"{target.host}: the connection broke") from error
            except ValueError:
                # The value may be a secret with a line end in it: say nothing of it.
                raise Misconfigured(f"{target.host}: a header cannot be sent") from None
            try:
                response = connection.getresponse()
            except (OSError, http.client.HTTPException):
                raise _BrokenOff from None
            return _Received(
                response.status,
                _read_body(response, limit, must_be_whole=must_be_whole),
                response.headers.get("Content-Encoding", ""),
                retry_after_seconds(response.headers.get("Retry-After", ""), self.now()),
            )

    def _connect(self, target: Target, deadline: float) -> socket.socket:
        """Dial the first address that answers, all having been checked."""
        try:
            addresses = self.resolve(target.host, target.port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise TryLater(f"{target.host}: its address was not found")
        check_resolved(target, addresses)
        for address in addresses:
            try:
                sock = self.dial(address, target.port, _left(deadline))
            except OSError:
                continue
            return sock if target.is_private else self._secure(sock, target, deadline)
        raise TryLater(f"{target.host}: no connection")

    def _secure(self, sock: socket.socket, target: Target, deadline: float) -> socket.socket:
        """Start TLS; the certificate must be for the name, not for the address dialled."""
        try:
            sock.settimeout(_left(deadline))
            return _tls(self.ca_file).wrap_socket(sock, server_hostname=target.host)
        except OSError as error:
            sock.close()
            raise TryLater(f"{target.host}: no secure connection") from error


class _Wire:
    """What http.client needs of a socket, within a deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))

    def close(self) -> None:
        """Do nothing: http.client closes before the body is read; `_exchange` closes after."""


class _Reader(io.RawIOBase):
    """Reads a socket; a time-out for each read would let one byte every ten seconds go on."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)


def provider_get(web: Web, api: Api, options: Options, token: str, secret: str) -> Get:
    """Make the `get` of one source: its API address, credentials and way of refusing.

    Args:
        web: the client to read with.
        api: the connector's; `{name}` in its address and headers stands for the option `name`.
        options: the source's, laid over the connector's; `api_url` replaces the address.
        token: access token.
        secret: what the provider signs with; some want calls signed with it too.
    """
    base = _fill(str(options.get("api_url") or api.url), options).rstrip("/")
    own_headers, own_params = api.authorise(token, secret) if api.authorise else ({}, {})
    constant = {name: _fill(value, options) for name, value in api.headers.items()}
    ours = {"{token}": token, "{secret}": secret}

    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        pairs = {} if isinstance(params, str) else params or {}
        added = {name: ours.get(value, value) for name, value in pairs.items()} | dict(own_params)
        if path.startswith(("https:", "http:")):
            url = _next_page(base, path, added)
        else:
            encoded = params if isinstance(params, str) else ""
            asked = "&".join(filter(None, (encoded, urlencode(added))))
            _check_steps(path)
            url = f"{base}/{quote(path.lstrip('/'), safe='/:,()')}" + (f"?{asked}" if asked else "")
        given = {**constant, **(headers or {}), **own_headers}
        sent = {name: value for name, value in given.items() if value}
        if query is None:
            return web.read(url, sent, api.refusal, gives=api.gives)
        sent = {"Content-Type": "application/json", **sent}
        body = json.dumps(query, separators=(",", ":")).encode()
        return web.read(url, sent, api.refusal, body=body, gives=api.gives)

    return get


def _next_page(base: str, address: str, added: Mapping[str, str]) -> str:
    """Take the whole address of another page, if it is at the same host as the API's.

    What the provider says in it stays as it is written, but for parameters that we give ourselves.
    """
    ours, given = urlsplit(base), _split(address)
    if (given.scheme, given.netloc) != (ours.scheme, ours.netloc):
        raise Malformed("the address of a page to read from the provider leads to another host")
    _check_steps(given.path)
    pairs = [
        pair
        for pair in given.query.split("&")
        if pair and unquote_plus(pair.partition("=")[0]) not in added
    ]
    asked = "&".join([*pairs, *([urlencode(added)] if added else [])])
    return f"{given.scheme}://{given.netloc}{given.path}" + (f"?{asked}" if asked else "")


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        raise Malformed("the address of a page to read from the provider is none") from None


def _check_steps(path: str) -> None:
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise Malformed("a path to read from the provider leads elsewhere")


def retry_after_seconds(text: str, now: datetime) -> int | None:
    """Read a Retry-After header: seconds or a date, held between 0 and a day; else None."""
    try:
        seconds = int(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ceil((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    return min(max(seconds, 0), LONGEST_WAIT_SECONDS)


def _read_body(response: http.client.HTTPResponse, limit: int, must_be_whole: bool) -> bytes:
    """Read up to one byte beyond the limit; a POST is done once its status came."""
    body = bytearray()
    try:
        while len(body) <= limit and (part := response.read1(limit + 1 - len(body))):
            body += part
        whole = len(body) > limit or not response.length
    except (OSError, http.client.HTTPException):
        whole = False
    if must_be_whole and not whole:
        raise _BrokenOff
    return bytes(body)


def _read_json(got: _Received) -> tuple[Any, str]:
    """Give the value and an empty text, or None and what is wrong."""
    if len(got.body) > GET_LIMIT:
        return None, "the answer is longer than 2 MiB"
    if got.encoding not in ("", "identity"):
        return None, "the answer is compressed, which was not asked for"
    try:
        return read_json(decode(got.body), MOST_KEYS), ""
    except Malformed:
        return None, NOT_JSON


def _refusal_by_status(host: str, got: _Received) -> HubError | None:
    """Say what a status code means for whoever asked."""
    message = f"{host} answered {got.status}"
    if got.status in (408, 425, 429) or got.status >= 500:
        return TryLater(message, got.retry_after_seconds)
    if got.status in (404, 410):
        return Gone(message)
    if got.status == UNAUTHORISED:
        return Expired(message)
    if 300 <= got.status < 400:
        return Refused(f"{message}: redirects are not followed")
    if got.status >= 400:
        return Refused(message)
    return None


def _fill(text: str, options: Options) -> str:
    """Put options into `{name}` places."""
    for name, value in options.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _left(deadline: float) -> float:
    """Give the seconds that are left, never zero, for that would mean no waiting at all."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    """Make a context that trusts one file, whatever the environment names."""
    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_file or certifi.where())
    return context
