"""What the stand-in provider has to list: forms and what was submitted by them, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import loads
from typing import Any

AT_ONCE = 25
"""Most leads of one page of Meta's, however many are asked for."""


@dataclass(frozen=True)
class Lead:
    """One thing that was submitted.

    Attributes:
        lead_id: the provider's id of it.
        form: the provider's id of its form.
        body: as the provider gives it.
    """

    lead_id: str
    form: str
    at: datetime
    body: Mapping[str, Any]


@dataclass
class Shelf:
    """Everything that one provider has: form id -> what it says of the form, and all leads."""

    forms: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    leads: list[Lead] = field(default_factory=list)

    def newest(self, form: str, since: datetime, until: datetime) -> list[Lead]:
        """Give the leads of a form within a stretch of time, newest first."""
        found = [one for one in self.leads if one.form == form and since <= one.at <= until]
        return sorted(found, key=lambda one: (one.at, one.lead_id), reverse=True)

    def find(self, path: str) -> Mapping[str, Any] | None:
        """Give one lead or form by its id."""
        lead_id = path.rpartition("/")[2]
        bodies = {one.lead_id: one.body for one in self.leads}
        return bodies.get(lead_id) or self.forms.get(lead_id)


ALWAYS = datetime.max.replace(tzinfo=UTC)


def list_of_meta(shelf: Shelf, path: str, query: Mapping[str, str]) -> Any:
    """Answer as the Graph API lists a page's forms and a form's leads; None for anything else."""
    whose, _, what = path.rpartition("/")
    if what == "leadgen_forms":
        return {"data": [{"id": form, **about} for form, about in shelf.forms.items()]}
    if what != "leads":
        return None
    newer = loads(query.get("filtering", "[]")) or [{"value": 0}]
    since = datetime.fromtimestamp(newer[0]["value"] + 1, UTC)
    leads = shelf.newest(whose, since, ALWAYS)
    start = int(query.get("after") or 0)
    most = min(int(query.get("limit") or AT_ONCE), AT_ONCE)
    shown, end = leads[start : start + most], start + most
    # The last page has a cursor too, but no address of a next one.
    more = {"next": "https://graph.example.com/"} if end < len(leads) else {}
    paging = {"cursors": {"before": str(start), "after": str(end)}, **more}
    fields = query.get("fields", "created_time,field_data").split(",")
    return {"data": [_only(lead.body, ("id", *fields)) for lead in shown], "paging": paging}


def list_of_linkedin(shelf: Shelf, path: str, query: Mapping[str, str]) -> Any:
    """Answer as LinkedIn lists an owner's leads: it has none to list."""
    return {"elements": [], "paging": {"total": 0}} if path == "leadFormResponses" else None


def list_of_surveymonkey(shelf: Shelf, path: str, query: Mapping[str, str]) -> Any:
    """Answer as SurveyMonkey lists a survey's responses: it has none to list."""
    return {"data": [], "total": 0, "links": {}} if path.endswith("/responses/bulk") else None


NOTHING_FOUND = {"total": 0, "results": []}
"""What a search of HubSpot's answers that finds nothing."""


def list_of_typeform(shelf: Shelf, path: str, query: Mapping[str, str]) -> Any:
    """Answer as Typeform gives a form and its responses; None for anything else."""
    parts = path.split("/")
    if parts[0] != "forms" or parts[1] not in shelf.forms:
        return None
    if parts[2:] != ["responses"]:
        return shelf.forms[parts[1]]
    since = datetime.fromisoformat(query.get("since", "2000-01-01T00:00:00Z"))
    until = datetime.fromisoformat(query.get("until", "9999-01-01T00:00:00Z"))
    found = shelf.newest(parts[1], since, until)
    names = [lead.lead_id for lead in found]
    start = names.index(query["before"]) + 1 if query.get("before") in names else 0
    shown = found[start : start + int(query.get("page_size", "25"))]
    return {"total_items": len(found), "items": [lead.body for lead in shown]}


def _only(body: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    return {name: body[name] for name in body if name in fields}
