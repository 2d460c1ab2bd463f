"""Checks of the clock: what it names is there, somebody hears it, and each policy is reached."""

from collections.abc import Iterator

from chalicelib.config.check_conditions import ConditionChecks
from chalicelib.config.conditions import implies, never_holds
from chalicelib.config.document import Path
from chalicelib.config.finding import Found, check_reference
from chalicelib.config.model import Config
from chalicelib.config.sla import SlaPolicy, SlaPromise, SlaStep


def check_sla(config: Config) -> Iterator[Found]:
    """Find what would make a clock tell nobody, or never strike."""
    yield from _check_managers(config)
    seen: set[str] = set()
    for index, policy in enumerate(config.sla.policies):
        path: Path = ("sla", "policies", index)
        if policy.id in seen:
            yield Found((*path, "id"), f"{policy.id} is there twice")
        seen.add(policy.id)
        checks = ConditionChecks(config, "lead", is_score=False)
        yield from checks.check((*path, "when"), policy.when)
        yield from _check_reached(config, index, path)
        yield from _check_promises(config, policy, path)
    if config.sla.policies and config.sla.silent_after and not _can_miss(config):
        message = "silent_after means nothing: no policy has a step after the time to accept"
        yield Found(("sla", "silent_after"), message, "warning")


def _check_managers(config: Config) -> Iterator[Found]:
    for owner_id, owner in config.owners.items():
        path: Path = ("owners", owner_id, "manager")
        if owner.manager:
            yield from check_reference(path, owner.manager, config.owners, "owner")
        if owner.manager == owner_id:
            yield Found(path, "is told of what they themselves do not do", "warning")


def _check_reached(config: Config, index: int, path: Path) -> Iterator[Found]:
    """Find a policy that no lead goes by."""
    policy = config.sla.policies[index]
    if never_holds(policy.when):
        yield Found((*path, "when"), "no lead ever fits", "warning")
        return
    for earlier in config.sla.policies[:index]:
        if implies(policy.when, earlier.when):
            message = f"the policy {earlier.id} stands before it and takes all its leads"
            yield Found((*path, "when"), message)
            return


def _check_promises(config: Config, policy: SlaPolicy, path: Path) -> Iterator[Found]:
    known = {kind: getattr(policy, kind) for kind in ("accept", "touch", "step")}
    if not any(known.values()):
        yield Found(path, "promises nothing: it has neither accept, touch nor step", "warning")
    for kind, promise in known.items():
        if promise is not None:
            yield from _check_ladder(config, promise, (*path, kind))


def _check_ladder(config: Config, promise: SlaPromise, path: Path) -> Iterator[Found]:
    for place, step in enumerate(promise.steps):
        yield from _check_step(config, step, (*path, "steps", place))
        is_last = place == len(promise.steps) - 1
        if step.do == "reassign" and step.unless is None and not is_last:
            message = "is never taken: the lead has been taken back before"
            yield Found((*path, "steps", place + 1), message)
            return


def _check_step(config: Config, step: SlaStep, path: Path) -> Iterator[Found]:
    for place, name in enumerate(step.notify):
        here = (*path, "notify", place)
        yield from check_reference(here, name, config.destinations, "destination")
    if step.unless is not None:
        checks = ConditionChecks(config, "lead", is_score=False)
        yield from checks.check((*path, "unless"), step.unless)
        if never_holds(step.unless):
            yield Found((*path, "unless"), "no lead ever fits", "warning")
    if step.do == "alarm" and not (config.settings.alarms or step.notify):
        yield Found(path, "an alarm that nobody hears: settings.alarms names no destination")
    if step.do == "tell" and not step.notify:
        yield Found(path, "tells nobody: notify names no destination")
    if step.to == "manager":
        without = _without_manager(config)
        if without:
            names = ", ".join(without[:5])
            message = f"without a manager, so that the alarms are told instead: {names}"
            yield Found(path, message, "warning")


def _without_manager(config: Config) -> list[str]:
    """Name owners who get leads, have no manager and are nobody's."""
    members = {one.owner for pool in config.pools.values() for one in pool.members}
    managers = {owner.manager for owner in config.owners.values()}
    owners = (
        (one, config.owners[one]) for one in sorted(members - managers) if one in config.owners
    )
    return [one for one, owner in owners if owner.active and not owner.manager]


def _can_miss(config: Config) -> bool:
    ladders = [policy.accept for policy in config.sla.policies if policy.accept]
    return any(step.after >= 0 for ladder in ladders for step in ladder.steps)
