"""A stand-in on 127.0.0.1: plays the APIs of Meta, LinkedIn and others, and listens as Slack.

It checks credentials and headers as the provider would, lists what it has, renews tokens, and can
be told to misbehave.
"""

import json
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from chalicelib import registry
from chalicelib.cli.cases import FOLDER, case_names, load_case, sample_case
from chalicelib.cli.provider_lists import (
    NOTHING_FOUND,
    Shelf,
    list_of_linkedin,
    list_of_meta,
    list_of_surveymonkey,
    list_of_typeform,
)
from chalicelib.signing import hex_hmac_sha256

TOKEN = "stand-in-access-token"  # noqa: S105
SECRET = "stand-in-signing-secret"  # noqa: S105

TOKEN_PATH = "oauth/token"  # noqa: S105
LASTS_SECONDS = 3600
"""How long an access token lasts that was renewed here."""

MOST_TOLD = 200
"""How many messages of destinations are kept to look at."""

MOST_TOLD_BYTES = 256 * 1024

Fault = Literal[
    "expired",
    "forbidden",
    "busy",
    "rate_limited",
    "down",
    "hang",
    "reset",
    "truncated",
    "not_json",
    "wrong_type",
    "redirect",
    "deleted",
    "huge",
    "no_optional_fields",
    "no_answers",
]
"""How to misbehave; busy is a 429 with Retry-After, rate_limited is the provider's own way."""

HUGE_BYTES = 100 * 1024 * 1024
HANG_SECONDS = 60.0
RETRY_AFTER_SECONDS = 7
META_OPTIONAL = {"ad_id", "adset_id", "campaign_id", "campaign_name", "platform", "is_organic"}


@dataclass(frozen=True)
class Credentials:
    """What a caller must show; a renewal changes both tokens, and the old ones die."""

    token: str = TOKEN
    secret: str = SECRET
    refresh_token: str = ""


@dataclass(frozen=True)
class Called:
    """One call as the provider saw it.

    Attributes:
        connector: the first part of the path, as meta or linkedin.
        version: the version asked for, in the path or in a header.
        path: below the API's address.
        headers: lower-case name -> value.
    """

    connector: str
    version: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def id(self) -> str:
        """Give the id of what is asked for."""
        return self.path.rpartition("/")[2]

    @property
    def token(self) -> str:
        """Give the access token that was shown, if any."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class Said:
    """A status and a JSON body."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What a destination was told: a POST to /told/ and its id."""

    path: str
    headers: Mapping[str, str]
    body: str


class Provider:
    """Serves what cases say that a provider has, as a context manager in a thread of its own."""

    def __init__(
        self,
        fetched: Mapping[str, Mapping[str, Any]],
        credentials: Credentials | None = None,
        port: int = 0,
    ) -> None:
        """Listen on a port of 127.0.0.1; 0 takes a free one.

        Args:
            fetched: connector -> `path?query` -> JSON answer; see read_fetched.
            credentials: for all of them alike.
            port: the port.
        """
        self.credentials = credentials or Credentials()
        self.calls: list[Called] = []
        self.told: deque[Told] = deque(maxlen=MOST_TOLD)
        self.shelves: dict[str, Shelf] = {}
        self.renewals = 0
        self.refused_renewals = 0
        self._changed: dict[str, Credentials] = {}
        self._fetched = fetched
        self._renewing = threading.Lock()
        self._faults: dict[str, tuple[Fault, int]] = {}
        self._closing = threading.Event()
        provider = self

        class Handler(_Handler):
            def do_GET(self) -> None:
                provider._answer(self)

            def do_POST(self) -> None:
                provider._listen(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self) -> int:
        """Give the port that it listens on."""
        return self._server.server_port

    @property
    def host(self) -> str:
        """Give host:port, as the setting private_hosts wants it."""
        return f"127.0.0.1:{self.port}"

    def api_url(self, connector: str) -> str:
        """Give what a source's option `api_url` must be for its leads to be read here."""
        return f"http://{self.host}/{connector}/{{api_version}}"

    def token_url(self, connector: str) -> str:
        """Give where a source's token is renewed here."""
        return f"http://{self.host}/{connector}/-/{TOKEN_PATH}"

    def misbehave(self, lead_id: str, fault: Fault, times: int = 1_000_000) -> None:
        """Misbehave when a lead or form is read, the next so many times; then be well again."""
        self._faults[lead_id] = (fault, times)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def wait(self) -> None:
        """Serve until something else ends the process."""
        self._thread.join()

    def _answer(self, handler: "_Handler") -> None:
        """Play one answer, well or ill."""
        if handler.path == "/told/":
            handler.say(Said(200, [asdict(told) for told in self.told]))
            return
        called = _called(handler)
        self.calls.append(called)
        fault = self._due(called.id)
        if fault in _WIRE:
            _WIRE[fault](handler, self._closing)
            return
        answers = self._fetched.get(called.connector, {})
        shelf = self.shelves.get(called.connector, Shelf())
        play = _PLAYS.get(called.connector, _play_plainly)
        if not (answers or shelf.forms):
            handler.say(Said(404, {"message": "no such provider"}))
            return
        by_path = {key.partition("?")[0]: answer for key, answer in answers.items()}
        found = _LISTS.get(called.connector, _list_nothing)(shelf, called.path, called.query)
        found = found or by_path.get(called.path) or shelf.find(called.path)
        handler.say(play(called, found, self.known(called.connector), fault))

    def known(self, connector: str) -> Credentials:
        """Give what a caller of one API must show by now."""
        return self._changed.get(connector, self.credentials)

    def forget(self) -> None:
        """Forget what it has, what was asked of it, and how it was told to misbehave."""
        self.shelves, self._changed = {}, {}
        self.renewals = self.refused_renewals = 0
        self._faults.clear()
        self.calls.clear()

    def expire(self, connector: str) -> None:
        """Let the access token of one API die; its refresh token lives."""
        self._changed[connector] = replace(self.known(connector), token="")

    def _renew(self, handler: "_Handler", body: str) -> None:
        """Trade a refresh token for new tokens, as RFC 6749 says; each can be traded once."""
        given = dict(parse_qsl(body))
        connector = handler.path.removeprefix("/").partition("/")[0]
        with self._renewing:
            known = self.known(connector)
            is_ours = given.get("refresh_token") == known.refresh_token != ""
            if given.get("grant_type") != "refresh_token" or not is_ours:
                self.refused_renewals += 1
                handler.say(Said(400, {"error": "invalid_grant"}))
                return
            self.renewals += 1
            token, again = f"access-{self.renewals}", f"refresh-{self.renewals}"
            self._changed[connector] = replace(known, token=token, refresh_token=again)
        handler.say(
            Said(200, {"access_token": token, "refresh_token": again, "expires_in": LASTS_SECONDS})
        )

    def _listen(self, handler: "_Handler") -> None:
        """Take what a destination is told, and answer as Slack does; /told/ shows it."""
        size = min(int(handler.headers.get("Content-Length") or 0), MOST_TOLD_BYTES)
        body = handler.rfile.read(size).decode("utf-8", "replace")
        if handler.path.endswith(f"/{TOKEN_PATH}"):
            self._renew(handler, body)
            return
        if handler.path.endswith("/search"):
            handler.say(Said(200, NOTHING_FOUND))
            return
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.told.append(Told(handler.path, headers, body))
        handler.say_text("ok")

    def _due(self, lead_id: str) -> Fault | None:
        """Give the fault that is due, and count it."""
        fault, times = self._faults.get(lead_id, (None, 0))
        if fault is None or times <= 0:
            return None
        self._faults[lead_id] = (fault, times - 1)
        return fault


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, said: Said) -> None:
        """Answer with JSON."""
        body = json.dumps(said.body).encode()
        self.send_response(said.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def say_text(self, text: str) -> None:
        """Answer with plain text."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: addresses may hold credentials."""


def read_fetched(cases: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Gather what providers have, by cases and samples: connector -> `path?query` -> answer."""
    gathered: dict[str, dict[str, Any]] = {}
    for connector in registry.names():
        told = [load_case(connector, name, cases) for name in case_names(connector, cases)]
        for case in (*told, sample_case(connector)):
            if case.fetched:
                gathered.setdefault(connector, {}).update(case.fetched)
    return gathered


def serve(port: int, cases: Path = FOLDER, credentials: Credentials | None = None) -> None:
    """Play the providers on a port of 127.0.0.1 until the process is ended."""
    with Provider(read_fetched(cases), credentials, port) as provider:
        provider.wait()


def _called(handler: BaseHTTPRequestHandler) -> Called:
    """Take a call apart: /connector/version/path?query."""
    parts = urlsplit(handler.path)
    connector, _, rest = parts.path.removeprefix("/").partition("/")
    version, _, path = rest.partition("/")
    headers = {name.lower(): value for name, value in handler.headers.items()}
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Called(connector, version, unquote(path), query, headers)


def _play_meta(called: Called, lead: Any, known: Credentials, fault: Fault | None) -> Said:
    """Answer as the Graph API does: errors are 400 with a code of its own."""
    token = called.token or called.query.get("access_token", "")
    proof = hex_hmac_sha256(known.secret, token)
    fields = {"id", *called.query.get("fields", "created_time,field_data").split(",")}
    wants_optional = not META_OPTIONAL.isdisjoint(fields)
    refusals = (
        (token != known.token or fault == "expired", _graph_error(190, 463, "Session expired")),
        (called.query.get("appsecret_proof") != proof, _graph_error(100, 0, "Invalid proof")),
        (fault == "forbidden", _graph_error(10, 0, "Application does not have permission")),
        (fault == "rate_limited", _graph_error(80005, 0, "Too many leadgen calls to this Page")),
        (lead is None or fault == "deleted", _graph_error(100, 33, "Object does not exist")),
        (
            fault == "no_optional_fields" and wants_optional,
            _graph_error(100, 0, "Tried accessing nonexisting field (campaign_name)"),
        ),
    )
    hidden = "field_data" if fault == "no_answers" else ""
    is_list = isinstance(lead, Mapping) and "data" in lead
    given = {
        name: lead[name] for name in lead or () if is_list or (name in fields and name != hidden)
    }
    return next((said for holds, said in refusals if holds), Said(200, given))


def _graph_error(code: int, subcode: int, message: str) -> Said:
    error = {"message": message, "type": "OAuthException", "code": code}
    return Said(400, {"error": {**error, "error_subcode": subcode} if subcode else error})


def _play_linkedin(called: Called, lead: Any, known: Credentials, fault: Fault | None) -> Said:
    """Answer as LinkedIn's REST API does: errors by status, and no call without a version."""
    version = called.headers.get("linkedin-version", "")
    protocol = called.headers.get("x-restli-protocol-version", "")
    refusals = (
        (called.token != known.token or fault == "expired", _linkedin_error(401, "EXPIRED_TOKEN")),
        (not version.isdigit() or len(version) != 6, _linkedin_error(426, "NONEXISTENT_VERSION")),
        (protocol != "2.0.0", _linkedin_error(400, "ILLEGAL_ARGUMENT")),
        (fault == "forbidden", _linkedin_error(403, "ACCESS_DENIED")),
        (fault == "rate_limited", _linkedin_error(429, "TOO_MANY_REQUESTS")),
        (lead is None or fault == "deleted", _linkedin_error(404, "RESOURCE_NOT_FOUND")),
    )
    hidden = "formResponse" if fault == "no_answers" else ""
    given = {name: lead[name] for name in lead or () if name != hidden}
    return next((said for holds, said in refusals if holds), Said(200, given))


def _linkedin_error(status: int, code: str) -> Said:
    return Said(status, {"status": status, "code": code, "message": "see code"})


def _play_typeform(called: Called, found: Any, known: Credentials, fault: Fault | None) -> Said:
    """Answer as Typeform's API does: errors by status, with a code in words."""
    refusals = (
        (called.token != known.token or fault == "expired", (401, "AUTHENTICATION_FAILED")),
        (fault == "forbidden", (403, "FORBIDDEN")),
        (fault == "rate_limited", (429, "TOO_MANY_REQUESTS")),
        (found is None or fault == "deleted", (404, "FORM_NOT_FOUND")),
    )
    refused = next((why for holds, why in refusals if holds), None)
    return Said(refused[0], {"code": refused[1]}) if refused else Said(200, found)


def _play_plainly(called: Called, found: Any, known: Credentials, fault: Fault | None) -> Said:
    """Answer as most APIs do: errors by status; the token may be in any header or parameter."""
    shown = (called.token, *called.headers.values(), *called.query.values())
    refusals = (
        (known.token not in shown or fault == "expired", 401),
        (fault == "forbidden", 403),
        (fault == "rate_limited", 429),
        (found is None or fault == "deleted", 404),
    )
    refused = next((status for holds, status in refusals if holds), 0)
    return Said(refused, {"message": "see status"}) if refused else Said(200, found)


_PLAYS: dict[str, Callable[[Called, Any, Credentials, Fault | None], Said]] = {
    "meta": _play_meta,
    "linkedin": _play_linkedin,
    "typeform": _play_typeform,
}


def _list_nothing(shelf: Shelf, path: str, query: Mapping[str, str]) -> Any:
    return None


_LISTS: dict[str, Callable[[Shelf, str, Mapping[str, str]], Any]] = {
    "linkedin": list_of_linkedin,
    "meta": list_of_meta,
    "surveymonkey": list_of_surveymonkey,
    "typeform": list_of_typeform,
}


def _hang(handler: _Handler, closing: threading.Event) -> None:
    closing.wait(HANG_SECONDS)
    handler.close_connection = True


def _reset(handler: _Handler, closing: threading.Event) -> None:
    """Close with a RST instead of an orderly end."""
    handler.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def _say_raw(handler: _Handler, body: bytes, length: int) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(body)
    handler.close_connection = True


def _be_huge(handler: _Handler, closing: threading.Event) -> None:
    """Send more than anyone wants, until the other side has had enough."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(HUGE_BYTES))
    handler.end_headers()
    handler.close_connection = True
    for _ in range(HUGE_BYTES // 65536):
        try:
            handler.wfile.write(b" " * 65536)
        except OSError:
            return


_WIRE: dict[Fault | None, Callable[[_Handler, threading.Event], None]] = {
    "hang": _hang,
    "reset": _reset,
    "huge": _be_huge,
    "busy": lambda handler, closing: handler.say(
        Said(429, {"message": "slow down"}, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    ),
    "down": lambda handler, closing: handler.say(Said(503, {"message": "back soon"})),
    "redirect": lambda handler, closing: handler.say(
        Said(302, {}, {"Location": f"http://{handler.headers['Host']}/elsewhere"})
    ),
    "truncated": lambda handler, closing: _say_raw(handler, b'{"id": "1", ', 4096),
    "not_json": lambda handler, closing: _say_raw(handler, b"<html>Sorry</html>", 18),
    "wrong_type": lambda handler, closing: handler.say(Said(200, ["not", "an", "object"])),
}
