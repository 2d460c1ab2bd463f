"""A person of ours sets fields of a lead by hand, or gives them back to what touches say."""

from collections.abc import Collection, Mapping
from datetime import datetime

from chalicelib.errors import Conflict, Invalid, NotFound, Stale
from chalicelib.flow.candidates import HeldKey, read_keys
from chalicelib.flow.glance import Glance
from chalicelib.flow.leads import Stored, live_leads, stored_leads
from chalicelib.flow.match import LATER, Match, lead_writes, learn
from chalicelib.flow.qualify import staged
from chalicelib.hub import Current, Hub
from chalicelib.lead.changes import Change, Given, read_changes
from chalicelib.lead.edits import join_edits
from chalicelib.lead.merging import may_merge
from chalicelib.lead.model import Edit, Lead
from chalicelib.lead.text import joined
from chalicelib.records import Event, digest, event_item, identity_key, key_item
from chalicelib.storage import ATTEMPTS, Absent, Delete, Put, Write, at_version

MOST_SHOWN = 60
"""Characters of a value on the timeline."""


def edit(
    hub: Hub,
    lead_id: str,
    wanted: Mapping[str, Given],
    released: Collection[str],
    actor: str,
    note: str = "",
    seen: str = "",
) -> Lead:
    """Set fields by hand, or give them back; what is so already is not done again.

    The lead is folded and scored anew, and may enter a stage; who owns it, and where work on it
    stands, stay. A new
    e-mail address or phone number is one more identity key of the lead.

    Args:
        lead_id: of a lead, or of one that was merged; what is said goes with it if they part.
        wanted: by contact field or id of a custom field; None or what is empty leaves it empty.
        released: fields in which the touches are to be heard again.
        actor: who says it.
        note: why, for the timeline.
        seen: the state that it is said of, as state_of gives it; empty for whatever it is now.

    Returns:
        The lead as it is afterwards.

    Raises:
        NotFound: no such lead.
        Invalid: a field is unknown or a value cannot be used.
        Stale: the lead is not as it was seen any more.
        Conflict: another lead holds the e-mail address or phone number.
    """
    writer = f"edit:{hub.new_id()}"
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        found = stored_leads(hub, [lead_id])
        if not found:
            raise NotFound(f"lead {lead_id}")
        (stored,) = found
        if seen and seen != state_of(stored.lead):
            raise Stale("the lead has changed since; fetch it and look again")
        current = hub.configurations.current()
        changes = read_changes(stored.lead, lead_id, wanted, released, current.config)
        if changes.problems:
            raise Invalid("the lead was not changed", changes.problems)
        if not changes.fields:
            return stored.lead
        event = _event(stored.lead, lead_id, changes.fields, hub.clock(), actor, note, writer)
        after, writes = _writes(hub, current, stored, event, lead_id, writer)
        try:
            hub.table.write(writes)
        except Conflict:
            continue
        return after
    raise Conflict(f"lead {lead_id} is changing; try again")


def state_of(lead: Lead) -> str:
    """Name the state of a lead, so that a change can say what it was made on."""
    return f"{lead.lead_id}.{lead.version}"


def _event(
    lead: Lead,
    said_of: str,
    fields: Mapping[str, Change],
    now: datetime,
    actor: str,
    note: str,
    writer: str,
) -> Event:
    # Later than any word before, for the newest counts.
    at = max(now, lead.updated_at + LATER)
    event_id = digest(writer, said_of)
    return Event(
        event_id=event_id,
        kind="edited",
        at=at,
        actor=actor,
        text=_text(fields, note),
        edits=tuple(
            Edit(
                field=name,
                value=change.value,
                notes=change.notes,
                identity_keys=change.identity_keys,
                at=at,
                by=actor,
                event_id=event_id,
                lead_id=said_of,
            )
            for name, change in sorted(fields.items())
        ),
    )


def _writes(
    hub: Hub, current: Current, stored: Stored, event: Event, said_of: str, writer: str
) -> tuple[Lead, list[Write]]:
    """Give the lead's new state and all that is written with it."""
    before = stored.lead
    edited = before.model_copy(update={"edits": join_edits(before.edits, event.edits)})
    touches = [one.record.touch for one in stored.touches]
    after, decisions = learn(hub, current, edited, touches, event.at)
    after, entered = staged(hub, current, after, touches, event.at)
    # Whoever has it keeps it, also when it has risen.
    after = after.model_copy(update={"version": before.version + 1, "is_raised": before.is_raised})
    changed = sorted({*before.identity_keys} ^ {*after.identity_keys})
    held = read_keys(Glance(hub.table), changed)
    taken = {key: held.get(key, HeldKey()) for key in changed if key in after.identity_keys}
    given_up = {key: known for key, known in held.items() if key not in taken}
    _refuse_keys_of_others(hub, after, taken)
    found = Match(
        lead=after,
        version=before.version,
        touch=None,
        voided=(),
        losers=(),
        keys={key: known.passed((), after.lead_id) for key, known in taken.items()},
        decisions=(),
    )
    told = event.model_copy(update={"decisions": (*decisions, *entered)})
    return after, [
        *lead_writes(found, writer),
        *_given_up(given_up, after.lead_id, writer),
        Put("edit event", event_item(said_of, told, writer), Absent()),
    ]


def _refuse_keys_of_others(hub: Hub, lead: Lead, held: Mapping[str, HeldKey]) -> None:
    """Let leads hold a key together only when somebody said that they are kept apart.

    Raises:
        Conflict: another lead holds it.
    """
    for key, known in held.items():
        live = live_leads(hub.table, known.lead_ids)
        others = [
            one.lead_id for one in live if one.lead_id != lead.lead_id and may_merge(one, lead)
        ]
        if others:
            kind = "e-mail address" if key.startswith("email:") else "phone number"
            raise Conflict(
                f"lead {' and '.join(sorted(others))} has this {kind} already; "
                "if they are one person, merge them"
            )


def _given_up(held: Mapping[str, HeldKey], lead_id: str, writer: str) -> list[Write]:
    """Give the writes by which a lead lets go of keys that nothing says any more."""
    writes: list[Write] = []
    for number, (key, known) in enumerate(held.items()):
        name, condition = f"given up key {number}", at_version(known.version)
        rest = [one for one in known.lead_ids if one != lead_id]
        if rest:
            item = key_item(key, rest, known.version + 1, writer)
            writes.append(Put(name, item, condition))
        else:
            writes.append(Delete(name, identity_key(key), condition))
    return writes


def _text(fields: Mapping[str, Change], note: str) -> str:
    """Say on the timeline what was set: `company is "Acme"; phone is as touches say`."""
    parts = []
    for name, change in fields.items():
        shown = joined(change.value)
        if change.value is None:
            parts.append(f"{name} is as the touches say")
        elif not shown:
            parts.append(f"{name} is empty")
        else:
            cut = shown if len(shown) <= MOST_SHOWN else f"{shown[: MOST_SHOWN - 1]}…"
            parts.append(f'{name} is "{" ".join(cut.split())}"')
    said = "; ".join(parts)
    return f"{said} ({note[:200]})" if note else said
