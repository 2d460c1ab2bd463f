"""Webflow: one webhook for each submission of a form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.connector import (
    FORM_OPTIONS,
    Act,
    Api,
    Backfill,
    Connector,
    Get,
    Hmac,
    Misconfigured,
    Options,
    Page,
    PathToken,
    Request,
    Statuses,
    Submission,
    Subscription,
    Window,
    as_text,
    bearer,
    flatten,
    form_submission,
    is_to,
    page_within,
    spellings,
)

PER_PAGE = 50
TRIGGER = "form_submission"

SIGNED = Hmac(
    "x-webflow-signature",
    signed="{timestamp}:{body}",
    timestamp_header="x-webflow-timestamp",
    timestamp_unit="ms",
)


def parse(request: Request, options: Options) -> list[Act]:
    """Read one submission.

    Args:
        request: body is `{"triggerType": "form_submission", "payload": {...}}`, or flat as
            webhooks of the first version of the API are: `{"name", "site", "data", "d", "_id"}`.
        options: FORM_OPTIONS; `site_id` is for reading the list.

    Returns:
        One submission, its answers keyed by the names of the form's fields; none for any other
        trigger.
    """
    event = request.json()
    if "triggerType" not in event and "_id" in event:
        return [_read(event["data"], event["_id"], event["d"], event, request, options)]
    if event["triggerType"] != TRIGGER:
        return []
    sent = event["payload"]
    return [_read(sent["data"], sent["id"], sent["submittedAt"], sent, request, options)]


def parse_listed(item: Any, options: Options) -> Submission:
    """Read one submission of Webflow's list, which names its parts in its own way."""
    at = item["dateSubmitted"]
    request = Request("LIST", "", {}, {}, b"", datetime.fromisoformat(at))
    sent = {"name": item.get("displayName"), "formId": item.get("formId")}
    return _read(item["formResponse"], item["id"], at, sent, request, options)


def _read(
    data: Any,
    submission_id: Any,
    at: Any,
    sent: Mapping[str, Any],
    request: Request,
    options: Options,
) -> Submission:
    return form_submission(
        flatten(data),
        request,
        options,
        external_id=submission_id,
        submitted_at=at,
        form=as_text(sent.get("formId")),
        form_title=as_text(sent.get("name")),
    )


def page(get: Get, window: Window, following: str, options: Options) -> Page:
    """Read a page of the submissions of a site."""
    offset = int(following or 0)
    answer = get(
        f"sites/{_site(options)}/form_submissions",
        {"offset": str(offset), "limit": str(PER_PAGE)},
    )
    items, total = answer.get("formSubmissions") or [], answer["pagination"]["total"]
    return page_within(
        window,
        items,
        lambda item: item.get("dateSubmitted"),
        str(offset + len(items)) if offset + len(items) < total else "",
    )


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look for the webhook among those of the site that an app or token has made."""
    if options["scheme"] == "address":
        return Subscription(True, "not asked: Webflow does not list webhooks of the dashboard")
    hooks = [
        hook
        for hook in get(f"sites/{_site(options)}/webhooks").get("webhooks") or ()
        if hook.get("triggerType") == TRIGGER and is_to(as_text(hook.get("url")), address)
    ]
    if not hooks:
        return Subscription(False, "the site has no webhook for this address; make one again")
    last = max(as_text(hook.get("lastTriggered")) for hook in hooks)
    return Subscription(True, f"last triggered at {last}" if last else "never triggered yet")


def _site(options: Options) -> str:
    if not options["site_id"]:
        raise Misconfigured("Webflow: set the option site_id")
    return str(options["site_id"])


connector = Connector(
    name="webflow",
    title="Webflow",
    docs="https://developers.webflow.com/data/docs/working-with-webhooks",
    signature=SIGNED,
    schemes={"signed": SIGNED, "address": PathToken()},
    parse=parse,
    facts="documented",
    fields=spellings(),
    api=Api(url="https://api.webflow.com/v2", authorise=bearer),
    backfill=Backfill(page=page, parse=parse_listed),
    subscription=subscription,
    # Only 200 counts; anything else comes three more times, ten minutes apart, and after some
    # such failures the webhook is deactivated for good (developers.webflow.com, error handling
    # and webhook limits, read in July 2026). Neither being switched off nor a form that is too
    # large calls for that, and the list has what was missed.
    statuses=Statuses(accepted=200, switched_off=200, too_large=200),
    options={"scheme": "signed", **FORM_OPTIONS, "site_id": ""},
)
