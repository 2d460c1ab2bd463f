"""Plays the edits of edits.json: submissions before, the edit, submissions after, what was noticed.

An edit lists the questions of a form before and after. `answers` is a list, or `@NAME` for the
people of its language; `rate` is how often a question is answered, 1 where it is not said. `fields`
is the source's field map; `spelled` says that usual names are mapped, as many connectors do. The
edits that are `held_out` were written with the others and not looked at while the code was made.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.config.model import CustomField
from chalicelib.lead.form_change import Change, Form, Proposal, learn, propose
from chalicelib.lead.model import Touch
from chalicelib.spelling import spellings

FILE = Path(__file__).with_name("edits.json")
START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Noticed:
    """A change, after how many deliveries that show it, and the proposals once all have come."""

    change: Change
    after: int
    proposals: tuple[Proposal, ...]

    @property
    def is_wanted(self) -> bool:
        """Say whether a person is asked."""
        return self.change.state == "open"


@dataclass(frozen=True)
class Played:
    """What became of an edit."""

    before: tuple[Change, ...]
    noticed: tuple[Noticed, ...]


@cache
def document() -> Mapping[str, Any]:
    """Read the file."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def edits() -> list[Mapping[str, Any]]:
    """Give every edit."""
    return list(document()["edits"])


def play(edit: Mapping[str, Any], seed: int = 0) -> Played:
    """Learn a form, edit it, and go on."""
    custom = [CustomField.model_validate(each) for each in edit.get("custom", ())]
    form = Form(source_id="forms", form="1")
    before: list[Change] = []
    first_seen: dict[str, int] = {}
    found: list[tuple[Change, int]] = []
    touches = list(_touches(edit, "before", edit["history"], 0, seed))
    for touch in touches:
        form, noticed = learn(form, touch, fields_of(edit, touch.answers), custom)
        before += noticed
    later = _touches(edit, "after", edit["deliveries"], edit["history"], seed)
    for number, touch in enumerate(later, start=1):
        for key in touch.answers:
            first_seen.setdefault(key, number)
        form, noticed = learn(form, touch, fields_of(edit, touch.answers), custom)
        found += [(change, number) for change in noticed]
    return Played(
        tuple(before),
        tuple(
            Noticed(
                change,
                number - first_seen.get(change.key, 1) + 1,
                propose(form, change, custom),
            )
            for change, number in found
        ),
    )


def fields_of(edit: Mapping[str, Any], keys: Sequence[str] | Mapping[str, Any]) -> dict[str, str]:
    """Give the field of each answer that has one."""
    usual = spellings() if edit.get("spelled") else {}
    known = {**usual, **edit.get("fields", {})}
    return {key: known[key] for key in keys if key in known}


def _touches(
    edit: Mapping[str, Any], when: str, count: int, start: int, seed: int
) -> Iterator[Touch]:
    people = document()["people"][edit["language"]]
    chance = {q["key"]: random.Random(f"{edit['name']} {q['key']} {seed}") for q in edit[when]}
    for number in range(start, start + count):
        answers: dict[str, str] = {}
        labels: dict[str, str] = {}
        for question in edit[when]:
            key, given = question["key"], question["answers"]
            values = people[given[1:]] if isinstance(given, str) else given
            value = values[chance[key].randrange(len(values))]
            if chance[key].random() < question.get("rate", 1):
                answers[key], labels[key] = value, question["label"]
        fields = fields_of(edit, answers)
        keys = [
            f"{field}:{answers[key]}"
            for key, field in fields.items()
            if field in ("email", "phone") and any(c.isdigit() or c == "@" for c in answers[key])
        ]
        at = START + timedelta(hours=number)
        yield Touch(
            touch_id=f"{number:026}"[::-1],
            source_id="forms",
            connector=edit["provider"],
            external_id=str(number),
            delivery_id=str(number),
            submitted_at=at,
            received_at=at,
            form="1",
            answers=answers,
            labels=labels,
            identity_keys=tuple(sorted(keys)),
        )
