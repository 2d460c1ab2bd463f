"""Reading many items at once for a batch, before each of its messages is handled."""

from collections.abc import Iterable

from chalicelib.storage import Item, Key, Table


class Glance:
    """Items read ahead; each is given out once, so that whoever tries again reads anew.

    What is read ahead may lag a moment, at half the price: every write is made on condition that it
    meets what was read.
    """

    def __init__(self, table: Table) -> None:
        """Read from a table."""
        self._table = table
        self._ahead: dict[Key, Item | None] = {}

    def read_ahead(self, keys: Iterable[Key]) -> None:
        """Read items that will be asked for."""
        wanted = list(dict.fromkeys(keys))
        found = self._table.get_many(wanted, may_lag=True) if wanted else {}
        self._ahead |= {key: found.get(key) for key in wanted}

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Give items, those read ahead without asking the table again."""
        known = {key: self._ahead.pop(key) for key in dict.fromkeys(keys) if key in self._ahead}
        unknown = [key for key in dict.fromkeys(keys) if key not in known]
        found = self._table.get_many(unknown) if unknown else {}
        return found | {key: item for key, item in known.items() if item is not None}

    def get(self, key: Key) -> Item | None:
        """Give one item."""
        return self.get_many([key]).get(key)
