"""/v1/deliveries: list, one, replay."""

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime, Field

from chalicelib.api.calls import Answer, Call
from chalicelib.api.pages import NEXT, Id, PageQuery
from chalicelib.flow.details import KeptRequest, find_delivery, kept_request
from chalicelib.flow.lists import list_deliveries
from chalicelib.flow.replay import replay
from chalicelib.lead.model import Model
from chalicelib.records import ActResult, Delivery, Outcome


class DeliveriesQuery(PageQuery):
    """Which deliveries; those still pending are in no list."""

    source: Id = ""
    outcome: Literal["", Outcome] = ""


class DeliverySummary(Model):
    """A delivery as it stands in lists."""

    delivery_id: str
    source_id: str
    received_at: AwareDatetime
    outcome: Outcome
    reason: str
    leads: tuple[str, ...] = Field(description="leads it became part of, at most ten")
    listed: bool = Field(default=False, description="kept from a provider's list, not sent to us")


class DeliveryList(Model):
    """A page of deliveries, newest first."""

    deliveries: tuple[DeliverySummary, ...]
    next: str = Field(description=NEXT)


class DeliveryView(Model):
    """A delivery and what became of it."""

    delivery_id: str
    source_id: str
    connector: str
    received_at: AwareDatetime
    outcome: Outcome
    reason: str
    acts: int = Field(description="how many submissions and withdrawals it holds")
    results: Mapping[str, ActResult] = Field(description="of each, by position")
    tries: int = Field(description="how often a provider made us wait")
    replays: int
    due_at: AwareDatetime | None
    request: KeptRequest | None = Field(description="for an admin only")


def list_them(call: Call, query: DeliveriesQuery) -> DeliveryList:
    """List deliveries that have an outcome."""
    after = call.after(query, query.cursor)
    found = list_deliveries(call.hub, query.source, query.outcome, query.limit, after)
    return DeliveryList.model_validate(
        {"deliveries": found.entries, "next": call.cursor(query, found.after)}
    )


def show_delivery(call: Call) -> DeliveryView:
    """Give a delivery; an admin sees the request too."""
    delivery = find_delivery(call.hub, call.path["delivery_id"])
    request = kept_request(call.hub, delivery) if call.who.role == "admin" else None
    return _view(delivery, request)


class ReplayBody(Model):
    """How a delivery is put through again."""

    not_spam: bool = Field(default=False, description="let through what was suspected to be spam")


def replay_delivery(call: Call, body: ReplayBody) -> Answer[DeliveryView]:
    """Put a delivery through again; what it did is not done twice."""
    delivery = replay(call.hub, call.path["delivery_id"], not_spam=body.not_spam)
    return Answer(_view(delivery, None), 202)


def _view(delivery: Delivery, request: KeptRequest | None) -> DeliveryView:
    return DeliveryView(
        delivery_id=delivery.delivery_id,
        source_id=delivery.source_id,
        connector=delivery.connector,
        received_at=delivery.received_at,
        outcome=delivery.outcome,
        reason=delivery.reason,
        acts=delivery.acts,
        results=delivery.results,
        tries=delivery.tries,
        replays=delivery.replays,
        due_at=delivery.due_at,
        request=request,
    )
