"""Checks of how long things are kept: what a rule names is there, and it can ever fit."""

from collections.abc import Iterator

from chalicelib.config.document import Path
from chalicelib.config.finding import Found, check_reference
from chalicelib.config.model import Config, Retention

OPEN_STATUSES = ("qualified",)
OPEN_STAGES = ("opportunity", "customer")
"""Where a deal is open or done: such a lead is kept unless a rule names its status or stage."""


def check_retention(config: Config) -> Iterator[Found]:
    """Find rules that name what is not there, and such as can never take anything away."""
    seen: set[str] = set()
    for index, rule in enumerate(config.retention):
        path: Path = ("retention", index)
        if rule.id in seen:
            yield Found((*path, "id"), f"{rule.id} is there twice")
        seen.add(rule.id)
        for place, name in enumerate(rule.sources):
            here = (*path, "sources", place)
            yield from check_reference(here, name, config.sources, "source")
        yield from _check_work(path, rule)
        for other in config.retention[:index]:
            if _covers(other, rule):
                message = f"{other.id} takes all of this away earlier, or at the same time"
                yield Found(path, message, "warning")
                break


def _check_work(path: Path, rule: Retention) -> Iterator[Found]:
    """Find statuses and stages where they mean nothing."""
    for name in ("statuses", "stages"):
        if getattr(rule, name) and rule.what != "leads":
            yield Found((*path, name), f"means nothing for {rule.what}: for leads only")


def _covers(other: Retention, rule: Retention) -> bool:
    """Say whether another rule takes away at least what this one does, and no later."""
    return (
        other.what == rule.what
        and other.days <= rule.days
        and _is_wider(other.sources, rule.sources)
        and other.statuses == rule.statuses
        and other.stages == rule.stages
    )


def _is_wider(those: tuple[str, ...], these: tuple[str, ...]) -> bool:
    return not those or (bool(these) and {*these} <= {*those})
