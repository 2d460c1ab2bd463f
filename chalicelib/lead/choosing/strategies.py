"""The strategies of a pool: each says who comes into question, or with what weight.

None of them chooses. They leave out some of those who can take a lead, or change the weights for
this one lead; whose turn it is among the rest is then the ledger's to say. So whatever a pool's
strategy, its statements hold: see docs/fairness.md.
"""

from collections.abc import Mapping
from fractions import Fraction

from pydantic import Field

from chalicelib.config.model import Owner, Pool
from chalicelib.lead.choosing.cover import weighed
from chalicelib.lead.model import Model, Verdict

PRIOR_STRENGTH = 20
"""Closed leads that the pool's own rate counts as in everybody's: with few, all are alike."""

PARTS = 10_000
"""Into how many parts the weights of all together are divided."""


class Closed(Model):
    """What became of the leads that somebody closed."""

    won: int = 0
    lost: int = 0


class Known(Model):
    """What strategies go by beside the configuration; kept with a decision."""

    score: int = Field(default=0, description="of the lead")
    loads: Mapping[str, int] = Field(default_factory=dict, description="open leads by owner")
    closed: Mapping[str, Closed] = Field(default_factory=dict, description="by owner")


def narrow(
    pool: Pool, owners: Mapping[str, Owner], verdicts: Mapping[str, Verdict], known: Known
) -> tuple[Pool, dict[str, Verdict]]:
    """Apply a pool's strategy to those who can take a lead.

    Returns:
        The pool with the weights that count for this lead, and the verdicts; of those who are
        eligible at least one still is.
    """
    able = [owner_id for owner_id, verdict in verdicts.items() if verdict.is_eligible]
    told = dict(verdicts)
    if not able:
        return pool, told
    match pool.strategy:
        case "least_loaded":
            return pool, told | _least_loaded(able, owners, verdicts, known)
        case "experience":
            return pool, told | _by_experience(pool, able, owners, verdicts, known)
        case "performance":
            return _by_performance(pool, able, told, known)
    return pool, told


def _least_loaded(
    able: list[str], owners: Mapping[str, Owner], verdicts: Mapping[str, Verdict], known: Known
) -> dict[str, Verdict]:
    """Leave those whose open leads are the smallest part of what is a full load for them."""
    loads = {key: Fraction(known.loads.get(key, 0), owners[key].capacity) for key in able}
    least = min(loads.values())
    told = {}
    for key in able:
        words = f"{known.loads.get(key, 0)} open of {owners[key].capacity}"
        told[key] = (
            _with(verdicts[key], f"has {words}, nobody is less loaded")
            if loads[key] == least
            else _without(verdicts[key], f"has {words}, and others are less loaded")
        )
    return told


def _by_experience(
    pool: Pool,
    able: list[str],
    owners: Mapping[str, Owner],
    verdicts: Mapping[str, Verdict],
    known: Known,
) -> dict[str, Verdict]:
    """Leave those whose seniority is what the lead's score asks for, or comes nearest to it."""
    levels = [level for level in pool.levels if known.score >= level.score]
    if not levels:
        return {}
    level = max(levels, key=lambda each: each.score)
    far = {
        key: max(level.least - owners[key].seniority, 0, owners[key].seniority - level.most)
        for key in able
    }
    nearest = min(far.values())
    span = f"{level.least} to {level.most}" if level.least < level.most else f"{level.least}"
    told = {}
    for key in able:
        words = f"seniority {owners[key].seniority}, score {known.score} asks for {span}"
        told[key] = (
            _with(verdicts[key], words)
            if far[key] == nearest
            else _without(verdicts[key], f"{words}, and others come nearer")
        )
    return told


def _by_performance(
    pool: Pool, able: list[str], verdicts: dict[str, Verdict], known: Known
) -> tuple[Pool, dict[str, Verdict]]:
    """Weigh those who can take the lead by how many of their leads they win.

    Each one's rate is drawn to the rate of all the more the less is known of them, and a part of
    the leads, the pool's floor, is shared by weight alone. So nobody's share is less than the
    floor's part of what it would be without a strategy.
    """
    weights = {member.owner: member.weight for member in pool.members}
    closed = {key: known.closed.get(key, Closed()) for key in able}
    won = sum(each.won for each in closed.values())
    lost = sum(each.lost for each in closed.values())
    usual = Fraction(won + 1, won + lost + 2)
    rates = {
        key: (each.won + PRIOR_STRENGTH * usual) / (each.won + each.lost + PRIOR_STRENGTH)
        for key, each in closed.items()
    }
    even = {key: Fraction(weights[key], sum(weights[each] for each in able)) for key in able}
    whole = sum(even[key] * rates[key] for key in able)
    floor = Fraction(str(pool.floor))
    shares = {key: floor * even[key] + (1 - floor) * even[key] * rates[key] / whole for key in able}
    parts = weights | {key: max(round(PARTS * share), 1) for key, share in shares.items()}
    told = {
        key: _with(
            verdicts[key],
            f"won {closed[key].won} of {closed[key].won + closed[key].lost} closed, "
            f"so {float(shares[key]):.0%} of such leads",
        )
        for key in able
    }
    return weighed(pool, parts), verdicts | told


def _with(verdict: Verdict, words: str) -> Verdict:
    return verdict.model_copy(update={"because": f"{verdict.because}; {words}"})


def _without(verdict: Verdict, words: str) -> Verdict:
    return verdict.model_copy(update={"is_eligible": False, "because": words})
