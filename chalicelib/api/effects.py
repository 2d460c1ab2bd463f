"""/v1/effects: notifications that were set aside."""

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Answer, Call
from chalicelib.api.pages import NEXT, PageQuery
from chalicelib.flow.details import retry_effect
from chalicelib.flow.lists import list_effects
from chalicelib.lead.model import Model
from chalicelib.records import Effect


class EffectSummary(Model):
    """A notification that was set aside."""

    effect_id: str
    lead_id: str
    destination_id: str
    reason: str
    created_at: AwareDatetime


class EffectList(Model):
    """A page of notifications that were set aside, newest first."""

    effects: tuple[EffectSummary, ...]
    next: str = Field(description=NEXT)


def list_them(call: Call, query: PageQuery) -> EffectList:
    """List notifications that were set aside."""
    found = list_effects(call.hub, query.limit, call.after(query, query.cursor))
    return EffectList.model_validate(
        {"effects": found.entries, "next": call.cursor(query, found.after)}
    )


def retry(call: Call) -> Answer[Effect]:
    """Give a notification another chance; one that is under way already is left so."""
    return Answer(retry_effect(call.hub, call.path["lead_id"], call.path["effect_id"]), 202)
