"""Block keys: where records that may be of one person are looked for.

Each key leaves out what a slip or a missing field would spoil in another: letters are sounded out,
cut short or sorted. A block holds at most MOST_IN_BLOCK records; what comes later goes into
narrower blocks, named by what else is known, so that no block grows with the hub.
"""

from collections.abc import Iterator, Mapping

from chalicelib.lead.matching.address import street_of
from chalicelib.lead.matching.firms import USUAL_WORDS, words_of_company
from chalicelib.lead.matching.names import sounded
from chalicelib.lead.matching.record import Record

MOST_BLOCKS = 8
"""Most block keys of one record; one fewer if two identity keys are looked up already."""

MOST_IN_BLOCK = 24
"""Most records in one block."""


def block_keys(record: Record) -> tuple[str, ...]:
    """Give the keys of the blocks that a record belongs to, the most telling first."""
    room = MOST_BLOCKS - bool(record.email and record.phone)
    return tuple(dict.fromkeys(_keys(record)))[:room]


def kept_keys(record: Record) -> tuple[str, ...]:
    """Give the keys of the blocks that a record is kept in; it is looked for in all of its blocks.

    One that has a name, an address and a phone is kept twice, by name only: the other two are
    identity keys, and a slip in one of them leaves the name. Each block is a write that costs.
    """
    keys = block_keys(record)
    if record.email and record.phone and record.first and record.last and not record.is_role:
        # The last of them go by the first name and by the family name alone: a mistake in either
        # leaves the other.
        return tuple(key for key in keys if key[0] in BY_NAME)[-2:]
    return keys


BY_NAME = "nl"
"""First letters of the keys of blocks that are named by names alone."""


def crowd(others: Mapping[str, int]) -> int:
    """Estimate how many leads there are, by how many others are in blocks by names; 0 if unknown.

    Args:
        others: block key -> how many leads stand there that are not like the record.
    """
    by_name = [n for key, n in others.items() if key[0] == "n"]
    return round(OF_ONE_NAME * sum(by_name) / len(by_name)) if by_name else 0


OF_ONE_NAME = 2000
"""Among so many leads there is one other in a block by first and family name, as a rule."""


def narrower(key: str, record: Record) -> tuple[str, ...]:
    """Name the blocks that stand for a full one, by two more things known of the record."""
    return tuple(f"{key}+{more}" for more in list(_more(record, key[0]))[:2])


def _keys(record: Record) -> Iterator[str]:
    local, _, domain = record.email.partition("@")
    first, last = sounded(record.first), sounded(record.last)
    names = sorted({first, last} - {""})
    if local and not record.is_role:
        yield f"e{''.join(sorted(local[:5]))}"
    if record.born:
        yield f"b{''.join(sorted(record.born))}"
    if not record.is_person and record.company:
        yield from _of_firm(record)
    if record.street and (street := street_of(record.street)).number:
        yield f"s{street.number}{street.name[:3]}"
    if record.phone:
        yield f"p{''.join(sorted(record.phone[-8:]))}"
    if first and last:
        yield f"n{last[:3]}{first[0]}"
        # Of the same kind, so that names in each other's place are found.
        yield f"n{first[:3]}{last[0]}"
    if record.born:
        for name in names:
            yield f"y{name[:3]}{record.born[:3]}"
    if record.city:
        for name in names:
            yield f"c{name[:2]}{record.city[:4]}"
    if record.postal_code:
        yield f"z{record.postal_code}"
    if record.company and record.is_person:
        yield f"o{(last or first)[:3]}{words_of_company(record.company)[0][:4]}"
    if last:
        yield f"l{last[:5]}"
    if local and domain and not record.is_role:
        yield f"d{local[-4:]}{domain[:4]}"


def _of_firm(record: Record) -> Iterator[str]:
    """Name blocks of firms by their telling words, in their order and in another."""
    parts = words_of_company(record.company)
    telling = [word for word in parts if word not in USUAL_WORDS] or list(parts)
    yield f"o{telling[0][:6]}"
    yield f"o{''.join(sorted(telling))[:12]}"
    if record.is_role:
        yield f"e{record.email}"


def _more(record: Record, kind: str) -> Iterator[str]:
    """Tell what else is known, but for what a block of this kind says already."""
    if record.born and kind not in "by":
        yield f"b{record.born[:4]}"
    if record.city and kind not in "cz":
        yield f"c{record.city[:4]}"
    if record.email and kind != "e":
        yield f"e{record.email[:4]}"
    if record.company and kind != "o":
        yield f"o{record.company[:5]}"
    if record.phone and kind != "p":
        yield f"p{record.phone[-6:-2]}"
    name = sounded(record.last) or sounded(record.first)
    if name and kind not in "ncly":
        yield f"n{name[:5]}"
    if record.street and kind != "s":
        yield f"s{street_of(record.street).number}"
