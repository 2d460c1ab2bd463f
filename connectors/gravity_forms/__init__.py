"""Gravity Forms: what its Webhooks Add-On posts: the whole entry, or the fields chosen for it."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from chalicelib.connector import (
    FORM_OPTIONS,
    UNSIGNED,
    Act,
    Connector,
    Consent,
    Malformed,
    Options,
    Request,
    as_text,
    consents_of,
    digest_of,
    first,
    form_submission,
    is_yes,
    moment_of,
    read_json,
    spellings,
)

# What every entry says of itself. The visitor's address and browser are nobody's answer.
OWN = frozenset(
    {
        *("id", "form_id", "post_id", "date_created", "date_updated", "is_starred", "is_read"),
        *("ip", "source_url", "user_agent", "created_by", "status", "currency"),
    }
)

Texts = Mapping[str, tuple[str, ...]]


def parse(request: Request, options: Options) -> list[Act]:
    """Read one entry.

    Args:
        request: body is a flat JSON object or urlencoded; keys are the ids of fields, `1.3` for a
            part of one, or what the feed's author chose.
        options: FORM_OPTIONS; `consents` may name a consent field by its id.

    Returns:
        One submission, its answers keyed like the entry; an entry that was edited and sent again
        has another revision.
    """
    texts = {key: _picks(given) for key, given in request.form().items()}
    money = {"currency"} if first(texts, "payment_amount") else set()
    submission = form_submission(
        texts,
        request,
        options,
        own=OWN - money,
        # All times of an entry are UTC and do not say so.
        submitted_at=moment_of(first(texts, "date_updated", "date_created"), request.received_at),
        consents=tuple(_consents(texts, options["consents"])),
        page_url=first(texts, options["page_field"]),
        suspicion="Gravity Forms holds it for spam" if first(texts, "status") == "spam" else "",
    )
    entry_id = first(texts, options["id_field"])
    if not entry_id:
        return [submission]
    # Entries are counted by each site for itself.
    site = urlsplit(submission.page_url).hostname or ""
    return [
        submission.model_copy(
            update={
                "external_id": f"{site}/{entry_id}"[:512],
                "revision": digest_of(sorted(submission.answers.items()))[:16],
            }
        )
    ]


def _picks(given: tuple[str, ...]) -> tuple[str, ...]:
    """Read several picks or files of one field, which come as a JSON list within the text."""
    if len(given) != 1 or not given[0].startswith('["'):
        return given
    try:
        return tuple(as_text(pick) for pick in read_json(given[0]))
    except (Malformed, TypeError):
        return given


def _consents(texts: Texts, purposes: Mapping[str, str]) -> Iterator[Consent]:
    """Read consent fields: ticked, wording and its revision are three parts of one field."""
    for key, purpose in purposes.items():
        if f"{key}.1" in texts or f"{key}.2" in texts:
            revision = first(texts, f"{key}.3")
            yield Consent(
                purpose=purpose,
                given=is_yes(first(texts, f"{key}.1")),
                wording=first(texts, f"{key}.2"),
                evidence=f"field {key}" + (f", revision {revision}" if revision else ""),
            )
    yield from consents_of(texts, purposes)


# Whatever is answered counts as delivered and nothing is sent again (code of version 1.4), so the
# status codes are the usual ones.
connector = Connector(
    name="gravity_forms",
    title="Gravity Forms",
    docs="https://docs.gravityforms.com/triggering-webhooks-form-submissions/",
    signature=UNSIGNED["header"],
    schemes=UNSIGNED,
    parse=parse,
    facts="code",
    fields=spellings(),
    options={
        "scheme": "header",
        **FORM_OPTIONS,
        "id_field": "id",
        "page_field": "source_url",
    },
)
