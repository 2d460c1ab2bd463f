"""Rotation: whose turn it is in a pool, by a ledger that nobody can fall out of.

The promise, which every owner can check in the statement: *what you received and what you were
entitled to never differ by more than one lead.*

- Whenever a lead is given out, that one lead of entitlement is shared among those who can take it
  at that moment, by weight. Somebody who is off duty, away or at their daily cap earns nothing
  then, and loses nothing either.
- The lead itself goes to the one whose turn is most due: among those who have earned a good part
  of a lead, the one who would be the first to have waited too long. The rule is R. Tijdeman's (The
  chairman assignment problem, Discrete Mathematics 32, 1980): as long as the same n people can
  take leads, nobody is ever further than 1 - 1/(2n - 2) of a lead from their share.
- When people come and go at the worst moments, no rule at all can keep everybody within one lead
  of such a share: several can be owed a whole lead at once, and there is one lead to give. Then
  the share is limited, not the promise: nobody is credited beyond one lead owed, and who is to
  get a lead is credited enough of it not to be more than one ahead. This changes the others'
  credit by weight, and both sides of it are shown in the statement as settled.
- A newcomer starts even. Who leaves keeps their account and finds it again. A lead that is given
  back is taken off both sides of the account: the turn was used, the lead does not count.
- A lead that goes to somebody out of turn, as one of a company that they answer for, counts on
  both sides of their account and leaves everybody's turn as it was.
- Nobody is favoured by seniority or by their place in the list: equal claims go to whoever
  received less, and then by an order that depends on the pool's and the owners' ids alone. A pool
  may have them drawn by lot instead, and also those who come nearly as soon; the lot follows from
  stored ids, and the chance that each had is kept.

docs/fairness.md has the proofs, and what no rule can promise.
"""

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from pydantic import Field

from chalicelib.lead.model import Model, Verdict

if TYPE_CHECKING:
    from chalicelib.config.model import Pool

LEAD = 1_000_000
"""Entitlement is counted in millionths of a lead, in whole numbers, so that it adds up exactly."""


TIE = LEAD // 1000
"""Claims that differ by no more are equal where a lot is drawn: shares are rounded."""


class Account(Model):
    """What one owner got from a pool, and what their share of its leads was."""

    received: int = Field(default=0, description="leads, without those given back")
    entitled: int = Field(default=0, description="in 1e-6 leads, without those given back")
    settled: int = Field(
        default=0, description="in 1e-6 leads: credited beyond (+) or below (-) the share by weight"
    )
    returned: int = Field(default=0, description="leads given back")
    beside: int = Field(default=0, description="leads got out of turn; they are in received too")

    @property
    def balance(self) -> int:
        """Entitled minus received, in 1e-6 leads; positive when leads are owed to the owner."""
        return self.entitled - self.received * LEAD


class Ledger(Model):
    """The accounts of one pool; the next turn follows from it and from nothing else."""

    pool_id: str
    version: int = Field(default=0, description="plus one for every change")
    accounts: Mapping[str, Account] = Field(default_factory=dict, description="by owner id")
    decided: int = Field(default=0, description="how many leads were given out")


class Choice(Model):
    """Whose turn it was, and the ledger after it."""

    owner_id: str
    ledger: Ledger
    verdicts: tuple[Verdict, ...] = Field(description="one for each member, balances before")
    accruals: Mapping[str, int] = Field(description="entitlement handed out now, in 1e-6 leads")
    chances: Mapping[str, float] = Field(
        default_factory=dict, description="if it was drawn by lot: of each who could have it"
    )
    because: str


class StatementLine(Model):
    """One owner's account, for the owner to read."""

    owner_id: str
    received: int
    returned: int
    entitled: int = Field(description="in 1e-6 leads, as are the next two")
    balance: int
    settled: int
    because: str = Field(description="the account in words")


def choose(
    pool_id: str, pool: "Pool", ledger: Ledger, verdicts: Mapping[str, Verdict], seed: str = ""
) -> Choice | None:
    """Give one lead to the eligible member whose turn is most due, and book it.

    Args:
        ledger: of this pool; `Ledger(pool_id=...)` when it has none yet.
        verdicts: by owner id; a member without one is not eligible.
        seed: decides where the pool draws by lot; of ids that are stored.

    Returns:
        None when nobody is eligible; then nothing is booked.
    """
    weights = _weigh(pool_id, pool, verdicts)
    if not weights:
        return None
    balances = {owner_id: _account(ledger, owner_id).balance for owner_id in weights}
    shares = _apportion(LEAD, weights, ledger.decided)
    due = _by_turn(ledger, weights, balances, shares)
    owner_id, chances = due[0], {}
    if pool.draw is not None:
        among = _near(due, weights, balances, shares, pool.draw)
        owner_id = _draw(among, f"{pool_id}/{ledger.decided}/{seed}")
        chances = {key: round(1 / len(among), 6) for key in sorted(among)}
    accruals = _limit(weights, balances, shares, owner_id, ledger.decided)
    accounts = dict(ledger.accounts)
    for each in weights:
        account = _account(ledger, each)
        accounts[each] = account.model_copy(
            update={
                "received": account.received + (each == owner_id),
                "entitled": account.entitled + accruals[each],
                "settled": account.settled + accruals[each] - shares[each],
            }
        )
    return Choice(
        owner_id=owner_id,
        ledger=Ledger(
            pool_id=ledger.pool_id,
            version=ledger.version + 1,
            accounts=accounts,
            decided=ledger.decided + 1,
        ),
        verdicts=tuple(
            _explain(member.owner, owner_id, ledger, verdicts) for member in pool.members
        ),
        accruals=accruals,
        chances=chances,
        because=_because(owner_id, balances, shares, len(chances)),
    )


def take_beside(ledger: Ledger, owner_id: str) -> Ledger:
    """Book a lead that somebody gets out of turn, on both sides of the account."""
    account = _account(ledger, owner_id)
    account = account.model_copy(
        update={
            "received": account.received + 1,
            "entitled": account.entitled + LEAD,
            "beside": account.beside + 1,
        }
    )
    return Ledger(
        pool_id=ledger.pool_id,
        version=ledger.version + 1,
        accounts={**ledger.accounts, owner_id: account},
        decided=ledger.decided + 1,
    )


def give_back(ledger: Ledger, owner_id: str) -> Ledger:
    """Take a lead that its owner gave back off both sides of the account.

    Raises:
        ValueError: the account holds no lead.
    """
    account = _account(ledger, owner_id)
    if account.received < 1:
        raise ValueError(f"{owner_id} holds no lead of pool {ledger.pool_id}")
    account = account.model_copy(
        update={
            "received": account.received - 1,
            "entitled": account.entitled - LEAD,
            "returned": account.returned + 1,
        }
    )
    return Ledger(
        pool_id=ledger.pool_id,
        version=ledger.version + 1,
        accounts={**ledger.accounts, owner_id: account},
        decided=ledger.decided,
    )


def take_again(ledger: Ledger, owner_id: str) -> Ledger:
    """Put a lead that was given back on both sides of the account again: undoes `give_back`.

    Raises:
        ValueError: nothing was given back.
    """
    account = _account(ledger, owner_id)
    if account.returned < 1:
        raise ValueError(f"{owner_id} gave no lead of pool {ledger.pool_id} back")
    account = account.model_copy(
        update={
            "received": account.received + 1,
            "entitled": account.entitled + LEAD,
            "returned": account.returned - 1,
        }
    )
    return Ledger(
        pool_id=ledger.pool_id,
        version=ledger.version + 1,
        accounts={**ledger.accounts, owner_id: account},
        decided=ledger.decided,
    )


def statement(ledger: Ledger) -> tuple[StatementLine, ...]:
    """Lay out every account of a pool, by owner id."""
    return tuple(
        StatementLine(
            owner_id=owner_id,
            received=account.received,
            returned=account.returned,
            entitled=account.entitled,
            balance=account.balance,
            settled=account.settled,
            because=_account_in_words(account),
        )
        for owner_id, account in sorted(ledger.accounts.items())
    )


def _account(ledger: Ledger, owner_id: str) -> Account:
    return ledger.accounts.get(owner_id, Account())


def _weigh(pool_id: str, pool: "Pool", verdicts: Mapping[str, Verdict]) -> dict[str, int]:
    """Give the weights of the eligible, in an order that nobody can choose."""
    weights = {
        member.owner: member.weight
        for member in pool.members
        if member.owner in verdicts and verdicts[member.owner].is_eligible
    }
    digests = {key: hashlib.sha256(f"{pool_id}/{key}".encode()).digest() for key in weights}
    return {key: weights[key] for key in sorted(weights, key=digests.__getitem__)}


def _apportion(amount: int, weights: Mapping[str, int], turn: int) -> dict[str, int]:
    """Share a whole number out by weight so that it adds up: largest remainders are rounded up.

    Args:
        turn: moves along who is served first where remainders are equal.
    """
    total = sum(weights.values())
    shares = {key: amount * weight // total for key, weight in weights.items()}
    keys = list(weights)
    start = turn % len(keys)
    rotated = keys[start:] + keys[:start]
    by_remainder = sorted(rotated, key=lambda key: amount * weights[key] % total, reverse=True)
    for key in by_remainder[: amount - sum(shares.values())]:
        shares[key] += 1
    return shares


def _by_turn(
    ledger: Ledger,
    weights: Mapping[str, int],
    balances: Mapping[str, int],
    shares: Mapping[str, int],
) -> list[str]:
    """Order those whose turn it may be by Tijdeman's rule: earliest deadline first.

    Who has not earned enough is left out. With n people, enough is 1/(2n - 2) of a lead, and the
    deadline is when somebody's claim would pass one lead less that much.
    """
    if len(weights) == 1:
        return list(weights)
    margin = Fraction(LEAD, 2 * len(weights) - 2)
    claims = {key: balances[key] + shares[key] for key in weights}
    due = [key for key in weights if claims[key] >= margin]
    # After people came or went, there may be nobody with enough: take who is the least ahead.
    due = due or [key for key in weights if claims[key] == max(claims.values())]
    # Of equals, the first in the order of the weights.
    return sorted(
        due,
        key=lambda key: (
            (LEAD - margin - claims[key]) / weights[key],
            _account(ledger, key).received,
        ),
    )


def _near(
    due: list[str],
    weights: Mapping[str, int],
    balances: Mapping[str, int],
    shares: Mapping[str, int],
    draw: float,
) -> list[str]:
    """Name those who are drawn among: who comes first, equals, and who is owed nearly as much.

    Nobody who is ahead is among them unless all are, or the promise could not be kept.
    """
    claims = {key: balances[key] + shares[key] for key in weights}
    first = claims[due[0]]
    least = max(first - max(round(draw * LEAD), TIE), min(first, 0))
    among = [key for key in weights if claims[key] >= least]
    if first < 0 or not draw:
        return [k for k in due if k in among and weights[k] == weights[due[0]]]
    return among


def _draw(among: list[str], seed: str) -> str:
    """Draw one by a lot that anybody can draw again."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])
    return sorted(among)[number % len(among)]


def _limit(
    weights: Mapping[str, int],
    balances: Mapping[str, int],
    shares: dict[str, int],
    chosen: str,
    turn: int,
) -> dict[str, int]:
    """Give the accruals nearest to the shares that keep everybody within one lead.

    The chosen must have earned enough not to come below minus one, and nobody else may come above
    one. To give the chosen all of it would always do, so there is a way.
    """
    least = -balances[chosen]
    if shares[chosen] < least:
        # Then all are ahead, or another would have been chosen; so nobody else is near one.
        others = {key: weight for key, weight in weights.items() if key != chosen}
        return {chosen: least, **_apportion(LEAD - least, others, turn)}
    room = {key: max(LEAD - balances[key], 0) for key in weights if key != chosen}
    full: dict[str, int] = {}
    while over := [key for key in room if key in shares and shares[key] > room[key]]:
        full |= {key: room[key] for key in over}
        rest = {key: weight for key, weight in weights.items() if key not in full}
        shares = _apportion(LEAD - sum(full.values()), rest, turn)
    return {**shares, **full}


def _explain(
    owner_id: str, chosen: str, ledger: Ledger, verdicts: Mapping[str, Verdict]
) -> Verdict:
    balance = _account(ledger, owner_id).balance
    verdict = verdicts.get(owner_id)
    if verdict is None or not verdict.is_eligible:
        because = verdict.because if verdict else "not asked"
        return Verdict(candidate=owner_id, is_eligible=False, because=because, balance=balance)
    turn = "most due" if owner_id == chosen else "comes later"
    because = f"{verdict.because}; {_balance_in_words(balance)}; {turn}"
    return Verdict(candidate=owner_id, is_eligible=True, because=because, balance=balance)


def _because(
    owner_id: str, balances: Mapping[str, int], shares: Mapping[str, int], drawn: int
) -> str:
    if len(balances) == 1:
        return f"{owner_id} was the only one who could take it"
    if drawn > 1:
        return f"{owner_id} was drawn by lot among {drawn} of {len(balances)} who could take it"
    return (
        f"{owner_id} was most due of {len(balances)} who could take it: "
        f"{_balance_in_words(balances[owner_id])} before, "
        f"and this lead earned {_leads(shares[owner_id])} of one"
    )


def _account_in_words(account: Account) -> str:
    words = f"received {account.received}, entitled to {_leads(account.entitled)}"
    words = f"{words}: {_balance_in_words(account.balance)}"
    if account.returned:
        words = f"{words}; {account.returned} given back"
    if account.beside:
        words = f"{words}; {account.beside} out of turn, on both sides"
    if account.settled:
        side = "more" if account.settled > 0 else "less"
        words = f"{words}; credited {_leads(abs(account.settled))} {side} than the share by weight"
    return words


def _balance_in_words(balance: int) -> str:
    if abs(balance) < LEAD // 200:
        return "even"
    side = "owed" if balance > 0 else "ahead by"
    return f"{side} {_leads(abs(balance))} of a lead"


def _leads(amount: int) -> str:
    """Write millionths of a lead as leads, rounded to hundredths for people."""
    return f"{amount / LEAD:.2f}"
