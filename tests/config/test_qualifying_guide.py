"""The guides to scoring and qualifying: they name every key, and their examples are true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from chalicelib.config import qualifying, scoring
from chalicelib.config.checks import check
from chalicelib.config.document import load_document, parse_yaml
from chalicelib.lead.model import TRIAGES, Triage

DOCS = Path(__file__).parents[2] / "docs"
SCORING = (DOCS / "scoring.md").read_text(encoding="utf-8")
QUALIFYING = (DOCS / "qualifying.md").read_text(encoding="utf-8")
GUIDE = (DOCS / "configuration.md").read_text(encoding="utf-8")


def examples(text: str) -> list[dict[str, Any]]:
    found = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return [parse_yaml(example)[0] for example in found]


def all_keys() -> Iterator[tuple[str, str]]:
    for module in (scoring, qualifying):
        for name, kind in vars(module).items():
            is_ours = isinstance(kind, type) and issubclass(kind, BaseModel)
            if is_ours and kind.__module__ == module.__name__:
                for key, info in kind.model_fields.items():
                    yield name, info.alias or key


@pytest.mark.parametrize(("kind", "key"), list(all_keys()))
def test_every_key_is_explained(kind: str, key: str) -> None:
    text = SCORING + QUALIFYING + GUIDE
    assert re.search(rf"`(?:\w+\.)?{key}(?:: [^`]*)?`", text) or f"  {key}:" in text, (
        f"{kind}.{key} is in no guide"
    )


def test_every_triage_is_named() -> None:
    assert get_args(Triage) == TRIAGES
    assert all(f"`{one}`" in QUALIFYING for one in TRIAGES)


@pytest.mark.parametrize("example", [*examples(SCORING), *examples(QUALIFYING)])
def test_the_examples_are_configurations_without_errors(example: dict[str, Any]) -> None:
    fields = [
        {"id": "company_size", "type": "number"},
        {"id": "enquiry"},
        {"id": "topic"},
    ]
    owner = {"name": "Anna", "email": "anna@example.com"}
    usual = {"id": "any", "points": 60}
    document: dict[str, Any] = {
        "fields": fields,
        "owners": {"anna": owner},
        "sources": {"website": {"connector": "html_form"}},
        "pools": {"all": {"members": [{"owner": "anna"}]}},
        "routing": [{"id": "rest", "when": {"all": []}, "pool": "all"}],
        "scoring": {"fit": {"rules": [usual]}},
        **example,
    }
    if "grades" in document["scoring"]:
        rules = {"rules": [usual]}
        document["scoring"] = {"fit": rules, "engagement": rules, **document["scoring"]}
    found = check(load_document(document), ["html_form"], None, closed=["website"])
    assert [one for one in found if one.path.startswith(("scoring", "qualifying"))] == []
    assert [one for one in found if one.level == "error"] == []
