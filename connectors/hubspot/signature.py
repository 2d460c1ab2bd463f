"""How HubSpot proves a request, in three versions of which the newest that is there counts."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from chalicelib.connector import Hmac, Request, Unverified

ESCAPES = ":/?@!$'()*,;"
"""Characters that HubSpot signs as themselves though an address has them escaped."""


def signed_part(request: Request) -> bytes:
    """Give method, address and body, one after the other."""
    url = request.url
    for character in ESCAPES:
        escaped = quote(character, safe="")
        url = url.replace(escaped, character).replace(escaped.lower(), character)
    return request.method.encode() + url.encode("utf-8", "surrogatepass") + request.body


V1 = Hmac("X-HubSpot-Signature", is_plain=True)
V2 = Hmac("X-HubSpot-Signature", is_plain=True, of=signed_part)
V3 = Hmac(
    "X-HubSpot-Signature-v3",
    signed="{body}{timestamp}",
    encoding="base64",
    timestamp_header="X-HubSpot-Request-Timestamp",
    timestamp_unit="ms",
    of=signed_part,
)


@dataclass(frozen=True)
class NewestVersion:
    """The newest version that a request carries; an older one is no way around it."""

    secret_headers: tuple[str, ...] = ()
    proof: str = V3.proof

    def sign(self, request: Request, secret: str) -> Request:
        """Sign as version 3."""
        return V3.sign(request, secret)

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Check the newest; see Signature."""
        if "x-hubspot-signature-v3" in request.headers:
            return V3.verify(request, secrets, now)
        match request.header("x-hubspot-signature-version"):
            case "v1":
                return V1.verify(request, secrets, now)
            case "v2":
                return V2.verify(request, secrets, now)
        raise Unverified("header X-HubSpot-Signature-v3 is missing")

    def redact(self, request: Request) -> Request:
        """Leave the request as it is: a digest gives nothing away."""
        return request
