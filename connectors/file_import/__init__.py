"""File import: some rows of a file that a person uploaded, with what each column holds."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.connector import (
    CAMPAIGN_KEYS,
    CLOSED,
    Act,
    Connector,
    Consent,
    Malformed,
    Options,
    Request,
    Submission,
    Unreadable,
    as_text,
    campaign_of,
    digest_of,
    each,
    is_no,
    is_yes,
    moment_of,
)

ANSWER, DROPPED = "answer", "-"
CONSENT = "consent."
NOT_ANSWERS = {"id", "person_id", "submitted_at", "form", *CAMPAIGN_KEYS}

_DATE = re.compile(
    r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})"
    r"(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap])?\.?m?\.?)?",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"[3-6]\d{4}([.,]\d+)?")


def parse(request: Request, options: Options) -> list[Act]:
    """Read rows of a file, one submission each.

    Args:
        request: body is `{"file", "columns": [name], "mapping": {name: field}, "dates", "zone",
            "rows": [{"row": number, "cells": [text], "problem": why or absent}]}`.
        options: see the README.

    Returns:
        As many acts as rows, in their order.
    """
    body = request.json()
    zone = _zone(body["zone"])

    def read_one(row: Mapping[str, Any]) -> Act:
        number = int(row["row"])
        if "problem" in row:
            return Unreadable(reason=f"row {number}: {as_text(row['problem'])[:200]}")
        return _submission(body, row, number, zone, request.received_at, options)

    return each(body["rows"], read_one, "File import: of these rows")


def _submission(
    body: Mapping[str, Any],
    row: Mapping[str, Any],
    number: int,
    zone: tzinfo,
    received_at: datetime,
    options: Options,
) -> Act:
    """Read one row."""
    mapping = body["mapping"]
    told = {
        as_text(column): as_text(cell)
        for column, cell in zip(body["columns"], row["cells"], strict=False)
        if as_text(cell) and mapping.get(column, ANSWER) != DROPPED
    }
    fields = {column: as_text(mapping.get(column, ANSWER)) for column in told}
    if not told:
        return Unreadable(reason=f"row {number}: nothing stands in the columns that are taken")
    special = {field: told[column] for column, field in fields.items() if field in NOT_ANSWERS}
    submitted_at = _moment(special.get("submitted_at", ""), body["dates"], zone, received_at)
    digest = digest_of(
        sorted((_said_as(column, fields[column]), _same(text)) for column, text in told.items())
    )
    own_id = special.get("id", "")[:480]
    return Submission(
        external_id=own_id or digest,
        # The same id with other values is the same act, corrected.
        revision=digest[:16] if own_id else "",
        submitted_at=submitted_at or received_at,
        form=special.get("form", "") or as_text(body["file"]),
        form_title=as_text(body["file"]),
        answers={
            column: text
            for column, text in told.items()
            if fields[column] not in NOT_ANSWERS
            # A time that cannot be read is kept for people to read.
            or (fields[column] == "submitted_at" and submitted_at is None)
        },
        hints={
            column: field
            for column, field in fields.items()
            if field not in NOT_ANSWERS and field != ANSWER and not field.startswith(CONSENT)
        },
        campaign=campaign_of({**options["campaign"], **special}),
        consents=tuple(
            _consent(field.removeprefix(CONSENT), column, told[column], body["file"], number)
            for column, field in fields.items()
            if field.startswith(CONSENT)
        ),
        person_id=special.get("person_id", ""),
    )


def _said_as(column: str, field: str) -> str:
    """Name what a column holds in the same way in every file."""
    return f"{ANSWER} {_same(column)}" if field == ANSWER else field


def _same(text: str) -> str:
    """Write a text so that files which differ in blanks and case still say the same."""
    return " ".join(text.split()).casefold()


def _consent(purpose: str, column: str, text: str, file: Any, number: int) -> Consent:
    """Read a cell of yes and no; anything else is no consent, and is kept to be read."""
    wording = column if is_yes(text) or is_no(text) else f"{column}: {text}"
    return Consent(
        purpose=purpose,
        given=is_yes(text),
        wording=wording,
        evidence=f"{as_text(file)}, row {number}, column {column}",
    )


def _moment(text: str, dates: Any, zone: tzinfo, received_at: datetime) -> datetime | None:
    """Read a time as people and spreadsheets write it; None where it is no time in the past."""
    if _SERIAL.fullmatch(text):
        days = float(text.replace(",", "."))
        # Spreadsheets count days from here, for they think that 1900 was a leap year.
        epoch = datetime(1899, 12, 30, tzinfo=zone)
        text = (epoch + timedelta(seconds=round(days * 86_400))).replace(tzinfo=None).isoformat()
    elif match := _DATE.fullmatch(text):
        text = _iso(match, dates)
    # moment_of gives the latest that it can be for what it cannot read.
    found = moment_of(text, received_at, zone)
    return None if found == received_at else found


def _iso(match: re.Match[str], dates: Any) -> str:
    """Write a date with numbers for its parts as ISO 8601."""
    first, second, third, hour, minute, seconds, half = match.groups()
    if len(first) == 4:
        year, month, day = first, second, third
    elif dates == "mdy":
        month, day, year = first, second, third
    else:
        day, month, year = first, second, third
    whole_year = int(year) + (2000 if len(year) <= 2 else 0)
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    date = f"{whole_year:04}-{int(month):02}-{int(day):02}"
    return f"{date}T{hours:02}:{int(minute or 0):02}:{int(seconds or 0):02}"


def _zone(name: Any) -> tzinfo:
    """Give the zone of times that name none."""
    try:
        return ZoneInfo(name)
    except (OSError, LookupError, ValueError, TypeError) as error:
        raise Malformed("zone: expected a name such as Europe/Berlin") from error


connector = Connector(
    name="file_import",
    title="File import",
    docs="https://www.rfc-editor.org/rfc/rfc4180",
    signature=CLOSED,
    facts="code",
    parse=parse,
    options={"campaign": {}},
)
