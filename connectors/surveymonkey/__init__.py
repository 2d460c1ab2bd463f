"""SurveyMonkey: the notice names a response; the API has it, and the survey has what it means."""

import json
import re
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
    Submission,
    Subscription,
    Window,
    Withdrawal,
    answers_of,
    as_text,
    bearer,
    campaign_key,
    consents_of,
    filled,
    forms_of,
    page_of_each,
    read_json,
    spellings,
    subscription_of,
)

READ_EVENTS = frozenset(
    {
        "response_completed",
        "response_updated",
        "response_disqualified",
        "response_overquota",
    }
)
ID = re.compile(r"[0-9]{1,30}")

# The rows of a contact information question.
HINTS = {
    "name": "full_name",
    "company": "company",
    "address": "street",
    "city": "city",
    "state": "region",
    "zip": "postal_code",
    "country": "country",
    "email": "email",
    "phone": "phone",
}
SPELLINGS = spellings()

PREVIEWS = frozenset({"preview", "survey_preview"})

PAGE_SIZE = 50
"""Responses asked for at once; the API gives up to 100."""

MOST_HOOKS = 50
"""Webhooks looked at in search of our own; each is a call."""


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one response that a notice names, or that it was deleted.

    Args:
        request: body is `{"event_type", "object_type": "response", "object_id", "event_datetime",
            "resources": {"survey_id", ...}}`; its content type is SurveyMonkey's own.
        options: `statuses` are those of the responses wanted; `consents` names the purpose of
            questions that ask for consent.

    Returns:
        A thin submission, or a withdrawal for response_deleted; nothing for other notices.
    """
    notice = request.json()
    event, response_id = notice["event_type"], as_text(notice["object_id"])
    if notice["object_type"] != "response":
        return []
    if event == "response_deleted":
        deleted_at = notice["event_datetime"]
        reason = "deleted at SurveyMonkey"
        return [Withdrawal(external_id=response_id, withdrawn_at=deleted_at, reason=reason)]
    if event not in READ_EVENTS:
        return []
    survey_id = as_text(notice["resources"]["survey_id"])
    if not ID.fullmatch(response_id) or not ID.fullmatch(survey_id):
        raise ValueError("an id is no number")
    return [
        Submission(
            external_id=response_id,
            revision=f"event-{as_text(notice['event_id'])}",
            submitted_at=notice["event_datetime"],
            form=survey_id,
            lookup={
                "response_id": response_id,
                "survey_id": survey_id,
                "statuses": " ".join(options["statuses"]),
                "consents": json.dumps(dict(options["consents"])),
            },
        )
    ]


def fetch(submission: Submission, get: Get) -> Submission | None:
    """Read a response and its survey; None for a response in a status that is not wanted."""
    asked = submission.lookup
    survey = asked["survey_id"]
    response = get(f"surveys/{survey}/responses/{asked['response_id']}/details")
    if response["response_status"] not in asked["statuses"].split():
        return None
    details = get(f"surveys/{survey}/details")
    purposes = read_json(asked["consents"])
    return _submission(response, details, purposes, submitted_at=submission.submitted_at)


def _submission(
    response: Json, survey: Json, purposes: Mapping[str, str], submitted_at: Any
) -> Submission:
    """Join a response with its survey.

    Args:
        response: with all answers, by the ids of questions, rows, columns and choices.
        survey: with the questions that were answered, at least.
        purposes: of questions that ask for consent, by answer key.
        submitted_at: by the notice, or when the response was last changed.
    """
    questions = {question["id"]: question for question in _questions(survey)}
    texts: dict[str, list[str]] = {}
    labels, hints = {}, {}
    for answered in _questions(response):
        question = questions.get(answered["id"], {})
        for key, label, hint, text in _answers(answered, question):
            texts.setdefault(key, []).append(text)
            labels[key] = label
            hints[key] = hint
    custom = {as_text(k): as_text(v) for k, v in (response.get("custom_variables") or {}).items()}
    status = as_text(response["response_status"])
    answers = answers_of({**texts, **_known(response, custom, status)})
    campaign = {campaign_key(name): text for name, text in custom.items() if campaign_key(name)}
    return Submission(
        external_id=as_text(response["id"]),
        # A response may be gone on with, and may be edited.
        revision=as_text(response["date_modified"]),
        submitted_at=submitted_at,
        form=as_text(response["survey_id"]),
        form_title=as_text(survey.get("title")),
        answers=answers,
        labels=filled(labels, answers),
        hints=filled(hints, answers),
        campaign=filled(campaign),
        consents=consents_of(texts, purposes, labels),
        is_partial=status == "partial",
        is_test=response.get("collection_mode") in PREVIEWS,
    )


def _known(response: Json, custom: Mapping[str, str], status: str) -> dict[str, tuple[str, ...]]:
    """Give what is known beside the answers: the address's variables, whom the survey was sent."""
    contact = (response.get("metadata") or {}).get("contact") or {}
    known = {f"custom.{name}": text for name, text in custom.items() if not campaign_key(name)}
    known |= {f"contact.{name}": as_text(told.get("value")) for name, told in contact.items()}
    known["custom_value"] = as_text(response.get("custom_value"))
    known["status"] = "" if status in {"completed", "partial"} else status
    return {key: (text,) for key, text in known.items()}


def _questions(holder: Json) -> Iterator[Json]:
    """Walk the questions of a survey or of a response."""
    for page in holder.get("pages") or ():
        yield from page.get("questions") or ()


def _answers(answered: Json, question: Json) -> Iterator[tuple[str, str, str, str]]:
    """Give key, label, contact field and text of each answer to a question."""
    parts = _parts(question)
    headings = question.get("headings") or [{}]
    heading = as_text(headings[0].get("heading"))
    is_email = (question.get("validation") or {}).get("type") == "email"
    own_hint = "email" if is_email else SPELLINGS.get(heading, "")
    for answer in answered.get("answers") or ():
        row = parts.get(answer.get("row_id"), {})
        column = parts.get(answer.get("col_id"), {})
        # Contact rows are known by their type, which says more than an id.
        names = (row.get("type") or answer.get("row_id"), answer.get("col_id"))
        key = ".".join([f"q{as_text(answered['id'])}", *filter(None, map(as_text, names))])
        shown = filter(None, (heading, as_text(row.get("text")), as_text(column.get("text"))))
        hint = HINTS.get(as_text(row.get("type")), "") if answer.get("row_id") else own_hint
        yield key, ": ".join(shown), hint, _text(answer, parts)


def _text(answer: Json, parts: Mapping[Any, Json]) -> str:
    """Give what was written, or what stands beside the choice; a star has a weight alone."""
    written = as_text(answer.get("text")) or as_text(answer.get("download_url"))
    if written or not answer.get("choice_id"):
        return written
    choice = parts.get(answer["choice_id"], {})
    shown = as_text(choice.get("text")) or as_text(choice.get("weight"))
    return shown or as_text(answer["choice_id"])


def _parts(question: Json) -> dict[Any, Json]:
    """Give rows, columns and choices of a question by their ids, which are all different."""
    told = question.get("answers") or {}
    columns = told.get("cols") or ()
    inner = [choice for column in columns for choice in column.get("choices") or ()]
    listed = (*(told.get("rows") or ()), *columns, *(told.get("choices") or ()), *inner)
    return {part["id"]: part for part in listed}


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read a page of the responses to the surveys that the option `forms` names.

    What was changed within the window is read: a response is sent when it is finished, maybe days
    after it was begun. As api.surveymonkey.com/v3/docs says, read in October 2026.
    """
    asked = {
        "start_modified_at": _instant(window.since),
        "end_modified_at": _instant(window.until),
        "sort_by": "date_modified",
        "sort_order": "ASC",
        "per_page": str(PAGE_SIZE),
    }

    def page_of(survey: str, number: str) -> Page:
        found = get(f"surveys/{survey}/responses/bulk", {**asked, "page": number or "1"})
        wanted = [r for r in found["data"] if r["response_status"] in options["statuses"]]
        details = get(f"surveys/{survey}/details") if wanted else {}
        items = tuple({"response": r, "survey": _brief(details, r)} for r in wanted)
        is_more = "next" in (found.get("links") or {})
        return Page(items, str(int(number or "1") + 1) if is_more else "")

    return page_of_each(forms_of(options), at, page_of)


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def _brief(survey: Json, response: Json) -> Json:
    """Leave of a survey what a response needs, for it is kept with each."""
    answered = {question["id"] for question in _questions(response)}
    needed = ("id", "headings", "validation", "answers")
    questions = [
        {key: question[key] for key in needed if key in question}
        for question in _questions(survey)
        if question["id"] in answered
    ]
    return {"title": survey.get("title"), "pages": [{"questions": questions}]}


def listed(item: Any, options: Options) -> Submission:
    """Read a response of the list."""
    response = item["response"]
    changed_at = response["date_modified"]
    return _submission(response, item["survey"], options["consents"], submitted_at=changed_at)


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Say whether a webhook for completed responses of each survey is there.

    A webhook for collectors counts for every survey, for it names no survey.
    """
    surveys = forms_of(options)
    hooks: dict[str, list[tuple[str, bool]]] = {survey: [] for survey in surveys}
    for told in get("webhooks", {"per_page": str(MOST_HOOKS)})["data"]:
        hook = get(f"webhooks/{as_text(told['id'])}")
        if hook["event_type"] != "response_completed":
            continue
        is_for_collectors = hook.get("object_type") == "collector"
        for survey in surveys if is_for_collectors else map(as_text, hook["object_ids"]):
            hooks.setdefault(survey, []).append((as_text(hook["subscription_url"]), True))
    return subscription_of(address, {survey: hooks[survey] for survey in surveys})


connector = Connector(
    name="surveymonkey",
    title="SurveyMonkey",
    docs="https://api.surveymonkey.com/v3/docs#webhooks",
    # The key is client id and client secret with & between them; so is the secret.
    signature=Hmac("Sm-Signature", algorithm="sha1", encoding="base64"),
    parse=parse,
    fields={
        **{f"custom.{spelling}": field for spelling, field in SPELLINGS.items()},
        **{f"contact.{spelling}": field for spelling, field in SPELLINGS.items()},
    },
    fetch=fetch,
    # Accounts in the EU have api.eu.surveymonkey.com/v3, in Canada api.surveymonkey.ca/v3.
    api=Api(url="https://api.surveymonkey.com/v3", authorise=bearer),
    backfill=Backfill(page=page, parse=listed, keeps_days=365, calls_per_minute=60),
    subscription=subscription,
    options={"forms": [], "statuses": ["completed"], "consents": {}},
)
