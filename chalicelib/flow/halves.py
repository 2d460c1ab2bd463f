"""Two leads that were one, as if they never had been: each with what is of it; writes nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.flow.family import Family, arrival
from chalicelib.flow.leads import StoredTouch, live_leads_by_id
from chalicelib.flow.match import LATER, decide, learn
from chalicelib.hub import Current, Hub
from chalicelib.lead.edits import edits_said_of
from chalicelib.lead.folding import fold
from chalicelib.lead.merging import Parted, Pick, family_of, settled, take_out
from chalicelib.lead.model import Decision, Edit, Join, Lead, Stage, Standing, Touch
from chalicelib.lead.qualifying import is_further
from chalicelib.records import event_of, lead_key

REPLAYED = 50
"""Of the touches that came later, at most so many of each side are gone through one by one."""

REPLAYED_AMONG = 500
"""So many touches may be folded for that on each side; a long story is gone through in less."""

FOLDED = (
    "profile",
    "custom",
    "consents",
    "first_touch",
    "last_touch",
    "credits",
    "flags",
    "is_partial",
)
"""What of a lead says whether its touches and edits are those of a known state."""


@dataclass(frozen=True)
class Half:
    """One of two leads that were one, as it will be."""

    lead: Lead
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Parts:
    """What becomes of a lead when one is taken out of it.

    Attributes:
        rest: the lead that work went on with.
        member: the one that was taken out.
        between: merged leads that the member had been merged into before.
    """

    rest: Half
    member: Half
    between: tuple[Lead, ...]

    @property
    def live(self) -> tuple[Lead, Lead]:
        """Give the two leads that there are then."""
        return self.rest.lead, self.member.lead


def part(hub: Hub, current: Current, family: Family) -> Parts:
    """Work out what becomes of both; writes nothing."""
    now = max([hub.clock(), *(one.updated_at + LATER for one in family.leads.values())])
    picks, picked = _picks(hub, current, family)
    raised, marked = _raised(current, family), _marked(hub, family.live)
    order = current.config.qualifying.order
    parted = take_out(family.leads, family.member_id, raised, picks, marked, order)
    rest = _rest(hub, current, family, parted.rest, picks, now)
    return Parts(
        rest=replace(rest, decisions=(*picked, *rest.decisions)),
        member=_member(hub, current, family, parted.member, now),
        between=tuple(_between(hub, current, family, parted)),
    )


def _marked(hub: Hub, live: Lead) -> dict[str, tuple[str, ...]]:
    """Give the leads that this one is kept apart from, and of which ids they say that."""
    if not live.apart:
        return {}
    leads = live_leads_by_id(hub.table, live.apart)
    return {lead_id: lead.apart for lead_id, lead in leads.items()}


def _picks(hub: Hub, current: Current, family: Family) -> tuple[list[Pick], tuple[Decision, ...]]:
    """Decide anew on the rest's later touches, each with what would have been there at the time.

    Returns:
        What the rules say, in the order the touches came, and the last touch's decisions.
    """
    ours = family_of([family.member])
    rest = [*family.fixed[1], *family.later[1]]
    picks: list[Pick] = []
    decisions: tuple[Decision, ...] = ()
    stages: dict[str, Stage] = {}
    for old in family.later[1][-_replayed(len(rest)) :]:
        touch, holder = old.record.touch, family.leads[old.lead_id]
        if touch.only_if_known:
            continue
        group = _group(family.leads, holder, old.record.lead_version) - ours
        there = [
            one.record.touch
            for one in rest
            if one.lead_id in group and (one.lead_id != old.lead_id or arrival(one) < arrival(old))
        ]
        before = next(join for join in reversed(holder.joins) if _is_before(join, old)).before
        update = {name: getattr(before, name) for name in Standing.model_fields}
        update |= {"stage": stages.get(old.lead_id, before.stage)}
        update |= {"edits": _said_until(edits_said_of(family.live.edits, group), old)}
        lead, decisions = decide(
            hub,
            current,
            holder.model_copy(update=update),
            [*there, touch.model_copy(update={"void": ""})],
            touch.received_at,
        )
        stages[old.lead_id] = lead.stage
        version = old.record.lead_version
        picks.append(Pick(old.lead_id, version, lead.rule_id, lead.pool_id, lead.stage))
    return picks, decisions


def _replayed(touches: int) -> int:
    """Say how many of so many touches, the last ones, are gone through one by one."""
    return max(1, min(REPLAYED, REPLAYED_AMONG // max(touches, 1)))


def _group(leads: Mapping[str, Lead], holder: Lead, version: int) -> set[str]:
    """Give a lead and the leads that had been merged into it when it had a version."""
    joined = (join for join in holder.joins if join.version < version)
    return {holder.lead_id, *family_of(leads[one] for join in joined for one in join.taken)}


def _is_before(join: Join, old: StoredTouch) -> bool:
    return join.version < old.record.lead_version


def _said_until(edits: Iterable[Edit], old: StoredTouch) -> tuple[Edit, ...]:
    """Give what had been said by hand when a touch came."""
    until = max((one.decided_at for one in old.record.decisions), default=None)
    return tuple(edit for edit in edits if until is None or edit.at <= until)


def _rest(
    hub: Hub, current: Current, family: Family, lead: Lead, picks: Sequence[Pick], now: datetime
) -> Half:
    """Say how the rest stands, which is the lead that work went on with."""
    touches = [old.record.touch for old in (*family.fixed[1], *family.later[1])]
    later = [old.record.touch for old in family.later[1]]
    # With what came since and counts it is as it never was before.
    is_new = any(not (touch.void or touch.only_if_known) for touch in later)
    states = [] if is_new else _states_before(hub, lead.lead_id)
    then, is_known = _as_before(current, lead, states, touches)
    lead = _with_edits(current, then, lead.edits, touches)
    decisions: tuple[Decision, ...] = ()
    if lead != then or not is_known:
        at = later[-1].received_at if later else now
        lead, decisions = learn(hub, current, lead, touches, at)
    live = family.live
    if later:
        if _assignment_id(lead) == _assignment_id(live):
            # It was routed with these touches already, or is about to be.
            waits = {"awaits": live.awaits, "is_unowned": live.is_unowned}
            is_raised = _is_raised_unseen(current, family, picks, lead)
            lead = lead.model_copy(update={**waits, "is_raised": is_raised or live.is_raised})
            if is_raised:
                lead = lead.model_copy(update={"awaits": "owner"})
        elif any(not touch.only_if_known for touch in later):
            lead = lead.model_copy(update={"awaits": "owner", "is_unowned": False})
    return _finished(Half(lead, decisions), family, 1, live.version, now)


def _is_raised_unseen(current: Current, family: Family, picks: Sequence[Pick], lead: Lead) -> bool:
    """Say whether a later touch raised the rest's stage while the whole had that stage already.

    Then its owner is still the one from before, and nobody has asked whether that is right.
    """
    if not picks or not lead.assignment:
        return False
    first = next(
        join for join in family.leads[picks[0].lead_id].joins if join.version < picks[0].version
    )
    arrived = max(
        old.record.touch.received_at
        for old in family.later[1]
        if not old.record.touch.only_if_known
    )
    return (
        is_further(picks[-1].stage, first.before.stage, current.config.qualifying.order)
        and lead.assignment.assigned_at <= arrived
    )


def _member(hub: Hub, current: Current, family: Family, lead: Lead, now: datetime) -> Half:
    """Say how the lead that is taken out stands, as if its later touches had come to it."""
    stored = family.member
    half = _half(hub, current, lead, [stored], (family.fixed[0], family.later[0]), now)
    return _finished(half, family, 0, stored.version, now)


def _finished(half: Half, family: Family, place: int, version: int, now: datetime) -> Half:
    touches = [old.record.touch for old in (*family.fixed[place], *family.later[place])]
    lead = settled(half.lead, touches)
    return replace(half, lead=lead.model_copy(update={"version": version + 1, "updated_at": now}))


def _half(
    hub: Hub,
    current: Current,
    lead: Lead,
    before: Iterable[Lead],
    touches: tuple[Sequence[StoredTouch], Sequence[StoredTouch]],
    now: datetime,
) -> Half:
    """Fold one of both; where touches came since, decide on each anew as if it came to it alone.

    Args:
        hub: who decides.
        current: configuration in force.
        lead: with its own standing and edits.
        before: states from before the merge that may have been its own; a score is kept if what it
            follows from is as it was.
        touches: from before the merge, and later ones.
        now: time of the un-merge.
    """
    done = [old.record.touch for old in touches[0]]
    edits = lead.edits
    lead, is_known = _as_before(current, lead, before, done)
    decisions: tuple[Decision, ...] = ()
    many = max(len(touches[1]) - _replayed(len(touches[0]) + len(touches[1])), 0)
    lots = [touches[1][:many], *([old] for old in touches[1][many:])]
    for lot in filter(None, lots):
        *earlier, newest = (old.record.touch for old in lot)
        at = max(newest.received_at, lead.updated_at)
        said = _said_until(edits, lot[-1])
        settle = learn if newest.only_if_known else decide
        done += earlier
        counted = newest.model_copy(update={"void": ""})
        lead, decisions = settle(
            hub, current, lead.model_copy(update={"edits": said}), [*done, counted], at
        )
        done.append(newest)
    done_later = bool(touches[1])
    final = _with_edits(current, lead, edits, done)
    if final != lead or not (is_known or done_later):
        lead, learnt = learn(hub, current, final, done, now)
        decisions = (*decisions, *learnt)
    return Half(lead, decisions)


def _with_edits(
    current: Current, lead: Lead, edits: tuple[Edit, ...], touches: Sequence[Touch]
) -> Lead:
    """Fold a lead with all that was said of it by hand."""
    said = lead.model_copy(update={"edits": edits})
    return fold(said, touches, lead.updated_at, current.config.merging)


def _as_before(
    current: Current, lead: Lead, before: Iterable[Lead], touches: Sequence[Touch]
) -> tuple[Lead, bool]:
    """Fold a lead as it was before the merge; says whether its score is known from then."""
    count = sum(not (touch.void or touch.only_if_known) for touch in touches)
    for known in before:
        if known.touch_count != count:
            continue
        then = lead.model_copy(update={"edits": known.edits, "score": known.score})
        folded = fold(then, touches, known.updated_at, current.config.merging)
        if all(getattr(folded, name) == getattr(known, name) for name in FOLDED):
            return folded.model_copy(update={"config_hash": current.hash}), True
    folded = fold(lead, touches, lead.created_at, current.config.merging)
    return folded.model_copy(update={"config_hash": current.hash}), False


def _between(hub: Hub, current: Current, family: Family, parted: Parted) -> Iterator[Lead]:
    """Give the merged leads in between as they would be, had the member never been in them."""
    rest = (*family.fixed[1], *family.later[1])
    for lead in parted.between:
        ours = {lead.lead_id, *lead.members}
        touches = [old.record.touch for old in rest if old.lead_id in ours]
        then, is_known = _as_before(current, lead, _states_before(hub, lead.lead_id), touches)
        folded = _with_edits(current, then, lead.edits, touches)
        if folded != then or not is_known:
            folded, _ = learn(hub, current, folded, touches, lead.updated_at)
        update = {"identity_keys": (), "version": lead.version + 1, "updated_at": lead.updated_at}
        yield folded.model_copy(update=update)


def _states_before(hub: Hub, lead_id: str) -> list[Lead]:
    """Read how a lead was before each of its merges, the last one first."""
    items = hub.table.query(lead_key(lead_id)[0], "EVENT#")
    events = [event for event in map(event_of, reversed(items)) if event.kind == "merged"]
    return [
        Lead.model_validate(event.before[lead_id], extra="ignore")
        for event in events
        if event.before.get(lead_id)
    ]


def _raised(current: Current, family: Family) -> set[Stage]:
    """Give the stages that rules gave to the whole for touches that came since."""
    picked = {
        decision.result
        for side in family.later
        for old in side
        for decision in old.record.decisions
        if decision.kind == "rule"
    }
    entered = {
        decision.result
        for side in family.later
        for old in side
        for decision in old.record.decisions
        if decision.kind == "stage" and decision.result != decision.inputs["stage"]
    }
    named = {rule.stage for rule in current.config.routing if rule.id in picked and rule.stage}
    return named | entered


def _assignment_id(lead: Lead) -> str:
    return lead.assignment.assignment_id if lead.assignment else ""
