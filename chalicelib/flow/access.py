"""Access to a provider's API: a source's token, renewed before it ends or when it is refused."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from pydantic import AwareDatetime, ValidationError

from chalicelib.config.source import Source
from chalicelib.connector import BUCKET, Connector, Get
from chalicelib.errors import (
    Conflict,
    Expired,
    Gone,
    HubError,
    Malformed,
    Misconfigured,
    NotFound,
    Refused,
    TryLater,
    Unavailable,
)
from chalicelib.hub import Hub
from chalicelib.lead.model import Model, utc_text
from chalicelib.storage import ATTEMPTS, Key, Put, at_version

EARLY = timedelta(minutes=2)
"""How long before its end a token is renewed."""

RENEWAL = timedelta(seconds=60)
"""How long one renewal may take before somebody else may try."""

TOKENS = "tokens/"
"""How the names of secrets start that functions may write."""


class Grant(Model):
    """What a provider gave us to read with: an access token, and what renews it, if anything."""

    access_token: str
    refresh_token: str = ""
    client_id: str = ""
    client_secret: str = ""
    expires_at: AwareDatetime | None = None

    def ends_by(self, moment: datetime) -> bool:
        """Say whether the access token is known to have ended by a moment."""
        return self.expires_at is not None and self.expires_at <= moment


def open_get(hub: Hub, source_id: str, source: Source, connector: Connector) -> Get:
    """Make the `get` of a source: it reads the provider's API and renews its token when needed.

    The secret that the source names as its token is an access token, or a JSON object with
    `access_token` and, to renew it, `refresh_token`, `client_id`, `client_secret` and `expires_at`.

    Raises:
        Misconfigured: the connector has no API, or the secret is not as expected.
        Unavailable: the store of secrets is down.
    """
    from chalicelib.web import provider_get

    api = connector.api
    if api is None:
        raise Misconfigured(f"{connector.title}: nothing to fetch from")
    if api.url == BUCKET:
        return partial(_stored_mail, hub)
    held = read_grant(hub, source.token)
    secrets = hub.secrets.get(source.secret)
    secret = secrets[0] if secrets else ""
    options = connector.options_with(source.options)
    token_url = str(options.get("token_url") or api.token_url)

    def get(
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        nonlocal held

        def ask() -> Any:
            bare = provider_get(hub.web, api, options, held.access_token, secret)
            return bare(path, params, query=query, headers=headers)

        can_renew = bool(token_url and held.refresh_token)
        if can_renew and held.ends_by(hub.clock() + EARLY):
            held = _renewed_early(hub, source.token, token_url, held)
        try:
            return ask()
        except Expired:
            if not can_renew:
                raise
        held = renew(hub, source.token, token_url, held)
        return ask()

    return get


def _stored_mail(hub: Hub, path: str, *_: Any, **__: Any) -> str:
    """Give the bytes of a mail that SES put into the bucket, each as one character."""
    try:
        return hub.blobs.get(path).decode("latin-1")
    except NotFound as error:
        raise Gone(f"no mail {path[:200]} in the bucket") from error


def read_grant(hub: Hub, name: str) -> Grant:
    """Read the secret that a source names as its token.

    Raises:
        Misconfigured: there is none, or it is a JSON object of another shape.
        Unavailable: the store of secrets is down.
    """
    values = hub.secrets.get(name)
    if not values:
        raise Misconfigured(f"secret {name!r} has no live value")
    if not values[0].lstrip().startswith("{"):
        return Grant(access_token=values[0])
    try:
        return Grant.model_validate_json(values[0], extra="ignore")
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise Misconfigured(f"secret {name!r}: {place or 'it'} is not as expected") from None


def _renewed_early(hub: Hub, name: str, token_url: str, held: Grant) -> Grant:
    """Renew a token that ends soon; while it lasts, a renewal that must wait is no trouble."""
    try:
        return renew(hub, name, token_url, held)
    except TryLater:
        if held.ends_by(hub.clock()):
            raise
        return held


def renew(hub: Hub, name: str, token_url: str, held: Grant) -> Grant:
    """Trade a refresh token for a new access token, once, however many want it at the same time.

    A provider may give a new refresh token and let the old one die: so whoever renews takes a
    lease first, and whoever comes second reads what the first one stored.

    Raises:
        TryLater: somebody else is at it, or the provider is busy.
        Refused: the provider does not renew it; a person must consent again.
        Misconfigured: functions may not write a secret of that name.
        Unavailable: table or store of secrets is down.
    """
    if not name.startswith(TOKENS):
        raise Misconfigured(f"secret {name!r} is to be renewed: its name must start with {TOKENS}")
    lease = _take_lease(hub, name)
    hub.secrets.forget(name)
    stored = read_grant(hub, name)
    if lease is None:
        if stored.access_token == held.access_token:
            raise TryLater(f"secret {name!r} is being renewed", int(RENEWAL.total_seconds()))
        return stored
    if stored.access_token != held.access_token:
        _end_lease(hub, name, lease)
        return stored
    try:
        renewed = _trade(hub, token_url, stored)
        _store(hub, name, renewed)
    except HubError:
        _end_lease(hub, name, lease)
        raise
    _end_lease(hub, name, lease)
    return renewed


def _trade(hub: Hub, token_url: str, held: Grant) -> Grant:
    """Ask the provider's token endpoint as RFC 6749, section 6, says."""
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": held.refresh_token,
        "client_id": held.client_id,
        "client_secret": held.client_secret,
    }
    body = urlencode({name: value for name, value in fields.items() if value}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = hub.web.read(token_url, headers, body=body)
    except Refused as error:
        raise Refused(
            f"the token cannot be renewed; a person must consent again: {error}"
        ) from None
    try:
        lasts = answer.get("expires_in")
        return held.model_copy(
            update={
                "access_token": _text(answer["access_token"]),
                "refresh_token": _text(answer.get("refresh_token") or held.refresh_token),
                "expires_at": hub.clock() + timedelta(seconds=int(lasts)) if lasts else None,
            }
        )
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise Malformed("the token endpoint answered without an access token") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _store(hub: Hub, name: str, renewed: Grant) -> None:
    """Store a renewed grant, trying hard: the refresh token before it may be dead already."""
    value = json.dumps(renewed.model_dump(mode="json", exclude_defaults=True))
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        try:
            hub.secrets.put(name, [{"value": value, "not_after": None}])
        except Unavailable as error:
            failure = error
        else:
            return
    raise failure


def _key(name: str) -> Key:
    return Key(f"SECRET#{name}", "RENEWAL")


def _take_lease(hub: Hub, name: str) -> int | None:
    """Take the right to renew a secret; gives the lease's version, or None when another has it."""
    now = hub.clock()
    found = hub.table.get(_key(name))
    if found and found["until"] > utc_text(now):
        return None
    version = int(found["version"]) if found else 0
    try:
        _write_lease(hub, name, version, utc_text(now + RENEWAL))
    except Conflict:
        return None
    return version + 1


def _end_lease(hub: Hub, name: str, version: int) -> None:
    """Let others renew at once; if that fails the lease ends by itself."""
    try:
        _write_lease(hub, name, version, utc_text(hub.clock()))
    except (Conflict, Unavailable) as error:
        hub.trouble(error)


def _write_lease(hub: Hub, name: str, version: int, until: str) -> None:
    pk, sk = _key(name)
    item = {
        "pk": pk,
        "sk": sk,
        "kind": "renewal",
        "writer": f"renew:{hub.new_id()}",
        "version": version + 1,
        "until": until,
    }
    hub.table.write([Put("renewal", item, at_version(version))])
