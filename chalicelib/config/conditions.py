"""What can be known of a condition without any lead: always true, implied, an example."""

from typing import Any

from chalicelib.config.model import All, AnyOne, Condition, Not, Test
from chalicelib.lead.conditions import NEGATIVE_OPS, NUMBER_OPS, as_number, evaluate


def always_holds(condition: Condition) -> bool:
    """Say whether a condition surely holds for every lead; False when that cannot be seen."""
    match condition:
        case All():
            return all(map(always_holds, condition.all))
        case AnyOne():
            return any(map(always_holds, condition.any)) or _covers_a_field(condition)
        case Not():
            return never_holds(condition.not_)
    return False


def never_holds(condition: Condition) -> bool:
    """Say whether a condition surely holds for no lead; False when that cannot be seen."""
    match condition:
        case All():
            return any(map(never_holds, condition.all))
        case AnyOne():
            return all(map(never_holds, condition.any))
        case Not():
            return always_holds(condition.not_)
    return False


def implies(narrow: Condition, wide: Condition) -> bool:
    """Say whether whatever fits one condition surely fits the other; False when unsure."""
    return (
        narrow == wide
        or always_holds(wide)
        or never_holds(narrow)
        or _parts_imply(narrow, wide)
        or (isinstance(narrow, Test) and isinstance(wide, Test) and _test_implies(narrow, wide))
    )


def find_example(condition: Condition) -> dict[str, Any] | None:
    """Make up facts that fit a condition; None when the attempt fails."""
    facts: dict[str, Any] = {}
    _fit(condition, facts)
    return facts if evaluate(condition, facts).holds else None


def _covers_a_field(condition: AnyOne) -> bool:
    """Recognise `exists` or `missing` of one field."""
    tests = [part for part in condition.any if isinstance(part, Test)]
    known = {test.field for test in tests if test.op == "exists"}
    return any(test.op == "missing" and test.field in known for test in tests)


def _parts_imply(narrow: Condition, wide: Condition) -> bool:
    """Take one of two conditions apart; each way by itself is proof enough."""
    return (
        (isinstance(wide, All) and all(implies(narrow, part) for part in wide.all))
        or (isinstance(wide, AnyOne) and any(implies(narrow, part) for part in wide.any))
        or (isinstance(narrow, All) and any(implies(part, wide) for part in narrow.all))
        or (isinstance(narrow, AnyOne) and all(implies(part, wide) for part in narrow.any))
        or (isinstance(narrow, Not) and isinstance(wide, Not) and implies(wide.not_, narrow.not_))
    )


def _test_implies(narrow: Test, wide: Test) -> bool:
    if narrow.field != wide.field:
        return False
    if wide.op == "exists":
        return narrow.op not in NEGATIVE_OPS
    if narrow.op == "missing":
        return wide.op in NEGATIVE_OPS
    values = narrow.value if narrow.op == "in" else [narrow.value]
    if narrow.op in ("is", "in") and isinstance(values, list | tuple) and _is_scalar(wide.field):
        return all(evaluate(wide, {narrow.field: value}).holds for value in values)
    return _bound_implies(narrow, wide)


def _bound_implies(narrow: Test, wide: Test) -> bool:
    """Compare two bounds on one number."""
    limit, bound = as_number(narrow.value), as_number(wide.value)
    upward = {"at_least", "more_than"}
    if limit is None or bound is None or not {narrow.op, wide.op} <= NUMBER_OPS:
        return False
    if (narrow.op in upward) != (wide.op in upward):
        return False
    if limit == bound:
        return narrow.op == wide.op or narrow.op in ("more_than", "less_than")
    return (limit > bound) == (narrow.op in upward)


def _is_scalar(field: str) -> bool:
    """Say whether a field has one value: a list may be one thing and another at once."""
    lists = ("flags", "referrers", "declined_by")
    return field not in lists and not field.startswith(("custom.", "answers."))


def _fit(condition: Condition, facts: dict[str, Any]) -> None:
    match condition:
        case Test():
            value = _fitting_value(condition)
            if value is not None:
                facts[condition.field] = value
        case All():
            for part in condition.all:
                _fit(part, facts)
        case AnyOne():
            for part in condition.any[:1]:
                _fit(part, facts)


def _fitting_value(test: Test) -> Any:
    number = as_number(test.value)
    match test.op:
        case "more_than" if number is not None:
            return int(number) + 1
        case "less_than" if number is not None:
            return int(number) - 1
        case "in" if isinstance(test.value, list | tuple) and test.value:
            return test.value[0]
        case "exists":
            return "something"
        case "is_not" | "not_in" | "missing":
            return None
    return test.value
