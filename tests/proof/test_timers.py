"""Ten thousand clocks strike at once, under faults: none is lost, none strikes twice.

`python -m tests.proof.test_timers 10000` plays the whole of it; the suite plays a part.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chalicelib.errors import HubError, Unavailable
from chalicelib.flow.tick import tick
from chalicelib.lead.model import Assignment, Lead
from chalicelib.lead.sla import assigned
from chalicelib.records import event_of, lead_item, lead_of
from tests.faults import Call, Kill
from tests.flow.scenes import a_world
from tests.flow.sla_scenes import EVERY, with_clock
from tests.world import World

POLICY = {
    "id": "all",
    "when": EVERY,
    "time": "always",
    "accept": {
        "minutes": 10,
        "steps": [{"after": 0, "notify": ["mail"]}, {"after": 3}],
    },
}


def crowded(count: int) -> World:
    """Give a world with so many leads whose owners are to accept them at the same minute."""
    config = with_clock(policies=[POLICY])
    world = a_world(owners=config.owners, sla=config.sla)
    now = world.clock()
    for number in range(count):
        given = Assignment(
            assignment_id=f"a{number}",
            owner_id="cem",
            pool_id="small",
            rule_id="r",
            assigned_at=now,
        )
        lead = Lead(
            lead_id=f"lead{number:05}",
            version=1,
            created_at=now,
            updated_at=now,
            assignment=given,
            status="assigned",
        )
        world.table.plant(
            lead_item(assigned(lead, world.hub.configurations.current().config, now), "w")
        )
    return world


def stormy(chance: random.Random, odds: float) -> Callable[[Call, Callable[[], Any]], Any]:
    """Make a hook under which calls fail before or after their effect, or end the process."""

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        drawn = chance.random()
        if drawn < odds:
            raise Unavailable("made up: it fails before its effect")
        if drawn > 1 - odds / 20:
            raise Kill
        answer = go()
        if drawn < 2 * odds:
            raise Unavailable("made up: the answer is lost")
        if drawn > 1 - odds / 10:
            raise Kill
        return answer

    return hook


def strike(count: int, seed: int, odds: float = 0.01) -> tuple[Counter[tuple[str, int]], float]:
    """Let all strike under faults; gives how often each step was taken, and by when in seconds."""
    world, chance = crowded(count), random.Random(seed)
    began = world.clock()
    rounds = 0
    while world.next_due() and rounds < 400:
        world.clock.advance(seconds=60 if rounds < 20 else 240)
        rounds += 1
        # Two of them at once now and then, as the scheduler may do.
        for _ in range(1 + (chance.random() < 0.2)):
            try:
                tick(world.worker(stormy(chance, odds)))
            except (Kill, HubError):
                continue
        world.drain()
        if all(is_through(lead_of(item)) for item in world.table.scan() if item["kind"] == "lead"):
            break
    taken: Counter[tuple[str, int]] = Counter()
    last = 0.0
    for item in world.table.scan():
        if item.get("kind") == "event":
            event = event_of(item)
            inputs = event.decisions[0].inputs
            taken[inputs["lead_id"], inputs["step"]] += 1
            due = began + timedelta(minutes=10 + 3 * inputs["step"])
            last = max(last, (event.at - due).total_seconds())
    return taken, last


def is_through(lead: Lead) -> bool:
    """Say whether no step is left."""
    return lead.clock_at is None


def wrong(count: int, seed: int) -> list[str]:
    """Name what was lost or doubled."""
    taken, _ = strike(count, seed)
    found = [f"{key} was taken {times} times" for key, times in taken.items() if times != 1]
    wanted = {(f"lead{number:05}", step) for number in range(count) for step in (0, 1)}
    return found + [f"{key} is lost" for key in sorted(wanted - set(taken))]


def test_no_clock_is_lost_or_strikes_twice_under_faults() -> None:
    for seed in range(3):
        assert wrong(150, seed) == []


def test_without_faults_all_strike_within_their_minute() -> None:
    taken, last = strike(1200, 1, odds=0)
    assert len(taken) == 2400
    assert last < 60


if __name__ == "__main__":
    problems = wrong(int(sys.argv[1]), 1)
    sys.exit("\n".join(problems[:10]) or 0)
