"""Differences between configurations, told small and in a stable order."""

from typing import Any

from chalicelib.config.diff import Change, diff
from chalicelib.config.document import load_document
from chalicelib.config.model import Config

OWNER = {"name": "Ana", "email": "ana@example.com"}


def rule(id: str, pool: str = "p", **more: Any) -> dict[str, Any]:  # noqa: A002
    return {"id": id, "when": {"all": []}, "pool": pool, **more}


def make(**parts: Any) -> Config:
    return load_document(parts)


def changes(old: Config, new: Config) -> list[tuple[str, str, Any, Any]]:
    return [(each.path, each.kind, each.before, each.after) for each in diff(old, new)]


def test_equal_configurations_do_not_differ() -> None:
    config = make(owners={"ana": OWNER}, routing=[rule("a")])
    assert diff(config, make(owners={"ana": OWNER}, routing=[rule("a")])) == []


def test_a_changed_value_is_told_with_before_and_after() -> None:
    old, new = make(owners={"ana": OWNER}), make(owners={"ana": {**OWNER, "active": False}})
    assert changes(old, new) == [("owners.ana.active", "changed", True, False)]


def test_what_is_added_or_removed_is_one_change() -> None:
    old, new = make(owners={"ana": OWNER}), make(owners={"ben": OWNER})
    assert changes(old, new) == [
        ("owners.ana", "removed", OWNER, None),
        ("owners.ben", "added", None, OWNER),
    ]


def test_things_with_ids_are_compared_by_id_wherever_they_stand() -> None:
    old = make(routing=[rule("a"), rule("b")])
    new = make(routing=[rule("x"), rule("a"), rule("b", "q")])
    assert changes(old, new) == [
        ("routing.b.pool", "changed", "p", "q"),
        ("routing.x", "added", None, rule("x")),
    ]


def test_rules_that_change_places_are_told() -> None:
    old = make(routing=[rule("a"), rule("b"), rule("c")])
    new = make(routing=[rule("b"), rule("a")])
    assert changes(old, new) == [
        ("routing.c", "removed", rule("c"), None),
        ("routing.order", "changed", ["a", "b"], ["b", "a"]),
    ]


def test_members_are_compared_by_owner() -> None:
    old = make(pools={"p": {"members": [{"owner": "ana"}, {"owner": "ben"}]}})
    new = make(pools={"p": {"members": [{"owner": "ana", "weight": 3}, {"owner": "ben"}]}})
    assert changes(old, new) == [("pools.p.members.ana.weight", "changed", 1, 3)]


def test_a_condition_of_another_kind_is_told_whole() -> None:
    test = {"field": "country", "op": "is", "value": "DE"}
    old = make(routing=[rule("a")])
    new = make(routing=[rule("a", when={"not": test})])
    assert changes(old, new) == [("routing.a.when", "changed", {"all": []}, {"not": test})]


def test_a_changed_comparison_inside_of_not_is_told_small() -> None:
    def condition(value: int) -> dict[str, Any]:
        return {"not": {"field": "score", "op": "at_least", "value": value}}

    old, new = (make(routing=[rule("a", when=condition(value))]) for value in (50, 60))
    assert changes(old, new) == [("routing.a.when.not.value", "changed", 50, 60)]


def test_hours_and_other_lists_without_ids_are_told_whole() -> None:
    old = make(owners={"ana": {**OWNER, "hours": {"mon": ["09:00-12:00"]}}})
    new = make(owners={"ana": {**OWNER, "hours": {"mon": ["09:00-13:00"], "tue": []}}})
    assert changes(old, new) == [
        ("owners.ana.hours.mon", "changed", ["09:00-12:00"], ["09:00-13:00"]),
        ("owners.ana.hours.tue", "added", None, []),
    ]


def test_options_of_any_shape_are_compared() -> None:
    def source(options: dict[str, Any]) -> Config:
        return make(sources={"web": {"connector": "x", "options": options}})

    old = source({"a": {"b": 1}, "c": [1], "d": 1, "e": {"f": 1}})
    new = source({"a": 3, "c": 1, "d": {"x": 1}, "e": {"f": 2}})
    assert changes(old, new) == [
        ("sources.web.options.a", "changed", {"b": 1}, 3),
        ("sources.web.options.c", "changed", [1], 1),
        ("sources.web.options.d", "changed", 1, {"x": 1}),
        ("sources.web.options.e.f", "changed", 1, 2),
    ]


def test_a_list_in_which_an_id_comes_twice_is_told_whole() -> None:
    old = make(pools={"p": {"members": [{"owner": "ana"}, {"owner": "ana"}]}})
    new = make(pools={"p": {"members": [{"owner": "ana"}]}})
    assert changes(old, new) == [
        ("pools.p.members", "changed", [{"owner": "ana"}] * 2, [{"owner": "ana"}]),
    ]


def test_changes_come_in_the_order_of_the_document_and_are_json() -> None:
    old = make(routing=[rule("a")], settings={"company": "A"})
    new = make(
        settings={"company": "B"}, owners={"ana": {**OWNER, "absences": [
            {"first": "2026-01-01", "last": "2026-01-02"}]}}, routing=[rule("b")],
    )  # fmt: skip
    told = diff(old, new)
    assert [each.path for each in told] == [
        "settings.company",
        "owners.ana",
        "routing.a",
        "routing.b",
    ]
    assert [Change.model_validate_json(each.model_dump_json()) for each in told] == told
