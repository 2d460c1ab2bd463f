"""After step 3: learn what the questions of each form are, and notice when somebody edits it.

One item for each form holds what is known of it, without an answer of anybody. It is written while
a form is learned and when something deviates; otherwise it is only read, with what process reads
ahead. Learning never holds a lead up: when it fails, it is left out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.config.source import Source
from chalicelib.connector import Connector, Submission
from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.flow.glance import Glance
from chalicelib.hub import Current, Hub
from chalicelib.lead.form_change import Change, Form, learn
from chalicelib.lead.model import Touch, utc_text
from chalicelib.lead.normalise import fields_of
from chalicelib.records import packed, unpacked
from chalicelib.storage import ATTEMPTS, Item, Key, Put, at_version

LONGEST_FORM = 200
"""Bytes of a form's id in a key; a longer one is replaced by its hash."""

OPEN_FORMS = "FORMS#open"
KNOWN_FORMS = "FORMS#known"
"""The lists of forms: those with changes that wait for a person, and the others."""


@dataclass(frozen=True)
class Seen:
    """A submission as its form shows itself in it.

    Attributes:
        fields: answer key -> field that takes its answer.
    """

    touch: Touch
    fields: Mapping[str, str]


def form_key(source_id: str, form: str) -> Key:
    """Key of what is known of a form."""
    return Key(f"SOURCE#{source_id}", f"FORM#{_bounded(form)}")


def form_item(form: Form, writer: str) -> Item:
    """Make the item of a form; all are listed, those with open changes apart."""
    waiting = [change for change in form.changes if change.state == "open"]
    latest = max((change.noticed_at for change in form.changes), default=None)
    at = utc_text(latest) if latest else "-"
    summary = {
        "source_id": form.source_id,
        "form": form.form,
        "title": form.title[:200],
        "open": len(waiting),
        "noticed_at": at,
    }
    key = form_key(form.source_id, form.form)
    return {
        "pk": key[0],
        "sk": key[1],
        "kind": "form",
        "writer": writer,
        "version": form.version,
        "data": packed(form),
        "list_pk": OPEN_FORMS if waiting else KNOWN_FORMS,
        "list_sk": f"{at}#{form.source_id}#{_bounded(form.form)}",
        "summary": json.dumps(summary, ensure_ascii=False, separators=(",", ":")),
    }


def form_of(item: Item) -> Form:
    """Read what is known of a form back."""
    return unpacked(Form, item["data"])


def seen(touch: Touch, submission: Submission, source: Source, connector: Connector) -> list[Seen]:
    """Give what a submission shows of its form; nothing if it shows only a part or none of it.

    Tests are not asked about, for they never come so far.
    """
    if submission.is_partial or submission.only_if_known:
        return []
    return [
        Seen(touch, fields_of(touch.answers, source.fields, connector.fields, submission.hints))
    ]


def learn_from(hub: Hub, current: Current, glance: Glance, submissions: Sequence[Seen]) -> None:
    """Learn from a batch of submissions, with one write for each form that they teach anything."""
    by_form: dict[Key, list[Seen]] = {}
    for one in submissions:
        by_form.setdefault(form_key(one.touch.source_id, one.touch.form), []).append(one)
    for key, ones in by_form.items():
        try:
            _learn_form(hub, current, glance, key, ones)
        except (Unavailable, Conflict) as error:
            hub.trouble(error)


def _learn_form(hub: Hub, current: Current, glance: Glance, key: Key, ones: Sequence[Seen]) -> None:
    first = ones[0].touch
    for attempt in range(ATTEMPTS):
        hub.pause(attempt)
        item = glance.get(key)
        known = form_of(item) if item else Form(source_id=first.source_id, form=first.form)
        after, noticed = known, list[Change]()
        for one in ones:
            after, news = learn(after, one.touch, one.fields, current.config.fields)
            noticed += [change for change in news if change.state == "open"]
        if after == known:
            return
        try:
            write_form(hub, known, after)
        except Conflict:
            continue
        for change in noticed:
            ids = {"source": first.source_id, "form": first.form[:LONGEST_FORM]}
            hub.alarm("form_changed", {**ids, "change": change.kind})
        return
    raise Conflict(f"form of {first.source_id}: others kept writing first")


def find_form(hub: Hub, source_id: str, form: str) -> Form:
    """Give what is known of a form.

    Raises:
        NotFound: nothing is.
    """
    item = hub.table.get(form_key(source_id, form))
    if item is None:
        raise NotFound(f"form {form!r} of source {source_id}")
    return form_of(item)


def write_form(hub: Hub, known: Form, after: Form) -> None:
    """Put what is known of a form now in place of what was.

    Raises:
        Conflict: somebody else wrote first.
    """
    after = after.model_copy(update={"version": known.version + 1})
    item = form_item(after, f"learn:{hub.new_id()}")
    hub.table.write([Put("form", item, at_version(known.version))])


def _bounded(form: str) -> str:
    written = form.encode()
    if len(written) <= LONGEST_FORM:
        return form
    return f"sha256-{sha256(written).hexdigest()}"
