"""Checks of scoring: rules are about what they can be about, and grades can be reached."""

from collections.abc import Iterator, Mapping
from typing import Literal

from chalicelib.config.check_conditions import ConditionChecks, highest
from chalicelib.config.document import Path, did_you_mean
from chalicelib.config.finding import Found
from chalicelib.config.model import Config
from chalicelib.config.scoring import Group, Scale, ScoreRule, TouchCount
from chalicelib.lead.grades import TOTAL
from chalicelib.lead.scoring import (
    RESERVED_PARTS,
    RESERVED_RULE_IDS,
    is_over_touches,
    parts_of,
)


def check_scoring(config: Config) -> Iterator[Found]:
    """Find rules that cannot count, parts that are not there, and grades nobody can have."""
    scoring = config.scoring
    for name in scoring.parts:
        if name in RESERVED_PARTS:
            yield Found(("scoring", "parts", name), f"{name} is the hub's own; choose another id")
    for name, part in parts_of(scoring).items():
        path: Path = ("scoring", name) if name not in scoring.parts else ("scoring", "parts", name)
        yield from _check_rules(config, path, name, part.rules, part.groups)
    yield from _check_vetoes(config)
    yield from _check_grades(config)


def check_count(config: Config, path: Path, wanted: TouchCount | None) -> Iterator[Found]:
    """Check how many touches a rule asks for."""
    if wanted is not None:
        checks = ConditionChecks(config, "touch", is_score=True)
        yield from checks.check((*path, "touches", "when"), wanted.when)


def _check_rules(
    config: Config,
    path: Path,
    part: str,
    rules: tuple[ScoreRule, ...],
    groups: Mapping[str, Group],
) -> Iterator[Found]:
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        here: Path = (*path, "rules", index)
        if rule.id in RESERVED_RULE_IDS:
            yield Found((*here, "id"), f"{rule.id} is reserved for the hub's own terms")
        if rule.id in seen:
            yield Found((*here, "id"), f"{rule.id} is there twice in {part}")
        seen.add(rule.id)
        is_of_touches = is_over_touches(part, rule)
        scope: Literal["lead", "touch"] = "touch" if is_of_touches else "lead"
        yield from ConditionChecks(config, scope, is_score=True).check((*here, "when"), rule.when)
        yield from check_count(config, here, rule.touches)
        if rule.group and rule.group not in groups:
            near = did_you_mean(rule.group, list(groups))
            yield Found((*here, "group"), f"there is no group {rule.group} in {part}{near}")
        if not is_of_touches:
            yield from _check_for_touches(here, rule)
    used = {rule.group for rule in rules}
    for name in groups:
        if name not in used:
            yield Found((*path, "groups", name), "no rule is in this group", "warning")


def _check_for_touches(path: Path, rule: ScoreRule) -> Iterator[Found]:
    """Find what means nothing for a rule that counts once for the lead."""
    if rule.at_most is not None:
        yield Found((*path, "at_most"), "counts touches: for engagement only", "warning")
    if rule.within_days is not None:
        message = "is about touches; for a lead ask under touches for within_days"
        yield Found((*path, "within_days"), message)


def _check_vetoes(config: Config) -> Iterator[Found]:
    seen: set[str] = set()
    for index, veto in enumerate(config.scoring.vetoes):
        path: Path = ("scoring", "vetoes", index)
        if veto.id in seen:
            yield Found((*path, "id"), f"{veto.id} is there twice")
        seen.add(veto.id)
        yield from ConditionChecks(config, "lead", is_score=True).check((*path, "when"), veto.when)
        yield from check_count(config, path, veto.touches)


def _check_grades(config: Config) -> Iterator[Found]:
    grades = config.scoring.grades
    if grades is None:
        return
    yield from _check_scale(config, ("scoring", "grades", "first"), grades.first)
    if grades.second:
        yield from _check_scale(config, ("scoring", "grades", "second"), grades.second)


def _check_scale(config: Config, path: Path, scale: Scale) -> Iterator[Found]:
    parts = ("fit", "engagement", TOTAL, *config.scoring.parts)
    if scale.part not in parts:
        near = did_you_mean(scale.part, parts)
        yield Found((*path, "part"), f"there is no part {scale.part}{near}")
        return
    known = highest(config)
    most = known["score" if scale.part == TOTAL else _field(config, scale.part)]
    for name, bound in scale.from_.items():
        if bound > most:
            message = f"{scale.part} never reaches {bound}: by its rules and caps it is at most"
            yield Found((*path, "from", name), f"{message} {most}", "warning")


def _field(config: Config, part: str) -> str:
    return f"parts.{part}" if part in config.scoring.parts else part
