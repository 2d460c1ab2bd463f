"""Tokens: renewed before they end or when they are refused, once, however many want it at once."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest

from chalicelib import registry
from chalicelib.cli.provider import Provider
from chalicelib.connector import Get
from chalicelib.errors import Expired, HubError, Misconfigured, Refused, TryLater
from chalicelib.flow.access import RENEWAL, open_get, read_grant, renew
from chalicelib.hub import Hub
from chalicelib.lead.model import utc_text
from tests.fakes import MemorySecrets
from tests.faults import Call, Counting, Fault, Kill
from tests.interleaver import CALM, Interleaver
from tests.proof.weakened import Weakened
from tests.providers import GRANT, KNOWN, Beside, anew
from tests.world import Weaken, strong

NAME = "tokens/typeform"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider({}, KNOWN) as running:
        yield running


@pytest.fixture
def b(provider: Provider) -> Beside:
    return anew(provider, sources=("typeform",))


def opened(b: Beside, hub: Hub | None = None, **update: Any) -> Get:
    source = b.world.config.sources["typeform"].model_copy(update=update)
    return open_get(hub or b.hub, "typeform", source, registry.load("typeform"))


def grant(b: Beside, **more: Any) -> None:
    b.world.secrets.values[NAME] = (json.dumps({**GRANT, **more}),)


def test_a_plain_token_is_used_as_it_is(b: Beside) -> None:
    b.world.secrets.values[NAME] = ("access-0",)
    assert opened(b)("forms/f1")["id"] == "f1"
    b.provider.expire("typeform")
    with pytest.raises(Expired):
        opened(b)("forms/f1")
    assert b.provider.renewals == 0


def test_a_token_that_is_refused_is_renewed_and_stored(b: Beside) -> None:
    b.provider.expire("typeform")
    get = opened(b)
    assert get("forms/f1")["id"] == "f1"
    assert get("forms/f2")["id"] == "f2"
    assert b.provider.renewals == 1
    held = read_grant(b.hub, NAME)
    assert (held.access_token, held.refresh_token) == ("access-1", "refresh-1")
    assert held.client_secret == GRANT["client_secret"]
    assert held.expires_at == b.world.clock() + timedelta(hours=1)


def test_a_token_that_ends_soon_is_renewed_before(b: Beside) -> None:
    grant(b, expires_at=utc_text(b.world.clock() + timedelta(minutes=1)))
    opened(b)("forms/f1")
    assert b.provider.renewals == 1
    assert {call.token for call in b.provider.calls} == {"access-1"}


def test_a_token_that_lasts_is_left_alone(b: Beside) -> None:
    grant(b, expires_at=utc_text(b.world.clock() + timedelta(minutes=30)))
    opened(b)("forms/f1")
    assert b.provider.renewals == 0


def test_while_it_lasts_a_renewal_that_must_wait_is_no_trouble(b: Beside) -> None:
    grant(b, expires_at=utc_text(b.world.clock() + timedelta(minutes=1)))
    url = b.provider.token_url("typeform")
    with pytest.raises(Kill):
        renew(die_at_the_provider(b), NAME, url, read_grant(b.hub, NAME))
    assert opened(b)("forms/f1")["id"] == "f1"
    assert b.provider.renewals == 0
    b.world.clock.advance(seconds=61)
    opened(b)("forms/f1")
    assert b.provider.renewals == 1


def die_at_the_provider(b: Beside) -> Hub:
    def hook(call: Call, go: Any) -> Any:
        if call.on == "web":
            raise Kill
        return go()

    return b.world.worker(hook)


def test_a_provider_that_does_not_renew_needs_a_person(b: Beside) -> None:
    b.provider.expire("typeform")
    grant(b, refresh_token="of-somebody-else")
    with pytest.raises(Refused, match="must consent again"):
        opened(b)("forms/f1")


def test_a_refusal_that_is_no_end_of_the_token_renews_nothing(b: Beside) -> None:
    b.provider.misbehave("f1", "forbidden")
    with pytest.raises(Refused):
        opened(b)("forms/f1")
    assert b.provider.renewals == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [("", "no live value"), ("{}", "access_token"), ("{oops", "not as expected")],
)
def test_a_token_of_another_shape_is_misconfigured_and_not_quoted(
    b: Beside, value: str, words: str
) -> None:
    b.world.secrets.values[NAME] = (value,)
    with pytest.raises(Misconfigured, match=words) as told:
        opened(b)
    assert "oops" not in str(told.value)


def test_only_secrets_below_tokens_are_written(b: Beside) -> None:
    b.provider.expire("typeform")
    b.world.secrets.values["elsewhere"] = b.world.secrets.values[NAME]
    with pytest.raises(Misconfigured, match="tokens/"):
        opened(b, token="elsewhere")("forms/f1")
    assert b.provider.renewals == 0


def test_what_was_renewed_elsewhere_is_read_and_not_renewed_again(b: Beside) -> None:
    first, second = opened(b), opened(b)
    b.provider.expire("typeform")
    first("forms/f1")
    second("forms/f1")
    assert b.provider.renewals == 1


class Remembering:
    """Secrets as a function has them: read once, and remembered until they are forgotten."""

    def __init__(self, stored: MemorySecrets) -> None:
        self._stored = stored
        self._known: dict[str, tuple[str, ...]] = {}

    def get(self, name: str) -> tuple[str, ...]:
        return self._known.setdefault(name, self._stored.get(name))

    def put(self, name: str, values: Sequence[Mapping[str, Any]]) -> None:
        self._stored.put(name, values)
        self.forget(name)

    def forget(self, name: str) -> None:
        self._known.pop(name, None)


def test_a_function_that_remembers_an_old_token_reads_what_another_stored(b: Beside) -> None:
    slow = replace(b.hub, secrets=cast(Any, Remembering(b.world.secrets)))
    opened(b, slow)("forms/f1")
    b.provider.expire("typeform")
    opened(b)("forms/f1")
    assert opened(b, slow)("forms/f1")["id"] == "f1"
    assert (b.provider.renewals, b.provider.refused_renewals) == (1, 0)


def test_a_renewal_that_dies_blocks_others_for_a_minute_and_no_longer(b: Beside) -> None:
    b.provider.expire("typeform")
    url = b.provider.token_url("typeform")
    with pytest.raises(Kill):
        renew(die_at_the_provider(b), NAME, url, read_grant(b.hub, NAME))
    with pytest.raises(TryLater) as told:
        opened(b)("forms/f1")
    assert told.value.retry_after_seconds == RENEWAL.total_seconds()
    b.world.clock.advance(seconds=61)
    assert opened(b)("forms/f1")["id"] == "f1"


def at_once(provider: Provider, seed: int, weaken: Weaken = strong) -> Beside:
    """Let three find at the same time that the token has ended."""
    b = anew(provider, sources=("typeform",), weaken=weaken)
    b.provider.expire("typeform")
    run = Interleaver(seed, CALM)

    def actor() -> None:
        for _ in range(6):
            try:
                opened(b, b.world.worker(run.hook))("forms/f1")
            except HubError:
                continue
            return

    run.run(dict.fromkeys(("one", "two", "three"), actor))
    return b


def reused(b: Beside) -> bool:
    """Say whether a refresh token was shown to the provider a second time."""
    return b.provider.refused_renewals > 0


def test_however_many_want_it_a_refresh_token_is_traded_once(provider: Provider) -> None:
    for seed in range(25):
        b = at_once(provider, seed)
        assert b.provider.renewals == 1, f"seed {seed}"
        assert not reused(b), f"seed {seed}"
        assert read_grant(b.hub, NAME).refresh_token == "refresh-1"


@pytest.mark.parametrize("guard", ["absent"])
def test_without_its_lease_a_refresh_token_is_shown_twice(provider: Provider, guard: str) -> None:
    weaken = partial(Weakened, without=("renewal", guard))
    assert any(reused(at_once(provider, seed, weaken)) for seed in range(60))


def test_a_fault_at_any_call_of_a_renewal_loses_no_grant_but_between_trade_and_store(
    provider: Provider,
) -> None:
    def play(hook: Counting) -> Beside:
        b = anew(provider, sources=("typeform",))
        b.provider.expire("typeform")
        for _ in range(3):
            try:
                opened(b, b.world.worker(hook))("forms/f1")
            except (Kill, HubError):
                b.world.clock.advance(minutes=2)
        return b

    seen = Counting()
    play(seen)
    lost = []
    for at, call in enumerate(seen.calls, start=1):
        for fault in Fault:
            if fault is Fault.REPEATED and call.on == "web":
                continue
            b = play(Counting(at, fault))
            if read_grant(b.hub, NAME).refresh_token != b.provider.known("typeform").refresh_token:
                lost.append((call.on, call.does, fault))
    assert set(lost) <= {
        ("web", "read", Fault.KILLED_AFTER),
        ("web", "read", Fault.LOST),
        ("secrets", "put", Fault.KILLED_BEFORE),
    }
