"""Checks of scoring and qualifying: what cannot work is found, each with its place and reason."""

from typing import Any

import pytest

from chalicelib.config.check_conditions import highest
from chalicelib.config.checks import check
from chalicelib.config.document import load_document

OWNER = {"name": "Anna", "email": "anna@example.com"}
FIVE = ["lead", "MQL", "SQL", "opportunity", "customer"]
ALWAYS: dict[str, Any] = {"all": []}


def found_in(part: str, value: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    document: dict[str, Any] = {
        "owners": {"anna": OWNER},
        "pools": {"all": {"members": [{"owner": "anna"}]}},
        "routing": [{"id": "rest", "when": ALWAYS, "pool": "all"}],
        part: value,
        **more,
    }
    findings = check(load_document(document), [], None)
    return [
        (one.level, one.path, one.message)
        for one in findings
        if one.path.startswith((part, *more)) and "notify" not in one.message
    ]


RULE = {"id": "r", "points": 5}
FULL: dict[str, Any] = {"fit": {"rules": [{"id": "r", "points": 40}]}}


@pytest.mark.parametrize(
    ("scoring", "path", "said"),
    [
        ({"fit": {"rules": [RULE, RULE]}}, "scoring.fit.rules[1].id", "is there twice in fit"),
        ({"fit": {"rules": [{**RULE, "id": "cap"}]}}, "scoring.fit.rules[0].id", "is reserved"),
        (
            {"fit": {"rules": [{**RULE, "group": "web"}], "groups": {"wep": {}}}},
            "scoring.fit.rules[0].group",
            "there is no group web in fit; did you mean wep?",
        ),
        (
            {"fit": {"rules": [RULE], "groups": {"web": {}}}},
            "scoring.fit.groups.web",
            "no rule is in this group",
        ),
        (
            {"fit": {"cap": 9, "rules": [{**RULE, "within_days": 3}]}},
            "scoring.fit.rules[0].within_days",
            "is about touches",
        ),
        (
            {"fit": {"cap": 9}, "parts": {"total": {"cap": 1}}},
            "scoring.parts.total",
            "is the hub's own",
        ),
        (
            {
                "fit": {"cap": 9},
                "parts": {
                    "own": {
                        "cap": 1,
                        "rules": [{**RULE, "when": {"field": "grade", "op": "is", "value": "A"}}],
                    }
                },
            },
            "scoring.parts.own.rules[0].when.field",
            "a score may not depend on grade",
        ),
        (
            {"fit": {"rules": [{**RULE, "touches": {"when": {"field": "score", "op": "exists"}}}]}},
            "scoring.fit.rules[0].touches.when.field",
            "a score may not depend on score",
        ),
        (
            {"engagement": {"rules": [{**RULE, "when": {"field": "days_known", "op": "exists"}}]}},
            "scoring.engagement.rules[0].when.field",
            "a single touch has no days_known",
        ),
        (
            {"vetoes": [{"id": "v"}, {"id": "v"}]},
            "scoring.vetoes[1].id",
            "v is there twice",
        ),
        (
            {**FULL, "grades": {"first": {"part": "fitt", "from": {"A": 0}}}},
            "scoring.grades.first.part",
            "there is no part fitt; did you mean fit?",
        ),
        (
            {**FULL, "grades": {"first": {"part": "fit", "from": {"A": 41, "B": 0}}}},
            "scoring.grades.first.from.A",
            "fit never reaches 41: by its rules and caps it is at most 40",
        ),
    ],
)
def test_what_cannot_work_in_scoring_is_found(
    scoring: dict[str, Any], path: str, said: str
) -> None:
    found = found_in("scoring", scoring)
    assert [one for one in found if one[1] == path and said in one[2]], found


def stages(**more: dict[str, Any]) -> list[dict[str, Any]]:
    own = [{"id": name, **rest} for name, rest in more.items() if name not in FIVE]
    five = [{"id": name, **more.get(name, {})} for name in FIVE]
    return [*five[:1], *own, *five[1:]]


@pytest.mark.parametrize(
    ("qualifying", "path", "said"),
    [
        (
            {"triage": [{"id": "a", "does": "answer_now"}, {"id": "b", "does": "inform_later"}]},
            "qualifying.triage[1]",
            "the rule a stands before it and takes all its leads",
        ),
        (
            {
                "triage": [
                    {"id": "a", "does": "answer_now", "when": {"field": "country", "op": "exists"}},
                    {"id": "a", "does": "inform_later"},
                ]
            },
            "qualifying.triage[1].id",
            "a is there twice",
        ),
        (
            {"triage": [{"id": "a", "does": "refuse", "reason": "no"}]},
            "qualifying.triage[0]",
            "refuses every lead",
        ),
        (
            {"triage": [{"id": "a", "does": "answer_now", "reason": "no"}]},
            "qualifying.triage[0].reason",
            "is for rules that refuse",
        ),
        (
            {
                "triage": [
                    {
                        "id": "a",
                        "does": "answer_now",
                        "when": {"field": "stage", "op": "is", "value": "IQL"},
                    }
                ]
            },
            "qualifying.triage[0].when.value",
            "stage is never IQL",
        ),
        (
            {"stages": stages(own={"from": ["MQ"]})},
            "qualifying.stages[1].from[0]",
            "there is no stage MQ; did you mean MQL?",
        ),
        (
            {"stages": stages(own={"from": ["own"]})},
            "qualifying.stages[1].from[0]",
            "does not come from where it goes to",
        ),
        ({"stages": stages(own={"by": "hub"})}, "qualifying.stages[1]", "it has no enter"),
        (
            {"stages": stages(own={"by": "person", "enter": {}})},
            "qualifying.stages[1].enter",
            "only a person moves leads",
        ),
        ({"stages": stages(lead={"enter": {}})}, "qualifying.stages[0].enter", "begins here"),
        (
            {"stages": stages(own={"enter": {"when": {"field": "grade", "op": "exists"}}})},
            "qualifying.stages[1].enter.when.field",
            "there are no grades",
        ),
        (
            {
                "stages": stages(
                    own={"enter": {"when": {"field": "score", "op": "at_least", "value": 50}}}
                )
            },
            "qualifying.stages[1].enter.when.value",
            "score never reaches this",
        ),
    ],
)
def test_what_cannot_work_in_qualifying_is_found(
    qualifying: dict[str, Any], path: str, said: str
) -> None:
    found = found_in("qualifying", qualifying)
    assert [one for one in found if one[1] == path and said in one[2]], found


def test_stages_of_your_own_are_known_wherever_a_stage_is_named() -> None:
    condition = {"field": "stage", "op": "is", "value": "IQL"}
    routing = [
        {"id": "iql", "when": condition, "pool": "all"},
        {"id": "rest", "when": ALWAYS, "pool": "all"},
    ]
    keep = {"id": "k", "what": "leads", "days": 9, "stages": ["IQL"]}
    known = {"stages": stages(IQL={})}
    more = {"routing": routing, "retention": [keep]}
    assert found_in("qualifying", known, **more) == []
    told = [(level, path) for level, path, _ in found_in("qualifying", {}, **more)]
    assert ("error", "routing[0].when.value") in told
    assert ("error", "retention[0].stages[0]") in told


def test_the_highest_score_counts_parts_groups_and_caps() -> None:
    rules = [{"id": f"r{n}", "points": 10, "group": "g" if n < 3 else ""} for n in range(5)]
    fit = {"cap": 50, "groups": {"g": {"cap": 12}}, "rules": rules}
    beside = {"cap": 100, "in_total": False, "rules": [{"id": "b", "points": 70}]}
    own = {"cap": 10, "rules": [{"id": "b", "points": 2, "over": "touches", "at_most": 3}]}
    scoring = {"fit": fit, "parts": {"beside": beside, "own": own}}
    found = highest(load_document({"scoring": scoring}))
    assert {name: int(points) for name, points in found.items()} == {
        "fit": 32,
        "engagement": 0,
        "parts.beside": 70,
        "parts.own": 6,
        "score": 38,
    }
