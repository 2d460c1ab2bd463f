"""Proposed duplicates as they are stored: two leads that may be one person.

A proposal stands in both leads' partitions, and in a list under the one whose id comes first. What
was decided is on the leads themselves (they are one, or kept apart); a proposal only follows.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from chalicelib.hub import Hub
from chalicelib.lead.matching.decide import Candidate
from chalicelib.lead.matching.words import because
from chalicelib.lead.merging import may_merge
from chalicelib.lead.model import Lead, Model, utc_text
from chalicelib.records import lead_key, packed, unpacked
from chalicelib.storage import Check, Holds, Item, Key, Put, Write, at_version

State = Literal["open", "merged", "apart", "closed"]


class Proposal(Model):
    """That two leads may be one person."""

    lead_ids: tuple[str, str] = Field(description="sorted")
    version: int = 1
    state: State = Field(default="open", description="closed: another one goes on in its place")
    proposed_at: AwareDatetime
    touch_id: str = Field(default="", description="the submission that brought it up, if one did")
    bits: float = Field(description="log2 of the odds that they are one; see lead.matching")
    because: str
    compared: Mapping[str, int] = Field(
        default_factory=dict, description="lead -> its version when it was compared"
    )
    decided_at: AwareDatetime | None = None
    decided_by: str = Field(default="", description="a person; empty when it followed by itself")

    def settled(self, state: State, at: datetime, by: str = "") -> "Proposal":
        """Give it as it stands once it is decided."""
        update = {"state": state, "version": self.version + 1, "decided_at": at, "decided_by": by}
        return self.model_copy(update=update)


def proposals_list(state: State) -> str:
    """Name the list of proposals in a state."""
    return f"PROPOSALS#{state}"


def proposal_key(lead_id: str, other_id: str) -> Key:
    """Key of a proposal in a lead's partition."""
    return Key(lead_key(lead_id)[0], f"PROPOSAL#{other_id}")


def proposal_items(proposal: Proposal, writer: str) -> list[Item]:
    """Make the two items of a proposal; the first is listed."""
    one, other = proposal.lead_ids
    item = {
        "kind": "proposal",
        "writer": writer,
        "version": proposal.version,
        "data": packed(proposal),
    }
    at = proposal.decided_at or proposal.proposed_at
    listed: dict[str, Any] = {
        **item,
        **_keys(proposal_key(one, other)),
        "list_pk": proposals_list(proposal.state),
        "list_sk": f"{utc_text(at)}#{one}#{other}",
        "summary": json.dumps({"lead_ids": [one, other]}, separators=(",", ":")),
    }
    return [listed, {**item, **_keys(proposal_key(other, one))}]


def proposal_of(item: Item) -> Proposal:
    """Read a proposal back."""
    return unpacked(Proposal, item["data"])


def propose(
    hub: Hub, lead: Lead, asked: Sequence[tuple[Lead, Candidate]], touch_id: str, now: datetime
) -> tuple[Proposal, ...]:
    """Give the proposals that are new: neither open nor decided, unless that was lifted since."""
    pairs = {
        pair_of(lead.lead_id, other.lead_id): (other, candidate)
        for other, candidate in asked
        if other.lead_id != lead.lead_id and may_merge(lead, other)
    }
    if not pairs:
        return ()
    items = hub.table.get_many([proposal_key(*pair) for pair in pairs])
    known = {key: proposal_of(item) for key, item in items.items()}
    return tuple(
        Proposal(
            lead_ids=pair,
            version=known[key].version + 1 if key in known else 1,
            proposed_at=now,
            touch_id=touch_id,
            bits=round(candidate.bits, 2),
            because=because(candidate, quoting=True),
            compared={other.lead_id: other.version},
        )
        for pair, (other, candidate) in pairs.items()
        for key in [proposal_key(*pair)]
        if key not in known or known[key].state != "open"
    )


def proposal_writes(proposals: Iterable[Proposal], writer: str) -> list[Write]:
    """Give the writes of proposals that are one version on, or new.

    What was compared must still be so, or it might tell of somebody who was erased meanwhile.
    """
    writes: list[Write] = []
    for proposal in proposals:
        for lead_id, version in proposal.compared.items():
            name = f"compared lead {len(writes)}"
            writes.append(Check(name, lead_key(lead_id), Holds("version", version)))
        for item in proposal_items(proposal, writer):
            name = f"proposal {len(writes)}"
            writes.append(Put(name, item, at_version(proposal.version - 1)))
    return writes


def find_proposal(hub: Hub, one_id: str, other_id: str) -> Proposal | None:
    """Give the proposal of two leads, decided or not; None when there never was one."""
    item = hub.table.get(proposal_key(*pair_of(one_id, other_id)))
    return proposal_of(item) if item else None


def proposals_of(hub: Hub, lead: Lead) -> list[Proposal]:
    """Give the proposals that name a lead, or one that was merged into it; in any state."""
    found = {
        proposal.lead_ids: proposal
        for lead_id in (lead.lead_id, *lead.members)
        for proposal in map(proposal_of, hub.table.query(lead_key(lead_id)[0], "PROPOSAL#"))
    }
    return sorted(found.values(), key=lambda one: one.proposed_at)


def pair_of(one: str, other: str) -> tuple[str, str]:
    """Give two ids in the order in which a proposal names them."""
    first, second = sorted((one, other))
    return first, second


def _keys(key: Key) -> dict[str, str]:
    return {"pk": key[0], "sk": key[1]}
