"""The interleaver itself: it finds a race, finds none where there is none, and replays exactly."""

from collections.abc import Callable
from typing import Any, cast

from chalicelib.errors import Conflict
from chalicelib.storage import Absent, Key, Put, Table
from tests.fakes import MemoryTable
from tests.faults import Fault, Kill, Tapped, explore
from tests.interleaver import CALM, STORMY, Interleaver, Odds

Matcher = Callable[[Table, str], None]


def racy(table: Table, person: str) -> None:
    """Read, then write: two at once both find nobody."""
    if table.get(Key("KEY#e", "KEY")) is None:
        table.write([Put("key", _item("KEY#e", "KEY", person))])
        table.write([Put("lead", _item(f"LEAD#{person}", "LEAD", person))])


def transactional(table: Table, person: str) -> None:
    """Write both or nothing, on the condition that nobody was there."""
    try:
        table.write(
            [
                Put("key", _item("KEY#e", "KEY", person), Absent()),
                Put("lead", _item(f"LEAD#{person}", "LEAD", person), Absent()),
            ]
        )
    except Conflict:
        return


def _item(pk: str, sk: str, person: str) -> dict[str, Any]:
    return {"pk": pk, "sk": sk, "writer": person, "version": 1, "lead": person}


def problems(table: MemoryTable) -> list[str]:
    items = table.scan()
    leads = [item["lead"] for item in items if item["pk"].startswith("LEAD#")]
    keys = [item["lead"] for item in items if item["pk"] == "KEY#e"]
    return [] if leads == keys and len(keys) == 1 else [f"{keys} of {leads}"]


def play(matcher: Matcher, seed: int, odds: Odds) -> tuple[list[str], tuple[str, ...]]:
    table = MemoryTable()
    run = Interleaver(seed, odds)
    seen = cast(Table, Tapped(table, "table", run.hook))

    def deliver(person: str) -> Callable[[], None]:
        def act() -> None:
            for _ in range(6):
                try:
                    return matcher(seen, person)
                except Kill:
                    continue
                except Exception:  # noqa: BLE001
                    continue
            return None

        return act

    run.run({person: deliver(person) for person in ("a", "b", "c")})
    return problems(table), tuple(map(str, run.trace))


def test_a_race_is_found() -> None:
    assert any(play(racy, seed, CALM)[0] for seed in range(10))


def test_a_transaction_never_loses_a_race_whatever_befalls_its_calls() -> None:
    wrong = {seed: found for seed in range(150) if (found := play(transactional, seed, STORMY)[0])}
    assert wrong == {}


def test_a_seed_replays_the_very_same_run() -> None:
    for seed in range(30):
        assert play(racy, seed, STORMY) == play(racy, seed, STORMY)


def test_seeds_differ_in_their_runs_and_faults_do_fire() -> None:
    traces = [play(transactional, seed, STORMY)[1] for seed in range(150)]
    assert len(set(traces)) > 20
    assert {fault for fault in Fault if any(fault.name in step for t in traces for step in t)} == (
        set(Fault)
    )


def crash_story(matcher: Matcher) -> dict[str, list[str]]:
    def run(hook: Any) -> list[str]:
        table = MemoryTable()
        seen = cast(Table, Tapped(table, "table", hook))
        for _ in range(3):
            try:
                matcher(seen, "a")
            except (Kill, Exception):  # noqa: BLE001
                continue
            break
        return problems(table)

    fired, wrong = explore(run)
    assert fired >= 5
    return wrong


def test_a_crash_between_two_writes_is_found() -> None:
    assert crash_story(racy)


def test_a_crash_around_one_transaction_does_no_harm() -> None:
    assert crash_story(transactional) == {}
