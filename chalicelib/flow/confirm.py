"""A person says how a changed question is read from now on, and in what has come already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.config.document import did_you_mean
from chalicelib.config.model import Config
from chalicelib.config.source import Source
from chalicelib.errors import Invalid, NotFound
from chalicelib.flow.forms import find_form, form_item, write_form
from chalicelib.flow.publish import publish
from chalicelib.flow.reread import Reread, reread_item, reread_key
from chalicelib.hub import Hub
from chalicelib.lead.form_change import Change, Form, Proposal, close, propose
from chalicelib.lead.model import CONTACT_FIELDS
from chalicelib.lead.questions import Question
from chalicelib.records import Active
from chalicelib.storage import Put, at_version


@dataclass(frozen=True)
class FormView:
    """A form with the proposals for each change that waits for a person."""

    form: Form
    proposals: Mapping[str, tuple[Proposal, ...]]


@dataclass(frozen=True)
class Settled:
    """What settling a change did.

    Attributes:
        active: the configuration in force now, where one was published.
        reread: the work of reading earlier deliveries again, if there is any.
    """

    form: Form
    field: str
    active: Active | None = None
    reread: Reread | None = None


def show_form(hub: Hub, source_id: str, form: str) -> FormView:
    """Give what is known of a form, and the proposals for what has changed.

    Raises:
        NotFound: nothing is known of such a form.
    """
    known = find_form(hub, source_id, form)
    custom = hub.configurations.current().config.fields
    waiting = [change for change in known.changes if change.state == "open"]
    return FormView(known, {change.key: propose(known, change, custom) for change in waiting})


def confirm(
    hub: Hub, source_id: str, form: str, key: str, field: str | None, actor: str
) -> Settled:
    """Have a question read as a field from now on, and in all that has come since it was there.

    Publishes a configuration whose source maps the question. Doing it again goes on where an
    earlier try ended.

    Args:
        hub: read from and written to.
        source_id: of the form's source.
        form: the provider's id of it; may be empty.
        key: the question.
        field: a contact or custom field, or empty to leave it an answer; None takes the first
            proposal.
        actor: who does it.

    Raises:
        NotFound: no such form, or no such question in it.
        Invalid: no such field, or nothing about the question waits and no field is named.
        Conflict: somebody else changed the form or the configuration at the same time.
    """
    known = find_form(hub, source_id, form)
    change = known.open_change(key)
    question = known.questions.get(key)
    if question is None:
        raise NotFound(f"question {key} in form {form!r} of source {source_id}")
    if field is None:
        if change is None:
            raise Invalid("nothing to confirm", (f"{key}: no change waits; name a field",))
        field = propose(known, change, hub.configurations.current().config.fields)[0].field
    after = close(known, change, "confirmed", actor, hub.clock(), field) if change else known
    if not (field or question.field) or (change and _is_as_it_was(change, question, field)):
        return _settled(hub, known, after, field)
    active = _publish(hub, source_id, key, field, actor) if field != question.field else None
    since = change.first_at if change else datetime.fromtimestamp(question.first_at, UTC)
    read_so = after.questions[key].model_copy(update={"field": field})
    after = after.model_copy(update={"questions": {**after.questions, key: read_so}})
    return _queue(hub, known, after, key, field, since, active)


def ignore(hub: Hub, source_id: str, form: str, key: str, actor: str) -> Settled:
    """Settle a change without mapping anything.

    Raises:
        NotFound: no such form, or nothing about the question waits.
        Conflict: somebody else changed the form at the same time.
    """
    known = find_form(hub, source_id, form)
    change = known.open_change(key)
    if change is None:
        raise NotFound(f"a change of question {key} that waits, in form {form!r} of {source_id}")
    return _settled(hub, known, close(known, change, "ignored", actor, hub.clock()), "")


def _is_as_it_was(change: Change, question: Question, field: str) -> bool:
    """Say whether nothing that has come can read otherwise now."""
    is_same = field == question.field
    return change.kind == "vanished" or (is_same and change.kind in ("options", "relabelled"))


def _settled(hub: Hub, known: Form, after: Form, field: str) -> Settled:
    """Write a form for which there is nothing to publish and nothing to read again."""
    write_form(hub, known, after)
    return Settled(after, field)


def _queue(
    hub: Hub,
    known: Form,
    after: Form,
    key: str,
    field: str,
    since: datetime,
    active: Active | None,
) -> Settled:
    """Settle the change and queue the reading again, both or neither."""
    after = after.model_copy(update={"version": known.version + 1})
    work = Reread(
        source_id=known.source_id,
        form=known.form,
        key=key,
        field=field,
        since=since,
        until=hub.clock(),
    )
    before = hub.table.get(reread_key(work))
    version = int(before["version"]) if before else 0
    writer = f"confirm:{hub.new_id()}"
    hub.table.write(
        [
            Put("form", form_item(after, writer), at_version(known.version)),
            Put(
                "reread",
                reread_item(work, version + 1, hub.clock(), writer),
                at_version(version),
            ),
        ]
    )
    return Settled(after, field, active, work)


def _publish(hub: Hub, source_id: str, key: str, field: str, actor: str) -> Active:
    """Publish the configuration in force with one more question mapped."""
    current = hub.configurations.current()
    source = current.config.sources.get(source_id)
    if source is None:
        raise NotFound(f"source {source_id}")
    known = (*CONTACT_FIELDS, *(one.id for one in current.config.fields))
    if field and field not in known:
        near = did_you_mean(field, known)
        problem = f"{field} is neither a contact field nor a field of `fields`{near}"
        raise Invalid("no such field", (problem,))
    config = _mapped(current.config, source_id, source, key, field)
    note = f"{key[:80]} of {source_id} is read as {field or 'nothing'}"
    return publish(hub, config, actor, note, expected_hash=current.hash)


def _mapped(config: Config, source_id: str, source: Source, key: str, field: str) -> Config:
    fields = {other: name for other, name in source.fields.items() if other != key}
    if field:
        fields[key] = field
    changed = source.model_copy(update={"fields": fields})
    return config.model_copy(update={"sources": {**config.sources, source_id: changed}})
