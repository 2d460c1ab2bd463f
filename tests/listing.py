"""Reading a provider's list to its end, as the hub does; for the tests of connectors."""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.connector import Connector, Get, Page, Window


def pages_of(
    connector: Connector,
    get: Get,
    window: Window,
    options: Mapping[str, Any] | None = None,
    most: int = 20,
) -> list[Page]:
    """Give all pages of a connector's list.

    Args:
        connector: one with a list.
        get: plays the provider's API.
        window: what is wanted.
        options: the source's; the connector's lie below.
        most: a list of more pages fails, and so does a page that names itself as the next.
    """
    assert connector.backfill
    laid = connector.options_with(options or {})
    found: list[Page] = []
    after = ""
    for _ in range(most):
        found.append(connector.backfill.page(get, window, after, laid))
        if not found[-1].next:
            return found
        assert found[-1].next != after, "the list goes round in a circle"
        after = found[-1].next
    raise AssertionError("the list has no end")


def items_of(pages: Iterable[Page]) -> list[Any]:
    """Give what is on some pages."""
    return [item for page in pages for item in page.items]
