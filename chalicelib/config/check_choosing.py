"""Checks of what decides who can take a lead, and of how pools choose."""

from collections.abc import Iterator

from chalicelib.config.check_conditions import ConditionChecks
from chalicelib.config.document import Path
from chalicelib.config.finding import Found, check_reference
from chalicelib.config.model import Config
from chalicelib.days_off import public_holidays

ANY_YEAR = 2026


def check_choosing(config: Config) -> Iterator[Found]:
    """Find names that name nothing, and settings that do nothing or shut everybody out."""
    yield from _check_owners(config)
    yield from _check_skills(config)
    yield from _check_territories(config)
    yield from _check_pools(config)
    yield from _check_accounts(config)


def _check_owners(config: Config) -> Iterator[Found]:
    skills = {skill.id: skill for skill in config.skills}
    for owner_id, owner in config.owners.items():
        path: Path = ("owners", owner_id)
        for index, name in enumerate(owner.skills):
            yield from check_reference((*path, "skills", index), name, skills, "skill")
        for index, name in enumerate(owner.territories):
            here = (*path, "territories", index)
            yield from check_reference(here, name, config.territories, "territory")
        for index, absence in enumerate(owner.absences):
            here = (*path, "absences", index, "cover")
            if absence.cover == owner_id:
                yield Found(here, "nobody stands in for themselves")
            elif absence.cover:
                yield from check_reference(here, absence.cover, config.owners, "owner")
        if owner.country and not public_holidays(owner.country, ANY_YEAR):
            message = f"no public holidays are known of {owner.country}"
            yield Found((*path, "country"), message, "warning")


def _check_skills(config: Config) -> Iterator[Found]:
    seen: set[str] = set()
    for index, skill in enumerate(config.skills):
        path: Path = ("skills", index)
        if skill.id in seen:
            yield Found((*path, "id"), f"{skill.id} is there twice")
        seen.add(skill.id)
        yield from ConditionChecks(config, "lead", is_score=False).check(
            (*path, "when"), skill.when
        )
        if not any(skill.id in owner.skills for owner in config.owners.values()):
            message = "no owner has this skill, so leads that ask for it find nobody"
            yield Found(path, message, example="any lead that its condition fits")


def _check_territories(config: Config) -> Iterator[Found]:
    used = {name for owner in config.owners.values() for name in owner.territories}
    for name, territory in config.territories.items():
        path: Path = ("territories", name)
        for index, area in enumerate(territory.areas):
            for place, postal in enumerate(area.postal):
                low, is_range, high = postal.replace(" ", "").upper().partition("..")
                if is_range and high[: len(low)] < low[: len(high)]:
                    here = (*path, "areas", index, "postal", place)
                    yield Found(here, f"{postal} ends before it begins")
        if not territory.areas and not territory.unknown:
            yield Found(path, "has no area, so no lead lies in it", "warning")
        if name not in used:
            yield Found(path, "no owner has this territory", "warning")


def _check_pools(config: Config) -> Iterator[Found]:
    for pool_id, pool in config.pools.items():
        path: Path = ("pools", pool_id)
        if pool.levels and pool.strategy != "experience":
            yield Found((*path, "levels"), "means something for experience only", "warning")
        if pool.strategy == "experience" and not pool.levels:
            yield Found(path, "levels is missing: which seniority a score asks for")
        for index, level in enumerate(pool.levels):
            if level.most < level.least:
                message = f"most, {level.most}, is below least, {level.least}"
                yield Found((*path, "levels", index), message)


def _check_accounts(config: Config) -> Iterator[Found]:
    holders: dict[str, str] = {}
    for name, account in config.accounts.named.items():
        path: Path = ("accounts", "named", name)
        yield from check_reference((*path, "owner"), account.owner, config.owners, "owner")
        for index, domain in enumerate(account.domains):
            if domain in holders:
                message = f"{domain} is of the account {holders[domain]} already"
                yield Found((*path, "domains", index), message)
            holders[domain] = name
