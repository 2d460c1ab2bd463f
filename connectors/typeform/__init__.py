"""Typeform: one webhook for each finished form, and for each unfinished one if asked for."""

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from typing import Any

from chalicelib.connector import (
    Act,
    Answer,
    Api,
    Backfill,
    Connector,
    Consent,
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
    as_text,
    bearer,
    campaign_of,
    digest_of,
    flatten,
    forms_of,
    page_of_each,
    spellings,
    subscription_of,
)

FINISHED = "form_response"
UNFINISHED = "form_response_partial"

# What says which question it is; subfield_key names a part of a contact or address block.
DEFINING = ("id", "ref", "type", "title", "subfield_key")

PAGE_SIZE = 50
"""Responses asked for at once; the API gives up to 1000."""

# What Typeform itself knows of a question: its type, or its part in a contact or address block.
HINTS = {
    "email": "email",
    "phone_number": "phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "company": "company",
    "address": "street",
    "city": "city",
    "state": "region",
    "zip_code": "postal_code",
    "country": "country",
}


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one response that a Typeform webhook carries.

    Args:
        request: body is `{"event_type": "form_response", "form_response": {...}}`.
        options: `consents` names the purpose of yes/no and legal questions by their ref.

    Returns:
        One submission, its answers keyed by question ref; none for any other event. An unfinished
        form has the same external id as the finished one that may follow.
    """
    event = request.json()
    if event["event_type"] == FINISHED:
        return [_finished(event["form_response"], options)]
    if event["event_type"] != UNFINISHED:
        return []
    response = event["form_response"]
    return [
        _submission(
            response,
            options,
            # An unfinished form may tell more each time, and has not been submitted.
            revision=f"partial-{digest_of(response.get('answers'))[:16]}",
            submitted_at=request.received_at,
            is_partial=True,
        )
    ]


def _finished(response: Json, options: Options) -> Submission:
    """Read a finished form, from a webhook or from the Responses API."""
    return _submission(response, options, submitted_at=response["submitted_at"])


def _submission(response: Json, options: Options, **more: Any) -> Submission:
    """Read a response with the definition of its form; more is said of it by name."""
    definition = response.get("definition") or {}
    questions = {_key(question): question for question in _questions(definition)}
    given = {_key(answer["field"]): answer for answer in response.get("answers") or []}
    hidden = response.get("hidden") or {}
    answers = {key: _value(answer) for key, answer in given.items()}
    return Submission(
        external_id=response["token"],
        form=response["form_id"],
        form_title=as_text(definition.get("title")),
        answers={**answers, **_hidden(hidden), **_variables(response)},
        labels={
            key: as_text(question.get("title"))
            for key, question in questions.items()
            if key in given
        },
        hints=_hints(given, questions),
        campaign=campaign_of(hidden),
        consents=tuple(_consents(given, questions, options)),
        **more,
    )


def _key(field: Mapping[str, Any]) -> str:
    """Give what tells a question from others for good: the author's ref, else Typeform's id."""
    return as_text(field.get("ref")) or as_text(field["id"])


def _questions(holder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Walk all questions of a form, also those inside groups and contact blocks."""
    for question in holder.get("fields") or []:
        yield question
        yield from _questions(question.get("properties") or {})


def _hints(given: Mapping[str, Any], questions: Mapping[str, Any]) -> dict[str, str]:
    """Say which answers are contact fields, for authors who did not name their questions."""
    hints = {}
    for key, answer in given.items():
        question = questions.get(key, {})
        part = as_text(question.get("subfield_key")) or as_text(answer["field"].get("type"))
        if part in HINTS:
            hints[key] = HINTS[part]
    return hints


def _value(answer: Mapping[str, Any]) -> Answer:
    """Give an answer as text; what could be picked several times as several texts."""
    value = answer[answer["type"]]
    if answer["type"] == "choice":
        return as_text(value.get("label")) or as_text(value.get("other"))
    if answer["type"] == "choices":
        other = as_text(value.get("other"))
        picked = (as_text(label) for label in value.get("labels") or [])
        return tuple(filter(None, [*picked, other]))
    if isinstance(value, Mapping):
        return tuple(f"{key}: {text}" for key, texts in flatten(value).items() for text in texts)
    if isinstance(value, list):
        return tuple(as_text(item) for item in value)
    return as_text(value)


def _hidden(hidden: Mapping[str, Any]) -> dict[str, Answer]:
    """Keep the hidden fields that say something else than the campaign."""
    rest = {key: as_text(value) for key, value in hidden.items() if key not in campaign_of(hidden)}
    return {f"hidden.{key}": text for key, text in rest.items() if text}


def _variables(response: Mapping[str, Any]) -> dict[str, Answer]:
    """Keep what the form itself worked out, such as its own score."""
    return {
        f"variables.{as_text(variable['key'])}": as_text(variable[variable["type"]])
        for variable in response.get("variables") or []
    }


def _consents(
    given: Mapping[str, Any], questions: Mapping[str, Any], options: Options
) -> Iterator[Consent]:
    """Read the answers to legal questions, and to those that the admin says ask for consent."""
    purposes = options["consents"]
    for key, answer in given.items():
        is_legal = answer["field"].get("type") == "legal"
        if answer["type"] == "boolean" and (is_legal or key in purposes):
            yield Consent(
                purpose=purposes.get(key, "legal"),
                given=answer["boolean"],
                wording=as_text(questions.get(key, {}).get("title")),
                evidence=key,
            )


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read a page of the finished responses of the forms that the option `forms` names.

    Responses are walked backwards from the newest: `before` names the last one seen. What and how
    was read at www.typeform.com/developers/responses in October 2026.
    """

    def page_of(form: str, before: str) -> Page:
        params = {
            "page_size": str(PAGE_SIZE),
            "since": f"{window.since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
            # Whole seconds only, and none of the last one may be left out.
            "until": f"{window.until.astimezone(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}Z",
        }
        if before:
            params["before"] = before
        responses = get(f"forms/{form}/responses", params)["items"]
        definition = _brief(get(f"forms/{form}")) if responses else {}
        items = tuple({**item, "form_id": form, "definition": definition} for item in responses)
        return Page(items, as_text(responses[-1]["token"]) if len(items) >= PAGE_SIZE else "")

    return page_of_each(forms_of(options), at, page_of)


def _brief(holder: Json) -> Json:
    """Leave what a webhook's definition has of a form or a question, not its looks and logic."""
    kept = {key: holder[key] for key in DEFINING if key in holder}
    questions = holder.get("fields") or (holder.get("properties") or {}).get("fields") or ()
    inner = {"fields": [_brief(question) for question in questions]}
    is_form = "fields" in holder
    return {**kept, **inner} if is_form else {**kept, "properties": inner}


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Say whether each form still sends to us: Typeform switches webhooks off by itself."""
    hooks = {
        form: [
            (as_text(hook["url"]), hook.get("enabled") is True)
            for hook in get(f"forms/{form}/webhooks")["items"]
        ]
        for form in forms_of(options)
    }
    return subscription_of(address, hooks)


connector = Connector(
    name="typeform",
    title="Typeform",
    docs="https://www.typeform.com/developers/webhooks/",
    signature=Hmac("Typeform-Signature", shape="sha256={digest}", encoding="base64"),
    parse=parse,
    fields={
        **spellings(),
        **{f"hidden.{spelling}": field for spelling, field in spellings().items()},
    },
    # 404 and 410 switch the customer's webhook off at once; 403 is tried again for hours.
    statuses=Statuses(unknown_source=403, switched_off=403),
    # Accounts in the EU have api.eu.typeform.com. Two calls a second are allowed.
    api=Api(url="https://api.typeform.com", authorise=bearer),
    backfill=Backfill(page=page, parse=_finished, keeps_days=365, calls_per_minute=60),
    subscription=subscription,
    options={"consents": {}, "forms": []},
)
