"""Step 4e goes on: what is to be done with an enquiry, and which stage the lead has reached."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.hub import Current, Hub
from chalicelib.lead.model import Decision, Lead, Touch
from chalicelib.lead.qualifying import (
    asked_of,
    find_stage,
    has_entries,
    is_further,
    made_for,
    triage,
)

Qualified = tuple[Lead, tuple[Decision, ...]]
"""A lead, and what was decided on it: nothing where the configuration has no such rules."""


def triaged(
    hub: Hub, current: Current, lead: Lead, touches: Sequence[Touch], now: datetime
) -> Qualified:
    """Decide what is to be done with a lead's enquiry.

    A lead that has an owner, or waits for one, is not taken away by a later enquiry that is
    refused: then only what is to be done is noted.
    """
    if not current.config.qualifying.triage:
        return lead, ()
    asked = asked_of(lead, touches, now)
    rule, decision = triage(asked, current.config, made_for(lead, current.hash, hub.code, now))
    update: dict[str, Any] = {"triage": "", "triage_reason": ""}
    if rule:
        update = {"triage": rule.does, "triage_reason": rule.reason}
    return lead.model_copy(update=update), (decision,)


def staged(
    hub: Hub, current: Current, lead: Lead, touches: Sequence[Touch], now: datetime
) -> Qualified:
    """Move a lead into the stage that it has reached."""
    if not has_entries(current.config.qualifying):
        return lead, ()
    asked = asked_of(lead, touches, now)
    stage, decision = find_stage(asked, current.config, made_for(lead, current.hash, hub.code, now))
    has_risen = is_further(stage, lead.stage, current.config.qualifying.order)
    return lead.model_copy(update={"stage": stage, "is_raised": lead.is_raised or has_risen}), (
        decision,
    )


def is_refused(lead: Lead) -> bool:
    """Say whether a triaged lead goes to nobody: it was refused, and is nobody's yet."""
    is_somebodys = lead.assignment is not None or lead.is_unowned or lead.awaits
    return lead.triage == "refuse" and (lead.status == "disqualified" or not is_somebodys)


def refused(lead: Lead) -> Lead:
    """Give a lead as it is when it was refused."""
    return lead.model_copy(
        update={
            "status": "disqualified",
            "status_reason": lead.triage_reason,
            "rule_id": "",
            "pool_id": "",
            "awaits": "",
            "is_unowned": False,
            "is_raised": False,
        }
    )
