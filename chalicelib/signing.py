"""The ways a provider proves that a request is its own."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import unquote_plus, urlencode

from chalicelib.body import cut_member
from chalicelib.errors import Malformed, Misconfigured, Unverified
from chalicelib.request import Request

MAX_CANDIDATES = 5
"""How many signatures of one request are looked at; rotating providers send two or three."""


class Signature(Protocol):
    """One way to prove a request."""

    @property
    def secret_headers(self) -> tuple[str, ...]:
        """Lower-case names of headers that carry the secret itself, so must not be kept."""

    @property
    def proof(self) -> str:
        """What proves a request, in a few words for people."""

    def sign(self, request: Request, secret: str) -> Request:
        """Do what the provider does, at `received_at`; for tests and for `hub send`."""

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Check a request against each live secret.

        Returns:
            The request as it may be kept, see redact.

        Raises:
            Unverified: absent or wrong; the reason holds neither secret nor payload.
            Misconfigured: no usable secret is set.
        """

    def redact(self, request: Request) -> Request:
        """Take out of a request what may be a secret, whether or not it was verified."""


@dataclass(frozen=True)
class Hmac:
    """A keyed digest in a header.

    Attributes:
        header: where the digest is.
        shape: how the header looks: `sha256={digest}`, or pieces `t={timestamp},v1={digest}`.
        separator: what stands between pieces, or between the signatures of a list.
        also: other shapes that are taken for the same header; never made by sign.
        signed: what the digest is of, from `{body}`, `{timestamp}` and `{id}`.
        algorithm: the hash below the HMAC.
        encoding: how the digest is written.
        timestamp_header: where the timestamp is when the shape does not hold it.
        timestamp_unit: seconds or milliseconds since 1970.
        tolerance_seconds: how far the timestamp may be from now, either way.
        id_header: where `{id}` is.
        key_encoding: how the secret becomes the key; base64 after `key_prefix`.
        key_prefix: what a base64 secret starts with.
        of: gives what stands for `{body}` when that is not the body as it came; raises Malformed
            or Unverified.
        is_plain: the digest is a bare hash of the secret followed by the text, not an HMAC.
    """

    header: str
    shape: str = "{digest}"
    separator: str = ""
    also: tuple[str, ...] = ()
    signed: str = "{body}"
    algorithm: Literal["sha256", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    timestamp_header: str = ""
    timestamp_unit: Literal["s", "ms"] = "s"
    tolerance_seconds: int = 300
    id_header: str = ""
    key_encoding: Literal["utf-8", "base64"] = "utf-8"
    key_prefix: str = ""
    of: Callable[[Request], bytes] | None = None
    is_plain: bool = False
    secret_headers: tuple[str, ...] = ()

    @property
    def proof(self) -> str:
        """Say in a few words what proves a request."""
        if self is STANDARD_WEBHOOKS:
            return "Standard Webhooks"
        digest = self.algorithm.upper().replace("SHA", "SHA-")
        dated = " with a time" if "{timestamp}" in self.signed else ""
        return f"{digest} of secret and body" if self.is_plain else f"HMAC {digest}{dated}"

    def sign(self, request: Request, secret: str) -> Request:
        """Add the headers that the provider would send at `received_at`."""
        seconds = request.received_at.timestamp()
        timestamp = str(int(seconds * 1000) if self.timestamp_unit == "ms" else int(seconds))
        headers = dict(request.headers)
        if self.timestamp_header:
            headers[self.timestamp_header.lower()] = (timestamp,)
        message_id = ""
        if self.id_header:
            derived = "msg_" + hashlib.sha256(request.body).hexdigest()[:24]
            message_id = request.header(self.id_header) or derived
            headers[self.id_header.lower()] = (message_id,)
        digest = self._digest(self._key(secret), self._body(request), timestamp, message_id)
        value = self.shape.format(digest=digest, timestamp=timestamp)
        headers[self.header.lower()] = (value,)
        return replace(request, headers=headers)

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Check the digest and, where one is signed, the age; see Signature."""
        value = _one_header(request, self.header)
        digests = self._pieces(value, "digest")[:MAX_CANDIDATES]
        if not digests:
            raise Unverified(f"header {self.header} does not have the expected shape")
        timestamp = self._timestamp(request, value, now) if "{timestamp}" in self.signed else ""
        message_id = self._id(request) if "{id}" in self.signed else ""
        try:
            body = self._body(request)
        except Malformed as error:
            raise Unverified(f"what header {self.header} signs cannot be read: {error}") from error

        def matches(secret: str) -> bool:
            expected = self._digest(self._key(secret), body, timestamp, message_id)
            return _is_any(expected, digests)

        if not _holds_for_any(secrets, matches):
            raise Unverified(f"header {self.header} does not fit the body")
        return request

    def redact(self, request: Request) -> Request:
        """Leave the request as it is: a digest gives nothing away."""
        return request

    def _pieces(self, value: str, name: str) -> list[str]:
        """Give what stands in a header where the shape has `{name}`, as often as it does."""
        parts = value.split(self.separator) if self.separator else [value]
        found = []
        for shape in (self.shape, *self.also):
            for piece in shape.split(self.separator) if self.separator else [shape]:
                prefix, mark, _ = piece.partition(f"{{{name}}}")
                if mark:
                    parts_here = (part.strip() for part in parts)
                    found += [p[len(prefix) :] for p in parts_here if p.startswith(prefix)]
        return [piece for piece in found if piece]

    def _timestamp(self, request: Request, value: str, now: datetime) -> str:
        """Give the timestamp as it was written, if it is near now."""
        if self.timestamp_header:
            text = _one_header(request, self.timestamp_header)
        else:
            text = next(iter(self._pieces(value, "timestamp")), "")
        if not re.fullmatch(r"[0-9]{1,14}", text):
            raise Unverified("the signed timestamp is missing or no number")
        seconds = int(text) // (1000 if self.timestamp_unit == "ms" else 1)
        if abs(int(now.timestamp()) - seconds) > self.tolerance_seconds:
            raise Unverified(f"the signed timestamp is over {self.tolerance_seconds} s from now")
        return text

    def _id(self, request: Request) -> str:
        """Give the message id; one with a dot could shift what is signed, so it is refused."""
        text = _one_header(request, self.id_header)
        if "." in text or len(text) > 256:
            raise Unverified(f"header {self.id_header} does not have the expected shape")
        return text

    def _body(self, request: Request) -> bytes:
        """Give what stands for `{body}`."""
        return self.of(request) if self.of else request.body

    def _digest(self, key: bytes, body: bytes, timestamp: str, message_id: str) -> str:
        """Make the digest as it is written in the header."""
        values = {"{body}": body, "{timestamp}": _bytes(timestamp), "{id}": _bytes(message_id)}
        parts = re.split(r"(\{body\}|\{timestamp\}|\{id\})", self.signed)
        message = b"".join(values.get(part, _bytes(part)) for part in parts)
        if self.is_plain:
            digest = hashlib.new(self.algorithm, key + message).digest()
        else:
            digest = hmac.digest(key, message, self.algorithm)
        return digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()

    def _key(self, secret: str) -> bytes:
        """Make the key of a secret."""
        if self.key_encoding == "utf-8":
            return secret.encode()
        text = secret.removeprefix(self.key_prefix).rstrip("=")
        try:
            key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except ValueError as error:
            raise Misconfigured("a signing secret is not base64") from error
        if not key:
            raise Misconfigured("a signing secret is empty")
        return key


STANDARD_WEBHOOKS = Hmac(
    header="webhook-signature",
    shape="v1,{digest}",
    separator=" ",
    signed="{id}.{timestamp}.{body}",
    encoding="base64",
    timestamp_header="webhook-timestamp",
    id_header="webhook-id",
    key_encoding="base64",
    key_prefix="whsec_",
)
"""Standard Webhooks, symmetric (github.com/standard-webhooks/standard-webhooks, August 2026)."""


@dataclass(frozen=True)
class HeaderToken:
    """The secret itself in a header.

    Attributes:
        prefix: what stands before the secret, as `Bearer `.
    """

    header: str
    prefix: str = ""

    @property
    def proof(self) -> str:
        """Say in a few words what proves a request."""
        return f"token in {self.header}"

    @property
    def secret_headers(self) -> tuple[str, ...]:
        """Name the header, lower case."""
        return (self.header.lower(),)

    def sign(self, request: Request, secret: str) -> Request:
        """Add the header."""
        return replace(
            request, headers={**request.headers, self.header.lower(): (self.prefix + secret,)}
        )

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Compare the header; see Signature."""
        given = _one_header(request, self.header).removeprefix(self.prefix)
        if not _holds_for_any(secrets, lambda secret: _is_any(secret, [given])):
            raise Unverified(f"header {self.header} is not the source's token")
        return self.redact(request)

    def redact(self, request: Request) -> Request:
        """Drop the header."""
        name = self.header.lower()
        return replace(request, headers={n: v for n, v in request.headers.items() if n != name})


@dataclass(frozen=True)
class PathToken:
    """The secret as the last part of the address."""

    secret_headers: tuple[str, ...] = ()
    proof: str = "secret in the address"

    def sign(self, request: Request, secret: str) -> Request:
        """Post to the address with the secret."""
        return replace(request, path_token=secret)

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Compare the last part of the address; see Signature."""
        if not request.path_token:
            raise Unverified("the address has no token")
        if not _holds_for_any(secrets, lambda secret: _is_any(secret, [request.path_token])):
            raise Unverified("the address does not end in the source's token")
        return self.redact(request)

    def redact(self, request: Request) -> Request:
        """Forget the last part of the address."""
        return replace(request, path_token="")


@dataclass(frozen=True)
class BodyKey:
    """The secret as a member of the JSON object in the body, or as a field of an urlencoded one."""

    name: str
    secret_headers: tuple[str, ...] = ()
    proof: str = "key in the body"

    def sign(self, request: Request, secret: str) -> Request:
        """Put the key in front of the object's other members, or behind the form's other fields."""
        if _is_urlencoded(request):
            field = urlencode({self.name: secret}).encode()
            return replace(request, body=b"&".join(filter(None, (self._left(request), field))))
        rest = self._cut(request).lstrip()
        if not rest.startswith("{"):
            return request
        member = f"{json.dumps(self.name)}:{json.dumps(secret, ensure_ascii=False)}"
        comma = "" if rest[1:].lstrip().startswith("}") else ","
        return self._with_text(request, "{" + member + comma + rest[1:])

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Compare the key and cut it out; see Signature."""
        try:
            given = self._given(request)
        except Malformed as error:
            raise Unverified(f"no {self.name} can be read: {error}") from error
        if not isinstance(given, str) or not given:
            raise Unverified(f"{self.name} is missing")
        if not _holds_for_any(secrets, lambda secret: _is_any(secret, [given])):
            raise Unverified(f"{self.name} is not the source's key")
        return self.redact(request)

    def redact(self, request: Request) -> Request:
        """Cut the key out and leave all other bytes; keep no body in which it cannot be found."""
        try:
            if _is_urlencoded(request):
                return replace(request, body=self._left(request))
            return self._with_text(request, self._cut(request))
        except Malformed:
            return replace(request, body=b"")

    def _given(self, request: Request) -> object:
        """Give what is said under the name; a form may say it once only."""
        if _is_urlencoded(request):
            values = request.form().get(self.name, ())
            return values[0] if len(values) == 1 else None
        payload = request.json()
        return payload.get(self.name) if isinstance(payload, dict) else None

    def _left(self, request: Request) -> bytes:
        """Give an urlencoded body without the key, however its name is escaped."""
        request.form()
        fields = request.body.split(b"&")
        names = [unquote_plus(field.partition(b"=")[0].decode("latin-1")) for field in fields]
        return b"&".join(f for f, name in zip(fields, names, strict=True) if name != self.name)

    def _cut(self, request: Request) -> str:
        """Give the body's text without the key."""
        request.json()
        return cut_member(request.text(), self.name)

    def _with_text(self, request: Request, text: str) -> Request:
        """Set the body; a header that said how the old one was packed or encoded goes."""
        body = text.encode("utf-8", "surrogatepass")
        if request.text().encode("utf-8", "surrogatepass") == request.body:
            return replace(request, body=body)
        headers = {n: v for n, v in request.headers.items() if n != "content-encoding"}
        headers["content-type"] = ("application/json; charset=utf-8",)
        return replace(request, body=body, headers=headers)


@dataclass(frozen=True)
class BasicAuth:
    """A user and a password, `user:password` in the secret, as HTTP Basic."""

    secret_headers: tuple[str, ...] = ("authorization",)
    proof: str = "user and password"

    def sign(self, request: Request, secret: str) -> Request:
        """Add the header."""
        value = f"Basic {base64.b64encode(_bytes(secret)).decode()}"
        return replace(request, headers={**request.headers, "authorization": (value,)})

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Compare user and password together; see Signature."""
        scheme, _, given = _one_header(request, "Authorization").partition(" ")
        if scheme.lower() != "basic":
            raise Unverified("header Authorization is not of the kind Basic")

        def matches(secret: str) -> bool:
            return _is_any(base64.b64encode(_bytes(secret)).decode(), [given.strip()])

        if not _holds_for_any(secrets, matches):
            raise Unverified("header Authorization does not hold the source's user and password")
        return self.redact(request)

    def redact(self, request: Request) -> Request:
        """Drop the header."""
        headers = {n: v for n, v in request.headers.items() if n != "authorization"}
        return replace(request, headers=headers)


@dataclass(frozen=True)
class Closed:
    """No proof will do: nothing is posted to such a source, it gets its requests otherwise."""

    secret_headers: tuple[str, ...] = ()
    proof: str = "none: the door is closed"

    def sign(self, request: Request, secret: str) -> Request:
        """Leave the request as it is."""
        return request

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Refuse it; see Signature."""
        raise Unverified("nothing is posted to this source")

    def redact(self, request: Request) -> Request:
        """Leave the request as it is."""
        return request


CLOSED = Closed()

UNSIGNED: Mapping[str, Signature] = {
    "address": PathToken(),
    "header": HeaderToken("X-Lead-Token"),
    "basic": BasicAuth(),
    "bearer": HeaderToken("Authorization", prefix="Bearer "),
}
"""Schemes to choose from where the provider signs nothing; the first is for all of them."""


def hex_hmac_sha256(key: str, text: str) -> str:
    """Make the HMAC-SHA256 of a text in lower-case hex, as handshakes want it."""
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def _is_urlencoded(request: Request) -> bool:
    """Say whether a body says that it is an urlencoded form, in bytes that are one as they are."""
    is_form = request.content_type()[0] == "application/x-www-form-urlencoded"
    return is_form and not request.header("content-encoding")


def _one_header(request: Request, name: str) -> str:
    """Give a header that must be there, and must not be said in two ways."""
    values = {value.strip() for value in request.headers.get(name.lower(), ())}
    if len(values) > 1:
        raise Unverified(f"header {name} is said twice")
    if not any(values):
        raise Unverified(f"header {name} is missing")
    return values.pop()


def _holds_for_any(secrets: tuple[str, ...], matches: Callable[[str], bool]) -> bool:
    """Try every live secret; one that is no key is only an error when no other one fits.

    Raises:
        Misconfigured: there is no secret but empty ones, or one is no key.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise Misconfigured("the source has no secret")
    outcomes = list(_outcomes(usable, matches))
    if True in outcomes:
        return True
    broken = [outcome for outcome in outcomes if isinstance(outcome, Misconfigured)]
    if broken:
        raise broken[0]
    return False


def _outcomes(secrets: list[str], matches: Callable[[str], bool]) -> Iterator[bool | Misconfigured]:
    """Say of each secret whether it fits, or why it is no key."""
    for secret in secrets:
        try:
            yield matches(secret)
        except Misconfigured as error:
            yield error


def _is_any(expected: str, given: list[str]) -> bool:
    """Compare in constant time, without stopping at the first that fits."""
    return True in [hmac.compare_digest(_bytes(expected), _bytes(text)) for text in given]


def _bytes(text: str) -> bytes:
    """Encode any text, also one that holds lone surrogates."""
    return text.encode("utf-8", "surrogatepass")
