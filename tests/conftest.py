"""The order of the tests: what takes longest begins first, so that no worker waits for it."""

from pathlib import Path

import pytest

LONGEST = (Path(__file__).parent / "proof", Path(__file__).parent / "test_package.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the proofs first; all else stays in order."""
    items.sort(key=lambda item: not any(item.path.is_relative_to(path) for path in LONGEST))
