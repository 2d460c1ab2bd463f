"""Who else it may be: people and firms that have much in common and are not one.

Two strangers agree by chance. Two of one household agree on family name, address and often phone;
two colleagues on company, office and switchboard; two namesakes on their names; two branches on
the firm's name; two neighbours on the address. So what is common among such says nothing for being
one, and each of these counts beside the stranger when the odds are made up.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from chalicelib.lead.matching.compare import Term, total
from chalicelib.lead.matching.record import Record

Rival = Literal["stranger", "household", "office", "namesake", "branch", "neighbour"]


class _Kind(NamedTuple):
    """What people or firms of one kind have in common.

    Attributes:
        bits: against one of them, rather than the same one, having written.
        most: field, or field and level -> most bits that agreement there says; fields that are
            common altogether are 0 and say nothing either way.
    """

    bits: float
    most: Mapping[str, float]


_KINDS: Mapping[Rival, _Kind] = {
    "household": _Kind(
        2.0,
        {"last": 0, "phone": 0, "street": 0, "postal_code": 0, "city": 0, "first": 5, "born": 5,
         "email": 3, "email:role": 0, "in_email": 0, "employer": 2, "company": 2},
    ),
    "office": _Kind(
        0.0,
        {"employer": 0, "company": 0, "street": 0, "postal_code": 0, "city": 0, "phone": 1,
         "email": 5, "email:slip": 3, "email:near": 2, "email:name": -1, "email:numbered": -2,
         "email:domain": -2, "email:role": 0, "job": 2},
    ),
    "namesake": _Kind(
        0.5,
        {"first": 0, "last": 0, "swapped": 0, "in_email": 0, "email:name": 0,
         "email:numbered": -2, "email:alike": 1, "email:role": 0},
    ),
    "branch": _Kind(
        1.0, {"company": 0, "email": 0, "phone": 1, "postal_code": 1, "city": 1, "job": 1}
    ),
    "neighbour": _Kind(0.0, {"site": 0, "postal_code": 0, "city": 0}),
}  # fmt: skip

_OF_PEOPLE: tuple[Rival, ...] = ("household", "office", "namesake")
_OF_FIRMS: tuple[Rival, ...] = ("branch", "neighbour")


def odds(a: Record, b: Record, terms: Sequence[Term], prior: float) -> tuple[float, Rival]:
    """Weigh being one against being any two.

    Returns:
        Bits, and who is the likeliest if they are two.
    """
    against: dict[Rival, float] = {"stranger": prior - total(terms)}
    of_firms = a.company and b.company and not (a.is_person or b.is_person)
    for rival in _OF_FIRMS if of_firms else _OF_PEOPLE:
        against[rival] = -_KINDS[rival].bits - math.fsum(_capped(_KINDS[rival], terms))
    worst = max(against.values())
    bits = worst + math.log2(sum(2 ** (one - worst) for one in against.values()))
    return -bits, max(against, key=against.__getitem__)


def _capped(kind: _Kind, terms: Sequence[Term]) -> list[float]:
    given = []
    for field, level, bits, _ in terms:
        most = kind.most.get(f"{field}:{level}", kind.most.get(field))
        given.append(bits if most is None else 0.0 if most == 0 else min(bits, most))
    return given
