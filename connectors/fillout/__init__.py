"""Fillout: one webhook for each submission, wrapped or bare; nothing signs it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.connector import (
    UNSIGNED,
    Act,
    Api,
    Backfill,
    Connector,
    Get,
    Json,
    Options,
    Page,
    Request,
    Submission,
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
)

HINTS = {"EmailInput": "email", "PhoneNumber": "phone", "URLInput": "website"}

# The parts of addresses, and of who booked a meeting.
PARTS = {
    "address": "street",
    "city": "city",
    "state": "region",
    "zipCode": "postal_code",
    "country": "country",
    "fullName": "full_name",
    "email": "email",
}
SPELLINGS = spellings()

# Rows like questions, kept beside them.
SECTIONS = ("calculations", "scheduling", "payments")

PAGE_SIZE = 50
"""Submissions asked for at once; the API gives up to 150."""


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one submission that a webhook carries.

    Args:
        request: body is `{"formId", "formName", "submission": {...}}`, or the submission itself.
        options: `consents` names the purpose of questions that ask for consent by their id.

    Returns:
        One submission, its answers keyed by question id.
    """
    return [_submission(request.json(), options)]


def _submission(payload: Json, options: Options) -> Submission:
    """Read a submission, from a webhook or from the API's list."""
    told = payload.get("submission", payload)
    texts: dict[str, tuple[str, ...]] = {}
    hints, labels = {}, {}
    for key, label, kind, value in _rows(told):
        given = flatten({key: _plain(value)})
        texts |= given
        for path in given:
            hint = HINTS.get(kind) or SPELLINGS.get(label) if path == key else ""
            hints[path] = hint or PARTS.get(path.removeprefix(f"{key}."), "")
            labels[path] = label
    campaign, rest = {}, {}
    for parameter in told.get("urlParameters") or ():
        name, text = as_text(parameter["name"]).strip(), as_text(parameter.get("value"))
        if campaign_key(name):
            campaign[campaign_key(name)] = text
        else:
            rest[f"url.{name}"] = (text,)
    answers = answers_of({**texts, **rest})
    created, changed = told["submissionTime"], told.get("lastUpdatedAt") or told["submissionTime"]
    return Submission(
        external_id=as_text(told["submissionId"]),
        # An edit comes under the same id.
        revision="" if changed == created else as_text(changed),
        submitted_at=changed,
        form=as_text(payload.get("formId")),
        form_title=as_text(payload.get("formName")),
        answers=answers,
        labels=filled(labels, answers),
        hints=filled(hints, answers),
        campaign=filled(campaign),
        consents=consents_of(texts, options["consents"], labels),
    )


def _rows(told: Json) -> Iterator[tuple[str, str, str, Any]]:
    """Give key, text, type and value of each question, and of what Fillout adds like one."""
    for question in told.get("questions") or ():
        # Names come with the blanks that their author left.
        label, kind = as_text(question.get("name")).strip(), as_text(question.get("type"))
        yield as_text(question["id"]), label, kind, question.get("value")
    for section in SECTIONS:
        for row in told.get(section) or ():
            label = as_text(row.get("name")).strip()
            yield f"{section}.{as_text(row['id'])}", label, "", row.get("value")
    for name, value in (told.get("quiz") or {}).items():
        yield f"quiz.{name}", "", "", value


def _plain(value: Any) -> Any:
    """Give a file as its address, also within a list."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value["url"] if isinstance(value, Mapping) and "url" in value else value


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read a page of what was submitted to the forms that the option `forms` names.

    As www.fillout.com/help/api-reference/get-all-submissions says, read in October 2026.
    """
    asked = {
        # Wider than the window, for nothing says whether its ends are taken.
        "afterDate": _instant(window.since - timedelta(seconds=1)),
        "beforeDate": _instant(window.until + timedelta(seconds=1)),
        "sort": "asc",
        "status": "finished",
        "limit": str(PAGE_SIZE),
    }

    def page_of(form: str, offset: str) -> Page:
        found = get(f"forms/{form}/submissions", {**asked, "offset": offset or "0"})
        told = found["responses"]
        name = get(f"forms/{form}").get("name") if told else ""
        items = tuple(
            {"formId": form, "formName": name, "submission": submission}
            for submission in told
            if window.holds(datetime.fromisoformat(submission["submissionTime"]))
        )
        after = int(offset or "0") + len(told)
        return Page(items, str(after) if told and after < int(found["totalResponses"]) else "")

    return page_of_each(forms_of(options), at, page_of)


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


connector = Connector(
    name="fillout",
    title="Fillout",
    docs="https://www.fillout.com/help/webhook",
    facts="code",
    signature=UNSIGNED["address"],
    schemes=UNSIGNED,
    parse=parse,
    fields={f"url.{spelling}": field for spelling, field in SPELLINGS.items()},
    # Accounts in the EU have eu-api.fillout.com/v1/api. Five calls a second are allowed.
    api=Api(url="https://api.fillout.com/v1/api", authorise=bearer),
    backfill=Backfill(page=page, parse=_submission, keeps_days=365, calls_per_minute=120),
    options={"scheme": "address", "forms": [], "consents": {}},
)
