"""How well chances do against what came: order, truth, and what they are worth."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import log

from pydantic import Field

from chalicelib.lead.model import Model

PARTS = 10


class Bin(Model):
    """Leads of about the same chance."""

    said: float = Field(description="mean chance that they were given")
    came: float = Field(description="which part of them was won")
    leads: int


class Step(Model):
    """What comes of working on the best leads only."""

    worked: float = Field(description="which part of all leads, the best first")
    won: float = Field(description="which part of all that are won is among them")


class Measured(Model):
    """What chances came to on leads that they were not learnt from."""

    leads: int
    won: int
    auc: float = Field(description="how often one that is won stands before one that is lost")
    log_loss: float
    brier: float = Field(description="mean squared error of the chances")
    error: float = Field(description="expected calibration error, in ten parts of equal width")
    bins: tuple[Bin, ...] = Field(description="ten parts of as many leads, from the least chance")
    lift: tuple[Step, ...]
    roc: tuple[tuple[float, float], ...] = Field(
        description="part of the lost, part of the won that reach a chance, from the highest down"
    )


def measure(chances: Sequence[float], outcomes: Sequence[int]) -> Measured:
    """Measure chances against outcomes.

    Args:
        chances: between 0 and 1, neither included.
        outcomes: 1 or 0 of the same leads.
    """
    pairs = sorted(zip(chances, outcomes, strict=True), key=lambda one: one[0])
    n = len(pairs)
    return Measured(
        leads=n,
        won=sum(outcomes),
        auc=area_under(chances, outcomes),
        log_loss=-sum(log(c if y else 1 - c) for c, y in pairs) / max(n, 1),
        brier=sum((c - y) ** 2 for c, y in pairs) / max(n, 1),
        error=calibration_error(chances, outcomes),
        bins=tuple(
            Bin(
                said=sum(c for c, _ in part) / len(part),
                came=sum(y for _, y in part) / len(part),
                leads=len(part),
            )
            for part in _parts(pairs)
        ),
        lift=tuple(_lift(pairs)),
        roc=tuple(_roc(pairs)),
    )


def area_under(chances: Sequence[float], outcomes: Sequence[int]) -> float:
    """Give the area under the curve: 0.5 is chance, 1 a perfect order; ties count half."""
    won = sum(outcomes)
    lost = len(outcomes) - won
    if not won or not lost:
        return 0.5
    below, area = 0, 0.0
    ordered = sorted(zip(chances, outcomes, strict=True))
    for _, group in groupby(ordered, key=lambda one: one[0]):
        came = [y for _, y in group]
        ups = sum(came)
        downs = len(came) - ups
        area += ups * (below + downs / 2)
        below += downs
    return area / (won * lost)


def calibration_error(chances: Sequence[float], outcomes: Sequence[int]) -> float:
    """Give how far chances are from what came, on average over ten parts of equal width."""
    sums = [[0.0, 0.0] for _ in range(PARTS)]
    for chance, outcome in zip(chances, outcomes, strict=True):
        part = sums[min(int(chance * PARTS), PARTS - 1)]
        part[0] += chance
        part[1] += outcome
    return sum(abs(said - came) for said, came in sums) / max(len(outcomes), 1)


def _parts(pairs: Sequence[tuple[float, int]]) -> list[Sequence[tuple[float, int]]]:
    cuts = [round(k * len(pairs) / PARTS) for k in range(PARTS + 1)]
    return [pairs[a:b] for a, b in pairwise(cuts) if b > a]


def _lift(pairs: Sequence[tuple[float, int]]) -> list[Step]:
    won = sum(y for _, y in pairs)
    steps = [Step(worked=0.0, won=0.0)]
    found, at = 0, 0
    best_first = pairs[::-1]
    for k in range(1, 21):
        until = round(k * len(pairs) / 20)
        found += sum(y for _, y in best_first[at:until])
        at = until
        steps.append(Step(worked=k / 20, won=found / won if won else 0.0))
    return steps


def _roc(pairs: Sequence[tuple[float, int]]) -> list[tuple[float, float]]:
    won = sum(y for _, y in pairs) or 1
    lost = sum(1 - y for _, y in pairs) or 1
    ups = downs = 0
    line = [(0.0, 0.0)]
    for _, group in groupby(pairs[::-1], key=lambda one: one[0]):
        for _, outcome in group:
            ups += outcome
            downs += 1 - outcome
        at = (downs / lost, ups / won)
        if at[0] - line[-1][0] + at[1] - line[-1][1] > 0.01:
            line.append(at)
    return [*line, (1.0, 1.0)]
