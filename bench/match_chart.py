"""Draws the results of `bench/matching.py`: F1 as bars, precision and recall beside, as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

COLOURS = ("#1f6feb", "#8c959f", "#bf8700", "#9a6700", "#cf7b3c", "#8250df")
"""Ours first, then the others as they come."""
LABEL, BARS, DOTS, GAP, RIGHT = 200, 330, 240, 44, 20
ROW, HEAD, BETWEEN, TOP = 17, 24, 12, 64
LEAST = 0.5
"""Where the scale of precision and recall begins; what is less is drawn at its edge."""
STYLE = """
text { font: 12px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #24292f }
.head { font-weight: 600 } .small { font-size: 11px; fill: #57606a }
.grid { stroke: #d0d7de; stroke-width: 1 } .back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #3d444d } .back { fill: #0d1117 }
}
"""


def chart(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw clusters that may merge, by set; rows are as `bench/matching.py --save` keeps them."""
    drawn = [row for row in rows if row["merge"]]
    matchers = list(dict.fromkeys(row["matcher"] for row in drawn))
    colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(matchers)}
    sets = list(dict.fromkeys(row["set"] for row in drawn))
    height = TOP + len(sets) * (HEAD + BETWEEN) + len(drawn) * ROW + 20
    width = LABEL + BARS + GAP + DOTS + RIGHT
    body = [*_scale(LABEL, BARS, height, 0, "F1 of pairs; line: best threshold in hindsight")]
    body += _scale(LABEL + BARS + GAP, DOTS, height, LEAST, "precision (filled) and recall (ring)")
    y = TOP
    for name in sets:
        body.append(f'<text class="head" x="12" y="{y + 16}">{escape(name)}</text>')
        y += HEAD
        for row in drawn:
            if row["set"] == name:
                body += _row(row, y, colour[row["matcher"]])
                y += ROW
        y += BETWEEN
    label = "F1, precision and recall of matching by data set and matcher"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" role="img" aria-label="{label}">\n<style>{STYLE}</style>\n'
        f'<rect class="back" width="{width}" height="{height}"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _scale(x: int, width: int, height: int, least: float, title: str) -> Iterator[str]:
    yield f'<text class="head" x="{x}" y="22">{title}</text>'
    for step in range(6):
        value = least + step * (1 - least) / 5
        at = x + _along(value, width, least)
        yield f'<line class="grid" x1="{at:.1f}" y1="46" x2="{at:.1f}" y2="{height - 12}"/>'
        yield f'<text class="small" text-anchor="middle" x="{at:.1f}" y="40">{value:.1f}</text>'


def _row(row: Mapping[str, Any], y: int, colour: str) -> Iterator[str]:
    precision, recall, f1 = row["merge"]
    middle = y + ROW / 2
    is_ours = ' class="head"' if colour == COLOURS[0] else ' class="small"'
    yield f'<text{is_ours} x="24" y="{middle + 4:.1f}">{escape(row["matcher"])}</text>'
    long = max(_along(f1, BARS, 0), 1)
    yield f'<rect x="{LABEL}" y="{y + 2}" width="{long:.1f}" height="{ROW - 4}" fill="{colour}"/>'
    end = long
    if row["best"]:
        best = _along(row["best"][1], BARS, 0)
        end = max(long, best)
        yield (
            f'<path d="M{LABEL + long:.1f} {middle}H{LABEL + best:.1f}M{LABEL + best:.1f} {y + 2}'
            f'v{ROW - 4}" stroke="{colour}" stroke-width="2"/>'
        )
    yield f'<text class="small" x="{LABEL + end + 5:.1f}" y="{middle + 4:.1f}">{f1:.3f}</text>'
    left = LABEL + BARS + GAP
    p, r = left + _along(precision, DOTS, LEAST), left + _along(recall, DOTS, LEAST)
    yield (
        f'<line x1="{p:.1f}" y1="{middle}" x2="{r:.1f}" y2="{middle}" stroke="{colour}" '
        'stroke-width="2" opacity="0.4"/>'
    )
    yield f'<circle cx="{p:.1f}" cy="{middle}" r="4" fill="{colour}"/>'
    yield (
        f'<circle cx="{r:.1f}" cy="{middle}" r="4" class="back" stroke="{colour}" '
        'stroke-width="2"/>'
    )


def _along(value: float, width: int, least: float) -> float:
    return max(0.0, (value - least) / (1 - least)) * width
