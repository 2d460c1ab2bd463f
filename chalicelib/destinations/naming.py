"""How a person is called in a notification, from what is known of the name."""

from collections.abc import Mapping

from chalicelib.destinations.excerpt import one_line

LONGEST_NAME = 80


def full_name(profile: Mapping[str, str]) -> str:
    """Give the whole name; empty when nothing of it is known."""
    parts = f"{profile.get('first_name', '')} {profile.get('last_name', '')}"
    return one_line(profile.get("full_name", "") or parts, LONGEST_NAME)


def first_name(profile: Mapping[str, str], most: int) -> str:
    """Give the first name, or the first word of the name; empty when it is not known."""
    given = profile.get("first_name", "") or full_name(profile).partition(" ")[0]
    return one_line(given, most)


def short_name(profile: Mapping[str, str], most: int) -> str:
    """Give the first name and the initial of the last: Maren O."""
    first = first_name(profile, most)
    words = full_name(profile).split(" ")
    last = one_line(profile.get("last_name", ""), LONGEST_NAME) or words[-1]
    if not last or last == first:
        return first
    return f"{first} {last[0]}.".strip()
