"""Connectors are found by folder, and only the one asked for is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib import registry
from chalicelib.errors import Misconfigured

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nobody",
        "__main__",
        "__init__",
        "Typeform",
        "typeform.x",
        "../typeform",
        "os",
        "a" * 999,
        "é",
    ],
)
def test_a_name_that_is_no_connector_is_misconfigured(name: str) -> None:
    with pytest.raises(Misconfigured) as told:
        registry.load(name)
    assert len(str(told.value)) < 120


def test_only_the_connector_that_is_asked_for_is_imported() -> None:
    code = (
        "import sys; from chalicelib import registry; registry.names(); registry.load('typeform');"
        "print(sorted(m for m in sys.modules if m.startswith('connectors.')))"
        "; assert not {'multipart', 'boto3', 'email_validator', 'phonenumbers'} & set(sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "['connectors.typeform']"


def test_a_connector_that_calls_itself_something_else_is_misconfigured(tmp_path: Path) -> None:
    folder = tmp_path / "connectors"
    for name, code in {
        "other": (ROOT / "connectors" / "typeform" / "__init__.py").read_text(encoding="utf-8"),
        "bare": "",
        "broken": "import no_such_module_anywhere",
    }.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(code, encoding="utf-8")
    (folder / "__init__.py").write_text("")
    code = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "from chalicelib import registry\n"
        "assert registry.names() == ['bare', 'broken', 'other'], registry.names()\n"
        "for name in registry.names():\n"
        "    try: registry.load(name)\n"
        "    except Exception as error: print(type(error).__name__)\n"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path), str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["Misconfigured"] * 3
