"""Google Ads: one webhook for each lead form that somebody fills in below an ad."""

from collections.abc import Mapping
from typing import Any

from chalicelib.connector import (
    Act,
    Answer,
    BodyKey,
    Connector,
    Consent,
    Options,
    Request,
    Statuses,
    Submission,
    as_text,
    campaign_of,
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
    columns = [
        column
        for column in lead["user_column_data"]
        if options["government_ids"] or not _key(column).startswith("GOVERNMENT_ISSUED_ID")
    ]
    form = as_text(lead.get("form_id"))
    return [
        Submission(
            external_id=lead["lead_id"],
            submitted_at=lead.get("lead_submit_time") or request.received_at,
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
    ]


def _key(column: Mapping[str, Any]) -> str:
    """Give what tells a question from others."""
    return as_text(column.get("column_id")) or as_text(column["column_name"])


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
    statuses=Statuses(unknown_source=503),
    options={"government_ids": False},
)
