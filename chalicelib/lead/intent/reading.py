"""The reading of a message as it is kept with its touch, and its words made again for people."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from chalicelib.config.model import Intent
from chalicelib.lead.intent.understand import DATA, Understanding, understand
from chalicelib.lead.model import CleanValue, Reading, Touch

SHOWN_SIGNS = 6

ASKS = {
    "need": "wants to buy, order or book something",
    "urgent_need": "needs something urgently",
    "price_research": "asks for prices",
    "information": "asks for information",
    "support": "asks for help with what they have",
    "job_seeker": "looks for work",
    "vendor": "wants to sell something",
    "spam": "is spam",
    "unknown": "is not understood",
}
"""What each intent says of a message, in words."""


def reading_of(
    contact: Mapping[str, CleanValue],
    *,
    form: str,
    source: str,
    submitted_at: datetime,
    settings: Intent,
) -> Reading | None:
    """Read the message of a touch; None when there is none, or the hub is not to read it."""
    if not settings.enabled or "message" not in contact:
        return None
    understood = understand(
        contact["message"].raw,
        sent=submitted_at.date(),
        form=form,
        source=source,
        settings=settings,
    )
    return Reading(
        intent=understood.intent,
        sure=understood.sure,
        urgency=understood.urgency,
        language=understood.language,
        data=stamp_of(settings),
    )


def read_touch(touch: Touch, settings: Intent) -> Reading | None:
    """Read the message of a stored touch again."""
    return reading_of(
        touch.contact,
        form=touch.form_title,
        source=touch.source_id,
        submitted_at=touch.submitted_at,
        settings=settings,
    )


def stamp_of(settings: Intent) -> str:
    """Name what a reading depends on: the hub's own data, and the admin's words, if any."""
    if settings == Intent():
        return DATA
    words = settings.model_dump_json(exclude_defaults=True).encode()
    return f"{DATA}+{hashlib.sha256(words).hexdigest()[:8]}"


def explain_reading(touch: Touch, settings: Intent) -> list[str]:
    """Say how a touch's message was read, and by which of its words if that can be told."""
    reading = touch.reading
    if reading is None:
        return []
    sure = f" ({reading.sure}% sure)" if reading.sure and reading.intent != "unknown" else ""
    pressing = f", {reading.urgency}" if reading.urgency else ""
    written = f", in {reading.language}" if reading.language else ""
    by = f", by {reading.by}" if reading.by else ""
    lines = [f"Its message {ASKS[reading.intent]}{sure}{pressing}{written}{by}."]
    if reading.by or reading.data != stamp_of(settings):
        return lines
    understood = understand(
        touch.contact["message"].raw,
        sent=touch.submitted_at.date(),
        form=touch.form_title,
        source=touch.source_id,
        settings=settings,
    )
    return lines + _sign_lines(understood)


def _sign_lines(understood: Understanding) -> list[str]:
    strongest = sorted(understood.signs, key=lambda sign: (-abs(sign.points), sign.because))
    lines = [f"  {sign.points:+d} {sign.label}: {sign.because}" for sign in strongest[:SHOWN_SIGNS]]
    if understood.intent == "unknown" and understood.guess != "unknown":
        lines.append(f"  it might be {understood.guess}, but only {understood.sure}% sure")
    return lines
