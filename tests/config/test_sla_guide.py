"""The guide to the clock: its examples are true, and the checks find what would not work."""

import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.config import sla
from chalicelib.config.checks import check
from chalicelib.config.document import load_document, parse_yaml
from chalicelib.config.finding import Finding
from tests.flow.sla_scenes import HOT, REST, with_clock

GUIDE = Path(__file__).parents[2] / "docs" / "sla.md"
TEXT = GUIDE.read_text(encoding="utf-8")
EXAMPLES = [parse_yaml(text)[0] for text in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]

AROUND: dict[str, Any] = {
    "settings": {"mail_from": "leads@example.com", "alarms": ["sales-slack"]},
    "sources": {"website": {"connector": "html_form", "secret": "website"}},
    "destinations": {
        "owner-mail": {"kind": "email"},
        "sales-slack": {"kind": "slack", "secret": "slack"},
    },
    "scoring": {
        "fit": {
            "rules": [
                {"id": "firm", "when": {"field": "company", "op": "exists"}, "points": 60},
            ]
        },
        "engagement": {
            "rules": [{"id": "came", "when": {"field": "source", "op": "exists"}, "points": 20}]
        },
    },
    "pools": {"sales": {"members": [{"owner": "anna"}]}},
    "routing": [{"id": "all", "when": {"all": []}, "pool": "sales", "notify": ["owner-mail"]}],
}


def found_in(document: dict[str, Any]) -> list[Finding]:
    return check(load_document(document), ["html_form"], None)


def test_the_examples_make_one_configuration_without_a_finding() -> None:
    document = dict(AROUND)
    for example in EXAMPLES:
        for name, part in example.items():
            document[name] = {**document.get(name, {}), **part}
    assert [one for one in found_in(document) if one.path.startswith(("sla", "owners"))] == []


@pytest.mark.parametrize("kind", [sla.Sla, sla.SlaPolicy, sla.SlaPromise, sla.SlaStep])
def test_every_key_is_explained(kind: Any) -> None:
    for key in kind.model_fields:
        assert key in ("id", "title", "policies") or f"`{key}`" in TEXT or f"{key}:" in TEXT, key


def changed(policy: dict[str, Any], step: dict[str, Any], place: int = 0) -> list[dict[str, Any]]:
    steps = list(policy["accept"]["steps"])
    steps[place] = {**steps[place], **step}
    return [{**policy, "accept": {**policy["accept"], "steps": steps}}]


@pytest.mark.parametrize(
    ("policies", "path", "message"),
    [
        ([REST, HOT], "sla.policies[1].when", "the policy rest stands before it"),
        ([HOT, HOT], "sla.policies[1].id", "is there twice"),
        (changed(REST, {"notify": ["male"]}), "steps[0].notify[0]", "did you mean mail"),
        (changed(REST, {"notify": []}), "steps[0]", "tells nobody"),
        (changed(REST, {"do": "reassign"}), "steps[1]", "is never taken"),
        (changed(REST, {"unless": {"field": "scor", "op": "exists"}}), "unless", "no field scor"),
        ([{"id": "a", "when": {"all": []}}], "sla.policies[0]", "promises nothing"),
        ([{**REST, "when": {"any": []}}], "sla.policies[0].when", "no lead ever fits"),
    ],
)
def test_a_clock_that_would_not_work_is_found(policies: Any, path: str, message: str) -> None:
    found = check(with_clock(policies=policies), ["html_form"], None)
    ours = [one for one in found if one.path.startswith("sla")]
    assert any(path in one.path and message in one.message for one in ours), ours


def test_a_clock_that_works_is_not_accused() -> None:
    found = check(with_clock(), ["html_form"], None)
    assert [one for one in found if one.path.startswith("sla")] == []


def test_managers_who_are_missing_are_found() -> None:
    config = with_clock()
    ann = config.owners["ann"].model_copy(update={"manager": ""})
    ben = config.owners["ben"].model_copy(update={"manager": "bo"})
    cem = config.owners["cem"].model_copy(update={"manager": "cem"})
    owners = {**config.owners, "ann": ann, "ben": ben, "cem": cem}
    found = check(config.model_copy(update={"owners": owners}), ["html_form"], None)
    said = {(one.path, one.level) for one in found}
    assert ("owners.ben.manager", "error") in said
    assert ("owners.cem.manager", "warning") in said
    assert any("the alarms are told instead: ann" in one.message for one in found)
