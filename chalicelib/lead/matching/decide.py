"""Whose submission it is: candidates weighed, and one of three outcomes by two thresholds."""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from chalicelib.lead.matching.compare import Term, compare, total
from chalicelib.lead.matching.record import Record
from chalicelib.lead.matching.rivals import Rival, odds
from chalicelib.lead.matching.weights import AS_IT_COMES, Weights

Outcome = Literal["match", "ask", "new"]

MATCH = 0.0
"""Bits from which two records are one person's."""

ASK = -3.0
"""Bits from which a person is asked."""

MERGE = 3.0
"""Bits from which a submission makes one lead of two."""

CLEAR = 1.0
"""Bits by which the likeliest of leads that exclude each other has to lead."""

Guard = Literal["", "first_names", "born", "generation", "colleagues", "mailboxes", "household"]

CERTAIN = ("born", "generation", "colleagues")
"""Guards that leave nothing to ask."""


class Candidate(NamedTuple):
    """A lead that a submission may belong to.

    Attributes:
        lead_id: as the record is stored.
        bits: log2 of the odds that it is the same person.
        terms: what they are made of.
        guard: what forbids a match whatever the bits say.
        record: the closest record.
        rival: who it is most likely if it is another.
        limits: outcome -> bits from which, in place of those of this module.
    """

    lead_id: str
    bits: float
    terms: list[Term]
    guard: Guard
    record: Record
    rival: Rival = "stranger"
    limits: Mapping[str, float] = MappingProxyType({})

    @property
    def outcome(self) -> Outcome:
        """Say what is to be done."""
        if self.bits >= self.limits.get("match", MATCH) and not self.guard:
            return "match"
        if self.bits >= self.limits.get("ask", ASK) and self.guard not in CERTAIN:
            return "ask"
        return "new"


def weigh(
    record: Record,
    others: Iterable[Record],
    owner_of: Mapping[str, str],
    weights: Weights,
    leads: int = 0,
) -> list[Candidate]:
    """Weigh every lead that has one of the records; the likeliest first.

    Args:
        record: of the new submission.
        others: records found in blocks and by identity keys.
        owner_of: lead id of a record -> live lead it is part of now; absent means itself.
        weights: what agreement is worth.
        leads: as many are there at least, where nothing was learnt; see `blocks.crowd`.
    """
    prior = weights.prior_among(leads)
    found: dict[str, list[tuple[Record, list[Term]]]] = {}
    for other in others:
        lead_id = owner_of.get(other.lead_id, other.lead_id)
        found.setdefault(lead_id, []).append((other, compare(record, other, weights)))
    candidates = []
    for lead_id, compared in found.items():
        closest, _ = max(compared, key=lambda one: (total(one[1]), one[0].touch_id))
        terms = combine([terms for _, terms in compared])
        bits, rival = odds(record, closest, terms, prior)
        guard = guard_of(terms)
        one = Candidate(lead_id, bits, terms, guard, closest, rival, weights.limits)
        candidates.append(one)
    return sorted(candidates, key=_rank, reverse=True)


_GROUPS = {"in_email": "email", "employer": "company", "site": "street"}
"""Fields that are read together."""

_NAMES = ("first", "last", "swapped")


def combine(compared: Sequence[list[Term]]) -> list[Term]:
    """Take of each field what says most for a lead, all its records compared.

    The more values a lead has had, the likelier one agrees by chance; that is taken off. Ways
    of writing one value are no more than one.
    """
    if len(compared) == 1:
        return compared[0]
    by_group: dict[str, list[list[Term]]] = {}
    for terms in compared:
        own: dict[str, list[Term]] = {}
        is_swapped = any(term.field == "swapped" for term in terms)
        for term in terms:
            group = _GROUPS.get(term.field, term.field)
            own.setdefault("swapped" if is_swapped and group in _NAMES else group, []).append(term)
        for group, read in own.items():
            by_group.setdefault(group, []).append(read)
    best = {group: _best_of(readings) for group, readings in by_group.items()}
    # Names are read in one way throughout.
    straight = [*best.get("first", ()), *best.get("last", ())]
    is_swapped = "swapped" in best and total(best["swapped"]) > total(straight)
    for group in ("first", "last") if is_swapped else ("swapped",):
        best.pop(group, None)
    return [term for terms in best.values() for term in terms]


def _best_of(readings: Sequence[list[Term]]) -> list[Term]:
    best = max(readings, key=lambda read: (total(read), read))
    others = {tuple(sorted(read[0].values)) for read in readings if read[0].level != "same"}
    off = math.log2(len(others) + (best[0].level == "same"))
    return [_less(term, off) for term in best]


def _less(term: Term, off: float) -> Term:
    return term._replace(bits=max(0.0, term.bits - off)) if term.bits > 0 else term


def _rank(candidate: Candidate) -> tuple[bool, float, str]:
    return (not candidate.guard, candidate.bits, candidate.record.touch_id)


def guard_of(terms: Sequence[Term]) -> Guard:
    """Tell what forbids a match: facts that cannot be the same person's."""
    level = {term.field: term.level for term in terms}
    if "generation" in level:
        return "generation"
    is_near = "same" in (level.get("street"), level.get("phone"))
    if level.get("first") in ("other", "apart") and "swapped" not in level:
        if level.get("born") in ("other", "year", "near"):
            return "born"
        # One date of birth outweighs a name, but for twins.
        is_born = level.get("born") in ("same", "slip", "swapped")
        may_be_twins = level["first"] == "other" and is_near
        if not is_born or may_be_twins or level.get("last") == "other":
            return "first_names"
    # Father and son share a name, an address and a phone; a name and a mailbox are one's own.
    is_own = (level.get("first"), level.get("email")) == ("same", "same")
    if level.get("born") == "other" and is_near and not is_own:
        return "born"
    # Brother and sister share an initial, too.
    if level.get("first") == "initial" and level.get("born") in ("alike", "year") and is_near:
        return "household"
    # A firm gives each of its people one mailbox, and a new one who marries.
    if level.get("email") == "domain" and "born" not in level:
        is_other = level.get("last") == "other"
        if level.get("phone") != "same":
            return "colleagues" if is_other else "mailboxes"
        if is_other:
            return "mailboxes"
    return ""


class Settled(NamedTuple):
    """What becomes of a submission.

    Attributes:
        matches: the leads that it is of, the likeliest first; several become one.
        asks: those that a person is asked about.
    """

    matches: tuple[Candidate, ...]
    asks: tuple[Candidate, ...]


def settle(candidates: Sequence[Candidate]) -> Settled:
    """Choose among candidates; further leads are joined only if the evidence is strong.

    They must also agree with each other: what joins two leads may be of both by mistake. If it is
    as likely of one as of another that cannot be the same, none is chosen and a person is asked.
    """
    joined: list[Candidate] = []
    asks: list[Candidate] = []
    for one in candidates:
        is_sure = not joined or one.bits >= one.limits.get("merge", MERGE)
        if one.outcome == "match" and is_sure and all(may_be_one(one, it) for it in joined):
            joined.append(one)
        elif one.outcome != "new":
            asks.append(one)
    if joined and any(
        one.outcome == "match"
        and joined[0].bits - one.bits < CLEAR
        and not may_be_one(joined[0], one)
        for one in asks
    ):
        return Settled((), (*joined, *asks))
    return Settled(tuple(joined), tuple(asks))


def may_be_one(one: Candidate, other: Candidate) -> bool:
    """Say whether nothing forbids that two candidates are one person: no guard between them."""
    return not guard_of(compare(one.record, other.record, AS_IT_COMES))
