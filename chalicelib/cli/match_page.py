"""The report of matching as a page of its own, with its pictures inside."""

from collections.abc import Sequence
from typing import Any

from chalicelib.flow.match_report import Bar, Point, Report

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 250, 42, 20, 24, 28
"""Of a picture, in its own units, and its margins."""


def render(report: Report) -> str:
    """Make the page; it needs nothing beside itself and is dark where the reader wants it so."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("chalicelib.cli", "."), autoescape=True, trim_blocks=True
    )
    limits = {name: _x(share) for name, share in report.limits.items()}
    return environment.get_template("match_report.html").render(
        report=report,
        expected=curves(report.expected),
        measured=curves(report.measured),
        columns=columns(report.bars),
        sizes=_sizes(report),
        limits=limits,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        floor=HEIGHT - BOTTOM,
        ticks=[(share, _x(share)) for share in (0, 0.2, 0.4, 0.6, 0.8, 1)],
        steps=[(share, _y(share)) for share in (0, 0.25, 0.5, 0.75, 1)],
    )


def curves(points: Sequence[Point]) -> dict[str, str]:
    """Give the lines of precision and recall as points of a picture."""
    return {
        name: " ".join(f"{_x(p.threshold):.1f},{_y(getattr(p, name)):.1f}" for p in points)
        for name in ("precision", "recall")
    }


def columns(bars: Sequence[Bar]) -> list[dict[str, Any]]:
    """Give the columns of the histogram; their height goes by the root, so that few show too."""
    most = max((one.pairs for one in bars), default=0) or 1
    wide = (WIDTH - LEFT - RIGHT) / max(len(bars), 1)
    made = []
    for place, one in enumerate(bars):
        high = (HEIGHT - BOTTOM) * (one.pairs / most) ** 0.5
        made.append(
            {
                "x": round(LEFT + place * wide, 1),
                "y": round(HEIGHT - BOTTOM - high, 1),
                "width": round(wide * 0.85, 1),
                "height": round(high, 1),
                "bits": one.bits,
                "pairs": one.pairs,
                "is_for": one.bits >= 0,
                "label": one.bits if one.bits % 10 == 0 else "",
            }
        )
    return made


def _sizes(report: Report) -> list[tuple[str, int]]:
    """Group blocks by how full they are."""
    groups = {"1": 0, "2 to 5": 0, "6 to 15": 0, "16 and more": 0}
    for size, count in report.blocks.records.items():
        name = "1" if size <= 1 else "2 to 5" if size <= 5 else "6 to 15" if size <= 15 else ""
        groups[name or "16 and more"] += count
    return list(groups.items())


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return (HEIGHT - BOTTOM) - share * (HEIGHT - BOTTOM - TOP)
