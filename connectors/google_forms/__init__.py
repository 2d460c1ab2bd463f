"""Google Forms: a script that posts each answer, or Google's notice that there is something new."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.connector import (
    Act,
    Answer,
    Api,
    Backfill,
    Connector,
    Consent,
    Get,
    GoogleToken,
    Hmac,
    Json,
    Nudge,
    Options,
    Page,
    Request,
    Submission,
    Window,
    as_text,
    bearer,
    campaign_of,
    forms_of,
    is_yes,
    moment_of,
    page_of_each,
    spellings,
)

MOST_ON_A_PAGE = 500


def parse(request: Request, options: Options) -> list[Act]:
    """Read what our script sends of one response, or that the list has something new.

    Args:
        request: body is `{"responseId", "formId", "answers": [{"itemId", "title", "type",
            "value"}]}` of the script in the README, or `{"message": {"attributes": {...}}}` of
            Cloud Pub/Sub.
        options: `consents` names the purpose of questions by their ids.

    Returns:
        One submission; for a notice a nudge, since one may stand for several responses; nothing
        for a changed form.
    """
    body = request.json()
    if "message" in body:
        attributes = body["message"]["attributes"]
        return (
            [Nudge(external_id=attributes["formId"])]
            if attributes["eventType"] == "RESPONSES"
            else []
        )
    items = {as_text(item["itemId"]): item for item in body["answers"]}
    return [
        _submission(
            response_id=body["responseId"],
            submitted_at=as_text(body["submittedAt"]),
            form=(body["formId"], as_text(body.get("formTitle"))),
            email=as_text(body.get("respondentEmail")),
            answers={key: _texts(item["value"]) for key, item in items.items()},
            titles={key: as_text(item.get("title")) for key, item in items.items()},
            request=request,
            options=options,
        )
    ]


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read a page of a form's responses, each with the titles of the form's questions."""

    def of_form(form_id: str, token: str) -> Page:
        since = f"{window.since:%Y-%m-%dT%H:%M:%SZ}"
        asked = {"pageSize": str(MOST_ON_A_PAGE), "filter": f"timestamp >= {since}"}
        found = get(
            f"forms/{form_id}/responses", {**asked, **({"pageToken": token} if token else {})}
        )
        form = get(f"forms/{form_id}")
        shown = {
            "formId": form_id,
            "title": as_text((form.get("info") or {}).get("title")),
            "titles": dict(_titles(form)),
        }
        items = tuple({"form": shown, "response": one} for one in found.get("responses") or ())
        inside = tuple(one for one in items if window.holds(_at(one["response"], window)))
        return Page(inside, as_text(found.get("nextPageToken")))

    return page_of_each(forms_of(options), at, of_form)


def parse_listed(item: Json, options: Options) -> Act:
    """Read one response of the list."""
    form, response = item["form"], item["response"]
    answers = {
        as_text(answer["questionId"]): _given(answer)
        for answer in (response.get("answers") or {}).values()
    }
    return _submission(
        response_id=response["responseId"],
        submitted_at=as_text(response["lastSubmittedTime"]),
        form=(form["formId"], form["title"]),
        email=as_text(response.get("respondentEmail")),
        answers=answers,
        titles=form["titles"],
        request=None,
        options=options,
    )


def _submission(
    *,
    response_id: str,
    submitted_at: str,
    form: tuple[str, str],
    email: str,
    answers: Mapping[str, Answer],
    titles: Mapping[str, str],
    request: Request | None,
    options: Options,
) -> Submission:
    """Make a submission of what both ways tell.

    Args:
        response_id: stays when a response is edited.
        submitted_at: changes when it is.
        form: its id and title.
        email: of the respondent, if the form collects it.
        answers: by question.
        titles: of the questions; utm_source and the like are told by their title, for a form has
            no hidden fields and such are questions filled in by the link.
        request: with the time that a script's may not be later than.
        options: the source's.
    """
    usual = spellings()
    campaign = campaign_of({title: answers[key] for key, title in titles.items() if key in answers})
    given = {
        key: answer for key, answer in answers.items() if answer and titles.get(key) not in campaign
    }
    at = moment_of(submitted_at, request.received_at) if request else submitted_at
    return Submission(
        external_id=response_id,
        revision=submitted_at,
        submitted_at=at,
        form=form[0],
        form_title=form[1],
        answers={**({"respondent_email": email} if email else {}), **given},
        labels={key: titles[key] for key in given if titles.get(key)},
        hints={key: usual[titles[key]] for key in given if titles.get(key) in usual},
        campaign=campaign,
        consents=tuple(_consents(given, titles, options)),
    )


def _consents(
    answers: Mapping[str, Answer], titles: Mapping[str, str], options: Options
) -> Iterator[Consent]:
    """Read the questions that the admin says ask for consent; a ticked box says its own text."""
    for key, purpose in options["consents"].items():
        if key in titles:
            text = answers.get(key, "")
            said = text if isinstance(text, str) else "; ".join(text)
            is_ticked = is_yes(said) or said in options["consent_texts"]
            yield Consent(purpose=purpose, given=is_ticked, wording=titles[key], evidence=key)


def _texts(value: Any) -> Answer:
    """Give a script's value: a text, several, or a table of them."""
    if isinstance(value, list):
        return tuple(
            ", ".join(map(as_text, one)) if isinstance(one, list) else as_text(one) for one in value
        )
    return as_text(value)


def _given(answer: Json) -> Answer:
    """Give a listed answer: its texts, or the names of its files."""
    texts = (answer.get("textAnswers") or {}).get("answers") or ()
    files = (answer.get("fileUploadAnswers") or {}).get("answers") or ()
    told = tuple(as_text(text["value"]) for text in texts)
    told += tuple(as_text(file.get("fileName")) for file in files)
    return told[0] if len(told) == 1 else told


def _titles(form: Json) -> Iterator[tuple[str, str]]:
    """Walk a form's questions; the rows of a table are questions of their own."""
    for item in form.get("items") or ():
        title = as_text(item.get("title"))
        if "questionItem" in item:
            yield as_text(item["questionItem"]["question"]["questionId"]), title
        for row in (item.get("questionGroupItem") or {}).get("questions") or ():
            name = as_text((row.get("rowQuestion") or {}).get("title"))
            yield as_text(row["questionId"]), f"{title}: {name}"


def _at(response: Json, window: Window) -> Any:
    return moment_of(as_text(response["lastSubmittedTime"]), window.until)


SCRIPT = Hmac(
    "X-Leadhub-Signature",
    shape="sha256={digest}",
    signed="{timestamp}.{body}",
    timestamp_header="X-Leadhub-Timestamp",
)
"""Google signs nothing that a script sends; this is what the script in the README does."""

connector = Connector(
    name="google_forms",
    title="Google Forms",
    docs="https://developers.google.com/forms/api/guides/push-notifications",
    signature=SCRIPT,
    schemes={"script": SCRIPT, "push": GoogleToken()},
    parse=parse,
    facts="documented",
    fields={"respondent_email": "email"},
    api=Api(
        url="https://forms.googleapis.com/v1",
        authorise=bearer,
        token_url="https://oauth2.googleapis.com/token",  # noqa: S106, an address
    ),
    backfill=Backfill(page, parse_listed, keeps_days=90, calls_per_minute=60),
    options={"scheme": "script", "forms": (), "consents": {}, "consent_texts": ()},
)
