"""Finds connectors by folder and loads the one that is asked for."""

import importlib
import json
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import connectors
from chalicelib.connector import Connector
from chalicelib.errors import Misconfigured

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def is_name(text: str) -> bool:
    """Say whether a connector may be called so: lower case, digits and underscores, at most 40."""
    return bool(_NAME.fullmatch(text)) and len(text) <= 40


def names() -> list[str]:
    """Name every connector, sorted; none of them is imported."""
    folders = (found.name for found in pkgutil.iter_modules(connectors.__path__) if found.ispkg)
    return sorted(name for name in folders if is_name(name))


def load(name: str) -> Connector:
    """Import one connector and no other.

    Raises:
        Misconfigured: no folder has that name, or what is in it is not its connector.
    """
    if not is_name(name):
        raise Misconfigured(f"connector {name[:40]!r}: no such connector")
    try:
        module = importlib.import_module(f"connectors.{name}")
    except ImportError as error:
        is_absent = error.name == f"connectors.{name}"
        why = "no such connector" if is_absent else f"{error.name} cannot be imported"
        raise Misconfigured(f"connector {name}: {why}") from error
    connector = getattr(module, "connector", None)
    if not isinstance(connector, Connector):
        raise Misconfigured(f"connector {name}: its module has no `connector`")
    if connector.name != name:
        raise Misconfigured(f"connector {name}: calls itself {connector.name[:40]!r}")
    return connector


def sample(name: str) -> Mapping[str, Any]:
    """Read a connector's sample: one request of a made-up person, as the provider would send it.

    Returns:
        The parts of a case of its tests that make a request: body, content_type, method, query,
        headers, options, fetched; absent ones have the defaults of cases.

    Raises:
        Misconfigured: there is no such connector, or it has no sample.
    """
    path = Path(connectors.__path__[0], name, "sample.json")
    if not is_name(name) or not path.is_file():
        raise Misconfigured(f"connector {name[:40]!r} has no sample")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
