"""Secrets: what is live when, what a broken one does, and how seldom the store is asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.secrets import FRESH_SECONDS, STALE_SECONDS, SsmSecrets
from chalicelib.errors import Misconfigured, Unavailable
from tests.aws.engines import Cloud
from tests.fakes import Clock
from tests.faults import Call, Fault, aws_fault


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(moto: Cloud, clock: Clock) -> SsmSecrets:
    return SsmSecrets(lambda: moto.client("ssm"), "/hub/test", clock, clock.monotonic)


def counted(moto: Cloud) -> list[str]:
    """Note every call that leaves from now on."""
    calls: list[str] = []

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        calls.append(call.does)
        return go()

    moto.hook = hook
    return calls


def live(value: str, not_after: str | None = None) -> dict[str, Any]:
    return {"value": value, "not_after": not_after}


def test_two_secrets_are_live_during_a_rotation_and_the_old_one_ends_on_time(
    store: SsmSecrets, clock: Clock
) -> None:
    ends_at = clock() + timedelta(hours=1)
    store.put("forms", [live("new"), live("old", ends_at.isoformat())])
    clock.advance(hours=1)
    assert store.get("forms") == ("new", "old")
    clock.advance(seconds=1)
    assert store.get("forms") == ("new",)


def test_a_secret_is_encrypted_where_it_is_kept(moto: Cloud, store: SsmSecrets) -> None:
    store.put("forms", [live("new")])
    (found,) = moto.client("ssm").describe_parameters()["Parameters"]
    assert (found["Name"], found["Type"]) == ("/hub/test/forms", "SecureString")


def test_the_store_is_asked_once_in_five_minutes(
    moto: Cloud, store: SsmSecrets, clock: Clock
) -> None:
    store.put("forms", [live("new")])
    calls = counted(moto)
    for _ in range(10):
        store.get("forms")
    assert len(calls) == 1
    clock.advance(seconds=FRESH_SECONDS + 1)
    store.get("forms")
    assert len(calls) == 2


def test_a_changed_secret_is_used_without_a_restart(store: SsmSecrets, clock: Clock) -> None:
    other = SsmSecrets(lambda: store._client, "/hub/test", clock, clock.monotonic)
    store.put("forms", [live("old")])
    assert other.get("forms") == ("old",)
    store.put("forms", [live("new"), live("old")])
    clock.advance(seconds=FRESH_SECONDS + 1)
    assert other.get("forms") == ("new", "old")


def test_an_old_secret_ends_while_the_store_is_down(
    moto: Cloud, store: SsmSecrets, clock: Clock
) -> None:
    ends_at = clock() + timedelta(seconds=FRESH_SECONDS + 10)
    store.put("forms", [live("new"), live("old", ends_at.isoformat())])
    store.get("forms")
    moto.hook = lambda call, go: aws_fault(Fault.DOWN, go)
    clock.advance(seconds=FRESH_SECONDS + 5)
    assert store.get("forms") == ("new", "old")
    clock.advance(seconds=6)
    assert store.get("forms") == ("new",)


def test_a_store_that_is_down_when_cold_is_unavailable_and_never_an_empty_secret(
    moto: Cloud, store: SsmSecrets
) -> None:
    moto.hook = lambda call, go: aws_fault(Fault.DOWN, go)
    with pytest.raises(Unavailable):
        store.get("forms")


def test_what_is_remembered_ends_too(moto: Cloud, store: SsmSecrets, clock: Clock) -> None:
    store.put("forms", [live("new")])
    store.get("forms")
    moto.hook = lambda call, go: aws_fault(Fault.DOWN, go)
    clock.advance(seconds=STALE_SECONDS)
    assert store.get("forms") == ("new",)
    clock.advance(seconds=1)
    with pytest.raises(Unavailable):
        store.get("forms")


def test_a_secret_that_was_deleted_is_none(moto: Cloud, store: SsmSecrets, clock: Clock) -> None:
    store.put("forms", [live("new")])
    store.get("forms")
    moto.client("ssm").delete_parameter(Name="/hub/test/forms")
    clock.advance(seconds=FRESH_SECONDS + 1)
    assert store.get("forms") == ()


@pytest.mark.parametrize(
    "text",
    [
        "a-plain-secret-canary",
        '"canary"',
        '{"value": "canary"}',
        '["canary"]',
        '[{"not_after": null}]',
        '[{"value": 5}]',
        '[{"value": "canary", "not_after": "soon"}]',
        '[{"value": "canary", "not_after": "2026-11-23T09:00:00"}]',
    ],
)
def test_a_secret_that_was_stored_wrongly_is_our_mistake_and_is_not_quoted(
    moto: Cloud, store: SsmSecrets, text: str
) -> None:
    moto.client("ssm").put_parameter(Name="/hub/test/forms", Value=text, Type="SecureString")
    with pytest.raises(Misconfigured, match="secret 'forms'") as raised:
        store.get("forms")
    assert "canary" not in str(raised.value)


def test_what_was_changed_elsewhere_is_read_once_the_old_value_is_forgotten(
    moto: Cloud, store: SsmSecrets, clock: Clock
) -> None:
    store.put("tokens/meta", [live("old")])
    assert store.get("tokens/meta") == ("old",)
    other = SsmSecrets(lambda: moto.client("ssm"), "/hub/test", clock, clock.monotonic)
    other.put("tokens/meta", [live("new")])
    assert store.get("tokens/meta") == ("old",)
    store.forget("tokens/meta")
    assert store.get("tokens/meta") == ("new",)


def test_a_grant_longer_than_a_standard_parameter_is_stored(store: SsmSecrets) -> None:
    store.put("tokens/meta", [live("x" * 6000)])
    assert store.get("tokens/meta") == ("x" * 6000,)


def test_a_store_that_is_down_or_forbids_it_is_unavailable(moto: Cloud, store: SsmSecrets) -> None:
    moto.hook = lambda call, go: aws_fault(Fault.DOWN, go)
    with pytest.raises(Unavailable):
        store.put("tokens/meta", [live("x")])
