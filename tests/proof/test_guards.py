"""Every condition and every transaction of the flows, taken out one at a time, is missed."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import Conflict
from chalicelib.storage import Absent, Holds, Put, Write
from tests.fakes import MemoryTable
from tests.faults import Counting, Fault, Hook, every_point, untouched
from tests.interleaver import seeds
from tests.proof import test_crash, test_interleave
from tests.proof.stories import LONG_STORIES, STORIES, Story
from tests.proof.test_interleave import SCENARIOS
from tests.proof.weakened import Guard, Shape, Weakened, guards, plain, shape
from tests.world import Weaken

ABSENT, VERSION = "absent", "version"

GUARDS: dict[Guard, tuple[str, ...]] = {
    ("absorb event", ABSENT): (),
    ("active", ABSENT): (),
    ("active", VERSION): ("owners switch themselves off",),
    ("answer event", ABSENT): (),
    ("answered lead", VERSION): ("accepting and declining at once",),
    ("block", ABSENT): (),
    ("block", VERSION): (),
    ("claim", ABSENT): ("a submission and its withdrawal at once",),
    ("claim", VERSION): ("withdrawn and submitted anew",),
    ("clock event", ABSENT): (),
    ("clocked lead", VERSION): ("owners answer as their time ends",),
    ("claim of effect", VERSION): ("every message goes to two workers",),
    ("closed effect", VERSION): ("every message goes to two workers",),
    ("compared lead", "check"): (),
    ("closed proposal", VERSION): (),
    ("configuration", "check"): ("owners switch themselves off",),
    ("account of", ABSENT): ("a company in two pools",),
    ("account of", VERSION): ("a company in two pools whose owner left",),
    ("closed count", VERSION): (),
    ("load of", ABSENT): ("an owner with a cap in two pools",),
    ("load of", VERSION): ("an owner near a cap in two pools",),
    ("day of", ABSENT): ("an owner in two pools",),
    ("day of", VERSION): ("an owner in two pools",),
    ("delivery", ABSENT): ("the same person twice at once",),
    ("dedupe", ABSENT): (),
    ("dedupe", VERSION): (),
    ("edit event", ABSENT): (),
    ("effect", ABSENT): (),
    ("emptied body", VERSION): (),
    ("erased block", VERSION): (),
    ("erased claim", ABSENT): (),
    ("erased claim", VERSION): (),
    ("erased effect", VERSION): (),
    ("erased event", VERSION): (),
    ("erased file", VERSION): (),
    ("erased lead", VERSION): ("a person is erased while they write",),
    ("erased names", VERSION): (),
    ("erased proposal", VERSION): (),
    ("erased refusal", "at"): (),
    ("erased request", VERSION): (),
    ("erased touch", VERSION): (),
    ("erasure", ABSENT): (),
    ("erasure", VERSION): (),
    ("export event", ABSENT): (),
    ("exported lead", "check"): (),
    ("outlived request", VERSION): (),
    ("released key", VERSION): (),
    ("retention", VERSION): (),
    ("word of erasure", ABSENT): (),
    ("form", ABSENT): ("two workers learn a form",),
    ("form", VERSION): ("two workers learn a form",),
    ("given up key", VERSION): ("a lead is edited while it writes",),
    ("identity key", ABSENT): ("a lead is edited while it writes",),
    ("identity key", VERSION): (),
    ("import", ABSENT): (),
    ("import", VERSION): ("a file is imported by two at once",),
    ("lead", ABSENT): (),
    ("lead", VERSION): ("crossing keys join two leads",),
    ("learning", ABSENT): (),
    ("learning", VERSION): (),
    ("lease", VERSION): (),
    ("looked up lead", "check"): (),
    ("ledger", ABSENT): ("two pools fall to one",),
    ("ledger", VERSION): ("two pools fall to one",),
    ("lead between", VERSION): (),
    ("lead taken out", VERSION): (),
    ("mark event", ABSENT): (),
    ("missed leads", ABSENT): (),
    ("missed leads", VERSION): (),
    ("marked lead", VERSION): ("leads are merged while they are kept apart",),
    ("merge event", ABSENT): (),
    ("merged lead", VERSION): ("crossing keys join two leads",),
    ("move event", ABSENT): (),
    ("model", ABSENT): (),
    ("moved claim", VERSION): (),
    ("moved lead", VERSION): ("a lead is moved while it writes",),
    ("moved touch", ABSENT): (),
    ("part event", ABSENT): (),
    ("reopened effect", VERSION): (),
    ("rest of lead", VERSION): ("a merge is taken apart and made anew",),
    ("settled ledger", VERSION): (),
    ("surviving lead", VERSION): ("two merge overlapping leads",),
    ("touch moved away", VERSION): (),
    ("unmerge event", ABSENT): (),
    ("whole lead", VERSION): (),
    ("outcome", VERSION): ("every message goes to two workers",),
    ("renewal", ABSENT): (),
    ("renewal", VERSION): (),
    ("replayed delivery", VERSION): (),
    ("proposal", ABSENT): (),
    ("proposal", VERSION): (),
    ("reading event", ABSENT): (),
    ("removed token", VERSION): (),
    ("reread", ABSENT): (),
    ("reread", VERSION): (),
    ("reread progress", VERSION): (),
    ("retried effect", VERSION): (),
    ("rescore event", ABSENT): (),
    ("rescored lead", VERSION): ("scores fade while people write",),
    ("rescoring", VERSION): (),
    ("returned turn", VERSION): (),
    ("routed lead", VERSION): ("the same person twice at once",),
    ("routing event", ABSENT): (),
    ("sent on", VERSION): ("ticks beside work on the same leads",),
    ("standing", ABSENT): (),
    ("standing", VERSION): (),
    ("standing work", ABSENT): (),
    ("sync", VERSION): (),
    ("taken back claim", VERSION): (),
    ("token", ABSENT): (),
    ("touch", ABSENT): (),
    ("version", ABSENT): (),
    ("watch", VERSION): (),
    ("voided touch", VERSION): (),
    ("wait of effect", VERSION): (),
    ("weights", ABSENT): (),
    ("wish", ABSENT): (),
    ("wish", VERSION): (),
    ("withdrawal event", ABSENT): (),
    ("woken work", VERSION): (),
}
"""Every guard, and the races that go wrong without it; none where another one of the same
transaction holds as well, and this one is there in case that one is ever changed. Nor for what
keeps two from doing the same slice of long work, or renewing the same token, which no lead
suffers from: tests/proof/test_backfill.py and tests/flow/test_access.py show what that costs."""

UNGUARDED = {"handshake", "refusal"}
"""Writes that may go over each other: of the last refusals and handshakes the newest are shown."""


@dataclass
class Recording(Weakened):
    """A table that remembers, for each guard, a write that it guarded and what stood there."""

    def write(self, writes: Any) -> None:
        """Pass on, and remember what was taken."""
        before = dict(self.table._items) if isinstance(self.table, MemoryTable) else {}
        self.table.write(writes)
        for guard in guards(writes):
            RECORD.guarded.setdefault(guard, (before, tuple(writes)))
        if len(writes) > 1:
            RECORD.shapes.add(shape(writes))
        RECORD.bare |= {
            plain(write.name) for write in writes if isinstance(write, Put) and not write.condition
        }


@dataclass
class Record:
    """What was written while all stories and races were played once."""

    guarded: dict[Guard, tuple[dict[Any, Any], tuple[Write, ...]]] = field(default_factory=dict)
    shapes: set[Shape] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)


RECORD = Record()


@cache
def recorded() -> Record:
    """Play everything once."""
    for story in (STORIES | LONG_STORIES).values():
        test_crash.play(story, untouched, Recording)
    for scenario in SCENARIOS.values():
        for seed in range(8):
            test_interleave.play(scenario, seed, Recording)
    return RECORD


def test_every_write_is_known_here() -> None:
    assert set(recorded().guarded) == set(GUARDS)
    assert recorded().bare <= UNGUARDED


def test_no_write_of_the_code_goes_unplayed() -> None:
    played = {name for name, _ in recorded().guarded} | recorded().bare
    written = {
        plain(name)
        for path in sorted(Path("chalicelib").rglob("*.py"))
        for name in names_in(ast.parse(path.read_text()))
    }
    assert len(written) > 20
    assert written <= played


WRITES = ("Put", "Check", "Delete")


def names_in(tree: ast.AST) -> Iterator[str]:
    """Give the names that writes are given in a module, as far as they stand there as text."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in WRITES:
            name = call.args[0]
            if isinstance(name, ast.JoinedStr):
                name = name.values[0]
            if isinstance(name, ast.Constant):
                yield str(name.value).strip()


def violated(write: Write) -> tuple[Any, dict[str, Any]]:
    """Give what would have to stand there for a write's condition not to hold."""
    condition = write.condition
    item = {"pk": write.key[0], "sk": write.key[1], "writer": "somebody else", "version": 10**6}
    if isinstance(condition, Holds):
        value = condition.value
        item[condition.attribute] = value + 1 if isinstance(value, int) else value + "x"
    assert isinstance(condition, Absent | Holds)
    return write.key, item


@pytest.mark.parametrize("guard", GUARDS, ids=" ".join)
def test_a_guard_alone_refuses_the_whole_write(guard: Guard) -> None:
    before, writes = recorded().guarded[guard]
    guarded = next(write for write in writes if guards([write]) == {guard})
    key, item = violated(guarded)
    for without in (None, guard):
        table = MemoryTable()
        table._items = {**before, key: item}
        if without:
            Weakened(table, without).write(writes)
            if isinstance(guarded, Put):
                assert table.get(key) != item
        else:
            with pytest.raises(Conflict) as caught:
                table.write(writes)
            assert set(caught.value.found) == {guarded.name}
            assert table._items == {**before, key: item}


@pytest.mark.parametrize(
    ("guard", "name"),
    [(guard, name) for guard, names in GUARDS.items() for name in names],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_a_race_goes_wrong_without_its_guard(guard: Guard, name: str) -> None:
    weaken = partial(Weakened, without=guard)
    wrong = (test_interleave.play(SCENARIOS[name], seed, weaken)[0] for seed in seeds(60))
    assert any(wrong), "no seed needs this guard"


def names_in_transactions() -> Iterator[str]:
    """Name every write that is ever made together with others."""
    return iter(sorted({name for names in recorded().shapes for name in names}))


APART = (
    "account of",
    "load of",
    "absorb event",
    "active",
    "answer event",
    "answered lead",
    "block",
    "claim",
    "claim of effect",
    "clock event",
    "clocked lead",
    "closed effect",
    "closed proposal",
    "compared lead",
    "configuration",
    "day of",
    "edit event",
    "effect",
    "given up key",
    "identity key",
    "learning",
    "looked up lead",
    "lead",
    "ledger",
    "merge event",
    "merged lead",
    "lead between",
    "lead taken out",
    "mark event",
    "marked lead",
    "missed leads",
    "move event",
    "moved claim",
    "moved lead",
    "moved touch",
    "part event",
    "rescore event",
    "rescored lead",
    "reopened effect",
    "rest of lead",
    "settled ledger",
    "surviving lead",
    "touch moved away",
    "unmerge event",
    "whole lead",
    "erased block",
    "erased claim",
    "erased effect",
    "erased event",
    "erased file",
    "erased lead",
    "erased names",
    "erased proposal",
    "erased refusal",
    "erased request",
    "erased touch",
    "erasure",
    "export event",
    "exported lead",
    "released key",
    "word of erasure",
    "form",
    "outcome",
    "proposal",
    "reading event",
    "replayed delivery",
    "reread",
    "returned turn",
    "routed lead",
    "routing event",
    "taken back claim",
    "touch",
    "version",
    "voided touch",
    "weights",
    "wish",
    "withdrawal event",
)
"""Every write that is part of a transaction."""

HARMLESS_APART = {
    "account of": "the next lead of the company says again who answers for it",
    "block": "hub dedupe finds again whom nobody looked for",
    "marked lead": "whoever marks two leads asks again, and both are marked together",
    "whole lead": "a whole is read before its parts, so a touch on the move is seen twice, not "
    "missed; it is there for parts of parts",
    "claim of effect": "the effect before it is closed; it is together only to save a call",
    "missed leads": "an owner would be switched off one lead later or earlier",
    "closed effect": "the same",
    "export event": "whoever exports and dies has been given nothing",
    "exported lead": "the event would be found and erased by the check of the erasure",
    "closed proposal": "both sides are all there is to it",
    "compared lead": "tests/flow/test_dedupe.py shows what it costs to do without",
    "looked up lead": "the same",
    "learning": "what was learnt is in use already, and found so the next time",
    "proposal": "hub dedupe finds again whom nobody was asked about",
    "wish": "whoever dies before all keys are remembered is told again",
    "form": "a change that still seems to wait is confirmed again, and that is harmless",
    "reread": "whoever is not told that it is confirmed does it again, and it is queued again",
    "outcome": "a delivery whose submission was saved is recognised when it comes again",
}
"""Writes that are together with others only to save a call."""


def test_every_transaction_is_known_here() -> None:
    assert set(names_in_transactions()) == set(APART)


def is_wrong(story: Story, hook: Hook, weaken: Weaken) -> bool:
    """Play a story; say whether it ends badly, or not at all."""
    try:
        return bool(test_crash.play(story, hook, weaken))
    except AssertionError:
        return True


@cache
def written(name: str) -> frozenset[str]:
    """Name the writes of a story."""
    seen = Counting()
    test_crash.play((STORIES | LONG_STORIES)[name], seen)
    writes = (call.what.split(",") for call in seen.calls if call.does == "write")
    return frozenset(plain(what) for names in writes for what in names)


def goes_wrong(name: str) -> bool:
    """Kill the process after each write of the stories with that write, then look at races."""
    weaken = partial(Weakened, apart=name)
    long = (
        "one of two who are alike is erased",
        "a person is erased for good",
        "a hub learns from what it has",
        "scores fade by themselves",
    )
    for known in (*STORIES, *long):
        story, seen = (STORIES | LONG_STORIES)[known], Counting()
        if name not in written(known):
            continue
        if is_wrong(story, seen, weaken):
            return True
        if name not in {plain(call.what) for call in seen.calls}:
            continue
        for point in every_point(seen.calls):
            is_between = point.fault is Fault.KILLED_AFTER and point.call.does == "write"
            if is_between and is_wrong(story, Counting(point.at, point.fault), weaken):
                return True
    return any(
        test_interleave.play(scenario, seed, weaken)[0]
        for scenario in SCENARIOS.values()
        for seed in range(12)
    )


@pytest.mark.parametrize("name", [name for name in APART if name not in HARMLESS_APART])
def test_a_write_taken_out_of_its_transaction_is_missed(name: str) -> None:
    assert goes_wrong(name)
