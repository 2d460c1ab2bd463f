"""A lead with all that were merged into it, and whose each touch is once one is taken out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.errors import Conflict
from chalicelib.flow.leads import StoredTouch, stored_leads
from chalicelib.hub import Hub
from chalicelib.lead.matching.weights import Weights
from chalicelib.lead.merging import Known, closer, family_of
from chalicelib.lead.model import Lead
from chalicelib.records import lead_key, lead_of


@dataclass(frozen=True)
class Family:
    """A lead with all that were merged into it, and whose each touch is once one is taken out.

    Attributes:
        live: the lead as it is.
        leads: it and its members, by id.
        member_id: of the one that is taken out.
        fixed: touches from before the merge, of the member and of the rest.
        later: touches that came since, of the member and of the rest, in the order they came.
        moved: which of them lie under another lead than the one they are of.
    """

    live: Lead
    leads: Mapping[str, Lead]
    member_id: str
    fixed: tuple[list[StoredTouch], list[StoredTouch]]
    later: tuple[list[StoredTouch], list[StoredTouch]]
    moved: list[StoredTouch]

    @property
    def member(self) -> Lead:
        """Give the lead that is taken out, as it is stored."""
        return self.leads[self.member_id]


def read_family(hub: Hub, live: Lead, member_id: str) -> Family:
    """Read a lead with all that is part of it, and sort out whose is what.

    Raises:
        Conflict: somebody wrote in between.
    """
    stored = next(iter(stored_leads(hub, [live.lead_id])), None)
    items = hub.table.get_many([lead_key(one) for one in live.members])
    leads = {lead.lead_id: lead for lead in map(lead_of, items.values())} | {live.lead_id: live}
    if stored is None or stored.lead != live or not _is_whole(live, leads):
        raise Conflict(f"lead {live.lead_id} changed while it was read")
    member = leads[member_id]
    ours = family_of([member])
    since = _since(leads, member)
    fixed: tuple[list[StoredTouch], list[StoredTouch]] = ([], [])
    later: tuple[list[StoredTouch], list[StoredTouch]] = ([], [])
    unclear: list[StoredTouch] = []
    for old in stored.touches:
        if old.lead_id in ours:
            # Those that an earlier try has moved here are later ones too.
            is_later = old.lead_id == member_id and old.record.lead_version > member.version
            (later if is_later else fixed)[0].append(old)
        elif old.lead_id in since and old.record.lead_version > since[old.lead_id]:
            unclear.append(old)
        else:
            fixed[1].append(old)
    weights = hub.configurations.weights(hub.configurations.current())
    of_member = _sort_out(member, live, fixed, later, unclear, weights)
    for side in later:
        side.sort(key=arrival)
    return Family(live, leads, member_id, fixed, later, of_member)


def _is_whole(live: Lead, leads: Mapping[str, Lead]) -> bool:
    """Say whether leads that were read one after the other fit together."""
    return all(
        one in leads
        and (parent := leads.get(leads[one].merged_into))
        and any(one in join.taken for join in parent.joins)
        for one in live.members
    )


def _since(leads: Mapping[str, Lead], member: Lead) -> dict[str, int]:
    """Give, for each lead that a member became part of, its version before that."""
    found = {}
    while member.merged_into:
        parent = leads[member.merged_into]
        joins = (join for join in parent.joins if member.lead_id in join.taken)
        found[parent.lead_id] = next(joins).version
        member = parent
    return found


def _sort_out(
    member: Lead,
    live: Lead,
    fixed: tuple[list[StoredTouch], list[StoredTouch]],
    later: tuple[list[StoredTouch], list[StoredTouch]],
    unclear: Sequence[StoredTouch],
    weights: Weights,
) -> list[StoredTouch]:
    """Add touches that came to both as one to the side they belong to; gives the member's."""
    known = Known(), Known()
    for place in (0, 1):
        for old in (*fixed[place], *later[place]):
            known[place].learn(old.record.touch)
    ours = family_of([member])
    known[0].learn_edits([edit for edit in live.edits if edit.lead_id in ours])
    known[1].learn_edits([edit for edit in live.edits if edit.lead_id not in ours])
    of_member = []
    for old in sorted(unclear, key=arrival):
        place = 0 if closer(old.record.touch, *known, weights) == "member" else 1
        known[place].learn(old.record.touch)
        later[place].append(old)
        if place == 0:
            of_member.append(old)
    return of_member


def arrival(old: StoredTouch) -> tuple[int, datetime, str]:
    """Rank touches in the order in which they came to a lead."""
    touch = old.record.touch
    return old.record.lead_version, touch.received_at, touch.touch_id
