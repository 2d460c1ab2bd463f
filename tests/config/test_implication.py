"""What is said of conditions without any lead must hold for every lead."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chalicelib.config.conditions import always_holds, find_example, implies, never_holds
from chalicelib.config.model import Condition
from chalicelib.lead.conditions import evaluate

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
NUMBERS = st.sampled_from([1, 2, 3, "2", 2.5])
WORDS = st.sampled_from(["DE", "de", "AT", "ab", "abc", "2"])


def test_of(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


test_of.__test__ = False  # type: ignore[attr-defined]

fields = st.sampled_from(["score", "country", "custom.x", "flags"])
tests = st.one_of(
    st.builds(test_of, fields, st.sampled_from(["exists", "missing"])),
    st.builds(
        test_of, fields, st.sampled_from(["at_least", "at_most", "more_than", "less_than"]), NUMBERS
    ),
    st.builds(test_of, fields, st.sampled_from(["is", "is_not"]), NUMBERS | WORDS),
    st.builds(test_of, fields, st.sampled_from(["contains", "starts_with", "ends_with"]), WORDS),
    st.builds(
        test_of, fields, st.sampled_from(["in", "not_in"]), st.lists(NUMBERS | WORDS, min_size=1)
    ),
)
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=5,
)
values = st.none() | NUMBERS | WORDS
members = st.lists(WORDS, max_size=3).map(tuple)
facts = st.fixed_dictionaries(
    {"score": st.integers(0, 4), "country": values, "custom.x": values | members, "flags": members}
)


@settings(max_examples=500, deadline=None)
@given(conditions, conditions, st.lists(facts, min_size=5, max_size=15))
@example(
    test_of("custom.x", "is", "DE"),
    test_of("custom.x", "is_not", "AT"),
    [{"custom.x": ("DE", "AT")}],
)
@example(
    test_of("flags", "is", "DE"), test_of("flags", "not_in", ["AT"]), [{"flags": ("DE", "AT")}]
)
def test_whatever_fits_the_narrow_condition_fits_the_wide_one(
    narrow: dict[str, Any], wide: dict[str, Any], leads: list[dict[str, Any]]
) -> None:
    one, other = CONDITION.validate_python(narrow), CONDITION.validate_python(wide)
    for lead in leads:
        holds = evaluate(one, lead).holds
        if implies(one, other) and holds:
            assert evaluate(other, lead).holds
        assert holds or not always_holds(one)
        assert not holds or not never_holds(one)


@given(conditions)
def test_an_example_always_fits(condition: dict[str, Any]) -> None:
    checked = CONDITION.validate_python(condition)
    found = find_example(checked)
    assert found is None or evaluate(checked, found).holds


@given(conditions)
def test_a_condition_implies_itself_and_what_is_wider_by_a_part(condition: dict[str, Any]) -> None:
    one = CONDITION.validate_python(condition)
    other = CONDITION.validate_python(test_of("country", "exists"))
    assert implies(one, one)
    assert implies(CONDITION.validate_python({"all": [one, other]}), one)
    assert implies(one, CONDITION.validate_python({"any": [other, one]}))
