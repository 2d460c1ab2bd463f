"""Webhooks vanish, come twice and in any order, the API is down and the token dies: all is in."""

import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.cli.provider import Provider
from chalicelib.errors import HubError
from chalicelib.flow.access import read_grant
from chalicelib.flow.catch_up import catch_up, ensure
from chalicelib.flow.comparison import MOST_LOOKS
from chalicelib.flow.tally import DayRow
from chalicelib.records import claim_of
from tests.faults import Call, Fault, Hook, Kill, Point, every_point, explore
from tests.interleaver import CALM, STORMY, Interleaver, seeds
from tests.invariants import problems
from tests.proof.weakened import Weakened
from tests.providers import KNOWN, Beside, anew, beside, scattered
from tests.world import Weaken, strong

PEOPLE = 60
"""How many different people submit; some do so several times."""

A_RECONCILIATION = 5 * MOST_LOOKS
"""Minutes after which one comparison has come to its end, what it kept looked at again."""


def emails(b: Beside) -> set[str]:
    """Give the addresses of all leads."""
    return {str(lead.profile["email"].value) for lead in b.world.leads()}


def total(b: Beside, source_id: str) -> DayRow:
    """Add up a source's ledger."""
    rows = b.state(source_id).rows.values()
    names = [name for name in DayRow.model_fields if name != "named"]
    return DayRow(**{name: sum(getattr(row, name) for row in rows) for name in names})


def assert_all_is_in(b: Beside) -> None:
    """Hold that everything the providers have is in, once, and that the ledger says so."""
    claims = [claim_of(item) for item in b.world.table.scan() if item.get("kind") == "claim"]
    for source_id in ("meta", "typeform"):
        has = {lead.lead_id for lead in b.shelf(source_id).leads}
        taken = [claim.external_id for claim in claims if claim.source_id == source_id]
        assert set(taken) == has
        assert len(taken) == len(has)
        row = total(b, source_id)
        assert (row.listed, row.accepted, row.difference) == (len(has), len(has), 0)
        assert b.state(source_id).trouble == ""
    people = {
        email
        for source_id in ("meta", "typeform")
        for lead in b.shelf(source_id).leads
        for email in re.findall(r"[a-z0-9]+@example[.]com", json.dumps(lead.body))
    }
    assert emails(b) == people


@pytest.mark.parametrize("seed", [*seeds(4)])
def test_everything_is_in_within_one_reconciliation_and_the_ledger_is_at_zero(seed: int) -> None:
    chance = random.Random(seed)
    with beside(seed) as b:
        # A person wants what was there before the hub, too.
        b.ask("meta")
        for _ in range(5):
            b.submit("meta", b.world.clock() - timedelta(days=chance.randrange(1, 80)), form="51")
        b.run(minutes=A_RECONCILIATION)
        assert b.provider.renewals == 0
        # Twelve hours pass; during six of them the providers' API is down for us, then the access
        # token is dead.
        first = b.world.clock()
        moments = list(scattered(chance, first, first + timedelta(hours=12), 150))
        outage = (first + timedelta(hours=4), first + timedelta(hours=10))
        late = []
        for at in moments:
            source_id = chance.choice(("meta", "typeform"))
            forms = {"meta": ("51", "52"), "typeform": ("f1", "f2")}[source_id]
            who = f"somebody{chance.randrange(PEOPLE)}"
            lead = b.submit(source_id, at, chance.choice(forms), who)
            for _ in range(0 if chance.random() < 0.4 else 1 + (chance.random() < 0.3)):
                late.append((at + timedelta(minutes=chance.randrange(90)), source_id, lead))
        late.sort(key=lambda one: one[0])
        down = ("leads", "leadgen_forms", "responses", "f1", "f2", "51", "52")
        for minute in range(12 * 60 + 90):
            now = b.world.clock()
            is_out = outage[0] <= now < outage[1]
            for place in (*down, *(lead.lead_id for _, _, lead in late)):
                b.provider.misbehave(place, "down", 1_000_000 if is_out else 0)
            if minute == 10 * 60:
                for source_id in ("meta", "typeform"):
                    b.provider.expire(source_id)
            while late and late[0][0] <= now:
                _, source_id, lead = late.pop(0)
                assert b.webhook(source_id, lead) == 200
            if minute % 10 == 0:
                b.run()
            else:
                b.world.clock.advance(minutes=1)
        for source_id in ("meta", "typeform"):
            b.ask(source_id)
        b.run(minutes=A_RECONCILIATION)
        assert_all_is_in(b)
        # Webhooks whose lead could not be fetched may still wait; then they are duplicates.
        b.world.settle()
        assert problems(b.world) == []
        assert b.provider.renewals >= 2
        for source_id in ("meta", "typeform"):
            held = read_grant(b.hub, f"tokens/{source_id}")
            assert held.access_token == b.provider.known(source_id).token


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider({}, KNOWN) as running:
        yield running


def submit_a_few(b: Beside) -> None:
    """Have pages to read: of two forms, one item bad, one known already, the rest missing."""
    now = b.world.clock()
    known = b.submit("typeform", now - timedelta(days=1))
    b.webhook("typeform", known)
    b.submit("typeform", now - timedelta(days=1), who="person1")
    b.submit("typeform", now - timedelta(hours=2), "f2")
    del b.submit("typeform", now - timedelta(hours=3), "f2").body["answers"][0]["field"]
    b.world.settle()


def wrong_after(provider: Provider, hook: Hook) -> list[str]:
    """Let a hub under faults compare once, then a sound one; say what is wrong."""
    b = anew(provider, sources=("typeform",))
    submit_a_few(b)
    with suppress(Kill, HubError):
        catch_up(b.world.worker(hook))
    b.run(minutes=A_RECONCILIATION, step=4)
    b.ask("typeform")
    b.run(minutes=A_RECONCILIATION, step=4)
    b.world.settle()
    row = total(b, "typeform")
    found = problems(b.world)
    if (row.listed, row.accepted, row.quarantined, row.difference) != (4, 3, 1, 0):
        found.append(f"the ledger says {row}")
    if len(b.world.leads()) != 2:
        found.append(f"{len(b.world.leads())} leads")
    if len([item for item in b.world.table.scan() if item.get("kind") == "delivery"]) != 4:
        found.append("something was kept twice")
    return found


def in_turn(calls: list[Call]) -> Iterator[Point]:
    """Every call, each with one of the faults in turn, but each death at every write."""
    faults = list(Fault)
    for point in every_point(calls):
        is_death = point.fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
        is_telling = is_death and point.call.does in ("write", "send")
        if is_telling or point.fault is faults[point.at % len(faults)]:
            yield point


def test_a_fault_at_any_call_of_a_comparison_loses_and_doubles_nothing(
    provider: Provider,
) -> None:
    fired, wrong = explore(lambda hook: wrong_after(provider, hook), in_turn)
    assert wrong == {}
    assert fired > 60


@pytest.mark.parametrize("seed", [*seeds(10)])
def test_two_hubs_that_compare_at_once_keep_everything_once(provider: Provider, seed: int) -> None:
    b = anew(provider, sources=("typeform",))
    submit_a_few(b)
    run = Interleaver(seed, STORMY if seed % 2 else CALM)

    def actor() -> None:
        hub = b.world.worker(run.hook)
        for _ in range(3):
            with suppress(Kill, HubError):
                catch_up(hub)
            b.world.clock.advance(minutes=4)

    run.run({"one": actor, "two": actor})
    b.ask("typeform")
    b.run(minutes=A_RECONCILIATION)
    b.world.settle()
    row = total(b, "typeform")
    assert (row.listed, row.accepted, row.quarantined, row.difference) == (4, 3, 1, 0)
    assert problems(b.world) == []


def asked(provider: Provider, seed: int, weaken: Weaken) -> int:
    """Let two hubs compare at once; count how often the list was read."""
    b = anew(provider, sources=("typeform",), weaken=weaken)
    ensure(b.hub)
    run = Interleaver(seed, CALM)

    def actor() -> None:
        catch_up(b.world.worker(run.hook))

    run.run({"one": actor, "two": actor})
    return sum("since" in call.query for call in b.provider.calls)


def test_a_lease_keeps_two_from_reading_the_same_list(provider: Provider) -> None:
    assert {asked(provider, seed, strong) for seed in range(12)} == {2}
    weak = partial(Weakened, without=("lease", "version"))
    assert max(asked(provider, seed, weak) for seed in range(12)) > 2
