"""Cover: who gets what somebody who is away would have had."""

from datetime import datetime

from chalicelib.config.model import Config, Member, Pool
from chalicelib.lead.hours import local_day


def cover_of(config: Config, owner_id: str, now: datetime) -> str:
    """Name who stands in for an owner at a time; empty when the owner is there, or nobody does.

    Who stands in may be away as well, with a cover of their own; whom that leads back to covers
    nobody.
    """
    seen = [owner_id]
    while True:
        owner = config.owners.get(seen[-1])
        if owner is None:
            return ""
        today = local_day(owner, config.settings, now)
        away = [one for one in owner.absences if one.first <= today <= one.last]
        if not away:
            return seen[-1] if len(seen) > 1 else ""
        cover = next((one.cover for one in away if one.cover), "")
        if not cover or cover in seen:
            return ""
        seen.append(cover)


def covered(config: Config, pool_id: str, now: datetime) -> tuple[Pool, dict[str, tuple[str, ...]]]:
    """Give a pool as it is with those who stand in, and for whom each of them does.

    Their weight is their own, if they have one here, and that of all for whom they stand in.
    """
    pool = config.pools[pool_id]
    weights = {member.owner: member.weight for member in pool.members}
    covers: dict[str, tuple[str, ...]] = {}
    for member in pool.members:
        owner = config.owners.get(member.owner)
        if owner is None or not any(one.cover for one in owner.absences):
            continue
        cover = cover_of(config, member.owner, now)
        if cover:
            weights[cover] = weights.get(cover, 0) + member.weight
            covers[cover] = (*covers.get(cover, ()), member.owner)
    return (weighed(pool, weights) if covers else pool), covers


def weighed(pool: Pool, weights: dict[str, int]) -> Pool:
    """Give a pool with other weights, and further members; these need not fit what admins write."""
    members = tuple(
        Member.model_construct(owner=owner_id, weight=weight)
        for owner_id, weight in weights.items()
    )
    return pool.model_copy(update={"members": members})
