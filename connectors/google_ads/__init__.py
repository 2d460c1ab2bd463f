"""Google Ads: one webhook for each lead form that somebody fills in below an ad."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.connector import (
    Act,
    Answer,
    Api,
    Backfill,
    BodyKey,
    Connector,
    Consent,
    Get,
    Misconfigured,
    Options,
    Page,
    Request,
    Statuses,
    Submission,
    Subscription,
    Window,
    as_text,
    bearer,
    campaign_of,
    moment_of,
)

STANDARD_COLUMN = re.compile(r"[A-Z][A-Z0-9_]*")
"""How Google writes the ids of its own questions."""

# Fields of the Google Ads API, as in the PyPI package google-ads 34.0.0 (v26), read November 2026.
LEADS = (
    "SELECT lead_form_submission_data.id, lead_form_submission_data.asset,"
    " lead_form_submission_data.campaign, lead_form_submission_data.ad_group,"
    " lead_form_submission_data.ad_group_ad, lead_form_submission_data.gclid,"
    " lead_form_submission_data.submission_date_time,"
    " lead_form_submission_data.lead_form_submission_fields,"
    " lead_form_submission_data.custom_lead_form_submission_fields"
    " FROM lead_form_submission_data"
    " WHERE lead_form_submission_data.submission_date_time >= '{day} 00:00:00'"
    " AND lead_form_submission_data.submission_date_time <= '{day} 23:59:59'"
    " ORDER BY lead_form_submission_data.submission_date_time"
)
DELIVERIES = (
    "SELECT asset.id, asset.lead_form_asset.delivery_methods FROM asset"
    " WHERE asset.type = 'LEAD_FORM'"
)


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one lead that Google posts, complete.

    Args:
        request: body is `{"lead_id": ..., "user_column_data": [...], ...}` without `google_key`.
        options: `government_ids` keeps answers that are numbers of identity documents.

    Returns:
        One submission, its answers keyed by column id, or by name for an own question without.
    """
    lead = request.json()
    submitted_at = moment_of(as_text(lead.get("lead_submit_time")), request.received_at)
    return [_submission(lead, submitted_at, options)]


def _submission(lead: Mapping[str, Any], submitted_at: datetime, options: Options) -> Submission:
    """Read a lead as the webhook lays it out."""
    columns = [
        column
        for column in lead["user_column_data"]
        if options["government_ids"] or not _key(column).startswith("GOVERNMENT_ISSUED_ID")
    ]
    form = as_text(lead.get("form_id"))
    return Submission(
        external_id=as_text(lead["lead_id"]),
        submitted_at=submitted_at,
        form=form,
        answers=_answers(columns),
        labels={_key(c): as_text(c["column_name"]) for c in columns if c.get("column_name")},
        campaign=campaign_of(
            {
                "gclid": lead.get("gcl_id"),
                "campaign_id": lead.get("campaign_id"),
                "adset_id": lead.get("adgroup_id"),
                "creative_id": lead.get("creative_id"),
                "platform": "google_ads",
            }
        ),
        # Google shows the advertiser's privacy notice on each form and sends no field for it.
        consents=(Consent(purpose="privacy", given=True, evidence=f"form {form}"),),
        is_test=lead.get("is_test") or False,
    )


def _key(column: Mapping[str, Any]) -> str:
    """Give what tells a question from others.

    An own question goes by its text, for the id that the webhook makes of it is not in the API.
    """
    column_id = as_text(column.get("column_id"))
    if STANDARD_COLUMN.fullmatch(column_id):
        return column_id
    return as_text(column.get("column_name")) or column_id or as_text(column["column_name"])


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read the leads of one day; the days are those of the account, in whatever zone it is.

    Args:
        get: reads the Google Ads API.
        window: when they were submitted.
        at: `2027-01-01 TOKEN`: the day, and where in its list; empty for the first.
        options: `customer_id`.
    """
    day, _, token = at.partition(" ")
    day = day or f"{window.since - timedelta(days=1):%Y-%m-%d}"
    told = _search(get, options, LEADS.format(day=day), token)
    rows = [row["leadFormSubmissionData"] for row in told.get("results") or ()]
    items = tuple(row for row in rows if window.holds(_submitted_at(row)))
    if told.get("nextPageToken"):
        return Page(items, f"{day} {told['nextPageToken']}")
    following = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    is_last = following > window.until + timedelta(days=1)
    return Page(items, "" if is_last else f"{following:%Y-%m-%d}")


def parse_listed(item: Any, options: Options) -> Act:
    """Read a lead of the Ads API, laid out as the webhook would have sent it.

    Args:
        item: a `leadFormSubmissionData`; campaign, asset and such are `customers/1/campaigns/2`.
        options: as for parse.
    """
    lead = {
        "lead_id": as_text(item["id"]),
        "form_id": _last(item.get("asset")),
        "campaign_id": _last(item.get("campaign")),
        "adgroup_id": _last(item.get("adGroup")),
        # An ad is `customers/1/adGroupAds/2~3`.
        "creative_id": _last(item.get("adGroupAd")).rpartition("~")[2],
        "gcl_id": item.get("gclid"),
        "user_column_data": [
            *(
                {"column_id": field["fieldType"], "string_value": field.get("fieldValue")}
                for field in item.get("leadFormSubmissionFields") or ()
            ),
            *(
                {"column_name": field["questionText"], "string_value": field.get("fieldValue")}
                for field in item.get("customLeadFormSubmissionFields") or ()
            ),
        ],
    }
    return _submission(lead, _submitted_at(item), options)


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look for our address among the webhooks of the account's lead forms."""
    told = _search(get, options, DELIVERIES, "")
    silent, found = [], 0
    for row in told.get("results") or ():
        methods = row["asset"].get("leadFormAsset", {}).get("deliveryMethods") or ()
        hooks = [method.get("webhook", {}).get("advertiserWebhookUrl") for method in methods]
        found += address in hooks
        silent += [] if address in hooks else [as_text(row["asset"].get("id"))]
    if not found:
        return Subscription(False, "no lead form of the account sends to this address")
    others = f"; not: {', '.join(silent)}" if silent else ""
    return Subscription(True, f"{found} lead forms send to this address{others}")


def _search(get: Get, options: Options, question: str, token: str) -> Any:
    """Ask the Google Ads API in its query language.

    Raises:
        Misconfigured: the source does not say which account, or lacks the developer token.
    """
    customer = as_text(options["customer_id"]).replace("-", "")
    if not customer.isdigit() or not options["developer_token"]:
        raise Misconfigured("Google Ads: set the options customer_id and developer_token")
    query = {"query": question, **({"pageToken": token} if token else {})}
    return get(f"customers/{customer}/googleAds:search", query=query)


def _submitted_at(row: Mapping[str, Any]) -> datetime:
    """Read `2027-01-01 01:00:00+01:00`."""
    moment = datetime.fromisoformat(row["submissionDateTime"])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _last(name: Any) -> str:
    """Give the id at the end of a resource name."""
    return as_text(name).rpartition("/")[2]


def _answers(columns: list[Mapping[str, Any]]) -> dict[str, Answer]:
    """Give the answers by key; one that was given twice is a list."""
    texts: dict[str, tuple[str, ...]] = {}
    for column in columns:
        text = as_text(column.get("string_value"))
        if text:
            texts[_key(column)] = (*texts.get(_key(column), ()), text)
    return {key: given[0] if len(given) == 1 else given for key, given in texts.items()}


connector = Connector(
    name="google_ads",
    title="Google Ads",
    docs="https://developers.google.com/google-ads/webhook/docs/implementation",
    signature=BodyKey("google_key"),
    parse=parse,
    # Where a form asks for both, the first that can be used counts.
    fields={
        "EMAIL": "email",
        "WORK_EMAIL": "email",
        "PHONE_NUMBER": "phone",
        "WORK_PHONE": "phone",
        "FULL_NAME": "full_name",
        "FIRST_NAME": "first_name",
        "LAST_NAME": "last_name",
        "COMPANY_NAME": "company",
        "JOB_TITLE": "job_title",
        "STREET_ADDRESS": "street",
        "CITY": "city",
        "REGION": "region",
        "POSTAL_CODE": "postal_code",
        "COUNTRY": "country",
    },
    # Google never sends again what was answered 4xx, so that is for a wrong key alone.
    statuses=Statuses(unknown_source=503, switched_off=503),
    api=Api(
        url="https://googleads.googleapis.com/{api_version}",
        headers={
            "developer-token": "{developer_token}",
            "login-customer-id": "{login_customer_id}",
        },
        authorise=bearer,
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106
    ),
    # Google keeps leads for 30 or 60 days, depending on the page.
    backfill=Backfill(page=page, parse=parse_listed, keeps_days=30, calls_per_minute=60),
    subscription=subscription,
    options={
        "government_ids": False,
        "api_version": "v26",
        "customer_id": "",
        "login_customer_id": "",
        "developer_token": "",
    },
)
