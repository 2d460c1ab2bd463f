"""TikTok: instant forms; the webhook is complete, the API gives earlier leads as a CSV file."""

import re
from typing import Any

from chalicelib.connector import (
    UNSIGNED,
    Act,
    Api,
    Backfill,
    Connector,
    Expired,
    Hmac,
    Json,
    Malformed,
    Options,
    Refused,
    Request,
    Submission,
    TryLater,
    answers_of,
    as_text,
    campaign_of,
    consents_of,
    each,
    flatten,
    is_yes,
    spellings,
)
from connectors.tiktok.exports import page, subscription

LEAD = "1"
"""The `object` of a lead; other numbers are reviews of ads and such, sent to the same address."""

# Codes of the API, read in public descriptions of it in November 2026; its status is always 200.
FINE_CODES = frozenset({0, 20001})
BUSY_CODES = frozenset({40016, 40100, 40132, 40133})
BUSY_SECONDS = 300
TOKEN_CODES = frozenset({40104, 40105})
NO_PERMISSION = 40001

RETRIED_SECONDS = 72 * 3600


def parse(request: Request, options: Options) -> list[Act]:
    """Read the leads that a push holds, complete.

    Args:
        request: body is `{"object": 1, "entry": [{"id", "page_id", "create_time", "campaign_id",
            ..., "changes": [{"field", "value"}]}]}`; ids are numbers of 19 digits.
        options: see the README.

    Returns:
        A submission for each entry, its answers keyed by field; none for other objects.
    """
    push = request.json()
    if as_text(push["object"]) != LEAD:
        return []
    return each(push["entry"], lambda entry: read_entry(entry, options), "TikTok: entry[]")


def read_entry(entry: Json, options: Options) -> Act:
    """Read one lead; a row of an export is laid out as one before it comes here."""
    texts: dict[str, tuple[str, ...]] = {}
    for change in entry["changes"]:
        # The reference says that a value may be an object; its parts then are answers.
        for key, given in flatten({as_text(change["field"]): change["value"]}).items():
            texts[key] = texts.get(key, ()) + given
    form = as_text(entry.get("page_id"))
    return Submission(
        external_id=as_text(entry["id"]),
        submitted_at=entry["create_time"],
        form=form,
        form_title=as_text(entry.get("page_name")),
        answers=answers_of(texts),
        campaign=campaign_of(
            {
                "campaign_id": entry.get("campaign_id"),
                "campaign_name": entry.get("campaign_name"),
                "adset_id": entry.get("adgroup_id"),
                "ad_id": entry.get("ad_id"),
                "platform": "tiktok",
            }
        ),
        consents=consents_of(texts, options["consents"]),
        is_test=is_yes(as_text(entry.get("is_test"))),
    )


def escaped(request: Request) -> bytes:
    r"""Write the body as TikTok signs it: each character beyond ASCII as \uXXXX, lower case."""
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("TikTok: the body is not UTF-8") from error
    return re.sub(r"[^\x00-\x7f]", _escape, text).encode("ascii")


def _escape(found: re.Match[str]) -> str:
    """Write a character as one or, beyond the basic plane, two UTF-16 units."""
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def authorise(token: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Send the token in TikTok's own header."""
    return {"Access-Token": token}, {}


def refusal(status: int, body: Any) -> Exception | None:
    """Tell by the code in the body what to do; the status is 200 whatever happens."""
    code = body.get("code") if isinstance(body, dict) else None
    if not isinstance(code, int) or code in FINE_CODES:
        return None
    if code in BUSY_CODES:
        # No header says how long; beyond the limit of a minute TikTok wants five minutes' rest.
        return TryLater(f"TikTok: code {code}", BUSY_SECONDS)
    if code >= 50000:
        return TryLater(f"TikTok: code {code}")
    if code in TOKEN_CODES:
        return Expired(f"TikTok: code {code}: the access token is dead; authorise the app again")
    if code == NO_PERMISSION:
        return Refused(f"TikTok: code {code}: the app or the person who authorised it may not")
    return Refused(f"TikTok: code {code}: see README")


connector = Connector(
    name="tiktok",
    title="TikTok Lead Generation",
    docs="https://business-api.tiktok.com/portal/docs?id=1810521739537409",
    facts="code",
    # Which signature lead pushes carry is not verified, so the address proves them until the
    # admin has seen a delivery and picks another scheme.
    signature=UNSIGNED["address"],
    schemes={
        **UNSIGNED,
        "open_signature": Hmac("X-Open-Signature", of=escaped),
        "developer": Hmac(
            "TikTok-Signature",
            shape="t={timestamp},s={digest}",
            separator=",",
            signed="{timestamp}.{body}",
            # Whether a later try is signed anew is not known; the lead's id stops replays.
            tolerance_seconds=RETRIED_SECONDS,
        ),
    },
    parse=parse,
    fields=spellings(),
    # Anything but 200 comes again for 72 hours (the page on webhooks in general), so the usual
    # statuses give that long to mend what is wrong.
    api=Api(
        url="https://business-api.tiktok.com/open_api/v1.3",
        authorise=authorise,
        refusal=refusal,
        gives="text",
    ),
    # Far below TikTok's limit of 600: most calls ask whether an export is ready.
    backfill=Backfill(page=page, parse=read_entry, keeps_days=90, calls_per_minute=30),
    subscription=subscription,
    options={
        "scheme": "address",
        "consents": {},
        "advertiser_id": "",
        "library_id": "",
        "app_id": "",
        "page_ids": (),
        "regions": ("", "us", "eu"),
        "columns": {},
    },
)
