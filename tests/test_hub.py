"""Wiring: ids, the clock, threads, and how the hub is built."""

import subprocess
import sys
import threading
from datetime import UTC

import pytest

from chalicelib.hub import ALPHABET, build, fresh_id, in_threads, now_utc, pause_at_random
from chalicelib.settings import Settings, from_environment


def test_the_clock_is_in_utc() -> None:
    assert now_utc().tzinfo is UTC


def test_ids_are_unique_and_26_characters_of_the_alphabet() -> None:
    made = [fresh_id() for _ in range(2000)]
    assert len(set(made)) == 2000
    assert {len(one) for one in made} == {26}
    assert set("".join(made)) <= set(ALPHABET)


def test_ids_sort_by_the_millisecond_in_which_they_were_made() -> None:
    made = [fresh_id()[:9] for _ in range(500)]
    assert made == sorted(made)


def test_calls_side_by_side_give_their_results_in_order() -> None:
    def say(word: str) -> list[str]:
        return [word]

    words = ["one", "two", "three"]
    calls = [lambda word=word: say(word) for word in words]
    assert in_threads(calls) == [["one"], ["two"], ["three"]]
    assert in_threads(calls[:1]) == [["one"]]
    assert in_threads([]) == []


def test_a_call_that_waits_does_not_hold_up_another() -> None:
    done = threading.Event()

    def waits() -> list[str]:
        assert done.wait(5)
        return ["waited"]

    def goes() -> list[str]:
        done.set()
        return ["went"]

    assert in_threads([waits, goes]) == [["waited"], ["went"]]


def test_a_mistake_in_a_thread_is_not_swallowed() -> None:
    def breaks() -> list[str]:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError):
        in_threads([breaks, list])


def test_building_the_hub_calls_nobody_and_makes_only_the_clients_that_every_function_needs() -> (
    None
):
    # Names that cannot be reached: a call would fail.
    endpoint = {
        "endpoint_url": "http://127.0.0.1:9",
        "region_name": "eu-west-1",
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
    }
    hub = build(Settings(stage="test"), endpoint)
    assert hub.settings.stage == "test"
    assert "_client" not in vars(hub.secrets)
    assert "_client" not in vars(hub.blobs)
    assert "_client" not in vars(hub.send_mail)


def test_settings_come_from_hub_variables_and_nothing_else() -> None:
    found = from_environment(
        {
            "HUB_STAGE": "prod",
            "HUB_TABLE": "t",
            "HUB_PRIVATE_HOSTS": "127.0.0.1:1,127.0.0.1:2,",
            "HOME": "/x",
        }
    )
    assert (found.stage, found.table) == ("prod", "t")
    assert found.private_hosts == ("127.0.0.1:1", "127.0.0.1:2")
    assert from_environment({}) == Settings()


def test_importing_the_app_builds_nothing() -> None:
    code = "import sys, app; print(app.get_hub.cache_info().currsize, 'boto3' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split()[0] == "0"


def test_only_another_attempt_waits_and_never_longer_than_a_second() -> None:
    slept: list[float] = []
    for attempt in range(10):
        pause_at_random(attempt, slept.append, lambda: 1.0)
    assert slept[:3] == [0.04, 0.08, 0.16]
    assert (len(slept), max(slept)) == (9, 1.0)
