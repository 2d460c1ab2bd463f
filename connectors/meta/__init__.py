"""Meta: lead ads of Facebook and Instagram; the notice names leads, the Graph API has them."""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from chalicelib.connector import (
    CAMPAIGN_KEYS,
    Act,
    Api,
    Connector,
    Consent,
    Get,
    Gone,
    Hmac,
    Malformed,
    Options,
    Refused,
    Reply,
    Request,
    Statuses,
    Submission,
    TryLater,
    Unverified,
    as_text,
    campaign_of,
    hex_hmac_sha256,
)

# Without `fields` the Graph API leaves out consent and ads, and says nothing.
ESSENTIAL_FIELDS = ("id", "created_time", "form_id", "field_data", "custom_disclaimer_responses")
ALL_FIELDS = (
    *ESSENTIAL_FIELDS,
    "ad_id",
    "adset_id",
    "campaign_id",
    "campaign_name",
    "is_organic",
    "platform",
)

# Error codes of the Graph API, as publicly known in November 2026: rate limits of app, user, page
# and lead reads, and faults that pass.
BUSY_CODES = frozenset({1, 2, 4, 17, 32, 341, 368, 613, 80005})
NO_SUCH_OBJECT = (100, 33)
TOKEN_DEAD = 190
UTM_KEYS = tuple(key for key in CAMPAIGN_KEYS if key.startswith("utm_"))
LONGEST_ID = 40
MOST_KEYS = 20_000
"""A notice names up to a thousand leads, each with about a dozen keys."""

TEST_ANSWER = "<test lead: dummy data"


def parse(request: Request, options: Options) -> list[Act]:
    """Read the leads that a page's notice names, up to a thousand.

    Args:
        request: body is `{"object": "page", "entry": [{"changes": [{"field": "leadgen",
            "value": {"leadgen_id", "form_id", "created_time", ...}}]}]}`; ids are texts or numbers.
        options: not used here.

    Returns:
        One thin submission for each lead; none for other objects and other fields.
    """
    notice = request.json(most_keys=MOST_KEYS)
    if notice["object"] != "page":
        return []
    return [
        _thin(change["value"])
        for entry in notice["entry"]
        for change in entry.get("changes", ())
        if change["field"] == "leadgen"
    ]


def _thin(value: Mapping[str, Any]) -> Submission:
    """Make a submission that still lacks its answers."""
    leadgen_id = _id(value["leadgen_id"])
    return Submission(
        external_id=leadgen_id,
        submitted_at=value["created_time"],
        form=_id(value["form_id"]),
        # Where a push says adgroup, the API says ad set.
        campaign=_campaign({**value, "adset_id": value.get("adgroup_id")}),
        lookup={"leadgen_id": leadgen_id},
    )


def _id(value: Any) -> str:
    """Give an id as text; it becomes part of an address, so it is digits and nothing else."""
    text = as_text(value)
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_ID):
        raise ValueError("an id of Meta is digits")
    return text


def _campaign(values: Mapping[str, Any]) -> dict[str, str]:
    """Pick the ids that say which ad it was; organic leads have none or 0."""
    return {key: text for key, text in campaign_of(values).items() if text != "0"}


def fetch(submission: Submission, get: Get) -> Submission:
    """Read a lead with its answers, consents and ad.

    Some kinds of lead, and tokens without rights on ads, refuse the whole read because of an
    optional field: then it is read again without those.
    """
    leadgen_id = submission.lookup["leadgen_id"]
    try:
        lead = get(leadgen_id, {"fields": ",".join(ALL_FIELDS)})
    except Refused:
        lead = get(leadgen_id, {"fields": ",".join(ESSENTIAL_FIELDS)})
    return _whole(submission, lead)


def _whole(submission: Submission, lead: Mapping[str, Any]) -> Submission:
    """Put what the Graph API says into a submission."""
    if not lead.get("field_data"):
        # An app that Leads Access Manager does not allow gets a lead without its answers.
        raise Refused(f"Meta: lead {submission.external_id} came without field_data: see README")
    answers = {entry["name"]: _answer(entry["values"]) for entry in lead["field_data"]}
    # A form's tracking parameters come back among the answers.
    tracked = {key: answers.pop(key) for key in UTM_KEYS if isinstance(answers.get(key), str)}
    texts = [text for value in answers.values() for text in _texts(value)]
    return Submission(
        external_id=submission.external_id,
        submitted_at=lead.get("created_time") or submission.submitted_at,
        form=_id(lead.get("form_id") or submission.form),
        answers=answers,
        campaign={**submission.campaign, **_campaign(lead), **campaign_of(tracked)},
        consents=tuple(_consent(box) for box in lead.get("custom_disclaimer_responses") or ()),
        is_test=any(text.startswith(TEST_ANSWER) for text in texts),
    )


def _answer(values: list[Any]) -> str | tuple[str, ...]:
    """Give one value as text, several as a list."""
    texts = tuple(as_text(value) for value in values)
    return texts if len(texts) > 1 else "".join(texts)


def _texts(answer: str | tuple[str, ...]) -> tuple[str, ...]:
    return (answer,) if isinstance(answer, str) else answer


def _consent(box: Mapping[str, Any]) -> Consent:
    """Read a checkbox under the form; `is_checked` is seen as "1", "" and as a boolean."""
    key = as_text(box["checkbox_key"])
    given = as_text(box.get("is_checked", "")).lower() in {"1", "true"}
    return Consent(purpose=key.lower(), given=given, evidence=key)


def handshake(request: Request, secrets: tuple[str, ...]) -> Reply:
    """Echo the challenge to whoever knows the verify token that was typed into Meta's page."""
    if request.parameter("hub.mode") != "subscribe":
        raise Malformed("Meta: hub.mode is not subscribe")
    given = request.parameter("hub.verify_token").encode("utf-8", "surrogatepass")
    known = [compare_digest(given, secret.encode()) for secret in secrets if secret]
    if not any(known):
        raise Unverified("hub.verify_token is not the source's")
    challenge = request.parameter("hub.challenge")
    if not challenge:
        raise Malformed("Meta: hub.challenge is missing")
    return Reply(200, challenge, "text/plain")


def authorise(token: str, secret: str) -> tuple[dict[str, str], dict[str, str]]:
    """Send the page's token in a header, and prove with the app secret that it is ours to use."""
    proof = hex_hmac_sha256(secret, token)
    return {"Authorization": f"Bearer {token}"}, {"appsecret_proof": proof}


def refusal(status: int, body: Any) -> Exception | None:
    """Tell by the Graph API's error code what to do; its status is nearly always 400."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return None
    code, subcode = error.get("code"), error.get("error_subcode")
    if code in BUSY_CODES or error.get("is_transient") is True:
        return TryLater(f"Meta: error {code}")
    if (code, subcode) == NO_SUCH_OBJECT:
        return Gone("Meta: error 100/33: the lead is deleted, expired, or not ours to see")
    if code == TOKEN_DEAD:
        return Refused("Meta: error 190: the access token is dead; make a new one for the page")
    # A server's fault keeps its status; anything else that names itself is final.
    return None if status >= 500 else Refused(f"Meta: error {code}: see README")


connector = Connector(
    name="meta",
    title="Meta Lead Ads",
    docs="https://developers.facebook.com/docs/graph-api/webhooks/getting-started/webhooks-for-leadgen",
    signature=Hmac("X-Hub-Signature-256", shape="sha256={digest}"),
    parse=parse,
    fields={
        "email": "email",
        "work_email": "email",
        "phone_number": "phone",
        "work_phone_number": "phone",
        "full_name": "full_name",
        "first_name": "first_name",
        "last_name": "last_name",
        "company_name": "company",
        "job_title": "job_title",
        "website": "website",
        "street_address": "street",
        "city": "city",
        "state": "region",
        "province": "region",
        "post_code": "postal_code",
        "zip_code": "postal_code",
        "country": "country",
    },
    handshake=handshake,
    fetch=fetch,
    api=Api(
        url="https://graph.facebook.com/{api_version}",
        authorise=authorise,
        refusal=refusal,
    ),
    statuses=Statuses(unverified=403),
    options={"api_version": "v25.0"},
)
