"""Draws the results of `bench/scoring.py` as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import log2
from typing import Any

from bench.match_chart import COLOURS, STYLE

LABEL, BARS, GAP, DOTS, RIGHT, ROW, HEAD, BETWEEN, TOP = 200, 330, 60, 240, 60, 17, 24, 12, 64
LEAST, MOST_ERROR = 0.5, 0.2
PANEL, TALL, MARGIN = 300, 240, 50

Results = Sequence[Mapping[str, Any]]


def chart(rows: Results) -> str:
    """Draw area and calibration error, by set and how it was measured."""
    colour = _colours(rows)
    groups = list(dict.fromkeys((row["set"], row["how"]) for row in rows))
    height = TOP + len(groups) * (HEAD + BETWEEN) + len(rows) * ROW + 10
    width = LABEL + BARS + GAP + DOTS + RIGHT
    body = [*_scale(LABEL, BARS, height, LEAST, 1.0, "area under the curve; line: the folds")]
    body += _scale(
        LABEL + BARS + GAP, DOTS, height, 0, MOST_ERROR, "calibration error, less is better"
    )
    y = TOP
    for name, how in groups:
        said = name if how == "five-fold" else f"{name}, {how}"
        body.append(f'<text class="head" x="12" y="{y + 16}">{escape(said)}</text>')
        y += HEAD
        for row in rows:
            if (row["set"], row["how"]) == (name, how):
                body += _row(row, y, colour[row["who"]])
                y += ROW
        y += BETWEEN
    return _svg(width, height, "Area under the curve and calibration error by set", body)


def curve_chart(few: Results) -> str:
    """Draw the area by how many won leads were learnt from; a panel for each set."""
    colour = _colours(few)
    sets = list(dict.fromkeys(one["set"] for one in few))
    amounts = sorted({one["won"] for one in few})
    low, high = log2(amounts[0]), log2(amounts[-1])
    body: list[str] = []
    for n, name in enumerate(sets):
        left = MARGIN + n * (PANEL + MARGIN)
        body.append(f'<text class="head" x="{left}" y="22">{escape(name)}</text>')
        for k in range(6):
            y = _up(0.5 + k / 10)
            body.append(f'<line class="grid" x1="{left}" x2="{left + PANEL}" y1="{y}" y2="{y}"/>')
            body.append(f'<text class="small" text-anchor="end" x="{left - 6}" y="{y + 4}">'
                        f"{0.5 + k / 10:.1f}</text>")  # fmt: skip
        for won in amounts:
            x = left + (log2(won) - low) / (high - low) * PANEL
            body.append(f'<text class="small" text-anchor="middle" x="{x:.1f}" y="{TALL + 58}">'
                        f"{won}</text>")  # fmt: skip
        for who, shade in colour.items():
            points = [
                (left + (log2(one["won"]) - low) / (high - low) * PANEL, one)
                for one in few
                if one["set"] == name and one["who"] == who
            ]
            line = " ".join(f"{x:.1f},{_up(one['auc']):.1f}" for x, one in points)
            wide = 3 if shade == COLOURS[0] else 1.6
            body.append(f'<polyline fill="none" stroke="{shade}" stroke-width="{wide}" '
                        f'points="{line}"/>')  # fmt: skip
            body += [
                f'<circle cx="{x:.1f}" cy="{_up(one["auc"]):.1f}" r="{wide + 0.5}" fill="{shade}">'
                f"<title>{escape(who)}, {one['won']} won: {one['auc']:.3f}</title></circle>"
                for x, one in points
            ]
    x = MARGIN
    for who, shade in colour.items():
        body.append(f'<rect x="{x}" y="{TALL + 76}" width="14" height="4" fill="{shade}"/>')
        body.append(f'<text x="{x + 20}" y="{TALL + 83}">{escape(who)}</text>')
        x += 50 + 7 * len(who)
    width = max(MARGIN + len(sets) * (PANEL + MARGIN), x)
    label = "Area under the curve by how many leads that were won were learnt from"
    return _svg(width, TALL + 96, label, body)


def _colours(rows: Results) -> dict[str, str]:
    names = list(dict.fromkeys(row["who"] for row in rows))
    return {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(names)}


def _up(area: float) -> float:
    return TALL + 40 - max(0.0, area - 0.5) * 2 * TALL


def _svg(width: int, height: int, label: str, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" role="img" aria-label="{label}">\n<style>{STYLE}</style>\n'
        f'<rect class="back" width="{width}" height="{height}"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _scale(x: int, width: int, height: int, least: float, most: float, title: str) -> Iterator[str]:
    yield f'<text class="head" x="{x}" y="22">{title}</text>'
    for step in range(6):
        value = least + step * (most - least) / 5
        at = x + step * width / 5
        yield f'<line class="grid" x1="{at:.1f}" y1="46" x2="{at:.1f}" y2="{height - 6}"/>'
        yield f'<text class="small" text-anchor="middle" x="{at:.1f}" y="40">{value:.2g}</text>'


def _row(row: Mapping[str, Any], y: int, colour: str) -> Iterator[str]:
    middle = y + ROW / 2
    name = "head" if colour == COLOURS[0] else "small"
    yield f'<text class="{name}" x="24" y="{middle + 4:.1f}">{escape(row["who"])}</text>'
    long, low, high = (max((row[k] - LEAST) * 2 * BARS, 1) for k in ("auc", "least", "most"))
    yield f'<rect x="{LABEL}" y="{y + 2}" width="{long:.1f}" height="{ROW - 4}" fill="{colour}"/>'
    yield (
        f'<path d="M{LABEL + low:.1f} {middle}H{LABEL + high:.1f}" stroke="#1f2328" '
        'stroke-width="1.5" opacity="0.6"/>'
    )
    said = f"{row['auc']:.3f}"
    yield f'<text class="small" x="{LABEL + high + 5:.1f}" y="{middle + 4:.1f}">{said}</text>'
    left = LABEL + BARS + GAP
    wide = min(row["error"] / MOST_ERROR, 1.0) * DOTS
    yield f'<rect x="{left}" y="{y + 2}" width="{wide:.1f}" height="{ROW - 4}" fill="{colour}"/>'
    error = f"{row['error']:.3f}"
    yield f'<text class="small" x="{left + wide + 5:.1f}" y="{middle + 4:.1f}">{error}</text>'
