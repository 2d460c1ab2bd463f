"""The connector contract: what a connector is, and the values it deals in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from chalicelib.errors import Misconfigured
from chalicelib.lead.model import Act, Submission
from chalicelib.request import Reply, Request
from chalicelib.signing import Signature

Json = Mapping[str, Any]
"""A JSON object; its values are checked where they are read."""

Options = Mapping[str, Any]
"""What an admin set for one source: the connector's own `options` laid under the source's."""


class Get(Protocol):
    """Reads a provider's API for `fetch`, `Backfill` and `subscription`."""

    def __call__(
        self,
        path: str,
        params: Mapping[str, str] | str | None = None,
        *,
        query: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Give the JSON at a path below the connector's API address.

        Args:
            path: below the address; the whole address of another page at the same host is taken
                too, for providers that name it in their answer.
            params: query parameters; the values `{token}` and `{secret}` stand for the source's
                access token and signing secret, for APIs that are asked about these. A text is a
                query that is encoded already, for APIs that want it in a way of their own.
            query: JSON to POST in place of a GET, for providers whose reading is a search.
            headers: of this request alone, over those of the Api; an empty one is not sent.

        Raises:
            TryLater: time-out, 429 or 5xx; tried again when due.
            Expired: 401, or what `Api.refusal` names so; the token is renewed if it can be.
            Refused: 403, or what `Api.refusal` names; quarantined with an alarm.
            Gone: 404 or 410; quarantined.
            Malformed: the answer is not JSON.
        """


BUCKET = "bucket:mail/"
"""Stands for the address of an Api that is the hub's own bucket, below `mail/`: `get` gives an
object's bytes, each as the character of its number (latin-1)."""


@dataclass(frozen=True)
class Api:
    """How a provider's API is spoken to.

    Attributes:
        url: https address that paths are joined to; a source's option `api_url` replaces it.
        headers: constant headers of every request; `{name}` in them and in url stands for the
            option `name`, and one that comes out empty is not sent.
        authorise: (access token, signing secret) -> (headers, query parameters) to add.
        refusal: (status, JSON body) -> error to raise, for providers whose status code is not
            the whole story; None leaves it to the status code.
        gives: text means that an answer that is not JSON is given as text.
        token_url: OAuth 2.0 token endpoint (RFC 6749, section 6) that renews an access token;
            empty where tokens are not renewed.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    authorise: Callable[[str, str], tuple[Mapping[str, str], Mapping[str, str]]] | None = None
    refusal: Callable[[int, Any], Exception | None] | None = None
    gives: Literal["json", "text"] = "json"
    token_url: str = ""


@dataclass(frozen=True)
class Window:
    """A stretch of time, both ends included; aware, UTC."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        """Say whether a moment lies within."""
        return self.since <= moment <= self.until


@dataclass(frozen=True)
class Page:
    """A page of what a provider says exists.

    Attributes:
        items: JSON objects, each of one act, for `Backfill.parse`.
        next: text that `Backfill.page` is given for the page after; empty at the end.
    """

    items: tuple[Any, ...]
    next: str = ""


@dataclass(frozen=True)
class Backfill:
    """How what a provider says exists is read, for what webhooks have missed.

    Attributes:
        page: (get, window, next, options) -> page of what was submitted within the window, in
            whatever order; `next` is empty for the first page.
        parse: pure; (item, options) -> what the webhook of the same act gives once it is fetched:
            the same external_id, revision and answers, so that the act has one effect.
        keeps_days: how far back the provider can be asked.
        calls_per_minute: what its rate limit leaves for us.
    """

    page: Callable[[Get, Window, str, Options], Page]
    parse: Callable[[Any, Options], Act]
    keeps_days: int = 90
    calls_per_minute: int = 60


@dataclass(frozen=True)
class Subscription:
    """Whether a provider still means to send to us.

    Attributes:
        is_active: False when webhooks will not come.
        detail: in words: what is wrong and what to do, or what was found.
        expires_at: when the token or subscription ends, if the provider says so.
    """

    is_active: bool
    detail: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Statuses:
    """What a provider must be told so that its own retrying does the right thing: status codes.

    Attributes:
        accepted: it is kept.
        unknown_source: the source was taken out of the configuration.
        switched_off: an admin switched the source off; as with too_large, what is answered with
            less than 300 is kept all the same, and held in quarantine until a person replays it.
        unverified: the proof is absent or wrong.
        too_large: the body is beyond what we take.
        unavailable: nothing was kept, and it should come again; 5xx.
    """

    accepted: int = 200
    unknown_source: int = 404
    switched_off: int = 404
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
        parse: pure; (request, options) -> submissions, withdrawals, erasures, and what cannot be
            read of several (see each); empty means nothing for us.
        fields: default map from answer key to contact field (see lead.model.CONTACT_FIELDS).
        handshake: (request, secrets) -> reply, only if the provider checks the address by a GET;
            raises Unverified or Malformed for anything but the exact form expected.
        fetch: (submission, get) -> submission with its answers, or None for nothing for us; only
            if the notice is thin.
        api: where fetch, backfill and subscription read; needed with any of them.
        backfill: how what webhooks missed is read; None where the provider has no list.
        subscription: (get, options, address) -> whether the provider still means to send to that
            address of ours; None where it cannot be asked.
        facts: how surely the payload is known: captured from the provider or from its own test;
            documented by it; seen in its or others' code; recalled, which nobody has verified.
        handshake_every_seconds: how often the provider repeats its check of the address; 0 where
            it is checked but once.
        statuses: status codes that this provider's retrying calls for.
        reply: (request, options) -> the answer to an accepted request where a small JSON body
            will not do, as for a browser.
        apologise: (request, options, status) -> the answer to a request that was refused or could
            not be kept, for a provider that is a person at a browser.
        confirm: (verified request) -> https address to visit, by which the provider wants a
            subscription confirmed; empty for any other request.
        cors: (request, options) -> headers that let a page of another origin read the answer;
            empty where the origin is not allowed. They go on every answer, errors and the
            OPTIONS preflight too. None: no browser is expected.
        options: the options a source may set, with their defaults, which also say of what kind
            they are (see check); the functions above are given the source's laid over these.
        schemes: by the value of the option `scheme`, for connectors that leave the choice of a
            signature to the admin; signature is then the default.
    """

    name: str
    title: str
    docs: str
    signature: Signature
    parse: Callable[[Request, Options], list[Act]]
    facts: Literal["captured", "documented", "code", "recalled"] = "documented"
    fields: Mapping[str, str] = field(default_factory=dict)
    handshake: Callable[[Request, tuple[str, ...]], Reply] | None = None
    fetch: Callable[[Submission, Get], Act | None] | None = None
    api: Api | None = None
    backfill: Backfill | None = None
    subscription: Callable[[Get, Options, str], Subscription] | None = None
    handshake_every_seconds: int = 0
    statuses: Statuses = Statuses()
    reply: Callable[[Request, Options], Reply] | None = None
    apologise: Callable[[Request, Options, int], Reply] | None = None
    confirm: Callable[[Request], str] | None = None
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

    def check(self, options: Options) -> None:
        """Look whether a source's options are of the kinds that the connector's own are.

        Raises:
            Misconfigured: one is not, as a text where a list is expected.
        """
        for name, default in self.options.items():
            expected, kinds = _kind(default)
            given = options.get(name, default)
            if not isinstance(given, kinds) or (isinstance(given, bool) and bool not in kinds):
                raise Misconfigured(f"{self.title}: the option {name} is to be {expected}")


def _kind(default: Any) -> tuple[str, tuple[type, ...]]:
    """Say what an option may be, by its default: in words, and as types; ids may be numbers."""
    match default:
        case bool():
            return "true or false", (bool,)
        case int():
            return "a whole number", (int,)
        case str():
            return "a text", (str, int)
        case Mapping():
            return "names with values", (Mapping,)
    return "a list", (list, tuple)
