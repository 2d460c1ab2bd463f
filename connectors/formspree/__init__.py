"""Formspree: the webhook plugin, kind Simple, for each submission that is no spam."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.connector import (
    FORM_OPTIONS,
    Act,
    Api,
    Backfill,
    Connector,
    Get,
    Hmac,
    Malformed,
    Options,
    Page,
    Request,
    Submission,
    Window,
    as_text,
    first,
    flatten,
    form_submission,
    forms_of,
    moment_of,
    page_of_each,
    page_within,
    spellings,
)

PER_PAGE = 50

# Inputs by which a page controls Formspree, and what its list adds to a submission.
OWN = frozenset(
    {
        *("_date", "_gotcha", "_subject", "_next", "_cc", "_format", "_language", "_id"),
        "g-recaptcha-response",
    }
)


def parse(request: Request, options: Options) -> list[Act]:
    """Read one submission.

    Args:
        request: body is `{"form": hashid, "submission": {...}, "keys": [...]}`.
        options: FORM_OPTIONS; `forms` is for reading the list.

    Returns:
        One submission, its answers keyed by the names of the form's inputs.
    """
    if not request.body:
        raise Malformed("Formspree: expected a submission; set the webhook's kind to Simple")
    return [_submission(request.json(), request, options)]


def parse_listed(item: Any, options: Options) -> Submission:
    """Read one submission of Formspree's list, laid out by `page` as the webhook is."""
    at = datetime.fromisoformat(item["submission"]["_date"])
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return _submission(item, Request("LIST", "", {}, {}, b"", at), options)


def _submission(sent: Mapping[str, Any], request: Request, options: Options) -> Submission:
    texts = flatten({k: value for k, value in sent["submission"].items() if k != "_status"})
    form, date = as_text(sent["form"]), first(texts, "_date")
    # The webhook writes an offset and the list none, so the moment is the stamp and not its text.
    at = moment_of(date, request.received_at)
    submission = form_submission(
        texts,
        request,
        options,
        own=OWN,
        stamp=at.isoformat() if date else "",
        form=form,
        submitted_at=at,
    )
    if not at.microsecond or not date or first(texts, options["id_field"]):
        return submission
    # To the microsecond the moment is an id, however webhook and list may write the answers.
    return submission.model_copy(update={"external_id": f"{form}-{at.isoformat()}"[:512]})


def page(get: Get, window: Window, following: str, options: Options) -> Page:
    """Read a page of each form's submissions, oldest first, without spam."""
    return page_of_each(
        forms_of(options),
        following,
        lambda form, within: _listed(get, window, within, form),
    )


def _listed(get: Get, window: Window, following: str, form: str) -> Page:
    offset = int(following or 0)
    answer = get(
        f"forms/{form}/submissions",
        {
            "since": window.since.strftime("%Y-%m-%dT%H:%M:%S"),
            "order": "asc",
            "limit": str(PER_PAGE),
            "offset": str(offset),
        },
    )
    items = answer["submissions"]
    # How many it gives at most is not published, so only an empty page is known to be the last.
    found = page_within(window, items, lambda item: item.get("_date"), str(offset + len(items)))
    # The list does not name the form, the webhook does.
    return Page(tuple({"form": form, "submission": item} for item in found.items), found.next)


def authorise(token: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Send the form's API key as Formspree wants it: a password without a user."""
    return {"Authorization": f"Basic {base64.b64encode(f':{token}'.encode()).decode()}"}, {}


connector = Connector(
    name="formspree",
    title="Formspree",
    docs="https://help.formspree.io/hc/en-us/articles/360015234873-Webhooks",
    signature=Hmac(
        "Formspree-Signature",
        shape="t={timestamp},v1={digest}",
        separator=",",
        signed="{timestamp}.{body}",
    ),
    parse=parse,
    facts="code",
    fields={**spellings(), "_replyto": "email"},
    api=Api(url="https://formspree.io/api/0", authorise=authorise),
    # Free plans keep 30 days; how long the plans with an API keep is not published.
    backfill=Backfill(page=page, parse=parse_listed, keeps_days=30),
    # What it does on each status is not published, so the status codes are the usual ones.
    options={**FORM_OPTIONS, "forms": ()},
)
