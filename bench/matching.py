"""How well records of one person are put together, ours and others', on sets with known truth.

Records arrive one by one in an order drawn from the seed. "Attach" scores the entity that each was
put into on arrival, "merge" the clusters after the end, both by pairs over final clusters. The
adapter is a process of its own and never sees who is who (`bench/match_run.py`).
Run: python -m bench.matching [--sets a,b] [--seeds 3] [--peers] [--errors 5] [--json] ...
"""

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.match_blocks import block_keys_of
from bench.match_chart import chart
from bench.match_run import ROOT, Failed, Run, attached, joined, play, play_peer
from bench.match_score import Score, agreeing, blocking_recall, score, worst
from bench.match_sets import QUICK, SETS, Lead, MatchSet, load

PEERS = ROOT / "bench/peers"
VENV = ROOT / ".bench-venv"
THRESHOLD = 0.5
"""What a peer's probability must reach; its documentation leaves the choice to the user."""
GRID = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999)
"""Thresholds among which the best is sought with the truth in hand."""
OURS = "lead hub"


@dataclass(frozen=True)
class Row:
    """What came of one matcher on one set, over all seeds.

    Attributes:
        attach: (precision, recall, F1) of clusters that only grow; mean over seeds.
        merge: the same of clusters that may merge.
        spread: lowest and highest F1 of attach, then of merge.
        best: F1 of attach and merge at the thresholds that the truth shows to be best; a peer only.
        blocked: which part of the true pairs was compared at all.
        seconds: for one run over the set.
        median_ms, p99_ms: for one record, if it takes them one by one.
        cannot: why there is no result.
    """

    set: str
    matcher: str
    attach: tuple[float, float, float] | None = None
    merge: tuple[float, float, float] | None = None
    spread: tuple[float, float, float, float] | None = None
    best: tuple[float | None, float] | None = None
    blocked: float | None = None
    seconds: float = 0.0
    median_ms: float | None = None
    p99_ms: float | None = None
    labels: int = 0
    cannot: str = ""


@dataclass(frozen=True)
class Matcher:
    """Something to measure.

    Attributes:
        online: it speaks the protocol of the adapter; else it takes a whole set at once.
        seeds: in how many orders it is measured at most.
        sets: the only sets that it is for; empty if it takes any.
    """

    name: str
    command: Sequence[str]
    online: bool = False
    seeds: int = 1000
    sets: Sequence[str] = ()


@dataclass(frozen=True)
class One:
    """What came of one matcher on one set in one order."""

    attach: Score | None
    merge: Score
    best: tuple[float | None, float] | None
    seconds: float
    run: Run | None = None
    blocked: float | None = None
    labels: int = 0


class Progress:
    """One line that says where each run stands; written to standard error."""

    def __init__(self) -> None:
        self._at: dict[str, str] = {}
        self._lock = threading.Lock()
        self._last = 0.0

    def __call__(self, name: str, done: int, count: int) -> None:
        """Take down how far a run is."""
        with self._lock:
            self._at[name] = f"{name} {done}/{count}"
            if done >= count:
                del self._at[name]
            if time.monotonic() - self._last > 0.2 and sys.stderr.isatty():
                self._last = time.monotonic()
                print(f"\r\x1b[K{'   '.join(self._at.values())}"[:110], end="", file=sys.stderr)

    def done(self, line: str) -> None:
        """Say what is finished."""
        with self._lock:
            clear = "\r\x1b[K" if sys.stderr.isatty() else ""
            print(f"{clear}{line}", file=sys.stderr)


def matchers(adapter: Sequence[str], peers: Sequence[str] | None) -> list[Matcher]:
    """List what is measured: our adapter, and the peers asked for by the start of their names."""
    ours = [Matcher(OURS, adapter, online=True)] if adapter else []
    if peers is None:
        return ours
    python = str(VENV / "bin/python")
    splink = [python, "-m", "bench.peers.splink_links"]
    all_peers = [
        Matcher("rules", [sys.executable, "-m", "bench.peers.rules"], online=True),
        Matcher(
            "splink as documented", [*splink, "documented"],
            sets=("persons-fake1000", "persons-historical-3000", "persons-historical"),
        ),
        Matcher("splink wide", [*splink, "wide"]),
        Matcher("splink wide, names apart", [*splink, "apart"]),
        Matcher("dedupe, 80 labels", [python, "-m", "bench.peers.dedupe_clusters"], seeds=1),
    ]  # fmt: skip
    return ours + [p for p in all_peers if not peers or any(p.name.startswith(n) for n in peers)]


def run_one(
    matcher: Matcher, played: MatchSet, limit_seconds: float, progress: Progress, label: str
) -> One:
    """Measure one matcher on one set in one order."""
    count = len(played.leads)
    if matcher.online:
        run = play(replace(played, name=label), matcher.command, limit_seconds, progress)
        return One(
            run.attach(played.truth), run.merge(played.truth), None, run.seconds, run
        )  # fmt: skip
    peer = play_peer(played, matcher.command, limit_seconds)

    def at(cluster: Callable[..., list[str]], threshold: float) -> Score:
        return score(played.truth, cluster(count, peer.links, threshold))

    merge = at(joined, THRESHOLD) if peer.clusters is None else score(played.truth, peer.clusters)
    best_merge = max(merge.f1, *(at(joined, threshold).f1 for threshold in GRID))
    best_attach = max(at(attached, threshold).f1 for threshold in GRID)
    return One(
        attach=at(attached, THRESHOLD),
        merge=merge,
        best=(best_attach, best_merge),
        seconds=peer.seconds,
        blocked=peer.blocked,
        labels=peer.labels,
    )


def measure(
    matcher: Matcher,
    matched: MatchSet,
    seeds: Sequence[int],
    limit_seconds: float,
    progress: Progress,
    pool: ThreadPoolExecutor,
) -> Callable[[], Row]:
    """Start the runs of one matcher on one set; gives what waits for them and sums them up."""
    runs = [
        pool.submit(
            run_one, matcher, matched.shuffled(seed), limit_seconds, progress,
            f"{matched.name} {matcher.name} {seed}",
        )
        for seed in seeds[: matcher.seeds]
    ]  # fmt: skip

    def row() -> Row:
        try:
            return summed(matched.name, matcher.name, [run.result() for run in runs])
        except Failed as e:
            return Row(matched.name, matcher.name, cannot=str(e))

    return row


def summed(set_name: str, matcher: str, ones: Sequence[One]) -> Row:
    """Take the mean over seeds."""
    attach = [one.attach for one in ones if one.attach]
    merge = [one.merge for one in ones]
    spread = [score.f1 for score in attach] or [score.f1 for score in merge]
    best = [one.best for one in ones if one.best]
    runs = [one.run for one in ones if one.run]
    return Row(
        set=set_name,
        matcher=matcher,
        attach=_mean(attach) if attach else None,
        merge=_mean(merge),
        spread=(
            min(spread), max(spread), min(s.f1 for s in merge), max(s.f1 for s in merge)
        ),
        best=(
            statistics.fmean(one[0] or 0.0 for one in best),
            statistics.fmean(one[1] for one in best),
        )
        if best
        else None,
        blocked=statistics.fmean(blocked) if (blocked := _known(ones)) else None,
        seconds=statistics.fmean(one.seconds for one in ones),
        median_ms=statistics.fmean(run.median_ms for run in runs) if runs else None,
        p99_ms=statistics.fmean(run.p99_ms for run in runs) if runs else None,
        labels=ones[0].labels,
    )  # fmt: skip


def _known(ones: Sequence[One]) -> list[float]:
    return [one.blocked for one in ones if one.blocked is not None]


def _mean(scores: Sequence[Score]) -> tuple[float, float, float]:
    return (
        statistics.fmean(one.precision for one in scores),
        statistics.fmean(one.recall for one in scores),
        statistics.fmean(one.f1 for one in scores),
    )


def show_errors(matcher: Matcher, played: MatchSet, limit_seconds: float, most: int) -> None:
    """Print the worst of what one run put together wrongly or missed."""
    progress = Progress()
    run = play(played, matcher.command, limit_seconds, progress)
    for title, whole, parts in (
        ("put together wrongly", run.final, played.truth),
        ("missed", played.truth, run.final),
    ):
        print(f"\n== {played.name}: {title}")
        for fields, pairs in agreeing(played.leads, whole, parts).most_common(8):
            print(f"{pairs:7} pairs agree in: {fields or 'nothing'}")
        for group in worst(played.leads, whole, parts, most):
            print(f"\n  {group.pairs} pairs")
            for part, lead in _shortened(group.records):
                print(f"    {part:>12}  {json.dumps(lead, ensure_ascii=False)}")


def _shortened(records: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, Lead]]:
    """Show at most three records of each part, and the first twelve in all."""
    shown: dict[str, int] = {}
    for part, lead in records:
        shown[part] = shown.get(part, 0) + 1
        if shown[part] <= 3 and sum(min(3, n) for n in shown.values()) <= 12:
            yield part, dict(lead)


def table(rows: Sequence[Row]) -> str:
    """Write the results as a Markdown table."""
    lines = [
        "| Set | Matcher | Attach: P / R / **F1** | Merge: P / R / **F1** "
        "| Best threshold in hindsight: attach, merge | Blocking recall | Time |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row.cannot:
            lines.append(f"| {row.set} | {row.matcher} | could not: {row.cannot} | | | | |")
            continue
        best = f"{row.best[0]:.3f}, {row.best[1]:.3f}" if row.best else ""
        took = f"{row.seconds:.1f} s"
        if row.median_ms is not None and row.p99_ms is not None:
            took += f"; {row.median_ms:.1f} ms a record, p99 {row.p99_ms:.1f}"
        lines.append(
            f"| {row.set} | {row.matcher} | {_three(row.attach)} | {_three(row.merge)} "
            f"| {best} | {'' if row.blocked is None else f'{row.blocked:.3f}'} | {took} |"
        )
    return "\n".join(lines)


def _three(values: tuple[float, float, float] | None) -> str:
    return "" if values is None else "{:.3f} / {:.3f} / **{:.3f}**".format(*values)


def make_venv() -> None:
    """Install the peers apart from everything else, once."""
    if (VENV / "installed").exists():
        return
    print(f"Installing the peers into {VENV.name}, once", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run(
        [str(VENV / "bin/pip"), "install", "-q", "-r", str(PEERS / "requirements.txt")], check=True
    )
    (VENV / "installed").touch()


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("--sets", default=",".join(QUICK), help=f"of {', '.join(SETS)}; or all")
    parser.add_argument("--seeds", type=int, default=3, help="in how many orders records arrive")
    parser.add_argument(
        "--adapter",
        default=shlex.join([sys.executable, "-m", "bench.adapters.matching"]),
        help="the command to measure; empty for peers only",
    )
    parser.add_argument(
        "--peers", nargs="?", const="", help="measure others too; all, or names that start so"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=1200, help="seconds for one run")
    parser.add_argument("--errors", type=int, default=0, help="show so many of the worst mistakes")
    parser.add_argument("--chart", type=Path, help="write a chart of the results here (SVG)")
    parser.add_argument("--save", type=Path, help="keep the rows here (JSON)")
    parser.add_argument(
        "--add", type=Path, action="append", default=[], help="rows of an earlier run to show too"
    )
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure what was asked for."""
    asked = read_arguments()
    names = list(SETS) if asked.sets == "all" else [name for name in asked.sets.split(",") if name]
    if unknown := [name for name in names if name not in SETS]:
        sys.exit(f"no such set: {', '.join(unknown)}; there are {', '.join(SETS)}")
    wanted = None if asked.peers is None else [n for n in asked.peers.split(",") if n]
    measured = matchers(shlex.split(asked.adapter), wanted)
    if any(str(VENV) in matcher.command[0] for matcher in measured):
        make_venv()
    if asked.errors:
        for name in names:
            show_errors(measured[0], load(name).shuffled(1), asked.limit, asked.errors)
        return
    progress = Progress()
    rows: list[Row] = []
    seeds = list(range(1, asked.seeds + 1))
    with ThreadPoolExecutor(asked.jobs) as pool:
        started = []
        for name in names:
            matched = load(name)
            for matcher in measured:
                if not matcher.sets or name in matcher.sets:
                    waiting = measure(matcher, matched, seeds, asked.limit, progress, pool)
                    started.append((matcher, matched, waiting))
        for matcher, matched, finish in started:
            row = finish()
            if matcher.name == OURS and not row.cannot:
                recall = blocking_recall(matched.leads, matched.truth, block_keys_of)
                row = replace(row, blocked=recall)
            rows.append(row)
            if asked.save:
                keep(asked.save, rows)
            progress.done(table([row]).splitlines()[-1])
    for path in asked.add:
        rows = beside(rows, [_row(one) for one in json.loads(path.read_text())])
    if asked.save:
        keep(asked.save, rows)
    if asked.chart:
        asked.chart.write_text(chart([asdict(row) for row in rows]))
    print(json.dumps([asdict(row) for row in rows]) if asked.json else table(rows))


def keep(path: Path, rows: Sequence[Row]) -> None:
    """Write rows for a later run to add to."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def _row(kept: dict[str, Any]) -> Row:
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in kept.items()}
    return Row(**given)


def beside(rows: Sequence[Row], earlier: Sequence[Row]) -> list[Row]:
    """Put rows of both runs together by set; what was measured now replaces what was."""
    new = {(row.set, row.matcher) for row in rows}
    together = [*rows, *(row for row in earlier if (row.set, row.matcher) not in new)]
    names = [OURS, *(matcher.name for matcher in matchers([], []))]
    return sorted(together, key=lambda r: (list(SETS).index(r.set), names.index(r.matcher)))


if __name__ == "__main__":
    main()
