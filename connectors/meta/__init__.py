"""Meta: lead ads of Facebook and Instagram; the notice names leads, the Graph API has them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from chalicelib.connector import (
    CAMPAIGN_KEYS,
    Act,
    Api,
    Backfill,
    Connector,
    Consent,
    Expired,
    Get,
    Gone,
    Hmac,
    Malformed,
    Options,
    Page,
    Refused,
    Reply,
    Request,
    Statuses,
    Submission,
    Subscription,
    TryLater,
    Unverified,
    Window,
    as_text,
    bearer,
    campaign_of,
    each,
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

FORMS_AT_ONCE = 100
LEADS_AT_ONCE = 100


def parse(request: Request, options: Options) -> list[Act]:
    """Read the leads that a page's notice names, up to a thousand.

    Args:
        request: body is `{"object": "page", "entry": [{"changes": [{"field": "leadgen",
            "value": {"leadgen_id", "form_id", "created_time", ...}}]}]}`; ids are texts or numbers.
        options: not used here.

    Returns:
        One thin submission for each lead; none for other objects and other fields.

    Raises:
        Malformed: the notice as a whole has another shape.
    """
    notice = request.json(most_keys=MOST_KEYS)
    if notice["object"] != "page":
        return []
    changes = [change for entry in notice["entry"] for change in entry.get("changes", ())]
    return each(changes, _read_change, "Meta: entry[].changes[]")


def _read_change(change: Mapping[str, Any]) -> Act | None:
    return _thin(change["value"]) if change["field"] == "leadgen" else None


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
    lead = _read_leads(get, submission.lookup["leadgen_id"], {})
    if not lead.get("field_data"):
        # An app that Leads Access Manager does not allow gets a lead without its answers.
        raise Refused(f"Meta: lead {submission.external_id} came without field_data: see README")
    return _whole(submission, lead, _form_name(get, _form_of(submission, lead)))


def _read_leads(get: Get, path: str, params: Mapping[str, str]) -> Any:
    """Read one lead or a page of them, without optional fields if those are refused."""
    try:
        return get(path, {**params, "fields": ",".join(ALL_FIELDS)})
    except Expired:
        raise
    except Refused:
        return get(path, {**params, "fields": ",".join(ESSENTIAL_FIELDS)})


def _form_of(submission: Submission, lead: Mapping[str, Any]) -> str:
    return _id(lead.get("form_id") or submission.form)


def _form_name(get: Get, form: str) -> str:
    """Read what a form is called; nothing where it is gone, or the token may not see forms."""
    try:
        return as_text(get(form, {"fields": "name"}).get("name"))
    except (Gone, Refused):
        return ""


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read a page of one form's leads, the newest first; forms come one after the other.

    Args:
        get: reads the API with the page's token.
        window: when they were created.
        at: JSON: the forms that are left, the first being read, and where in its list; and where
            the list of forms goes on.
        options: `form_ids`, in place of all forms of the page.

    Raises:
        Refused: leads come without answers, see README.
    """
    state = json.loads(at) if at else _forms(get, options, "")
    if not state["forms"]:
        return Page(())
    form, name = state["forms"][0]
    # The list can be asked for what is newer, not for what is older.
    since = int(window.since.timestamp()) - 1
    newer = [{"field": "time_created", "operator": "GREATER_THAN", "value": since}]
    asked = {"filtering": json.dumps(newer), "limit": str(LEADS_AT_ONCE)}
    if state["after"]:
        asked["after"] = state["after"]
    told = _read_leads(get, f"{form}/leads", asked)
    leads = told["data"]
    if leads and not any(lead.get("field_data") for lead in leads):
        raise Refused(f"Meta: leads of form {form} come without field_data: see README")
    items = tuple(
        {"lead": lead, "form": form, "form_name": name}
        for lead in leads
        if _created_at(lead) <= window.until
    )
    after = _after(told) if leads else ""
    if after:
        return Page(items, json.dumps({**state, "after": after}))
    rest = {**state, "forms": state["forms"][1:], "after": ""}
    if not rest["forms"] and rest["forms_after"]:
        rest = _forms(get, options, rest["forms_after"])
    return Page(items, json.dumps(rest) if rest["forms"] else "")


def _forms(get: Get, options: Options, after: str) -> dict[str, Any]:
    """Read forms to go through, with their names: those of the option, or the page's."""
    if options["form_ids"]:
        named = [[_id(form), _form_name(get, _id(form))] for form in options["form_ids"]]
        return {"forms": named, "after": "", "forms_after": ""}
    asked = {"fields": "id,name", "limit": str(FORMS_AT_ONCE)}
    told = get("me/leadgen_forms", {**asked, "after": after} if after else asked)
    named = [[_id(form["id"]), as_text(form.get("name"))] for form in told["data"]]
    return {"forms": named, "after": "", "forms_after": _after(told)}


def _after(told: Mapping[str, Any]) -> str:
    """Give the cursor of the page after; empty on the last, which has one all the same."""
    paging = told.get("paging") or {}
    return as_text((paging.get("cursors") or {}).get("after")) if paging.get("next") else ""


def _created_at(lead: Mapping[str, Any]) -> datetime:
    """Read `2027-01-01T00:00:00+0000`; a lead without a time counts as old, not as to come."""
    created = lead.get("created_time")
    return datetime.fromisoformat(created) if created else datetime.min.replace(tzinfo=UTC)


def parse_listed(item: Any, options: Options) -> Act:
    """Read a lead of a form's list, as its notice would have been read."""
    lead = item["lead"]
    if not lead.get("field_data"):
        raise Malformed("Meta: a lead came without field_data: see README")
    thin = Submission(
        external_id=_id(lead["id"]), submitted_at=lead["created_time"], form=_id(item["form"])
    )
    return _whole(thin, lead, item["form_name"])


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Ask whether the app is installed on the page for leads, and when its token ends."""
    expires_at, app_id = _token(get)
    apps = get("me/subscribed_apps", {"fields": "id,name,subscribed_fields"})["data"]
    ours = [app for app in apps if not app_id or as_text(app.get("id")) == app_id]
    if not any("leadgen" in (app.get("subscribed_fields") or ()) for app in ours):
        detail = "the app is not installed on the page for leadgen: POST /{page}/subscribed_apps"
        return Subscription(False, detail, expires_at)
    return Subscription(True, "the app is installed on the page for leadgen", expires_at)


def _token(get: Get) -> tuple[datetime | None, str]:
    """Ask when the page's token ends, or its access to data, and which app it is of."""
    try:
        told = get("debug_token", {"input_token": "{token}"})["data"]
    except Expired:
        raise
    except Refused:
        # Not every token may be asked about with itself.
        return None, ""
    if told.get("is_valid") is False:
        raise Expired("Meta: the access token is dead; make a new one for the page")
    ends = [told.get("expires_at"), told.get("data_access_expires_at")]
    # Zero means never.
    known = [int(moment) for moment in ends if moment]
    expires_at = datetime.fromtimestamp(min(known), UTC) if known else None
    return expires_at, as_text(told.get("app_id"))


def _whole(submission: Submission, lead: Mapping[str, Any], form_name: str) -> Submission:
    """Put what the Graph API says into a submission."""
    answers = {entry["name"]: _answer(entry["values"]) for entry in lead["field_data"]}
    # A form's tracking parameters come back among the answers.
    tracked = {key: answers.pop(key) for key in UTM_KEYS if isinstance(answers.get(key), str)}
    texts = [text for value in answers.values() for text in _texts(value)]
    return Submission(
        external_id=submission.external_id,
        submitted_at=lead.get("created_time") or submission.submitted_at,
        form=_form_of(submission, lead),
        form_title=form_name,
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
    headers, _ = bearer(token, secret)
    return headers, {"appsecret_proof": hex_hmac_sha256(secret, token)}


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
        return Expired("Meta: error 190: the access token is dead; make a new one for the page")
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
    backfill=Backfill(page=page, parse=parse_listed, keeps_days=90, calls_per_minute=60),
    subscription=subscription,
    # Meta tries anything but 200 again for 36 hours, and takes callbacks that fail for long off its
    # list, as is publicly known; being switched off does not call for that, and the forms' lists
    # have what was missed.
    statuses=Statuses(switched_off=200, unverified=403),
    options={"api_version": "v25.0", "form_ids": ()},
)
