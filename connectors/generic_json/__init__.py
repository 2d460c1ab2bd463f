"""Generic JSON: what Zapier, Make and home-made programs post."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.connector import (
    CAMPAIGN_KEYS,
    STANDARD_WEBHOOKS,
    UNSIGNED,
    Act,
    Connector,
    Consent,
    Malformed,
    Options,
    Request,
    Submission,
    answers_of,
    campaign_of,
    digest_of,
    each,
    first,
    flatten,
    is_no,
    is_yes,
    moment_of,
    own_id,
    spellings,
)

ID_PATHS = ("id", "submission_id")
AT_PATHS = ("submitted_at", "created_at", "timestamp")
TEST_PATHS = ("test", "is_test")
FORM_PATHS = ("form", "form_id")
PAGE_PATHS = ("page_url", "landing_url")
CONSENT_PATHS = ("consent", "consent.given")
WORDING_PATHS = ("consent.text", "consent_text")

Texts = Mapping[str, tuple[str, ...]]


def parse(request: Request, options: Options) -> list[Act]:
    """Read one or several people, laid out as the sender likes.

    Args:
        request: body is a JSON object or a list of them, under any content type, or urlencoded.
        options: see the README; paths are as in body.flatten, `contact.email`, `items[0].name`.

    Returns:
        A submission for each object, its answers keyed by path.
    """
    people = _people(request, options)
    if not isinstance(people, list):
        return [_submission(people, request, options)]
    return each(people, lambda person: _submission(person, request, options), "Generic JSON: item")


def _people(request: Request, options: Options) -> Any:
    """Find the object that is about a person, or the list of them."""
    media_type = request.content_type()[0]
    if media_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return {name: list(texts) for name, texts in request.form().items()}
    payload = request.json()
    for name in filter(None, options["list_path"].split(".")):
        payload = payload[name]
    return payload


def _submission(person: Any, request: Request, options: Options) -> Submission:
    """Read what is said of one person."""
    if not isinstance(person, Mapping):
        raise Malformed("expected an object, or a list of objects")
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
    answers = answers_of(texts, without=own)
    if not answers:
        raise Malformed("Generic JSON: expected at least one answer")
    return Submission(
        external_id=own_id(first(texts, *_paths(options["id_path"], ID_PATHS)))
        or _digest(person, request.received_at),
        submitted_at=moment_of(
            first(texts, *_paths(options["at_path"], AT_PATHS)), request.received_at
        ),
        form=first(texts, *FORM_PATHS),
        answers=answers,
        campaign=campaign_of({key: given[0] for key, given in campaign.items() if given}),
        consents=_consents(texts, request.received_at, options),
        page_url=first(texts, *PAGE_PATHS),
        is_test=is_yes(first(texts, *_paths(options["test_path"], TEST_PATHS))),
    )


def _paths(configured: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Give the path that the admin set, else the usual ones."""
    return (configured,) if configured else usual


def _digest(person: Mapping[str, Any], received_at: datetime) -> str:
    """Make an id of the content and the day: these senders repeat by hand, within hours."""
    return f"{received_at:%Y-%m-%d}-{digest_of(person)}"


def _consents(texts: Texts, received_at: datetime, options: Options) -> tuple[Consent, ...]:
    """Read `consent`, plain or as `{given, text, at}`."""
    given = first(texts, *CONSENT_PATHS)
    if not given:
        return ()
    at = first(texts, "consent.at")
    return (
        Consent(
            purpose=options["consent_purpose"],
            given=is_yes(given),
            # What is neither yes nor no is no, and kept to be read.
            wording=first(texts, *WORDING_PATHS)
            or ("" if is_yes(given) or is_no(given) else given),
            at=moment_of(at, received_at) if at else None,
            evidence="consent",
        ),
    )


connector = Connector(
    name="generic_json",
    title="Generic JSON",
    docs="https://help.zapier.com/hc/en-us/articles/8496326446989-Send-webhooks-in-Zaps",
    signature=UNSIGNED["header"],
    schemes={
        "token": UNSIGNED["header"],
        "basic": UNSIGNED["basic"],
        "bearer": UNSIGNED["bearer"],
        "address": UNSIGNED["address"],
        "standard_webhooks": STANDARD_WEBHOOKS,
    },
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
