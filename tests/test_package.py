import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cli.package import ROOT, Package, package
from chalicelib.cli.up import HOME

MEGABYTE = 1024 * 1024
RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What Lambda's Python has beside the standard library."""

OTHERS = {
    "charset_normalizer",
    "cryptography",
    "email_validator",
    "holidays",
    "idna",
    "jinja2",
    "jwt",
    "multipart",
    "phonenumbers",
    "publicsuffixlist",
}
"""What the door has no need of, or only for some sources, and then imports when it has."""


@pytest.fixture(scope="module")
def made() -> Package:
    return package(HOME, lambda line: None, local=True)


@pytest.fixture(scope="module")
def names(made: Package) -> list[str]:
    with zipfile.ZipFile(made.code) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def path(made: Package, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Give folders of the unpacked zip and of nothing but what Lambda has."""
    code, runtime = tmp_path_factory.mktemp("code"), tmp_path_factory.mktemp("runtime")
    with zipfile.ZipFile(made.code) as archive:
        archive.extractall(code)
    for name in RUNTIME:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (runtime / source.name).symlink_to(source)
    yield [str(code), str(runtime)]


def run_alone(path: list[str], code: str) -> Any:
    """Run Python code with this path and the standard library, away from AWS."""
    program = (
        f"import json, sys\nsys.path[:0] = {path!r}\nsys.dont_write_bytecode = True\n"
        f"result = None\n{code}\nprint(json.dumps(result))"
    )
    environment = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def event(method: str, resource: str, **path_parameters: str) -> dict[str, Any]:
    """Make an API Gateway event."""
    path = resource.format(**path_parameters)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {"content-type": "application/json", "host": "hub.example.com"},
        "multiValueHeaders": {"content-type": ["application/json"], "host": ["hub.example.com"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path_parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "path": f"/api{path}",
            "stage": "api",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": "e30=" if method == "POST" else None,
        "isBase64Encoded": method == "POST",
    }


def test_the_zip_holds_every_connector(names: list[str]) -> None:
    expected = [folder.parent.name for folder in (ROOT / "connectors").glob("*/__init__.py")]
    assert len(expected) >= 6
    for connector in expected:
        assert f"connectors/{connector}/__init__.py" in names


def test_the_zip_holds_all_our_code_and_data_but_the_command(names: list[str]) -> None:
    ours = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "chalicelib").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".md"
    }
    command = {
        name for name in ours if name.startswith(("chalicelib/cli/", "chalicelib/training/"))
    }
    assert command
    shipped = {name for name in names if name.startswith("chalicelib/")}
    assert {name for name in shipped if "__pycache__" not in name} == ours - command


def test_the_zip_holds_nothing_of_the_tests_nor_of_what_only_development_needs(
    names: list[str],
) -> None:
    tops = {name.partition("/")[0] for name in names}
    unwanted = {"tests", "bench", "sample", "docs", "vendor", ".chalice", ".hub", ".git"}
    unwanted |= {"boto3", "botocore", "typer", "rich", "yaml", "pytest", "moto", "ministack"}
    assert not tops & unwanted
    assert not [name for name in names if name.endswith(".md")]


def test_no_cold_start_has_to_compile_our_modules(names: list[str]) -> None:
    tag = sys.implementation.cache_tag
    for name in names:
        if name.startswith(("chalicelib/", "connectors/", "pydantic/")) and name.endswith(".py"):
            folder, _, module = name.rpartition("/")
            assert f"{folder}/__pycache__/{module.removesuffix('.py')}.{tag}.pyc" in names


def test_the_zip_fits_lambda(made: Package) -> None:
    assert made.code.stat().st_size < 50 * MEGABYTE
    with zipfile.ZipFile(made.code) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) < 250 * MEGABYTE


def test_packaging_again_finds_the_package_made(made: Package) -> None:
    before = made.code.stat().st_mtime_ns
    lines: list[str] = []
    assert package(HOME, lines.append, local=True) == made
    assert made.code.stat().st_mtime_ns == before
    assert lines == ["Package: nothing has changed"]


def test_all_our_modules_import_from_the_zip_alone(path: list[str], names: list[str]) -> None:
    modules = sorted(
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in names
        # The Lambda has no PyYAML, for configuration is stored as JSON.
        if name.startswith(("chalicelib/", "connectors/"))
        and name.endswith(".py")
        and not name.endswith("/yaml_text.py")
    )
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"
    assert run_alone(path, code) is None


def test_importing_the_app_needs_no_environment(path: list[str]) -> None:
    code = "import os\nos.environ.clear()\nimport app\nresult = app.app.app_name"
    assert run_alone(path, code) == "hub"


def test_the_door_imports_no_library_that_only_other_steps_need(path: list[str]) -> None:
    code = (
        "import app\n"
        "from chalicelib import registry\n"
        "from chalicelib.flow import receive\n"
        "for name in registry.names(): registry.load(name)\n"
        f"result = sorted({OTHERS!r} & {{name.partition('.')[0] for name in sys.modules}})"
    )
    assert run_alone(path, code) == []


def test_every_library_that_other_steps_need_is_in_the_zip(names: list[str]) -> None:
    tops = {name.partition("/")[0].partition(".")[0] for name in names}
    assert tops >= OTHERS


def test_the_door_answers_an_event_from_the_zip_alone(path: list[str]) -> None:
    posted = event("POST", "/hooks/{source_id}", source_id="website")
    code = f"import app\nresult = app.receive({posted!r}, None)"
    answer = run_alone(path, code)
    # Neither table nor queue can be reached, so the provider is asked to send it again.
    assert answer["statusCode"] == 503


def test_the_api_answers_an_event_from_the_zip_alone(path: list[str]) -> None:
    asked = event("GET", "/health")
    code = f"import app\nresult = app.app({asked!r}, None)"
    assert run_alone(path, code)["statusCode"] in (200, 503)
