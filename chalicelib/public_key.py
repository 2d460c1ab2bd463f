"""Proofs with a key pair: the provider signs with its own, and publishes the public half.

The door reads the public half at the address that `key_url` gives and hands it over in
`Request.public_key`; it never comes from the request itself.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from chalicelib.errors import Malformed, Misconfigured, Unverified
from chalicelib.request import Request

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SNS_HOST = r"https://sns\.[a-z0-9-]{4,30}\.amazonaws\.com(\.cn)?"
CERTIFICATE_URL = re.compile(SNS_HOST + r"/SimpleNotificationService-[0-9a-zA-Z]{1,80}\.pem")
CONFIRMATION_URL = re.compile(SNS_HOST + r"/\?Action=ConfirmSubscription&[!-~]{1,2000}")
GOOGLE_KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs"
GOOGLE_ISSUERS = ("accounts.google.com", "https://accounts.google.com")

NOTIFIED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
"""Members that Amazon SNS signs, by the kind of message; an absent one is passed over."""

LATE = timedelta(hours=1)
"""How old a message may be: SNS tries again for that long, and its time is signed."""


@runtime_checkable
class PublicKeySignature(Protocol):
    """A way to prove a request for which the door must read a public key first."""

    def key_url(self, request: Request, secrets: tuple[str, ...]) -> str:
        """Give the address of the public key that a request says it was signed with.

        What needs no key is checked here, so that strangers cannot have addresses asked for.

        Raises:
            Unverified: it is not an address of the provider's, or the request is not for us.
        """


@dataclass(frozen=True)
class Sns:
    """A message of Amazon SNS, signed by AWS; the secret is the one topic's ARN that may send.

    Any AWS account may have messages of its own topics signed, so it is the ARN that tells ours.
    Layout of what is signed: AWS, Verifying the signatures of Amazon SNS messages, October 2026.
    """

    secret_headers: tuple[str, ...] = ("x-amz-sns-topic-arn", "x-amz-sns-subscription-arn")
    proof: str = "signature of Amazon SNS"

    def key_url(self, request: Request, secrets: tuple[str, ...]) -> str:
        """Give the certificate's address; see PublicKeySignature."""
        members = _members(request)
        if members.get("TopicArn", "") not in tuple(filter(None, secrets)):
            raise Unverified("TopicArn is not the source's topic")
        url = members.get("SigningCertURL", "")
        if not CERTIFICATE_URL.fullmatch(url):
            raise Unverified("SigningCertURL is not an address of Amazon SNS")
        return url

    def confirmation_url(self, message: Mapping[str, Any]) -> str:
        """Give the address that confirms a subscription, of a message that asks for it.

        Raises:
            Unverified: it is not an address of Amazon SNS.
        """
        url = message.get("SubscribeURL")
        if not isinstance(url, str) or not CONFIRMATION_URL.fullmatch(url):
            raise Unverified("SubscribeURL is not an address of Amazon SNS")
        return url

    def sign(self, request: Request, secret: str) -> Request:
        """Play Amazon SNS with a key made up for this process, found in `public_key`."""
        members = _members(request)
        if not members:
            return request
        members |= {
            "TopicArn": secret,
            "Timestamp": f"{request.received_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
            "SignatureVersion": "2",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        }
        key, certificate = _made_up()
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signature = key.sign(_signed_text(members), PKCS1v15(), SHA256())
        members["Signature"] = base64.b64encode(signature).decode()
        body = json.dumps(members, ensure_ascii=False).encode()
        return replace(request, body=body, public_key=certificate)

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Check topic, age and signature; see Signature."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256
        from cryptography.x509 import load_pem_x509_certificate

        topics = tuple(filter(None, secrets))
        if not topics:
            raise Misconfigured("the source has no secret: expected the ARN of its topic")
        members = _members(request)
        self.key_url(request, topics)
        _check_age(members.get("Timestamp", ""), now)
        digests: Mapping[str, Any] = {"1": SHA1, "2": SHA256}
        digest = digests.get(members.get("SignatureVersion", ""))
        if digest is None:
            raise Unverified("SignatureVersion is neither 1 nor 2")
        try:
            key = load_pem_x509_certificate(request.public_key.encode()).public_key()
            signature = base64.b64decode(members.get("Signature", ""), validate=True)
            if not isinstance(key, RSAPublicKey):
                raise Unverified("the certificate holds no RSA key")
            # SHA-1 is what topics of the older signature version sign with.
            key.verify(signature, _signed_text(members), PKCS1v15(), digest())
        except (ValueError, InvalidSignature) as error:
            raise Unverified("Signature does not fit the message") from error
        return self.redact(request)

    def redact(self, request: Request) -> Request:
        """Drop what names the topic, the account's own."""
        kept = {n: v for n, v in request.headers.items() if n not in self.secret_headers}
        members = {n: v for n, v in _members(request).items() if n not in ("TopicArn", "Token")}
        body = json.dumps(members, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return replace(request, headers=kept, body=body if members else request.body)


@dataclass(frozen=True)
class GoogleToken:
    """An OpenID Connect token that Google signs for a push subscription of Cloud Pub/Sub.

    The secret is the audience that was set at the subscription: a long random text, for anybody
    may let Google sign tokens for an audience that they know.
    """

    secret_headers: tuple[str, ...] = ("authorization",)
    proof: str = "identity token of Google"

    def key_url(self, request: Request, secrets: tuple[str, ...]) -> str:
        """Give the address of Google's keys."""
        return GOOGLE_KEYS_URL

    def sign(self, request: Request, secret: str) -> Request:
        """Play Google with a key made up for this process, found in `public_key`."""
        import jwt
        from jwt.algorithms import RSAAlgorithm

        key, _ = _made_up()
        seconds = int(request.received_at.timestamp())
        claims = {
            "iss": GOOGLE_ISSUERS[0],
            "aud": secret,
            "email_verified": True,
            "iat": seconds,
            "exp": seconds + 3600,
        }
        token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": "made-up"})
        published = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "made-up"}
        headers = {**request.headers, "authorization": (f"Bearer {token}",)}
        return replace(request, headers=headers, public_key=json.dumps({"keys": [published]}))

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Check signature, issuer, audience and age; see Signature."""
        import jwt

        audiences = [secret for secret in secrets if secret]
        if not audiences:
            raise Misconfigured("the source has no secret: expected the subscription's audience")
        token = request.header("authorization").removeprefix("Bearer ")
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            keys = jwt.PyJWKSet.from_json(request.public_key)
            key = next(key for key in keys.keys if key.key_id == kid)
            claims = jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=audiences,
                # Its own clock is not the one that we are given.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "aud"]},
            )
            expires_at = int(claims["exp"])
        except (jwt.PyJWTError, StopIteration, ValueError, TypeError, AttributeError) as error:
            raise Unverified("the token in header Authorization is not Google's for us") from error
        if claims.get("iss") not in GOOGLE_ISSUERS or claims.get("email_verified") is not True:
            raise Unverified("the token in header Authorization is not of a verified account")
        if expires_at + 60 < now.timestamp():
            raise Unverified("the token in header Authorization has expired")
        return self.redact(request)

    def redact(self, request: Request) -> Request:
        """Drop the token."""
        kept = {n: v for n, v in request.headers.items() if n != "authorization"}
        return replace(request, headers=kept)


def _members(request: Request) -> dict[str, str]:
    """Read the text members of the JSON object in the body; none where it is another thing."""
    try:
        payload = request.json()
    except Malformed:
        return {}
    if not isinstance(payload, dict):
        return {}
    return {name: value for name, value in payload.items() if isinstance(value, str)}


def _signed_text(members: Mapping[str, str]) -> bytes:
    """Lay out what SNS signs: names and values, each on a line of its own."""
    names = NOTIFIED if members.get("Type") == "Notification" else CONFIRMED
    lines = [f"{name}\n{members[name]}\n" for name in names if name in members]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _check_age(timestamp: str, now: datetime) -> None:
    try:
        sent_at = datetime.fromisoformat(timestamp)
        age = now - sent_at
    except (ValueError, TypeError) as error:
        raise Unverified("Timestamp is missing or no time with a zone") from error
    if abs(age) > LATE:
        raise Unverified(f"Timestamp is over {LATE.total_seconds():.0f} s from now")


@cache
def _made_up() -> tuple["RSAPrivateKey", str]:
    """Make a key pair and a certificate to play a provider with."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made-up.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )
    return key, certificate.public_bytes(Encoding.PEM).decode()
