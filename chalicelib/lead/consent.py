"""What a person agreed to, per purpose, fit for proof."""

from chalicelib.lead.model import Consent, Submission
from chalicelib.lead.text import LONGEST_MESSAGE, clean_line, clean_message


def clean_consents(submission: Submission) -> tuple[Consent, ...]:
    """Give one consent per purpose, by purpose, with wording and time.

    The time is the submission's where none was given; evidence falls back to the form's id. Where
    one submission says both yes and no to a purpose, no holds.
    """
    by_purpose: dict[str, Consent] = {}
    for consent in submission.consents:
        purpose = clean_line(consent.purpose)[0].lower()
        if not purpose:
            continue
        before = by_purpose.get(purpose)
        if before is not None and not before.given:
            continue
        by_purpose[purpose] = Consent(
            purpose=purpose,
            given=consent.given,
            wording=clean_message(consent.wording, LONGEST_MESSAGE)[0],
            at=consent.at or submission.submitted_at,
            evidence=clean_line(consent.evidence or submission.form)[0],
        )
    return tuple(by_purpose[purpose] for purpose in sorted(by_purpose))
