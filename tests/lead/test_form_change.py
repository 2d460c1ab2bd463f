"""What is noticed of a form, and what is not."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.lead.form_change import (
    KNOWN,
    MOST_OPEN,
    MOST_QUESTIONS,
    Change,
    Form,
    close,
    learn,
    propose,
)
from chalicelib.lead.model import Answer, Touch

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
FIELDS = {"email": "email", "phone": "phone", "name": "full_name"}


def touch(number: int, labels: dict[str, str] | None = None, **answers: Answer) -> Touch:
    at = START + timedelta(hours=number)
    return Touch(
        touch_id=f"{number:026}"[::-1],
        source_id="web",
        connector="html_form",
        external_id=str(number),
        delivery_id=str(number),
        submitted_at=at,
        received_at=at,
        answers=answers,
        labels=labels or {},
        identity_keys=("email:x",) if "email" in answers else (),
    )


def usual(number: int, labels: dict[str, str] | None = None, /, **more: Answer) -> Touch:
    """Make a submission as they always were."""
    answers: dict[str, Answer] = {
        "email": f"p{number}@example.com",
        "name": "Ann Ashby" if number % 2 else "Ben Birch",
        "phone": f"+44 7700 900{number % 1000:03}",
    }
    return touch(number, labels, **{**answers, **more})


class Learner:
    """A form that is learned, and what was noticed."""

    def __init__(self, count: int = KNOWN) -> None:
        self.form, self.noticed = Form(source_id="web", form="1"), list[Change]()
        for number in range(count):
            self.see(usual(number))

    def see(self, one: Touch) -> "Learner":
        fields = {key: FIELDS[key] for key in one.answers if key in FIELDS}
        self.form, noticed = learn(self.form, one, fields)
        self.noticed += noticed
        return self

    def kinds(self) -> list[tuple[str, str]]:
        return [(change.kind, change.key) for change in self.noticed]


def without(one: Touch, *keys: str) -> Touch:
    return one.model_copy(
        update={
            "answers": {key: text for key, text in one.answers.items() if key not in keys},
            "identity_keys": () if "email" in keys else one.identity_keys,
        }
    )


def test_nothing_is_remembered_once_the_form_is_known() -> None:
    learner = Learner()
    known = learner.form
    for number in range(100, 140):
        learner.see(usual(number))
    assert learner.form is known
    assert learner.noticed == []


def test_the_same_submission_again_changes_nothing() -> None:
    learner = Learner(5)
    known = learner.form
    learner.see(usual(4))
    assert learner.form is known


def test_a_question_often_left_empty_is_not_missed() -> None:
    learner = Learner(0)
    for number in range(KNOWN):
        one = usual(number)
        learner.see(one if number % 3 else without(one, "phone"))
    for number in range(100, 130):
        learner.see(without(usual(number), "phone"))
    assert learner.kinds() == []


def test_one_who_leaves_a_question_empty_is_no_news() -> None:
    learner = Learner()
    for number in range(100, 150):
        one = usual(number)
        learner.see(without(one, "phone") if number % 10 == 0 else one)
    assert learner.kinds() == []


def test_a_question_that_is_gone_is_noticed_at_the_fourth_or_fifth() -> None:
    learner = Learner()
    for number in range(100, 105):
        learner.see(without(usual(number), "phone"))
    assert learner.kinds() == [("vanished", "phone")]
    (proposal,) = propose(learner.form, learner.noticed[0])
    assert proposal.field == ""


def test_lost_identity_is_noticed_at_the_first_delivery() -> None:
    learner = Learner()
    learner.see(without(usual(100, kontakt="zoe@example.com"), "email"))
    assert learner.kinds() == [("renamed", "kontakt")]
    assert propose(learner.form, learner.noticed[0])[0].field == "email"


def test_a_box_left_empty_by_one_who_says_nowhere_who_it_is_is_no_news() -> None:
    learner = Learner()
    learner.see(without(usual(100), "email"))
    assert learner.kinds() == []


def test_a_change_is_news_once() -> None:
    learner = Learner()
    for number in range(100, 120):
        learner.see(without(usual(number, kontakt=f"p{number}@example.com"), "email"))
    assert learner.kinds() == [("renamed", "kontakt")]


def test_a_label_in_another_language_is_no_news() -> None:
    learner = Learner(0)
    english, german = {"phone": "Phone"}, {"phone": "Telefon"}
    for number in range(KNOWN):
        learner.see(usual(number, english))
    for number in range(100, 110):
        learner.see(usual(number, german if number % 2 else english))
    assert learner.kinds() == []


def test_a_new_wording_of_the_same_is_noted_and_nobody_is_asked() -> None:
    learner = Learner(0)
    for number in range(KNOWN):
        learner.see(usual(number, {"phone": "Phone"}))
    for number in range(100, 105):
        learner.see(usual(number, {"phone": "Your phone number"}))
    (change,) = learner.noticed
    assert (change.kind, change.state) == ("relabelled", "noted")
    assert (change.label_before, change.label) == ("Phone", "Your phone number")


def test_a_change_that_is_settled_is_as_usual_from_then_on() -> None:
    learner = Learner()
    for number in range(100, 106):
        learner.see(usual(number, phone="call my assistant please"))
    (change,) = learner.noticed
    assert change.kind == "retyped"
    learner.form = close(learner.form, change, "confirmed", "ann", START, "message")
    for number in range(200, 230):
        learner.see(usual(number, phone="in the morning or so"))
    assert learner.kinds() == [("retyped", "phone")]


def test_a_sender_whose_keys_never_repeat_fills_neither_form_nor_list() -> None:
    learner = Learner()
    for number in range(100, 500):
        learner.see(usual(number, None, **{f"key_{number}": "x"}))
    assert len(learner.form.questions) <= MOST_QUESTIONS
    assert sum(change.state == "open" for change in learner.form.changes) <= MOST_OPEN


def test_labels_with_what_was_answered_are_kept_without_it() -> None:
    learner = Learner(0)
    for number in range(3):
        learner.see(usual(number, {"phone": "Hello Zebedee, your phone?"}, first="Zebedee"))
    assert "Zebedee" not in learner.form.model_dump_json()


ANSWERS = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.one_of(st.text(max_size=40), st.lists(st.text(max_size=10), max_size=3).map(tuple)),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ANSWERS, max_size=40))
def test_whatever_is_answered_is_learned_without_an_error(many: list[dict[str, Answer]]) -> None:
    form = Form(source_id="web", form="1")
    for number, answers in enumerate(many):
        form, noticed = learn(form, touch(number).model_copy(update={"answers": answers}), {})
        for change in noticed:
            ranked = propose(form, change)
            assert ranked
            assert all(0 <= proposal.confidence <= 1 for proposal in ranked)
    assert Form.model_validate_json(form.model_dump_json()) == form
