"""Blocks as they are stored: where records that may be of one person are found and kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.flow.glance import Glance
from chalicelib.lead.matching.blocks import MOST_IN_BLOCK, block_keys, kept_keys, narrower
from chalicelib.lead.matching.record import Record, grown
from chalicelib.records import digest, packed_json, unpacked_json
from chalicelib.storage import Delete, Item, Key, Put, Table, Write, at_version


@dataclass(frozen=True)
class Block:
    """The records of one block.

    Attributes:
        version: of its item; 0 when there is none.
        is_full: later records go into narrower blocks, also after some of these have gone.
    """

    records: tuple[Record, ...] = ()
    version: int = 0
    is_full: bool = False

    def has(self, record: Record, lead_ids: Collection[str]) -> bool:
        """Say whether one of these leads has a record that says the same."""
        said = record.said()
        return any(one.lead_id in lead_ids and one.said() == said for one in self.records)

    def joined_by(self, record: Record) -> "Block":
        """Give the block with one more record."""
        records = (*self.records, record)
        return Block(records, self.version + 1, len(records) >= MOST_IN_BLOCK)


def block_key(key: str) -> Key:
    """Key of a block; hashed, for what a block is named by is a person's."""
    return Key(f"BLOCK#{digest(key)}", "BLOCK")


def block_item(key: str, block: Block, writer: str) -> Item:
    """Make the item of a block."""
    held = {"records": [one.shrunk() for one in block.records], "is_full": block.is_full}
    return {
        "pk": block_key(key)[0],
        "sk": block_key(key)[1],
        "kind": "block",
        "writer": writer,
        "version": block.version,
        "data": packed_json(held),
    }


def block_of(item: Item) -> Block:
    """Read a block back."""
    held = unpacked_json(item["data"])
    records = tuple(grown(one) for one in held["records"])
    return Block(records, int(item["version"]), held["is_full"])


def read_blocks(glance: Glance, record: Record, most: int) -> dict[str, Block]:
    """Read the blocks that a record belongs to; beside each full one those that stand for it.

    Args:
        glance: read from.
        record: of a new submission.
        most: how many items may be read.
    """
    blocks = _read(glance, block_keys(record)[:most])
    return blocks | _read(glance, _narrower(blocks, record)[: most - len(blocks)])


def _narrower(blocks: Mapping[str, Block], record: Record) -> list[str]:
    """Name what stands for full blocks: one for each of them, and then one more for each."""
    pairs = [narrower(key, record) for key, block in blocks.items() if block.is_full]
    return [pair[place] for place in (0, 1) for pair in pairs if place < len(pair)]


def _read(glance: Glance, keys: Sequence[str]) -> dict[str, Block]:
    items = glance.get_many([block_key(key) for key in keys])
    return {
        key: block_of(items[block_key(key)]) if block_key(key) in items else Block() for key in keys
    }


def joined_by(
    blocks: Mapping[str, Block], record: Record, lead_ids: Collection[str]
) -> dict[str, Block]:
    """Give the blocks that change when a record of a lead joins those that were read for it.

    Args:
        blocks: as read.
        record: as it will be kept, under its lead.
        lead_ids: of that lead and its members; what one of them said already is not kept again.
    """
    wide = kept_keys(record)
    kept = {*wide, *(name for key in wide for name in narrower(key, record))}
    return {
        key: block.joined_by(record)
        for key, block in blocks.items()
        if key in kept and not block.is_full and not block.has(record, lead_ids)
    }


def block_writes(blocks: Mapping[str, Block], writer: str, name: str = "block") -> list[Write]:
    """Give the writes of blocks, each on condition that it is as it was read.

    One that is empty goes, unless narrower ones stand for it.
    """
    writes: list[Write] = []
    for number, (key, block) in enumerate(sorted(blocks.items())):
        title, condition = f"{name} {number}", at_version(block.version - 1)
        writes.append(
            Put(title, block_item(key, block, writer), condition)
            if block.records or block.is_full
            else Delete(title, block_key(key), condition)
        )
    return writes


def moved(table: Table, gone: Iterable[Record], new: Iterable[Record] = ()) -> dict[str, Block]:
    """Give the blocks that change when records go, and others come in their place; reads them.

    A record that goes is known by its touch; whether it is in a block or in those that stand for a
    full one, it is found.

    Args:
        table: read from.
        gone: records as they were kept.
        new: records as they will be kept.
    """
    glance = Glance(table)
    read: dict[str, Block] = {}
    now: dict[str, Block] = {}

    def take(keys: Sequence[str]) -> Sequence[str]:
        read.update(_read(glance, [key for key in keys if key not in read]))
        now.update({key: read[key] for key in keys if key not in now})
        return keys

    for record in gone:
        wide = block_keys(record)
        for key in take([*wide, *(name for one in wide for name in narrower(one, record))]):
            left = tuple(one for one in now[key].records if one.touch_id != record.touch_id)
            now[key] = replace(now[key], records=left)
    for record in new:
        own = take(kept_keys(record))
        more = take(_narrower({key: now[key] for key in own}, record))
        for key in [*own, *more]:
            if not now[key].is_full and not now[key].has(record, {record.lead_id}):
                now[key] = now[key].joined_by(record)
    return {
        key: replace(block, version=read[key].version + 1)
        for key, block in now.items()
        if block.records != read[key].records
    }
