"""Microsoft Advertising: lead forms; nothing of their webhook is published, so it takes any."""

from collections.abc import Mapping
from typing import Any

from chalicelib.connector import (
    UNSIGNED,
    Act,
    BodyKey,
    Connector,
    Malformed,
    Options,
    Request,
    Submission,
    answers_of,
    as_text,
    campaign_of,
    consents_of,
    digest_of,
    first,
    flatten,
    is_yes,
    moment_of,
    own_id,
    spellings,
)

# All names here are recalled or taken from Google's webhook, after which this one is said to be
# made. The first delivery of a real account decides; it is kept as it comes.
KEYS = ("google_key", "key", "webhook_key")
COLUMNS = ("user_column_data", "userColumnData", "columns")
COLUMN_NAMES = ("column_id", "columnId", "column_name", "columnName", "name")
COLUMN_VALUES = ("string_value", "stringValue", "value")
LABELS = ("column_name", "columnName")
ID_NAMES = ("lead_id", "leadId", "id")
AT_NAMES = ("lead_submit_time", "submitted_at", "submittedAt", "created_at", "createdAt")
TEST_NAMES = ("is_test", "isTest")
FORM_NAMES = ("form_id", "formId", "asset_id", "assetId")
CAMPAIGN_NAMES = {
    "msclkid": ("msclkid", "MSCLKID"),
    "campaign_id": ("campaign_id", "campaignId"),
    "adset_id": ("adgroup_id", "ad_group_id", "adGroupId"),
    "ad_id": ("ad_id", "adId", "creative_id"),
}

Texts = Mapping[str, tuple[str, ...]]


def parse(request: Request, options: Options) -> list[Act]:
    """Read one lead, laid out in columns as Google's is, or flat.

    Args:
        request: body is `{"user_column_data": [{"column_id", "string_value"}], ...}` or
            `{"Email": ..., "FullName": ..., ...}`.
        options: see the README.

    Returns:
        One submission, its answers keyed by column or by path.
    """
    lead = request.json()
    if not isinstance(lead, Mapping):
        raise Malformed("Microsoft Advertising: expected an object")
    columns: Any = next((lead[name] for name in COLUMNS if lead.get(name)), [])
    own = flatten({key: value for key, value in lead.items() if key not in {*COLUMNS, *KEYS}})
    texts = _answers(columns) if columns else own
    campaign = {key: first(own, *names) for key, names in CAMPAIGN_NAMES.items()}
    known = {
        *ID_NAMES,
        *AT_NAMES,
        *TEST_NAMES,
        *FORM_NAMES,
        *(name for names in CAMPAIGN_NAMES.values() for name in names),
    }
    answers = answers_of(texts, without=() if columns else known)
    if not answers:
        raise Malformed("Microsoft Advertising: expected at least one answer")
    return [
        Submission(
            external_id=own_id(first(own, *ID_NAMES))
            or digest_of({key: value for key, value in lead.items() if key not in KEYS}),
            submitted_at=moment_of(first(own, *AT_NAMES), request.received_at),
            form=first(own, *FORM_NAMES),
            answers=answers,
            labels=_labels(columns),
            campaign=campaign_of({**campaign, "platform": "microsoft_ads"}),
            consents=consents_of(texts, options["consents"]),
            is_test=is_yes(first(own, *TEST_NAMES)),
        )
    ]


def _answers(columns: Any) -> dict[str, tuple[str, ...]]:
    texts: dict[str, tuple[str, ...]] = {}
    for column in columns:
        value = next((as_text(column[name]) for name in COLUMN_VALUES if name in column), "")
        texts[_key(column)] = (*texts.get(_key(column), ()), value)
    return texts


def _key(column: Mapping[str, Any]) -> str:
    """Give what tells a question from others."""
    named = (as_text(column.get(name)) for name in COLUMN_NAMES)
    key = next(filter(None, named), "")
    if not key:
        raise Malformed("Microsoft Advertising: a column has no name")
    return key


def _labels(columns: Any) -> dict[str, str]:
    return {
        _key(column): as_text(column[name])
        for column in columns
        for name in LABELS
        if name in column
    }


connector = Connector(
    name="microsoft_ads",
    title="Microsoft Advertising",
    docs="https://help.ads.microsoft.com/",
    facts="recalled",
    # No way of proving itself is known: the address is the proof, or a key in the body if there
    # is one.
    signature=UNSIGNED["address"],
    schemes={**UNSIGNED, **{name: BodyKey(name) for name in KEYS}},
    parse=parse,
    fields=spellings(),
    # Nothing is known of retries, so the usual statuses; a body is never refused for its shape.
    options={"scheme": "address", "consents": {}},
)
