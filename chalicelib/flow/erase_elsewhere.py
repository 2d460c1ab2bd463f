"""Erases what lies beside leads and deliveries: refused requests, named ids, imported files."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from chalicelib.flow.comparison import sync_key, sync_of
from chalicelib.flow.erase import Run, digest_of_claim
from chalicelib.flow.erase_search import sources_of, traces_of
from chalicelib.flow.import_outcomes import write_outcomes
from chalicelib.flow.import_state import import_item, import_key, import_of
from chalicelib.flow.tally import DayRow
from chalicelib.lead.person import Traces
from chalicelib.records import packed
from chalicelib.storage import Delete, Holds, Item, Key, Put, Write

AT_ONCE = 30

UNKNOWN = "-unknown"
"""Stands for the source of refused requests that named no source of ours."""


def erase_elsewhere(run: Run) -> bool:
    """Do one step of what lies elsewhere; False when there is nothing left.

    Raises:
        Conflict: somebody else wrote first; look again.
    """
    return _refusals(run) or _names(run) or erase_files(run)


def refusals_of_theirs(run: Run) -> Iterator[Item]:
    """Find refused requests whose kept line names the person."""
    traces = traces_of(run)
    for source_id in [*sources_of(run.hub), UNKNOWN]:
        for item in run.hub.table.query(f"SOURCE#{source_id}", "REFUSED#"):
            if traces.are_in([str(item.get("detail", "")), str(item.get("source_id", ""))]):
                yield item


def _refusals(run: Run) -> bool:
    writes: list[Write] = []
    for number, item in enumerate(islice(refusals_of_theirs(run), AT_ONCE)):
        key = Key(item["pk"], item["sk"])
        writes.append(Delete(f"erased refusal {number}", key, Holds("at", item["at"])))
    if writes:
        run.write(run.one.counting(refusals=len(writes)), writes)
    return bool(writes)


def _names(run: Run) -> bool:
    """Drop their submissions' ids from what ledgers of sources name of what is unsettled."""
    traces, claims = traces_of(run), {*run.person.claims}
    for source_id in sources_of(run.hub):
        item = run.hub.table.get(sync_key(source_id))
        if item is None:
            continue
        state = sync_of(item)
        rows = {d: _unnamed(row, source_id, claims, traces) for d, row in state.rows.items()}
        update: dict[str, Any] = {"rows": rows}
        if state.under_way:
            days = {
                day: _unnamed(row, source_id, claims, traces)
                for day, row in state.under_way.days.items()
            }
            update["under_way"] = state.under_way.model_copy(update={"days": days})
        after = state.model_copy(update=update)
        if after == state:
            continue
        version = int(item["version"])
        changed = {
            **item,
            "data": packed(after),
            "version": version + 1,
            "writer": f"erase:{run.hub.new_id()}",
        }
        run.write(
            run.one.counting(ledger_names=1),
            [Put("erased names", changed, Holds("version", version))],
        )
        return True
    return False


def _unnamed(row: DayRow, source_id: str, claims: set[str], traces: Traces) -> DayRow:
    named: Mapping[Any, tuple[str, ...]] = {
        verdict: tuple(
            name
            for name in names
            if digest_of_claim(source_id, name) not in claims and not traces.are_in([name])
        )
        for verdict, names in row.named.items()
    }
    return row if named == row.named else row.model_copy(update={"named": named})


def erase_files(run: Run) -> bool:
    """Take away files that their rows came by, once imported, and write the outcomes anew.

    False when there is nothing to do now; what is still being imported waits.

    Raises:
        Conflict: somebody else wrote first; look again.
    """
    for import_id in run.one.imports:
        left = tuple(other for other in run.one.imports if other != import_id)
        item = run.hub.table.get(import_key(import_id))
        one = import_of(item) if item else None
        if item is None or one is None:
            run.write(run.one.model_copy(update={"imports": left}))
            return True
        if one.state == "running":
            continue
        run.hub.blobs.remove(one.blob)
        if one.outcomes:
            write_outcomes(run.hub, one)
        version = int(item["version"])
        bare = one.model_copy(update={"size": 0, "mark": ""})
        writer = f"erase:{run.hub.new_id()}"
        put = Put(
            "erased file",
            import_item(bare, version + 1, None, writer),
            Holds("version", version),
        )
        run.write(run.one.model_copy(update={"imports": left}).counting(files=1), [put])
        return True
    return False
