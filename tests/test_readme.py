"""The README and the pages in docs: their links lead somewhere and their commands run."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from chalicelib.cli import background
from chalicelib.cli.connectors import rows, table

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "connectors").glob("*/README.md"))
README = (ROOT / "README.md").read_text("utf-8")

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|<img src=\"([^\"]+)\"")
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    targets = [a or b for a, b in LINK.findall(page.read_text("utf-8"))]
    files = [
        target for target in targets if "://" not in target and not target.startswith("mailto")
    ]
    assert [target for target in files if not (page.parent / target).exists()] == []


def test_the_table_of_connectors_is_what_the_code_says() -> None:
    assert table(list(rows())) in README, "put in place what hub connectors --markdown prints"


def test_every_page_of_docs_is_named_in_the_readme_or_by_another_page() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"{page.name})" not in text] == []


@pytest.mark.cloud
def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    commands = [line for block in CONSOLE.findall(README) for line in COMMAND.findall(block)]
    assert commands[0] == "make up"
    script = "\n".join(["set -e", *commands])
    told = {**os.environ, "HUB_HOME": str(tmp_path / "hub"), "COLUMNS": "120"}
    told.pop("PYTEST_CURRENT_TEST", None)
    try:
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=ROOT,
            env=told,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    finally:
        down = subprocess.run(
            ["make", "down"], cwd=ROOT, env=told, capture_output=True, text=True, check=False
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert down.returncode == 0, down.stdout + down.stderr
    assert "zoe.quillfeather" in ran.stdout or "Quillfeather" in ran.stdout
    assert "come out the same" in ran.stdout
    started = {path.stem for path in (tmp_path / "hub").glob("*.json")}
    assert started >= {"cloud", "mailbox", "provider"}
    assert [name for name in started if background.find(tmp_path / "hub", name)] == []
