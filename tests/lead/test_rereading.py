"""Reading a stored touch again."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib import registry
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.lead.model import Consent, Submission, Touch
from chalicelib.lead.normalise import normalise
from chalicelib.lead.rereading import read_again
from chalicelib.spelling import spellings

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CONFIG = Config.model_validate({"fields": [{"id": "seats", "type": "number"}]})


def submission(**more: Any) -> Submission:
    given = {
        "external_id": "1",
        "submitted_at": NOW,
        "form": "contact",
        "answers": {
            "email": "zoe@example.com",
            "name": "Zoë Quill",
            "q7": "+44 7700 900123",
            "picked": ("a", "b"),
            "note": "Please call me back.",
        },
        "labels": {"q7": "Your number"},
        "campaign": {"utm_source": "news"},
        "consents": (Consent(purpose="marketing", given=True, wording="Send me news"),),
        "language": "de-AT",
        "page_url": "https://www.example.com/contact",
        "person_id": "p1",
    }
    return Submission.model_validate({**given, **more})


def read(one: Submission, source: Source) -> Touch:
    return normalise(
        one,
        source_id="web",
        source=source,
        connector="generic_json",
        connector_fields=spellings(),
        config=CONFIG,
        delivery_id="d1",
        received_at=NOW,
    )


def again(touch: Touch, source: Source, key: str = "q7") -> Touch:
    return read_again(touch, key, source=source, connector_fields=spellings(), config=CONFIG)


BEFORE = Source(connector="generic_json", trust=70)
AFTER = Source(connector="generic_json", trust=10, fields={"q7": "phone"})


@pytest.mark.parametrize(
    "one",
    [
        submission(),
        submission(language=""),
        submission(hints={"note": "message"}),
        submission(is_partial=True),
        submission(answers={"first_name": "Zoë", "last_name": "Quill", "phone": "no"}),
        submission(answers={"x" * 300: "long", "": "empty", "email": "a@example.com"}),
        submission(answers={}),
    ],
)
def test_by_the_same_map_it_reads_as_it_did(one: Submission) -> None:
    touch = read(one, BEFORE)
    assert again(touch, BEFORE) == touch


def test_by_another_map_only_the_reading_changes() -> None:
    touch = read(submission(), BEFORE)
    after = again(touch, AFTER)
    assert after.contact["phone"].value == "+447700900123"
    assert set(after.identity_keys) - set(touch.identity_keys) == {"phone:+447700900123"}
    assert "q7" not in after.unmapped
    same = ("touch_id", "trust", "consents", "campaign", "answers", "submitted_at", "void")
    assert [getattr(after, name) for name in same] == [getattr(touch, name) for name in same]
    assert again(after, AFTER) == after


def test_who_it_was_from_stays_known() -> None:
    touch = read(submission(), AFTER)
    after = again(touch, BEFORE)
    assert "phone" not in after.contact
    assert after.identity_keys == touch.identity_keys


def test_what_a_provider_said_of_other_questions_is_not_forgotten() -> None:
    one = submission(hints={"note": "message", "q7": "website"})
    after = again(read(one, BEFORE), AFTER)
    assert after.contact["message"].value == "Please call me back."


def test_a_void_touch_stays_void() -> None:
    touch = read(submission(), BEFORE).model_copy(update={"void": "withdrawn"})
    assert again(touch, AFTER).void == "withdrawn"


@pytest.mark.parametrize("name", ["generic_json", "html_form", "typeform", "google_ads"])
def test_what_every_kind_of_connector_reads_is_read_again_the_same(name: str) -> None:
    fields = registry.load(name).fields
    touch = normalise(
        submission(),
        source_id="web",
        source=BEFORE,
        connector=name,
        connector_fields=fields,
        config=CONFIG,
        delivery_id="d1",
        received_at=NOW,
    )
    fresh = read_again(touch, "q7", source=BEFORE, connector_fields=fields, config=CONFIG)
    assert fresh == touch
