"""A webhook request as it came: made from an API Gateway event, read, kept; and what we answer."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from chalicelib import body as reading
from chalicelib.compact import grow, shrink
from chalicelib.errors import Malformed

SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "api-key",
        "apikey",
        "x-api-key",
        "x-auth-token",
        "x-access-token",
        "x-csrf-token",
    }
)
"""Headers that carry secrets whoever sends them."""

NOISE_PREFIXES = ("x-amzn-", "x-amz-", "x-forwarded-", "cloudfront-", "cf-", "x-real-ip", "via")
"""Headers that proxies add; they say nothing of the submission and hold people's addresses."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, bytes exact.

    Attributes:
        method: upper case.
        path: below the stage, as `/hooks/website`, without the secret part.
        query: all values of each query parameter, in order.
        headers: lower-case name -> all its values, in order.
        body: as the provider sent it.
        received_at: when the hub took it; aware, UTC.
        path_token: the secret part of the address, where the source has one; never kept.
        source_id: whom the address names; as sent, so it may name nobody.
        url: the whole address that was called, for providers that sign it; never kept.
        public_key: what the door found at the address that the signature's key_url names.
    """

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, tuple[str, ...]]
    body: bytes
    received_at: datetime
    path_token: str = field(default="", repr=False)
    source_id: str = ""
    url: str = field(default="", repr=False, compare=False)
    public_key: str = field(default="", repr=False, compare=False)

    def header(self, name: str) -> str:
        """Give a header's one value; empty if it is absent or said with different values."""
        values = set(self.headers.get(name.lower(), ()))
        return values.pop().strip() if len(values) == 1 else ""

    def parameter(self, name: str) -> str:
        """Give a query parameter's one value; empty if it is absent or said more than once."""
        values = self.query.get(name, ())
        return values[0] if len(values) == 1 else ""

    def content_type(self) -> tuple[str, Mapping[str, str]]:
        """Give the media type in lower case and its parameters, such as charset and boundary."""
        media_type, *rest = self.header("content-type").split(";")
        pairs = (part.partition("=") for part in rest)
        return media_type.strip().lower(), {
            name.strip().lower(): value.strip().strip('"') for name, _, value in pairs
        }

    def text(self) -> str:
        """Give the body as text, opened and decoded.

        Raises:
            Malformed: a Content-Encoding other than gzip, or one that opens to too much.
        """
        declared = self.content_type()[1].get("charset", "")
        return reading.decode(self._opened(), declared)

    def json(self, most_keys: int = reading.MAX_KEYS) -> Any:
        """Read the body as one JSON value, whatever its content type says.

        Args:
            most_keys: keys in all that are taken, for providers that send many leads at once.

        Returns:
            See body.read_json: no floats, no control characters, bounded in every way.

        Raises:
            Malformed: not JSON or beyond a limit; says where.
        """
        return reading.read_json(self.text(), most_keys)

    def form(self) -> Mapping[str, tuple[str, ...]]:
        """Read the body as a browser sent it: urlencoded, multipart, JSON object or plain text.

        Returns:
            Every field's texts in order; a file is its name; see body.flatten for JSON.

        Raises:
            Malformed: none of these, or beyond a limit.
        """
        media_type, parameters = self.content_type()
        declared = parameters.get("charset", "")
        if media_type == "multipart/form-data":
            boundary = parameters.get("boundary", "")
            return reading.read_multipart(self._opened(), boundary, declared)
        text = self.text()
        # fetch() sends text/plain unless the page sets a type, so the text decides.
        if text.lstrip().startswith("{") and media_type != "application/x-www-form-urlencoded":
            return reading.flatten(reading.read_json(text))
        if media_type == "text/plain":
            return reading.read_lines(text)
        if media_type in {"application/x-www-form-urlencoded", ""}:
            return reading.read_urlencoded(self._opened(), declared)
        raise Malformed("Content-Type: expected a form or a JSON object")

    def _opened(self) -> bytes:
        """Undo the Content-Encoding; several are refused."""
        return reading.open_body(self.body, ",".join(self.headers.get("content-encoding", ())))


@dataclass(frozen=True)
class Reply:
    """What the door answers."""

    status: int
    body: str = "{}"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def request_from_event(
    event: Mapping[str, Any], received_at: datetime, public_url: str = ""
) -> Request:
    """Make a request of an API Gateway proxy event, its body byte for byte.

    Args:
        event: REST API, payload version 1; path parameters `source_id` and maybe `token`.
        received_at: aware, UTC.
        public_url: address of the API as providers are given it, no slash at the end.

    Raises:
        Malformed: the body is said to be base64 and is not.
    """
    parameters = event.get("pathParameters") or {}
    source_id = parameters.get("source_id") or ""
    headers = _many(event, "multiValueHeaders", "headers")
    gathered: dict[str, tuple[str, ...]] = {}
    for name, values in headers.items():
        gathered[name.lower()] = gathered.get(name.lower(), ()) + values
    return Request(
        method=str(event.get("httpMethod", "")).upper(),
        path=f"/hooks/{source_id}" if source_id else str(event.get("path", "")),
        query=_many(event, "multiValueQueryStringParameters", "queryStringParameters"),
        headers=gathered,
        body=_body(event),
        received_at=received_at,
        path_token=parameters.get("token") or "",
        source_id=source_id,
        url=_url(event, gathered, public_url),
    )


def reply_to_event(reply: Reply) -> dict[str, Any]:
    """Write a reply as the response of a Lambda proxy; browsers may neither guess nor cache it."""
    return {
        "statusCode": reply.status,
        "headers": {
            "Content-Type": reply.content_type,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            **reply.headers,
        },
        "body": reply.body,
        "isBase64Encoded": False,
    }


def kept(request: Request, secret_headers: tuple[str, ...] = ()) -> Request:
    """Give a request as it may be kept: without secrets and without what proxies added.

    Args:
        request: with any secret in its body already taken out, see Signature.redact.
        secret_headers: lower case; those of the source's signature.
    """
    headers = {
        name: values
        for name, values in request.headers.items()
        if name not in SECRET_HEADERS
        and name not in secret_headers
        and not name.startswith(NOISE_PREFIXES)
    }
    return replace(request, headers=headers, path_token="", url="", public_key="")


def pack(request: Request) -> bytes:
    """Write a kept request as compressed bytes; the path token is left out."""
    envelope: dict[str, Any] = {
        "method": request.method,
        "path": request.path,
        "source_id": request.source_id,
        "query": request.query,
        "headers": request.headers,
        "received_at": request.received_at.isoformat(),
    }
    try:
        envelope["text"] = request.body.decode("utf-8")
    except UnicodeDecodeError:
        envelope["base64"] = base64.b64encode(request.body).decode("ascii")
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    return shrink(text.encode("utf-8", "surrogatepass"))


def unpack(data: bytes) -> Request:
    """Read what pack wrote; the same request, byte for byte.

    Raises:
        Malformed: these bytes are not from pack.
    """
    try:
        envelope = json.loads(grow(data).decode("utf-8", "surrogatepass"))
        is_text = "text" in envelope
        return Request(
            method=envelope["method"],
            path=envelope["path"],
            source_id=envelope["source_id"],
            query={name: tuple(values) for name, values in envelope["query"].items()},
            headers={name: tuple(values) for name, values in envelope["headers"].items()},
            body=envelope["text"].encode("utf-8") if is_text else _base64(envelope["base64"]),
            received_at=datetime.fromisoformat(envelope["received_at"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Malformed("a kept request: expected what the hub packed") from error


def _url(event: Mapping[str, Any], headers: Mapping[str, tuple[str, ...]], public_url: str) -> str:
    """Write the address that was called: with the stage, or as a domain of our own shows it.

    API Gateway gives the query decoded, so this is how most clients would have encoded it. What
    stands before /hooks/ is as we give it out where the call went to that host, for the local
    cloud tells neither its scheme nor all of its path.
    """
    context = event.get("requestContext") or {}
    host = next(iter(headers.get("host", ())), "") or str(context.get("domainName", ""))
    scheme = next(iter(headers.get("x-forwarded-proto", ())), "https")
    path = str(context.get("path") or event.get("path") or "")
    start = f"{scheme}://{host}"
    if host == urlsplit(public_url).netloc and "/hooks/" in path:
        start, path = public_url, path[path.index("/hooks/") :]
    query = _many(event, "multiValueQueryStringParameters", "queryStringParameters")
    asked = urlencode([(name, value) for name, values in query.items() for value in values])
    return f"{start}{path}" + (f"?{asked}" if asked else "")


def _many(event: Mapping[str, Any], many: str, one: str) -> dict[str, tuple[str, ...]]:
    """Read a mapping that comes with all values under one name, with the last under another."""
    if event.get(many):
        return {name: tuple(values) for name, values in event[many].items()}
    return {name: (value,) for name, value in (event.get(one) or {}).items()}


def _body(event: Mapping[str, Any]) -> bytes:
    """Give the exact bytes of a body that came as text or base64."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        return _base64(body)
    return str(body).encode("utf-8", "surrogatepass")


def _base64(text: str) -> bytes:
    """Read base64, strictly."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Malformed("body: expected base64") from error
