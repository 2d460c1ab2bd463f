"""Step 4e goes on: several leads as one, and one taken apart again.

A merge moves no touch. The survivor, which is the oldest, lists the others as `members`; each of
them points at it. What follows from touches and edits is folded anew. The rest is where our work
stands, and of several leads that is worked out so that neither order nor grouping matters:

- Status and stage are the furthest of all: work under way goes on.
- The owner is whoever has accepted, else whoever has had theirs for longest. Whoever loses a lead
  by this has the turn taken off their account, as when a lead is given back.
- The clock is, of each kind of promise, the one that is awaited and due first (see promises).
- Whoever declined one of them is not asked for the whole; marks that keep leads apart add up.

For each merge the survivor keeps a `Join`: how it stood before, how the others stood, and how all
stood together. Taking a lead out works the joins out anew without it, as if it had never been
merged, and then keeps what was changed since (three ways: before, together, now):

- What only the merge changed goes back to what it was, on both sides.
- What was done to the whole since then stays with the lead that it was done to, the survivor; but
  an assignment that came from the lead taken out goes back to it, and if that one was dropped since
  the lead awaits an owner anew.
- An assignment that a merge took off somebody is theirs again, and so is the turn.
- Rule and pool follow touches, and so does a stage that only a rule raised.

Touches made before the merge lie under their own lead's id and go back with it. Of those that came
later, `closer` says whose they are. What was said by hand goes to the lead that it was said of.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from chalicelib.lead.edits import edits_said_of, join_edits
from chalicelib.lead.matching.decide import ASK, CLEAR, weigh
from chalicelib.lead.matching.record import Record, record_of, record_of_edits
from chalicelib.lead.matching.weights import Weights
from chalicelib.lead.model import (
    STAGES,
    Assignment,
    Edit,
    Join,
    Lead,
    Stage,
    Standing,
    Status,
    Touch,
)
from chalicelib.lead.promises import apart_again, with_joint_clock

STATUS_ORDER: tuple[Status, ...] = ("disqualified", "new", "assigned", "contacted", "qualified")
"""From least to furthest when leads are merged: work under way goes on."""

Side = Literal["member", "rest"]


def survivor(leads: Iterable[Lead]) -> Lead:
    """Choose the lead that others are merged into: the oldest, then by id."""
    return min(leads, key=lambda lead: (lead.created_at, lead.lead_id))


def may_merge(one: Lead, other: Lead) -> bool:
    """Say whether nobody has said that these two are never to be merged."""
    return not (_marked(one, other) or _marked(other, one))


def kept_apart(leads: Sequence[Lead]) -> list[tuple[str, str]]:
    """Give the pairs of leads, by id, that are never to be merged."""
    return [
        (one.lead_id, other.lead_id)
        for place, one in enumerate(leads)
        for other in leads[place + 1 :]
        if not may_merge(one, other)
    ]


def family_of(leads: Iterable[Lead]) -> set[str]:
    """Give the ids of leads and of all that were merged into them."""
    return {one for lead in leads for one in (lead.lead_id, *lead.members)}


def let_together(leads: Sequence[Lead]) -> list[Lead]:
    """Lift every mark that keeps these leads apart from each other."""
    ids = family_of(leads)
    return [
        lead.model_copy(update={"apart": tuple(one for one in lead.apart if one not in ids)})
        for lead in leads
    ]


def absorb(
    survivor: Lead, others: Sequence[Lead], order: Sequence[Stage] = STAGES
) -> tuple[Lead, tuple[Lead, ...]]:
    """Merge leads into one; touches stay where they are, and `fold` is for the caller to do.

    Args:
        survivor: what the others become part of.
        others: at least one.
        order: of the stages, from least to furthest.

    Returns:
        The survivor, and the others in the order given: they point at it and hold no identity
        keys, but keep the rest of their state, so that the merge can be undone.
    """
    before = standing_of(survivor)
    taken = {other.lead_id: standing_of(other) for other in others}
    joint = together([before, *taken.values()], order)
    join = Join(version=survivor.version, before=before, joint=joint, taken=taken)
    merged = _standing(survivor, joint).model_copy(
        update={
            "members": _sorted(survivor.members, *((o.lead_id, *o.members) for o in others)),
            "joins": (*survivor.joins, join),
            "edits": join_edits(survivor.edits, *(other.edits for other in others)),
        }
    )
    gone = {
        "merged_into": survivor.lead_id,
        "identity_keys": (),
        "awaits": "",
        "is_unowned": False,
    }
    return merged, tuple(other.model_copy(update=gone) for other in others)


def standing_of(lead: Lead) -> Standing:
    """Read where our work on a lead stands."""
    return Standing(**{name: getattr(lead, name) for name in Standing.model_fields})


def together(standings: Sequence[Standing], order: Sequence[Stage] = STAGES) -> Standing:
    """Work out where several leads stand as one; the order of all but the first is no matter."""
    furthest = min(standings, key=_furthest)
    owned = [one for one in standings if one.assignment]
    held = [one.assignment for one in owned if one.assignment]
    if owned:
        leading = min(owned, key=lambda one: _seniority(one.assignment))
        awaits, is_unowned, is_raised = leading.awaits, False, leading.is_raised
    else:
        leading = standings[0]
        awaits = max(one.awaits for one in standings)
        is_unowned = any(one.is_unowned for one in standings)
        is_raised = any(one.is_raised for one in standings)
    return Standing(
        status=furthest.status,
        status_reason=furthest.status_reason,
        stage=further((one.stage for one in standings), order),
        rule_id=leading.rule_id,
        pool_id=leading.pool_id,
        awaits=awaits,
        is_unowned=is_unowned,
        is_raised=is_raised,
        assignment=with_joint_clock(leading.assignment, held) if leading.assignment else None,
        declined_by=_sorted(*(one.declined_by for one in standings)),
        apart=_sorted(*(one.apart for one in standings)),
    )


def further(stages: Iterable[Stage], order: Sequence[Stage]) -> Stage:
    """Give the furthest of some stages; one that is in no configuration any more is the least."""
    known = list(order)
    return max(stages, key=lambda one: (known.index(one) if one in known else -1, one))


@dataclass(frozen=True)
class Pick:
    """What a rule would have said of a touch had the lead that is taken out not been there.

    Attributes:
        lead_id: of the lead that the touch was saved with.
        version: of that lead then.
    """

    lead_id: str
    version: int
    rule_id: str
    pool_id: str
    stage: Stage


@dataclass(frozen=True)
class Parted:
    """What is left when a lead was taken out of another; all are still to be folded.

    Attributes:
        rest: the survivor without it.
        member: the lead that was taken out, live again.
        between: merged leads that the member had been merged into before, without it.
    """

    rest: Lead
    member: Lead
    between: tuple[Lead, ...]


def take_out(
    family: Mapping[str, Lead],
    member_id: str,
    raised: Collection[Stage] = (),
    picks: Sequence[Pick] = (),
    marked: Mapping[str, Collection[str]] = MappingProxyType({}),
    order: Sequence[Stage] = STAGES,
) -> Parted:
    """Take a lead, with those merged into it, out of the lead that it became part of.

    Args:
        family: the live lead and all its members, by id.
        member_id: of one of the members.
        raised: stages that rules gave to the whole since, by touches and not by a person.
        picks: what rules say of the rest's touches that came since, in the order they came.
        marked: of leads that the live lead is kept apart from, which ids they say that of.
        order: of the stages, from least to furthest.
    """
    member = family[member_id]
    gone = {member_id, *member.members}
    own, declined = _comes_back(_stood(family, member), _fate(family, member))
    between: list[Lead] = []
    # Whoever is no part of the whole is also none of what it was first merged into.
    parents = [member.merged_into]
    child_id, child = member_id, None
    parent = family[member.merged_into]
    while True:
        ours_since = [p for p in picks if p.lead_id == parent.lead_id]
        since = _Since(frozenset(raised), ours_since, order)
        joins, child = _without(family, parent, child_id, child, since, declined)
        child_id = parent.lead_id
        members = tuple(one for one in parent.members if one not in gone)
        edits = edits_said_of(parent.edits, {parent.lead_id, *members})
        update = {"joins": joins, "members": members, "edits": edits}
        bare = parent.model_copy(update=update)
        if not parent.merged_into:
            break
        between.append(bare)
        parent = family[parent.merged_into]
        parents.append(parent.lead_id)
    # A mark that is gone from the whole was lifted.
    marks = {one for one in own.apart if one in parent.apart and one not in marked}
    marks |= {one for one, named in marked.items() if not gone.isdisjoint(named)}
    ours = {parent.lead_id, *bare.members}
    others = {one for one in child.apart if one not in marked}
    others |= {one for one, named in marked.items() if not ours.isdisjoint(named)}
    return Parted(
        rest=_standing(bare, child).model_copy(update={"apart": _sorted(others, (member_id,))}),
        member=_standing(member, own).model_copy(
            update={
                "apart": _sorted(marks, parents),
                "edits": edits_said_of(parent.edits, gone),
                "merged_into": "",
            }
        ),
        between=tuple(between),
    )


def rebase(old: Standing, new: Standing, now: Standing, raised: Collection[Stage] = ()) -> Standing:
    """Put what was changed since on another ground: what is as it was follows the ground.

    Args:
        old: how all stood together.
        new: how they would have stood otherwise.
        now: what became of `old` since.
        raised: stages that only rules gave it since.
    """
    update: dict[str, Any] = {}
    has_changed_hands = _id(now.assignment) != _id(old.assignment)
    is_returned = now.assignment is None and _id(new.assignment) not in ("", _id(old.assignment))
    is_as_it_was = (now.status, now.status_reason) == (old.status, old.status_reason)
    if is_as_it_was or (is_returned and now.status == "new"):
        update |= {"status": new.status, "status_reason": new.status_reason}
    if now.stage == old.stage or now.stage in raised:
        update["stage"] = new.stage
    if not has_changed_hands or is_returned:
        update |= {
            "assignment": _kept_up(old.assignment, new.assignment, now.assignment),
            "rule_id": new.rule_id,
            "pool_id": new.pool_id,
            "is_raised": new.is_raised,
        }
        waits = now.awaits, now.is_unowned
        if new.assignment or waits == (old.awaits, old.is_unowned):
            update |= {"awaits": new.awaits, "is_unowned": new.is_unowned}
    for name in ("declined_by", "apart"):
        was, would, is_now = (set(getattr(one, name)) for one in (old, new, now))
        update[name] = tuple(sorted((would | (is_now - was)) - (was - is_now)))
    return now.model_copy(update=update)


def settled(lead: Lead, touches: Iterable[Touch]) -> Lead:
    """See to it that a lead that was taken apart has an owner, waits for one, or is withdrawn."""
    if all(touch.void or touch.only_if_known for touch in touches):
        gone = {"status": "disqualified", "status_reason": "withdrawn"}
        return lead.model_copy(update={**gone, "awaits": "", "is_unowned": False})
    if lead.status == "disqualified" and lead.status_reason != "withdrawn":
        # Somebody, or a rule, has refused it; nobody is to be bothered with it.
        return lead.model_copy(update={"awaits": "", "is_unowned": False})
    update: dict[str, Any] = {}
    if lead.status_reason == "withdrawn":
        update |= {"status": "new", "status_reason": "", "awaits": "owner"}
    if lead.assignment:
        update["is_unowned"] = False
    elif not lead.is_unowned:
        update["awaits"] = "owner"
    if lead.status == "assigned" and not lead.assignment:
        update["status"] = "new"
    return lead.model_copy(update=update)


MOST_COMPARED = 24
"""With so many touches of each of both a touch is compared, the last ones."""


@dataclass
class Known:
    """What is known of one of two leads that were one; it grows with what is found to be its."""

    keys: set[str] = field(default_factory=set)
    touches: list[Touch] = field(default_factory=list)
    edits: Sequence[Edit] = ()

    def learn(self, touch: Touch) -> None:
        """Add a touch."""
        self.keys |= set(touch.identity_keys)
        self.touches.append(touch)

    def learn_edits(self, edits: Sequence[Edit]) -> None:
        """Add what was said by hand."""
        self.keys |= {key for edit in edits for key in edit.identity_keys}
        self.edits = edits

    def likeness(self, record: Record, weights: Weights) -> tuple[bool, float]:
        """Weigh whether a record is theirs: whether nothing forbids it, and the bits."""
        records = [record_of(touch, "") for touch in self.touches[-MOST_COMPARED:]]
        records.append(record_of_edits(self.edits, ""))
        distinct = {one.said(): one for one in records if any(one.said())}
        found = weigh(record, distinct.values(), {}, weights)
        return (not found[0].guard, found[0].bits) if found else (True, ASK)


def closer(touch: Touch, member: Known, rest: Known, weights: Weights) -> Side:
    """Say which of two leads a touch belongs to that came while they were one.

    First by identity keys, then by all that is compared when a submission is matched. What tells
    of both alike, or of neither, stays with the rest, which it was saved with.
    """
    said = set(touch.identity_keys)
    if bool(said & member.keys) != bool(said & rest.keys):
        return "member" if said & member.keys else "rest"
    record = record_of(touch, "")
    (may_be_ours, ours), (may_be_theirs, theirs) = (
        one.likeness(record, weights) for one in (member, rest)
    )
    if may_be_ours != may_be_theirs:
        return "member" if may_be_ours else "rest"
    return "member" if ours >= theirs + CLEAR else "rest"


@dataclass(frozen=True)
class _Since:
    """What rules did to a lead since it took another one in.

    Attributes:
        raised: stages that they gave to the whole.
        picks: what they say without the other one.
        order: of the stages, from least to furthest.
    """

    raised: frozenset[Stage]
    picks: list[Pick]
    order: Sequence[Stage]

    def rebase(
        self, old: Standing, new: Standing, now: Standing, after: int, until: int | None
    ) -> Standing:
        """Put what was changed in a stretch of versions on another ground, and pick anew in it."""
        stood = rebase(old, new, now, self.raised)
        for pick in self.picks:
            if pick.version <= after or (until is not None and pick.version > until):
                continue
            update: dict[str, Any] = {"stage": further((stood.stage, pick.stage), self.order)}
            if _id(now.assignment) == _id(old.assignment) or not stood.assignment:
                update |= {"rule_id": pick.rule_id, "pool_id": pick.pool_id}
            stood = stood.model_copy(update=update)
        return stood


def _without(
    family: Mapping[str, Lead],
    lead: Lead,
    child_id: str,
    child: Standing | None,
    since: _Since,
    declined: str,
) -> tuple[tuple[Join, ...], Standing]:
    """Work a lead's joins out anew with one lead taken out, or standing otherwise.

    Returns:
        The joins, and where the lead then stands, or stood when it was merged away.
    """
    first = next(place for place, join in enumerate(lead.joins) if child_id in join.taken)
    kept = list(lead.joins[:first])
    before = lead.joins[first].before
    ends = [*((join.before, join.version) for join in lead.joins[first + 1 :]), None]
    for join, end in zip(lead.joins[first:], ends, strict=True):
        taken = {one: stood for one, stood in join.taken.items() if one != child_id}
        if child and child_id in join.taken:
            taken[child_id] = child
        joint = together([before, *taken.values()], since.order) if taken else before
        if taken:
            update = {"before": before, "joint": joint, "taken": taken}
            kept.append(join.model_copy(update=update))
        now, until = end or (_stood(family, lead), None)
        before = since.rebase(join.joint, joint, now, join.version, until)
        if declined and declined not in joint.declined_by:
            # It was the assignment of the lead taken out, so the rest may still go to them.
            others = tuple(one for one in before.declined_by if one != declined)
            before = before.model_copy(update={"declined_by": others})
    return tuple(kept), before


def _fate(family: Mapping[str, Lead], member: Lead) -> list[tuple[Standing, Standing]]:
    """Give, since a lead was taken in, how all stood after each merge and before the next."""
    found: list[tuple[Standing, Standing]] = []
    while member.merged_into:
        parent = family[member.merged_into]
        first = next(n for n, join in enumerate(parent.joins) if member.lead_id in join.taken)
        joins = parent.joins[first:]
        ends = [*(join.before for join in joins[1:]), _stood(family, parent)]
        found += [(join.joint, end) for join, end in zip(joins, ends, strict=True)]
        member = parent
    return found


def _stood(family: Mapping[str, Lead], lead: Lead) -> Standing:
    """Give how a lead stands, or stood when it was merged away."""
    if not lead.merged_into:
        return standing_of(lead)
    joins = family[lead.merged_into].joins
    return next(join.taken[lead.lead_id] for join in joins if lead.lead_id in join.taken)


def _comes_back(stood: Standing, seen: Sequence[tuple[Standing, Standing]]) -> tuple[Standing, str]:
    """Find how a lead stands that is taken out: with its assignment, unless that was dropped since.

    Returns:
        How it stands, and who declined its assignment since, if anybody did.
    """
    held = stood.assignment
    for joint, after in seen:
        if held is None or _id(joint.assignment) != held.assignment_id:
            break
        if _id(after.assignment) != held.assignment_id:
            has_declined = held.owner_id in set(after.declined_by) - set(joint.declined_by)
            declined = held.owner_id if has_declined else ""
            update: dict[str, Any] = {"assignment": None, "awaits": "owner"}
            update["declined_by"] = _sorted(stood.declined_by, (declined,) if declined else ())
            return stood.model_copy(update=update), declined
        held = _kept_up(joint.assignment, held, after.assignment)
    return stood.model_copy(update={"assignment": held}), ""


def _kept_up(
    old: Assignment | None, new: Assignment | None, now: Assignment | None
) -> Assignment | None:
    """Give the assignment of a lead that is taken apart, with what was done to it since."""
    if old is None or new is None or now is None or _id(now) != _id(new):
        return now if _id(now) == _id(new) else new
    return apart_again(old, new, now) if _id(old) == _id(now) else now


def _marked(one: Lead, other: Lead) -> bool:
    return not {one.lead_id, *one.members}.isdisjoint(other.apart)


def _standing(lead: Lead, standing: Standing) -> Lead:
    return lead.model_copy(update={name: getattr(standing, name) for name in Standing.model_fields})


def _furthest(standing: Standing) -> tuple[int, bool, str]:
    """Rank by status, the furthest first; of equals any order that does not depend on theirs."""
    reason = standing.status_reason
    return -STATUS_ORDER.index(standing.status), reason == "withdrawn", reason


def _seniority(assignment: Assignment | None) -> tuple[bool, datetime, str]:
    """Rank assignments: accepted ones first, then by age."""
    if assignment is None:
        raise ValueError("nobody owns it")
    return assignment.accepted_at is None, assignment.assigned_at, assignment.assignment_id


def _id(assignment: Assignment | None) -> str:
    return assignment.assignment_id if assignment else ""


def _sorted(*parts: Iterable[str]) -> tuple[str, ...]:
    """Join lists, in an order that does not depend on theirs."""
    return tuple(sorted({item for part in parts for item in part}))
