"""Reads a stored touch again by today's field map; of the rest of it nothing changes."""

from collections.abc import Mapping

from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.lead.model import CleanValue, Submission, Touch
from chalicelib.lead.normalise import normalise
from chalicelib.lead.questions import texts_of

OF_THE_KEYS = frozenset({"empty_key", "cut"})
"""Notes on keys that were made storable, which stored answers show no more."""


def read_again(
    touch: Touch,
    key: str,
    *,
    source: Source,
    connector_fields: Mapping[str, str],
    config: Config,
) -> Touch:
    """Normalise the answers of a touch anew, where one has a question's key.

    It keeps its id, times, trust and state. Who it was from stays known: its identity keys are
    those it had and those it has now. Reading twice gives what reading once gives.

    Args:
        touch: as it is stored.
        key: the question that is mapped otherwise now; what it was taken for before is forgotten.
        source: with today's field map.
        connector_fields: the connector's own.
        config: custom fields and settings.
    """
    fresh = normalise(
        _submission_of(touch, key),
        source_id=touch.source_id,
        source=source,
        connector=touch.connector,
        connector_fields=connector_fields,
        config=config,
        delivery_id=touch.delivery_id,
        received_at=touch.received_at,
    )
    return fresh.model_copy(
        update={
            "touch_id": touch.touch_id,
            "submitted_at": touch.submitted_at,
            "trust": touch.trust,
            "void": touch.void,
            "identity_keys": tuple(sorted({*touch.identity_keys, *fresh.identity_keys})),
            "notes": tuple(sorted({*fresh.notes, *(OF_THE_KEYS & set(touch.notes))})),
        }
    )


def _submission_of(touch: Touch, key: str) -> Submission:
    """Make the submission again that a touch was made of, as far as reading it needs."""
    language = touch.contact.get("language")
    is_said = language is not None and "from:submission" in language.notes
    return Submission(
        external_id=touch.external_id,
        submitted_at=touch.submitted_at,
        revision=touch.revision,
        form=touch.form,
        form_title=touch.form_title,
        answers=touch.answers,
        labels=touch.labels,
        hints=_hints(touch, key),
        campaign=touch.campaign,
        consents=touch.consents,
        person_id=_person_id(touch),
        page_url=touch.page_url,
        language=language.raw if language and is_said else "",
        is_partial=touch.is_partial,
        only_if_known=touch.only_if_known,
    )


def _hints(touch: Touch, key: str) -> dict[str, str]:
    """Say which answers the contact fields were taken from, as the provider may have said."""
    return {
        other: field
        for field, value in touch.contact.items()
        if not _is_inferred(value)
        for other, answer in touch.answers.items()
        if other != key and other not in touch.unmapped and value.raw.strip() in texts_of(answer)
    }


def _is_inferred(value: CleanValue) -> bool:
    return any(note.startswith("from:") for note in value.notes)


def _person_id(touch: Touch) -> str:
    prefix = f"person:{touch.connector}:"
    found = (k.removeprefix(prefix) for k in touch.identity_keys if k.startswith(prefix))
    return next(found, "")
