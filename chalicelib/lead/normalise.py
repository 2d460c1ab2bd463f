"""Step 4c: makes a submission a touch: clean values beside raw ones, evidence beside guesses.

Pure, and repeatable: clean values as answers come out as they went in. Nothing is dropped: all
answers stay, and those that no field took are named.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from chalicelib.config.model import Config, CustomField, Settings
from chalicelib.config.source import Source
from chalicelib.lead.birth import clean_birth
from chalicelib.lead.campaign import clean_campaign
from chalicelib.lead.company import clean_company, clean_website, company_domain
from chalicelib.lead.consent import clean_consents
from chalicelib.lead.custom import Custom, clean_custom
from chalicelib.lead.email import clean_email, domain_of
from chalicelib.lead.identity import identity_keys, touch_id
from chalicelib.lead.model import CONTACT_FIELDS, NAME_FIELDS, Answer, CleanValue, Submission, Touch
from chalicelib.lead.name import clean_names
from chalicelib.lead.phone import clean_phone
from chalicelib.lead.place import (
    clean_country,
    clean_language,
    clean_time_zone,
    country_of_domain,
    infer_country,
    infer_language,
    infer_time_zone,
    language_tag,
    region_of_language,
)
from chalicelib.lead.text import LONGEST_NAME, clean_line, clean_message, storable

LONGEST_KEY = 256
LONGEST_URL = 2_000
LONGEST_UNCLEAN = 100
"""Of an answer that could not be made fit for its field; the whole of it is among the answers."""

Cleaner = Callable[[str], CleanValue | None]


def normalise(
    submission: Submission,
    *,
    source_id: str,
    source: Source,
    connector: str,
    connector_fields: Mapping[str, str],
    config: Config,
    delivery_id: str,
    received_at: datetime,
) -> Touch:
    """Make a submission a touch.

    Args:
        submission: as its connector read it.
        source_id: of the source that it came by.
        source: its field map lies over the connector's; its trust and country are used.
        connector: name of the connector.
        connector_fields: the connector's own field map; the submission's hints lie below it.
        config: custom fields and settings.
        delivery_id: of the delivery that it came in.
        received_at: when that came.

    Returns:
        The touch. Its notes: `invalid_email`, `invalid_phone` and the like where an answer was
        given but cannot be used, `FIELD:range` and the like for custom fields, `empty_key` and
        `cut` for answers under keys that cannot be kept as they are.
    """
    answers, notes = _storable_answers(submission.answers)
    taken = _Taken(answers, fields_of(answers, source.fields, connector_fields, submission.hints))
    settings = config.settings

    contact = _clean_contact(taken, config, source, submission)
    custom = _clean_custom(taken, config.fields)
    # A provider's clock may be ahead of ours; nothing comes from the future.
    submitted_at = min(submission.submitted_at, received_at)
    form_title = clean_line(submission.form_title)[0]
    reading = None
    if "message" in contact:
        from chalicelib.lead.intent.reading import reading_of  # not needed without a message

        reading = reading_of(
            contact,
            form=form_title,
            source=source_id,
            submitted_at=submitted_at,
            settings=config.intent,
        )
    _infer_missing(contact, submission, settings, reading.language if reading else "")
    return Touch(
        touch_id=touch_id(source_id, submission.external_id, submission.revision),
        source_id=source_id,
        connector=connector,
        external_id=submission.external_id,
        revision=submission.revision,
        delivery_id=delivery_id,
        submitted_at=submitted_at,
        received_at=received_at,
        form=clean_line(submission.form)[0],
        form_title=form_title,
        contact=contact,
        unclean=taken.unclean,
        custom=custom,
        answers=answers,
        labels={
            storable(key)[:LONGEST_KEY]: storable(label) for key, label in submission.labels.items()
        },
        unmapped=tuple(key for key in answers if key not in taken.keys),
        identity_keys=identity_keys(contact, submission.person_id, connector, settings),
        campaign=clean_campaign(submission.campaign, submission.page_url),
        consents=clean_consents(submission),
        page_url=clean_line(submission.page_url, LONGEST_URL)[0],
        is_partial=submission.is_partial,
        only_if_known=submission.only_if_known,
        referrer=clean_line(submission.referrer)[0],
        trust=source.trust,
        reading=reading,
        notes=tuple(sorted({*notes, *taken.notes, *submission.notes})),
    )


class _Taken:
    """Answers by the field that they are mapped to, and which of them were put to use."""

    def __init__(self, answers: Mapping[str, Answer], field_map: Mapping[str, str]) -> None:
        self.keys: set[str] = set()
        self.notes: set[str] = set()
        self.unclean: dict[str, str] = {}
        self._by_field: dict[str, list[tuple[str, Answer]]] = {}
        for key, field in field_map.items():
            if answers.get(key):
                self._by_field.setdefault(field, []).append((key, answers[key]))

    def given(self, field: str) -> Sequence[tuple[str, Answer]]:
        """Give the answers for a field, in the order of the field map."""
        return self._by_field.get(field, ())

    def clean(self, field: str, cleaner: Cleaner) -> CleanValue | None:
        """Take the first answer for a field that can be used; note when there is none."""
        given = ""
        for key, text in self._texts(field):
            if value := cleaner(text):
                self.keys.add(key)
                return value
            given = given or text.strip()
        if given:
            self.keys.update(key for key, _ in self.given(field))
            self.notes.add(f"invalid_{field}")
            self.unclean[field] = storable(given)[:LONGEST_UNCLEAN]
        return None

    def _texts(self, field: str) -> Iterator[tuple[str, str]]:
        for key, answer in self.given(field):
            for text in (answer,) if isinstance(answer, str) else answer:
                yield key, text


def fields_of(answers: Mapping[str, Answer], *field_maps: Mapping[str, str]) -> dict[str, str]:
    """Give the field of each answer that has one; the first map that knows a key counts.

    The order is that of the maps, for of several answers to one field the first counts. A map of
    usual names is long and answers are few, so a map is gone through only if order matters.
    """
    found: dict[str, str] = {}
    for field_map in field_maps:
        keys = [key for key in answers if key in field_map and key not in found]
        if len({field_map[key] for key in keys}) < len(keys):
            keys = [key for key in field_map if key in keys]
        found |= {key: field_map[key] for key in keys}
    return found


def cleaner_of(field: str) -> Cleaner:
    """Give what makes an answer for a contact field fit for use; a phone's needs countries."""
    cleaners: Mapping[str, Cleaner] = {
        "email": clean_email,
        "company": clean_company,
        "company_domain": _clean_domain,
        "website": clean_website,
        "message": _clean_text,
        "country": clean_country,
        "language": clean_language,
        "time_zone": clean_time_zone,
        "date_of_birth": clean_birth,
    }
    return cleaners.get(field, _clean_name if field in NAME_FIELDS else _clean_field)


def _storable_answers(given: Mapping[str, Answer]) -> tuple[dict[str, Answer], set[str]]:
    """Give the answers as they can be stored: no lone surrogates, no empty or endless keys."""
    answers: dict[str, Answer] = {}
    notes = set()
    for key, answer in given.items():
        if not key:
            notes.add("empty_key")
            continue
        name = storable(key)
        if len(name) > LONGEST_KEY:
            notes.add("cut")
            digest = hashlib.sha256(name.encode()).hexdigest()[:8]
            name = f"{name[: LONGEST_KEY - 9]}~{digest}"
        kept = storable(answer) if isinstance(answer, str) else tuple(map(storable, answer))
        answers.setdefault(name, kept)
    return answers, notes


def _clean_contact(
    taken: _Taken, config: Config, source: Source, submission: Submission
) -> dict[str, CleanValue]:
    """Clean what was given for each contact field; the phone last, for it needs the rest."""
    contact = dict(_clean_names(taken))
    for field in CONTACT_FIELDS:
        if field in NAME_FIELDS or field == "phone":
            continue
        if value := taken.clean(field, cleaner_of(field)):
            contact[field] = value
    if taken.given("phone"):
        countries = _countries(contact, config, source, submission)
        if phone := taken.clean("phone", partial(clean_phone, countries=countries)):
            contact["phone"] = phone
    return contact


def _clean_names(taken: _Taken) -> dict[str, CleanValue]:
    """Clean the parts of the name together, for what is missing follows from the others."""
    given = {}
    for field in NAME_FIELDS:
        if value := taken.clean(field, cleaner_of(field)):
            given[field] = value.raw
    return clean_names(given)


def _infer_missing(
    contact: dict[str, CleanValue], submission: Submission, settings: Settings, written: str
) -> None:
    """Add what follows from the rest; the time zone last, for it needs the country.

    Args:
        written: the language of the message; empty when unknown.
    """

    def add(field: str, infer: Callable[[], CleanValue | None]) -> None:
        if field not in contact and (inferred := infer()):
            contact[field] = inferred

    add("company_domain", lambda: company_domain(contact.get("website"), contact.get("email")))
    add("country", lambda: infer_country(contact))
    if written and not language_tag(submission.language):
        add("language", lambda: CleanValue(value=written, raw="", notes=("from:message",)))
    add("language", lambda: infer_language(submission.language, settings.language))
    add("time_zone", lambda: infer_time_zone(contact))


def _countries(
    contact: Mapping[str, CleanValue], config: Config, source: Source, submission: Submission
) -> tuple[tuple[str, str], ...]:
    """Give the countries in which to read a phone number, the likeliest first.

    What the person said comes before what an admin set for the source and then for the hub; a
    region of the browser's language and the ending of the e-mail address come last.
    """
    country, email = contact.get("country"), contact.get("email")
    language = contact.get("language")
    tag = language.value if language else language_tag(submission.language)
    return (
        (country.value if country else "", "address"),
        (source.default_country, "source"),
        (config.settings.default_country, "settings"),
        (region_of_language(tag), "language"),
        (country_of_domain(domain_of(email.value)) if email else "", "email"),
    )


def _clean_custom(taken: _Taken, fields: Sequence[CustomField]) -> dict[str, Custom]:
    """Read the custom fields; the first answer that can be read counts."""
    custom: dict[str, Custom] = {}
    for field in fields:
        for key, answer in taken.given(field.id):
            read = clean_custom(answer, field)
            if read.value is not None or read.notes:
                taken.keys.add(key)
                taken.notes.update(f"{field.id}:{note}" for note in read.notes)
            if read.value is not None:
                custom[field.id] = read.value
                break
    return custom


def _clean_name(raw: str) -> CleanValue | None:
    text, notes = clean_line(raw, LONGEST_NAME)
    return CleanValue(value=text, raw=storable(raw), notes=notes) if text else None


def _clean_field(raw: str) -> CleanValue | None:
    text, notes = clean_line(raw)
    return CleanValue(value=text, raw=storable(raw), notes=notes) if text else None


def _clean_text(raw: str) -> CleanValue | None:
    text, notes = clean_message(raw)
    return CleanValue(value=text, raw=storable(raw), notes=notes) if text else None


def _clean_domain(raw: str) -> CleanValue | None:
    """Take a company domain that was given as such, by the same rules as one that is inferred."""
    website = clean_website(raw)
    domain = company_domain(website, None) if website else None
    return CleanValue(value=domain.value, raw=storable(raw)) if domain else None
