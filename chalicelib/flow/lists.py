"""Lists that a person waits for: pages of an index, newest first; the table is never scanned."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from chalicelib.errors import Invalid
from chalicelib.flow.forms import KNOWN_FORMS, OPEN_FORMS
from chalicelib.flow.leads import live_leads
from chalicelib.hub import Hub
from chalicelib.lead.model import Lead, utc_text
from chalicelib.lead.person import keys_named
from chalicelib.records import (
    OUTCOMES,
    QUARANTINED_EFFECTS,
    SHARDS,
    UNOWNED,
    Outcome,
    deliveries_list,
    holders_of,
    identity_key,
    lead_of,
    leads_list,
    owner_list,
    summary_of,
)
from chalicelib.storage import Item, Key

Summary = Mapping[str, Any]

MOST_LOOKED_AT = 1000
"""How many entries one page looks at for those that fit its filters; then it ends early."""

MOST_LISTS = 700
"""How many lists one page is merged of: each is a read of a few milliseconds."""


@dataclass(frozen=True)
class Listed:
    """A page of a list.

    Attributes:
        after: where the next page starts; empty at the end. A page may be short, or empty, and
            still not be the last.
    """

    entries: tuple[Summary, ...]
    after: str = ""


@dataclass(frozen=True)
class LeadFilter:
    """Which leads are wanted; empty means any.

    Attributes:
        owner: an owner's id, or `-unowned`.
        q: a whole e-mail address or phone number, else text in name, company or e-mail.
    """

    owner: str = ""
    status: str = ""
    source: str = ""
    stage: str = ""
    q: str = ""


def list_leads(hub: Hub, wanted: LeadFilter, limit: int, after: str = "") -> Listed:
    """List leads by when they came first, newest first."""
    known = named_leads(hub, wanted.q) if wanted.q else []
    if known:
        bare = replace(wanted, q="")
        found = map(brief_of, known)
        return Listed(tuple(brief for brief in found if _fits_lead(brief, bare)))
    if wanted.owner:
        entries = _walk(hub, "owner", [owner_list(wanted.owner)], limit, after)
    else:
        shards = [leads_list(number) for number in range(SHARDS)]
        entries = _walk(hub, "list", shards, limit, after)
    return _page_of_leads(hub, entries, wanted, limit)


def brief_of(lead: Lead) -> Summary:
    """Tell of a lead what lists show."""
    value = {name: str(entry.value) for name, entry in lead.profile.items()}
    return {
        "lead_id": lead.lead_id,
        "name": value.get("full_name", "")[:80],
        "email": value.get("email", "")[:120],
        "phone": value.get("phone", "")[:30],
        "company": value.get("company", "")[:80],
        "score": lead.score.total,
        "grade": lead.score.grade,
        "status": lead.status,
        "reason": lead.status_reason[:100],
        "stage": lead.stage,
        "triage": lead.triage,
        "source": lead.last_touch.source_id if lead.last_touch else "",
        "owner": lead.assignment.owner_id if lead.assignment else "",
        "state": "unowned" if lead.is_unowned else "routing" if lead.awaits else "owned",
        "created_at": utc_text(lead.created_at),
        "updated_at": utc_text(lead.updated_at),
    }


def list_deliveries(hub: Hub, source: str, outcome: str, limit: int, after: str = "") -> Listed:
    """List deliveries that have an outcome, newest first.

    Args:
        hub: read from.
        source: its id; empty for all that are configured.
        outcome: one of records.OUTCOMES; empty for all.
        limit: at most so many.
        after: see Listed.

    Raises:
        Invalid: no such outcome, or there are too many sources to list all at once.
    """
    if outcome and outcome not in OUTCOMES:
        raise Invalid("no such list", (f"outcome: expected one of {', '.join(OUTCOMES)}",))
    sources = [source] if source else sorted(hub.configurations.current().config.sources)
    outcomes: Sequence[Outcome] = [o for o in OUTCOMES if outcome in ("", o)]
    lists = [deliveries_list(one, kind) for one in sources for kind in outcomes]
    if len(lists) > MOST_LISTS:
        raise Invalid("too many lists at once", ("source: name one, or an outcome",))
    return _page(_walk(hub, "list", lists, limit, after), limit, lambda _: True)


def list_effects(hub: Hub, limit: int, after: str = "") -> Listed:
    """List notifications that are set aside, newest first."""
    entries = _walk(hub, "list", [QUARANTINED_EFFECTS], limit, after)
    return _page(entries, limit, lambda _: True)


def list_forms(hub: Hub, limit: int, after: str = "", *, only_open: bool = True) -> Listed:
    """List forms whose questions are known, what was noticed last first.

    Args:
        hub: read from.
        limit: at most so many.
        after: see Listed.
        only_open: only those with changes that wait for a person.
    """
    lists = [OPEN_FORMS] if only_open else [OPEN_FORMS, KNOWN_FORMS]
    return _page(_walk(hub, "list", lists, limit, after), limit, lambda _: True)


def _page(entries: Iterator[Item], limit: int, fits: Callable[[Summary], bool]) -> Listed:
    """Take what fits, up to the limit, and look at no more than MOST_LOOKED_AT."""
    found: list[Summary] = []
    for looked_at, item in enumerate(entries, start=1):
        summary = summary_of(item)
        if fits(summary):
            found.append(summary)
        if len(found) == limit or looked_at == MOST_LOOKED_AT:
            return Listed(tuple(found), str(item["list_sk"]))
    return Listed(tuple(found))


def _page_of_leads(hub: Hub, entries: Iterator[Item], wanted: LeadFilter, limit: int) -> Listed:
    """Take the leads that fit as they stand now: a list may name some that have gone since."""
    found: list[Summary] = []
    looked_at = 0
    while some := list(islice(entries, min(limit, 100))):
        items = hub.table.get_many([Key(item["pk"], item["sk"]) for item in some])
        for item in some:
            looked_at += 1
            lead = lead_of(items[Key(item["pk"], item["sk"])])
            if not lead.merged_into and not lead.erased_at and _fits_lead(brief_of(lead), wanted):
                found.append(brief_of(lead))
            if len(found) == limit or looked_at == MOST_LOOKED_AT:
                return Listed(tuple(found), str(item["list_sk"]))
    return Listed(tuple(found))


def _walk(hub: Hub, index: str, lists: Sequence[str], limit: int, after: str) -> Iterator[Item]:
    """Merge lists of an index in order, reading pages of each as they are needed."""
    at_once = min(100, limit // len(lists) + 5)
    lanes = [_lane(hub, index, pk, at_once, after) for pk in lists]
    return heapq.merge(*lanes, key=lambda item: str(item["list_sk"]), reverse=True)


def _lane(hub: Hub, index: str, pk: str, at_once: int, after: str) -> Iterator[Item]:
    start = None
    while True:
        page = hub.table.query_index(
            index, pk, up_to=after or None, newest_first=True, limit=at_once, start=start
        )
        yield from (item for item in page.items if item["list_sk"] != after)
        start = page.next
        if start is None:
            return


def _fits_lead(summary: Summary, wanted: LeadFilter) -> bool:
    if wanted.owner == UNOWNED and summary["state"] != "unowned":
        return False
    if wanted.owner not in ("", UNOWNED, summary["owner"]):
        return False
    for name in ("status", "source", "stage"):
        if getattr(wanted, name) not in ("", summary[name]):
            return False
    text = wanted.q.casefold()
    return any(text in summary[name].casefold() for name in ("name", "company", "email"))


def named_leads(hub: Hub, text: str) -> list[Lead]:
    """Find the leads with this e-mail address or phone number, written in whatever way.

    There are several when they share it, or when a national number is one in several countries.
    """
    keys = keys_named(hub.configurations.current().config, text)
    items = hub.table.get_many([identity_key(key) for key in keys]) if keys else {}
    holders = sorted({lead_id for item in items.values() for lead_id in holders_of(item)})
    return sorted(live_leads(hub.table, holders), key=lambda lead: lead.created_at, reverse=True)
