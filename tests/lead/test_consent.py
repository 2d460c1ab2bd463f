"""Consent per purpose, with wording and time."""

from datetime import UTC, datetime

from chalicelib.lead.consent import clean_consents
from chalicelib.lead.model import Consent, Submission

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EARLIER = datetime(2026, 5, 4, 11, tzinfo=UTC)


def consents(*given: Consent) -> tuple[Consent, ...]:
    return clean_consents(
        Submission(external_id="s-1", submitted_at=NOON, form="contact", consents=given)
    )


def test_time_and_evidence_default_to_those_of_the_submission() -> None:
    (consent,) = consents(Consent(purpose="Marketing ", given=True, wording=" I  agree "))
    assert consent == Consent(
        purpose="marketing", given=True, wording="I agree", at=NOON, evidence="contact"
    )


def test_a_time_and_evidence_of_its_own_stay() -> None:
    (consent,) = consents(Consent(purpose="privacy", given=True, at=EARLIER, evidence="box-3"))
    assert (consent.at, consent.evidence) == (EARLIER, "box-3")


def test_purposes_stand_in_order_and_those_without_a_name_fall_out() -> None:
    found = consents(
        Consent(purpose="privacy", given=True),
        Consent(purpose="\x00 ", given=True),
        Consent(purpose="contact", given=False),
    )
    assert [consent.purpose for consent in found] == ["contact", "privacy"]


def test_no_holds_where_one_submission_says_both() -> None:
    yes, no = Consent(purpose="marketing", given=True), Consent(purpose="marketing", given=False)
    assert [c.given for c in consents(yes, no)] == [False]
    assert [c.given for c in consents(no, yes)] == [False]


def test_cleaning_twice_equals_once() -> None:
    once = consents(Consent(purpose=" A\u202e ", given=True, wording="x\r\n\r\n\r\n\r\ny"))
    assert consents(*once) == once
