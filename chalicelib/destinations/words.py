"""The sentences of notifications, one file for each language in `templates`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from chalicelib.lead.model import Model

LANGUAGES = ("en", "de", "es", "fr")
"""The first is used for readers of any other language."""

TEMPLATES = Path(__file__).parent / "templates"


class Words(Model):
    """What we say in one language; braces stand for what is filled in."""

    tag: str = Field(description="language tag, for the reader's software")
    subject_assigned: str
    subject_returned: str
    subject_unowned: str
    subject_reminder: str
    subject_overdue: str
    subject_taken_back: str
    greeting: str
    greeting_unnamed: str
    intro_assigned: str
    intro_returned: str
    intro_unowned: str
    intro_reminder: str
    intro_overdue: str
    intro_taken_back: str
    short_assigned: str
    short_returned: str
    short_unowned: str
    short_reminder: str
    short_overdue: str
    short_taken_back: str
    unnamed: str
    accept: str
    decline: str
    open: str
    accept_or_decline: str
    links_note: str
    why: str
    rule: str
    contact: str
    message: str
    answers: str
    origin: str
    score: str
    score_line: str
    campaign: str
    consents: str
    consent_given: str
    consent_refused: str
    source: str
    form: str
    first_seen: str
    owner: str
    nobody: str
    more: str
    footer: str
    as_given: str
    fields: dict[str, str]


@cache
def words(language: str) -> Words:
    """Read the sentences of a language such as `de` or `de-AT`; English if we lack it."""
    main = language.replace("_", "-").partition("-")[0].lower()
    name = main if main in LANGUAGES else LANGUAGES[0]
    texts: dict[str, Any] = json.loads((TEMPLATES / f"{name}.json").read_text("utf-8"))
    return Words.model_validate(texts)
