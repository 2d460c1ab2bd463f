"""Generic JSON: what Zapier, Make and home-made programs post."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.connector import (
    CAMPAIGN_KEYS,
    STANDARD_WEBHOOKS,
    Answer,
    Connector,
    Consent,
    HeaderToken,
    Malformed,
    Options,
    Request,
    Submission,
    Withdrawal,
    campaign_of,
    flatten,
    is_no,
    is_yes,
    spellings,
)

ID_PATHS = ("id", "submission_id")
AT_PATHS = ("submitted_at", "created_at", "timestamp")
TEST_PATHS = ("test", "is_test")
FORM_PATHS = ("form", "form_id")
PAGE_PATHS = ("page_url", "landing_url")
CONSENT_PATHS = ("consent", "consent.given")
WORDING_PATHS = ("consent.text", "consent_text")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""What lies before is no time of a submission: year 1, 1970, or digits that look like a date."""

Texts = Mapping[str, tuple[str, ...]]


def parse(request: Request, options: Options) -> list[Submission | Withdrawal]:
    """Read one or several people, laid out as the sender likes.

    Args:
        request: body is a JSON object or a list of them, under any content type, or urlencoded.
        options: see the README; paths are as in body.flatten, `contact.email`, `items[0].name`.

    Returns:
        A submission for each object, its answers keyed by path.
    """
    return [_submission(person, request, options) for person in _people(request, options)]


def _people(request: Request, options: Options) -> list[Mapping[str, Any]]:
    """Find the objects that are about one person each."""
    media_type = request.content_type()[0]
    if media_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return [{name: list(texts) for name, texts in request.form().items()}]
    payload = request.json()
    for name in filter(None, options["list_path"].split(".")):
        payload = payload[name]
    people = payload if isinstance(payload, list) else [payload]
    if not all(isinstance(person, Mapping) for person in people):
        raise Malformed("Generic JSON: expected an object, or a list of objects")
    return people


def _submission(person: Mapping[str, Any], request: Request, options: Options) -> Submission:
    """Read what is said of one person."""
    texts = flatten(person)
    campaign = {key: texts.get(key) or texts.get(key.replace("_", ".", 1)) for key in CAMPAIGN_KEYS}
    own = {
        *_paths(options["id_path"], ID_PATHS),
        *_paths(options["at_path"], AT_PATHS),
        *_paths(options["test_path"], TEST_PATHS),
        *FORM_PATHS,
        *PAGE_PATHS,
        *CONSENT_PATHS,
        *WORDING_PATHS,
        "consent.at",
        *(key for key, given in campaign.items() if given),
        *(key.replace("_", ".", 1) for key, given in campaign.items() if given),
    }
    answers: dict[str, Answer] = {
        key: given[0] if len(given) == 1 else given
        for key, given in texts.items()
        if key not in own and any(given)
    }
    if not answers:
        raise Malformed("Generic JSON: expected at least one answer")
    return Submission(
        external_id=_first(texts, _paths(options["id_path"], ID_PATHS))[:512]
        or _digest(person, request.received_at),
        submitted_at=_moment(
            _first(texts, _paths(options["at_path"], AT_PATHS)), request.received_at
        ),
        form=_first(texts, FORM_PATHS),
        answers=answers,
        campaign=campaign_of({key: given[0] for key, given in campaign.items() if given}),
        consents=_consents(texts, request.received_at, options),
        page_url=_first(texts, PAGE_PATHS),
        is_test=is_yes(_first(texts, _paths(options["test_path"], TEST_PATHS))),
    )


def _paths(configured: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Give the path that the admin set, else the usual ones."""
    return (configured,) if configured else usual


def _first(texts: Texts, paths: tuple[str, ...]) -> str:
    """Give the first text at any of the paths; empty if there is none."""
    return next((texts[path][0] for path in paths if texts.get(path)), "")


def _digest(person: Mapping[str, Any], received_at: datetime) -> str:
    """Make an id of the content and the day: these senders repeat by hand, within hours."""
    text = json.dumps(person, sort_keys=True)
    return f"{received_at:%Y-%m-%d}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _moment(text: str, received_at: datetime) -> datetime:
    """Read ISO 8601, UTC where it names no zone, or seconds or milliseconds since 1970.

    Returns:
        received_at for any other way of writing a time, for times that are still to come, and for
        times before EARLIEST.
    """
    try:
        if re.fullmatch(r"[0-9]{9,10}|[0-9]{12,13}", text):
            moment = datetime.fromtimestamp(int(text) / (1 if len(text) < 12 else 1000), UTC)
        else:
            moment = datetime.fromisoformat(text)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        is_likely = EARLIEST <= moment <= received_at + timedelta(minutes=5)
        return moment if is_likely else received_at
    except (ValueError, OverflowError):
        return received_at


def _consents(texts: Texts, received_at: datetime, options: Options) -> tuple[Consent, ...]:
    """Read `consent`, plain or as `{given, text, at}`."""
    given = _first(texts, CONSENT_PATHS)
    if not given:
        return ()
    at = _first(texts, ("consent.at",))
    return (
        Consent(
            purpose=options["consent_purpose"],
            given=is_yes(given),
            # What is neither yes nor no is no, and kept to be read.
            wording=_first(texts, WORDING_PATHS)
            or ("" if is_yes(given) or is_no(given) else given),
            at=_moment(at, received_at) if at else None,
            evidence="consent",
        ),
    )


connector = Connector(
    name="generic_json",
    title="Generic JSON",
    docs="https://help.zapier.com/hc/en-us/articles/8496326446989-Send-webhooks-in-Zaps",
    signature=HeaderToken("X-Lead-Token"),
    schemes={"token": HeaderToken("X-Lead-Token"), "standard_webhooks": STANDARD_WEBHOOKS},
    parse=parse,
    fields={
        **spellings(),
        **{f"contact.{spelling}": field for spelling, field in spellings().items()},
    },
    options={
        "scheme": "token",
        "list_path": "",
        "id_path": "",
        "at_path": "",
        "test_path": "",
        "consent_purpose": "contact",
    },
)
