"""Owners as they are at this moment: on or off, and whether they can take a lead."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from chalicelib.flow.loads import read_loads
from chalicelib.hub import Hub
from chalicelib.lead.model import Model
from chalicelib.lead.routing import eligibility, local_day
from chalicelib.records import day_key, day_of, hour_of


class OwnerView(Model):
    """An owner, and whether they can take a new lead now."""

    owner_id: str
    name: str
    email: str
    time_zone: str
    pools: tuple[str, ...]
    taken_today: int = Field(description="new leads on the owner's own day; 0 without a cap")
    daily_cap: int | None
    is_off: bool = Field(description="switched off beside the configuration")
    off_until: AwareDatetime | None
    off_note: str = Field(default="", description="why they are off, if the hub did it")
    can_take_leads: bool
    because: str


def owners(hub: Hub) -> list[OwnerView]:
    """Give all configured owners."""
    current = hub.configurations.current()
    config, now = current.config, hub.clock()
    days = {
        owner_id: day_key(owner_id, str(local_day(owner, config.settings, now)))
        for owner_id, owner in config.owners.items()
    }
    hours = {
        owner_id: day_key(owner_id, hour_of(now))
        for owner_id, owner in config.owners.items()
        if owner.hourly_cap is not None
    }
    found = hub.table.get_many([*days.values(), *hours.values()])
    caps = {i: o.open_cap for i, o in config.owners.items() if o.open_cap is not None}
    loads = read_loads(hub.table, caps, set(caps), now) if caps else {}
    views = []
    for owner_id, owner in config.owners.items():
        item = found.get(days[owner_id])
        taken = day_of(item).taken if item else 0
        until = current.active.off.get(owner_id)
        off_until = datetime.fromisoformat(until) if until else None
        is_off = until is not None and (off_until is None or off_until > now)
        here = owner.model_copy(update={"active": False}) if is_off else owner
        hour = found.get(hours[owner_id]) if owner_id in hours else None
        verdict = eligibility(
            owner_id,
            here,
            config.settings,
            taken,
            now,
            taken_this_hour=day_of(hour).taken if hour else 0,
            open_leads=len(loads[owner_id].open) if owner_id in loads else 0,
        )
        views.append(
            OwnerView(
                owner_id=owner_id,
                name=owner.name,
                email=owner.email,
                time_zone=owner.time_zone or config.settings.time_zone,
                pools=tuple(
                    pool_id
                    for pool_id, pool in config.pools.items()
                    if any(member.owner == owner_id for member in pool.members)
                ),
                taken_today=taken,
                daily_cap=owner.daily_cap,
                is_off=is_off,
                off_until=off_until if is_off else None,
                off_note=current.active.notes.get(owner_id, "") if is_off else "",
                can_take_leads=verdict.is_eligible,
                because=verdict.because,
            )
        )
    return views
