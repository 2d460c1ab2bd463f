"""/v1/leads/{id}/erase and /export, /v1/erasures: what a person may ask of us."""

from typing import Any

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Answer, Call
from chalicelib.api.pages import Line
from chalicelib.flow.erase import begin
from chalicelib.flow.erase_state import Erasure, State, find_erasure, list_erasures, public
from chalicelib.flow.export import Export, export
from chalicelib.lead.model import Model


class EraseBody(Model):
    """Why a person is erased."""

    reason: Line = Field(
        default="", max_length=300, description="for the certificate; names nobody"
    )


class ErasureSummary(Model):
    """An erasure as it stands in the list."""

    erasure_id: str
    asked_at: AwareDatetime
    asked_by: str
    state: State
    leads: tuple[str, ...] = Field(description="ids; the first ten")


class ErasureList(Model):
    """The latest erasures, newest first."""

    erasures: tuple[ErasureSummary, ...]


MOST_LISTED = 100


def erase_lead(call: Call, body: EraseBody) -> Answer[Erasure]:
    """Erase the person that a lead is about, for good; the answer becomes the certificate."""
    one = begin(call.hub, call.lead().lead_id, call.actor, body.reason)
    return Answer(public(one), 202, {"Location": f"/v1/erasures/{one.erasure_id}"})


def show_erasure(call: Call) -> Erasure:
    """Give an erasure: how far it is, and its certificate in the end."""
    one, _ = find_erasure(call.hub, call.path["erasure_id"])
    return public(one)


def list_them(call: Call) -> ErasureList:
    """List the latest erasures."""
    found: list[Any] = list_erasures(call.hub, MOST_LISTED)
    return ErasureList.model_validate({"erasures": found})


def export_lead(call: Call) -> Export:
    """Give all that is known of a person; noted on the lead's timeline."""
    return export(call.hub, call.lead().lead_id, call.actor)
