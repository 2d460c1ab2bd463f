"""The examples of docs/intent.md are configurations, and what it says is so."""

import re
from pathlib import Path

import pytest

from chalicelib.config.check_conditions import ConditionChecks
from chalicelib.config.document import load
from chalicelib.config.model import Config
from chalicelib.lead.model import INTENTS, URGENCIES

TEXT = (Path(__file__).parents[3] / "docs" / "intent.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_configuration(example: str) -> None:
    config = load(example)
    assert config != Config()
    checks = ConditionChecks(config, "lead", is_score=False)
    conditions = [rule.when for rule in config.scoring.fit.rules]
    for condition in [*conditions, *(rule.when for rule in config.routing)]:
        assert list(checks.check((), condition)) == []


@pytest.mark.parametrize("word", [*INTENTS, *URGENCIES])
def test_every_word_is_explained(word: str) -> None:
    assert f"| `{word}` |" in TEXT
