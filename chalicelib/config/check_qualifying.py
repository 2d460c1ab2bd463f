"""Checks of qualifying: triage rules are reached, and stages can be entered."""

from collections.abc import Iterator

from chalicelib.config.check_conditions import ConditionChecks
from chalicelib.config.check_scoring import check_count
from chalicelib.config.conditions import always_holds, implies
from chalicelib.config.document import Path, did_you_mean
from chalicelib.config.finding import Found
from chalicelib.config.model import Config
from chalicelib.config.qualifying import TriageRule


def check_qualifying(config: Config) -> Iterator[Found]:
    """Find rules that no lead reaches, and stages that are named and are not there."""
    yield from _check_triage(config)
    yield from _check_stages(config)
    order = config.qualifying.order
    for index, rule in enumerate(config.retention):
        for place, stage in enumerate(rule.stages):
            if stage not in order:
                near = did_you_mean(stage, order)
                here: Path = ("retention", index, "stages", place)
                yield Found(here, f"there is no stage {stage}{near}")


def _check_triage(config: Config) -> Iterator[Found]:
    rules = config.qualifying.triage
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        path: Path = ("qualifying", "triage", index)
        if rule.id in seen:
            yield Found((*path, "id"), f"{rule.id} is there twice")
        seen.add(rule.id)
        yield from ConditionChecks(config, "lead", is_score=False).check((*path, "when"), rule.when)
        yield from check_count(config, path, rule.touches)
        if rule.reason and rule.does != "refuse":
            yield Found((*path, "reason"), "is for rules that refuse", "warning")
        earlier = next((one for one in rules[:index] if _takes_all(one, rule)), None)
        if earlier:
            message = f"the rule {earlier.id} stands before it and takes all its leads"
            yield Found(path, message, "warning")
        if rule.does == "refuse" and rule.touches is None and always_holds(rule.when):
            message = "refuses every lead that no earlier rule takes"
            yield Found(path, message, "warning")


def _takes_all(earlier: TriageRule, later: TriageRule) -> bool:
    is_free = earlier.touches is None or earlier.touches == later.touches
    return is_free and implies(later.when, earlier.when)


def _check_stages(config: Config) -> Iterator[Found]:
    stages = config.qualifying.stages
    names = [stage.id for stage in stages]
    for index, stage in enumerate(stages):
        path: Path = ("qualifying", "stages", index)
        if stage.id in names[:index]:
            yield Found((*path, "id"), f"{stage.id} is there twice")
        for place, name in enumerate(stage.from_ or ()):
            here = (*path, "from", place)
            if name not in names:
                yield Found(here, f"there is no stage {name}{did_you_mean(name, names)}")
            elif name == stage.id:
                yield Found(here, "a lead does not come from where it goes to")
        if stage.enter is None:
            if stage.by == "hub":
                yield Found(path, "only the hub may enter it, and it has no enter", "warning")
            continue
        if stage.by == "person":
            yield Found(
                (*path, "enter"), "means nothing where only a person moves leads", "warning"
            )
        if index == 0 and stage.from_ is None:
            yield Found((*path, "enter"), "every lead begins here", "warning")
        checks = ConditionChecks(config, "lead", is_score=False)
        yield from checks.check((*path, "enter", "when"), stage.enter.when)
        yield from check_count(config, (*path, "enter"), stage.enter.touches)
