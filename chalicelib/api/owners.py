"""/v1/owners and /v1/pools: who can take leads now, and how many each one got."""

from datetime import UTC, datetime

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Call
from chalicelib.errors import Invalid, NotFound
from chalicelib.flow.details import PoolStatement, pool_statement
from chalicelib.flow.owners import OwnerView, owners
from chalicelib.flow.publish import set_availability
from chalicelib.lead.model import Model, utc_text


class OwnerList(Model):
    """Owners; a rep sees only the rep."""

    owners: tuple[OwnerView, ...]


class Availability(Model):
    """Whether an owner takes leads, beside what the configuration says."""

    off: bool
    until: AwareDatetime | None = Field(
        default=None, description="when the owner is on again by itself; null for an open end"
    )


def list_them(call: Call) -> OwnerList:
    """List owners and whether each can take a lead now."""
    found = owners(call.hub)
    mine = [one for one in found if call.only_owner in ("", one.owner_id)]
    return OwnerList(owners=tuple(mine))


def put_availability(call: Call, body: Availability) -> OwnerView:
    """Switch an owner off, until a time or for good, or on again; a rep only the rep."""
    owner_id = call.path["owner_id"]
    if call.only_owner not in ("", owner_id):
        raise NotFound(f"owner {owner_id}")
    until = _checked(body, call.hub.clock())
    set_availability(call.hub, owner_id, off=body.off, until=until)
    return next(one for one in owners(call.hub) if one.owner_id == owner_id)


def show_statement(call: Call) -> PoolStatement:
    """Lay out a pool's ledger; a rep sees only the rep's own account."""
    pool_id = call.path["pool_id"]
    found = pool_statement(call.hub, pool_id)
    if not call.only_owner:
        return found
    pool = call.hub.configurations.current().config.pools.get(pool_id)
    members = {member.owner for member in pool.members} if pool else set()
    if call.only_owner not in members:
        raise NotFound(f"pool {pool_id}")
    lines = [line for line in found.lines if line.owner_id == call.only_owner]
    return found.model_copy(update={"lines": tuple(lines)})


def _checked(body: Availability, now: datetime) -> str:
    if body.until is None:
        return ""
    if not body.off:
        raise Invalid("the body does not fit", ("until: only together with off: true",))
    if body.until <= now or body.until.year > 9000:
        raise Invalid("the body does not fit", ("until: expected a time to come",))
    return utc_text(body.until.astimezone(UTC))
