"""Tally: one webhook for each finished form; picks come as ids, with their texts beside them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.connector import (
    Act,
    Api,
    Backfill,
    Connector,
    Get,
    Hmac,
    Json,
    Options,
    Page,
    Request,
    Statuses,
    Submission,
    Subscription,
    Window,
    answers_of,
    as_text,
    bearer,
    campaign_key,
    consents_of,
    filled,
    flatten,
    forms_of,
    page_of_each,
    spellings,
    subscription_of,
)

HINTS = {
    "INPUT_EMAIL": "email",
    "INPUT_PHONE_NUMBER": "phone",
    "INPUT_PHONE": "phone",
    "INPUT_LINK": "website",
}
SPELLINGS = spellings()

# Rows that are known by their name and not by the id of a question.
NAMED = {"HIDDEN_FIELDS": "hidden", "CALCULATED_FIELDS": "calculated"}

MOST_HOOK_PAGES = 20


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one response that a webhook carries.

    Args:
        request: body is `{"eventType": "FORM_RESPONSE", "data": {"fields": [...]}}`.
        options: `consents` names the purpose of questions that ask for consent by their key.

    Returns:
        One submission, its answers keyed `question_ID` or `hidden.NAME`; none for other events.
    """
    event = request.json()
    if event["eventType"] != "FORM_RESPONSE":
        return []
    return [_submission(event["data"], options)]


def _submission(data: Json, options: Options) -> Submission:
    """Read the data of a webhook, or what listed makes of the API's."""
    texts: dict[str, tuple[str, ...]] = {}
    labels: dict[str, str] = {}
    hints, campaign = {}, {}
    fields = data["fields"]
    keys = {as_text(field["key"]) for field in fields}
    for field in fields:
        key, label, kind = (as_text(field.get(name)) for name in ("key", "label", "type"))
        if _is_one_option(key, keys, kind, field.get("value")):
            continue
        if kind in NAMED:
            key = f"{NAMED[kind]}.{label}"
        given = flatten({key: _value(field)})
        if kind == "HIDDEN_FIELDS" and campaign_key(label):
            campaign[campaign_key(label)] = " ".join(given.get(key, ()))
            continue
        texts |= given
        if kind not in NAMED:
            labels |= {path: label for path in given if label}
            hints[key] = HINTS.get(kind) or SPELLINGS.get(label) or ""
    answers = answers_of(texts)
    return Submission(
        external_id=as_text(data.get("submissionId")) or as_text(data["responseId"]),
        submitted_at=data["createdAt"],
        form=as_text(data["formId"]),
        form_title=as_text(data.get("formName")),
        answers=answers,
        labels={key: label for key, label in labels.items() if key in answers},
        hints=filled(hints, answers),
        campaign=filled(campaign),
        consents=consents_of(texts, options["consents"], labels),
    )


def _is_one_option(key: str, keys: set[str], kind: str, value: Any) -> bool:
    """Say whether a row only repeats one box of a question whose own row has all that are ticked.

    Such a row is named `question_ID_OPTION` and is true or false.
    """
    is_part = key.rpartition("_")[0] in keys
    return kind == "CHECKBOXES" and isinstance(value, bool) and is_part


def _value(field: Json) -> Any:
    """Give picks and the rows of a matrix by their texts, files by their addresses."""
    value = field.get("value")
    texts = {
        as_text(option["id"]): as_text(option.get("text"))
        for name in ("options", "rows", "columns")
        for option in field.get(name) or ()
    }
    if isinstance(value, Mapping):
        return {texts.get(name) or name: _plain(item, texts) for name, item in value.items()}
    return _plain(value, texts)


def _plain(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_plain(item, texts) for item in value]
    if isinstance(value, Mapping) and "url" in value:
        return value["url"]
    return texts.get(value) or value if isinstance(value, str) else value


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read a page of the finished submissions of the forms that the option `forms` names.

    As developers.tally.so/api-reference/endpoint/forms/submissions/list says, read October 2026.
    """
    asked = {
        "filter": "completed",
        "startDate": _instant(window.since),
        "endDate": _instant(window.until),
    }

    def page_of(form: str, number: str) -> Page:
        found = get(f"forms/{form}/submissions", {**asked, "page": number or "1"})
        told = found["submissions"]
        name = get(f"forms/{form}").get("name") if told else ""
        questions = {as_text(question["id"]): question for question in found["questions"]}
        items = tuple(
            {
                **{key: submission[key] for key in ("id", "submittedAt")},
                "formId": form,
                "formName": name,
                "fields": list(_fields(submission, questions)),
            }
            for submission in told
        )
        return Page(items, str(int(number or "1") + 1) if found["hasMore"] and told else "")

    return page_of_each(forms_of(options), at, page_of)


def _fields(submission: Json, questions: Mapping[str, Json]) -> Iterator[Json]:
    """Write the API's responses as the rows of a webhook; the API gives picks by their texts."""
    for response in submission["responses"]:
        question_id = as_text(response["questionId"])
        question = questions.get(question_id, {})
        kind, value = as_text(question.get("type")), response.get("answer")
        if kind in NAMED and isinstance(value, Mapping):
            for name, item in value.items():
                yield {"key": f"{question_id}_{name}", "label": name, "type": kind, "value": item}
        else:
            key, label = f"question_{question_id}", as_text(question.get("title"))
            yield {"key": key, "label": label, "type": kind, "value": value}


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def listed(item: Any, options: Options) -> Submission:
    """Read a submission of the list."""
    return _submission(
        {**item, "submissionId": item["id"], "createdAt": item["submittedAt"]}, options
    )


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Say whether each form has a webhook to us that is switched on."""
    hooks: dict[str, list[tuple[str, bool]]] = {form: [] for form in forms_of(options)}
    for number in range(1, MOST_HOOK_PAGES + 1):
        found = get("webhooks", {"page": str(number), "limit": "100"})
        for hook in found["webhooks"]:
            told = (as_text(hook["url"]), hook.get("isEnabled") is not False)
            hooks.setdefault(as_text(hook["formId"]), []).append(told)
        if not found.get("hasMore"):
            break
    return subscription_of(address, {form: hooks[form] for form in forms_of(options)})


connector = Connector(
    name="tally",
    title="Tally",
    docs="https://tally.so/help/webhooks",
    signature=Hmac("Tally-Signature", encoding="base64"),
    parse=parse,
    fields={f"hidden.{spelling}": field for spelling, field in SPELLINGS.items()},
    # All but 2xx are the same to Tally: tried five times within 32 hours, then dropped (as
    # tally.so/help/webhooks says, read in October 2026). So the usual status codes do.
    statuses=Statuses(),
    # A hundred calls a minute are allowed.
    api=Api(url="https://api.tally.so", authorise=bearer),
    backfill=Backfill(page=page, parse=listed, keeps_days=365, calls_per_minute=60),
    subscription=subscription,
    options={"forms": [], "consents": {}},
)
