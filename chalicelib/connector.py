"""The only module of ours that a connector imports; and how the hub calls a connector.

What a connector is stands in contract.py. Whatever a stranger sends, what is called here ends with
acts or with Malformed.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from chalicelib.answers import (
    FORM_OPTIONS,
    answers_of,
    campaign_key,
    campaign_of,
    consents_of,
    digest_of,
    filled,
    first,
    form_submission,
    moment_of,
    nested,
    own_id,
    zone_of,
)
from chalicelib.body import as_text, flatten, read_json
from chalicelib.contract import (
    BUCKET,
    Api,
    Backfill,
    Connector,
    Get,
    Json,
    Options,
    Page,
    Statuses,
    Subscription,
    Window,
)
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
from chalicelib.listing import (
    bearer,
    forms_of,
    is_to,
    page_of_each,
    page_within,
    subscription_of,
)
from chalicelib.public_key import GoogleToken, PublicKeySignature, Sns
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
    "Json",
    "Malformed",
    "Misconfigured",
    "Nudge",
    "Options",
    "Page",
    "PathToken",
    "PublicKeySignature",
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
    "filled",
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
    "own_id",
    "page_of_each",
    "page_within",
    "read",
    "read_json",
    "spellings",
    "subscription_of",
    "tracked",
    "zone_of",
]

MOST_ACTS = 1000
"""Most submissions that one request may carry; Meta sends up to so many."""

LISTED = "LIST"
"""Method of a kept request that was not sent to us: it holds one item of a provider's list."""

UNEXPECTED = (
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    ArithmeticError,
    RecursionError,
)
"""What code raises that indexes a payload freely, where the payload has another shape."""


def read(connector: Connector, request: Request, options: Options) -> list[Act]:
    """Parse a kept request; whatever its shape, the outcome is acts or Malformed.

    Raises:
        Malformed: the payload has an unexpected shape; says where.
        Misconfigured: an option of the source is of another kind than the connector's own.
    """
    laid = connector.options_with(options)
    connector.check(options)
    with _or_malformed(connector.title):
        if request.method == LISTED and connector.backfill:
            return [connector.backfill.parse(request.json(), laid)]
        return connector.parse(request, laid)


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
        except (Malformed, *UNEXPECTED) as error:
            told = str(error) if isinstance(error, Malformed) else _where(error)
            act = Unreadable(reason=f"{what} {number}: {told}")
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
    with _or_malformed(f"{connector.title}: what its API answered"):
        return connector.fetch(submission, get)


def listed(
    connector: Connector, get: Get, window: Window, next_page: str, options: Options
) -> Page:
    """Read a page of what a provider says exists; whatever it answers, it is that or Malformed.

    Raises:
        Malformed: the provider's API answered with an unexpected shape.
        TryLater, Expired, Refused, Gone: see Get.
        Misconfigured: this connector reads no list, or not with these options.
    """
    if connector.backfill is None:
        raise Misconfigured(f"{connector.title}: no list to read")
    connector.check(options)
    with _or_malformed(f"{connector.title}: what its API listed"):
        return connector.backfill.page(get, window, next_page, options)


def subscribed(connector: Connector, get: Get, options: Options, address: str) -> Subscription:
    """Ask whether the provider still means to send; whatever its answer, it is that or Malformed.

    Raises:
        Malformed: the provider's API answered with an unexpected shape.
        TryLater, Refused, Gone: see Get.
        Misconfigured: this connector cannot ask, or not with these options.
    """
    if connector.subscription is None:
        raise Misconfigured(f"{connector.title}: its subscriptions cannot be asked for")
    connector.check(options)
    with _or_malformed(f"{connector.title}: what its API answered"):
        return connector.subscription(get, options, address)


@contextmanager
def _or_malformed(what: str) -> Iterator[None]:
    """Turn what indexing a payload freely may raise into Malformed."""
    try:
        yield
    except UNEXPECTED as error:
        raise Malformed(f"{what}: {_where(error)}") from error


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
