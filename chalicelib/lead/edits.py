"""What people of ours set by hand: their latest word on each field of a lead.

Of each field, and each lead that it was said of, the newest word is kept; so leads can be merged
in any order, and taken apart again, and each has what was said of it. Of all that are kept the
newest counts. To give a field back to the touches is a word too.
"""

from collections.abc import Collection, Iterable

from chalicelib.lead.model import Edit

NOTHING: tuple[object, ...] = (None, "", (), [])
"""What a field holds that is empty."""


def join_edits(*parts: Iterable[Edit]) -> tuple[Edit, ...]:
    """Put edits together, in any order: of each field and lead the newest stays."""
    newest: dict[tuple[str, str], Edit] = {}
    for edits in parts:
        for edit in edits:
            place = (edit.field, edit.lead_id)
            if place not in newest or _age(newest[place]) < _age(edit):
                newest[place] = edit
    return tuple(newest[place] for place in sorted(newest))


def edits_in_force(edits: Iterable[Edit]) -> dict[str, Edit]:
    """Give the edit that counts for each field that is set by hand, emptied ones too."""
    newest: dict[str, Edit] = {}
    for edit in edits:
        if edit.field not in newest or _age(newest[edit.field]) < _age(edit):
            newest[edit.field] = edit
    return {field: edit for field, edit in newest.items() if edit.value is not None}


def edits_said_of(edits: Iterable[Edit], lead_ids: Collection[str]) -> tuple[Edit, ...]:
    """Give the edits that were said of some leads, for when a merge is taken apart."""
    return tuple(edit for edit in edits if edit.lead_id in lead_ids)


def _age(edit: Edit) -> tuple[object, str]:
    return edit.at, edit.event_id
