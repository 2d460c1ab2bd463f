"""Imports on their way: rows are kept and queued step by step, and what became of them counted.

Each step can die at any of its calls and be done again by anybody: the rows of a delivery follow
from its id, so they are kept once, and the place in the file moves only when they are.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from itertools import islice

from chalicelib.errors import Conflict, Malformed, NotFound
from chalicelib.flow.import_outcomes import write_outcomes
from chalicelib.flow.import_rows import ROWS, chunk_id, chunks, keep_chunk
from chalicelib.flow.import_state import Import, file_of, find_import, import_of, import_put
from chalicelib.flow.outcome import OPEN
from chalicelib.hub import Hub
from chalicelib.records import Delivery, delivery_key, delivery_of
from chalicelib.storage import Item, Message
from chalicelib.tables.layout import read_rows
from chalicelib.tables.rows import Row

STEP_ROWS = 1_000
"""Most rows that one step keeps."""

MOST_OPEN = 10_000
"""Most rows kept whose outcome is still open: a live lead waits behind no more than these."""

COUNTED_AT_ONCE = 1_000
"""Most rows whose outcome one step counts."""

SIDE_BY_SIDE = 10
"""How many deliveries are kept at the same time."""

BOX = timedelta(seconds=40)
"""How long a slice begins steps; a slice has a minute."""

HOLD = timedelta(minutes=6)
"""How long whoever took a step has the import alone; as long as a lease of long work."""

LOOK_AGAIN = timedelta(seconds=5)
"""When an import that waits for its rows to be processed is looked at again."""

PATIENCE, MOST_PAUSES = 6, 40
"""How long a slice pauses when it found nothing to do (see Hub.pause), and how often."""


class Runner:
    """Goes on with one import; keeps its file open from one step to the next."""

    def __init__(self, hub: Hub, import_id: str) -> None:
        """Go on with an import from wherever it is."""
        self._hub = hub
        self._import_id = import_id
        self._rows: Iterator[Row] | None = None
        self._at = -1

    def step(self) -> tuple[Import, bool]:
        """Count what is settled and keep some more rows; says whether it found anything to do.

        Raises:
            NotFound: no such import.
            Conflict: somebody else goes on with it too.
            Unavailable: ours is down.
        """
        before, version = find_import(self._hub, self._import_id)
        if before.state != "running":
            return before, False
        counted = _counted(self._hub, before)
        after = self._kept(counted)
        if after.is_read and after.settled == after.rows:
            after = _finished(self._hub, after)
        if after == before:
            return before, False
        due_at = None if after.finished_at else self._hub.clock() + HOLD
        writer = f"import:{self._hub.new_id()}"
        self._hub.table.write([import_put(after, version, due_at, writer)])
        return after, True

    def _kept(self, one: Import) -> Import:
        """Keep rows and queue them, as far as not too many are open."""
        if one.is_read or one.layout is None or one.rows - one.settled >= MOST_OPEN:
            return one
        rows, update = self._next(one)
        made = chunks(rows, one.rows)
        for start in range(0, len(made), SIDE_BY_SIDE):
            some = made[start : start + SIDE_BY_SIDE]
            done = self._hub.side_by_side(
                [partial(keep_chunk, self._hub, one, chunk) for chunk in some]
            )
            ids = [delivery_id for each in done for delivery_id in each]
            self._hub.inbox.send([Message({"delivery": delivery_id}) for delivery_id in ids])
        if rows:
            update |= {"after": rows[-1].after, "number": rows[-1].number}
        return one.model_copy(update={**update, "rows": one.rows + len(rows)})

    def _next(self, one: Import) -> tuple[list[Row], dict[str, object]]:
        """Read the next rows, and what is to be said if they are the last."""
        layout = one.layout
        assert layout is not None
        source = self._rows if self._at == one.rows else None
        # A file that could not be read on is opened anew.
        self._rows = None
        if source is None:
            source = read_rows(file_of(self._hub, one), layout, one.after, one.number)
        rows: list[Row] = []
        update: dict[str, object] = {}
        try:
            for row in islice(source, STEP_ROWS):
                rows.append(row)
        except (Malformed, NotFound) as error:
            said = "it was changed or is gone" if isinstance(error, NotFound) else str(error)
            update = {"reason": f"the file cannot be read on: {said}"[:300]}
        if len(rows) < STEP_ROWS:
            update["is_read"] = True
        self._rows, self._at = source, one.rows + len(rows)
        return rows, update


def slice_import(hub: Hub, item: Item) -> None:
    """Go on with an import for a while; see catch_up.Slice.

    Raises:
        Conflict: somebody else goes on with it.
        Unavailable: ours is down.
    """
    runner = Runner(hub, import_of(item).import_id)
    ends_at = hub.clock() + BOX
    pauses = 0
    one, _ = find_import(hub, import_of(item).import_id)
    while one.state == "running" and hub.clock() < ends_at and pauses < MOST_PAUSES:
        one, has_moved = runner.step()
        if not has_moved:
            pauses += 1
            hub.pause(PATIENCE)
    if one.state == "running":
        _let_go(hub, one.import_id)


def run(
    hub: Hub,
    import_id: str,
    *,
    tell: Callable[[Import], None],
    wait: Callable[[], None],
) -> Import:
    """Go on with an import to its end.

    Args:
        hub: read from and written to.
        import_id: of a running import.
        tell: is shown every state that it comes to.
        wait: lets time pass while its rows are processed.
    """
    runner = Runner(hub, import_id)
    while True:
        try:
            one, has_moved = runner.step()
        except Conflict:
            # Long work goes on with it too; what it did is done.
            one, has_moved = find_import(hub, import_id)[0], False
        tell(one)
        if one.state != "running":
            return one
        if not has_moved:
            wait()


def _let_go(hub: Hub, import_id: str) -> None:
    """Have an import looked at again soon, by whoever comes first."""
    one, version = find_import(hub, import_id)
    is_blocked = one.is_read or one.rows - one.settled >= MOST_OPEN
    due_at = hub.clock() + (LOOK_AGAIN if is_blocked else timedelta(0))
    hub.table.write([import_put(one, version, due_at, f"import:{hub.new_id()}")])


def _counted(hub: Hub, one: Import) -> Import:
    """Count outcomes of deliveries in the order of the file, up to the first that is open."""
    counts = Counter(one.counts)
    settled = one.settled
    until = min(one.rows, one.settled + COUNTED_AT_ONCE)
    places = range(settled // ROWS, -(-until // ROWS))
    keys = [delivery_key(chunk_id(one.import_id, place)) for place in places]
    found = hub.table.get_many(keys) if keys else {}
    for place, key in zip(places, keys, strict=True):
        if key not in found:
            break
        delivery = delivery_of(found[key])
        if delivery.outcome in OPEN:
            break
        held = min(ROWS, one.rows - place * ROWS)
        counts += Counter(_outcomes(delivery, held))
        settled = place * ROWS + held
    if settled == one.settled:
        return one
    return one.model_copy(update={"settled": settled, "counts": dict(counts)})


def _outcomes(delivery: Delivery, held: int) -> Mapping[str, int]:
    """Count the outcomes of a settled delivery's rows; one that nobody can read has none."""
    outcomes = [
        delivery.results[str(at)].outcome for at in range(held) if str(at) in delivery.results
    ]
    return Counter([*outcomes, *[delivery.outcome] * (held - len(outcomes))])


def _finished(hub: Hub, one: Import) -> Import:
    """Give an import that is through; its outcomes are written for those who download them."""
    name = write_outcomes(hub, one)
    return one.model_copy(
        update={
            "state": "failed" if one.reason else "done",
            "finished_at": hub.clock(),
            "outcomes": name,
        }
    )
