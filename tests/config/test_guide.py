"""The guide to the configuration: it names every key, and its examples are true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from chalicelib.config import model
from chalicelib.config.checks import check
from chalicelib.config.document import load_document, parse_yaml, plain
from chalicelib.lead.conditions import FAMILIES, FIELDS
from chalicelib.lead.model import CONTACT_FIELDS

GUIDE = Path(__file__).parents[2] / "docs" / "configuration.md"
TEXT = GUIDE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def all_keys() -> Iterator[tuple[str, str]]:
    for name, kind in vars(model).items():
        is_ours = isinstance(kind, type) and issubclass(kind, BaseModel)
        if is_ours and kind.__module__ == model.__name__:
            for key, info in kind.model_fields.items():
                yield name, info.alias or key


@pytest.mark.parametrize(("kind", "key"), list(all_keys()))
def test_every_key_is_explained(kind: str, key: str) -> None:
    assert re.search(rf"`(?:\w+\.)?{key}(?:: [^`]*)?`", TEXT), (
        f"{kind}.{key} is not in {GUIDE.name}"
    )


@pytest.mark.parametrize("word", [*get_args(model.Op), *FIELDS, *CONTACT_FIELDS])
def test_every_comparison_and_field_is_named(word: str) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_fields_is_named(family: str) -> None:
    assert re.search(rf"`{re.escape(family)}[A-Z]+`", TEXT)


def test_the_examples_make_one_configuration_without_errors() -> None:
    document: dict[str, Any] = {}
    for example in EXAMPLES:
        document |= parse_yaml(example)[0]
    document.pop("when")
    document["settings"] = {"mail_from": "leads@example.com"}
    members = [{"owner": "anna"}]
    document["owners"]["ben"] = {"name": "Ben", "email": "ben@example.com"}
    document["pools"] |= {"growth": {"members": members}, "nurture": {"members": members}}
    found = check(load_document(document), ["html_form"], None)
    assert [each for each in found if each.level == "error"] == []
    assert set(document) == set(plain(load_document(document)))


def test_the_conditions_of_the_examples_are_conditions() -> None:
    conditions = [each for each in EXAMPLES if each.startswith("when:")]
    assert len(conditions) == 2
    for example in conditions:
        rule = {"id": "a", "pool": "p", **parse_yaml(example)[0]}
        load_document({"routing": [rule]})
