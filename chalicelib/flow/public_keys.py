"""Step 2 goes on: read the public key that a request was signed with, and confirm subscriptions."""

import json
from dataclasses import replace

from chalicelib.connector import Connector
from chalicelib.errors import Gone, Malformed, Refused, TryLater, Unavailable, Unverified
from chalicelib.hub import Hub
from chalicelib.public_key import PublicKeySignature
from chalicelib.request import Request
from chalicelib.signing import Signature

KEPT_SECONDS = 600
"""How long a key is used without asking again."""

MOST_KEPT = 50
"""How many keys are remembered; strangers may name many."""


def with_public_key(
    hub: Hub, signature: Signature, request: Request, secrets: tuple[str, ...]
) -> Request:
    """Give a request with the public key that its signature needs, if it needs one.

    Raises:
        Unverified: the request names a key that is not the provider's.
        Unavailable: the key cannot be read now.
    """
    if not isinstance(signature, PublicKeySignature):
        return request
    url = signature.key_url(request, secrets)
    now = hub.clock().timestamp()
    read_at, key = hub.public_keys.get(url, (0.0, ""))
    if not key or now - read_at > KEPT_SECONDS:
        key = _read(hub, url)
        if len(hub.public_keys) >= MOST_KEPT:
            hub.public_keys.clear()
        hub.public_keys[url] = (now, key)
    return replace(request, public_key=key)


def confirm(hub: Hub, connector: Connector, request: Request) -> None:
    """Visit the address by which a provider wants a subscription confirmed, if it asks for that.

    Raises:
        Unavailable: it cannot be visited now; the provider should ask again.
    """
    url = connector.confirm(request) if connector.confirm else ""
    if url:
        _read(hub, url)


def _read(hub: Hub, url: str) -> str:
    try:
        found = hub.web.read(url, gives="text")
    except (Gone, Refused) as error:
        raise Unverified(f"what the request names cannot be read: {error}") from error
    except (TryLater, Malformed) as error:
        raise Unavailable(str(error)) from error
    return found if isinstance(found, str) else json.dumps(found)
