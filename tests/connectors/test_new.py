"""A connector started by the command passes the suite at once."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of what a connector needs."""
    skip = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("chalicelib", "connectors"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
    (tmp_path / "tests" / "connectors").mkdir(parents=True)
    for path in ("pyproject.toml", "tests/test_connectors.py"):
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_new_connector_passes_the_suite_and_the_linter_at_once(copy: Path) -> None:
    made = run(copy, "-m", "connectors", "new", "acme_forms2", "Acme Forms & Söhne")
    assert made.returncode == 0, made.stderr
    assert "connectors/acme_forms2/__init__.py" in made.stdout
    suite = run(
        copy,
        "-m",
        "pytest",
        "tests/test_connectors.py",
        "-k",
        "acme_forms2",
        "-p",
        "no:cacheprovider",
    )
    assert suite.returncode == 0, suite.stdout
    assert " skipped" not in suite.stdout
    for check in (("check",), ("format", "--check")):
        linted = run(copy, "-m", "ruff", *check, "connectors/acme_forms2")
        assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("name", "title", "told"),
    [
        ("Acme", "Acme", "cannot be a connector's name"),
        ("acme-forms", "Acme", "cannot be a connector's name"),
        ("1acme", "Acme", "cannot be a connector's name"),
        ("acme__forms", "Acme", "cannot be a connector's name"),
        ("../acme", "Acme", "cannot be a connector's name"),
        ("", "Acme", "cannot be a connector's name"),
        ("a" * 41, "Acme", "cannot be a connector's name"),
        ("vectors", "Vectors", "is taken"),
        ("typeform", "Typeform", "connectors/typeform is there already"),
        ("acme", "", "cannot be a title"),
        ("acme", 'Ac"""me', "cannot be a title"),
        ("acme", "Ac\nme", "cannot be a title"),
        ("acme", "{0.__class__}", "cannot be a title"),
    ],
)
def test_a_bad_name_or_title_is_refused_in_words(name: str, title: str, told: str) -> None:
    before = sorted(ROOT.glob("connectors/*"))
    refused = run(ROOT, "-m", "connectors", "new", name, title)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert sorted(ROOT.glob("connectors/*")) == before
