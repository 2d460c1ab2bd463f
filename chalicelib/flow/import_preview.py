"""What an import would do: every row read, cleaned and matched, and nothing written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from pydantic import Field

from chalicelib import registry
from chalicelib.connector import Submission, Unreadable, read
from chalicelib.errors import Malformed, NotFound
from chalicelib.flow.import_rows import ROWS, request_for
from chalicelib.flow.import_state import Import
from chalicelib.hub import Hub
from chalicelib.lead.model import Act, Model, Touch
from chalicelib.lead.normalise import normalise
from chalicelib.records import claim_key, identity_key
from chalicelib.tables.layout import read_rows
from chalicelib.tables.rows import Bytes, Row

AT_ONCE = 20 * ROWS
"""Rows that are looked up together."""

SHOWN = 5
"""How many rows of each kind are shown."""

NOBODY = "nothing says who this is: expected an e-mail address or a phone number"

KINDS = ("new", "known", "duplicate", "unreadable")


class PreviewRow(Model):
    """One row as an example."""

    row: int
    because: str = ""
    contact: Mapping[str, str] = Field(default_factory=dict, description="fields as cleaned")
    notes: tuple[str, ...] = Field(default=(), description="invalid_phone and the like")


class Preview(Model):
    """What would become of the rows of a file."""

    rows: int = Field(description="how many were looked at")
    is_whole: bool = Field(description="whether these are all there are")
    counts: Mapping[str, int] = Field(
        description="rows that would make a new lead, add to a known one, are in already, and "
        "cannot be read"
    )
    reasons: Mapping[str, int] = Field(description="why rows cannot be read")
    notes: Mapping[str, int] = Field(description="what cleaning would note, by how many rows")
    first: Mapping[str, tuple[PreviewRow, ...]] = Field(description="first rows of each kind")


class Previewer:
    """Goes through a file; counts as it goes, and remembers of each row only what it is told by."""

    def __init__(self, hub: Hub, one: Import, file: Bytes) -> None:
        """Look at the file of an import whose columns were confirmed; see imports.confirmed."""
        self._hub = hub
        self._import = one
        self._file = file
        self._config = hub.configurations.current().config
        self._source = self._config.sources[one.source_id]
        self._connector = registry.load("file_import")
        self._seen: dict[int, int] = {}
        self._people: dict[int, int] = {}
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._first: dict[str, list[PreviewRow]] = {kind: [] for kind in KINDS}
        self._end = ""
        self._is_whole = False

    def go(self, most: int | None = None) -> Iterator[int]:
        """Look at rows, at most so many; gives how many were looked at, again and again."""
        layout = self._import.layout
        assert layout is not None
        rows = read_rows(self._file, layout, layout.start, layout.header_row)
        looked_at = 0
        while most is None or looked_at < most:
            wanted = AT_ONCE if most is None else min(AT_ONCE, most - looked_at)
            some = self._some(rows, wanted)
            self._look(some)
            looked_at += len(some)
            yield looked_at
            if len(some) < wanted:
                self._is_whole = not self._end
                return

    @property
    def result(self) -> Preview:
        """Say what was found so far."""
        reasons = dict(self._reasons.most_common(50))
        if self._end:
            reasons[self._end] = 1
        return Preview(
            rows=sum(self._counts.values()),
            is_whole=self._is_whole,
            counts={kind: self._counts[kind] for kind in KINDS},
            reasons=reasons,
            notes=dict(self._notes.most_common(50)),
            first={kind: tuple(rows) for kind, rows in self._first.items()},
        )

    def read(self, rows: Sequence[Row]) -> list[tuple[Row, Act, Touch | None]]:
        """Read rows as they would be taken in."""
        return [(row, act, self._touch(act)) for row, act in self._acts(rows)]

    def _some(self, rows: Iterator[Row], wanted: int) -> list[Row]:
        found: list[Row] = []
        try:
            for row in islice(rows, wanted):
                found.append(row)
        except (Malformed, NotFound) as error:
            self._end = f"the file cannot be read on: {error}"[:300]
        return found

    def _look(self, rows: Sequence[Row]) -> None:
        """Say of some rows what would become of them."""
        told = self.read(rows)
        keys = []
        for _, act, touch in told:
            if isinstance(act, Submission) and touch:
                keys.append(claim_key(self._import.source_id, act.external_id))
                keys += [identity_key(key) for key in touch.identity_keys]
        found = set(self._hub.table.get_many(keys)) if keys else set()
        for row, act, touch in told:
            kind, because = "unreadable", act.reason if isinstance(act, Unreadable) else NOBODY
            if isinstance(act, Submission) and touch and touch.identity_keys:
                claim = claim_key(self._import.source_id, act.external_id)
                is_claimed = claim in found
                is_known = any(identity_key(key) in found for key in touch.identity_keys)
                kind, because = self._judge(row.number, act, touch, is_claimed, is_known)
            self._note(kind, row.number, because, touch)

    def _judge(
        self, number: int, act: Submission, touch: Touch, is_claimed: bool, is_known: bool
    ) -> tuple[str, str]:
        """Weigh a row against what is stored and against the rows above it."""
        twin = self._seen.setdefault(hash((act.external_id, act.revision)), number)
        people = [hash(key) for key in touch.identity_keys]
        above = min((self._people[each] for each in people if each in self._people), default=0)
        for each in people:
            self._people.setdefault(each, number)
        if twin != number:
            return "duplicate", f"says the same as row {twin}"
        if is_claimed:
            return "duplicate", "came before"
        if is_known:
            return "known", "a lead has this address or number"
        return ("known", f"the same person as row {above}") if above else ("new", "")

    def _note(self, kind: str, number: int, because: str, touch: Touch | None) -> None:
        self._counts[kind] += 1
        if kind == "unreadable":
            # Without the number that begins it, so that like reasons count together.
            reason = because.partition(": ")[2] if because.startswith("row ") else because
            self._reasons[reason] += 1
        self._notes.update(touch.notes if touch else ())
        if len(self._first[kind]) < SHOWN:
            contact = {name: value.value for name, value in touch.contact.items()} if touch else {}
            shown = PreviewRow(
                row=number,
                because=because,
                contact=contact,
                notes=touch.notes if touch else (),
            )
            self._first[kind].append(shown)

    def _acts(self, rows: Sequence[Row]) -> Iterator[tuple[Row, Act]]:
        """Read rows as they will be read when they have been kept."""
        columns = self._import.layout.columns if self._import.layout else ()
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            request = request_for(self._import, columns, some)
            acts = read(self._connector, request, self._source.options)
            yield from zip(some, acts, strict=True)

    def _touch(self, act: Act) -> Touch | None:
        if not isinstance(act, Submission):
            return None
        return normalise(
            act,
            source_id=self._import.source_id,
            source=self._source,
            connector=self._connector.name,
            connector_fields=self._connector.fields,
            config=self._config,
            delivery_id="preview",
            received_at=self._hub.clock(),
        )
