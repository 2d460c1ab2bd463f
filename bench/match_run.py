"""Plays a set to a matcher that runs as a process of its own, record by record as they arrive."""

import json
import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.match_score import Score, score, true_pairs
from bench.match_sets import MatchSet

ROOT = Path(__file__).parent.parent
Progress = Callable[[str, int, int], None]
"""Told the name of a run, how many records it has taken and how many there are."""


class Failed(Exception):
    """A matcher broke off, answered nonsense or ran out of time."""


@dataclass(frozen=True)
class Run:
    """What one matcher did with one set in one order.

    Attributes:
        on_arrival: entity of each record as said when it came.
        final: entity of each record after the end, when entities may have been merged.
        seconds: from the first record to the last answer, start of the process not counted.
        median_ms: for one record, there and back.
        p99_ms: the same for the slowest hundredth.
    """

    on_arrival: Sequence[str]
    final: Sequence[str]
    seconds: float
    median_ms: float
    p99_ms: float

    def attach(self, truth: Sequence[str]) -> Score:
        """Score clusters that only grow by attaching."""
        return score(truth, self.on_arrival)

    def merge(self, truth: Sequence[str]) -> Score:
        """Score clusters that may merge."""
        return score(truth, self.final)


class Talk:
    """A process that is spoken to in JSON lines, and ended after its time."""

    def __init__(self, command: Sequence[str], limit_seconds: float) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        self._overdue = threading.Timer(limit_seconds, self._end)
        self._overdue.daemon = True
        self._limit_seconds = limit_seconds

    def __enter__(self) -> "Talk":
        """Start the clock."""
        self._overdue.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        late = not self._overdue.is_alive()
        self._overdue.cancel()
        self._end()
        self._process.wait()
        if late:
            raise Failed(f"not done after {self._limit_seconds:.0f} s")

    def _end(self) -> None:
        """Kill the process and what it started itself."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def say(self, line: dict[str, Any]) -> None:
        """Send one line."""
        try:
            _pipe(self._process.stdin).write(json.dumps(line, ensure_ascii=False) + "\n")
            _pipe(self._process.stdin).flush()
        except BrokenPipeError as e:
            raise Failed("the process ended") from e

    def hear(self) -> dict[str, Any]:
        """Read one line."""
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise Failed("the process ended without an answer")
        try:
            answer = json.loads(line)
        except ValueError as e:
            raise Failed(f"not JSON: {line[:80]!r}") from e
        if not isinstance(answer, dict):
            raise Failed(f"not an object: {line[:80]!r}")
        return answer

    def ask(self, line: dict[str, Any]) -> dict[str, Any]:
        """Send one line and read the answer."""
        self.say(line)
        return self.hear()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def play(played: MatchSet, command: Sequence[str], limit_seconds: float, progress: Progress) -> Run:
    """Send the records one by one, numbered as they arrive, and take down where each is put.

    Raises:
        Failed: the matcher cannot do it; the message says why.
    """
    on_arrival: list[str] = []
    took: list[float] = []
    with Talk(command, limit_seconds) as matcher:
        for rid, lead in enumerate(played.leads):
            began = time.perf_counter()
            answer = matcher.ask({"lead": lead, "rid": rid})
            took.append(time.perf_counter() - began)
            if not isinstance(answer.get("entity"), str):
                raise Failed(f"no entity for record {rid}: {json.dumps(answer)[:80]}")
            on_arrival.append(answer["entity"])
            progress(played.name, rid + 1, len(played.leads))
        began = time.perf_counter()
        moved = matcher.ask({"final": True}).get("assign", {})
        last = time.perf_counter() - began
    # The first answer waits for the process to start.
    took = took[1:] or [0.0]
    return Run(
        on_arrival=on_arrival,
        final=[str(moved.get(str(rid), entity)) for rid, entity in enumerate(on_arrival)],
        seconds=sum(took) + last,
        median_ms=statistics.median(took) * 1000,
        p99_ms=sorted(took)[int(len(took) * 0.99)] * 1000,
    )


@dataclass(frozen=True)
class PeerRun:
    """What a batch matcher said of a whole set at once.

    Attributes:
        links: pairs of records and how probable it is that they are one; none if it clusters.
        clusters: its own clusters, one label for each record; none if it only gives pairs.
        seconds: from the records to the answer, start of the process not counted.
        labels: how many pairs it was told the truth of.
        blocked: which part of the true pairs it compared at all.
    """

    links: Sequence[tuple[int, int, float]]
    clusters: Sequence[str] | None
    seconds: float
    labels: int
    blocked: float | None


def play_peer(played: MatchSet, command: Sequence[str], limit_seconds: float) -> PeerRun:
    """Send all records at once; answer what it asks about pairs, for some learn from labels.

    Which true pairs were compared is asked after it has answered, so that the truth cannot help.

    Raises:
        Failed: the peer cannot do it; the message says why.
    """
    with Talk(command, limit_seconds) as peer:
        if peer.hear() != {"ready": True}:
            raise Failed("it did not say that it is ready")
        began = time.perf_counter()
        answer = peer.ask({"records": [{**lead, "rid": i} for i, lead in enumerate(played.leads)]})
        labels = 0
        while "ask" in answer:
            a, b = answer["ask"]
            labels += 1
            answer = peer.ask({"same": played.truth[a] == played.truth[b]})
        seconds = time.perf_counter() - began
        if "cannot" in answer:
            raise Failed(answer["cannot"])
        wanted = true_pairs(played.truth)
        blocked = peer.ask({"true_pairs": wanted}).get("blocked")
    clusters = answer.get("clusters")
    return PeerRun(
        links=[(a, b, p) for a, b, p in answer.get("links", ())],
        clusters=None if clusters is None else [str(one) for one in clusters],
        seconds=seconds,
        labels=labels,
        blocked=None if blocked is None else blocked / (len(wanted) or 1),
    )


def attached(count: int, links: Sequence[tuple[int, int, float]], threshold: float) -> list[str]:
    """Put each record, as it arrives, into the entity of its most probable earlier link."""
    best: dict[int, tuple[float, int]] = {}
    for a, b, probability in links:
        late, early = max(a, b), min(a, b)
        if probability >= threshold and (probability, early) > best.get(late, (0.0, -1)):
            best[late] = (probability, early)
    entities: list[str] = []
    for rid in range(count):
        entities.append(entities[best[rid][1]] if rid in best else str(rid))
    return entities


def joined(count: int, links: Sequence[tuple[int, int, float]], threshold: float) -> list[str]:
    """Make one entity of all that is linked, directly or through others."""
    parent = list(range(count))

    def root(rid: int) -> int:
        while parent[rid] != rid:
            parent[rid] = parent[parent[rid]]
            rid = parent[rid]
        return rid

    for a, b, probability in links:
        if probability >= threshold:
            parent[root(a)] = root(b)
    return [str(root(rid)) for rid in range(count)]
