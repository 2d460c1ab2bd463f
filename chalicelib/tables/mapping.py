"""Which column holds what: proposed by header and values, changed by a person, checked."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from pydantic import Field

from chalicelib.errors import Invalid
from chalicelib.lead.model import CAMPAIGN_KEYS, CONTACT_FIELDS, Model
from chalicelib.lead.place import clean_country
from chalicelib.tables.headers import OUTCOME_COLUMNS, header_key, names
from chalicelib.tables.layout import Layout
from chalicelib.tables.rows import Row
from chalicelib.tables.values import order_of, share

ANSWER = "answer"
"""A column that no field takes: its values stay with the lead as answers."""

DROPPED = "-"
"""A column that is left out."""

OWN = ("id", "person_id", "submitted_at", "form", *CAMPAIGN_KEYS)
"""What a column can be mapped to beside contact fields and custom fields."""

CONSENT = "consent."
"""Begins what a column of yes and no is mapped to: `consent.marketing`."""

SURE, LIKELY, WEAK = 95, 75, 50
"""Confidence, 0 to 100; what is below WEAK is not proposed."""

_NAMES_PEOPLE = ("email", "phone", "person_id")

_EXPECTED: Mapping[str, tuple[str, ...]] = {
    "email": ("email",),
    "phone": ("phone", "number", "rounded"),
    "website": ("url",),
    "submitted_at": ("moment", "number"),
}
"""Shapes that the values of a field have."""

DateOrder = Literal["dmy", "mdy"]


class Proposed(Model):
    """What one column is likely to hold."""

    column: str
    field: str = Field(description="a field, `consent.PURPOSE`, `answer`, or `-` to leave it out")
    confidence: int = Field(description="0 to 100")
    because: str
    samples: tuple[str, ...] = Field(description="its first values")


class Proposal(Model):
    """What a whole file is likely to hold."""

    columns: tuple[Proposed, ...]
    dates: DateOrder = Field(description="whether the day or the month comes first")
    warnings: tuple[str, ...] = ()

    @property
    def mapping(self) -> dict[str, str]:
        """Give the field of each column."""
        return {each.column: each.field for each in self.columns}


def propose(
    layout: Layout, rows: Sequence[Row], configured: Mapping[str, str], custom: Sequence[str]
) -> Proposal:
    """Propose what each column holds.

    Args:
        layout: of the file.
        rows: its first ones.
        configured: the source's own field map; it is law.
        custom: ids of the custom fields.
    """
    known = names()
    for field in reversed(custom):
        known[header_key(field)] = field
    values = {name: _values(rows, at) for at, name in enumerate(layout.columns)}
    ranked = [
        _likeliest(name, values[name], known, configured.get(name, "")) for name in layout.columns
    ]
    best: dict[str, int] = {}
    for at, each in enumerate(ranked):
        rival = best.get(each.field)
        if rival is None or each.confidence > ranked[rival].confidence:
            best[each.field] = at
    columns = []
    for at, each in enumerate(ranked):
        is_taken = each.field not in (ANSWER, DROPPED) and best[each.field] != at
        if is_taken and each.column not in configured:
            other = ranked[best[each.field]].column
            because = f"{each.field} is taken by {other}"
            each = each.model_copy(  # noqa: PLW2901
                update={"field": ANSWER, "confidence": WEAK, "because": because}
            )
        columns.append(each)
    when = [
        text for each in columns if each.field == "submitted_at" for text in values[each.column]
    ]
    order, is_proved = order_of(when)
    return Proposal(
        columns=tuple(columns),
        dates="mdy" if order == "mdy" else "dmy",
        warnings=tuple(_warnings(columns, values, rows, is_proved=is_proved)),
    )


def check_mapping(
    columns: Sequence[str],
    mapping: Mapping[str, str],
    configured: Mapping[str, str],
    custom: Collection[str],
) -> None:
    """Refuse a mapping that would not do what it says.

    Raises:
        Invalid: says for which columns and why.
    """
    problems = []
    taken: dict[str, str] = {}
    for column, field in mapping.items():
        if column not in columns:
            problems.append(f"{column}: the file has no such column")
        elif not is_field(field, custom):
            problems.append(f"{column}: {field} is no field; see the fields of the configuration")
        elif configured.get(column, field) != field:
            said = configured[column]
            problems.append(f"{column}: the source's own field map says {said}; change it there")
        elif (field in OWN or field.startswith(CONSENT)) and field in taken:
            problems.append(f"{column}: {taken[field]} is {field} already")
        taken.setdefault(field, column)
    if not set(_NAMES_PEOPLE) & set(taken):
        problems.append("no column is an e-mail address or a phone number, so nobody is told apart")
    if problems:
        raise Invalid("the columns cannot be mapped so", tuple(problems))


def is_field(field: str, custom: Collection[str]) -> bool:
    """Say whether a column can be mapped to this."""
    purpose = field.removeprefix(CONSENT) if field.startswith(CONSENT) else ""
    is_purpose = purpose.replace("_", "").isalnum() and len(purpose) <= 40
    return is_purpose or field in (ANSWER, DROPPED, *OWN, *CONTACT_FIELDS) or field in custom


def _values(rows: Sequence[Row], at: int) -> list[str]:
    return [row.cells[at] for row in rows if len(row.cells) > at and row.cells[at]]


def _likeliest(
    column: str, values: Sequence[str], known: Mapping[str, str], configured: str
) -> Proposed:
    field, confidence, because = _judge(column, values, known, configured)
    if confidence < WEAK:
        field, because = ANSWER, because or "no field has such a name or such values"
    return Proposed(
        column=column,
        field=field,
        confidence=confidence,
        because=because,
        samples=tuple(value[:60] for value in values[:3]),
    )


def _judge(
    column: str, values: Sequence[str], known: Mapping[str, str], configured: str
) -> tuple[str, int, str]:
    """Weigh header and values of a column."""
    if column in OUTCOME_COLUMNS:
        return DROPPED, 100, "the hub wrote it"
    if configured:
        return configured, 100, "the source's own field map says so"
    key = header_key(column)
    field = known.get(key, "")
    strength = SURE
    if not field:
        # The longest name within the header: `E-Mail Adresse (geschäftlich)`.
        within = [name for name in known if len(name) > 2 and f" {name} " in f" {key} "]
        field = known[max(within, key=len)] if within else ""
        strength = LIKELY
    if field:
        return _weighed(field, strength, values)
    for shape, guess in (("email", "email"), ("url", "website")):
        if share(values, shape) > 0.8:
            return guess, LIKELY, f"its values look like {guess}"
    if len(values) > 2 and share(values, "phone") > 0.9 and any(v[0] in "+0(" for v in values):
        return "phone", WEAK, "its values look like phone numbers"
    countries = [value for value in values[:20] if len(value) > 2 and clean_country(value)]
    if len(values) > 2 and len(countries) > 0.9 * len(values[:20]):
        return "country", LIKELY, "its values are countries"
    return ANSWER, 0, ""


def _weighed(field: str, strength: int, values: Sequence[str]) -> tuple[str, int, str]:
    """Weigh what a header says against what the values look like."""
    if not values:
        return field, strength - 20, "by its name; no value yet"
    if field == "id":
        if len(set(values)) < len(values):
            return ANSWER, WEAK, "by its name an id, but its values repeat"
        return field, strength, "by its name, and no value comes twice"
    if field.startswith(CONSENT):
        fits = share(values, "yes_no") >= 0.5
        return (
            (field, strength, "by its name and its values")
            if fits
            else (ANSWER, WEAK, "by its name a consent, but its values are not yes or no")
        )
    if field in _EXPECTED:
        found = share(values, *_EXPECTED[field])
        if found >= 0.5:
            return field, min(99, strength + 4), "by its name and its values"
        if field == "email" and found == 0 and share(values, "yes_no") > 0.5:
            return "consent.marketing", WEAK, "named like an address, but its values are yes or no"
        if found < 0.2:
            return ANSWER, WEAK, f"by its name {field}, but its values do not look like it"
        return field, WEAK, "by its name; many values do not look like it"
    if field in ("country", "city") and values:
        is_country = sum(clean_country(value) is not None for value in values[:20])
        if field == "country" and is_country < len(values[:20]) / 5:
            return ANSWER, WEAK, "by its name country, but its values name none"
    if share(values, "email") > 0.8:
        return "email", LIKELY, "its values look like email"
    return field, strength, "by its name"


def _warnings(
    columns: Sequence[Proposed],
    values: Mapping[str, Sequence[str]],
    rows: Sequence[Row],
    *,
    is_proved: bool,
) -> list[str]:
    said = [
        f"{each.column}: a spreadsheet has rounded values to the like of {shown}; they are lost"
        for each in columns
        for shown in ("4.47E+11",)
        if share(values[each.column], "rounded") > 0
    ]
    when = next((each.column for each in columns if each.field == "submitted_at"), "")
    if when and not is_proved:
        said.append(f"{when}: day or month first? Nothing proves it; the day is taken to be first")
    bad = [row for row in rows if row.problem]
    if bad:
        said.append(f"row {bad[0].number}: {bad[0].problem}")
    fields = {each.field for each in columns}
    if not fields & set(_NAMES_PEOPLE):
        said.append("no column holds e-mail addresses or phone numbers, so nobody is told apart")
    if not any(field.startswith(CONSENT) for field in fields):
        said.append("no column says who agreed to what")
    return said
