"""What a hub's own records teach about how much agreement says."""

import pytest

from chalicelib.lead.matching.learn import FARTHEST, FEWEST_RECORDS, MOST_VALUES, learn
from chalicelib.lead.matching.record import Record
from chalicelib.lead.matching.weights import AS_IT_COMES, LEVELS

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(number: int, salt: int) -> str:
    """Make a word that is unlike others."""
    mixed = (number * 2654435761 + salt * 40503) % 26**6
    return "".join(LETTERS[mixed // 26**place % 26] for place in range(6))


def people(count: int, *, jobs_differ: bool = False, shared_phone: bool = False) -> list[Record]:
    """Make two records of each of so many people; their ids are in no order."""
    return [
        Record(
            touch_id=word(2 * person + copy, 9),
            lead_id=str(person),
            first=word(person % 40, 1),
            last=word(person, 2),
            email=f"{word(person, 3)}@example.com",
            phone="442079460111" if shared_phone else f"44{person + 10**9}",
            job=word(person + 7 * copy if jobs_differ else person, 4),
            city=("leeds", "bristol")[person % 2],
        )
        for person in range(count)
        for copy in (0, 1)
    ]


def test_a_small_hub_keeps_the_usual_weights() -> None:
    assert learn(people(FEWEST_RECORDS // 2 - 1), 99) is AS_IT_COMES
    assert learn([], 0) is AS_IT_COMES


def test_the_same_records_in_any_order_teach_the_same() -> None:
    records = people(200)
    by_name = sorted(records, key=lambda record: record.last)
    assert learn(records, 200) == learn(by_name, 200)


def test_frequent_values_say_less_once_they_were_counted() -> None:
    learnt = learn(people(300), 300)
    assert learnt.shared("city", "leeds") == pytest.approx(0.9, abs=0.1)
    assert learnt.counts["city"] == {"leeds": 150, "bristol": 150}
    assert learnt.shared("email", f"{word(5, 3)}@example.com") > 11


def test_a_phone_that_all_have_says_nothing() -> None:
    learnt = learn(people(300, shared_phone=True), 300)
    assert learnt.shared("phone", "442079460111") < 1


def test_a_field_in_which_people_contradict_themselves_says_less_against_them() -> None:
    steady, moving = learn(people(400), 400), learn(people(400, jobs_differ=True), 400)
    assert moving.levels["job"]["other"] > steady.levels["job"]["other"] + 0.5


def test_what_is_learnt_stays_near_the_usual_weights() -> None:
    learnt = learn(people(400, jobs_differ=True), 400)
    for field, levels in learnt.bits.items():
        for level, bits in levels.items():
            assert abs(bits - LEVELS[field][level]) <= FARTHEST + 0.01


def test_a_sample_stands_for_all_and_keeps_a_bounded_number_of_values() -> None:
    records = people(600)
    learnt = learn(records, 60_000)
    assert (learnt.leads, learnt.submissions) == (60_000, 120_000)
    assert all(len(values) <= MOST_VALUES for values in learnt.counts.values())


def test_weights_that_were_learnt_can_be_stored() -> None:
    learnt = learn(people(200), 200)
    assert type(learnt).model_validate_json(learnt.model_dump_json()) == learnt
