import json
import sys
from pathlib import Path

import pytest

from bench.made_up import made_up_companies, made_up_people
from bench.match_run import Failed, play
from bench.match_sets import MatchSet, load

RULES = [sys.executable, "-m", "bench.peers.rules"]
PEOPLE = MatchSet(
    "three people",
    [
        {"full_name": "Ada Stein", "email": "ada@example.org"},
        {"full_name": "Bo Lund", "phone": "+1 212 555 0134"},
        {"full_name": "A. Stein", "email": "ADA@example.org", "phone": "212-555-0134"},
        {"full_name": "Cy Moss", "email": "cy@example.org"},
    ],
    ["ada", "bo", "ada", "cy"],
)


def nothing(*_: object) -> None:
    pass


def speaking(tmp_path: Path, code: str) -> list[str]:
    script = tmp_path / "matcher.py"
    script.write_text(
        f"import json, sys\nfor line in sys.stdin:\n    said = json.loads(line)\n{code}"
    )
    return [sys.executable, str(script)]


def test_entities_are_those_said_on_arrival_and_those_of_the_end() -> None:
    run = play(PEOPLE, RULES, 30, nothing)
    assert run.on_arrival == ["0", "1", "0", "3"]
    assert run.final[1] == run.final[0]


def test_the_truth_never_reaches_a_matcher(tmp_path: Path) -> None:
    log = tmp_path / "heard"
    command = speaking(
        tmp_path,
        f"    open({str(log)!r}, 'a').write(line)\n"
        "    print(json.dumps({'assign': {}} if 'final' in said else {'entity': 'x'}), flush=True)",
    )
    some = load("persons-fake1000").shuffled(1)
    play(MatchSet(some.name, some.leads[:200], some.truth[:200]), command, 30, nothing)
    heard = [json.loads(line) for line in log.read_text().splitlines()]
    assert heard[-1] == {"final": True}
    assert [said["rid"] for said in heard[:-1]] == list(range(200))
    assert not any({"cluster", "rid", "unique_id"} & said["lead"].keys() for said in heard[:-1])


@pytest.mark.parametrize(
    ("code", "seconds", "message"),
    [
        ("    break", 60, "ended"),
        ("    print('hello', flush=True)", 60, "not JSON"),
        ("    print('{}', flush=True)", 60, "no entity"),
        ("    sys.stdin.read()", 0.5, "not done"),
    ],
)
def test_a_matcher_that_cannot_is_said_to(
    tmp_path: Path, code: str, seconds: float, message: str
) -> None:
    with pytest.raises(Failed, match=message):
        play(PEOPLE, speaking(tmp_path, code), seconds, nothing)


def test_another_seed_is_another_order_of_the_same_records() -> None:
    one, same, other = PEOPLE.shuffled(1), PEOPLE.shuffled(1), PEOPLE.shuffled(2)
    assert one == same
    assert one.leads != other.leads
    by_name = {str(lead): truth for lead, truth in zip(PEOPLE.leads, PEOPLE.truth, strict=True)}
    assert {str(a): b for a, b in zip(other.leads, other.truth, strict=True)} == by_name


@pytest.mark.parametrize("make", [made_up_people, made_up_companies])
def test_made_up_people_are_the_same_each_time_and_nobody_real(make) -> None:  # type: ignore[no-untyped-def]
    records = make(seed=5)
    assert records == make(seed=5) != make(seed=6)
    assert 2000 <= len(records) <= 4000
    for record in records:
        domain = record.get("email", "@example.com").rpartition("@")[2].lower()
        mistyped = domain.replace("exmaple", "example").replace("exampel", "example")
        mistyped = mistyped.replace("examlpe", "example")
        assert f".{mistyped}".endswith((".example.com", ".example.org", ".example.net"))
