"""Grades: a letter from one part of a score and one from another, as A1 or D4."""

from collections.abc import Mapping

from chalicelib.config.scoring import Grades, Scale

TOTAL = "total"
"""Stands for the whole score where a part may be named."""


def grade(points: Mapping[str, int], grades: Grades | None, limit: int | None = None) -> str:
    """Name how much the parts came to; empty without grades.

    Args:
        points: by part, and of the total.
        limit: what a veto left of the score; no part counts for more.
    """
    if grades is None:
        return ""
    scales = [grades.first, *([grades.second] if grades.second else [])]
    return "".join(_name(scale, _reached(points.get(scale.part, 0), limit)) for scale in scales)


def possible_grades(grades: Grades | None) -> tuple[str, ...]:
    """Give all grades that there are, the best first."""
    if grades is None:
        return ()
    first = _names(grades.first)
    second = _names(grades.second) if grades.second else [""]
    return tuple(one + other for one in first for other in second)


def _reached(points: int, limit: int | None) -> int:
    return points if limit is None else min(points, limit)


def _name(scale: Scale, points: int) -> str:
    """Give the name with the highest bound that is reached; the least one for what is below all."""
    bounds = scale.from_
    reached = [name for name in _names(scale) if bounds[name] <= points]
    return reached[0] if reached else _names(scale)[-1]


def _names(scale: Scale) -> list[str]:
    return sorted(scale.from_, key=lambda name: -scale.from_[name])
