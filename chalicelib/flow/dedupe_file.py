"""A list of people looked at before it is imported: whose each row is, and which are doubled.

The rows are matched with leads by the code that matches submissions, and with the rows above them
by the same comparison over blocks in memory. Nothing is written.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from pydantic import Field

from chalicelib.connector import Submission, Unreadable
from chalicelib.errors import Malformed, NotFound
from chalicelib.flow.blocks import Block
from chalicelib.flow.candidates import find, is_known
from chalicelib.flow.glance import Glance
from chalicelib.flow.import_preview import NOBODY, Previewer
from chalicelib.flow.import_state import Import
from chalicelib.hub import Hub
from chalicelib.lead.matching.blocks import block_keys, narrower
from chalicelib.lead.matching.decide import Candidate, settle, weigh
from chalicelib.lead.matching.record import Record, record_of
from chalicelib.lead.matching.weights import Weights
from chalicelib.lead.matching.words import because
from chalicelib.lead.model import Act, Model, Touch
from chalicelib.tables.layout import read_rows
from chalicelib.tables.rows import Bytes, Row

AT_ONCE = 100

KINDS = ("new", "known", "maybe", "doubled", "unreadable")


class RowFound(Model):
    """Whose a row is."""

    row: int
    outcome: str = Field(
        description="new; known: of a lead that is there; maybe: a person is to look; doubled: of "
        "the same person as a row above; unreadable"
    )
    lead_id: str = Field(default="", description="known, maybe: of the likeliest lead")
    like_row: int = Field(default=0, description="doubled, maybe: the row above")
    because: str = ""
    cells: tuple[str, ...] = ()


class Rows:
    """The rows so far, in blocks as leads are."""

    def __init__(self, weights: Weights) -> None:
        """Begin with none."""
        self._weights = weights
        self._blocks: dict[str, Block] = {}
        self._by_key: dict[str, Record] = {}

    def near(self, record: Record, keys: Sequence[str]) -> list[Candidate]:
        """Give the rows that may be of the same person, the likeliest first."""
        others = {one.touch_id: one for key in keys if (one := self._by_key.get(key))}
        for block in (self._blocks.get(key) for key in self._places(record)):
            others |= {one.touch_id: one for one in block.records} if block else {}
        return weigh(record, others.values(), {}, self._weights)

    def holders(self, keys: Sequence[str]) -> set[str]:
        """Name the rows that were first with these identity keys."""
        return {self._by_key[key].lead_id for key in keys if key in self._by_key}

    def add(self, record: Record, keys: Sequence[str]) -> None:
        """Add a row; the first of several with a key stands for it."""
        for key in keys:
            self._by_key.setdefault(key, record)
        for key in self._places(record):
            block = self._blocks.get(key, Block())
            if not block.is_full and not block.has(record, {record.lead_id}):
                self._blocks[key] = block.joined_by(record)

    def _places(self, record: Record) -> list[str]:
        wide = list(block_keys(record))
        full = [key for key in wide if key in self._blocks and self._blocks[key].is_full]
        return [*wide, *(name for key in full for name in narrower(key, record))]


class FileCheck:
    """Goes through a file; counts as it goes."""

    def __init__(self, hub: Hub, one: Import, file: Bytes) -> None:
        """Look at the file of an import whose columns were confirmed; see imports.confirmed."""
        self._hub = hub
        self._import = one
        self._file = file
        self._previewer = Previewer(hub, one, file)
        self._weights = hub.configurations.weights(hub.configurations.current())
        self._rows = Rows(self._weights)
        self._twins: dict[tuple[str, str], int] = {}
        self.counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        self.reason = ""

    def go(self) -> Iterator[RowFound]:
        """Give what is found of each row, in their order; `reason` says why it ended early."""
        layout = self._import.layout
        assert layout is not None
        rows = read_rows(self._file, layout, layout.start, layout.header_row)
        while True:
            some: list[Row] = []
            try:
                for row in islice(rows, AT_ONCE):
                    some.append(row)
            except (Malformed, NotFound) as error:
                self.reason = f"the file cannot be read on: {error}"[:300]
            for row, act, touch in self._previewer.read(some):
                found = self._judge(row, act, touch)
                self.counts[found.outcome] += 1
                yield found
            if len(some) < AT_ONCE:
                return

    def _judge(self, row: Row, act: Act, touch: Touch | None) -> RowFound:
        told = RowFound(row=row.number, outcome="unreadable", cells=row.cells)
        if not isinstance(act, Submission) or touch is None:
            reason = act.reason if isinstance(act, Unreadable) else NOBODY
            return told.model_copy(update={"because": reason})
        if not touch.identity_keys:
            return told.model_copy(update={"because": NOBODY})
        twin = self._twins.setdefault((act.external_id, act.revision), row.number)
        if twin != row.number:
            update = {"outcome": "doubled", "like_row": twin, "because": "says the same"}
            return told.model_copy(update=update)
        record = record_of(touch, str(row.number))
        of_lead, of_row = self._like_lead(touch), self._like_row(record, touch)
        self._rows.add(record, touch.identity_keys)
        likely = [one for one in (of_lead, of_row) if one]
        sure = [one for one in likely if one["outcome"] != "maybe"]
        return told.model_copy(update=next(iter([*sure, *likely]), {"outcome": "new"}))

    def _like_row(self, record: Record, touch: Touch) -> dict[str, object]:
        near = self._rows.near(record, touch.identity_keys)
        settled = settle(near)
        holders = self._rows.holders(touch.identity_keys)
        known = [one for one in near if is_known(one, record, holders)]
        sure = [*settled.matches, *known]
        for outcome, found in (("doubled", sure), ("maybe", settled.asks)):
            for candidate in found[:1]:
                like = {"like_row": int(candidate.lead_id), "because": because(candidate)}
                return {"outcome": outcome, **like}
        return {}

    def _like_lead(self, touch: Touch) -> dict[str, object]:
        found = find(self._hub, Glance(self._hub.table), touch, "", self._weights)
        by_lead = {one.lead_id: one for one in found.candidates}
        for outcome, some in (("known", found.matches), ("maybe", found.asked)):
            for one in some[:1]:
                lead_id = one.lead.lead_id
                like = {"lead_id": lead_id, "because": because(by_lead[lead_id])}
                return {"outcome": outcome, **like}
        return {}
