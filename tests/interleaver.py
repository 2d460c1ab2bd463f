"""Runs actors so that one call happens at a time and a seed decides whose: races, replayable.

Actors are threads that wait at every call that leaves them. The next to go, and what befalls its
call, is drawn from the seed, so the same seed is the same run, to the last step.
"""

import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults import Call, Fault, Kill, apply

PATIENCE_SECONDS = 60
"""After this long without a sign of life an actor hangs outside of any call: a bug of the test."""


IDLE = "nothing"
"""Calls on this part are only a place to wait in; no fault befalls them."""


@dataclass(frozen=True)
class Odds:
    """How likely each fault is at one call, and how many there may be in one run."""

    faults: Mapping[Fault, float]
    most: int = 4


CALM = Odds({})
STORMY = Odds(
    {
        Fault.DOWN: 0.03,
        Fault.LOST: 0.03,
        Fault.REPEATED: 0.03,
        Fault.KILLED_BEFORE: 0.03,
        Fault.KILLED_AFTER: 0.03,
    }
)


@dataclass(frozen=True)
class Step:
    """One call of one actor and what befell it."""

    actor: str
    call: Call
    fault: Fault | None

    def __str__(self) -> str:
        return f"{self.actor}: {self.call}{' ' + self.fault.name if self.fault else ''}"


class Interleaver:
    """One run of several actors under one seed."""

    def __init__(self, seed: int, odds: Odds = CALM) -> None:
        self.trace: list[Step] = []
        self._random = random.Random(seed)
        self._odds = odds
        self._faults = 0
        self._turns: dict[str, threading.Semaphore] = {}
        self._moved = threading.Semaphore(0)
        self._local = threading.local()
        self._failures: list[BaseException] = []

    def hook(self, call: Call, go: Callable[[], Any]) -> Any:
        """Wait for the turn, then let the call happen; outside of actors it just happens."""
        name = getattr(self._local, "name", None)
        if name is None:
            return go()
        self._moved.release()
        self._turns[name].acquire()
        fault = self._draw() if call.on != IDLE else None
        self.trace.append(Step(name, call, fault))
        return apply(fault, call, go)

    def run(self, actors: Mapping[str, Callable[[], None]]) -> None:
        """Run all actors to their ends; an actor may be killed, but not fail otherwise."""
        self._turns = {name: threading.Semaphore(0) for name in actors}
        threads = [
            threading.Thread(target=self._live, args=(name, act), daemon=True)
            for name, act in actors.items()
        ]
        for thread in threads:
            thread.start()
        waiting = sorted(actors)
        while waiting:
            name = self._random.choice(waiting)
            self._turns[name].release()
            if not self._moved.acquire(timeout=PATIENCE_SECONDS):
                raise TimeoutError(f"{name} hangs after {self.trace[-1:]}")
            if not self._turns.get(name):
                waiting.remove(name)
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _live(self, name: str, act: Callable[[], None]) -> None:
        self._local.name = name
        self._turns[name].acquire()
        try:
            act()
        except Kill:
            pass
        except BaseException as error:  # noqa: BLE001
            self._failures.append(error)
        finally:
            del self._turns[name]
            self._moved.release()

    def _draw(self) -> Fault | None:
        drawn = self._random.random()
        if self._faults >= self._odds.most:
            return None
        for fault, odds in self._odds.faults.items():
            drawn -= odds
            if drawn < 0:
                self._faults += 1
                return fault
        return None


def seeds(count: int, first: int = 0) -> Iterator[int]:
    """Give the seeds to run: HUB_SEED alone if it is set, else so many from the first."""
    chosen = os.environ.get("HUB_SEED")
    yield from [int(chosen)] if chosen else range(first, first + count)
