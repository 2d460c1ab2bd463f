"""The table of JSON routes: it registers them, says who may call them, and is documented from.

Handlers are named, not imported: Lambdas that never answer the API load none of them.
"""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

ADMIN = ("admin",)
MANAGERS = ("admin", "manager")
STAFF = ("admin", "manager", "viewer")
ALL = ("admin", "manager", "rep", "viewer")
ACTING = ("admin", "manager", "rep")
ANYBODY = ()


class Route(NamedTuple):
    """One route; its handler's signature says what it takes and gives.

    Attributes:
        handler: `module.function` of chalicelib.api; takes a Call, and `query` or `body` as one
            model each; gives a model or an Answer.
        roles: who may call it; empty for anybody, without a token too. A rep reaches only what
            is theirs, whatever the route.
    """

    method: str
    path: str
    handler: str
    roles: tuple[str, ...]

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    def load(self) -> Callable[..., Any]:
        """Import the handler."""
        module, _, function = self.handler.partition(".")
        found: Callable[..., Any] = getattr(
            importlib.import_module(f"chalicelib.api.{module}"), function
        )
        return found


CONDITIONAL = (
    "PUT /v1/config",
    "PATCH /v1/leads/{lead_id}",
    "POST /v1/leads/{lead_id}/status",
)
"""Routes that need If-Match, so that nobody writes over what they have not seen."""

ROUTES = (
    Route("GET", "/health", "health.show_health", ANYBODY),
    Route("GET", "/v1/openapi.json", "openapi.show_openapi", ANYBODY),
    Route("GET", "/v1/config", "config.show_config", STAFF),
    Route("PUT", "/v1/config", "config.put_config", ADMIN),
    Route("POST", "/v1/config/check", "config.check_config", MANAGERS),
    Route("GET", "/v1/config/versions", "config.list_versions", STAFF),
    Route("POST", "/v1/config/rollback", "config.roll_back", ADMIN),
    Route("GET", "/v1/leads", "leads.list_them", ALL),
    Route("GET", "/v1/leads/{lead_id}", "leads.show_lead", ALL),
    Route("PATCH", "/v1/leads/{lead_id}", "leads.edit_lead", ACTING),
    Route("GET", "/v1/leads/{lead_id}/timeline", "leads.show_timeline", ALL),
    Route("GET", "/v1/leads/{lead_id}/why", "leads.show_why", ALL),
    Route("GET", "/v1/leads/{lead_id}/why-not/{owner_id}", "fairness.show_why_not", ALL),
    Route("POST", "/v1/leads/{lead_id}/accept", "leads.accept_lead", ACTING),
    Route("POST", "/v1/leads/{lead_id}/decline", "leads.decline_lead", ACTING),
    Route("POST", "/v1/leads/{lead_id}/status", "leads.move_lead", ACTING),
    Route("POST", "/v1/leads/{lead_id}/touched", "clock.note_touch", ACTING),
    Route("POST", "/v1/leads/{lead_id}/next-step", "clock.set_next_step", ACTING),
    Route("GET", "/v1/overdue", "clock.list_them", ALL),
    Route("POST", "/v1/leads/{lead_id}/merge", "merges.merge_leads", ACTING),
    Route("POST", "/v1/leads/{lead_id}/unmerge", "merges.unmerge_lead", ACTING),
    Route("POST", "/v1/leads/{lead_id}/keep-apart", "merges.keep_leads_apart", ACTING),
    Route("GET", "/v1/duplicates", "duplicates.list_them", ALL),
    Route("POST", "/v1/duplicates/{lead_id}/{other_id}/merge", "duplicates.merge_them", ACTING),
    Route("POST", "/v1/duplicates/{lead_id}/{other_id}/apart", "duplicates.keep_apart", ACTING),
    Route("GET", "/v1/leads/{lead_id}/export", "privacy.export_lead", ADMIN),
    Route("POST", "/v1/leads/{lead_id}/erase", "privacy.erase_lead", ADMIN),
    Route("GET", "/v1/erasures", "privacy.list_them", ADMIN),
    Route("GET", "/v1/erasures/{erasure_id}", "privacy.show_erasure", ADMIN),
    Route("GET", "/v1/deliveries", "deliveries.list_them", STAFF),
    Route("GET", "/v1/deliveries/{delivery_id}", "deliveries.show_delivery", STAFF),
    Route("POST", "/v1/deliveries/{delivery_id}/replay", "deliveries.replay_delivery", MANAGERS),
    Route("GET", "/v1/sources", "sources.list_them", STAFF),
    Route("GET", "/v1/sources/{source_id}/health", "sources.show_health", STAFF),
    Route("POST", "/v1/sources/{source_id}/test", "sources.test_source", MANAGERS),
    Route("POST", "/v1/sources/{source_id}/backfill", "ledger.ask_for_backfill", MANAGERS),
    Route("GET", "/v1/forms", "forms.list_them", STAFF),
    Route("GET", "/v1/sources/{source_id}/forms/{form}", "forms.show", STAFF),
    Route("POST", "/v1/sources/{source_id}/forms/{form}/confirm", "forms.settle", ADMIN),
    Route("GET", "/v1/ledger", "ledger.show_ledger", STAFF),
    Route("GET", "/v1/owners", "owners.list_them", ALL),
    Route("PUT", "/v1/owners/{owner_id}/availability", "owners.put_availability", ACTING),
    Route("GET", "/v1/owners/{owner_id}/statement", "fairness.show_turns", ALL),
    Route("GET", "/v1/pools/{pool_id}/statement", "owners.show_statement", ALL),
    Route("GET", "/v1/effects", "effects.list_them", STAFF),
    Route("POST", "/v1/effects/{lead_id}/{effect_id}/retry", "effects.retry", MANAGERS),
    Route("GET", "/v1/imports", "imports.list_them", STAFF),
    Route("POST", "/v1/imports", "imports.create", MANAGERS),
    Route("GET", "/v1/imports/{import_id}", "imports.show", STAFF),
    Route("POST", "/v1/imports/{import_id}/propose", "imports.propose", MANAGERS),
    Route("POST", "/v1/imports/{import_id}/dry-run", "imports.try_out", MANAGERS),
    Route("POST", "/v1/imports/{import_id}/start", "imports.start", MANAGERS),
    Route("GET", "/v1/imports/{import_id}/outcomes", "imports.list_outcomes", MANAGERS),
)
