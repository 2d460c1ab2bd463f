"""Jotform: one webhook for each submission; nothing signs it, so it can be read back instead."""

import json
import re
from collections.abc import Mapping
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
    Subscription,
    Window,
    answers_of,
    as_text,
    campaign_key,
    consents_of,
    digest_of,
    filled,
    first,
    flatten,
    forms_of,
    is_yes,
    moment_of,
    page_of_each,
    read_json,
    spellings,
    subscription_of,
    zone_of,
)

# Everything else in rawRequest is about the browser and the form.
QUESTION = re.compile(r"q([0-9]+)_(.*)", re.DOTALL)
SUBMISSION_ID = re.compile(r"[0-9]{1,30}")

# The parts of names and addresses.
PARTS = {
    "first": "first_name",
    "last": "last_name",
    "addr_line1": "street",
    "city": "city",
    "state": "region",
    "postal": "postal_code",
    "country": "country",
}
SPELLINGS = spellings()

PAGE_SIZE = 50
"""Submissions asked for at once; the API gives up to 1000."""


def parse(request: Request, options: Options) -> list[Act]:
    """Read the one submission that a webhook carries.

    Args:
        request: multipart form whose part `rawRequest` is JSON: `{"q3_fullName": {...}, ...}`.
        options: see the README.

    Returns:
        One submission, its answers keyed as Jotform does; only its id, for fetch, where the option
        `read_back` says that nothing else is believed.
    """
    form = request.form()
    raw = read_json(first(form, "rawRequest"))
    questions = [(QUESTION.fullmatch(key), value) for key, value in raw.items()]
    told = _submission(
        {
            "id": first(form, "submissionID"),
            "form_id": first(form, "formID"),
            "form_title": first(form, "formTitle"),
            "answers": {
                match[1]: {"name": match[2], "answer": value} for match, value in questions if match
            },
        },
        options["consents"],
        submitted_at=moment_of(as_text(raw.get("submitDate")), request.received_at),
        is_test=is_yes(as_text(raw.get("preview"))),
    )
    if not options["read_back"]:
        return [told]
    if not SUBMISSION_ID.fullmatch(told.external_id):
        raise ValueError("submissionID is no number")
    return [
        Submission(
            external_id=told.external_id,
            revision=told.revision,
            submitted_at=told.submitted_at,
            form=told.form,
            form_title=told.form_title,
            is_test=told.is_test,
            lookup={"id": told.external_id, "consents": json.dumps(dict(options["consents"]))},
        )
    ]


def fetch(submission: Submission, get: Get) -> Submission:
    """Read a submission back from Jotform, so that nobody else can have made it up."""
    item = get(f"submission/{submission.lookup['id']}")["content"]
    return _submission(
        {**item, "form_title": submission.form_title},
        json.loads(submission.lookup["consents"]),
        submitted_at=submission.submitted_at,
        is_test=submission.is_test,
    )


def _submission(item: Json, purposes: Mapping[str, str], **more: Any) -> Submission:
    """Read a submission in the shape of the API.

    Args:
        item: `{"id", "form_id", "answers": {NUMBER: {"name", "text", "answer"}}}`; the webhook
            says no `text`.
        purposes: of questions that ask for consent, by key or by `qNUMBER`.
        **more: what else is known of it.
    """
    texts: dict[str, tuple[str, ...]] = {}
    labels: dict[str, str] = {}
    hints: dict[str, str] = {}
    campaign, purpose_by_key = {}, {}
    for number, question in item["answers"].items():
        name = as_text(question.get("name"))
        key = f"q{number}_{name}"
        given = _texts(key, question.get("answer"))
        if campaign_key(name) and key in given:
            campaign[campaign_key(name)] = " ".join(given[key])
            continue
        texts |= given
        hints |= {k: field for k in given if (field := _hint(k, key, name))}
        label = as_text(question.get("text"))
        labels |= {k: label for k in given if label}
        if purpose := purposes.get(key) or purposes.get(f"q{number}"):
            purpose_by_key[key] = purpose
    answers = answers_of(texts)
    return Submission(
        external_id=as_text(item["id"]),
        # An edit comes under the same id, with nothing that tells it from a repetition.
        revision=digest_of([sorted(answers.items()), campaign])[:16],
        form=as_text(item["form_id"]),
        form_title=as_text(item.get("form_title")),
        answers=answers,
        labels={key: label for key, label in labels.items() if key in answers},
        hints={key: field for key, field in hints.items() if key in answers},
        campaign=filled(campaign),
        consents=consents_of(texts, purpose_by_key, labels),
        **more,
    )


def _texts(key: str, value: Any) -> dict[str, tuple[str, ...]]:
    """Lay an answer out as texts; phone numbers, dates and picks as one answer, names in parts."""
    if not isinstance(value, Mapping):
        return flatten({key: value})
    if "full" in value:
        return flatten({key: value["full"]})
    if "phone" in value:
        country = as_text(value.get("country")).lstrip("+")
        numbers = (f"+{country}" if country else "", value.get("area"), value["phone"])
        return {key: (" ".join(filter(None, map(as_text, numbers))),)}
    if {"year", "month", "day"} <= set(value):
        return {key: (_date(value),)}
    if all(name.isdigit() or name == "other" for name in value):
        return flatten({key: list(value.values())})
    return flatten({key: value})


def _date(value: Json) -> str:
    """Write a date, and its time if there is one, year first."""
    date = "-".join(as_text(value[name]) for name in ("year", "month", "day"))
    time = ":".join(as_text(value[name]) for name in ("hour", "min") if as_text(value.get(name)))
    return " ".join(filter(None, (date.strip("-"), time, as_text(value.get("ampm")))))


def _hint(answer_key: str, key: str, name: str) -> str:
    """Say which contact field an answer is: by its part, else by what the question is called."""
    if answer_key != key:
        return PARTS.get(answer_key.removeprefix(f"{key}."), "")
    return SPELLINGS.get(name) or SPELLINGS.get(name.rstrip("0123456789")) or ""


def authorise(token: str, secret: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Send the API key as Jotform wants it."""
    return {"APIKEY": token}, {}


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Read a page of what was submitted to the forms that the option `forms` names.

    Jotform writes times without a zone, so the option `time_zone` says which one is meant.
    """
    zone = zone_of(options)
    # `gt` and `lt` leave out the very second.
    since = (window.since.astimezone(UTC) - timedelta(seconds=1)).astimezone(zone)
    until = (window.until.astimezone(UTC) + timedelta(seconds=1)).astimezone(zone)
    within = {
        "created_at:gt": f"{since:%Y-%m-%d %H:%M:%S}",
        "created_at:lt": f"{until:%Y-%m-%d %H:%M:%S}",
    }

    def page_of(form: str, offset: str) -> Page:
        asked = {
            "filter": json.dumps(within),
            "orderby": "created_at",
            "limit": str(PAGE_SIZE),
            "offset": offset or "0",
        }
        found = get(f"form/{form}/submissions", asked)["content"]
        title = get(f"form/{form}")["content"]["title"] if found else ""
        items = tuple(
            {**item, "form_title": title} for item in found if item.get("status") != "DELETED"
        )
        following = str(int(offset or "0") + PAGE_SIZE) if len(found) >= PAGE_SIZE else ""
        return Page(items, following)

    return page_of_each(forms_of(options), at, page_of)


def listed(item: Any, options: Options) -> Submission:
    """Read a submission of the list."""
    written = as_text(item.get("updated_at")) or as_text(item["created_at"])
    moment = datetime.fromisoformat(written).replace(tzinfo=zone_of(options))
    return _submission(item, options["consents"], submitted_at=moment.astimezone(UTC))


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Say whether each form has a webhook to us; Jotform cannot switch one off."""
    hooks = {}
    for form in forms_of(options):
        found = get(f"form/{form}/webhooks")["content"]
        urls = found.values() if isinstance(found, Mapping) else found
        hooks[form] = [(as_text(url), True) for url in urls]
    return subscription_of(address, hooks)


connector = Connector(
    name="jotform",
    title="Jotform",
    docs="https://www.jotform.com/help/245-how-to-setup-a-webhook-with-jotform/",
    facts="code",
    signature=UNSIGNED["address"],
    schemes=UNSIGNED,
    parse=parse,
    fetch=fetch,
    # Accounts in the EU have eu-api.jotform.com.
    api=Api(url="https://api.jotform.com", authorise=authorise),
    backfill=Backfill(page=page, parse=listed, keeps_days=365, calls_per_minute=20),
    subscription=subscription,
    options={
        "scheme": "address",
        "read_back": False,
        "forms": [],
        "consents": {},
        "time_zone": "America/New_York",
    },
)
