"""The report of a predictive score as a page of its own, with its pictures inside."""

from collections.abc import Iterable
from math import log2
from typing import Any

from chalicelib.lead.predict.card import DOUBLE
from chalicelib.lead.predict.measure import Measured
from chalicelib.lead.predict.report import Report
from chalicelib.lead.predict.words import term_in_words

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 320, 56, 24, 36, 56
"""Of a picture, in its own units, and its margins."""


def render(report: Report, title: str) -> str:
    """Make the page; it needs nothing beside itself and is dark where the reader wants it so."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("chalicelib.cli", "."), autoescape=True, trim_blocks=True
    )
    shown = [
        ("Leads held back at random", "Each lead was held back once and foretold from the others.",
         report.across),
        ("The newest leads, foretold from the older",
         "Learnt from the oldest 70%, measured on the newest 30%: as it is used.", report.newest),
    ]  # fmt: skip
    card = report.card
    return environment.get_template("train_report.html").render(
        title=title,
        card=card,
        double=DOUBLE,
        parts=[(*one[:2], one[2], pictures(one[2])) for one in shown if one[2] is not None],
        terms=[
            (name, [(term_in_words(t), t) for t in terms])
            for name, terms in (
                ("Points", card.terms),
                ("Points at times that were never learnt from",
                 card.elsewhere.terms if card.elsewhere else ()),
            )
            if terms
        ],
        learning=learning(report),
        learnt=report.learning,
        frame={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT,
               "floor": HEIGHT - BOTTOM, "top": TOP},
        ticks=[(share, _x(share), _y(share)) for share in (0, 0.2, 0.4, 0.6, 0.8, 1)],
    )  # fmt: skip


def pictures(found: Measured) -> dict[str, Any]:
    """Give the lines of the pictures as points."""
    most = max([one.said for one in found.bins] + [one.came for one in found.bins] + [0.1])
    scale = next(top for top in (0.1, 0.2, 0.25, 0.5, 1.0) if most <= top)
    share = found.won / found.leads if found.leads else 0.0
    best = [(0.0, 0.0), (share, 1.0), (1.0, 1.0)]
    return {
        "scale": scale,
        "steps": [(k / 5 * scale, _x(k / 5), _y(k / 5)) for k in range(6)],
        "bins": [
            {
                "x": round(_x(one.said / scale), 1),
                "y": round(_y(one.came / scale), 1),
                "said": one.said,
                "came": one.came,
                "leads": one.leads,
            }
            for one in found.bins
        ],
        "calibration": _line((one.said / scale, one.came / scale) for one in found.bins),
        "lift": _line((one.worked, one.won) for one in found.lift),
        "best": _line(best),
        "roc": _line(found.roc),
        "fifth": next((one.won for one in found.lift if one.worked >= 0.199), 0.0),
    }


def learning(report: Report) -> dict[str, Any] | None:
    """Give the learning curve: area by leads that were won, each step twice as many."""
    points = report.learning
    if len(points) < 2:
        return None
    low, high = log2(points[0].won), log2(points[-1].won)

    def across(won: int) -> float:
        return (log2(won) - low) / (high - low)

    def up(area: float) -> float:
        return max(0.0, (area - 0.5) * 2)

    return {
        "line": _line((across(one.won), up(one.auc)) for one in points),
        "dots": [
            {
                "x": round(_x(across(one.won)), 1),
                "y": round(_y(up(one.auc)), 1),
                "low": round(_y(up(one.least)), 1),
                "high": round(_y(up(one.most)), 1),
                "won": one.won,
                "auc": one.auc,
            }
            for one in points
        ],
        "steps": [(0.5 + k / 10, _y(k / 5)) for k in range(6)],
    }


def _line(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_x(a):.1f},{_y(b):.1f}" for a, b in points)


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return (HEIGHT - BOTTOM) - share * (HEIGHT - BOTTOM - TOP)
