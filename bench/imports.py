"""Imports: rows a second of reading and keeping beside plain csv.reader, and memory.

The hub is in memory, so this is our own work without AWS. Each measure is a process of its own.
Run: python -m bench.imports [ROWS], or python -m bench.imports --whole ROWS to take a file all in.
"""

import csv
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from chalicelib.cli.imports import LocalFile
from chalicelib.flow import imports
from chalicelib.flow.import_outcomes import outcome_lines
from chalicelib.flow.import_run import Runner, run
from chalicelib.flow.import_state import Import
from chalicelib.records import Delivery, delivery_item
from chalicelib.request import Request, pack
from chalicelib.storage import BlobFacts, Item, Key, Message, Put, Write
from chalicelib.tables.layout import look, read_rows
from tests.fakes import MemoryBlobs, MemoryQueue, MemoryTable
from tests.faults import untouched
from tests.flow.import_scenes import a_world, with_lists
from tests.world import World

HEADER = "Badge ID,First Name,Last Name,Company,Job Title,E-Mail,Phone,Scan Time,Opt-in,Notes"
SMALL = 10_000


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--whole"]:
        take_in(int(sys.argv[2]))
    elif sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        compare(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)


def compare(rows: int) -> None:
    """Measure each way of reading small and large files, one process each."""
    with tempfile.TemporaryDirectory() as folder:
        files = {
            (kind, count): write(Path(folder), kind, count)
            for kind in ("csv", "xlsx")
            for count in (SMALL, rows)
        }
        for what in ("nothing", "csv.reader", "read", "keep"):
            for (kind, count), file in files.items():
                if what in ("nothing", "csv.reader") and kind == "xlsx":
                    continue
                command = [sys.executable, "-m", "bench.imports", "--one", what, str(file)]
                said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                seconds, peak = map(float, said.split())
                speed = f"{count / seconds:12,.0f} rows/s" if seconds else " " * 19
                print(f"{what:<11} {kind:<5} {count:>8,} rows {speed} {peak:8.1f} MB at most")


def measure(what: str, file: Path) -> None:
    """Do one thing with a file; print CPU seconds and the most memory that was held."""
    before = time.process_time()
    if what == "csv.reader":
        with file.open(newline="", encoding="utf-8") as stream:
            for _ in csv.reader(stream):
                pass
    elif what == "read":
        local = LocalFile(file)
        layout, _ = look(local)
        for _ in read_rows(local, layout, layout.start, layout.header_row):
            pass
    elif what == "keep":
        before = keep(file)
    spent = time.process_time() - before if what != "nothing" else 0.0
    print(spent, peak_mb())


def keep(file: Path) -> float:
    """Read rows and keep them as deliveries, which are thrown away; gives when it began."""
    world, import_id = forgetful_world(file.name, file)
    imports.look_at(world.hub, import_id)
    imports.start(world.hub, import_id, {})
    before = time.process_time()
    runner = Runner(world.hub, import_id)
    while not runner.step()[0].is_read:
        pass
    return before


def take_in(rows: int) -> None:
    """Take a whole file in, through all workers; print how it went."""
    world = a_world()
    with tempfile.TemporaryDirectory() as folder:
        data = write(Path(folder), "csv", rows).read_bytes()
    one = imports.create(world.hub, "lists", "list.csv", len(data), "bench")
    world.blobs.put(one.blob, data)
    imports.look_at(world.hub, one.import_id)
    imports.start(world.hub, one.import_id, {})
    began = time.monotonic()

    def wait() -> None:
        world.clock.advance(seconds=5)
        for queue in (*world.queues, world.inbox):
            while world.work(queue, world.hub):
                pass
        world.table.commits.clear()
        for queue in world.queues:
            queue.sent.clear()

    def tell(now: Import) -> None:
        spent = time.monotonic() - began
        print(f"{spent:7.0f} s  {now.rows:>8,} kept  {now.settled:>8,} through", flush=True)

    done = run(world.hub, one.import_id, tell=tell, wait=wait)
    spent = time.monotonic() - began
    lines = sum(1 for _ in outcome_lines(world.hub, done)) - 1
    print(f"{done.state}: {dict(done.counts)}, {len(world.leads()):,} leads, {lines:,} outcomes")
    print(f"{spent:.0f} s, {rows / spent:.0f} rows/s")
    print(f"{peak_mb():.0f} MB, all storage in it")


def peak_mb() -> float:
    """Give the most memory that this program held; getrusage would count its parent's."""
    status = Path("/proc/self/status").read_text()
    (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(peak) / 1024


class Table(MemoryTable):
    """Remembers imports and no delivery, so that memory is the import's own."""

    def write(self, writes: Sequence[Write]) -> None:
        """Write, unless it is a delivery."""
        if all(isinstance(one, Put) and one.item["kind"] != "delivery" for one in writes):
            super().write(writes)
            self.commits.clear()

    def get_many(self, keys: Sequence[Key], *, may_lag: bool = False) -> dict[Key, Item]:
        """Say of every delivery that it is through, so that nothing holds the import back."""
        return {key: settled(key) for key in keys}


class Files(MemoryBlobs):
    """Files of this machine as blobs."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, Path] = {}

    def facts(self, name: str) -> BlobFacts | None:
        """Look at a file."""
        return BlobFacts(self.files[name].stat().st_size, "mark")

    def read(self, name: str, mark: str, start: int, length: int) -> bytes:
        """Read a part."""
        return LocalFile(self.files[name]).read(start, length)


class Deaf(MemoryQueue):
    """Takes messages and keeps none."""

    def send(self, messages: Sequence[Message]) -> None:
        """Throw them away."""


def forgetful_world(name: str, file: Path) -> tuple[World, str]:
    """Make a world in which a file is about to be read, and nothing is remembered."""
    files = Files()
    world = with_lists(World(table=Table(), blobs=files))
    world.inbox = Deaf(world.clock)
    world.hub = world.worker(untouched)
    one = imports.create(world.hub, "lists", name, 1, "bench")
    files.files[one.blob] = file
    return world, one.import_id


def settled(key: Key) -> Item:
    """Make the item of a delivery that is through."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    found = Delivery(
        delivery_id=key[0].partition("#")[2],
        source_id="lists",
        connector="file_import",
        received_at=at,
        outcome="accepted",
        raw=pack(Request("IMPORT", "/", {}, {}, b'{"columns":[],"rows":[]}', at)),
    )
    return delivery_item(found, "bench")


def write(folder: Path, kind: str, count: int) -> Path:
    """Write a list of people."""
    path = folder / f"{count}.{kind}"
    if kind == "xlsx":
        import openpyxl

        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("People")
        for row in csv.reader(io.StringIO("\n".join(people(count)))):
            sheet.append(row)
        book.save(path)
    else:
        path.write_text("\n".join(people(count)) + "\n", encoding="utf-8")
    return path


def people(count: int) -> Iterator[str]:
    """Make up people."""
    yield HEADER
    for n in range(count):
        day, company = n % 28 + 1, n % 997
        # So many numbers are nobody's; a number twice would be one person.
        phone = f"+44 7700 {900000 + n}" if n < 1000 else ""
        yield (
            f"B-{n:06},Zoë{n},Quillfeather,Quill & Feather {company} Ltd,Head of Ops,"
            f"zoe.{n}@q{company}.example.com,{phone},"
            f'2026-10-{day:02} 09:{n % 60:02},Y,"Wants a ""team"" quote, soon"'
        )


if __name__ == "__main__":
    main()
