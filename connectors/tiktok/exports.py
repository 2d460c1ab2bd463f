"""Reading TikTok's own list of leads: an export for each form and region, and the subscriptions."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.connector import (
    Get,
    Malformed,
    Misconfigured,
    Options,
    Page,
    Refused,
    Subscription,
    TryLater,
    Window,
    as_text,
)

# The columns of an export before those of the form's own questions, as they are called in the
# push; read in public receivers, November 2026, where names differ in case, blanks and two words.
COLUMNS = {
    "lead_id": "id",
    "created_time": "create_time",
    "create_time": "create_time",
    "ad_id": "ad_id",
    "ad_name": "ad_name",
    "adgroup_id": "adgroup_id",
    "ad_group_id": "adgroup_id",
    "adgroup_name": "adgroup_name",
    "ad_group_name": "adgroup_name",
    "campaign_id": "campaign_id",
    "campaign_name": "campaign_name",
    "page_id": "page_id",
    "form_id": "page_id",
    "page_name": "page_name",
    "form_name": "page_name",
    "is_test": "is_test",
}
# What an export calls the questions that the push has under names of TikTok's own.
QUESTIONS = {
    "name": "name",
    "full_name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "surname": "last_name",
    "email": "email",
    "phone": "phone_number",
    "phone_number": "phone_number",
    "company_name": "company_name",
    "job_title": "job_title",
}

MOST_POLLS = 300
"""How often is asked whether an export is ready; the rate limit spreads it over ten minutes."""

MOST_EXPORTS = 3
"""How often an export is made anew when its file was gone before it could be read."""

FORMS_AT_ONCE = 100
LONGEST_CELL = 64 * 1024


def page(get: Get, window: Window, at: str, options: Options) -> Page:
    """Do one step: name the forms, ask for an export, wait for it, or read it.

    Exports hold all leads of a form that one region stores, so those outside of the window are
    left out here. A lead whose time cannot be read is given, for its parsing to say so.

    Args:
        get: reads the API.
        window: when what is wanted was submitted.
        at: JSON: the forms, which form and region is at work, the task that makes its file.
        options: `advertiser_id` or `library_id`, `page_ids`, `regions`, `columns`.

    Raises:
        TryLater: an export takes too long.
        Refused: an export failed, or its file was gone again and again.
    """
    state: dict[str, Any] = json.loads(at) if at else {"forms": _forms(get, options), "at": 0}
    jobs = [(form, region) for form in state["forms"] for region in options["regions"]]
    if state["at"] >= len(jobs):
        return Page(())
    form, region = jobs[state["at"]]
    asked = {**_owner(options), "page_id": form}
    headers = {"x-lead-region": region}
    if "task" not in state:
        task = get("page/lead/task/", query=asked, headers=headers)["data"]["task_id"]
        return Page((), json.dumps({**state, "task": as_text(task)}))
    told = get("page/lead/task/", query={**asked, "task_id": state["task"]}, headers=headers)
    status = as_text(told["data"]["status"]).upper()
    if status == "FAILED":
        raise Refused(f"TikTok: the export of form {form} failed")
    if status != "SUCCEED":
        polls = state.get("polls", 0) + 1
        if polls > MOST_POLLS:
            raise TryLater(f"TikTok: the export of form {form} takes too long")
        return Page((), json.dumps({**state, "polls": polls}))
    try:
        text = get(
            "page/lead/task/download/",
            {**_owner(options), "task_id": state["task"]},
            headers=headers,
        )
    except Refused:
        # The file lives ten minutes; when we come later, it has to be made again.
        tries = state.get("tries", 1)
        if tries >= MOST_EXPORTS:
            raise
        anew = {"forms": state["forms"], "at": state["at"], "tries": tries + 1}
        return Page((), json.dumps(anew))
    entries = [entry for entry in _entries(text, form, options) if _is_within(entry, window)]
    following = {"forms": state["forms"], "at": state["at"] + 1}
    is_last = following["at"] == len(jobs)
    return Page(tuple(entries), "" if is_last else json.dumps(following))


def subscription(get: Get, options: Options, address: str) -> Subscription:
    """Look for our address among the app's subscriptions; a dead token ends them silently.

    Raises:
        Misconfigured: the source does not know the app and its secret.
    """
    if not options["app_id"] or options["scheme"] not in ("open_signature", "developer"):
        raise Misconfigured("TikTok: subscriptions are read with the app's id and its secret")
    number, last = 1, 1
    while number <= last:
        asked = {
            "app_id": as_text(options["app_id"]),
            "secret": "{secret}",
            # Older descriptions call it object, newer ones subscribe_entity.
            "subscribe_entity": "LEAD",
            "object": "LEAD",
            "page": str(number),
            "page_size": str(FORMS_AT_ONCE),
        }
        data = get("subscription/get/", asked)["data"]
        found = data.get("subscriptions") or data.get("list") or ()
        if any(address in (one.get("callback_url"), one.get("url")) for one in found):
            return Subscription(True, "TikTok has a subscription to this address")
        last = int((data.get("page_info") or {}).get("total_page") or 1)
        number += 1
    return Subscription(False, "TikTok has no subscription to this address; subscribe again")


def _owner(options: Options) -> dict[str, str]:
    """Name whose forms they are: an ad account's, or of a library that a Business Center has."""
    for name in ("library_id", "advertiser_id"):
        if options[name]:
            return {name: as_text(options[name])}
    raise Misconfigured("TikTok: back-fill needs the option advertiser_id or library_id")


def _forms(get: Get, options: Options) -> list[str]:
    """Name the forms to export: those of the option, else all of the ad account."""
    if options["page_ids"]:
        return [as_text(form) for form in options["page_ids"]]
    forms: list[str] = []
    number, last = 1, 1
    while number <= last:
        asked = {
            **_owner(options),
            "business_type": "LEAD_GEN",
            "page": str(number),
            "page_size": str(FORMS_AT_ONCE),
        }
        data = get("page/get/", asked)["data"]
        forms += [as_text(form["page_id"]) for form in data["list"]]
        last = int((data.get("page_info") or {}).get("total_page") or 1)
        number += 1
    return forms


def _entries(text: Any, form: str, options: Options) -> list[dict[str, Any]]:
    """Read an export, laying each row out as the push lays out its lead.

    Raises:
        Malformed: it is no CSV with ids, as with the ZIP that TikTok makes above 10 MB.
    """
    if not isinstance(text, str) or text.startswith("PK"):
        raise Malformed("TikTok: the export is no CSV; one above 10 MB is packed and is not read")
    csv.field_size_limit(LONGEST_CELL)
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    except csv.Error as error:
        raise Malformed("TikTok: the export is no CSV") from error
    if not rows:
        return []
    names = [_own_name(cell) for cell in rows[0]]
    # An own question may be called like one of TikTok's columns: the first is TikTok's.
    places = {COLUMNS[name]: names.index(name) for name in dict.fromkeys(names) if name in COLUMNS}
    if "id" not in places:
        raise Malformed("TikTok: the export has no column lead_id")
    questions = {
        place: _question(cell, options)
        for place, cell in enumerate(rows[0])
        if place not in places.values()
    }
    return [_entry(row, places, questions, form) for row in rows[1:] if any(row)]


def _entry(
    row: list[str], places: Mapping[str, int], questions: Mapping[int, str], form: str
) -> dict[str, Any]:
    cells = {name: _cell(row[place]) for name, place in places.items() if place < len(row)}
    return {
        **cells,
        "page_id": cells.get("page_id") or form,
        "create_time": _moment(cells.get("create_time", "")),
        "changes": [
            {"field": name, "value": row[place]}
            for place, name in questions.items()
            if place < len(row)
        ],
    }


def _own_name(header: str) -> str:
    return re.sub(r"[\s_]+", "_", header.strip().lower())


def _question(header: str, options: Options) -> str:
    """Name a question as the push does."""
    return as_text(options["columns"].get(header) or QUESTIONS.get(_own_name(header)) or header)


def _cell(text: str) -> str:
    """Take off what keeps a table program from rounding an id: `'123`, `="123"`."""
    return re.sub(r'^(?:=")?\'?|"$', "", text.strip())


def _moment(text: str) -> str:
    """Write a time as ISO 8601; without a zone it is UTC. Another form is given as it is."""
    if re.fullmatch(r"[0-9]{9,13}", text):
        return text
    plain = re.sub(r"\s*\((?:UTC|GMT)([+-][0-9]{2}:?[0-9]{2})\)$", r"\1", text)
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _is_within(entry: Mapping[str, Any], window: Window) -> bool:
    text = entry["create_time"]
    try:
        if text.isdigit():
            moment = datetime.fromtimestamp(int(text) / (1 if len(text) < 12 else 1000), UTC)
        else:
            moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return True
    # A time of whole seconds lies up to one second before the true one.
    return window.since.replace(microsecond=0) <= moment <= window.until
