"""Checks of single conditions: fields exist, and comparisons and values fit their types."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from chalicelib.config.document import Path, did_you_mean
from chalicelib.config.finding import Found
from chalicelib.config.model import All, AnyOne, Condition, Config, CustomField, Not, Test
from chalicelib.config.scoring import Part
from chalicelib.lead.conditions import FIELDS, NUMBER_OPS, FieldInfo, as_number, field_info
from chalicelib.lead.grades import possible_grades
from chalicelib.lead.model import CAMPAIGN_KEYS, INTENTS, STATUSES, TRIAGES, URGENCIES
from chalicelib.lead.scoring import is_over_touches, parts_of

MAX_DEPTH = 10
MAX_TESTS = 200
"""Most comparisons of one condition."""

TEXT_OPS = frozenset({"contains", "starts_with", "ends_with"})


@dataclass(frozen=True)
class ConditionChecks:
    """Checks conditions of one kind: what they are asked about, and for what."""

    config: Config
    scope: Literal["lead", "touch"]
    is_score: bool

    def check(self, path: Path, condition: Condition) -> Iterator[Found]:
        """Check a condition and every comparison in it."""
        tests = list(_walk(path, condition))
        if len(tests) > MAX_TESTS:
            yield Found(path, f"more than {MAX_TESTS} comparisons in one condition")
        if max((len(_nesting(path, here)) for here, _ in tests), default=0) > MAX_DEPTH:
            yield Found(path, f"more than {MAX_DEPTH} levels of all, any and not")
        for here, test in tests:
            yield from self._check_test(here, test)

    def _check_test(self, path: Path, test: Test) -> Iterator[Found]:
        info = field_info(test.field)
        if info is None:
            known = self._known_fields()
            near = did_you_mean(test.field, known)
            if f"custom.{test.field}" in known:
                near = f"; did you mean custom.{test.field}?"
            yield Found((*path, "field"), f"there is no field {test.field}{near}")
            return
        yield from self._check_scope(path, test, info)
        yield from self._check_member(path, test)
        yield from self._check_value(path, test, self._typed(test, info))

    def _check_scope(self, path: Path, test: Test, info: FieldInfo) -> Iterator[Found]:
        if info.is_work and self.is_score:
            message = f"a score may not depend on {test.field}, which tells how our work stands"
            yield Found((*path, "field"), message)
        elif info.scope not in ("both", self.scope):
            what = "a single touch" if self.scope == "touch" else "a lead"
            yield Found((*path, "field"), f"{what} has no {test.field}")

    def _check_member(self, path: Path, test: Test) -> Iterator[Found]:
        """Check what follows the dot of custom.<id> and campaign.<key>."""
        family, _, member = test.field.partition(".")
        known: list[str] = []
        if test.field == "grade" and self.config.scoring.grades is None:
            yield Found((*path, "field"), "there are no grades: scoring.grades is missing")
        if family == "parts":
            known = sorted(self.config.scoring.parts)
        elif family == "custom":
            known = [field.id for field in self.config.fields]
        elif family in ("campaign", "first_campaign"):
            known = list(CAMPAIGN_KEYS)
        else:
            return
        if member not in known:
            message = f"there is no {family} field {member}{did_you_mean(member, known)}"
            yield Found((*path, "field"), message)

    def _typed(self, test: Test, info: FieldInfo) -> tuple[str, tuple[str, ...]]:
        """Give the type of a field and, where it has only certain values, those."""
        custom = self._custom(test.field)
        if custom is not None:
            type_ = "text" if custom.type == "choice" else custom.type
            return type_, custom.choices
        values: dict[str, Collection[str]] = {
            "status": STATUSES,
            "stage": self.config.qualifying.order,
            "triage": TRIAGES,
            "grade": possible_grades(self.config.scoring.grades),
            "intent": INTENTS,
            "urgency": URGENCIES,
            "source": self.config.sources,
            "first_source": self.config.sources,
            "declined_by": self.config.owners,
        }
        return info.type, tuple(values.get(test.field, ()))

    def _custom(self, name: str) -> CustomField | None:
        fields = {f"custom.{field.id}": field for field in self.config.fields}
        return fields.get(name)

    def _check_value(
        self, path: Path, test: Test, typed: tuple[str, tuple[str, ...]]
    ) -> Iterator[Found]:
        type_, allowed = typed
        here = (*path, "value")
        problem = _shape_problem(test) or _type_problem(test, type_)
        if problem:
            yield Found(here if test.value is not None else path, problem)
            return
        if allowed and test.op in ("is", "is_not", "in", "not_in", "contains"):
            for value in _values(test):
                if str(value).casefold() not in {each.casefold() for each in allowed}:
                    near = did_you_mean(str(value), allowed) or f"; one of {', '.join(allowed)}"
                    yield Found(here, f"{test.field} is never {value}{near}")
        if test.field in ("score", "fit", "engagement") or test.field.startswith("parts."):
            yield from self._check_threshold(here, test)

    def _check_threshold(self, path: Path, test: Test) -> Iterator[Found]:
        bound = as_number(test.value)
        most = highest(self.config).get(test.field)
        if most is None or bound is None or test.op not in ("at_least", "more_than", "is"):
            return
        if bound > most or (test.op == "more_than" and bound == most):
            message = f"{test.field} never reaches this: by its rules and caps it is at most {most}"
            yield Found(path, message)

    def _known_fields(self) -> list[str]:
        customs = [f"custom.{field.id}" for field in self.config.fields]
        return [*FIELDS, *customs, *(f"campaign.{key}" for key in CAMPAIGN_KEYS)]


def _shape_problem(test: Test) -> str:
    """Say what is wrong with a value whatever the field is; empty when nothing is."""
    if test.op in ("exists", "missing"):
        return f"{test.op} takes no value" if test.value is not None else ""
    if test.op in ("in", "not_in"):
        is_list = isinstance(test.value, list | tuple) and bool(test.value)
        return "" if is_list else f"{test.op} takes a list of values"
    if test.value is None or test.value == "":
        return f"{test.op} needs a value"
    if isinstance(test.value, list | tuple | dict):
        return f"{test.op} takes one value" + ("; use in for several" if test.op == "is" else "")
    return ""


def _type_problem(test: Test, type_: str) -> str:
    """Say why a comparison does not fit the type of a field; empty when it does."""
    values = _values(test)
    if any(isinstance(value, list | tuple | dict | None) for value in values):
        return "expected text, a number, true or false"
    numeric = all(as_number(value) is not None for value in values)
    booleans = [isinstance(value, bool) for value in values]
    name, op = test.field, test.op
    not_for_booleans = op in (*TEXT_OPS, *NUMBER_OPS, "in", "not_in")
    problems = {
        f"{op} needs a number": op in NUMBER_OPS and not numeric,
        f"{name} is a number; {op} is for text": type_ == "number" and op in TEXT_OPS,
        f"{name} is a number": type_ == "number" and not numeric,
        f"{name} is true or false; use is": type_ == "boolean" and not_for_booleans,
        f"{name} is true or false": type_ == "boolean" and not all(booleans),
        f"{name} is a list; {op} is for numbers": type_ == "list" and op in NUMBER_OPS,
        f"{name} is text; put the value into quotes": type_ in ("text", "list") and any(booleans),
    }
    return next((problem for problem, holds in problems.items() if holds), "")


def _values(test: Test) -> tuple[Any, ...]:
    if test.op in ("exists", "missing"):
        return ()
    return tuple(test.value) if isinstance(test.value, list | tuple) else (test.value,)


def _walk(path: Path, condition: Condition) -> Iterator[tuple[Path, Test]]:
    match condition:
        case Test():
            yield path, condition
        case All():
            for index, part in enumerate(condition.all):
                yield from _walk((*path, "all", index), part)
        case AnyOne():
            for index, part in enumerate(condition.any):
                yield from _walk((*path, "any", index), part)
        case Not():
            yield from _walk((*path, "not"), condition.not_)


def _nesting(path: Path, inner: Path) -> list[str | int]:
    return [part for part in inner[len(path) :] if part in ("all", "any", "not")]


def highest(config: Config) -> dict[str, Decimal]:
    """Work out the highest that the score and its parts can ever be, by the fields they are."""
    scoring = config.scoring
    found = {
        name: min(part.cap, _most_points(name, part)) for name, part in parts_of(scoring).items()
    }
    beside = {name for name, part in scoring.parts.items() if not part.in_total}
    total = sum(points for name, points in found.items() if name not in beside)
    fields = {f"parts.{n}" if n in scoring.parts else n: points for n, points in found.items()}
    return {name: Decimal(points) for name, points in {**fields, "score": total}.items()}


def _most_points(name: str, part: Part) -> int:
    """Add up what the rules of a part give at most, each group within its cap."""
    groups: dict[str, int] = {}
    for rule in part.rules:
        times = (rule.at_most or 100) if is_over_touches(name, rule) else 1
        groups[rule.group] = groups.get(rule.group, 0) + max(rule.points, 0) * times
    caps = {group_id: group.cap for group_id, group in part.groups.items()}
    return sum(min(points, caps.get(group, points)) for group, points in groups.items())
