"""What parsers share: answers and forms from texts, times as senders write them, ids of acts."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from chalicelib.body import as_text
from chalicelib.errors import Malformed, Misconfigured
from chalicelib.lead.model import CAMPAIGN_KEYS, Answer, Consent, Submission
from chalicelib.request import Request
from chalicelib.spelling import is_no, is_yes

T = TypeVar("T")

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""What lies before is no time of a submission: year 1, 1970, or digits that look like a date."""

WINDOW_SECONDS = 600
"""Within such a stretch of the clock the same answers without a time of their own are one act."""

MOST_STEPS = 32
"""How deep the brackets of a name may lead."""

FORM_OPTIONS: Mapping[str, Any] = {
    "id_field": "submission_id",
    "form_field": "form_id",
    "page_field": "page_url",
    "consents": {"consent": "contact"},
}
"""Defaults of the options that form_submission needs: keys of the form, and purposes by key."""

LONGEST_ID = 200

_PERSONAL = re.compile(r"@|^\s*\+[0-9]")
_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")


def answers_of(
    texts: Mapping[str, Sequence[str]], without: Collection[str] = ()
) -> dict[str, Answer]:
    """Make answers of what `Request.form` or `flatten` gives; what was left empty is left out.

    Args:
        texts: by key, all texts given.
        without: keys that are no answers.
    """
    answers: dict[str, Answer] = {}
    for key, given in texts.items():
        filled = tuple(text for text in given if text)
        if key and filled and key not in without:
            answers[key] = filled[0] if len(filled) == 1 else filled
    return answers


def filled(values: Mapping[str, T], among: Collection[str] | None = None) -> dict[str, T]:
    """Leave out what is empty and, where `among` is given, what is of other keys."""
    return {
        key: value for key, value in values.items() if value and (among is None or key in among)
    }


def first(texts: Mapping[str, Sequence[str]], *keys: str) -> str:
    """Give the first text that is not empty under any of some keys; else an empty one."""
    return next((text for key in keys for text in texts.get(key, ()) if text), "")


def campaign_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Pick what says which campaign brought a person; empty values are left out."""
    texts = {key: values[key] for key in CAMPAIGN_KEYS if key in values}
    return {key: as_text(value) for key, value in texts.items() if as_text(value)}


def campaign_key(name: str) -> str:
    """Give the campaign key that a question's name spells, as utmSource or UTM Source; else ""."""
    return _CAMPAIGN_SPELLINGS.get(re.sub(r"[^a-z0-9]", "", name.lower()), "")


# A question that is named Platform asks for something else.
_CAMPAIGN_SPELLINGS = {key.replace("_", ""): key for key in CAMPAIGN_KEYS if key != "platform"}


def digest_of(value: Any) -> str:
    """Make an id of 32 hex digits of what JSON can hold, the same for the same content."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def own_id(text: str) -> str:
    """Make an id of what a sender calls one.

    Returns:
        The text; its digest where it is long, or might be an e-mail address, a phone number or
        more than one line, for ids are shown and written into logs. Empty stays empty.
    """
    is_fit = len(text) <= LONGEST_ID and text.isprintable() and not _PERSONAL.search(text)
    return text if is_fit else digest_of(text)


def moment_of(text: str, received_at: datetime, zone: tzinfo = UTC) -> datetime:
    """Read a time as senders write it.

    Args:
        text: ISO 8601, seconds or milliseconds since 1970, or the date of a mail.
        received_at: the latest that it can be.
        zone: where it names none.

    Returns:
        Aware, UTC; received_at for any other way of writing a time, for one that is still to come,
        and for one before EARLIEST.
    """
    text = text.strip()
    try:
        if re.fullmatch(r"[0-9]{9,10}|[0-9]{12,13}", text):
            moment = datetime.fromtimestamp(int(text) / (1 if len(text) < 12 else 1000), UTC)
        else:
            moment = _written(text)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        is_likely = EARLIEST <= moment <= received_at + timedelta(minutes=5)
        return moment if is_likely else received_at
    except (ValueError, OverflowError):
        return received_at


def zone_of(options: Mapping[str, Any]) -> ZoneInfo:
    """Give the zone that the option `time_zone` names, for senders whose times name none.

    Raises:
        Misconfigured: there is no such zone.
    """
    try:
        return ZoneInfo(options["time_zone"])
    except (ValueError, LookupError, OSError) as error:
        raise Misconfigured("the option time_zone names no time zone, as Europe/Berlin") from error


def _written(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


def act_id(given_id: str, stamp: str, content: Any, received_at: datetime) -> str:
    """Make the id of an act of which the sender says little.

    Args:
        given_id: the sender's own; two acts of one such id are still two where they differ, for
            forms at one address may count alike.
        stamp: when the sender says it was; the same at each try. Without an id or a stamp the
            same content is the same act for a while, as when somebody clicks twice.
        content: what JSON can hold.
        received_at: when it came.
    """
    digest = digest_of([stamp, content])
    if given_id:
        return f"{own_id(given_id)}-{digest[:16]}"
    if stamp:
        return digest
    return f"{int(received_at.timestamp()) // WINDOW_SECONDS}-{digest}"


def consents_of(
    texts: Mapping[str, Sequence[str]],
    purposes: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
) -> tuple[Consent, ...]:
    """Read boxes to tick that ask for consent.

    Args:
        texts: by key; `KEY_text` may hold the wording of the box KEY, or its version.
        purposes: by key of the box, in any case. A key that is absent says nothing: most forms
            leave out what is not ticked, and what was never shown.
        labels: the questions' texts: the wording where the answer is a mere yes or no.

    Returns:
        Anything but an empty text or a no counts as ticked; many forms send the wording itself.
    """
    by_key = {key.casefold(): purpose for key, purpose in purposes.items()}
    return tuple(
        Consent(
            purpose=by_key[key.casefold()],
            given=not is_no(text),
            wording=first(texts, f"{key}_text")
            or ((labels or {}).get(key, "") if is_yes(text) or is_no(text) else text),
            evidence=key,
        )
        for key in texts
        if key.casefold() in by_key
        for text in (first(texts, key),)
    )


def form_submission(
    texts: Mapping[str, Sequence[str]],
    request: Request,
    options: Mapping[str, Any],
    *,
    own: Collection[str] = (),
    stamp: str = "",
    **known: Any,
) -> Submission:
    """Make a submission of a flat form whose keys its author chose.

    Args:
        texts: by key, all texts given.
        request: when it came; `?test=1` at the end of its address marks a test.
        options: over FORM_OPTIONS.
        own: keys that the form tool adds and that are no answers.
        stamp: when the form tool says it was submitted, as it wrote it; empty if it does not.
        **known: parts of the submission that the form tool itself says.

    Raises:
        Malformed: no field is filled.
    """
    named = {options["id_field"], options["form_field"], options["page_field"]}
    campaign = {key: campaign_key(key) for key in texts if campaign_key(key)}
    answers = answers_of(texts, without={*own, *named, *campaign})
    if not answers:
        raise Malformed("expected at least one filled field")
    form = known.get("form") or first(texts, options["form_field"])
    given_id = first(texts, options["id_field"])
    content = [form, sorted(answers.items())]
    derived = {
        "external_id": act_id(given_id, stamp, content, request.received_at),
        "submitted_at": request.received_at,
        "form": form,
        "answers": answers,
        "campaign": campaign_of({name: first(texts, key) for key, name in campaign.items()}),
        "consents": consents_of(texts, options["consents"]),
        "page_url": first(texts, options["page_field"]),
        "is_test": is_yes(request.parameter("test")),
    }
    return Submission(**{**derived, **known})


def nested(texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Undo the brackets of PHP's forms: `a[b][c]` is c within b within a.

    Returns:
        Objects, texts and lists; a list where the keys count from 0 or are left empty. A name
        without brackets, or with others, stays as it is.

    Raises:
        Malformed: deeper than MOST_STEPS, or a name is both a text and more.
    """
    tree: dict[str, Any] = {}
    for name, given in texts.items():
        match = _BRACKETS.fullmatch(name)
        steps = [match[1], *match[2][1:-1].split("][")] if match else [name]
        is_list = match is not None and steps[-1] == ""
        steps = steps[:-1] if is_list else steps
        node: Any = tree
        for step in steps[:-1]:
            node = node.setdefault(step, {}) if isinstance(node, dict) else None
        if not isinstance(node, dict) or steps[-1] in node or len(steps) > MOST_STEPS:
            raise Malformed("the names of the form's fields do not fit together")
        node[steps[-1]] = list(given) if is_list or len(given) != 1 else given[0]
    return {key: _with_lists(value) for key, value in tree.items()}


def _with_lists(value: Any) -> Any:
    """Turn the objects whose keys count from 0 into lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(item) for key, item in value.items()}
    is_list = list(inner) == [str(number) for number in range(len(inner))]
    return list(inner.values()) if is_list else inner
