"""/v1/owners/{id}/statement and /v1/leads/{id}/why-not: what an owner may ask about turns."""

from pydantic import Field

from chalicelib.api.calls import Call
from chalicelib.api.pages import NEXT, PageQuery
from chalicelib.errors import NotFound
from chalicelib.flow.details import find_lead
from chalicelib.flow.statement import OwnTurn, check_owner, next_turns
from chalicelib.flow.verify import published
from chalicelib.flow.walk import Walk
from chalicelib.flow.why_not import WhyNot, why_not
from chalicelib.lead.model import Model

MOST_STEPS = 10
"""Steps of leads that a page looks through before it ends empty."""


class OwnTurns(Model):
    """Some turns of an owner, lead by lead."""

    owner_id: str
    turns: tuple[OwnTurn, ...]
    next: str = Field(description=NEXT)


def show_turns(call: Call, query: PageQuery) -> OwnTurns:
    """List an owner's turns, made again from the decisions; a rep sees only the rep's own."""
    owner_id = _own(call)
    check_owner(call.hub, owner_id)
    after = call.after(query, query.cursor) if query.cursor else ""
    walk = Walk.model_validate_json(after) if after else Walk()
    configs = published(call.hub)
    turns: list[OwnTurn] = []
    for _ in range(MOST_STEPS):
        if turns or walk.is_over:
            break
        turns, walk = next_turns(call.hub, owner_id, walk, configs)
    rest = "" if walk.is_over else walk.model_dump_json()
    return OwnTurns(owner_id=owner_id, turns=tuple(turns), next=call.cursor(query, rest))


def show_why_not(call: Call) -> WhyNot:
    """Explain why an owner has not got a lead; a rep may ask it of any lead, for the rep."""
    owner_id = _own(call)
    return why_not(call.hub, find_lead(call.hub, call.path["lead_id"]), owner_id)


def _own(call: Call) -> str:
    owner_id = call.path["owner_id"]
    if call.only_owner not in ("", owner_id):
        raise NotFound(f"owner {owner_id}")
    return owner_id
