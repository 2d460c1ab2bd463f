"""The clock of a lead: what its owner is to do by when, and what happens when it is not done.

An assignment carries one promise of each kind: to accept, to touch (contact the person), and to
take the next step. Each has the time when it is due and the time of the next step of its ladder;
the earliest of these is when the lead is looked at again. Times are worked out anew at that
moment, from the configuration then in force, so an absence that was entered since moves them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from chalicelib.config.model import Config, Owner
from chalicelib.config.sla import SlaPolicy, SlaPromise, SlaStep
from chalicelib.lead.business_time import earlier, later
from chalicelib.lead.conditions import Facts, evaluate, facts_of_lead, tests_in
from chalicelib.lead.hours import find_zone
from chalicelib.lead.model import Assignment, Decision, Lead, Promise, PromiseKind, Status
from chalicelib.lead.promises import KINDS

TOUCHED: tuple[Status, ...] = ("contacted", "qualified")
"""Statuses that say that the person has been contacted."""

ALARMS = "alarms"
"""Stands for the destinations of settings.alarms where it is said who was told."""

IN_WORDS: Mapping[PromiseKind, str] = {
    "accept": "accept it",
    "touch": "contact the person",
    "step": "take the next step",
}

Does = Literal["moved", "passed", "tell", "reassign", "alarm"]


@dataclass(frozen=True)
class Firing:
    """What is to be done with a lead whose clock has come to its next instant.

    Attributes:
        promise: as it was before.
        step: which one of its ladder, from 0; -1 when none is taken.
        does: `moved`: only times have changed; `passed`: the step does not apply to this lead.
        reader: owner id of whom mails to owners go to.
        told: destinations that are told.
        because: in words.
        clock: of the assignment afterwards.
        is_late: the promise is overdue.
        is_missed: it is the first step after the time to accept has passed.
        facts: that conditions asked for.
    """

    promise: Promise
    step: int
    does: Does
    reader: str
    told: tuple[str, ...]
    because: str
    clock: tuple[Promise, ...]
    is_late: bool = False
    is_missed: bool = False
    facts: Mapping[str, Any] | None = None

    @property
    def result(self) -> str:
        """Name what is done, so that two firings can be compared."""
        to = f" {self.reader}" if self.reader else ""
        by = f" by {', '.join(self.told)}" if self.told else ""
        return f"{self.promise.kind} {self.step}: {self.does}{to}{by}"


def pick_policy(lead: Lead, config: Config, now: datetime) -> SlaPolicy | None:
    """Find the first policy that fits a lead; None when none does."""
    if not config.sla.policies:
        return None
    facts = facts_of_lead(lead, now)
    fits = (policy for policy in config.sla.policies if evaluate(policy.when, facts).holds)
    return next(fits, None)


def assigned(lead: Lead, config: Config, now: datetime) -> Lead:
    """Start the clock of a lead that has just been given to an owner."""
    policy = pick_policy(lead, config, now)
    if policy is None or lead.assignment is None:
        return lead
    return _with_clock(lead, _first(KINDS, policy, lead, config, lead.assignment.assigned_at))


def returned(lead: Lead, config: Config, now: datetime) -> Lead:
    """Let a person who came back wait no longer than a new one; what is awaited already stays."""
    policy = pick_policy(lead, config, now)
    if policy is None or lead.assignment is None:
        return lead
    if not lead.assignment.clock:
        kinds = KINDS[1:] if lead.assignment.accepted_at else KINDS
        return _with_clock(lead, _first(kinds, policy, lead, config, now))
    known = {one.kind: one for one in lead.assignment.clock}
    if "touch" in known and not known["touch"].kept_at and not _is_kept(known["touch"], lead):
        return lead
    touch = _begin("touch", policy, lead, config, now)
    return _with_clock(lead, _put(lead.assignment.clock, [touch] if touch else []))


def accepted(lead: Lead, at: datetime) -> Lead:
    """Note that the owner has taken a lead on; again changes nothing."""
    if lead.assignment is None or lead.assignment.accepted_at:
        return lead
    taken = lead.assignment.model_copy(
        update={"accepted_at": at, "clock": _kept(lead.assignment.clock, ("accept",), at)}
    )
    return lead.model_copy(update={"assignment": taken})


def touched(lead: Lead, config: Config, at: datetime, wanted_at: datetime | None = None) -> Lead:
    """Note that the owner has contacted the person: who does so has taken the lead on too.

    Args:
        at: when.
        wanted_at: when the next step is to be; None for what the policy says.
    """
    lead = accepted(lead, at)
    if lead.assignment is None:
        return lead
    lead = _with_clock(lead, _kept(lead.assignment.clock, KINDS, at))
    assignment = lead.assignment
    if assignment is None:
        return lead
    lead = lead.model_copy(
        update={
            "assignment": assignment.model_copy(update={"touched_at": at}),
            "status": "contacted" if lead.status in ("new", "assigned") else lead.status,
        }
    )
    return planned(lead, config, at, wanted_at)


def planned(lead: Lead, config: Config, now: datetime, wanted_at: datetime | None = None) -> Lead:
    """Set the next step of a lead: on a date, or so long from now as the policy says."""
    if lead.assignment is None:
        return lead
    policy = _policy_of(lead, config, now)
    step = _begin("step", policy, lead, config, now, wanted_at) if policy else None
    if step is None and wanted_at:
        step = Promise(
            kind="step", since=now, due_at=wanted_at, wanted_at=wanted_at, began=lead.status
        )
    return _with_clock(lead, _put(lead.assignment.clock, [step] if step else []))


def fire(lead: Lead, config: Config, now: datetime, facts: Facts | None = None) -> Firing | None:
    """Say what is to be done now; None when nothing is.

    Args:
        lead: as it stands.
        config: in force.
        now: of the decision.
        facts: of the lead, where they are known from then; see `asked`.
    """
    assignment = lead.assignment
    if assignment is None or lead.clock_at is None or lead.clock_at > now:
        return None
    due = [one for one in assignment.clock if one.next_at and not one.kept_at]
    promise = min(due, key=lambda one: (one.next_at, KINDS.index(one.kind)))
    if _is_kept(promise, lead):
        return _settled(lead, config, promise, now)
    ladder = _ladder(promise, config)
    if ladder is None:
        return _moved(assignment, promise, promise.model_copy(update={"next_at": None}))
    policy, rungs = ladder
    timed = _timed(promise, policy, rungs, assignment.owner_id, config)
    if timed.next_at is None or timed.next_at > now:
        return _moved(assignment, promise, timed)
    place = timed.done
    is_late = timed.due_at <= now
    if is_late and rungs.steps[place].after < 0:
        # A reminder that comes when it is too late says nothing; what comes next does.
        later_ones = [n for n, step in enumerate(rungs.steps) if n > place and step.after >= 0]
        place = later_ones[0] if later_ones else len(rungs.steps)
        timed = _timed(
            timed.model_copy(update={"done": place}), policy, rungs, assignment.owner_id, config
        )
        if timed.next_at is None or timed.next_at > now:
            return _moved(assignment, promise, timed)
    known = facts if facts is not None else facts_of_lead(lead, now)
    return _taken(lead, config, promise, timed, policy, rungs, known, is_late=is_late)


def asked(firing: Firing, config: Config) -> tuple[str, ...]:
    """Name the fields that a firing's step asks about."""
    ladder = _ladder(firing.promise, config)
    if ladder is None or firing.step < 0:
        return ()
    unless = ladder[1].steps[firing.step].unless
    return tuple(sorted({test.field for test in tests_in(unless)})) if unless else ()


def fire_again(decision: Decision, config: Config) -> str:
    """Make a stored decision of the clock again from what it stored; gives its result.

    Args:
        config: the configuration whose hash the decision carries.
    """
    now, inputs = decision.decided_at, decision.inputs
    names = ("lead_id", "version", "status", "stage", "declined_by", "assignment")
    known = {name: inputs[name] for name in names}
    lead = Lead.model_validate({**known, "created_at": now, "updated_at": now})
    firing = fire(lead, config, now, inputs["facts"])
    return firing.result if firing else ""


def overdue(lead: Lead, now: datetime) -> list[Promise]:
    """Give the promises of a lead that should have been kept by now, the oldest first."""
    if lead.assignment is None or not lead.is_open:
        return []
    late = [
        one
        for one in lead.assignment.clock
        if not one.kept_at and one.due_at <= now and not _is_kept(one, lead)
    ]
    return sorted(late, key=lambda one: (one.due_at, one.kind))


def _first(
    kinds: Iterable[PromiseKind], policy: SlaPolicy, lead: Lead, config: Config, since: datetime
) -> list[Promise]:
    """Make what is awaited first; the next step only where no contact comes before it."""
    wanted = [kind for kind in kinds if kind != "step" or policy.touch is None]
    begun = (_begin(kind, policy, lead, config, since) for kind in wanted)
    return [one for one in begun if one]


def _begin(
    kind: PromiseKind,
    policy: SlaPolicy,
    lead: Lead,
    config: Config,
    since: datetime,
    wanted_at: datetime | None = None,
) -> Promise | None:
    """Make a promise of a kind if the policy has it."""
    rungs: SlaPromise | None = getattr(policy, kind)
    if rungs is None or lead.assignment is None:
        return None
    promise = Promise(
        kind=kind,
        policy_id=policy.id,
        since=since,
        due_at=wanted_at or since,
        wanted_at=wanted_at,
        began=lead.status,
    )
    return _timed(promise, policy, rungs, lead.assignment.owner_id, config)


def _timed(
    promise: Promise, policy: SlaPolicy, rungs: SlaPromise, owner_id: str, config: Config
) -> Promise:
    """Give a promise with the times when it, and its next step, are due."""
    owner = config.owners.get(owner_id) if policy.time == "business" else None
    due_at = promise.wanted_at or _ahead(owner, config, promise.since, rungs.minutes)
    next_at = None
    if promise.done < len(rungs.steps):
        after = rungs.steps[promise.done].after
        if promise.wanted_at is None:
            next_at = _ahead(owner, config, promise.since, rungs.minutes + after)
        elif after >= 0:
            next_at = _ahead(owner, config, due_at, after)
        else:
            next_at = max(_back(owner, config, due_at, -after), promise.since)
    return promise.model_copy(update={"due_at": due_at.astimezone(UTC), "next_at": next_at})


def _ahead(owner: Owner | None, config: Config, start: datetime, minutes: int) -> datetime:
    span = timedelta(minutes=minutes)
    return later(owner, config.settings, start, span) if owner else start.astimezone(UTC) + span


def _back(owner: Owner | None, config: Config, end: datetime, minutes: int) -> datetime:
    span = timedelta(minutes=minutes)
    return earlier(owner, config.settings, end, span) if owner else end.astimezone(UTC) - span


def _ladder(promise: Promise, config: Config) -> tuple[SlaPolicy, SlaPromise] | None:
    """Find the ladder of a promise; None when the configuration has it no more."""
    policy = next((one for one in config.sla.policies if one.id == promise.policy_id), None)
    rungs: SlaPromise | None = getattr(policy, promise.kind) if policy else None
    return (policy, rungs) if policy and rungs else None


def _policy_of(lead: Lead, config: Config, now: datetime) -> SlaPolicy | None:
    """Give the policy that a lead's clock goes by, else the one that fits now."""
    clock = lead.assignment.clock if lead.assignment else ()
    named = {one.policy_id for one in clock if one.policy_id}
    held = next((policy for policy in config.sla.policies if policy.id in named), None)
    return held or pick_policy(lead, config, now)


def _is_kept(promise: Promise, lead: Lead) -> bool:
    """Say whether how the lead stands says that a promise is kept."""
    if promise.kind == "step":
        return False
    is_accepted = lead.assignment is not None and lead.assignment.accepted_at is not None
    if promise.kind == "accept" and is_accepted:
        return True
    return lead.status in TOUCHED and promise.began not in TOUCHED


def _settled(lead: Lead, config: Config, promise: Promise, now: datetime) -> Firing:
    """Note what is kept already; if nothing is awaited any more, await the next step."""
    assert lead.assignment is not None
    after = _with_clock(lead, _kept(lead.assignment.clock, (promise.kind,), now))
    clock = after.assignment.clock if after.assignment else ()
    if promise.kind == "touch":
        planned_one = planned(after, config, now).assignment
        clock = planned_one.clock if planned_one else clock
    return Firing(promise, -1, "moved", "", (), "is done already", clock)


def _moved(assignment: Assignment, promise: Promise, timed: Promise) -> Firing:
    clock = _put(assignment.clock, [timed])
    return Firing(promise, -1, "moved", "", (), "is due at another time now", tuple(clock))


def _taken(
    lead: Lead,
    config: Config,
    promise: Promise,
    timed: Promise,
    policy: SlaPolicy,
    rungs: SlaPromise,
    facts: Facts,
    *,
    is_late: bool,
) -> Firing:
    """Take a step of the ladder."""
    assert lead.assignment is not None
    place, owner_id = timed.done, lead.assignment.owner_id
    step = rungs.steps[place]
    told_before = [before for before in rungs.steps[:place] if before.after >= 0]
    is_missed = promise.kind == "accept" and is_late and not told_before
    because = _because(timed, policy, lead, config, is_late=is_late)
    does, reader, told, why = _deed(step, lead, config, facts)
    if does == "passed":
        reader, told = "", ()
    after = _timed(
        timed.model_copy(
            update={"done": place + 1, "told": (*timed.told, *_who(does, reader, told))}
        ),
        policy,
        rungs,
        owner_id,
        config,
    )
    return Firing(
        promise,
        place,
        does,
        reader,
        told,
        "; ".join(filter(None, (because, why))),
        tuple(_put(lead.assignment.clock, [after])),
        is_late=is_late,
        is_missed=is_missed,
        facts=facts,
    )


def _deed(
    step: SlaStep, lead: Lead, config: Config, facts: Facts
) -> tuple[Does, str, tuple[str, ...], str]:
    """Say what a step comes to: what is done, who reads it, where it is told, and why so."""
    assert lead.assignment is not None
    if step.unless is not None and (trace := evaluate(step.unless, facts)).holds:
        return "passed", "", (), f"nothing is done, for {trace.because}"
    owner_id = lead.assignment.owner_id
    does: Does = step.do
    why = ""
    had = len({*lead.declined_by, owner_id})
    if does == "reassign" and had >= config.sla.most_owners:
        does, why = "alarm", f"{had} owners have had it, so it is not taken back again"
    reader, alarms = owner_id, does == "alarm"
    if step.to == "manager":
        owner = config.owners.get(owner_id)
        reader = owner.manager if owner and owner.manager in config.owners else ""
        if not reader:
            alarms = True
            why = why or f"{_name(owner_id, config)} has no manager, so the alarms are told"
    named = (*step.notify, *(config.settings.alarms if alarms else ()))
    there = [one for one in dict.fromkeys(named) if one in config.destinations]
    told = tuple(one for one in there if config.destinations[one].enabled)
    return does, reader, told, why


def _who(does: Does, reader: str, told: Sequence[str]) -> tuple[str, ...]:
    """Name who has been told."""
    if not told:
        return ()
    return (ALARMS,) if does == "alarm" or not reader else (reader,)


def _because(
    promise: Promise, policy: SlaPolicy, lead: Lead, config: Config, *, is_late: bool
) -> str:
    assert lead.assignment is not None
    name = _name(lead.assignment.owner_id, config)
    what = IN_WORDS[promise.kind]
    title = policy.title or policy.id
    owner = config.owners.get(lead.assignment.owner_id)
    zone = find_zone(owner, config.settings) if owner else None
    due = f"{promise.due_at.astimezone(zone or UTC):%Y-%m-%d %H:%M} {zone.key if zone else 'UTC'}"
    if is_late:
        return f"{name} was to {what} by {due} ({title})"
    return f"{name} is to {what} by {due} ({title})"


def _name(owner_id: str, config: Config) -> str:
    return config.owners[owner_id].name if owner_id in config.owners else owner_id


def _with_clock(lead: Lead, clock: Iterable[Promise]) -> Lead:
    if lead.assignment is None:
        return lead
    update = {"clock": tuple(clock)}
    return lead.model_copy(update={"assignment": lead.assignment.model_copy(update=update)})


def _put(clock: Iterable[Promise], new: Sequence[Promise]) -> list[Promise]:
    """Put promises in place of those of their kinds."""
    by_kind = {one.kind: one for one in (*clock, *new)}
    return [by_kind[kind] for kind in KINDS if kind in by_kind]


def _kept(
    clock: Iterable[Promise], kinds: Sequence[PromiseKind], at: datetime
) -> tuple[Promise, ...]:
    """Mark promises of some kinds as kept."""
    return tuple(
        one.model_copy(update={"kept_at": at, "next_at": None})
        if one.kind in kinds and not one.kept_at
        else one
        for one in clock
    )
