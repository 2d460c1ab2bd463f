"""Pinterest: lead ads; a push is encrypted, the API has the key and what the form asks."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.connector import (
    UNSIGNED,
    Act,
    Api,
    Connector,
    Get,
    Gone,
    Json,
    Malformed,
    Misconfigured,
    Options,
    Request,
    Statuses,
    Submission,
    Subscription,
    answers_of,
    as_text,
    bearer,
    campaign_of,
    consents_of,
    digest_of,
    each,
    first,
    flatten,
    moment_of,
    read_json,
    spellings,
)
from connectors.pinterest.sealed import opened

# The API description (v5, 5.23.0) and the page on lead ads, read November 2026, say: a push is
# a list, its data is encrypted with AES-256-GCM, and these ids are among its members. All other
# names below are guesses, tried one after the other; a delivery that fits none is quarantined.
ID_NAMES = ("lead_id",)
AT_NAMES = ("created_time", "created_at", "submitted_at", "creation_time", "timestamp")
FORM_NAMES = ("lead_form_id", "form_id")
ANSWER_LISTS = ("answers", "lead_data", "field_data", "questions", "responses")
QUESTION_NAMES = ("custom_question_label", "question", "question_type", "label", "name", "key")
VALUE_NAMES = ("answer", "answers", "value", "values", "response")
NOT_ANSWERS = frozenset(
    {
        *(*ID_NAMES, *AT_NAMES, *FORM_NAMES),
        *("advertiser_id", "ad_account_id", "campaign_id", "ad_group_id", "ad_id"),
        *("subscription_id", "user_account_id", "api_version"),
    }
)

MOST_SUBSCRIPTIONS = 250
CUSTOM = "CUSTOM"


def parse(request: Request, options: Options) -> list[Act]:
    """Name the leads that a push holds, still sealed.

    Args:
        request: body is a JSON list of leads, one lead, or the sealed text alone.
        options: `ad_account_id`.

    Returns:
        One thin submission for each lead, with all of it as it came in its lookup.
    """
    try:
        push = request.json()
    except Malformed:
        push = request.text().strip()
    if isinstance(push, list):
        return each(push, lambda lead: _thin(lead, request, options), "Pinterest: item")
    return [_thin(push, request, options)]


def _thin(lead: Any, request: Request, options: Options) -> Submission:
    if not isinstance(lead, Mapping | str) or not lead:
        raise Malformed("Pinterest: expected an object or a sealed text")
    texts = flatten(lead) if isinstance(lead, Mapping) else {}
    return Submission(
        # Where the lead's id is sealed too, only a push that comes again byte for byte is known
        # to be the same.
        external_id=first(texts, *ID_NAMES) or digest_of(lead),
        submitted_at=moment_of(first(texts, *AT_NAMES), request.received_at),
        form=first(texts, *FORM_NAMES),
        campaign=_campaign(texts),
        lookup={
            "lead": json.dumps(lead),
            "ad_account_id": as_text(options["ad_account_id"]),
            "consents": json.dumps(dict(options["consents"])),
        },
    )


def _campaign(texts: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    named = {"campaign_id": "campaign_id", "adset_id": "ad_group_id", "ad_id": "ad_id"}
    return campaign_of({**{k: first(texts, v) for k, v in named.items()}, "platform": "pinterest"})


def fetch(submission: Submission, get: Get) -> Submission:
    """Open a lead with the key of its subscription, and name its answers by its form.

    Raises:
        Misconfigured: the source does not say which ad account.
        Malformed: no key opens it; it is kept, and can be read once this code knows more.
    """
    account = submission.lookup["ad_account_id"]
    if not account.isdigit():
        raise Misconfigured("Pinterest: set the option ad_account_id")
    pushed = json.loads(submission.lookup["lead"])
    keys = [as_text(one["cryptographic_key"]) for one in _subscriptions(get, account)]
    plain = read_json(opened(pushed, keys))
    lead = plain[0] if isinstance(plain, list) and len(plain) == 1 else plain
    if not isinstance(lead, Mapping):
        raise Malformed("Pinterest: what was sealed is no object")
    shown = flatten(pushed) if isinstance(pushed, Mapping) else {}
    texts = {**shown, **flatten(lead)}
    form_id = first(texts, *FORM_NAMES)
    form = _form(get, account, form_id) if form_id.isdigit() else {}
    answers, labels = _answers(lead, form)
    if not any(answers.values()):
        raise Malformed("Pinterest: what was sealed holds no answers that we know to find")
    return Submission(
        external_id=submission.external_id,
        submitted_at=moment_of(first(texts, *AT_NAMES), submission.submitted_at),
        form=form_id,
        form_title=as_text(form.get("name")),
        answers=answers_of(answers),
        labels=labels,
        campaign=_campaign(texts),
        consents=consents_of(answers, json.loads(submission.lookup["consents"])),
    )


def _subscriptions(get: Get, account: str) -> list[Json]:
    """Read the account's subscriptions; each tells its key."""
    asked = {"page_size": str(MOST_SUBSCRIPTIONS)}
    found: list[Json] = get(f"ad_accounts/{account}/leads/subscriptions", asked)["items"]
    return found


def _form(get: Get, account: str, form_id: str) -> Json:
    """Read a form; nothing when it is gone."""
    try:
        form: Json = get(f"ad_accounts/{account}/lead_forms/{form_id}")
    except Gone:
        return {}
    return form


def _answers(lead: Json, form: Json) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Read the answers, by type or text of the question, and the questions' texts.

    Answers without a question belong to the form's questions in their order.
    """
    questions = list(form.get("questions") or ())
    given = next((lead[name] for name in ANSWER_LISTS if lead.get(name)), None)
    if given is None:
        flat = {key: value for key, value in lead.items() if key not in NOT_ANSWERS}
        return flatten(flat), {}
    if isinstance(given, Mapping):
        return flatten(given), {}
    answers: dict[str, tuple[str, ...]] = {}
    labels: dict[str, str] = {}
    for number, item in enumerate(given):
        question = questions[number] if number < len(questions) else {}
        if isinstance(item, Mapping):
            question = item if any(item.get(name) for name in QUESTION_NAMES) else question
            value = next((item[name] for name in VALUE_NAMES if name in item), "")
        else:
            value = item
        key = _key(question) or f"answer_{number + 1}"
        answers[key] = answers.get(key, ()) + tuple(_texts(value))
        if label := as_text(question.get("custom_question_label")):
            labels[key] = label
    return answers, labels


def _key(question: Json) -> str:
    """Name a question: Pinterest's own by its type, the author's by its text."""
    kind = as_text(question.get("question_type"))
    if kind and kind != CUSTOM:
        return kind
    named = (as_text(question.get(name)) for name in QUESTION_NAMES)
    return next((name for name in named if name and name != CUSTOM), "")


def _texts(value: Any) -> Iterator[str]:
    yield from (as_text(item) for item in (value if isinstance(value, list) else [value]))


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look for our address among the ad account's subscriptions.

    Raises:
        Misconfigured: the source does not say which ad account.
    """
    account = as_text(options["ad_account_id"])
    if not account.isdigit():
        raise Misconfigured("Pinterest: set the option ad_account_id")
    found = [one for one in _subscriptions(get, account) if one.get("webhook_url") == address]
    if not found:
        return Subscription(False, "no subscription to this address; create it again")
    forms = [as_text(one.get("lead_form_id")) or "all" for one in found]
    return Subscription(True, f"subscriptions for forms: {', '.join(forms)}")


connector = Connector(
    name="pinterest",
    title="Pinterest Lead Ads",
    docs="https://developers.pinterest.com/docs/work-with-ads/lead-ads/",
    facts="recalled",
    # Pinterest signs nothing. The address keeps strangers off; what proves a lead is that it
    # opens, for nobody can seal without the key.
    signature=UNSIGNED["address"],
    schemes=UNSIGNED,
    parse=parse,
    fields={**spellings(), "STATE_PROVINCE": "region"},
    fetch=fetch,
    api=Api(
        url="https://api.pinterest.com/v5",
        authorise=bearer,
        token_url="https://api.pinterest.com/v5/oauth/token",  # noqa: S106
    ),
    subscription=subscription,
    # Only 429 and 5xx come again (developers.pinterest.com/docs/work-with-ads/lead-ads, read
    # November 2026), so whatever an admin can mend is answered 503.
    statuses=Statuses(unknown_source=503, switched_off=503, unverified=503),
    options={"scheme": "address", "ad_account_id": "", "consents": {}},
)
