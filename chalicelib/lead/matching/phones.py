"""Phone numbers: whether two are one, written with or without what goes before."""

from typing import Literal

from rapidfuzz.distance import OSA

PhoneLevel = Literal["same", "slip", "other"]

SHORTEST = 7
"""Digits that a number without its area code has at least."""


def phone_level(a: str, b: str) -> PhoneLevel:
    """Compare digits; what one lacks in front is no difference."""
    one, other = sorted((a.lstrip("0"), b.lstrip("0")), key=lambda text: (len(text), text))
    if one == other or (len(one) >= SHORTEST and other.endswith(one)):
        return "same"
    tail = other[-len(one) :] if len(one) >= SHORTEST and len(other) - len(one) > 1 else other
    return "slip" if OSA.distance(one, tail, score_cutoff=1) <= 1 else "other"
