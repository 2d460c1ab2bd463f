"""The rotation's promise: nobody is ever more than one lead from what they are entitled to."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config.model import Member, Pool
from chalicelib.lead.model import Verdict
from chalicelib.lead.routing import LEAD, Account, Choice, Ledger, choose, give_back, statement

REPS = ("ana", "ben", "cem", "dea", "eva", "fay", "gus")


def make_pool(weights: dict[str, int]) -> Pool:
    return Pool(members=tuple(Member(owner=key, weight=value) for key, value in weights.items()))


def eligible(owner_ids: Iterable[str]) -> dict[str, Verdict]:
    return {
        owner_id: Verdict(candidate=owner_id, is_eligible=True, because="can take leads now")
        for owner_id in owner_ids
    }


def rotate(ledger: Ledger, pool: Pool, owner_ids: Iterable[str]) -> Choice:
    choice = choose("p", pool, ledger, eligible(owner_ids))
    assert choice is not None
    assert choice.ledger.version == ledger.version + 1
    return choice


def check_books(ledger: Ledger) -> None:
    """Assert what holds of any ledger at any time."""
    accounts = ledger.accounts.values()
    assert all(abs(account.balance) <= LEAD for account in accounts)
    assert (
        sum(account.received for account in accounts)
        + sum(account.returned for account in accounts)
        == ledger.decided
    )
    assert sum(account.balance for account in accounts) == 0
    assert sum(account.settled for account in accounts) == 0


owner_ids = st.sampled_from(REPS)
step = st.one_of(
    st.tuples(st.just("lead"), st.sets(owner_ids, min_size=1)),
    st.tuples(st.just("pool"), st.dictionaries(owner_ids, st.integers(1, 1000), min_size=1)),
    st.tuples(st.just("back"), owner_ids),
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(owner_ids, st.integers(1, 1000), min_size=1), st.lists(step, max_size=60))
def test_received_and_entitled_never_differ_by_more_than_one_lead(
    weights: dict[str, int], history: list[tuple[str, object]]
) -> None:
    pool, ledger = make_pool(weights), Ledger(pool_id="p")
    for kind, what in history:
        if kind == "pool":
            pool = make_pool(what)  # type: ignore[arg-type]
        elif kind == "lead":
            choice = choose("p", pool, ledger, eligible(what))  # type: ignore[arg-type]
            if choice is not None:
                assert sum(choice.accruals.values()) == LEAD
                assert min(choice.accruals.values()) >= 0
                ledger = choice.ledger
        elif ledger.accounts.get(str(what), Account()).received:
            ledger = give_back(ledger, str(what))
        check_books(ledger)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=7), st.integers(1, 150))
def test_with_constant_members_nothing_is_settled_and_the_bound_is_tighter(
    weights: list[int], leads: int
) -> None:
    members = dict(zip(REPS, weights, strict=False))
    pool, ledger = make_pool(members), Ledger(pool_id="p")
    bound = LEAD - LEAD // (2 * len(members) - 2) + len(members) * leads
    for _ in range(leads):
        ledger = rotate(ledger, pool, members).ledger
        check_books(ledger)
        assert all(abs(account.balance) <= bound for account in ledger.accounts.values())
        assert not any(account.settled for account in ledger.accounts.values())


def test_a_burst_of_a_thousand_leads_is_spread_evenly_over_seven_reps() -> None:
    pool, ledger = make_pool(dict.fromkeys(REPS, 1)), Ledger(pool_id="p")
    for _ in range(1000):
        ledger = rotate(ledger, pool, REPS).ledger
        received = [ledger.accounts[rep].received for rep in REPS]
        assert max(received) - min(received) <= 1


def test_weights_are_kept_over_time() -> None:
    weights = {"ana": 5, "ben": 3, "cem": 2}
    pool, ledger = make_pool(weights), Ledger(pool_id="p")
    for _ in range(100):
        ledger = rotate(ledger, pool, weights).ledger
    assert {key: account.received for key, account in ledger.accounts.items()} == {
        "ana": 50,
        "ben": 30,
        "cem": 20,
    }


def test_heavy_weights_do_not_come_in_bursts() -> None:
    pool, ledger = make_pool({"ana": 5, "ben": 1, "cem": 1}), Ledger(pool_id="p")
    order = []
    for _ in range(7):
        choice = rotate(ledger, pool, ("ana", "ben", "cem"))
        order.append(choice.owner_id)
        ledger = choice.ledger
    assert order.count("ana") == 5
    longest = max(
        len(run) for run in "".join(name[0] for name in order).replace("b", "c").split("c")
    )
    assert longest <= 3


def test_who_comes_back_neither_catches_up_nor_is_behind() -> None:
    pool, ledger = make_pool({"ana": 1, "ben": 1}), Ledger(pool_id="p")
    for _ in range(100):
        ledger = rotate(ledger, pool, ["ben"]).ledger
    taken = []
    for _ in range(10):
        choice = rotate(ledger, pool, ["ana", "ben"])
        taken.append(choice.owner_id)
        ledger = choice.ledger
    assert taken.count("ana") == taken.count("ben") == 5


def test_a_newcomer_starts_even() -> None:
    pool, ledger = make_pool({"ana": 1, "ben": 1}), Ledger(pool_id="p")
    for _ in range(51):
        ledger = rotate(ledger, pool, ["ana", "ben"]).ledger
    pool = make_pool({"ana": 1, "ben": 1, "cem": 1})
    for _ in range(30):
        ledger = rotate(ledger, pool, ["ana", "ben", "cem"]).ledger
    assert 9 <= ledger.accounts["cem"].received <= 11


def test_a_leaver_finds_the_account_again() -> None:
    pool, ledger = make_pool({"ana": 1, "ben": 1, "cem": 1}), Ledger(pool_id="p")
    ledger = rotate(ledger, pool, ["ana", "ben", "cem"]).ledger
    before = ledger.accounts["cem"]
    smaller = make_pool({"ana": 1, "ben": 1})
    for _ in range(10):
        ledger = rotate(ledger, smaller, ["ana", "ben", "cem"]).ledger
    assert ledger.accounts["cem"] == before


@pytest.mark.parametrize("size", [2, 3, 7])
def test_the_place_in_the_list_favours_nobody(size: int) -> None:
    reps = REPS[:size]
    forward, backward = make_pool(dict.fromkeys(reps, 1)), make_pool(dict.fromkeys(reps[::-1], 1))
    firsts = set()
    for number in range(60):
        pool_id = f"pool{number}"
        one, other = Ledger(pool_id=pool_id), Ledger(pool_id=pool_id)
        for turn in range(size):
            choice = choose(pool_id, forward, one, eligible(reps))
            same = choose(pool_id, backward, other, eligible(reps))
            assert choice is not None
            assert same is not None
            assert choice.owner_id == same.owner_id
            one, other = choice.ledger, same.ledger
            if turn == 0:
                firsts.add(choice.owner_id)
    assert firsts == set(reps)


def test_equal_claims_go_to_who_received_less() -> None:
    for favoured, other in (("ana", "ben"), ("ben", "ana")):
        accounts = {
            favoured: Account(received=3, entitled=3 * LEAD),
            other: Account(received=4, entitled=4 * LEAD),
        }
        ledger = Ledger(pool_id="p", accounts=accounts, decided=7)
        choice = rotate(ledger, make_pool({"ana": 1, "ben": 1}), ["ana", "ben"])
        assert choice.owner_id == favoured


def test_what_is_settled_is_shown_on_both_sides() -> None:
    # Three owe nothing; then each time the two that are owed most can take a lead together.
    pool = make_pool({"ana": 1, "ben": 1, "cem": 1, "dea": 1})
    ledger = Ledger(
        pool_id="p",
        decided=2,
        accounts={
            "ana": Account(received=0, entitled=LEAD),
            "ben": Account(received=0, entitled=LEAD),
            "cem": Account(received=1, entitled=0),
            "dea": Account(received=1, entitled=0),
        },
    )
    choice = rotate(ledger, pool, ["ana", "ben"])
    other = "ben" if choice.owner_id == "ana" else "ana"
    check_books(choice.ledger)
    assert choice.ledger.accounts[other].settled == -LEAD // 2
    assert choice.ledger.accounts[choice.owner_id].settled == LEAD // 2
    assert (
        "less than the share by weight"
        in {line.owner_id: line.because for line in statement(choice.ledger)}[other]
    )


def ledger_of(**balances: float) -> Ledger:
    """Make a ledger with these balances, in leads; each owner has received one."""
    accounts = {
        owner_id: Account(received=1, entitled=LEAD + round(balance * LEAD))
        for owner_id, balance in balances.items()
    }
    ledger = Ledger(pool_id="p", accounts=accounts, decided=len(accounts))
    check_books(ledger)
    return ledger


def test_when_all_are_ahead_the_lead_goes_to_who_is_the_least_ahead() -> None:
    pool = make_pool({"ana": 1, "ben": 1, "cem": 1, "dea": 1})
    choice = rotate(ledger_of(ana=-0.9, ben=-0.6, cem=1, dea=0.5), pool, ["ana", "ben"])
    check_books(choice.ledger)
    assert choice.owner_id == "ben"
    assert choice.accruals == {"ana": 400_000, "ben": 600_000}
    assert choice.ledger.accounts["ben"].settled == 100_000


def test_what_one_cannot_be_credited_goes_to_the_others_by_weight() -> None:
    pool = make_pool({"ana": 8, "ben": 8, "cem": 3, "dea": 1, "eva": 1})
    ledger = ledger_of(ana=1, ben=1, cem=-0.5, dea=-0.5, eva=-1)
    choice = rotate(ledger, pool, ["ana", "ben", "cem", "dea"])
    check_books(choice.ledger)
    other = "ben" if choice.owner_id == "ana" else "ana"
    assert choice.accruals[other] == 0
    assert choice.accruals[choice.owner_id] == 666_667
    assert {choice.accruals["cem"], choice.accruals["dea"]} == {250_000, 83_333}


@pytest.mark.parametrize("owed_first", [True, False])
@pytest.mark.parametrize("together", [2, 3, 4])
@pytest.mark.parametrize("weights", [(1, 1, 1, 1, 1, 1, 1), (1, 2, 3, 5, 8, 13, 1000)])
def test_an_adversary_who_picks_who_is_there_cannot_break_the_promise(
    owed_first: bool, together: int, weights: tuple[int, ...]
) -> None:
    pool = make_pool(dict(zip(REPS, weights, strict=True)))
    ledger = Ledger(pool_id="p")
    for number in range(300):
        balances = {rep: ledger.accounts.get(rep, Account()).balance for rep in REPS}
        ranked = sorted(REPS, key=lambda rep: balances[rep], reverse=owed_first or number < 20)
        choice = rotate(ledger, pool, ranked[:together])
        assert sum(choice.accruals.values()) == LEAD
        assert min(choice.accruals.values()) >= 0
        ledger = choice.ledger
        check_books(ledger)


def test_nobody_eligible_means_no_choice() -> None:
    off = {"ana": Verdict(candidate="ana", is_eligible=False, because="switched off")}
    assert choose("p", make_pool({"ana": 1}), Ledger(pool_id="p"), off) is None


def test_who_is_not_eligible_gets_nothing_and_earns_nothing() -> None:
    verdicts = {
        **eligible(["ana"]),
        "ben": Verdict(candidate="ben", is_eligible=False, because="off duty until Mon 09:00 UTC"),
    }
    choice = choose("p", make_pool({"ana": 1, "ben": 9}), Ledger(pool_id="p"), verdicts)
    assert choice is not None
    assert choice.owner_id == "ana"
    assert choice.accruals == {"ana": LEAD}
    assert "ben" not in choice.ledger.accounts
    told = {verdict.candidate: verdict for verdict in choice.verdicts}
    assert not told["ben"].is_eligible
    assert told["ben"].because == "off duty until Mon 09:00 UTC"


def test_a_choice_says_why_in_words() -> None:
    pool, ledger = make_pool({"ana": 1, "ben": 1}), Ledger(pool_id="p")
    first = rotate(ledger, pool, ["ana", "ben"])
    second = rotate(first.ledger, pool, ["ana", "ben"])
    assert second.owner_id != first.owner_id
    assert second.because == (
        f"{second.owner_id} was most due of 2 who could take it: "
        "owed 0.50 of a lead before, and this lead earned 0.50 of one"
    )
    balances = {verdict.candidate: verdict.balance for verdict in second.verdicts}
    assert balances == {second.owner_id: LEAD // 2, first.owner_id: -LEAD // 2}


def test_the_same_ledger_gives_the_same_choice() -> None:
    pool, ledger = make_pool(dict.fromkeys(REPS, 1)), Ledger(pool_id="p")
    for _ in range(20):
        again = Ledger.model_validate_json(ledger.model_dump_json())
        choice = rotate(ledger, pool, REPS)
        assert choice == rotate(again, pool, REPS)
        ledger = choice.ledger


def test_a_lead_given_back_leaves_the_balance_as_it_was() -> None:
    pool = make_pool({"ana": 1, "ben": 1})
    choice = rotate(Ledger(pool_id="p"), pool, ["ana", "ben"])
    before = choice.ledger.accounts[choice.owner_id]
    ledger = give_back(choice.ledger, choice.owner_id)
    after = ledger.accounts[choice.owner_id]
    assert after.balance == before.balance
    assert (after.received, after.returned) == (0, 1)
    assert ledger.version == choice.ledger.version + 1


def test_who_holds_no_lead_cannot_give_one_back() -> None:
    with pytest.raises(ValueError, match="ana holds no lead"):
        give_back(Ledger(pool_id="p"), "ana")


def test_a_statement_can_be_recomputed() -> None:
    pool, ledger = make_pool({"ana": 2, "ben": 1}), Ledger(pool_id="p")
    entitled = {"ana": 0, "ben": 0}
    received = {"ana": 0, "ben": 0}
    for _ in range(10):
        choice = rotate(ledger, pool, ["ana", "ben"])
        ledger = choice.ledger
        received[choice.owner_id] += 1
        for owner_id, accrual in choice.accruals.items():
            entitled[owner_id] += accrual
    lines = {line.owner_id: line for line in statement(ledger)}
    assert {key: line.received for key, line in lines.items()} == received
    assert {key: line.entitled for key, line in lines.items()} == entitled
    assert lines["ana"].because == "received 7, entitled to 6.67: ahead by 0.33 of a lead"
