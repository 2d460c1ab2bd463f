"""Netlify Forms: the HTTP POST notification of a submission that passed the spam filter."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.connector import (
    FORM_OPTIONS,
    Act,
    Api,
    Backfill,
    Connector,
    Get,
    Misconfigured,
    Options,
    Page,
    PathToken,
    Request,
    Statuses,
    Submission,
    Subscription,
    Unverified,
    Window,
    as_text,
    bearer,
    flatten,
    form_submission,
    forms_of,
    is_to,
    page_of_each,
    page_within,
    spellings,
)

PER_PAGE = 25

# What Netlify adds to a form's inputs, and what it needs of them itself.
OWN = frozenset({"ip", "user_agent", "referrer", "bot-field", "form-name", "g-recaptcha-response"})


@dataclass(frozen=True)
class Jws:
    """A compact JWS (RFC 7515) in a header, HS256 and nothing else, that names the body's digest.

    It holds no time, so a request that was seen once can be sent again for ever: only its id
    makes that harmless.
    """

    header: str = "X-Webhook-Signature"
    issuer: str = "netlify"
    secret_headers: tuple[str, ...] = ()
    proof: str = "signed token (JWS)"

    def sign(self, request: Request, secret: str) -> Request:
        """Add the header."""
        claims = {"iss": self.issuer, "sha256": hashlib.sha256(request.body).hexdigest()}
        signed = f"{_packed({'alg': 'HS256'})}.{_packed(claims)}"
        token = f"{signed}.{_mac(signed, secret)}"
        return replace(request, headers={**request.headers, self.header.lower(): (token,)})

    def verify(self, request: Request, secrets: tuple[str, ...], now: datetime) -> Request:
        """Check the token, then that it was made for this body; see signing.Signature."""
        usable = [secret for secret in secrets if secret]
        if not usable:
            raise Misconfigured("the source has no secret")
        signed, _, given = request.header(self.header).rpartition(".")
        # The algorithm is ours to choose, never the token's: one that says `none` fails here.
        fits = [_is_same(_mac(signed, secret), given) for secret in usable]
        if True not in fits:
            raise Unverified(f"header {self.header} is missing or not signed with the secret")
        head, _, claims = signed.partition(".")
        says = _opened(claims)
        digest = hashlib.sha256(request.body).hexdigest()
        if _opened(head).get("alg") != "HS256" or says.get("iss") != self.issuer:
            raise Unverified(f"header {self.header} is no HS256 token of {self.issuer}")
        if not _is_same(digest, str(says.get("sha256"))):
            raise Unverified(f"header {self.header} does not fit the body")
        return request

    def redact(self, request: Request) -> Request:
        """Leave the request as it is: a digest gives nothing away."""
        return request


def _mac(signed: str, secret: str) -> str:
    message = signed.encode("utf-8", "surrogatepass")
    return _unpadded(hmac.digest(secret.encode(), message, "sha256"))


def _packed(value: Mapping[str, str]) -> str:
    return _unpadded(json.dumps(value, separators=(",", ":")).encode())


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _opened(part: str) -> dict[str, Any]:
    """Read a part of a token whose signature fits; so only its maker can send an odd one."""
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError) as error:
        raise Unverified("a part of the token cannot be read") from error
    return value if isinstance(value, dict) else {}


def _is_same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def parse(request: Request, options: Options) -> list[Act]:
    """Read one submission.

    Args:
        request: body is the submission, as it is or, from a function, within `payload`.
        options: FORM_OPTIONS; `site_id` and `forms` are for reading the list.

    Returns:
        One submission, its answers keyed by the names of the form's inputs.
    """
    body = request.json()
    return [_submission(body.get("payload", body), request, options)]


def parse_listed(item: Any, options: Options) -> Submission:
    """Read one submission of Netlify's list, which is what the notification holds."""
    at = datetime.fromisoformat(item["created_at"])
    return _submission(item, Request("LIST", "", {}, {}, b"", at), options)


def _submission(sent: Mapping[str, Any], request: Request, options: Options) -> Submission:
    data = sent["data"]
    titles = {
        as_text(field["name"]): as_text(field.get("title"))
        for field in sent.get("ordered_human_fields") or ()
    }
    return form_submission(
        flatten(data),
        request,
        options,
        own=OWN,
        external_id=sent["id"],
        submitted_at=sent["created_at"],
        form=as_text(sent.get("form_id")),
        form_title=as_text(sent.get("form_name")),
        labels={key: title for key, title in titles.items() if title and data.get(key)},
        page_url=as_text(data.get("referrer")) or as_text(sent.get("site_url")),
    )


def page(get: Get, window: Window, following: str, options: Options) -> Page:
    """Read a page of the submissions of the site, or of each form, without spam."""
    if options["site_id"] and not options["forms"]:
        return _listed(get, window, following, f"sites/{options['site_id']}/submissions")
    return page_of_each(
        forms_of(options),
        following,
        lambda form, within: _listed(get, window, within, f"forms/{form}/submissions"),
    )


def _listed(get: Get, window: Window, following: str, path: str) -> Page:
    number = int(following or 1)
    items = get(path, {"page": str(number), "per_page": str(PER_PAGE)})
    return page_within(
        window,
        items,
        lambda item: item.get("created_at"),
        str(number + 1) if len(items) == PER_PAGE else "",
    )


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look for the notification among the site's hooks, and whether Netlify has disabled it."""
    if not options["site_id"]:
        return Subscription(True, "not asked: the option site_id is not set")
    hooks = [
        hook
        for hook in get("hooks", {"site_id": options["site_id"]})
        if hook.get("event") == "submission_created"
        and is_to(as_text((hook.get("data") or {}).get("url")), address)
    ]
    if not hooks:
        return Subscription(False, "the site has no notification for this address; add one")
    if all(hook.get("disabled") for hook in hooks):
        return Subscription(False, "Netlify has disabled the notification after errors; enable it")
    return Subscription(True, "the notification is enabled")


connector = Connector(
    name="netlify_forms",
    title="Netlify Forms",
    docs="https://docs.netlify.com/manage/forms/notifications/",
    signature=Jws(),
    schemes={"signed": Jws(), "address": PathToken()},
    parse=parse,
    facts="documented",
    fields=spellings(),
    api=Api(url="https://api.netlify.com/api/v1", authorise=bearer),
    backfill=Backfill(page=page, parse=parse_listed),
    subscription=subscription,
    # Answers of 4xx, if they go on, make Netlify disable the notification (an operator's report;
    # the number is not published). Neither being switched off nor a form that is too large calls
    # for that, and the list has what was missed.
    statuses=Statuses(switched_off=200, too_large=200),
    options={"scheme": "signed", **FORM_OPTIONS, "site_id": "", "forms": ()},
)
