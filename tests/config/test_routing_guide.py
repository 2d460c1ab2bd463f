"""The guide to routing: its examples are true, and every key is in it."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from chalicelib.config import routing
from chalicelib.config.checks import check
from chalicelib.config.document import load_document, parse_yaml

TEXT = (Path(__file__).parents[2] / "docs" / "routing.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def all_keys() -> list[str]:
    kinds = [kind for kind in vars(routing).values() if isinstance(kind, type)]
    ours = [k for k in kinds if issubclass(k, BaseModel) and k.__module__ == routing.__name__]
    return sorted({key for kind in ours for key in kind.model_fields})


@pytest.mark.parametrize("key", all_keys())
def test_every_key_stands_in_the_guide(key: str) -> None:
    assert re.search(rf"\b{key}\b", "\n".join(EXAMPLES))


def test_the_examples_make_one_configuration_without_errors() -> None:
    document: dict[str, Any] = {}
    for example in EXAMPLES:
        for name, part in parse_yaml(example)[0].items():
            same = isinstance(part, dict) and name in document
            document[name] = document[name] | part if same else part
    document["settings"] = {"time_zone": "Europe/Berlin"}
    document["routing"] = [{"id": "all", "when": {"all": []}, "pool": "enterprise"}]
    found = check(load_document(document), [], None)
    assert [each for each in found if each.level == "error"] == []
