"""Histories of a few people, drawn by a seed, played with merges that are undone and without."""

import random
from collections.abc import Callable, Iterable, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from chalicelib.errors import Conflict
from chalicelib.flow.answer import accept, decline
from chalicelib.flow.edit import edit
from chalicelib.flow.leads import live_lead
from chalicelib.flow.merge import merge
from chalicelib.flow.unmerge import unmerge
from chalicelib.hub import Hub
from chalicelib.lead.model import Assignment, Lead
from chalicelib.records import lead_key, lead_of
from tests.fakes import Ids
from tests.faults import Call, Fault, Kill, apply, untouched
from tests.world import World, form, linkedin, linkedin_pages

NAMES = (
    ("Adaeze", "Okonkwo"),
    ("Bjarne", "Lindqvist"),
    ("Chiara", "Moretti"),
    ("Dmitri", "Volkov"),
    ("Esperanza", "Quiroga"),
    ("Fergus", "Mactavish"),
    ("Gulnara", "Sadykova"),
    ("Hideyoshi", "Watanabe"),
)
"""People whom no name makes alike."""

BETWEEN_STEPS = timedelta(minutes=15)
"""Every step begins at a time of its own, so that both ways of playing it see the same times."""

BEGINS_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

IDS_OF_A_STEP = 1000

WITH_PHONE, BY_PHONE, WITH_CONSENT = 1, 2, 3
"""What else an enquiry tells; any other number is the address alone."""


@dataclass(frozen=True)
class Step:
    """One thing that happens.

    Attributes:
        does: touch, linkedin, withdraw, settle, work, accept, decline, edit, merge or unmerge.
        who: number of a person; the first one of a merge; which lead is taken out.
        what: answers, field and value, or the other people of a merge.
        crash: at which call of a merge or un-merge the process ends; 0 for never.
    """

    does: str
    who: int = 0
    what: tuple[Any, ...] = ()
    crash: int = 0


@dataclass(frozen=True)
class History:
    """What happens in order; merges are undone before the last part begins.

    Attributes:
        people: how many may be merged; the rest are others.
        begins: place of the first merge.
        ends: place after which no merge stands any more.
    """

    seed: int
    people: int
    steps: tuple[Step, ...]
    begins: int
    ends: int


def draw(seed: int) -> History:
    """Draw a history."""
    chance = random.Random(seed)
    people = chance.choice((2, 2, 3, 3, 4))
    steps = [_touch(chance, who) for who in range(people)]
    if chance.random() < 0.3:
        steps.append(Step("linkedin", chance.randrange(people)))
    steps += _some(chance, people, chance.randint(0, 3), ("touch", "edit", "accept", "decline"))
    if chance.random() < 0.85:
        steps.append(Step("settle"))
    steps += _some(chance, people, chance.randint(0, 2), ("accept", "edit", "touch", "settle"))
    begins = len(steps)
    kinds = (*["touch"] * 4, "edit", "accept", "settle", "work", "withdraw", "other", "decline")
    merges = _merges(chance, people)
    for part in merges:
        steps.append(part)
        steps += _some(chance, people, chance.choice((0, 1, 1, 2, 2)), kinds)
    for _ in range(sum(len(step.what) for step in merges)):
        steps += _some(chance, people, chance.choice((0, 0, 1, 1)), kinds)
        steps.append(Step("unmerge", chance.randrange(12), crash=_crash(chance)))
    steps.append(Step("settle"))
    ends = len(steps)
    steps += _some(chance, people, chance.randint(0, 3), ("touch", "edit", "withdraw", "other"))
    return History(seed, people, _by_known_phones([*steps, Step("settle")]), begins, ends)


def _by_known_phones(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Let nobody write by phone alone who has not told it together with their address."""
    known = set()
    found = []
    for step in steps:
        kind = step.what[1] if step.does == "touch" else 0
        is_new = kind == BY_PHONE and step.who not in known
        if is_new or kind == WITH_PHONE:
            known.add(step.who)
        found.append(replace(step, what=(step.what[0], WITH_PHONE)) if is_new else step)
    return tuple(found)


def _touch(chance: random.Random, who: int) -> Step:
    return Step("touch", who, (chance.choice((0, 0, 0, 120, 250)), chance.randrange(4)))


def _some(chance: random.Random, people: int, number: int, kinds: Sequence[str]) -> list[Step]:
    found = []
    for _ in range(number):
        does, who = chance.choice(kinds), chance.randrange(people)
        match does:
            case "touch":
                found.append(_touch(chance, who))
            case "other":
                found.append(_touch(chance, chance.randrange(people, len(NAMES))))
            case "edit":
                fields = ("company", "job_title", "city", "phone")
                found.append(Step("edit", who, (chance.choice(fields), chance.randrange(9))))
            case _:
                found.append(Step(does, who))
    return found


def _merges(chance: random.Random, people: int) -> list[Step]:
    """Draw merges, nested at will, each of leads that are not one yet; some people stay alone."""
    groups = [[who] for who in range(people)]
    chance.shuffle(groups)
    found = []
    for _ in range(chance.randint(1, people - 1)):
        number = 2 if len(groups) < 3 or chance.random() < 0.7 else 3
        picked = groups[:number]
        groups = [[one for group in picked for one in group], *groups[number:]]
        first, *others = (group[0] for group in picked)
        found.append(Step("merge", first, tuple(others), _crash(chance)))
        if len(groups) == 1:
            break
        chance.shuffle(groups)
    return found


def _crash(chance: random.Random) -> int:
    at: int = chance.choice((0, 0, 0, *range(1, 16)))
    return at


@dataclass
class Played:
    """A world after a history, and what was done in it.

    Attributes:
        ids: of the leads of people, by number.
        assigned: the assignment that each had when the first merge came.
        refused: places of answers that were refused, for their lead had gone to somebody else.
        times: when the first merge came, and when none stood any more.
    """

    history: History
    world: World
    ids: dict[int, str] = field(default_factory=dict)
    assigned: dict[int, Assignment] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    times: list[datetime] = field(default_factory=list)

    def stored(self, who: int) -> Lead:
        """Read somebody's lead as it is stored."""
        item = self.world.table.get(lead_key(self.ids[who]))
        assert item
        return lead_of(item)


def play_both(history: History) -> tuple[Played, Played]:
    """Play a history, and all of it but its merges; what came before them is the same."""
    with_merges = Played(history, World())
    _play(with_merges, range(history.begins), is_merged=False)
    without = forked(with_merges)
    rest = range(history.begins, len(history.steps))
    _play(with_merges, rest, is_merged=True)
    # An answer to what a merge has changed was refused; then nobody gives it.
    _play(without, [n for n in rest if n not in with_merges.refused], is_merged=False)
    return with_merges, without


def forked(played: Played) -> Played:
    """Give the same world once more, which goes its own way from here on."""
    old, new = played.world, World()
    new.clock._at = old.clock()
    for name in ("_items", "_indexed", "_log", "commits"):
        setattr(new.table, name, copy(getattr(old.table, name)))
    shared = {id(old.clock): new.clock}
    for name in ("inbox", "routing", "outbox"):
        setattr(new, name, deepcopy(getattr(old, name), shared))
    new.mailbox, new.web = copy(old.mailbox), copy(old.web)
    new.mailbox.mails, new.web.posts = [*old.mailbox.mails], [*old.web.posts]
    new.web.pages, new.told = {**old.web.pages}, [*old.told]
    new.hub = new.worker(untouched)
    new.hub.configurations._known = copy(old.hub.configurations._known)
    return replace(played, world=new, refused=set(), times=[*played.times])


def _play(played: Played, places: Iterable[int], *, is_merged: bool) -> None:
    history, world = played.history, played.world
    for place in places:
        step = history.steps[place]
        world.clock._at = BEGINS_AT + place * BETWEEN_STEPS
        world.ids._numbers = count(1 + place * IDS_OF_A_STEP)
        if place in (history.begins, history.ends):
            played.times.append(world.clock())
        if place == history.begins:
            _let_some_wait(played)
            _know(played)
        if step.does in ("merge", "unmerge"):
            if is_merged:
                _join_or_part(played, step)
        else:
            _do(played, place, step)


def _let_some_wait(played: Played) -> None:
    """Take in all that came; in some histories it is not routed yet, or nobody has been told."""
    world = played.world
    while world.work(world.inbox, world.hub):
        continue
    if played.history.seed % 4:
        while world.work(world.routing, world.hub):
            continue
    if played.history.seed % 2:
        world.drain()


def _know(played: Played) -> None:
    """Note whose lead is which, and whose each is."""
    for lead in played.world.leads():
        name = lead.profile.get("full_name") or lead.profile["email"]
        for who in range(played.history.people):
            if str(name.value) in (" ".join(NAMES[who]), _email(who)):
                played.ids[who] = lead.lead_id
                if lead.assignment:
                    played.assigned[who] = lead.assignment


def _email(who: int) -> str:
    return f"{NAMES[who][1].lower()}@{NAMES[who][0].lower()}.example.com"


def _do(played: Played, place: int, step: Step) -> None:
    world = played.world
    match step.does:
        case "touch":
            seats, kind = step.what
            world.send("forms", _body(place, step.who, seats, kind, world.clock()))
        case "linkedin":
            world.web.pages |= linkedin_pages(step.who + 1, _email(step.who))
            world.send("linkedin", linkedin(step.who + 1))
        case "withdraw":
            world.send("linkedin", linkedin(step.who + 1, "DELETED", 1_795_420_900_000))
        case "work":
            world.work(world.inbox, world.hub)
        case "settle":
            world.settle()
        case "edit":
            _edit(played, step)
        case "accept" | "decline":
            _answer(played, place, step)


def _body(place: int, who: int, seats: int, kind: int, at: datetime) -> bytes:
    """Write an enquiry; the phone alone, a new one, or a refusal may be what is told."""
    more: dict[str, Any] = {"full_name": " ".join(NAMES[who])}
    more |= {"seats": str(seats)} if seats else {}
    phone = f"+4477009001{who:02}" if kind in (WITH_PHONE, BY_PHONE) else ""
    email = "" if kind == BY_PHONE else _email(who)
    if kind == WITH_CONSENT:
        more["consent"] = "no" if place % 2 else "yes"
    return form(place, email, phone, f"{at:%Y-%m-%dT%H:%M:%SZ}", **more)


def _edit(played: Played, step: Step) -> None:
    name, value = step.what
    values = {"phone": f"+4477009002{step.who}{value}", "city": f"Town {value}"}
    if step.who in played.ids:
        wanted = {name: values.get(name, f"Made Up {value}")}
        edit(played.world.hub, played.ids[step.who], wanted, (), "Ann Ashby")


def _answer(played: Played, place: int, step: Step) -> None:
    """Answer as the mail of that time says: by the lead and the assignment that it names."""
    if step.who not in played.ids:
        return
    assignment = played.assigned.get(step.who)
    if assignment is None:
        return
    what = accept if step.does == "accept" else decline
    try:
        what(played.world.hub, played.ids[step.who], assignment.assignment_id, "an owner")
    except Conflict:
        played.refused.add(place)


def _join_or_part(played: Played, step: Step) -> None:
    """Merge, or take apart, in a process that may end; then ask again."""
    act = _joining(played, step) if step.does == "merge" else _parting(played, step)
    ids = Ids("m")
    ids._numbers = count(int(played.world.clock().timestamp()))
    hook = Crashing(step.crash)
    for _ in range(2):
        try:
            act(replace(played.world.worker(hook), new_id=ids))
        except Kill:
            continue
        return


def _joining(played: Played, step: Step) -> Callable[[Hub], object]:
    ids = [played.ids[who] for who in (step.who, *step.what)]
    return lambda hub: merge(hub, ids, "Ann Ashby", "they are one")


def _parting(played: Played, step: Step) -> Callable[[Hub], object]:
    gone = {one: lead for one in played.ids if (lead := played.stored(one)).merged_into}
    if not gone:
        return lambda hub: None
    lead = gone[sorted(gone)[step.who % len(gone)]]
    whole = live_lead(played.world.table, lead.lead_id)
    assert whole
    return lambda hub: unmerge(hub, whole.lead_id, lead.lead_id, "Ann Ashby", "they are two")


@dataclass
class Crashing:
    """Ends the process at one call, once."""

    at: int
    calls: int = 0

    def __call__(self, call: Call, go: Callable[[], Any]) -> Any:
        """Count, and perhaps end it: before or after the call."""
        self.calls += 1
        if self.at and self.calls == self.at:
            return apply(Fault.KILLED_AFTER if self.at % 2 else Fault.KILLED_BEFORE, call, go)
        return go()
