"""Notices that somebody edited a form, by its submissions alone, and proposes what to do.

Pure: what is known of a form and one more submission give what is known then. A form is learned
from its first submissions; afterwards what is known stays as it is while nothing deviates.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from chalicelib.config.model import CustomField
from chalicelib.lead.model import NAME_FIELDS, Model, Touch
from chalicelib.lead.questions import (
    ENOUGH,
    MOST_LABELS,
    MOST_OPTIONS,
    Question,
    alike,
    digest_of_text,
    fit,
    group_of,
    label_without,
    likeness,
    meanings,
    says_no_field,
    says_other_person,
    shape_of,
    texts_of,
)

KNOWN = 30
"""Submissions after which a form, or a question, is known; nothing is counted any more."""

SETTLED = 20
"""Submissions after which a question that was never there before is news in itself."""

REGULAR = 0.93
"""A question that is answered at least so often is missed when it is not."""

MISSED = 5
MISSED_ALWAYS = 4
"""In how many submissions in a row a regular one, or one always answered, must be missing."""

SOON = 3
"""Submissions, from the first with a new question on, after which it is news at the latest."""

UNLIKELY = 0.0004
"""Answers of another kind are news when it is less likely than this that they are chance."""

NOISE = 0.2
"""Answers of a kind that come at least so often are as usual."""

OPTIONS_WITHIN = 5
"""Of so many answers two must be choices that were not there before."""

LONGEST_OPTION = 50
"""Characters; longer texts are no choices."""

SURE = 0.8
"""Confidence from which on a new question is news at its first sight."""

LIKELY = 0.35
"""Confidence from which on a question is taken for the successor of one that is gone."""

MOST_QUESTIONS = 100
MOST_CHANGES = 40
MOST_OPEN = 20
MOST_RECENT = 20
MOST_PROPOSALS = 5

ChangeKind = Literal[
    "new", "renamed", "relabelled", "retyped", "vanished", "split", "joined", "options"
]


class Change(Model):
    """Something about a form that is not as it was, and what was done about it."""

    kind: ChangeKind
    key: str = Field(description="of the question it is about; of the new one where there are two")
    before: tuple[str, ...] = Field(default=(), description="keys of the questions it replaces")
    field: str = Field(default="", description="that took its answers when it was noticed")
    label_before: str = ""
    label: str = ""
    first_at: datetime = Field(description="when the first delivery with it came")
    noticed_at: datetime
    state: Literal["open", "confirmed", "ignored", "noted", "over"] = Field(
        default="open",
        description="noted: nothing needs to be done; over: the question is as it was again",
    )
    closed_at: datetime | None = None
    closed_by: str = ""
    confirmed: str = Field(default="", description="the field that a person chose")


class Form(Model):
    """What is known of one form of a source."""

    source_id: str
    form: str = Field(description="the provider's id of it; empty where there are none")
    title: str = ""
    version: int = 0
    submissions: int = Field(default=0, description="how many were learned from")
    questions: Mapping[str, Question] = Field(default_factory=dict, description="by key")
    changes: tuple[Change, ...] = Field(default=(), description="oldest first")
    recent: tuple[str, ...] = Field(
        default=(), description="beginnings of the last touch ids that were learned from"
    )

    def open_change(self, key: str) -> Change | None:
        """Give the change of a question that waits for a person."""
        return next((c for c in self.changes if c.key == key and c.state == "open"), None)

    @property
    def is_known(self) -> bool:
        """Say whether enough submissions have come."""
        return self.submissions >= KNOWN


class Proposal(Model):
    """A field that may take a question's answers from now on."""

    field: str = Field(description="contact or custom field; empty: leave it an answer")
    confidence: float = Field(description="0 to 1")
    because: tuple[str, ...] = Field(description="in words")


def learn(
    form: Form, touch: Touch, fields: Mapping[str, str], custom: Sequence[CustomField] = ()
) -> tuple[Form, tuple[Change, ...]]:
    """Learn from one more submission; the same one again changes nothing.

    Args:
        form: as known so far; a new Form if nothing is.
        touch: one without identity keys is one that said who it is nowhere.
        fields: answer key -> field that takes it, for its answers.
        custom: custom fields of the configuration, for proposals.

    Returns:
        The form as known then, equal to the one given if there is nothing to remember, and the
        changes noticed by this submission.
    """
    name = touch.touch_id[:10]
    if name in form.recent:
        return form, ()
    sight = _Sight(form, touch, fields)
    if form.is_known and not sight.is_watched and not sight.deviates:
        return form, ()
    questions = sight.next_questions()
    noticed: list[Change] = []
    after = form.model_copy(
        update={
            "title": touch.form_title or form.title,
            "submissions": form.submissions + 1,
            "questions": questions,
            "recent": (*form.recent, name)[-MOST_RECENT:],
            "changes": _without_those_over(form, sight),
        }
    )
    by_id = {field.id: field for field in custom}
    for key in questions:
        if change := _change(after, key, sight, by_id):
            noticed.append(change)
            after = _with_change(after, change)
    return after, tuple(noticed)


def propose(form: Form, change: Change, custom: Sequence[CustomField] = ()) -> tuple[Proposal, ...]:
    """Rank the fields that a changed question may be read as, the likeliest first."""
    by_id = {field.id: field for field in custom}
    if change.kind == "vanished":
        return (Proposal(field="", confidence=0.9, because=("the form does not ask it any more",)),)
    question = form.questions[change.key]
    if change.kind == "options":
        kept = Proposal(field=question.field, confidence=0.9, because=("it is the same question",))
        return (kept,)
    return _ranked(form, change.key, question, change.kind, by_id)


def close(
    form: Form,
    change: Change,
    state: Literal["confirmed", "ignored"],
    by: str,
    at: datetime,
    field: str = "",
) -> Form:
    """Give a form with a change settled; what replaces something takes its place as known."""
    done = change.model_copy(
        update={"state": state, "closed_at": at, "closed_by": by, "confirmed": field}
    )
    question = form.questions.get(change.key)
    questions = dict(form.questions)
    if question:
        questions[change.key] = _as_usual(
            question, change.kind, field if state == "confirmed" else None
        )
    return form.model_copy(
        update={
            "changes": tuple(done if one == change else one for one in form.changes),
            "questions": questions,
        }
    )


class _Sight:
    """One submission beside what is known of its form."""

    def __init__(self, form: Form, touch: Touch, fields: Mapping[str, str]) -> None:
        self.form, self.fields, self.touch = form, fields, touch
        self.at = touch.received_at.timestamp()
        self.is_lost = not touch.identity_keys
        given = {key: texts_of(answer) for key, answer in touch.answers.items()}
        self.given = {key: texts for key, texts in given.items() if texts}
        room = MOST_QUESTIONS - len(form.questions)
        unknown = [key for key in self.given if key not in form.questions]
        self.unknown = unknown[: max(0, room)]
        self.open = {change.key for change in form.changes if change.state == "open"}

    def label(self, key: str) -> str:
        """Give the label that a question has in this submission."""
        others = (answer for other, answer in self.touch.answers.items() if other != key)
        label = self.touch.labels.get(key, "")
        return label_without(label, others) if label != key else ""

    @property
    def is_watched(self) -> bool:
        """Say whether something is under way for which each submission counts."""
        return any(
            q.missed or q.odd or q.fresh_left or q.reworded[1] or (q.is_new and q.seen < ENOUGH)
            for key, q in self.form.questions.items()
            if not q.is_gone and not self._is_enough(key, q)
        )

    def _is_enough(self, key: str, question: Question) -> bool:
        """Say whether a change that waits for a person has shown itself often enough."""
        shown = max(sum(question.odd.values()), len(question.fresh), question.reworded[1])
        return key in self.open and shown >= ENOUGH

    @property
    def deviates(self) -> bool:
        """Say whether anything is not as it usually is."""
        if self.unknown:
            return True
        for key, question in self.form.questions.items():
            texts = self.given.get(key)
            if not texts:
                if is_regular(question):
                    return True
                continue
            if question.is_gone or question.field != self.fields.get(key, ""):
                return True
            if self._is_enough(key, question):
                continue
            if (
                self._is_odd(question, texts)
                or self._is_reworded(question, key)
                or self._is_fresh(question, texts)
            ):
                return True
        return False

    def next_questions(self) -> dict[str, Question]:
        """Give every question as it is known after this submission."""
        found = {
            key: self._answered(key, question) if key in self.given else self._missed(question)
            for key, question in self.form.questions.items()
        }
        for key in self.unknown:
            empty = Question(
                first_at=self.at, is_new=self.form.submissions >= ENOUGH or self.is_lost
            )
            found[key] = self._answered(key, empty)
        return found

    def _missed(self, question: Question) -> Question:
        update: dict[str, object] = {}
        if question.seen < KNOWN:
            update["seen"] = question.seen + 1
        if is_regular(question) or question.missed:
            update["missed"] = question.missed + 1
        return question.model_copy(update=update)

    def _answered(self, key: str, question: Question) -> Question:
        texts = self.given[key]
        shape = shape_of(texts[0])
        update: dict[str, object] = {
            "missed": 0,
            "is_gone": False,
            "field": self.fields.get(key, ""),
            "first_at": min(question.first_at, self.at),
        }
        if question.missed > 1 and question.seen >= KNOWN:
            # It is not asked as regularly as it was; else each such stretch would be news.
            update["seen"] = question.seen + question.missed
        is_odd = self._is_odd(question, texts)
        if self._is_enough(key, question):
            return question.model_copy(update=update)
        if is_odd:
            update["odd"] = {**question.odd, shape: question.odd.get(shape, 0) + 1}
            update["odd_at"] = question.odd_at or self.at
        elif key not in self.open:
            update |= {"odd": {}, "odd_at": 0}
        if question.seen < KNOWN:
            update |= {"seen": question.seen + 1, "given": question.given + 1}
            if not is_odd:
                update["shapes"] = {**question.shapes, shape: question.shapes.get(shape, 0) + 1}
                update |= self._options(question, texts)
        update |= self._fresh(key, question, texts)
        update |= self._label(question, key)
        if question.is_new and question.seen < ENOUGH:
            beside = {*question.beside, *(k for k in self.given if k != key)}
            update["beside"] = tuple(k for k in self.form.questions if k in beside)
        elif question.beside:
            update["beside"] = ()
        return question.model_copy(update=update)

    def _is_odd(self, question: Question, texts: Sequence[str]) -> bool:
        if sum(question.shapes.values()) < ENOUGH:
            return False
        return usual(question, group_of(shape_of(texts[0]))) < NOISE

    def _is_reworded(self, question: Question, key: str) -> bool:
        if self.touch.labels.get(key, "") in ("", question.label):
            return False
        label = self.label(key)
        if not label or not question.labels or len(question.labels) >= MOST_LABELS:
            return False
        return digest_of_text(label) not in question.labels

    def _label(self, question: Question, key: str) -> dict[str, object]:
        """Take a label over at once while the question is not known, else once it has stayed."""
        label = self.label(key)
        if not label:
            return {}
        if not self._is_reworded(question, key):
            known = question.labels or (digest_of_text(label),)
            if question.reworded[1]:
                # The one that came in between is another language's.
                known = (*known, digest_of_text(question.reworded[0]))
            return {"labels": known, "label": question.label or label, "reworded": ("", 0)}
        text, count = question.reworded
        return {"reworded": (label, count + 1 if text == label else 1)}

    def _options(self, question: Question, texts: Sequence[str]) -> dict[str, object]:
        if question.is_open or any(len(text) > LONGEST_OPTION for text in texts):
            return {"options": (), "is_open": True}
        options = tuple(dict.fromkeys((*question.options, *self._picked(texts))))
        if len(options) > MOST_OPTIONS:
            return {"options": (), "is_open": True}
        return {"options": options}

    @staticmethod
    def _picked(texts: Sequence[str]) -> tuple[int, ...]:
        """Give the digests of what may be choices; what is surely none leaves no trace."""
        return tuple(
            digest_of_text(text)
            for text in texts
            if group_of(shape_of(text)) == "words" and len(text) <= LONGEST_OPTION
        )

    def _is_fresh(self, question: Question, texts: Sequence[str]) -> bool:
        return question.is_choice and any(d not in question.options for d in self._picked(texts))

    def _fresh(self, key: str, question: Question, texts: Sequence[str]) -> dict[str, object]:
        left = max(0, question.fresh_left - 1)
        if self._is_fresh(question, texts):
            new = tuple(d for d in self._picked(texts) if d not in question.options)
            left = left if question.fresh_left else OPTIONS_WITHIN
            return {"fresh": (*question.fresh, *new), "fresh_left": left}
        if question.fresh_left and not left:
            return {"fresh": question.fresh if key in self.open else (), "fresh_left": 0}
        return {"fresh_left": left} if question.fresh_left else {}


def is_regular(question: Question) -> bool:
    """Say whether a question is nearly always answered, so that it is missed when it is not."""
    if question.is_gone or question.seen < ENOUGH:
        return False
    return question.given >= question.seen - question.missed or question.rate >= REGULAR


def usual(question: Question, group: str) -> float:
    """Estimate how often an answer belongs to a group of shapes."""
    total = sum(question.shapes.values())
    count = sum(n for shape, n in question.shapes.items() if group_of(shape) == group)
    return (count + 1.5) / (total + 3)


def _change(
    form: Form, key: str, sight: _Sight, custom: Mapping[str, CustomField]
) -> Change | None:
    """Say what is news about a question now, if anything."""
    question = form.questions[key]
    if form.open_change(key) or sum(c.state == "open" for c in form.changes) >= MOST_OPEN:
        return None
    if _is_missing(form, key):
        return _made("vanished", key, question, sight, form, since=sight.at)
    if key not in sight.given:
        return None
    if question.is_new and question.seen <= ENOUGH and not _is_settled(form, key):
        return _new(form, key, sight, custom)
    if _is_retyped(question):
        return _made("retyped", key, question, sight, form, since=question.odd_at)
    if question.reworded[1] >= SOON:
        return _relabelled(form, key, sight, custom)
    if len(question.fresh) >= 2:
        return _made("options", key, question, sight, form, since=sight.at)
    return None


def _is_settled(form: Form, key: str) -> bool:
    return any(change.key == key for change in form.changes)


def _is_missing(form: Form, key: str) -> bool:
    question = form.questions[key]
    if question.is_gone or not question.missed:
        return False
    replaced = {old for change in form.changes if change.state == "open" for old in change.before}
    if key in replaced:
        return False
    needed = MISSED_ALWAYS if question.given == question.seen - question.missed else MISSED
    return question.missed >= needed


def _is_retyped(question: Question) -> bool:
    count = sum(question.odd.values())
    if count < SOON:
        return False
    if question.reworded[1] >= SOON:
        return True
    share = max(usual(question, group_of(shape)) for shape in question.odd)
    return share**count <= UNLIKELY


def _new(form: Form, key: str, sight: _Sight, custom: Mapping[str, CustomField]) -> Change | None:
    """Say whether a question that was not there before is news yet, and what it replaces."""
    question = form.questions[key]
    ranked = _ranked(form, key, question, "new", custom)
    best = ranked[0]
    old = _replaced(form, key, custom)
    is_needed = sight.is_lost and best.field in ("email", "phone")
    is_news = bool(old) or form.submissions > SETTLED
    is_ripe = question.seen >= SOON or question.given >= 2 or best.confidence >= SURE
    if not is_needed and not (is_news and is_ripe):
        return None
    gone = {form.questions[name].field for name in old}
    kind: ChangeKind = "renamed" if old else "new"
    if gone == {"full_name"} and best.field in ("first_name", "last_name"):
        kind = "split"
    elif best.field == "full_name" and "full_name" not in gone and gone & set(NAME_FIELDS):
        kind = "joined"
    return _made(kind, key, question, sight, form, since=question.first_at, before=old)


def _replaced(form: Form, key: str, custom: Mapping[str, CustomField]) -> tuple[str, ...]:
    """Name the questions that are gone since this one came and that it stands for."""
    question = form.questions[key]
    gone = {old: _succession(form, key, old, custom) for old in _gone_since(form, key)}
    replaced = {old for change in form.changes for old in change.before}
    best = max(gone, key=lambda old: gone[old], default=None)
    says = _said(key, question, custom)
    if says.get("full_name", 0) > 0.5 or question.shapes.keys() == {"name"}:
        parts = [old for old in gone if form.questions[old].field in ("first_name", "last_name")]
        if len(parts) == 2:
            return tuple(parts)
    if max(says.get("first_name", 0), says.get("last_name", 0)) > 0.5:
        whole = [old for old in gone if form.questions[old].field == "full_name"]
        if whole:
            return (whole[0],)
    if best is None or gone[best] < LIKELY or best in replaced:
        return ()
    rivals = [
        other
        for other, one in form.questions.items()
        if other != key and one.is_new and one.seen <= ENOUGH and best not in one.beside
    ]
    if any(_succession(form, rival, best, custom) > gone[best] for rival in rivals):
        return ()
    return (best,)


def _gone_since(form: Form, key: str) -> list[str]:
    """Name the questions that were never answered together with a new one."""
    question = form.questions[key]
    lately = {
        old
        for change in form.changes
        if change.noticed_at.timestamp() >= question.first_at
        for old in change.before
    }
    return [
        other
        for other, one in form.questions.items()
        if other != key
        and other not in question.beside
        and one.first_at < question.first_at
        and one.given >= SOON
        and (not one.is_gone or other in lately)
    ]


def _succession(form: Form, key: str, old: str, custom: Mapping[str, CustomField]) -> float:
    """Say how likely a new question stands for one that is gone, 0 to 1."""
    new, gone = form.questions[key], form.questions[old]
    absent = 1 - (1 - gone.rate) ** max(1, new.given)
    by_label = alike(new.label, gone.label)
    by_key = alike(key, old)
    by_shape = likeness(new.shapes, gone.shapes)
    typed = {group_of(shape) for shape in new.shapes} - {"words"}
    sim = 1 - (1 - 0.9 * by_label) * (1 - 0.7 * by_key) * (1 - (0.75 if typed else 0.4) * by_shape)
    says = _said(key, new, custom)
    if gone.field:
        sim = 1 - (1 - sim) * (1 - 0.8 * says.get(gone.field, 0))
    others = [strength for field, strength in says.items() if field != gone.field]
    if max(others, default=0) > 0.6 and says.get(gone.field, 0) < 0.5:
        sim *= 0.4
    if by_shape < 0.2:
        sim *= 0.3
    return absent * sim


def _relabelled(form: Form, key: str, sight: _Sight, custom: Mapping[str, CustomField]) -> Change:
    """Note a new wording; it needs a person only where it may mean something else."""
    question = form.questions[key]
    change = _made("relabelled", key, question, sight, form, since=sight.at)
    best = _ranked(form, key, question, "relabelled", custom)[0]
    is_same = best.field == question.field
    return change.model_copy(
        update={
            "label_before": question.label,
            "label": question.reworded[0],
            "state": "noted" if is_same else "open",
        }
    )


def _made(
    kind: ChangeKind,
    key: str,
    question: Question,
    sight: _Sight,
    form: Form,
    *,
    since: float,
    before: Iterable[str] = (),
) -> Change:
    before = tuple(before)
    return Change(
        kind=kind,
        key=key,
        before=before,
        field=question.field,
        label=question.label,
        label_before=next((form.questions[old].label for old in before), ""),
        first_at=datetime.fromtimestamp(since, UTC),
        noticed_at=sight.touch.received_at,
    )


def _with_change(form: Form, change: Change) -> Form:
    """Add a change; what is gone is not missed any more, what is noted is as usual."""
    questions = dict(form.questions)
    question = questions[change.key]
    if change.kind == "vanished":
        questions[change.key] = question.model_copy(update={"is_gone": True, "missed": 0})
    elif change.state == "noted":
        questions[change.key] = _as_usual(question, change.kind, None)
    for old in change.before:
        questions[old] = questions[old].model_copy(update={"is_gone": True, "missed": 0})
    changes = [*form.changes, change]
    closed = [one for one in changes if one.state != "open"]
    dropped = set(map(id, closed[: max(0, len(changes) - MOST_CHANGES)]))
    kept = tuple(one for one in changes if id(one) not in dropped)
    return form.model_copy(update={"questions": questions, "changes": kept})


def _without_those_over(form: Form, sight: _Sight) -> tuple[Change, ...]:
    """Close what was taken for gone and is answered again."""
    return tuple(
        change.model_copy(update={"state": "over", "closed_at": sight.touch.received_at})
        if change.state == "open" and change.kind == "vanished" and change.key in sight.given
        else change
        for change in form.changes
    )


def _as_usual(question: Question, kind: ChangeKind, field: str | None) -> Question:
    """Take what has changed about a question for what it is like from now on."""
    update: dict[str, object] = {} if field is None else {"field": field}
    match kind:
        case "retyped":
            count = sum(question.odd.values())
            update |= {"shapes": question.odd, "odd": {}, "odd_at": 0}
            update |= {"seen": count, "given": count, "options": (), "is_open": False}
        case "relabelled":
            label = question.reworded[0]
            update |= {"label": label, "reworded": ("", 0)}
            update["labels"] = (*question.labels, digest_of_text(label))
        case "options":
            options = tuple(dict.fromkeys((*question.options, *question.fresh)))
            update |= {"options": options[-MOST_OPTIONS:], "fresh": (), "fresh_left": 0}
    if question.reworded[1] and kind == "retyped":
        label = question.reworded[0]
        update |= {"label": label, "reworded": ("", 0), "labels": (digest_of_text(label),)}
    return question.model_copy(update=update)


def _said(
    key: str, question: Question, custom: Mapping[str, CustomField], label: str = ""
) -> dict[str, float]:
    """Say which fields a question's wording and key speak of."""
    by_label = meanings(label or question.label, custom)
    by_key = meanings(key, custom)
    weight = 0.6 if by_label else 0.95
    return {
        field: max(by_label.get(field, 0), weight * by_key.get(field, 0))
        for field in {*by_label, *by_key}
    }


def _ranked(
    form: Form,
    key: str,
    question: Question,
    kind: ChangeKind,
    custom: Mapping[str, CustomField],
) -> tuple[Proposal, ...]:
    label = question.reworded[0] or question.label
    shapes = question.odd if kind == "retyped" else question.shapes
    says = _said(key, question, custom, label)
    history = _history(form, key, custom) if question.is_new else {}
    taken = {
        one.field
        for other, one in form.questions.items()
        if other != key and one.field and not one.is_gone and other in question.beside
    }
    fields = {*says, *history, *_by_shape(shapes), question.field} - {""}
    found = [
        _scored(field, kind, question, says, shapes, history, taken, custom, label or key)
        for field in sorted(fields)
    ]
    found.append(_left_alone(key, label, shapes, says))
    found.sort(key=lambda proposal: (-proposal.confidence, proposal.field == "", proposal.field))
    return tuple(found[:MOST_PROPOSALS])


def _by_shape(shapes: Mapping[str, int]) -> dict[str, float]:
    """Give the fields that shapes alone speak for."""
    total = sum(shapes.values())
    if not total:
        return {}
    strength = {"email": ("email", 0.85), "phone": ("phone", 0.7), "url": ("website", 0.6)}
    found = {
        field: weight * shapes[shape] / total
        for shape, (field, weight) in strength.items()
        if shapes.get(shape)
    }
    words = (shapes.get("text", 0) + 0.8 * shapes.get("short", 0)) / total
    return {**found, "message": 0.45 * words} if words else found


def _history(form: Form, key: str, custom: Mapping[str, CustomField]) -> dict[str, float]:
    """Give the fields of the questions that a new one may stand for."""
    found: dict[str, float] = {}
    settled = next((c.before for c in form.changes if c.key == key and c.before), None)
    for old in settled or _gone_since(form, key):
        field = form.questions[old].field if old in form.questions else ""
        strength = _succession(form, key, old, custom) if field else 0
        parts = _parts(form, key, old, custom) if field == "full_name" else ()
        for one in parts or (field,):
            found[one] = max(found.get(one, 0), strength)
    found.pop("", None)
    return found


def _parts(form: Form, key: str, old: str, custom: Mapping[str, CustomField]) -> tuple[str, ...]:
    """Name the parts of a name that a new question may be if it is not the whole one."""
    siblings = [
        _said(other, one, custom)
        for other, one in form.questions.items()
        if one.is_new and other in form.questions[key].beside
    ]
    for part, other in (("first_name", "last_name"), ("last_name", "first_name")):
        if any(says.get(other, 0) > 0.5 and says.get(part, 0) < 0.5 for says in siblings):
            return (part,)
    shapes = form.questions[key].shapes
    is_word = shapes.get("word", 0) > sum(shapes.values()) / 2
    whole = form.questions[old].shapes
    was_name = whole.get("name", 0) > sum(whole.values()) / 2
    return ("first_name", "last_name") if is_word and was_name else ()


def _scored(
    field: str,
    kind: ChangeKind,
    question: Question,
    says: Mapping[str, float],
    shapes: Mapping[str, int],
    history: Mapping[str, float],
    taken: set[str],
    custom: Mapping[str, CustomField],
    wording: str,
) -> Proposal:
    """Weigh what speaks for one field."""
    suits = fit(field, shapes, custom)
    gate = 0.3 + 0.7 * suits
    because = []
    said = 0.9 * says.get(field, 0) * gate
    if said:
        because.append(f"its wording speaks of {field}")
    seen = _by_shape(shapes).get(field, 0)
    if kind == "relabelled":
        # Those answers were given to the old wording.
        seen *= 0.4
    if seen:
        because.append(f"its answers look like {field}")
    past = 0.9 * history.get(field, 0)
    if past > LIKELY:
        because.append(f"it came when the question read as {field} went")
    now = 0.0
    if field == question.field:
        now = 0.95 if kind == "new" else 0.25 if kind == "relabelled" else 0.1
        because.append("it is read so now")
    confidence = 1 - (1 - said) * (1 - seen) * (1 - past) * (1 - now)
    if field in taken and not now:
        confidence *= 0.6
    if says_other_person(wording):
        confidence *= 0.3
    if suits < 0.2 and not now:
        confidence *= 0.6
    return Proposal(field=field, confidence=round(confidence, 2), because=tuple(because))


def _left_alone(
    key: str, label: str, shapes: Mapping[str, int], says: Mapping[str, float]
) -> Proposal:
    """Weigh what speaks for leaving a question an answer that no field takes."""
    confidence, because = 0.35, "nothing says clearly what it is"
    total = sum(shapes.values())
    if total and (shapes.get("yes_no", 0) + shapes.get("date", 0)) / total > 0.7:
        confidence, because = 0.7, "its answers are yes, no or a date"
    if says_no_field(label or key) and max(says.values(), default=0) < 0.85:
        confidence, because = 0.75, "its wording asks for what no field is for"
    return Proposal(field="", confidence=confidence, because=(because,))
