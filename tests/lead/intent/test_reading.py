"""The reading of a message as it is kept, and made again."""

from datetime import UTC, datetime

from chalicelib.config.model import Intent
from chalicelib.lead.intent.reading import explain_reading, read_touch, reading_of, stamp_of
from chalicelib.lead.intent.understand import DATA
from chalicelib.lead.model import CleanValue, Touch

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MESSAGE = "Wir brauchen dringend ein Angebot"


def touch(message: str = MESSAGE, settings: Intent | None = None) -> Touch:
    contact = {"message": CleanValue(value=message, raw=message)}
    bare = Touch(
        touch_id="t", source_id="forms", connector="html_form", external_id="1", delivery_id="d",
        submitted_at=NOON, received_at=NOON, contact=contact,
    )  # fmt: skip
    return bare.model_copy(update={"reading": read_touch(bare, settings or Intent())})


def test_a_reading_names_the_data_it_was_made_with() -> None:
    reading = touch().reading
    assert reading
    assert (reading.intent, reading.urgency, reading.language) == ("urgent_need", "urgent", "de")
    assert reading.data == DATA == stamp_of(Intent())


def test_other_words_of_the_admins_are_other_data() -> None:
    one, other = Intent(points={"spam:casino": 1}), Intent(points={"spam:casino": 2})
    assert len({stamp_of(Intent()), stamp_of(one), stamp_of(other)}) == 3


def test_without_a_message_there_is_no_reading() -> None:
    def read(settings: Intent, **contact: CleanValue) -> object:
        return reading_of(contact, form="", source="", submitted_at=NOON, settings=settings)

    message = CleanValue(value="hello", raw="hello")
    assert read(Intent()) is None
    assert read(Intent(enabled=False), message=message) is None
    assert read(Intent(), message=message) is not None


def test_it_says_why_in_words_with_points() -> None:
    lines = explain_reading(touch(), Intent())
    assert lines[0].startswith("Its message needs something urgently (")
    assert lines[0].endswith("% sure), urgent, in de.")
    assert '  +6 urgent: "dringend*"' in lines


def test_what_is_not_known_names_what_it_might_be() -> None:
    lines = explain_reading(touch("It is about the internship and a refund"), Intent())
    assert lines[0].startswith("Its message is not understood")
    assert "it might be" in lines[-1]


def test_what_was_read_with_other_words_is_not_explained_by_these() -> None:
    other = Intent(points={"urgent:dringend*": 1})
    assert len(explain_reading(touch(settings=other), Intent())) == 1
