"""The connector contract; the only module of ours that a connector imports."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from chalicelib.body import as_text, flatten
from chalicelib.errors import Gone, Malformed, Misconfigured, Refused, TryLater, Unverified
from chalicelib.lead.model import CAMPAIGN_KEYS, Answer, Consent, Submission, Withdrawal
from chalicelib.request import Reply, Request
from chalicelib.signing import (
    STANDARD_WEBHOOKS,
    BodyKey,
    HeaderToken,
    Hmac,
    PathToken,
    Signature,
    hex_hmac_sha256,
)
from chalicelib.spelling import is_no, is_yes, spellings

__all__ = [
    "CAMPAIGN_KEYS",
    "STANDARD_WEBHOOKS",
    "Answer",
    "Api",
    "BodyKey",
    "Connector",
    "Consent",
    "Get",
    "Gone",
    "HeaderToken",
    "Hmac",
    "Malformed",
    "Options",
    "PathToken",
    "Refused",
    "Reply",
    "Request",
    "Signature",
    "Statuses",
    "Submission",
    "TryLater",
    "Unverified",
    "Withdrawal",
    "as_text",
    "campaign_of",
    "flatten",
    "hex_hmac_sha256",
    "is_no",
    "is_yes",
    "read",
    "spellings",
]

Options = Mapping[str, Any]
"""What an admin set for one source: the connector's own `options` laid under the source's."""


class Get(Protocol):
    """Reads a provider's API for `fetch`."""

    def __call__(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Give the JSON at a path below the connector's API address.

        Raises:
            TryLater: time-out, 429 or 5xx; tried again when due.
            Refused: 401 or 403, or what `Api.refusal` names; quarantined with an alarm.
            Gone: 404 or 410; quarantined.
            Malformed: the answer is not JSON.
        """


@dataclass(frozen=True)
class Api:
    """How a provider's API is spoken to.

    Attributes:
        url: https address that paths are joined to; a source's option `api_url` replaces it.
        headers: constant headers of every request.
        authorise: (access token, signing secret) -> (headers, query parameters) to add.
        refusal: (status, JSON body) -> error to raise, for providers whose status code is not
            the whole story; None leaves it to the status code.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    authorise: Callable[[str, str], tuple[Mapping[str, str], Mapping[str, str]]] | None = None
    refusal: Callable[[int, Any], Exception | None] | None = None


@dataclass(frozen=True)
class Statuses:
    """What a provider must be told so that its own retrying does the right thing: status codes."""

    accepted: int = 200
    unknown_source: int = 404
    unverified: int = 401
    too_large: int = 413
    unavailable: int = 503


@dataclass(frozen=True)
class Connector:
    """One provider, as plain functions and data.

    Attributes:
        name: the folder's name; part of stored data, so never changed.
        title: the provider's name as the provider writes it.
        docs: address of the provider's own description of the payload.
        signature: how a request proves that it is the provider's.
        parse: pure; (request, options) -> submissions and withdrawals; empty means nothing for us.
        fields: default map from answer key to contact field (see lead.model.CONTACT_FIELDS).
        handshake: (request, secrets) -> reply, only if the provider checks the address by a GET;
            raises Unverified or Malformed for anything but the exact form expected.
        fetch: (submission, get) -> submission with its answers, only if the notice is thin.
        api: where fetch reads; needed with fetch.
        statuses: status codes that this provider's retrying calls for.
        reply: (request, options) -> the answer to an accepted request where a small JSON body
            will not do, as for a browser.
        apologise: (request, options, status) -> the answer to a request that was refused or could
            not be kept, for a provider that is a person at a browser.
        cors: (request, options) -> headers that let a page of another origin read the answer;
            empty where the origin is not allowed. They go on every answer, errors and the
            OPTIONS preflight too. None: no browser is expected.
        options: the options a source may set, with their defaults; the functions above are
            given the source's options laid over these.
        schemes: by the value of the option `scheme`, for connectors that leave the choice of a
            signature to the admin; signature is then the default.
    """

    name: str
    title: str
    docs: str
    signature: Signature
    parse: Callable[[Request, Options], list[Submission | Withdrawal]]
    fields: Mapping[str, str] = field(default_factory=dict)
    handshake: Callable[[Request, tuple[str, ...]], Reply] | None = None
    fetch: Callable[[Submission, Get], Submission | Withdrawal] | None = None
    api: Api | None = None
    statuses: Statuses = Statuses()
    reply: Callable[[Request, Options], Reply] | None = None
    apologise: Callable[[Request, Options, int], Reply] | None = None
    cors: Callable[[Request, Options], Mapping[str, str]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    schemes: Mapping[str, Signature] = field(default_factory=dict)

    def options_with(self, options: Options) -> Options:
        """Lay a source's options over the connector's defaults."""
        return {**self.options, **options}

    def signature_for(self, options: Options) -> Signature:
        """Give the way in which the requests of a source with these options are proved.

        Raises:
            Misconfigured: the option `scheme` names none of the connector's schemes.
        """
        scheme = options.get("scheme") if self.schemes else None
        if scheme is None:
            return self.signature
        if scheme not in self.schemes:
            raise Misconfigured(f"{self.name}: scheme is one of {', '.join(self.schemes)}")
        return self.schemes[scheme]


def read(connector: Connector, request: Request, options: Options) -> list[Submission | Withdrawal]:
    """Parse a kept request; whatever its shape, the outcome is submissions or Malformed.

    Raises:
        Malformed: the payload has an unexpected shape; says where.
    """
    try:
        return connector.parse(request, connector.options_with(options))
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Malformed(f"{connector.title}: {_where(error)}") from error


def complete(connector: Connector, submission: Submission, get: Get) -> Submission | Withdrawal:
    """Fetch what a thin submission lacks; whatever the answer's shape, it is that or Malformed.

    Raises:
        Malformed: the provider's API answered with an unexpected shape.
        TryLater, Refused, Gone: see Get.
        Misconfigured: this connector fetches nothing.
    """
    if connector.fetch is None:
        raise Misconfigured(f"{connector.title}: nothing to fetch with")
    try:
        return connector.fetch(submission, get)
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Malformed(f"{connector.title}: what its API answered: {_where(error)}") from error


def campaign_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Pick what says which campaign brought a person; empty values are left out."""
    texts = {key: values[key] for key in CAMPAIGN_KEYS if key in values}
    return {key: as_text(value) for key, value in texts.items() if as_text(value)}


def _where(error: Exception) -> str:
    """Say what was missing without quoting the payload."""
    if isinstance(error, ValidationError):
        # Only the name of our field: deeper parts of the place, and the input, are the sender's.
        return f"{error.errors(include_input=False)[0]['loc'][0]} is missing or does not fit"
    if isinstance(error, KeyError):
        key = error.args[0] if error.args else None
        is_name = isinstance(key, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", key)
        return f"{key} is missing" if is_name else "a key is missing"
    if isinstance(error, IndexError):
        return "a list is shorter than expected"
    return "the payload does not have the expected shape"
