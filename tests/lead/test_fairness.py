"""The fairness bound over random histories: `python -m tests.lead.test_fairness 10000 [SEED]`.

Each history is one pool's life: leads for which now these and now those are eligible, people who
join, leave and change their weight, leads out of turn, given back, taken again, a strategy and a
lot; with workers who read the same ledger at once, die before or after they wrote, and get their
message twice. What is checked after every step stands in docs/fairness.md.
"""

import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.config.model import Config, Member, Pool
from chalicelib.lead.choosing.strategies import Closed, Known
from chalicelib.lead.choosing.turn import seed_of, take_turn
from chalicelib.lead.model import Verdict
from chalicelib.lead.rotation import (
    LEAD,
    Account,
    Choice,
    Ledger,
    choose,
    give_back,
    take_again,
    take_beside,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = ("ana", "ben", "cem", "dea", "eva", "fay", "gus", "hal", "ida")
STRATEGIES = ("turns", "turns", "least_loaded", "performance", "experience")
STEPS = 60
IN_THE_SUITE = 300


@dataclass
class Store:
    """The table, as far as a pool needs it: a ledger, and which leads are given out.

    Attributes:
        moves: what was booked, from which the ledger can be made again.
    """

    ledger: Ledger
    owners: dict[str, str] = field(default_factory=dict)
    given_back: dict[str, str] = field(default_factory=dict)
    moves: list[tuple[str, Any]] = field(default_factory=list)

    def write(self, read: int, after: Ledger, lead_id: str, owner_id: str, move: Any) -> bool:
        """Write ledger and lead in one transaction; False when somebody else wrote first."""
        if self.ledger.version != read:
            return False
        assert after.version == read + 1
        self.ledger = after
        self.owners[lead_id] = owner_id
        self.moves.append(move)
        return True


@dataclass
class History:
    """One pool's life, by seed."""

    chance: random.Random
    store: Store = field(default_factory=lambda: Store(Ledger(pool_id="p")))
    config: Config = field(default_factory=Config)
    constant: set[str] | None = field(default_factory=set)
    leads: int = 0

    def __post_init__(self) -> None:
        self.people(self.chance.randint(1, len(NAMES)))

    def people(self, count: int) -> None:
        """Let people join, leave, and change their weight."""
        chance, names = self.chance, self.chance.sample(NAMES, count)
        heavy = chance.random() < 0.5
        members = tuple(
            Member(owner=n, weight=chance.randint(1, 1000 if heavy else 3)) for n in names
        )
        pool: dict[str, Any] = {
            "members": members,
            "strategy": chance.choice(STRATEGIES),
            "floor": chance.choice((0.0, 0.3, 1.0)),
            "levels": ({"score": 0, "most": 4}, {"score": 50, "least": 3}),
            "draw": chance.choice((None, None, 0.0, 0.2, 0.5)),
        }
        owners = {
            n: {
                "name": n,
                "email": f"{n}@example.com",
                "seniority": chance.randint(1, 9),
                "capacity": chance.randint(1, 40),
            }
            for n in NAMES
        }
        self.config = Config.model_validate({"owners": owners, "pools": {"p": pool}})
        self.constant = None if self.leads else self.constant

    def step(self) -> None:
        """Let something happen, then look."""
        what = self.chance.random()
        if what < 0.70:
            self.lead()
        elif what < 0.76:
            self.people(self.chance.randint(1, len(NAMES)))
        elif what < 0.84:
            self.beside()
        elif what < 0.94:
            self.back()
        else:
            self.again()
        check_books(self.store.ledger)

    def lead(self) -> None:
        """Let one, two or three workers decide on leads at once, each until it is written."""
        known = self.known()
        verdicts = self.verdicts()
        fresh = [f"l{self.leads + n}" for n in range(self.chance.choice((1, 1, 2, 3)))]
        self.leads += len(fresh)
        waiting = [(lead_id, self.turn(lead_id, verdicts, known)) for lead_id in fresh]
        if self.chance.random() < 0.1:
            waiting.append(waiting[0])  # a message that comes twice
        while waiting:
            lead_id, (read, choice) = waiting.pop(self.chance.randrange(len(waiting)))
            if choice is None or lead_id in self.store.owners:
                continue
            if self.chance.random() < 0.1:  # it dies before it writes; its message comes again
                waiting.append((lead_id, self.turn(lead_id, verdicts, known)))
                continue
            move = ("turn", (lead_id, verdicts, known, self.config, choice.owner_id))
            done = self.store.write(read, choice.ledger, lead_id, choice.owner_id, move)
            # Somebody else wrote first; or it dies after it wrote, and its message comes again.
            if not done or self.chance.random() < 0.1:
                waiting.append((lead_id, self.turn(lead_id, verdicts, known)))

    def turn(
        self, lead_id: str, verdicts: dict[str, Verdict], known: Known
    ) -> tuple[int, Choice | None]:
        """Read the ledger and choose; the same read gives the same choice."""
        ledger = self.store.ledger
        chosen = take(self.config, ledger, verdicts, known, lead_id)
        if chosen is not None:
            assert chosen == take(self.config, ledger, verdicts, known, lead_id)
            check_choice(ledger, chosen)
            self.note(chosen)
        return ledger.version, chosen

    def note(self, choice: Choice) -> None:
        """While the same people are eligible with the same shares, nothing is ever settled."""
        able = {one.candidate for one in choice.verdicts if one.is_eligible}
        plain = self.config.pools["p"].strategy == "turns" and not self.config.pools["p"].draw
        if self.constant is not None and (not self.constant or self.constant == able) and plain:
            self.constant = able
            assert not any(one.settled for one in choice.ledger.accounts.values())
        else:
            self.constant = None

    def beside(self) -> None:
        """Give a lead out of turn; its owner need not be a member."""
        owner_id, ledger = self.chance.choice(NAMES), self.store.ledger
        after = take_beside(ledger, owner_id)
        assert after.accounts[owner_id].balance == ledger.accounts.get(owner_id, Account()).balance
        lead_id = f"l{self.leads}"
        self.leads += 1
        assert self.store.write(
            ledger.version, after, lead_id, owner_id, ("beside", (lead_id, owner_id))
        )

    def back(self) -> None:
        """Let a lead be given back, or be one with another after a merge."""
        held = [lead_id for lead_id, owner_id in self.store.owners.items() if owner_id]
        if not held:
            return
        lead_id, ledger = self.chance.choice(held), self.store.ledger
        owner_id = self.store.owners[lead_id]
        before = ledger.accounts[owner_id].balance
        after = give_back(ledger, owner_id)
        assert after.accounts[owner_id].balance == before
        self.store.given_back[lead_id] = owner_id
        assert self.store.write(ledger.version, after, lead_id, "", ("back", owner_id))

    def again(self) -> None:
        """Let a lead that was given back for a merge return when that is taken apart."""
        if not self.store.given_back:
            return
        lead_id = self.chance.choice(sorted(self.store.given_back))
        owner_id, ledger = self.store.given_back.pop(lead_id), self.store.ledger
        after = take_again(ledger, owner_id)
        assert self.store.write(ledger.version, after, lead_id, owner_id, ("again", owner_id))

    def verdicts(self) -> dict[str, Verdict]:
        """Say who is eligible for this lead: any of them, as skills and hours may fall."""
        members = [member.owner for member in self.config.pools["p"].members]
        if self.chance.random() < 0.4:
            # At the worst moments: only those who are owed most can take it, or are ahead most.
            books = self.store.ledger.accounts
            owed = sorted(members, key=lambda key: books.get(key, Account()).balance)
            able = owed[:2] if self.chance.random() < 0.5 else owed[-2:]
        else:
            odds = self.chance.choice((0.3, 0.6, 1.0))
            able = [key for key in members if self.chance.random() < odds]
        return {
            key: Verdict(candidate=key, is_eligible=key in able, because="as it falls")
            for key in members
        }

    def known(self) -> Known:
        chance = self.chance
        return Known(
            score=chance.randint(0, 100),
            loads={key: chance.randint(0, 40) for key in NAMES},
            closed={
                key: Closed(won=chance.randint(0, 50), lost=chance.randint(0, 50))
                for key in NAMES
                if chance.random() < 0.8
            },
        )

    def end(self) -> None:
        """Make the ledger again from what was booked, and each owner's statement from it."""
        ledger, received = Ledger(pool_id="p"), Counter[str]()
        for kind, what in self.store.moves:
            if kind == "turn":
                lead_id, verdicts, known, config, owner_id = what
                choice = take(config, ledger, verdicts, known, lead_id)
                assert choice is not None
                assert choice.owner_id == owner_id
                ledger = choice.ledger
                received[owner_id] += 1
            elif kind == "beside":
                ledger = take_beside(ledger, what[1])
                received[what[1]] += 1
            else:
                ledger = (give_back if kind == "back" else take_again)(ledger, what)
                received[what] += -1 if kind == "back" else 1
        assert ledger == self.store.ledger
        held = Counter(owner_id for owner_id in self.store.owners.values() if owner_id)
        assert +received == held
        assert {k: one.received for k, one in ledger.accounts.items() if one.received} == held


def take(
    config: Config, ledger: Ledger, verdicts: dict[str, Verdict], known: Known, lead_id: str
) -> Choice | None:
    return take_turn(config, "p", ledger, verdicts, known, NOW, seed_of(lead_id, 1))


def check_books(ledger: Ledger) -> None:
    """Assert what holds of a ledger at any time."""
    accounts = ledger.accounts.values()
    assert all(abs(one.balance) <= LEAD for one in accounts)
    assert sum(one.balance for one in accounts) == 0
    assert sum(one.settled for one in accounts) == 0
    assert sum(one.received + one.returned for one in accounts) == ledger.decided


def check_choice(before: Ledger, choice: Choice) -> None:
    """Assert what holds of one turn: a whole lead is credited, among those in question alone."""
    able = {one.candidate for one in choice.verdicts if one.is_eligible}
    assert set(choice.accruals) == able
    assert choice.owner_id in able
    assert sum(choice.accruals.values()) == LEAD
    assert min(choice.accruals.values()) >= 0
    for owner_id, account in before.accounts.items():
        if owner_id not in able:
            assert choice.ledger.accounts[owner_id] == account
    if choice.chances:
        assert abs(sum(choice.chances.values()) - 1) < 1e-4
        assert choice.owner_id in choice.chances


def play(seed: int) -> Ledger:
    """Play one history; fails where something does not hold."""
    history = History(random.Random(seed))
    for _ in range(STEPS):
        history.step()
    history.end()
    return history.store.ledger


@pytest.mark.parametrize("first", range(0, IN_THE_SUITE, 50))
def test_the_bound_holds_in_random_histories(first: int) -> None:
    for seed in range(first, first + 50):
        play(seed)


def test_the_histories_meet_what_they_are_about() -> None:
    found = Counter[str]()
    for seed in range(40):
        ledger = play(seed)
        accounts = ledger.accounts.values()
        found["settled"] += any(one.settled for one in accounts)
        found["beside"] += any(one.beside for one in accounts)
        found["returned"] += any(one.returned for one in accounts)
        found["near"] += any(abs(one.balance) > 0.9 * LEAD for one in accounts)
    assert min(found.values()) >= 5


@pytest.mark.parametrize("people", [4, 6, 9])
def test_without_settling_pairs_of_equals_drive_any_rule_apart(people: int) -> None:
    """Play the adversary of docs/fairness.md against a rule that never settles anything."""
    owed = dict.fromkeys(NAMES[:people], 0.0)
    for _ in range(people**3):
        pair = next(((a, b) for a in owed for b in owed if a < b and owed[a] == owed[b]), None)
        if pair is None:
            break
        owed[pair[0]] += 0.5
        owed[pair[1]] -= 0.5
    assert len(set(owed.values())) == people
    assert max(map(abs, owed.values())) >= (people - 1) / 4


@pytest.mark.parametrize("people", [4, 6, 9])
def test_the_ledger_keeps_its_promise_against_that_adversary(people: int) -> None:
    pool = Pool(members=tuple(Member(owner=name) for name in NAMES[:people]))
    ledger = Ledger(pool_id="p")
    for _ in range(people**3):
        balances = {n: ledger.accounts.get(n, Account()).balance for n in NAMES[:people]}
        ranked = sorted(balances, key=balances.__getitem__)
        _, pair = min((balances[b] - balances[a], (a, b)) for a, b in pairwise(ranked))
        verdicts = {n: Verdict(candidate=n, is_eligible=True, because="") for n in pair}
        choice = choose("p", pool, ledger, verdicts)
        assert choice is not None
        check_choice(ledger, choice)
        ledger = choice.ledger
        check_books(ledger)


def main() -> None:
    """Play as many histories as asked for, from a seed on."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for seed in range(first, first + count):
        try:
            play(seed)
        except AssertionError as error:
            sys.exit(f"history {seed}: {error}")
        if (seed - first + 1) % 1000 == 0:
            sys.stdout.write(f"{seed - first + 1} histories hold\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
