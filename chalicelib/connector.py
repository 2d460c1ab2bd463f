"""The connector contract; the only module of ours that a connector imports."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from chalicelib.answers import (
    FORM_OPTIONS,
    answers_of,
    consents_of,
    digest_of,
    first,
    form_submission,
    moment_of,
    nested,
)
from chalicelib.body import as_text, flatten, read_json
from chalicelib.errors import (
    Expired,
    Gone,
    Malformed,
    Misconfigured,
    Refused,
    TryLater,
    Unverified,
)
from chalicelib.lead.model import (
    CAMPAIGN_KEYS,
    Act,
    Answer,
    Consent,
    Erasure,
    Nudge,
    Submission,
    Unreadable,
    Withdrawal,
)
from chalicelib.public_key import GoogleToken, Sns
from chalicelib.request import Reply, Request
from chalicelib.signing import (
    CLOSED,
    STANDARD_WEBHOOKS,
    UNSIGNED,
    BasicAuth,
    BodyKey,
    HeaderToken,
    Hmac,
    PathToken,
    Signature,
    hex_hmac_sha256,
)
from chalicelib.spelling import is_no, is_yes, keyword_of, spellings
from chalicelib.tracking import TRACKING_FIELDS, TRACKING_OPTIONS, tracked

__all__ = [
    "BUCKET",
    "CAMPAIGN_KEYS",
    "CLOSED",
    "FORM_OPTIONS",
    "STANDARD_WEBHOOKS",
    "TRACKING_FIELDS",
    "TRACKING_OPTIONS",
    "UNSIGNED",
    "Act",
    "Answer",
    "Api",
    "Backfill",
    "BasicAuth",
    "BodyKey",
    "Connector",
    "Consent",
    "Erasure",
    "Expired",
    "Get",
    "Gone",
    "GoogleToken",
    "HeaderToken",
    "Hmac",
    "Malformed",
    "Misconfigured",
    "Nudge",
    "Options",
    "Page",
    "PathToken",
    "Refused",
    "Reply",
    "Request",
    "Signature",
    "Sns",
    "Statuses",
    "Submission",
    "Subscription",
    "TryLater",
    "Unreadable",
    "Unverified",
    "Window",
    "Withdrawal",
    "answers_of",
    "as_text",
    "bearer",
    "campaign_key",
    "campaign_of",
    "consents_of",
    "digest_of",
    "each",
    "first",
    "flatten",
    "form_submission",
    "forms_of",
    "hex_hmac_sha256",
    "is_no",
    "is_to",
    "is_yes",
    "keyword_of",
    "moment_of",
    "nested",
    "page_of_each",
    "page_within",
    "read",
    "read_json",
    "spellings",
    "subscription_of",
    "tracked",
]

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
        switched_off: an admin switched the source off.
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
        options: the options a source may set, with their defaults; the functions above are
            given the source's options laid over these.
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


_NEVER = datetime(9000, 1, 1, tzinfo=UTC)

MOST_ACTS = 1000
"""Most submissions that one request may carry; Meta sends up to so many."""

LISTED = "LIST"
"""Method of a kept request that was not sent to us: it holds one item of a provider's list."""


def read(connector: Connector, request: Request, options: Options) -> list[Act]:
    """Parse a kept request; whatever its shape, the outcome is acts or Malformed.

    Raises:
        Malformed: the payload has an unexpected shape; says where.
    """
    laid = connector.options_with(options)
    try:
        if request.method == LISTED and connector.backfill:
            return [connector.backfill.parse(request.json(), laid)]
        return connector.parse(request, laid)
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Malformed(f"{connector.title}: {_where(error)}") from error


def each(items: Iterable[Any], read_one: Callable[[Any], Act | None], what: str) -> list[Act]:
    """Read many items of one request by themselves, so that a bad one does not stop the others.

    Args:
        items: as the payload has them.
        read_one: gives an act, or None for nothing for us; may index freely.
        what: names an item in the reason, as `Meta: entry[].changes[]`.

    Raises:
        Malformed: there are more than MOST_ACTS.
    """
    acts: list[Act] = []
    items = tuple(items)
    if len(items) > MOST_ACTS:
        raise Malformed(f"{what}: expected at most {MOST_ACTS}")
    for number, item in enumerate(items):
        try:
            act = read_one(item)
        except Malformed as error:
            act = Unreadable(reason=f"{what} {number}: {error}")
        except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
            act = Unreadable(reason=f"{what} {number}: {_where(error)}")
        acts += [act] if act else []
    return acts


def complete(connector: Connector, submission: Submission, get: Get) -> Act | None:
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


def listed(
    connector: Connector, get: Get, window: Window, next_page: str, options: Options
) -> Page:
    """Read a page of what a provider says exists; whatever it answers, it is that or Malformed.

    Raises:
        Malformed: the provider's API answered with an unexpected shape.
        TryLater, Expired, Refused, Gone: see Get.
        Misconfigured: this connector reads no list.
    """
    if connector.backfill is None:
        raise Misconfigured(f"{connector.title}: no list to read")
    try:
        return connector.backfill.page(get, window, next_page, options)
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Malformed(f"{connector.title}: what its API listed: {_where(error)}") from error


def subscribed(connector: Connector, get: Get, options: Options, address: str) -> Subscription:
    """Ask whether the provider still means to send; whatever its answer, it is that or Malformed.

    Raises:
        Malformed: the provider's API answered with an unexpected shape.
        TryLater, Refused, Gone: see Get.
        Misconfigured: this connector cannot ask.
    """
    if connector.subscription is None:
        raise Misconfigured(f"{connector.title}: its subscriptions cannot be asked for")
    try:
        return connector.subscription(get, options, address)
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Malformed(f"{connector.title}: what its API answered: {_where(error)}") from error


def campaign_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Pick what says which campaign brought a person; empty values are left out."""
    texts = {key: values[key] for key in CAMPAIGN_KEYS if key in values}
    return {key: as_text(value) for key, value in texts.items() if as_text(value)}


def bearer(token: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Send the access token as RFC 6750 wants it; an Api.authorise."""
    return {"Authorization": f"Bearer {token}"}, {}


def page_within(
    window: Window, items: Sequence[Any], at: Callable[[Any], Any], following: str
) -> Page:
    """Make a page of a list that cannot be asked for a window.

    Args:
        window: what is wanted.
        items: a page of the provider's list.
        at: gives the text of when an item was submitted.
        following: names the page after; empty at the end of the list.

    Returns:
        The items within the window, and those whose time cannot be read. It is the last page
        where all of it runs newest first and ends before the window; so a list in another order
        is read to its end.
    """
    moments = [moment_of(as_text(at(item)), _NEVER) for item in items]
    inside = tuple(
        item
        for item, moment in zip(items, moments, strict=True)
        if window.since <= moment <= window.until or moment == _NEVER
    )
    is_newest_first = moments == sorted(moments, reverse=True)
    is_past = not items or (is_newest_first and moments[-1] < window.since)
    return Page(inside, "" if is_past else following)


def campaign_key(name: str) -> str:
    """Give the campaign key that a question's name spells, as utmSource or UTM Source; else ""."""
    return _CAMPAIGN_SPELLINGS.get(re.sub(r"[^a-z0-9]", "", name.lower()), "")


# A question that is named Platform asks for something else.
_CAMPAIGN_SPELLINGS = {key.replace("_", ""): key for key in CAMPAIGN_KEYS if key != "platform"}


def forms_of(options: Options) -> tuple[str, ...]:
    """Give the forms that the option `forms` names, for APIs that are read form by form.

    Raises:
        Misconfigured: it names none.
    """
    forms = tuple(as_text(form) for form in options["forms"])
    if not all(forms) or not forms:
        raise Misconfigured("the option forms names no form to read")
    return forms


def page_of_each(forms: Sequence[str], at: str, page: Callable[[str, str], Page]) -> Page:
    """Page through the lists of several forms, one after the other.

    Args:
        forms: their ids, which hold no blank.
        at: what the page before gave as `next`; empty for the first.
        page: (form, `next` within its list) -> page of its list.
    """
    form, _, within = at.partition(" ")
    if form not in forms:
        form, within = forms[0], ""
    found = page(form, within)
    if found.next:
        return Page(found.items, f"{form} {found.next}")
    return Page(found.items, next(iter(forms[forms.index(form) + 1 :]), ""))


def is_to(url: str, address: str) -> bool:
    """Say whether a webhook goes to an address of ours, whatever token or query follows it."""
    return url == address or url.startswith((f"{address}/", f"{address}?"))


def subscription_of(address: str, hooks: Mapping[str, Iterable[tuple[str, bool]]]) -> Subscription:
    """Say whether every form has a webhook to an address of ours, and switched on.

    Args:
        address: ours; what follows it, such as a token, does not matter.
        hooks: form -> its webhooks, each as (address, whether it is on).
    """
    troubles = []
    for form, found in hooks.items():
        ours = [is_on for url, is_on in found if is_to(url, address)]
        if not ours:
            troubles.append(f"form {form} has no webhook to this source")
        elif not any(ours):
            troubles.append(f"the webhook of form {form} is switched off")
    found_all = f"webhooks of {len(hooks)} forms are switched on"
    return Subscription(is_active=not troubles, detail="; ".join(troubles) or found_all)


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
